/* troth forecast: a line each, what breaks stands out, what was assumed is said. */
#include "cli_fixture.h"

static const char ANSWER[] =
	"{\"name\":\"/cli/ca\",\"now\":\"2026-11-22T06:55:00Z\",\"until\":\"2027-06-01T00:00:00Z\",\"reached\":\"2027-06-01T00:00:00Z\",\"cut\":false,"
	"\"assumptions\":[\"nodes that are silent now stay silent\"],\"items\":["
	"{\"at\":\"2027-01-20T08:00:00Z\",\"kind\":\"rotation\",\"sentence\":\"a rotation of /cli/ca begins by itself\"},"
	"{\"at\":\"2027-02-20T08:00:00Z\",\"kind\":\"breaks\",\"sentence\":\"svc-1/tls breaks on 2027-02-20T08:00:00Z: it is on a node whose agent is not heard of\"}]}";

static void what_comes_line_by_line(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = { { "GET /v1/forecast?name=%2Fcli%2Fca&until=2027-06-01", NULL, 200, ANSWER } };
	assert_int_equal(RUN(s, turns, "forecast", "/cli/ca", "--until", "2027-06-01"), 0);
	assert_has(s->out, "until 2027-06-01 00:00, if nobody does anything:");
	assert_has(s->out, "  2027-01-20 08:00  a rotation of /cli/ca begins by itself");
	assert_has(s->out, "! svc-1/tls breaks on");
	assert_has(s->out, "  - nodes that are silent now stay silent");
	assert_width(s->out, CLI_WIDTH);
}

static void nothing_and_too_much(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { { "GET /v1/forecast", NULL, 200,
		"{\"until\":\"2036-06-01T00:00:00Z\",\"reached\":\"2027-06-01T00:00:00Z\",\"cut\":true,\"assumptions\":[],\"items\":[]}" } };
	assert_int_equal(RUN(s, turns, "forecast"), 0);
	assert_has(s->out, "  nothing\n");
	assert_has(s->out, "too much happens to look further, to 2036-06-01 00:00");
}

static void as_json_it_is_what_came(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = { { "GET /v1/forecast", NULL, 200, ANSWER } };
	assert_int_equal(RUN(s, turns, "forecast", "-o", "json"), 0);
	assert_has(s->out, "\"assumptions\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_comes_line_by_line),
		cmocka_unit_test(nothing_and_too_much),
		cmocka_unit_test(as_json_it_is_what_came),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
