/* Rotations. */
#include "box.h"

static void every_column_comes_back(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t ca = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY), version = add_version(b, tx, 1, ca), old[] = { 40, 41 }, wanted[] = { 41 };
	struct operation_row operation = { .uuid = uuid_of(b, 1), .kind = "rotation" };
	OK(operation_row_insert(tx, &operation, &b->e));
	struct rotation_row in = { .uuid = uuid_of(b, 1), .credential_id = ca, .state = ROTATION_PAUSED, .new_version = version,
		.old_versions = { old, 2 }, .wanted_before = { wanted, 1 }, .distrusted = { old, 1 }, .by_steps = true, .ordered = 258,
		.operation_id = operation.id, .reason = "yearly", .started_by = "ada", .started = 5, .finished = 6 }, out;
	OK(rotation_row_insert(tx, &in, &b->e));
	OK(rotation_row_by_uuid(tx, b->a, in.uuid, &out, &b->e));
	assert_true(out.id == in.id && out.credential_id == ca && out.state == ROTATION_PAUSED && out.new_version == version);
	assert_true(out.old_versions.count == 2 && out.old_versions.items[1] == 41 && out.operation_id == operation.id);
	assert_true(out.wanted_before.count == 1 && out.wanted_before.items[0] == 41);
	assert_true(out.distrusted.count == 1 && out.distrusted.items[0] == 40 && out.superseded_by == 0);
	assert_true(out.by_steps && out.ordered == 258);
	out.superseded_by = in.id;
	OK(rotation_row_update(tx, &out, &b->e));
	OK(rotation_row_get(tx, b->a, in.id, &out, &b->e));
	assert_int_equal(out.superseded_by, in.id);
	assert_string_equal(out.reason, "yearly");
	assert_string_equal(out.started_by, "ada");
	assert_true(out.started == 5 && out.finished == 6);
	box_commit(b, tx);
}

static void open_ones_are_listed(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct rotation_row *rows, row;
	size_t count;
	int64_t ca = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY);
	for (int i = 0; i < 4; i++) {
		row = (struct rotation_row){ .uuid = uuid_of(b, i), .credential_id = ca, .state = (enum rotation_state)i };
		OK(rotation_row_insert(tx, &row, &b->e));
	}
	OK(rotation_row_list_open(tx, b->a, &rows, &count, &b->e));
	assert_int_equal(count, 2);
	rows[0].state = ROTATION_DONE;
	OK(rotation_row_update(tx, &rows[0], &b->e));
	OK(rotation_row_get(tx, b->a, rows[0].id, &row, &b->e));
	assert_int_equal(row.state, ROTATION_DONE);
	OK(rotation_row_list_open(tx, b->a, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	OK(rotation_row_list(tx, b->a, PAGE_FIRST, &rows, &count, &b->e));
	assert_int_equal(count, 4);
	OK(rotation_row_list_credential(tx, b->a, ca, (struct page){ rows[1].id, 0 }, &rows, &count, &b->e));
	assert_int_equal(count, 2);
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(every_column_comes_back),
		BOX_TEST(open_ones_are_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
