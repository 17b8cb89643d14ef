/* The schema: strict, indexed, and in step with the enums of rows.h.  (That every query has its index
 * is asked after each test of this room: box.h.) */
#include "box.h"

#include "store/migrate.h"

static int64_t count(struct box *b, struct tx *tx, const char *sql)
{
	int64_t n;
	OK(migrate_number(tx->conn, sql, &n, &b->e));
	return n;
}

static void every_table_is_strict(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	assert_int_equal(count(b, tx, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND sql NOT LIKE '%STRICT%'"), 0);
	assert_true(count(b, tx, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'") > 25);
	store_write_rollback(tx);
}

static void the_connection_is_careful(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	assert_int_equal(count(b, tx, "PRAGMA foreign_keys"), 1);
	assert_int_equal(count(b, tx, "PRAGMA synchronous"), 2); /* FULL */
	assert_int_equal(count(b, tx, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
	assert_int_equal(count(b, tx, "PRAGMA application_id"), STORE_APPLICATION_ID);
	assert_int_equal(count(b, tx, "PRAGMA user_version"), store_schema_version());
	store_write_rollback(tx);
}

/* A foreign key to a row that can be deleted needs an index on its own column, or each delete reads
 * the whole table. */
static void foreign_keys_of_deletable_rows_are_indexed(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	assert_int_equal(count(b, tx,
		"SELECT count(*) FROM sqlite_schema t, pragma_foreign_key_list(t.name) f WHERE t.type = 'table'"
		" AND f.\"table\" IN ('bundle', 'deployment', 'template', 'instance', 'target')"
		" AND NOT EXISTS (SELECT 1 FROM pragma_index_list(t.name) i, pragma_index_info(i.name) c"
		"  WHERE i.partial = 0 AND c.seqno = 0 AND c.name = f.\"from\")"), 0);
	store_write_rollback(tx);
}

static void allowed(struct box *b, struct tx *tx, const char *table, const char *column, const char *const *names, size_t name_count)
{
	for (size_t i = 0; i < name_count; i++) {
		const char *sql = arena_printf(b->a, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '%s' AND"
			" substr(sql, instr(sql, '%s IN ('), instr(substr(sql, instr(sql, '%s IN (')), ')')) LIKE '%%''%s''%%'", table, column, column, names[i]);
		if (count(b, tx, sql) != 1)
			fail_msg("%s.%s does not allow '%s'", table, column, names[i]);
	}
}
#define ALLOWED(table, column, names, count_) allowed(b, tx, table, column, names, count_)

static void every_enum_value_is_allowed(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	ALLOWED("credential", "kind", CREDENTIAL_KIND_NAMES, CREDENTIAL_LEAF + 1);
	ALLOWED("credential", "origin", AUTHORITY_ORIGIN_NAMES, ORIGIN_IMPORTED + 1);
	ALLOWED("version", "source", VERSION_SOURCE_NAMES, VERSION_CSR + 1);
	ALLOWED("content", "kind", CONTENT_KIND_NAMES, CONTENT_SET + 1);
	ALLOWED("template", "kind", TARGET_KIND_NAMES, TARGET_STORE + 1);
	ALLOWED("template", "role", TARGET_ROLE_NAMES, TARGET_BOTH + 1);
	ALLOWED("template", "key_source", KEY_SOURCE_NAMES, KEY_SOURCE_KEEPER + 1);
	ALLOWED("instance", "state", INSTANCE_STATE_NAMES, INSTANCE_LEFT + 1);
	ALLOWED("recovery", "state", RECOVERY_STATE_NAMES, RECOVERY_DENIED + 1);
	ALLOWED("target", "state", TARGET_STATE_NAMES, TARGET_LEFT + 1);
	ALLOWED("target", "level", TARGET_LEVEL_NAMES, LEVEL_PROBED + 1);
	ALLOWED("document", "state", DOCUMENT_STATE_NAMES, DOCUMENT_VOID + 1);
	ALLOWED("rotation", "state", ROTATION_STATE_NAMES, ROTATION_ABORTED + 1);
	ALLOWED("operation", "state", OPERATION_STATE_NAMES, OPERATION_CANCELLED + 1);
	ALLOWED("approval", "step", APPROVAL_STEP_NAMES, APPROVAL_WITHDRAW + 1);
	store_write_rollback(tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(every_table_is_strict), BOX_TEST(the_connection_is_careful), BOX_TEST(foreign_keys_of_deletable_rows_are_indexed),
		BOX_TEST(every_enum_value_is_allowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
