/* One version, shown no more.  See forget.h. */
#include "service/handout/forget.h"

#include "model/name.h"
#include "service/outside/holder.h"
#include "service/record.h"
#include "service/rotation/beside.h"

static troth_rc refuse_needed(const struct credential_row *c, const char *why, const char *hint, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_UNSAFE, "this version of %s is needed: %s", c->name, why);
	err_hint(e, "%s", hint);
	err_object(e, "%s", c->name);
	return rc;
}

static troth_rc check_authority(struct verb_ctx *ctx, const struct credential_row *c, const struct version_row *v, struct troth_err *e)
{
	if (v->retired_at)
		return RC_OK;
	return refuse_needed(c, v->wanted ? "it is on its way to sign" : "it is trusted still",
			     arena_printf(ctx->a, v->wanted ? "take its rotation back first: troth rotation abort %s"
							    : "it goes by itself when nobody needs it: troth explain %s", c->name), e);
}

/* Does a slot serve it, or has it on its way? */
static troth_rc check_slots(struct verb_ctx *ctx, const struct credential_row *c, const struct version_row *v, struct troth_err *e)
{
	struct target_row *slots;
	struct content_row content;
	size_t n;
	TRY(target_row_list_credential(ctx->tx, ctx->a, c->id, &slots, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct instance_row instance;
		if (slots[i].state == TARGET_LEFT || !slots[i].base_content)
			continue;
		TRY(content_row_get(ctx->tx, ctx->a, slots[i].base_content, &content, e));
		TRY(instance_row_get(ctx->tx, ctx->a, slots[i].instance_id, &instance, e));
		if (content.version_id == v->id)
			return refuse_needed(c, arena_printf(ctx->a, "%s serves it", instance.name), "it goes when its slots have the next one", e);
	}
	return RC_OK;
}

static troth_rc check_leaf(struct verb_ctx *ctx, const struct credential_row *c, const struct version_row *v, bool force, struct troth_err *e)
{
	bool holds;
	size_t counted;
	TRY(check_slots(ctx, c, v, e));
	TRY(holder_holds(ctx, c, v->id, &holds, e));
	if (!holds)
		return RC_OK;
	if (force)
		return holder_vouch(ctx, c, &counted, e);
	return refuse_needed(c, "who took it may still show it",
			     arena_printf(ctx->a, "when only the newest is in use: troth credential attest %s --replaced renewed", c->name), e);
}

static troth_rc find_version(const struct lookup_ret *seen, const struct forget_cmd *cmd, const struct lookup_version **ret, struct troth_err *e)
{
	*ret = NULL;
	for (size_t i = 0; i < seen->count; i++)
		if (text_equal(seen->items[i].version->row.uuid, cmd->version))
			*ret = &seen->items[i];
	if (*ret)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "%s has no version %.40s", seen->credential.row.name, cmd->version);
	err_clause(e, CLAUSE_FOREIGN_VERSION);
	return rc;
}

static troth_rc check_last(const struct lookup_ret *seen, struct troth_err *e)
{
	if (seen->count > 1)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "this is the only version of %s", seen->credential.row.name);
	err_clause(e, CLAUSE_LAST_VERSION);
	return rc;
}

static troth_rc forget_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct forget_cmd *cmd = arg;
	struct lookup_ret *ret = out;
	const struct lookup_version *x;
	struct credential_row c;
	struct version_row v;
	struct record r;
	ENSURE(!cmd->force || ctx->who->roles & ROLES_ADMIN, e, TROTH_FORBIDDEN, "only an administrator may insist on what was refused");
	TRY(lookup_find(ctx, NULL, cmd->id, &c, e));
	ENSURE(!name_is_reserved(c.name), e, TROTH_UNSAFE, "%s is troth's own", c.name);
	TRY(lookup_load(ctx, &c, ret, e));
	TRY(lookup_older(ctx, cmd->version, ret, e));
	TRY(find_version(ret, cmd, &x, e));
	TRY(check_last(ret, e));
	ENSURE(!x->active, e, TROTH_CONFLICT, "this version of %s is the one in use", c.name);
	TRY(version_row_get(ctx->tx, ctx->a, x->version->row.id, &v, e));
	TRY(c.kind == CREDENTIAL_AUTHORITY ? check_authority(ctx, &c, &v, e) : check_leaf(ctx, &c, &v, cmd->force, e));
	v.forgotten = ctx->now;
	TRY(version_row_update(ctx->tx, &v, e));
	lookup_only(ret, cmd->version);
	TRY(lookup_trust(ctx, ret, e));
	record_begin(&r);
	jw_kv_text(&r.w, "version", v.uuid);
	jw_kv_bool(&r.w, "forced", cmd->force);
	return record_change(ctx, &(struct change){ .action = "version.forget", .object = c.name, .after = record_end(&r, ctx->a) }, e);
}

const struct verb VERB_VERSION_FORGET = { "version.forget", VERB_WRITE, ROLES_CHANGE, sizeof(struct forget_cmd), sizeof(struct lookup_ret),
					  NULL, forget_run, RIGHT_DELETE };
