/* JSON reading: bounded, and every problem is found at once. */
#include <string.h>

#include "../unit.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"

static struct arena *a;

static int setup(void **state)
{
	a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	return 0;
}

static int teardown(void **state)
{
	arena_free(a);
	return 0;
}

static const struct json *parsed(const char *text)
{
	const struct json *j = NULL;
	assert_ok(json_parse(a, bytes_of_text(text), &j, &unit_err));
	return j;
}

static void values_are_read(void **state)
{
	const struct json *j = parsed(" {\"s\":\"x\\u0000y\",\"i\":-5,\"b\":true,\"n\":null,\"l\":[1,{\"k\":2.5}]} \n");
	assert_int_equal(json_get_int(j, "i", 0), -5);
	assert_true(json_get_bool(j, "b", false));
	assert_int_equal(json_get(j, "s")->str.len, 3);
	assert_int_equal(json_get(j, "n")->type, JSON_NULL);
	assert_string_equal(json_get(&json_get(j, "l")->list.items[1], "k")->path, "$.l[1].k");
	assert_null(json_get(j, "zz"));
	assert_string_equal(json_get_text(j, "zz", "default"), "default");
	assert_int_equal(parsed("7")->i, 7);
}

static void what_is_no_list_is_an_empty_one(void **state)
{
	const struct json *j = parsed("{\"l\":[\"a\",7],\"t\":\"a\",\"n\":null}");
	static const char *const others[] = { "t", "n", "zz" };
	assert_int_equal(json_get_list(j, "l")->list.count, 2);
	assert_true(json_list_has(json_get_list(j, "l"), "a"));
	assert_false(json_list_has(json_get_list(j, "l"), "7"));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_int_equal(json_get_list(j, others[i])->list.count, 0);
	assert_int_equal(json_get_list(NULL, "l")->list.count, 0);
}

/* What cannot be kept as it was said is refused: no name ends early, no character becomes another. */
static void what_would_be_changed_is_refused(void **state)
{
	static const char *const bad[] = { "{\"\\u0000\":1}", "{\"a\\u0000b\" : 1}", "{\"a\":[{\"\\\\\\u0000\":1}]}", "\"\\ud800\"", "\"\\udc00\\ud800\"",
					   "\"\\uD83Dx\"", "\"\\ud83d\\ud83d\\ude00\"", "{\"\\udfff\":1}", "\"\\ud83d\\u0000\"", "\"\\ud83d" };
	const struct json *j = NULL;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(json_parse(a, bytes_of_text(bad[i]), &j, &unit_err), TROTH_INVALID);
	j = parsed("{\"a\":\"\\u0000\",\"b\\\\u0000\":\"\\uD83d\\uDE00\\\\ud800\",\"c\":[\"x\\u0000:\",{}],\"d\":\"\\ud7ff\\ue000\"}");
	assert_int_equal(json_get(j, "a")->str.len, 1);
	assert_string_equal(json_get_text(j, "b\\u0000", ""), "\xf0\x9f\x98\x80\\ud800");
	assert_int_equal(json_get(j, "c")->list.items[0].str.len, 3);
	assert_string_equal(json_get_text(j, "d", ""), "\xed\x9f\xbf\xee\x80\x80");
}

static void broken_texts_are_refused(void **state)
{
	static const char *const bad[] = { "", "  ", "{", "{\"a\":}", "{'a':1}", "[1,]", "{\"a\":1} x", "nul", "\"\xff\"", "{\"a\" 1}",
					   "[1 2]", "NaN", "{a:1}", "[Infinity]", "\"a\tb\"", "-", "[\"\\", "tru e" };
	const struct json *j = NULL;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		err_clear(&unit_err);
		if (rc_ok(json_parse(a, bytes_of_text(bad[i]), &j, &unit_err)))
			fail_msg("accepted %s", bad[i]);
		assert_int_equal(unit_err.kind, TROTH_INVALID);
	}
	assert_null(j);
}

static void too_deep_is_refused(void **state)
{
	char text[2 * LIMIT_JSON_DEPTH + 8];
	memset(text, '[', sizeof text);
	text[sizeof text - 1] = 0;
	const struct json *j;
	assert_fails(json_parse(a, bytes_of_text(text), &j, &unit_err), TROTH_INVALID);
	assert_non_null(strstr(unit_err.primary, "nesting"));
}

static void too_large_is_refused(void **state)
{
	char *text = arena_alloc(a, LIMIT_HTTP_BODY_BYTES + 2);
	memset(text, ' ', LIMIT_HTTP_BODY_BYTES + 1);
	const struct json *j;
	assert_fails(json_parse(a, bytes_of(text, LIMIT_HTTP_BODY_BYTES + 1), &j, &unit_err), TROTH_TOO_LARGE);
	text[0] = '"';
	memset(text + 1, 'x', LIMIT_JSON_STRING_BYTES + 1);
	text[LIMIT_JSON_STRING_BYTES + 2] = '"';
	assert_fails(json_parse(a, bytes_of(text, LIMIT_JSON_STRING_BYTES + 3), &j, &unit_err), TROTH_TOO_LARGE);
}

/* One such body from anybody ended the server: the tree grew out of the request's arena. */
static const char *repeated(const char *before, const char *each, size_t n, const char *after)
{
	struct buf b = buf_make(LIMIT_HTTP_BODY_BYTES);
	buf_add_text(&b, before);
	for (size_t i = 0; i < n; i++)
		buf_add_text(&b, each);
	buf_add_text(&b, after);
	const char *text = arena_text_n(a, (const char *)b.data, b.len);
	assert_true(buf_ok(&b));
	buf_release(&b);
	return text;
}

static void too_many_values_are_refused(void **state)
{
	const struct json *j;
	assert_fails(json_parse(a, bytes_of_text(repeated("[", "0,", LIMIT_JSON_VALUES, "0]")), &j, &unit_err), TROTH_TOO_LARGE);
	err_clear(&unit_err);
	assert_fails(json_parse(a, bytes_of_text(repeated("[", "[{}],", LIMIT_JSON_VALUES / 2, "0]")), &j, &unit_err), TROTH_TOO_LARGE);
	err_clear(&unit_err);
	assert_ok(json_parse(a, bytes_of_text(repeated("[", "0,", LIMIT_JSON_VALUES - 1, "0]")), &j, &unit_err));
}

static void long_keys_above_many_values_do_not_multiply(void **state)
{
	char key[82], open[90];
	memset(key, 'k', sizeof key);
	key[81] = 0;
	snprintf(open, sizeof open, "{\"%s\":", key);
	const char *deep = repeated("", open, 13, "[");
	const char *text = repeated(deep, "0,", LIMIT_JSON_VALUES - 100, "0]}}}}}}}}}}}}}");
	size_t before = arena_used(a);
	const struct json *j = parsed(text);
	assert_true(arena_used(a) - before < 12 << 20);
	while (j->type == JSON_OBJECT)
		j = &j->map.values[0];
	assert_true(strlen(j->list.items[0].path) <= LIMIT_JSON_PATH_BYTES);
}

struct thing {
	const char *name;
	int64_t count;
	bool on;
	struct json_texts names;
	msec_t ttl, when;
	const struct json *rest;
};

static const struct json_field FIELDS[] = {
	{ "name", JF_TEXT, offsetof(struct thing, name), JF_REQUIRED, 0, 8 },
	{ "count", JF_INT, offsetof(struct thing, count), 0, 1, 9 },
	{ "on", JF_BOOL, offsetof(struct thing, on) },
	{ "names", JF_TEXTS, offsetof(struct thing, names), 0, 0, 2 },
	{ "ttl", JF_DURATION, offsetof(struct thing, ttl) },
	{ "when", JF_TIME, offsetof(struct thing, when) },
	{ "rest", JF_ANY, offsetof(struct thing, rest) },
};

static void a_table_fills_a_struct(void **state)
{
	struct thing t = { .count = 3 };
	const struct json *j = parsed("{\"name\":\"n\",\"on\":true,\"names\":[\"x\",\"y\"],\"ttl\":\"90d\","
				      "\"when\":\"1970-01-01T00:00:01Z\",\"rest\":{},\"count\":null}");
	assert_ok(json_read(a, j, FIELDS, ARRAY_LEN(FIELDS), &t, &unit_err));
	assert_string_equal(t.name, "n");
	assert_int_equal(t.count, 3);
	assert_true(t.on);
	assert_string_equal(t.names.items[1], "y");
	assert_int_equal(t.ttl, 90 * MSEC_DAY);
	assert_int_equal(t.when, 1000);
	assert_int_equal(t.rest->type, JSON_OBJECT);
}

static bool found(const char *path, const char *rule)
{
	for (const struct finding *f = unit_err.findings; f; f = f->next)
		if (strcmp(f->path, path) == 0 && strcmp(f->rule, rule) == 0)
			return true;
	return false;
}

static void all_problems_are_found(void **state)
{
	struct thing t = { 0 };
	const struct json *j = parsed("{\"count\":10,\"on\":1,\"names\":[\"x\",2],\"ttl\":\"soon\",\"when\":\"later\",\"extra\":0}");
	assert_fails(json_read(a, j, FIELDS, ARRAY_LEN(FIELDS), &t, &unit_err), TROTH_INVALID);
	assert_true(found("$.name", "required"));
	assert_true(found("$.count", "range"));
	assert_true(found("$.on", "type"));
	assert_true(found("$.names[1]", "type"));
	assert_true(found("$.ttl", "duration"));
	assert_true(found("$.when", "time"));
	assert_true(found("$.extra", "unknown-field"));
}

static void a_list_with_a_wrong_entry_is_not_handed_on(void **state)
{
	struct thing t = { 0 };
	assert_fails(json_read(a, parsed("{\"name\":\"n\",\"names\":[\"x\",2]}"), FIELDS, ARRAY_LEN(FIELDS), &t, &unit_err),
		     TROTH_INVALID);
	assert_int_equal(t.names.count, 0);
}

static void texts_are_bounded(void **state)
{
	struct thing t = { 0 };
	assert_fails(json_read(a, parsed("{\"name\":\"123456789\"}"), FIELDS, ARRAY_LEN(FIELDS), &t, &unit_err), TROTH_INVALID);
	assert_fails(json_read(a, parsed("{\"name\":\"a\\u0000\"}"), FIELDS, ARRAY_LEN(FIELDS), &t, &unit_err), TROTH_INVALID);
	assert_fails(json_read(a, parsed("{\"name\":\"a\",\"names\":[\"\",\"\",\"\"]}"), FIELDS, ARRAY_LEN(FIELDS), &t, &unit_err),
		     TROTH_INVALID);
	assert_fails(json_read(a, parsed("[]"), FIELDS, ARRAY_LEN(FIELDS), &t, &unit_err), TROTH_INVALID);
}

/* json-c would make them another number without a word. */
static void numbers_that_do_not_fit_are_told(void **state)
{
	static const char *const BAD[] = { "9223372036854775808", "[18446744073709551615]", "{\"a\":18446744073709551616}", "-9223372036854775808",
					   "-9223372036854775809" };
	const struct json *j;
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
		assert_fails(json_parse(a, bytes_of_text(BAD[i]), &j, &unit_err), TROTH_INVALID);
	assert_int_equal(parsed("9223372036854775807")->i, INT64_MAX);
	assert_int_equal(parsed("-9223372036854775807")->i, -INT64_MAX);
	assert_false(json_is_finite(parsed("{\"a\":[0.5,1e999]}")));
	assert_false(json_is_finite(parsed("-1e999")));
	assert_true(json_is_finite(parsed("{\"a\":[0.5,1e99,null,\"x\"]}")));
}

static void findings_are_bounded(void **state)
{
	struct troth_err e = { 0 };
	for (int i = 0; i < 3 * LIMIT_FINDINGS; i++)
		err_finding(a, &e, "$", "rule", "text", NULL);
	int n = 0;
	for (const struct finding *f = e.findings; f; f = f->next)
		n++;
	assert_in_range(n, LIMIT_FINDINGS, LIMIT_FINDINGS + 1);
	assert_string_equal(e.primary, "$: text");
}

static void many_unknown_fields_cost_no_list_each(void **state)
{
	struct thing t = { 0 };
	struct buf b = buf_make(LIMIT_HTTP_BODY_BYTES);
	for (int i = 0; i < LIMIT_JSON_VALUES - 1; i++)
		buf_printf(&b, "%s\"a%d\":1", i ? "," : "{", i);
	buf_add_text(&b, "}");
	const struct json *j = parsed(buf_text(&b));
	buf_release(&b);
	size_t before = arena_used(a);
	assert_fails(json_read(a, j, FIELDS, ARRAY_LEN(FIELDS), &t, &unit_err), TROTH_INVALID);
	assert_true(arena_used(a) - before < 64 << 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read),	 cmocka_unit_test(what_is_no_list_is_an_empty_one),
		cmocka_unit_test(broken_texts_are_refused), cmocka_unit_test(what_would_be_changed_is_refused),
		cmocka_unit_test(too_deep_is_refused),	 cmocka_unit_test(too_large_is_refused),
		cmocka_unit_test(a_table_fills_a_struct), cmocka_unit_test(all_problems_are_found),
		cmocka_unit_test(texts_are_bounded), cmocka_unit_test(a_list_with_a_wrong_entry_is_not_handed_on),	 cmocka_unit_test(findings_are_bounded),
		cmocka_unit_test(numbers_that_do_not_fit_are_told),
		cmocka_unit_test(too_many_values_are_refused),
		cmocka_unit_test(long_keys_above_many_values_do_not_multiply),
		cmocka_unit_test(many_unknown_fields_cost_no_list_each),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
