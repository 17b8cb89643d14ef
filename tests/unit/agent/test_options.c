/* Command lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "agent/options.h"

static const char *dir, *user;
static const struct agent_option OPTIONS[] = { { "dir", &dir, true }, { "user", &user, false } };

static troth_rc read_line(struct troth_err *e, int argc, const char *const *words)
{
	dir = user = NULL;
	err_clear(e);
	return agent_options_read(argc, (char **)(uintptr_t)words, OPTIONS, 2, e);
}

static void both_forms(void **state)
{
	struct troth_err e = { 0 };
	assert_true(rc_ok(read_line(&e, 4, (const char *const[]){ "run", "--dir", "/x", "--user=u" })));
	assert_string_equal(dir, "/x");
	assert_string_equal(user, "u");
}

static void what_is_wrong_is_named(void **state)
{
	struct troth_err e = { 0 };
	assert_true(rc_failed(read_line(&e, 1, (const char *const[]){ "run" })));
	assert_non_null(strstr(e.primary, "--dir is missing"));
	assert_true(rc_failed(read_line(&e, 2, (const char *const[]){ "run", "--dir" })));
	assert_non_null(strstr(e.primary, "wants a value"));
	assert_true(rc_failed(read_line(&e, 3, (const char *const[]){ "run", "--color", "x" })));
	assert_non_null(strstr(e.primary, "--color"));
	assert_true(rc_failed(read_line(&e, 2, (const char *const[]){ "run", "word" })));
}

static void the_exit_code_is_the_kinds(void **state)
{
	struct troth_err e = { .kind = TROTH_NOT_FOUND, .primary = "(a test's line)", .hint = "none" };
	assert_int_equal(agent_failed(&e), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(both_forms), cmocka_unit_test(what_is_wrong_is_named),
					    cmocka_unit_test(the_exit_code_is_the_kinds) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
