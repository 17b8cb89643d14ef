/* /v1/forecast. */
#include "call.h"

static void until_in_three_ways(void **state)
{
	struct call *c = call_new();
	char at[RFC3339_LEN];
	call_expect(c, 200, HTTP_GET, "/v1/forecast", NULL);
	call_is(c, "name", NULL);
	call_is(c, "cut", "false");
	call_is(c, "until", time_format(c->room->now + 90 * MSEC_DAY, at));
	call_is(c, "reached", at);
	assert_true(call_count(c, "assumptions") >= 4);
	call_expect(c, 200, HTTP_GET, "/v1/forecast?until=30d", NULL);
	call_is(c, "until", time_format(c->room->now + 30 * MSEC_DAY, at));
	call_expect(c, 200, HTTP_GET, "/v1/forecast?until=2027-06-01", NULL);
	call_is(c, "until", "2027-06-01T00:00:00Z");
	call_expect(c, 200, HTTP_GET, "/v1/forecast?until=2027-06-01T12:00:00Z&name=", NULL);
	call_is(c, "until", "2027-06-01T12:00:00Z");
	call_free(c);
}

static void refusals(void **state)
{
	struct call *c = call_new();
	call_expect(c, 400, HTTP_GET, "/v1/forecast?until=soon", NULL);
	call_has(c, "detail", "until=soon");
	call_expect(c, 400, HTTP_GET, "/v1/forecast?until=2020-01-01", NULL);
	call_expect(c, 404, HTTP_GET, "/v1/forecast?name=/none", NULL);
	c->bearer = NULL;
	call_expect(c, 401, HTTP_GET, "/v1/forecast", NULL);
	call_free(c);
}

static void what_comes_is_named(void **state)
{
	struct call *c = call_new();
	call_expect(c, 201, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/ca\",\"ttl\":\"30d\",\"leaf_ttl\":\"3d\"}");
	call_expect(c, 200, HTTP_GET, "/v1/forecast?name=/prod/ca&until=25d", NULL);
	call_is(c, "items.0.kind", "rotation");
	call_is(c, "items.0.authority", "/prod/ca");
	call_is(c, "items.0.sentence", "a rotation of /prod/ca begins by itself");
	call_is(c, "items.0.instance", NULL);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(until_in_three_ways), cmocka_unit_test(refusals),
					    cmocka_unit_test(what_comes_is_named) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
