/* Recoveries for people: who asks, and yes or no.  See recovery.h. */
#include "service/check.h"
#include "service/nouns.h"
#include "service/record.h"
#include "service/fleet/recovery.h"

void recovery_decide_check(struct arena *a, const struct recovery_decide_cmd *cmd, bool all_allowed, struct troth_err *e)
{
	struct checker c = { a, e };
	if (cmd->all && !all_allowed)
		check_fail(&c, "$.all", "scope", "is for approving", "name who is denied");
	else if (cmd->all == (cmd->instances.count > 0))
		check_fail(&c, "$.instances", "one-of", cmd->all ? "are named, and all were asked for" : "are missing",
			   all_allowed ? "either instances, or all" : "the ids of instances");
	if (cmd->instances.count > LIMIT_RECOVERIES)
		check_fail(&c, "$.instances", "length", arena_printf(a, "are more than %d", LIMIT_RECOVERIES), "say them in parts");
}

/* -- one, in names ------------------------------------------------------------------------------------- */
static troth_rc view_load(struct verb_ctx *ctx, const struct recovery_row *row, struct recovery_view *ret, struct instance_row *instance,
			  struct troth_err *e)
{
	struct deployment_row deployment;
	TRY(instance_row_get(ctx->tx, ctx->a, row->instance_id, instance, e));
	TRY(deployment_row_get(ctx->tx, ctx->a, instance->deployment_id, &deployment, e));
	*ret = (struct recovery_view){ .row = *row, .state = recovery_state(row, ctx->now), .instance = instance->name,
				       .instance_id = instance->uuid, .deployment = deployment.name,
				       .instance_state = INSTANCE_STATE_NAMES[instance->state],
				       .identity_ended = row->issued_at ? 0 : instance->identity_not_after, .last_seen = instance->last_seen };
	return RC_OK;
}

static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct recovery_list_cmd *cmd = arg;
	struct recovery_list_ret *ret = out;
	struct recovery_row *rows;
	size_t n;
	TRY(recovery_row_list(ctx->tx, ctx->a, cmd->page, &rows, &n, e));
	ret->items = ARENA_ARRAY(ctx->a, struct recovery_view, n);
	ret->next = record_next(cmd->page, n, n ? rows[n - 1].id : 0);
	for (size_t i = 0; i < n; i++) {
		struct instance_row instance;
		TRY(view_load(ctx, &rows[i], &ret->items[ret->count], &instance, e));
		ret->count += record_in_scope(ctx->who, ret->items[ret->count].deployment);
	}
	return RC_OK;
}

const struct verb VERB_RECOVERY_LIST = { "recovery.list", VERB_READ, ROLES_READ, sizeof(struct recovery_list_cmd),
					 sizeof(struct recovery_list_ret), NULL, list_run };

/* -- yes or no -------------------------------------------------------------------------------------------- */
static troth_rc record_decision(struct verb_ctx *ctx, const char *action, const struct recovery_view *v, struct troth_err *e)
{
	struct record r;
	char hex[SHA256_HEX_LEN];
	record_begin(&r);
	jw_kv_text(&r.w, "id", v->instance_id);
	jw_kv_text(&r.w, "deployment", v->deployment);
	jw_kv_text(&r.w, "address", v->row.peer);
	jw_kv_text(&r.w, "key", hex_encode(v->row.key.data, SHA256_LEN, hex));
	struct instance_row instance;
	TRY(instance_row_get(ctx->tx, ctx->a, v->row.instance_id, &instance, e));
	return record_change(ctx, &(struct change){ .action = action, .object = v->instance, .deployment = instance.deployment_id,
						    .topic = arena_printf(ctx->a, "instance/%s", v->instance_id),
						    .after = record_end(&r, ctx->a) }, e);
}

static troth_rc decide(struct verb_ctx *ctx, struct recovery_view *v, enum recovery_state state, struct recovery_decide_ret *ret,
		       struct troth_err *e)
{
	v->row.state = state;
	v->row.decided_by = arena_text(ctx->a, ctx->who->name);
	v->row.decided_at = ctx->now;
	v->row.issued_at = 0;
	TRY(recovery_row_update(ctx->tx, &v->row, e));
	ret->instances.items[ret->instances.count++] = v->instance;
	return record_decision(ctx, state == RECOVERY_APPROVED ? "recovery.approve" : "recovery.deny", v, e);
}

static troth_rc refuse_contested(const struct recovery_view *v, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "the old key of %s is in two hands: %lld requests came for another new key", v->instance,
			      (long long)v->row.rivals);
	err_object(e, "%s", v->instance);
	err_hint(e, "troth recover deny %s; then, on the node that is the right one, enrol with a token: troth token create "
		    "--deployment %s --instance %s --reinstall", v->instance, v->deployment, v->instance);
	return rc;
}

static troth_rc refuse_issued(const struct recovery_view *v, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s has its new identity already", v->instance);
	err_object(e, "%s", v->instance);
	err_hint(e, "if it must not come back: troth instance delete %s", v->instance);
	return rc;
}

static troth_rc find(struct verb_ctx *ctx, const char *uuid, struct recovery_view *ret, struct troth_err *e)
{
	struct instance_row instance;
	struct recovery_row row;
	struct deployment_row deployment;
	TRY(record_uuid("instance", uuid, e));
	TRY(instance_row_by_uuid(ctx->tx, ctx->a, uuid, &instance, e));
	TRY(deployment_row_get(ctx->tx, ctx->a, instance.deployment_id, &deployment, e));
	TRY(record_visible(ctx->who, "instance", deployment.name, e));
	if (rc_ok(recovery_row_by_instance(ctx->tx, ctx->a, instance.id, &row, NULL)))
		return view_load(ctx, &row, ret, &instance, e);
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "%s asks for no recovery", instance.name);
	err_object(e, "%s", instance.name);
	err_hint(e, "its agent asks by itself when its identity has expired; troth recover list shows who does");
	return rc;
}

static troth_rc decide_named(struct verb_ctx *ctx, const char *uuid, enum recovery_state state, struct recovery_decide_ret *ret,
			     struct troth_err *e)
{
	struct recovery_view v;
	TRY(find(ctx, uuid, &v, e));
	if (state == RECOVERY_APPROVED && recovery_contested(&v.row))
		return refuse_contested(&v, e);
	if (text_equal(v.state, "issued"))
		return refuse_issued(&v, e);
	return decide(ctx, &v, state, ret, e);
}

/* Every pending one in scope; those that are contested are left for somebody who looks. */
static troth_rc approve_all(struct verb_ctx *ctx, struct recovery_decide_ret *ret, struct troth_err *e)
{
	struct page page = PAGE_FIRST;
	struct recovery_row *rows;
	size_t n;
	do {
		TRY(recovery_row_list(ctx->tx, ctx->a, page, &rows, &n, e));
		for (size_t i = 0; i < n; i++) {
			struct recovery_view v;
			struct instance_row instance;
			TRY(view_load(ctx, &rows[i], &v, &instance, e));
			bool pending = text_equal(v.state, "pending"), waits = pending || text_equal(v.state, "contested");
			if (!waits || !record_in_scope(ctx->who, v.deployment))
				continue;
			if (pending && ret->instances.count < LIMIT_RECOVERIES)
				TRY(decide(ctx, &v, RECOVERY_APPROVED, ret, e));
			else
				ret->left++;
		}
		page.after = n ? rows[n - 1].id : page.after;
	} while (n == LIMIT_PAGE);
	return RC_OK;
}

static troth_rc decide_run(struct verb_ctx *ctx, const struct recovery_decide_cmd *cmd, enum recovery_state state,
			   struct recovery_decide_ret *ret, struct troth_err *e)
{
	recovery_decide_check(ctx->a, cmd, state == RECOVERY_APPROVED, e);
	TRY(check_done(e));
	ret->instances.items = ARENA_ARRAY(ctx->a, const char *, LIMIT_RECOVERIES);
	if (cmd->all)
		return approve_all(ctx, ret, e);
	for (size_t i = 0; i < cmd->instances.count; i++)
		TRY(decide_named(ctx, cmd->instances.items[i], state, ret, e));
	return RC_OK;
}

static troth_rc approve_run(struct verb_ctx *ctx, const void *cmd, void *ret, struct troth_err *e)
{
	return decide_run(ctx, cmd, RECOVERY_APPROVED, ret, e);
}

static troth_rc deny_run(struct verb_ctx *ctx, const void *cmd, void *ret, struct troth_err *e)
{
	return decide_run(ctx, cmd, RECOVERY_DENIED, ret, e);
}

const struct verb VERB_RECOVERY_APPROVE = { "recovery.approve", VERB_WRITE, ROLES_CHANGE, sizeof(struct recovery_decide_cmd),
					    sizeof(struct recovery_decide_ret), NULL, approve_run };
const struct verb VERB_RECOVERY_DENY = { "recovery.deny", VERB_WRITE, ROLES_CHANGE, sizeof(struct recovery_decide_cmd),
					 sizeof(struct recovery_decide_ret), NULL, deny_run };
