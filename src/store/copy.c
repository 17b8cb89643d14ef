/* Copying a store.  See copy.h.
 *
 * SQLite's own backup takes all pages in one step under one read lock, so a running server's commits are in it whole or
 * not at all, and a WAL that was not copied into the file yet is in it too. */
#include "store/copy.h"

#include <stdio.h>

#include "store/migrate.h"

enum { COPY_BUSY_MS = 5000 };

static void conn_done(struct conn *c) { conn_close(c); }

/* -- making one ------------------------------------------------------------------------------------------ */

static troth_rc copy_pages(struct conn *to, struct conn *from, struct troth_err *e)
{
	sqlite3_backup *b = sqlite3_backup_init(to->db, "main", from->db, "main");
	ENSURE(b, e, TROTH_UNAVAILABLE, "no memory for the copy");
	(void)sqlite3_backup_step(b, -1); /* finish tells whether it failed */
	int code = sqlite3_backup_finish(b);
	return code == SQLITE_OK ? RC_OK : stmt_failed(from, NULL, code, e);
}

static troth_rc put_file(struct conn *c, const struct copy_file *f, struct troth_err *e)
{
	sqlite3_stmt *st;
	int code = sqlite3_prepare_v2(c->db, "INSERT INTO beside(name, contents) VALUES (?1, ?2)", -1, &st, NULL);
	if (code == SQLITE_OK) {
		stmt_bind(st, ARGS(arg_text(f->name), arg_blob(f->contents)));
		code = sqlite3_step(st);
	}
	sqlite3_finalize(st);
	return code == SQLITE_DONE ? RC_OK : stmt_failed(c, NULL, code, e);
}

static troth_rc put_files(struct conn *c, msec_t now, const struct copy_files *files, struct troth_err *e)
{
	char made[160];
	(void)snprintf(made, sizeof made, "INSERT OR REPLACE INTO meta(key, value) VALUES ('copied', CAST('%lld' AS BLOB))",
		       (long long)now); /* it fits */
	TRY(conn_exec(c, "CREATE TABLE beside (name TEXT PRIMARY KEY, contents BLOB NOT NULL) STRICT", e));
	TRY(conn_exec(c, made, e));
	for (size_t i = 0; i < files->count; i++)
		TRY(put_file(c, &files->items[i], e));
	return RC_OK;
}

static troth_rc take_bytes(struct conn *c, struct buf *out, struct troth_err *e)
{
	sqlite3_int64 len = 0;
	unsigned char *image = sqlite3_serialize(c->db, "main", &len, 0);
	ENSURE(image, e, TROTH_UNAVAILABLE, "no memory for the copy");
	buf_add(out, image, (size_t)len);
	secret_wipe(image, (size_t)len);
	sqlite3_free(image);
	ENSURE(buf_ok(out), e, TROTH_TOO_LARGE, "the store has %lld bytes, and a copy may have %zu", (long long)len, out->max);
	return RC_OK;
}

troth_rc store_copy(const char *path, msec_t now, const struct copy_files *files, struct buf *out, struct troth_err *e)
{
	CLEANUP(conn_done) struct conn from = { 0 };
	CLEANUP(conn_done) struct conn to = { 0 };
	CHECK(out->secret);
	TRY(conn_open(&from, path, SQLITE_OPEN_READONLY, NULL, COPY_BUSY_MS, e));
	TRY(migrate_check(&from, MIGRATIONS, MIGRATION_COUNT, e));
	TRY(conn_open(&to, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL, 0, e));
	TRY(copy_pages(&to, &from, e));
	TRY(put_files(&to, now, files, e));
	return take_bytes(&to, out, e);
}

/* -- looking at one ---------------------------------------------------------------------------------------- */

/* A database in memory over `copy`, which SQLite owns from then on and may change. */
static troth_rc open_copy(struct conn *c, struct bytes copy, struct troth_err *e)
{
	ENSURE(copy.len > 100 && memcmp(copy.data, "SQLite format 3", 16) == 0, e, TROTH_INVALID, "it holds no SQLite database");
	TRY(conn_open(c, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL, 0, e));
	unsigned char *own = sqlite3_malloc64(copy.len);
	ENSURE(own, e, TROTH_UNAVAILABLE, "no memory for the copy");
	memcpy(own, copy.data, copy.len);
	own[18] = own[19] = 1; /* not WAL: there is none in memory (https://sqlite.org/fileformat.html, section 1.3.3) */
	int code = sqlite3_deserialize(c->db, "main", own, (sqlite3_int64)copy.len, (sqlite3_int64)copy.len,
				       SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
	return code == SQLITE_OK ? RC_OK : stmt_failed(c, NULL, code, e);
}

static troth_rc check_intact(struct conn *c, struct troth_err *e)
{
	int64_t fine, foreign, code;
	TRY(migrate_number(c, "SELECT integrity_check = 'ok' FROM pragma_integrity_check(1)", &fine, e));
	TRY(migrate_number(c, "SELECT count(*) FROM pragma_foreign_key_check", &foreign, e));
	TRY(migrate_number(c, "SELECT count(*) FROM sqlite_schema WHERE type IN ('trigger', 'view') OR (type = 'table' AND rootpage = 0)", &code, e));
	ENSURE(fine, e, TROTH_CORRUPT, "the database in it is damaged");
	ENSURE(foreign == 0, e, TROTH_CORRUPT, "%lld rows of the database in it refer to rows that are not there", (long long)foreign);
	ENSURE(code == 0, e, TROTH_INVALID, "the database in it has triggers, views or virtual tables, and a store has none");
	return RC_OK;
}

static troth_rc read_info(struct conn *c, struct copy_info *ret, struct troth_err *e)
{
	int64_t application;
	TRY(migrate_number(c, "PRAGMA application_id", &application, e));
	ENSURE(application == STORE_APPLICATION_ID, e, TROTH_INVALID, "it holds an SQLite database, but not a troth store");
	TRY(migrate_check(c, MIGRATIONS, MIGRATION_COUNT, e));
	TRY(migrate_number(c, "PRAGMA user_version", &ret->schema, e));
	TRY(migrate_number(c, "SELECT coalesce(max(CAST(CAST(value AS TEXT) AS INTEGER)), 0) FROM meta WHERE key = 'epoch'", &ret->epoch, e));
	TRY(migrate_number(c, "SELECT coalesce(max(seq), 0) FROM audit", &ret->audit_seq, e));
	return migrate_number(c, "SELECT coalesce(max(CAST(CAST(value AS TEXT) AS INTEGER)), 0) FROM meta WHERE key = 'copied'", &ret->made, e);
}

static struct bytes blob_of(struct arena *a, sqlite3_stmt *st, int column)
{
	size_t len = (size_t)sqlite3_column_bytes(st, column);
	return bytes_of(arena_copy(a, sqlite3_column_blob(st, column), len), len);
}

static troth_rc read_audit_blob(struct conn *c, struct arena *a, struct bytes *ret, struct troth_err *e)
{
	sqlite3_stmt *st;
	int code = sqlite3_prepare_v2(c->db, "SELECT value FROM meta WHERE key = 'audit.blob'", -1, &st, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	bool found = code == SQLITE_ROW && sqlite3_column_bytes(st, 0) <= LIMIT_PEM_BYTES;
	*ret = found ? blob_of(a, st, 0) : bytes_of(NULL, 0);
	sqlite3_finalize(st);
	return code == SQLITE_ROW || code == SQLITE_DONE ? RC_OK : stmt_failed(c, NULL, code, e);
}

static struct copy_file file_of_row(struct arena *a, sqlite3_stmt *st)
{
	const char *name = (const char *)sqlite3_column_text(st, 0);
	return (struct copy_file){ arena_text(a, name ? name : ""), blob_of(a, st, 1) };
}

static troth_rc read_files(struct conn *c, struct arena *a, struct copy_files *ret, struct troth_err *e)
{
	sqlite3_stmt *st;
	int code = sqlite3_prepare_v2(c->db, "SELECT name, contents FROM beside ORDER BY name", -1, &st, NULL);
	ret->count = 0;
	while (code == SQLITE_OK || code == SQLITE_ROW) {
		code = sqlite3_step(st);
		if (code != SQLITE_ROW || ret->count == COPY_FILES || sqlite3_column_bytes(st, 1) > LIMIT_PEM_BYTES)
			break;
		ret->items[ret->count++] = file_of_row(a, st);
	}
	sqlite3_finalize(st);
	ENSURE(code != SQLITE_ROW, e, TROTH_TOO_LARGE, "there are more than %d files beside the store, or one larger than %d bytes", COPY_FILES,
	       LIMIT_PEM_BYTES);
	ENSURE(code == SQLITE_DONE, e, TROTH_INVALID, "it holds a store, but no files beside it: it is no backup");
	return RC_OK;
}

troth_rc store_copy_check(struct arena *a, struct bytes copy, struct copy_info *ret, struct copy_files *ret_files, struct troth_err *e)
{
	CLEANUP(conn_done) struct conn c = { 0 };
	TRY(open_copy(&c, copy, e));
	TRY(read_info(&c, ret, e));
	TRY(check_intact(&c, e));
	TRY(read_audit_blob(&c, a, &ret->audit_blob, e));
	return read_files(&c, a, ret_files, e);
}

/* -- a store again ------------------------------------------------------------------------------------------- */

troth_rc store_copy_strip(struct bytes copy, struct buf *out, struct troth_err *e)
{
	CLEANUP(conn_done) struct conn c = { 0 };
	CHECK(out->secret);
	TRY(open_copy(&c, copy, e));
	TRY(conn_exec(&c, "PRAGMA secure_delete = ON; DROP TABLE beside; DELETE FROM meta WHERE key = 'copied'", e));
	return take_bytes(&c, out, e);
}
