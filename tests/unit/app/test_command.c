/* Reading options; what a failure looks like to a shell. */
#include "app/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char *dir, *listen_at;
static bool force;
static struct option_values names, words;

static troth_rc read(struct troth_err *e, int argc, ...)
{
	char *argv[16] = { (char *)"init" };
	const struct option options[] = { { "dir", &dir }, { "listen", &listen_at }, { "force", NULL, &force }, { "name", NULL, NULL, &names } };
	va_list ap;
	va_start(ap, argc);
	for (int i = 1; i <= argc; i++)
		argv[i] = va_arg(ap, char *);
	va_end(ap);
	dir = listen_at = NULL;
	force = false;
	names.count = words.count = 0;
	return options_read(argc + 1, argv, options, ARRAY_LEN(options), &words, e);
}

static void all_forms(void **state)
{
	struct troth_err e = { 0 };
	assert_true(rc_ok(read(&e, 9, "--dir", "/x", "--listen=a:1", "--force", "--name", "n1", "--name=n2", "word", "--")));
	assert_string_equal(dir, "/x");
	assert_string_equal(listen_at, "a:1");
	assert_true(force);
	assert_int_equal(names.count, 2);
	assert_string_equal(words.items[0], "word");
	assert_true(rc_ok(read(&e, 2, "--", "--dir")));
	assert_string_equal(words.items[0], "--dir");
	assert_null(dir);
}

static void wrong_options(void **state)
{
	struct troth_err e = { 0 };
	assert_int_equal(read(&e, 1, "--dri").code, TROTH_INVALID);
	assert_string_equal(e.primary, "unknown option --dri");
	assert_int_equal(read(&e, 1, "--dir").code, TROTH_INVALID);
	assert_string_equal(e.primary, "option --dir needs a value");
	assert_int_equal(read(&e, 1, "--force=yes").code, TROTH_INVALID);
}

static void exit_codes(void **state)
{
	static const struct command self = { .name = "x" };
	struct troth_err e = { 0 };
	assert_int_equal(err_set(&e, TROTH_NOT_FOUND, "nothing there").code, TROTH_NOT_FOUND);
	assert_int_equal(command_failed(&e), 4);
	assert_int_equal(command_usage(&self, "say more"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_forms), cmocka_unit_test(wrong_options), cmocka_unit_test(exit_codes) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
