/* The arena: alignment, zeroes, growth, its maximum. */
#include <stdalign.h>
#include <string.h>

#include "../unit.h"
#include "base/arena.h"

static void memory_is_zero_and_aligned(void **state)
{
	struct arena *a = arena_new(1 << 20);
	for (size_t n = 0; n < 300; n += 7) {
		uint8_t *p = arena_alloc(a, n);
		assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
	arena_free(a);
}

static void reset_gives_clean_memory_again(void **state)
{
	struct arena *a = arena_new(1 << 20);
	memset(arena_alloc(a, 100000), 0xff, 100000);
	memset(arena_alloc(a, 1000), 0xff, 1000);
	arena_reset(a);
	assert_int_equal(arena_used(a), 0);
	char *p = arena_alloc(a, 2000);
	assert_int_equal(p[0] | p[1999], 0);
	arena_free(a);
}

static void the_maximum_holds(void **state)
{
	struct arena *a = arena_new_may_fail(1000);
	assert_non_null(arena_alloc(a, 900));
	assert_null(arena_alloc(a, 200));
	assert_null(arena_array(a, SIZE_MAX / 2, 4));
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_non_null(arena_alloc(a, 10));
	arena_free(a);
	arena_free(NULL);
}

static void texts_are_copies(void **state)
{
	struct arena *a = arena_new(1 << 20);
	char word[] = "hello";
	char *copy = arena_text(a, word);
	word[0] = 'j';
	assert_string_equal(copy, "hello");
	assert_null(arena_text(a, NULL));
	assert_string_equal(arena_text_n(a, "hello", 2), "he");
	assert_string_equal(arena_printf(a, "%s-%d", copy, 5), "hello-5");
	struct bytes b = arena_bytes(a, bytes_of("xyz", 3));
	assert_true(bytes_equal(b, bytes_of_text("xyz")));
	arena_free(a);
}

/* Three hundred certificates of 2 KiB, one behind the other, are 600 KiB: no more than that is taken. */
static void joining_takes_what_it_gives(void **state)
{
	static char text[2049];
	const char *texts[300];
	struct arena *a = arena_new(1 << 20);
	memset(text, 'x', sizeof text - 1);
	for (size_t i = 0; i < 300; i++)
		texts[i] = text;
	assert_int_equal(strlen(arena_join(a, texts, 300)), 300 * 2048);
	assert_string_equal(arena_join(a, texts, 0), "");
	assert_string_equal(arena_join(a, (const char *const[]){ "a", "", "bc" }, 3), "abc");
	arena_free(a);
}

static void it_says_when_little_is_left(void **state)
{
	struct arena *a = arena_new(1 << 20);
	arena_alloc(a, 3 << 18);
	assert_false(arena_scarce(a, 0));
	assert_true(arena_scarce(a, 1) && arena_scarce(a, SIZE_MAX));
	arena_alloc(a, 16);
	assert_true(arena_scarce(a, 0));
	arena_reset(a);
	assert_false(arena_scarce(a, 3 << 18));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zero_and_aligned), cmocka_unit_test(reset_gives_clean_memory_again),
		cmocka_unit_test(the_maximum_holds),          cmocka_unit_test(texts_are_copies),
		cmocka_unit_test(joining_takes_what_it_gives), cmocka_unit_test(it_says_when_little_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
