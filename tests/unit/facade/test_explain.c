/* /v1/explain. */
#include "call.h"

static void names_the_joiner(void **state)
{
	struct call *c = call_new();
	room_deployment(c->room, "pg");
	room_enroll(c->room, "pg", "pg-1");
	call_expect(c, 200, HTTP_GET, "/v1/explain", NULL);
	assert_true(call_count(c, "items") > 0);
	call_is(c, "items.0.instance", "pg-1");
	call_is(c, "items.0.speaker", "node");
	call_has(c, "items.0.sentence", "pg-1/");
	call_has(c, "items.0.plain", "pg-1/");
	call_has(c, "items.0.hint", "does the agent on pg-1 run?");
	call_expect(c, 200, HTTP_GET, "/v1/explain?name=pg-1", NULL);
	call_is(c, "name", "pg-1");
	call_expect(c, 404, HTTP_GET, "/v1/explain?name=pg-2", NULL);
	call_expect(c, 404, HTTP_GET, "/v1/explain?name=/none", NULL);
	c->bearer = NULL;
	call_expect(c, 401, HTTP_GET, "/v1/explain", NULL);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(names_the_joiner) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
