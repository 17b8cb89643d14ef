/* /v1/webhooks. */
#include "call.h"

static void added_shown_and_removed(void **state)
{
	struct call *c = call_new();
	call_expect(c, 201, HTTP_POST, "/v1/webhooks", "{\"name\":\"ops\",\"url\":\"https://hooks.example.org/x\",\"events\":[\"rotation.*\",\"credential.*\"]}");
	call_has(c, "secret", "whsec_");
	call_is(c, "state", "working");
	call_is(c, "events.1", "credential.*");
	const char *id = call_at(c, "id"), *secret = call_at(c, "secret");
	call_expect(c, 200, HTTP_GET, "/v1/webhooks?name=ops", NULL);
	assert_int_equal(call_count(c, "items"), 1);
	assert_null(strstr(c->text, secret));
	call_expect(c, 200, HTTP_GET, "/v1/webhooks/ops", NULL);
	call_is(c, "id", id);
	call_is(c, "ca", NULL);
	call_is(c, "waiting", "1");
	assert_null(strstr(c->text, secret));
	call_expect(c, 200, HTTP_POST, arena_printf(c->room->a, "/v1/webhooks/%s/enable", id), NULL);
	call_expect(c, 202, HTTP_POST, arena_printf(c->room->a, "/v1/webhooks/%s/test", id), NULL);
	call_is(c, "kind", "webhook.test");
	call_is(c, "state", "running");
	call_expect(c, 200, HTTP_GET, arena_printf(c->room->a, "/v1/operations/%s", call_at(c, "id")), NULL);
	call_expect(c, 204, HTTP_DELETE, "/v1/webhooks/ops", NULL);
	call_expect(c, 404, HTTP_GET, "/v1/webhooks/ops", NULL);
	call_free(c);
}

static void refusals(void **state)
{
	struct call *c = call_new();
	call_expect(c, 400, HTTP_POST, "/v1/webhooks", "{\"url\":\"http://hooks.example.org/x\",\"ca\":\"x\",\"events\":[\"A\"],\"odd\":1}");
	call_finding(c, "$.name");
	call_finding(c, "$.url");
	call_finding(c, "$.ca");
	call_finding(c, "$.events[0]");
	call_finding(c, "$.odd");
	call_expect(c, 201, HTTP_POST, "/v1/webhooks", "{\"name\":\"ops\",\"url\":\"https://h\"}");
	call_expect(c, 409, HTTP_POST, "/v1/webhooks", "{\"name\":\"ops\",\"url\":\"https://h\"}");
	c->dry_run = true;
	call_expect(c, 400, HTTP_POST, "/v1/webhooks", "{\"name\":\"two\",\"url\":\"https://h\"}");
	call_expect(c, 200, HTTP_POST, "/v1/webhooks/ops/test", NULL);
	call_free(c);
}

/* So that its answer is not kept for an Idempotency-Key. */
static void its_route_is_secret(void **state)
{
	for (size_t t = 0; t < NATIVE_TABLE_COUNT; t++)
		for (size_t i = 0; i < NATIVE_TABLES[t]->count; i++)
			if (strcmp(NATIVE_TABLES[t]->rows[i].pattern, "/v1/webhooks") == 0 && NATIVE_TABLES[t]->rows[i].method == HTTP_POST)
				assert_true(NATIVE_TABLES[t]->rows[i].flags & ROUTE_SECRET);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(added_shown_and_removed), cmocka_unit_test(refusals), cmocka_unit_test(its_route_is_secret) };
	return cmocka_run_group_tests_name("webhook", tests, NULL, NULL);
}
