/* Keys sealed to the agent of a slot. */
#include "box.h"

static void the_newer_one_of_a_pair_stays(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct sealed_row got, row = { .target_id = add_target(b, tx, 1), .content_id = add_content(b, tx, 1),
				       .sealed = bytes_of_text("first"), .created = 1 };
	OK(sealed_row_put(tx, &row, &b->e));
	row.sealed = bytes_of_text("second");
	OK(sealed_row_put(tx, &row, &b->e));
	OK(sealed_row_by_pair(tx, b->a, row.target_id, row.content_id, &got, &b->e));
	assert_true(bytes_equal(got.sealed, bytes_of_text("second")));
	assert_true(rc_failed(sealed_row_by_pair(tx, b->a, row.target_id, row.content_id + 1, &got, NULL)));
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(the_newer_one_of_a_pair_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
