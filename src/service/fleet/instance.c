/* Instances: nodes with an agent, which come by enrolling (enroll.c), and external ones, which are added (external.c).  Here they are shown, and told to leave (leave.c).
 * Those that are away and shall be waited for no longer are waived (waive.c). */
#include "service/fleet/leave.h"
#include "service/record.h"
#include "service/fleet/target.h"

troth_rc instance_targets_load(struct verb_ctx *ctx, struct instance_view *view, struct troth_err *e)
{
	struct target_row *rows;
	size_t n;
	TRY(target_row_list_instance(ctx->tx, ctx->a, view->row.id, &rows, &n, e));
	view->targets = ARENA_ARRAY(ctx->a, struct target_view, n);
	view->target_count = n;
	for (size_t i = 0; i < n; i++)
		TRY(target_view_load(ctx, &rows[i], &view->row, view->deployment, &view->targets[i], e));
	return RC_OK;
}

troth_rc instance_visible(const struct principal *who, const struct deployment_row *deployment, struct troth_err *e)
{
	if (party_has_instances(deployment->party))
		return record_visible(who, "instance", deployment->name, e);
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "no such instance");
	err_hint(e, "troth instance list shows those that are");
	return rc;
}

static troth_rc instance_by_id(struct verb_ctx *ctx, const char *id, struct instance_view *ret, struct troth_err *e)
{
	struct deployment_row deployment;
	TRY(record_uuid("instance", id, e));
	TRY(instance_row_by_uuid(ctx->tx, ctx->a, id, &ret->row, e));
	TRY(deployment_row_get(ctx->tx, ctx->a, ret->row.deployment_id, &deployment, e));
	ret->deployment = deployment.name;
	ret->party = deployment.party;
	return instance_visible(ctx->who, &deployment, e);
}

/* -- reading ------------------------------------------------------------------------------------------ */
static troth_rc list_rows(struct verb_ctx *ctx, const struct instance_list_cmd *cmd, struct instance_row **ret, size_t *ret_n,
			  struct troth_err *e)
{
	struct deployment_row deployment;
	if (!cmd->deployment)
		return instance_row_list(ctx->tx, ctx->a, cmd->page, ret, ret_n, e);
	TRY(deployment_row_by_name(ctx->tx, ctx->a, cmd->deployment, &deployment, e));
	return instance_row_list_deployment(ctx->tx, ctx->a, deployment.id, cmd->page, ret, ret_n, e);
}

static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct instance_list_cmd *cmd = arg;
	struct instance_list_ret *ret = out;
	struct instance_row *rows;
	size_t n;
	TRY(list_rows(ctx, cmd, &rows, &n, e));
	ret->items = ARENA_ARRAY(ctx->a, struct instance_view, n);
	ret->next = record_next(cmd->page, n, n ? rows[n - 1].id : 0);
	for (size_t i = 0; i < n; i++) {
		struct deployment_row deployment;
		TRY(deployment_row_get(ctx->tx, ctx->a, rows[i].deployment_id, &deployment, e));
		if (rows[i].state == INSTANCE_LEFT || !record_in_scope(ctx->who, deployment.name) || !party_has_instances(deployment.party) ||
		    (cmd->name && !text_equal(cmd->name, rows[i].name)))
			continue;
		ret->items[ret->count++] = (struct instance_view){ .row = rows[i], .deployment = deployment.name, .party = deployment.party };
	}
	return RC_OK;
}

static troth_rc show_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct instance_ret *ret = out;
	TRY(instance_by_id(ctx, cmd->id, &ret->instance, e));
	return instance_targets_load(ctx, &ret->instance, e);
}

/* -- leaving --------------------------------------------------------------------------------------------- */
static troth_rc record_leave(struct verb_ctx *ctx, const struct instance_view *v, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "id", v->row.uuid);
	jw_kv_text(&r.w, "deployment", v->deployment);
	jw_kv_text(&r.w, "state", INSTANCE_STATE_NAMES[v->row.state]);
	return record_change(ctx, &(struct change){ .action = "instance.delete", .object = v->row.name, .deployment = v->row.deployment_id,
						    .topic = arena_printf(ctx->a, "instance/%s", v->row.uuid),
						    .before = record_end(&r, ctx->a) }, e);
}

static troth_rc delete_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct instance_delete_cmd *cmd = arg;
	struct instance_view view;
	TRY(instance_by_id(ctx, cmd->id, &view, e));
	ENSURE(view.row.state != INSTANCE_LEFT, e, TROTH_NOT_FOUND, "instance %s has left already", view.row.name);
	TRY(leave_begin(ctx, &view.row, cmd->now, e));
	return record_leave(ctx, &view, e);
}

const struct verb VERB_INSTANCE_LIST = { "instance.list", VERB_READ, ROLES_READ, sizeof(struct instance_list_cmd),
					 sizeof(struct instance_list_ret), NULL, list_run };
const struct verb VERB_INSTANCE_SHOW = { "instance.show", VERB_READ, ROLES_READ, sizeof(struct id_cmd),
					 sizeof(struct instance_ret), NULL, show_run };
const struct verb VERB_INSTANCE_DELETE = { "instance.delete", VERB_WRITE, ROLES_CHANGE,
					   sizeof(struct instance_delete_cmd), sizeof(struct no_ret), NULL, delete_run };
