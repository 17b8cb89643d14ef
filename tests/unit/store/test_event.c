/* Events: the sequence grows, also over a housekeeping. */
#include "box.h"

static int64_t append(struct box *b, struct tx *tx, const char *topic, msec_t at)
{
	struct event_row row = { .at = at, .kind = "test.happened", .object = "/x", .topic = topic, .body = "{}" };
	OK(event_append(tx, &row, &b->e));
	return row.seq;
}

static void a_waiter_misses_nothing(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct event_row *rows;
	size_t count;
	int64_t last;
	OK(event_last_seq(tx, &last, &b->e));
	assert_int_equal(last, 0);
	for (int i = 0; i < 10; i++)
		append(b, tx, i % 2 ? "rotation/1" : "events", i);
	OK(event_list(tx, b->a, NULL, (struct page){ 4, 3 }, &rows, &count, &b->e));
	assert_int_equal(count, 3);
	assert_int_equal(rows[0].seq, 5);
	OK(event_list(tx, b->a, "rotation/1", (struct page){ 4, 0 }, &rows, &count, &b->e));
	assert_int_equal(count, 3);
	assert_int_equal(rows[0].seq, 6);
	assert_string_equal(rows[0].kind, "test.happened");
	assert_string_equal(rows[0].object, "/x");
	assert_string_equal(rows[0].body, "{}");
	box_commit(b, tx);
}

static void the_sequence_never_goes_back(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct event_row *rows;
	size_t count;
	int64_t last;
	for (int i = 1; i <= 5; i++)
		append(b, tx, NULL, i);
	bool more;
	OK(event_row_forget(tx, 100, &more, &b->e));
	assert_false(more);
	OK(event_list(tx, b->a, NULL, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 0);
	OK(event_last_seq(tx, &last, &b->e));
	assert_int_equal(last, 5);
	assert_int_equal(append(b, tx, NULL, 9), 6);
	box_commit(b, tx);
}

/* From the oldest on and so many at a time; one that a wrong clock dated later does not hold up those after it. */
static void the_oldest_are_forgotten(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t last;
	bool more;
	OK(event_last_forgotten(tx, &last, &b->e));
	assert_int_equal(last, 0);
	for (int i = 1; i <= LIMIT_EVENTS_FORGOTTEN + 10; i++)
		append(b, tx, NULL, i == 3 ? INT64_MAX : i);
	OK(event_row_forget(tx, 1, &more, &b->e));
	OK(event_last_forgotten(tx, &last, &b->e));
	assert_true(last == 0 && !more); /* none is so old */
	OK(event_row_forget(tx, LIMIT_EVENTS_FORGOTTEN + 8, &more, &b->e));
	OK(event_last_forgotten(tx, &last, &b->e));
	assert_int_equal(last, LIMIT_EVENTS_FORGOTTEN);
	assert_true(more);
	OK(event_row_forget(tx, LIMIT_EVENTS_FORGOTTEN + 8, &more, &b->e));
	OK(event_last_forgotten(tx, &last, &b->e));
	assert_int_equal(last, LIMIT_EVENTS_FORGOTTEN + 7);
	assert_false(more);
	OK(event_row_forget(tx, INT64_MAX, &more, &b->e));
	OK(event_last_forgotten(tx, &last, &b->e));
	assert_int_equal(last, LIMIT_EVENTS_FORGOTTEN + 10); /* nothing is there, and what was is known */
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(a_waiter_misses_nothing),
		BOX_TEST(the_sequence_never_goes_back),
		BOX_TEST(the_oldest_are_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
