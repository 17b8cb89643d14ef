/* A snapshot of a store that another process may be writing, and how much is in it.  See look.h. */
#include "store/look.h"

#include "store/migrate.h"
#include "store/tx.h"

enum { LOOK_TABLES = 128, LOOK_BUSY_MS = 5000 }; /* tables: some forty */

static troth_rc same_schema(struct conn *c, struct troth_err *e)
{
	int64_t schema;
	TRY(migrate_check(c, MIGRATIONS, MIGRATION_COUNT, e));
	TRY(migrate_number(c, "PRAGMA user_version", &schema, e));
	if (schema == store_schema_version())
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "the store has schema %lld, this program reads %d", (long long)schema, store_schema_version());
	err_hint(e, "use the troth that the server runs with, or start the server with this one: it brings the store up to date");
	return rc;
}

troth_rc store_look(const char *path, struct store_reader **ret, struct troth_err *e)
{
	CLEANUP(store_reader_closep) struct store_reader *r = NULL;
	TRY(store_reader_of_path(path, LOOK_BUSY_MS, &r, e));
	TRY(same_schema(store_reader_conn(r), e));
	*ret = r;
	r = NULL;
	return RC_OK;
}

/* -- figures ---------------------------------------------------------------------------------------------------- */

static troth_rc count_rows(struct tx *tx, struct store_table *t, struct troth_err *e)
{
	char *sql = sqlite3_mprintf("SELECT count(*) FROM \"%w\"", t->name);
	ENSURE(sql, e, TROTH_UNAVAILABLE, "out of memory");
	troth_rc rc = migrate_number(tx->conn, sql, &t->rows, e);
	sqlite3_free(sql);
	return rc;
}

static troth_rc list_tables(struct tx *tx, struct arena *a, struct store_table *tables, size_t *ret_count, struct troth_err *e)
{
	sqlite3_stmt *st;
	int code = sqlite3_prepare_v2(tx->conn->db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", -1, &st, NULL);
	*ret_count = 0;
	while (code == SQLITE_OK || code == SQLITE_ROW) {
		code = sqlite3_step(st);
		if (code != SQLITE_ROW || *ret_count == LOOK_TABLES)
			break;
		tables[(*ret_count)++].name = arena_text(a, (const char *)sqlite3_column_text(st, 0));
	}
	sqlite3_finalize(st);
	ENSURE(code != SQLITE_ROW, e, TROTH_TOO_LARGE, "the store has more than %d tables", LOOK_TABLES);
	return code == SQLITE_DONE ? RC_OK : stmt_failed(tx->conn, NULL, code, e);
}

troth_rc store_figures(struct tx *tx, struct arena *a, struct store_figures *ret, struct troth_err *e)
{
	struct store_table *tables = ARENA_ARRAY(a, struct store_table, LOOK_TABLES);
	struct store_figures f = { .sqlite = sqlite3_libversion(), .tables = tables };
	TRY(list_tables(tx, a, tables, &f.table_count, e));
	for (size_t i = 0; i < f.table_count; i++)
		TRY(count_rows(tx, &tables[i], e));
	TRY(migrate_number(tx->conn, "PRAGMA user_version", &f.schema, e));
	TRY(migrate_number(tx->conn, "PRAGMA page_size", &f.page_bytes, e));
	TRY(migrate_number(tx->conn, "PRAGMA page_count", &f.pages, e));
	TRY(migrate_number(tx->conn, "PRAGMA freelist_count", &f.free_pages, e));
	*ret = f;
	return RC_OK;
}
