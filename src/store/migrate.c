/* Forward-only, numbered migrations.  The file carries its number in user_version, which SQLite
 * changes inside the transaction like any row: after a crash a step has happened or it has not.
 * There is no way back; a program that meets a newer file says so and leaves it alone. */
#include "store/migrate.h"

#include <stdio.h>

troth_rc migrate_number(struct conn *c, const char *sql, int64_t *ret_number, struct troth_err *e)
{
	sqlite3_stmt *st;
	int code = sqlite3_prepare_v2(c->db, sql, -1, &st, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	int64_t number = code == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	troth_rc rc = code == SQLITE_ROW ? RC_OK : stmt_failed(c, NULL, code, e);
	sqlite3_finalize(st);
	if (rc_ok(rc))
		*ret_number = number;
	return rc;
}

static int newest(const struct migration *steps, size_t count)
{
	return count ? steps[count - 1].number : 0;
}

troth_rc migrate_check(struct conn *c, const struct migration *steps, size_t count, struct troth_err *e)
{
	int64_t application, version, objects;
	TRY(migrate_number(c, "PRAGMA application_id", &application, e));
	TRY(migrate_number(c, "PRAGMA user_version", &version, e));
	TRY(migrate_number(c, "SELECT count(*) FROM sqlite_schema", &objects, e));
	if (application != STORE_APPLICATION_ID) {
		ENSURE(objects == 0 && version == 0 && application == 0, e, TROTH_INVALID,
		       "the file is an SQLite database but not a troth store");
		return RC_OK;
	}
	if (version <= newest(steps, count))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "the store has schema %lld, this program knows up to %d",
			      (long long)version, newest(steps, count));
	err_hint(e, "run the newer troth that wrote it, or restore a backup made before the upgrade");
	return rc;
}

static troth_rc step_run(struct conn *c, const struct migration *m, struct troth_err *e)
{
	char number[120];
	snprintf(number, sizeof number, "PRAGMA user_version = %d; PRAGMA application_id = %d; COMMIT", m->number, STORE_APPLICATION_ID);
	TRY(conn_exec(c, "BEGIN IMMEDIATE", e));
	troth_rc rc = conn_exec(c, m->sql, e);
	if (rc_ok(rc))
		rc = conn_exec(c, number, e);
	if (rc_failed(rc)) {
		if (!sqlite3_get_autocommit(c->db))
			(void)conn_exec(c, "ROLLBACK", NULL); /* the first failure is the one to tell */
		err_prefix(e, "schema step %d", m->number);
	}
	return rc;
}

troth_rc migrate_run(struct conn *c, const struct migration *steps, size_t count, struct troth_err *e)
{
	int64_t version;
	TRY(migrate_number(c, "PRAGMA user_version", &version, e));
	for (size_t i = 0; i < count; i++)
		if (steps[i].number > version)
			TRY(step_run(c, &steps[i], e));
	return RC_OK;
}
