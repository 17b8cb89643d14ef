/* /v1/instances without an agent, over the facade. */
#include "call.h"

static const char *deploy(struct call *c)
{
	room_deployment(c->room, "pg");
	call_expect(c, 201, HTTP_POST, "/v1/deployments",
		    "{\"name\":\"cdn\",\"external\":true,\"grace\":\"none\",\"stores\":[{\"name\":\"trust\",\"bundle\":\"/prod/pg/trust\"}],"
		    "\"slots\":[{\"name\":\"tls\",\"credential\":\"/prod/cdn/{instance}\",\"authority\":\"/prod/pg/ca\",\"sans\":[\"{instance}.example\"]}]}");
	call_is(c, "party", "external");
	call_is(c, "grace", NULL);
	call_is(c, "templates.0.profile", "external");
	call_expect(c, 201, HTTP_POST, "/v1/instances", "{\"deployment\":\"cdn\",\"name\":\"edge-1\"}");
	call_is(c, "party", "external");
	call_is(c, "state", "active");
	assert_int_equal(call_count(c, "targets"), 2);
	return arena_printf(c->room->a, "/v1/instances/%s", call_at(c, "id"));
}

static void test_life(void **state)
{
	struct call *c = call_new();
	struct arena *a = c->room->a;
	const char *path = deploy(c);
	call_expect(c, 200, HTTP_GET, arena_printf(a, "%s/wanted", path), NULL);
	assert_int_equal(call_count(c, "targets"), 2);
	call_is(c, "seq", "0");
	call_is(c, "targets.0.target", "tls");
	call_is(c, "targets.0.csr.key_type", "ec-p256");
	call_is(c, "targets.0.certificates", NULL);
	call_is(c, "targets.1.kind", "store");
	call_is(c, "targets.1.loaded", "false");
	call_has(c, "targets.1.certificates", "BEGIN CERTIFICATE");
	const char *fingerprint = call_at(c, "targets.1.fingerprints.0"), *version = call_at(c, "version");
	call_expect(c, 200, HTTP_POST, arena_printf(a, "%s/report", path),
		    arena_printf(a, "{\"seq\":7,\"targets\":[{\"target\":\"trust\",\"generation\":1,\"fingerprints\":[\"%s\"]}]}", fingerprint));
	call_is(c, "seq", "7");
	call_is(c, "instance", "edge-1");
	call_is(c, "targets.0.outcome", "counted");
	call_is(c, "targets.0.generation", "1");
	call_expect(c, 200, HTTP_POST, arena_printf(a, "%s/report", path),
		    "{\"seq\":7,\"targets\":[{\"target\":\"trust\",\"fingerprints\":[]}]}");
	call_is(c, "targets.0.outcome", "stale");
	call_expect(c, 200, HTTP_POST, arena_printf(a, "%s/csr", path),
		    arena_printf(a, "{\"target\":\"tls\",\"csr\":%s}", call_quote(c, room_csr(c->room, KEY_EC_P256))));
	assert_non_null(call_at(c, "request"));
	c->wait = 10 * MSEC_S;
	call_expect(c, 200, HTTP_GET, arena_printf(a, "%s/wanted?after=%s", path, version), NULL);
	call_has(c, "targets.0.certificates", "BEGIN CERTIFICATE");
	assert_false(c->held);
	call_expect(c, 200, HTTP_GET, arena_printf(a, "%s/wanted?after=%s", path, call_at(c, "version")), NULL);
	assert_true(c->held);
	c->wait = 0;
	call_expect(c, 200, HTTP_POST, arena_printf(a, "%s/waive", path), "{\"reason\":\"silent\"}");
	call_is(c, "party", "external");
	call_expect(c, 409, HTTP_GET, arena_printf(a, "%s/wanted", path), NULL);
	call_expect(c, 201, HTTP_POST, "/v1/instances", "{\"deployment\":\"cdn\",\"name\":\"edge-1\"}");
	call_is(c, "state", "active");
	call_expect(c, 204, HTTP_DELETE, arena_printf(a, "%s?now=true", path), NULL);
	call_free(c);
}

static void test_findings(void **state)
{
	struct call *c = call_new();
	struct arena *a = c->room->a;
	const char *report = arena_printf(a, "%s/report", deploy(c));
	call_expect(c, 400, HTTP_POST, report, "{\"seq\":0,\"what\":1}");
	call_finding(c, "$.seq");
	call_finding(c, "$.what");
	call_finding(c, "$.targets");
	call_expect(c, 400, HTTP_POST, report,
		    "{\"seq\":1,\"targets\":[{\"target\":\"trust\"},{\"target\":\"tls\",\"fingerprints\":\"ab\",\"generation\":-1},"
		    "{\"target\":\"x/y\",\"fingerprints\":[\"ab\",3]}]}");
	call_finding(c, "$.targets[0]");
	call_finding(c, "$.targets[1].fingerprints");
	call_finding(c, "$.targets[1].generation");
	call_finding(c, "$.targets[2].target");
	call_finding(c, "$.targets[2].fingerprints[0]");
	call_finding(c, "$.targets[2].fingerprints[1]");
	call_expect(c, 400, HTTP_POST, report, "{\"seq\":1,\"targets\":[{\"target\":\"gone\",\"versions\":[]}]}");
	call_finding(c, "$.targets[0].target");
	call_expect(c, 400, HTTP_POST, report, "{\"seq\":1,\"targets\":[{\"target\":\"trust\",\"versions\":[\"x\"]}]}");
	call_finding(c, "$.targets[0].versions[0]");
	call_expect(c, 400, HTTP_POST, report, "{\"seq\":1,\"targets\":{}}");
	call_finding(c, "$.targets");
	call_expect(c, 400, HTTP_POST, "/v1/instances", "{\"name\":\"a b\",\"targets\":[\"no good\"]}");
	call_finding(c, "$.deployment");
	call_finding(c, "$.name");
	call_finding(c, "$.targets[0]");
	call_expect(c, 400, HTTP_POST, "/v1/deployments", "{\"name\":\"x\",\"grace\":\"soon\"}");
	call_finding(c, "$.grace");
	call_expect(c, 404, HTTP_POST, "/v1/instances/x/report", "{\"seq\":1,\"targets\":[{\"target\":\"trust\",\"versions\":[]}]}");
	call_expect(c, 404, HTTP_GET, "/v1/instances/x/wanted", NULL);
	call_expect(c, 400, HTTP_GET, "/v1/instances/x/wanted?after=-1", NULL);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_findings),
	};
	return cmocka_run_group_tests_name("external", tests, NULL, NULL);
}
