/* Time as a source of change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/view.h"
#include "fleet.h"

static void a_silent_session_is_noticed_when_its_time_is_up(void **state)
{
	struct fleet *f = fleet_usual();
	const struct target *t = target_find(f->view, 11);

	assert_true(class_alive(t->class));
	view_clock(f->view, f->now + MSEC_DAY - 1);
	assert_true(class_alive(t->class));
	view_clock(f->view, f->now + MSEC_DAY);
	assert_false(class_alive(t->class));
	fleet_free(f);
}

static void heartbeats_do_not_fill_the_agenda(void **state)
{
	struct fleet *f = fleet_usual();
	size_t before = f->view->agenda.count;

	for (int i = 0; i < 1000; i++)
		fleet_online(f, 11);
	assert_int_equal(f->view->agenda.count, before);
	fleet_free(f);
}

/* The server's clock was ahead when it heard of the agent, and then it was not: the session ends earlier
 * than was booked (found by the simulator: the plan relied on a silent agent, and the check refused it). */
static void an_end_moved_forward_is_noticed(void **state)
{
	struct fleet *f = fleet_usual();
	const struct target *t = target_find(f->view, 11);
	char why[200] = "";
	int64_t instance = t->instance->id;

	view_apply(f->view, &(struct fact){ .kind = FACT_ALIVE, .alive = { instance, f->now + 2000 } });
	view_apply(f->view, &(struct fact){ .kind = FACT_ALIVE, .alive = { instance, f->now + 1000 } });
	view_clock(f->view, f->now + 1000);
	assert_false(class_alive(t->class));
	assert_true(view_check(f->view, why, sizeof(why)));
	view_apply(f->view, &(struct fact){ .kind = FACT_ALIVE, .alive = { instance, f->now + 3000 } });
	view_clock(f->view, f->now + 2999);
	assert_true(class_alive(t->class));
	view_clock(f->view, f->now + 3000);
	assert_false(class_alive(t->class));
	fleet_free(f);
}

static void a_chain_becomes_due_and_expires(void **state)
{
	struct fleet *f = fleet_usual();
	const struct target *t = target_find(f->view, 21);

	view_clock(f->view, f->now + FLEET_LIFE * 2 / 3 - 1);
	assert_false(t->class->key.flags & CLASS_DUE);
	view_clock(f->view, f->now + FLEET_LIFE * 2 / 3);
	assert_true(t->class->key.flags & CLASS_DUE);
	view_clock(f->view, f->now + FLEET_LIFE + SKEW - 1);
	assert_false(t->base->shape->expired);
	view_clock(f->view, f->now + FLEET_LIFE + SKEW);
	assert_true(t->base->shape->expired);
	fleet_free(f);
}

static void a_clock_set_back_is_believed(void **state)
{
	struct fleet *f = fleet_usual();
	char why[200] = "";
	const struct target *t = target_find(f->view, 21);

	view_clock(f->view, f->now + 2 * FLEET_LIFE);
	assert_true(t->base->shape->expired && !class_alive(t->class));
	view_clock(f->view, f->now);
	assert_false(t->base->shape->expired);
	assert_true(class_alive(t->class));
	assert_true(view_check(f->view, why, sizeof(why)));
	view_clock(f->view, f->now + 2 * FLEET_LIFE); /* and its appointments are there again */
	assert_true(t->base->shape->expired);
	fleet_free(f);
}

static void a_moment_out_of_order_changes_nothing(void **state)
{
	struct fleet *f = fleet_usual();

	view_clock(f->view, f->now + MSEC_DAY);
	assert_false(class_alive(target_find(f->view, 11)->class));
	view_clock(f->view, f->now + MSEC_DAY - 10);
	assert_false(class_alive(target_find(f->view, 11)->class));
	fleet_free(f);
}

static void a_shared_chain_expires_for_all_who_have_it(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t chain = fleet_chain(f, 1, 101);

	fleet_count_as(f, 21, chain);
	fleet_count_as(f, 22, chain);
	fleet_later(f, FLEET_LIFE + SKEW);
	assert_true(target_find(f->view, 21)->class == target_find(f->view, 22)->class);
	assert_true(class_newest(target_find(f->view, 22)->class)->expired);
	fleet_assert_same(f);
	fleet_free(f);
}

/* An offline slot whose chain has expired keeps nothing alive. */
static void an_expired_chain_holds_up_nobody(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_count_as(f, 22, fleet_chain(f, 1, 101));
	fleet_offline(f, 22);
	fleet_settle_all(f);
	assert_false(fleet_find_ca(f, 1)->retired);
	fleet_later(f, FLEET_LIFE + SKEW);
	fleet_leave(f, 22); /* silent and unknown: only its leaving lets the stores forget */
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

/* The appointment of its first end comes, and it is not over. */
static void a_lease_made_longer_meanwhile(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_lease(f, 11, f->now + MSEC_MIN);
	fleet_lease(f, 11, f->now + MSEC_HOUR);
	fleet_later(f, MSEC_MIN);
	fleet_run(f);
	assert_false(fleet_gone(f, 11));
	fleet_assert_same(f);
	fleet_lease(f, 11, 0);
	fleet_later(f, MSEC_HOUR);
	fleet_run(f);
	assert_false(fleet_gone(f, 11));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silent_session_is_noticed_when_its_time_is_up),
		cmocka_unit_test(heartbeats_do_not_fill_the_agenda),
		cmocka_unit_test(an_end_moved_forward_is_noticed),
		cmocka_unit_test(a_chain_becomes_due_and_expires),
		cmocka_unit_test(a_clock_set_back_is_believed),
		cmocka_unit_test(a_moment_out_of_order_changes_nothing),
		cmocka_unit_test(a_shared_chain_expires_for_all_who_have_it),
		cmocka_unit_test(an_expired_chain_holds_up_nobody),
		cmocka_unit_test(a_lease_made_longer_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
