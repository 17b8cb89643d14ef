/* The writer: groups, savepoints, a commit that fails, prepare again. */
#include <signal.h>
#include <sys/resource.h>

#include "plant.h"

static struct plant *p;

static void writes_and_answers(void **state)
{
	struct toy_ret ret = { 0 };
	struct troth_err e = { 0 };
	assert_true(rc_ok(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "a", 7 }, &ret, &e)));
	assert_int_equal(ret.value, 7);
	assert_int_equal(plant_value(p, "a"), 7);
	assert_true(atomic_load(&p->committed) > 0);
}

static void one_that_fails_leaves_its_neighbours(void **state)
{
	enum { N = 300 };
	struct tally good = { 0 }, bad = { 0 };
	for (int i = 0; i < N; i++) {
		char *key = arena_printf(p->a, "k%d", i);
		plant_submit(p, &TOY_PUT, &(struct toy_cmd){ key, i, .fail = i % 3 == 0 }, i % 3 ? &good : &bad);
	}
	assert_true(plant_await(&good.done, N - N / 3) && plant_await(&bad.done, N / 3));
	assert_int_equal(atomic_load(&good.failed), 0);
	assert_int_equal(atomic_load(&bad.failed), N / 3);
	for (int i = 0; i < N; i++)
		assert_int_equal(plant_value(p, arena_printf(p->a, "k%d", i)), i % 3 ? i : -1);
}

static void prepares_again_when_its_ground_moved(void **state)
{
	struct toy_ret ret = { 0 };
	struct troth_err e = { 0 };
	int before = atomic_load(&toy_prepared);
	assert_true(rc_ok(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "r", 5, .needs = 2, .retries = 2 }, &ret, &e)));
	assert_int_equal(ret.replies, 2); /* of the last time only */
	assert_int_equal(atomic_load(&toy_prepared) - before, 3);
	assert_int_equal(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "r", 6, .retries = 99 }, &ret, &e).code, TROTH_CONFLICT);
	assert_int_equal(atomic_load(&toy_prepared) - before, 3 + LIMIT_ISSUE_RETRIES);
	assert_int_equal(plant_value(p, "r"), 5);
}

/* A CA and those below it: what is asked depends on the answers before. */
static void asks_the_keeper_in_rounds(void **state)
{
	struct toy_ret ret;
	struct troth_err e = { 0 };
	int requests = atomic_load(&p->requests);
	struct toy_cmd cmd = { "rounds", 5, .needs = 2, .rounds = 2, .retries = 1 };
	assert_true(rc_ok(plant_do(p, &TOY_PUT, &cmd, &ret, &e)));
	assert_int_equal(ret.replies, 6);
	assert_int_equal(atomic_load(&p->requests) - requests, 12);
	assert_int_equal(plant_value(p, "rounds"), 5);
}

static void a_failed_commit_fails_all_and_nothing_stays(void **state)
{
	struct rlimit old, tight = { 4096, RLIM_INFINITY };
	struct tally t = { 0 };
	struct toy_ret ret;
	struct troth_err e = { 0 };
	getrlimit(RLIMIT_FSIZE, &old);
	tight.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0); /* no file grows: the WAL cannot be written */
	for (int i = 0; i < 20; i++)
		plant_submit(p, &TOY_PUT, &(struct toy_cmd){ arena_printf(p->a, "full%d", i), 1 }, &t);
	assert_true(plant_await(&t.done, 20));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(atomic_load(&t.unavailable), 20);
	for (int i = 0; i < 20; i++)
		assert_int_equal(plant_value(p, arena_printf(p->a, "full%d", i)), -1);
	assert_true(rc_ok(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "after", 1 }, &ret, &e)));
	assert_int_equal(plant_value(p, "after"), 1);
}

static void old_idempotency_keys_go(void **state)
{
	struct tx *tx;
	struct idempotency_row row = { .principal = "x", .key = "old", .body_hash = bytes_of("h", 1), .status = 200, .created = 1 };
	plant_free(p);
	p = plant_new();
	assert_true(rc_ok(store_write_begin(p->store, &tx, NULL)) && rc_ok(idempotency_put(tx, &row, NULL)));
	row.key = "new";
	row.created = port_now(&PORT_CLOCK_REAL);
	assert_true(rc_ok(idempotency_put(tx, &row, NULL)) && rc_ok(store_write_commit(tx, NULL)));
	plant_start(p); /* the first batch does it */
	assert_true(plant_await(&p->committed, 1));
	pipeline_stop(p->pipeline);
	assert_true(rc_ok(store_write_begin(p->store, &tx, NULL)));
	assert_int_equal(idempotency_get(tx, p->a, "x", "old", &row, NULL).code, TROTH_NOT_FOUND);
	assert_true(rc_ok(idempotency_get(tx, p->a, "x", "new", &row, NULL)));
	store_write_rollback(tx);
}

/* More than one slice of them, so the next batch goes on. */
static void old_events_go(void **state)
{
	struct tx *tx;
	int64_t last;
	plant_free(p);
	p = plant_new();
	assert_true(rc_ok(store_write_begin(p->store, &tx, NULL)));
	for (int i = 0; i < LIMIT_EVENTS_FORGOTTEN + 5; i++)
		assert_true(rc_ok(event_append(tx, &(struct event_row){ .at = 1 + i, .kind = "old" }, NULL)));
	assert_true(rc_ok(event_append(tx, &(struct event_row){ .at = port_now(&PORT_CLOCK_REAL), .kind = "new" }, NULL)));
	assert_true(rc_ok(store_write_commit(tx, NULL)));
	plant_start(p);
	for (int i = 1; i <= 3; i++)
		assert_true(rc_ok(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "e", i }, &(struct toy_ret){ 0 }, &(struct troth_err){ 0 })));
	pipeline_stop(p->pipeline);
	assert_true(rc_ok(store_write_begin(p->store, &tx, NULL)));
	assert_true(rc_ok(event_last_forgotten(tx, &last, NULL)));
	assert_int_equal(last, LIMIT_EVENTS_FORGOTTEN + 5);
	store_write_rollback(tx);
}

static void stops_with_work_in_its_queue(void **state)
{
	struct tally t = { 0 };
	for (int i = 0; i < 500; i++)
		plant_submit(p, &TOY_PUT, &(struct toy_cmd){ "s", i, .needs = i % 2 }, &t);
	pipeline_stop(p->pipeline);
	assert_int_equal(atomic_load(&t.done), 500); /* every one was told something */
	plant_submit(p, &TOY_PUT, &(struct toy_cmd){ "late", 1 }, &t);
	assert_int_equal(atomic_load(&t.done), 501);
	assert_true(atomic_load(&t.unavailable) >= 1);
}

static int setup(void **state) { signal(SIGXFSZ, SIG_IGN); p = plant_new(); plant_start(p); return 0; }
static int teardown(void **state) { plant_free(p); return 0; }

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(writes_and_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_fails_leaves_its_neighbours, setup, teardown),
		cmocka_unit_test_setup_teardown(prepares_again_when_its_ground_moved, setup, teardown),
		cmocka_unit_test_setup_teardown(asks_the_keeper_in_rounds, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failed_commit_fails_all_and_nothing_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(old_idempotency_keys_go, setup, teardown),
		cmocka_unit_test_setup_teardown(old_events_go, setup, teardown),
		cmocka_unit_test_setup_teardown(stops_with_work_in_its_queue, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
