/* The label: exactly one version signs, and when it moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fleet.h"

static void moves_with_the_first_slot(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	fleet_settle(f, 11);
	fleet_run(f);
	assert_true(fleet_find_ca(f, 1)->signing);
	fleet_settle(f, 12);
	fleet_run(f);
	assert_true(fleet_find_ca(f, 2)->signing && !fleet_find_ca(f, 1)->signing);
	fleet_free(f);
}

static void without_slots_when_all_stores_have_it(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_leave(f, 21);
	fleet_leave(f, 22);
	fleet_run(f);
	fleet_settle(f, 11);
	fleet_run(f);
	assert_true(fleet_find_ca(f, 1)->signing);
	fleet_settle(f, 12);
	fleet_run(f);
	assert_true(fleet_find_ca(f, 2)->signing);
	fleet_free(f);
}

static void without_anybody_at_once(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_ca(f, 8, 6);
	fleet_ca(f, 9, 6);
	fleet_want(f, 8, false);
	fleet_run(f);
	assert_true(fleet_find_ca(f, 9)->signing && fleet_find_ca(f, 8)->retired);
	fleet_free(f);
}

static void stays_while_paused(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_leave(f, 21);
	fleet_leave(f, 22);
	fleet_settle_all(f);
	fleet_ca(f, 3, 5);
	fleet_want(f, 2, false);
	fleet_pause(f, 5, true);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 2)->signing);
	assert_non_null(fleet_wait(f, WAIT_PAUSED, 0, 0));
	fleet_free(f);
}

static void goes_back_with_a_rollback(void **state)
{
	struct fleet *f = fleet_rotating();

	for (int i = 0; i < 3; i++) {
		fleet_run(f);
		fleet_settle(f, 11);
		fleet_settle(f, 12);
	}
	assert_true(fleet_find_ca(f, 2)->signing);
	fleet_want(f, 1, true);
	fleet_want(f, 2, false);
	fleet_run(f);
	assert_true(fleet_find_ca(f, 1)->signing); /* the slots serve it still: the first can take it */
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves_with_the_first_slot),
		cmocka_unit_test(without_slots_when_all_stores_have_it),
		cmocka_unit_test(without_anybody_at_once),
		cmocka_unit_test(stays_while_paused),
		cmocka_unit_test(goes_back_with_a_rollback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
