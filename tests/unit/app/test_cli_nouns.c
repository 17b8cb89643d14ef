/* The commands with something of their own. */
#include "cli_fixture.h"

#define BUNDLE_FOUND { "GET /v1/bundles?name=%2Ft", NULL, 200, "{\"items\":[{\"name\":\"/t\",\"id\":\"7\"}],\"next\":null}" }
#define BUNDLE "{\"id\":\"7\",\"name\":\"/t\",\"members\":[{\"id\":\"1\",\"authority\":\"/ca\"},{\"id\":\"2\",\"alias\":\"corporate\"}]}"

static void bundles_grow_and_shrink(void **state)
{
	struct scene *s = *state;
	static const struct turn add[] = { BUNDLE_FOUND, { "POST /v1/bundles/7/members", "{\"authority\":\"/ca\"}", 201, BUNDLE } };
	static const struct turn removes[] = { BUNDLE_FOUND, { "GET /v1/bundles/7", NULL, 200, BUNDLE },
					       { "DELETE /v1/bundles/7/members/2", NULL, 200, BUNDLE } };
	static const struct turn none[] = { BUNDLE_FOUND, { "GET /v1/bundles/7", NULL, 200, BUNDLE } };
	assert_int_equal(RUN(s, add, "bundle", "add", "/t", "--authority", "/ca"), 0);
	assert_has(s->out, "corporate");
	assert_int_equal(RUN(s, removes, "bundle", "remove", "/t", "corporate"), 0);
	assert_int_equal(RUN(s, none, "bundle", "remove", "/t", "other"), 4);
	assert_has(s->err, "no member \"other\"");
	assert_int_equal(RUN_ALONE(s, "bundle", "add", "/t"), 2);
	assert_int_equal(RUN_ALONE(s, "bundle", "add", "/t", "--file", "/dev/null"), 2);
	assert_has(s->err, "--alias");
}

static void a_token_comes_with_the_command_for_the_node(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { { "POST /v1/tokens", "{\"deployment\":\"pg\",\"instance\":\"pg-1\"}", 201,
					       "{\"id\":\"1\",\"token\":\"troth-join-x\",\"ca_fingerprint\":\"3f9a\",\"deployment\":\"pg\"}" } };
	assert_int_equal(RUN(s, turns, "token", "create", "--deployment", "pg", "--instance", "pg-1"), 0);
	assert_has(s->out, "troth agent enroll --server https://127.0.0.1:8443");
	assert_has(s->out, "echo troth-join-x |");
	assert_has(s->out, "--ca-fingerprint 3f9a ");
	assert_int_equal(RUN(s, turns, "token", "create", "--deployment", "pg", "--instance", "pg-1", "-o", "json"), 0);
	assert_has(s->out, "\"token\": \"troth-join-x\"");
	assert_null(strstr(s->out, "agent enroll"));
}

static void targets_are_named_by_instance_and_name(void **state)
{
	struct scene *s = *state;
	static const char id[] = "6e0c51aa-3a0e-4f2a-9d0b-5d1f3c5a7e10";
	static const struct turn show[] = {
		{ "GET /v1/instances?name=pg-1", NULL, 200, "{\"items\":[{\"name\":\"pg-1\",\"id\":\"7\"}],\"next\":null}" },
		{ "GET /v1/targets?instance=7", NULL, 200, "{\"items\":[{\"name\":\"trust\",\"id\":\"1\"},{\"name\":\"server\",\"id\":\"2\"}],\"next\":null}" },
		{ "GET /v1/targets/2", NULL, 200, "{\"name\":\"server\",\"wanted\":{\"generation\":4},\"drift\":{\"lines\":[\"cert.pem was changed\"]}}" },
	};
	const struct turn list[] = {
		{ "GET /v1/targets?instance=6e0c51aa-3a0e-4f2a-9d0b-5d1f3c5a7e10&state=counted", NULL, 200,
		  "{\"items\":[{\"name\":\"server\",\"last_error\":null,\"drift\":{\"lines\":[\"nothing ran\"]}}],\"next\":null}" },
	};
	assert_int_equal(RUN(s, show, "target", "show", "pg-1/server"), 0);
	assert_has(s->out, "cert.pem was changed");
	assert_int_equal(RUN(s, list, "target", "list", "--instance", id, "--state", "counted"), 0);
	assert_has(s->out, "nothing ran");
	const struct turn retry[] = { show[0], show[1], { "POST /v1/targets/2/retry", "{}", 200, "{}" } };
	assert_int_equal(RUN(s, retry, "target", "retry", "pg-1/server"), 0);
	assert_has(s->out, "will be tried again");
	assert_int_equal(scene_run(s, show, 2, (const char *const[]){ "target", "show", "pg-1/none", NULL }), 4);
}

static void explain_says_first_who_is_waited_for(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/explain?name=%2Fdemo%2Fca", NULL, 200,
		  "{\"name\":\"/demo/ca\",\"running\":1,\"items\":["
		  "{\"plain\":\"svc/tls keeps its old certificate until app-2/trust is seen to trust the new CA\",\"speaker\":\"safety\",\"rule\":\"S\"},"
		  "{\"plain\":\"app-2/trust was sent new contents\",\"hint\":\"troth target retry app-2/trust\",\"speaker\":\"node\","
		  "\"rule\":\"A2\",\"reason\":\"not-loaded\",\"since\":\"1970-01-01T00:00:01Z\",\"last_seen\":null,"
		  "\"last_error\":\"reload failed:\\nno such file\",\"earliest\":null}]}" },
	};
	static const struct turn none[] = { { "GET /v1/explain", NULL, 200, "{\"name\":null,\"running\":0,\"items\":[]}" } };
	assert_int_equal(RUN(s, turns, "explain", "/demo/ca"), 0);
	assert_int_equal(strncmp(s->out, "app-2/trust was sent new contents\n    for ", 42), 0);
	assert_has(s->out, "(since 1970-01-01 00:00)\n");
	assert_has(s->out, "    its agent says: reload failed: no such file\n");
	assert_has(s->out, "    hint: troth target retry app-2/trust\n    rule A2 (node: not-loaded)\n");
	assert_has(s->out, "\nuntil then, for safety:\n  svc/tls keeps its old certificate until app-2/trust is seen to trust the new\n    CA (rule S)\n");
	assert_int_equal(RUN(s, none, "explain"), 0);
	assert_string_equal(s->out, "nothing is waited for\n");
}

static void a_target_list_of_no_deployment_is_refused(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { { "GET /v1/deployments?name=nope", NULL, 200, "{\"items\":[],\"next\":null}" } };
	assert_int_equal(RUN(s, turns, "target", "list", "--deployment", "nope"), 4);
	assert_has(s->err, "there is no deployment \"nope\"");
}

static void the_audit_holds_or_says_where_it_breaks(void **state)
{
	struct scene *s = *state;
	static const struct turn good[] = { { "GET /v1/audit/verify", NULL, 200, "{\"ok\":true,\"rows\":812,\"heads\":13,\"signed_to\":810}" } };
	static const struct turn bad[] = { { "GET /v1/audit/verify", NULL, 200, "{\"ok\":false,\"broken_at\":17,\"reason\":\"row 17 was changed\"}" } };
	assert_int_equal(RUN(s, good, "audit", "verify"), 0);
	assert_has(s->out, "holds: 812 rows");
	assert_int_equal(RUN(s, bad, "audit", "verify"), 1);
	assert_has(s->err, "breaks at row 17: row 17 was changed");
	assert_int_equal(RUN(s, bad, "audit", "verify", "-o", "json"), 1);
	assert_has(s->out, "\"broken_at\": 17");
}

static void health_and_version_ask_the_server(void **state)
{
	struct scene *s = *state;
	static const struct turn health[] = { { "GET /v1/health", NULL, 200, "{\"status\":\"ok\",\"store\":\"ok\"}" } };
	static const struct turn version[] = { { "GET /v1/version", NULL, 200, "{\"version\":\"0.1.0\",\"api\":\"v1\",\"schema\":1}" } };
	static const struct turn away[] = { { "GET /v1/version", NULL, 0, NULL } };
	assert_int_equal(RUN(s, health, "health"), 0);
	assert_has(s->out, "status  ok");
	assert_int_equal(RUN(s, version, "version"), 0);
	assert_has(s->out, "server 0.1.0, API v1, schema 1");
	assert_int_equal(RUN(s, away, "version"), 1);
	const char *dir = s->dir;
	s->dir = NULL;
	assert_int_equal(RUN_ALONE(s, "version"), 0);
	assert_string_equal(s->out, "troth " TROTH_VERSION "\n");
	s->dir = dir;
}

static void renewing_sends_a_request_or_nothing(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/credentials?name=%2Fc", NULL, 200, "{\"items\":[{\"name\":\"/c\",\"id\":\"3\"}],\"next\":null}" },
		{ "POST /v1/credentials/3/renew", "{}", 200, "{\"name\":\"/c\",\"asked\":[\"9\"]}" },
	};
	assert_int_equal(RUN(s, turns, "credential", "renew", "/c"), 0);
	assert_has(s->out, "asked  9");
}

static void attesting_says_how_many_are_replaced(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/credentials?name=%2Fc", NULL, 200, "{\"items\":[{\"name\":\"/c\",\"id\":\"3\"}],\"next\":null}" },
		{ "POST /v1/credentials/3/attest", "{\"replaced\":\"renewed\"}", 200, "{\"name\":\"/c\",\"count\":2}" },
	};
	assert_int_equal(RUN(s, turns, "credential", "attest", "/c", "--replaced", "renewed"), 0);
	assert_has(s->out, "/c: 2 replaced");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bundles_grow_and_shrink),
		cmocka_unit_test(a_token_comes_with_the_command_for_the_node),
		cmocka_unit_test(targets_are_named_by_instance_and_name),
		cmocka_unit_test(explain_says_first_who_is_waited_for),
		cmocka_unit_test(a_target_list_of_no_deployment_is_refused),
		cmocka_unit_test(the_audit_holds_or_says_where_it_breaks),
		cmocka_unit_test(health_and_version_ask_the_server),
		cmocka_unit_test(renewing_sends_a_request_or_nothing),
		cmocka_unit_test(attesting_says_how_many_are_replaced),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
