/* /v1/bundles. */
#include "call.h"

static void test_members(void **state)
{
	struct call *c = call_new();
	struct arena *a = c->room->a;
	call_expect(c, 201, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/ca\"}");
	const char *pem = call_quote(c, call_at(c, "versions.0.certificate"));
	call_expect(c, 201, HTTP_POST, "/v1/bundles", "{\"name\":\"/prod/trust\",\"authorities\":[\"/prod/ca\"]}");
	call_is(c, "members.0.authority", "/prod/ca");
	const char *id = call_at(c, "id"), *members = arena_printf(a, "/v1/bundles/%s/members", id);
	call_expect(c, 201, HTTP_POST, members, arena_printf(a, "{\"alias\":\"again\",\"pem\":%s,\"source\":\"me\"}", pem));
	call_is(c, "members.1.alias", "again");
	call_is(c, "members.1.subject", "CN=/prod/ca");
	c->if_match = "1";
	call_expect(c, 412, HTTP_DELETE, arena_printf(a, "%s/1", members), NULL);
	c->if_match = "2";
	call_expect(c, 200, HTTP_DELETE, arena_printf(a, "%s/1", members), NULL);
	assert_int_equal(call_count(c, "members"), 1);
	assert_string_equal(call_header(c, "ETag"), "\"3\"");
	c->if_match = NULL;
	call_expect(c, 404, HTTP_DELETE, arena_printf(a, "%s/x", members), NULL);
	call_expect(c, 200, HTTP_GET, arena_printf(a, "/v1/bundles/%s", id), NULL);
	call_has(c, "members.0.certificate", "BEGIN");
	call_expect(c, 200, HTTP_GET, "/v1/bundles?name=/prod/trust", NULL);
	call_is(c, "items.0.members.0.certificate", NULL);
	call_free(c);
}

static void test_findings(void **state)
{
	struct call *c = call_new();
	call_expect(c, 400, HTTP_POST, "/v1/bundles",
		    "{\"name\":\"x\",\"authorities\":[\"y\",1],\"certificates\":[{\"alias\":\"a\",\"pem\":\"no\",\"odd\":1},7]}");
	call_finding(c, "$.name");
	call_finding(c, "$.authorities[1]"); /* its neighbours are checked once it is a list of texts */
	call_finding(c, "$.certificates[0].odd");
	call_finding(c, "$.certificates[0].pem");
	call_finding(c, "$.certificates[1]");
	call_expect(c, 400, HTTP_POST, "/v1/bundles", "{\"name\":\"/x\",\"authorities\":[\"y\"]}");
	call_finding(c, "$.authorities[0]");
	call_expect(c, 400, HTTP_POST, "/v1/bundles", "{\"name\":\"/x\",\"certificates\":{}}");
	call_finding(c, "$.certificates");
	call_expect(c, 400, HTTP_POST, "/v1/bundles/x/members", "{\"authority\":\"/a\",\"alias\":\"x\"}");
	call_expect(c, 400, HTTP_POST, "/v1/bundles/x/members", "{");
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_members), cmocka_unit_test(test_findings) };
	return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
