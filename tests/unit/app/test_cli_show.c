/* One object for people. */
#include "cli_fixture.h"

static const char AUTHORITY[] =
	"{\"id\":\"6e0c51aa-3a0e-4f2a-9d0b-5d1f3c5a7e10\",\"name\":\"/prod/ca\",\"issuer\":null,\"path_len\":1,\"permitted_dns\":[\"a\",\"b\"],"
	"\"versions\":[{\"id\":\"0123456789abcdef\",\"signing\":true,\"wanted\":true,\"not_before\":\"2026-01-02T03:04:05Z\","
	"\"not_after\":\"2027-01-02T03:04:05Z\",\"fingerprint\":\"fedcba9876543210fedcba9876543210\",\"certificate\":\"-----BEGIN\\nx\\n\"}]}";

static void members_are_lines_and_arrays_are_tables(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = {
		{ "GET /v1/authorities?name=%2Fprod%2Fca", NULL, 200, "{\"items\":[{\"name\":\"/prod/ca\",\"id\":\"1\"}],\"next\":null}" },
		{ "GET /v1/authorities/1", NULL, 200, AUTHORITY },
	};
	assert_int_equal(RUN(s, turns, "authority", "show", "/prod/ca"), 0);
	assert_has(s->out, "name           /prod/ca\n");
	assert_has(s->out, "path len       1\n");
	assert_has(s->out, "permitted dns  a, b\n");
	assert_has(s->out, "versions, newest first\n  ID            SIGNS  WANTED  FROM");
	assert_has(s->out, "  0123456789ab  yes    yes     2026-01-02 03:04  2027-01-02 03:04  fedcba98");
	assert_width(s->out, CLI_WIDTH);
	assert_int_equal(RUN(s, turns, "authority", "show", "/prod/ca", "-o", "yaml"), 0);
	assert_has(s->out, "name: /prod/ca\n");
	assert_has(s->out, "certificate: |\n");
}

static void long_values_are_wrapped_and_inner_objects_named(void **state)
{
	struct arena *a = arena_new(1 << 20);
	CLEANUP(buf_release) struct buf out = buf_make(1 << 16);
	const char *words = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen";
	const struct json *j = fixture_json(a, arena_printf(a, "{\"text\":\"%s\",\"wanted\":{\"generation\":4},\"pem\":\"a\\nb\\n\","
							       "\"some\":[{\"a\":1,\"deep\":{},\"long\":\"x\\ny\"}],\"none\":[]}", words));
	cli_show_write(a, j, NULL, 60, "", "", &out);
	assert_width(buf_text(&out), 60);
	assert_has(buf_text(&out), "wanted.generation  4\n");
	assert_has(buf_text(&out), "pem                (see -o json)\n");
	assert_has(buf_text(&out), "none               -\n");
	assert_has(buf_text(&out), "\nsome\n  A\n  1\n");
	assert_has(buf_text(&out), "\n                   ");
	arena_free(a);
}

static void an_empty_list_says_what_to_do(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { { "GET /v1/authorities", NULL, 200, "{\"items\":[],\"next\":null}" } };
	assert_int_equal(RUN(s, turns, "authority", "list"), 0);
	assert_has(s->out, "no authority yet: troth authority create");
}

static void colours_are_for_terminals(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { { "GET /v1/authorities", NULL, 200, "{\"items\":[{\"name\":\"/a\"}],\"next\":null}" } };
	assert_int_equal(RUN(s, turns, "authority", "list"), 0);
	assert_null(strchr(s->out, '\x1b'));
	s->terminal = true;
	assert_int_equal(RUN(s, turns, "authority", "list"), 0);
	assert_non_null(strchr(s->out, '\x1b'));
	assert_int_equal(RUN(s, turns, "authority", "list", "--no-colour"), 0);
	assert_null(strchr(s->out, '\x1b'));
	s->terminal = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_lines_and_arrays_are_tables),
		cmocka_unit_test(long_values_are_wrapped_and_inner_objects_named),
		cmocka_unit_test(an_empty_list_says_what_to_do),
		cmocka_unit_test(colours_are_for_terminals),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
