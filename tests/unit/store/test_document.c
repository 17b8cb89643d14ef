/* Documents: pending ones are Seq; settled ones stay known. */
#include "box.h"

static int64_t send(struct box *b, struct tx *tx, int64_t target, int64_t generation)
{
	struct document_row row = { .target_id = target, .generation = generation, .content_id = add_content(b, tx, (int)generation), .created = 1 };
	OK(document_row_insert(tx, &row, &b->e));
	return row.id;
}

static void settling_drops_up_to_the_high_water_mark(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct document_row *rows, row;
	size_t count;
	int64_t target = add_target(b, tx, 1), other = add_target(b, tx, 2);
	FAILS(TROTH_NOT_FOUND, document_row_newest(tx, b->a, target, &row, &b->e));
	for (int i = 1; i <= 4; i++)
		send(b, tx, target, i);
	send(b, tx, other, 1);
	OK(document_row_settle(tx, target, 2, &b->e));
	OK(document_row_list_pending(tx, b->a, target, &rows, &count, &b->e));
	assert_int_equal(count, 2);
	assert_int_equal(rows[0].generation, 3);
	OK(document_row_newest(tx, b->a, target, &row, &b->e));
	assert_int_equal(row.generation, 4);
	OK(document_row_by_generation(tx, b->a, target, 1, &row, &b->e));
	assert_int_equal(row.state, DOCUMENT_SETTLED);
	OK(document_row_list_all_pending(tx, b->a, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 3);
	OK(document_row_list_target(tx, b->a, target, (struct page){ 0, 3 }, &rows, &count, &b->e));
	assert_int_equal(count, 3);
	row.state = DOCUMENT_REPLACED;
	OK(document_row_update(tx, &row, &b->e));
	box_commit(b, tx);
}

static void a_generation_is_used_once(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t target = add_target(b, tx, 1);
	struct document_row row = { .target_id = target, .generation = 1, .content_id = add_content(b, tx, 3) };
	send(b, tx, target, 1);
	FAILS(TROTH_CONFLICT, document_row_insert(tx, &row, &b->e));
	box_commit(b, tx);
}

static void handing_out_is_noted_once(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct document_row row;
	int64_t target = add_target(b, tx, 1);
	send(b, tx, target, 1);
	OK(document_row_hand(tx, target, 1, 5, 100, &b->e));
	OK(document_row_hand(tx, target, 1, 6, 200, &b->e));
	OK(document_row_by_generation(tx, b->a, target, 1, &row, &b->e));
	assert_int_equal(row.handed_at, 100);
	assert_int_equal(row.session, 5);
	box_commit(b, tx);
}

static void voiding_and_forgetting(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct document_row *rows, row;
	size_t count;
	int64_t target = add_target(b, tx, 1);
	for (int i = 1; i <= 3; i++)
		send(b, tx, target, i);
	OK(document_row_void(tx, target, &b->e));
	OK(document_row_list_pending(tx, b->a, target, &rows, &count, &b->e));
	assert_int_equal(count, 0);
	OK(document_row_delete(tx, target, 2, &b->e)); /* its number stands for other contents */
	FAILS(TROTH_NOT_FOUND, document_row_by_generation(tx, b->a, target, 2, &row, &b->e));
	send(b, tx, target, 4);
	OK(document_row_delete(tx, target, 4, &b->e));
	OK(document_row_by_generation(tx, b->a, target, 4, &row, &b->e)); /* pending: it counts */
	OK(document_row_forget(tx, target, 100, &b->e));
	OK(document_row_list_target(tx, b->a, target, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 1); /* the pending one */
	FAILS(TROTH_NOT_FOUND, document_row_by_generation(tx, b->a, target, 3, &row, &b->e));
	box_commit(b, tx);
}

/* On their way to whom somebody waits for: counted, of a deployment that lasts, of this name. */
static void lasting_ones_are_counted(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t count;
	for (int n = 1; n <= 3; n++) {
		struct target_row target;
		struct template_row template;
		struct deployment_row deployment;
		int64_t id = add_target(b, tx, n);
		OK(target_row_get(tx, b->a, id, &target, &b->e));
		target.state = n == 1 ? TARGET_JOINING : TARGET_COUNTED;
		OK(target_row_update(tx, &target, &b->e));
		OK(template_row_get(tx, b->a, target.template_id, &template, &b->e));
		OK(deployment_row_get(tx, b->a, template.deployment_id, &deployment, &b->e));
		deployment.name = n == 3 ? "/prod/pg" : deployment.name;
		deployment.ephemeral = n == 2;
		OK(deployment_row_update(tx, &deployment, &b->e));
		(void)send(b, tx, id, 1);
	}
	OK(document_row_count_lasting(tx, "*", &count, &b->e));
	assert_int_equal(count, 1); /* the third */
	OK(document_row_count_lasting(tx, "/prod/*", &count, &b->e));
	assert_int_equal(count, 1);
	OK(document_row_count_lasting(tx, "/other/*", &count, &b->e));
	assert_int_equal(count, 0);
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(lasting_ones_are_counted), BOX_TEST(settling_drops_up_to_the_high_water_mark),
		BOX_TEST(a_generation_is_used_once),
		BOX_TEST(handing_out_is_noted_once),
		BOX_TEST(voiding_and_forgetting),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
