/* All APIs together: no two rows match the same, each that is served has a name, and each row that needs a caller says which. */
#include "call.h"

#include "edge/router.h"
#include "facade/facade.h"

static void all_tables_fit_together(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct route_table tables[FACADE_TABLES_MAX];
	const struct router *router;
	struct troth_err e = { 0 };
	size_t n = facade_tables(tables);
	assert_true(n > NATIVE_TABLE_COUNT && n <= FACADE_TABLES_MAX);
	if (rc_failed(router_new(a, tables, n, &router, &e)))
		fail_msg("%s", e.primary);
	for (size_t i = 0; i < n; i++)
		assert_true((i < NATIVE_TABLE_COUNT) == !tables[i].facade);
	arena_free(a);
}

static bool is_known(const char *name)
{
	for (const char *const *f = FACADES; *f; f++)
		if (text_equal(*f, name))
			return true;
	return false;
}

static void served_ones_have_credentials(void **state)
{
	for (const struct facade *f = FACADES_SERVED; f->name; f++)
		assert_true(is_known(f->name) && f->client);
	struct route_table tables[FACADE_TABLES_MAX];
	for (size_t i = 0, n = facade_tables(tables); i < n; i++)
		assert_true(!tables[i].facade || text_equal(tables[i].facade, FACADE_ANY) || is_known(tables[i].facade));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_tables_fit_together), cmocka_unit_test(served_ones_have_credentials) };
	return cmocka_run_group_tests_name("facade", tests, NULL, NULL);
}
