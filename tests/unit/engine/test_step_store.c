/* Stores: what is sent, in which order, and why not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fleet.h"

static size_t certs_of(struct fleet *f, int64_t store)
{
	return fleet_content(f, fleet_newest(f, store))->ids.count;
}

static void all_at_once_when_allowed(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_part(f, 2, 1); /* nobody to consider: the old goes with the same document */
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	fleet_run(f);
	assert_int_equal(certs_of(f, 11), 1);
	fleet_free(f);
}

static void nothing_to_say_nothing_sent(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_ca(f, 8, 6); /* an authority in no bundle */
	fleet_run(f);
	assert_int_equal(f->acts_done, 0);
	fleet_free(f);
}

/* What may not go yet stays; what may go, goes. */
static void drops_what_it_may(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_goal_cert(f, 1, 901);
	fleet_goal_cert(f, 1, 902);
	fleet_settle_all(f);
	fleet_count_as(f, 22, fleet_chain(f, 0, 901)); /* an endpoint that only 901 accepts */
	fleet_find(f, 22)->authority = 0;
	fleet_tell_target(f, fleet_find(f, 22));
	struct fleet_group *g = fleet_find_group(f, 1);

	g->certs.count = 0;
	fleet_tell_group(f, g);
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 11, 901));
	assert_false(fleet_holds_cert(f, 11, 902));
	assert_non_null(fleet_wait(f, WAIT_STILL_SERVED, 11, 22));
	fleet_free(f);
}

/* A silent slot: the store may grow, but not shrink. */
static void grows_beside_a_silent_slot(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_ca(f, 2, 5);
	fleet_settle_all(f);
	fleet_ca(f, 3, 5);
	fleet_want(f, 1, false);
	fleet_offline(f, 22);
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 11, 101) && fleet_holds_cert(f, 11, 103));
	fleet_free(f);
}

static void a_full_store_is_said(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_find_group(f, 1)->limit = 1;
	fleet_tell_group(f, fleet_find_group(f, 1));
	fleet_ca(f, 2, 5);
	fleet_run(f);
	assert_int_equal(f->acts_done, 0);
	assert_int_equal(fleet_wait(f, WAIT_STORE_FULL, 11, 0)->speaker, SPEAKER_OPERATOR);
	fleet_free(f);
}

static void an_empty_goal_is_told_too(void **state)
{
	struct fleet *f = fleet_new();

	fleet_group(f, 1, GROUP_STORE);
	fleet_target(f, 11, 1, 0);
	fleet_settle_all(f);
	assert_int_equal(fleet_find(f, 11)->state, TARGET_COUNTED);
	assert_int_equal(certs_of(f, 11), 0);
	fleet_free(f);
}

static void each_waiting_store_is_named(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	assert_true(fleet_hand(f, 12));
	fleet_offline(f, 12);
	fleet_run(f);
	assert_int_equal(fleet_wait(f, WAIT_NOT_FETCHED, 11, 0)->ca, 2);
	assert_non_null(fleet_wait(f, WAIT_NOT_LOADED, 12, 0));
	assert_non_null(fleet_wait(f, WAIT_OFFLINE, 12, 0));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_at_once_when_allowed),
		cmocka_unit_test(nothing_to_say_nothing_sent),
		cmocka_unit_test(drops_what_it_may),
		cmocka_unit_test(grows_beside_a_silent_slot),
		cmocka_unit_test(a_full_store_is_said),
		cmocka_unit_test(an_empty_goal_is_told_too),
		cmocka_unit_test(each_waiting_store_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
