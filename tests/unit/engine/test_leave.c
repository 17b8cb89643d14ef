/* Leaving: ephemerals at the end of their lease, presenters until they stop, and those that were waived. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fleet.h"

#define LEASE MSEC_MIN

/* An ephemeral store that was admitted with {1} and says nothing more. */
static void ephemeral_store(struct fleet *f, int64_t id)
{
	fleet_target(f, id, 1, 0);
	fleet_lease(f, id, f->now + LEASE);
	fleet_settle_all(f);
	assert_int_equal(fleet_find(f, id)->state, TARGET_COUNTED);
}

static void settle_both_stores(struct fleet *f)
{
	fleet_run(f);
	fleet_settle(f, 11);
	fleet_settle(f, 12);
	fleet_run(f);
}

/* Counted to lease end, whatever it reports; then it leaves by itself, and what waited for it goes on. */
static void lease_spans_introduce_and_switch(void **state)
{
	struct fleet *f = fleet_usual();

	ephemeral_store(f, 13);
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	settle_both_stores(f);
	assert_false(fleet_issue(f, 21)); /* 13 may still trust {1} alone */
	const struct wait *w = fleet_wait(f, WAIT_LEASE, 13, 0);

	assert_non_null(w);
	assert_int_equal(w->speaker, SPEAKER_TIME);
	assert_int_equal(w->earliest, fleet_find(f, 13)->lease_until);
	assert_true(f->plan.next_wake && f->plan.next_wake <= w->earliest);
	assert_null(fleet_wait(f, WAIT_NOT_TRUSTED, 0, 0)); /* it is never named as a violation */
	fleet_later(f, LEASE - 1);
	fleet_run(f);
	assert_false(fleet_gone(f, 13));
	assert_true(fleet_meets_ok(f, 21, 13) && fleet_meets_ok(f, 22, 13));
	fleet_later(f, 1);
	fleet_run(f);
	assert_true(fleet_gone(f, 13));
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_assert_same(f);
	fleet_free(f);
}

/* One after the other, each alive when the one before it ends: they hold a step no longer than the first does. */
static void ephemeral_spans(void **state)
{
	struct fleet *f = fleet_usual();

	ephemeral_store(f, 30); /* silent from now on */
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	settle_both_stores(f);
	for (int64_t id = 31; id < 34; id++) { /* stores and slots that come during the first one's lease */
		fleet_target(f, id, 1, 0);
		fleet_lease(f, id, f->now + LEASE);
		fleet_target(f, id + 10, 2, 5);
		fleet_lease(f, id + 10, f->now + LEASE);
		fleet_run(f);
		fleet_settle(f, id);
		fleet_later(f, LEASE / 4);
		fleet_run(f);
		assert_int_equal(fleet_find(f, id)->state, TARGET_COUNTED);
		assert_int_equal(fleet_signer_of(f, 21), 1);
	}
	fleet_later(f, LEASE / 4);
	fleet_run(f);
	assert_true(fleet_gone(f, 30) && !fleet_gone(f, 33));
	assert_true(fleet_issue(f, 21)); /* the others came with {1, 2} and hold up nobody */
	assert_true(fleet_issue(f, 22));
	fleet_run(f);
	fleet_settle(f, 21);
	fleet_settle(f, 22);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	fleet_target(f, 50, 2, 5); /* comes after a switch was sent: never the old chain */
	fleet_lease(f, 50, f->now + LEASE);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 50)->asked, 2);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 50), 2);
	fleet_later(f, LEASE);
	fleet_settle_all(f);
	assert_true(fleet_gone(f, 50) && fleet_gone(f, 33) && fleet_gone(f, 43));
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_assert_same(f);
	fleet_free(f);
}

/* An ephemeral slot that came before the switch, and hides: the old CA is kept until its lease ends. */
static void ephemeral_slot_keeps_its_ca(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_target(f, 23, 2, 5);
	fleet_lease(f, 23, f->now + LEASE);
	fleet_settle_all(f);
	assert_int_equal(fleet_find(f, 23)->state, TARGET_COUNTED);
	fleet_offline(f, 23);
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	for (int i = 0; i < 6; i++) {
		fleet_run(f);
		for (int64_t id = 11; id <= 22; id += id == 12 ? 9 : 1) {
			(void)fleet_issue(f, id);
			fleet_run(f);
			fleet_settle(f, id);
		}
	}
	assert_int_equal(fleet_signer_of(f, 21), 2);
	assert_true(fleet_holds_cert(f, 11, 101) && fleet_meets_ok(f, 23, 11));
	assert_non_null(fleet_wait(f, WAIT_LEASE, 23, 0));
	assert_null(fleet_wait(f, WAIT_STILL_SERVED, 0, 23));
	assert_null(fleet_wait(f, WAIT_CHAIN_HELD, 23, 0));
	fleet_later(f, LEASE);
	fleet_settle_all(f);
	assert_false(fleet_holds_cert(f, 11, 101));
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

/* Policy `ephemeral: ignore`: it gets documents, and no step ever looks at it. */
static void ignored_is_never_admitted(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_target(f, 13, 1, 0);
	fleet_state(f, 13, TARGET_IGNORED);
	fleet_lease(f, 13, f->now + LEASE);
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 13, 101));
	assert_int_equal(fleet_find(f, 13)->state, TARGET_IGNORED);
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	settle_both_stores(f);
	assert_true(fleet_issue(f, 21)); /* it is not waited for */
	fleet_assert_same(f);
	fleet_free(f);
}

/* The clock is set back behind a lease's end and on again. */
static void lease_and_a_clock_set_back(void **state)
{
	struct fleet *f = fleet_usual();
	msec_t end = f->now + LEASE;

	fleet_target(f, 13, 1, 0);
	fleet_lease(f, 13, end);
	view_clock(f->view, end + 1);
	f->now = end - 2 * MSEC_MIN;
	fleet_assert_same(f);
	fleet_run(f);
	assert_false(fleet_gone(f, 13));
	fleet_leave(f, 13); /* its entry in the agenda is of nobody now */
	f->now = end + 1;
	fleet_run(f);
	fleet_assert_same(f);
	fleet_free(f);
}

/* -- leaving ------------------------------------------------------------------------------- */

/* A presenter that leaves: it is sent nothing, and its CA is kept until it has left. */
static void leaver_keeps_its_pairs(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_state(f, 22, TARGET_LEAVING);
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	assert_int_equal(fleet_signer_of(f, 22), 1);
	assert_int_equal(fleet_find(f, 22)->asked, 0);
	assert_true(fleet_meets_ok(f, 22, 11) && fleet_meets_ok(f, 22, 12));
	assert_int_equal(fleet_wait(f, WAIT_LEAVING, 22, 0)->speaker, SPEAKER_OPERATOR);
	assert_false(fleet_find_ca(f, 1)->retired);
	struct progress p;

	engine_progress(f->view, 5, f->a, &p);
	assert_int_equal(p.slots, 1); /* nothing more is expected of the other */
	fleet_assert_same(f);
	fleet_leave(f, 22);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	assert_false(fleet_holds_cert(f, 11, 101));
	fleet_free(f);
}

/* With `switch: all` it is not one of all. */
static void leaver_is_none_of_all(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_switch_all(f, 5, true);
	fleet_group(f, 3, GROUP_SLOT); /* meets a store that will never trust 2 */
	fleet_group(f, 4, GROUP_STORE);
	fleet_goal_cert(f, 4, 101);
	fleet_meet(f, 3, 4);
	fleet_target(f, 41, 4, 0);
	fleet_target(f, 31, 3, 5);
	fleet_settle_all(f);
	fleet_state(f, 31, TARGET_LEAVING);
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	fleet_free(f);
}

/* Nobody stopped its service, nobody said so; but nobody accepts its last chain any more. */
static void leaver_whose_chain_expired(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_state(f, 22, TARGET_LEAVING);
	fleet_run(f);
	assert_false(fleet_gone(f, 22));
	f->now += FLEET_LIFE + MSEC_HOUR;
	fleet_run(f);
	assert_true(fleet_gone(f, 22));
	fleet_free(f);
}

/* What it serves is not known, or it is a store: only a word lets it go. */
static void unknown_leaver_stays(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_state(f, 22, TARGET_LEAVING);
	fleet_void(f, 22);
	fleet_state(f, 12, TARGET_LEAVING);
	f->now += FLEET_LIFE + MSEC_HOUR;
	fleet_run(f);
	assert_false(fleet_gone(f, 22) || fleet_gone(f, 12));
	assert_non_null(fleet_wait(f, WAIT_LEAVING, 12, 0));
	fleet_free(f);
}

/* -- waived -------------------------------------------------------------------------------- */

/* v was waived; a late report of {1} must not make it count again.  It comes back as a joiner. */
static void waived_reports(void **state)
{
	struct fleet *f = fleet_rotating();
	struct fleet_target kept = *fleet_find(f, 12);

	fleet_run(f);
	fleet_settle(f, 11);
	fleet_run(f);
	assert_false(fleet_issue(f, 21)); /* 12 holds it up */
	fleet_leave(f, 12); /* the waiver */
	fleet_run(f);
	assert_true(fleet_issue(f, 21));
	fleet_run(f);
	(void)view_apply(f->view, &(struct fact){ .kind = FACT_SEEN,
						  .seen = { 12, kept.base, kept.base_generation, kept.high } });
	fleet_assert_same(f); /* nobody of that name */
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	assert_true(fleet_find_ca(f, 1)->retired);
	kept.state = TARGET_JOINING; /* its session was answered so */
	kept.known = false;
	kept.doc_count = 0;
	f->targets[f->target_count++] = kept;
	fleet_tell_target(f, &kept);
	fleet_report(f, 12); /* {1}: it fits nobody */
	fleet_run(f);
	assert_int_equal(fleet_find(f, 12)->state, TARGET_JOINING);
	fleet_settle_all(f);
	assert_int_equal(fleet_find(f, 12)->state, TARGET_COUNTED);
	assert_true(fleet_meets_ok(f, 21, 12) && !fleet_holds_cert(f, 12, 101));
	fleet_assert_same(f);
	fleet_free(f);
}

/* -- the second opinion ---------------------------------------------------------------------- */

static bool refused(struct fleet *f, struct act act)
{
	struct plan plan = { .acts = &act, .act_count = 1 };
	struct troth_err e = { 0 };

	view_clock(f->view, f->now);
	return rc_failed(plan_check(f->view, &plan, &e));
}

static void plans_that_are_refused(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t certs[] = { 101 };

	assert_true(refused(f, (struct act){ .kind = ACT_LEAVE, .target = 99 }));
	assert_true(refused(f, (struct act){ .kind = ACT_LEAVE, .target = 22 }));
	fleet_lease(f, 22, f->now + 1);
	assert_true(refused(f, (struct act){ .kind = ACT_LEAVE, .target = 22 }));
	fleet_lease(f, 22, f->now);
	assert_false(refused(f, (struct act){ .kind = ACT_LEAVE, .target = 22 }));
	fleet_state(f, 21, TARGET_LEAVING);
	assert_true(refused(f, (struct act){ .kind = ACT_LEAVE, .target = 21 })); /* its chain is good */
	fleet_state(f, 11, TARGET_LEAVING);
	assert_true(refused(f, (struct act){ .kind = ACT_LEAVE, .target = 11 }));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = { certs, 1 } }));
	f->now += FLEET_LIFE + MSEC_HOUR;
	assert_false(refused(f, (struct act){ .kind = ACT_LEAVE, .target = 21 }));
	fleet_void(f, 21);
	assert_true(refused(f, (struct act){ .kind = ACT_LEAVE, .target = 21 }));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lease_spans_introduce_and_switch),
		cmocka_unit_test(ephemeral_spans),
		cmocka_unit_test(ephemeral_slot_keeps_its_ca),
		cmocka_unit_test(ignored_is_never_admitted),
		cmocka_unit_test(lease_and_a_clock_set_back),
		cmocka_unit_test(leaver_keeps_its_pairs),
		cmocka_unit_test(leaver_is_none_of_all),
		cmocka_unit_test(leaver_whose_chain_expired),
		cmocka_unit_test(unknown_leaver_stays),
		cmocka_unit_test(waived_reports),
		cmocka_unit_test(plans_that_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
