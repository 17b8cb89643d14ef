/* Rotations that start by themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/view.h"
#include "fleet.h"

/* The usual fleet; CA 1 is due in an hour, and must begin in two. */
static struct fleet *fleet_due(void)
{
	struct fleet *f = fleet_usual();
	struct fleet_ca *c = fleet_find_ca(f, 1);

	c->renew_at = f->now + MSEC_HOUR;
	c->renew_latest = f->now + 2 * MSEC_HOUR;
	fleet_tell_ca(f, c);
	return f;
}

static size_t count_acts(const struct fleet *f, enum act_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < f->plan.act_count; i++)
		n += f->plan.acts[i].kind == kind;
	return n;
}

static void a_due_authority_is_rotated_once(void **state)
{
	struct fleet *f = fleet_due();

	assert_int_equal(fleet_step(f), 0);
	assert_int_equal(f->plan.next_wake, f->now + MSEC_HOUR);
	fleet_later(f, MSEC_HOUR - 1);
	assert_int_equal(fleet_step(f), 0);
	fleet_later(f, 1);
	assert_int_equal(fleet_step(f), 1);
	assert_int_equal(count_acts(f, ACT_ROTATE), 1);
	assert_int_equal(f->plan.acts[0].authority, 5);
	assert_int_equal(f->plan.acts[0].ca, 1);
	assert_int_equal(fleet_step(f), 0); /* calling twice is once */
	assert_non_null(fleet_wait(f, WAIT_RENEW_ORDERED, 0, 0));
	fleet_assert_same(f);
	fleet_free(f);
}

/* The successor has come: the old one is no longer wanted, and the new one has a moment of its own. */
static void a_successor_ends_it(void **state)
{
	struct fleet *f = fleet_due();

	fleet_later(f, MSEC_HOUR);
	assert_int_equal(fleet_step(f), 1);
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	assert_null(fleet_wait(f, WAIT_RENEW_ORDERED, 0, 0));
	fleet_free(f);
}

/* Somebody else signs it: the rotation is a request first, and nothing more is ordered until its certificate came. */
static void a_certificate_from_elsewhere_is_awaited(void **state)
{
	struct fleet *f = fleet_due();

	fleet_external(f, 5, false);
	fleet_later(f, MSEC_HOUR);
	assert_int_equal(fleet_step(f), 1);
	assert_int_equal(count_acts(f, ACT_ROTATE), 1);
	assert_null(fleet_wait(f, WAIT_CERTIFICATE, 0, 0));
	fleet_external(f, 5, true);
	assert_int_equal(fleet_step(f), 0);
	assert_int_equal(fleet_wait(f, WAIT_CERTIFICATE, 0, 0)->authority, 5);
	assert_null(fleet_wait(f, WAIT_RENEW_ORDERED, 0, 0));
	fleet_ca(f, 2, 5);
	fleet_external(f, 5, false);
	fleet_want(f, 1, false);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	assert_null(fleet_wait(f, WAIT_CERTIFICATE, 0, 0));
	fleet_assert_same(f);
	fleet_free(f);
}

static void not_while_paused_or_frozen(void **state)
{
	struct fleet *f = fleet_due();

	fleet_later(f, MSEC_HOUR);
	fleet_pause(f, 5, true);
	assert_int_equal(fleet_step(f), 0);
	assert_non_null(fleet_wait(f, WAIT_PAUSED, 0, 0));
	fleet_pause(f, 5, false);
	fleet_hold(f, true);
	assert_int_equal(fleet_step(f), 0);
	fleet_hold(f, false);
	assert_int_equal(fleet_step(f), 1);
	fleet_free(f);
}

static void what_only_its_owner_can_make_is_told(void **state)
{
	struct fleet *f = fleet_due();

	fleet_find_ca(f, 1)->by_hand = true;
	fleet_tell_ca(f, fleet_find_ca(f, 1));
	fleet_later(f, MSEC_HOUR);
	assert_int_equal(fleet_step(f), 0);
	const struct wait *w = fleet_wait(f, WAIT_RENEW_BY_HAND, 0, 0);

	assert_non_null(w);
	assert_int_equal(w->speaker, SPEAKER_OPERATOR);
	assert_string_equal(w->rule, "D");
	fleet_free(f);
}

/* Version 2 is due while a store that is offline keeps the rotation from 1 to 2 open. */
static void one_rotation_at_a_time_until_the_room_is_gone(void **state)
{
	struct fleet *f = fleet_rotating();
	struct fleet_ca *c = fleet_find_ca(f, 2);

	fleet_offline(f, 12);
	c->renew_at = f->now + MSEC_HOUR;
	c->renew_latest = f->now + 2 * MSEC_HOUR;
	fleet_tell_ca(f, c);
	fleet_run(f);
	fleet_later(f, MSEC_HOUR);
	fleet_run(f);
	const struct wait *w = fleet_wait(f, WAIT_RENEW_LATER, 0, 0);

	assert_non_null(w);
	assert_int_equal(w->ca, 2);
	assert_int_equal(w->earliest, c->renew_latest);
	fleet_later(f, MSEC_HOUR);
	assert_int_equal(fleet_step(f), 1);
	assert_int_equal(count_acts(f, ACT_ROTATE), 1);
	fleet_free(f);
}

static void only_the_newest_wanted_version_counts(void **state)
{
	struct fleet *f = fleet_due();

	fleet_ca(f, 2, 5); /* wanted beside it */
	fleet_settle_all(f);
	fleet_later(f, 3 * MSEC_HOUR);
	fleet_run(f);
	assert_false(fleet_find_ca(f, 1)->renewing);
	fleet_want(f, 1, false);
	fleet_want(f, 2, false); /* nobody is wanted: a goal of its own, not a reason to begin */
	fleet_run(f);
	assert_false(fleet_find_ca(f, 1)->renewing);
	fleet_free(f);
}

/* A clock that steps forward and back orders nothing twice, and forgets nothing. */
static void clock_steps_are_harmless(void **state)
{
	struct fleet *f = fleet_due();

	fleet_later(f, 90 * MSEC_MIN);
	assert_int_equal(fleet_step(f), 1);
	fleet_later(f, -MSEC_DAY);
	assert_int_equal(fleet_step(f), 0);
	fleet_assert_same(f);
	fleet_later(f, MSEC_DAY);
	assert_int_equal(fleet_step(f), 0);
	assert_non_null(fleet_wait(f, WAIT_RENEW_ORDERED, 0, 0));
	fleet_free(f);
}

static bool refused(struct fleet *f, int64_t ca)
{
	struct act act = { .kind = ACT_ROTATE, .authority = 5, .ca = ca };
	struct plan plan = { .acts = &act, .act_count = 1 };

	view_clock(f->view, f->now);
	return rc_failed(plan_check(f->view, &plan, &(struct troth_err){ 0 }));
}

static void the_second_opinion_agrees(void **state)
{
	struct fleet *f = fleet_due();

	assert_true(refused(f, 1)); /* not yet */
	assert_true(refused(f, 9)); /* there is none */
	fleet_later(f, MSEC_HOUR);
	assert_false(refused(f, 1));
	fleet_pause(f, 5, true);
	assert_true(refused(f, 1));
	fleet_pause(f, 5, false);
	struct fleet_ca *c = fleet_ca(f, 2, 5);

	assert_true(refused(f, 1)); /* a newer one is wanted */
	c->renew_at = f->now;
	c->renew_latest = f->now + MSEC_HOUR;
	fleet_tell_ca(f, c);
	assert_false(refused(f, 2));
	fleet_want(f, 1, false);
	assert_true(refused(f, 2)); /* the rotation from 1 runs */
	fleet_later(f, MSEC_HOUR);
	assert_false(refused(f, 2));
	c->by_hand = true;
	fleet_tell_ca(f, c);
	assert_true(refused(f, 2));
	c->by_hand = false;
	c->renewing = true;
	fleet_tell_ca(f, c);
	assert_true(refused(f, 2));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_due_authority_is_rotated_once),
		cmocka_unit_test(a_successor_ends_it),
		cmocka_unit_test(a_certificate_from_elsewhere_is_awaited),
		cmocka_unit_test(not_while_paused_or_frozen),
		cmocka_unit_test(what_only_its_owner_can_make_is_told),
		cmocka_unit_test(one_rotation_at_a_time_until_the_room_is_gone),
		cmocka_unit_test(only_the_newest_wanted_version_counts),
		cmocka_unit_test(clock_steps_are_harmless),
		cmocka_unit_test(the_second_opinion_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
