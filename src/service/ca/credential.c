/* Credentials: named leaf certificates, and the views that authorities share with them.
 *
 * A credential made here is signed at once when a CSR comes with it; without one it is a definition, and
 * the slot whose pattern makes the same name finds it ready.  Renewing one that slots present does not
 * sign anything: it makes the newest version due, and the engine asks each slot for a new key and sends
 * the chain when that is safe. */
#include "service/ca/credential.h"

#include "model/name.h"
#include "service/check.h"
#include "service/handout/sign.h"
#include "service/intake/upload.h"
#include "service/outside/holder.h"
#include "service/record.h"

/* -- views ------------------------------------------------------------------------------------- */
troth_rc version_view_load(struct tx *tx, struct arena *a, const struct version_row *row, struct version_view *ret, struct troth_err *e)
{
	ret->row = *row;
	ret->row.key_blob = ret->row.sealed_key = (struct bytes){ NULL, 0 }; /* nobody outside needs them */
	TRY(cert_row_get(tx, a, row->cert_id, &ret->cert, e));
	if (!row->signed_by)
		return RC_OK;
	struct version_row issuer;
	TRY(version_row_get(tx, a, row->signed_by, &issuer, e));
	ret->signed_by = issuer.uuid;
	return RC_OK;
}

static troth_rc load_versions(struct tx *tx, struct arena *a, struct credential_view *view, struct troth_err *e)
{
	struct version_row *rows;
	size_t n, bytes = 0;
	TRY(version_row_list_recent(tx, a, view->row.id, LIMIT_VERSIONS_SHOWN, &rows, &n, e));
	view->next_renewal = renewal_next(rows, n);
	TRY(record_room(a, n * sizeof *view->versions, view->row.name, e));
	view->versions = ARENA_ARRAY(a, struct version_view, n);
	for (size_t i = 0; i < n && bytes < LIMIT_VERSIONS_BYTES; i++) { /* with a hundred long names each, fewer fit */
		TRY(record_room(a, 0, view->row.name, e));
		TRY(version_view_load(tx, a, &rows[i], &view->versions[i], e));
		bytes += view->versions[i].cert.der.len;
		view->version_count++;
	}
	return RC_OK;
}

troth_rc credential_view_load(struct tx *tx, struct arena *a, const struct credential_row *row, bool versions,
			      struct credential_view *ret, struct troth_err *e)
{
	bool waits;
	*ret = (struct credential_view){ .row = *row };
	TRY(ca_request_row_of(tx, a, row->id, &ret->request, &waits, e));
	ret->request.key_blob = (struct bytes){ NULL, 0 }; /* nobody outside needs it */
	TRY(rollout_row_of(tx, a, row->id, &ret->rollout, e));
	TRY(credential_row_ends(tx, row->id, &ret->expires, e));
	TRY(credential_spec_read(a, row->spec, &ret->spec, e));
	if (row->issuer_id) {
		struct credential_row issuer;
		TRY(credential_row_get(tx, a, row->issuer_id, &issuer, e));
		ret->issuer = issuer.name;
	}
	return versions ? load_versions(tx, a, ret, e) : RC_OK;
}

unsigned credential_role_eku(const char *role)
{
	if (!role || text_equal(role, "server"))
		return EKU_SERVER;
	return text_equal(role, "client") ? EKU_CLIENT : text_equal(role, "both") ? EKU_SERVER | EKU_CLIENT : 0;
}

const char *credential_role_name(unsigned eku)
{
	return eku == EKU_CLIENT ? "client" : eku == (EKU_SERVER | EKU_CLIENT) ? "both" : "server";
}

/* -- finding -------------------------------------------------------------------------------------- */
troth_rc credential_name_free(struct verb_ctx *ctx, const char *name, struct troth_err *e)
{
	struct credential_row taken;
	if (rc_failed(credential_row_by_name(ctx->tx, ctx->a, name, &taken, NULL)))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s exists already", name);
	err_object(e, "%s", name);
	err_hint(e, "choose another name, or look at it: troth %s show %s",
		 taken.kind == CREDENTIAL_AUTHORITY ? "authority" : "credential", name);
	return rc;
}

troth_rc authority_by_name(struct verb_ctx *ctx, const char *name, struct credential_row *ret, struct troth_err *e)
{
	struct credential_row row;
	bool there = rc_ok(credential_row_by_name(ctx->tx, ctx->a, name, &row, NULL)) &&
		     row.kind == CREDENTIAL_AUTHORITY && record_readable(ctx->who, name);
	if (there) {
		*ret = row;
		return RC_OK;
	}
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "there is no authority %s", name);
	err_object(e, "%s", name);
	err_hint(e, "create it first: troth authority create %s", name);
	return rc;
}

troth_rc authority_may_sign(const struct verb_ctx *ctx, const struct credential_row *authority, struct troth_err *e)
{
	if (!name_is_reserved(authority->name) || ctx->who->roles & ROLES_ADMIN)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_FORBIDDEN, "%s is troth's own: by what it signs, agents and the server know each other", authority->name);
	err_object(e, "%s", authority->name);
	err_hint(e, "name another authority; only an administrator has this one sign");
	return rc;
}

troth_rc authority_to_sign(struct verb_ctx *ctx, const char *name, struct credential_row *ret, struct troth_err *e)
{
	TRY(authority_by_name(ctx, name, ret, e));
	return authority_may_sign(ctx, ret, e);
}

troth_rc authority_above_may_sign(struct verb_ctx *ctx, const struct credential_row *row, struct troth_err *e)
{
	struct credential_row above;
	if (!row->issuer_id)
		return RC_OK;
	TRY(credential_row_get(ctx->tx, ctx->a, row->issuer_id, &above, e));
	return authority_may_sign(ctx, &above, e);
}

troth_rc credential_has_slots(struct verb_ctx *ctx, const struct credential_row *row, bool *ret, struct troth_err *e)
{
	struct target_row *targets;
	size_t n;
	*ret = false;
	TRY(target_row_list_credential(ctx->tx, ctx->a, row->id, &targets, &n, e));
	for (size_t i = 0; i < n; i++)
		*ret = *ret || targets[i].state != TARGET_LEFT;
	return RC_OK;
}

/* A leaf by id in the principal's scope. */
static troth_rc leaf_by_id(struct verb_ctx *ctx, const char *id, struct credential_row *ret, struct troth_err *e)
{
	TRY(record_uuid("credential", id, e));
	TRY(credential_row_by_uuid(ctx->tx, ctx->a, id, ret, e));
	ENSURE(ret->kind == CREDENTIAL_LEAF, e, TROTH_NOT_FOUND, "%s is an authority", id);
	return record_visible(ctx->who, "credential", ret->name, e);
}

static troth_rc list_one(struct verb_ctx *ctx, enum credential_kind kind, const char *name, struct credential_list_ret *ret,
			 struct troth_err *e)
{
	struct credential_row row;
	if (rc_failed(credential_row_by_name(ctx->tx, ctx->a, name, &row, NULL)) || row.kind != kind ||
	    !record_in_scope(ctx->who, name))
		return RC_OK;
	ret->items = ARENA_NEW(ctx->a, struct credential_view);
	ret->count = 1;
	return credential_view_load(ctx->tx, ctx->a, &row, true, ret->items, e);
}

troth_rc credential_list(struct verb_ctx *ctx, enum credential_kind kind, const struct list_cmd *cmd,
			 struct credential_list_ret *ret, struct troth_err *e)
{
	struct credential_row *rows;
	size_t n;
	if (cmd->name && !cmd->filter)
		return list_one(ctx, kind, cmd->name, ret, e);
	TRY(credential_find(ctx, kind, cmd, &rows, &n, e));
	ret->items = ARENA_ARRAY(ctx->a, struct credential_view, n);
	ret->next = record_next(cmd->page, n, n ? rows[n - 1].id : 0);
	for (size_t i = 0; i < n; i++) {
		if (!record_in_scope(ctx->who, rows[i].name))
			continue;
		TRY(credential_view_load(ctx->tx, ctx->a, &rows[i], kind == CREDENTIAL_AUTHORITY,
					 &ret->items[ret->count++], e));
	}
	return RC_OK;
}

/* -- create ------------------------------------------------------------------------------------------ */
struct csr_plan {
	struct csr csr;
	struct sign_plan sign;
};

static void create_check(struct arena *a, const struct credential_create_cmd *cmd, bool reserved_ok, struct troth_err *e)
{
	struct checker c = { a, e };
	check_new_name(&c, "$.name", cmd->name, reserved_ok);
	check_name(&c, "$.authority", cmd->authority);
	check_common_name(&c, "$.common_name", cmd->common_name);
	check_common_name(&c, "$.organization", cmd->organization);
	check_common_name(&c, "$.organizational_unit", cmd->organizational_unit);
	check_subject_place(&c, &cmd->place);
	check_role(&c, "$.role", cmd->role);
	check_key_type(&c, "$.key_type", cmd->key_type);
	check_sans(&c, "$.sans", cmd->sans, false);
	check_ttl(&c, "$.ttl", cmd->ttl);
	renewal_check(&c, "", &cmd->renew, cmd->ttl);
	struct csr csr;
	struct troth_err why = { 0 };
	if (cmd->csr && rc_failed(csr_parse(a, bytes_of_text(cmd->csr), &csr, &why)))
		check_fail(&c, "$.csr", "csr", why.primary, why.hint[0] ? why.hint : NULL);
}

void credential_create_check(struct arena *a, const struct credential_create_cmd *cmd, struct troth_err *e)
{
	create_check(a, cmd, false, e);
}

static struct credential_row row_of(struct verb_ctx *ctx, const struct credential_create_cmd *cmd,
				    const struct credential_row *authority, const char *key_type)
{
	struct credential_spec spec = { .common_name = cmd->common_name, .organization = cmd->organization,
					.organizational_unit = cmd->organizational_unit, .place = cmd->place, .sans = cmd->sans,
					.eku = credential_role_eku(cmd->role), .path_len = -1, .clamp = cmd->clamp };
	return (struct credential_row){
		.uuid = verb_uuid_text(ctx), .name = cmd->name, .kind = CREDENTIAL_LEAF, .issuer_id = authority->id,
		.key_type = key_type, .spec = credential_spec_write(ctx->a, &spec), .leaf_ttl = cmd->ttl, .rev = 1,
		.renew = renewal_word(ctx->a, &cmd->renew), .created = ctx->now,
	};
}

static troth_rc need_signature(struct verb_ctx *ctx, const struct credential_row *row, const char *csr, struct csr_plan *plan,
			       struct troth_err *e)
{
	TRY(csr_parse(ctx->a, bytes_of_text(csr), &plan->csr, e));
	return sign_need(ctx, row, plan->csr.spki, &plan->sign, e);
}

static troth_rc create_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct credential_create_cmd *cmd = arg;
	struct credential_row authority;
	create_check(ctx->a, cmd, ctx->who->roles & ROLE_SYSTEM, e);
	TRY(check_done(e));
	TRY(principal_in_scope(ctx->who, cmd->name, e));
	TRY(credential_name_free(ctx, cmd->name, e));
	TRY(authority_to_sign(ctx, cmd->authority, &authority, e));
	if (!cmd->csr)
		return RC_OK;
	struct csr_plan *plan = ARENA_NEW(ctx->a, struct csr_plan);
	struct credential_row row = row_of(ctx, cmd, &authority, NULL);
	ctx->plan = plan;
	return need_signature(ctx, &row, cmd->csr, plan, e);
}

static troth_rc record_credential(struct verb_ctx *ctx, const char *action, const struct credential_row *row,
				  const struct version_row *version, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "id", row->uuid);
	jw_kv_text(&r.w, "key_type", row->key_type);
	if (version)
		jw_kv_text(&r.w, "version", version->uuid);
	return record_change(ctx, &(struct change){ .action = action, .object = row->name, .after = record_end(&r, ctx->a) }, e);
}

static troth_rc store_signed(struct verb_ctx *ctx, const struct credential_row *row, const struct csr_plan *plan,
			     struct version_row *version, struct credential_ret *ret, struct troth_err *e)
{
	*version = (struct version_row){ .source = VERSION_CSR, .wanted = true };
	return sign_store(ctx, row, &plan->sign, version, &ret->chain, e);
}

static troth_rc create_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct credential_create_cmd *cmd = arg;
	struct csr_plan *plan = ctx->plan;
	struct credential_ret *ret = out;
	struct credential_row authority;
	struct version_row version;
	bool sign = plan && !ctx->options.dry_run;
	TRY(credential_name_free(ctx, cmd->name, e));
	TRY(authority_to_sign(ctx, cmd->authority, &authority, e));
	struct credential_row row = row_of(ctx, cmd, &authority, plan ? key_type_name(plan->csr.key_type) :
						     cmd->key_type ? cmd->key_type : "ec-p256");
	if (sign)
		TRY(sign_choose(ctx, &row, &plan->sign, e));
	if (ctx->retry)
		return RC_OK;
	TRY(credential_row_insert(ctx->tx, &row, e));
	if (row.leaf_ttl > authority.leaf_ttl)
		TRY(renewal_refresh(ctx, authority.id, e));
	if (sign)
		TRY(store_signed(ctx, &row, plan, &version, ret, e));
	verb_changed(ctx, CHANGED_CREDENTIAL, row.id);
	TRY(record_credential(ctx, "credential.create", &row, sign ? &version : NULL, e));
	TRY(credential_row_get(ctx->tx, ctx->a, row.id, &row, e));
	return credential_view_load(ctx->tx, ctx->a, &row, true, &ret->credential, e);
}

/* -- renew -------------------------------------------------------------------------------------------- */
static troth_rc renew_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct credential_renew_cmd *cmd = arg;
	struct credential_row row;
	bool owned;
	TRY(leaf_by_id(ctx, cmd->id, &row, e));
	TRY(upload_is_owned(ctx->tx, ctx->a, &row, &owned, e));
	if (owned)
		return upload_refuse_renewal(&row, e);
	if (!cmd->csr)
		return RC_OK;
	ENSURE(row.issuer_id, e, TROTH_CONFLICT, "%s was uploaded; it has no authority here that could renew it", row.name);
	TRY(authority_above_may_sign(ctx, &row, e));
	struct csr_plan *plan = ARENA_NEW(ctx->a, struct csr_plan);
	ctx->plan = plan;
	return need_signature(ctx, &row, cmd->csr, plan, e);
}

/* The targets that present this credential and have not left. */
static troth_rc presenting(struct verb_ctx *ctx, const struct credential_row *row, struct json_texts *ret, struct troth_err *e)
{
	struct target_row *targets;
	size_t n;
	TRY(target_row_list_credential(ctx->tx, ctx->a, row->id, &targets, &n, e));
	ret->items = ARENA_ARRAY(ctx->a, const char *, n);
	for (size_t i = 0; i < n; i++)
		if (targets[i].state == TARGET_JOINING || targets[i].state == TARGET_COUNTED)
			ret->items[ret->count++] = targets[i].uuid;
	return RC_OK;
}

/* Each wanted version is due now: the engine asks its slot for a new key. */
static troth_rc make_due(struct verb_ctx *ctx, const struct credential_row *row, struct json_texts *ret_asked, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	TRY(presenting(ctx, row, ret_asked, e));
	if (!ret_asked->count) {
		troth_rc rc = err_set(e, TROTH_CONFLICT, "no slot presents %s, so nobody can be asked for a new key", row->name);
		err_hint(e, "whoever took it comes with a request: troth credential renew %s --csr-file FILE; or, if it was generated: credhub regenerate",
			 row->name);
		err_object(e, "%s", row->name);
		return rc;
	}
	TRY(version_row_list_recent(ctx->tx, ctx->a, row->id, LIMIT_VERSIONS_LIVE, &versions, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (!versions[i].wanted)
			continue;
		versions[i].renew_at = ctx->now;
		TRY(version_row_update(ctx->tx, &versions[i], e));
	}
	return RC_OK;
}

static troth_rc renew_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct credential_renew_cmd *cmd = arg;
	struct csr_plan *plan = ctx->plan;
	struct credential_ret *ret = out;
	struct credential_row row;
	struct version_row version;
	TRY(leaf_by_id(ctx, cmd->id, &row, e));
	TRY(record_if_match(ctx, row.name, row.rev, e));
	if (plan && !ctx->options.dry_run) {
		TRY(sign_choose(ctx, &row, &plan->sign, e));
		if (ctx->retry)
			return RC_OK;
		TRY(store_signed(ctx, &row, plan, &version, ret, e));
	} else if (!plan) {
		TRY(make_due(ctx, &row, &ret->asked, e));
	}
	TRY(credential_row_get(ctx->tx, ctx->a, row.id, &row, e));
	row.rev++;
	TRY(credential_row_update(ctx->tx, &row, e));
	verb_changed(ctx, CHANGED_CREDENTIAL, row.id);
	TRY(record_credential(ctx, "credential.renew", &row, plan && !ctx->options.dry_run ? &version : NULL, e));
	return credential_view_load(ctx->tx, ctx->a, &row, true, &ret->credential, e);
}

/* -- reading ----------------------------------------------------------------------------------------- */
static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	return credential_list(ctx, CREDENTIAL_LEAF, arg, out, e);
}

static troth_rc show_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct credential_ret *ret = out;
	struct credential_row row;
	TRY(leaf_by_id(ctx, cmd->id, &row, e));
	return credential_view_load(ctx->tx, ctx->a, &row, true, &ret->credential, e);
}

const struct verb VERB_CREDENTIAL_CREATE = { "credential.create", VERB_WRITE, ROLES_CHANGE, sizeof(struct credential_create_cmd),
					     sizeof(struct credential_ret), create_prepare, create_run };
const struct verb VERB_CREDENTIAL_LIST = { "credential.list", VERB_READ, ROLES_READ, sizeof(struct list_cmd),
					   sizeof(struct credential_list_ret), NULL, list_run };
const struct verb VERB_CREDENTIAL_SHOW = { "credential.show", VERB_READ, ROLES_READ, sizeof(struct id_cmd),
					   sizeof(struct credential_ret), NULL, show_run };
const struct verb VERB_CREDENTIAL_VERSIONS = { "credential.versions", VERB_READ, ROLES_READ, sizeof(struct id_cmd),
					       sizeof(struct credential_ret), NULL, show_run };
const struct verb VERB_CREDENTIAL_RENEW = { "credential.renew", VERB_WRITE, ROLES_CHANGE, sizeof(struct credential_renew_cmd),
					    sizeof(struct credential_ret), renew_prepare, renew_run };
