/* Principals: revoked ones are not found any more. */
#include "box.h"

static void every_column_comes_back(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t instance = add_instance(b, tx, 1, add_deployment(b, tx, 1));
	struct principal_row in = { .uuid = uuid_of(b, 1), .name = "ada", .roles = 5, .scope = "/prod/*", .token_hash = hash_of(b, 1),
		.cert_fingerprint = hash_of(b, 2), .instance_id = instance, .created = 1, .last_used = 3, .facade = "credhub", .password = "scrypt:x", .failures = 2,
		.failed_at = 8, .locked_until = 9 }, out;
	OK(principal_row_insert(tx, &in, &b->e));
	OK(principal_row_get(tx, b->a, in.id, &out, &b->e));
	assert_string_equal(out.name, "ada");
	assert_string_equal(out.scope, "/prod/*");
	assert_true(out.roles == 5 && out.instance_id == instance && out.created == 1 && out.revoked == 0 && out.last_used == 3);
	assert_string_equal(out.facade, "credhub");
	assert_string_equal(out.password, "scrypt:x");
	assert_true(out.failures == 2 && out.failed_at == 8 && out.locked_until == 9);
	OK(principal_row_by_uuid(tx, b->a, in.uuid, &out, &b->e));
	in.uuid = uuid_of(b, 2);
	FAILS(TROTH_CONFLICT, principal_row_insert(tx, &in, &b->e));
	assert_string_equal(b->e.object, "ada");
	box_commit(b, tx);
}

static void revoked_ones_are_not_found(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct principal_row row = { .uuid = uuid_of(b, 1), .name = "ada", .scope = "*", .token_hash = hash_of(b, 1), .cert_fingerprint = hash_of(b, 2) }, *rows;
	size_t count;
	OK(principal_row_insert(tx, &row, &b->e));
	OK(principal_row_by_name(tx, b->a, "ada", &row, &b->e));
	OK(principal_row_by_token_hash(tx, b->a, hash_of(b, 1), &row, &b->e));
	OK(principal_row_by_fingerprint(tx, b->a, hash_of(b, 2), &row, &b->e));
	row.revoked = 9;
	OK(principal_row_update(tx, &row, &b->e));
	FAILS(TROTH_NOT_FOUND, principal_row_by_name(tx, b->a, "ada", &row, &b->e));
	FAILS(TROTH_NOT_FOUND, principal_row_by_token_hash(tx, b->a, hash_of(b, 1), &row, &b->e));
	FAILS(TROTH_NOT_FOUND, principal_row_by_fingerprint(tx, b->a, hash_of(b, 2), &row, &b->e));
	OK(principal_row_list(tx, b->a, PAGE_FIRST, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(every_column_comes_back),
		BOX_TEST(revoked_ones_are_not_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
