/* /v1/credentials. */
#include "call.h"

static void test_csr_versions_renew(void **state)
{
	struct call *c = call_new();
	struct arena *a = c->room->a;
	call_expect(c, 201, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/ca\"}");
	const char *csr = call_quote(c, room_csr(c->room, KEY_EC_P256));
	call_expect(c, 201, HTTP_POST, "/v1/credentials",
		    arena_printf(a, "{\"name\":\"/prod/app\",\"authority\":\"/prod/ca\",\"role\":\"client\",\"ttl\":\"10d\",\"clamp\":true,"
				    "\"sans\":[\"uri:spiffe://x/app\"],\"common_name\":\"app\",\"csr\":%s}", csr));
	call_is(c, "role", "client");
	call_is(c, "sans.0", "uri:spiffe://x/app");
	call_is(c, "chain", "");
	call_is(c, "versions.0.source", "csr");
	const char *id = call_at(c, "id");
	call_expect(c, 200, HTTP_POST, arena_printf(a, "/v1/credentials/%s/renew", id), arena_printf(a, "{\"csr\":%s}", csr));
	assert_int_equal(call_count(c, "versions"), 2);
	call_expect(c, 200, HTTP_GET, arena_printf(a, "/v1/credentials/%s/versions", id), NULL);
	assert_int_equal(call_count(c, "items"), 2);
	call_is(c, "items.1.wanted", "false");
	call_expect(c, 409, HTTP_POST, arena_printf(a, "/v1/credentials/%s/renew", id), NULL);
	call_expect(c, 200, HTTP_GET, arena_printf(a, "/v1/credentials/%s", id), NULL);
	call_is(c, "rev", "2");
	call_expect(c, 200, HTTP_POST, arena_printf(a, "/v1/credentials/%s/attest", id), "{\"replaced\":\"renewed\"}");
	call_is(c, "name", "/prod/app");
	call_is(c, "replaced", "renewed");
	call_expect(c, 400, HTTP_POST, arena_printf(a, "/v1/credentials/%s/attest", id), "{\"replaced\":\"so\"}");
	call_finding(c, "$.replaced");
	call_expect(c, 200, HTTP_GET, arena_printf(a, "/v1/credentials/%s", id), NULL);
	call_expect(c, 200, HTTP_GET, "/v1/credentials", NULL);
	assert_int_equal(call_count(c, "items"), 2);
	call_free(c);
}

static void test_renewal_is_said_and_shown(void **state)
{
	struct call *c = call_new();
	call_expect(c, 201, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/ca\"}");
	call_expect(c, 201, HTTP_POST, "/v1/credentials",
		    "{\"name\":\"/prod/app\",\"authority\":\"/prod/ca\",\"sans\":[\"x.example\"],\"ttl\":\"10d\",\"renew_before\":\"2d\"}");
	call_is(c, "renew", "before");
	call_is(c, "renew_before", "2d");
	call_is(c, "next_renewal", NULL); /* nothing was issued yet */
	const char *path = arena_printf(c->room->a, "/v1/credentials/%s", call_at(c, "id"));
	call_expect(c, 200, HTTP_PATCH, path, "{\"renew_at\":\"20%\"}");
	call_is(c, "renew_at", "20%");
	call_expect(c, 400, HTTP_PATCH, path, "{\"leaf_renew\":\"never\"}");
	call_finding(c, "$.leaf_renew");
	call_free(c);
}

static void test_its_whole_subject(void **state)
{
	struct call *c = call_new();
	call_expect(c, 201, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/ca\"}");
	call_expect(c, 201, HTTP_POST, "/v1/credentials", "{\"name\":\"/prod/x\",\"authority\":\"/prod/ca\",\"sans\":[\"a.example\"],\"organization\":\"O\","
		    "\"organizational_unit\":\"U\",\"country\":\"DE\",\"state\":\"S\",\"locality\":\"L\"}");
	call_is(c, "organization", "O");
	call_is(c, "organizational_unit", "U");
	call_is(c, "country", "DE");
	call_is(c, "state", "S");
	call_is(c, "locality", "L");
	call_expect(c, 400, HTTP_POST, "/v1/credentials", "{\"name\":\"/prod/y\",\"authority\":\"/prod/ca\",\"sans\":[\"a.example\"],\"country\":\"Germany\"}");
	call_finding(c, "$.country");
	call_free(c);
}

static void test_findings(void **state)
{
	struct call *c = call_new();
	call_expect(c, 400, HTTP_POST, "/v1/credentials", "{\"name\":\"/a\",\"authority\":\"b\",\"sans\":[\"a_b\"],\"role\":1,\"csr\":\"x\"}");
	call_finding(c, "$.authority");
	call_finding(c, "$.sans[0]");
	call_finding(c, "$.role");
	call_finding(c, "$.csr");
	call_expect(c, 400, HTTP_POST, "/v1/credentials/x/renew", "{\"what\":1}");
	call_finding(c, "$.what");
	call_free(c);
}

static void test_asked(void **state)
{
	struct call *c = call_new();
	room_deployment(c->room, "pg");
	room_enroll(c->room, "pg", "pg-1");
	call_expect(c, 200, HTTP_GET, "/v1/credentials?name=/prod/pg/pg-1/server", NULL);
	const char *id = call_at(c, "items.0.id");
	call_expect(c, 200, HTTP_POST, arena_printf(c->room->a, "/v1/credentials/%s/renew", id), "");
	assert_int_equal(call_count(c, "asked"), 1);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csr_versions_renew), cmocka_unit_test(test_its_whole_subject), cmocka_unit_test(test_findings), cmocka_unit_test(test_renewal_is_said_and_shown), cmocka_unit_test(test_asked),
	};
	return cmocka_run_group_tests_name("credential", tests, NULL, NULL);
}
