/* Recoveries: one an instance. */
#include "box.h"

static void one_an_instance_and_gone_with_it(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct recovery_row *rows, out;
	size_t count;
	bool there;
	int64_t deployment = add_deployment(b, tx, 1), first = add_instance(b, tx, 1, deployment), second = add_instance(b, tx, 2, deployment);
	struct recovery_row row = { .instance_id = first, .key = hash_of(b, 7), .peer = "192.0.2.7", .asked_at = 5, .last_at = 6, .nonce_at = 4, .rivals = 1 };
	OK(recovery_row_insert(tx, &row, &b->e));
	struct recovery_row twin = row;
	FAILS(TROTH_CONFLICT, recovery_row_insert(tx, &twin, &b->e));
	OK(recovery_row_by_instance(tx, b->a, first, &out, &b->e));
	assert_true(out.state == RECOVERY_PENDING && out.asked_at == 5 && out.last_at == 6 && out.nonce_at == 4 && out.rivals == 1);
	assert_string_equal(out.peer, "192.0.2.7");
	assert_true(bytes_equal(out.key, row.key) && !out.decided_by);
	out.state = RECOVERY_APPROVED;
	out.decided_by = "admin";
	out.decided_at = 8;
	out.issued_at = 9;
	OK(recovery_row_update(tx, &out, &b->e));
	OK(recovery_row_by_instance(tx, b->a, first, &out, &b->e));
	assert_true(out.state == RECOVERY_APPROVED && out.decided_at == 8 && out.issued_at == 9);
	assert_string_equal(out.decided_by, "admin");
	FAILS(TROTH_NOT_FOUND, recovery_row_by_instance(tx, b->a, second, &out, &b->e));
	row = (struct recovery_row){ .instance_id = second, .key = hash_of(b, 8), .peer = "x" };
	OK(recovery_row_insert(tx, &row, &b->e));
	OK(recovery_row_list(tx, b->a, PAGE_FIRST, &rows, &count, &b->e));
	assert_int_equal(count, 2);
	OK(recovery_row_clear(tx, first, &there, &b->e));
	assert_true(there);
	OK(recovery_row_clear(tx, first, &there, &b->e));
	assert_false(there);
	OK(recovery_row_clear(tx, second, NULL, &b->e));
	OK(recovery_row_list(tx, b->a, PAGE_FIRST, &rows, &count, &b->e));
	assert_int_equal(count, 0);
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(one_an_instance_and_gone_with_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
