/* Create, list, show, delete as most nouns do them. */
#include "cli_fixture.h"

static void lists_take_filters(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { { "GET /v1/instances?deployment=%2Fprod%2Fpg&name=pg-1", NULL, 200,
					       "{\"items\":[{\"name\":\"pg-1\",\"deployment\":\"/prod/pg\",\"party\":\"agent\",\"state\":\"active\",\"last_seen\":\"2026-11-22T06:55:01Z\"}],"
					       "\"next\":null}" } };
	assert_int_equal(RUN(s, turns, "instance", "list", "--name", "pg-1", "--deployment", "/prod/pg"), 0);
	assert_has(s->out, "pg-1  /prod/pg    agent  active  11-22 06:55");
}

static void every_list_fits_80_columns(void **state)
{
	struct scene *s = *state;
	static const char *const nouns[] = { "authority", "credential", "bundle", "deployment", "instance", "target", "token", "rotation", "audit" };
	static const char *const paths[] = { "authorities", "credentials", "bundles", "deployments", "instances", "targets", "tokens", "rotations", "audit" };
	static const char item[] =
		"{\"name\":\"/prod/a-rather-long-name/of-something/that-is-long-0001/server\",\"id\":\"6e0c51aa-3a0e-4f2a-9d0b-5d1f3c5a7e10\","
		"\"authority\":\"/prod/a-rather-long-name/of-something/ca\",\"deployment\":\"/prod/a-rather-long-name/of-something\","
		"\"instance\":{\"name\":\"instance-0001-with-a-long-name\"},\"waits_for\":\"app-2/trust: sent, no settled report yet (node, A2)\","
		"\"object\":\"/prod/a-rather-long-name/of-something/that-is-long-0001/server\",\"action\":\"credential.create\",\"who\":\"admin\","
		"\"at\":\"2026-11-22T06:55:01Z\",\"last_error\":\"reload failed: exit 1: something went wrong in a long way\",\"agent_version\":\"0.1.0\"}";
	for (size_t i = 0; i < ARRAY_LEN(nouns); i++) {
		char request[60], reply[1400];
		snprintf(request, sizeof request, "GET /v1/%s", paths[i]);
		snprintf(reply, sizeof reply, "{\"items\":[%s,%s],\"next\":null}", item, item);
		const struct turn turns[] = { { request, NULL, 200, reply } };
		assert_int_equal(RUN(s, turns, nouns[i], "list"), 0);
		assert_width(s->out, CLI_WIDTH);
		assert_null(strchr(s->out, '\x1b'));
	}
}

static void deleting_says_what_happened(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/deployments?name=pg", NULL, 200, "{\"items\":[{\"name\":\"pg\",\"id\":\"7\"}],\"next\":null}" },
		{ "DELETE /v1/deployments/7", NULL, 204, NULL },
	};
	assert_int_equal(RUN(s, turns, "deployment", "delete", "pg"), 0);
	assert_string_equal(s->out, "deployment pg: deleted\n");
}

static void a_show_of_nothing_exits_4(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { { "GET /v1/authorities?name=%2Fcli%2Fnone", NULL, 200, "{\"items\":[],\"next\":null}" } };
	assert_int_equal(RUN(s, turns, "authority", "show", "/cli/none"), 4);
	assert_has(s->err, "/cli/none");
	assert_has(s->err, "troth authority list");
}

static void setting_sends_what_is_said(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/authorities?name=%2Fcli%2Fca", NULL, 200, "{\"items\":[{\"name\":\"/cli/ca\",\"id\":\"7\"}],\"next\":null}" },
		{ "PATCH /v1/authorities/7", "{\"renew_before\":\"60d\",\"leaf_renew_at\":\"50%\"}", 200,
		  "{\"name\":\"/cli/ca\",\"renew\":\"before\",\"next_renewal\":\"2027-11-22T06:55:01Z\"}" },
	};
	assert_int_equal(RUN(s, turns, "authority", "set", "/cli/ca", "--renew-before", "60d", "--leaf-renew-at", "50%"), 0);
	assert_has(s->out, "next renewal");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_take_filters),
		cmocka_unit_test(every_list_fits_80_columns),
		cmocka_unit_test(deleting_says_what_happened),
		cmocka_unit_test(a_show_of_nothing_exits_4),
		cmocka_unit_test(setting_sends_what_is_said),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
