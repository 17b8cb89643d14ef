/* The agenda gives the earliest moment first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdint.h>

#include "engine/agenda.h"

static void earliest_first(void **state)
{
	struct agenda g = { 0 };
	struct appointment item;
	msec_t last = 0;
	uint64_t x = 7;

	assert_null(agenda_first(&g));
	for (int i = 0; i < 500; i++) {
		x = x * UINT64_C(6364136223846793005) + 1;
		agenda_add(&g, (msec_t)(x >> 50), AGENDA_CHAIN, i);
	}
	while (agenda_take(&g, INT64_MAX, &item)) {
		assert_true(item.at >= last);
		last = item.at;
	}
	assert_int_equal(g.count, 0);
	agenda_release(&g);
}

static void not_before_its_time(void **state)
{
	struct agenda g = { 0 };
	struct appointment item;

	agenda_add(&g, 100, AGENDA_CA, 3);
	assert_false(agenda_take(&g, 99, &item));
	assert_int_equal(agenda_first(&g)->at, 100);
	assert_true(agenda_take(&g, 100, &item));
	assert_true(item.id == 3 && item.kind == AGENDA_CA);
	agenda_add(&g, 1, AGENDA_CA, 3);
	agenda_clear(&g);
	assert_null(agenda_first(&g));
	agenda_release(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(earliest_first),
		cmocka_unit_test(not_before_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
