/* Pages, names, and the server's refusals as exit codes. */
#include "cli_fixture.h"

static void all_pages_are_one_list(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/authorities", NULL, 200, "{\"items\":[{\"name\":\"/a\"}],\"next\":\"7\"}" },
		{ "GET /v1/authorities?after=7", NULL, 200, "{\"items\":[{\"name\":\"/b\"},{\"name\":\"/c\"}],\"next\":\"9\"}" },
		{ "GET /v1/authorities?after=9", NULL, 200, "{\"items\":[],\"next\":null}" },
	};
	struct arena *a = arena_new(1 << 20);
	assert_int_equal(RUN(s, turns, "authority", "list", "-o", "json"), 0);
	const struct json *items = json_get(fixture_json(a, s->out), "items");
	assert_int_equal(items->list.count, 3);
	assert_string_equal(json_get_text(&items->list.items[2], "name", ""), "/c");
	arena_free(a);
}

/* An agent chooses its version's text; the operator's terminal is not the agent's to write to. */
static void no_node_writes_to_the_terminal(void **state)
{
	struct scene *s = *state;
	static const char reply[] = "{\"items\":[{\"name\":\"pg-1\",\"agent_version\":\"1\\u001b]0;owned\\u0007\\u009b2Jx\",\"alarm\":\"\\u001b[2J\"}],"
				    "\"next\":null}";
	const struct turn turns[] = { { "GET /v1/instances", NULL, 200, reply } };
	assert_int_equal(RUN(s, turns, "instance", "list"), 0);
	assert_has(s->out, "owned");
	assert_null(strchr(s->out, '\x1b'));
	assert_null(strchr(s->out, '\a'));
	assert_null(strstr(s->out, "\xc2\x9b"));
}

static void refusals_have_their_exit_codes_and_words(void **state)
{
	struct scene *s = *state;
	static const struct { int status; const char *code; int exit; } rows[] = {
		{ 400, "invalid", 1 }, { 401, "unauthenticated", 1 }, { 403, "forbidden", 1 }, { 404, "not-found", 4 },
		{ 409, "conflict", 1 }, { 409, "unsafe", 3 }, { 503, "unavailable", 1 }, { 504, "timeout", 5 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char reply[300];
		snprintf(reply, sizeof reply, "{\"type\":\"/problems/%s\",\"status\":%d,\"code\":\"%s\",\"detail\":\"it is so\",\"hint\":\"do this\"}",
			 rows[i].code, rows[i].status, rows[i].code);
		const struct turn turns[] = { { "GET /v1/authorities", NULL, rows[i].status, reply } };
		assert_int_equal(RUN(s, turns, "authority", "list"), rows[i].exit);
		assert_has(s->err, "troth: it is so\n");
		assert_has(s->err, "hint: do this\n");
		assert_string_equal(s->out, "");
	}
}

static void all_findings_are_printed(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "POST /v1/authorities", "{\"name\":\"x\"}", 400,
		  "{\"status\":400,\"code\":\"invalid\",\"detail\":\"two things\",\"findings\":[{\"path\":\"$.name\",\"rule\":\"name\",\"text\":\"must start with '/'\","
		  "\"hint\":\"write it like /a/b\"},{\"path\":\"$.ttl\",\"rule\":\"r\",\"text\":\"is too short\"}]}" },
	};
	assert_int_equal(RUN(s, turns, "authority", "create", "x"), 1);
	assert_has(s->err, "NAME: must start with '/'");
	assert_has(s->err, "hint: write it like /a/b");
	assert_has(s->err, "--ttl: is too short");
}

/* As the server says it: the first finding is its first line.  Each hint stands below what it is for. */
static void each_finding_has_its_hint_below_it(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "POST /v1/authorities", "{\"name\":\"x\"}", 400,
		  "{\"status\":400,\"code\":\"invalid\",\"detail\":\"$.name: must start with '/'\",\"hint\":\"write it like /a/b\","
		  "\"findings\":[{\"path\":\"$.name\",\"rule\":\"name\",\"text\":\"must start with '/'\",\"hint\":\"write it like /a/b\"},"
		  "{\"path\":\"$.ttl\",\"rule\":\"r\",\"text\":\"is too short\",\"hint\":\"an hour at least\"}]}" },
	};
	assert_int_equal(RUN(s, turns, "authority", "create", "x"), 1);
	assert_string_equal(s->err, "troth: NAME: must start with '/'\n    hint: write it like /a/b\n"
				    "  --ttl: is too short\n    hint: an hour at least\n");
}

static void an_object_is_found_by_its_name_or_id(void **state)
{
	struct scene *s = *state;
	static const struct turn by_name[] = {
		{ "GET /v1/bundles?name=%2Fa%20b", NULL, 200, "{\"items\":[{\"name\":\"/other\",\"id\":\"0\"},{\"name\":\"/a b\",\"id\":\"7\"}],\"next\":null}" },
		{ "GET /v1/bundles/7", NULL, 200, "{\"name\":\"/a b\",\"members\":[{\"id\":\"1\",\"authority\":\"/ca\"}]}" },
	};
	static const struct turn by_id[] = { { "GET /v1/bundles/6e0c51aa-3a0e-4f2a-9d0b-5d1f3c5a7e10", NULL, 200, "{\"name\":\"/a\"}" } };
	static const struct turn twice[] = { { "GET /v1/bundles?name=%2Fa", NULL, 200,
					       "{\"items\":[{\"name\":\"/a\",\"id\":\"1\"},{\"name\":\"/a\",\"id\":\"2\"}],\"next\":null}" } };
	assert_int_equal(RUN(s, by_name, "bundle", "show", "/a b"), 0);
	assert_has(s->out, "/ca");
	assert_int_equal(RUN(s, by_id, "bundle", "show", "6e0c51aa-3a0e-4f2a-9d0b-5d1f3c5a7e10"), 0);
	assert_int_equal(RUN(s, twice, "bundle", "show", "/a"), 1);
	assert_has(s->err, "several");
}

/* The server was asked for tokens by a name, and its refusal named a query parameter that nobody had typed. */
static void a_token_has_an_id_only(void **state)
{
	struct scene *s = *state;
	assert_int_equal(RUN_ALONE(s, "token", "revoke", "5"), 4);
	assert_has(s->err, "there is no token \"5\"");
	assert_has(s->err, "troth token list shows the ids");
}

static void a_reply_that_is_no_json_is_refused(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { { "GET /v1/authorities", NULL, 200, "<html>" } };
	static const struct turn none[] = { { "GET /v1/authorities", NULL, 200, "{\"a\":1}" } };
	static const struct turn away[] = { { "GET /v1/authorities", NULL, 0, NULL } };
	assert_int_equal(RUN(s, turns, "authority", "list"), 1);
	assert_has(s->err, "the server's reply");
	assert_int_equal(RUN(s, none, "authority", "list"), 1);
	assert_has(s->err, "is not a list");
	assert_int_equal(RUN(s, away, "authority", "list"), 1);
	assert_has(s->err, "could not connect");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_pages_are_one_list),
		cmocka_unit_test(no_node_writes_to_the_terminal),
		cmocka_unit_test(refusals_have_their_exit_codes_and_words),
		cmocka_unit_test(all_findings_are_printed),
		cmocka_unit_test(each_finding_has_its_hint_below_it),
		cmocka_unit_test(an_object_is_found_by_its_name_or_id),
		cmocka_unit_test(a_token_has_an_id_only),
		cmocka_unit_test(a_reply_that_is_no_json_is_refused),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
