/* The outbox: at least once, not before its time. */
#include "box.h"

static int64_t put(struct box *b, struct tx *tx, const char *kind, msec_t due)
{
	struct outbox_row row = { .kind = kind, .body = "{}", .created = 1, .due = due };
	OK(outbox_put(tx, &row, &b->e));
	return row.id;
}

static void taken_when_due_until_done(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct outbox_row *rows;
	size_t count;
	msec_t due;
	OK(outbox_next_due(tx, &due, &b->e));
	assert_int_equal(due, 0);
	put(b, tx, "late", 300);
	int64_t id = put(b, tx, "now", 100);
	OK(outbox_next_due(tx, &due, &b->e));
	assert_int_equal(due, 100);
	for (int twice = 0; twice < 2; twice++) {
		OK(outbox_take(tx, b->a, 200, 0, &rows, &count, &b->e));
		assert_int_equal(count, 1);
		assert_string_equal(rows[0].kind, "now");
	}
	OK(outbox_done(tx, id, &b->e));
	FAILS(TROTH_NOT_FOUND, outbox_done(tx, id, &b->e));
	OK(outbox_take(tx, b->a, 200, 0, &rows, &count, &b->e));
	assert_int_equal(count, 0);
	box_commit(b, tx);
}

static void retrying_puts_it_later(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct outbox_row *rows;
	size_t count;
	int64_t id = put(b, tx, "now", 100);
	OK(outbox_retry(tx, id, 500, "refused", &b->e));
	OK(outbox_take(tx, b->a, 499, 0, &rows, &count, &b->e));
	assert_int_equal(count, 0);
	OK(outbox_take(tx, b->a, 500, 0, &rows, &count, &b->e));
	assert_true(rows[0].attempts == 1 && rows[0].due == 500);
	assert_string_equal(rows[0].last_error, "refused");
	FAILS(TROTH_NOT_FOUND, outbox_retry(tx, 99, 500, "refused", &b->e));
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(taken_when_due_until_done),
		BOX_TEST(retrying_puts_it_later),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
