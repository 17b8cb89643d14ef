/* Waits in names.  See explain.h; the runner writes the rows (runner.c, write_waits). */
#include "service/explain.h"

#include "base/json.h"
#include "service/record.h"

/* -- one row ------------------------------------------------------------------------------------- */

static troth_rc name_target(struct tx *tx, struct arena *a, int64_t id, const char **ret_instance,
			    const char **ret_target, const char **ret_error, struct troth_err *e)
{
	struct target_row t;
	struct instance_row i;
	struct template_row template;
	if (!id)
		return RC_OK;
	TRY(target_row_get(tx, a, id, &t, e));
	TRY(instance_row_get(tx, a, t.instance_id, &i, e));
	TRY(template_row_get(tx, a, t.template_id, &template, e));
	*ret_instance = i.name;
	*ret_target = template.name;
	if (ret_error)
		*ret_error = t.last_error;
	return RC_OK;
}

/* Of the one who waits; the other side may be another's business. */
static troth_rc name_deployment(struct tx *tx, struct arena *a, int64_t target, struct explained *x, struct troth_err *e)
{
	struct target_row t;
	struct instance_row i;
	struct deployment_row d;
	if (!target)
		return RC_OK;
	TRY(target_row_get(tx, a, target, &t, e));
	TRY(instance_row_get(tx, a, t.instance_id, &i, e));
	TRY(deployment_row_get(tx, a, i.deployment_id, &d, e));
	x->deployment = d.name;
	return RC_OK;
}

static troth_rc name_group(struct tx *tx, struct arena *a, int64_t id, struct explained *x, struct troth_err *e)
{
	struct template_row template;
	struct deployment_row deployment;
	if (!id || x->other_target)
		return RC_OK;
	TRY(template_row_get(tx, a, id, &template, e));
	TRY(deployment_row_get(tx, a, template.deployment_id, &deployment, e));
	x->other_deployment = deployment.name;
	x->other_target = template.name;
	return RC_OK;
}

static troth_rc name_authority(struct tx *tx, struct arena *a, int64_t authority, int64_t ca, struct explained *x,
			       struct troth_err *e)
{
	struct credential_row c;
	struct version_row v;
	if (authority) {
		TRY(credential_row_get(tx, a, authority, &c, e));
		x->authority = c.name;
	}
	if (ca) {
		TRY(version_row_get(tx, a, ca, &v, e));
		x->version = v.uuid;
	}
	return RC_OK;
}

troth_rc explain_row(struct tx *tx, struct arena *a, const struct wait_row *row, struct explained *ret,
		     struct troth_err *e)
{
	const struct json *j;
	TRY(json_parse(a, bytes_of_text(row->body), &j, e));
	struct explained x = { .since = row->since, .earliest = row->earliest };
	x.speaker = json_get_text(j, "speaker", "");
	x.rule = json_get_text(j, "rule", "");
	x.reason = json_get_text(j, "reason", "");
	x.text = json_get_text(j, "text", "");
	x.count = json_get_int(j, "count", 1);
	TRY(name_authority(tx, a, row->authority_id, json_get_int(j, "ca", 0), &x, e));
	TRY(name_target(tx, a, row->target_id, &x.instance, &x.target, &x.last_error, e));
	TRY(name_deployment(tx, a, row->target_id, &x, e));
	TRY(name_target(tx, a, json_get_int(j, "other_target", 0), &x.other_instance, &x.other_target, NULL, e));
	TRY(name_group(tx, a, json_get_int(j, "other_group", 0), &x, e));
	*ret = x;
	return RC_OK;
}

const char *explain_sentence(struct arena *a, const struct explained *x)
{
	const char *who = x->instance ? arena_printf(a, "%s/%s: ", x->instance, x->target) : "";
	const char *more = x->count > 1 ? arena_printf(a, ", and %lld more", (long long)(x->count - 1)) : "";
	const char *other = "";
	if (x->other_instance)
		other = arena_printf(a, " [%s/%s]", x->other_instance, x->other_target);
	else if (x->other_deployment)
		other = arena_printf(a, " [%s of %s]", x->other_target, x->other_deployment);
	const char *error = x->last_error ? arena_printf(a, "; its agent said: %s", x->last_error) : "";
	return arena_printf(a, "%s%s%s%s (%s, rule %s)%s", who, x->text, other, more, x->speaker, x->rule, error);
}

/* -- the verb --------------------------------------------------------------------------------------- */

/* "pg-0" is the instance, "pg-0/trust" one of its targets, "/demo/ca" an authority. */
static bool is_about(struct arena *a, const struct explained *x, const char *name)
{
	if (!name || text_equal(x->authority, name) || text_equal(x->instance, name) ||
	    text_equal(x->other_instance, name))
		return true;
	return x->instance && text_equal(arena_printf(a, "%s/%s", x->instance, x->target), name);
}

/* A leaf credential is explained by what its targets wait for. */
static troth_rc uses_credential(struct verb_ctx *ctx, const struct wait_row *row, int64_t credential, bool *ret,
				struct troth_err *e)
{
	struct target_row t;
	*ret = false;
	if (!credential || !row->target_id)
		return RC_OK;
	TRY(target_row_get(ctx->tx, ctx->a, row->target_id, &t, e));
	*ret = t.credential_id == credential;
	return RC_OK;
}

static troth_rc count_running(struct verb_ctx *ctx, int64_t *ret, struct troth_err *e)
{
	struct rotation_row *rows;
	size_t n;
	TRY(rotation_row_list_open(ctx->tx, ctx->a, &rows, &n, e));
	*ret = (int64_t)n;
	return RC_OK;
}

static bool visible(const struct verb_ctx *ctx, const struct explained *x)
{
	const char *about = x->authority ? x->authority : x->deployment;
	return !about || record_in_scope(ctx->who, about);
}

/* Does anything of that name exist? A typing error must not look like "nothing is waited for". */
static troth_rc check_name(struct verb_ctx *ctx, const char *name, int64_t *ret_credential, struct troth_err *e)
{
	struct credential_row c;
	*ret_credential = 0;
	if (!name || name[0] != '/')
		return RC_OK; /* instances are named within their deployment: nothing to look up by */
	TRY(record_visible(ctx->who, "credential", name, e));
	TRY(credential_row_by_name(ctx->tx, ctx->a, name, &c, e));
	*ret_credential = c.kind == CREDENTIAL_LEAF ? c.id : 0;
	return RC_OK;
}

static troth_rc explain_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct explain_cmd *cmd = arg;
	struct explain_ret *ret = out;
	struct wait_row *rows;
	size_t n;
	int64_t credential;
	TRY(check_name(ctx, cmd->name, &credential, e));
	TRY(wait_row_list(ctx->tx, ctx->a, LIMIT_PAGE, &rows, &n, e));
	ret->name = cmd->name;
	ret->items = ARENA_ARRAY(ctx->a, struct explained, n + 1);
	for (size_t i = 0; i < n; i++) {
		struct explained *x = &ret->items[ret->count];
		bool uses;
		TRY(explain_row(ctx->tx, ctx->a, &rows[i], x, e));
		TRY(uses_credential(ctx, &rows[i], credential, &uses, e));
		if (visible(ctx, x) && (uses || is_about(ctx->a, x, cmd->name)))
			ret->count++;
	}
	return count_running(ctx, &ret->running, e);
}

const struct verb VERB_EXPLAIN = {
	.name = "explain", .kind = VERB_READ, .roles = ROLES_READ,
	.cmd_size = sizeof(struct explain_cmd), .ret_size = sizeof(struct explain_ret), .run = explain_run,
};
