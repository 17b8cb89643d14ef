/* The writer: the only thread that changes the store.
 *
 * A batch is one SQLite transaction: a savepoint per verb, then the runner in one of its own, then the
 * commit.  Nothing is told to anyone before the commit has returned. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "app/job.h"
#include "base/log.h"
#include "service/webhook/webhook.h"

enum { MINUTE_MS = 60 * 1000, WAKE_LEAST_MS = 20, HOUSEKEEPING_MS = 10 * MINUTE_MS,
       IDEMPOTENCY_MS = 24 * 3600 * 1000, COMMITTED_BYTES = 64 << 20 };

static msec_t wall(const struct pipeline *p) { return port_now(&p->config.port->clock); }
static msec_t mono(const struct pipeline *p) { return port_mono(&p->config.port->clock); }

static bool may_push(const struct pipeline *p, enum push how)
{
	if (how == PUSH_REQUEST)
		return p->queued < LIMIT_WRITER_QUEUE;
	return how == PUSH_RETURN || !p->stopping;
}

troth_rc writer_push(struct pipeline *p, struct job *job, enum push how)
{
	pthread_mutex_lock(&p->lock);
	bool fits = may_push(p, how);
	if (fits) {
		job->next = NULL;
		*p->queue_last = job;
		p->queue_last = &job->next;
		p->queued++;
		meters_queue(p->meters, p->queued);
		pthread_cond_signal(&p->more);
	}
	pthread_mutex_unlock(&p->lock);
	ENSURE(fits || how == PUSH_REQUEST, &job->err, TROTH_UNAVAILABLE, "the server is stopping");
	ENSURE(fits, &job->err, TROTH_UNAVAILABLE, "%d changes are waiting already; try again", LIMIT_WRITER_QUEUE);
	return RC_OK;
}

/* -- waiting ---------------------------------------------------------------------------------------------- */
static struct timespec deadline_of(const struct pipeline *p)
{
	msec_t until = p->next_minute, now = mono(p);
	if (p->next_wake) {
		msec_t after = p->next_wake - wall(p);
		msec_t at = now + (after < 0 ? 0 : after);
		until = at < until ? at : until;
	}
	return (struct timespec){ until / MSEC_S, (until % MSEC_S) * 1000000 };
}

/* Takes up to a batch of jobs.  false: nothing came, but it is time for the runner; *ret_end: stop. */
static size_t take_batch(struct pipeline *p, struct job **jobs, bool *ret_end)
{
	size_t n = 0;
	pthread_mutex_lock(&p->lock);
	struct timespec until = deadline_of(p);
	while (!p->queue && !p->stopping && pthread_cond_timedwait(&p->more, &p->lock, &until) != ETIMEDOUT)
		;
	while (p->queue && n < LIMIT_WRITER_BATCH) {
		jobs[n] = p->queue;
		p->queue = jobs[n]->next;
		p->queued--;
		n++;
	}
	if (!p->queue)
		p->queue_last = &p->queue;
	meters_queue(p->meters, p->queued);
	*ret_end = p->stopping && n == 0;
	pthread_mutex_unlock(&p->lock);
	return n;
}

/* -- prepare, for those that come without -------------------------------------------------------------------- */
/* The server's own jobs, and those whose ground moved between prepare and commit. */
static void prepare_here(struct pipeline *p, struct job *job)
{
	struct tx *tx = NULL;
	err_clear(&job->err);
	job->rc = RC_OK;
	troth_rc rc = store_read_begin(p->writer_reader, &tx, &job->err);
	if (rc_ok(rc))
		rc = job_prepare(job, tx);
	store_read_end(tx);
	if (rc_failed(rc))
		job_end(p, job, rc);
	else
		job_go_on(p, job, PUSH_RETURN);
}

/* Sends away those that must be prepared; what is left can be written. */
static size_t keep_prepared(struct pipeline *p, struct job **jobs, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (jobs[i]->failed)
			job_end(p, jobs[i], jobs[i]->rc);
		else if ((jobs[i]->prepared && !jobs[i]->ctx.more) || !jobs[i]->verb->prepare)
			jobs[kept++] = jobs[i];
		else
			prepare_here(p, jobs[i]);
	}
	return kept;
}

/* -- a batch ------------------------------------------------------------------------------------------------ */
static troth_rc write_one(struct pipeline *p, struct tx *tx, struct job *job)
{
	job->ctx.now = wall(p);
	TRY(job_replay(job, tx));
	if (job->replayed)
		return RC_OK;
	memset(job->ret, 0, job->verb->ret_size);
	return verb_write(p->config.svc, tx, job->verb, &job->ctx, job->cmd, job->ret, &job->err);
}

/* Every verb in its savepoint; fails only if the whole transaction is lost. */
static troth_rc write_all(struct pipeline *p, struct tx *tx, struct job **jobs, size_t n, struct troth_err *e)
{
	TRY(service_begin(p->config.svc, tx, e));
	for (size_t i = 0; i < n; i++) {
		struct job *job = jobs[i];
		job->rc = write_one(p, tx, job);
		if (rc_ok(job->rc)) {
			troth_rc kept = job_keep(job, tx);
			if (rc_failed(kept))
				*e = job->err;
			TRY(kept);
		}
		ENSURE(!tx_lost(tx), e, TROTH_UNAVAILABLE, "the store gave the transaction up: %s", job->err.primary);
	}
	return RC_OK;
}

/* A runner that fails must not take the verbs with it; it is tried again at the next batch. */
static troth_rc run_runner(struct pipeline *p, struct tx *tx, bool *ret_view_lost, struct troth_err *e)
{
	struct troth_err why = { 0 };
	msec_t wake = 0;
	TRY(tx_savepoint(tx, e));
	troth_rc rc = runner_run(p->config.svc, tx, wall(p), &wake, &why);
	*ret_view_lost = rc_failed(rc);
	if (rc_ok(rc)) {
		msec_t soonest = wall(p) + WAKE_LEAST_MS; /* a wake that lies in the past must not spin */
		p->next_wake = wake && wake < soonest ? soonest : wake;
		return tx_release(tx, e);
	}
	log_err(LOG_LEVEL_ERROR, "runner.failed", &why);
	p->next_wake = wall(p) + MINUTE_MS;
	return tx_rollback_to(tx, e);
}

/* Idempotency-Keys are for sending again, not for looking up: a day is enough.  Events are for who was away. */
static troth_rc housekeep(struct pipeline *p, struct tx *tx, struct troth_err *e)
{
	bool more;
	if (mono(p) < p->next_housekeeping)
		return RC_OK;
	TRY(idempotency_forget(tx, wall(p) - IDEMPOTENCY_MS, e));
	TRY(event_row_forget(tx, wall(p) - (msec_t)LIMIT_EVENTS_KEPT_S * MSEC_S, &more, e));
	p->next_housekeeping = mono(p) + (more ? 0 : HOUSEKEEPING_MS);
	return RC_OK;
}

static troth_rc batch_in(struct pipeline *p, struct tx *tx, struct job **jobs, size_t n, struct arena *a,
			 struct service_committed *ret, bool *ret_view_lost, struct troth_err *e)
{
	TRY(write_all(p, tx, jobs, n, e));
	TRY(housekeep(p, tx, e));
	TRY(run_runner(p, tx, ret_view_lost, e));
	service_committed(p->config.svc, a, ret);
	return RC_OK;
}

static troth_rc batch(struct pipeline *p, struct job **jobs, size_t n, struct arena *a, struct service_committed *ret, struct troth_err *e)
{
	struct tx *tx;
	bool view_lost = false;
	TRY(store_write_begin(service_store(p->config.svc), &tx, e));
	troth_rc rc = batch_in(p, tx, jobs, n, a, ret, &view_lost, e);
	if (rc_ok(rc))
		rc = store_write_commit(tx, e);
	else
		store_write_rollback(tx);
	if (rc_failed(rc) || view_lost)
		service_drop(p->config.svc);
	return rc;
}

/* -- after the commit ------------------------------------------------------------------------------------------ */
static void log_verb(const struct job *job)
{
	bool agent = job->who.roles & (ROLE_AGENT | ROLE_SYSTEM);
	if (rc_ok(job->rc))
		LOG(agent ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "verb.done", LOG_S("verb", job->verb->name), LOG_S("who", job->who.name),
		    LOG_S("id", job->call ? job->call->request.id : NULL), LOG_I("dry_run", job->ctx.options.dry_run));
	else
		LOG(LOG_LEVEL_INFO, "verb.refused", LOG_S("verb", job->verb->name), LOG_S("who", job->who.name),
		    LOG_S("kind", err_kind_name(job->err.kind)), LOG_S("why", job->err.primary));
}

static void settle(struct pipeline *p, struct job *job)
{
	if (job->ctx.retry && ++job->attempts < LIMIT_ISSUE_RETRIES) {
		prepare_here(p, job);
		return;
	}
	log_verb(job);
	job_end(p, job, job->rc);
}

static void publish(struct pipeline *p, const struct service_committed *c)
{
	if (p->edge && c->topic_count)
		edge_publish(p->edge, c->topics, c->topic_count);
}

static void fail_all(struct pipeline *p, struct job **jobs, size_t n, const struct troth_err *why)
{
	struct troth_err e = *why;
	e.kind = TROTH_UNAVAILABLE;
	err_hint(&e, "nothing was changed; try again");
	log_err(LOG_LEVEL_ERROR, "commit.failed", why);
	for (size_t i = 0; i < n; i++)
		job_fail(p, jobs[i], &e);
}

/* -- the server's own work ------------------------------------------------------------------------------------- */
static void effect_next(struct pipeline *p);

static void on_effect_failed(void *self, troth_rc rc, const void *ret, const struct troth_err *e)
{
	struct pipeline *p = self;
	if (rc_ok(rc))
		effect_next(p);
	else
		p->effects_running = false; /* the next wake tries again */
}

static void on_effect(void *self, troth_rc rc, const void *ret, const struct troth_err *e)
{
	struct pipeline *p = self;
	const struct effect_ret *done = ret;
	if (rc_ok(rc) && done->done_id) {
		effect_next(p);
	} else if (rc_ok(rc)) {
		p->effects_running = false;
	} else {
		struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
		struct effect_failed_cmd cmd = { arena_text(a, e->primary) };
		pipeline_submit(p, &VERB_EFFECT_FAILED, a, &cmd, on_effect_failed, p);
	}
}

static void effect_next(struct pipeline *p)
{
	struct effect_cmd cmd = { 0 };
	p->effects_running = true;
	pipeline_submit(p, &VERB_EFFECT, NULL, &cmd, on_effect, p);
}

static void on_audit_signed(void *self, troth_rc rc, const void *ret, const struct troth_err *e)
{
	struct pipeline *p = self;
	p->audit_running = false;
	if (rc_failed(rc) && e->kind != TROTH_NOT_FOUND)
		log_err(LOG_LEVEL_WARN, "audit.unsigned", e);
}

static void sign_audit(struct pipeline *p)
{
	struct no_cmd cmd = { 0 };
	p->audit_wanted = false;
	p->audit_running = true;
	pipeline_submit(p, &VERB_AUDIT_SIGN, NULL, &cmd, on_audit_signed, p);
}

static bool used_a_ca(struct job **jobs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (jobs[i]->ctx.need_count && jobs[i]->verb != &VERB_AUDIT_SIGN && jobs[i]->verb != &VERB_WEBHOOK_NEXT)
			return true; /* neither of those uses a CA */
	return false;
}

static void committed_hook(struct pipeline *p)
{
	struct troth_err e = { 0 };
	struct tx *tx;
	if (!p->config.hooks.committed || rc_failed(store_read_begin(p->writer_reader, &tx, &e)))
		return;
	p->config.hooks.committed(p->config.hooks.self, tx, wall(p));
	store_read_end(tx);
}

static bool minute_has_passed(struct pipeline *p)
{
	bool passed = mono(p) >= p->next_minute;
	if (passed)
		p->next_minute = mono(p) + MINUTE_MS;
	return passed;
}

static void on_swept(void *self, troth_rc rc, const void *ret, const struct troth_err *e)
{
	const struct sweep_ret *swept = ret;
	if (rc_failed(rc))
		log_err(LOG_LEVEL_WARN, "sweep.failed", e);
	else if (swept->abandoned || swept->forgotten)
		LOG(LOG_LEVEL_INFO, "sweep.done", LOG_I("abandoned", swept->abandoned), LOG_I("forgotten", swept->forgotten));
}

static void own_work(struct pipeline *p, bool effects, bool minute)
{
	struct no_cmd cmd = { 0 };
	if (minute)
		pipeline_submit(p, &VERB_SWEEP, NULL, &cmd, on_swept, p);
	if ((effects || minute) && !p->effects_running)
		effect_next(p);
	p->audit_wanted = p->audit_wanted || minute;
	if (p->audit_wanted && !p->audit_running)
		sign_audit(p);
}

static void batch_and_settle(struct pipeline *p, struct job **jobs, size_t n)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(COMMITTED_BYTES);
	struct service_committed committed = { 0 };
	struct troth_err e = { 0 };
	bool due = n == 0, minute = minute_has_passed(p);
	troth_rc rc = batch(p, jobs, n, a, &committed, &e);
	meters_batch(p->meters, n, rc_ok(rc));
	if (rc_failed(rc)) {
		p->next_wake = wall(p) + MSEC_S;
		fail_all(p, jobs, n, &e);
		return;
	}
	p->audit_wanted = p->audit_wanted || used_a_ca(jobs, n);
	committed_hook(p); /* before the answers: who is told of a new CA can come with its certificate */
	publish(p, &committed);
	for (size_t i = 0; i < n; i++)
		settle(p, jobs[i]);
	own_work(p, committed.effects || due, minute);
}

void *writer_main(void *self)
{
	struct pipeline *p = self;
	struct job *jobs[LIMIT_WRITER_BATCH];
	sigset_t all;
	bool end = false;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	p->next_wake = wall(p); /* first of all: what became due while the server was down */
	while (!end) {
		size_t taken = take_batch(p, jobs, &end);
		size_t n = keep_prepared(p, jobs, taken);
		if (n || (!taken && !end))
			batch_and_settle(p, jobs, n);
	}
	return NULL;
}
