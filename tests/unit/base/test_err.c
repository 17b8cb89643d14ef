/* The error record and its table. */
#include <errno.h>
#include <string.h>

#include "../unit.h"

static void set_writes_kind_and_text(void **state)
{
	struct troth_err e = { .hint = "old" };
	troth_rc rc = err_set(&e, TROTH_INVALID, "no %s", "good");
	assert_int_equal(rc.code, TROTH_INVALID);
	assert_string_equal(e.primary, "no good");
	assert_string_equal(e.hint, "");
}

static void set_accepts_its_own_text_as_argument(void **state)
{
	struct troth_err e = { .primary = "inner" };
	(void)err_set(&e, TROTH_IO, "outer: %s", e.primary);
	assert_string_equal(e.primary, "outer: inner");
}

static void null_record_is_fine(void **state)
{
	assert_int_equal(err_set(NULL, TROTH_BUSY, "x").code, TROTH_BUSY);
	err_hint(NULL, "x");
	err_prefix(NULL, "x");
	err_clear(NULL);
}

static void errno_chooses_the_kind(void **state)
{
	struct troth_err e = { 0 };
	assert_int_equal(err_errno(&e, ENOENT, "could not open \"%s\"", "f").code, TROTH_NOT_FOUND);
	assert_string_equal(e.primary, "could not open \"f\": No such file or directory");
	assert_int_equal(err_errno(&e, ENOSPC, "x").code, TROTH_UNAVAILABLE);
	assert_int_equal(err_errno(&e, EACCES, "x").code, TROTH_IO);
}

static void prefix_goes_in_front(void **state)
{
	struct troth_err e = { 0 };
	(void)err_set(&e, TROTH_IO, "disk full");
	err_prefix(&e, "audit %d", 7);
	assert_string_equal(e.primary, "audit 7: disk full");
}

static void long_text_is_cut_not_spilled(void **state)
{
	struct troth_err e = { 0 };
	char big[2000];
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = 0;
	(void)err_set(&e, TROTH_IO, "%s", big);
	err_prefix(&e, "%s", big);
	assert_int_equal(strlen(e.primary), sizeof e.primary - 1);
}

static void every_kind_has_its_row(void **state)
{
	for (int k = 0; k < TROTH_KIND_MAX; k++) {
		assert_non_null(err_kind_name(k));
		assert_non_null(err_kind_title(k));
		assert_true(err_http_status(k) >= 200 && err_http_status(k) < 600);
		assert_in_range(err_exit_code(k), 0, 5);
	}
	assert_int_equal(err_exit_code(TROTH_UNSAFE), 3);
	assert_int_equal(err_exit_code(TROTH_NOT_FOUND), 4);
	assert_int_equal(err_exit_code(TROTH_TIMEOUT), 5);
}

static void http_status_comes_back(void **state)
{
	assert_int_equal(err_kind_from_http(204), TROTH_OK);
	assert_int_equal(err_kind_from_http(404), TROTH_NOT_FOUND);
	assert_int_equal(err_kind_from_http(418), TROTH_INVALID);
	assert_int_equal(err_kind_from_http(599), TROTH_INTERNAL);
}

static troth_rc ensure_seven(int n, struct troth_err *e)
{
	ENSURE(n == 7, e, TROTH_INVALID, "%d is not seven", n);
	return RC_OK;
}

static troth_rc try_twice(int a, int b, struct troth_err *e)
{
	TRY(ensure_seven(a, e));
	TRY(ensure_seven(b, e));
	return RC_OK;
}

static void try_hands_the_first_failure_up(void **state)
{
	assert_ok(try_twice(7, 7, &unit_err));
	assert_fails(try_twice(7, 8, &unit_err), TROTH_INVALID);
	assert_string_equal(unit_err.primary, "8 is not seven");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_writes_kind_and_text), cmocka_unit_test(set_accepts_its_own_text_as_argument),
		cmocka_unit_test(null_record_is_fine),	    cmocka_unit_test(errno_chooses_the_kind),
		cmocka_unit_test(prefix_goes_in_front),	    cmocka_unit_test(long_text_is_cut_not_spilled),
		cmocka_unit_test(every_kind_has_its_row),   cmocka_unit_test(http_status_comes_back),
		cmocka_unit_test(try_hands_the_first_failure_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
