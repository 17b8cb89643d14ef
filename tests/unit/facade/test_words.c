/* What the native routes share. */
#include "call.h"

#include "facade/native/words.h"

static const char *written(struct arena *a, struct http_reply *reply)
{
	return arena_text(a, buf_text(&reply->body));
}

static void test_lists_and_lengths(void **state)
{
	struct arena *a = arena_new(1 << 20);
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	struct json_writer w = http_reply_json(&reply, 200);
	words_list_begin(&w);
	words_list_end(&w, 7);
	assert_string_equal(written(a, &reply), "{\"items\":[],\"next\":\"7\"}");
	w = http_reply_json(&reply, 200);
	buf_clear(&reply.body);
	jw_object(&w);
	words_duration(&w, "a", MSEC_DAY);
	words_duration(&w, "b", 0);
	words_hex(&w, "c", bytes_of_text("\x01\xff"));
	words_hex(&w, "d", (struct bytes){ NULL, 0 });
	words_json(&w, "e", "[1]");
	words_json(&w, "f", NULL);
	jw_object_end(&w);
	assert_string_equal(written(a, &reply), "{\"a\":\"1d\",\"b\":null,\"c\":\"01ff\",\"d\":null,\"e\":[1],\"f\":null}");
	arena_free(a);
}

struct thing { const char *name; };
static const struct json_field THING[] = { { "name", JF_TEXT, offsetof(struct thing, name), 0, 0, 0 } };

static size_t objects(struct arena *a, const char *text, struct troth_err *e)
{
	const struct json *j;
	void *items;
	size_t n;
	*e = (struct troth_err){ 0 };
	assert_true(rc_ok(json_parse(a, bytes_of_text(text), &j, e)));
	words_objects(a, j, THING, 1, sizeof(struct thing), 2, &items, &n, e);
	return n;
}

static void test_objects(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct troth_err e;
	assert_int_equal(objects(a, "[{\"name\":\"a\"},{\"name\":\"b\"}]", &e), 2);
	assert_int_equal(e.kind, TROTH_OK);
	assert_int_equal(objects(a, "null", &e), 0);
	assert_int_equal(e.kind, TROTH_OK);
	assert_int_equal(objects(a, "[{},{},{}]", &e), 0);
	assert_string_equal(e.findings->rule, "length");
	assert_int_equal(objects(a, "{}", &e), 0);
	assert_string_equal(e.findings->rule, "type");
	assert_int_equal(objects(a, "[{\"x\":1},3]", &e), 2);
	assert_string_equal(e.findings->path, "$[0].x");
	assert_string_equal(e.findings->next->path, "$[1]");
	arena_free(a);
}

static void test_moments(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	struct troth_err e = { 0 };
	msec_t day, at = 0, now = 1000;
	assert_true(rc_ok(time_parse("2027-06-01T00:00:00Z", &day, NULL)));
	assert_true(rc_ok(words_moment(a, "x", "2027-06-01", now, &at, &e)) && at == day);
	assert_true(rc_ok(words_moment(a, "x", "2027-06-01T00:00:01Z", now, &at, &e)) && at == day + MSEC_S);
	assert_true(rc_ok(words_moment(a, "x", "30d", now, &at, &e)) && at == now + 30 * MSEC_DAY);
	assert_false(rc_ok(words_moment(a, "expires_before", "soon", now, &at, &e)));
	assert_string_equal(e.primary, "expires_before=soon is neither a moment nor a length of time");
	assert_false(rc_ok(words_moment(a, "x", "", now, &at, &e)));
	assert_false(rc_ok(words_moment(a, "x", "99999999999999999999d", now, &at, &e)));
}

/* The filter is there only if something is asked for; what is wrong is named by its parameter. */
static void test_find(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	struct troth_err e = { 0 };
	struct http_pair pairs[] = { { "sort", "-expires" }, { "expires_before", "30d" } };
	struct http_request r = { .now = 5, .query = { pairs, 0 } };
	struct list_cmd cmd = { 0 };
	assert_true(rc_ok(words_find(a, &r, &cmd, &e)));
	assert_null(cmd.filter);
	r.query.count = 2;
	assert_true(rc_ok(words_find(a, &r, &cmd, &e)));
	assert_string_equal(cmd.filter->sort, "-expires");
	assert_true(cmd.filter->expires_before == 5 + 30 * MSEC_DAY);
	pairs[0].value = "up";
	assert_false(rc_ok(words_find(a, &r, &cmd, &e)));
	assert_string_equal(e.findings->path, "?sort");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moments), cmocka_unit_test(test_find), cmocka_unit_test(test_lists_and_lengths), cmocka_unit_test(test_objects) };
	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
