/* Column tables: every kind of column, and stored values that do not fit. */
#include "box.h"

#include "store/table.h"

enum colour { RED, GREEN };
static const char *const COLOUR_NAMES[] = { "red", "green" };

struct thing_row {
	int64_t id, number, ref;
	bool flag;
	const char *name;
	struct bytes blob;
	enum colour colour;
	struct id_list ids;
};
static const struct column COLUMNS[] = {
	C(thing_row, id, COL_ID),
	C(thing_row, number, COL_INT),
	C(thing_row, ref, COL_REF),
	C(thing_row, flag, COL_BOOL),
	C(thing_row, name, COL_TEXT),
	C(thing_row, blob, COL_BLOB),
	C_ENUM(thing_row, colour, COLOUR_NAMES, ARRAY_LEN(COLOUR_NAMES)),
	C(thing_row, ids, COL_IDS),
};
static const struct table THING = TABLE(thing, COLUMNS, thing_row, name);
static const struct query BY_NUMBER = { &THING, .rows = "WHERE number = ?1" };
static const struct query PAGE_BY_NUMBER = { &THING, .rows = "WHERE number = ?1 AND id > ?2 ORDER BY id LIMIT ?3" };
static const struct query SET_NUMBER = { &THING, .sql = "UPDATE thing SET number = ?1" };
static const struct query SUM = { &THING, .sql = "SELECT sum(number) FROM thing" };
static const struct query BY_BLOB = { &THING, .rows = "WHERE blob = ?1" };

static struct tx *begin(struct box *b)
{
	struct tx *tx = box_write(b);
	OK(conn_exec(tx->conn, "CREATE TABLE thing(id INTEGER PRIMARY KEY, number, ref, flag, name UNIQUE, blob, colour, ids)", &b->e));
	return tx;
}

static void every_kind_comes_back(void **state)
{
	struct box *b = *state;
	struct tx *tx = begin(b);
	int64_t ids[] = { -1, 0, INT64_MAX };
	struct thing_row in = { .number = INT64_MIN, .ref = 5, .flag = true, .name = "a \"b\"", .blob = bytes_of("\0x", 2), .colour = GREEN, .ids = { ids, 3 } }, out;
	OK(table_insert(tx, &THING, &in, &b->e));
	OK(table_get(tx, b->a, &THING, in.id, &out, &b->e));
	assert_true(out.id == in.id && out.number == INT64_MIN && out.ref == 5 && out.flag && out.colour == GREEN);
	assert_string_equal(out.name, in.name);
	assert_true(bytes_equal(out.blob, in.blob));
	assert_true(out.ids.count == 3 && out.ids.items[0] == -1 && out.ids.items[2] == INT64_MAX);
	struct thing_row none = { .id = in.id };
	OK(table_update(tx, &THING, &none, &b->e));
	OK(table_get(tx, b->a, &THING, in.id, &out, &b->e));
	assert_true(out.number == 0 && out.ref == 0 && !out.flag && !out.name && out.blob.len == 0 && out.colour == RED && out.ids.count == 0);
	OK(table_delete(tx, &THING, in.id, &b->e));
	FAILS(TROTH_NOT_FOUND, table_get(tx, b->a, &THING, in.id, &out, &b->e));
	store_write_rollback(tx);
}

static void what_does_not_fit_is_corrupt(void **state)
{
	struct box *b = *state;
	struct tx *tx = begin(b);
	static const char *const rows[] = { "'blue', '[]'", "NULL, '[]'", "'red', NULL", "'red', ''", "'red', '[1,2'", "'red', '[1,,2]'", "'red', '[x]'", "'red', '1]'" };
	struct thing_row out, *list;
	size_t count;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		OK(conn_exec(tx->conn, arena_printf(b->a, "DELETE FROM thing; INSERT INTO thing(id, colour, ids) VALUES (1, %s)", rows[i]), &b->e));
		FAILS(TROTH_CORRUPT, table_get(tx, b->a, &THING, 1, &out, &b->e));
		FAILS(TROTH_CORRUPT, table_list(tx, b->a, &THING, PAGE_ALL, &list, &count, &b->e));
	}
	store_write_rollback(tx);
}

static void queries_count_and_find(void **state)
{
	struct box *b = *state;
	struct tx *tx = begin(b);
	struct thing_row row = { 0 }, *rows;
	size_t count;
	int changes;
	int64_t sum;
	OK(rows_int(tx, &SUM, NO_ARGS, &sum, &b->e));
	assert_int_equal(sum, 0);
	for (int i = 0; i < 30; i++) {
		row.number = i % 3;
		OK(table_insert(tx, &THING, &row, &b->e));
	}
	OK(rows_find(tx, b->a, &BY_NUMBER, ARGS(arg_int(2)), &row, &b->e));
	assert_int_equal(row.id, 3);
	FAILS(TROTH_NOT_FOUND, rows_find(tx, b->a, &BY_NUMBER, ARGS(arg_int(7)), &row, &b->e));
	assert_string_equal(b->e.primary, "no thing with id 7");
	FAILS(TROTH_NOT_FOUND, rows_find(tx, b->a, &BY_BLOB, ARGS(arg_blob(bytes_of(NULL, 0))), &row, &b->e));
	OK(rows_page(tx, b->a, &PAGE_BY_NUMBER, arg_int(1), (struct page){ 2, 4 }, &rows, &count, &b->e));
	assert_true(count == 4 && rows[0].id == 5);
	OK(rows_exec(tx, &SET_NUMBER, ARGS(arg_int(2)), &changes, &b->e));
	assert_int_equal(changes, 30);
	OK(rows_int(tx, &SUM, NO_ARGS, &sum, &b->e));
	assert_int_equal(sum, 60);
	assert_int_equal(page_limit((struct page){ 0, 0 }), LIMIT_PAGE);
	store_write_rollback(tx);
}

/* As much as there is room for, and then a refusal rather than the end of the process. */
static void a_list_ends_before_the_memory_does(void **state)
{
	struct box *b = *state;
	struct tx *tx = begin(b);
	struct thing_row row = { 0 }, *rows;
	size_t count;
	for (int i = 0; i < 2000; i++)
		OK(table_insert(tx, &THING, &row, &b->e));
	struct arena *small = arena_new(2000 * sizeof row / 2);
	FAILS(TROTH_TOO_LARGE, table_list(tx, small, &THING, PAGE_ALL, &rows, &count, &b->e));
	assert_non_null(strstr(b->e.hint, "smaller page"));
	arena_reset(small);
	OK(table_list(tx, small, &THING, (struct page){ 0, 100 }, &rows, &count, &b->e));
	assert_int_equal(count, 100);
	arena_free(small);
	store_write_rollback(tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(every_kind_comes_back),
		BOX_TEST(what_does_not_fit_is_corrupt),
		BOX_TEST(queries_count_and_find),
		BOX_TEST(a_list_ends_before_the_memory_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
