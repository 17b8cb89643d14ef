/* Writing the view out, comparing, counting again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "engine/view.h"
#include "fleet.h"

static void two_orders_one_view(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	assert_true(fleet_hand(f, 11));
	fleet_assert_same(f);
	fleet_free(f);
}

static void the_first_difference_is_told(void **state)
{
	struct fleet *f = fleet_usual();
	struct view *v = fleet_rebuild(f);
	char why[300] = "";

	fleet_want(f, 1, false);
	assert_false(view_equal(f->view, v, why, sizeof(why)));
	assert_non_null(strstr(why, "ca 1"));
	assert_false(view_equal(f->view, v, NULL, 0));
	view_free(v);
	fleet_free(f);
}

static void all_states_are_written(void **state)
{
	struct fleet *f = fleet_rotating();
	CLEANUP(buf_release) struct buf out = buf_make(1 << 20);

	fleet_run(f);
	fleet_pause(f, 5, true);
	fleet_hold(f, true);
	fleet_void(f, 12);
	fleet_target(f, 13, 1, 0);
	view_dump(f->view, &out);
	assert_non_null(strstr(buf_text(&out), "hold\n"));
	assert_non_null(strstr(buf_text(&out), "authority 5 paused\n"));
	assert_non_null(strstr(buf_text(&out), "?")); /* not handed out */
	assert_non_null(strstr(buf_text(&out), "joining"));
	fleet_free(f);
}

/* The recount finds what is wrong: each counter is bent once. */
static void the_recount_finds_errors(void **state)
{
	struct fleet *f = fleet_usual();
	struct target *t = target_find(f->view, 21);
	char why[200];

	assert_true(view_check(f->view, why, sizeof(why)));
	t->class->count++;
	assert_false(view_check(f->view, why, sizeof(why)));
	t->class->count--;
	t->asked = 9;
	assert_false(view_check(f->view, why, sizeof(why)));
	t->asked = 0;
	f->view->idle++;
	assert_false(view_check(f->view, why, sizeof(why)));
	f->view->idle--;
	t->instance->alive = false;
	assert_false(view_check(f->view, why, sizeof(why)));
	t->instance->alive = true;
	t->base->due = true;
	assert_false(view_check(f->view, why, sizeof(why)));
	t->base->due = false;
	assert_true(view_check(f->view, why, sizeof(why)));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_orders_one_view),
		cmocka_unit_test(the_first_difference_is_told),
		cmocka_unit_test(all_states_are_written),
		cmocka_unit_test(the_recount_finds_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
