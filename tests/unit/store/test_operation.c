/* Operations. */
#include "box.h"

static void every_column_comes_back(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct operation_row in = { .uuid = uuid_of(b, 1), .kind = "rotation", .object = "/demo/ca", .progress = "{}", .waits_for = "pg-1",
		.result = "{}", .started_by = "ada", .created = 1, .updated = 2, .finished = 3 }, out, *rows;
	size_t count;
	OK(operation_row_insert(tx, &in, &b->e));
	OK(operation_row_by_uuid(tx, b->a, in.uuid, &out, &b->e));
	assert_string_equal(out.kind, "rotation");
	assert_string_equal(out.object, "/demo/ca");
	assert_string_equal(out.progress, "{}");
	assert_string_equal(out.waits_for, "pg-1");
	assert_string_equal(out.result, "{}");
	assert_string_equal(out.started_by, "ada");
	assert_true(out.state == OPERATION_RUNNING && out.created == 1 && out.updated == 2 && out.finished == 3);
	OK(operation_row_list_running(tx, b->a, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	out.state = OPERATION_SUCCEEDED;
	OK(operation_row_update(tx, &out, &b->e));
	OK(operation_row_get(tx, b->a, out.id, &out, &b->e));
	assert_int_equal(out.state, OPERATION_SUCCEEDED);
	OK(operation_row_list_running(tx, b->a, &rows, &count, &b->e));
	assert_int_equal(count, 0);
	OK(operation_row_list(tx, b->a, PAGE_FIRST, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	box_commit(b, tx);
}

static void of_one_kind_the_newest_first(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	static const char *const kinds[] = { "apply", "rotation", "apply", "apply" };
	struct operation_row *rows;
	size_t count;
	for (int i = 0; i < 4; i++)
		OK(operation_row_insert(tx, &(struct operation_row){ .uuid = uuid_of(b, i), .kind = kinds[i] }, &b->e));
	OK(operation_row_list_newest(tx, b->a, "apply", 2, &rows, &count, &b->e));
	assert_true(count == 2 && rows[0].id > rows[1].id);
	assert_string_equal(rows[0].uuid, uuid_of(b, 3));
	assert_string_equal(rows[1].uuid, uuid_of(b, 2));
	OK(operation_row_list_newest(tx, b->a, "none", 2, &rows, &count, &b->e));
	assert_int_equal(count, 0);
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(every_column_comes_back),
		BOX_TEST(of_one_kind_the_newest_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
