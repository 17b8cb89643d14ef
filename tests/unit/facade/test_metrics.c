/* /metrics: who may, and the text to the letter.  The whole of it is parsed by tests/e2e/test_metrics.py. */
#include "call.h"

#include <string.h>

#include "facade/native/nouns.h"
#include "service/server/metrics.h"

/* A bearer token of this role and scope. */
static const char *principal(struct call *c, const char *name, const char *role, const char *scope)
{
	call_expect(c, 201, HTTP_POST, "/v1/principals",
		    arena_printf(c->room->a, "{\"name\":\"%s\",\"role\":\"%s\",\"scope\":\"%s\"}", name, role, scope));
	return arena_text(c->room->a, call_at(c, "token"));
}

static void has_line(struct call *c, const char *line)
{
	if (!strstr(c->text, arena_printf(c->room->a, "\n%s\n", line)))
		fail_msg("no line %s in\n%s", line, c->text);
}

static void who_sees_everything_may_ask(void **state)
{
	static const struct { const char *role; int status; } ROLES[] = { { "auditor", 200 }, { "operator", 200 }, { "admin", 200 },
									  { "developer", 403 } };
	struct call *c = call_new();
	const char *admin = c->bearer;
	for (size_t i = 0; i < ARRAY_LEN(ROLES); i++) {
		c->bearer = admin;
		c->bearer = principal(c, arena_printf(c->room->a, "as-%s", ROLES[i].role), ROLES[i].role, "*");
		call_expect(c, ROLES[i].status, HTTP_GET, "/metrics", NULL);
	}
	c->bearer = admin;
	c->bearer = principal(c, "narrow", "auditor", "/prod/pg/*");
	call_expect(c, 403, HTTP_GET, "/metrics", NULL);
	call_has(c, "detail", "/prod/pg/*");
	call_has(c, "hint", "--role auditor");
	c->bearer = NULL;
	call_expect(c, 401, HTTP_GET, "/metrics", NULL);
	call_free(c);
}

static void tells_of_rows(void **state)
{
	struct call *c = call_new();
	struct credential_view ca = room_authority(c->room, "/prod/pg/ca", NULL);
	call_expect(c, 200, HTTP_GET, "/metrics", NULL);
	has_line(c, arena_printf(c->room->a, "troth_authority_not_after_seconds{authority=\"/prod/pg/ca\",version=\"%s\"} %lld",
				 ca.versions[0].row.uuid, (long long)(ca.versions[0].cert.not_after / MSEC_S)));
	has_line(c, "# TYPE troth_authority_not_after_seconds gauge");
	has_line(c, arena_printf(c->room->a, "troth_build_info{version=\"%s\",schema=\"%d\"} 1", TROTH_VERSION, store_schema_version()));
	has_line(c, "troth_targets{state=\"counted\"} 0");
	has_line(c, "troth_metrics_cut 0");
	assert_null(strstr(c->text, "troth_http_")); /* nobody counts in this room */
	assert_null(strstr(c->text, "PRIVATE"));
	call_free(c);
}

static void counts_of_the_process_are_there_too(void **state)
{
	static const struct meter_row ROW = { { "troth_toys_total", "Toys.", METER_COUNTER } };
	struct call *c = call_new();
	struct meter_set *s = meter_set_new(&ROW, 1);
	meter_add(s, 0, 0, 0, 3);
	c->room->port.meters = s;
	call_expect(c, 200, HTTP_GET, "/metrics", NULL);
	has_line(c, "# HELP troth_toys_total Toys.\n# TYPE troth_toys_total counter\ntroth_toys_total 3");
	meter_set_free(s);
	call_free(c);
}

static void written(struct arena *a, const struct meter_family *f, struct meter_sample sample, const char *wanted)
{
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	struct meter_reading reading = { .family = f, .samples = &sample, .count = 1 };
	struct metrics_ret ret = { &reading, 1 };
	NATIVE_METRICS_ROUTES.rows[0].render(a, NULL, NULL, &ret, &reply);
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.content_type, "text/plain; version=0.0.4");
	assert_string_equal(buf_text(&reply.body), wanted);
}

static void labels_and_help_are_escaped(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const struct meter_family f = { "x", "a \"b\"\\\nc", METER_GAUGE, { "l", "m" } };
	written(a, &f, (struct meter_sample){ { "a\"b\\c\nd" }, (int64_t[]){ 0 } },
		"# HELP x a \"b\"\\\\\\nc\n# TYPE x gauge\nx{l=\"a\\\"b\\\\c\\nd\",m=\"\"} 0\n");
	arena_free(a);
}

static void numbers_are_exact(void **state)
{
	static const struct { int64_t value, scale; const char *text; } NUMBERS[] = {
		{ 0, 0, "0" }, { -7, 1, "-7" }, { 1500, 1000, "1.5" }, { 1005, 1000, "1.005" }, { -5, 1000, "-0.005" }, { -1500, 1000, "-1.5" },
		{ 1795291953123, 1000, "1795291953.123" }, { INT64_MAX, 1000, "9223372036854775.807" }, { INT64_MIN, 1000, "-9223372036854775.808" },
		{ 120, 1000, "0.12" }, { 2000, 1000, "2" },
	};
	struct arena *a = arena_new(1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(NUMBERS); i++) {
		const struct meter_family f = { "x", "X.", METER_GAUGE, .scale = NUMBERS[i].scale };
		written(a, &f, (struct meter_sample){ .cells = &NUMBERS[i].value },
			arena_printf(a, "# HELP x X.\n# TYPE x gauge\nx %s\n", NUMBERS[i].text));
	}
	arena_free(a);
}

static void a_histogram_adds_up(void **state)
{
	static const int64_t bounds[] = { 50, 1000 };
	struct arena *a = arena_new(1 << 20);
	const struct meter_family f = { "x_seconds", "X.", METER_HISTOGRAM, { "m" }, 1000, bounds, 2 };
	written(a, &f, (struct meter_sample){ { "GET" }, (int64_t[]){ 3, 0, 2, 9150 } },
		"# HELP x_seconds X.\n# TYPE x_seconds histogram\n"
		"x_seconds_bucket{m=\"GET\",le=\"0.05\"} 3\n"
		"x_seconds_bucket{m=\"GET\",le=\"1\"} 3\n"
		"x_seconds_bucket{m=\"GET\",le=\"+Inf\"} 5\n"
		"x_seconds_sum{m=\"GET\"} 9.15\n"
		"x_seconds_count{m=\"GET\"} 5\n");
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_sees_everything_may_ask),
		cmocka_unit_test(tells_of_rows),
		cmocka_unit_test(counts_of_the_process_are_there_too),
		cmocka_unit_test(labels_and_help_are_escaped),
		cmocka_unit_test(numbers_are_exact),
		cmocka_unit_test(a_histogram_adds_up),
	};
	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
