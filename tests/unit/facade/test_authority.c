/* /v1/authorities. */
#include "call.h"

static void test_create_show_list(void **state)
{
	struct call *c = call_new();
	call_expect(c, 201, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/ca\",\"ttl\":\"365d\",\"leaf_ttl\":\"30d\"}");
	call_is(c, "name", "/prod/ca");
	call_is(c, "ttl", "365d");
	call_is(c, "leaf_ttl", "30d");
	call_is(c, "issuer", NULL);
	call_is(c, "path_len", NULL);
	call_is(c, "versions.0.signing", "true");
	call_is(c, "versions.0.subject", "CN=/prod/ca");
	call_has(c, "versions.0.certificate", "BEGIN CERTIFICATE");
	assert_string_equal(call_header(c, "ETag"), "\"1\"");
	const char *id = call_at(c, "id");
	assert_string_equal(call_header(c, "Location"), arena_printf(c->room->a, "/v1/authorities/%s", id));
	call_expect(c, 200, HTTP_GET, arena_printf(c->room->a, "/v1/authorities/%s", id), NULL);
	call_is(c, "name", "/prod/ca");
	call_expect(c, 200, HTTP_GET, "/v1/authorities?name=/prod/ca", NULL);
	assert_int_equal(call_count(c, "items"), 1);
	call_is(c, "items.0.versions.0.certificate", NULL);
	call_is(c, "next", NULL);
	call_expect(c, 200, HTTP_GET, "/v1/authorities?limit=1", NULL);
	assert_non_null(call_at(c, "next"));
	assert_null(strstr(c->text, "PRIVATE"));
	call_free(c);
}

/* The example of docs/api/native.md. */
static void test_all_findings_at_once(void **state)
{
	struct call *c = call_new();
	call_expect(c, 400, HTTP_POST, "/v1/authorities", "{\"name\":\"prod/ca\",\"key_tpye\":\"ec-p256\",\"ttl\":\"0d\",\"path_len\":\"x\"}");
	call_is(c, "code", "invalid");
	call_finding(c, "$.key_tpye");
	call_finding(c, "$.ttl");
	call_finding(c, "$.name");
	call_finding(c, "$.path_len");
	assert_int_equal(call_count(c, "findings"), 4);
	call_has(c, "findings.0.hint", "known fields");
	call_free(c);
}

static void test_broken_deep_and_missing(void **state)
{
	struct call *c = call_new();
	char deep[64] = "{\"name\":";
	memset(deep + 8, '[', 40);
	call_expect(c, 400, HTTP_POST, "/v1/authorities", deep);
	call_expect(c, 400, HTTP_POST, "/v1/authorities", "{\"name\":");
	call_has(c, "detail", "JSON");
	call_expect(c, 400, HTTP_POST, "/v1/authorities", "[]");
	call_expect(c, 400, HTTP_POST, "/v1/authorities", "");
	call_finding(c, "$.name");
	call_free(c);
}

static void test_taken_and_unknown(void **state)
{
	struct call *c = call_new();
	call_expect(c, 201, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/ca\"}");
	call_expect(c, 409, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/ca\"}");
	call_is(c, "object", "/prod/ca");
	call_expect(c, 404, HTTP_GET, "/v1/authorities/x", NULL);
	call_expect(c, 404, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/x\",\"issuer\":\"/no\"}");
	c->bearer = NULL;
	call_expect(c, 401, HTTP_GET, "/v1/authorities", NULL);
	c->bearer = "wrong";
	call_expect(c, 401, HTTP_GET, "/v1/authorities", NULL);
	call_free(c);
}

static void test_dry_run_and_intermediate(void **state)
{
	struct call *c = call_new();
	c->dry_run = true;
	call_expect(c, 200, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/ca\"}");
	assert_int_equal(call_count(c, "versions"), 0);
	assert_null(call_header(c, "Location"));
	c->dry_run = false;
	call_expect(c, 201, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/kept\"}");
	call_is(c, "exportable", "false");
	const char *kept = arena_printf(c->room->a, "/v1/authorities/%s", call_at(c, "id")); /* it is said when it is made, and by no other call */
	call_expect(c, 400, HTTP_PATCH, kept, "{\"exportable\":true}");
	call_expect(c, 400, HTTP_PATCH, arena_printf(c->room->a, "%s/rollout", kept), "{\"exportable\":true}");
	call_expect(c, 409, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/mid\",\"issuer\":\"/prod/kept\",\"exportable\":true}");
	call_expect(c, 201, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/ca\",\"exportable\":true,\"path_len\":3,\"permitted_dns\":[\"example.org\"],\"organization\":\"O\","
		    "\"organizational_unit\":\"U\",\"country\":\"DE\",\"state\":\"S\",\"locality\":\"L\"}");
	call_is(c, "versions.0.subject", "CN=/prod/ca,OU=U,O=O,L=L,ST=S,C=DE");
	call_is(c, "organizational_unit", "U");
	call_is(c, "country", "DE");
	call_is(c, "state", "S");
	call_is(c, "locality", "L");
	call_is(c, "path_len", "3");
	call_is(c, "permitted_dns.0", "example.org");
	call_expect(c, 201, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/mid\",\"issuer\":\"/prod/ca\",\"key_type\":\"ec-p384\",\"exportable\":true}");
	call_is(c, "issuer", "/prod/ca");
	call_is(c, "path_len", "0");
	call_is(c, "exportable", "true");
	assert_non_null(call_at(c, "versions.0.signed_by"));
	call_free(c);
}

static void test_renewal_is_said_and_shown(void **state)
{
	struct call *c = call_new();
	call_expect(c, 201, HTTP_POST, "/v1/authorities",
		    "{\"name\":\"/prod/ca\",\"ttl\":\"300d\",\"leaf_ttl\":\"30d\",\"renew_at\":\"50%\",\"leaf_renew_before\":\"10d\",\"on_deadline\":\"hold\"}");
	call_is(c, "renew", "at");
	call_is(c, "renew_at", "50%");
	call_is(c, "renew_before", NULL);
	call_is(c, "leaf_renew", "before");
	call_is(c, "leaf_renew_before", "10d");
	call_is(c, "on_deadline", "hold");
	char at[RFC3339_LEN];
	call_is(c, "next_renewal", time_format(c->room->now + 150 * MSEC_DAY, at));
	call_is(c, "versions.0.renew_at", at);
	const char *path = arena_printf(c->room->a, "/v1/authorities/%s", call_at(c, "id"));
	call_expect(c, 200, HTTP_PATCH, path, "{\"renew\":\"never\",\"leaf_renew\":\"auto\",\"on_deadline\":\"shed\"}");
	call_is(c, "renew", "never");
	call_is(c, "next_renewal", NULL);
	call_is(c, "leaf_renew", "auto");
	call_is(c, "on_deadline", "shed");
	call_is(c, "rev", "2");
	call_expect(c, 400, HTTP_PATCH, path, "{\"renew_at\":\"150%\",\"leaf_renew\":\"x\",\"ttl\":\"1d\"}");
	call_finding(c, "$.renew_at");
	call_finding(c, "$.leaf_renew");
	call_finding(c, "$.ttl");
	call_expect(c, 400, HTTP_PATCH, path, "{}");
	call_expect(c, 400, HTTP_PATCH, path, "{\"renew\":\"never\",\"renew_before\":\"3d\"}");
	call_finding(c, "$.renew");
	c->if_match = "1";
	call_expect(c, 412, HTTP_PATCH, path, "{\"renew\":\"auto\"}");
	call_free(c);
}

static void test_rollout(void **state)
{
	struct call *c = call_new();
	call_expect(c, 201, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/x/ca\"}");
	call_is(c, "switch", "each");
	call_is(c, "rollout", "automatic");
	const char *at = arena_printf(c->room->a, "/v1/authorities/%s/rollout", call_at(c, "id"));
	call_expect(c, 200, HTTP_PATCH, at, "{\"switch\":\"all\"}");
	call_expect(c, 200, HTTP_PATCH, at, "{\"rollout\":\"manual\"}");
	call_is(c, "switch", "all");
	call_is(c, "rollout", "manual");
	call_expect(c, 400, HTTP_PATCH, at, "{\"switch\":\"some\",\"rollout\":\"x\"}");
	call_finding(c, "$.switch");
	call_finding(c, "$.rollout");
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rollout),
		cmocka_unit_test(test_create_show_list), cmocka_unit_test(test_all_findings_at_once),
		cmocka_unit_test(test_broken_deep_and_missing), cmocka_unit_test(test_taken_and_unknown),
		cmocka_unit_test(test_dry_run_and_intermediate), cmocka_unit_test(test_renewal_is_said_and_shown),
	};
	return cmocka_run_group_tests_name("authority", tests, NULL, NULL);
}
