/* JSON writing: commas, escapes, UTF-8. */
#include <string.h>

#include "../unit.h"
#include "base/json.h"

static void structure_gets_its_commas(void **state)
{
	CLEANUP(buf_release) struct buf b = buf_make(4096);
	struct json_writer w = json_writer_make(&b);
	jw_object(&w);
	jw_kv_text(&w, "a", "x");
	jw_key(&w, "l");
	jw_array(&w);
	jw_int(&w, 1);
	jw_object(&w);
	jw_object_end(&w);
	jw_bool(&w, false);
	jw_array_end(&w);
	jw_kv_time(&w, "t", 1000);
	jw_kv_time(&w, "never", 0);
	jw_kv_text(&w, "none", NULL);
	jw_kv_bool(&w, "b", true);
	jw_kv_int(&w, "i", INT64_MIN);
	jw_object_end(&w);
	assert_string_equal(buf_text(&b), "{\"a\":\"x\",\"l\":[1,{},false],\"t\":\"1970-01-01T00:00:01Z\",\"never\":null,"
					  "\"none\":null,\"b\":true,\"i\":-9223372036854775808}");
}

static void assert_text(const char *in, size_t len, const char *want)
{
	CLEANUP(buf_release) struct buf b = buf_make(4096);
	struct json_writer w = json_writer_make(&b);
	jw_text_n(&w, in, len);
	assert_string_equal(buf_text(&b), want);
}

static void strings_are_escaped(void **state)
{
	assert_text("a\"b\\c\n\t\x01\x7f", 9, "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\"");
	assert_text("x\0y", 3, "\"x\\u0000y\"");
	assert_text("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

/* RFC 3629: overlong forms, surrogates, above U+10FFFF, cut sequences. */
static void invalid_utf8_is_replaced(void **state)
{
#define BAD "\xef\xbf\xbd"
	assert_text("\xff", 1, "\"" BAD "\"");
	assert_text("\xc0\xaf", 2, "\"" BAD BAD "\"");
	assert_text("\xed\xa0\x80", 3, "\"" BAD BAD BAD "\"");
	assert_text("\xf4\x90\x80\x80", 4, "\"" BAD BAD BAD BAD "\"");
	assert_text("a\xe2\x82", 3, "\"a" BAD BAD "\"");
}

static const char *written(struct arena *a, const char *json)
{
	CLEANUP(buf_release) struct buf b = buf_make(4096);
	struct json_writer w = json_writer_make(&b);
	const struct json *j;
	assert_ok(json_parse(a, bytes_of_text(json), &j, &unit_err));
	assert_true(json_is_finite(j));
	jw_value(&w, j);
	return arena_text(a, buf_text(&b));
}

static void a_value_is_written_as_it_was_read(void **state)
{
	struct arena *a = arena_new(1 << 16);
	const char *all = "{\"a\":[1,-2,0.1,1e+300,1.7976931348623157e+308,true,false,null,[],{}],\"b\":{\"c\":\"x\\\"y\"},\"n\":9223372036854775807}";
	assert_string_equal(written(a, all), all);
	assert_string_equal(written(a, " [ 2.50 , 1E2, 3.0, -0.0, 0.30000000000000004 ] "), "[2.5,100.0,3.0,-0.0,0.30000000000000004]");
	assert_string_equal(written(a, "\"a\\u0000b\""), "\"a\\u0000b\"");
	assert_string_equal(written(a, "-9223372036854775807"), "-9223372036854775807");
	arena_free(a);
}

static void what_is_written_can_be_read(void **state)
{
	char all[256];
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	CLEANUP(buf_release) struct buf b = buf_make(4096);
	struct json_writer w = json_writer_make(&b);
	jw_text_n(&w, all, sizeof all);
	struct arena *a = arena_new(1 << 16);
	const struct json *j;
	assert_ok(json_parse(a, buf_bytes(&b), &j, &unit_err));
	assert_memory_equal(j->str.s, all, 128);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structure_gets_its_commas),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(invalid_utf8_is_replaced),
		cmocka_unit_test(a_value_is_written_as_it_was_read),
		cmocka_unit_test(what_is_written_can_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
