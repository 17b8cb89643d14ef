/* The growing buffer. */
#include <string.h>

#include "../unit.h"
#include "base/buf.h"

static void appends_and_reads_back(void **state)
{
	CLEANUP(buf_release) struct buf b = buf_make(10000);
	assert_string_equal(buf_text(&b), "");
	buf_add_text(&b, "a");
	buf_add_byte(&b, 'b');
	buf_printf(&b, "%05d", 42);
	buf_add(&b, "", 0);
	assert_string_equal(buf_text(&b), "ab00042");
	assert_int_equal(b.len, 7);
}

static void above_the_maximum_nothing_changes(void **state)
{
	CLEANUP(buf_release) struct buf b = buf_make(4);
	buf_add_text(&b, "1234");
	assert_true(buf_ok(&b));
	buf_add_byte(&b, '5');
	assert_false(buf_ok(&b));
	assert_string_equal(buf_text(&b), "1234");
	buf_clear(&b);
	buf_printf(&b, "%s", "12345");
	assert_false(buf_ok(&b));
	assert_int_equal(b.len, 0);
}

static void secrets_grow_too(void **state)
{
	CLEANUP(buf_release) struct buf b = buf_make_secret(100000);
	for (int i = 0; i < 5000; i++)
		buf_add_text(&b, "secret");
	assert_int_equal(b.len, 30000);
	assert_memory_equal(b.data + 29994, "secret", 6);
	buf_clear(&b);
	assert_int_equal(b.data[0], 0);
}

static void secret_equal_compares(void **state)
{
	assert_true(secret_equal("abc", "abc", 3));
	assert_false(secret_equal("abc", "abd", 3));
	char x[4] = "abc";
	secret_wipe(x, sizeof x);
	assert_memory_equal(x, "\0\0\0\0", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_and_reads_back),
		cmocka_unit_test(above_the_maximum_nothing_changes),
		cmocka_unit_test(secrets_grow_too),
		cmocka_unit_test(secret_equal_compares),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
