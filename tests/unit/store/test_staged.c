/* Staged chains. */
#include "box.h"

static void putting_twice_is_one(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct staged_row *rows;
	size_t count;
	int64_t version = add_version(b, tx, 1, add_credential(b, tx, 1, CREDENTIAL_LEAF));
	struct staged_row row = { .target_id = add_target(b, tx, 1), .content_id = add_content(b, tx, 1), .version_id = version, .created = 1 };
	OK(staged_row_put(tx, &row, &b->e));
	row.csr_request = uuid_of(b, 4);
	OK(staged_row_put(tx, &row, &b->e));
	OK(staged_row_list_target(tx, b->a, row.target_id, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	assert_string_equal(rows[0].csr_request, row.csr_request);
	assert_int_equal(rows[0].version_id, version);
	OK(staged_row_delete(tx, row.target_id, row.content_id, &b->e));
	OK(staged_row_delete(tx, row.target_id, row.content_id, &b->e));
	OK(staged_row_put(tx, &row, &b->e));
	OK(staged_row_clear(tx, row.target_id + 1, &b->e));
	OK(staged_row_list_target(tx, b->a, row.target_id, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	OK(staged_row_clear(tx, row.target_id, &b->e));
	OK(staged_row_list(tx, b->a, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 0);
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(putting_twice_is_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
