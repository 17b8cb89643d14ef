/* Freezes. */
#include "box.h"

static void at_most_one_is_on(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct freeze_row row = { .reason = "incident 7", .frozen_by = "admin", .frozen_at = 5 }, on, second = row;
	bool is_on;
	OK(freeze_row_on(tx, b->a, &on, &is_on, &b->e));
	assert_false(is_on || on.id);
	OK(freeze_row_insert(tx, &row, &b->e));
	OK(freeze_row_on(tx, b->a, &on, &is_on, &b->e));
	assert_true(is_on);
	assert_string_equal(on.reason, "incident 7");
	FAILS(TROTH_CONFLICT, freeze_row_insert(tx, &second, &b->e));
	on.thawed_at = 9;
	on.thawed_by = "admin";
	OK(freeze_row_update(tx, &on, &b->e));
	OK(freeze_row_on(tx, b->a, &on, &is_on, &b->e));
	assert_false(is_on);
	OK(freeze_row_insert(tx, &second, &b->e));
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(at_most_one_is_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
