/* The built-in store: saved once, spoken by, and only then reported; never an older one. */
#include "world.h"

#include <string.h>

#define OWN "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d5e0a"

static struct msg_target own(int64_t generation)
{
	static const char *pem[] = { "PEM" };
	return (struct msg_target){ .id = OWN, .name = "server-ca", .kind = MSG_STORE, .profile = MSG_OWN_TRUST, .generation = generation,
				    .certificates = { pem, generation ? 1 : 0 } };
}

static struct hand_reply held(struct world *w, int64_t generation, const char *fingerprint)
{
	return (struct hand_reply){ .ok = true, .boot_id = "boot", .epoch = "e1", .trust_id = generation ? OWN : "",
				    .trust_generation = generation, .trust_fingerprints = fp(w, fingerprint) };
}

/* It comes up with what its file holds. */
static void begin(struct world *w, int64_t generation)
{
	w->core = agent_core_new(&(struct agent_config){ w->profiles, 2, NULL, 7 });
	feed(w, (struct agent_event){ .kind = EVENT_START });
	hand_says(w, HAND_HELLO, NULL, held(w, generation, OLD));
}

static void as_enrolled_it_is_reported_once_it_has_a_name(void **out)
{
	struct world *w = *out;
	begin(w, 0);
	struct agent_effect x = w->pending[find(w, EFFECT_ASK, ASK_OPEN, NULL)];
	assert_int_equal(x.ask.open.target_count, 0);
	open_session(w, 1, "e1");
	assert_int_equal(find(w, EFFECT_ASK, ASK_REPORT, NULL), -1);
	desire(w, own(0));
	take_reports(w);
	assert_int_equal(w->reports, 1);
	assert_string_equal(w->last.target, OWN);
	assert_true(w->last.settled && w->last.generation == 0 && w->last.high_water == 0);
	assert_string_equal(w->last.fingerprints.items[0], OLD);
	assert_false(asked(w, HAND_LOOK)); /* it is no place on the node */
	assert_false(asked(w, HAND_TRUST_SAVE));
}

static void saved_then_reported(void **out)
{
	struct world *w = *out;
	begin(w, 0);
	open_session(w, 1, "e1");
	desire(w, own(3));
	assert_int_equal(find(w, EFFECT_ASK, ASK_REPORT, NULL), -1); /* not while it is being saved */
	struct agent_effect x = take(w, EFFECT_HAND, HAND_TRUST_SAVE, NULL);
	assert_int_equal(x.hand.generation, 3);
	assert_string_equal(x.hand.id, OWN);
	assert_int_equal(x.hand.certificates.count, 1);
	struct hand_reply r = held(w, 3, NEW);
	r.op = HAND_TRUST_SAVE;
	r.ticket = x.ticket;
	feed(w, (struct agent_event){ .kind = EVENT_HAND, .hand = &r });
	take_reports(w);
	assert_int_equal(w->last.generation, 3);
	assert_int_equal(w->last.high_water, 3);
	assert_int_equal(w->last.level, MSG_LEVEL_LOADED);
	assert_string_equal(w->last.fingerprints.items[0], NEW);
	size_t reports = w->reports;
	desire(w, own(3)); /* again, and an older one: nothing */
	desire(w, own(2));
	assert_false(asked(w, HAND_TRUST_SAVE));
	take_reports(w);
	assert_int_equal(w->reports, reports);
}

static void a_newer_one_may_come_meanwhile(void **out)
{
	struct world *w = *out;
	begin(w, 1);
	open_session(w, 1, "e1");
	desire(w, own(2));
	desire(w, own(4));
	desire(w, own(3)); /* late */
	hand_says(w, HAND_TRUST_SAVE, OWN, held(w, 2, NEW));
	struct agent_effect x = take(w, EFFECT_HAND, HAND_TRUST_SAVE, OWN);
	assert_int_equal(x.hand.generation, 4);
}

static void what_cannot_be_saved_is_tried_again(void **out)
{
	struct world *w = *out;
	begin(w, 1);
	open_session(w, 1, "e1");
	take_reports(w);
	size_t reports = w->reports;
	desire(w, own(2));
	hand_fails(w, HAND_TRUST_SAVE, "the disk is full");
	take_reports(w);
	assert_int_equal(w->reports, reports); /* it holds what it held */
	assert_false(asked(w, HAND_TRUST_SAVE));
	pass(w, 61000);
	struct agent_effect x = take(w, EFFECT_HAND, HAND_TRUST_SAVE, OWN);
	assert_int_equal(x.hand.generation, 2);
	assert_int_equal(x.hand.certificates.count, 1);
}

static void a_session_says_what_it_holds(void **out)
{
	struct world *w = *out;
	begin(w, 5);
	struct agent_effect x = w->pending[find(w, EFFECT_ASK, ASK_OPEN, NULL)];
	assert_int_equal(x.ask.open.target_count, 1);
	assert_string_equal(x.ask.open.targets[0].id, OWN);
	assert_int_equal(x.ask.open.targets[0].loaded_generation, 5);
	assert_int_equal(x.ask.open.targets[0].high_water, 5);
	open_session(w, 1, "e1");
	take_reports(w);
	assert_int_equal(w->last.generation, 5); /* who asks again may have forgotten */
}

/* Its node enrolled anew, or the server made the store anew: another id, other numbers. */
static void another_store_begins_at_nothing(void **out)
{
	struct world *w = *out;
	begin(w, 5);
	open_session(w, 1, "e1");
	take_reports(w);
	struct msg_target other = own(1);
	other.id = STORE;
	desire(w, other);
	struct agent_effect x = take(w, EFFECT_HAND, HAND_TRUST_SAVE, NULL);
	assert_int_equal(x.hand.generation, 1);
	assert_string_equal(x.hand.id, STORE);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(as_enrolled_it_is_reported_once_it_has_a_name), CASE(saved_then_reported),
					    CASE(a_newer_one_may_come_meanwhile), CASE(what_cannot_be_saved_is_tried_again),
					    CASE(a_session_says_what_it_holds), CASE(another_store_begins_at_nothing) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
