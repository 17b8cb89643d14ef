/* HOST:PORT as people write it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"

static void is(const char *text, const char *host, size_t written, int port)
{
	struct address a;
	assert_true(address_parse(text, &a));
	assert_int_equal(a.host_len, strlen(host));
	assert_memory_equal(a.host, host, a.host_len);
	assert_int_equal(a.written, written);
	assert_int_equal(a.port, port);
}

static void what_is_one(void **state)
{
	is("127.0.0.1:8443", "127.0.0.1", 9, 8443);
	is("troth.example.org:0", "troth.example.org", 17, 0);
	is("[2001:db8::1]:65535", "2001:db8::1", 13, 65535);
	is("localhost:00080", "localhost", 9, 80);
}

static void what_is_none(void **state)
{
	static const char *const NONE[] = { "", ":", ":8443", "host", "host:", "host:x", "host:80x", "host:-1", "host:+80", "host: 80", "host:65536",
					    "host:000080", "host:99999999999999999999", "2001:db8::1:80", "::1", "[]:80", "[::1:80", "::1]:80", "[[::1]]:80",
					    "a b:80", "a/b:80", "\"a\":80", "https://host:80", "me@host:80", "host:80\n" };
	struct address a = { .port = 7 };
	for (size_t i = 0; i < sizeof NONE / sizeof NONE[0]; i++)
		if (address_parse(NONE[i], &a))
			fail_msg("\"%s\" was taken for an address", NONE[i]);
	assert_int_equal(a.port, 7);
	char longest[ADDRESS_HOST_MAX + 8];
	memset(longest, 'a', sizeof longest);
	memcpy(longest + ADDRESS_HOST_MAX, ":1", 3);
	assert_true(address_parse(longest, &a));
	memcpy(longest + ADDRESS_HOST_MAX, "a:1", 4);
	assert_false(address_parse(longest, &a));
}

static void any(void **state)
{
	struct address a;
	assert_true(address_parse("0.0.0.0:1", &a) && address_is_any(&a));
	assert_true(address_parse("[::]:1", &a) && address_is_any(&a));
	assert_true(address_parse("[::1]:1", &a) && !address_is_any(&a));
	assert_true(address_parse("0.0.0.01:1", &a) && !address_is_any(&a));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_one), cmocka_unit_test(what_is_none), cmocka_unit_test(any) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
