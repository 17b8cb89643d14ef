/* Events: a line each, page after page; --follow waits, and endures a server that goes away. */
#include "cli_fixture.h"

#define EVENT(seq, kind) "{\"seq\":" #seq ",\"at\":\"2026-11-22T09:50:01Z\",\"kind\":\"" kind "\",\"object\":\"/demo/ca\",\"data\":{\"a\":\"x\\ny\",\"b\":[1,2]}}"
#define PAGE(next, items) "{\"items\":[" items "],\"next\":\"" #next "\"}"

static void all_that_is_kept(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/events?after=0", NULL, 200, PAGE(2, EVENT(1, "authority.create") "," EVENT(2, "rotation.start")) },
		{ "GET /v1/events?after=2", NULL, 200, PAGE(2, "") },
	};
	assert_int_equal(RUN(s, turns, "events"), 0);
	assert_has(s->out, "1      2026-11-22 09:50  authority.create         /demo/ca  {\"a\": \"x\\ny\",\"b\": [1,2]}\n");
	assert_has(s->out, "2      2026-11-22 09:50  rotation.start");
}

static void one_json_object_a_line(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/events?after=7", NULL, 200, PAGE(8, EVENT(8, "x")) },
		{ "GET /v1/events?after=8", NULL, 200, PAGE(8, "") },
	};
	assert_int_equal(RUN(s, turns, "events", "--after", "7", "-o", "json"), 0);
	assert_int_equal(s->out[0], '{');
	assert_ptr_equal(strchr(s->out, '\n'), s->out + strlen(s->out) - 1);
}

/* What cannot pass ends it; what can is waited for. */
static void following(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/events?after=0&wait=50s", NULL, 200, PAGE(1, EVENT(1, "a.b")) },
		{ "GET /v1/events?after=1&wait=50s", NULL, 0, NULL },
		{ "GET /v1/events?after=1&wait=50s", NULL, 200, PAGE(1, "") },
		{ "GET /v1/events?after=1&wait=50s", NULL, 200, PAGE(2, EVENT(2, "c.d")) },
		{ "GET /v1/events?after=2&wait=50s", NULL, 403, "{\"status\":403,\"code\":\"forbidden\",\"detail\":\"revoked\"}" },
	};
	assert_int_equal(RUN(s, turns, "events", "--follow"), 1);
	assert_has(s->out, "a.b");
	assert_has(s->out, "c.d");
	assert_has(s->err, "does not answer");
	assert_has(s->err, "revoked");
}

static void no_number(void **state)
{
	struct scene *s = *state;
	assert_int_equal(RUN_ALONE(s, "events", "--after", "x"), 2);
	assert_has(s->err, "not the number of an event");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_that_is_kept), cmocka_unit_test(one_json_object_a_line),
					    cmocka_unit_test(following), cmocka_unit_test(no_number) };
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
