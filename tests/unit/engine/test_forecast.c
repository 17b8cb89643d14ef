/* The engine run ahead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/view.h"
#include "fleet.h"

/* On a view of its own: the fleet's is as before. */
static struct forecast ahead(struct fleet *f, msec_t by)
{
	struct view *v = fleet_rebuild(f);
	struct forecast fc;

	arena_reset(f->a);
	engine_forecast(v, &f->policy, f->now, f->now + by, f->a, &fc);
	view_free(v);
	fleet_assert_same(f);
	return fc;
}

static size_t count_of(const struct forecast *fc, enum moment_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < fc->count; i++)
		n += fc->moments[i].kind == kind;
	return n;
}

static const struct moment *first_of(const struct forecast *fc, enum moment_kind kind)
{
	for (size_t i = 0; i < fc->count; i++) {
		if (fc->moments[i].kind == kind)
			return &fc->moments[i];
	}
	return NULL;
}

static void renewals_come_by_themselves(void **state)
{
	struct fleet *f = fleet_usual();
	struct forecast fc = ahead(f, 300 * MSEC_DAY);
	const struct moment *m = first_of(&fc, MOMENT_RENEWAL);

	assert_false(fc.cut);
	assert_int_equal(fc.reached, f->now + 300 * MSEC_DAY);
	assert_int_equal(fc.offline, 0);
	assert_non_null(m);
	assert_int_equal(m->at, f->now + FLEET_LIFE * 2 / 3);
	assert_int_equal(m->count, 2); /* both slots, one story */
	assert_int_equal(m->authority, 5);
	assert_int_equal(m->target, 0);
	assert_true(count_of(&fc, MOMENT_RENEWAL) >= 4);
	assert_int_equal(count_of(&fc, MOMENT_BREAKS) + count_of(&fc, MOMENT_WAIT) + count_of(&fc, MOMENT_ENDING), 0);
	for (size_t i = 1; i < fc.count; i++)
		assert_true(fc.moments[i - 1].at <= fc.moments[i].at);
	fleet_free(f);
}

static void a_rotation_that_is_due(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_ca *c = fleet_find_ca(f, 1);

	c->issued = f->now;
	c->not_after = f->now + 200 * MSEC_DAY;
	c->renew_at = f->now + 100 * MSEC_DAY;
	c->renew_latest = f->now + 105 * MSEC_DAY;
	fleet_tell_ca(f, c);
	struct forecast fc = ahead(f, 250 * MSEC_DAY);

	assert_int_equal(count_of(&fc, MOMENT_ROTATION), 2); /* at 100 days, and its successor at 200 */
	assert_int_equal(count_of(&fc, MOMENT_ROTATED), 2);
	assert_int_equal(first_of(&fc, MOMENT_ROTATION)->at, c->renew_at);
	assert_true(first_of(&fc, MOMENT_ROTATED)->at < c->renew_at + MSEC_HOUR);
	assert_int_equal(count_of(&fc, MOMENT_BREAKS), 0);
	fleet_free(f);
}

/* Its certificate is signed elsewhere: that it is asked for is foreseen, that it comes is not. */
static void of_a_ca_signed_elsewhere(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_ca *c = fleet_find_ca(f, 1);

	c->issued = f->now;
	c->not_after = f->now + 200 * MSEC_DAY;
	c->renew_at = f->now + 100 * MSEC_DAY;
	fleet_tell_ca(f, c);
	fleet_external(f, 5, false);
	struct forecast fc = ahead(f, 150 * MSEC_DAY);

	assert_int_equal(count_of(&fc, MOMENT_ROTATION), 1);
	assert_int_equal(count_of(&fc, MOMENT_ROTATED), 0);
	assert_true(first_of(&fc, MOMENT_WAIT)->reason == WAIT_CERTIFICATE);
	c->renewing = true;
	fleet_tell_ca(f, c);
	fc = ahead(f, 150 * MSEC_DAY);
	assert_int_equal(count_of(&fc, MOMENT_ROTATED), 0);
	fleet_free(f);
}

/* An intermediate's successor has the anchors of its parent. */
static void of_an_intermediate(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_ca *c = fleet_find_ca(f, 1);

	c->anchors.items[0] = 77;
	c->renew_at = f->now + MSEC_DAY;
	fleet_tell_ca(f, c);
	struct forecast fc = ahead(f, 2 * MSEC_DAY);

	assert_int_equal(count_of(&fc, MOMENT_ROTATION), 1);
	fleet_free(f);
}

/* A store is silent: the rotation waits for it, then the slots end; at the deadline it would be left out. */
static void what_a_silent_store_brings(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_ca *c = fleet_find_ca(f, 1);

	c->issued = f->now;
	c->not_after = f->now + 150 * MSEC_DAY;
	c->renew_at = f->now + 50 * MSEC_DAY;
	fleet_tell_ca(f, c);
	fleet_offline(f, 12);
	struct forecast fc = ahead(f, 140 * MSEC_DAY);

	assert_int_equal(fc.offline, 1);
	const struct moment *wait = first_of(&fc, MOMENT_WAIT), *ending = first_of(&fc, MOMENT_ENDING);

	assert_non_null(wait);
	assert_true(wait->at >= c->renew_at && wait->at < c->renew_at + MSEC_HOUR);
	assert_int_equal(count_of(&fc, MOMENT_ENDING), 0);
	assert_null(ending);
	fc = ahead(f, 160 * MSEC_DAY);
	ending = first_of(&fc, MOMENT_ENDING);
	assert_non_null(ending);
	assert_int_equal(ending->reason, WAIT_NOT_TRUSTED);
	assert_int_equal(ending->other_target, 12);
	assert_true(ending->breaks > ending->at && ending->breaks < c->not_after);
	assert_int_equal(count_of(&fc, MOMENT_SHED), 2);
	assert_int_equal(first_of(&fc, MOMENT_SHED)->other_target, 12);
	assert_int_equal(count_of(&fc, MOMENT_BREAKS), 0);
	fleet_hold_at_deadline(f, 5, true);
	fc = ahead(f, 160 * MSEC_DAY);
	assert_int_equal(count_of(&fc, MOMENT_SHED), 0);
	assert_int_equal(count_of(&fc, MOMENT_BREAKS), 2);
	assert_true(first_of(&fc, MOMENT_BREAKS)->at < c->not_after);
	fleet_free(f);
}

/* A slot that is silent itself breaks, and nothing can be done about it from here. */
static void a_silent_slot_breaks(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_offline(f, 21);
	struct forecast fc = ahead(f, 100 * MSEC_DAY);
	const struct moment *m = first_of(&fc, MOMENT_BREAKS);

	assert_int_equal(count_of(&fc, MOMENT_BREAKS), 1);
	assert_int_equal(m->target, 21);
	assert_int_equal(m->reason, WAIT_OFFLINE);
	assert_true(m->at <= f->now + FLEET_LIFE);
	fleet_free(f);
}

/* In the middle of everything: what is on its way arrives. */
static void from_the_middle_of_a_rotation(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	fleet_settle(f, 11);
	fleet_settle(f, 12);
	fleet_run(f); /* both slots are asked */
	assert_int_equal(fleet_find(f, 21)->asked, 2);
	fleet_target(f, 23, 2, 5); /* and one joins */
	fleet_ca(f, 3, 6)->renewing = true;
	fleet_find_ca(f, 3)->issued = f->now - 30 * MSEC_DAY;
	fleet_find_ca(f, 3)->renew_at = f->now;
	fleet_tell_ca(f, fleet_find_ca(f, 3));
	struct forecast fc = ahead(f, MSEC_DAY);

	assert_int_equal(count_of(&fc, MOMENT_ROTATED), 2);
	assert_int_equal(count_of(&fc, MOMENT_WAIT), 0);
	fleet_free(f);
}

/* What is waited for at the beginning is explain's; frozen, nothing comes but the ends. */
static void frozen(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_hold(f, true);
	struct forecast fc = ahead(f, 80 * MSEC_DAY);

	assert_int_equal(fc.count, 0);
	fleet_free(f);
}

/* The bounds are met and said. */
static void too_much_is_cut(void **state)
{
	struct fleet *f = fleet_usual();

	for (int64_t id = 21; id <= 22; id++) {
		struct fleet_content *c = fleet_content(f, fleet_find(f, id)->base);

		c->issued = f->now;
		c->not_after = f->now + MSEC_DAY;
		c->renew_at = f->now + MSEC_HOUR * (id - 9);
		fleet_tell_content(f, c);
	}
	struct forecast fc = ahead(f, 900 * MSEC_DAY);

	assert_true(fc.cut);
	assert_true(fc.reached < f->now + 900 * MSEC_DAY);
	assert_true(fc.count <= LIMIT_FORECAST_MOMENTS);
	fleet_free(f);
}

static void every_kind_has_a_name(void **state)
{
	for (int k = 1; k < MOMENT_KIND_MAX; k++)
		assert_true(moment_kind_name((enum moment_kind)k)[0] != 0);
}

/* Its lease ends before what it was sent, or asked for, could come back: nobody is there to hear it. */
static void who_leaves_meanwhile_is_not_heard(void **state)
{
	struct fleet *f = fleet_rotating();
	struct forecast fc;

	for (int64_t id = 11; id <= 22; id += 10)
		(void)view_apply(f->view, &(struct fact){ .kind = FACT_TARGET, .target = { id, id < 20 ? 1 : 2, 1000 + id,
			id < 20 ? 0 : 5, TARGET_COUNTED, f->now + MSEC_MIN } });
	for (int64_t id = 11; id <= 22; id += 10)
		(void)view_apply(f->view, &(struct fact){ .kind = FACT_PACE, .pace = { id, MSEC_HOUR } });
	(void)view_apply(f->view, &(struct fact){ .kind = FACT_ASKED, .asked = { 21, 1 } });
	engine_forecast(f->view, &f->policy, f->now, f->now + MSEC_DAY, f->a, &fc);
	assert_null(target_find(f->view, 11));
	assert_null(target_find(f->view, 21));
	assert_non_null(target_find(f->view, 12));
	fleet_free(f);
}

/* More than a person reads: the first are told, and that it was cut. */
static void too_many_moments_are_cut(void **state)
{
	struct fleet *f = fleet_new();
	struct forecast fc;

	for (int64_t i = 0; i < LIMIT_FORECAST_MOMENTS + 50; i++) { /* as many authorities, all due in an hour */
		int64_t cert = 1000 + i;

		(void)view_apply(f->view, &(struct fact){ .kind = FACT_CA, .ca = { .ca = 1 + i, .authority = 5000 + i, .cert = cert,
			.leaf_anchors = { &cert, 1 }, .wanted = true, .signing = true, .can_sign = true,
			.not_before = f->now - MSEC_DAY, .not_after = f->now + 900 * MSEC_DAY, .renew_at = f->now + MSEC_HOUR } });
	}
	engine_forecast(f->view, &f->policy, f->now, f->now + MSEC_DAY, f->a, &fc);
	assert_int_equal(fc.count, LIMIT_FORECAST_MOMENTS);
	assert_true(fc.cut);
	assert_int_equal(fc.moments[0].kind, MOMENT_ROTATION);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_leaves_meanwhile_is_not_heard),
		cmocka_unit_test(too_many_moments_are_cut),
		cmocka_unit_test(renewals_come_by_themselves),
		cmocka_unit_test(a_rotation_that_is_due),
		cmocka_unit_test(of_a_ca_signed_elsewhere),
		cmocka_unit_test(of_an_intermediate),
		cmocka_unit_test(what_a_silent_store_brings),
		cmocka_unit_test(a_silent_slot_breaks),
		cmocka_unit_test(from_the_middle_of_a_rotation),
		cmocka_unit_test(frozen),
		cmocka_unit_test(too_much_is_cut),
		cmocka_unit_test(every_kind_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
