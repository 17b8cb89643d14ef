/* The line to the keeper: batches, answers in any order, refusals, deaths. */
#include "plant.h"

static struct plant *p;

static void batches_and_sorts(void **state)
{
	enum { N = 200 };
	struct tally t = { 0 };
	int before = atomic_load(&toy_prepared);
	atomic_store(&p->mood, KEEPER_STAYS_FULL); /* until all of them, but for the last, are at the line */
	for (int i = 0; i < N; i++)
		plant_submit(p, &TOY_PUT, &(struct toy_cmd){ "b", i, .needs = 3 }, &t);
	assert_true(plant_await(&toy_prepared, before + N));
	atomic_store(&p->mood, KEEPER_ANSWERS);
	assert_true(plant_await(&t.done, N));
	assert_int_equal(atomic_load(&t.failed), 0);
	assert_in_range(atomic_load(&p->largest), 4, LIMIT_KEEPER_BATCH); /* several jobs in a message */
	assert_true(atomic_load(&p->messages) < 3 * N);
}

static void more_than_may_be_in_flight(void **state)
{
	enum { N = 40, EACH = 60 }; /* 2,400 requests: above LIMIT_KEEPER_IN_FLIGHT */
	struct tally t = { 0 };
	for (int i = 0; i < N; i++)
		plant_submit(p, &TOY_PUT, &(struct toy_cmd){ "m", i, .needs = EACH }, &t);
	assert_true(plant_await(&t.done, N));
	assert_int_equal(atomic_load(&t.failed), 0);
	assert_int_equal(atomic_load(&p->requests), N * EACH);
}

static void refusals_are_the_verbs(void **state)
{
	struct toy_ret ret;
	struct troth_err e = { 0 };
	atomic_store(&p->mood, KEEPER_REFUSES);
	assert_int_equal(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "f", 1, .needs = 5 }, &ret, &e).code, TROTH_FORBIDDEN);
	assert_non_null(strstr(e.primary, "the policy says no"));
	assert_int_equal(plant_value(p, "f"), -1);
}

static void one_that_cannot_be_written_down(void **state)
{
	struct tally bad = { 0 }, good = { 0 };
	for (int i = 0; i < 10; i++) {
		plant_submit(p, &TOY_PUT, &(struct toy_cmd){ "w", 1, .needs = 2 }, &good);
		plant_submit(p, &TOY_PUT, &(struct toy_cmd){ "w", -1, .needs = 2 }, &bad);
	}
	assert_true(plant_await(&good.done, 10) && plant_await(&bad.done, 10));
	assert_int_equal(atomic_load(&good.failed), 0);
	assert_int_equal(atomic_load(&bad.failed), 10);
}

static void full_line(void **state)
{
	struct toy_ret ret;
	struct troth_err e = { 0 };
	atomic_store(&p->mood, KEEPER_IS_FULL);
	assert_true(rc_ok(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "l", 1, .needs = 1 }, &ret, &e)));
}

static void dies_and_is_started_again(void **state)
{
	struct toy_ret ret;
	struct troth_err e = { 0 };
	atomic_store(&p->mood, KEEPER_DIES);
	assert_int_equal(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "d", 1, .needs = 1 }, &ret, &e).code, TROTH_UNAVAILABLE);
	assert_true(e.hint[0]);
	assert_int_equal(plant_value(p, "d"), -1);
	assert_true(rc_ok(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "d", 2, .needs = 1 }, &ret, &e)));
	assert_int_equal(atomic_load(&p->opened), 2);
	assert_int_equal(atomic_load(&p->fatal), 0);
}

static void three_deaths_in_a_minute_are_the_end(void **state)
{
	struct toy_ret ret;
	struct troth_err e = { 0 };
	atomic_store(&p->mood, KEEPER_ALWAYS_DIES);
	for (int i = 0; i < KEEPER_DEATHS; i++)
		assert_int_equal(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "d", 1, .needs = 1 }, &ret, &e).code, TROTH_UNAVAILABLE);
	assert_true(plant_await(&p->fatal, 1));
	assert_int_equal(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "d", 1, .needs = 1 }, &ret, &e).code, TROTH_UNAVAILABLE);
	assert_true(rc_ok(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "d", 3 }, &ret, &e))); /* what needs no key goes on */
}

static void stops_while_the_keeper_hangs(void **state)
{
	struct tally t = { 0 };
	atomic_store(&p->mood, KEEPER_HANGS);
	for (int i = 0; i < 100; i++)
		plant_submit(p, &TOY_PUT, &(struct toy_cmd){ "h", i, .needs = 1 }, &t);
	assert_true(plant_await(&p->requests, 1));
	pipeline_stop(p->pipeline);
	assert_int_equal(atomic_load(&t.unavailable), 100);
}

static int setup(void **state) { p = plant_new(); plant_start(p); return 0; }
static int teardown(void **state) { plant_free(p); return 0; }
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(batches_and_sorts), CASE(more_than_may_be_in_flight), CASE(refusals_are_the_verbs), CASE(one_that_cannot_be_written_down),
		CASE(full_line), CASE(dies_and_is_started_again), CASE(three_deaths_in_a_minute_are_the_end), CASE(stops_while_the_keeper_hangs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
