/* Single values, counters, the epoch. */
#include "box.h"

static void values_are_replaced(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct bytes value;
	const char *text;
	FAILS(TROTH_NOT_FOUND, meta_get(tx, b->a, "audit-key", &value, &b->e));
	OK(meta_put(tx, "audit-key", bytes_of("\0\1", 2), &b->e));
	OK(meta_put(tx, "audit-key", bytes_of("\2\0\3", 3), &b->e));
	OK(meta_get(tx, b->a, "audit-key", &value, &b->e));
	assert_true(bytes_equal(value, bytes_of("\2\0\3", 3)));
	OK(meta_put_text(tx, "name", "troth", &b->e));
	OK(meta_get_text(tx, b->a, "name", &text, &b->e));
	assert_string_equal(text, "troth");
	FAILS(TROTH_INTERNAL, meta_put(tx, "x", bytes_of(NULL, 0), &b->e));
	box_commit(b, tx);
}

static void counters_count(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t n;
	for (int i = 1; i <= 3; i++) {
		OK(store_sequence_next(tx, "session", &n, &b->e));
		assert_int_equal(n, i);
	}
	OK(store_sequence_next(tx, "desired", &n, &b->e));
	assert_int_equal(n, 1);
	OK(store_sequence_raise(tx, "session", 2, &b->e)); /* it is beyond that */
	OK(store_sequence_next(tx, "session", &n, &b->e));
	assert_true(n > 3 && n < 10);
	OK(store_sequence_raise(tx, "session", 1000, &b->e));
	OK(store_sequence_next(tx, "session", &n, &b->e));
	assert_int_equal(n, 1001);
	OK(store_sequence_raise(tx, "new", 5, &b->e));
	OK(store_sequence_next(tx, "new", &n, &b->e));
	assert_int_equal(n, 6);
	box_commit(b, tx);
}

static void a_new_store_has_epoch_one(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t epoch;
	OK(store_epoch(tx, &epoch, &b->e));
	assert_int_equal(epoch, 1);
	OK(store_epoch_set(tx, INT64_MAX, &b->e));
	OK(store_epoch(tx, &epoch, &b->e));
	assert_true(epoch == INT64_MAX);
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(values_are_replaced),
		BOX_TEST(counters_count),
		BOX_TEST(a_new_store_has_epoch_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
