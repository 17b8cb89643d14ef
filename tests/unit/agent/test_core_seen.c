/* What is seen decides: all addresses, all processes (A4), what was found before, and drift. */
#include "world.h"

#include <string.h>

static void a4_one_address_that_serves_the_old_is_not_loaded(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	for (int i = 0; i < 10; i++) {
		struct agent_effect x = take(w, EFFECT_PROBE, 0, NULL);
		struct agent_probed p = { .ticket = x.ticket, .at = { { .shown = fp(w, NEW) }, { .shown = fp(w, OLD) } } };
		feed(w, (struct agent_event){ .kind = EVENT_PROBED, .probed = &p });
		pass(w, 40);
	}
	assert_string_equal(state(w, SLOT), "verify");
}

/* engine-rules 12, A4: a look hits the new worker, the next one an old one: not all of them have it. */
static void one_of_n_workers(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	for (int i = 0; i < 5; i++) {
		see_new(w, NEW, 2);
		assert_string_equal(state(w, SLOT), "verify");
		see_new(w, OLD, 1);
		assert_string_equal(state(w, SLOT), "verify");
	}
	see_new(w, NEW, 3);
	assert_string_equal(state(w, SLOT), "drain");
}

#define CROSS "00000000000000000000000000000000000000000000000000000000000000c5"
#define OTHER "00000000000000000000000000000000000000000000000000000000000000ff"

static void shows_chain(struct world *w, const char *const *fingerprints, size_t n)
{
	struct agent_effect x = take(w, EFFECT_PROBE, 0, NULL);
	struct json_texts shown = { (const char **)(uintptr_t)fingerprints, n };
	struct agent_probed p = { .ticket = x.ticket, .at = { { .shown = shown }, { .shown = shown } } };
	feed(w, (struct agent_event){ .kind = EVENT_PROBED, .probed = &p });
	pass(w, 40);
}

static void reloaded_as(struct world *w, int64_t generation, const char **fingerprints, size_t n)
{
	desire(w, slot(SLOT, generation));
	hand_says(w, HAND_STAGE, NULL, (struct hand_reply){ .ok = true, .fingerprints = { fingerprints, n } });
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
}

/* Found by the simulator: the new document had the leaf of the old one, and was taken for loaded by a service that had not
 * heeded its signal.  The CA above is what the stores go by. */
static void a4_the_same_leaf_under_another_chain_is_not_loaded(void **out)
{
	struct world *w = *out;
	const char *alone[] = { OLD }, *bridged[] = { OLD, CROSS }, *more[] = { OLD, CROSS, OTHER };
	start_settled(w, SLOT);
	reloaded_as(w, 5, bridged, 2);
	for (int i = 0; i < 5; i++)
		shows_chain(w, alone, 1);
	assert_string_equal(state(w, SLOT), "verify");
	shows_chain(w, bridged, 2);
	shows_chain(w, bridged, 2);
	shows_chain(w, more, 3); /* what a service adds of its own is no matter */
	assert_string_equal(state(w, SLOT), "drain");
}

static void a4_what_only_the_chain_before_has_is_still_there(void **out)
{
	struct world *w = *out;
	const char *alone[] = { OLD }, *bridged[] = { OLD, CROSS };
	start_settled(w, SLOT);
	reloaded_as(w, 5, bridged, 2);
	for (int i = 0; i < 3; i++)
		shows_chain(w, bridged, 2);
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->last.generation, 5);
	reloaded_as(w, 6, alone, 1);
	for (int i = 0; i < 5; i++)
		shows_chain(w, bridged, 2);
	assert_string_equal(state(w, SLOT), "verify");
	for (int i = 0; i < 3; i++)
		shows_chain(w, alone, 1);
	assert_string_equal(state(w, SLOT), "drain");
}

/* engine-rules 12, A4: the reload command exits 0, but this service reads its trust at start: it attests the old still. */
static void start_only_service(void **out)
{
	struct world *w = *out;
	start_settled(w, STORE);
	desire(w, store(5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	for (int i = 0; i < 400 && asked(w, HAND_ATTEST); i++) {
		hand_says(w, HAND_ATTEST, NULL, (struct hand_reply){ .ok = true, .text = "the service attests nothing" });
		pass(w, 200);
	}
	assert_string_equal(state(w, STORE), "put-back");
}

static void a4_no_process_has_nothing_old(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_says(w, HAND_RELOAD, NULL, (struct hand_reply){ .ok = true, .down = true });
	service_shows(w, NULL); /* nobody listens */
	hand_ok(w, HAND_SETTLE); /* nothing to drain */
	take_reports(w);
	assert_int_equal(w->last.generation, 5);
	assert_true(w->last.settled);
	assert_non_null(strstr(w->last.drift.items[0], "nothing ran that could be reloaded")); /* whoever looks is told */
}

/* A pid file that is wrong and a service that is stopped look alike; only one of them has forgotten what it held. */
static void a4_a_store_without_a_process_waits_for_one(void **out)
{
	struct world *w = *out;
	start_settled(w, STORE);
	desire(w, store(5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_says(w, HAND_RELOAD, NULL, (struct hand_reply){ .ok = true, .down = true, .text = "process 42 is gone" });
	take_reports(w);
	assert_string_equal(state(w, STORE), "stuck");
	assert_false(w->last.settled);
	assert_int_equal(w->last.generation, 3); /* what was seen */
	assert_int_equal(w->last.failed_generation, 0);
	assert_non_null(strstr(w->last.drift.items[0], "process 42 is gone: start the service, or correct its pid_file"));
	pass(w, 1100); /* asked again, by itself */
	hand_ok(w, HAND_RELOAD);
	hand_says(w, HAND_ATTEST, NULL, (struct hand_reply){ .ok = true, .matched = true, .present = true });
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->last.generation, 5);
	assert_true(w->last.settled);
}

static void a_newer_document_comes_in_while_a_process_is_waited_for(void **out)
{
	struct world *w = *out;
	start_settled(w, STORE);
	desire(w, store(5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_says(w, HAND_RELOAD, NULL, (struct hand_reply){ .ok = true, .down = true });
	desire(w, store(6));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	hand_says(w, HAND_ATTEST, NULL, (struct hand_reply){ .ok = true, .matched = true, .present = true });
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->last.generation, 6);
}

static void a_first_generation_needs_no_process(void **out)
{
	struct world *w = *out;
	start(w, STORE);
	hand_says(w, HAND_LOOK, NULL, (struct hand_reply){ .ok = true, .view = view(w, STORE, PHASE_SETTLED, 0, 0, 0) });
	open_session(w, 1, "e1");
	take_reports(w);
	desire(w, store(1));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_says(w, HAND_RELOAD, NULL, (struct hand_reply){ .ok = true, .down = true });
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->last.generation, 1);
	assert_true(w->last.settled);
	assert_non_null(strstr(w->last.drift.items[0], "nothing ran that could be reloaded"));
}

static void a_failed_reload_of_a_service_that_listens_is_a_failure(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_fails(w, HAND_RELOAD, "exited with 1");
	service_shows(w, OLD);
	assert_string_equal(state(w, SLOT), "put-back");
	hand_ok(w, HAND_PUT_BACK);
	hand_fails(w, HAND_RELOAD, "exited with 1"); /* broken for good; but what it serves is l */
	see_new(w, OLD, 3);
	pass(w, 1100);
	hand_ok(w, HAND_BACK_DONE);
	take_reports(w);
	assert_int_equal(w->last.failed_generation, 5);
	assert_string_equal(w->last.failed_reason, "exited with 1");
	assert_true(w->last.settled);
}

static void a_new_target_is_looked_at_and_found_things_are_told(void **out)
{
	struct world *w = *out;
	start(w, NULL);
	open_session(w, 1, "e1");
	desire(w, slot(SLOT, 0));
	hand_says(w, HAND_LOOK, NULL, (struct hand_reply){ .ok = true, .view = view(w, SLOT, PHASE_SETTLED, 0, 0, 0) });
	service_shows(w, OLD);
	take_reports(w);
	assert_true(w->last.has_found);
	assert_string_equal(w->last.found_fingerprints.items[0], OLD);
	assert_int_equal(w->last.generation, 0);
	desire(w, slot(SLOT, 1));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	see_new(w, NEW, 3);
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->last.generation, 1);
	assert_false(w->last.has_found);
}

static void a_changed_file_is_put_right_proven_and_told(void **out)
{
	struct world *w = *out;
	static const char *lines[] = { "/srv/web/one/current/cert.pem was changed; put right" };
	start_settled(w, SLOT);
	pass(w, AGENT_CHECK_MS + 10);
	hand_says(w, HAND_CHECK, NULL, (struct hand_reply){ .ok = true, .drift = { lines, 1 } });
	take_reports(w);
	assert_false(w->last.settled);
	assert_string_equal(w->last.drift.items[0], lines[0]);
	hand_ok(w, HAND_RELOAD);
	see_new(w, OLD, 3);
	pass(w, 1100);
	take_reports(w);
	assert_true(w->last.settled);
	assert_int_equal(w->last.generation, 3);
	assert_int_equal(w->last.drift.count, 1);
	pass(w, AGENT_CHECK_MS + 10);
	hand_ok(w, HAND_CHECK);
	service_shows(w, OLD);
	assert_string_equal(state(w, SLOT), "idle");
}

static void look_once(struct world *w, const char *shown)
{
	pass(w, AGENT_CHECK_MS + 10);
	hand_ok(w, HAND_CHECK);
	service_shows(w, shown);
}

/* It shall leave.  One look at a closed port may be a restart; three in a row are the end. */
static void a_leaver_says_when_its_service_is_stopped(void **out)
{
	struct world *w = *out;
	struct msg_target t = slot(SLOT, 3);
	start_settled(w, SLOT);
	for (int i = 0; i < 4; i++)
		look_once(w, NULL); /* stopped, but nobody told it to leave */
	t.leaving = true;
	desire(w, t);
	take_reports(w);
	look_once(w, OLD); /* it was started again */
	size_t reports = w->reports;
	look_once(w, NULL);
	look_once(w, NULL);
	take_reports(w);
	assert_int_equal(w->reports, reports);
	look_once(w, NULL);
	take_reports(w);
	assert_int_equal(w->reports, reports + 1);
	assert_true(w->last.stopped);
	assert_int_equal(w->last.generation, 3);
	look_once(w, OLD);
	look_once(w, NULL); /* said once; and it would have to be silent as long again */
	take_reports(w);
	assert_int_equal(w->reports, reports + 1);
}

static void a_service_that_serves_something_else_is_told_with_both_fingerprints(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	pass(w, AGENT_CHECK_MS + 10);
	hand_ok(w, HAND_CHECK);
	service_shows(w, NEW);
	take_reports(w);
	assert_false(w->last.settled);
	assert_non_null(strstr(w->last.drift.items[0], OLD));
	assert_non_null(strstr(w->last.drift.items[0], NEW));
	hand_ok(w, HAND_RELOAD); /* perhaps that helps */
	see_new(w, OLD, 3);
	pass(w, 1100);
	take_reports(w);
	assert_true(w->last.settled);
}

static void a_silent_service_is_not_drift(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	size_t before = w->reports;
	pass(w, AGENT_CHECK_MS + 10);
	hand_ok(w, HAND_CHECK);
	service_shows(w, NULL);
	take_reports(w);
	assert_int_equal(w->reports, before);
	assert_string_equal(state(w, SLOT), "idle");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a4_one_address_that_serves_the_old_is_not_loaded), CASE(one_of_n_workers), CASE(start_only_service),
		CASE(a4_the_same_leaf_under_another_chain_is_not_loaded), CASE(a4_what_only_the_chain_before_has_is_still_there),
		CASE(a4_no_process_has_nothing_old), CASE(a4_a_store_without_a_process_waits_for_one),
		CASE(a_newer_document_comes_in_while_a_process_is_waited_for), CASE(a_first_generation_needs_no_process),
		CASE(a_failed_reload_of_a_service_that_listens_is_a_failure),
		CASE(a_new_target_is_looked_at_and_found_things_are_told), CASE(a_changed_file_is_put_right_proven_and_told),
		CASE(a_leaver_says_when_its_service_is_stopped),
		CASE(a_service_that_serves_something_else_is_told_with_both_fingerprints), CASE(a_silent_service_is_not_drift),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
