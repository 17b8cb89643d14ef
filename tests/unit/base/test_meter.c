/* Counting and reading: shapes, buckets, threads. */
#include <pthread.h>
#include <string.h>

#include "../unit.h"
#include "base/meter.h"

enum { ROW_PLAIN, ROW_TABLE, ROW_TIMES };
static const char *who(size_t i) { return i ? "b" : "a"; }
static const char *const WHO[] = { "a", "b" }, *const WHAT[] = { "x", "y", "z" };
static const int64_t BOUNDS[] = { 0, 10, 100 };
static const struct meter_row ROWS[] = {
	[ROW_PLAIN] = { { "plain", "One number.", METER_GAUGE } },
	[ROW_TABLE] = { { "table_total", "By who and what.", METER_COUNTER, { "who", "what" } }, { { WHO, 2 }, { WHAT, 3 } } },
	[ROW_TIMES] = { { "times_seconds", "How long.", METER_HISTOGRAM, { "who" }, 1000, BOUNDS, 3 }, { { .word = who, .count = 2 } }, .quiet = true },
};

struct bench {
	struct arena *a;
	struct meter_set *s;
	const struct meter_reading *r;
	size_t n;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof *b);
	b->a = arena_new(1 << 20);
	b->s = meter_set_new(ROWS, 3);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;
	meter_set_free(b->s);
	arena_free(b->a);
	free(b);
	return 0;
}

static void read_all(struct bench *b)
{
	meter_set_read(b->s, b->a, &b->r, &b->n);
	assert_int_equal(b->n, 3);
}

static void each_series_has_its_own_cell(void **state)
{
	struct bench *b = *state;
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < 3; j++)
			meter_add(b->s, ROW_TABLE, i, j, (int64_t)(10 * i + j + 1));
	meter_put(b->s, ROW_PLAIN, 0, 0, 7);
	meter_put(b->s, ROW_PLAIN, 0, 0, -5);
	read_all(b);
	assert_int_equal(b->r[ROW_PLAIN].count, 1);
	assert_int_equal(b->r[ROW_PLAIN].samples[0].cells[0], -5);
	assert_int_equal(b->r[ROW_TABLE].count, 6);
	for (size_t k = 0; k < 6; k++) {
		const struct meter_sample *s = &b->r[ROW_TABLE].samples[k];
		assert_string_equal(s->values[0], WHO[k / 3]);
		assert_string_equal(s->values[1], WHAT[k % 3]);
		assert_int_equal(s->cells[0], 10 * (k / 3) + k % 3 + 1);
	}
	assert_ptr_equal(b->r[ROW_TABLE].family, &ROWS[ROW_TABLE].family);
}

static void a_value_falls_into_the_bucket_that_it_is_not_above(void **state)
{
	struct bench *b = *state;
	const int64_t values[] = { -3, 0, 1, 10, 11, 100, 101, 5000 };
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		meter_observe(b->s, ROW_TIMES, 1, 0, values[i]);
	read_all(b);
	const struct meter_reading *r = &b->r[ROW_TIMES];
	assert_int_equal(r->count, 1); /* quiet: of "a" nothing was seen */
	assert_string_equal(r->samples[0].values[0], "b");
	const int64_t wanted[] = { 2, 2, 2, 2, 0 + 0 + 1 + 10 + 11 + 100 + 101 + 5000 };
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		assert_int_equal(r->samples[0].cells[i], wanted[i]);
}

static void nothing_counts_in_no_set(void **state)
{
	meter_add(NULL, ROW_TABLE, 0, 0, 1);
	meter_put(NULL, ROW_PLAIN, 0, 0, 1);
	meter_observe(NULL, ROW_TIMES, 0, 0, 1);
	meter_set_free(NULL);
}

static void *count_much(void *arg)
{
	struct bench *b = arg;
	for (int i = 0; i < 20000; i++) {
		meter_add(b->s, ROW_TABLE, 1, 2, 1);
		meter_observe(b->s, ROW_TIMES, 0, 0, 1);
	}
	return NULL;
}

static void no_count_is_lost_between_threads(void **state)
{
	struct bench *b = *state;
	pthread_t threads[4];
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_much, b), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	read_all(b);
	assert_int_equal(b->r[ROW_TABLE].samples[5].cells[0], 80000);
	assert_int_equal(b->r[ROW_TIMES].samples[0].cells[1], 80000);
	assert_int_equal(b->r[ROW_TIMES].samples[0].cells[4], 80000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_series_has_its_own_cell, setup, teardown),
		cmocka_unit_test_setup_teardown(a_value_falls_into_the_bucket_that_it_is_not_above, setup, teardown),
		cmocka_unit_test(nothing_counts_in_no_set),
		cmocka_unit_test_setup_teardown(no_count_is_lost_between_threads, setup, teardown),
	};
	return cmocka_run_group_tests_name("meter", tests, NULL, NULL);
}
