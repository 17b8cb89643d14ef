/* The step as a whole: a rotation from end to end, changes of mind, and that calling twice is once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/limits.h"
#include "fleet.h"

static void first_deployment_reaches_the_goal(void **state)
{
	struct fleet *f = fleet_usual();

	assert_int_equal(fleet_signer_of(f, 21), 1);
	assert_true(fleet_meets_ok(f, 21, 11) && fleet_meets_ok(f, 22, 12));
	assert_int_equal(f->plan.wait_count, 0);
	fleet_free(f);
}

static void rotation_walks_through_its_steps(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f); /* trust the new beside the old */
	assert_int_equal(f->acts_done, 2);
	fleet_settle(f, 11);
	fleet_run(f); /* one of two stores: no slot may switch */
	assert_int_equal(f->acts_done, 2);
	assert_non_null(fleet_wait(f, WAIT_NOT_TRUSTED, 21, 12));
	assert_non_null(fleet_wait(f, WAIT_NOT_FETCHED, 12, 0));
	fleet_settle(f, 12);
	fleet_run(f); /* ask both, and the label moves */
	assert_true(fleet_find_ca(f, 2)->signing && !fleet_find_ca(f, 1)->signing);
	assert_true(fleet_issue(f, 21) && fleet_issue(f, 22));
	fleet_run(f);
	fleet_settle(f, 21);
	fleet_run(f); /* the other may still serve the old: nobody forgets it */
	assert_non_null(fleet_wait(f, WAIT_STILL_SERVED, 11, 22));
	fleet_settle(f, 22);
	fleet_run(f);
	fleet_settle(f, 11);
	fleet_run(f);
	assert_false(fleet_find_ca(f, 1)->retired);
	fleet_settle(f, 12);
	fleet_run(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	assert_false(fleet_holds_cert(f, 11, 101));
	assert_true(fleet_meets_ok(f, 21, 11) && fleet_meets_ok(f, 22, 12));
	assert_int_equal(f->plan.wait_count, 0);
	fleet_free(f);
}

static void calling_twice_is_once(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	fleet_run(f);
	assert_int_equal(f->acts_done, 2);
	fleet_settle_all(f);
	size_t done = f->acts_done;

	fleet_run(f);
	assert_int_equal(f->acts_done, done);
	fleet_free(f);
}

static void rollback_midway_is_a_change_of_goal(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	fleet_settle(f, 11);
	fleet_settle(f, 12);
	fleet_run(f);
	assert_true(fleet_issue(f, 21));
	fleet_run(f);
	fleet_settle(f, 21); /* one slot has switched */
	fleet_want(f, 1, true);
	fleet_want(f, 2, false);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 1);
	assert_int_equal(fleet_signer_of(f, 22), 1);
	assert_true(fleet_find_ca(f, 2)->retired && fleet_find_ca(f, 1)->signing);
	assert_false(fleet_holds_cert(f, 11, 102));
	fleet_free(f);
}

static void rollback_after_the_old_is_gone_in_one_store(void **state)
{
	struct fleet *f = fleet_rotating();

	for (int i = 0; i < 100 && fleet_holds_cert(f, 11, 101); i++) {
		fleet_run(f);
		for (int64_t id = 21; id <= 22; id++)
			(void)fleet_issue(f, id); /* nothing asked: nothing to do */
		fleet_run(f);
		for (int64_t id = 21; id <= 22; id++)
			fleet_settle(f, id);
		fleet_settle(f, 11);
		if (fleet_holds_cert(f, 11, 101))
			fleet_settle(f, 12);
	}
	assert_false(fleet_holds_cert(f, 11, 101));
	assert_true(fleet_holds_cert(f, 12, 101));
	fleet_want(f, 1, true);
	fleet_want(f, 2, false);
	fleet_run(f); /* the old must come back everywhere before a slot may go back */
	assert_int_equal(fleet_find(f, 21)->asked, 0);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 1);
	assert_true(fleet_find_ca(f, 2)->retired);
	fleet_free(f);
}

static void second_rotation_during_the_first(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	fleet_settle(f, 11);
	fleet_settle(f, 12);
	fleet_run(f);
	assert_true(fleet_issue(f, 21));
	fleet_run(f);
	fleet_settle(f, 21);
	fleet_ca(f, 3, 5);
	fleet_want(f, 2, false);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 3);
	assert_int_equal(fleet_signer_of(f, 22), 3);
	assert_true(fleet_find_ca(f, 1)->retired && fleet_find_ca(f, 2)->retired);
	fleet_free(f);
}

static void two_deployments_rotate_apart(void **state)
{
	struct fleet *f = fleet_rotating();

	/* another region: its own store and slot, nothing to do with ours */
	fleet_group(f, 3, GROUP_STORE);
	fleet_group(f, 4, GROUP_SLOT);
	fleet_meet(f, 4, 3);
	fleet_goal(f, 3, 5);
	fleet_target(f, 31, 3, 0);
	fleet_target(f, 41, 4, 5);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 41), 2);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	fleet_free(f);
}

static void hold_freezes_everything(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_hold(f, true);
	fleet_run(f);
	assert_int_equal(f->acts_done, 0);
	assert_int_equal(fleet_wait(f, WAIT_HELD, 0, 0)->speaker, SPEAKER_POLICY);
	fleet_assert_same(f);
	fleet_hold(f, false);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

static void pause_leaves_one_authority_as_it_is(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	fleet_settle(f, 11);
	fleet_pause(f, 5, true);
	fleet_settle_all(f); /* documents on their way arrive; nothing new is decided */
	assert_int_equal(fleet_signer_of(f, 21), 1);
	assert_true(fleet_holds_cert(f, 11, 101) && fleet_holds_cert(f, 11, 102));
	assert_non_null(fleet_wait(f, WAIT_PAUSED, 21, 0));
	fleet_pause(f, 5, false);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

static void replaced_before_it_was_handed_out(void **state)
{
	struct fleet *f = fleet_rotating();
	struct fleet_target *t = fleet_find(f, 11);

	fleet_run(f); /* {1, 2}, not fetched */
	fleet_ca(f, 3, 5);
	fleet_want(f, 2, false);
	fleet_run(f); /* {1, 3} takes its place */
	assert_int_equal(t->doc_count, 1);
	assert_int_equal(fleet_content(f, t->docs[0].content)->ids.count, 2);
	fleet_assert_same(f);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 3);
	fleet_free(f);
}

static void next_wake_is_the_next_moment_that_matters(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_run(f);
	assert_int_equal(f->plan.next_wake, f->now + MSEC_DAY); /* a session would fall silent */
	fleet_free(f);
}

/* Carries out admissions and sets; returns how many acts there were. */
static size_t batch(struct view *v, enum act_kind expected)
{
	CLEANUP(arena_freep) struct arena *a = arena_new((size_t)1 << 28);
	struct plan plan;

	engine_step(v, NULL, FLEET_NOW, a, &plan);
	for (size_t i = 0; i < plan.act_count; i++) {
		int64_t id = plan.acts[i].target;

		assert_int_equal(plan.acts[i].kind, expected);
		if (expected == ACT_ADMIT)
			(void)view_apply(v, &(struct fact){ .kind = FACT_TARGET, .target = { id, 1, id, 0, TARGET_COUNTED } });
		else
			(void)view_apply(v, &(struct fact){ .kind = FACT_SENT, .sent = { id, 2, 2 } });
	}
	return plan.act_count;
}

static void a_full_step_leaves_the_rest_to_the_next(void **state)
{
	struct view *v = view_new();
	const int64_t cert[] = { 101, 102 }, authority = 5;
	struct fact ca = { .kind = FACT_CA, .ca = { .ca = 1, .authority = 5, .cert = 101, .leaf_anchors = { cert, 1 }, .wanted = true,
		.signing = true, .can_sign = true, .not_after = FLEET_NOW * 2 } };

	(void)view_apply(v, &(struct fact){ .kind = FACT_GROUP, .group = { 1, GROUP_STORE, 1, true, 0 } });
	(void)view_apply(v, &ca);
	(void)view_apply(v, &(struct fact){ .kind = FACT_GOAL, .goal = { 1, { &authority, 1 }, { 0 } } });
	for (int64_t n = 1; n <= 2; n++)
		(void)view_apply(v, &(struct fact){ .kind = FACT_SET, .set = { n, { cert, (size_t)n } } });
	for (int64_t i = 1; i <= LIMIT_STEP_ACTS + 100; i++) {
		(void)view_apply(v, &(struct fact){ .kind = FACT_ALIVE, .alive = { i, FLEET_NOW + MSEC_DAY } });
		(void)view_apply(v, &(struct fact){ .kind = FACT_TARGET, .target = { i, 1, i, 0, TARGET_JOINING } });
		(void)view_apply(v, &(struct fact){ .kind = FACT_SEEN, .seen = { i, 1, 1, 1 } });
	}
	assert_int_equal(batch(v, ACT_ADMIT), LIMIT_STEP_ACTS);
	assert_int_equal(batch(v, ACT_ADMIT), 100);
	ca.ca.ca = 2;
	ca.ca.cert = 102;
	ca.ca.leaf_anchors.items = &cert[1];
	ca.ca.signing = false;
	(void)view_apply(v, &ca);
	assert_int_equal(batch(v, ACT_SEND_SET), LIMIT_STEP_ACTS);
	assert_int_equal(batch(v, ACT_SEND_SET), 100);
	assert_int_equal(batch(v, ACT_SEND_SET), 0);
	view_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_deployment_reaches_the_goal),
		cmocka_unit_test(rotation_walks_through_its_steps),
		cmocka_unit_test(calling_twice_is_once),
		cmocka_unit_test(rollback_midway_is_a_change_of_goal),
		cmocka_unit_test(rollback_after_the_old_is_gone_in_one_store),
		cmocka_unit_test(second_rotation_during_the_first),
		cmocka_unit_test(two_deployments_rotate_apart),
		cmocka_unit_test(hold_freezes_everything),
		cmocka_unit_test(pause_leaves_one_authority_as_it_is),
		cmocka_unit_test(replaced_before_it_was_handed_out),
		cmocka_unit_test(next_wake_is_the_next_moment_that_matters),
		cmocka_unit_test(a_full_step_leaves_the_rest_to_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
