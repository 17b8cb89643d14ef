/* deployment.policy: how many instances of a deployment may change at once, who goes first, when it stops.
 *
 * The row is made with the first policy; a deployment without one changes all at once: most stores are read again
 * without a restart, and an operator whose services restart knows so (docs/decisions/0010-rolling.md). */
#include "service/check.h"
#include "service/nouns.h"
#include "service/policy/policy.h"
#include "service/record.h"
#include "service/policy/window.h"

static void check_count(const struct checker *c, const char *path, int64_t n)
{
	if (n > LIMIT_STEP_ACTS)
		check_fail(c, path, "range", "is more than there are instances", NULL);
}

static void check_window(const struct checker *c, const char *path, const char *text)
{
	struct window w;
	struct troth_err why = { 0 };
	if (rc_failed(window_parse(text, &w, &why)))
		check_fail(c, path, "window", why.primary, why.hint);
}

/* Its zone is known here, and it opens at all: that needs the server's files and clock. */
static troth_rc check_opens(struct verb_ctx *ctx, const struct deployment_policy_cmd *cmd, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	for (size_t i = 0; i < cmd->windows.count; i++) {
		const char *path = arena_printf(ctx->a, "$.windows[%zu]", i);
		struct troth_err why = { 0 };
		struct window w;
		const struct zone *zone;
		bool open;
		msec_t until;
		TRY(window_parse(cmd->windows.items[i], &w, e));
		if (rc_failed(window_zone(ctx, w.zone, &zone, &why))) {
			check_fail(&c, path, "zone", why.primary, why.hint);
			continue;
		}
		window_state(&w, zone, ctx->now, &open, &until);
		if (!until)
			check_fail(&c, path, "window", "never opens in the next five years", NULL);
	}
	return check_done(e);
}

void deployment_policy_check(struct arena *a, const struct deployment_policy_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	check_count(&c, "$.max_unavailable", cmd->max_unavailable);
	check_count(&c, "$.canary", cmd->canary);
	if (cmd->pause > LIMIT_ROLLING_PAUSE_S * MSEC_S)
		check_fail(&c, "$.pause", "range", "is longer than a day", "a longer wait between batches is a maintenance window");
	if (cmd->rollout && !text_equal(cmd->rollout, "automatic") && !text_equal(cmd->rollout, "manual"))
		check_fail(&c, "$.rollout", "rollout", "is not a rollout", "automatic or manual");
	if (cmd->windows.count > LIMIT_WINDOWS)
		check_fail(&c, "$.windows", "length", "has more than 16 windows", NULL);
	for (size_t i = 0; i < cmd->windows.count && i < LIMIT_WINDOWS; i++)
		check_window(&c, arena_printf(a, "$.windows[%zu]", i), cmd->windows.items[i]);
}

static void take(struct arena *a, struct rolling_row *row, const struct deployment_policy_cmd *cmd)
{
	if (cmd->max_unavailable >= 0)
		row->max_unavailable = cmd->max_unavailable;
	if (cmd->canary >= 0)
		row->canary = cmd->canary;
	if (cmd->pause >= 0)
		row->pause = cmd->pause;
	if (cmd->stop_on_failure >= 0)
		row->stop_on_failure = cmd->stop_on_failure;
	if (cmd->rollout)
		row->manual = text_equal(cmd->rollout, "manual");
	if (cmd->set_windows)
		row->windows = windows_write(a, cmd->windows);
	if (row->stop_on_failure)
		return;
	row->stopped_at = 0; /* nobody stops here any more */
	row->stopped_by = NULL;
}

static const char *policy_json(struct verb_ctx *ctx, const struct rolling_row *row)
{
	struct record r;
	char pause[RFC3339_LEN];
	record_begin(&r);
	jw_kv_int(&r.w, "max_unavailable", row->max_unavailable);
	jw_kv_int(&r.w, "canary", row->canary);
	jw_kv_text(&r.w, "pause", duration_format(row->pause, pause));
	jw_kv_bool(&r.w, "stop_on_failure", row->stop_on_failure);
	jw_kv_text(&r.w, "rollout", row->manual ? "manual" : "automatic");
	jw_key(&r.w, "windows");
	jw_raw(&r.w, row->windows ? row->windows : "[]");
	return record_end(&r, ctx->a);
}

static troth_rc save(struct verb_ctx *ctx, struct rolling_row *row, bool found, struct troth_err *e)
{
	verb_changed(ctx, CHANGED_ROLLING, row->deployment_id);
	return found ? rolling_row_update(ctx->tx, row, e) : rolling_row_insert(ctx->tx, row, e);
}

static troth_rc policy_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct deployment_policy_cmd *cmd = arg;
	struct deployment_ret *ret = out;
	struct deployment_row deployment;
	struct rolling_row row;
	bool found;
	deployment_policy_check(ctx->a, cmd, e);
	TRY(check_done(e));
	TRY(deployment_find(ctx, cmd->id, &deployment, e));
	TRY(record_if_match(ctx, deployment.name, deployment.rev, e));
	TRY(rolling_row_of(ctx->tx, ctx->a, deployment.id, &row, &found, e));
	struct change c = { .action = "deployment.policy", .object = deployment.name, .before = policy_json(ctx, &row) };
	TRY(check_opens(ctx, cmd, e));
	take(ctx->a, &row, cmd);
	TRY(windows_judge(ctx, &row, e));
	TRY(save(ctx, &row, found, e));
	deployment.rev++;
	TRY(deployment_row_update(ctx->tx, &deployment, e));
	TRY(deployment_view_load(ctx, &deployment, &ret->deployment, e));
	c.after = policy_json(ctx, &row);
	return record_change(ctx, &c, e);
}

const struct verb VERB_DEPLOYMENT_POLICY = { "deployment.policy", VERB_WRITE, ROLES_CHANGE, sizeof(struct deployment_policy_cmd),
					     sizeof(struct deployment_ret), NULL, policy_run };
