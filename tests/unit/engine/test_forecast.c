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

/* A newcomer of no instance, and one that is silent: what they are sent and asked stays with them. */
static void who_has_no_agent_answers_nothing(void **state)
{
	struct fleet *f = fleet_usual();
	struct forecast fc;

	(void)view_apply(f->view, &(struct fact){ .kind = FACT_TARGET, .target = { 13, 1, 0, 0, TARGET_JOINING } });
	(void)view_apply(f->view, &(struct fact){ .kind = FACT_TARGET, .target = { 23, 2, 0, 5, TARGET_JOINING } });
	(void)view_apply(f->view, &(struct fact){ .kind = FACT_TARGET, .target = { 14, 1, 1014, 0, TARGET_JOINING } });
	(void)view_apply(f->view, &(struct fact){ .kind = FACT_TARGET, .target = { 24, 2, 1014, 5, TARGET_JOINING } });
	(void)view_apply(f->view, &(struct fact){ .kind = FACT_TARGET, .target = { 25, 2, 1011, 5, TARGET_JOINING } });
	engine_forecast(f->view, &f->policy, f->now, f->now + MSEC_DAY, f->a, &fc);
	for (int64_t id = 13; id <= 14; id++)
		assert_int_equal(target_find(f->view, id)->doc_count, 1);
	for (int64_t id = 23; id <= 24; id++)
		assert_int_equal(target_find(f->view, id)->asked, 1);
	assert_int_equal(target_find(f->view, 25)->state, TARGET_COUNTED);
	fleet_free(f);
}

/* One store is silent: the slots switch bridged.  It is heard of: the same leaves go plain.  A bridge that ends
 * earlier than the leaf ends the chain. */
static void cross_signed_versions(void **state)
{
	for (int variant = 0; variant < 4; variant++) {
		struct fleet *f = fleet_rotating();
		struct fleet_ca *c = fleet_find_ca(f, 2);
		bool silent = variant & 1, brief = variant & 2;
		struct forecast fc;

		c->bridge_by = 1;
		c->bridge_anchors = (struct fleet_ids){ { 101, 102 }, 2 };
		c->bridge_from = f->now - SKEW;
		c->bridge_until = f->now + (brief ? 30 * MSEC_DAY : 5 * FLEET_LIFE);
		fleet_tell_ca(f, c);
		fleet_find(f, 11)->pace = MSEC_HOUR; /* the slots are quicker */
		fleet_tell_target(f, fleet_find(f, 11));
		if (silent)
			fleet_offline(f, 12);
		engine_forecast(f->view, &f->policy, f->now, f->now + MSEC_DAY, f->a, &fc);
		const struct content *newest = target_newest(target_find(f->view, 21));

		assert_int_equal(newest->signed_by, 2);
		assert_int_equal(newest->bridged_by, silent ? 1 : 0);
		assert_int_equal(newest->members.count, silent ? 2 : 1);
		assert_true(!brief || newest->not_after <= f->now + 30 * MSEC_DAY);
		assert_true(brief || newest->not_after > f->now + 60 * MSEC_DAY);
		assert_int_equal(count_of(&fc, MOMENT_ROTATED), silent ? 0 : 1);
		fleet_free(f);
	}
}

/* Chains that live for minutes: each day is one story, and it ends where the steps do. */
static void so_many_steps_and_no_more(void **state)
{
	struct fleet *f = fleet_usual();

	for (int64_t id = 21; id <= 22; id++) {
		struct fleet_content *c = fleet_content(f, fleet_find(f, id)->base);

		c->issued = f->now;
		c->not_after = f->now + 10 * MSEC_MIN;
		c->renew_at = f->now + 6 * MSEC_MIN;
		fleet_tell_content(f, c);
	}
	struct forecast fc = ahead(f, 900 * MSEC_DAY);

	assert_true(fc.cut);
	assert_true(fc.count < LIMIT_FORECAST_MOMENTS);
	assert_true(fc.reached > f->now + MSEC_DAY && fc.reached < f->now + 900 * MSEC_DAY);
	fleet_free(f);
}

/* What was still waited for at the end counts too: it ended in time, and yet not all of it is told. */
static void more_is_waited_for_than_is_told(void **state)
{
	struct fleet *f = fleet_new();
	struct forecast fc;
	int64_t cert = 900;

	fleet_group(f, 2, GROUP_SLOT);
	for (int64_t i = 1; i <= LIMIT_FORECAST_MOMENTS + 50; i++) { /* as many that nobody can sign for, due in a minute */
		(void)view_apply(f->view, &(struct fact){ .kind = FACT_CA, .ca = { .ca = i, .authority = 5000 + i, .cert = 1000 + i,
			.leaf_anchors = { &cert, 1 }, .not_after = f->now + 900 * MSEC_DAY } });
		(void)view_apply(f->view, &(struct fact){ .kind = FACT_ALIVE, .alive = { i, ALIVE_ALWAYS } });
		(void)view_apply(f->view, &(struct fact){ .kind = FACT_CHAIN, .chain = { .chain = i, .signed_by = i, .anchors = { &cert, 1 },
			.not_before = f->now - MSEC_DAY, .not_after = f->now + 90 * MSEC_DAY, .renew_at = f->now + MSEC_MIN } });
		(void)view_apply(f->view, &(struct fact){ .kind = FACT_TARGET, .target = { i, 2, i, 5000 + i, TARGET_COUNTED } });
		(void)view_apply(f->view, &(struct fact){ .kind = FACT_SEEN, .seen = { i, i, 1, 1 } });
	}
	engine_forecast(f->view, &f->policy, f->now, f->now + 10 * MSEC_MIN, f->a, &fc);
	assert_int_equal(fc.count, LIMIT_FORECAST_MOMENTS);
	assert_int_equal(fc.moments[0].reason, WAIT_NO_SIGNER);
	assert_int_equal(fc.reached, f->now + 10 * MSEC_MIN);
	assert_true(fc.cut);
	fleet_free(f);
}

/* As many are rotated with it as one batch of the keeper holds. */
static void more_below_than_there_may_be(void **state)
{
	struct fleet *f = fleet_new();
	struct forecast fc;
	int64_t cert = 101;
	struct fact ca = { .kind = FACT_CA, .ca = { .ca = 1, .authority = 5, .cert = cert, .leaf_anchors = { &cert, 1 }, .wanted = true,
		.signing = true, .can_sign = true, .not_before = f->now - MSEC_DAY, .not_after = f->now + 900 * MSEC_DAY,
		.renew_at = f->now + MSEC_HOUR } };

	(void)view_apply(f->view, &ca);
	for (int64_t i = 1; i <= LIMIT_INTERMEDIATES + 5; i++) {
		ca.ca.ca = 1 + i;
		ca.ca.authority = 5 + i;
		ca.ca.cert = 101 + i;
		ca.ca.issuer = 1;
		ca.ca.renew_at = 0;
		(void)view_apply(f->view, &ca);
	}
	size_t before = f->view->ca_count;

	engine_forecast(f->view, &f->policy, f->now, f->now + MSEC_DAY, f->a, &fc);
	assert_int_equal(f->view->ca_count, before + 1 + LIMIT_INTERMEDIATES);
	fleet_free(f);
}

/* A silent slot that meets nobody: from the same moment it is waited for as silent, and the old version for its sake. */
static void two_reasons_are_two_stories(void **state)
{
	struct fleet *f = fleet_new();

	fleet_group(f, 2, GROUP_SLOT);
	fleet_ca(f, 1, 5)->renew_at = f->now + MSEC_DAY;
	fleet_tell_ca(f, fleet_find_ca(f, 1));
	fleet_target(f, 21, 2, 5);
	fleet_settle_all(f);
	fleet_offline(f, 21);
	struct forecast fc = ahead(f, 2 * MSEC_DAY);
	size_t offline = 0, held = 0;

	for (size_t i = 0; i < fc.count; i++) {
		assert_true(fc.moments[i].kind != MOMENT_WAIT || fc.moments[i].target == 21);
		offline += fc.moments[i].reason == WAIT_OFFLINE;
		held += fc.moments[i].reason == WAIT_CHAIN_HELD;
	}
	assert_int_equal(offline, 1);
	assert_int_equal(held, 1);
	fleet_free(f);
}

/* The root is due; of the two that it signed only the wanted one goes on under the next. */
static void what_is_not_wanted_has_no_successor(void **state)
{
	struct fleet *f = fleet_usual();
	struct forecast fc;

	fleet_ca_below(f, 31, 7, 1);
	fleet_ca_below(f, 32, 8, 1);
	fleet_want(f, 32, false);
	fleet_find_ca(f, 1)->renew_at = f->now + MSEC_HOUR;
	fleet_tell_ca(f, fleet_find_ca(f, 1));
	engine_forecast(f->view, &f->policy, f->now, f->now + MSEC_HOUR + MSEC_MIN, f->a, &fc);
	assert_int_equal(authority_find(f->view, 5)->ca_count, 2);
	assert_int_equal(authority_find(f->view, 7)->ca_count, 2);
	assert_int_equal(authority_find(f->view, 8)->ca_count, 1);
	fleet_free(f);
}

/* A rotation is due while a slow store has not reported yet. */
static void what_comes_first_comes_first(void **state)
{
	struct fleet *f = fleet_rotating();

	for (int64_t id = 11; id <= 12; id++) {
		fleet_find(f, id)->pace = 2 * MSEC_HOUR;
		fleet_tell_target(f, fleet_find(f, id));
	}
	fleet_ca(f, 3, 6)->renew_at = f->now + MSEC_HOUR;
	fleet_tell_ca(f, fleet_find_ca(f, 3));
	struct forecast fc = ahead(f, MSEC_DAY);
	const struct moment *m = first_of(&fc, MOMENT_ROTATION);

	assert_non_null(m);
	assert_int_equal(m->authority, 6);
	assert_int_equal(m->at, f->now + MSEC_HOUR);
	fleet_free(f);
}

/* Nothing has a date: what a store reports comes all the same. */
static void only_a_report_is_to_come(void **state)
{
	struct fleet *f = fleet_new();
	struct forecast fc;

	fleet_group(f, 1, GROUP_STORE);
	fleet_goal_cert(f, 1, 901);
	(void)view_apply(f->view, &(struct fact){ .kind = FACT_ALIVE, .alive = { 1011, ALIVE_ALWAYS } });
	(void)view_apply(f->view, &(struct fact){ .kind = FACT_TARGET, .target = { 11, 1, 1011, 0, TARGET_JOINING } });
	engine_forecast(f->view, &f->policy, f->now, f->now + MSEC_DAY, f->a, &fc);
	assert_int_equal(target_find(f->view, 11)->state, TARGET_COUNTED);
	assert_int_equal(target_find(f->view, 11)->doc_count, 0);
	assert_false(fc.cut);
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
		cmocka_unit_test(who_has_no_agent_answers_nothing),
		cmocka_unit_test(cross_signed_versions),
		cmocka_unit_test(so_many_steps_and_no_more),
		cmocka_unit_test(more_is_waited_for_than_is_told),
		cmocka_unit_test(more_below_than_there_may_be),
		cmocka_unit_test(two_reasons_are_two_stories),
		cmocka_unit_test(what_is_not_wanted_has_no_successor),
		cmocka_unit_test(what_comes_first_comes_first),
		cmocka_unit_test(only_a_report_is_to_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
