/* Commands: no shell, clean environment, killed at the deadline with all their children. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit.h"
#include "port/port.h"

static struct process_result run(const char *script, msec_t timeout)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	struct process_result r;
	assert_ok(process_run(argv, getuid(), getgid(), timeout, &r, &unit_err));
	return r;
}

static void exit_code_and_output_come_back(void **state)
{
	struct process_result r = run("echo out; echo err >&2; exit 3", 10 * MSEC_S);
	assert_int_equal(r.exit_code, 3);
	assert_string_equal(r.output, "out\nerr\n");
	assert_false(r.timed_out);
}

static void environment_is_clean(void **state)
{
	setenv("SECRET_TOKEN", "x", 1);
	struct process_result r = run("echo ${SECRET_TOKEN-none} $LANG; read x || echo eof", 10 * MSEC_S);
	assert_string_equal(r.output, "none C\neof\n");
}

static void a_deadline_kills_children_too(void **state)
{
	struct process_result r = run("sleep 100 & echo $!; wait", 300);
	assert_true(r.timed_out);
	assert_int_equal(r.signal, SIGKILL);
	pid_t grandchild = (pid_t)strtol(r.output, NULL, 10);
	assert_true(grandchild > 1);
	char path[64], line[512] = "";
	snprintf(path, sizeof path, "/proc/%d/stat", (int)grandchild);
	for (int i = 0; i < 1000; i++) { /* until it is gone, or a zombie of init's */
		FILE *f = fopen(path, "r");
		if (!f)
			return;
		char *got = fgets(line, sizeof line, f);
		fclose(f);
		if (got && strstr(line, ") Z"))
			return;
		usleep(1000);
	}
	fail_msg("the grandchild lives: %s", line);
}

static void endless_output_is_cut(void **state)
{
	struct process_result r = run("yes | head -c 1000000", 20 * MSEC_S);
	assert_int_equal(r.exit_code, 0);
	assert_int_equal(strlen(r.output), sizeof r.output - 1);
}

static void what_cannot_start_is_an_error(void **state)
{
	struct process_result r;
	const char *missing[] = { "/nonexistent/program", NULL }, *relative[] = { "ls", NULL };
	assert_fails(process_run(missing, getuid(), getgid(), MSEC_S, &r, &unit_err), TROTH_NOT_FOUND);
	assert_non_null(strstr(unit_err.primary, "/nonexistent/program"));
	assert_fails(process_run(relative, getuid(), getgid(), MSEC_S, &r, &unit_err), TROTH_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_code_and_output_come_back), cmocka_unit_test(environment_is_clean),
		cmocka_unit_test(a_deadline_kills_children_too),  cmocka_unit_test(endless_output_is_cut),
		cmocka_unit_test(what_cannot_start_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
