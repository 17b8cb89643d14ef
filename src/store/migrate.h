/* Inside the store only: bringing a file's schema up to this program's. */
#ifndef TROTH_STORE_MIGRATE_H
#define TROTH_STORE_MIGRATE_H

#include "store/stmt.h"

/* "trot" in ASCII: `file` and sqlite3 can tell a store from any other database. */
enum { STORE_APPLICATION_ID = 0x74726f74 };

/* One step forward.  Numbers start at 1 and have no gaps; a step that was released is never edited. */
struct migration {
	int number;
	const char *sql;
};
extern const struct migration MIGRATIONS[];
extern const size_t MIGRATION_COUNT;

/* Refuses a foreign file (INVALID) and a newer schema (CONFLICT); changes nothing. */
troth_rc migrate_check(struct conn *c, const struct migration *steps, size_t count, struct troth_err *e);
/* Runs the steps that the file has not seen, each in its own transaction together with its number. */
troth_rc migrate_run(struct conn *c, const struct migration *steps, size_t count, struct troth_err *e);
/* A single number, as PRAGMA user_version gives it. */
troth_rc migrate_number(struct conn *c, const char *sql, int64_t *ret_number, struct troth_err *e);

#endif
