/* Worker threads and their queue: a ring under one mutex, two conditions. */
#include "keeper/lane.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/limits.h"

struct lane {
	pthread_mutex_t lock;
	pthread_cond_t more, room; /* something was put in; something was taken out, or a thread runs */
	pthread_t threads[LIMIT_KEEPER_LONG_WORKERS];
	unsigned started, running;
	void (*work)(void *self, void *job);
	void *self;
	void **jobs;
	size_t max, first, count;
	bool stopping;
};

static void *take(struct lane *l)
{
	void *job = NULL;
	pthread_mutex_lock(&l->lock);
	while (l->count == 0 && !l->stopping)
		pthread_cond_wait(&l->more, &l->lock);
	if (l->count > 0) {
		job = l->jobs[l->first];
		l->first = (l->first + 1) % l->max;
		l->count--;
		pthread_cond_signal(&l->room);
	}
	pthread_mutex_unlock(&l->lock);
	return job;
}

static void *lane_run(void *arg)
{
	struct lane *l = arg;
	pthread_mutex_lock(&l->lock);
	l->running++;
	pthread_cond_signal(&l->room);
	pthread_mutex_unlock(&l->lock);
	for (void *job = take(l); job; job = take(l))
		l->work(l->self, job);
	return NULL;
}

static void lane_free(struct lane *l)
{
	pthread_cond_destroy(&l->more);
	pthread_cond_destroy(&l->room);
	pthread_mutex_destroy(&l->lock);
	free(l->jobs);
	free(l);
}

static void join(struct lane *l)
{
	pthread_mutex_lock(&l->lock);
	l->stopping = true;
	pthread_cond_broadcast(&l->more);
	pthread_mutex_unlock(&l->lock);
	for (unsigned t = 0; t < l->started; t++)
		pthread_join(l->threads[t], NULL);
}

troth_rc lane_start(unsigned workers, size_t max_jobs, void (*work)(void *self, void *job), void *self, struct lane **ret, struct troth_err *e)
{
	CHECK(workers >= 1 && workers <= LIMIT_KEEPER_LONG_WORKERS);
	struct lane *l = calloc(1, sizeof *l);
	ENSURE(l, e, TROTH_UNAVAILABLE, "no memory for a lane");
	*l = (struct lane){ .work = work, .self = self, .max = max_jobs, .jobs = calloc(max_jobs, sizeof *l->jobs) };
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->more, NULL);
	pthread_cond_init(&l->room, NULL);
	int err_no = l->jobs ? 0 : ENOMEM;
	while (!err_no && l->started < workers) {
		err_no = pthread_create(&l->threads[l->started], NULL, lane_run, l);
		l->started += !err_no;
	}
	if (err_no != 0) {
		join(l);
		lane_free(l);
		return err_errno(e, err_no, "could not start a lane");
	}
	pthread_mutex_lock(&l->lock);
	while (l->running < workers)
		pthread_cond_wait(&l->room, &l->lock);
	pthread_mutex_unlock(&l->lock);
	*ret = l;
	return RC_OK;
}

static bool put(struct lane *l, void *job, bool wait)
{
	CHECK(job);
	pthread_mutex_lock(&l->lock);
	while (wait && l->count == l->max)
		pthread_cond_wait(&l->room, &l->lock);
	bool fits = l->count < l->max;
	if (fits) {
		l->jobs[(l->first + l->count) % l->max] = job;
		l->count++;
		pthread_cond_signal(&l->more);
	}
	pthread_mutex_unlock(&l->lock);
	return fits;
}

void lane_submit(struct lane *l, void *job) { CHECK(put(l, job, true)); }
bool lane_try(struct lane *l, void *job) { return put(l, job, false); }

void lane_stop(struct lane *l)
{
	if (!l)
		return;
	join(l);
	lane_free(l);
}
