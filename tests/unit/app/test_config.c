/* Settings: what is accepted, what is refused with its line and a cure, who wins, what a reload may change, and that the manual
 * says the same as the table. */
#include "../unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/config.h"
#include "app/server.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "port/port.h"

static struct arena *a;

static int setup(void **state)
{
	a = arena_new(64 << 20);
	return 0;
}

static int teardown(void **state)
{
	arena_free(a);
	return 0;
}

static struct config parsed(const char *text)
{
	struct config c;
	assert_ok(config_parse(a, bytes_of_text(text), "troth.yaml", &c, &unit_err));
	return c;
}

static void defaults_are_what_the_parts_have(void **state)
{
	struct config c = parsed("");
	assert_int_equal(config_number(&c, SETTING_CONNECTIONS), LIMIT_CONNECTIONS);
	assert_int_equal(config_number(&c, SETTING_REQUEST_TIME), LIMIT_CONNECTION_REQUEST_S * MSEC_S);
	assert_int_equal(config_number(&c, SETTING_IDLE_TIME), LIMIT_CONNECTION_IDLE_S * MSEC_S);
	assert_int_equal(config_number(&c, SETTING_LOG_LEVEL), LOG_LEVEL_INFO);
	assert_int_equal(config_number(&c, SETTING_LOG_FORMAT), LOG_FORMAT_LOGFMT);
	assert_int_equal(config_number(&c, SETTING_CREDHUB_EXPORTABLE), false);
	assert_null(config_text(&c, SETTING_LISTEN));
	for (size_t i = 0; i < SETTING_COUNT; i++)
		assert_int_equal(c.values[i].source, SETTING_DEFAULT);
}

static void a_file_is_read(void **state)
{
	struct config c = parsed("# mine\nlisten: \"[::]:8443\"\npublic_names: [a.example, \"::1\"]\nloops: 2\nconnections: 100\n"
				 "request_time: 500ms\nidle_time: 1m30s\nlog_level: error\nlog_format: json\ncredhub_exportable: true\n");
	assert_string_equal(config_text(&c, SETTING_LISTEN), "[::]:8443");
	assert_int_equal(c.values[SETTING_PUBLIC_NAMES].names.count, 2);
	assert_string_equal(c.values[SETTING_PUBLIC_NAMES].names.items[1], "::1");
	assert_int_equal(config_number(&c, SETTING_LOOPS), 2);
	assert_int_equal(config_number(&c, SETTING_CONNECTIONS), 100);
	assert_int_equal(config_number(&c, SETTING_REQUEST_TIME), 500);
	assert_int_equal(config_number(&c, SETTING_IDLE_TIME), 90000);
	assert_int_equal(config_number(&c, SETTING_LOG_LEVEL), LOG_LEVEL_ERROR);
	assert_int_equal(config_number(&c, SETTING_LOG_FORMAT), LOG_FORMAT_JSON);
	assert_int_equal(c.values[SETTING_LOG_FORMAT].line, 9);
	assert_int_equal(config_number(&c, SETTING_CREDHUB_EXPORTABLE), true);
	assert_int_equal(c.from_file, SETTING_COUNT);
	assert_int_equal(parsed("public_names: one.example").values[SETTING_PUBLIC_NAMES].names.count, 1);
}

static void a_file_that_says_nothing_is_fine(void **state)
{
	static const char *const texts[] = { "", "\n\n", "# all of it\n  # is a remark", "---\n", "\t\r\n" };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(parsed(texts[i]).from_file, 0);
}

/* -- refusals ------------------------------------------------------------------------------------------------- */
static const struct finding *findings_of(const char *text)
{
	struct config c = { .from_file = 77 };
	assert_fails(config_parse(a, bytes_of_text(text), "troth.yaml", &c, &unit_err), TROTH_INVALID);
	assert_int_equal(c.from_file, 77); /* nothing was written */
	assert_contains(unit_err.hint, "troth config check troth.yaml");
	return unit_err.findings;
}

static void every_fault_is_named_with_its_line_and_a_cure(void **state)
{
	static const struct { const char *path, *text, *hint; } want[] = {
		{ "line 1", "\"log-level\" is no setting", "in the file it is written: log_level" },
		{ "line 2", "log_level must be one of debug, info, warn, error, and is \"loud\"", "default: info" },
		{ "line 3", "loops must be a number from 1 to 16, and is \"17\"", "one per core" },
		{ "line 4", "listen must be ADDRESS:PORT", "where it listens" },
		{ "line 5", "request_time must be a time with its unit from 100ms to 1h, such as 20s, and is \"20\"", "default: 20s" },
		{ "line 6", "idle_time has no value", "default: 2m" },
		{ "line 7", "connections takes one plain value", "default: 20000" },
		{ "line 10", "public_names must be a DNS name or an IP address as clients write it", "clients call it by" },
		{ "line 11", "\"colour\" is no setting", "there are: listen, public_names" },
	};
	const struct finding *f = findings_of("log-level: info\nlog_level: loud\nloops: 17\nlisten: 8443\nrequest_time: 20\nidle_time:\n"
					      "connections: [1]\npublic_names:\n  - a.example\n  - \"*.example\"\ncolour: {red: 1}\n");
	assert_contains(unit_err.primary, "troth.yaml: 9 things are wrong");
	for (size_t i = 0; i < ARRAY_LEN(want); i++, f = f->next) {
		assert_non_null(f);
		assert_string_equal(f->path, want[i].path);
		assert_contains(f->text, want[i].text);
		assert_contains(f->hint, want[i].hint);
	}
	assert_null(f);
}

static void values_at_the_edge(void **state)
{
	static const char *const wrong[] = {
		"loops: 0", "loops: -1", "loops: 1.5", "loops: 99999999999", "loops: true", "connections: 20001", "request_time: 99ms", "request_time: 2h",
		"request_time: 0s", "idle_time: never", "log_level: INFO", "log_level: ''", "log_format: xml", "listen: ':8443'", "listen: 'a:b:1'",
		"listen: 127.0.0.1:65536", "listen: '127.0.0.1:'", "listen: 'a b:1'", "listen: ''", "public_names: {a: b}", "public_names: ['']",
		"public_names: [dns:a.example]", "log_level: \"in\\0fo\"",
	};
	static const char *const right[] = { "loops: 1", "loops: '16'", "connections: 1", "request_time: 100ms", "request_time: 1h", "listen: localhost:0",
					     "listen: 127.0.0.1:65535", "public_names: []" };
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (!findings_of(wrong[i]))
			fail_msg("no finding: %s", wrong[i]);
	for (size_t i = 0; i < ARRAY_LEN(right); i++)
		(void)parsed(right[i]);
	CLEANUP(buf_release) struct buf many = buf_make(1 << 16);
	buf_add_text(&many, "public_names: [");
	for (int i = 0; i < OPTION_VALUES + 1; i++)
		buf_printf(&many, "n%d.example, ", i);
	buf_add_text(&many, "]");
	assert_contains(findings_of(buf_text(&many))->text, "has 33 entries, and may have 32");
}

static void broken_yaml_says_its_line(void **state)
{
	assert_null(findings_of("loops: 2\nlog_level: [\n"));
	assert_contains(unit_err.primary, "troth.yaml: line 3: broken YAML");
	assert_null(findings_of("listen: [::]:8443\n")); /* what one types first */
	assert_contains(unit_err.hint, "listen: \"[::]:8443\"");
	(void)findings_of("- a\n");
	assert_contains(unit_err.primary, "line 1: a setting and its value are written");
	(void)findings_of("loops: 1\nloops: 2\n");
	assert_contains(unit_err.primary, "line 2: the key \"loops\" stands twice");
}

/* Every byte of a good file in turn becomes something else: it is read, or refused with words. */
static void damaged_files_are_read_or_refused(void **state)
{
	static const char good[] = "listen: \"[::]:8443\"\npublic_names: [a.example]\nloops: 2\nlog_level: warn\nidle_time: 5s\n";
	static const char bytes[] = { 0, '\n', '[', '"', ':', '\t', '\xff', '&' };
	char text[sizeof good];
	for (size_t i = 0; i < sizeof good - 1; i++)
		for (size_t b = 0; b < sizeof bytes; b++) {
			struct arena *own = arena_new(1 << 20);
			struct troth_err e = { 0 };
			struct config c;
			memcpy(text, good, sizeof good);
			text[i] = bytes[b];
			if (rc_failed(config_parse(own, bytes_of(text, sizeof good - 1), "f", &c, &e)))
				assert_true(e.kind != TROTH_OK && e.primary[0] && e.hint[0]);
			arena_free(own);
		}
}

/* -- who wins ---------------------------------------------------------------------------------------------------- */
static const char *write_file(const char *text)
{
	static char path[] = "/tmp/troth-config-XXXXXX";
	memcpy(strrchr(path, '-') + 1, "XXXXXX", 6);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_ok(file_write(path, bytes_of_text(text), 0600, &unit_err));
	close(fd);
	return path;
}

static void the_command_line_wins_over_the_file(void **state)
{
	struct config_from from = { .file = write_file("log_level: warn\nloops: 3\npublic_names: [a.example]\n"), .must_exist = true };
	struct config c;
	from.given[SETTING_LOG_LEVEL] = "debug";
	from.names = (struct option_values){ { "b.example" }, 1 };
	assert_ok(config_read(a, &from, &c, &unit_err));
	assert_int_equal(config_number(&c, SETTING_LOG_LEVEL), LOG_LEVEL_DEBUG);
	assert_int_equal(c.values[SETTING_LOG_LEVEL].source, SETTING_COMMAND);
	assert_int_equal(config_number(&c, SETTING_LOOPS), 3);
	assert_int_equal(c.values[SETTING_LOOPS].source, SETTING_FILE);
	assert_int_equal(c.values[SETTING_PUBLIC_NAMES].names.count, 1);
	assert_string_equal(c.values[SETTING_PUBLIC_NAMES].names.items[0], "b.example");
	assert_string_equal(c.file, from.file);
	unlink(from.file);
	assert_fails(config_read(a, &from, &c, &unit_err), TROTH_NOT_FOUND);
	assert_contains(unit_err.primary, from.file);
	from.must_exist = false;
	assert_ok(config_read(a, &from, &c, &unit_err));
	assert_null(c.file);
	assert_int_equal(c.values[SETTING_LOOPS].source, SETTING_DEFAULT);
}

static void options_name_themselves(void **state)
{
	struct config_from from = { .given = { [SETTING_REQUEST_TIME] = "soon" } };
	struct config c;
	assert_fails(config_read(a, &from, &c, &unit_err), TROTH_INVALID);
	assert_contains(unit_err.primary, "--request-time must be a time with its unit");
	from = (struct config_from){ .names = { { "*.x" }, 1 } };
	assert_fails(config_read(a, &from, &c, &unit_err), TROTH_INVALID);
	assert_contains(unit_err.primary, "--public-name must be a DNS name");
	struct option options[SETTING_COUNT];
	config_options(&from, options);
	assert_string_equal(options[SETTING_PUBLIC_NAMES].name, "public-name");
	assert_ptr_equal(options[SETTING_PUBLIC_NAMES].values, &from.names);
	assert_ptr_equal(options[SETTING_LISTEN].value, &from.given[SETTING_LISTEN]);
}

/* -- a reload ------------------------------------------------------------------------------------------------------ */
static void a_reload_changes_what_may_change(void **state)
{
	struct config running = parsed("loops: 2\nlog_level: warn\npublic_names: [a.example]\nrequest_time: 20s\n");
	struct config fresh = parsed("loops: 3\nlog_level: debug\npublic_names: [b.example]\nlisten: 127.0.0.1:1\nrequest_time: 20000ms\n");
	struct config_change c = config_merge(&running, &fresh);
	assert_true(c.any && c.changed[SETTING_LOG_LEVEL]);
	assert_true(c.restart[SETTING_LOOPS] && c.restart[SETTING_PUBLIC_NAMES] && c.restart[SETTING_LISTEN]);
	assert_false(c.changed[SETTING_REQUEST_TIME] || c.restart[SETTING_REQUEST_TIME]); /* the same, written in another way */
	assert_false(c.changed[SETTING_LOOPS] || c.restart[SETTING_LOG_LEVEL]);
	assert_int_equal(config_number(&fresh, SETTING_LOG_LEVEL), LOG_LEVEL_DEBUG);
	assert_int_equal(config_number(&fresh, SETTING_LOOPS), 2);
	assert_null(config_text(&fresh, SETTING_LISTEN));
	c = config_merge(&fresh, &fresh);
	assert_false(c.any);
}

/* -- telling --------------------------------------------------------------------------------------------------------- */
static void it_is_told_as_json(void **state)
{
	CLEANUP(buf_release) struct buf out = buf_make(1 << 16);
	struct config c = parsed("log_level: warn\npublic_names: [a.example]\n");
	const struct json *j;
	config_write(&c, &(struct config_server){ "/d", 42 }, &out);
	assert_ok(json_parse(a, buf_bytes(&out), &j, &unit_err));
	assert_string_equal(json_get_text(j, "dir", ""), "/d");
	assert_int_equal(json_get_int(j, "pid", 0), 42);
	const struct json *settings = json_get(j, "settings");
	assert_int_equal(settings->list.count, SETTING_COUNT);
	const struct json *level = &settings->list.items[SETTING_LOG_LEVEL], *listen = &settings->list.items[SETTING_LISTEN];
	assert_string_equal(json_get_text(level, "value", ""), "warn");
	assert_string_equal(json_get_text(level, "source", ""), "file");
	assert_int_equal(json_get_int(level, "line", 0), 1);
	assert_int_equal(json_get(listen, "value")->type, JSON_NULL);
	assert_string_equal(json_get_text(listen, "source", ""), "default");
}

/* -- the manual -------------------------------------------------------------------------------------------------------- */
static void the_documented_table_is_the_codes(void **state)
{
	struct bytes text;
	assert_ok(file_read(a, TROTH_SOURCE_DIR "/docs/ops.md", 1 << 20, &text, &unit_err));
	const char *doc = arena_text_n(a, (const char *)text.data, text.len);
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct setting *s = &SETTINGS[i];
		assert_contains(doc, arena_printf(a, "\n| `%s` | `--%s` | %s | %s | %s | %s |\n", s->name, s->option, setting_type_name(s->type),
						  s->otherwise ? arena_printf(a, "`%s`", s->otherwise) : s->found, s->reload ? "yes" : "restart", s->help));
	}
	const char *table = strstr(doc, "| setting | option |");
	size_t rows = 0;
	for (const char *line = strstr(table, "\n| `"); line && line < strstr(table, "\n\n"); line = strstr(line + 1, "\n| `"))
		rows++;
	assert_int_equal(rows, SETTING_COUNT);
}

static void the_help_has_every_option_and_its_default(void **state)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const char *at = strstr(SERVER_USAGE, arena_printf(a, "\n  --%s ", SETTINGS[i].option));
		assert_non_null(at);
		const char *end = strstr(at + 1, "\n  --");
		const char *said = arena_text_n(a, at, (size_t)((end ? end : at + strlen(at)) - at));
		if (SETTINGS[i].otherwise)
			assert_contains(said, SETTINGS[i].otherwise);
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(defaults_are_what_the_parts_have), CASE(a_file_is_read), CASE(a_file_that_says_nothing_is_fine),
		CASE(every_fault_is_named_with_its_line_and_a_cure), CASE(values_at_the_edge), CASE(broken_yaml_says_its_line),
		CASE(damaged_files_are_read_or_refused), CASE(the_command_line_wins_over_the_file), CASE(options_name_themselves),
		CASE(a_reload_changes_what_may_change), CASE(it_is_told_as_json), CASE(the_documented_table_is_the_codes),
		CASE(the_help_has_every_option_and_its_default),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
