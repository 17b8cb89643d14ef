/* Tables: what is picked, how it is cut, never wider than asked for. */
#include "cli_fixture.h"

static const struct cli_column COLUMNS[] = {
	{ "NAME", "name", CELL_TEXT }, { "UNTIL", "versions?signing.not_after|until", CELL_TIME }, { "N", "versions", CELL_COUNT }, { 0 }
};

static void paths_pick_members_flags_and_alternatives(void **state)
{
	struct arena *a = arena_new(1 << 20);
	const struct json *j = fixture_json(a, "{\"a\":{\"b\":1},\"list\":[{\"on\":false,\"x\":1},{\"on\":true,\"x\":2}],\"n\":null,\"m\":3}");
	assert_int_equal(cli_pick(j, "a.b")->i, 1);
	assert_int_equal(cli_pick(j, "list?on.x")->i, 2);
	assert_int_equal(cli_pick(j, "n|m")->i, 3);
	assert_null(cli_pick(j, "a.c"));
	assert_null(cli_pick(j, "list?off.x"));
	assert_null(cli_pick(j, "m?on.x"));
	arena_free(a);
}

static void cells_are_one_line_of_text(void **state)
{
	struct arena *a = arena_new(1 << 20);
	assert_string_equal(cli_cell_text(a, fixture_json(a, "\"2026-11-22T06:55:01Z\""), CELL_TIME), "2026-11-22 06:55");
	assert_string_equal(cli_cell_text(a, fixture_json(a, "\"0123456789abcdef\""), CELL_SHORT), "0123456789ab");
	assert_string_equal(cli_cell_text(a, fixture_json(a, "[\"a\",\"b\"]"), CELL_LIST), "a, b");
	assert_string_equal(cli_cell_text(a, fixture_json(a, "[]"), CELL_LIST), "-");
	assert_string_equal(cli_cell_text(a, fixture_json(a, "[1,2]"), CELL_COUNT), "2");
	assert_string_equal(cli_cell_text(a, fixture_json(a, "false"), CELL_FLAG), "-");
	assert_string_equal(cli_cell_text(a, fixture_json(a, "false"), CELL_TEXT), "no");
	assert_string_equal(cli_cell_text(a, fixture_json(a, "\"a\\nb\\u001b\""), CELL_TEXT), "a b"); /* trailing ones go */
	assert_string_equal(cli_cell_text(a, fixture_json(a, "\"\""), CELL_TEXT), "-");
	assert_string_equal(cli_cell_text(a, NULL, CELL_TEXT), "-");
	arena_free(a);
}

static void a_table_has_a_head_and_aligned_columns(void **state)
{
	struct arena *a = arena_new(1 << 20);
	CLEANUP(buf_release) struct buf out = buf_make(4096);
	cli_table_write(a, fixture_json(a, "[{\"name\":\"/a\",\"until\":\"2026-01-02T03:04:05Z\",\"versions\":[1]},{\"name\":\"/long/name\"}]"),
			COLUMNS, 80, 0, "", "", &out);
	assert_string_equal(buf_text(&out), "NAME        UNTIL             N\n"
					    "/a          2026-01-02 03:04  1\n"
					    "/long/name  -                 -\n");
	arena_free(a);
}

static void long_cells_give_until_all_fit(void **state)
{
	struct arena *a = arena_new(1 << 20);
	for (int width = 40; width <= 90; width += 10) {
		CLEANUP(buf_release) struct buf out = buf_make(4096);
		cli_table_write(a, fixture_json(a, "[{\"name\":\"/prod/a-very-long-name-of-a-thing/that-goes-on-and-on/and-on-\xc3\xbc\xc3\xbc/server\","
						   "\"until\":\"2026-01-02T03:04:05Z\"}]"),
				COLUMNS, width, 0, "", "", &out);
		assert_width(buf_text(&out), width);
		assert_has(buf_text(&out), "\xe2\x80\xa6");
		assert_has(buf_text(&out), "/prod/");
		assert_has(buf_text(&out), "rver");
		assert_has(buf_text(&out), "2026-01-02 03:04"); /* a time is not cut while a name can be */
	}
	arena_free(a);
}

static void names_and_heads_stay_whole_while_a_sentence_can_give(void **state)
{
	static const struct cli_column columns[] = { { "INSTANCE", "i", CELL_TEXT }, { "TARGET", "t", CELL_TEXT }, { "SEEN", "at", CELL_DAY },
						     { "ERROR", "e", CELL_PROSE }, { 0 } };
	struct arena *a = arena_new(1 << 20);
	CLEANUP(buf_release) struct buf out = buf_make(4096);
	cli_table_write(a, fixture_json(a, "[{\"i\":\"web-1\",\"t\":\"clients-of-it\",\"at\":\"2026-01-02T03:04:05Z\","
					   "\"e\":\"the reload failed with a long story\\n\"}]"),
			columns, 60, 0, "", "", &out);
	assert_width(buf_text(&out), 60);
	assert_has(buf_text(&out), "web-1     clients-of-it  01-02 03:04  the reload failed ");
	assert_has(buf_text(&out), "\xe2\x80\xa6\n");
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_pick_members_flags_and_alternatives),
		cmocka_unit_test(cells_are_one_line_of_text),
		cmocka_unit_test(a_table_has_a_head_and_aligned_columns),
		cmocka_unit_test(long_cells_give_until_all_fit),
		cmocka_unit_test(names_and_heads_stay_whole_while_a_sentence_can_give),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
