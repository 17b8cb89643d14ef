/* The session: documents of it and no other (A1), CSRs, a server that is away or was restored. */
#include "world.h"

#include <string.h>

#include "base/limits.h"

static void a1_late_repeated_and_reordered_documents_are_refused(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 4)); /* h is 4 */
	assert_string_equal(state(w, SLOT), "idle");
	desire(w, slot(SLOT, 3)); /* what runs */
	assert_string_equal(state(w, SLOT), "idle");
	desire(w, slot(SLOT, 6));
	staged(w);
	hand_ok(w, HAND_SWAP);
	desire(w, slot(SLOT, 5)); /* late: 6 is begun */
	desire(w, slot(SLOT, 6)); /* again */
	hand_ok(w, HAND_RELOAD);
	see_new(w, NEW, 3);
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->last.generation, 6);
	desire(w, slot(SLOT, 6));
	assert_string_equal(state(w, SLOT), "idle");
}

/* One that came late, while what was begun after it is stuck: it is not even staged.  A newer one is. */
static void a1_nothing_older_than_what_is_stuck(void **out)
{
	struct world *w = *out;
	start_settled(w, STORE);
	desire(w, store(6));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_fails(w, HAND_RELOAD, "exited with 1");
	hand_ok(w, HAND_PUT_BACK);
	hand_fails(w, HAND_RELOAD, "exited with 1");
	assert_string_equal(state(w, STORE), "stuck");
	desire(w, store(5));
	assert_false(asked(w, HAND_STAGE));
	assert_string_equal(state(w, STORE), "stuck");
	desire(w, store(7));
	assert_true(asked(w, HAND_STAGE));
}

static void a1_documents_of_another_session_are_not_applied(void **out)
{
	struct world *w = *out;
	struct msg_target t = slot(SLOT, 9);
	start_settled(w, SLOT);
	desire_in(w, 2, &t, 1);
	assert_string_equal(state(w, SLOT), "idle");
	assert_true(find(w, EFFECT_ASK, ASK_OPEN, NULL) >= 0); /* something is wrong: a new session */
	assert_int_equal(agent_core_session(w->core), 0);
}

static void a1_what_is_only_staged_ends_with_its_session(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	assert_string_equal(state(w, SLOT), "stage");
	answer(w, (struct agent_answer){ .ask = ASK_POLL, .stale = true, .kind = TROTH_CONFLICT });
	open_session(w, 2, "e1");
	assert_string_equal(state(w, SLOT), "idle");
	staged(w); /* the hand's late word changes nothing */
	assert_string_equal(state(w, SLOT), "idle");
	assert_false(asked(w, HAND_SWAP));
}

/* What is begun is seen through; but h, as said when the session opens, does not hold it yet. */
static void a1_what_is_begun_is_not_yet_high_water(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	answer(w, (struct agent_answer){ .ask = ASK_POLL, .stale = true, .kind = TROTH_CONFLICT });
	int i = find(w, EFFECT_ASK, ASK_OPEN, NULL);
	assert_true(i >= 0);
	assert_int_equal(w->pending[i].ask.open.targets[0].loaded_generation, 3);
	assert_int_equal(w->pending[i].ask.open.targets[0].high_water, 4);
	open_session(w, 2, "e1");
	assert_string_equal(state(w, SLOT), "reload");
}

/* A new session wants to know what is held; the process may run the begun one already, so what settled
 * before is said and does not count (found by the simulator: the base was l, the process ran l + 1). */
static void a2_nothing_counts_while_a_document_is_begun(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	answer(w, (struct agent_answer){ .ask = ASK_POLL, .stale = true, .kind = TROTH_CONFLICT });
	open_session(w, 2, "e1");
	take_reports(w);
	assert_int_equal(w->last.generation, 3);
	assert_false(w->last.settled);
	see_new(w, NEW, 3);
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->last.generation, 5);
	assert_true(w->last.settled);
}

static void a_csr_is_made_once_and_sent_until_taken(void **out)
{
	struct world *w = *out;
	struct msg_csr_wanted c = { REQUEST, "ec-p256", "one" };
	struct msg_target t = slot(SLOT, 3);
	t.csr = &c;
	start_settled(w, SLOT);
	desire(w, t);
	hand_says(w, HAND_CSR, NULL, (struct hand_reply){ .ok = true, .csr = "CSR" });
	answer(w, (struct agent_answer){ .ask = ASK_CSR, .kind = TROTH_UNAVAILABLE });
	pass(w, 1000);
	desire(w, t);
	assert_false(asked(w, HAND_CSR));
	answer(w, (struct agent_answer){ .ask = ASK_CSR, .ok = true });
	desire(w, t);
	assert_false(asked(w, HAND_CSR));
	assert_int_equal(find(w, EFFECT_ASK, ASK_CSR, NULL), -1);
}

/* The answer to the former request was late, and the new one was never sent (found by the simulator). */
static void a_late_answer_is_not_for_the_next_request(void **out)
{
	struct world *w = *out;
	struct msg_csr_wanted c = { REQUEST, "ec-p256", "one" };
	struct msg_target t = slot(SLOT, 3);
	t.csr = &c;
	start_settled(w, SLOT);
	desire(w, t);
	hand_says(w, HAND_CSR, NULL, (struct hand_reply){ .ok = true, .csr = "CSR" });
	assert_true(find(w, EFFECT_ASK, ASK_CSR, NULL) >= 0);
	c.request = "33333333-3333-4333-8333-333333333333";
	desire(w, t);
	hand_says(w, HAND_CSR, NULL, (struct hand_reply){ .ok = true, .csr = "CSR2" });
	answer(w, (struct agent_answer){ .ask = ASK_CSR, .ok = true }); /* of the first */
	int i = find(w, EFFECT_ASK, ASK_CSR, NULL);
	assert_true(i >= 0);
	assert_string_equal(w->pending[i].ask.csr.request, c.request);
}

/* A server that answers each poll at once asked for the impossible: the hand tried twenty times a second. */
static void a_csr_that_cannot_be_made_is_tried_ever_more_slowly(void **out)
{
	struct world *w = *out;
	struct msg_csr_wanted c = { REQUEST, "rsa-99999", "one" };
	struct msg_target t = slot(SLOT, 3);
	int tries = 0;
	t.csr = &c;
	start_settled(w, SLOT);
	for (msec_t from = w->now; w->now < from + 30 * MSEC_S; pass(w, 100)) {
		desire(w, t);
		if (!asked(w, HAND_CSR))
			continue;
		tries++;
		hand_says(w, HAND_CSR, NULL, (struct hand_reply){ .text = "key type is not known" });
	}
	assert_in_range(tries, 3, 6); /* at 0, 1, 3, 7, 15 s */
	c.request = "33333333-3333-4333-8333-333333333333";
	desire(w, t);
	assert_true(asked(w, HAND_CSR)); /* another one may be possible */
}

static void a_lost_server_is_asked_again_ever_more_slowly(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	msec_t waits[6];
	for (int i = 0; i < 6; i++) {
		answer(w, (struct agent_answer){ .ask = ASK_POLL, .kind = TROTH_UNAVAILABLE });
		msec_t from = w->now;
		while (find(w, EFFECT_ASK, ASK_POLL, NULL) < 0)
			pass(w, 10);
		waits[i] = w->now - from;
	}
	assert_true(waits[0] <= 200);
	assert_true(waits[5] > waits[0]);
	assert_true(waits[5] <= 15000);
}

static void another_epoch_takes_back_what_is_only_begun(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	answer(w, (struct agent_answer){ .ask = ASK_POLL, .stale = true, .kind = TROTH_CONFLICT });
	open_session(w, 2, "e2");
	hand_ok(w, HAND_EPOCH);
	hand_says(w, HAND_LOOK, NULL, (struct hand_reply){ .ok = true, .view = view(w, SLOT, PHASE_BACKING, 3, 4, 5) });
	hand_ok(w, HAND_PUT_BACK);
	assert_string_equal(state(w, SLOT), "back-reload");
}

/* Its disk was full just then: the next session never came, as every target waited for a look (found by the simulator). */
static void an_epoch_that_could_not_be_kept_is_said_again(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	answer(w, (struct agent_answer){ .ask = ASK_POLL, .stale = true, .kind = TROTH_CONFLICT });
	open_session(w, 2, "e2");
	assert_int_equal(find(w, EFFECT_ASK, ASK_REPORT, NULL), -1);
	hand_fails(w, HAND_EPOCH, "No space left on device");
	assert_int_equal(agent_core_session(w->core), 0);
	assert_string_equal(state(w, SLOT), "reload"); /* what is begun goes on */
	pass(w, MSEC_S);
	int i = find(w, EFFECT_ASK, ASK_OPEN, NULL);
	assert_true(i >= 0);
	assert_int_equal(w->pending[i].ask.open.target_count, 1);
	open_session(w, 3, "e2");
	assert_int_equal(find(w, EFFECT_ASK, ASK_REPORT, NULL), -1); /* not before the hand has looked */
	hand_ok(w, HAND_EPOCH);
	assert_int_equal(find(w, EFFECT_ASK, ASK_REPORT, NULL), -1);
	hand_says(w, HAND_LOOK, NULL, (struct hand_reply){ .ok = true, .view = view(w, SLOT, PHASE_BACKING, 3, 4, 5) });
	take_reports(w);
	assert_int_equal(w->last.session, 3);
	hand_ok(w, HAND_PUT_BACK);
	assert_string_equal(state(w, SLOT), "back-reload");
}

static void desire_of_epoch(struct world *w, const char *epoch, struct msg_target t)
{
	struct msg_desired d = { .session = 2, .epoch = epoch, .version = ++w->version, .targets = &t, .target_count = 1 };
	answer(w, (struct agent_answer){ .ask = ASK_POLL, .ok = true, .desired = &d });
}

/* The database was restored: numbers that are lower or were used before are refused, whatever they stand for; those
 * of the new epoch are above all of them.  First the node looks at what it holds. */
static void server_restored(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT); /* l 3, h 4 */
	desire_of_epoch(w, "e2", slot(SLOT, 4)); /* its session is of the old epoch */
	assert_string_equal(state(w, SLOT), "idle");
	assert_int_equal(agent_core_session(w->core), 0);
	open_session(w, 2, "e2");
	hand_ok(w, HAND_EPOCH);
	hand_says(w, HAND_LOOK, NULL, (struct hand_reply){ .ok = true, .view = view(w, SLOT, PHASE_SETTLED, 3, 4, 0) });
	hand_ok(w, HAND_CHECK);
	service_shows(w, OLD);
	take_reports(w);
	assert_int_equal(w->last.generation, 3); /* seen, before anything is done */
	assert_true(w->last.settled);
	desire_of_epoch(w, "e2", slot(SLOT, 4)); /* given out twice */
	assert_string_equal(state(w, SLOT), "idle");
	desire_of_epoch(w, "e2", slot(SLOT, LIMIT_GENERATIONS + 1));
	assert_string_equal(state(w, SLOT), "stage");
}

static void a_target_that_is_gone_is_forgotten(void **out)
{
	struct world *w = *out;
	static const char *gone[] = { SLOT };
	start_settled(w, SLOT);
	struct msg_desired d = { .session = 1, .epoch = "e1", .version = 99, .gone = { gone, 1 } };
	answer(w, (struct agent_answer){ .ask = ASK_POLL, .ok = true, .desired = &d });
	hand_ok(w, HAND_FORGET);
	assert_null(agent_core_state(w->core, SLOT));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a1_late_repeated_and_reordered_documents_are_refused), CASE(a1_nothing_older_than_what_is_stuck),
		CASE(a1_documents_of_another_session_are_not_applied),
		CASE(a1_what_is_only_staged_ends_with_its_session), CASE(a1_what_is_begun_is_not_yet_high_water),
		CASE(a2_nothing_counts_while_a_document_is_begun),
		CASE(a_csr_is_made_once_and_sent_until_taken), CASE(a_late_answer_is_not_for_the_next_request),
		CASE(a_csr_that_cannot_be_made_is_tried_ever_more_slowly), CASE(a_lost_server_is_asked_again_ever_more_slowly),
		CASE(another_epoch_takes_back_what_is_only_begun),
		CASE(an_epoch_that_could_not_be_kept_is_said_again), CASE(server_restored), CASE(a_target_that_is_gone_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
