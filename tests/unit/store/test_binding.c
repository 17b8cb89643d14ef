/* Bindings. */
#include "box.h"

static void a_binding_is_found_by_what_it_is_known_by(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct binding_row got, *rows;
	size_t count;
	struct binding_row in = { .uuid = uuid_of(b, 1), .name = "/prod/app", .target_id = add_target(b, tx, 1), .ack = ACK_FETCH,
				  .delay = 60000, .renew_by = 5, .grace = 6, .fetched_at = 7, .fetched_generation = 8, .acked_at = 9,
				  .acked_generation = 10, .acked_how = ACK_ATTEST, .acked_by = "ann", .acked_reason = "renewed",
				  .overdue_since = 11, .created = 12 };
	OK(binding_row_insert(tx, &in, &b->e));
	OK(binding_row_by_target(tx, b->a, in.target_id, &got, &b->e));
	assert_true(got.id == in.id && got.ack == ACK_FETCH && got.delay == 60000 && got.renew_by == 5 && got.grace == 6);
	assert_true(got.fetched_at == 7 && got.fetched_generation == 8 && got.acked_at == 9 && got.acked_generation == 10);
	assert_true(got.acked_how == ACK_ATTEST && got.overdue_since == 11 && got.created == 12 && got.left_at == 0);
	assert_string_equal(got.acked_by, "ann");
	assert_string_equal(got.acked_reason, "renewed");
	OK(binding_row_by_uuid(tx, b->a, in.uuid, &got, &b->e));
	OK(binding_row_by_name(tx, b->a, "/prod/app", &got, &b->e));
	assert_int_equal(got.id, in.id);
	struct binding_row twice = in;
	twice.uuid = uuid_of(b, 2);
	twice.target_id = add_target(b, tx, 2);
	assert_true(rc_failed(binding_row_insert(tx, &twice, NULL))); /* the name is taken ... */
	got.left_at = 13;
	OK(binding_row_update(tx, &got, &b->e));
	OK(binding_row_insert(tx, &twice, &b->e)); /* ... until it left */
	OK(binding_row_list(tx, b->a, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 2);
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(a_binding_is_found_by_what_it_is_known_by),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
