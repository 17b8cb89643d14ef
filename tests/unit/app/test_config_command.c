/* `troth config check` and `troth config show`: what they print, and their exit codes. */
#include "../unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "app/server.h"
#include "base/json.h"
#include "port/port.h"

static struct arena *a;
static char dir[64];
static struct datadir d;

/* Runs a command with its stdout in a file: what it printed, and its exit code. */
static const char *printed(int (*command)(int, char **), int *ret_code, const char *const *words)
{
	char *argv[8] = { (char *)"command" };
	const char *path = arena_printf(a, "%s/out", dir);
	struct bytes text;
	int argc = 1;
	for (; words[argc - 1]; argc++)
		argv[argc] = arena_text(a, words[argc - 1]);
	fflush(stdout);
	int kept = dup(1), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	dup2(fd, 1);
	*ret_code = command(argc, argv);
	fflush(stdout);
	dup2(kept, 1);
	close(kept);
	close(fd);
	assert_ok(file_read(a, path, 1 << 20, &text, &unit_err));
	return arena_text_n(a, (const char *)text.data, text.len);
}
#define PRINTED(command, code, ...) printed(command, code, (const char *const[]){ __VA_ARGS__, NULL })

static void put(const char *path, const char *text) { assert_ok(file_write(path, bytes_of_text(text), 0600, &unit_err)); }

static void check_prints_file_and_line(void **state)
{
	int code;
	put(d.config, "log_level: warn\nloops: 2\n");
	assert_string_equal(PRINTED(config_check_command, &code, "--dir", dir), arena_printf(a, "%s: ok, 2 settings\n", d.config));
	assert_int_equal(code, 0);
	put(d.config, "\nlog_level: loud\ncolor: red\n");
	const char *out = PRINTED(config_check_command, &code, d.config);
	assert_int_equal(code, 1);
	assert_contains(out, arena_printf(a, "%s:2: log_level must be one of", d.config));
	assert_contains(out, "\n  log_level: what is logged");
	assert_contains(out, arena_printf(a, "%s:3: \"color\" is no setting", d.config));
	unlink(d.config);
	(void)PRINTED(config_check_command, &code, d.config);
	assert_int_equal(code, 4);
	(void)PRINTED(config_check_command, &code, "--dir", dir, "two");
	assert_int_equal(code, 2);
}

/* What is shown as YAML says the same when it is read as a configuration. */
static void shown_yaml_is_a_configuration(void **state)
{
	struct config c;
	int code;
	put(d.config, "listen: \"[::1]:8443\"\npublic_names: [a.example, \"::1\"]\nlog_level: warn\n");
	const char *out = PRINTED(config_show_command, &code, "--dir", dir, "--loops", "2");
	assert_int_equal(code, 0);
	assert_contains(out, "listen: \"[::1]:8443\"");
	assert_contains(out, "# file, line 1\n");
	assert_contains(out, "# command line\n");
	assert_contains(out, "# a server that would be started so");
	assert_ok(config_parse(a, bytes_of_text(out), "shown", &c, &unit_err));
	assert_string_equal(config_text(&c, SETTING_LISTEN), "[::1]:8443");
	assert_int_equal(c.values[SETTING_PUBLIC_NAMES].names.count, 2);
	assert_int_equal(config_number(&c, SETTING_LOOPS), 2);
	assert_string_equal(config_text(&c, SETTING_LOG_LEVEL), "warn");
	assert_string_equal(config_text(&c, SETTING_IDLE_TIME), "2m");
	unlink(d.config);
}

static void without_a_file_it_listens_as_it_was_last(void **state)
{
	const struct json *j;
	int code;
	const char *out = PRINTED(config_show_command, &code, "--dir", dir, "-o", "json");
	assert_int_equal(code, 0);
	assert_ok(json_parse(a, bytes_of_text(out), &j, &unit_err));
	assert_string_equal(json_get_text(&json_get(j, "settings")->list.items[SETTING_LISTEN], "value", ""), "127.0.0.1:4711");
	assert_int_equal(json_get(j, "file")->type, JSON_NULL);
	assert_contains(PRINTED(config_show_command, &code, "-o", "yaml"), "# listen: as it was last, at first as given to init");
}

/* While somebody holds the store, what it said of itself counts, and not what the file says by now. */
static void a_server_that_runs_is_believed(void **state)
{
	int code, lock = open(arena_printf(a, "%s.lock", d.store), O_RDWR | O_CREAT, 0600);
	put(d.config, "log_level: error\n");
	put(d.settings, arena_printf(a, "{\"dir\":\"%s\",\"pid\":17,\"file\":null,\"settings\":[{\"name\":\"log_level\",\"value\":\"debug\",\"source\":\"command line\"}]}", dir));
	assert_int_equal(datadir_server(&d), 0);
	assert_contains(PRINTED(config_show_command, &code, "--dir", dir), "log_level: error");
	assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(datadir_server(&d), getpid());
	const char *out = PRINTED(config_show_command, &code, "--dir", dir);
	assert_contains(out, "process 17\n");
	assert_contains(out, "log_level: debug ");
	assert_contains(PRINTED(config_show_command, &code, "--dir", dir, "--log-level", "warn"), "log_level: warn "); /* it is not asked */
	close(lock);
	unlink(d.config);
}

static void wrong_words(void **state)
{
	int code;
	(void)PRINTED(config_show_command, &code, "-o", "table");
	assert_int_equal(code, 2);
	(void)PRINTED(config_show_command, &code, "--loops", "none");
	assert_int_equal(code, 2);
	(void)PRINTED(config_show_command, &code, "--dir", "/none/of/that");
	assert_int_equal(code, 4);
	(void)PRINTED(config_show_command, &code, "--config", "/none/of/that");
	assert_int_equal(code, 4);
}

static int setup(void **state)
{
	a = arena_new(16 << 20);
	strcpy(dir, "/tmp/troth-config-XXXXXX");
	unsetenv("TROTH_DIR");
	assert_non_null(mkdtemp(dir));
	d = datadir_make(a, dir);
	const char *const needed[] = { d.store, d.server_key, d.server_pem, d.ca_pem };
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		put(needed[i], "");
	assert_ok(datadir_write_address(&d, "https://127.0.0.1:4711", "127.0.0.1:4711", &unit_err));
	return 0;
}

static int teardown(void **state)
{
	const char *const made[] = { d.store, d.server_key, d.server_pem, d.ca_pem, d.admin_json, d.listen, d.settings, arena_printf(a, "%s/out", dir),
				     arena_printf(a, "%s.lock", d.store) };
	for (size_t i = 0; i < ARRAY_LEN(made); i++)
		unlink(made[i]);
	assert_int_equal(rmdir(dir), 0);
	arena_free(a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_prints_file_and_line), cmocka_unit_test(shown_yaml_is_a_configuration),
		cmocka_unit_test(without_a_file_it_listens_as_it_was_last), cmocka_unit_test(a_server_that_runs_is_believed), cmocka_unit_test(wrong_words),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
