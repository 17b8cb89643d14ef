/* Admission: from when a newcomer counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fleet.h"

/* A joiner was handed {1}; slots switched to b2 meanwhile; it must not start so. */
static void joiner_got_old_state(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_target(f, 13, 1, 0);
	fleet_run(f);
	assert_true(fleet_hand(f, 13) && fleet_load(f, 13)); /* {1}, not reported yet */
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	fleet_run(f);
	for (int64_t id = 11; id <= 12; id++)
		fleet_settle(f, id);
	fleet_run(f);
	assert_true(fleet_issue(f, 21));
	fleet_run(f); /* the newcomer holds up nobody */
	fleet_settle(f, 21);
	fleet_report(f, 13); /* now it says {1} */
	fleet_run(f);
	assert_int_equal(fleet_find(f, 13)->state, TARGET_JOINING);
	struct wait why;

	assert_false(view_admissible(f->view, 13, &why));
	assert_int_equal(why.reason, WAIT_ADMISSION);
	assert_int_equal(why.other_target, 21);
	assert_non_null(fleet_wait(f, WAIT_ADMISSION, 13, 21));
	fleet_settle_all(f);
	assert_int_equal(fleet_find(f, 13)->state, TARGET_COUNTED);
	assert_true(fleet_meets_ok(f, 21, 13));
	fleet_free(f);
}

/* A joiner slot reports b1 after the stores began to forget 1. */
static void joiner_slot_got_old_state(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_target(f, 23, 2, 5);
	fleet_run(f);
	assert_true(fleet_issue(f, 23));
	fleet_run(f);
	assert_true(fleet_hand(f, 23) && fleet_load(f, 23)); /* b1, not reported */
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	for (int i = 0; i < 4; i++) {
		fleet_run(f);
		for (int64_t id = 21; id <= 22; id++)
			(void)fleet_issue(f, id); /* nothing asked: nothing to do */
		fleet_run(f);
		for (int64_t id = 11; id <= 22; id += id == 12 ? 9 : 1)
			fleet_settle(f, id);
	}
	assert_false(fleet_holds_cert(f, 11, 101)); /* it blocked nobody */
	fleet_report(f, 23);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 23)->state, TARGET_JOINING);
	fleet_settle_all(f);
	assert_int_equal(fleet_find(f, 23)->state, TARGET_COUNTED);
	assert_int_equal(fleet_signer_of(f, 23), 2);
	fleet_free(f);
}

/* Old is gone from the bundle, but an offline slot may still serve b1: the joiner gets both. */
static void joiner_after_retirement(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_offline(f, 22);
	fleet_settle_all(f); /* 21 goes on; 22 stays with b1 */
	assert_int_equal(fleet_signer_of(f, 21), 2);
	fleet_target(f, 13, 1, 0);
	fleet_settle_all(f);
	assert_int_equal(fleet_find(f, 13)->state, TARGET_COUNTED);
	assert_true(fleet_holds_cert(f, 13, 101) && fleet_holds_cert(f, 13, 102));
	assert_true(fleet_meets_ok(f, 22, 13));
	fleet_free(f);
}

static void a_slot_without_a_chain_is_not_admitted(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_target *t = fleet_target(f, 23, 2, 5);

	t->real_generation = t->real_high = 0;
	fleet_report(f, 23); /* it holds nothing */
	fleet_run(f);
	assert_int_equal(fleet_find(f, 23)->state, TARGET_JOINING);
	assert_false(view_admissible(f->view, 23, NULL));
	assert_false(view_admissible(f->view, 9999, NULL));
	fleet_settle_all(f);
	assert_int_equal(fleet_find(f, 23)->state, TARGET_COUNTED);
	fleet_free(f);
}

static void a_silent_newcomer_is_named(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_target(f, 13, 1, 0);
	fleet_run(f);
	fleet_offline(f, 13);
	fleet_settle(f, 13);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 13)->state, TARGET_JOINING);
	assert_non_null(fleet_wait(f, WAIT_OFFLINE, 13, 0));
	fleet_free(f);
}

/* What was served before the agent came is replaced before it counts. */
static void a_found_chain_is_replaced_first(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_target *t = fleet_target(f, 23, 2, 5);

	t->real = fleet_chain(f, 0, 999);
	fleet_report(f, 23);
	fleet_run(f);
	assert_int_equal(t->asked, 1);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 23), 1);
	assert_int_equal(fleet_find(f, 23)->state, TARGET_COUNTED);
	fleet_free(f);
}

/* An offline store that holds nothing of the authority keeps no newcomer out. */
static void a_dead_store_keeps_nobody_out(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_target(f, 13, 1, 0)->state = TARGET_COUNTED;
	fleet_count_as(f, 13, fleet_set(f, NULL, 0));
	fleet_offline(f, 13);
	fleet_target(f, 23, 2, 5);
	fleet_settle_all(f);
	assert_int_equal(fleet_find(f, 23)->state, TARGET_COUNTED);
	fleet_free(f);
}

/* A slot that serves what nobody could come to trust keeps no store out. */
static void a_foreign_slot_keeps_no_store_out(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_count_as(f, 22, fleet_chain(f, 0, 999));
	fleet_offline(f, 22);
	fleet_target(f, 13, 1, 0);
	fleet_settle_all(f);
	assert_int_equal(fleet_find(f, 13)->state, TARGET_COUNTED);
	fleet_free(f);
}

/* A slot and a store that come together are tested against each other. */
static void two_newcomers_meet(void **state)
{
	struct fleet *f = fleet_new();

	fleet_group(f, 1, GROUP_STORE);
	fleet_group(f, 2, GROUP_SLOT);
	fleet_meet(f, 2, 1);
	fleet_ca(f, 1, 5);
	fleet_ca(f, 2, 5);
	fleet_goal(f, 1, 5);
	struct fleet_target *v = fleet_target(f, 11, 1, 0), *p = fleet_target(f, 21, 2, 5);

	v->real = fleet_set(f, (int64_t[]){ 102 }, 1);
	fleet_report(f, 11);
	p->real = fleet_chain(f, 1, 101);
	fleet_report(f, 21);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 11)->state, TARGET_COUNTED);
	assert_int_equal(fleet_find(f, 21)->state, TARGET_JOINING);
	fleet_settle_all(f);
	assert_true(fleet_meets_ok(f, 21, 11));
	fleet_free(f);
}

/* A newcomer that runs a leaf somebody stole is not admitted with it: it gets another first. */
static void a_distrusted_leaf_is_not_admitted(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_target *t = fleet_target(f, 23, 2, 5);
	int64_t stolen = fleet_chain(f, 1, 101), cert = 101;

	(void)view_apply(f->view, &(struct fact){ .kind = FACT_CHAIN, .chain = { stolen, 1, { &cert, 1 },
		fleet_content(f, stolen)->not_before, fleet_content(f, stolen)->not_after, 0, .distrusted = true } });
	t->real = stolen;
	fleet_report(f, 23);
	fleet_run(f);
	assert_int_equal(t->state, TARGET_JOINING);
	assert_int_equal(t->asked, 1);
	assert_true(fleet_issue(f, 23));
	fleet_run(f);
	assert_int_equal(t->state, TARGET_JOINING); /* what it was sent is good; what it may still serve is not */
	fleet_settle(f, 23);
	fleet_run(f);
	assert_int_equal(t->state, TARGET_COUNTED);
	fleet_free(f);
}

/* Only a distrusted version could be accepted by what it holds: that is no reason to wait for it. */
static void a_store_with_what_is_distrusted_keeps_nobody_out(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_ca(f, 2, 5);
	fleet_target(f, 13, 1, 0);
	fleet_count_as(f, 13, fleet_set(f, (int64_t[]){ 102 }, 1));
	fleet_target(f, 23, 2, 5)->real = fleet_newest(f, 21);
	fleet_report(f, 23);
	assert_false(view_admissible(f->view, 23, NULL)); /* a chain of CA 2 would do */
	fleet_distrust(f, 2);
	assert_true(view_admissible(f->view, 23, NULL));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joiner_got_old_state),
		cmocka_unit_test(joiner_slot_got_old_state),
		cmocka_unit_test(joiner_after_retirement),
		cmocka_unit_test(a_slot_without_a_chain_is_not_admitted),
		cmocka_unit_test(a_silent_newcomer_is_named),
		cmocka_unit_test(a_found_chain_is_replaced_first),
		cmocka_unit_test(a_dead_store_keeps_nobody_out),
		cmocka_unit_test(a_foreign_slot_keeps_no_store_out),
		cmocka_unit_test(two_newcomers_meet),
		cmocka_unit_test(a_distrusted_leaf_is_not_admitted),
		cmocka_unit_test(a_store_with_what_is_distrusted_keeps_nobody_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
