/* Rolling: places, canaries, pauses, stops, windows, and the approvals of a manual rollout. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/limits.h"
#include "fleet.h"

enum { STORES = 1, SLOTS = 2, SERVICE = 7 };

/* Four stores 11..14 of deployment 7, each on its own instance; slot 21 elsewhere; CA 2 shall come. */
static struct fleet *four(void)
{
	struct fleet *f = fleet_usual();

	fleet_target(f, 13, STORES, 0);
	fleet_target(f, 14, STORES, 0);
	fleet_deploy(f, STORES, SERVICE);
	fleet_settle_all(f);
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	return f;
}

static struct fact *policy(struct fleet *f, int64_t max_unavailable, int64_t canary)
{
	struct fact *p = fleet_policy(f, SERVICE);

	p->rolling.max_unavailable = max_unavailable;
	p->rolling.canary = canary;
	fleet_tell(f, p);
	return p;
}

static size_t pending(struct fleet *f)
{
	size_t n = 0;

	for (int64_t id = 11; id <= 14; id++)
		n += fleet_find(f, id)->doc_count > 0;
	return n;
}

static int64_t any_pending(struct fleet *f)
{
	for (int64_t id = 11; id <= 14; id++) {
		if (fleet_find(f, id)->doc_count > 0)
			return id;
	}
	return 0;
}

/* -- places ------------------------------------------------------------------------------------------ */

static void without_a_policy_all_at_once(void **state)
{
	struct fleet *f = four();

	fleet_run(f);
	assert_int_equal(pending(f), 4);
	fleet_free(f);
}

static void one_after_the_other(void **state)
{
	struct fleet *f = four();

	policy(f, 1, 0);
	for (int i = 0; i < 4; i++) {
		fleet_run(f);
		assert_int_equal(pending(f), 1);
		if (i < 3) {
			const struct wait *w = fleet_wait(f, WAIT_BUDGET, 0, 0);

			assert_non_null(w);
			assert_int_equal(w->count, 3 - i);
			assert_int_equal(w->authority, 5);
		}
		fleet_settle(f, any_pending(f));
	}
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

static void two_at_a_time(void **state)
{
	struct fleet *f = four();

	policy(f, 2, 0);
	fleet_run(f);
	assert_int_equal(pending(f), 2);
	fleet_settle(f, any_pending(f));
	fleet_run(f);
	assert_int_equal(pending(f), 2);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

/* All targets of an instance share its place. */
static void an_instance_is_one_place(void **state)
{
	struct fleet *f = fleet_usual();
	fleet_group(f, 3, GROUP_STORE);
	fleet_goal(f, 3, 5);
	for (int64_t id = 31; id <= 32; id++) {
		fleet_target(f, id, 3, 0)->instance = 980 + id; /* 11 and 12 carry two stores each */
		fleet_tell_target(f, fleet_find(f, id));
	}
	fleet_deploy(f, 1, SERVICE);
	fleet_deploy(f, 3, SERVICE);
	fleet_settle_all(f);
	policy(f, 1, 0);
	fleet_ca(f, 2, 5);
	fleet_run(f);
	int64_t first = fleet_find(f, 11)->doc_count ? 11 : 12, second = 23 - first;
	assert_int_equal(fleet_find(f, first + 20)->doc_count, 1);
	assert_int_equal(fleet_find(f, second)->doc_count + fleet_find(f, second + 20)->doc_count, 0);
	fleet_settle(f, first);
	fleet_run(f);
	assert_int_equal(fleet_find(f, second)->doc_count, 0); /* the other store of the first is not done */
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, second + 20, 102));
	fleet_free(f);
}

static void budget_self(void **state)
{
	struct fleet *f = four();

	policy(f, 1, 0);
	fleet_run(f);
	int64_t stuck = any_pending(f);
	(void)fleet_lose(f, stuck); /* it was handed out, and nothing is heard */
	fleet_want(f, 1, true);
	fleet_want(f, 2, false);
	fleet_run(f);
	assert_int_equal(fleet_find(f, stuck)->doc_count, 2); /* its way back */
	assert_int_equal(pending(f), 1);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 2)->retired);
	fleet_free(f);
}

static void budget_offline(void **state)
{
	struct fleet *f = four();

	policy(f, 1, 0);
	fleet_run(f);
	int64_t gone = any_pending(f);
	(void)fleet_lose(f, gone);
	fleet_run(f);
	assert_int_equal(pending(f), 1);
	fleet_offline(f, gone);
	fleet_run(f);
	assert_int_equal(pending(f), 2); /* another takes the place */
	fleet_free(f);
}

static void what_a_silent_instance_did_not_fetch_is_taken_back(void **state)
{
	struct fleet *f = four();

	policy(f, 1, 0);
	fleet_run(f);
	int64_t gone = any_pending(f);
	fleet_offline(f, gone);
	assert_int_equal(fleet_step(f), 1);
	assert_int_equal(f->plan.acts[0].kind, ACT_TAKE_BACK);
	assert_int_equal(fleet_find(f, gone)->doc_count, 0);
	fleet_run(f);
	assert_int_equal(pending(f), 1);
	fleet_online(f, gone); /* it comes back, and has to wait its turn */
	fleet_run(f);
	assert_int_equal(pending(f), 1);
	assert_int_equal(fleet_find(f, gone)->doc_count, 0);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

static void without_a_policy_it_stays_on_the_table(void **state)
{
	struct fleet *f = four();

	fleet_run(f);
	fleet_offline(f, 11);
	fleet_run(f);
	assert_int_equal(pending(f), 4);
	fleet_free(f);
}

/* -- slots --------------------------------------------------------------------------------------------- */

/* Slots 21..23 of deployment 7; every store trusts CA 2 already, every slot has its new chain ready. */
static struct fleet *ready_slots(void)
{
	struct fleet *f = fleet_usual();

	fleet_target(f, 23, SLOTS, 5);
	fleet_settle_all(f);
	fleet_deploy(f, SLOTS, SERVICE);
	policy(f, 1, 0);
	fleet_ca(f, 2, 5);
	fleet_run(f);
	fleet_settle(f, 11);
	fleet_settle(f, 12);
	fleet_run(f);
	for (int64_t id = 21; id <= 23; id++)
		assert_true(fleet_issue(f, id)); /* keys are asked for of all at once: nothing is disturbed by it */
	return f;
}

static void slots_one_after_the_other(void **state)
{
	struct fleet *f = ready_slots();

	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->doc_count + fleet_find(f, 22)->doc_count + fleet_find(f, 23)->doc_count, 1);
	assert_int_equal(fleet_wait(f, WAIT_BUDGET, 0, 0)->ca, 2);
	fleet_settle_all(f);
	for (int64_t id = 21; id <= 23; id++)
		assert_int_equal(fleet_signer_of(f, id), 2);
	fleet_free(f);
}

static void a_chain_taken_back_is_staged_again(void **state)
{
	struct fleet *f = ready_slots();
	int64_t gone = 0;

	fleet_run(f);
	for (int64_t id = 21; id <= 23; id++)
		gone = fleet_find(f, id)->doc_count ? id : gone;
	fleet_offline(f, gone);
	fleet_run(f);
	assert_int_equal(fleet_find(f, gone)->doc_count, 0);
	assert_true(fleet_find(f, gone)->staged);
	fleet_online(f, gone);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, gone), 2);
	fleet_free(f);
}

static void one_that_cannot_go_yet_takes_no_place(void **state)
{
	struct fleet *f = ready_slots();

	for (int64_t id = 21; id <= 22; id++) {
		struct fleet_content *c = fleet_content(f, fleet_find(f, id)->staged);

		c->not_before = f->now + MSEC_DAY;
		fleet_tell_content(f, c);
	}
	fleet_run(f);
	assert_int_equal(fleet_find(f, 23)->doc_count, 1);
	fleet_free(f);
}

/* -- canaries ------------------------------------------------------------------------------------------- */

static void the_rest_after_the_canaries(void **state)
{
	struct fleet *f = four();

	policy(f, 0, 1);
	fleet_run(f);
	assert_int_equal(pending(f), 1);
	assert_non_null(fleet_wait(f, WAIT_CANARY, 0, 0));
	fleet_settle(f, any_pending(f));
	fleet_run(f);
	assert_int_equal(pending(f), 3);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

static void a_canary_that_fails_is_not_replaced(void **state)
{
	struct fleet *f = four();

	policy(f, 0, 1);
	fleet_run(f);
	int64_t canary = any_pending(f);
	for (int i = 0; i < LIMIT_APPLY_FAILURES; i++) {
		fleet_run(f);
		(void)fleet_hand(f, canary);
		assert_true(fleet_fail(f, canary));
	}
	fleet_run(f);
	assert_int_equal(pending(f), 0);
	assert_non_null(fleet_wait(f, WAIT_CANARY, 0, 0));
	fleet_want(f, 1, true); /* the way back needs no canary: it is what they have */
	fleet_want(f, 2, false);
	fleet_run(f);
	assert_int_equal(pending(f), 0);
	assert_true(fleet_find_ca(f, 2)->retired);
	fleet_free(f);
}

static void a_silent_canary_is_replaced(void **state)
{
	struct fleet *f = four();

	policy(f, 0, 1);
	fleet_run(f);
	int64_t canary = any_pending(f);
	(void)fleet_lose(f, canary);
	fleet_offline(f, canary);
	fleet_run(f);
	assert_int_equal(pending(f), 2);
	fleet_free(f);
}

static void canaries_are_per_contents(void **state)
{
	struct fleet *f = four();

	policy(f, 0, 2);
	fleet_run(f);
	assert_int_equal(pending(f), 2);
	fleet_settle_all(f); /* {1,2} is everywhere, then {2} */
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_ca(f, 3, 5);
	fleet_run(f);
	assert_int_equal(pending(f), 2);
	fleet_free(f);
}

/* All of them are changing, and now something new is wanted: only the canary gets it; going back all may. */
static void holders_are_canaries_too(void **state)
{
	struct fleet *f = four();

	fleet_run(f);
	for (int64_t id = 11; id <= 14; id++)
		(void)fleet_lose(f, id);
	policy(f, 0, 1);
	fleet_ca(f, 3, 5);
	fleet_run(f);
	size_t twice = 0;
	for (int64_t id = 11; id <= 14; id++)
		twice += fleet_find(f, id)->doc_count == 2;
	assert_int_equal(twice, 1);
	fleet_free(f);
}

/* -- pause, stop, window ------------------------------------------------------------------------------------ */

static void a_pause_ends_by_itself(void **state)
{
	struct fleet *f = four();
	struct fact *p = policy(f, 1, 0);

	p->rolling.pause = MSEC_MIN;
	p->rolling.settled_at = f->now - 10 * MSEC_S;
	fleet_tell(f, p);
	fleet_run(f);
	assert_int_equal(pending(f), 0);
	const struct wait *w = fleet_wait(f, WAIT_BETWEEN, 0, 0);
	assert_int_equal(w->earliest, f->now + 50 * MSEC_S);
	assert_int_equal(f->plan.next_wake, w->earliest);
	assert_int_equal(w->count, 4);
	fleet_later(f, 50 * MSEC_S);
	fleet_run(f);
	assert_int_equal(pending(f), 1);
	fleet_free(f);
}

static void a_clock_set_back_does_not_pause_for_ever(void **state)
{
	struct fleet *f = four();
	struct fact *p = policy(f, 1, 0);

	p->rolling.pause = MSEC_MIN;
	p->rolling.settled_at = f->now + 30 * MSEC_DAY;
	fleet_tell(f, p);
	fleet_run(f);
	assert_int_equal(pending(f), 1);
	fleet_later(f, -MSEC_DAY); /* everything is judged again, and the agenda made anew */
	fleet_assert_same(f);
	fleet_free(f);
}

static void a_stop_holds_new_instances_only(void **state)
{
	struct fleet *f = four();
	struct fact *p = policy(f, 2, 0);

	fleet_run(f);
	int64_t begun = any_pending(f);
	(void)fleet_hand(f, begun);
	assert_true(fleet_fail(f, begun));
	p->rolling.stopped = true;
	fleet_tell(f, p);
	fleet_run(f);
	assert_int_equal(pending(f), 1); /* the failed one tries again; what another had not fetched is taken back */
	assert_int_equal(any_pending(f), begun);
	assert_non_null(fleet_wait(f, WAIT_STOPPED, 0, 0));
	p->rolling.stopped = false;
	fleet_tell(f, p);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

static void only_while_a_window_is_open(void **state)
{
	struct fleet *f = four();
	struct fact *p = policy(f, 0, 0);

	p->rolling.windowed = true;
	p->rolling.until = f->now + MSEC_HOUR;
	fleet_tell(f, p);
	fleet_run(f);
	assert_int_equal(pending(f), 0);
	assert_int_equal(fleet_wait(f, WAIT_WINDOW, 0, 0)->earliest, f->now + MSEC_HOUR);
	assert_int_equal(f->plan.next_wake, f->now + MSEC_HOUR);
	fleet_later(f, MSEC_HOUR); /* nobody told that it is open: closed */
	fleet_run(f);
	assert_int_equal(pending(f), 0);
	assert_int_equal(fleet_wait(f, WAIT_WINDOW, 0, 0)->earliest, 0);
	p->rolling.open = true;
	p->rolling.until = f->now + MSEC_HOUR;
	fleet_tell(f, p);
	fleet_run(f);
	assert_int_equal(pending(f), 4);
	fleet_free(f);
}

static void a_window_that_closes_takes_back_what_was_not_begun(void **state)
{
	struct fleet *f = four();
	struct fact *p = policy(f, 0, 0);

	p->rolling.windowed = p->rolling.open = true;
	p->rolling.until = f->now + MSEC_HOUR;
	fleet_tell(f, p);
	fleet_run(f);
	(void)fleet_lose(f, 11); /* begun */
	fleet_later(f, 2 * MSEC_HOUR);
	p->rolling.open = false;
	p->rolling.until = f->now + MSEC_DAY;
	fleet_tell(f, p);
	fleet_run(f);
	assert_int_equal(pending(f), 1);
	fleet_want(f, 1, true);
	fleet_want(f, 2, false);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 11)->doc_count, 2); /* its way back needs no window */
	fleet_free(f);
}

static void one_that_failed_waits_for_the_window(void **state)
{
	struct fleet *f = four();
	struct fact *p = policy(f, 0, 0);

	fleet_run(f);
	(void)fleet_hand(f, 11);
	assert_true(fleet_fail(f, 11));
	for (int64_t id = 12; id <= 14; id++)
		fleet_settle(f, id);
	p->rolling.windowed = true;
	p->rolling.until = f->now + MSEC_HOUR;
	fleet_tell(f, p);
	fleet_run(f);
	assert_int_equal(pending(f), 0);
	assert_non_null(fleet_wait(f, WAIT_WINDOW, 11, 0));
	fleet_free(f);
}

/* A newcomer serves nobody: it gets its documents whatever the policy says. */
static void newcomers_need_no_place(void **state)
{
	struct fleet *f = four();
	struct fact *p = policy(f, 1, 1);

	p->rolling.stopped = p->rolling.windowed = true;
	fleet_tell(f, p);
	fleet_target(f, 15, STORES, 0);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 15)->doc_count, 1);
	assert_int_equal(pending(f), 0);
	fleet_free(f);
}

static void frozen_means_nothing_at_all(void **state)
{
	struct fleet *f = four();

	policy(f, 1, 0);
	fleet_run(f);
	fleet_offline(f, any_pending(f));
	fleet_hold(f, true);
	fleet_target(f, 15, STORES, 0);
	assert_int_equal(fleet_step(f), 0);
	assert_int_equal(f->plan.wait_count, 1);
	assert_int_equal(f->plan.waits[0].reason, WAIT_HELD);
	assert_int_equal(pending(f), 1);
	fleet_free(f);
}

static void each_part_of_a_policy_counts_alone(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct fleet *f = four();
		struct fact *p = policy(f, 0, 0);

		p->rolling.stopped = i == 0;
		p->rolling.pause = i == 1 ? MSEC_MIN : 0;
		p->rolling.settled_at = f->now;
		fleet_tell(f, p);
		fleet_run(f);
		assert_int_equal(pending(f), 0);
		assert_non_null(fleet_wait(f, i == 0 ? WAIT_STOPPED : WAIT_BETWEEN, 0, 0));
		fleet_free(f);
	}
}

/* Each of 11 and 12 carries two stores. */
static struct fleet *double_stores(void)
{
	struct fleet *f = fleet_usual();

	fleet_group(f, 3, GROUP_STORE);
	fleet_goal(f, 3, 5);
	fleet_goal(f, 3, 6);
	fleet_ca(f, 8, 6);
	for (int64_t id = 31; id <= 32; id++) {
		fleet_target(f, id, 3, 0)->instance = 980 + id;
		fleet_tell_target(f, fleet_find(f, id));
	}
	fleet_deploy(f, 1, SERVICE);
	fleet_deploy(f, 3, SERVICE);
	fleet_settle_all(f);
	return f;
}

static void one_that_changes_already_is_not_counted_again(void **state)
{
	struct fleet *f = double_stores();

	policy(f, 2, 0);
	fleet_offline(f, 12);
	fleet_offline(f, 32);
	fleet_ca(f, 9, 6); /* only of the second stores */
	fleet_run(f);
	assert_int_equal(fleet_find(f, 31)->doc_count, 1);
	fleet_online(f, 12);
	fleet_online(f, 32);
	fleet_ca(f, 2, 5); /* of both */
	fleet_run(f);
	assert_int_equal(fleet_find(f, 11)->doc_count + fleet_find(f, 12)->doc_count, 2);
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 32, 102));
	fleet_free(f);
}

/* What failed at one store of an instance is no try of what its other store gets. */
static void a_canary_is_of_a_store_and_its_contents(void **state)
{
	struct fleet *f = double_stores();

	fleet_ca(f, 9, 6);
	fleet_run(f);
	(void)fleet_hand(f, 31);
	assert_true(fleet_fail(f, 31)); /* other contents than those that come next, in another group than 11 */
	fleet_settle(f, 32);
	policy(f, 0, 1);
	fleet_ca(f, 2, 5);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 11)->doc_count + fleet_find(f, 12)->doc_count, 1);
	assert_int_equal(fleet_find(f, 31)->doc_count + fleet_find(f, 32)->doc_count, 1);
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 11, 102) && fleet_holds_cert(f, 12, 102));
	fleet_free(f);
}

static void many_begin_at_once(void **state)
{
	struct fleet *f = fleet_usual();
	size_t n = 0;

	for (int64_t id = 101; id <= 140; id++)
		fleet_target(f, id, STORES, 0);
	fleet_deploy(f, STORES, SERVICE);
	fleet_settle_all(f);
	policy(f, 40, 0);
	f->policy.waits_each = 1;
	fleet_ca(f, 2, 5);
	fleet_run(f);
	for (int64_t id = 101; id <= 140; id++)
		n += fleet_find(f, id)->doc_count;
	n += fleet_find(f, 11)->doc_count + fleet_find(f, 12)->doc_count;
	assert_int_equal(n, 40);
	assert_int_equal(fleet_wait(f, WAIT_BUDGET, 0, 0)->count, 2); /* one of them is named */
	fleet_free(f);
}

/* Of a silent instance only what lies there is taken back, and of its counted targets only. */
static void what_does_not_lie_there_is_not_taken_back(void **state)
{
	struct fleet *f = double_stores();

	fleet_target(f, 41, 3, 0)->instance = fleet_find(f, 11)->instance; /* a newcomer beside them */
	fleet_tell_target(f, fleet_find(f, 41));
	policy(f, 1, 0);
	fleet_ca(f, 9, 6);
	fleet_offline(f, 12);
	fleet_offline(f, 32);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 31)->doc_count, 1);
	fleet_offline(f, 11);
	fleet_offline(f, 31);
	fleet_offline(f, 41);
	assert_int_equal(fleet_step(f), 1);
	assert_int_equal(f->plan.acts[0].target, 31);
	assert_true(fleet_find(f, 41)->doc_count > 0);
	fleet_free(f);
}

/* -- a distrusted CA -------------------------------------------------------------------------------------------- */

/* CA 1 is distrusted; the stores shall lose it, window or not, but only as many at once as may. */
static void a_distrusted_ca_waits_for_no_window(void **state)
{
	struct fleet *f = four();
	struct fact *p = policy(f, 2, 1);

	p->rolling.windowed = p->rolling.stopped = true;
	p->rolling.until = f->now + MSEC_DAY;
	p->rolling.pause = MSEC_HOUR;
	p->rolling.settled_at = f->now;
	fleet_tell(f, p);
	fleet_run(f);
	assert_int_equal(pending(f), 0);
	fleet_find_ca(f, 1)->distrusted = true;
	fleet_tell_ca(f, fleet_find_ca(f, 1));
	fleet_run(f);
	assert_int_equal(pending(f), 2);
	assert_non_null(fleet_wait(f, WAIT_BUDGET, 0, 0));
	for (int i = 0; i < 4; i++) {
		fleet_settle(f, any_pending(f));
		fleet_run(f);
	}
	for (int64_t id = 11; id <= 14; id++)
		assert_false(fleet_holds_cert(f, id, 101));
	fleet_free(f);
}

/* It holds a place by its other store, which failed: out of the window it may do nothing but flee. */
static void one_with_something_handed_out_flees_too(void **state)
{
	struct fleet *f = double_stores();
	struct fact *p = policy(f, 0, 0);

	fleet_ca(f, 9, 6);
	fleet_run(f);
	(void)fleet_hand(f, 31);
	assert_true(fleet_fail(f, 31));
	p->rolling.windowed = true;
	p->rolling.until = f->now + MSEC_DAY;
	fleet_tell(f, p);
	fleet_ca(f, 2, 5);
	fleet_find_ca(f, 1)->distrusted = true;
	fleet_tell_ca(f, fleet_find_ca(f, 1));
	fleet_settle_all(f);
	assert_false(fleet_holds_cert(f, 11, 101) || fleet_holds_cert(f, 12, 101));
	fleet_free(f);
}

static void slots_flee_a_distrusted_ca_too(void **state)
{
	struct fleet *f = ready_slots();
	struct fact *p = fleet_policy(f, SERVICE);

	p->rolling.windowed = true;
	p->rolling.until = f->now + MSEC_DAY;
	fleet_tell(f, p);
	fleet_want(f, 1, false);
	fleet_find_ca(f, 1)->distrusted = true;
	fleet_tell_ca(f, fleet_find_ca(f, 1));
	fleet_settle_all(f);
	for (int64_t id = 21; id <= 23; id++)
		assert_int_equal(fleet_signer_of(f, id), 2);
	fleet_free(f);
}

static void an_emergency_is_its_own_approval(void **state)
{
	struct fleet *f = four();
	struct fact *r = fleet_rollout(f, 5);

	r->rollout.everywhere = STEP_INTRODUCE | STEP_SWITCH | STEP_WITHDRAW;
	fleet_tell(f, r);
	fleet_settle_all(f);
	assert_false(fleet_holds_cert(f, 11, 102));
	fleet_find_ca(f, 1)->distrusted = true;
	fleet_tell_ca(f, fleet_find_ca(f, 1));
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 11, 102) && !fleet_holds_cert(f, 11, 101));
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

/* -- approvals ------------------------------------------------------------------------------------------------ */

static void approve(struct fleet *f, unsigned left, bool everywhere)
{
	struct fact *r = fleet_rollout(f, 5);

	r->rollout.everywhere = everywhere ? left : 0;
	r->rollout.unapproved = left;
	fleet_tell(f, r);
}

static void each_step_waits_for_its_approval(void **state)
{
	struct fleet *f = four();

	approve(f, STEP_INTRODUCE | STEP_SWITCH | STEP_WITHDRAW, true);
	fleet_settle_all(f);
	assert_false(fleet_holds_cert(f, 11, 102));
	assert_int_equal(fleet_wait(f, WAIT_APPROVE_INTRODUCE, 0, 0)->ca, 2);
	assert_null(fleet_wait(f, WAIT_APPROVE_SWITCH, 0, 0)); /* rule S speaks first */
	approve(f, STEP_SWITCH | STEP_WITHDRAW, true);
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 11, 102));
	assert_int_equal(fleet_signer_of(f, 21), 1);
	assert_true(fleet_find_ca(f, 1)->signing);
	assert_non_null(fleet_wait(f, WAIT_APPROVE_SWITCH, 0, 0));
	assert_null(fleet_wait(f, WAIT_APPROVE_WITHDRAW, 0, 0));
	fleet_target(f, 23, SLOTS, 5); /* a newcomer does not get ahead of the approval */
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 23), 1);
	approve(f, STEP_WITHDRAW, true);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	assert_true(fleet_holds_cert(f, 11, 101));
	assert_int_equal(fleet_wait(f, WAIT_APPROVE_WITHDRAW, 0, 0)->ca, 1);
	approve(f, 0, true);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

/* What another rotation holds up everywhere holds up no other step. */
static void some_steps_wait_everywhere(void **state)
{
	struct fleet *f = four();
	struct fact *r = fleet_rollout(f, 5);

	r->rollout.unapproved = STEP_INTRODUCE | STEP_WITHDRAW;
	r->rollout.everywhere = STEP_SWITCH;
	fleet_tell(f, r);
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 11, 102));
	assert_int_equal(fleet_signer_of(f, 21), 1);
	assert_non_null(fleet_wait(f, WAIT_APPROVE_SWITCH, 0, 0));
	r->rollout.everywhere = 0;
	fleet_tell(f, r);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

static void a_deployment_may_be_manual_alone(void **state)
{
	struct fleet *f = four();
	struct fact *p = policy(f, 0, 0);

	p->rolling.manual = true;
	fleet_tell(f, p);
	approve(f, STEP_INTRODUCE | STEP_SWITCH | STEP_WITHDRAW, false);
	fleet_settle_all(f);
	assert_false(fleet_holds_cert(f, 11, 102));
	approve(f, STEP_SWITCH | STEP_WITHDRAW, false);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 2); /* the slots are of no manual deployment */
	assert_true(fleet_holds_cert(f, 11, 101));
	approve(f, 0, false);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

static void the_label_waits_without_slots_too(void **state)
{
	struct fleet *f = four();

	fleet_leave(f, 21);
	fleet_leave(f, 22);
	approve(f, STEP_SWITCH, true);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->signing);
	assert_non_null(fleet_wait(f, WAIT_APPROVE_SWITCH, 0, 0));
	approve(f, 0, true);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 2)->signing);
	fleet_free(f);
}

/* What another authority of the bundle wants comes without this one's approval. */
static void an_approval_is_one_authoritys(void **state)
{
	struct fleet *f = four();

	fleet_goal(f, STORES, 6);
	fleet_ca_with(f, 8, 6, 102); /* the same certificate */
	approve(f, STEP_INTRODUCE | STEP_WITHDRAW, true);
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 11, 102));
	fleet_free(f);
}

/* The bundle names the certificate itself: the authority's approval is no matter. */
static void a_single_certificate_needs_no_approval(void **state)
{
	struct fleet *f = four();

	fleet_goal_cert(f, STORES, 102);
	fleet_ca_with(f, 9, 7, 102); /* an authority that is in no bundle */
	approve(f, STEP_INTRODUCE | STEP_SWITCH | STEP_WITHDRAW, true);
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 11, 102));
	assert_null(fleet_wait(f, WAIT_APPROVE_INTRODUCE, 0, 0));
	fleet_free(f);
}

/* Chains that nobody of ours signed are the same contents only where they are the same chain. */
static void a_canary_of_what_was_brought(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t chain = fleet_chain(f, 0, 101);

	fleet_deploy(f, SLOTS, SERVICE);
	policy(f, 0, 1);
	fleet_stage(f, 21, chain);
	fleet_stage(f, 22, chain);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->doc_count + fleet_find(f, 22)->doc_count, 1);
	assert_non_null(fleet_wait(f, WAIT_CANARY, 0, 0));
	int64_t canary = fleet_find(f, 21)->doc_count ? 21 : 22;

	fleet_settle(f, canary);
	fleet_run(f);
	assert_int_equal(fleet_newest(f, 43 - canary), chain);
	fleet_free(f);
}

/* Two stores on each of two instances, two places: both instances begin at once, whoever is looked at first. */
static void an_instance_takes_one_place(void **state)
{
	for (int64_t beside = 12; beside <= 14; beside++) {
		struct fleet *f = four();
		int64_t other = 0;

		for (int64_t id = 12; id <= 14; id++) {
			if (id != beside && !other)
				other = id;
			fleet_find(f, id)->instance = id == beside ? 1011 : 1000 + other;
			fleet_tell_target(f, fleet_find(f, id));
		}
		policy(f, 2, 0);
		(void)fleet_step(f);
		assert_true(fleet_find(f, 11)->doc_count || fleet_find(f, beside)->doc_count);
		assert_true(fleet_find(f, other)->doc_count || fleet_find(f, 39 - beside - other)->doc_count);
		fleet_run(f);
		assert_int_equal(pending(f), 4);
		fleet_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_policy_all_at_once),
		cmocka_unit_test(one_after_the_other),
		cmocka_unit_test(two_at_a_time),
		cmocka_unit_test(an_instance_is_one_place),
		cmocka_unit_test(budget_self),
		cmocka_unit_test(budget_offline),
		cmocka_unit_test(what_a_silent_instance_did_not_fetch_is_taken_back),
		cmocka_unit_test(without_a_policy_it_stays_on_the_table),
		cmocka_unit_test(slots_one_after_the_other),
		cmocka_unit_test(a_chain_taken_back_is_staged_again),
		cmocka_unit_test(one_that_cannot_go_yet_takes_no_place),
		cmocka_unit_test(the_rest_after_the_canaries),
		cmocka_unit_test(a_canary_that_fails_is_not_replaced),
		cmocka_unit_test(a_silent_canary_is_replaced),
		cmocka_unit_test(canaries_are_per_contents),
		cmocka_unit_test(holders_are_canaries_too),
		cmocka_unit_test(a_pause_ends_by_itself),
		cmocka_unit_test(a_clock_set_back_does_not_pause_for_ever),
		cmocka_unit_test(a_stop_holds_new_instances_only),
		cmocka_unit_test(only_while_a_window_is_open),
		cmocka_unit_test(a_window_that_closes_takes_back_what_was_not_begun),
		cmocka_unit_test(one_that_failed_waits_for_the_window),
		cmocka_unit_test(newcomers_need_no_place),
		cmocka_unit_test(frozen_means_nothing_at_all),
		cmocka_unit_test(each_part_of_a_policy_counts_alone),
		cmocka_unit_test(one_that_changes_already_is_not_counted_again),
		cmocka_unit_test(a_canary_is_of_a_store_and_its_contents),
		cmocka_unit_test(many_begin_at_once),
		cmocka_unit_test(what_does_not_lie_there_is_not_taken_back),
		cmocka_unit_test(one_with_something_handed_out_flees_too),
		cmocka_unit_test(a_single_certificate_needs_no_approval),
		cmocka_unit_test(a_distrusted_ca_waits_for_no_window),
		cmocka_unit_test(slots_flee_a_distrusted_ca_too),
		cmocka_unit_test(an_emergency_is_its_own_approval),
		cmocka_unit_test(each_step_waits_for_its_approval),
		cmocka_unit_test(some_steps_wait_everywhere),
		cmocka_unit_test(a_deployment_may_be_manual_alone),
		cmocka_unit_test(the_label_waits_without_slots_too),
		cmocka_unit_test(an_approval_is_one_authoritys),
		cmocka_unit_test(a_canary_of_what_was_brought),
		cmocka_unit_test(an_instance_takes_one_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
