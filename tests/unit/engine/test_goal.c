/* What a store shall hold: goal and need. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fleet.h"

static void assert_sent(struct fleet *f, int64_t target, const int64_t *certs, size_t count)
{
	const struct fleet_content *c = fleet_content(f, fleet_newest(f, target));

	assert_int_equal(c->ids.count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(c->ids.items[i], certs[i]);
}

/* A bridged chain needs the old *or* the new: one of them, and always the same one. */
static void need_union(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t bridged = fleet_chain(f, 2, 101);

	fleet_ca(f, 2, 5);
	fleet_content(f, bridged)->ids = (struct fleet_ids){ { 101, 102 }, 2 };
	fleet_tell_content(f, fleet_content(f, bridged));
	fleet_count_as(f, 21, bridged);
	fleet_count_as(f, 22, bridged);
	fleet_ca(f, 3, 5);
	fleet_want(f, 1, false);
	fleet_want(f, 2, false);
	fleet_run(f); /* goal {3}; need: the 1 that the stores hold, not 2, not both */
	assert_sent(f, 11, (int64_t[]){ 101, 103 }, 2);
	size_t done = f->acts_done;

	fleet_run(f);
	assert_int_equal(f->acts_done, done);
	fleet_settle_all(f);
	assert_sent(f, 11, (int64_t[]){ 103 }, 1);
	fleet_free(f);
}

/* What nobody accepts any more needs nobody's trust. */
static void an_expired_chain_is_no_need(void **state)
{
	struct fleet *f = fleet_usual();

	for (int64_t id = 21; id <= 22; id++) {
		fleet_content(f, fleet_newest(f, id))->not_after = f->now - MSEC_DAY;
		fleet_tell_content(f, fleet_content(f, fleet_newest(f, id)));
	}
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	fleet_run(f);
	assert_sent(f, 11, (int64_t[]){ 102 }, 1);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	fleet_free(f);
}

/* A slot serves its own-signed chain: that is a finding, not a need. */
static void drift_is_not_trust(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_count_as(f, 21, fleet_chain(f, 0, 999));
	fleet_ca(f, 2, 5);
	fleet_run(f);
	assert_sent(f, 11, (int64_t[]){ 101, 102 }, 2);
	fleet_settle_all(f); /* and it is replaced by a chain of ours */
	assert_int_equal(fleet_signer_of(f, 21), 2);
	fleet_free(f);
}

static void a_chain_of_an_authority_outside_the_bundle_is_no_need(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_ca(f, 9, 6);
	fleet_count_as(f, 21, fleet_chain(f, 9, 109));
	fleet_run(f);
	assert_int_equal(fleet_find(f, 11)->doc_count, 0);
	fleet_free(f);
}

/* One certificate, wanted by the authority and as a single entry; one reason ends. */
static void two_reasons(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_goal_cert(f, 1, 101);
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 11, 101));
	assert_true(fleet_find_ca(f, 1)->retired); /* the version is over, its certificate stays */
	fleet_free(f);
}

static void two_reasons_one_paused(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_ca_with(f, 7, 6, 101); /* the same certificate in another authority */
	fleet_goal(f, 1, 6);
	fleet_pause(f, 6, true);
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 11, 101));
	fleet_free(f);
}

/* From distrust on, no act adds it: not as goal, not as need, not for a newcomer. */
static void distrust_returns(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_ca *c = fleet_find_ca(f, 1);

	fleet_ca(f, 2, 5);
	fleet_settle_all(f);
	fleet_count_as(f, 21, fleet_chain(f, 1, 101)); /* somebody put the old one back */
	c = fleet_find_ca(f, 1);
	c->distrusted = true;
	c->wanted = true;
	fleet_tell_ca(f, c);
	fleet_target(f, 13, 1, 0);
	fleet_run(f);
	assert_sent(f, 13, (int64_t[]){ 102 }, 1);
	assert_int_equal(fleet_find(f, 21)->asked, 2);
	fleet_free(f);
}

/* Two versions with one certificate, neither wanted: what a slot still serves needs it once. */
static void a_need_that_two_versions_have(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_ca_with(f, 7, 6, 101);
	fleet_ca(f, 8, 6);
	fleet_goal(f, 1, 6);
	fleet_settle_all(f);
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	fleet_want(f, 7, false);
	fleet_run(f);
	assert_sent(f, 11, (int64_t[]){ 101, 102, 108 }, 3);
	fleet_settle_all(f);
	assert_false(fleet_holds_cert(f, 11, 101));
	fleet_free(f);
}

static void paused_authority_stays_as_it_is(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_ca(f, 8, 6);
	fleet_goal(f, 1, 6);
	fleet_settle_all(f);
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	fleet_pause(f, 5, true);
	fleet_ca(f, 9, 6); /* the other one goes on */
	fleet_run(f);
	assert_sent(f, 11, (int64_t[]){ 101, 108, 109 }, 3);
	fleet_free(f);
}

/* A switch that rests on a binding: the old CA stays in every store until the grace is over, then it goes. */
static void a_grace_keeps_what_is_to_go(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_grace(f, 5, 12, f->now + MSEC_DAY);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	assert_true(fleet_holds_cert(f, 11, 101) && fleet_holds_cert(f, 12, 101));
	const struct wait *w = fleet_wait(f, WAIT_GRACE, 12, 0);
	assert_true(w && w->ca == 1 && w->earliest == f->now + MSEC_DAY);
	assert_true(f->plan.next_wake && f->plan.next_wake <= f->now + MSEC_DAY);
	fleet_later(f, MSEC_DAY - MSEC_MIN);
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 11, 101));
	fleet_later(f, MSEC_MIN);
	fleet_settle_all(f);
	assert_false(fleet_holds_cert(f, 11, 101));
	assert_null(fleet_wait(f, WAIT_GRACE, 0, 0));
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

/* What it is for: an undo meets no store without the old CA. */
static void a_switch_is_undone_in_its_grace(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_grace(f, 5, 12, f->now + MSEC_DAY);
	fleet_settle_all(f);
	fleet_want(f, 1, true);
	fleet_want(f, 2, false);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->asked, 1); /* at once: no store has to load anything first */
	assert_int_equal(fleet_find(f, 11)->doc_count, 0);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 1);
	fleet_free(f);
}

/* Who is distrusted goes at once. */
static void no_grace_for_the_distrusted(void **state)
{
	struct fleet *f = fleet_rotating();
	struct fleet_ca *ca = fleet_find_ca(f, 1);

	fleet_settle_all(f);
	fleet_ca(f, 3, 5);
	fleet_want(f, 2, false);
	fleet_grace(f, 5, 12, f->now + MSEC_DAY);
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 11, 102));
	ca = fleet_find_ca(f, 2);
	ca->distrusted = true;
	fleet_tell_ca(f, ca);
	fleet_settle_all(f);
	assert_false(fleet_holds_cert(f, 11, 102));
	fleet_free(f);
}

/* A clock that was set back wakes for it again. */
static void a_grace_outlives_a_clock_set_back(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_grace(f, 5, 12, f->now + MSEC_DAY);
	fleet_settle_all(f);
	fleet_later(f, -MSEC_HOUR);
	fleet_run(f);
	assert_true(f->plan.next_wake && f->plan.next_wake <= f->now + MSEC_DAY + MSEC_HOUR);
	assert_true(fleet_holds_cert(f, 11, 101));
	fleet_free(f);
}

/* The stores hold none of them: the newest is taken, whichever comes first; one that is nobody's is passed over. */
static void the_newest_of_several_anchors(void **state)
{
	struct { int64_t anchors[2], taken; } cases[] = {
		{ { 141, 143 }, 141 }, { { 143, 144 }, 144 }, { { 99, 143 }, 143 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fleet *f = fleet_usual();
		int64_t chain = fleet_chain(f, 41, 0);

		fleet_goal(f, 1, 6);
		fleet_ca_with(f, 49, 6, 141); /* two versions have this certificate, the newer was told first */
		fleet_ca_with(f, 41, 6, 141);
		fleet_ca_with(f, 43, 6, 143);
		fleet_ca_with(f, 44, 6, 144);
		for (size_t k = 0; k < f->ca_count; k++)
			fleet_want(f, f->cas[k].id, f->cas[k].authority == 5);
		fleet_content(f, chain)->ids = (struct fleet_ids){ { cases[i].anchors[0], cases[i].anchors[1] }, 2 };
		fleet_tell_content(f, fleet_content(f, chain));
		fleet_count_as(f, 21, chain);
		fleet_run(f);
		assert_sent(f, 11, (int64_t[]){ 101, cases[i].taken }, 2);
		fleet_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(need_union),
		cmocka_unit_test(an_expired_chain_is_no_need),
		cmocka_unit_test(drift_is_not_trust),
		cmocka_unit_test(a_chain_of_an_authority_outside_the_bundle_is_no_need),
		cmocka_unit_test(two_reasons),
		cmocka_unit_test(two_reasons_one_paused),
		cmocka_unit_test(distrust_returns),
		cmocka_unit_test(a_need_that_two_versions_have),
		cmocka_unit_test(paused_authority_stays_as_it_is),
		cmocka_unit_test(a_grace_keeps_what_is_to_go),
		cmocka_unit_test(a_switch_is_undone_in_its_grace),
		cmocka_unit_test(no_grace_for_the_distrusted),
		cmocka_unit_test(a_grace_outlives_a_clock_set_back),
		cmocka_unit_test(the_newest_of_several_anchors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
