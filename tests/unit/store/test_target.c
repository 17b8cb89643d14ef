/* Targets: every column, and the lists the engine is fed from. */
#include "box.h"

static void every_column_comes_back(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct target_row in, out;
	int64_t leaf = add_credential(b, tx, 1, CREDENTIAL_LEAF), version = add_version(b, tx, 1, leaf), content = add_content(b, tx, 1);
	OK(target_row_get(tx, b->a, add_target(b, tx, 1), &in, &b->e));
	assert_int_equal(in.state, TARGET_JOINING);
	assert_false(in.base_known);
	in.credential_id = leaf;
	in.state = TARGET_COUNTED;
	in.next_generation = 8;
	in.base_known = true;
	in.base_content = content;
	in.base_generation = 6;
	in.high_water = 7;
	in.level = LEVEL_PROBED;
	in.level_generation = 7;
	in.seen_at = 99;
	in.last_error = "reload failed";
	in.failed_content = content;
	in.failures = 2;
	in.report_seq = 3;
	in.csr_request = uuid_of(b, 5);
	in.csr_ca = version;
	in.found = "{}";
	in.drift = "[]";
	in.left_at = 4;
	OK(target_row_update(tx, &in, &b->e));
	OK(target_row_by_uuid(tx, b->a, in.uuid, &out, &b->e));
	assert_int_equal(out.id, in.id);
	assert_int_equal(out.instance_id, in.instance_id);
	assert_int_equal(out.template_id, in.template_id);
	assert_int_equal(out.credential_id, leaf);
	assert_int_equal(out.state, TARGET_COUNTED);
	assert_int_equal(out.next_generation, 8);
	assert_true(out.base_known && out.base_content == content && out.base_generation == 6 && out.high_water == 7);
	assert_int_equal(out.level, LEVEL_PROBED);
	assert_true(out.level_generation == 7 && out.seen_at == 99);
	assert_string_equal(out.last_error, "reload failed");
	assert_true(out.failed_content == content && out.failures == 2 && out.report_seq == 3);
	assert_string_equal(out.csr_request, in.csr_request);
	assert_int_equal(out.csr_ca, version);
	assert_string_equal(out.found, "{}");
	assert_string_equal(out.drift, "[]");
	assert_true(out.created == 1000 && out.left_at == 4);
	box_commit(b, tx);
}

static void lists_find_their_targets(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct target_row row, *rows;
	size_t count;
	int64_t leaf = add_credential(b, tx, 1, CREDENTIAL_LEAF);
	for (int i = 1; i <= 4; i++)
		OK(target_row_get(tx, b->a, add_target(b, tx, i), &row, &b->e));
	row.credential_id = leaf;
	row.csr_request = uuid_of(b, 1);
	OK(target_row_update(tx, &row, &b->e));
	OK(target_row_list(tx, b->a, (struct page){ 0, 3 }, &rows, &count, &b->e));
	assert_int_equal(count, 3);
	OK(target_row_list_instance(tx, b->a, row.instance_id, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	OK(target_row_list_template(tx, b->a, row.template_id, PAGE_FIRST, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	OK(target_row_list_credential(tx, b->a, leaf, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	OK(target_row_list_csr(tx, b->a, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].id, row.id);
	row.uuid = uuid_of(b, 9);
	FAILS(TROTH_CONFLICT, target_row_insert(tx, &row, &b->e)); /* one target per instance and template */
	box_commit(b, tx);
}

static void holdings_are_counted_by_contents(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct target_row row;
	struct holding_row *rows;
	size_t count;
	int64_t content = add_content(b, tx, 1);
	OK(target_row_get(tx, b->a, add_target(b, tx, 1), &row, &b->e));
	OK(target_row_list_holdings(tx, b->a, row.template_id, &rows, &count, &b->e));
	assert_true(count == 1 && rows[0].content_id == 0 && rows[0].members == 1);
	row.base_content = content;
	row.base_known = true;
	OK(target_row_update(tx, &row, &b->e));
	OK(target_row_list_holdings(tx, b->a, row.template_id, &rows, &count, &b->e));
	assert_true(count == 1 && rows[0].content_id == content && rows[0].members == 1);
	row.base_known = false; /* what it was is no promise */
	OK(target_row_update(tx, &row, &b->e));
	OK(target_row_list_holdings(tx, b->a, row.template_id, &rows, &count, &b->e));
	assert_true(count == 1 && rows[0].content_id == 0);
	row.state = TARGET_LEFT;
	OK(target_row_update(tx, &row, &b->e));
	OK(target_row_list_holdings(tx, b->a, row.template_id, &rows, &count, &b->e));
	assert_int_equal(count, 0);
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(every_column_comes_back),
		BOX_TEST(lists_find_their_targets),
		BOX_TEST(holdings_are_counted_by_contents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
