/* Rolling: what happens to a deployment's policy while things change.
 *
 * How many are changing is the engine's to count; here is what it cannot see in a target's rows: when a batch ended
 * (its pause begins), and that somebody failed and nobody has said to go on. */
#include "service/policy/policy.h"
#include "service/record.h"
#include "service/inside.h"
#include "service/policy/window.h"

static troth_rc save(struct verb_ctx *ctx, const struct rolling_row *row, struct troth_err *e)
{
	verb_changed(ctx, CHANGED_ROLLING, row->deployment_id);
	return rolling_row_update(ctx->tx, row, e);
}

troth_rc rolling_settled(struct verb_ctx *ctx, const struct instance_row *instance, struct troth_err *e)
{
	struct rolling_row row;
	bool found;
	TRY(rolling_row_of(ctx->tx, ctx->a, instance->deployment_id, &row, &found, e));
	if (!found || !row.pause || row.settled_at == ctx->now)
		return RC_OK;
	row.settled_at = ctx->now;
	return save(ctx, &row, e);
}

static troth_rc record_stop(struct verb_ctx *ctx, const char *action, const struct rolling_row *row, struct troth_err *e)
{
	struct deployment_row deployment;
	struct record r;
	TRY(deployment_row_get(ctx->tx, ctx->a, row->deployment_id, &deployment, e));
	record_begin(&r);
	jw_kv_text(&r.w, "id", deployment.uuid);
	jw_kv_text(&r.w, "stopped_by", row->stopped_by);
	return record_change(ctx, &(struct change){ .action = action, .object = deployment.name, .after = record_end(&r, ctx->a) }, e);
}

troth_rc rolling_failed(struct verb_ctx *ctx, const struct instance_row *instance, const char *target,
			const char *reason, struct troth_err *e)
{
	struct rolling_row row;
	bool found;
	TRY(rolling_row_of(ctx->tx, ctx->a, instance->deployment_id, &row, &found, e));
	if (!found || !row.stop_on_failure || row.stopped_at)
		return RC_OK;
	row.stopped_at = ctx->now;
	row.stopped_by = arena_printf(ctx->a, "%s/%s: %s", instance->name, target, reason ? reason : "no reason given");
	TRY(save(ctx, &row, e));
	return record_stop(ctx, "deployment.stopped", &row, e);
}

troth_rc rolling_go_on(struct verb_ctx *ctx, int64_t deployment_id, bool *ret_was, struct troth_err *e)
{
	struct rolling_row row;
	bool found;
	TRY(rolling_row_of(ctx->tx, ctx->a, deployment_id, &row, &found, e));
	if (ret_was)
		*ret_was = row.stopped_at != 0;
	if (!row.stopped_at)
		return RC_OK;
	TRY(record_stop(ctx, "deployment.go-on", &row, e));
	row.stopped_at = 0;
	row.stopped_by = NULL;
	return save(ctx, &row, e);
}

static troth_rc go_on_templates(struct verb_ctx *ctx, const struct template_row *rows, size_t n, struct troth_err *e)
{
	for (size_t i = 0; i < n; i++)
		TRY(rolling_go_on(ctx, rows[i].deployment_id, NULL, e));
	return RC_OK;
}

troth_rc rolling_go_on_all(struct verb_ctx *ctx, int64_t authority_id, struct troth_err *e)
{
	struct template_row *templates;
	struct bundle_member_row *members;
	size_t n, member_count;
	TRY(template_row_list_authority(ctx->tx, ctx->a, authority_id, &templates, &n, e));
	TRY(go_on_templates(ctx, templates, n, e));
	TRY(bundle_member_row_list_authority(ctx->tx, ctx->a, authority_id, &members, &member_count, e));
	for (size_t i = 0; i < member_count; i++) {
		TRY(template_row_list_bundle(ctx->tx, ctx->a, members[i].bundle_id, &templates, &n, e));
		TRY(go_on_templates(ctx, templates, n, e));
	}
	return RC_OK;
}

/* -- windows ------------------------------------------------------------------------------------------ */

static troth_rc record_window(struct verb_ctx *ctx, const struct rolling_row *row, struct troth_err *e)
{
	struct deployment_row deployment;
	struct record r;
	TRY(deployment_row_get(ctx->tx, ctx->a, row->deployment_id, &deployment, e));
	record_begin(&r);
	jw_kv_bool(&r.w, "open", row->window_open);
	jw_kv_time(&r.w, "until", row->window_until);
	struct event_row event = { .at = ctx->now, .kind = "deployment.window", .object = deployment.name, .within = deployment.name, .body = record_end(&r, ctx->a) };
	verb_publish(ctx, "events");
	return event_append(ctx->tx, &event, e);
}

troth_rc rolling_windows(struct verb_ctx *ctx, struct troth_err *e)
{
	struct rolling_row *rows;
	size_t n;
	TRY(rolling_row_list_due(ctx->tx, ctx->a, ctx->now, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		bool was = rows[i].window_open;
		TRY(windows_judge(ctx, &rows[i], e));
		TRY(rolling_row_update(ctx->tx, &rows[i], e));
		TRY(facts_rolling(ctx->tx, ctx->a, ctx->svc->view, rows[i].deployment_id, e));
		if (rows[i].window_open != was)
			TRY(record_window(ctx, &rows[i], e));
	}
	return RC_OK;
}
