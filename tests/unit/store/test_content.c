/* Contents: equal ones are one row; a set has no order, a chain has. */
#include "box.h"

static int64_t put(struct box *b, struct tx *tx, enum content_kind kind, int64_t x, int64_t y, int64_t z)
{
	int64_t ids[] = { x, y, z };
	struct content_row row = { .kind = kind, .certs = { ids, 3 } };
	OK(content_row_put(tx, &row, &b->e));
	return row.id;
}

static void a_set_has_no_order_and_no_doubles(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct content_row row;
	int64_t id = put(b, tx, CONTENT_SET, 3, 1, 2);
	assert_int_equal(put(b, tx, CONTENT_SET, 2, 3, 1), id);
	int64_t doubles = put(b, tx, CONTENT_SET, 2, 1, 2);
	OK(content_row_get(tx, b->a, doubles, &row, &b->e));
	assert_int_equal(row.certs.count, 2);
	assert_int_equal(row.certs.items[0], 1);
	assert_int_equal(row.certs.items[1], 2);
	assert_int_equal(row.hash.len, 32);
	struct content_row empty = { .kind = CONTENT_SET };
	OK(content_row_put(tx, &empty, &b->e));
	OK(content_row_get(tx, b->a, empty.id, &row, &b->e));
	assert_int_equal(row.certs.count, 0);
	box_commit(b, tx);
}

static void a_chain_keeps_its_order(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct content_row *rows;
	size_t count;
	int64_t version = add_version(b, tx, 1, add_credential(b, tx, 1, CREDENTIAL_LEAF)), ids[] = { 9, 4 };
	int64_t id = put(b, tx, CONTENT_CHAIN, 3, 1, 2);
	assert_int_not_equal(put(b, tx, CONTENT_CHAIN, 2, 3, 1), id);
	assert_int_not_equal(put(b, tx, CONTENT_SET, 3, 1, 2), id);
	struct content_row row = { .kind = CONTENT_CHAIN, .certs = { ids, 2 }, .version_id = version };
	OK(content_row_put(tx, &row, &b->e));
	OK(content_row_list_version(tx, b->a, version, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].certs.items[0], 9);
	assert_int_equal(rows[0].kind, CONTENT_CHAIN);
	OK(content_row_list(tx, b->a, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 4);
	box_commit(b, tx);
}

static void long_lists_come_back(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	enum { MANY = 5000 };
	struct content_row row = { .kind = CONTENT_SET, .certs = { ARENA_ARRAY(b->a, int64_t, MANY), MANY } };
	for (int i = 0; i < MANY; i++)
		row.certs.items[i] = INT64_MAX - i;
	OK(content_row_put(tx, &row, &b->e));
	OK(content_row_get(tx, b->a, row.id, &row, &b->e));
	assert_int_equal(row.certs.count, MANY);
	assert_true(row.certs.items[MANY - 1] == INT64_MAX);
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(a_set_has_no_order_and_no_doubles),
		BOX_TEST(a_chain_keeps_its_order),
		BOX_TEST(long_lists_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
