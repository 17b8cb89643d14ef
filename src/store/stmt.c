/* A connection, its statement cache, and the one place that turns SQLite's result codes into
 * troth's kinds.  Everything else in this room goes through stmt_step.
 *
 * The rule about lost transactions: after SQLITE_FULL, IOERR, NOMEM and a few more SQLite may have
 * rolled back the whole transaction by itself.  sqlite3_get_autocommit tells.  The next statement
 * would then run outside of any transaction and be committed alone; stmt_usable refuses it. */
#include "store/stmt.h"

/* -- errors --------------------------------------------------------------------------------- */

static troth_rc constraint_failed(sqlite3 *db, int code, struct troth_err *e)
{
	switch (code) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
		return err_set(e, TROTH_CONFLICT, "exists already");
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return err_set(e, TROTH_CONFLICT, "is still in use or refers to something that does not exist");
	default:
		return err_set(e, TROTH_INTERNAL, "the store refused a row: %s", sqlite3_errmsg(db));
	}
}

/* What a primary result code means; the rest is INTERNAL. */
static const struct {
	int code;
	enum troth_kind kind;
	const char *text, *hint;
} FAILURES[] = {
	{ SQLITE_FULL, TROTH_UNAVAILABLE, "the store's disk is full", "free space on the disk that holds the store" },
	{ SQLITE_IOERR, TROTH_UNAVAILABLE, "the store could not be read or written", "look for disk errors in the system log" },
	{ SQLITE_NOMEM, TROTH_UNAVAILABLE, "no memory for the store", "" },
	{ SQLITE_CANTOPEN, TROTH_UNAVAILABLE, "the store's file could not be opened", "check that the directory exists and is writable" },
	{ SQLITE_PERM, TROTH_UNAVAILABLE, "the store's file could not be opened", "check owner and mode of the file" },
	{ SQLITE_READONLY, TROTH_UNAVAILABLE, "the store's file is read-only", "check owner and mode of the file and its directory" },
	{ SQLITE_BUSY, TROTH_UNAVAILABLE, "another process holds the store", "stop it, or try again" },
	{ SQLITE_LOCKED, TROTH_UNAVAILABLE, "the store is locked", "try again" },
	{ SQLITE_PROTOCOL, TROTH_UNAVAILABLE, "another process holds the store", "stop it, or try again" },
	{ SQLITE_CORRUPT, TROTH_CORRUPT, "the store's file is damaged", "restore it from a backup" },
	{ SQLITE_NOTADB, TROTH_CORRUPT, "the file is not a store", "check the path, or restore it from a backup" },
};

troth_rc stmt_failed(struct conn *c, struct tx *tx, int code, struct troth_err *e)
{
	if (tx && tx->open && sqlite3_get_autocommit(c->db))
		tx->lost = true;
	if ((code & 0xff) == SQLITE_CONSTRAINT) {
		troth_rc rc = constraint_failed(c->db, code, e);
		err_detail(e, "%s", sqlite3_errmsg(c->db));
		return rc;
	}
	for (size_t i = 0; i < ARRAY_LEN(FAILURES); i++) {
		if (FAILURES[i].code != (code & 0xff))
			continue;
		troth_rc rc = err_set(e, FAILURES[i].kind, "%s", FAILURES[i].text);
		err_detail(e, "SQLite: %s (%d)", c->db ? sqlite3_errmsg(c->db) : sqlite3_errstr(code), code);
		err_hint(e, "%s", FAILURES[i].hint);
		return rc;
	}
	return err_set(e, TROTH_INTERNAL, "the store failed: %s (%d)", c->db ? sqlite3_errmsg(c->db) : sqlite3_errstr(code), code);
}

/* -- connection ------------------------------------------------------------------------------- */

/* DEFENSIVE and trusted_schema: a damaged or prepared file shall not run code of its own. */
static const char PRAGMAS[] = "PRAGMA foreign_keys = ON;"
			      "PRAGMA synchronous = FULL;"
			      "PRAGMA trusted_schema = OFF;"
			      "PRAGMA cell_size_check = ON;"
			      "PRAGMA temp_store = MEMORY;"
			      "PRAGMA cache_size = -16384;";

troth_rc conn_open(struct conn *c, const char *path, int flags, const char *vfs, int busy_timeout_ms,
		   struct troth_err *e)
{
	memset(c, 0, sizeof *c);
	int code = sqlite3_open_v2(path, &c->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs);
	if (code != SQLITE_OK) {
		troth_rc rc = stmt_failed(c, NULL, code, e);
		err_object(e, "%s", path);
		return rc;
	}
	sqlite3_busy_timeout(c->db, busy_timeout_ms ? busy_timeout_ms : 5000);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	return conn_exec(c, PRAGMAS, e);
}

void conn_close(struct conn *c)
{
	for (size_t i = 0; i < CONN_STATEMENTS; i++)
		sqlite3_finalize(c->statements[i].statement);
	CHECK(sqlite3_close(c->db) == SQLITE_OK); /* otherwise a statement or a transaction leaked */
	memset(c, 0, sizeof *c);
}

troth_rc conn_exec(struct conn *c, const char *sql, struct troth_err *e)
{
	int code = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? RC_OK : stmt_failed(c, &c->tx, code, e);
}

/* -- statements --------------------------------------------------------------------------------- */

/* The slot of (owner, which), or the free slot where it belongs. */
static struct conn_statement *statement_slot(struct conn *c, const void *owner, int which)
{
	size_t at = ((uintptr_t)owner >> 4) * 31 + (size_t)which;
	for (size_t i = 0; i < CONN_STATEMENTS; i++) {
		struct conn_statement *s = &c->statements[(at + i) % CONN_STATEMENTS];
		if (!s->statement || (s->owner == owner && s->which == which))
			return s;
	}
	CHECK(!"the statement cache is full");
	return NULL;
}

sqlite3_stmt *stmt_cached(const struct tx *tx, const void *owner, int which)
{
	return statement_slot(tx->conn, owner, which)->statement;
}

troth_rc stmt_prepare(struct tx *tx, const void *owner, int which, const char *sql,
		      sqlite3_stmt **ret_statement, struct troth_err *e)
{
	struct conn_statement *s = statement_slot(tx->conn, owner, which);
	if (!s->statement) {
		int code = sqlite3_prepare_v3(tx->conn->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->statement, NULL);
		if (code != SQLITE_OK)
			return stmt_failed(tx->conn, tx, code, e);
		s->owner = owner;
		s->which = which;
	}
	*ret_statement = s->statement;
	return RC_OK;
}

troth_rc stmt_usable(const struct tx *tx, bool write, struct troth_err *e)
{
	CHECK(tx->open);
	CHECK(!write || tx->writable);
	ENSURE(!tx->lost, e, TROTH_UNAVAILABLE, "the transaction was given up after an earlier failure of the disk");
	return RC_OK;
}

void stmt_bind(sqlite3_stmt *st, const struct arg *args, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int at = (int)i + 1, code = SQLITE_OK;
		switch (args[i].kind) {
		case ARG_INT:
			code = sqlite3_bind_int64(st, at, args[i].i);
			break;
		case ARG_TEXT:
			code = sqlite3_bind_text(st, at, args[i].text, -1, SQLITE_STATIC);
			break;
		case ARG_BLOB:
			code = args[i].blob.len ? sqlite3_bind_blob64(st, at, args[i].blob.data, args[i].blob.len, SQLITE_STATIC) : SQLITE_OK;
			break;
		}
		CHECK(code == SQLITE_OK); /* static bindings need no memory: only a wrong index fails */
	}
}

troth_rc stmt_step(struct tx *tx, sqlite3_stmt *st, bool *ret_row, struct troth_err *e)
{
	int code = sqlite3_step(st);
	if (code == SQLITE_ROW || code == SQLITE_DONE) {
		*ret_row = code == SQLITE_ROW;
		return RC_OK;
	}
	troth_rc rc = stmt_failed(tx->conn, tx, code, e);
	stmt_reset(st);
	return rc;
}

void stmt_reset(sqlite3_stmt *st)
{
	(void)sqlite3_reset(st); /* repeats the failure that stmt_step has already told */
	(void)sqlite3_clear_bindings(st);
}
