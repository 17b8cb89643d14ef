/* Who holds up how much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service/rotation/blocking.h"

static struct wait node(int64_t target) { return (struct wait){ .speaker = SPEAKER_NODE, .target = target, .count = 1 }; }

static struct wait pair(int64_t target, int64_t other, size_t count)
{
	return (struct wait){ .speaker = SPEAKER_SAFETY, .target = target, .other_target = other, .count = count };
}

static void each_pair_counts_once(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct wait waits[] = {
		node(1), node(2), node(3),
		pair(21, 1, 3), pair(22, 1, 1), pair(21, 2, 3),
		pair(21, 1, 3), /* the same for another CA */
		{ .speaker = SPEAKER_POLICY, .count = 1 }, /* about nobody */
	};
	int64_t *blocks = blocking_count(a, waits, ARRAY_LEN(waits));
	assert_int_equal(blocks[0], 4);
	assert_int_equal(blocks[1], 3);
	assert_int_equal(blocks[2], 0);
	for (size_t i = 3; i < ARRAY_LEN(waits); i++)
		assert_int_equal(blocks[i], 0);
	arena_free(a);
}

static void nothing_is_fine(void **state)
{
	struct arena *a = arena_new(1 << 20);
	assert_non_null(blocking_count(a, NULL, 0));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_pair_counts_once), cmocka_unit_test(nothing_is_fine) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
