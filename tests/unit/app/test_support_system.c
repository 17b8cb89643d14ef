/* Facts of the machine as text, and the end of a log. */
#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/support.h"
#include "base/limits.h"
#include "port/port.h"

static struct arena *a;
static char dir[64];

static const char *in(const char *name) { return arena_printf(a, "%s/%s", dir, name); }

static const char *tail(const char *text, int64_t lines)
{
	struct buf out = buf_make(1 << 20);
	assert_ok(file_write(in("log"), bytes_of_text(text), 0600, &unit_err));
	assert_ok(support_tail(in("log"), lines, &out, &unit_err));
	const char *got = arena_text(a, buf_text(&out));
	buf_release(&out);
	return got;
}

static void the_last_lines_of_a_log(void **state)
{
	assert_string_equal(tail("one\ntwo\nthree\n", 2), "two\nthree\n");
	assert_string_equal(tail("one\ntwo\nthree\n", 3), "one\ntwo\nthree\n");
	assert_string_equal(tail("one\ntwo\nthree\n", 100), "one\ntwo\nthree\n");
	assert_string_equal(tail("one\ntwo\nthree", 1), "three"); /* being written */
	assert_string_equal(tail("one\n\n\n", 2), "\n\n");
	assert_string_equal(tail("one\n", 0), "");
	assert_string_equal(tail("", 5), "");
}

/* Of a log that is longer than is looked at only whole lines. */
static void a_long_log_is_cut_between_lines(void **state)
{
	CLEANUP(buf_release) struct buf text = buf_make(LIMIT_SUPPORT_LOG_BYTES + (1 << 20));
	CLEANUP(buf_release) struct buf out = buf_make(LIMIT_SUPPORT_LOG_BYTES);
	for (int i = 0; text.len < LIMIT_SUPPORT_LOG_BYTES + 5000; i++)
		buf_printf(&text, "line=%08d %0990d\n", i, 0);
	assert_ok(file_write(in("log"), buf_bytes(&text), 0600, &unit_err));
	assert_ok(support_tail(in("log"), 1 << 20, &out, &unit_err));
	assert_true(out.len > LIMIT_SUPPORT_LOG_BYTES - 1100 && memcmp(out.data, "line=", 5) == 0);
	assert_memory_equal(out.data, text.data + text.len - out.len, out.len);
	assert_fails(support_tail(in("none"), 5, &out, &unit_err), TROTH_NOT_FOUND);
	assert_fails(support_tail(dir, 5, &out, &unit_err), TROTH_INVALID);
}

/* Whoever may write into the directory leads nobody out of it. */
static void no_link_is_followed(void **state)
{
	CLEANUP(buf_release) struct buf out = buf_make(1 << 16);
	assert_ok(file_write(in("shadow"), bytes_of_text("root:secret\n"), 0600, &unit_err));
	assert_int_equal(symlink(in("shadow"), in("soft")), 0);
	assert_fails(support_tail(in("soft"), 5, &out, &unit_err), TROTH_INVALID);
	assert_contains(unit_err.primary, "symbolic link");
	assert_int_equal(link(in("shadow"), in("hard")), 0);
	assert_fails(support_tail(in("hard"), 5, &out, &unit_err), TROTH_INVALID);
	assert_contains(unit_err.primary, "hard link");
	assert_int_equal(out.len, 0);
	(void)unlink(in("hard"));
	(void)unlink(in("soft"));
	(void)unlink(in("shadow"));
}

static void names_and_modes_without_contents(void **state)
{
	CLEANUP(buf_release) struct buf out = buf_make(1 << 16);
	assert_ok(file_write(in("log"), bytes_of_text("contents"), 0640, &unit_err));
	support_files(a, dir, &out);
	const char *text = buf_text(&out);
	assert_contains(text, " log\n");
	assert_contains(text, "100640 ");
	assert_null(strstr(text, "contents"));
	buf_clear(&out);
	support_files(a, in("none"), &out);
	assert_contains(buf_text(&out), "No such file");
}

static void the_machine_and_a_process(void **state)
{
	CLEANUP(buf_release) struct buf out = buf_make(1 << 20);
	support_system(a, dir, &out);
	static const char *const lines[] = { "time  ", "\nclock  ", "\nsystem          Linux ", "\nopenssl         OpenSSL ", "\nmemory  ", "\ndisk  " };
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		assert_contains(buf_text(&out), lines[i]);
	buf_clear(&out);
	support_process(a, getpid(), &out);
	assert_contains(buf_text(&out), "Max open files");
	assert_contains(buf_text(&out), arena_printf(a, "/proc/%ld/status\nName:", (long)getpid()));
	buf_clear(&out);
	support_process(a, 0, &out);
	assert_contains(buf_text(&out), "no server runs");
}

static int setup(void **state)
{
	a = arena_new(64 << 20);
	strcpy(dir, "/tmp/troth-system-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	unlink(in("log"));
	int rc = rmdir(dir);
	arena_free(a);
	return rc;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_last_lines_of_a_log), cmocka_unit_test(a_long_log_is_cut_between_lines),
					    cmocka_unit_test(no_link_is_followed),
		cmocka_unit_test(names_and_modes_without_contents), cmocka_unit_test(the_machine_and_a_process) };
	return cmocka_run_group_tests(tests, setup, teardown);
}
