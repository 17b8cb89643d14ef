/* The state machine of a target, and the contract: restarts (A2), putting back (A3), draining (A5). */
#include "world.h"

#include <string.h>

static void a_slot_goes_all_the_way(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	size_t before = w->reports;
	desire(w, slot(SLOT, 5));
	staged(w);
	assert_string_equal(state(w, SLOT), "swap");
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	see_new(w, OLD, 2);  /* nginx takes its time */
	see_new(w, NEW, 2);
	see_new(w, OLD, 1);  /* an old worker again: the row begins anew */
	see_new(w, NEW, 3);
	assert_string_equal(state(w, SLOT), "drain");
	assert_int_equal(w->reports, before);
	pass(w, 900);
	assert_false(asked(w, HAND_SETTLE));
	pass(w, 200);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->reports, before + 1);
	assert_int_equal(w->last.generation, 5);
	assert_int_equal(w->last.high_water, 5);
	assert_true(w->last.settled);
	assert_int_equal(w->last.level, MSG_LEVEL_PROBED);
	assert_string_equal(w->last.fingerprints.items[0], NEW);
}

static void a_store_waits_for_its_attest(void **out)
{
	struct world *w = *out;
	start_settled(w, STORE);
	desire(w, store(5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	hand_says(w, HAND_ATTEST, NULL, (struct hand_reply){ .ok = true, .present = true, .text = "old" });
	assert_string_equal(state(w, STORE), "verify");
	pass(w, 200);
	hand_says(w, HAND_ATTEST, NULL, (struct hand_reply){ .ok = true, .present = true, .matched = true });
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->last.generation, 5);
	assert_int_equal(w->last.level, MSG_LEVEL_LOADED);
}

/* engine-rules 12, A2: it restarts with a staged file; what is only in the file is not what is loaded. */
static void staged_on_restart(void **out)
{
	struct world *w = *out;
	start(w, SLOT);
	hand_says(w, HAND_LOOK, NULL, (struct hand_reply){ .ok = true, .view = view(w, SLOT, PHASE_APPLYING, 3, 4, 5) });
	open_session(w, 1, "e1");
	while (find(w, EFFECT_ASK, ASK_REPORT, NULL) >= 0) {
		answer(w, (struct agent_answer){ .ask = ASK_REPORT, .ok = true });
		assert_false(w->last.settled);
	}
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	see_new(w, NEW, 3);
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_true(w->last.settled);
	assert_int_equal(w->last.generation, 5);
}

static void a2_putting_back_goes_on_after_a_restart(void **out)
{
	struct world *w = *out;
	start(w, SLOT);
	hand_says(w, HAND_LOOK, NULL, (struct hand_reply){ .ok = true, .view = view(w, SLOT, PHASE_BACKING, 3, 4, 5) });
	hand_ok(w, HAND_PUT_BACK);
	hand_ok(w, HAND_RELOAD);
	see_new(w, OLD, 3);
	pass(w, 1100);
	hand_ok(w, HAND_BACK_DONE);
	open_session(w, 1, "e1");
	take_reports(w);
	assert_int_equal(w->last.generation, 3);
	assert_int_equal(w->last.high_water, 5);
	assert_int_equal(w->last.failed_generation, 5);
	assert_true(w->last.settled);
}

/* engine-rules 12, A3: the probe fails, the old is put back, and only then a report counts. */
static void report_then_put_back(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	size_t before = w->reports;
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	for (int i = 0; i < 400 && probing(w); i++)
		see_new(w, OLD, 1); /* until the deadline */
	assert_string_equal(state(w, SLOT), "put-back");
	assert_int_equal(w->reports, before);
	hand_ok(w, HAND_PUT_BACK);
	hand_ok(w, HAND_RELOAD);
	see_new(w, OLD, 3);
	assert_string_equal(state(w, SLOT), "back-drain");
	take_reports(w);
	assert_int_equal(w->reports, before);
	pass(w, 1100);
	hand_ok(w, HAND_BACK_DONE);
	take_reports(w);
	assert_int_equal(w->reports, before + 1);
	assert_int_equal(w->last.generation, 3);
	assert_int_equal(w->last.high_water, 5);
	assert_int_equal(w->last.failed_generation, 5);
	assert_non_null(strstr(w->last.failed_reason, OLD)); /* what it serves, what was asked */
	assert_non_null(strstr(w->last.failed_reason, NEW));
	assert_true(w->last.settled);
}

static void a3_a_settling_that_cannot_be_written_is_not_reported(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	size_t before = w->reports;
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	see_new(w, NEW, 3);
	pass(w, 1100);
	hand_fails(w, HAND_SETTLE, "disk full");
	take_reports(w);
	assert_int_equal(w->reports, before);
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->last.generation, 5);
}

static void a5_settled_only_after_drain(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	see_new(w, NEW, 3);
	msec_t seen = w->now;
	while (!asked(w, HAND_SETTLE))
		pass(w, 10);
	assert_true(w->now - seen >= 1000 - 40);
	assert_true(w->now - seen <= 1100);
}

/* engine-rules 12, A5: a connection of the old worker presents the old again; it counts when none of them can be left. */
static void renegotiation(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	size_t before = w->reports;
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	see_new(w, NEW, 3);
	while (!asked(w, HAND_SETTLE)) {
		assert_string_equal(state(w, SLOT), "drain");
		take_reports(w);
		assert_int_equal(w->reports, before);
		pass(w, 100);
	}
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->last.generation, 5);
	assert_true(w->last.settled);
}

static void a_first_document_that_fails_is_taken_back_to_what_was_there(void **out)
{
	struct world *w = *out;
	start(w, NULL);
	open_session(w, 1, "e1");
	desire(w, slot(SLOT, 1));
	hand_says(w, HAND_LOOK, NULL, (struct hand_reply){ .ok = true, .view = view(w, SLOT, PHASE_SETTLED, 0, 0, 0) });
	service_shows(w, NULL);
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	for (int i = 0; i < 400 && probing(w); i++)
		see_new(w, OLD, 1);
	hand_ok(w, HAND_PUT_BACK);
	hand_ok(w, HAND_RELOAD);
	pass(w, 1100);
	hand_ok(w, HAND_BACK_DONE);
	take_reports(w);
	assert_int_equal(w->last.generation, 0);
	assert_int_equal(w->last.high_water, 1);
	assert_int_equal(w->last.failed_generation, 1);
	assert_int_equal(w->last.fingerprints.count, 0);
	assert_true(w->last.settled);
}

static void what_cannot_be_staged_is_refused_and_nothing_changes(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	hand_fails(w, HAND_STAGE, "the key does not fit the certificate");
	hand_ok(w, HAND_REFUSE);
	take_reports(w);
	assert_int_equal(w->last.generation, 3);
	assert_int_equal(w->last.high_water, 5);
	assert_int_equal(w->last.failed_generation, 5);
	assert_string_equal(w->last.failed_reason, "the key does not fit the certificate");
	desire(w, slot(SLOT, 5));
	assert_string_equal(state(w, SLOT), "idle");
}

static void a_profile_that_is_not_installed_is_a_reason(void **out)
{
	struct world *w = *out;
	struct msg_target t = slot(SLOT, 1);
	t.profile = "apache";
	start(w, NULL);
	open_session(w, 1, "e1");
	desire(w, t);
	struct hand_view v = view(w, SLOT, PHASE_SETTLED, 0, 0, 0);
	v.profile = "apache";
	hand_says(w, HAND_LOOK, NULL, (struct hand_reply){ .ok = true, .view = v, .text = "not installed" });
	hand_ok(w, HAND_REFUSE);
	take_reports(w);
	assert_int_equal(w->last.failed_generation, 1);
	assert_non_null(strstr(w->last.failed_reason, "apache"));
}

static void what_is_stuck_is_tried_again_and_a_newer_document_may_come_in(void **out)
{
	struct world *w = *out;
	start_settled(w, STORE);
	desire(w, store(5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_fails(w, HAND_RELOAD, "exited with 1");
	hand_ok(w, HAND_PUT_BACK);
	hand_fails(w, HAND_RELOAD, "exited with 1");
	assert_string_equal(state(w, STORE), "stuck");
	take_reports(w);
	assert_false(w->last.settled);
	pass(w, 1100);
	hand_ok(w, HAND_PUT_BACK);
	hand_fails(w, HAND_RELOAD, "exited with 1");
	desire(w, store(6));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	hand_says(w, HAND_ATTEST, NULL, (struct hand_reply){ .ok = true, .present = true, .matched = true });
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->last.generation, 6);
	assert_true(w->last.settled);
}

static void the_hand_is_told_what_is_distrusted(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	struct msg_target t = slot(SLOT, 5);
	t.distrusted = fp(w, OLD);
	desire(w, t);
	assert_string_equal(take(w, EFFECT_HAND, HAND_STAGE, NULL).hand.distrusted.items[0], OLD);
}

static void staged_without_a_way_back(struct world *w)
{
	hand_says(w, HAND_STAGE, NULL, (struct hand_reply){ .ok = true, .fingerprints = fp(w, NEW), .no_way_back = true });
}

/* Row distrust_returns: a failure does not bring back what is distrusted; it is said, and the new files are tried again. */
static void an_emergency_keeps_the_new_files(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	staged_without_a_way_back(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	for (int i = 0; i < 400 && probing(w); i++)
		see_new(w, OLD, 1);
	assert_string_equal(state(w, SLOT), "stuck");
	assert_false(asked(w, HAND_PUT_BACK));
	take_reports(w);
	assert_false(w->last.settled);
	assert_int_equal(w->last.generation, 3);
	assert_true(w->last.drift.count > 0 && strstr(w->last.drift.items[w->last.drift.count - 1], "the new files stay"));
	pass(w, 1100);
	hand_ok(w, HAND_SWAP); /* the same again */
	hand_ok(w, HAND_RELOAD);
	see_new(w, NEW, 3);
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_true(w->last.settled);
	assert_int_equal(w->last.generation, 5);
	desire(w, slot(SLOT, 6)); /* over: a failure goes back again */
	staged(w);
	hand_fails(w, HAND_SWAP, "no");
	assert_true(asked(w, HAND_PUT_BACK));
}

/* The swap may have failed before it began, and cannot begin any more once h has passed it: the hand is asked to put back,
 * which it refuses unless there is nothing to put back. */
static void an_emergency_that_never_began_is_over(void **out)
{
	struct world *w = *out;
	start_settled(w, STORE);
	desire(w, store(5));
	staged_without_a_way_back(w);
	hand_fails(w, HAND_SWAP, "no space");
	assert_string_equal(state(w, STORE), "stuck");
	desire(w, store(6));
	hand_fails(w, HAND_STAGE, "no space");
	hand_ok(w, HAND_REFUSE);
	pass(w, 10000);
	hand_fails(w, HAND_SWAP, "not above");
	hand_fails(w, HAND_PUT_BACK, "distrusted"); /* had it begun */
	assert_string_equal(state(w, STORE), "stuck");
	pass(w, 20000);
	hand_fails(w, HAND_SWAP, "not above");
	hand_ok(w, HAND_PUT_BACK);
	hand_ok(w, HAND_RELOAD);
	hand_says(w, HAND_ATTEST, NULL, (struct hand_reply){ .ok = true, .present = true, .matched = true });
	pass(w, 1100);
	hand_ok(w, HAND_BACK_DONE);
	take_reports(w);
	assert_true(w->last.settled);
	assert_int_equal(w->last.generation, 3);
	assert_int_equal(w->last.high_water, 6);
}

/* What the one begun replaces is distrusted by a newer document, which cannot be staged.  The hand knows, and refuses to put back. */
static void an_emergency_that_came_later_keeps_the_new_files(void **out)
{
	struct world *w = *out;
	start_settled(w, STORE);
	desire(w, store(5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_fails(w, HAND_RELOAD, "no");
	hand_fails(w, HAND_PUT_BACK, "no space");
	assert_string_equal(state(w, STORE), "stuck");
	desire(w, store(6));
	hand_fails(w, HAND_STAGE, "no space");
	hand_ok(w, HAND_REFUSE);
	pass(w, 10000);
	hand_says(w, HAND_PUT_BACK, NULL, (struct hand_reply){ .kind = TROTH_UNSAFE, .text = "distrusted", .no_way_back = true });
	assert_string_equal(state(w, STORE), "stuck");
	pass(w, 20000);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	hand_says(w, HAND_ATTEST, NULL, (struct hand_reply){ .ok = true, .present = true, .matched = true });
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_true(w->last.settled);
	assert_int_equal(w->last.generation, 5);
	assert_int_equal(w->last.high_water, 6);
}

static void an_emergency_goes_on_after_a_restart(void **out)
{
	struct world *w = *out;
	start(w, STORE);
	struct hand_view v = view(w, STORE, PHASE_APPLYING, 3, 3, 5);
	v.no_way_back = true;
	hand_says(w, HAND_LOOK, NULL, (struct hand_reply){ .ok = true, .view = v });
	open_session(w, 1, "e1");
	hand_ok(w, HAND_SWAP);
	hand_fails(w, HAND_RELOAD, "exited with 1");
	assert_string_equal(state(w, STORE), "stuck");
	pass(w, 1100);
	assert_false(asked(w, HAND_PUT_BACK));
	hand_ok(w, HAND_RELOAD);
	assert_false(asked(w, HAND_PUT_BACK));
}

static void a_refusal_does_not_settle_what_is_stuck(void **out)
{
	struct world *w = *out;
	start_settled(w, STORE);
	desire(w, store(5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_fails(w, HAND_RELOAD, "no");
	hand_ok(w, HAND_PUT_BACK);
	hand_fails(w, HAND_RELOAD, "no");
	desire(w, store(6));
	hand_fails(w, HAND_STAGE, "bad");
	hand_ok(w, HAND_REFUSE);
	take_reports(w);
	assert_string_equal(state(w, STORE), "stuck");
	assert_false(w->last.settled);
	assert_int_equal(w->last.failed_generation, 6);
	pass(w, 10000);
	assert_int_equal(take(w, EFFECT_HAND, HAND_PUT_BACK, NULL).hand.generation, 5);
}

/* A1: what is begun settles after a newer one was refused; that one stays done with. */
static void a1_settling_does_not_lower_high_water(void **out)
{
	struct world *w = *out;
	start_settled(w, STORE);
	desire(w, store(5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_says(w, HAND_RELOAD, NULL, (struct hand_reply){ .ok = true, .down = true });
	desire(w, store(6));
	hand_fails(w, HAND_STAGE, "bad");
	hand_ok(w, HAND_REFUSE);
	pass(w, 10000);
	hand_ok(w, HAND_RELOAD);
	hand_says(w, HAND_ATTEST, NULL, (struct hand_reply){ .ok = true, .present = true, .matched = true });
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_true(w->last.settled);
	assert_int_equal(w->last.generation, 5);
	assert_int_equal(w->last.high_water, 6);
}

static void reloads_of_one_service_do_not_overlap(void **out)
{
	struct world *w = *out;
	struct msg_target both[2] = { slot(SLOT, 1), slot(SLOT2, 1) };
	start(w, NULL);
	open_session(w, 1, "e1");
	desire_in(w, 1, both, 2);
	hand_says(w, HAND_LOOK, SLOT, (struct hand_reply){ .ok = true, .view = view(w, SLOT, PHASE_SETTLED, 0, 0, 0) });
	hand_says(w, HAND_LOOK, SLOT2, (struct hand_reply){ .ok = true, .view = view(w, SLOT2, PHASE_SETTLED, 0, 0, 0) });
	service_shows(w, NULL);
	service_shows(w, NULL);
	staged(w);
	staged(w);
	int queued = text_equal(state(w, SLOT), "queue") + text_equal(state(w, SLOT2), "queue");
	assert_int_equal(queued, 1);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	assert_false(asked(w, HAND_SWAP));
	see_new(w, NEW, 3);
	assert_true(asked(w, HAND_SWAP)); /* the other goes while this one drains */
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_slot_goes_all_the_way), CASE(a_store_waits_for_its_attest),
		CASE(staged_on_restart), CASE(a2_putting_back_goes_on_after_a_restart),
		CASE(report_then_put_back), CASE(a3_a_settling_that_cannot_be_written_is_not_reported),
		CASE(a5_settled_only_after_drain), CASE(renegotiation), CASE(a_first_document_that_fails_is_taken_back_to_what_was_there),
		CASE(what_cannot_be_staged_is_refused_and_nothing_changes), CASE(a_profile_that_is_not_installed_is_a_reason),
		CASE(what_is_stuck_is_tried_again_and_a_newer_document_may_come_in), CASE(a_refusal_does_not_settle_what_is_stuck),
		CASE(the_hand_is_told_what_is_distrusted), CASE(an_emergency_keeps_the_new_files), CASE(an_emergency_goes_on_after_a_restart),
		CASE(an_emergency_that_came_later_keeps_the_new_files),
		CASE(an_emergency_that_never_began_is_over), CASE(a1_settling_does_not_lower_high_water),
		CASE(reloads_of_one_service_do_not_overlap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
