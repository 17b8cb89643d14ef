/* The hash table: what goes in comes out, and removing leaves no holes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdint.h>

#include "engine/table.h"

static void missing_is_null(void **state)
{
	struct table t = { 0 };
	size_t at = 0;

	assert_null(table_get(&t, 1));
	assert_null(table_take(&t, 1));
	assert_null(table_next(&t, &at));
	table_release(&t);
}

static void put_replaces(void **state)
{
	struct table t = { 0 };
	int x, y;

	table_put(&t, 7, &x);
	table_put(&t, 7, &y);
	assert_ptr_equal(table_get(&t, 7), &y);
	assert_int_equal(t.count, 1);
	assert_ptr_equal(table_take(&t, 7), &y);
	assert_null(table_get(&t, 7));
	table_release(&t);
}

/* Against a plain array, with keys that crowd together. */
static void random_puts_and_takes(void **state)
{
	struct table t = { 0 };
	void *model[512] = { 0 };
	static int things[512];
	uint64_t x = 1;

	for (int i = 0; i < 20000; i++) {
		x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
		int64_t key = (int64_t)((x >> 33) % 512) - 256;
		size_t at = (size_t)(key + 256);

		if (x >> 63) {
			table_put(&t, key, &things[at]);
			model[at] = &things[at];
		} else {
			assert_ptr_equal(table_take(&t, key), model[at]);
			model[at] = NULL;
		}
	}
	size_t count = 0, at = 0, walked = 0;

	for (int64_t key = -256; key < 256; key++) {
		assert_ptr_equal(table_get(&t, key), model[key + 256]);
		count += model[key + 256] != NULL;
	}
	while (table_next(&t, &at))
		walked++;
	assert_int_equal(walked, count);
	assert_int_equal(t.count, count);
	table_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_is_null),
		cmocka_unit_test(put_replaces),
		cmocka_unit_test(random_puts_and_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
