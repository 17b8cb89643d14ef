/* Migrations: forward, each step whole or not at all. */
#include "box.h"

#include "store/migrate.h"

static const struct migration STEPS[] = {
	{ 1, "CREATE TABLE one(x INTEGER) STRICT; INSERT INTO one VALUES (1);" },
	{ 2, "CREATE TABLE two(x INTEGER) STRICT; INSERT INTO two SELECT x FROM one;" },
	{ 3, "CREATE TABLE three(x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);" },
};

static int64_t number(struct box *b, struct conn *c, const char *sql)
{
	int64_t n;
	OK(migrate_number(c, sql, &n, &b->e));
	return n;
}

static struct conn *open_empty(struct box *b)
{
	struct conn *c = arena_alloc(b->a, sizeof *c);
	OK(conn_open(c, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL, 0, &b->e));
	return c;
}

static void from_empty_to_the_newest(void **state)
{
	struct box *b = *state;
	struct conn *c = open_empty(b);
	OK(migrate_check(c, STEPS, 2, &b->e));
	OK(migrate_run(c, STEPS, 1, &b->e));
	assert_int_equal(number(b, c, "PRAGMA user_version"), 1);
	assert_int_equal(number(b, c, "PRAGMA application_id"), STORE_APPLICATION_ID);
	OK(migrate_check(c, STEPS, 2, &b->e));
	OK(migrate_run(c, STEPS, 2, &b->e));
	OK(migrate_run(c, STEPS, 2, &b->e));
	assert_int_equal(number(b, c, "SELECT count(*) FROM two"), 1);
	conn_close(c);
}

static void a_step_that_fails_leaves_the_former(void **state)
{
	struct box *b = *state;
	struct conn *c = open_empty(b);
	FAILS(TROTH_INTERNAL, migrate_run(c, STEPS, 3, &b->e));
	assert_non_null(strstr(b->e.primary, "schema step 3"));
	assert_int_equal(number(b, c, "PRAGMA user_version"), 2);
	assert_int_equal(number(b, c, "SELECT count(*) FROM sqlite_schema WHERE name = 'three'"), 0);
	FAILS(TROTH_INTERNAL, migrate_number(c, "SELECT x FROM nowhere", &(int64_t){ 0 }, &b->e));
	conn_close(c);
}

static void a_newer_file_is_refused(void **state)
{
	struct box *b = *state;
	struct conn *c = open_empty(b);
	OK(migrate_run(c, STEPS, 2, &b->e));
	FAILS(TROTH_CONFLICT, migrate_check(c, STEPS, 1, &b->e));
	assert_string_equal(b->e.primary, "the store has schema 2, this program knows up to 1");
	assert_true(b->e.hint[0]);
	conn_close(c);
}

static void numbers_have_no_gaps(void **state)
{
	(void)state;
	for (size_t i = 0; i < MIGRATION_COUNT; i++)
		assert_int_equal(MIGRATIONS[i].number, i + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(from_empty_to_the_newest),
		BOX_TEST(a_step_that_fails_leaves_the_former),
		BOX_TEST(a_newer_file_is_refused),
		BOX_TEST(numbers_have_no_gaps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
