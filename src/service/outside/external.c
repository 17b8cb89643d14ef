/* External instances: registered, found.  See external.h; what they report is in external_report.c, what they shall hold in
 * external_wanted.c. */
#include "service/outside/external_parts.h"

#include "service/check.h"
#include "service/inside.h"
#include "service/fleet/join.h"
#include "service/record.h"
#include "service/fleet/target.h"
#include "service/fleet/waive.h"

/* -- finding one ------------------------------------------------------------------------------------- */

static troth_rc refuse_agent(const struct instance_row *row, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "instance %s has an agent: only that one may report for it", row->name);
	err_hint(e, "instances without one are those of a deployment made with: troth deployment create NAME --external");
	err_object(e, "%s", row->name);
	return rc;
}

static troth_rc refuse_waived(const struct instance_row *row, const char *deployment, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "instance %s was waived: nothing that is said of it counts", row->name);
	err_hint(e, "to have it counted again, as a newcomer: troth instance add %s/%s", deployment, row->name);
	err_object(e, "%s", row->name);
	return rc;
}

troth_rc external_find(struct verb_ctx *ctx, const char *id, struct instance_row *ret, struct deployment_row *ret_deployment,
		       struct troth_err *e)
{
	TRY(record_uuid("instance", id, e));
	TRY(instance_row_by_uuid(ctx->tx, ctx->a, id, ret, e));
	TRY(deployment_row_get(ctx->tx, ctx->a, ret->deployment_id, ret_deployment, e));
	TRY(instance_visible(ctx->who, ret_deployment, e));
	ENSURE(ret->state != INSTANCE_LEFT, e, TROTH_NOT_FOUND, "instance %s has left", ret->name);
	if (ret_deployment->party != PARTY_EXTERNAL)
		return refuse_agent(ret, e);
	return ret->state == INSTANCE_WAIVED ? refuse_waived(ret, ret_deployment->name, e) : RC_OK;
}

troth_rc external_target(struct verb_ctx *ctx, const struct instance_row *instance, const char *name, struct target_row *ret,
			 struct template_row *ret_template, struct troth_err *e)
{
	struct target_row *rows;
	size_t n;
	*ret = (struct target_row){ 0 };
	TRY(target_row_list_instance(ctx->tx, ctx->a, instance->id, &rows, &n, e));
	for (size_t i = 0; i < n && !ret->id; i++) {
		if (rows[i].state == TARGET_LEFT)
			continue;
		TRY(template_row_get(ctx->tx, ctx->a, rows[i].template_id, ret_template, e));
		if (text_equal(ret_template->name, name))
			*ret = rows[i];
	}
	return RC_OK;
}

/* -- registering --------------------------------------------------------------------------------------- */

void instance_add_check(struct arena *a, const struct instance_add_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	check_present(&c, "$.deployment", cmd->deployment);
	if (check_present(&c, "$.name", cmd->name))
		check_label(&c, "$.name", cmd->name);
	for (size_t i = 0; i < cmd->targets.count; i++)
		check_label(&c, arena_printf(a, "$.targets[%zu]", i), cmd->targets.items[i]);
}

static troth_rc deployment_by_name(struct verb_ctx *ctx, const char *name, struct deployment_row *ret, struct troth_err *e)
{
	troth_rc rc = deployment_row_by_name(ctx->tx, ctx->a, name, ret, NULL);
	if (rc_failed(rc) || !record_in_scope(ctx->who, name)) {
		rc = err_set(e, TROTH_NOT_FOUND, "there is no deployment %.200s", name);
		err_hint(e, "troth deployment list shows them");
		return rc;
	}
	if (ret->party == PARTY_EXTERNAL)
		return RC_OK;
	rc = err_set(e, TROTH_CONFLICT, "the instances of %s have an agent", name);
	err_hint(e, "they join with: troth token create --deployment %s, then troth agent enroll on the node", name);
	err_object(e, "%s", name);
	return rc;
}

static bool is_chosen(const struct instance_add_cmd *cmd, const char *template)
{
	for (size_t i = 0; i < cmd->targets.count; i++)
		if (text_equal(cmd->targets.items[i], template))
			return true;
	return cmd->targets.count == 0;
}

static bool is_template(const struct template_row *templates, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (text_equal(templates[i].name, name))
			return true;
	return false;
}

static troth_rc targets_make(struct verb_ctx *ctx, const struct instance_add_cmd *cmd, const struct instance_row *instance,
			     struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	struct template_row *templates;
	size_t n;
	TRY(template_row_list_deployment(ctx->tx, ctx->a, instance->deployment_id, PAGE_ALL, &templates, &n, e));
	for (size_t i = 0; i < cmd->targets.count; i++)
		if (!is_template(templates, n, cmd->targets.items[i]))
			check_fail(&c, arena_printf(ctx->a, "$.targets[%zu]", i), "not-found", "is no slot or store of this deployment",
				   arena_printf(ctx->a, "troth deployment show %s lists them", cmd->deployment));
	TRY(check_done(e));
	for (size_t i = 0; i < n; i++)
		if (is_chosen(cmd, templates[i].name))
			TRY(join_target(ctx, instance, &templates[i], e));
	return RC_OK;
}

static troth_rc add_new(struct verb_ctx *ctx, const struct instance_add_cmd *cmd, const struct deployment_row *deployment,
			struct instance_row *ret, struct troth_err *e)
{
	*ret = (struct instance_row){ .uuid = verb_uuid_text(ctx), .deployment_id = deployment->id, .name = cmd->name, .state = INSTANCE_ACTIVE,
				      .session = 1, .session_opened = ctx->now, .last_seen = ctx->now, .alive_until = ALIVE_ALWAYS,
				      .lease_until = deployment->ephemeral ? ctx->now + deployment->lease : 0, .created = ctx->now };
	TRY(instance_row_insert(ctx->tx, ret, e));
	verb_changed(ctx, CHANGED_INSTANCE, ret->id);
	return targets_make(ctx, cmd, ret, e);
}

/* A waived one: a joiner from now on.  Numbers of reports go on, so that a late one stays late. */
static troth_rc add_again(struct verb_ctx *ctx, const struct instance_add_cmd *cmd, struct instance_row *row, struct troth_err *e)
{
	if (row->state != INSTANCE_WAIVED) {
		troth_rc rc = err_set(e, TROTH_CONFLICT, "%s has an instance %s already", cmd->deployment, row->name);
		err_hint(e, row->state == INSTANCE_LEAVING ? "it leaves; if what it served is stopped: troth instance delete %s --now"
							    : "look at it: troth instance show %s", row->name);
		err_object(e, "%s", row->name);
		return rc;
	}
	TRY(waive_end(ctx, row, "instance.return", e));
	row->session = 1;
	row->session_opened = row->last_seen = ctx->now;
	row->alive_until = ALIVE_ALWAYS;
	row->alarm = NULL;
	TRY(instance_row_update(ctx->tx, row, e));
	verb_changed(ctx, CHANGED_INSTANCE, row->id);
	verb_publish(ctx, "instance/%s", row->uuid);
	return RC_OK;
}

static troth_rc record_add(struct verb_ctx *ctx, const struct instance_view *v, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "id", v->row.uuid);
	jw_kv_text(&r.w, "deployment", v->deployment);
	jw_key(&r.w, "targets");
	jw_array(&r.w);
	for (size_t i = 0; i < v->target_count; i++)
		jw_text(&r.w, v->targets[i].template.name);
	jw_array_end(&r.w);
	return record_change(ctx, &(struct change){ .action = "instance.add", .object = v->row.name, .deployment = v->row.deployment_id,
						    .topic = arena_printf(ctx->a, "instance/%s", v->row.uuid),
						    .after = record_end(&r, ctx->a) }, e);
}

static troth_rc add_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct instance_add_cmd *cmd = arg;
	struct instance_ret *ret = out;
	struct deployment_row deployment;
	struct instance_row row;
	instance_add_check(ctx->a, cmd, e);
	TRY(check_done(e));
	TRY(deployment_by_name(ctx, cmd->deployment, &deployment, e));
	bool there = rc_ok(instance_row_by_name(ctx->tx, ctx->a, deployment.id, cmd->name, &row, NULL));
	TRY(there ? add_again(ctx, cmd, &row, e) : add_new(ctx, cmd, &deployment, &row, e));
	ret->instance = (struct instance_view){ .row = row, .deployment = deployment.name, .party = deployment.party };
	TRY(instance_targets_load(ctx, &ret->instance, e));
	return record_add(ctx, &ret->instance, e);
}

const struct verb VERB_INSTANCE_ADD = { "instance.add", VERB_WRITE, ROLES_REPORT, sizeof(struct instance_add_cmd),
					sizeof(struct instance_ret), NULL, add_run };
