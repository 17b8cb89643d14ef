/* Statements: found again, and failures translated. */
#include "box.h"



static void a_statement_is_prepared_once(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	static const char owner[2];
	sqlite3_stmt *first, *second, *third;
	assert_null(stmt_cached(tx, &owner[0], 1));
	OK(stmt_prepare(tx, &owner[0], 1, "SELECT 1", &first, &b->e));
	OK(stmt_prepare(tx, &owner[0], 1, "never read", &second, &b->e));
	OK(stmt_prepare(tx, &owner[1], 1, "SELECT 2", &third, &b->e));
	assert_ptr_equal(first, second);
	assert_ptr_not_equal(first, third);
	assert_ptr_equal(stmt_cached(tx, &owner[1], 1), third);
	FAILS(TROTH_INTERNAL, stmt_prepare(tx, &owner[0], 2, "SELECT FROM", &first, &b->e));
	box_commit(b, tx);
}

static void failures_have_a_kind(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	static const struct { int code; enum troth_kind kind; } expected[] = {
		{ SQLITE_FULL, TROTH_UNAVAILABLE }, { SQLITE_IOERR_FSYNC, TROTH_UNAVAILABLE }, { SQLITE_NOMEM, TROTH_UNAVAILABLE },
		{ SQLITE_BUSY, TROTH_UNAVAILABLE }, { SQLITE_READONLY, TROTH_UNAVAILABLE }, { SQLITE_CANTOPEN, TROTH_UNAVAILABLE },
		{ SQLITE_CORRUPT, TROTH_CORRUPT }, { SQLITE_NOTADB, TROTH_CORRUPT }, { SQLITE_CONSTRAINT_UNIQUE, TROTH_CONFLICT },
		{ SQLITE_CONSTRAINT_PRIMARYKEY, TROTH_CONFLICT }, { SQLITE_CONSTRAINT_FOREIGNKEY, TROTH_CONFLICT },
		{ SQLITE_CONSTRAINT_NOTNULL, TROTH_INTERNAL }, { SQLITE_CONSTRAINT_CHECK, TROTH_INTERNAL }, { SQLITE_MISUSE, TROTH_INTERNAL },
	};
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		FAILS(expected[i].kind, stmt_failed(tx->conn, tx, expected[i].code, &b->e));
		assert_int_equal(b->e.kind, expected[i].kind);
		assert_true(b->e.primary[0]);
		FAILS(expected[i].kind, stmt_failed(tx->conn, tx, expected[i].code, NULL));
	}
	assert_false(tx_lost(tx));
	box_commit(b, tx);
}

static void a_lost_transaction_refuses_everything(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct credential_row row;
	add_credential(b, tx, 1, CREDENTIAL_LEAF);
	OK(tx_savepoint(tx, &b->e));
	OK(conn_exec(tx->conn, "ROLLBACK", &b->e)); /* what SQLite does by itself when the disk is full */
	FAILS(TROTH_UNAVAILABLE, stmt_failed(tx->conn, tx, SQLITE_FULL, &b->e));
	assert_true(tx_lost(tx));
	FAILS(TROTH_UNAVAILABLE, credential_row_by_name(tx, b->a, "/test/1", &row, &b->e));
	FAILS(TROTH_UNAVAILABLE, tx_savepoint(tx, &b->e));
	FAILS(TROTH_UNAVAILABLE, tx_rollback_to(tx, &b->e));
	FAILS(TROTH_UNAVAILABLE, store_write_commit(tx, &b->e));
	tx = box_write(b);
	FAILS(TROTH_NOT_FOUND, credential_row_by_name(tx, b->a, "/test/1", &row, &b->e));
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(a_statement_is_prepared_once),
		BOX_TEST(failures_have_a_kind),
		BOX_TEST(a_lost_transaction_refuses_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
