/* `troth agent run`: what it refuses before it starts, and its two processes. */
#include "lab.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"

static int run(struct lab *l, const char *dir, const char *profiles, const char *settings)
{
	const char *argv[] = { "run", "--dir", lab_path(l, dir), "--profiles", profiles, "--settings", lab_path(l, settings), NULL };
	return agent_run(settings[0] ? 7 : 5, (char **)(uintptr_t)argv);
}

static void what_is_missing_is_told(void **state)
{
	struct lab *l = *state;
	char *none[] = { (char *)"run", NULL };
	assert_int_equal(agent_run(1, none), 2);
	assert_int_equal(run(l, "agent", lab_path(l, "srv"), ""), err_exit_code(TROTH_NOT_FOUND));
	lab_write(l, "srv/settings", "nonsense: 1\n");
	assert_int_equal(run(l, "agent", TROTH_PROFILES, "srv/settings"), err_exit_code(TROTH_INVALID));
	assert_int_equal(run(l, "nowhere", TROTH_PROFILES, ""), err_exit_code(TROTH_NOT_FOUND));
	assert_true(strstr(AGENT_RUN_USAGE, "usage: troth agent run") != NULL);
}

static void a_second_one_on_the_directory_is_refused(void **state)
{
	struct lab *l = *state;
	lab_write(l, "agent/lock", "");
	int fd = open(lab_path(l, "agent/lock"), O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(run(l, "agent", TROTH_PROFILES, ""), err_exit_code(TROTH_CONFLICT));
	close(fd);
}

static bool locked(struct lab *l)
{
	int fd = open(lab_path(l, "agent/lock"), O_RDWR);
	bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;
	if (fd >= 0)
		close(fd);
	return held;
}

static void it_runs_until_sigterm_and_leaves_nothing(void **state)
{
	struct lab *l = *state;
	int status;
	hand_close(&l->hand);
	l->open = false;
	pid_t pid = fork();
	if (pid == 0)
		_exit(run(l, "agent", TROTH_PROFILES, ""));
	msec_t until = port_mono(&PORT_CLOCK_REAL) + 20000;
	while (!locked(l) && port_mono(&PORT_CLOCK_REAL) < until)
		usleep(2000);
	assert_true(locked(l));
	/* SIGTERM may come before it is awaited: then it ends by it, which is as well. */
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true((WIFEXITED(status) && WEXITSTATUS(status) == 0) || WIFSIGNALED(status));
	while (locked(l) && port_mono(&PORT_CLOCK_REAL) < until)
		usleep(2000);
	assert_false(locked(l)); /* neither half holds it */
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(what_is_missing_is_told), CASE(a_second_one_on_the_directory_is_refused),
					    CASE(it_runs_until_sigterm_and_leaves_nothing) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
