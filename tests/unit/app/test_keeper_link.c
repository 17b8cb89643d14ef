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

/* While the keeper is busy with it: of hundreds so many are under way, and who asks for one thing is the next. */
static void one_asks_for_hundreds_another_for_one(void **state)
{
	struct tally much = { 0 }, little = { 0 };
	atomic_store(&p->mood, KEEPER_HANGS);
	plant_submit(p, &TOY_PUT, &(struct toy_cmd){ "h", 1, .needs = 500 }, &much);
	assert_true(plant_await(&p->requests, LIMIT_KEEPER_SHARE));
	plant_submit(p, &TOY_PUT, &(struct toy_cmd){ "o", 1, .needs = 1 }, &little);
	assert_true(plant_await(&p->requests, LIMIT_KEEPER_SHARE + 1));
	assert_int_equal(atomic_load(&p->requests), LIMIT_KEEPER_SHARE + 1);
	atomic_store(&p->mood, KEEPER_ANSWERS);
	assert_true(plant_await(&little.done, 1) && plant_await(&much.done, 1));
	assert_int_equal(atomic_load(&much.failed) + atomic_load(&little.failed), 0);
	assert_int_equal(atomic_load(&p->requests), 501);
}

/* Keys that take long: a few of each, and never so many that the keeper would refuse one that is not the first of its verb. */
static void slow_keys_leave_room(void **state)
{
	enum { N = LIMIT_KEEPER_LONG_JOBS / LIMIT_KEEPER_LONG_SHARE, MOST = LIMIT_KEEPER_LONG_JOBS };
	struct tally t = { 0 };
	struct toy_cmd cmd = { "s", 1, .needs = 30, .slow = true, .quick = 1 };
	atomic_store(&p->mood, KEEPER_HANGS);
	for (int i = 0; i < N; i++)
		plant_submit(p, &TOY_PUT, &cmd, &t);
	assert_true(plant_await(&p->requests, MOST + N));
	plant_submit(p, &TOY_PUT, &cmd, &t); /* its quick one goes, and no slow one of it */
	assert_true(plant_await(&p->requests, MOST + N + 1));
	plant_submit(p, &TOY_PUT, &(struct toy_cmd){ "s", 1, .needs = 1, .slow = true }, &t); /* the keeper may say no to this one */
	assert_true(plant_await(&p->requests, MOST + N + 2));
	assert_int_equal(atomic_load(&p->requests), MOST + N + 2);
	atomic_store(&p->mood, KEEPER_ANSWERS);
	assert_true(plant_await(&t.done, N + 2));
	assert_int_equal(atomic_load(&t.failed), 0);
}

/* Hundreds of keys are begun when there are so many; who is told no has used up none, and one by one goes on. */
static void hundreds_begin_when_there_are_as_many(void **state)
{
	struct toy_ret ret;
	struct troth_err e = { 0 };
	struct toy_cmd cmd = { "k", 1, .needs = 3, .rounds = 1, .keys = 600 }, one = { "k", 2, .needs = 1, .slow = true };
	assert_true(rc_ok(plant_do(p, &TOY_PUT, &cmd, &ret, &e)));
	assert_int_equal(ret.replies, 6);
	int before = atomic_load(&p->requests);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(plant_do(p, &TOY_PUT, &cmd, &ret, &e).code, TROTH_BUSY);
		assert_non_null(strstr(e.primary, "600 new keys are needed"));
		assert_true(strstr(e.hint, "in 25 s") || strstr(e.hint, "in 26 s"));
		assert_true(rc_ok(plant_do(p, &TOY_PUT, &one, &ret, &e)));
	}
	assert_int_equal(atomic_load(&p->requests), before + 3);
	cmd.keys = 340;
	assert_true(rc_ok(plant_do(p, &TOY_PUT, &cmd, &ret, &e)));
	assert_int_equal(plant_do(p, &TOY_PUT, &cmd, &ret, &e).code, TROTH_BUSY);
	atomic_store(&p->mood, KEEPER_DIES);
	assert_int_equal(plant_do(p, &TOY_PUT, &one, &ret, &e).code, TROTH_UNAVAILABLE);
	assert_true(rc_ok(plant_do(p, &TOY_PUT, &cmd, &ret, &e))); /* another keeper counts from nothing */
	cmd.retries = 1; /* its keys are made anew: there are none for a second time */
	cmd.keys = 500;
	assert_int_equal(plant_do(p, &TOY_PUT, &cmd, &ret, &e).code, TROTH_BUSY);
}

static void dies_in_the_middle_of_hundreds(void **state)
{
	struct toy_ret ret;
	struct troth_err e = { 0 };
	struct toy_cmd cmd = { "d", 1, .needs = 300, .slow = true, .quick = 100 };
	atomic_store(&p->last_answer, 150);
	assert_int_equal(plant_do(p, &TOY_PUT, &cmd, &ret, &e).code, TROTH_UNAVAILABLE);
	assert_int_equal(plant_value(p, "d"), -1);
	assert_true(rc_ok(plant_do(p, &TOY_PUT, &cmd, &ret, &e))); /* and nothing of it is counted any more */
	assert_int_equal(ret.replies, 300);
	assert_int_equal(atomic_load(&p->opened), 2);
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
		CASE(batches_and_sorts), CASE(more_than_may_be_in_flight), CASE(one_asks_for_hundreds_another_for_one), CASE(slow_keys_leave_room),
		CASE(hundreds_begin_when_there_are_as_many), CASE(dies_in_the_middle_of_hundreds), CASE(refusals_are_the_verbs), CASE(one_that_cannot_be_written_down),
		CASE(full_line), CASE(dies_and_is_started_again), CASE(three_deaths_in_a_minute_are_the_end), CASE(stops_while_the_keeper_hangs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
