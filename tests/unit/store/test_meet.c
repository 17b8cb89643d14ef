/* Meets: a pair that is there is not made again. */
#include "box.h"

static void a_pair_is_made_once(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct meet_row *rows;
	size_t count;
	bool made;
	int64_t deployment = add_deployment(b, tx, 1);
	int64_t slot = add_template(b, tx, 1, deployment, TARGET_SLOT), store = add_template(b, tx, 2, deployment, TARGET_STORE);
	struct meet_row row = { .presenter_id = slot, .verifier_id = store, .on = true, .source = "bundle", .since = 5 }, again = row;
	OK(meet_row_put(tx, &row, &made, &b->e));
	assert_true(made);
	OK(meet_row_put(tx, &again, &made, &b->e));
	assert_false(made);
	assert_int_equal(again.id, row.id);
	again.verifier_id = slot;
	OK(meet_row_put(tx, &again, NULL, &b->e));
	OK(meet_row_list(tx, b->a, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 2);
	OK(meet_row_list_template(tx, b->a, store, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	OK(meet_row_list_template(tx, b->a, slot, &rows, &count, &b->e));
	assert_int_equal(count, 2);
	OK(template_row_delete(tx, slot, &b->e));
	OK(meet_row_list(tx, b->a, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 0);
	box_commit(b, tx);
}

static void an_off_pair_stays_off(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t deployment = add_deployment(b, tx, 1);
	int64_t slot = add_template(b, tx, 1, deployment, TARGET_SLOT), store = add_template(b, tx, 2, deployment, TARGET_STORE);
	struct meet_row row = { .presenter_id = slot, .verifier_id = store, .on = true, .source = "bundle", .since = 5 };
	OK(meet_row_put(tx, &row, NULL, &b->e));
	row.on = false;
	row.source = "ada";
	OK(meet_row_update(tx, &row, &b->e));
	row.on = true;
	OK(meet_row_put(tx, &row, NULL, &b->e));
	OK(meet_row_by_pair(tx, b->a, slot, store, &row, &b->e));
	assert_false(row.on);
	assert_string_equal(row.source, "ada");
	FAILS(TROTH_NOT_FOUND, meet_row_by_pair(tx, b->a, store, slot, &row, &b->e));
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(a_pair_is_made_once),
		BOX_TEST(an_off_pair_stays_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
