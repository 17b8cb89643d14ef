/* The steps of a job that do not depend on the thread that does them. */
#include "app/job.h"

#include <string.h>

#include "app/toil.h"
#include "base/log.h"

struct job *job_of_call(struct pipeline *p, struct edge_call *call)
{
	struct job *job = ARENA_NEW(call->a, struct job);
	job->call = call;
	job->a = call->a;
	job->verb = call->route->verb;
	job->cmd = call->cmd;
	job->ret = call->ret;
	call->user = job;
	return job;
}

void job_begin(struct pipeline *p, struct job *job, const struct principal *who, msec_t now)
{
	job->who = *who;
	job->who.right = job->verb->right;
	verb_ctx_init(&job->ctx, job->a, &job->who, p->config.port, now);
	if (!job->call)
		return;
	const struct http_request *r = &job->call->request;
	job->ctx.options.dry_run = r->dry_run && job->verb->kind == VERB_WRITE; /* a read may hand documents out: for good */
	job->ctx.options.if_match = r->if_match;
	job->ctx.options.idempotency_key = r->idempotency_key;
	job->ctx.options.wait = job->streams ? STREAM_BEAT_MS : job->call->route->flags & ROUTE_HOLD ? r->wait : 0;
}

troth_rc job_prepare(struct job *job, struct tx *tx)
{
	if (!job->ctx.more) {
		verb_ctx_again(&job->ctx);
		job->sent = job->answered = 0;
		job->counted = false;
	}
	job->ctx.more = false;
	job->prepared = true;
	if (!job->verb->prepare)
		return RC_OK;
	job->ctx.tx = tx;
	troth_rc rc = job->verb->prepare(&job->ctx, job->cmd, &job->err);
	job->ctx.tx = NULL;
	return rc;
}

static troth_rc push_on(struct pipeline *p, struct job *job, enum push how)
{
	if (job->ctx.toil)
		return toil_push(p->toil, job);
	if (job_needs_keeper(job)) {
		keeper_link_push(p->keeper, job);
		return RC_OK;
	}
	return writer_push(p, job, how);
}

void job_go_on(struct pipeline *p, struct job *job, enum push how)
{
	troth_rc rc = push_on(p, job, how);
	if (rc_failed(rc))
		job_end(p, job, rc);
}

void job_go_home(struct pipeline *p, struct job *job, troth_rc rc)
{
	job->rc = rc;
	job->failed = true;
	if (job->call)
		job_end(p, job, rc);
	else
		(void)writer_push(p, job, PUSH_RETURN); /* always taken */
}

void job_end(struct pipeline *p, struct job *job, troth_rc rc)
{
	job->rc = rc;
	if (job->call) {
		edge_return(p->edge, job->call);
		return;
	}
	if (job->done)
		job->done(job->done_self, rc, job->ret, &job->err);
	arena_free(job->a);
}

void job_fail(struct pipeline *p, struct job *job, const struct troth_err *e)
{
	job->err = *e;
	job->err.findings = NULL; /* they may live in another job's arena */
	job_end(p, job, (troth_rc){ e->kind });
}

/* -- Idempotency-Key --------------------------------------------------------------------------------- */
static const char *who_key(const struct job *job) { return job->who.uuid[0] ? job->who.uuid : job->who.name; }

/* Where the answer holds a secret, so may the body: a password, of which no quick hash is kept.  Sent again such a request is
 * answered with a conflict, whatever its body. */
static void hash_request(struct job *job)
{
	const struct http_request *r = &job->call->request;
	struct bytes body = job->call->route->flags & ROUTE_SECRET ? bytes_of(NULL, 0) : r->body;
	const char *head = arena_printf(job->a, "%s %s", http_method_name(r->method), r->path);
	for (size_t i = 0; i < r->query.count; i++) /* ?now=true asks for another thing */
		head = arena_printf(job->a, "%s?%s=%s", head, r->query.items[i].name, r->query.items[i].value);
	char *all = arena_alloc(job->a, strlen(head) + body.len + 1), *at = all;
	at = stpcpy(at, head) + 1;
	if (body.len)
		memcpy(at, body.data, body.len);
	pki_sha256(bytes_of(all, (size_t)(at - all) + body.len), job->body_hash);
	secret_wipe(at, body.len);
}

static bool has_key(const struct job *job) { return job->ctx.options.idempotency_key && !job->ctx.options.dry_run; }

troth_rc job_replay(struct job *job, struct tx *tx)
{
	struct idempotency_row row;
	if (!has_key(job))
		return RC_OK;
	hash_request(job);
	troth_rc rc = idempotency_get(tx, job->a, who_key(job), job->ctx.options.idempotency_key, &row, &job->err);
	if (rc.code == TROTH_NOT_FOUND) {
		err_clear(&job->err);
		return RC_OK;
	}
	TRY(rc);
	bool same = bytes_equal(row.body_hash, bytes_of(job->body_hash, SHA256_LEN));
	ENSURE(same, &job->err, TROTH_CONFLICT, "this Idempotency-Key was used for another request");
	ENSURE(row.status, &job->err, TROTH_CONFLICT, "this was done already, and its answer held a secret that is shown once");
	job->replayed = true;
	job->kept_status = (int)row.status;
	job->kept_headers = row.headers ? arena_text(job->a, row.headers) : NULL;
	job->kept = arena_bytes(job->a, row.body);
	return RC_OK;
}

static const char *headers_of(struct arena *a, const struct http_reply *reply)
{
	const char *all = NULL;
	for (size_t i = 0; i < reply->header_count; i++)
		all = arena_printf(a, "%s%s: %s\n", all ? all : "", reply->headers[i].name, reply->headers[i].value);
	return all;
}

void job_kept_headers(const struct job *job, struct http_reply *reply)
{
	for (const char *p = job->kept_headers; p && *p;) {
		size_t name = strcspn(p, ":"), line = strcspn(p, "\n");
		if (p[line] && name + 2 <= line)
			http_reply_header(reply, job->a, arena_text_n(job->a, p, name), "%.*s", (int)(line - name - 2), p + name + 2);
		p += line + (p[line] == '\n');
	}
}

static troth_rc put_row(struct job *job, struct tx *tx, int status, const char *headers, struct bytes body)
{
	struct idempotency_row row = { .principal = who_key(job), .key = job->ctx.options.idempotency_key, .created = job->ctx.now,
				       .body_hash = bytes_of(job->body_hash, SHA256_LEN), .status = status, .headers = headers, .body = body };
	return idempotency_put(tx, &row, &job->err);
}

troth_rc job_keep(struct job *job, struct tx *tx)
{
	if (!has_key(job) || job->replayed)
		return RC_OK;
	if (job->call->route->flags & ROUTE_SECRET)
		return put_row(job, tx, 0, NULL, (struct bytes){ 0 }); /* that it was done, not what was said */
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	edge_render(job->call, &reply);
	return put_row(job, tx, reply.status ? reply.status : 200, headers_of(job->a, &reply), buf_bytes(&reply.body));
}

void pipeline_fatal(struct pipeline *p, const struct troth_err *e)
{
	if (atomic_exchange(&p->fatal_said, true))
		return;
	log_err(LOG_LEVEL_ERROR, "server.fatal", e);
	if (p->config.hooks.fatal)
		p->config.hooks.fatal(p->config.hooks.self, e);
}
