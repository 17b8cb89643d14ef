/* `troth dev` as a process of this program, which is its own keeper too: one line, and it answers. */
#include "plant.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/server.h"
#include "base/json.h"
#include "keeper/keeper.h"

static struct arena *a;
static char base[64];

struct dev_process { pid_t pid; const struct json *line; };

static struct dev_process start(void)
{
	struct dev_process p = { 0 };
	int out[2];
	char line[4096] = "";
	size_t len = 0;
	assert_int_equal(pipe(out), 0);
	p.pid = fork();
	if (p.pid == 0) {
		dup2(out[1], 1);
		execl("/proc/self/exe", "dev", "dev", "--dir", arena_printf(a, "%s/d", base), "--plain-http", "--log-level", "error", (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	while (len < sizeof line - 1 && read(out[0], line + len, 1) == 1 && line[len] != '\n')
		len++;
	close(out[0]);
	line[len] = 0;
	assert_true(rc_ok(json_parse(a, bytes_of_text(arena_text(a, line)), &p.line, NULL)));
	return p;
}

static int end(const struct dev_process *p, int sig)
{
	int status;
	kill(p->pid, sig);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	return status;
}

static const char *said(const struct dev_process *p, const char *key)
{
	const char *s = json_get_text(p->line, key, NULL);
	assert_non_null(s);
	return s;
}

/* Killed and started again: the same place, the same credentials, nothing made twice. */
static void one_line_and_the_same_again(void **state)
{
	struct dev_process p = start(), again;
	assert_true(text_starts(said(&p, "url"), "https://127.0.0.1:"));
	assert_true(text_starts(said(&p, "http_url"), "http://127.0.0.1:"));
	assert_int_equal(json_get_int(p.line, "pid", 0), p.pid);
	assert_int_equal(access(said(&p, "ca_file"), R_OK), 0);
	assert_int_equal(access(said(&p, "admin_cert"), R_OK), 0);
	struct bytes cert, cert_again;
	assert_true(rc_ok(file_read(a, said(&p, "admin_cert"), LIMIT_PEM_BYTES, &cert, NULL)));
	assert_true(WIFSIGNALED(end(&p, SIGKILL)));
	again = start();
	assert_string_equal(said(&again, "url"), said(&p, "url"));
	assert_string_equal(said(&again, "token"), said(&p, "token"));
	assert_string_equal(said(&again, "admin_password"), said(&p, "admin_password"));
	assert_string_equal(said(&again, "admin_user"), "dev");
	assert_true(rc_ok(file_read(a, said(&again, "admin_cert"), LIMIT_PEM_BYTES, &cert_again, NULL)));
	assert_true(bytes_equal(cert, cert_again));
	int status = end(&again, SIGTERM);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void wrong_command_lines(void **state)
{
	char *no_dir[] = { (char *)"dev" }, *wrong[] = { (char *)"dev", (char *)"--dir", base, (char *)"--admin" };
	assert_int_equal(dev_command(1, no_dir), 2);
	assert_int_equal(dev_command(4, wrong), 2);
}

static int setup(void **state)
{
	a = arena_new(16 << 20);
	snprintf(base, sizeof base, "/tmp/troth-dev-XXXXXX");
	assert_non_null(mkdtemp(base));
	return 0;
}

static int teardown(void **state)
{
	struct process_result r;
	const char *const rm[] = { "/bin/rm", "-rf", base, NULL };
	int rc = rc_ok(process_run(rm, 0, 0, 10000, &r, NULL)) ? 0 : 1;
	arena_free(a);
	return rc;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(one_line_and_the_same_again), cmocka_unit_test(wrong_command_lines) };
	if (argc > 1 && strcmp(argv[1], "keeper") == 0)
		return keeper_command(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "dev") == 0)
		return dev_command(argc - 1, argv + 1);
	return cmocka_run_group_tests(tests, setup, teardown);
}
