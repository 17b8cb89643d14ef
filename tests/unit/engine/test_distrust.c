/* Section 10: emergency.  What breaks is said before; what is distrusted goes at once and never comes
 * back; everything else stays under rule S. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/step.h"
#include "fleet.h"

static struct breakage breakage(struct fleet *f, int64_t ca, size_t max)
{
	struct breakage b;

	engine_breakage(f->view, (struct id_list){ &ca, 1 }, max, f->a, &b);
	return b;
}

static bool sent_has(struct fleet *f, int64_t store, int64_t cert)
{
	const struct fleet_content *c = fleet_content(f, fleet_newest(f, store));

	for (size_t i = 0; i < c->ids.count; i++) {
		if (c->ids.items[i] == cert)
			return true;
	}
	return false;
}

/* -- which pairs break --------------------------------------------------------------------- */

static void pairs_are_counted_and_named(void **state)
{
	struct fleet *f = fleet_usual();
	struct breakage b = breakage(f, 1, 3);

	assert_int_equal(b.breaks, 4);
	assert_int_equal(b.doubts, 0);
	assert_int_equal(b.pair_count, 3);
	assert_true(b.pairs[0].slot >= 21 && b.pairs[0].store < 21);
	assert_int_equal(breakage(f, 999, 3).breaks, 0); /* a version of a leaf */
	fleet_free(f);
}

/* Half way, base and base decide; what is on its way is a doubt. */
static void what_is_on_its_way_is_a_doubt(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	fleet_settle(f, 11);
	fleet_settle(f, 12);
	fleet_run(f);
	assert_int_equal(breakage(f, 2, 9).breaks, 0);
	assert_true(fleet_issue(f, 21));
	fleet_run(f);
	assert_true(fleet_hand(f, 21));
	struct breakage b = breakage(f, 2, 9);

	assert_int_equal(b.breaks, 0);
	assert_int_equal(b.doubts, 2); /* 21 may run the chain of CA 2 already, with 11 and 12 */
	assert_int_equal(b.doubtful_count, 2);
	assert_int_equal(b.doubtful[0].slot, 21);
	fleet_free(f);
}

static void the_unknown_are_doubts(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_void(f, 11);
	assert_int_equal(breakage(f, 1, 9).breaks, 2);
	assert_int_equal(breakage(f, 1, 9).doubts, 2);
	fleet_void(f, 21);
	assert_int_equal(breakage(f, 1, 9).breaks, 1);
	assert_int_equal(breakage(f, 1, 9).doubts, 2); /* nothing at all is known of 21 and 11 */
	fleet_free(f);
}

/* Broken before, or saved by another anchor: not broken by this. */
static void only_what_it_breaks(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t bridged = fleet_chain(f, 1, 101);

	fleet_content(f, bridged)->ids.items[fleet_content(f, bridged)->ids.count++] = 102;
	fleet_tell_content(f, fleet_content(f, bridged));
	fleet_ca(f, 2, 5);
	fleet_settle_all(f);
	fleet_count_as(f, 21, bridged);
	fleet_count_as(f, 22, fleet_chain(f, 3, 103)); /* of nobody whom anybody trusts */
	assert_int_equal(breakage(f, 1, 9).breaks, 0);
	fleet_target(f, 23, 2, 5);
	assert_int_equal(breakage(f, 1, 9).breaks, 0); /* newcomers do not count */
	fleet_free(f);
}

/* -- what is done -------------------------------------------------------------------------- */

static void distrusted_first(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_distrust(f, 1);
	fleet_ca(f, 2, 5);
	fleet_run(f);
	assert_false(sent_has(f, 11, 101)); /* at once, whatever 21 and 22 serve */
	assert_true(sent_has(f, 11, 102));
	assert_true(fleet_find_ca(f, 2)->signing); /* and the label with it */
	assert_int_equal(fleet_find(f, 21)->asked, 2);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	assert_true(fleet_meets_ok(f, 21, 11) && fleet_meets_ok(f, 22, 12));
	fleet_free(f);
}

/* The rest of the same store is under rule S as before. */
static void others_stay_under_rule_s(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_ca(f, 8, 6);
	fleet_goal(f, 1, 6);
	fleet_group(f, 3, GROUP_SLOT);
	fleet_meet(f, 3, 1);
	fleet_target(f, 31, 3, 6);
	fleet_settle_all(f);
	fleet_ca(f, 9, 6);
	fleet_want(f, 8, false); /* a rotation of the other one, not begun */
	fleet_distrust(f, 1);
	fleet_run(f);
	assert_false(sent_has(f, 11, 101));
	assert_true(sent_has(f, 11, 108) && sent_has(f, 11, 109));
	fleet_settle_all(f);
	assert_true(fleet_meets_ok(f, 31, 11));
	assert_int_equal(fleet_signer_of(f, 31), 9);
	fleet_free(f);
}

/* Even a set too large for the store does not keep it in. */
static void a_full_store_loses_it_too(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_find_group(f, 1)->limit = 1;
	fleet_tell_group(f, fleet_find_group(f, 1));
	fleet_distrust(f, 1);
	fleet_ca(f, 2, 5);
	fleet_ca(f, 3, 5);
	fleet_run(f);
	assert_false(sent_has(f, 11, 101));
	fleet_settle_all(f);
	assert_false(fleet_holds_cert(f, 11, 101));
	assert_non_null(fleet_wait(f, WAIT_STORE_FULL, 11, 0));
	fleet_free(f);
}

/* A store that comes back with it from a backup loses it again; a pause does not keep it. */
static void distrust_returns_from_a_backup(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t old = fleet_newest(f, 11);

	fleet_distrust(f, 1);
	fleet_ca(f, 2, 5);
	fleet_settle_all(f);
	fleet_count_as(f, 11, old);
	fleet_pause(f, 5, true);
	fleet_run(f);
	assert_false(sent_has(f, 11, 101));
	fleet_settle_all(f);
	assert_false(fleet_holds_cert(f, 11, 101));
	fleet_free(f);
}

/* Nobody joins with it; nothing under it is sent, not even what lay ready. */
static void distrust_returns_with_nobody(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_group(f, 4, GROUP_SLOT); /* meets nobody: nothing but the rule holds it back */
	fleet_target(f, 41, 4, 5);
	fleet_run(f);
	assert_true(fleet_issue(f, 41));
	fleet_distrust(f, 1);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 41)->doc_count, 0);
	assert_non_null(fleet_wait(f, WAIT_NO_SIGNER, 41, 0));
	fleet_ca(f, 2, 5);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 41), 2);
	fleet_free(f);
}

/* A joiner that was handed it is not admitted before it has lost it. */
static void a_joiner_that_holds_it(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_target(f, 13, 1, 0);
	fleet_run(f);
	assert_true(fleet_hand(f, 13) && fleet_load(f, 13));
	fleet_distrust(f, 1);
	fleet_ca(f, 2, 5);
	fleet_report(f, 13);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 13)->state, TARGET_JOINING);
	fleet_settle_all(f);
	assert_int_equal(fleet_find(f, 13)->state, TARGET_COUNTED);
	assert_false(fleet_holds_cert(f, 13, 101));
	fleet_free(f);
}

/* An intermediate that only a distrusted root vouches for signs no more; one with two roots goes on. */
static void below_a_distrusted_root(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_ca *below = fleet_ca(f, 7, 7), *both = fleet_ca(f, 8, 8);

	fleet_ca(f, 2, 5);
	below->anchors = (struct fleet_ids){ { 101 }, 1 };
	both->anchors = (struct fleet_ids){ { 101, 102 }, 2 };
	fleet_tell_ca(f, below);
	fleet_tell_ca(f, both);
	fleet_distrust(f, 1);
	assert_true(ca_distrusted(f->view, ca_find(f->view, 7)));
	assert_false(ca_distrusted(f->view, ca_find(f->view, 8)));
	struct id_list one = { (int64_t[]){ 101 }, 1 };

	assert_true(chain_distrusted(f->view, &(struct shape){ .members = one }));
	assert_false(chain_distrusted(f->view, &(struct shape){ .signed_by = 8, .members = both->anchors.count ?
		(struct id_list){ both->anchors.items, both->anchors.count } : one }));
	assert_true(chain_distrusted(f->view, &(struct shape){ .signed_by = 7 }));
	assert_false(chain_distrusted(f->view, &(struct shape){ 0 }));
	fleet_free(f);
}

/* A distrusted leaf is not tried again after it failed, nor sent when it lies ready. */
static void a_distrusted_leaf_stays_away(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t leaf = fleet_chain(f, 1, 101);

	fleet_stage(f, 21, leaf);
	fleet_content(f, leaf)->distrusted = true;
	fleet_tell_content(f, fleet_content(f, leaf));
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->doc_count, 0);
	fleet_assert_same(f);
	fleet_content(f, leaf)->distrusted = false; /* so it was that which held it back */
	fleet_tell_content(f, fleet_content(f, leaf));
	fleet_run(f);
	assert_int_equal(fleet_newest(f, 21), leaf);
	fleet_assert_same(f);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_are_counted_and_named),
		cmocka_unit_test(what_is_on_its_way_is_a_doubt),
		cmocka_unit_test(the_unknown_are_doubts),
		cmocka_unit_test(only_what_it_breaks),
		cmocka_unit_test(distrusted_first),
		cmocka_unit_test(others_stay_under_rule_s),
		cmocka_unit_test(a_full_store_loses_it_too),
		cmocka_unit_test(distrust_returns_from_a_backup),
		cmocka_unit_test(distrust_returns_with_nobody),
		cmocka_unit_test(a_joiner_that_holds_it),
		cmocka_unit_test(below_a_distrusted_root),
		cmocka_unit_test(a_distrusted_leaf_stays_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
