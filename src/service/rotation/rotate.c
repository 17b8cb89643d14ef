/* Starting a rotation: the keeper makes the new version, the goal flips, the engine does the rest.
 *
 * Of an authority, the new version is a CA with the same names and a new key (or one that was made elsewhere), and so are those of the
 * intermediates below it (hierarchy.h); the old ones are no longer wanted, but stay trusted and signing
 * until the engine has seen that they need not.  Of a leaf, there is nothing to make here: its renewal is
 * made due, and the engine asks its slots. */
#include "service/ca/hierarchy.h"
#include "service/ca/own.h"
#include "service/fleet/identity.h"
#include "service/intake/external_ca.h"
#include "service/intake/root_source.h"
#include "service/intake/upload.h"
#include "service/outside/holder.h"
#include "service/record.h"
#include "service/rotation/census.h"
#include "service/rotation/distrust.h"
#include "service/rotation/rotation_rows.h"
#include "service/rotation/steps.h"

#include "model/name.h"

struct rotate_plan {
	struct credential_row credential;
	struct hierarchy hierarchy;     /* an authority's: itself and all below; decided again under the writer */
	bool fresh;                     /* a new CA is made; the same */
	const struct cert *root;        /* the version came from elsewhere, and its key is put away; NULL: it did not */
	bool ask;                       /* somebody else signs it: its key is made, and what asks for the certificate */
	char uuid[UUID_LEN];            /* of the version that it will be */
};

/* -- what it is and whether it may ---------------------------------------------------------------- */

static troth_rc refuse_running(const struct credential_row *c, const struct rotation_row *r, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s is being rotated already (%s, %s)", c->name, r->uuid,
			      ROTATION_STATE_NAMES[r->state]);
	err_hint(e, "wait for it, abort it, or ask for one more version on top of it: --again, in the API \"again\":true");
	err_object(e, "%s", c->name);
	return rc;
}

static troth_rc check_running(struct verb_ctx *ctx, const struct rotate_cmd *cmd, const struct credential_row *c,
			      struct troth_err *e)
{
	struct rotation_row *rows;
	size_t n;
	if (cmd->again || cmd->compromised)
		return RC_OK;
	TRY(rotation_row_list_open(ctx->tx, ctx->a, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		if (rows[i].credential_id == c->id)
			return refuse_running(c, &rows[i], e);
	return RC_OK;
}

/* Of troth's own the two authorities are rotated; what they sign is renewed by who has it. */
static troth_rc check_own(const struct rotate_cmd *cmd, const struct credential_row *c, struct troth_err *e)
{
	if (!name_is_reserved(c->name) || (own_is_authority(c->name) && !cmd->compromised))
		return RC_OK;
	troth_rc rc = own_is_authority(c->name) ? err_set(e, TROTH_UNSAFE, "%s is troth's own: it is not distrusted at once", c->name) :
					       err_set(e, TROTH_UNSAFE, "%s is troth's own and renewed by itself", c->name);
	err_object(e, "%s", c->name);
	if (own_is_authority(c->name)) {
		err_detail(e, "an agent that did not hear of it in time could not be told any more");
		err_hint(e, "rotate it without --compromised; agents that are away then come back by: troth token create --reinstall");
	} else {
		err_hint(e, "with a new key of its CA: troth rotate " SERVER_AUTHORITY ", or troth rotate " IDENTITY_AUTHORITY);
	}
	return rc;
}

/* Always: a CA file that somebody copied, or a fingerprint, is a verifier that nobody sees. */
static bool crosses(const struct rotate_cmd *cmd, const struct credential_row *c)
{
	return cmd->cross_sign || text_equal(c->name, SERVER_AUTHORITY);
}

/* One certificate at a time is asked for, whatever the reason. */
static troth_rc check_awaited(struct verb_ctx *ctx, const struct credential_row *c, struct troth_err *e)
{
	struct ca_request_row request;
	bool waits;
	TRY(ca_request_row_of(ctx->tx, ctx->a, c->id, &request, &waits, e));
	return waits ? external_refuse_waiting(c, &request, e) : RC_OK;
}

static troth_rc load(struct verb_ctx *ctx, const struct rotate_cmd *cmd, struct credential_row *ret, struct troth_err *e)
{
	bool owned;
	ENSURE(cmd->name && cmd->name[0], e, TROTH_INVALID, "which credential shall be rotated?");
	ENSURE(cmd->compromised || (!cmd->version && !cmd->yes_break), e, TROTH_INVALID,
	       "a version and a number of pairs to break are said only with compromised");
	TRY(record_visible(ctx->who, "credential", cmd->name, e));
	troth_rc rc = credential_row_by_name(ctx->tx, ctx->a, cmd->name, ret, e);
	if (rc_failed(rc)) {
		err_hint(e, "troth authority list and troth credential list show the names");
		return rc;
	}
	TRY(check_own(cmd, ret, e));
	TRY(upload_is_owned(ctx->tx, ctx->a, ret, &owned, e));
	if (owned)
		return upload_refuse_renewal(ret, e);
	TRY(check_awaited(ctx, ret, e));
	return check_running(ctx, cmd, ret, e);
}

/* -- prepare: a new CA -------------------------------------------------------------------------------- */

static troth_rc refuse_cross(const struct credential_row *c, const char *why, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_INVALID, "%s cannot be cross-signed: %s", c->name, why);
	err_object(e, "%s", c->name);
	err_hint(e, "rotate it without --cross-sign");
	return rc;
}

/* The root that signs now certifies the new one: its verifiers are the ones to be bridged to. */
static troth_rc load_cross(struct verb_ctx *ctx, const struct rotate_cmd *cmd, const struct credential_row *c, struct signer *ret,
			   struct troth_err *e)
{
	if (cmd->compromised)
		return refuse_cross(c, "what is compromised vouches for nothing", e);
	if (c->origin != ORIGIN_INTERNAL)
		return refuse_cross(c, "its certificates are signed elsewhere, and so would a cross certificate have to be", e);
	if (c->kind != CREDENTIAL_AUTHORITY || c->issuer_id)
		return refuse_cross(c, "it is not a root, so a rotation of it changes no anchor", e);
	TRY(signer_load(ctx->tx, ctx->a, c->id, ret, e));
	if (ret->cert->path_len == 0)
		return refuse_cross(c, "the path length of the old root is 0, so no CA may stand below it", e);
	return RC_OK;
}

/* An authority gets a new version, unless the one that is compromised is not the one in use. */
static troth_rc needs_fresh(struct verb_ctx *ctx, const struct rotate_cmd *cmd, const struct credential_row *c, bool *ret,
			    struct troth_err *e)
{
	struct distrust d;
	*ret = c->kind == CREDENTIAL_AUTHORITY;
	if (!cmd->compromised)
		return RC_OK;
	TRY(distrust_choose(ctx, c, cmd->version, &d, e));
	*ret = d.replace;
	return RC_OK;
}

/* Only its owner can make what comes next; to stop trusting it needs nobody else. */
static troth_rc check_owner(const struct rotate_cmd *cmd, const struct credential_row *c, struct troth_err *e)
{
	if (c->origin == ORIGIN_IMPORTED)
		return cmd->compromised ? RC_OK : external_refuse_imported(c, e);
	ENSURE(c->kind == CREDENTIAL_LEAF || c->signing_version, e, TROTH_CONFLICT, "%s has no version that signs", c->name);
	return RC_OK;
}

/* Of another kind of key, or for another time: not the present versions, those that are made from now on. */
static troth_rc change(const struct rotate_cmd *cmd, struct credential_row *c, struct troth_err *e)
{
	enum key_type type;
	if (!cmd->key_type && !cmd->ttl)
		return RC_OK;
	ENSURE(c->kind == CREDENTIAL_AUTHORITY && c->origin == ORIGIN_INTERNAL && !cmd->compromised, e, TROTH_INVALID,
	       "a key type and a life are said of an authority that is made here, and not in an emergency");
	if (cmd->key_type)
		TRY(key_type_parse(cmd->key_type, &type, e));
	ENSURE(!cmd->ttl || (cmd->ttl >= MSEC_DAY && cmd->ttl <= LIMIT_KEEPER_LIFE_DAYS * MSEC_DAY), e, TROTH_INVALID,
	       "a CA lives between a day and %d days", LIMIT_KEEPER_LIFE_DAYS);
	c->key_type = cmd->key_type ? cmd->key_type : c->key_type;
	c->ca_ttl = cmd->ttl ? cmd->ttl : c->ca_ttl;
	return RC_OK;
}

/* -- a new CA that was made elsewhere ----------------------------------------------------------------- */

static troth_rc read_source(struct verb_ctx *ctx, const struct rotate_cmd *cmd, struct rotate_plan *plan, struct troth_err *e)
{
	ENSURE(!cmd->compromised && !cmd->cross_sign && !cmd->key_type && !cmd->ttl, e, TROTH_INVALID,
	       "a root that was made elsewhere is not brought in an emergency, cross-signed, or of another key type or life than it has");
	return root_source_read(ctx, &plan->credential, &cmd->source, &plan->root, e);
}

/* First its key is put away; then what stands below is signed with that. */
static troth_rc ask_with_source(struct verb_ctx *ctx, const struct rotate_cmd *cmd, struct rotate_plan *plan, struct troth_err *e)
{
	if (!ctx->reply_count) {
		ctx->more = true;
		return root_source_need(ctx, &plan->credential, cmd->source.private_key, plan->root, plan->uuid, e);
	}
	TRY(root_source_check_key(ctx->replies[0], plan->root, e));
	plan->hierarchy.items[0].brought.blob = ctx->replies[0]->blob;
	return hierarchy_ask(ctx, &plan->hierarchy, e);
}

/* -- what is to be made, and by whom ------------------------------------------------------------------- */

static troth_rc plan_version(struct verb_ctx *ctx, const struct rotate_cmd *cmd, struct rotate_plan *plan, struct troth_err *e)
{
	const struct credential_row *c = &plan->credential;
	if (cmd->source.certificate)
		TRY(read_source(ctx, cmd, plan, e));
	if (plan->ask || plan->root)
		verb_uuid(ctx, plan->uuid);
	if (plan->root)
		return hierarchy_plan_brought(ctx, c, &(struct keeper_issuer){ .cert = plan->root->der }, &plan->hierarchy, e);
	return plan->fresh && !plan->ask ? hierarchy_plan(ctx, c, 0, NULL, &plan->hierarchy, e) : RC_OK;
}

static troth_rc begin(struct verb_ctx *ctx, const struct rotate_cmd *cmd, struct rotate_plan **ret, struct troth_err *e)
{
	struct rotate_plan *plan = ARENA_NEW(ctx->a, struct rotate_plan);
	struct credential_row *c = &plan->credential;
	TRY(load(ctx, cmd, c, e));
	TRY(check_owner(cmd, c, e));
	TRY(change(cmd, c, e));
	TRY(needs_fresh(ctx, cmd, c, &plan->fresh, e));
	plan->ask = plan->fresh && c->origin == ORIGIN_EXTERNAL;
	TRY(plan_version(ctx, cmd, plan, e));
	if (crosses(cmd, c))
		TRY(load_cross(ctx, cmd, c, &plan->hierarchy.cross, e));
	*ret = plan;
	return RC_OK;
}

static troth_rc rotate_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	struct rotate_plan *plan = ctx->plan;
	if (!plan)
		TRY(begin(ctx, arg, &plan, e));
	ctx->plan = plan;
	if (plan->ask && !ctx->options.dry_run)
		return external_need(ctx, &plan->credential, plan->uuid, e);
	if (plan->root && !ctx->options.dry_run)
		return ask_with_source(ctx, arg, plan, e);
	return ctx->options.dry_run ? RC_OK : hierarchy_ask(ctx, &plan->hierarchy, e);
}

/* -- holders outside the fleet ----------------------------------------------------------------------- */

/* An operator's decision, in the audit by name: nothing waits for them any more. */
static troth_rc waive_outside(struct verb_ctx *ctx, const struct credential_row *c, const struct rotate_ret *ret,
			      struct troth_err *e)
{
	struct rotate_ret page = *ret; /* names are a page; there may be more */
	while (page.outside_count) {
		for (size_t i = 0; i < page.outside_count; i++)
			TRY(holder_waive(ctx, page.outside[i], e));
		TRY(census_outside(ctx, c, &page, e));
	}
	return RC_OK;
}

/* -- run: the goal flips -------------------------------------------------------------------------------------- */

/* A leaf: its present versions are due now. */
static troth_rc make_due(struct verb_ctx *ctx, int64_t credential_id, struct id_list *ret_old, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	TRY(version_row_list_credential(ctx->tx, ctx->a, credential_id, PAGE_ALL, &versions, &n, e));
	*ret_old = (struct id_list){ ARENA_ARRAY(ctx->a, int64_t, n + 1), 0 };
	for (size_t i = 0; i < n; i++) {
		if (versions[i].retired_at)
			continue;
		ret_old->items[ret_old->count++] = versions[i].id;
		versions[i].renew_at = ctx->now;
		TRY(version_row_update(ctx->tx, &versions[i], e));
	}
	verb_changed(ctx, CHANGED_CREDENTIAL, credential_id);
	return RC_OK;
}

/* Only the distrusted ones have to go: the one that is wanted is good. */
static troth_rc retire_distrusted(struct verb_ctx *ctx, const struct credential_row *c, const struct distrust *d,
				  struct rotation_row *ret, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	TRY(version_row_list_credential(ctx->tx, ctx->a, c->id, PAGE_ALL, &versions, &n, e));
	ret->old_versions = d->versions;
	ret->wanted_before = (struct id_list){ ARENA_ARRAY(ctx->a, int64_t, n + 1), 0 };
	for (size_t i = 0; i < n; i++)
		if (versions[i].wanted)
			ret->wanted_before.items[ret->wanted_before.count++] = versions[i].id;
	return RC_OK;
}

static troth_rc record_start(struct verb_ctx *ctx, const struct credential_row *c, const struct rotation_row *rotation,
			     const struct rotate_ret *ret, bool ignore_outside, bool cross_sign, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "rotation", rotation->uuid);
	jw_kv_text(&r.w, "new_version", ret->new_version);
	jw_kv_int(&r.w, "old_versions", (int64_t)rotation->old_versions.count);
	jw_kv_bool(&r.w, "cross_sign", cross_sign);
	jw_kv_bool(&r.w, "by_steps", rotation->by_steps);
	jw_kv_int(&r.w, "below", (int64_t)rotation->below_new.count);
	jw_kv_text(&r.w, "reason", rotation->reason);
	if (ret->compromised) {
		jw_kv_int(&r.w, "distrusted", (int64_t)rotation->distrusted.count);
		jw_kv_int(&r.w, "breaks", ret->breaks);
	}
	jw_key(&r.w, "ignore_outside");
	jw_array(&r.w);
	for (size_t i = 0; ignore_outside && i < ret->outside_count; i++)
		jw_text(&r.w, ret->outside[i]);
	jw_array_end(&r.w);
	struct change change = { .action = "rotation.start", .object = c->name,
				 .topic = arena_printf(ctx->a, "rotation/%s", rotation->uuid) };
	change.after = record_end(&r, ctx->a);
	return record_change(ctx, &change, e);
}

/* Of itself, and of all below that got a new version with it. */
static troth_rc supersede_all(struct verb_ctx *ctx, const struct hierarchy *h, const struct credential_row *c,
			      const struct rotation_row *by, struct troth_err *e)
{
	TRY(hierarchy_supersede(ctx, c->id, by, e));
	for (size_t i = 1; i < h->count; i++)
		if (h->items[i].next.id != h->items[i].now.id)
			TRY(hierarchy_supersede(ctx, h->items[i].credential.id, by, e));
	return RC_OK;
}

/* The goal flips: what is new is wanted, what shall go is not. */
static troth_rc flip(struct verb_ctx *ctx, struct rotate_plan *plan, const struct distrust *d, struct rotation_row *rotation,
		     struct rotate_ret *ret, struct troth_err *e)
{
	const struct credential_row *c = &plan->credential;
	TRY(distrust_apply(ctx, d, e));
	rotation->distrusted = d->versions;
	if (c->kind == CREDENTIAL_LEAF)
		return make_due(ctx, c->id, &rotation->old_versions, e);
	if (!plan->fresh)
		return retire_distrusted(ctx, c, d, rotation, e);
	if (plan->root)
		TRY(root_source_insert(ctx, c, ctx->replies[0], plan->root, plan->uuid, &plan->hierarchy.items[0].next, e));
	TRY(hierarchy_write(ctx, &plan->hierarchy, rotation, false, e));
	rotation->new_version = plan->hierarchy.items[0].next.id;
	ret->new_version = plan->hierarchy.items[0].next.uuid;
	return rotation_unwant(ctx, c->id, rotation->new_version, rotation, e);
}

/* The goal stays as it is until the certificate comes (certify.c); what is compromised is distrusted at once. */
static troth_rc ask_elsewhere(struct verb_ctx *ctx, const struct rotate_cmd *cmd, struct rotate_plan *plan, const struct distrust *d,
			      struct rotation_row *rotation, struct troth_err *e)
{
	TRY(distrust_apply(ctx, d, e));
	rotation->distrusted = d->versions;
	return external_rotation(ctx, &plan->credential, plan->uuid, ctx->replies[0], cmd->reason, rotation, e);
}

static troth_rc keep_change(struct verb_ctx *ctx, const struct credential_row *changed, struct troth_err *e)
{
	struct credential_row row;
	TRY(credential_row_get(ctx->tx, ctx->a, changed->id, &row, e));
	row.key_type = changed->key_type;
	row.ca_ttl = changed->ca_ttl;
	row.rev++;
	return credential_row_update(ctx->tx, &row, e);
}

static troth_rc start(struct verb_ctx *ctx, const struct rotate_cmd *cmd, struct rotate_plan *plan,
		      const struct distrust *d, struct rotate_ret *ret, struct troth_err *e)
{
	const struct credential_row *c = &plan->credential;
	struct rotation_row rotation = { .by_steps = cmd->by_steps, .ordered = cmd->by_steps ? ORDER_INTRODUCE : 0 };
	struct operation_row op;
	if (cmd->key_type || cmd->ttl)
		TRY(keep_change(ctx, c, e));
	if (plan->ask) {
		TRY(ask_elsewhere(ctx, cmd, plan, d, &rotation, e));
	} else {
		TRY(flip(ctx, plan, d, &rotation, ret, e));
		TRY(rotation_begin(ctx, c, cmd->reason, &rotation, e));
		TRY(supersede_all(ctx, &plan->hierarchy, c, &rotation, e));
	}
	TRY(operation_row_get(ctx->tx, ctx->a, rotation.operation_id, &op, e));
	ret->rotation = rotation.uuid;
	ret->operation = op.uuid;
	if (cmd->ignore_outside)
		TRY(waive_outside(ctx, c, ret, e));
	return record_start(ctx, c, &rotation, ret, cmd->ignore_outside, crosses(cmd, c), e);
}

static troth_rc refuse_no_slot(const struct credential_row *c, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "no slot serves %s: nobody would make its next key", c->name);
	err_hint(e, "issue it anew from a request of yours: troth credential renew %s --csr FILE", c->name);
	err_object(e, "%s", c->name);
	return rc;
}

static troth_rc rotate_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct rotate_cmd *cmd = arg;
	struct rotate_plan *plan = ctx->plan, *again;
	struct rotate_ret *ret = out;
	struct distrust d = { 0 };
	TRY(begin(ctx, cmd, &again, e));
	struct credential_row now = again->credential;
	if (own_is_authority(now.name))
		TRY(own_need(ctx, e));
	TRY(census_take(ctx, &now, ret, e));
	if (now.kind == CREDENTIAL_LEAF && ret->slots == 0)
		return refuse_no_slot(&now, e);
	ret->dry_run = ctx->options.dry_run;
	if (cmd->compromised) {
		TRY(distrust_choose(ctx, &now, cmd->version, &d, e));
		TRY(distrust_foresee(ctx, &now, &d, ret, e));
	}
	if (ret->dry_run)
		return RC_OK;
	if (cmd->compromised)
		TRY(distrust_confirm(ctx, cmd, ret, e));
	ctx->retry = now.id != plan->credential.id || again->fresh != plan->fresh || again->ask != plan->ask ||
		      !hierarchy_same(&again->hierarchy, &plan->hierarchy);
	if (ctx->retry)
		return RC_OK;
	return start(ctx, cmd, plan, &d, ret, e);
}

const struct verb VERB_ROTATE = {
	.name = "rotation.start", .kind = VERB_WRITE, .roles = ROLES_CHANGE,
	.cmd_size = sizeof(struct rotate_cmd), .ret_size = sizeof(struct rotate_ret),
	.prepare = rotate_prepare, .run = rotate_run,
};
