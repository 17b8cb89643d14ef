/* The line to the keeper: one thread that sends what jobs need, 64 requests to a message, and sorts the
 * answers, which come in any order, back to their jobs.
 *
 * A job has at most LIMIT_KEEPER_SHARE requests under way, and LIMIT_KEEPER_LONG_SHARE keys of the slow sort, whatever it
 * needs altogether: the keeper answers in order, and who needs one signature must not wait for somebody else's hundreds.
 *
 * When the keeper dies, everything that was with it fails with UNAVAILABLE (503) and another is started;
 * KEEPER_DEATHS of them within a minute end the server, as something is wrong that a restart won't cure. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "app/job.h"
#include "base/limits.h"
#include "base/log.h"

enum { SLOT_BITS = 10, SLOTS = 1 << SLOT_BITS, SILENT_MS = 60 * 1000, RESTART_MS = 1000 };
_Static_assert((int)SLOTS == (int)LIMIT_KEEPER_IN_FLIGHT, "a slot for each request in flight");

struct slot { uint64_t id; struct job *job; size_t index; bool is_long; };

struct keeper_link {
	struct pipeline *p;
	struct keeper_line line;
	struct keeper_client *client;
	pthread_t thread;
	bool started;
	int eventfd;
	/* -- the thread's own -- */
	struct job *waiting, **waiting_last; /* not all of their requests are sent */
	struct slot slots[SLOTS];
	uint64_t counter;
	size_t in_flight, long_in_flight;
	msec_t last_heard;
	msec_t keys_full_at;       /* when the keeper could make LIMIT_KEEPER_NEW_BURST keys at once again */
	msec_t deaths[KEEPER_DEATHS];
	/* -- shared -- */
	pthread_mutex_t lock;
	struct job *queue, **queue_last;
	bool stopping, closed;
};

static msec_t mono(const struct keeper_link *k) { return port_mono(&k->p->config.port->clock); }

/* -- jobs come and go ------------------------------------------------------------------------------------- */
static void fail_unavailable(struct keeper_link *k, struct job *job, const char *why)
{
	troth_rc rc = err_set(&job->err, TROTH_UNAVAILABLE, "%s", why);
	err_hint(&job->err, "nothing was changed; try again");
	job_go_home(k->p, job, rc);
}

void keeper_link_push(struct keeper_link *k, struct job *job)
{
	uint64_t one = 1;
	pthread_mutex_lock(&k->lock);
	bool closed = k->closed;
	if (!closed) {
		job->next = NULL;
		*k->queue_last = job;
		k->queue_last = &job->next;
	}
	pthread_mutex_unlock(&k->lock);
	if (closed)
		fail_unavailable(k, job, "the server is stopping");
	else if (write(k->eventfd, &one, sizeof one) < 0) { /* a full counter wakes as well */
	}
}

/* A job leaves when none of its requests is under way and all are answered, or one was refused. */
static void maybe_done(struct keeper_link *k, struct job *job)
{
	bool all = job->answered == job->ctx.need_count, refused = rc_failed(job->rc);
	if (job->answered != job->sent || (!all && !refused))
		return;
	if (refused) {
		job_go_home(k->p, job, job->rc);
	} else {
		job->ctx.reply_count = job->ctx.need_count;
		(void)writer_push(k->p, job, PUSH_RETURN); /* its place was taken when it came in */
	}
}

/* -- how many new keys there are ------------------------------------------------------------------------------- */
/* The keeper refuses new keys above a rate, one by one (keeper/rate.h).  A verb that needs hundreds would use up all there are, fail at the
 * last and leave none to others; tried again it would do the same for ever.  So the line counts as the keeper does: such a verb begins
 * when there are as many as it says, or is told when that will be. */
enum { KEY_MS = MSEC_S / LIMIT_KEEPER_NEW_PER_S };

static void keys_take(struct keeper_link *k, size_t n)
{
	msec_t now = mono(k), from = k->keys_full_at > now ? k->keys_full_at : now;
	k->keys_full_at = from + (msec_t)n * KEY_MS;
}

static troth_rc keys_reserve(struct keeper_link *k, size_t n, struct troth_err *e)
{
	msec_t now = mono(k), until = k->keys_full_at > now ? k->keys_full_at - now : 0;
	msec_t over = until + (msec_t)(n + LIMIT_KEEPER_NEW_LEFT) * KEY_MS - (msec_t)LIMIT_KEEPER_NEW_BURST * KEY_MS;
	if (over > 0) {
		troth_rc rc = err_set(e, TROTH_BUSY, "%zu new keys are needed, and the keeper makes fewer just now: nothing was begun", n);
		err_hint(e, "try again in %lld s", (long long)(over / MSEC_S + 1));
		return rc;
	}
	keys_take(k, n);
	return RC_OK;
}

static bool makes_key(enum keeper_kind kind)
{
	return kind == KEEPER_KEY_MAKE || kind == KEEPER_KEY_WRAP || kind == KEEPER_AUTHORITY_CREATE || kind == KEEPER_AUTHORITY_SIGN ||
	       kind == KEEPER_AUTHORITY_REQUEST || kind == KEEPER_WEBHOOK_WRAP || kind == KEEPER_AUDIT_CREATE;
}

/* Those that have just come: who says how many he needs has them, or goes home. */
static void count_keys(struct keeper_link *k)
{
	for (struct job *job = k->waiting; job; job = job->next) {
		if (job->counted || !job->ctx.keys)
			continue;
		job->counted = true;
		job->rc = keys_reserve(k, job->ctx.keys, &job->err);
	}
}

/* -- sending ------------------------------------------------------------------------------------------------- */
static struct slot *slot_take(struct keeper_link *k, struct job *job, size_t index)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		struct slot *s = &k->slots[++k->counter % SLOTS];
		if (s->job)
			continue;
		*s = (struct slot){ .id = k->counter, .job = job, .index = index, .is_long = keeper_is_long(job->ctx.need[index]) };
		job->long_under_way += s->is_long;
		k->long_in_flight += s->is_long;
		return s;
	}
	return NULL;
}

static void slot_free(struct keeper_link *k, struct slot *s)
{
	if (s->job && s->is_long) {
		s->job->long_under_way--;
		k->long_in_flight--;
	}
	*s = (struct slot){ 0 };
}

/* May this one of its requests be sent now?  A long one finds the lane full only if it is the first of its job: that costs
 * nothing but a refusal, where the hundredth would undo all before it. */
static bool may_send(const struct keeper_link *k, const struct job *job, size_t index)
{
	if (rc_failed(job->rc) || index - job->answered >= LIMIT_KEEPER_SHARE)
		return false;
	if (!keeper_is_long(job->ctx.need[index]))
		return true;
	return job->long_under_way < LIMIT_KEEPER_LONG_SHARE && (index == 0 || k->long_in_flight < LIMIT_KEEPER_LONG_JOBS);
}

/* The next requests of the waiting jobs, in order, each with a slot. */
static size_t gather(struct keeper_link *k, struct keeper_request *reqs, struct slot **slots)
{
	size_t n = 0;
	for (struct job *job = k->waiting; job && n < LIMIT_KEEPER_BATCH; job = job->next) {
		for (size_t i = job->sent; i < job->ctx.need_count && n < LIMIT_KEEPER_BATCH; i++) {
			if (!may_send(k, job, i) || k->in_flight + n >= SLOTS)
				break;
			slots[n] = slot_take(k, job, i);
			if (!slots[n])
				return n;
			reqs[n] = *job->ctx.need[i];
			reqs[n].id = slots[n]->id;
			n++;
		}
	}
	return n;
}

/* Takes those off the list that have nothing left to send. */
static void sweep(struct keeper_link *k)
{
	struct job **at = &k->waiting;
	while (*at) {
		struct job *job = *at;
		if (job->sent < job->ctx.need_count && rc_ok(job->rc)) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		maybe_done(k, job);
	}
	k->waiting_last = at;
}

/* One message.  BUSY is no failure: answers make room. */
static bool send_some(struct keeper_link *k, troth_rc *ret_rc, struct troth_err *e)
{
	struct keeper_request reqs[LIMIT_KEEPER_BATCH];
	struct slot *slots[LIMIT_KEEPER_BATCH];
	size_t n = gather(k, reqs, slots), sent = 0;
	if (n == 0)
		return false;
	*ret_rc = k->line.send(k->client, reqs, n, &sent, e);
	for (size_t i = 0; i < sent; i++)
		slots[i]->job->sent++;
	k->in_flight += sent;
	bool broken = ret_rc->code == TROTH_INVALID || ret_rc->code == TROTH_TOO_LARGE;
	if (broken && sent < n) { /* this one request cannot be written down: its job fails, the others go on */
		slots[sent]->job->rc = *ret_rc;
		slots[sent]->job->err = *e;
	}
	for (size_t i = sent; i < n; i++)
		slot_free(k, slots[i]);
	bool busy = ret_rc->code == TROTH_BUSY;
	if (broken || busy)
		*ret_rc = RC_OK;
	secret_wipe(reqs, sizeof reqs);
	sweep(k);
	return !busy && rc_ok(*ret_rc);
}

/* -- receiving ------------------------------------------------------------------------------------------------ */
static const struct keeper_reply *reply_copy(struct arena *a, const struct keeper_reply *r)
{
	struct keeper_reply *copy = arena_copy(a, r, sizeof *r);
	copy->text = arena_text(a, r->text);
	copy->hint = arena_text(a, r->hint);
	copy->blob = arena_bytes(a, r->blob);
	copy->der = arena_bytes(a, r->der);
	copy->spki = arena_bytes(a, r->spki);
	copy->sealed = arena_bytes(a, r->sealed);
	if (r->key.len)
		arena_secret(a);
	copy->key = arena_bytes(a, r->key);
	copy->signature = arena_bytes(a, r->signature);
	return copy;
}

static void take_reply(struct keeper_link *k, const struct keeper_reply *r)
{
	struct slot *s = &k->slots[r->id % SLOTS];
	struct job *job = s->job;
	if (!job || s->id != r->id)
		return; /* of a job that is gone */
	meters_keeper(k->p->meters, job->ctx.need[s->index]->kind, r->kind);
	if (rc_ok(job->rc))
		job->rc = keeper_reply_check(r, &job->err);
	if (rc_ok(job->rc))
		job->ctx.replies[s->index] = reply_copy(job->a, r);
	if (rc_ok(job->rc) && !job->counted && makes_key(job->ctx.need[s->index]->kind))
		keys_take(k, 1);
	job->answered++;
	k->in_flight--;
	slot_free(k, s);
	bool listed = false;
	for (struct job *w = k->waiting; w && !listed; w = w->next)
		listed = w == job;
	if (!listed)
		maybe_done(k, job);
}

static troth_rc receive_all(struct keeper_link *k, struct arena *a, struct troth_err *e)
{
	struct keeper_reply replies[LIMIT_KEEPER_BATCH];
	size_t n;
	do {
		arena_reset(a);
		n = 0;
		TRY(k->line.receive(k->client, a, 0, replies, &n, e));
		for (size_t i = 0; i < n; i++)
			take_reply(k, &replies[i]);
		if (n)
			k->last_heard = mono(k);
	} while (n);
	sweep(k); /* what a refusal has ended early */
	return RC_OK;
}

static bool is_closed(struct keeper_link *k)
{
	pthread_mutex_lock(&k->lock);
	bool closed = k->closed;
	pthread_mutex_unlock(&k->lock);
	return closed;
}

/* -- death and restart -------------------------------------------------------------------------------------------- */
static void fail_everything(struct keeper_link *k, const char *why)
{
	struct job *jobs = k->waiting;
	for (unsigned i = 0; i < SLOTS; i++)
		if (k->slots[i].job)
			meters_keeper(k->p->meters, k->slots[i].job->ctx.need[k->slots[i].index]->kind, TROTH_UNAVAILABLE);
	k->waiting = NULL;
	k->waiting_last = &k->waiting;
	for (struct job *job = jobs; job; job = job->next)
		for (unsigned i = 0; i < SLOTS; i++) /* those that are half sent are failed here, once */
			if (k->slots[i].job == job)
				slot_free(k, &k->slots[i]);
	while (jobs) {
		struct job *next = jobs->next;
		fail_unavailable(k, jobs, why);
		jobs = next;
	}
	for (unsigned i = 0; i < SLOTS; i++) {
		struct job *job = k->slots[i].job;
		if (!job)
			continue;
		for (unsigned j = i; j < SLOTS; j++)
			if (k->slots[j].job == job)
				slot_free(k, &k->slots[j]);
		fail_unavailable(k, job, why);
	}
	k->in_flight = 0;
}

/* true: too many in a minute. */
static bool count_death(struct keeper_link *k)
{
	memmove(&k->deaths[0], &k->deaths[1], sizeof k->deaths - sizeof k->deaths[0]);
	k->deaths[KEEPER_DEATHS - 1] = mono(k);
	return k->deaths[0] && k->deaths[KEEPER_DEATHS - 1] - k->deaths[0] < 60 * MSEC_S;
}

static void on_death(struct keeper_link *k, const struct troth_err *why)
{
	struct troth_err e = { 0 };
	log_err(LOG_LEVEL_ERROR, "keeper.died", why);
	meters_keeper_died(k->p->meters);
	k->line.close(k->client);
	k->client = NULL;
	k->keys_full_at = 0; /* the next one counts from nothing */
	fail_everything(k, "the keeper has ended and is being started again");
	while (!k->client && !is_closed(k)) {
		if (count_death(k) && rc_failed(err_set(&e, TROTH_UNAVAILABLE, "the keeper ended %d times in a minute", KEEPER_DEATHS))) {
			err_hint(&e, "its own words are in keeper.log and on standard error");
			pipeline_fatal(k->p, &e);
			return;
		}
		if (rc_failed(k->line.open(k->line.self, &k->client, &e))) {
			log_err(LOG_LEVEL_ERROR, "keeper.not-started", &e);
			poll(NULL, 0, RESTART_MS);
		}
	}
	k->last_heard = mono(k);
	LOG(LOG_LEVEL_INFO, "keeper.started", LOG_S("again", "yes"));
}

/* -- the thread ------------------------------------------------------------------------------------------------------ */
static bool take_queue(struct keeper_link *k)
{
	uint64_t count;
	if (read(k->eventfd, &count, sizeof count) < 0 && errno != EAGAIN)
		return false;
	pthread_mutex_lock(&k->lock);
	*k->waiting_last = k->queue;
	if (k->queue)
		k->waiting_last = k->queue_last;
	k->queue = NULL;
	k->queue_last = &k->queue;
	bool go_on = !k->stopping;
	pthread_mutex_unlock(&k->lock);
	return go_on;
}

/* One turn; fails when the keeper has. */
static troth_rc turn(struct keeper_link *k, struct arena *a, struct troth_err *e)
{
	struct pollfd fds[2] = { { .fd = k->eventfd, .events = POLLIN }, { .fd = k->line.fd(k->client), .events = POLLIN } };
	troth_rc rc = RC_OK;
	count_keys(k);
	sweep(k);
	while (send_some(k, &rc, e))
		;
	TRY(rc);
	poll(fds, 2, 1000);
	if (fds[1].revents)
		TRY(receive_all(k, a, e));
	ENSURE(!k->in_flight || mono(k) - k->last_heard < SILENT_MS, e, TROTH_UNAVAILABLE, "the keeper does not answer");
	if (!k->in_flight)
		k->last_heard = mono(k);
	return RC_OK;
}

static void *link_main(void *self)
{
	struct keeper_link *k = self;
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	arena_secret(a); /* a key that may be given out */
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	k->last_heard = mono(k);
	while (take_queue(k)) {
		struct troth_err e = { 0 };
		if (!k->client) { /* the server is about to stop */
			fail_everything(k, "the keeper does not run");
			poll(&(struct pollfd){ .fd = k->eventfd, .events = POLLIN }, 1, 1000);
		} else if (rc_failed(turn(k, a, &e))) {
			on_death(k, &e);
		}
	}
	fail_everything(k, "the server is stopping");
	arena_free(a);
	return NULL;
}

/* -- life ------------------------------------------------------------------------------------------------------------- */
troth_rc keeper_link_new(struct pipeline *p, struct keeper_link **ret, struct troth_err *e)
{
	struct keeper_link *k = calloc(1, sizeof *k);
	CHECK(k);
	k->p = p;
	k->line = p->config.keeper;
	k->queue_last = &k->queue;
	k->waiting_last = &k->waiting;
	pthread_mutex_init(&k->lock, NULL);
	k->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	troth_rc rc = k->eventfd < 0 ? err_errno(e, errno, "could not make an event descriptor") : k->line.open(k->line.self, &k->client, e);
	if (rc_failed(rc)) {
		keeper_link_free(k);
		return rc;
	}
	*ret = k;
	return RC_OK;
}

troth_rc keeper_link_start(struct keeper_link *k, struct troth_err *e)
{
	int why = pthread_create(&k->thread, NULL, link_main, k);
	if (why)
		return err_errno(e, why, "could not start the keeper's thread");
	k->started = true;
	return RC_OK;
}

void keeper_link_stop(struct keeper_link *k)
{
	uint64_t one = 1;
	pthread_mutex_lock(&k->lock);
	k->stopping = k->closed = true;
	pthread_mutex_unlock(&k->lock);
	if (k->started && write(k->eventfd, &one, sizeof one) == sizeof one)
		pthread_join(k->thread, NULL);
	k->started = false;
	k->line.close(k->client);
	k->client = NULL;
}

void keeper_link_free(struct keeper_link *k)
{
	if (!k)
		return;
	keeper_link_stop(k);
	if (k->eventfd >= 0)
		close(k->eventfd);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

/* -- the real keeper ------------------------------------------------------------------------------------------------------ */
static troth_rc real_open(void *self, struct keeper_client **ret, struct troth_err *e)
{
	return keeper_spawn("/proc/self/exe", self, ret, e);
}

struct keeper_line keeper_line_real(const struct keeper_spawn_options *options)
{
	return (struct keeper_line){ (void *)options, real_open, keeper_client_close, keeper_client_fd, keeper_client_send,
				     keeper_client_receive };
}
