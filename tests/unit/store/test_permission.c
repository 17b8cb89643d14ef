/* Permissions: one of a path for a principal, in the order of their paths, gone with it. */
#include "box.h"

static int64_t add_principal(struct box *b, struct tx *tx, int i)
{
	struct principal_row row = { .uuid = uuid_of(b, 100 + i), .name = arena_printf(b->a, "p%d", i), .scope = "none", .token_hash = hash_of(b, 100 + i) };
	OK(principal_row_insert(tx, &row, &b->e));
	return row.id;
}

static struct permission_row of(struct box *b, int i, int64_t principal, const char *path)
{
	return (struct permission_row){ .uuid = uuid_of(b, i), .principal_id = principal, .path = path, .actor = "uaa-client:app", .operations = i, .created = 7 };
}

static void every_column_comes_back(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t p = add_principal(b, tx, 1);
	struct permission_row row = of(b, 1, p, "/a/" "*"), out;
	OK(permission_row_insert(tx, &row, &b->e));
	OK(permission_row_by_uuid(tx, b->a, uuid_of(b, 1), &out, &b->e));
	assert_true(out.id == row.id && out.principal_id == p && out.operations == 1 && out.created == 7);
	assert_string_equal(out.path, "/a/" "*");
	assert_string_equal(out.actor, "uaa-client:app");
	out.operations = 3;
	OK(permission_row_update(tx, &out, &b->e));
	OK(permission_row_by_path(tx, b->a, p, "/a/" "*", &out, &b->e));
	assert_int_equal(out.operations, 3);
	FAILS(TROTH_NOT_FOUND, permission_row_by_path(tx, b->a, p, "/a", &out, &b->e));
	FAILS(TROTH_NOT_FOUND, permission_row_by_path(tx, b->a, p + 1, "/a/" "*", &out, &b->e));
	OK(permission_row_delete(tx, out.id, &b->e));
	FAILS(TROTH_NOT_FOUND, permission_row_by_uuid(tx, b->a, uuid_of(b, 1), &out, &b->e));
	box_commit(b, tx);
}

static void each_has_its_own_by_path(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t p = add_principal(b, tx, 1), q = add_principal(b, tx, 2);
	struct permission_row all[] = { of(b, 1, p, "/b"), of(b, 2, q, "/b"), of(b, 3, p, "/a") }, twice = of(b, 4, p, "/b"), *rows;
	size_t n;
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		OK(permission_row_insert(tx, &all[i], &b->e));
	FAILS(TROTH_CONFLICT, permission_row_insert(tx, &twice, &b->e));
	OK(permission_row_list(tx, b->a, p, &rows, &n, &b->e));
	assert_int_equal(n, 2);
	assert_string_equal(rows[0].path, "/a");
	assert_string_equal(rows[1].path, "/b");
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = { BOX_TEST(every_column_comes_back), BOX_TEST(each_has_its_own_by_path) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
