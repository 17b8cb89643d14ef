/* How a member goes (engine-rules section 9).  See leave.h.
 *
 * What is on the node stays as it is.  So a slot whose service goes on is still met by others: until it is stopped its
 * chain is trusted as before, and no CA under it is forgotten. */
#include "service/leave.h"

#include "service/own.h"
#include "service/recovery.h"

static troth_rc retire_credential(struct verb_ctx *ctx, int64_t id, struct troth_err *e)
{
	struct credential_row credential;
	if (!id)
		return RC_OK;
	TRY(credential_row_get(ctx->tx, ctx->a, id, &credential, e));
	credential.retired = ctx->now;
	TRY(credential_row_update(ctx->tx, &credential, e));
	verb_changed(ctx, CHANGED_CREDENTIAL, credential.id);
	return RC_OK;
}

static troth_rc set_state(struct verb_ctx *ctx, struct target_row *row, enum target_state state, struct troth_err *e)
{
	row->state = state;
	row->csr_request = NULL; /* nothing more is made for it */
	row->csr_ca = 0;
	TRY(staged_row_clear(ctx->tx, row->id, e));
	TRY(target_row_update(ctx->tx, row, e));
	verb_changed(ctx, CHANGED_TARGET, row->id);
	return RC_OK;
}

troth_rc leave_target(struct verb_ctx *ctx, struct target_row *row, struct troth_err *e)
{
	row->left_at = ctx->now;
	TRY(set_state(ctx, row, TARGET_LEFT, e));
	return retire_credential(ctx, row->credential_id, e);
}

/* What is troth's own goes last: until then its agent has something to say. */
static troth_rc leave_own(struct verb_ctx *ctx, int64_t instance_id, struct troth_err *e)
{
	struct target_row *targets;
	size_t n;
	TRY(target_row_list_instance(ctx->tx, ctx->a, instance_id, &targets, &n, e));
	for (size_t i = 0; i < n; i++)
		if (targets[i].state != TARGET_LEFT)
			TRY(leave_target(ctx, &targets[i], e));
	return RC_OK;
}

static troth_rc leave_instance(struct verb_ctx *ctx, struct instance_row *row, struct troth_err *e)
{
	TRY(leave_own(ctx, row->id, e));
	row->state = INSTANCE_LEFT;
	row->left_at = ctx->now;
	row->session = 0;
	TRY(instance_row_update(ctx->tx, row, e));
	verb_changed(ctx, CHANGED_INSTANCE, row->id);
	TRY(recovery_end(ctx, row, false, e));
	verb_publish(ctx, "instance/%s", row->uuid); /* a held poll of its agent ends */
	return RC_OK;
}

troth_rc leave_if_empty(struct verb_ctx *ctx, int64_t instance_id, struct troth_err *e)
{
	struct instance_row row;
	struct target_row *targets;
	size_t n;
	TRY(target_row_list_instance(ctx->tx, ctx->a, instance_id, &targets, &n, e));
	for (size_t i = 0; i < n; i++) {
		bool own;
		TRY(own_target(ctx->tx, ctx->a, &targets[i], &own, e));
		if (targets[i].state != TARGET_LEFT && !own)
			return RC_OK;
	}
	TRY(instance_row_get(ctx->tx, ctx->a, instance_id, &row, e));
	return row.state == INSTANCE_LEFT ? RC_OK : leave_instance(ctx, &row, e);
}

/* Does somebody rely on what it serves?  What it holds may be nothing yet. */
static troth_rc may_serve(struct verb_ctx *ctx, const struct target_row *row, bool *ret, struct troth_err *e)
{
	struct document_row newest;
	bool nothing = row->base_known && !row->base_content;
	*ret = row->state == TARGET_COUNTED && row->credential_id != 0;
	if (*ret && nothing)
		*ret = rc_ok(document_row_newest(ctx->tx, ctx->a, row->id, &newest, NULL));
	return RC_OK;
}

static troth_rc begin_target(struct verb_ctx *ctx, struct target_row *row, bool now, bool *ret_stays, struct troth_err *e)
{
	bool serves, own;
	TRY(own_target(ctx->tx, ctx->a, row, &own, e));
	if (row->state == TARGET_LEFT || own)
		return RC_OK;
	TRY(may_serve(ctx, row, &serves, e));
	bool stays = !now && (serves || row->state == TARGET_LEAVING);
	*ret_stays = *ret_stays || stays;
	return stays ? set_state(ctx, row, TARGET_LEAVING, e) : leave_target(ctx, row, e);
}

troth_rc leave_begin(struct verb_ctx *ctx, struct instance_row *row, bool now, struct troth_err *e)
{
	struct target_row *targets;
	size_t n;
	bool stays = false;
	TRY(target_row_list_instance(ctx->tx, ctx->a, row->id, &targets, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(begin_target(ctx, &targets[i], now, &stays, e));
	if (!stays)
		return leave_instance(ctx, row, e);
	row->state = INSTANCE_LEAVING;
	TRY(instance_row_update(ctx->tx, row, e));
	verb_changed(ctx, CHANGED_INSTANCE, row->id);
	verb_publish(ctx, "instance/%s", row->uuid); /* its agent is told */
	return RC_OK;
}
