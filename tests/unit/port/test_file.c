/* Whole files: bounded reading, atomic writing. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit.h"
#include "port/port.h"

static char dir[64], path[128];
static struct arena *a;

static int setup(void **state)
{
	snprintf(dir, sizeof dir, "/tmp/troth-file-XXXXXX");
	a = arena_new(1 << 20);
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof path, "%s/f", dir);
	return 0;
}

static int teardown(void **state)
{
	unlink(path);
	arena_free(a);
	return rmdir(dir);
}

static void what_was_written_is_read(void **state)
{
	struct bytes got;
	struct stat st;
	assert_ok(file_write(path, bytes_of("one\0two", 7), 0600, &unit_err));
	assert_ok(file_read(a, path, 7, &got, &unit_err));
	assert_true(bytes_equal(got, bytes_of("one\0two", 7)));
	assert_int_equal(got.data[7], 0);
	assert_ok(file_write(path, bytes_of_text("three"), 0644, &unit_err));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	CLEANUP(buf_release) struct buf secret = { 0 };
	assert_ok(file_read_secret(path, 100, &secret, &unit_err));
	assert_string_equal(buf_text(&secret), "three");
	assert_true(secret.secret);
}

static void what_is_new_replaces_nothing(void **state)
{
	struct bytes got;
	unlink(path);
	assert_ok(file_write_new(path, bytes_of_text("first"), 0600, &unit_err));
	assert_fails(file_write_new(path, bytes_of_text("second"), 0600, &unit_err), TROTH_CONFLICT);
	assert_ok(file_read(a, path, 10, &got, &unit_err));
	assert_true(bytes_equal(got, bytes_of_text("first")));
	char tmp[160];
	snprintf(tmp, sizeof tmp, "%s.tmp", path);
	assert_int_equal(access(tmp, F_OK), -1);
}

static void too_large_missing_and_odd_files_are_refused(void **state)
{
	struct bytes got;
	assert_ok(file_write(path, bytes_of_text("12345"), 0600, &unit_err));
	assert_fails(file_read(a, path, 4, &got, &unit_err), TROTH_TOO_LARGE);
	assert_fails(file_read(a, "/nonexistent/x", 4, &got, &unit_err), TROTH_NOT_FOUND);
	assert_non_null(strstr(unit_err.primary, "/nonexistent/x"));
	assert_fails(file_read(a, dir, 4, &got, &unit_err), TROTH_INVALID);
	assert_fails(file_read(a, "/dev/zero", 4, &got, &unit_err), TROTH_INVALID);
	assert_fails(file_write("/nonexistent/x", bytes_of_text(""), 0600, &unit_err), TROTH_NOT_FOUND);
}

static void a_left_over_temporary_file_is_no_obstacle(void **state)
{
	char tmp[160];
	snprintf(tmp, sizeof tmp, "%s.tmp", path);
	FILE *f = fopen(tmp, "w");
	fclose(f);
	assert_ok(file_write(path, bytes_of_text("x"), 0600, &unit_err));
	assert_int_equal(access(tmp, F_OK), -1);
}

static void directories_are_made_level_by_level(void **state)
{
	char deep[128], mid[128];
	snprintf(mid, sizeof mid, "%s/a", dir);
	snprintf(deep, sizeof deep, "%s/a/b", dir);
	assert_ok(dir_make(deep, 0700, &unit_err));
	assert_ok(dir_make(deep, 0700, &unit_err));
	assert_int_equal(rmdir(deep), 0);
	assert_int_equal(rmdir(mid), 0);
	assert_fails(dir_make("/dev/null", 0700, &unit_err), TROTH_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_written_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_new_replaces_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(too_large_missing_and_odd_files_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_left_over_temporary_file_is_no_obstacle, setup, teardown),
		cmocka_unit_test_setup_teardown(directories_are_made_level_by_level, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
