/* Waits: brought up to date after each step, but known since the first. */
#include "box.h"

static int64_t put(struct box *b, struct tx *tx, const char *key, msec_t since, int64_t rank, int64_t authority)
{
	struct wait_row row = { .key = key, .authority_id = authority, .since = since, .body = "{}", .rank = rank };
	OK(wait_row_put(tx, &row, &b->e));
	return row.id;
}

static void since_survives_while_it_is_put_again(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct wait_row *rows;
	size_t count;
	int64_t a = put(b, tx, "a", 100, 1, 0), other = put(b, tx, "b", 100, 2, 0);
	assert_int_equal(put(b, tx, "a", 200, 7, 0), a);
	OK(wait_row_delete(tx, other, &b->e));
	OK(wait_row_delete(tx, other, &b->e)); /* gone already */
	OK(wait_row_list(tx, b->a, 0, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	assert_true(rows[0].since == 100 && rows[0].rank == 7);
	assert_string_equal(rows[0].key, "a");
	OK(wait_row_delete(tx, a, &b->e));
	put(b, tx, "a", 300, 1, 0);
	OK(wait_row_list(tx, b->a, 10, &rows, &count, &b->e));
	assert_int_equal(rows[0].since, 300);
	box_commit(b, tx);
}

static void rank_orders_them(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct wait_row *rows;
	size_t count;
	int64_t ca = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY);
	put(b, tx, "late", 1, 3, ca);
	put(b, tx, "first", 1, 1, ca);
	put(b, tx, "other", 1, 2, 0);
	put(b, tx, "equal", 1, 3, ca);
	OK(wait_row_list(tx, b->a, 2, &rows, &count, &b->e));
	assert_int_equal(count, 2);
	assert_string_equal(rows[0].key, "first");
	OK(wait_row_list_authority(tx, b->a, ca, 0, &rows, &count, &b->e));
	assert_int_equal(count, 3);
	assert_string_equal(rows[1].key, "late"); /* the older of two */
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(since_survives_while_it_is_put_again),
		BOX_TEST(rank_orders_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
