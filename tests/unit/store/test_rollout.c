/* Rollouts of authorities and approvals of rotations. */
#include "box.h"

static void none_is_automatic(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct rollout_row row;
	int64_t authority = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY);
	OK(rollout_row_of(tx, b->a, authority, &row, &b->e));
	assert_false(row.switch_all || row.manual);
	row.manual = true;
	OK(rollout_row_put(tx, &row, &b->e));
	row.switch_all = true;
	OK(rollout_row_put(tx, &row, &b->e));
	OK(rollout_row_of(tx, b->a, authority, &row, &b->e));
	assert_true(row.switch_all && row.manual && row.id);
	row.switch_all = row.manual = false;
	OK(rollout_row_put(tx, &row, &b->e));
	OK(rollout_row_of(tx, b->a, authority, &row, &b->e));
	assert_int_equal(row.id, 0);
	box_commit(b, tx);
}

static void a_step_is_approved_once(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct approval_row *rows;
	size_t count;
	struct rotation_row rotation = { .uuid = uuid_of(b, 1), .credential_id = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY) };
	OK(rotation_row_insert(tx, &rotation, &b->e));
	struct approval_row row = { .rotation_id = rotation.id, .step = APPROVAL_SWITCH, .approved_by = "admin", .approved_at = 3 };
	OK(approval_row_insert(tx, &row, &b->e));
	FAILS(TROTH_CONFLICT, approval_row_insert(tx, &row, &b->e));
	row.step = APPROVAL_WITHDRAW;
	OK(approval_row_insert(tx, &row, &b->e));
	OK(approval_row_list_rotation(tx, b->a, rotation.id, &rows, &count, &b->e));
	assert_int_equal(count, 2);
	assert_int_equal(rows[0].step, APPROVAL_SWITCH);
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(none_is_automatic),
		BOX_TEST(a_step_is_approved_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
