/* The archive: everything troth remembers, in one SQLite file, behind functions.
 *
 * This is the only room that knows SQL.  Above it rows are plain structs (rows.h) and a verb is a
 * handful of row functions inside one transaction.
 *
 *   writer (one thread)                          reader (one connection per thread)
 *   store_write_begin(store, &tx)                store_read_begin(reader, &tx)
 *     tx_savepoint(tx)   verb 1                    x_row_get, x_row_list ... one snapshot,
 *       x_row_insert ... audit_append              taken at the first row function
 *     tx_release | tx_rollback_to                store_read_end(tx)
 *     tx_savepoint(tx)   verb 2 ...
 *   store_write_commit(tx)    answer only after it returned RC_OK
 *
 * The file is in WAL mode with synchronous=FULL: what store_write_commit acknowledged survives a
 * power cut.  If it fails, nothing of the group is there: fail every verb of it and drop whatever
 * memory was derived from it (the engine's view).  One thing no disk can rule out: when the failure
 * was a sync and the machine then dies before the next commit, the group may be found after the
 * restart, whole.  Whoever was told "unavailable" has to look before trying again.
 *
 * Errors: unique name taken, or a row still in use: CONFLICT with the object named.  No such row:
 * NOT_FOUND.  Disk full, I/O error, no memory: UNAVAILABLE.  Damaged file: CORRUPT.  Some of those
 * end the whole transaction; tx_lost then says so and every later call on that tx fails.
 *
 * Not done here: no logging, no clock, no randomness (ids of rows are made by SQLite; uuids, times
 * and tokens come in as parameters), no decisions. */
#ifndef TROTH_STORE_STORE_H
#define TROTH_STORE_STORE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"

struct store;        /* the file, its lock and the writer's connection */
struct store_reader; /* a read-only connection; one thread at a time */
struct tx;           /* a transaction: the writer's or a reader's */

struct store_options {
	const char *vfs;      /* NULL: the system's.  A named VFS (simulation) also means: no lock file */
	bool must_exist;      /* refuse to make a new store ("run troth init first") */
	int busy_timeout_ms;  /* 0: 5000; how long to wait for a foreign process that holds the file */
	int checkpoint_pages; /* 0: SQLite's 1000; the WAL is copied into the file when it is so long */
};

/* -- open and close ------------------------------------------------------------------------- */

/* Opens or makes the store at `path`, takes PATH.lock (a second server gets CONFLICT), brings the
 * schema up to date.  A schema newer than this program: CONFLICT, nothing changed.  A file that is
 * SQLite but not a troth store: INVALID.  `options` may be NULL. */
troth_rc store_open(const char *path, const struct store_options *options, struct store **ret_store,
		    struct troth_err *e);
void store_close(struct store *s);    /* accepts NULL; all readers must be closed before */
void store_closep(struct store **s);  /* for CLEANUP */
int store_schema_version(void);       /* the newest schema this program knows */

/* One connection for one thread.  May be called from any thread, one at a time. */
troth_rc store_reader_open(struct store *s, struct store_reader **ret_reader, struct troth_err *e);
void store_reader_close(struct store_reader *r);
void store_reader_closep(struct store_reader **r);

/* -- transactions --------------------------------------------------------------------------- */

/* A snapshot: all that was committed before its first row function, nothing later.  Keep it short; an old one holds
 * back the checkpoint and the WAL grows. */
troth_rc store_read_begin(struct store_reader *r, struct tx **ret_tx, struct troth_err *e);
void store_read_end(struct tx *tx); /* accepts NULL */

/* BEGIN IMMEDIATE.  One at a time. */
troth_rc store_write_begin(struct store *s, struct tx **ret_tx, struct troth_err *e);
/* Durable when it returns RC_OK.  Otherwise nothing of the transaction remains.  Ends tx. */
troth_rc store_write_commit(struct tx *tx, struct troth_err *e);
void store_write_rollback(struct tx *tx); /* ends tx; accepts NULL */

/* One verb in the group: savepoint, then release (keep) or rollback_to (undo this verb only).  May
 * be nested.  rollback_to fails only if the whole transaction is lost. */
troth_rc tx_savepoint(struct tx *tx, struct troth_err *e);
troth_rc tx_release(struct tx *tx, struct troth_err *e);
troth_rc tx_rollback_to(struct tx *tx, struct troth_err *e);
bool tx_lost(const struct tx *tx);     /* SQLite gave the whole transaction up (disk full, I/O) */
bool tx_writable(const struct tx *tx); /* false for a snapshot */

#include "store/rows.h"

#endif
