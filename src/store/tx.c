/* Transactions.  The writer's holds the verbs of one group, a savepoint each; all savepoints have
 * one name, SQLite means the innermost.  A reader's is a snapshot.
 *
 * A COMMIT that fails leaves SQLite's transaction open or already gone; either way what follows is
 * ROLLBACK and the same answer: nothing of the group happened. */
#include "store/tx.h"

enum tx_word { TX_BEGIN_READ, TX_BEGIN_WRITE, TX_COMMIT, TX_ROLLBACK, TX_SAVEPOINT, TX_RELEASE, TX_ROLLBACK_TO };

static const char *const TX_WORDS[] = {
	[TX_BEGIN_READ] = "BEGIN",
	[TX_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[TX_COMMIT] = "COMMIT",
	[TX_ROLLBACK] = "ROLLBACK",
	[TX_SAVEPOINT] = "SAVEPOINT verb",
	[TX_RELEASE] = "RELEASE verb",
	[TX_ROLLBACK_TO] = "ROLLBACK TO verb",
};

static troth_rc tx_say(struct tx *tx, enum tx_word word, struct troth_err *e)
{
	sqlite3_stmt *st;
	bool more;
	TRY(stmt_prepare(tx, TX_WORDS, (int)word, TX_WORDS[word], &st, e));
	TRY(stmt_step(tx, st, &more, e));
	stmt_reset(st);
	return RC_OK;
}

troth_rc tx_begin(struct conn *c, bool writable, struct tx **ret_tx, struct troth_err *e)
{
	struct tx *tx = &c->tx;
	CHECK(!tx->open);
	*tx = (struct tx){ .conn = c, .writable = writable };
	TRY(tx_say(tx, writable ? TX_BEGIN_WRITE : TX_BEGIN_READ, e));
	tx->open = true;
	*ret_tx = tx;
	return RC_OK;
}

void tx_abandon(struct tx *tx)
{
	CHECK(tx->open);
	if (!sqlite3_get_autocommit(tx->conn->db))
		(void)tx_say(tx, TX_ROLLBACK, NULL); /* SQLite gives the transaction up also when this fails */
	CHECK(sqlite3_get_autocommit(tx->conn->db));
	tx->open = false;
}

troth_rc store_write_commit(struct tx *tx, struct troth_err *e)
{
	CHECK(tx->open && tx->writable && tx->depth == 0);
	troth_rc rc = stmt_usable(tx, true, e);
	if (rc_ok(rc))
		rc = tx_say(tx, TX_COMMIT, e);
	tx_abandon(tx);
	return rc;
}

void store_write_rollback(struct tx *tx)
{
	if (tx)
		tx_abandon(tx);
}

void store_read_end(struct tx *tx)
{
	if (tx)
		tx_abandon(tx);
}

troth_rc tx_savepoint(struct tx *tx, struct troth_err *e)
{
	CHECK(tx->depth < CONN_SAVEPOINT_DEPTH);
	TRY(stmt_usable(tx, true, e));
	TRY(tx_say(tx, TX_SAVEPOINT, e));
	tx->depth++;
	return RC_OK;
}

troth_rc tx_release(struct tx *tx, struct troth_err *e)
{
	CHECK(tx->depth > 0);
	tx->depth--;
	TRY(stmt_usable(tx, true, e));
	return tx_say(tx, TX_RELEASE, e);
}

troth_rc tx_rollback_to(struct tx *tx, struct troth_err *e)
{
	CHECK(tx->depth > 0);
	tx->depth--;
	TRY(stmt_usable(tx, true, e));
	TRY(tx_say(tx, TX_ROLLBACK_TO, e));
	return tx_say(tx, TX_RELEASE, e);
}

bool tx_lost(const struct tx *tx) { return tx->lost; }
bool tx_writable(const struct tx *tx) { return tx->writable; }
