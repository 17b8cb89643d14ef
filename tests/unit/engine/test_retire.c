/* Rule V: when a version is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fleet.h"

static void not_while_a_slot_may_serve_its_chain(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_part(f, 2, 1); /* slots and stores have nothing to do with each other */
	fleet_run(f);
	assert_true(fleet_issue(f, 21));
	fleet_run(f);
	fleet_settle(f, 21);
	fleet_settle(f, 11);
	fleet_settle(f, 12);
	fleet_run(f);
	assert_false(fleet_holds_cert(f, 11, 101));
	assert_false(fleet_find_ca(f, 1)->retired);
	const struct wait *w = fleet_wait(f, WAIT_CHAIN_HELD, 22, 0);

	assert_non_null(w);
	assert_string_equal(w->rule, "V");
	assert_int_equal(w->ca, 1);
	fleet_free(f);
}

static void not_while_a_store_is_unknown(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_settle_all(f);
	fleet_ca(f, 3, 5);
	fleet_want(f, 2, false);
	fleet_part(f, 2, 1);
	fleet_void(f, 12);
	for (int i = 0; i < 5; i++) {
		fleet_run(f);
		for (int64_t id = 21; id <= 22; id++) {
			(void)fleet_issue(f, id); /* nothing asked: nothing to do */
			fleet_run(f);
			fleet_settle(f, id);
		}
		fleet_settle(f, 11);
	}
	assert_false(fleet_find_ca(f, 2)->retired);
	assert_non_null(fleet_wait(f, WAIT_CHAIN_HELD, 12, 0));
	fleet_free(f);
}

/* The old certificate is uploaded again: retire the old id, introduce the new; nothing moves in the stores. */
static void repeated_fingerprint(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t set = fleet_newest(f, 11);

	fleet_ca_with(f, 2, 5, 101);
	fleet_want(f, 1, false);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired && !fleet_find_ca(f, 2)->retired);
	assert_int_equal(fleet_newest(f, 11), set);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	fleet_free(f);
}

static void a_newcomer_holds_up_nothing(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_target(f, 23, 2, 5);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 23)->asked, 1); /* the stores take that now */
	assert_true(fleet_issue(f, 23));
	fleet_run(f);
	assert_true(fleet_hand(f, 23)); /* and is never heard of again */
	fleet_offline(f, 23);
	for (int i = 0; i < 6; i++) {
		fleet_run(f);
		for (int64_t id = 11; id <= 22; id += id == 12 ? 9 : 1) {
			(void)fleet_issue(f, id); /* nothing asked: nothing to do */
			fleet_run(f);
			fleet_settle(f, id);
		}
	}
	fleet_run(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

static void the_last_one_signs_until_somebody_else_can(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_want(f, 1, false);
	fleet_settle_all(f);
	assert_false(fleet_find_ca(f, 1)->retired);
	assert_true(fleet_holds_cert(f, 11, 101)); /* the slots need it */
	assert_non_null(fleet_wait(f, WAIT_NO_SIGNER, 0, 0));
	fleet_free(f);
}

/* Somebody else can, a little later: that is said, and not that nobody can. */
static void the_next_one_is_not_valid_yet(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_ca *c = fleet_ca(f, 2, 5);

	c->not_before = f->now + MSEC_HOUR;
	fleet_tell_ca(f, c);
	fleet_want(f, 1, false);
	fleet_settle_all(f);
	assert_null(fleet_wait(f, WAIT_NO_SIGNER, 0, 0));
	const struct wait *w = fleet_wait(f, WAIT_NOT_VALID_YET, 0, 0);

	assert_non_null(w);
	assert_int_equal(w->ca, 2);
	assert_int_equal(w->earliest, f->now + MSEC_HOUR + 5 * MSEC_MIN);
	fleet_later(f, MSEC_HOUR + 5 * MSEC_MIN);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

/* In no store and no slot: nothing of it would leave, and still somebody wants to say when it is over. */
static void not_without_its_approval(void **state)
{
	struct fleet *f = fleet_usual();
	struct fact *r;

	fleet_ca(f, 3, 6);
	fleet_find_ca(f, 3)->signing = true;
	fleet_tell_ca(f, fleet_find_ca(f, 3));
	fleet_ca(f, 4, 6);
	fleet_want(f, 3, false);
	r = fleet_rollout(f, 6);
	r->rollout.everywhere = STEP_WITHDRAW;
	fleet_tell(f, r);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 4)->signing && !fleet_find_ca(f, 3)->retired);
	assert_int_equal(fleet_wait(f, WAIT_APPROVE_WITHDRAW, 0, 0)->ca, 3);
	r->rollout.everywhere = 0;
	fleet_tell(f, r);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 3)->retired);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_while_a_slot_may_serve_its_chain),
		cmocka_unit_test(not_while_a_store_is_unknown),
		cmocka_unit_test(repeated_fingerprint),
		cmocka_unit_test(a_newcomer_holds_up_nothing),
		cmocka_unit_test(the_last_one_signs_until_somebody_else_can),
		cmocka_unit_test(the_next_one_is_not_valid_yet),
		cmocka_unit_test(not_without_its_approval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
