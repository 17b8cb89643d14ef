/* One thread for what takes long: passwords.
 *
 * One, so that it takes one derivation's memory and one core at most, however many log in; and not a loop's or the
 * writer's, which must not wait for it. */
#include "app/toil.h"

#include <signal.h>

struct toil {
	struct pipeline *p;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *queue, **queue_last;
	size_t queued;
	bool stopping;
};

troth_rc toil_push(struct toil *t, struct job *job)
{
	pthread_mutex_lock(&t->lock);
	bool stopping = t->stopping, full = t->queued >= LIMIT_TOIL_QUEUE;
	if (!stopping && !full) {
		job->next = NULL;
		*t->queue_last = job;
		t->queue_last = &job->next;
		t->queued++;
		pthread_cond_signal(&t->more);
	}
	pthread_mutex_unlock(&t->lock);
	ENSURE(!stopping, &job->err, TROTH_UNAVAILABLE, "the server is stopping");
	ENSURE(!full, &job->err, TROTH_BUSY, "%d passwords are being looked at already; try again", LIMIT_TOIL_QUEUE);
	return RC_OK;
}

/* The next job; NULL: it is the end. */
static struct job *take(struct toil *t, bool *ret_stopping)
{
	pthread_mutex_lock(&t->lock);
	while (!t->queue && !t->stopping)
		pthread_cond_wait(&t->more, &t->lock);
	struct job *job = t->queue;
	if (job) {
		t->queue = job->next;
		t->queued--;
	}
	if (!t->queue)
		t->queue_last = &t->queue;
	*ret_stopping = t->stopping;
	pthread_mutex_unlock(&t->lock);
	return job;
}

static void *toil_main(void *self)
{
	struct toil *t = self;
	struct job *job;
	bool stopping;
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	while ((job = take(t, &stopping))) {
		troth_rc rc = stopping ? err_set(&job->err, TROTH_UNAVAILABLE, "the server is stopping") :
					 verb_toil(&job->ctx, job->cmd, &job->err);
		if (rc_ok(rc))
			job_go_on(t->p, job, PUSH_RETURN); /* the writer's queue may be full: these are few (LIMIT_TOIL_QUEUE) */
		else
			job_go_home(t->p, job, rc);
	}
	return NULL;
}

troth_rc toil_new(struct pipeline *p, struct toil **ret, struct troth_err *e)
{
	struct toil *t = calloc(1, sizeof *t);
	CHECK(t);
	t->p = p;
	t->queue_last = &t->queue;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->more, NULL);
	*ret = t;
	int why = pthread_create(&t->thread, NULL, toil_main, t);
	if (why)
		return err_errno(e, why, "could not start the thread for passwords");
	t->started = true;
	return RC_OK;
}

void toil_stop(struct toil *t)
{
	pthread_mutex_lock(&t->lock);
	t->stopping = true;
	pthread_cond_signal(&t->more);
	pthread_mutex_unlock(&t->lock);
	if (t->started)
		pthread_join(t->thread, NULL);
	t->started = false;
}

void toil_free(struct toil *t)
{
	if (!t)
		return;
	toil_stop(t);
	pthread_cond_destroy(&t->more);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
