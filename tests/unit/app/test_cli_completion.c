/* Completion: every noun, verb and option of the table is offered; what shells make of it is tried end to end. */
#include "cli_fixture.h"

static void every_word_is_offered(void **state)
{
	struct scene *s = *state;
	static const char *const shells[] = { "bash", "zsh", "fish" };
	for (size_t k = 0; k < ARRAY_LEN(shells); k++) {
		assert_int_equal(RUN_ALONE(s, "completion", shells[k]), 0);
		for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
			assert_has(s->out, CLI_COMMANDS[i].noun);
			if (CLI_COMMANDS[i].verb)
				assert_has(s->out, CLI_COMMANDS[i].verb);
			for (const struct cli_option *o = CLI_COMMANDS[i].options; o && o->name; o++)
				assert_has(s->out, o->name + 2);
		}
	}
}

static void another_shell(void **state)
{
	struct scene *s = *state;
	assert_int_equal(RUN_ALONE(s, "completion", "tcsh"), 2);
	assert_has(s->err, "bash, zsh or fish");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_word_is_offered), cmocka_unit_test(another_shell) };
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
