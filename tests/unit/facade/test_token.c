/* /v1/tokens. */
#include "call.h"

static void test_tokens(void **state)
{
	struct call *c = call_new();
	room_deployment(c->room, "pg");
	call_expect(c, 201, HTTP_POST, "/v1/tokens", "{\"deployment\":\"pg\",\"instance\":\"pg-1\",\"ttl\":\"1h\"}");
	call_has(c, "token", "troth-join-");
	call_is(c, "state", "open");
	const char *id = call_at(c, "id"), *secret = call_at(c, "token");
	call_expect(c, 200, HTTP_GET, "/v1/tokens?deployment=pg", NULL);
	assert_int_equal(call_count(c, "items"), 1);
	assert_null(strstr(c->text, secret));
	call_expect(c, 204, HTTP_DELETE, arena_printf(c->room->a, "/v1/tokens/%s", id), NULL);
	call_expect(c, 404, HTTP_DELETE, "/v1/tokens/x", NULL);
	call_expect(c, 400, HTTP_POST, "/v1/tokens", "{\"ttl\":\"8d\",\"odd\":1}");
	call_finding(c, "$.deployment");
	call_finding(c, "$.ttl");
	call_finding(c, "$.odd");
	call_expect(c, 404, HTTP_POST, "/v1/tokens", "{\"deployment\":\"no\"}");
	c->dry_run = true;
	call_expect(c, 200, HTTP_POST, "/v1/tokens", "{\"deployment\":\"pg\"}");
	call_is(c, "token", NULL);
	call_free(c);
}

/* So that its answer is not kept for an Idempotency-Key. */
static void test_its_route_is_secret(void **state)
{
	for (size_t t = 0; t < NATIVE_TABLE_COUNT; t++)
		for (size_t i = 0; i < NATIVE_TABLES[t]->count; i++)
			if (NATIVE_TABLES[t]->rows[i].verb == &VERB_TOKEN_CREATE)
				assert_true(NATIVE_TABLES[t]->rows[i].flags & ROUTE_SECRET);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_tokens), cmocka_unit_test(test_its_route_is_secret) };
	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
