/* Looking at a store beside its server: what was committed is seen, nothing is changed, another schema is refused. */
#include "box.h"

#include "store/look.h"
#include "store/stmt.h"

static void what_was_committed_is_seen_beside_the_server(void **state)
{
	struct box *b = *state;
	struct store_reader *reader;
	struct credential_row row;
	struct store_figures f;
	struct tx *tx = box_write(b), *look;
	int64_t id = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY);
	box_commit(b, tx);
	tx = box_write(b); /* under way while we look */
	(void)add_credential(b, tx, 2, CREDENTIAL_AUTHORITY);
	OK(store_look(b->path, &reader, &b->e));
	OK(store_read_begin(reader, &look, &b->e));
	OK(credential_row_get(look, b->a, id, &row, &b->e));
	OK(store_figures(look, b->a, &f, &b->e));
	assert_int_equal(f.schema, store_schema_version());
	assert_true(f.page_bytes >= 512 && f.pages > 1 && f.sqlite[0]);
	bool seen = false;
	for (size_t i = 0; i < f.table_count; i++)
		if (strcmp(f.tables[i].name, "credential") == 0) {
			seen = true;
			assert_int_equal(f.tables[i].rows, 1);
		}
	assert_true(seen);
	store_read_end(look);
	store_reader_close(reader);
	box_commit(b, tx);
}

static void what_is_no_store_of_this_schema_is_refused(void **state)
{
	struct box *b = *state;
	struct store_reader *reader = NULL;
	char path[160];
	snprintf(path, sizeof path, "%s/none.db", b->dir);
	assert_true(rc_failed(store_look(path, &reader, &b->e)));
	struct tx *tx = box_write(b);
	OK(conn_exec(tx->conn, "PRAGMA user_version = 0", &b->e));
	box_commit(b, tx);
	assert_int_equal(store_look(b->path, &reader, &b->e).code, TROTH_CONFLICT);
	assert_non_null(strstr(b->e.hint, "the troth that the server runs with"));
	assert_null(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(what_was_committed_is_seen_beside_the_server),
		BOX_TEST(what_is_no_store_of_this_schema_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
