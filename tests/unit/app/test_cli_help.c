/* Every page of help: exit 0, an example, 80 columns. */
#include "cli_fixture.h"

static void the_first_page_names_every_command(void **state)
{
	struct scene *s = *state;
	assert_int_equal(RUN_ALONE(s, "--help"), 0);
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++)
		assert_has(s->out, CLI_COMMANDS[i].noun);
	assert_has(s->out, "init");
	assert_has(s->out, "run the server");
	assert_width(s->out, CLI_WIDTH);
	assert_int_equal(RUN_ALONE(s, "-h"), 0);
}

static void every_command_has_help_with_an_example(void **state)
{
	struct scene *s = *state;
	for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
		const struct cli_command *cmd = &CLI_COMMANDS[i];
		char words[60];
		int code = cmd->verb ? RUN_ALONE(s, cmd->noun, cmd->verb, "--help") : RUN_ALONE(s, cmd->noun, "--help");
		assert_int_equal(code, 0);
		snprintf(words, sizeof words, "troth %s%s%s", cmd->noun, cmd->verb ? " " : "", cmd->verb ? cmd->verb : "");
		assert_has(s->out, "\nExample\n");
		assert_has(s->out, words);
		assert_width(s->out, CLI_WIDTH);
		for (const struct cli_option *o = cmd->options; o && o->name; o++)
			assert_has(s->out, o->name);
		assert_int_equal(RUN_ALONE(s, cmd->noun, "--help"), 0);
		assert_null(strstr(s->out, "\\\n\n")); /* no command that is cut off */
		assert_true(s->out_len < 2 || strcmp(s->out + s->out_len - 2, "\\\n") != 0);
		assert_width(s->out, CLI_WIDTH);
	}
}

static void the_nearest_word_is_offered(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 16);
	static const struct cli_program programs[] = { { "server", "", "" }, { "agent run", "", "" } };
	const struct cli c = { .a = a, .programs = programs, .program_count = ARRAY_LEN(programs) };
	assert_string_equal(cli_nearest(&c, "autority", NULL), "authority");
	assert_string_equal(cli_nearest(&c, "lst", "authority"), "list");
	assert_string_equal(cli_nearest(&c, "sever", NULL), "server"); /* what main.c runs is a command, too */
	assert_string_equal(cli_nearest(&c, "agnet", NULL), "agent");
	assert_null(cli_nearest(&c, "nonsense", NULL));
	assert_null(cli_nearest(&c, "a-word-that-is-much-too-long-to-be-compared", NULL));
}

static void the_version_is_told(void **state)
{
	struct scene *s = *state;
	assert_int_equal(RUN_ALONE(s, "--version"), 0);
	assert_string_equal(s->out, "troth " TROTH_VERSION "\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_page_names_every_command),
		cmocka_unit_test(every_command_has_help_with_an_example),
		cmocka_unit_test(the_nearest_word_is_offered),
		cmocka_unit_test(the_version_is_told),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
