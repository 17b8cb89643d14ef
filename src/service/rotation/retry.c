/* An operator repaired a node: the contents that failed there too often may be tried once more.
 *
 * After LIMIT_APPLY_FAILURES of equal contents the engine stops and says so (reason "failing").  It goes
 * on when the contents change, when the agent opens a new session, or when this verb says so. */
#include "service/fleet/target.h"
#include "service/policy/policy.h"
#include "service/record.h"
#include "service/rotation/rotation.h"

static troth_rc retry_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct retry_cmd *cmd = arg;
	struct retry_ret *ret = out;
	struct target_row t;
	struct instance_row i;
	struct deployment_row deployment;
	TRY(record_uuid("target", cmd->id, e));
	TRY(target_row_by_uuid(ctx->tx, ctx->a, cmd->id, &t, e));
	TRY(instance_row_get(ctx->tx, ctx->a, t.instance_id, &i, e));
	TRY(deployment_row_get(ctx->tx, ctx->a, i.deployment_id, &deployment, e));
	TRY(record_visible(ctx->who, "target", deployment.name, e));
	TRY(target_name(ctx, &t, &ret->target, e));
	ENSURE(t.state != TARGET_LEFT, e, TROTH_NOT_FOUND, "target %s is gone", ret->target);
	TRY(rolling_go_on(ctx, i.deployment_id, &ret->stopped, e)); /* stopped because somebody failed, it goes on */
	ret->failures = t.failures;
	if (t.failures == 0)
		return RC_OK;
	struct change c = { .action = "target.retry", .object = ret->target, .deployment = i.deployment_id };
	c.before = arena_printf(ctx->a, "{\"failures\":%lld}", (long long)t.failures);
	t.failures = 0;
	t.failed_content = 0;
	TRY(target_row_update(ctx->tx, &t, e));
	verb_changed(ctx, CHANGED_TARGET, t.id);
	return record_change(ctx, &c, e);
}

const struct verb VERB_TARGET_RETRY = {
	.name = "target.retry", .kind = VERB_WRITE, .roles = ROLES_CHANGE,
	.cmd_size = sizeof(struct retry_cmd), .ret_size = sizeof(struct retry_ret), .run = retry_run,
};
