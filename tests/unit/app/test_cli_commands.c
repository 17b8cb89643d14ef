/* The table itself: complete, without doubles, and every row can be run. */
#include "cli_fixture.h"

static void every_row_is_complete(void **state)
{
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
		const struct cli_command *c = &CLI_COMMANDS[i];
		assert_non_null(c->noun);
		assert_non_null(c->args);
		assert_non_null(c->summary);
		assert_non_null(c->example);
		assert_non_null(c->run);
		if (c->path) /* NULL: it asks no server */
			assert_int_equal(strncmp(c->path, "/v1/", 4), 0);
		assert_true(c->run != cli_run_list || (c->columns && c->empty));
		assert_true(c->run != cli_run_delete || c->empty);
		assert_ptr_equal(cli_command_find(c->noun, c->verb), c); /* no double */
	}
}

static void options_are_described_and_not_doubled(void **state)
{
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++)
		for (const struct cli_option *o = CLI_COMMANDS[i].options; o && o->name; o++) {
			assert_int_equal(strncmp(o->name, "--", 2), 0);
			assert_non_null(o->help);
			assert_true(o->kind == CLI_OWN || o->member);
			assert_true(o->value || o->kind == CLI_TRUE || o->kind == CLI_FALSE || o->kind == CLI_NONE || o->kind == CLI_OWN);
			for (const struct cli_option *p = CLI_GLOBALS; p->name; p++)
				assert_string_not_equal(o->name, p->name);
			for (const struct cli_option *p = CLI_COMMANDS[i].options; p < o; p++)
				assert_string_not_equal(o->name, p->name);
		}
}

static void what_people_use_every_day_is_there(void **state)
{
	static const char *const rows[][2] = {
		{ "authority", "create" }, { "authority", "list" }, { "authority", "show" }, { "credential", "create" }, { "credential", "list" },
		{ "credential", "show" }, { "bundle", "create" }, { "bundle", "list" }, { "bundle", "show" }, { "bundle", "add" },
		{ "bundle", "remove" }, { "deployment", "create" }, { "deployment", "list" }, { "deployment", "show" }, { "instance", "list" },
		{ "instance", "show" }, { "target", "list" }, { "target", "show" }, { "token", "create" }, { "token", "list" }, { "rotate", NULL },
		{ "rotation", "list" }, { "rotation", "show" }, { "rotation", "watch" }, { "rotation", "pause" }, { "rotation", "resume" },
		{ "rotation", "abort" }, { "explain", NULL }, { "freeze", NULL }, { "thaw", NULL }, { "deployment", "policy" }, { "authority", "policy" }, { "rotation", "approve" }, { "audit", "list" }, { "audit", "verify" }, { "health", NULL }, { "version", NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_non_null(cli_command_find(rows[i][0], rows[i][1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_complete),
		cmocka_unit_test(options_are_described_and_not_doubled),
		cmocka_unit_test(what_people_use_every_day_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
