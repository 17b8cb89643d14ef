/* instance show and diff: wanted, on disk, loaded, presented. */
#include "cli_fixture.h"

#define TARGET(name, kind, level, at, wanted, wanted_fps, loaded, known, loaded_fps, rest)                                   \
	"{\"instance\":{\"id\":\"i\",\"name\":\"pg-1\"},\"deployment\":\"pg\",\"name\":\"" name "\",\"kind\":\"" kind "\",\"profile\":\"p\"," \
	"\"state\":\"counted\",\"level\":\"" level "\",\"level_generation\":" at ",\"wanted\":{\"generation\":" wanted              \
	",\"fingerprints\":[" wanted_fps "]},\"loaded\":{\"generation\":" loaded ",\"known\":" known ",\"fingerprints\":[" loaded_fps "]}," rest "}"

#define SAME TARGET("server", "slot", "probed", "4", "4", "\"aa\"", "4", "true", "\"aa\"", "\"credential\":\"/c\",\"drift\":null")
#define LATE TARGET("trust", "store", "written", "5", "5", "\"aa11\",\"bb22\"", "4", "true", "\"aa11\",\"cc33\"", "\"last_error\":\"reload failed\"")
#define LOST TARGET("other", "store", "none", "0", "2", "\"aa11\"", "2", "false", "\"aa11\"", "\"drift\":{\"lines\":[\"ca.pem was changed\"]}")

static const char CERTS[] = "{\"items\":[{\"name\":\"/new/ca\",\"versions\":[{\"fingerprint\":\"bb22\",\"not_after\":\"2027-11-22T00:00:00Z\"}]}],\"next\":null}";

static const char BUNDLES[] = "{\"items\":[{\"name\":\"/trust\",\"members\":[{\"alias\":\"corporate\",\"fingerprint\":\"cc33\","
			      "\"not_after\":\"2026-12-01T00:00:00Z\"}]}],\"next\":null}";

static void four_views_of_each_target(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/instances?name=pg-1", NULL, 200, "{\"items\":[{\"name\":\"pg-1\",\"id\":\"7\"}],\"next\":null}" },
		{ "GET /v1/instances/7", NULL, 200, "{\"name\":\"pg-1\",\"targets\":[" SAME "," LATE "," LOST "]}" },
	};
	assert_int_equal(RUN(s, turns, "instance", "show", "pg-1"), 0);
	assert_has(s->out, "  TARGET  KIND   STATE    WANTED  ON DISK  LOADED  PRESENTED  REMARK\n");
	assert_has(s->out, "  server  slot   counted  4       4        4       4          -\n");
	assert_has(s->out, "  trust   store  counted  5       5        4       -          reload failed\n");
	assert_has(s->out, "  other   store  counted  2       2?       2?      -          drift: ca.pem");
	assert_width(s->out, CLI_WIDTH);
	assert_int_equal(RUN(s, turns, "instance", "show", "pg-1", "-o", "json"), 0);
	assert_has(s->out, "\"level_generation\": 5"); /* as the server says it */
}

static void what_differs_is_exit_1(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { { "GET /v1/targets", NULL, 200, "{\"items\":[" SAME "," LATE "," LOST "],\"next\":null}" },
					     { "GET /v1/topology?limit=50&all=true", NULL, 200, CERTS },
					     { "GET /v1/bundles", NULL, 200, BUNDLES } };
	assert_int_equal(RUN(s, turns, "diff"), 1);
	assert_string_equal(s->err, "");
	assert_string_equal(s->out, "pg-1/trust  wanted 5, on disk 5, loaded 4\n"
				    "  - cc33  /trust corporate, until 2026-12-01\n"
				    "  + bb22  /new/ca, until 2027-11-22\n"
				    "  its agent says: reload failed\n"
				    "pg-1/other  wanted 2, on disk 2?, loaded 2?\n"
				    "  what it holds is not known until it reports\n"
				    "  drift: ca.pem was changed\n");
	assert_int_equal(RUN(s, turns, "diff", "pg-1/trust"), 1);
	assert_null(strstr(s->out, "pg-1/other"));
	static const struct turn json[] = { { "GET /v1/targets", NULL, 200, "{\"items\":[" SAME "," LATE "],\"next\":null}" } };
	assert_int_equal(RUN(s, json, "diff", "-o", "json"), 1);
	assert_has(s->out, "\"trust\"");
	assert_null(strstr(s->out, "\"server\""));
}

static void nothing_differs_is_exit_0(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { { "GET /v1/targets", NULL, 200, "{\"items\":[" SAME "," LATE "],\"next\":null}" } };
	assert_int_equal(RUN(s, turns, "diff", "pg-1/server"), 0);
	assert_has(s->out, "nothing differs");
	assert_int_equal(RUN(s, turns, "diff", "/c"), 0); /* a credential that a slot presents */
	assert_int_equal(RUN(s, turns, "diff", "nobody"), 4);
	assert_has(s->err, "no target belongs to \"nobody\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_views_of_each_target),
		cmocka_unit_test(what_differs_is_exit_1),
		cmocka_unit_test(nothing_differs_is_exit_0),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
