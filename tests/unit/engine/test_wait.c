/* Reasons: names, speakers, order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/step.h"
#include "fleet.h"

static void every_reason_has_its_words(void **state)
{
	for (int r = WAIT_HELD; r < WAIT_REASON_MAX; r++) {
		struct wait w = wait_make((enum wait_reason)r, 5, 1);

		assert_non_null(wait_reason_name((enum wait_reason)r));
		assert_non_null(wait_reason_text((enum wait_reason)r));
		assert_true(w.rule && w.text && w.speaker >= SPEAKER_POLICY && w.speaker <= SPEAKER_NODE);
		assert_true(wait_speaker_name(w.speaker)[0] != 0);
	}
	for (int k = ACT_SEND_SET; k <= ACT_TAKE_BACK; k++)
		assert_true(act_kind_name((enum act_kind)k)[0] != 0);
}

static void most_blocking_first_and_none_twice(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_target(f, 23, 2, 5);
	fleet_settle(f, 11);
	fleet_offline(f, 12);
	fleet_run(f);
	for (size_t i = 1; i < f->plan.wait_count; i++) {
		const struct wait *a = &f->plan.waits[i - 1], *b = &f->plan.waits[i];

		assert_true(a->count >= b->count);
		assert_false(a->reason == b->reason && a->target == b->target && a->ca == b->ca &&
			     a->other_target == b->other_target && a->authority == b->authority);
	}
	assert_true(f->plan.waits[0].count >= 2);
	fleet_free(f);
}

static void long_lists_are_cut(void **state)
{
	struct fleet *f = fleet_rotating();

	f->policy.waits_each = 1;
	fleet_run(f);
	assert_non_null(fleet_wait(f, WAIT_NOT_FETCHED, 0, 0));
	size_t named = 0;

	for (size_t i = 0; i < f->plan.wait_count; i++)
		named += f->plan.waits[i].reason == WAIT_NOT_FETCHED && f->plan.waits[i].ca == 2;
	assert_int_equal(named, 1);
	assert_int_equal(fleet_wait(f, WAIT_NOT_FETCHED, 0, 0)->count, 2);
	fleet_free(f);
}

/* Of many classes only the first are named member by member; all are counted. */
static void many_waits_are_not_all_named(void **state)
{
	struct view *v = view_new();
	CLEANUP(arena_freep) struct arena *a = arena_new((size_t)1 << 28);
	struct engine_policy policy = { .waits_each = 20 };
	struct plan plan;
	size_t members = 0;

	for (int64_t g = 1; g <= 20; g++) {
		(void)view_apply(v, &(struct fact){ .kind = FACT_GROUP, .group = { g, GROUP_STORE, ROLE_IS_SERVER, true, 0 } });
		for (int64_t t = 1; t <= 20; t++) /* nobody knows what they hold */
			(void)view_apply(v, &(struct fact){ .kind = FACT_TARGET,
				.target = { g * 100 + t, g, g * 100 + t, 0, TARGET_COUNTED } });
	}
	engine_step(v, NULL, FLEET_NOW, a, &plan);
	assert_int_equal(plan.act_count, 0);
	assert_in_range(plan.wait_count, 128, 160);
	for (size_t i = 0; i < plan.wait_count; i++)
		members += plan.waits[i].reason == WAIT_UNKNOWN && plan.waits[i].count == 20;
	assert_int_equal(members, plan.wait_count);
	engine_step(v, &policy, FLEET_NOW, a, &plan); /* whoever wants more names says so */
	assert_in_range(plan.wait_count, 140, 160);
	view_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_its_words),
		cmocka_unit_test(most_blocking_first_and_none_twice),
		cmocka_unit_test(many_waits_are_not_all_named),
		cmocka_unit_test(long_lists_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
