/* Webhooks: rows come back as they went in, names are one of a kind. */
#include "box.h"

static void kept_whole_and_found_by_name(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct webhook_row *rows, out;
	int64_t n;
	size_t count;
	struct operation_row op = { .uuid = uuid_of(b, 9), .kind = "webhook.test", .created = 1, .updated = 1 };
	OK(operation_row_insert(tx, &op, &b->e));
	struct webhook_row row = { .uuid = uuid_of(b, 1), .name = "ops", .url = "https://h/", .events = "*", .key_blob = bytes_of_text("blob"),
				   .cursor = 7, .created_by = "admin", .created = 5 };
	OK(webhook_row_insert(tx, &row, &b->e));
	OK(webhook_row_by_name(tx, b->a, "ops", &out, &b->e));
	assert_true(out.cursor == 7 && out.created == 5 && out.test_operation == 0 && out.disabled_at == 0 && !out.ca_pem && !out.last_error);
	assert_true(bytes_equal(out.key_blob, row.key_blob));
	out.cursor = 9;
	out.ca_pem = "pem";
	out.attempts = 3;
	out.failing_since = 11;
	out.due = 12;
	out.last_error = "no";
	out.last_delivered = 13;
	out.disabled_at = 14;
	out.disabled_why = "why";
	out.test_operation = op.id;
	OK(webhook_row_update(tx, &out, &b->e));
	OK(webhook_row_by_uuid(tx, b->a, row.uuid, &out, &b->e));
	assert_true(out.cursor == 9 && out.attempts == 3 && out.failing_since == 11 && out.due == 12 && out.last_delivered == 13 &&
		    out.disabled_at == 14 && out.test_operation == op.id);
	assert_string_equal(out.ca_pem, "pem");
	assert_string_equal(out.last_error, "no");
	assert_string_equal(out.disabled_why, "why");
	OK(webhook_row_count(tx, &n, &b->e));
	OK(webhook_row_list(tx, b->a, PAGE_FIRST, &rows, &count, &b->e));
	assert_true(n == 1 && count == 1);
	struct webhook_row twin = { .uuid = uuid_of(b, 2), .name = "ops", .url = "https://h/", .events = "*", .key_blob = bytes_of_text("blob"), .created_by = "admin" };
	FAILS(TROTH_CONFLICT, webhook_row_insert(tx, &twin, &b->e));
	OK(webhook_row_delete(tx, out.id, &b->e));
	FAILS(TROTH_NOT_FOUND, webhook_row_by_name(tx, b->a, "ops", &out, &b->e));
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = { BOX_TEST(kept_whole_and_found_by_name) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
