/* A lane: in order, bounded, and finished before it stops. */
#include "fixture.h"

#include <pthread.h>
#include <unistd.h>

#include "keeper/lane.h"

struct seen {
	int order[100];
	int count;
	int gate[2]; /* the worker reads a byte before each job */
};

static void note(void *self, void *job)
{
	struct seen *s = self;
	char byte;
	assert_int_equal(read(s->gate[0], &byte, 1), 1);
	s->order[s->count++] = *(int *)job;
}

static void open_gate(struct seen *s, int times)
{
	for (int i = 0; i < times; i++)
		assert_int_equal(write(s->gate[1], "g", 1), 1);
}

static void jobs_run_in_order_and_all_before_the_stop(void **state)
{
	struct seen s = { 0 };
	struct lane *l;
	int jobs[50];
	assert_int_equal(pipe(s.gate), 0);
	assert_true(rc_ok(lane_start(1, 4, note, &s, &l, NULL)));
	open_gate(&s, 50);
	for (int i = 0; i < 50; i++) {
		jobs[i] = i;
		lane_submit(l, &jobs[i]); /* waits when four are queued */
	}
	lane_stop(l);
	assert_int_equal(s.count, 50);
	for (int i = 0; i < 50; i++)
		assert_int_equal(s.order[i], i);
	close(s.gate[0]);
	close(s.gate[1]);
}

/* With the worker held, at most one job in its hands and two in the queue are taken. */
static void a_full_lane_says_so(void **state)
{
	struct seen s = { 0 };
	struct lane *l;
	int job = 1, taken = 0;
	assert_int_equal(pipe(s.gate), 0);
	assert_true(rc_ok(lane_start(1, 2, note, &s, &l, NULL)));
	while (taken < 10 && lane_try(l, &job))
		taken++;
	assert_true(taken == 2 || taken == 3);
	open_gate(&s, taken);
	lane_stop(l);
	assert_int_equal(s.count, taken);
	close(s.gate[0]);
	close(s.gate[1]);
}

static void meet(void *self, void *job) { pthread_barrier_wait(self); }

/* Each waits for the other: one worker would wait for ever. */
static void two_workers_work_at_once(void **state)
{
	pthread_barrier_t both;
	struct lane *l;
	int job = 1;
	assert_int_equal(pthread_barrier_init(&both, NULL, 2), 0);
	assert_true(rc_ok(lane_start(2, 4, meet, &both, &l, NULL)));
	for (int i = 0; i < 4; i++)
		lane_submit(l, &job);
	lane_stop(l);
	pthread_barrier_destroy(&both);
}

static void stopping_nothing_is_fine(void **state)
{
	struct seen s = { 0 };
	struct lane *l;
	lane_stop(NULL);
	assert_true(rc_ok(lane_start(1, 1, note, &s, &l, NULL)));
	lane_stop(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_run_in_order_and_all_before_the_stop),
		cmocka_unit_test(a_full_lane_says_so),
		cmocka_unit_test(two_workers_work_at_once),
		cmocka_unit_test(stopping_nothing_is_fine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
