/* Pretty JSON reads back as the same value. */
#include "cli_fixture.h"

static void pretty_is_the_same_value(void **state)
{
	static const char *const rows[] = {
		"{}", "[]", "null", "true", "-7", "\"a\\\"b\\n\"", "[1,[],{}]", "{\"a\":[1,2],\"b\":{\"c\":null}}",
	};
	struct arena *a = arena_new(1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_release) struct buf one = buf_make(4096);
		CLEANUP(buf_release) struct buf two = buf_make(4096);
		cli_json_write(fixture_json(a, rows[i]), &one);
		cli_json_write(fixture_json(a, buf_text(&one)), &two);
		assert_string_equal(buf_text(&one), buf_text(&two));
	}
	arena_free(a);
}

static void levels_are_indented(void **state)
{
	struct arena *a = arena_new(1 << 20);
	CLEANUP(buf_release) struct buf out = buf_make(4096);
	cli_json_write(fixture_json(a, "{\"items\":[{\"name\":\"/x\",\"n\":1}],\"next\":null,\"none\":[]}"), &out);
	assert_string_equal(buf_text(&out), "{\n  \"items\": [\n    {\n      \"name\": \"/x\",\n      \"n\": 1\n    }\n  ],\n"
					    "  \"next\": null,\n  \"none\": []\n}\n");
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(pretty_is_the_same_value), cmocka_unit_test(levels_are_indented) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
