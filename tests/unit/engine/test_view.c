/* The view as a whole: facts may come again, and it stays as quick as it was small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/limits.h"
#include "fleet.h"

enum { MANY = 100000 };

static void free_accepts_null(void **state)
{
	struct view *v = NULL;

	view_free(NULL);
	view_freep(&v);
	v = view_new();
	view_freep(&v);
	assert_null(v);
}

/* The service tells all it knows of a target after each change: that must change nothing. */
static void everything_told_again_changes_nothing(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	assert_true(fleet_hand(f, 11));
	for (int i = 0; i < 2; i++) {
		for (size_t k = 0; k < f->content_count; k++)
			fleet_tell_content(f, &f->contents[k]);
		for (size_t k = 0; k < f->ca_count; k++)
			fleet_tell_ca(f, &f->cas[k]);
		for (size_t k = 0; k < f->target_count; k++)
			fleet_tell_target(f, &f->targets[k]);
		fleet_assert_same(f);
	}
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

static void tell(struct view *v, struct fact f)
{
	assert_true(view_apply(v, &f));
}

/* A hundred thousand stores, and as many slots, half-way through a rotation. */
static struct view *large_view(void)
{
	struct view *v = view_new();
	const int64_t one = 101, two = 102, authority = 5, both[] = { 101, 102 };

	tell(v, (struct fact){ .kind = FACT_GROUP, .group = { 1, GROUP_STORE, 1, true, 0 } });
	tell(v, (struct fact){ .kind = FACT_GROUP, .group = { 2, GROUP_SLOT, 1, true, 0 } });
	tell(v, (struct fact){ .kind = FACT_MEET, .meet = { 2, 1, true } });
	tell(v, (struct fact){ .kind = FACT_CA, .ca = { 1, 5, 101, { &one, 1 }, 1, false, true, true, false,
			false, 0, FLEET_NOW * 2 } });
	tell(v, (struct fact){ .kind = FACT_CA, .ca = { 2, 5, 102, { &two, 1 }, 2, true, false, true, false,
			false, 0, FLEET_NOW * 2 } });
	tell(v, (struct fact){ .kind = FACT_GOAL, .goal = { 1, { &authority, 1 }, { 0 } } });
	tell(v, (struct fact){ .kind = FACT_SET, .set = { 1, { &one, 1 } } });
	tell(v, (struct fact){ .kind = FACT_SET, .set = { 2, { both, 2 } } });
	for (int64_t i = 1; i <= MANY; i++) {
		tell(v, (struct fact){ .kind = FACT_ALIVE, .alive = { i, FLEET_NOW + MSEC_DAY } });
		tell(v, (struct fact){ .kind = FACT_TARGET, .target = { i, 1, i, 0, TARGET_COUNTED } });
		tell(v, (struct fact){ .kind = FACT_SEEN, .seen = { i, 1, 1, 1 } });
		tell(v, (struct fact){ .kind = FACT_SENT, .sent = { i, 2, 2 } });
		tell(v, (struct fact){ .kind = FACT_HANDED, .handed = { i, 2 } });
		tell(v, (struct fact){ .kind = FACT_CHAIN, .chain = { i, 1, { &one, 1 }, 0, FLEET_NOW * 2, 0 } });
		tell(v, (struct fact){ .kind = FACT_TARGET, .target = { MANY + i, 2, i, 5, TARGET_COUNTED } });
		tell(v, (struct fact){ .kind = FACT_SEEN, .seen = { MANY + i, i, 1, 1 } });
	}
	view_clock(v, FLEET_NOW);
	return v;
}

/* Work is counted, not timed: hash probes, classes compared, members moved. */
static void an_observation_costs_the_same_in_a_large_fleet(void **state)
{
	struct view *v = large_view();
	uint64_t before = view_operations(v), most = 0;

	for (int64_t i = 1; i <= MANY; i++) {
		uint64_t start = view_operations(v);

		tell(v, (struct fact){ .kind = FACT_ALIVE, .alive = { i, FLEET_NOW + 2 * MSEC_DAY } });
		tell(v, (struct fact){ .kind = FACT_SEEN, .seen = { i, 2, 2, 2 } });
		if (view_operations(v) - start > most)
			most = view_operations(v) - start;
	}
	assert_true((view_operations(v) - before) / MANY < 40);
	assert_true(most < 400); /* a long run of a hash table, but never a pass over the fleet */
	view_free(v);
}

/* A step that has nothing to do looks at classes only; and one with much to do is one batch. */
static void a_step_looks_at_classes(void **state)
{
	struct view *v = large_view();
	CLEANUP(arena_freep) struct arena *a = arena_new((size_t)1 << 30);
	struct engine_policy policy = { 0 };
	struct plan plan;

	engine_step(v, &policy, FLEET_NOW, a, &plan);
	assert_int_equal(plan.act_count, 0);
	assert_true(plan.wait_count > 0 && plan.wait_count < 200);
	assert_int_equal(plan.waits[0].count, MANY);
	assert_true(arena_used(a) < 1 << 20);
	for (int64_t i = 1; i <= MANY; i++)
		tell(v, (struct fact){ .kind = FACT_SEEN, .seen = { i, 2, 2, 2 } });
	engine_step(v, &policy, FLEET_NOW, a, &plan); /* ask every slot: as many as a step may, and the label */
	assert_int_equal(plan.act_count, LIMIT_STEP_ACTS);
	struct troth_err e = { 0 };

	assert_true(rc_ok(plan_check(v, &plan, &e)));
	view_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(free_accepts_null),
		cmocka_unit_test(everything_told_again_changes_nothing),
		cmocka_unit_test(an_observation_costs_the_same_in_a_large_fleet),
		cmocka_unit_test(a_step_looks_at_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
