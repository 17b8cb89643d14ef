/* Places: who holds one, who is stranded, and that they are counted right through every event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/view.h"
#include "fleet.h"

static size_t busy(struct fleet *f)
{
	const struct deployment *d = deployment_need(f->view, 7);

	fleet_assert_same(f);
	return d->busy;
}

static bool holds_place(struct fleet *f, int64_t target)
{
	fleet_assert_same(f);
	return target_find(f->view, target)->instance->list == ROLLING_BUSY;
}

static bool stranded(struct fleet *f)
{
	return deployment_need(f->view, 7)->lists[ROLLING_STRANDED] != NULL;
}

/* Stores 11 and 12 are of deployment 7. */
static struct fleet *deployed(void)
{
	struct fleet *f = fleet_rotating();

	fleet_deploy(f, 1, 7);
	return f;
}

static void a_place_is_held_from_the_decision_to_the_report(void **state)
{
	struct fleet *f = deployed();

	assert_int_equal(busy(f), 0);
	fleet_run(f);
	assert_int_equal(busy(f), 2);
	(void)fleet_hand(f, 11);
	assert_int_equal(busy(f), 2);
	fleet_settle(f, 11);
	assert_int_equal(busy(f), 1);
	fleet_settle(f, 12);
	assert_int_equal(busy(f), 0);
	fleet_free(f);
}

static void a_failure_keeps_the_place(void **state)
{
	struct fleet *f = deployed();

	fleet_run(f);
	(void)fleet_hand(f, 11);
	assert_true(fleet_fail(f, 11));
	fleet_settle(f, 12);
	assert_int_equal(busy(f), 1);
	fleet_run(f);
	fleet_settle(f, 11);
	assert_int_equal(busy(f), 0);
	fleet_free(f);
}

/* Found by the simulator: what fled lay on the instance's table and gave it a place; its store was sent something, which was taken
 * back because nothing may begin after a stop, and so on. */
static void after_a_stop_nothing_begins_beside_a_flight(void **state)
{
	struct fleet *f = deployed();
	struct fact *p = fleet_policy(f, 7);
	struct fleet_target *slot;

	fleet_deploy(f, 2, 7);
	fleet_ca(f, 3, 6);
	fleet_ca(f, 4, 6);
	slot = fleet_target(f, 23, 2, 6);
	slot->instance = fleet_find(f, 11)->instance;
	fleet_tell_target(f, slot);
	fleet_count_as(f, 23, fleet_chain(f, 3, 103));
	fleet_distrust(f, 3);
	p->rolling.max_unavailable = 1;
	p->rolling.stopped = true;
	fleet_tell(f, p);
	fleet_run(f);
	(void)fleet_issue(f, 23);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 23)->doc_count, 1);
	assert_int_equal(fleet_find(f, 11)->doc_count, 0);
	assert_true(fleet_hand(f, 23)); /* from now on it is on its way, and what it needs may follow */
	fleet_run(f);
	assert_int_equal(fleet_find(f, 11)->doc_count, 1);
	fleet_free(f);
}

/* Found by the simulator: with one place in the deployment, the others waited for this one, and it for them. */
static void a_failure_of_what_nobody_wants_holds_no_place(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_deploy(f, 2, 7);
	fleet_settle_all(f);
	fleet_ca(f, 3, 5);
	fleet_want(f, 2, false);
	fleet_run(f);
	fleet_settle(f, 11);
	fleet_settle(f, 12);
	fleet_run(f);
	assert_true(fleet_issue(f, 21));
	fleet_run(f);
	assert_true(fleet_hand(f, 21));
	fleet_ca(f, 4, 5);
	fleet_want(f, 3, false); /* while it tries a chain of 3 */
	assert_true(fleet_fail(f, 21));
	assert_false(holds_place(f, 21));
	fleet_want(f, 3, true); /* it may be sent again */
	assert_true(holds_place(f, 21));
	fleet_want(f, 3, false);
	assert_false(holds_place(f, 21));
	fleet_free(f);
}

static void fails(struct fleet *f, int times)
{
	for (int i = 0; i < times; i++) {
		fleet_run(f);
		assert_true(fleet_hand(f, 11));
		assert_true(fleet_fail(f, 11));
	}
}

/* Found by the model checker: it went back, it may have to wait for the others, and they waited for its place. */
static void a_lame_one_holds_nobody_up(void **state)
{
	struct fleet *f = deployed();

	fails(f, 1);
	assert_true(holds_place(f, 11)); /* it comes first */
	assert_true(rolling_is_lame(target_find(f->view, 11)->instance));
	assert_int_equal(rolling_held(deployment_need(f->view, 7)), 1); /* the other one's */
	fleet_run(f);
	assert_false(rolling_is_lame(target_find(f->view, 11)->instance));
	assert_int_equal(rolling_held(deployment_need(f->view, 7)), 2);
	fleet_free(f);
}

/* The same contents too often: who set the limit wants to look before others try them.  Unless nobody wants them any more. */
static void failing_too_often_holds_a_place_while_it_is_wanted(void **state)
{
	struct fleet *f = deployed();

	fails(f, LIMIT_APPLY_FAILURES);
	fleet_settle(f, 12);
	assert_false(rolling_is_lame(target_find(f->view, 11)->instance));
	assert_int_equal(rolling_held(deployment_need(f->view, 7)), 1);
	fleet_want(f, 1, true);
	fleet_want(f, 2, false); /* back */
	assert_false(holds_place(f, 11));
	assert_int_equal(rolling_held(deployment_need(f->view, 7)), 0);
	fleet_free(f);
}

static void the_silent_hold_none(void **state)
{
	struct fleet *f = deployed();

	fleet_run(f);
	fleet_offline(f, 11);
	assert_int_equal(busy(f), 1);
	assert_true(stranded(f)); /* its document still lies on the table */
	fleet_online(f, 11);
	(void)fleet_lose(f, 11);
	assert_false(stranded(f));
	fleet_offline(f, 11);
	assert_false(stranded(f)); /* handed out: nothing lies there any more */
	assert_int_equal(busy(f), 1);
	fleet_later(f, 2 * MSEC_DAY);
	fleet_find(f, 12)->alive_until = f->now - 1;
	fleet_tell_target(f, fleet_find(f, 12));
	assert_int_equal(busy(f), 0);
	fleet_free(f);
}

static void newcomers_hold_none(void **state)
{
	struct fleet *f = deployed();

	fleet_target(f, 13, 1, 0);
	fleet_run(f);
	assert_int_equal(busy(f), 2);
	fleet_settle(f, 13);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 13)->state, TARGET_COUNTED);
	assert_int_equal(busy(f), 2);
	fleet_free(f);
}

static void one_place_for_all_targets_of_an_instance(void **state)
{
	struct fleet *f = deployed();

	fleet_find(f, 12)->instance = fleet_find(f, 11)->instance;
	fleet_tell_target(f, fleet_find(f, 12));
	fleet_run(f);
	assert_int_equal(busy(f), 1);
	fleet_settle(f, 11);
	assert_int_equal(busy(f), 1);
	fleet_leave(f, 12);
	assert_int_equal(busy(f), 0);
	fleet_free(f);
}

static void a_group_moves_with_its_places(void **state)
{
	struct fleet *f = deployed();

	fleet_run(f);
	fleet_deploy(f, 1, 8);
	assert_int_equal(busy(f), 0);
	assert_int_equal(deployment_need(f->view, 8)->busy, 2);
	fleet_deploy(f, 1, 0);
	assert_int_equal(deployment_need(f->view, 8)->busy, 0);
	fleet_assert_same(f);
	fleet_free(f);
}

static void a_recount_finds_a_wrong_place(void **state)
{
	struct fleet *f = deployed();
	char why[100] = "";

	fleet_run(f);
	target_find(f->view, 11)->instance->handed++;
	assert_false(rolling_check(f->view, why, sizeof why));
	assert_non_null(strstr(why, "a place it should not"));
	target_find(f->view, 11)->instance->handed--;
	target_find(f->view, 11)->instance->unhanded++;
	assert_false(rolling_check(f->view, why, sizeof why));
	target_find(f->view, 11)->instance->unhanded--;
	target_find(f->view, 11)->instance->failing++;
	assert_false(rolling_check(f->view, why, sizeof why));
	target_find(f->view, 11)->instance->failing--;
	target_find(f->view, 11)->instance->list = ROLLING_STRANDED;
	assert_false(rolling_check(f->view, why, sizeof why));
	target_find(f->view, 11)->instance->list = ROLLING_BUSY;
	target_find(f->view, 11)->marks = 0;
	assert_false(rolling_check(f->view, why, sizeof why));
	target_find(f->view, 11)->marks = 2;
	deployment_need(f->view, 7)->busy++;
	assert_false(rolling_check(f->view, why, sizeof why));
	assert_non_null(strstr(why, "not counted right"));
	deployment_need(f->view, 7)->busy--;
	assert_true(rolling_check(f->view, why, sizeof why));
	struct instance *first = deployment_need(f->view, 7)->lists[ROLLING_BUSY];
	deployment_need(f->view, 7)->lists[ROLLING_BUSY] = first->list_next;
	assert_false(rolling_check(f->view, why, sizeof why)); /* it says it is on the list */
	deployment_need(f->view, 7)->lists[ROLLING_BUSY] = first;
	fleet_free(f);
}

/* Rows may be told before their instance is known. */
static void a_target_without_an_instance_holds_none(void **state)
{
	struct fleet *f = deployed();

	fleet_target(f, 13, 1, 0)->instance = 0;
	fleet_tell_target(f, fleet_find(f, 13));
	fleet_run(f);
	assert_int_equal(busy(f), 2);
	fleet_free(f);
}

static void a_policy_names_a_deployment(void **state)
{
	struct fleet *f = deployed();
	struct fact nobody = { .kind = FACT_ROLLING }, rollout = { .kind = FACT_ROLLOUT };

	assert_false(view_apply(f->view, &nobody));
	assert_false(view_apply(f->view, &rollout));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_is_held_from_the_decision_to_the_report),
		cmocka_unit_test(a_failure_keeps_the_place),
		cmocka_unit_test(after_a_stop_nothing_begins_beside_a_flight),
		cmocka_unit_test(a_failure_of_what_nobody_wants_holds_no_place),
		cmocka_unit_test(a_lame_one_holds_nobody_up),
		cmocka_unit_test(failing_too_often_holds_a_place_while_it_is_wanted),
		cmocka_unit_test(the_silent_hold_none),
		cmocka_unit_test(newcomers_hold_none),
		cmocka_unit_test(one_place_for_all_targets_of_an_instance),
		cmocka_unit_test(a_group_moves_with_its_places),
		cmocka_unit_test(a_recount_finds_a_wrong_place),
		cmocka_unit_test(a_target_without_an_instance_holds_none),
		cmocka_unit_test(a_policy_names_a_deployment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
