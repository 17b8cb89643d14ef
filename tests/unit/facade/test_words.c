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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lists_and_lengths), cmocka_unit_test(test_objects) };
	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
