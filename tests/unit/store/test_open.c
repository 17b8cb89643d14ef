/* Opening: who may, what is refused, what stays. */
#include "box.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "port/port.h"

static void what_was_committed_is_there_again(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	add_credential(b, tx, 1, CREDENTIAL_AUTHORITY);
	box_commit(b, tx);
	store_close(b->store);
	b->store = NULL;
	box_open(b);
	struct credential_row row;
	tx = box_write(b);
	OK(credential_row_by_name(tx, b->a, "/test/1", &row, &b->e));
	store_write_rollback(tx);
}

static void a_second_server_is_refused(void **state)
{
	struct box *b = *state;
	struct store *second = NULL;
	FAILS(TROTH_CONFLICT, store_open(b->path, NULL, &second, &b->e));
	assert_null(second);
	assert_non_null(strstr(b->e.primary, "another troth server"));
	assert_true(b->e.hint[0]);
	store_close(b->store);
	b->store = NULL;
	box_open(b); /* the lock went with the first */
}

static void a_missing_store_is_not_made_silently(void **state)
{
	struct box *b = *state;
	struct store *store;
	char path[128];
	snprintf(path, sizeof path, "%s/none.db", b->dir);
	FAILS(TROTH_NOT_FOUND, store_open(path, &(struct store_options){ .must_exist = true }, &store, &b->e));
	assert_non_null(strstr(b->e.hint, "troth init"));
	assert_int_equal(access(path, F_OK), -1);
	FAILS(TROTH_NOT_FOUND, store_open("/nonexistent/dir/troth.db", NULL, &store, &b->e));
}

static void the_file_is_private(void **state)
{
	struct box *b = *state;
	struct stat st;
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(arena_printf(b->a, "%s-wal", b->path), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void by_hand(struct box *b, const char *sql)
{
	sqlite3 *db;
	store_close(b->store);
	b->store = NULL;
	assert_int_equal(sqlite3_open(b->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void a_newer_schema_is_refused(void **state)
{
	struct box *b = *state;
	by_hand(b, "PRAGMA user_version = 4711");
	FAILS(TROTH_CONFLICT, store_open(b->path, NULL, &b->store, &b->e));
	assert_non_null(strstr(b->e.primary, "schema 4711"));
	assert_string_equal(b->e.object, b->path);
	by_hand(b, "PRAGMA user_version = 1");
	box_open(b);
}

static void a_foreign_database_is_refused(void **state)
{
	struct box *b = *state;
	by_hand(b, "PRAGMA application_id = 0; CREATE TABLE theirs(x)");
	FAILS(TROTH_INVALID, store_open(b->path, NULL, &b->store, &b->e));
	assert_non_null(strstr(b->e.primary, "not a troth store"));
}

static void a_text_file_is_refused(void **state)
{
	struct box *b = *state;
	struct store *store;
	char path[128];
	snprintf(path, sizeof path, "%s/text.db", b->dir);
	char text[4096];
	memset(text, 'x', sizeof text);
	OK(file_write(path, bytes_of(text, sizeof text), 0600, &b->e));
	FAILS(TROTH_CORRUPT, store_open(path, NULL, &store, &b->e));
	struct bytes after;
	OK(file_read(b->a, path, 1 << 20, &after, &b->e));
	assert_true(bytes_equal(after, bytes_of(text, sizeof text)));
}

static void a_reader_cannot_write(void **state)
{
	struct box *b = *state;
	struct store_reader *r;
	struct tx *tx;
	OK(store_reader_open(b->store, &r, &b->e));
	OK(store_read_begin(r, &tx, &b->e));
	assert_false(tx_writable(tx));
	assert_false(tx_lost(tx));
	store_read_end(tx);
	store_reader_closep(&r);
	store_reader_close(NULL);
	assert_true(store_schema_version() >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(what_was_committed_is_there_again),
		BOX_TEST(a_second_server_is_refused),
		BOX_TEST(a_missing_store_is_not_made_silently),
		BOX_TEST(the_file_is_private),
		BOX_TEST(a_newer_schema_is_refused),
		BOX_TEST(a_foreign_database_is_refused),
		BOX_TEST(a_text_file_is_refused),
		BOX_TEST(a_reader_cannot_write),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
