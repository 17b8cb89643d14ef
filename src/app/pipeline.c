/* The loop's part of the pipeline, and its beginning and end. */
#include "app/pipeline.h"

#include <string.h>

#include "app/job.h"
#include "app/toil.h"
#include "base/log.h"

static msec_t wall(const struct pipeline *p) { return port_now(&p->config.port->clock); }
static msec_t mono(const struct pipeline *p) { return port_mono(&p->config.port->clock); }

/* -- a request, on its loop ------------------------------------------------------------------------------ */
/* "Last used", kept by the minute: a write now and then, beside the request and not in its way. */
static void note_use(struct pipeline *p, const struct principal *who)
{
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct id_cmd cmd = { arena_text(a, who->uuid) };
	pipeline_submit(p, &VERB_PRINCIPAL_USED, a, &cmd, NULL, NULL);
}

static troth_rc resolve_who(struct pipeline *p, struct edge_call *call, struct tx *tx, struct principal *ret, struct troth_err *e)
{
	const struct http_request *r = &call->request;
	struct principal_resolve_cmd cmd = { .bearer = r->bearer, .peer_cert = r->peer_cert, .facade = call->facade };
	struct principal_ret who = { 0 };
	struct verb_ctx ctx;
	*ret = PRINCIPAL_ANONYMOUS;
	if (!r->bearer && !r->peer_cert.len)
		return RC_OK;
	verb_ctx_init(&ctx, call->a, &PRINCIPAL_ANONYMOUS, p->config.port, r->now);
	ctx.tx = tx;
	troth_rc rc = VERB_PRINCIPAL_RESOLVE.run(&ctx, &cmd, &who, e);
	if (rc_failed(rc) && (call->route->flags & ROUTE_NO_AUTH)) {
		err_clear(e); /* one who enrols again may still show what it had */
		return RC_OK;
	}
	TRY(rc);
	*ret = who.principal;
	if (who.used_long_ago)
		note_use(p, &who.principal);
	return RC_OK;
}

/* READ: an answer, a hold, or a WRITE to go on with. */
static troth_rc read_verb(struct job *job, struct tx *tx, bool last_chance)
{
	struct verb_ctx *ctx = &job->ctx;
	memset(job->ret, 0, job->verb->ret_size);
	ctx->hold.wanted = false;
	ctx->then = NULL;
	ctx->last_chance = last_chance || !ctx->options.wait;
	ctx->tx = tx;
	troth_rc rc = job->verb->run(ctx, job->cmd, job->ret, &job->err);
	ctx->tx = NULL;
	if (rc_ok(rc) && ctx->then) {
		job->verb = ctx->then;
		job->who.right = job->verb->right;
		ctx->hold.wanted = false;
		memset(job->ret, 0, job->verb->ret_size);
	}
	return rc;
}

static troth_rc do_on_snapshot(struct pipeline *p, struct job *job, struct tx *tx, bool resumed, bool last_chance)
{
	struct principal who;
	struct edge_call *call = job->call;
	TRY(resolve_who(p, call, tx, &who, &job->err));
	if (!job->verb) {
		ENSURE((call->route->flags & ROUTE_NO_AUTH) || who.roles != ROLE_ANONYMOUS, &job->err, TROTH_UNAUTHENTICATED,
		       "this needs a known caller");
		return RC_OK;
	}
	job_begin(p, job, &who, wall(p));
	TRY(verb_allowed(job->verb, &job->who, &job->err));
	if (!resumed)
		TRY(edge_call_parse(call, &job->err));
	if (job->verb->kind == VERB_READ)
		TRY(read_verb(job, tx, last_chance));
	if (job->verb->kind == VERB_READ)
		return RC_OK;
	TRY(job_replay(job, tx));
	return job->replayed ? RC_OK : job_prepare(job, tx);
}

static void answer_kept(struct job *job)
{
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	http_reply_text(&reply, job->kept_status, job->kept.len ? "application/json" : NULL, "");
	buf_add_bytes(&reply.body, job->kept);
	job_kept_headers(job, &reply);
	http_reply_header(&reply, job->a, "Idempotency-Replayed", "true");
	edge_send(job->call, &reply);
}

static void hold(struct pipeline *p, struct job *job)
{
	msec_t now = mono(p);
	if (!job->hold_until)
		job->hold_until = now + job->ctx.options.wait;
	edge_hold(job->call, job->ctx.hold.topic, job->hold_until > now ? job->hold_until - now : 0);
}

/* -- server-sent events ------------------------------------------------------------------------------------ */
static bool wants_stream(const struct edge_call *call)
{
	const char *accept = http_header(&call->request, "Accept");
	return call->route->stream && call->request.method == HTTP_GET && accept && strstr(accept, "text/event-stream");
}

/* Each round reads into an arena of its own; what else a round costs the call is little, and a stream ends after so many:
 * its reader comes again with Last-Event-ID. */
static void begin_round(struct job *job)
{
	arena_free(job->round);
	job->round = job->a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	job->rounds++;
}

static void stream_on(struct job *job)
{
	struct edge_call *call = job->call;
	CLEANUP(buf_release) struct buf out = buf_make(HTTP_REPLY_BYTES);
	bool more = call->route->stream(job->a, &call->request, call->cmd, call->ret, &out);
	if (buf_ok(&out) && edge_stream(call, "text/event-stream", buf_bytes(&out)) && job->rounds < LIMIT_STREAM_ROUNDS)
		edge_hold(call, STREAM_TOPIC, more ? 0 : STREAM_BEAT_MS);
	else
		edge_stream_end(call);
}

static void send_on(struct pipeline *p, struct job *job)
{
	edge_depart(job->call);
	job_go_on(p, job, PUSH_REQUEST);
}

static void go(struct pipeline *p, struct job *job, bool resumed, bool last_chance)
{
	struct tx *tx = NULL;
	if (job->streams)
		begin_round(job);
	troth_rc rc = store_read_begin(p->readers[job->call->loop], &tx, &job->err);
	if (rc_ok(rc))
		rc = do_on_snapshot(p, job, tx, resumed, last_chance);
	store_read_end(tx);
	job->rc = rc;
	if (rc_failed(rc) && job->rounds > 1)
		edge_stream_end(job->call); /* its head has said 200 */
	else if (rc_failed(rc))
		edge_fail(job->call, &job->err);
	else if (job->replayed)
		answer_kept(job);
	else if (job->streams)
		stream_on(job);
	else if (!job->verb || (job->verb->kind == VERB_READ && (!job->ctx.hold.wanted || job->ctx.last_chance)))
		edge_reply(job->call);
	else if (job->verb->kind == VERB_READ)
		hold(p, job);
	else
		send_on(p, job);
}

static void on_handle(void *self, struct edge_call *call)
{
	struct job *job = job_of_call(self, call);
	job->streams = wants_stream(call);
	go(self, job, false, false);
}

static void on_resume(void *self, struct edge_call *call, bool last_chance)
{
	struct job *job = call->user;
	job->verb = call->route->verb;
	err_clear(&job->err);
	go(self, job, true, last_chance);
}

static void on_returned(void *self, struct edge_call *call)
{
	struct job *job = call->user;
	if (rc_failed(job->rc))
		edge_fail(call, &job->err);
	else if (job->replayed)
		answer_kept(job);
	else
		edge_reply(call);
}

static void on_finished(void *self, const struct edge_call *call, int status)
{
	struct pipeline *p = self;
	struct job *job = call->user;
	const struct http_request *r = &call->request;
	bool held = job && (job->hold_until || job->streams);
	meters_request(p->meters, r->method, status, mono(p) - call->started, held);
	if (job)
		arena_freep(&job->round);
	LOG(LOG_LEVEL_DEBUG, "http.request", LOG_S("id", r->id), LOG_S("peer", r->peer), LOG_S("method", http_method_name(r->method)),
	    LOG_S("path", r->path), LOG_I("status", status), LOG_I("ms", mono(p) - call->started),
	    LOG_S("who", job && job->who.name[0] ? job->who.name : "-"));
}

struct edge_handler pipeline_handler(struct pipeline *p)
{
	return (struct edge_handler){ p, on_handle, on_resume, on_returned, on_finished };
}

/* -- the server's own -------------------------------------------------------------------------------------- */
void pipeline_submit(struct pipeline *p, const struct verb *verb, struct arena *a, const void *cmd, pipeline_done_fn *done, void *self)
{
	if (!a)
		a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct job *job = ARENA_NEW(a, struct job);
	job->a = a;
	job->verb = verb;
	job->cmd = arena_copy(a, cmd, verb->cmd_size);
	job->ret = arena_alloc(a, verb->ret_size);
	job->done = done;
	job->done_self = self;
	job_begin(p, job, &PRINCIPAL_SYSTEM, wall(p));
	if (rc_failed(writer_push(p, job, PUSH_OWN)))
		job_end(p, job, (troth_rc){ job->err.kind });
}

troth_rc pipeline_read(const struct pipeline *p, struct tx *tx, struct arena *a, const struct verb *verb, const void *cmd, void *ret,
		       struct troth_err *e)
{
	struct verb_ctx ctx;
	verb_ctx_init(&ctx, a, &PRINCIPAL_SYSTEM, p->config.port, wall(p));
	ctx.tx = tx;
	return verb->run(&ctx, cmd, ret, e);
}

/* -- life ------------------------------------------------------------------------------------------------- */
static void wake_lock_init(struct pipeline *p)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, &attr);
	pthread_condattr_destroy(&attr);
}

static troth_rc open_parts(struct pipeline *p, struct troth_err *e)
{
	struct store *store = service_store(p->config.svc);
	for (unsigned i = 0; i < p->config.loops; i++)
		TRY(store_reader_open(store, &p->readers[i], e));
	TRY(store_reader_open(store, &p->writer_reader, e));
	TRY(toil_new(p, &p->toil, e));
	return keeper_link_new(p, &p->keeper, e);
}

troth_rc pipeline_new(const struct pipeline_config *config, struct pipeline **ret, struct troth_err *e)
{
	ENSURE(config->loops <= EDGE_LOOPS, e, TROTH_INVALID, "at most %d loops", EDGE_LOOPS);
	struct pipeline *p = calloc(1, sizeof *p);
	CHECK(p);
	p->config = *config;
	p->port = *config->port;
	p->port.meters = p->meters = meters_new(port_now(&p->port.clock));
	p->config.port = &p->port;
	p->queue_last = &p->queue;
	wake_lock_init(p);
	troth_rc rc = open_parts(p, e);
	if (rc_failed(rc)) {
		pipeline_free(p);
		return rc;
	}
	*ret = p;
	return RC_OK;
}

troth_rc pipeline_start(struct pipeline *p, struct edge_server *edge, struct troth_err *e)
{
	p->edge = edge;
	TRY(keeper_link_start(p->keeper, e));
	int why = pthread_create(&p->writer, NULL, writer_main, p);
	if (why)
		return err_errno(e, why, "could not start the writer's thread");
	p->started = true;
	return RC_OK;
}

void pipeline_stop(struct pipeline *p)
{
	if (p->toil)
		toil_stop(p->toil); /* what it does goes on to the next two */
	if (p->keeper)
		keeper_link_stop(p->keeper); /* first: the writer takes home what it fails */
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_signal(&p->more);
	pthread_mutex_unlock(&p->lock);
	if (p->started)
		pthread_join(p->writer, NULL);
	p->started = false;
}

void pipeline_free(struct pipeline *p)
{
	if (!p)
		return;
	pipeline_stop(p);
	toil_free(p->toil);
	keeper_link_free(p->keeper);
	for (unsigned i = 0; i < p->config.loops; i++)
		store_reader_close(p->readers[i]);
	store_reader_close(p->writer_reader);
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->lock);
	meter_set_free(p->meters);
	free(p);
}
