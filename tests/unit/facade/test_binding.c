/* /v1/bindings over the facade. */
#include "call.h"

static void test_life(void **state)
{
	struct call *c = call_new();
	struct arena *a = c->room->a;
	room_deployment(c->room, "pg");
	call_expect(c, 201, HTTP_POST, "/v1/bindings",
		    "{\"name\":\"/prod/shop\",\"bundle\":\"/prod/pg/trust\",\"renew_by\":\"14d\",\"grace\":\"none\"}");
	call_is(c, "ack", "confirm");
	call_is(c, "grace", NULL);
	call_is(c, "renew_by", "14d");
	call_is(c, "bundle", "/prod/pg/trust");
	const char *id = call_at(c, "id");
	call_expect(c, 200, HTTP_GET, "/v1/bindings?name=/prod/shop", NULL);
	assert_int_equal(call_count(c, "items"), 1);
	call_expect(c, 200, HTTP_GET, arena_printf(a, "/v1/bindings/%s/bundle?as=json", id), NULL);
	const char *tag = call_at(c, "tag");
	call_is(c, "not_modified", "false");
	call_expect(c, 200, HTTP_GET, arena_printf(a, "/v1/bindings/%s/bundle?as=json&tag=%s", id, tag), NULL);
	call_is(c, "not_modified", "true");
	call_expect(c, 200, HTTP_GET, arena_printf(a, "/v1/bindings/%s", id), NULL);
	call_is(c, "state", "counted");
	call_is(c, "runs.generation", "1");
	call_is(c, "acknowledged.how", "confirm");
	call_is(c, "deadline", NULL);
	call_expect(c, 409, HTTP_POST, arena_printf(a, "/v1/bindings/%s/attest", id), "{\"reason\":\"renewed\"}");
	call_expect(c, 409, HTTP_POST, arena_printf(a, "/v1/bindings/%s/waive", id), NULL);
	call_expect(c, 204, HTTP_DELETE, arena_printf(a, "/v1/bindings/%s", id), NULL);
	call_expect(c, 404, HTTP_GET, arena_printf(a, "/v1/bindings/%s", id), NULL);
	call_free(c);
}

static void test_findings(void **state)
{
	struct call *c = call_new();
	call_expect(c, 400, HTTP_POST, "/v1/bindings", "{\"name\":\"x\",\"ack\":\"perhaps\",\"grace\":\"soon\",\"what\":1}");
	call_finding(c, "$.name");
	call_finding(c, "$.bundle");
	call_finding(c, "$.ack");
	call_finding(c, "$.grace");
	call_finding(c, "$.what");
	call_expect(c, 404, HTTP_POST, "/v1/bindings", "{\"name\":\"/prod/shop\",\"bundle\":\"/prod/none\"}");
	call_expect(c, 404, HTTP_GET, "/v1/bindings/x/bundle", NULL);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_findings),
	};
	return cmocka_run_group_tests_name("binding", tests, NULL, NULL);
}
