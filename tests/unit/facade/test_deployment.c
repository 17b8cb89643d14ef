/* /v1/deployments and /v1/meets. */
#include "call.h"

static const char PG[] =
	"{\"name\":\"pg\",\"slots\":[{\"name\":\"server\",\"profile\":\"postgresql\",\"role\":\"server\","
	"\"credential\":\"/prod/pg/{instance}/server\",\"authority\":\"/prod/pg/ca\",\"sans\":[\"{instance}.pg.example\",\"ip:127.0.0.1\"],"
	"\"key_type\":\"ec-p256\",\"key_source\":\"agent\",\"ttl\":\"30d\",\"parameters\":{\"port\":\"5432\"}}],"
	"\"stores\":[{\"name\":\"trust\",\"profile\":\"pem-files\",\"bundle\":\"/prod/pg/trust\",\"parameters\":{}}]}";

static struct call *with_bundle(void)
{
	struct call *c = call_new();
	call_expect(c, 201, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/pg/ca\"}");
	call_expect(c, 201, HTTP_POST, "/v1/bundles", "{\"name\":\"/prod/pg/trust\",\"authorities\":[\"/prod/pg/ca\"]}");
	return c;
}

static void test_life(void **state)
{
	struct call *c = with_bundle();
	struct arena *a = c->room->a;
	call_expect(c, 201, HTTP_POST, "/v1/deployments", PG);
	call_is(c, "templates.0.kind", "slot");
	call_is(c, "templates.0.ttl", "30d");
	call_is(c, "templates.0.sans.0", "{instance}.pg.example");
	call_is(c, "templates.0.parameters.port", "5432");
	call_is(c, "templates.1.bundle", "/prod/pg/trust");
	call_is(c, "instances", "0");
	const char *id = call_at(c, "id"), *slot = call_at(c, "templates.0.id"), *store = call_at(c, "templates.1.id");
	call_expect(c, 409, HTTP_POST, "/v1/deployments", PG);
	call_expect(c, 200, HTTP_GET, "/v1/meets", NULL);
	call_is(c, "items.0.slot.template", "server");
	call_is(c, "items.0.source", "bundle");
	call_expect(c, 200, HTTP_DELETE, arena_printf(a, "/v1/meets/%s/%s", slot, store), NULL);
	call_is(c, "slot.template", "server");
	call_is(c, "pairs", "0");
	call_expect(c, 201, HTTP_POST, "/v1/meets", "{\"slot\":\"pg/server\",\"store\":\"pg/trust\"}");
	call_is(c, "source", "admin");
	call_expect(c, 400, HTTP_POST, "/v1/meets", "{}");
	call_expect(c, 201, HTTP_POST, arena_printf(a, "/v1/deployments/%s/templates", id),
		    "{\"stores\":[{\"name\":\"more\",\"profile\":\"pem-files\",\"bundle\":\"/prod/pg/trust\"}]}");
	assert_int_equal(call_count(c, "templates"), 3);
	call_expect(c, 400, HTTP_POST, arena_printf(a, "/v1/deployments/%s/templates", id), "{\"name\":\"x\"}");
	call_finding(c, "$.name");
	call_expect(c, 200, HTTP_GET, arena_printf(a, "/v1/deployments/%s", id), NULL);
	call_is(c, "rev", "2");
	call_expect(c, 200, HTTP_GET, "/v1/deployments", NULL);
	assert_int_equal(call_count(c, "items"), 1);
	call_expect(c, 204, HTTP_DELETE, arena_printf(a, "/v1/deployments/%s", id), NULL);
	call_free(c);
}

static void test_policy(void **state)
{
	struct call *c = with_bundle();
	struct arena *a = c->room->a;
	call_expect(c, 201, HTTP_POST, "/v1/deployments", PG);
	call_is(c, "max_unavailable", "0");
	call_is(c, "pause", NULL);
	call_is(c, "stop_on_failure", "false");
	call_is(c, "rollout", "automatic");
	const char *at = arena_printf(a, "/v1/deployments/%s", call_at(c, "id"));
	call_expect(c, 200, HTTP_PATCH, at, "{\"max_unavailable\":2,\"canary\":1,\"pause\":\"30s\",\"stop_on_failure\":true,\"rollout\":\"manual\"}");
	call_expect(c, 200, HTTP_PATCH, at, "{\"max_unavailable\":0}");
	call_is(c, "max_unavailable", "0");
	call_is(c, "canary", "1");
	call_is(c, "pause", "30s");
	call_is(c, "stop_on_failure", "true");
	call_is(c, "rollout", "manual");
	call_is(c, "stopped_at", NULL);
	call_is(c, "rev", "3");
	call_expect(c, 400, HTTP_PATCH, at, "{\"max_unavailable\":-1,\"pause\":\"2d\",\"stop_on_failure\":1,\"rollout\":\"x\"}");
	call_finding(c, "$.max_unavailable");
	call_finding(c, "$.pause");
	call_finding(c, "$.stop_on_failure");
	call_finding(c, "$.rollout");
	call_expect(c, 200, HTTP_PATCH, at, "{\"windows\":[\"0 2 * * 6 4h UTC\"]}");
	call_is(c, "windows.0", "0 2 * * 6 4h UTC");
	call_has(c, "window_until", "T");
	call_expect(c, 200, HTTP_PATCH, at, "{\"canary\":0}");
	assert_int_equal(call_count(c, "windows"), 1);
	call_expect(c, 200, HTTP_PATCH, at, "{\"windows\":[]}");
	assert_int_equal(call_count(c, "windows"), 0);
	call_is(c, "window_open", NULL);
	call_expect(c, 400, HTTP_PATCH, at, "{\"windows\":[1,\"x\"]}");
	call_finding(c, "$.windows[0]");
	call_expect(c, 400, HTTP_PATCH, at, "{\"windows\":\"0 2 * * 6 4h UTC\"}");
	call_finding(c, "$.windows");
	call_expect(c, 400, HTTP_PATCH, at, "[]");
	call_free(c);
}

static void test_findings(void **state)
{
	struct call *c = with_bundle();
	call_expect(c, 400, HTTP_POST, "/v1/deployments",
		    "{\"name\":\"pg\",\"slots\":[{\"name\":\"s\",\"profile\":\"x\",\"credential\":\"/a/{node}\",\"authority\":\"/a\",\"sans\":[],"
		    "\"parameters\":{\"port\":5432},\"odd\":1}],\"stores\":[{\"name\":\"t\",\"parameters\":[]}]}");
	call_finding(c, "$.slots[0].credential");
	call_finding(c, "$.slots[0].sans");
	call_finding(c, "$.slots[0].parameters.port");
	call_finding(c, "$.slots[0].odd");
	call_finding(c, "$.stores[0].parameters");
	call_finding(c, "$.stores[0].profile");
	call_finding(c, "$.stores[0].bundle");
	call_expect(c, 400, HTTP_POST, "/v1/deployments", "x");
	call_free(c);
}

/* Its nodes leave by themselves. */
static void test_ephemeral(void **state)
{
	struct call *c = call_new();
	room_authority(c->room, "/prod/pg/ca", NULL);
	room_bundle(c->room, "/prod/pg/trust", "/prod/pg/ca");
	call_expect(c, 201, HTTP_POST, "/v1/deployments", "{\"name\":\"check\",\"ephemeral\":true,\"ttl\":\"60s\",\"ignore\":true,"
		    "\"stores\":[{\"name\":\"trust\",\"profile\":\"pem-files\",\"bundle\":\"/prod/pg/trust\"}]}");
	call_is(c, "ephemeral", "true");
	call_is(c, "ttl", "1m");
	call_is(c, "ignore", "true");
	(void)room_enroll(c->room, "check", "check-1");
	call_expect(c, 200, HTTP_GET, "/v1/instances?name=check-1", NULL);
	assert_non_null(call_at(c, "items.0.lease_until"));
	call_expect(c, 400, HTTP_POST, "/v1/deployments", "{\"name\":\"c2\",\"ephemeral\":true}");
	call_finding(c, "$.ttl");
	call_expect(c, 400, HTTP_POST, "/v1/deployments", "{\"name\":\"c2\",\"ephemeral\":true,\"ttl\":\"2h\"}");
	call_finding(c, "$.ttl");
	call_expect(c, 400, HTTP_POST, "/v1/deployments", "{\"name\":\"c2\",\"ttl\":\"60s\"}");
	call_finding(c, "$.ttl");
	call_expect(c, 400, HTTP_POST, "/v1/deployments", "{\"name\":\"c2\",\"ignore\":true}");
	call_finding(c, "$.ignore");
	call_expect(c, 200, HTTP_GET, "/v1/deployments?name=check", NULL);
	call_expect(c, 400, HTTP_POST, arena_printf(c->room->a, "/v1/deployments/%s/templates", call_at(c, "items.0.id")), "{\"ttl\":\"60s\"}");
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_life), cmocka_unit_test(test_policy), cmocka_unit_test(test_findings), cmocka_unit_test(test_ephemeral) };
	return cmocka_run_group_tests_name("deployment", tests, NULL, NULL);
}
