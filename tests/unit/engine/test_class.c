/* Classes: who gets the same answer is counted together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/view.h"
#include "fleet.h"

static size_t class_count(struct fleet *f, int64_t group)
{
	size_t n = 0;

	for (const struct class *c = group_find(f->view, group)->classes; c; c = c->group_next)
		n++;
	return n;
}

static void equals_are_one_class(void **state)
{
	struct fleet *f = fleet_usual();

	assert_int_equal(class_count(f, 1), 1);
	assert_int_equal(class_count(f, 2), 1); /* each slot has its own chain, of one shape */
	assert_int_equal(target_find(f->view, 21)->class->count, 2);
	fleet_free(f);
}

static void an_event_moves_one_member(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	assert_int_equal(class_count(f, 1), 1);
	fleet_settle(f, 11);
	assert_int_equal(class_count(f, 1), 2);
	fleet_settle(f, 12);
	assert_int_equal(class_count(f, 1), 1);
	fleet_offline(f, 12);
	assert_int_equal(class_count(f, 1), 2);
	fleet_assert_same(f);
	fleet_free(f);
}

static void what_differs_makes_a_class(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_target *t = fleet_find(f, 22);

	for (int i = 0; i < 4; i++) {
		fleet_settle_all(f);
		assert_int_equal(class_count(f, 2), 1);
		switch (i) {
		case 0: fleet_void(f, 22); break;
		case 1: fleet_stage(f, 22, fleet_chain(f, 1, 101)); break;
		case 2: fleet_count_as(f, 22, fleet_chain(f, 0, 999)); break;
		case 3: t->state = TARGET_JOINING; fleet_tell_target(f, t); break;
		}
		assert_int_equal(class_count(f, 2), 2);
		if (i == 0) {
			t->real_generation = t->real_high = t->next_generation++;
			fleet_report(f, 22);
		}
	}
	fleet_free(f);
}

static void a_sample_is_sorted_and_bounded(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t ids[2];

	assert_int_equal(class_sample(target_find(f->view, 12)->class, 2, ids), 2);
	assert_true(ids[0] == 11 && ids[1] == 12);
	assert_int_equal(class_sample(target_find(f->view, 12)->class, 1, ids), 1);
	fleet_free(f);
}

/* What failed is sent again, unless something newer of the same signer took its place. */
static void ready_is_staged_else_what_failed(void **state)
{
	struct fleet *f = fleet_usual();
	struct target *t;
	int64_t newer = fleet_chain(f, 1, 101);
	struct fleet_target *row = fleet_find(f, 21);

	row->failed = row->base;
	row->failures = 1;
	fleet_tell_target(f, row);
	t = (struct target *)target_find(f->view, 21);
	assert_null(target_ready(t)); /* it runs it: it did not fail after all */
	fleet_later(f, MSEC_DAY);
	fleet_stage(f, 21, newer);
	assert_int_equal(target_ready(t)->id, newer);
	fleet_settle_all(f);
	assert_null(target_ready(t));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_are_one_class),
		cmocka_unit_test(an_event_moves_one_member),
		cmocka_unit_test(what_differs_makes_a_class),
		cmocka_unit_test(a_sample_is_sorted_and_bounded),
		cmocka_unit_test(ready_is_staged_else_what_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
