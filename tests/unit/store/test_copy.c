/* A copy of a store with files beside it: whole, as of one moment, refused when anything is wrong with it. */
#include "box.h"

#include <stdlib.h>

#include "base/buf.h"
#include "port/port.h"
#include "store/copy.h"

enum { AT_MOST = 16 << 20 };

static const struct copy_files FILES = { { { "master.key", { (const uint8_t *)"0123456789abcdef0123456789abcdeX", 32 } },
					   { "server.listen", { (const uint8_t *)"127.0.0.1:1\n", 12 } } }, 2 };

static void copy(struct box *b, struct buf *out)
{
	OK(store_copy(b->path, 1234, &FILES, out, &b->e));
}

static bool holds(struct bytes in, const char *text)
{
	return memmem(in.data, in.len, text, strlen(text)) != NULL;
}

static void a_copy_holds_what_was_committed_and_the_files(void **state)
{
	struct box *b = *state;
	struct copy_info info;
	struct copy_files files;
	CLEANUP(buf_release) struct buf out = buf_make_secret(AT_MOST);
	struct tx *tx = box_write(b);
	add_credential(b, tx, 1, CREDENTIAL_AUTHORITY);
	OK(store_epoch_set(tx, 7, &b->e));
	box_commit(b, tx);
	copy(b, &out); /* with the store open, and the commit still in the WAL */
	OK(store_copy_check(b->a, buf_bytes(&out), &info, &files, &b->e));
	assert_int_equal(info.schema, store_schema_version());
	assert_int_equal(info.epoch, 7);
	assert_int_equal(info.made, 1234);
	assert_int_equal(files.count, 2);
	assert_string_equal(files.items[0].name, "master.key");
	assert_true(bytes_equal(files.items[0].contents, FILES.items[0].contents));
	assert_true(bytes_equal(files.items[1].contents, FILES.items[1].contents));
}

static void a_stripped_copy_is_a_store_without_a_trace_of_the_files(void **state)
{
	struct box *b = *state;
	struct credential_row row;
	char path[128];
	CLEANUP(buf_release) struct buf out = buf_make_secret(AT_MOST);
	CLEANUP(buf_release) struct buf store = buf_make_secret(AT_MOST);
	struct tx *tx = box_write(b);
	add_credential(b, tx, 1, CREDENTIAL_AUTHORITY);
	box_commit(b, tx);
	copy(b, &out);
	assert_true(holds(buf_bytes(&out), "0123456789abcdeX"));
	OK(store_copy_strip(buf_bytes(&out), &store, &b->e));
	assert_false(holds(buf_bytes(&store), "0123456789abcdeX"));
	snprintf(path, sizeof path, "%s/again.db", b->dir);
	OK(file_write(path, buf_bytes(&store), 0600, &b->e));
	store_close(b->store);
	b->store = NULL;
	OK(store_open(path, &(struct store_options){ .must_exist = true }, &b->store, &b->e));
	tx = box_write(b);
	OK(credential_row_by_name(tx, b->a, "/test/1", &row, &b->e));
	store_write_rollback(tx);
}

static void what_is_uncommitted_is_not_in_it(void **state)
{
	struct box *b = *state;
	struct copy_info info;
	struct copy_files files;
	CLEANUP(buf_release) struct buf out = buf_make_secret(AT_MOST);
	struct tx *tx = box_write(b);
	OK(store_epoch_set(tx, 9, &b->e));
	copy(b, &out);
	store_write_rollback(tx);
	OK(store_copy_check(b->a, buf_bytes(&out), &info, &files, &b->e));
	assert_int_not_equal(info.epoch, 9);
}

static void a_store_that_does_not_fit_is_refused(void **state)
{
	struct box *b = *state;
	CLEANUP(buf_release) struct buf out = buf_make_secret(1000);
	FAILS(TROTH_TOO_LARGE, store_copy(b->path, 1, &FILES, &out, &b->e));
	FAILS(TROTH_UNAVAILABLE, store_copy("/nonexistent/troth.db", 1, &FILES, &out, &b->e));
}

/* Every page changed in turn: refused, or what it says is still what was copied. */
static void damage_is_found(void **state)
{
	struct box *b = *state;
	size_t refused = 0, pages = 0;
	CLEANUP(buf_release) struct buf out = buf_make_secret(AT_MOST);
	copy(b, &out);
	for (size_t at = 0; at + 4096 <= out.len; at += 4096, pages++) {
		struct copy_info info;
		struct copy_files files;
		struct arena *a = arena_new(4 << 20);
		CLEANUP(buf_release) struct buf bad = buf_make_secret(AT_MOST);
		buf_add_bytes(&bad, buf_bytes(&out));
		memset(bad.data + at, 0xA5, 4096);
		if (rc_failed(store_copy_check(a, buf_bytes(&bad), &info, &files, &b->e)))
			refused++;
		arena_free(a);
	}
	assert_true(pages > 20);
	assert_int_equal(refused, pages);
}

static struct bytes changed_by(struct box *b, struct buf *file, const char *sql)
{
	char path[128];
	sqlite3 *db;
	struct bytes bytes;
	snprintf(path, sizeof path, "%s/changed.db", b->dir);
	file->data[18] = file->data[19] = 1;
	OK(file_write(path, buf_bytes(file), 0600, &b->e));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	OK(file_read(b->a, path, AT_MOST, &bytes, &b->e));
	return bytes;
}

static void what_is_no_backup_is_refused_by_name(void **state)
{
	static const struct { const char *sql, *words; enum troth_kind kind; } bad[] = {
		{ "DROP TABLE beside", "no files beside", TROTH_INVALID },
		{ "PRAGMA application_id = 1", "not a troth store", TROTH_INVALID },
		{ "PRAGMA user_version = 9999", "schema 9999", TROTH_CONFLICT },
		{ "CREATE TRIGGER t AFTER INSERT ON audit BEGIN DELETE FROM meta; END", "triggers", TROTH_INVALID },
		{ "CREATE VIEW v AS SELECT 1", "views", TROTH_INVALID },
		{ "CREATE  VIRTUAL TABLE v USING fts5(x)", "virtual", TROTH_INVALID },
		{ "INSERT INTO beside VALUES ('big', zeroblob(600000))", "larger than", TROTH_TOO_LARGE },
		{ "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) INSERT INTO beside SELECT 'f' || i, x'00' FROM n",
		  "more than 16 files", TROTH_TOO_LARGE },
	};
	struct box *b = *state;
	struct copy_info info;
	struct copy_files files;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_release) struct buf out = buf_make_secret(AT_MOST);
		copy(b, &out);
		FAILS(bad[i].kind, store_copy_check(b->a, changed_by(b, &out, bad[i].sql), &info, &files, &b->e));
		if (!strstr(b->e.primary, bad[i].words))
			fail_msg("%s: %s", bad[i].sql, b->e.primary);
	}
	FAILS(TROTH_INVALID, store_copy_check(b->a, bytes_of_text("-----BEGIN CERTIFICATE-----"), &info, &files, &b->e));
	FAILS(TROTH_INVALID, store_copy_check(b->a, bytes_of_text(""), &info, &files, &b->e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(a_copy_holds_what_was_committed_and_the_files),
		BOX_TEST(a_stripped_copy_is_a_store_without_a_trace_of_the_files),
		BOX_TEST(what_is_uncommitted_is_not_in_it),
		BOX_TEST(a_store_that_does_not_fit_is_refused),
		BOX_TEST(damage_is_found),
		BOX_TEST(what_is_no_backup_is_refused_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
