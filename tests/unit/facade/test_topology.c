/* /v1/topology. */
#include "call.h"

static void what_there_is(void **state)
{
	struct call *c = call_new();
	call_expect(c, 201, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/ca\",\"ttl\":\"30d\",\"leaf_ttl\":\"3d\"}");
	call_expect(c, 201, HTTP_POST, "/v1/credentials", "{\"name\":\"/prod/a\",\"authority\":\"/prod/ca\",\"sans\":[\"dns:a.example\"]}");
	call_expect(c, 200, HTTP_GET, "/v1/topology?name=/prod/ca", NULL);
	assert_int_equal(call_count(c, "items"), 2);
	call_is(c, "items.0.name", "/prod/ca");
	call_is(c, "items.0.kind", "authority");
	call_is(c, "items.0.versions.0.signing", "true");
	call_is(c, "items.0.versions.0.wanted", "true");
	call_is(c, "items.0.versions.0.chain_ends", "/prod/ca");
	assert_non_null(call_at(c, "items.0.versions.0.chain_not_after"));
	assert_null(call_at(c, "items.0.versions.0.certificate"));
	call_is(c, "items.1.authority", "/prod/ca");
	call_is(c, "items.1.sans.0", "dns:a.example");
	assert_int_equal(call_count(c, "items.1.versions"), 0);
	call_free(c);
}

static void pages_and_refusals(void **state)
{
	struct call *c = call_new();
	call_expect(c, 200, HTTP_GET, "/v1/topology?limit=1", NULL);
	assert_int_equal(call_count(c, "items"), 1);
	assert_non_null(call_at(c, "next"));
	call_expect(c, 200, HTTP_GET, "/v1/topology?all=true&name=", NULL);
	call_expect(c, 400, HTTP_GET, "/v1/topology?all=maybe", NULL);
	call_has(c, "detail", "?all");
	call_expect(c, 404, HTTP_GET, "/v1/topology?name=/none", NULL);
	c->bearer = NULL;
	call_expect(c, 401, HTTP_GET, "/v1/topology", NULL);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_there_is), cmocka_unit_test(pages_and_refusals) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
