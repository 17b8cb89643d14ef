/* Policies of deployments. */
#include "box.h"

static void none_is_an_empty_one(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct rolling_row row, *rows;
	size_t count;
	bool found;
	int64_t deployment = add_deployment(b, tx, 1);
	OK(rolling_row_of(tx, b->a, deployment, &row, &found, &b->e));
	assert_false(found || row.max_unavailable || row.windows);
	row.max_unavailable = 2;
	row.stopped_by = "pg-1/tls: no";
	OK(rolling_row_insert(tx, &row, &b->e));
	row.canary = 1;
	OK(rolling_row_update(tx, &row, &b->e));
	OK(rolling_row_of(tx, b->a, deployment, &row, &found, &b->e));
	assert_true(found && row.max_unavailable == 2 && row.canary == 1);
	FAILS(TROTH_CONFLICT, rolling_row_insert(tx, &row, &b->e));
	OK(rolling_row_list(tx, b->a, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	OK(deployment_row_delete(tx, deployment, &b->e));
	OK(rolling_row_of(tx, b->a, deployment, &row, &found, &b->e));
	assert_false(found);
	box_commit(b, tx);
}

static void windows_come_due(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct rolling_row *rows;
	size_t count;
	for (int i = 1; i <= 3; i++) {
		struct rolling_row row = { .deployment_id = add_deployment(b, tx, i), .windows = i == 3 ? NULL : "[]",
					   .window_at = 60100, .window_until = 100 * i };
		OK(rolling_row_insert(tx, &row, &b->e));
	}
	OK(rolling_row_list_due(tx, b->a, 150, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	OK(rolling_row_list_due(tx, b->a, 300, &rows, &count, &b->e));
	assert_int_equal(count, 2);
	OK(rolling_row_list_due(tx, b->a, 50, &rows, &count, &b->e)); /* the clock was set back */
	assert_int_equal(count, 2);
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(none_is_an_empty_one),
		BOX_TEST(windows_come_due),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
