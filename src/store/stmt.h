/* Inside the store only: a connection with its prepared statements, and the words for SQLite's
 * failures.
 *
 * A statement is prepared once a connection and found again by who asks for it (the address of a
 * static query or table, and a number), so no SQL text is built or compared on the hot path.  A
 * statement is bound, stepped and reset within one function; none is left open between two calls. */
#ifndef TROTH_STORE_STMT_H
#define TROTH_STORE_STMT_H

#include <sqlite3.h>

#include "store/store.h"

enum {
	CONN_STATEMENTS = 512,     /* slots of the cache; the program has some 200 queries */
	CONN_SQL_BYTES = 8 << 10,  /* the longest generated statement is 1 KiB */
	CONN_SAVEPOINT_DEPTH = 8,  /* a verb nests one or two */
};

struct tx {
	struct conn *conn;
	bool open, writable, lost;
	int depth; /* savepoints */
};

struct conn {
	sqlite3 *db;
	struct tx tx;
	struct conn_statement {
		const void *owner;
		int which;
		sqlite3_stmt *statement;
	} statements[CONN_STATEMENTS];
};

/* A value for ?1, ?2 ...  Text and blobs are not copied; NULL text and empty blobs bind NULL. */
struct arg {
	enum arg_kind { ARG_INT, ARG_TEXT, ARG_BLOB } kind;
	int64_t i;
	const char *text;
	struct bytes blob;
};
static inline struct arg arg_int(int64_t i) { return (struct arg){ .kind = ARG_INT, .i = i }; }
static inline struct arg arg_text(const char *s) { return (struct arg){ .kind = ARG_TEXT, .text = s }; }
static inline struct arg arg_blob(struct bytes b) { return (struct arg){ .kind = ARG_BLOB, .blob = b }; }
#define ARGS(...) (const struct arg[]){ __VA_ARGS__ }, ARRAY_LEN(((const struct arg[]){ __VA_ARGS__ }))
#define NO_ARGS NULL, 0

/* Opens db with the pragmas that every connection has.  conn_close accepts a half-made one. */
troth_rc conn_open(struct conn *c, const char *path, int flags, const char *vfs, int busy_timeout_ms,
		   struct troth_err *e);
void conn_close(struct conn *c);
/* Plain SQL without values, outside the cache: pragmas, migrations. */
troth_rc conn_exec(struct conn *c, const char *sql, struct troth_err *e);

/* The prepared statement of (owner, which); `sql` is read when it is not in the cache yet. */
troth_rc stmt_prepare(struct tx *tx, const void *owner, int which, const char *sql,
		      sqlite3_stmt **ret_statement, struct troth_err *e);
/* NULL when it still has to be prepared. */
sqlite3_stmt *stmt_cached(const struct tx *tx, const void *owner, int which);
/* The transaction can still be used: open, not lost, and writable if asked. */
troth_rc stmt_usable(const struct tx *tx, bool write, struct troth_err *e);
void stmt_bind(sqlite3_stmt *st, const struct arg *args, size_t count);
/* One step; ret_row false at the end.  On failure the statement is reset and e says what. */
troth_rc stmt_step(struct tx *tx, sqlite3_stmt *st, bool *ret_row, struct troth_err *e);
void stmt_reset(sqlite3_stmt *st);

/* Says what SQLite's result code means; marks tx lost when the transaction is gone. */
troth_rc stmt_failed(struct conn *c, struct tx *tx, int code, struct troth_err *e);

#endif
