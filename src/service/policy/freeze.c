/* Freeze and thaw: one row says that nothing changes.  The engine is told (FACT_HOLD), and the three places where
 * something could still leave look at the row: the poll (desired.c), the request (csr.c), the outbox (effect.c). */
#include "service/check.h"
#include "service/fleet/identity.h"
#include "service/nouns.h"
#include "service/policy/policy.h"
#include "service/record.h"

troth_rc freeze_check(struct verb_ctx *ctx, const char *what, struct troth_err *e)
{
	struct freeze_row row;
	bool on;
	char since[RFC3339_LEN];
	TRY(freeze_row_on(ctx->tx, ctx->a, &row, &on, e));
	if (!on)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_UNAVAILABLE, "everything is frozen since %s by %s (%s): %s",
			      time_format(row.frozen_at, since), row.frozen_by, row.reason, what);
	err_hint(e, "it goes on after: troth thaw");
	return rc;
}

/* It concerns everybody: a principal of a part of the names may not. */
static troth_rc may_freeze(struct verb_ctx *ctx, struct troth_err *e)
{
	troth_rc rc = principal_in_scope(ctx->who, SERVER_AUTHORITY, e);
	if (rc_failed(rc))
		err_hint(e, "a freeze stops everything; ask somebody whose scope is everything");
	return rc;
}

/* What was decided and waits on the table is for whoever asks next; those who hold a poll ask now. */
static troth_rc wake_all(struct verb_ctx *ctx, struct troth_err *e)
{
	struct instance_row *rows;
	size_t n;
	struct page page = { .limit = LIMIT_PAGE };
	do {
		TRY(instance_row_list(ctx->tx, ctx->a, page, &rows, &n, e));
		for (size_t i = 0; i < n; i++)
			if (rows[i].state == INSTANCE_ACTIVE && rows[i].session)
				verb_publish(ctx, "instance/%s", rows[i].uuid);
		page.after = n ? rows[n - 1].id : page.after;
	} while (n == LIMIT_PAGE);
	return RC_OK;
}

static troth_rc record_freeze(struct verb_ctx *ctx, const char *action, const struct freeze_row *row, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "reason", row->reason);
	jw_kv_text(&r.w, "frozen_by", row->frozen_by);
	jw_kv_time(&r.w, "frozen_at", row->frozen_at);
	struct change c = { .action = action, .after = record_end(&r, ctx->a) };
	verb_changed(ctx, CHANGED_FREEZE, row->id);
	TRY(wake_all(ctx, e));
	return record_change(ctx, &c, e);
}

static troth_rc freeze_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct freeze_cmd *cmd = arg;
	struct freeze_ret *ret = out;
	struct checker c = { ctx->a, e };
	if (check_present(&c, "$.reason", cmd->reason) && strlen(cmd->reason) > LIMIT_TEXT_BYTES)
		check_fail(&c, "$.reason", "length", "is longer than 1024 bytes", NULL);
	TRY(check_done(e));
	TRY(may_freeze(ctx, e));
	TRY(freeze_row_on(ctx->tx, ctx->a, &ret->row, &ret->on, e));
	if (ret->on)
		return RC_OK;
	ret->row = (struct freeze_row){ .reason = cmd->reason, .frozen_by = ctx->who->name, .frozen_at = ctx->now };
	ret->on = true;
	TRY(freeze_row_insert(ctx->tx, &ret->row, e));
	return record_freeze(ctx, "freeze", &ret->row, e);
}

static troth_rc thaw_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct freeze_ret *ret = out;
	struct freeze_row row;
	bool on;
	TRY(may_freeze(ctx, e));
	TRY(freeze_row_on(ctx->tx, ctx->a, &row, &on, e));
	ret->on = false;
	if (!on)
		return RC_OK;
	row.thawed_by = ctx->who->name;
	row.thawed_at = ctx->now;
	ret->row = row;
	TRY(freeze_row_update(ctx->tx, &row, e));
	return record_freeze(ctx, "thaw", &row, e);
}

static troth_rc show_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct freeze_ret *ret = out;
	return freeze_row_on(ctx->tx, ctx->a, &ret->row, &ret->on, e);
}

const struct verb VERB_FREEZE = { "freeze", VERB_WRITE, ROLES_CHANGE, sizeof(struct freeze_cmd),
				  sizeof(struct freeze_ret), NULL, freeze_run };
const struct verb VERB_THAW = { "thaw", VERB_WRITE, ROLES_CHANGE, sizeof(struct no_cmd), sizeof(struct freeze_ret),
				NULL, thaw_run };
const struct verb VERB_FREEZE_SHOW = { "freeze.show", VERB_READ, ROLES_READ, sizeof(struct no_cmd),
				       sizeof(struct freeze_ret), NULL, show_run };
