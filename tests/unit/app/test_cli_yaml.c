/* YAML that every reader reads the same way. */
#include "cli_fixture.h"

static void check(const char *json, const char *yaml)
{
	struct arena *a = arena_new(1 << 20);
	CLEANUP(buf_release) struct buf out = buf_make(4096);
	cli_yaml_write(fixture_json(a, json), &out);
	assert_string_equal(buf_text(&out), yaml);
	arena_free(a);
}

static void check_go(const char *json, const char *yaml)
{
	struct arena *a = arena_new(1 << 20);
	CLEANUP(buf_release) struct buf out = buf_make(4096);
	cli_yaml_write_go(fixture_json(a, json), &out);
	assert_string_equal(buf_text(&out), yaml);
	arena_free(a);
}

/* go-yaml: columns of four, two behind a dash; ids and times are no strings there. */
static void the_layout_of_go_programs(void **state)
{
	check_go("{\"t\":[{\"n\":\"/a\",\"v\":[{\"id\":\"17d262db-a3b5-4e16-9dcc-5cb83fded06d\",\"d\":[\"x\",\"y\"],\"on\":true}],\"m\":{\"k\":1}},{\"n\":\"b\"}]}",
		 "t:\n    - \"n\": /a\n      v:\n        - id: 17d262db-a3b5-4e16-9dcc-5cb83fded06d\n          d:\n            - x\n            - \"y\"\n"
		 "          \"on\": true\n      m:\n        k: 1\n    - \"n\": b\n");
	check_go("{\"at\":\"2027-10-10T17:21:39Z\",\"none\":[],\"empty\":{},\"odd\":\"a: b\",\"lines\":\"a\\nb\\n\",\"no\":null}",
		 "at: 2027-10-10T17:21:39Z\nnone: []\nempty: {}\nodd: \"a: b\"\nlines: \"a\\nb\\n\"\n\"no\": null\n");
}

static void values_are_written_plainly(void **state)
{
	check("{\"items\":[{\"name\":\"/prod/ca\",\"n\":1,\"ok\":true,\"of\":[\"a\",\"b\"]},{\"name\":\"/b\"}],\"next\":null}",
	      "---\nitems:\n  - name: /prod/ca\n    \"n\": 1\n    ok: true\n    of:\n      - a\n      - b\n  - name: /b\nnext: null\n");
	check("{\"a\":{\"b\":{}},\"c\":[]}", "---\na:\n  b: {}\nc: []\n");
	check("[]", "--- []\n");
	check("[[1,2],[]]", "---\n- \n  - 1\n  - 2\n- []\n");
	check("\"x\"", "--- x\n");
}

static void what_could_be_something_else_is_quoted(void **state)
{
	static const char *const rows[] = { "yes", "No", "null", "~", "", "1", "1.5", "2026-11-22", "-", "- a", "a: b", "a #b", "#a", "a ",
					    " a", "@a", "[a", "{a", "*a", "&a", "!a", "%a", "`a", "a:", "true", "0x1f", "a\\tb" };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char json[40], yaml[60];
		snprintf(json, sizeof json, "[\"%s\"]", rows[i]);
		snprintf(yaml, sizeof yaml, "---\n- \"%s\"\n", rows[i]);
		check(json, yaml);
	}
	check("[\"a b\",\"uri:x://y\",\"CN=a\",\"a.b-c_d/e\"]", "---\n- a b\n- uri:x://y\n- CN=a\n- a.b-c_d/e\n");
}

static void whole_lines_are_literal_blocks(void **state)
{
	check("{\"pem\":\"-----BEGIN X-----\\nYWJj\\n-----END X-----\\n\"}",
	      "---\npem: |\n  -----BEGIN X-----\n  YWJj\n  -----END X-----\n");
	check("{\"a\":[{\"t\":\"x\\n\\ny\\n\"}]}", "---\na:\n  - t: |\n      x\n\n      y\n");
	check("{\"t\":\"x\\ny\"}", "---\nt: \"x\\ny\"\n");
	check("{\"t\":\"x\\n\\n\"}", "---\nt: \"x\\n\\n\"\n");
	check("{\"t\":\" x\\n\"}", "---\nt: \" x\\n\"\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_layout_of_go_programs),
		cmocka_unit_test(values_are_written_plainly),
		cmocka_unit_test(what_could_be_something_else_is_quoted),
		cmocka_unit_test(whole_lines_are_literal_blocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
