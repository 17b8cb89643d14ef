/* Transactions: savepoints keep their neighbours, readers keep their snapshot. */
#include "box.h"

static bool exists(struct box *b, struct tx *tx, int n)
{
	struct credential_row row;
	return rc_ok(credential_row_by_name(tx, b->a, arena_printf(b->a, "/test/%d", n), &row, NULL));
}

static void a_failed_verb_keeps_its_neighbours(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	assert_true(tx_writable(tx));
	for (int i = 1; i <= 3; i++) {
		OK(tx_savepoint(tx, &b->e));
		add_credential(b, tx, i, CREDENTIAL_LEAF);
		if (i != 2) {
			OK(tx_release(tx, &b->e));
			continue;
		}
		struct credential_row twin = { .uuid = uuid_of(b, 9), .name = "/test/1", .key_type = "ec-p256" };
		FAILS(TROTH_CONFLICT, credential_row_insert(tx, &twin, &b->e));
		OK(tx_rollback_to(tx, &b->e));
	}
	box_commit(b, tx);
	tx = box_write(b);
	assert_true(exists(b, tx, 1) && !exists(b, tx, 2) && exists(b, tx, 3));
	store_write_rollback(tx);
}

static void savepoints_nest(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	OK(tx_savepoint(tx, &b->e));
	add_credential(b, tx, 1, CREDENTIAL_LEAF);
	OK(tx_savepoint(tx, &b->e));
	add_credential(b, tx, 2, CREDENTIAL_LEAF);
	OK(tx_rollback_to(tx, &b->e));
	OK(tx_savepoint(tx, &b->e));
	add_credential(b, tx, 3, CREDENTIAL_LEAF);
	OK(tx_release(tx, &b->e));
	OK(tx_release(tx, &b->e));
	box_commit(b, tx);
	tx = box_write(b);
	assert_true(exists(b, tx, 1) && !exists(b, tx, 2) && exists(b, tx, 3));
	store_write_rollback(tx);
}

static void a_rollback_leaves_nothing(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	add_credential(b, tx, 1, CREDENTIAL_LEAF);
	store_write_rollback(tx);
	store_write_rollback(NULL);
	store_read_end(NULL);
	tx = box_write(b);
	assert_false(exists(b, tx, 1));
	box_commit(b, tx);
}

static void a_reader_sees_one_snapshot(void **state)
{
	struct box *b = *state;
	struct store_reader *r;
	struct tx *read, *tx = box_write(b);
	add_credential(b, tx, 1, CREDENTIAL_LEAF);
	box_commit(b, tx);
	OK(store_reader_open(b->store, &r, &b->e));
	OK(store_read_begin(r, &read, &b->e));
	assert_true(exists(b, read, 1));
	tx = box_write(b);
	add_credential(b, tx, 2, CREDENTIAL_LEAF);
	assert_false(exists(b, read, 2)); /* not committed */
	box_commit(b, tx);
	assert_false(exists(b, read, 2)); /* committed after the snapshot */
	store_read_end(read);
	OK(store_read_begin(r, &read, &b->e));
	assert_true(exists(b, read, 2));
	store_read_end(read);
	store_reader_close(r);
}

static void many_groups_beside_a_reader(void **state)
{
	struct box *b = *state;
	struct store_reader *r;
	struct tx *read;
	OK(store_reader_open(b->store, &r, &b->e));
	for (int i = 1; i <= 200; i++) {
		struct tx *tx = box_write(b);
		add_credential(b, tx, i, CREDENTIAL_LEAF);
		box_commit(b, tx);
		OK(store_read_begin(r, &read, &b->e));
		assert_true(exists(b, read, i));
		store_read_end(read);
	}
	store_reader_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(a_failed_verb_keeps_its_neighbours),
		BOX_TEST(savepoints_nest),
		BOX_TEST(a_rollback_leaves_nothing),
		BOX_TEST(a_reader_sees_one_snapshot),
		BOX_TEST(many_groups_beside_a_reader),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
