/* Join tokens. */
#include "box.h"

static void found_by_hash_and_used_once(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct token_row *rows, out;
	size_t count;
	int64_t deployment = add_deployment(b, tx, 1), instance = add_instance(b, tx, 1, deployment);
	struct token_row row = { .uuid = uuid_of(b, 1), .hash = hash_of(b, 1), .deployment_id = deployment, .instance_name = "node-1", .expires = 500, .created = 1, .reinstall = true };
	OK(token_row_insert(tx, &row, &b->e));
	OK(token_row_by_hash(tx, b->a, hash_of(b, 1), &out, &b->e));
	assert_string_equal(out.instance_name, "node-1");
	assert_true(out.expires == 500 && out.used_at == 0 && out.used_by == 0 && out.revoked == 0 && out.reinstall);
	out.used_at = 10;
	out.used_by = instance;
	out.revoked = 11;
	OK(token_row_update(tx, &out, &b->e));
	OK(token_row_by_uuid(tx, b->a, row.uuid, &out, &b->e));
	assert_true(out.used_at == 10 && out.used_by == instance && out.revoked == 11);
	FAILS(TROTH_NOT_FOUND, token_row_by_hash(tx, b->a, hash_of(b, 2), &out, &b->e));
	assert_string_equal(b->e.primary, "no such token");
	OK(token_row_list(tx, b->a, PAGE_FIRST, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(found_by_hash_and_used_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
