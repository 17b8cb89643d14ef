/* Sets of ids as sorted lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/ids.h"

#define LIST(...) ((struct id_list){ (const int64_t[]){ __VA_ARGS__ }, \
				     sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t) })
static const struct id_list nothing;

static void keep_sorts_and_drops_repeats(void **state)
{
	struct id_list l = ids_keep(LIST(3, 1, 2, 3, 1));

	assert_true(ids_same(l, LIST(1, 2, 3)));
	ids_release(&l);
	l = ids_keep(nothing);
	assert_int_equal(l.count, 0);
	ids_release(&l);
}

static void membership(void **state)
{
	assert_true(ids_has(LIST(1, 5, 9), 5));
	assert_false(ids_has(LIST(1, 5, 9), 4));
	assert_false(ids_has(nothing, 4));
	assert_true(ids_meet(LIST(1, 5), LIST(2, 5, 8)));
	assert_false(ids_meet(LIST(1, 5), LIST(2, 6, 8)));
	assert_false(ids_meet(nothing, LIST(1)));
	assert_true(ids_within(nothing, LIST(1)));
	assert_true(ids_within(LIST(1, 9), LIST(1, 5, 9)));
	assert_false(ids_within(LIST(1, 9), LIST(1)));
	assert_false(ids_same(LIST(1, 2), LIST(1, 3)));
}

static void arithmetic(void **state)
{
	struct arena *a = arena_new(1 << 20);

	assert_true(ids_same(ids_union(a, LIST(1, 3), LIST(2, 3, 4)), LIST(1, 2, 3, 4)));
	assert_true(ids_same(ids_union(a, nothing, LIST(2)), LIST(2)));
	assert_true(ids_same(ids_minus(a, LIST(1, 2, 3), LIST(2, 9)), LIST(1, 3)));
	assert_true(ids_same(ids_common(a, LIST(1, 2, 3), LIST(2, 3, 9)), LIST(2, 3)));
	assert_true(ids_same(ids_without(a, LIST(1, 2), 2), LIST(1)));
	assert_true(ids_same(ids_sorted(a, LIST(2, 1, 2)), LIST(1, 2)));
	assert_true(ids_same(ids_sorted(a, nothing), nothing));
	arena_free(a);
}

static void equal_sets_hash_alike(void **state)
{
	assert_true(ids_hash(LIST(1, 2)) == ids_hash(LIST(1, 2)));
	assert_true(ids_hash(LIST(1, 2)) != ids_hash(LIST(2, 1)));
	assert_true(ids_hash(LIST(0)) != ids_hash(nothing));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keep_sorts_and_drops_repeats),
		cmocka_unit_test(membership),
		cmocka_unit_test(arithmetic),
		cmocka_unit_test(equal_sets_hash_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
