/* The runner: asks the engine until it wants nothing more, and writes down what it waits for.
 *
 * It runs at the end of each writer transaction, on the rows and the view as the verbs left them, so
 * that an observation and what follows from it are one commit.  Every plan is proved by plan_check before
 * a row is written; a plan that fails is a bug: nothing of it is carried out, it is logged, and the
 * waits say so by standing still. */
#include "base/log.h"
#include "service/acts.h"
#include "service/policy.h"
#include "service/blocking.h"
#include "service/explain.h"
#include "service/progress.h"
#include "service/record.h"

#include <stdlib.h>

enum {
	RUNNER_ARENA_BYTES = 256 << 20, /* a plan of LIMIT_STEP_ACTS acts and the rows it reads */
	RANK_LAST = 5,                  /* of waits: see wait_rank */
	RUNNER_ROUNDS = 1000,           /* steps in a run: a rotation on the spot takes some ten */
};

static const struct principal PRINCIPAL_ENGINE = { .name = "engine", .roles = ROLE_SYSTEM };

struct run {
	struct service *svc;
	struct tx *tx;
	struct arena *a;      /* of one step: reset between two */
	msec_t now;
	size_t acts;
};

static void ctx_begin(const struct run *run, struct verb_ctx *ctx)
{
	verb_ctx_init(ctx, run->a, &PRINCIPAL_ENGINE, run->svc->port, run->now);
	ctx->tx = run->tx;
	ctx->svc = run->svc;
}

static void ctx_end(const struct verb_ctx *ctx)
{
	for (const struct verb_topic *t = ctx->topics; t; t = t->next)
		service_topic(ctx->svc, t->name);
}

/* -- waits ------------------------------------------------------------------------------------------ */

/* A wait, and how many it holds up (blocking.h). */
struct told { const struct wait *wait; int64_t blocks; size_t at; };

static const char *wait_body(struct arena *a, const struct told *t)
{
	const struct wait *w = t->wait;
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "speaker", wait_speaker_name(w->speaker));
	jw_kv_text(&r.w, "rule", w->rule);
	jw_kv_text(&r.w, "reason", wait_reason_name(w->reason));
	jw_kv_text(&r.w, "text", w->text);
	jw_kv_int(&r.w, "ca", w->ca);
	jw_kv_int(&r.w, "other_target", w->other_target);
	jw_kv_int(&r.w, "other_group", w->other_group);
	jw_kv_int(&r.w, "count", (int64_t)w->count);
	if (w->cause) {
		jw_kv_text(&r.w, "cause", wait_reason_name(w->cause));
		jw_kv_int(&r.w, "breaks", w->breaks);
	}
	jw_kv_int(&r.w, "blocks", t->blocks);
	return record_end(&r, a);
}

static const char *wait_key(struct arena *a, const struct wait *w)
{
	return arena_printf(a, "%s/%lld/%lld/%lld/%lld/%lld", wait_reason_name(w->reason), (long long)w->authority,
			    (long long)w->ca, (long long)w->target, (long long)w->other_target,
			    (long long)w->other_group);
}

/* What a reader wants first: what will break and when; what people decided, who must act, which node is silent; the safety rules
 * that follow from it come last.  Within one speaker the engine's order (most blocking first) stays. */
static int wait_rank(const struct wait *w)
{
	if (w->reason == WAIT_DEADLINE)
		return 0;
	switch (w->speaker) {
	case SPEAKER_POLICY:   return 1;
	case SPEAKER_OPERATOR: return 2;
	case SPEAKER_NODE:     return 3;
	case SPEAKER_TIME:     return 4;
	case SPEAKER_SAFETY:   break;
	}
	return RANK_LAST;
}

/* Among equals, who holds up most. */
static int compare_told(const void *x, const void *y)
{
	const struct told *a = x, *b = y;
	int by_speaker = wait_rank(a->wait) - wait_rank(b->wait);
	if (by_speaker)
		return by_speaker;
	if (a->blocks != b->blocks)
		return a->blocks > b->blocks ? -1 : 1;
	return (a->at > b->at) - (a->at < b->at);
}

/* The first LIMIT_PAGE waits in that order; lives in run->a. */
static const struct told *first_waits(const struct run *run, const struct plan *plan, size_t *ret_count)
{
	struct told *out = ARENA_ARRAY(run->a, struct told, plan->wait_count + 1);
	const int64_t *blocks = blocking_count(run->a, plan->waits, plan->wait_count);
	for (size_t i = 0; i < plan->wait_count; i++)
		out[i] = (struct told){ &plan->waits[i], blocks[i], i };
	if (plan->wait_count > 1)
		qsort(out, plan->wait_count, sizeof *out, compare_told);
	*ret_count = plan->wait_count < LIMIT_PAGE ? plan->wait_count : LIMIT_PAGE;
	return out;
}

static uint64_t waits_hash(const struct run *run, const struct told *waits, size_t n)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < n; i++)
		for (const char *s = arena_printf(run->a, "%s%s%lld", wait_key(run->a, waits[i].wait), wait_body(run->a, &waits[i]),
						  (long long)waits[i].wait->earliest); *s; s++)
			h = (h ^ (uint8_t)*s) * UINT64_C(1099511628211);
	return h;
}

/* It is named for the first time: news, before it breaks. */
static troth_rc tell_deadline(const struct run *run, const struct wait_row *row, struct troth_err *e)
{
	struct explained x;
	struct record r;
	struct verb_ctx ctx;
	TRY(explain_row(run->tx, run->a, row, &x, e));
	ctx_begin(run, &ctx);
	record_begin(&r);
	jw_kv_text(&r.w, "target", arena_printf(run->a, "%s/%s", x.instance, x.target));
	jw_kv_time(&r.w, "breaks", x.breaks);
	jw_kv_text(&r.w, "cause", x.cause);
	if (x.other_instance)
		jw_kv_text(&r.w, "because_of", arena_printf(run->a, "%s/%s", x.other_instance, x.other_target));
	jw_kv_text(&r.w, "text", explain_sentence(run->a, &x));
	struct change c = { .action = "engine.deadline", .object = x.authority, .after = record_end(&r, run->a) };
	TRY(record_change(&ctx, &c, e));
	ctx_end(&ctx);
	return RC_OK;
}

static troth_rc put_wait(const struct run *run, const struct told *t, int64_t round, size_t rank, struct troth_err *e)
{
	const struct wait *w = t->wait;
	struct wait_row row = { .key = wait_key(run->a, w), .authority_id = w->authority, .target_id = w->target,
				.since = run->now, .earliest = w->earliest, .body = wait_body(run->a, t),
				.round = round, .rank = (int64_t)rank };
	TRY(wait_row_put(run->tx, &row, e));
	return w->reason == WAIT_DEADLINE && row.since == run->now ? tell_deadline(run, &row, e) : RC_OK;
}

/* A page of them; equal to what is there already: nothing is written. */
static troth_rc write_waits(const struct run *run, const struct plan *plan, struct troth_err *e)
{
	size_t n;
	int64_t round;
	const struct told *waits = first_waits(run, plan, &n);
	uint64_t h = waits_hash(run, waits, n);
	if (h == run->svc->waits_hash)
		return RC_OK;
	TRY(store_sequence_next(run->tx, "round", &round, e));
	for (size_t i = 0; i < n; i++)
		TRY(put_wait(run, &waits[i], round, i, e));
	TRY(wait_row_prune(run->tx, round, e));
	run->svc->waits_hash = h;
	return RC_OK;
}

/* -- steps --------------------------------------------------------------------------------------------- */

/* True in ret_more: something was done, ask again. */
static troth_rc step(struct run *run, struct plan *plan, bool *ret_more, struct troth_err *e)
{
	static const struct engine_policy policy = { 0 };
	struct verb_ctx ctx;
	struct troth_err wrong = { 0 };
	arena_reset(run->a);
	engine_step(run->svc->view, &policy, run->now, run->a, plan);
	*ret_more = false;
	if (plan->act_count == 0)
		return RC_OK;
	if (rc_failed(plan_check(run->svc->view, plan, &wrong))) {
		log_err(LOG_LEVEL_ERROR, "runner.plan-refused", &wrong);
		return RC_OK;
	}
	ctx_begin(run, &ctx);
	TRY(acts_apply(&ctx, plan, e));
	ctx_end(&ctx);
	run->acts += plan->act_count;
	*ret_more = true;
	return RC_OK;
}

static troth_rc step_all(struct run *run, struct plan *plan, bool *ret_unfinished, struct troth_err *e)
{
	*ret_unfinished = false;
	for (int round = 0;; round++) {
		bool more;
		TRY(step(run, plan, &more, e));
		if (!more)
			return RC_OK;
		if (round < RUNNER_ROUNDS && run->acts < LIMIT_STEP_ACTS)
			continue;
		*ret_unfinished = true; /* a very large fleet: breathe, and go on at once */
		return RC_OK;
	}
}

static troth_rc run_all(struct run *run, msec_t *ret_next_wake, struct troth_err *e)
{
	struct plan plan;
	struct verb_ctx ctx;
	bool unfinished;
	ctx_begin(run, &ctx);
	TRY(rolling_windows(&ctx, e));
	ctx_end(&ctx);
	TRY(step_all(run, &plan, &unfinished, e));
	*ret_next_wake = unfinished ? run->now : plan.next_wake;
	if (!unfinished)
		TRY(write_waits(run, &plan, e));
	ctx_begin(run, &ctx);
	TRY(progress_update(&ctx, e));
	ctx_end(&ctx);
	return RC_OK;
}

troth_rc runner_run(struct service *svc, struct tx *tx, msec_t now, msec_t *ret_next_wake, struct troth_err *e)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(RUNNER_ARENA_BYTES);
	struct run run = { .svc = svc, .tx = tx, .a = a, .now = now };
	bool frozen;
	msec_t due;
	TRY(service_begin(svc, tx, e));
	TRY(run_all(&run, ret_next_wake, e));
	TRY(freeze_row_on(tx, a, &(struct freeze_row){ 0 }, &frozen, e));
	if (frozen)
		return RC_OK; /* the outbox waits for the thaw */
	TRY(outbox_next_due(tx, &due, e));
	if (due && due <= now)
		svc->effects = true;
	if (due && (!*ret_next_wake || due < *ret_next_wake))
		*ret_next_wake = due;
	return RC_OK;
}
