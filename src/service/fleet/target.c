/* Targets: what is wanted at a place, what is on its way, and what was last seen there. */
#include "service/fleet/target.h"

#include "service/check.h"
#include "service/agent/contents.h"
#include "service/record.h"

static troth_rc generation_load(struct verb_ctx *ctx, const struct document_row *row, struct generation_view *ret, struct troth_err *e)
{
	ret->row = *row;
	if (!row->content_id)
		return RC_OK;
	return contents_fingerprints(ctx->tx, ctx->a, row->content_id, &ret->fingerprints, e);
}

static troth_rc load_documents(struct verb_ctx *ctx, struct target_view *view, struct troth_err *e)
{
	struct document_row *rows;
	size_t n;
	TRY(document_row_list_pending(ctx->tx, ctx->a, view->row.id, &rows, &n, e));
	view->documents = ARENA_ARRAY(ctx->a, struct generation_view, n);
	view->document_count = n;
	for (size_t i = 0; i < n; i++)
		TRY(generation_load(ctx, &rows[i], &view->documents[i], e));
	struct document_row base = { .target_id = view->row.id, .generation = view->row.base_generation,
				     .content_id = view->row.base_content };
	TRY(generation_load(ctx, &base, &view->loaded, e));
	view->wanted = n ? view->documents[n - 1] : view->loaded;
	return RC_OK;
}

troth_rc target_view_load(struct verb_ctx *ctx, const struct target_row *row, const struct instance_row *instance,
			  const char *deployment, struct target_view *ret, struct troth_err *e)
{
	*ret = (struct target_view){ .row = *row, .instance_id = instance->uuid, .instance = instance->name,
				     .deployment = deployment };
	TRY(template_row_get(ctx->tx, ctx->a, row->template_id, &ret->template, e));
	if (row->credential_id) {
		struct credential_row credential;
		TRY(credential_row_get(ctx->tx, ctx->a, row->credential_id, &credential, e));
		ret->credential = credential.name;
	}
	return load_documents(ctx, ret, e);
}

troth_rc target_name(struct verb_ctx *ctx, const struct target_row *row, const char **ret, struct troth_err *e)
{
	struct instance_row i;
	struct template_row template;
	TRY(instance_row_get(ctx->tx, ctx->a, row->instance_id, &i, e));
	TRY(template_row_get(ctx->tx, ctx->a, row->template_id, &template, e));
	*ret = arena_printf(ctx->a, "%s/%s", i.name, template.name);
	return RC_OK;
}

troth_rc target_name_by_id(struct verb_ctx *ctx, int64_t id, const char **ret, struct troth_err *e)
{
	struct target_row row;
	TRY(target_row_get(ctx->tx, ctx->a, id, &row, e));
	return target_name(ctx, &row, ret, e);
}

/* -- verbs ------------------------------------------------------------------------------------------ */
static bool state_known(const char *state)
{
	for (int s = TARGET_JOINING; s <= TARGET_LEFT; s++)
		if (text_equal(state, TARGET_STATE_NAMES[s]))
			return true;
	return false;
}

void target_list_check(struct arena *a, const struct target_list_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	if (cmd->state && !state_known(cmd->state))
		check_fail(&c, "?state", "state", "is not a state of a target", "joining, counted, waived, leaving or left");
	if (cmd->instance && !uuid_valid(cmd->instance))
		check_fail(&c, "?instance", "id", "is not an id", "ids are UUIDs; troth instance list shows them");
}

/* The instance and deployment of a row; false: not to be shown to this principal. */
static troth_rc owner_load(struct verb_ctx *ctx, const struct target_row *row, struct instance_row *ret_instance,
			   struct deployment_row *ret_deployment, bool *ret_visible, struct troth_err *e)
{
	TRY(instance_row_get(ctx->tx, ctx->a, row->instance_id, ret_instance, e));
	TRY(deployment_row_get(ctx->tx, ctx->a, ret_instance->deployment_id, ret_deployment, e));
	*ret_visible = record_in_scope(ctx->who, ret_deployment->name) && party_has_instances(ret_deployment->party);
	return RC_OK;
}

static bool matches(const struct target_list_cmd *cmd, const struct target_row *row, const struct instance_row *instance,
		    const struct deployment_row *deployment)
{
	bool state = cmd->state ? text_equal(cmd->state, TARGET_STATE_NAMES[row->state]) : row->state != TARGET_LEFT;
	return state && (!cmd->instance || text_equal(cmd->instance, instance->uuid)) &&
	       (!cmd->deployment || text_equal(cmd->deployment, deployment->name));
}

static troth_rc add_if_asked_for(struct verb_ctx *ctx, const struct target_list_cmd *cmd, const struct target_row *row,
				 struct target_list_ret *ret, struct troth_err *e)
{
	struct instance_row instance;
	struct deployment_row deployment;
	bool visible;
	TRY(owner_load(ctx, row, &instance, &deployment, &visible, e));
	if (!visible || !matches(cmd, row, &instance, &deployment))
		return RC_OK;
	return target_view_load(ctx, row, &instance, deployment.name, &ret->items[ret->count++], e);
}

/* Of one instance all at once (they are few), else a page of all. */
static troth_rc list_rows(struct verb_ctx *ctx, const struct target_list_cmd *cmd, struct target_row **ret_rows,
			  size_t *ret_n, int64_t *ret_next, struct troth_err *e)
{
	struct instance_row instance;
	if (!cmd->instance) {
		TRY(target_row_list(ctx->tx, ctx->a, cmd->page, ret_rows, ret_n, e));
		*ret_next = record_next(cmd->page, *ret_n, *ret_n ? (*ret_rows)[*ret_n - 1].id : 0);
		return RC_OK;
	}
	TRY(instance_row_by_uuid(ctx->tx, ctx->a, cmd->instance, &instance, e));
	return target_row_list_instance(ctx->tx, ctx->a, instance.id, ret_rows, ret_n, e);
}

static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct target_list_cmd *cmd = arg;
	struct target_list_ret *ret = out;
	struct target_row *rows;
	size_t n;
	target_list_check(ctx->a, cmd, e);
	TRY(check_done(e));
	TRY(list_rows(ctx, cmd, &rows, &n, &ret->next, e));
	ret->items = ARENA_ARRAY(ctx->a, struct target_view, n);
	for (size_t i = 0; i < n; i++)
		TRY(add_if_asked_for(ctx, cmd, &rows[i], ret, e));
	return RC_OK;
}

static troth_rc show_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct target_ret *ret = out;
	struct target_row row;
	struct instance_row instance;
	struct deployment_row deployment;
	bool visible;
	TRY(record_uuid("target", cmd->id, e));
	TRY(target_row_by_uuid(ctx->tx, ctx->a, cmd->id, &row, e));
	TRY(owner_load(ctx, &row, &instance, &deployment, &visible, e));
	TRY(record_visible(ctx->who, "target", deployment.name, e));
	return target_view_load(ctx, &row, &instance, deployment.name, &ret->target, e);
}

const struct verb VERB_TARGET_LIST = { "target.list", VERB_READ, ROLES_READ, sizeof(struct target_list_cmd),
				       sizeof(struct target_list_ret), NULL, list_run };
const struct verb VERB_TARGET_SHOW = { "target.show", VERB_READ, ROLES_READ, sizeof(struct id_cmd),
				       sizeof(struct target_ret), NULL, show_run };
