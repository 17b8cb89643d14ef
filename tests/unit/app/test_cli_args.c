/* Words to a command, and what is said when they are none. */
#include "cli_fixture.h"

static void usage(struct scene *s, int code, const char *text)
{
	if (code != 2)
		fail_msg("exit %d: %s%s", code, s->out, s->err);
	assert_int_equal(strncmp(s->err, "troth: ", 7), 0);
	assert_has(s->err, text);
	assert_has(s->err, "hint: ");
}

static void wrong_words_exit_2_with_a_hint(void **state)
{
	struct scene *s = *state;
	usage(s, scene_run(s, NULL, 0, (const char *const[]){ NULL }), "which command?");
	usage(s, RUN_ALONE(s, "nonsense"), "there is no command \"nonsense\"");
	usage(s, RUN_ALONE(s, "autority", "list"), "did you mean \"authority\"?");
	usage(s, RUN_ALONE(s, "authority"), "authority needs a verb");
	usage(s, RUN_ALONE(s, "authority", "creat"), "did you mean \"authority create\"?");
	usage(s, RUN_ALONE(s, "authority", "nonsense"), "has no verb");
	usage(s, RUN_ALONE(s, "authority", "show"), "authority show needs: NAME");
	usage(s, RUN_ALONE(s, "authority", "show", "/a", "/b"), "argument \"/b\" is one too many");
	usage(s, RUN_ALONE(s, "authority", "create", "/x", "--nope"), "option --nope is not known");
	usage(s, RUN_ALONE(s, "authority", "create", "/x", "--ttl"), "option --ttl needs a value");
	usage(s, RUN_ALONE(s, "authority", "create", "/x", "--clamp=1"), "takes no value");
	usage(s, RUN_ALONE(s, "authority", "create", "/x", "--path-len", "two"), "is not a number");
	usage(s, RUN_ALONE(s, "authority", "list", "-o", "xml"), "is not table, json or yaml");
	usage(s, RUN_ALONE(s, "token", "create"), "option --deployment NAME is missing");
	usage(s, RUN_ALONE(s, "rotate"), "rotate needs: NAME");
	usage(s, RUN_ALONE(s, "rotate", "/x", "--wait", "--no-wait"), "exclude each other");
	usage(s, RUN_ALONE(s, "target", "show", "pg-1"), "is not INSTANCE/TARGET");
	usage(s, RUN_ALONE(s, "--nope", "authority", "list"), "option --nope is not known");
}

static void global_options_stand_anywhere(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { { "GET /v1/authorities?name=%2Fx", NULL, 200, "{\"items\":[],\"next\":null}" } };
	const char *dir = s->dir;
	s->dir = NULL;
	assert_int_equal(RUN(s, turns, "--dir", dir, "authority", "list", "--name", "/x", "-o", "json"), 0);
	assert_int_equal(RUN(s, turns, "authority", "-o", "json", "list", "--name=/x", "--dir", dir), 0);
	s->dir = dir;
}

static void two_dashes_end_the_options(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { { "GET /v1/authorities?name=--x", NULL, 200, "{\"items\":[],\"next\":null}" } };
	assert_int_equal(RUN(s, turns, "authority", "show", "--", "--x"), 4);
	assert_has(s->err, "there is no authority \"--x\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_words_exit_2_with_a_hint),
		cmocka_unit_test(global_options_stand_anywhere),
		cmocka_unit_test(two_dashes_end_the_options),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
