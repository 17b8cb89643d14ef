/* The runner: asks the engine until it wants nothing more, and writes down what it waits for.
 *
 * It runs at the end of each writer transaction, on the rows and the view as the verbs left them, so
 * that an observation and what follows from it are one commit.  Every plan is proved by plan_check before
 * a row is written; a plan that fails is a bug: nothing of it is carried out, it is logged, and the
 * waits say so by standing still. */
#include "base/log.h"
#include "service/runner/acts.h"
#include "service/policy/policy.h"
#include "service/rotation/apply.h"
#include "service/rotation/progress.h"
#include "service/runner/waits.h"

enum {
	RUNNER_ARENA_BYTES = 256 << 20, /* a plan of LIMIT_STEP_ACTS acts and the rows it reads */
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
	ctx_begin(run, &ctx);
	if (!unfinished)
		TRY(waits_write(&ctx, &plan, e));
	TRY(progress_update(&ctx, e));
	TRY(apply_update(&ctx, e));
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
