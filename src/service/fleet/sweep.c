/* Putting away what nobody will ask for again, a little each minute.
 *
 * Abandoned: it enrolled, was never admitted, and has not been heard of for as long as a join token lives.  It holds up
 * nobody; its name is wanted.  Forgotten: rows of an ephemeral that left, and logins that are long over.  What was issued
 * stays on record. */
#include "service/fleet/leave.h"
#include "service/nouns.h"
#include "service/record.h"

static troth_rc record_abandoned(struct verb_ctx *ctx, const struct instance_row *row, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "id", row->uuid);
	jw_kv_time(&r.w, "enrolled", row->created);
	jw_kv_time(&r.w, "last_seen", row->last_seen);
	return record_change(ctx, &(struct change){ .action = "instance.abandoned", .object = row->name, .deployment = row->deployment_id,
						    .topic = arena_printf(ctx->a, "instance/%s", row->uuid),
						    .before = record_end(&r, ctx->a) }, e);
}

static troth_rc sweep_abandoned(struct verb_ctx *ctx, struct sweep_ret *ret, struct troth_err *e)
{
	struct instance_row *rows;
	size_t n;
	TRY(instance_row_list_abandoned(ctx->tx, ctx->a, ctx->now - LIMIT_JOINING_S * MSEC_S, LIMIT_SWEEP, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		TRY(leave_begin(ctx, &rows[i], true, e));
		TRY(record_abandoned(ctx, &rows[i], e));
	}
	ret->abandoned = (int64_t)n;
	return RC_OK;
}

static troth_rc sweep_over(struct verb_ctx *ctx, struct sweep_ret *ret, struct troth_err *e)
{
	struct instance_row *rows;
	size_t n;
	TRY(instance_row_list_over(ctx->tx, ctx->a, ctx->now - LIMIT_LEFT_KEPT_S * MSEC_S, LIMIT_SWEEP, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(instance_row_forget(ctx->tx, rows[i].id, e)); /* the engine forgot it when it left */
	ret->forgotten = (int64_t)n;
	return RC_OK;
}

static troth_rc sweep_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	TRY(sweep_abandoned(ctx, out, e));
	TRY(sweep_over(ctx, out, e));
	/* as long as somebody could refresh it, "expired" is told from "unknown" */
	return login_row_forget(ctx->tx, ctx->now - (msec_t)LIMIT_REFRESH_TOKEN_S * MSEC_S, LIMIT_SWEEP, e);
}

const struct verb VERB_SWEEP = { "sweep", VERB_WRITE, ROLE_SYSTEM, sizeof(struct no_cmd), sizeof(struct sweep_ret), NULL, sweep_run };
