/* Passwords as they are kept: against RFC 7914, and what is no kept password. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "pki/password.h"

static const uint8_t SALT[PASSWORD_SALT_BYTES] = "0123456789abcdef";

static void kept_and_checked(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct troth_err e = { 0 };
	const char *kept, *other;
	bool match;
	assert_true(rc_ok(password_keep(a, "correct horse", PASSWORD_COST_LEAST, SALT, &kept, &e)));
	assert_true(text_starts(kept, "scrypt:04:30313233343536373839616263646566:"));
	assert_null(strstr(kept, "horse"));
	assert_true(rc_ok(password_check(kept, "correct horse", &match, &e)) && match);
	assert_true(rc_ok(password_check(kept, "correct horsf", &match, &e)) && !match);
	assert_true(rc_ok(password_check(kept, "", &match, &e)) && !match);
	assert_true(rc_ok(password_keep(a, "correct horse", PASSWORD_COST_LEAST, (const uint8_t *)"fedcba9876543210", &other, &e)));
	assert_string_not_equal(kept + 40, other + 40); /* another salt, another result */
	arena_free(a);
}

/* scrypt with N 16, r 8, p 1, computed by Python's hashlib.scrypt. */
static void as_another_program_has_it(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const char *kept;
	assert_true(rc_ok(password_keep(a, "pleaseletmein", 4, SALT, &kept, NULL)));
	assert_string_equal(kept, "scrypt:04:30313233343536373839616263646566:6905ab05d2c9adb197ac3c2818b8a6cfc2ed414ee5f97467fbe4b1d7d67ff346");
	arena_free(a);
}

static void nobodys_takes_the_work_and_matches_nothing(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const char *kept = password_nobodys(a, PASSWORD_COST_LEAST);
	bool match = true;
	assert_true(rc_ok(password_check(kept, "", &match, NULL)) && !match);
	arena_free(a);
}

static void what_is_none_is_corrupt(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const char *good = password_nobodys(a, 4);
	static const struct { size_t at; char c; } changes[] = { { 0, 'x' }, { 7, '9' }, { 8, '0' }, { 8, 'x' }, { 9, '-' }, { 12, 'g' }, { 42, '.' }, { 70, 'z' } };
	struct troth_err e;
	bool match;
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		char *bad = arena_text(a, good);
		bad[changes[i].at] = changes[i].c;
		assert_int_equal(password_check(bad, "x", &match, &e).code, TROTH_CORRUPT);
	}
	assert_int_equal(password_check(arena_printf(a, "%s0", good), "x", &match, &e).code, TROTH_CORRUPT);
	assert_int_equal(password_check("", "x", &match, &e).code, TROTH_CORRUPT);
	assert_int_equal(password_check(NULL, "x", &match, &e).code, TROTH_CORRUPT);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_and_checked), cmocka_unit_test(as_another_program_has_it),
		cmocka_unit_test(nobodys_takes_the_work_and_matches_nothing), cmocka_unit_test(what_is_none_is_corrupt),
	};
	return cmocka_run_group_tests_name("password", tests, NULL, NULL);
}
