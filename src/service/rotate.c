/* Starting a rotation: the keeper makes the new version, the goal flips, the engine does the rest.
 *
 * Of an authority, the new version is a CA with the same names and a new key; the old ones are no
 * longer wanted, but stay trusted and signing until the engine has seen that they need not.  Of a leaf,
 * there is nothing to make here: its renewal is made due, and the engine asks its slots. */
#include "service/census.h"
#include "service/holder.h"
#include "service/issue.h"
#include "service/record.h"
#include "service/rotation.h"

struct rotate_plan {
	struct credential_row credential;
	char version_uuid[UUID_LEN];
	struct signer issuer;           /* of an intermediate */
	int64_t issuer_version, old_signer; /* re-checked under the writer */
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
	if (cmd->again)
		return RC_OK;
	TRY(rotation_row_list_open(ctx->tx, ctx->a, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		if (rows[i].credential_id == c->id)
			return refuse_running(c, &rows[i], e);
	return RC_OK;
}

static troth_rc refuse_own(const char *name, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_UNSAFE, "%s is troth's own: its rotation is not safe yet", name);
	err_detail(e, "agents and server trust it, and what they have loaded is not observed, so no step could wait for it");
	err_object(e, "%s", name);
	return rc;
}

static troth_rc load(struct verb_ctx *ctx, const struct rotate_cmd *cmd, struct credential_row *ret, struct troth_err *e)
{
	ENSURE(cmd->name && cmd->name[0], e, TROTH_INVALID, "which credential shall be rotated?");
	TRY(record_visible(ctx->who, "credential", cmd->name, e));
	troth_rc rc = credential_row_by_name(ctx->tx, ctx->a, cmd->name, ret, e);
	if (rc_failed(rc)) {
		err_hint(e, "troth authority list and troth credential list show the names");
		return rc;
	}
	if (text_starts(cmd->name, "/troth/"))
		return refuse_own(cmd->name, e);
	return check_running(ctx, cmd, ret, e);
}

/* -- prepare: a new CA -------------------------------------------------------------------------------- */

static struct cert_spec ca_spec(const struct verb_ctx *ctx, const struct credential_row *c, const struct credential_spec *s)
{
	struct cert_spec spec = { .kind = c->issuer_id ? CERT_INTERMEDIATE : CERT_ROOT, .common_name = s->common_name,
				  .organization = s->organization, .path_len = (int)s->path_len,
				  .permitted_dns = s->permitted_dns.items, .permitted_dns_count = s->permitted_dns.count,
				  .not_before = ctx->now - CERT_BACKDATE, .not_after = ctx->now + c->ca_ttl };
	verb_random(ctx, spec.serial, sizeof spec.serial);
	return spec;
}

static struct keeper_policy ca_policy(const struct credential_row *c, const struct cert_spec *spec, const char *key_id)
{
	struct keeper_policy p = { .kind = KEEPER_KEY_AUTHORITY, .authority = c->name, .may_sign_ca = spec->path_len != 0,
				   .path_len = spec->path_len, .latest_not_after = spec->not_after,
				   .exportable = c->exportable };
	(void)text_copy(p.key_id, sizeof p.key_id, key_id); /* a uuid fits a uuid */
	return p;
}

static troth_rc need_intermediate(struct verb_ctx *ctx, struct rotate_plan *plan, struct keeper_request *need,
				  struct cert_spec *spec, enum key_type type, struct troth_err *e)
{
	TRY(signer_load(ctx->tx, ctx->a, plan->credential.issuer_id, &plan->issuer, e));
	plan->issuer_version = plan->issuer.version.id;
	cert_spec_clamp(spec, plan->issuer.cert);
	need->kind = KEEPER_AUTHORITY_SIGN;
	need->authority_sign.issuer = (struct keeper_issuer){ plan->issuer.version.key_blob, plan->issuer.cert->der };
	need->authority_sign.policy = ca_policy(&plan->credential, spec, plan->version_uuid);
	need->authority_sign.key_type = type;
	need->authority_sign.spec = *spec;
	return RC_OK;
}

static troth_rc need_ca(struct verb_ctx *ctx, struct rotate_plan *plan, struct troth_err *e)
{
	const struct credential_row *c = &plan->credential;
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	struct credential_spec s;
	enum key_type type;
	TRY(credential_spec_read(ctx->a, c->spec, &s, e));
	TRY(key_type_parse(c->key_type, &type, e));
	struct cert_spec spec = ca_spec(ctx, c, &s);
	if (c->issuer_id) {
		TRY(need_intermediate(ctx, plan, need, &spec, type, e));
		return verb_need(ctx, need, e);
	}
	need->kind = KEEPER_AUTHORITY_CREATE;
	need->authority_create.policy = ca_policy(c, &spec, plan->version_uuid);
	need->authority_create.key_type = type;
	need->authority_create.spec = spec;
	return verb_need(ctx, need, e);
}

static troth_rc rotate_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	struct rotate_plan *plan = ARENA_NEW(ctx->a, struct rotate_plan);
	TRY(load(ctx, arg, &plan->credential, e));
	ENSURE(plan->credential.kind == CREDENTIAL_LEAF || plan->credential.signing_version, e, TROTH_CONFLICT,
	       "%s has no version that signs", plan->credential.name);
	plan->old_signer = plan->credential.signing_version;
	verb_uuid(ctx, plan->version_uuid);
	ctx->plan = plan;
	if (plan->credential.kind == CREDENTIAL_LEAF || ctx->options.dry_run)
		return RC_OK;
	return need_ca(ctx, plan, e);
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

/* Whatever was wanted no longer is; ret: all versions that have to go, and those that were wanted. */
static troth_rc unwant(struct verb_ctx *ctx, int64_t credential_id, int64_t keep, struct rotation_row *ret, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	TRY(version_row_list_credential(ctx->tx, ctx->a, credential_id, PAGE_ALL, &versions, &n, e));
	ret->old_versions = (struct id_list){ ARENA_ARRAY(ctx->a, int64_t, n + 1), 0 };
	ret->wanted_before = (struct id_list){ ARENA_ARRAY(ctx->a, int64_t, n + 1), 0 };
	for (size_t i = 0; i < n; i++) {
		if (versions[i].id == keep || versions[i].retired_at)
			continue;
		ret->old_versions.items[ret->old_versions.count++] = versions[i].id;
		if (!versions[i].wanted)
			continue;
		ret->wanted_before.items[ret->wanted_before.count++] = versions[i].id;
		versions[i].wanted = false;
		versions[i].renewing = 0;
		TRY(version_row_update(ctx->tx, &versions[i], e));
	}
	return RC_OK;
}

static troth_rc supersede_one(struct verb_ctx *ctx, struct rotation_row *row, const struct rotation_row *by,
			      struct troth_err *e)
{
	struct operation_row op;
	row->state = ROTATION_ABORTED;
	row->superseded_by = by->id;
	row->finished = ctx->now;
	TRY(rotation_row_update(ctx->tx, row, e));
	TRY(operation_row_get(ctx->tx, ctx->a, row->operation_id, &op, e));
	op.state = OPERATION_CANCELLED;
	op.finished = op.updated = ctx->now;
	op.waits_for = NULL;
	op.result = arena_printf(ctx->a, "{\"superseded_by\":\"%s\"}", by->uuid);
	verb_publish(ctx, "operation/%s", op.uuid);
	verb_publish(ctx, "rotation/%s", row->uuid);
	return operation_row_update(ctx->tx, &op, e);
}

/* Rotations of it that were running: their new version has become an old one.  A pause was theirs. */
static troth_rc supersede(struct verb_ctx *ctx, int64_t credential_id, const struct rotation_row *by, struct troth_err *e)
{
	struct rotation_row *rows;
	struct credential_row c;
	size_t n;
	TRY(rotation_row_list_open(ctx->tx, ctx->a, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		if (rows[i].credential_id == credential_id && rows[i].id != by->id)
			TRY(supersede_one(ctx, &rows[i], by, e));
	TRY(credential_row_get(ctx->tx, ctx->a, credential_id, &c, e));
	if (!c.paused)
		return RC_OK;
	c.paused = false;
	return credential_row_update(ctx->tx, &c, e);
}

static troth_rc new_version(struct verb_ctx *ctx, const struct rotate_plan *plan, int64_t *ret_id, struct troth_err *e)
{
	struct version_row version = { .uuid = plan->version_uuid, .source = VERSION_GENERATED,
				       .key_blob = ctx->replies[0]->blob, .wanted = true, .can_sign = true };
	TRY(issue_store(ctx, &plan->credential, plan->issuer_version ? &plan->issuer : NULL, ctx->replies[0]->der,
			&version, e));
	*ret_id = version.id;
	return RC_OK;
}

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

static troth_rc insert_rows(struct verb_ctx *ctx, const struct rotate_cmd *cmd, const struct credential_row *c,
			    struct rotation_row *rotation, struct troth_err *e)
{
	char *operation_uuid = arena_alloc(ctx->a, UUID_LEN);
	verb_uuid(ctx, operation_uuid);
	struct operation_row op = { .uuid = operation_uuid, .kind = "rotation", .object = c->name,
				    .state = OPERATION_RUNNING, .started_by = ctx->who->name, .created = ctx->now,
				    .updated = ctx->now };
	TRY(operation_row_insert(ctx->tx, &op, e));
	rotation->credential_id = c->id;
	rotation->state = ROTATION_RUNNING;
	rotation->operation_id = op.id;
	rotation->reason = cmd->reason;
	rotation->started_by = ctx->who->name;
	rotation->started = ctx->now;
	TRY(rotation_row_insert(ctx->tx, rotation, e));
	verb_changed(ctx, CHANGED_ROTATION, rotation->id);
	verb_publish(ctx, "operation/%s", operation_uuid);
	return RC_OK;
}

static troth_rc record_start(struct verb_ctx *ctx, const struct credential_row *c, const struct rotation_row *rotation,
			     const struct rotate_ret *ret, bool ignore_outside, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "rotation", rotation->uuid);
	jw_kv_text(&r.w, "new_version", ret->new_version);
	jw_kv_int(&r.w, "old_versions", (int64_t)rotation->old_versions.count);
	jw_kv_text(&r.w, "reason", rotation->reason);
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

static troth_rc start(struct verb_ctx *ctx, const struct rotate_cmd *cmd, const struct rotate_plan *plan,
		      struct rotate_ret *ret, struct troth_err *e)
{
	const struct credential_row *c = &plan->credential;
	char *uuid = arena_alloc(ctx->a, UUID_LEN);
	struct rotation_row rotation = { .uuid = uuid };
	struct operation_row op;
	bool ca = c->kind == CREDENTIAL_AUTHORITY;
	verb_uuid(ctx, uuid);
	if (ca) {
		TRY(new_version(ctx, plan, &rotation.new_version, e));
		TRY(unwant(ctx, c->id, rotation.new_version, &rotation, e));
		ret->new_version = plan->version_uuid;
	} else {
		TRY(make_due(ctx, c->id, &rotation.old_versions, e));
	}
	TRY(insert_rows(ctx, cmd, c, &rotation, e));
	TRY(supersede(ctx, c->id, &rotation, e));
	TRY(operation_row_get(ctx->tx, ctx->a, rotation.operation_id, &op, e));
	ret->rotation = uuid;
	ret->operation = op.uuid;
	if (cmd->ignore_outside)
		TRY(waive_outside(ctx, c, ret, e));
	return record_start(ctx, c, &rotation, ret, cmd->ignore_outside, e);
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
	const struct rotate_plan *plan = ctx->plan;
	struct rotate_ret *ret = out;
	struct credential_row now;
	TRY(load(ctx, cmd, &now, e));
	TRY(census_take(ctx, &now, ret, e));
	if (now.kind == CREDENTIAL_LEAF && ret->slots == 0)
		return refuse_no_slot(&now, e);
	ret->dry_run = ctx->options.dry_run;
	if (ret->dry_run)
		return RC_OK;
	if (plan->issuer_version) {
		struct signer issuer;
		TRY(signer_load(ctx->tx, ctx->a, now.issuer_id, &issuer, e));
		ctx->retry = issuer.version.id != plan->issuer_version;
	}
	if (ctx->retry || now.id != plan->credential.id)
		return (ctx->retry = true, RC_OK);
	return start(ctx, cmd, plan, ret, e);
}

const struct verb VERB_ROTATE = {
	.name = "rotation.start", .kind = VERB_WRITE, .roles = ROLES_CHANGE,
	.cmd_size = sizeof(struct rotate_cmd), .ret_size = sizeof(struct rotate_ret),
	.prepare = rotate_prepare, .run = rotate_run,
};
