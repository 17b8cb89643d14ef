/* External authorities: the request, until its certificate comes.  See external_ca.h. */
#include "service/intake/external_ca.h"

#include "service/nouns.h"
#include "service/record.h"
#include "service/rotation/rotation_rows.h"

/* The outside CA says how long it may sign; less than the keeper's own bound by what its clock may differ. */
#define KEY_LIFE (LIMIT_KEEPER_LIFE_DAYS * MSEC_DAY - MSEC_DAY)

/* -- the keeper ------------------------------------------------------------------------------------------- */

static struct keeper_policy policy_of(const struct verb_ctx *ctx, const struct credential_row *c, int path_len, const char *key_id)
{
	struct keeper_policy p = { .kind = KEEPER_KEY_AUTHORITY, .authority = c->name, .may_sign_ca = path_len != 0, .path_len = path_len,
				   .latest_not_after = ctx->now + KEY_LIFE, .exportable = c->exportable };
	(void)text_copy(p.key_id, sizeof p.key_id, key_id); /* a uuid fits a uuid */
	return p;
}

troth_rc external_need(struct verb_ctx *ctx, const struct credential_row *c, const char *key_id, struct troth_err *e)
{
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	struct credential_spec s;
	TRY(credential_spec_read(ctx->a, c->spec, &s, e));
	need->kind = KEEPER_AUTHORITY_REQUEST;
	TRY(key_type_parse(c->key_type, &need->authority_request.key_type, e));
	need->authority_request.policy = policy_of(ctx, c, (int)s.path_len, key_id);
	need->authority_request.spec = (struct cert_spec){ .kind = CERT_INTERMEDIATE, .common_name = s.common_name,
							   .organization = s.organization, .organizational_unit = s.organizational_unit,
							   .place = s.place, .path_len = (int)s.path_len,
							   .permitted_dns = s.permitted_dns.items,
							   .permitted_dns_count = s.permitted_dns.count };
	return verb_need(ctx, need, e);
}

/* -- the row ---------------------------------------------------------------------------------------------- */

troth_rc external_ask(struct verb_ctx *ctx, const struct credential_row *c, const char *uuid, const struct keeper_reply *made,
		      int64_t rotation_id, struct troth_err *e)
{
	struct ca_request_row row = { .uuid = uuid, .credential_id = c->id, .key_blob = made->blob, .csr = made->der,
				      .rotation_id = rotation_id, .created = ctx->now };
	TRY(ca_request_row_insert(ctx->tx, &row, e));
	verb_changed(ctx, CHANGED_CREDENTIAL, c->id);
	return RC_OK;
}

troth_rc external_forget(struct verb_ctx *ctx, const struct ca_request_row *row, struct troth_err *e)
{
	TRY(ca_request_row_delete(ctx->tx, row->id, e));
	verb_changed(ctx, CHANGED_CREDENTIAL, row->credential_id);
	return RC_OK;
}

troth_rc external_ordinal(struct tx *tx, struct arena *a, int64_t credential_id, int64_t *ret, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	TRY(version_row_list_credential(tx, a, credential_id, PAGE_ALL, &versions, &n, e));
	*ret = (int64_t)n + 1;
	return RC_OK;
}

troth_rc external_waits(struct tx *tx, struct arena *a, const struct rotation_row *rotation, bool *ret, struct troth_err *e)
{
	struct ca_request_row row;
	TRY(ca_request_row_of(tx, a, rotation->credential_id, &row, ret, e));
	*ret = *ret && row.rotation_id == rotation->id;
	return RC_OK;
}

troth_rc external_rotation(struct verb_ctx *ctx, const struct credential_row *c, const char *uuid, const struct keeper_reply *made,
			   const char *reason, struct rotation_row *rotation, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	TRY(version_row_list_credential(ctx->tx, ctx->a, c->id, PAGE_ALL, &versions, &n, e));
	rotation->wanted_before = (struct id_list){ ARENA_ARRAY(ctx->a, int64_t, n + 1), 0 };
	for (size_t i = 0; i < n; i++)
		if (versions[i].wanted)
			rotation->wanted_before.items[rotation->wanted_before.count++] = versions[i].id;
	TRY(rotation_begin(ctx, c, reason, rotation, e));
	return external_ask(ctx, c, uuid, made, rotation->id, e);
}

/* -- refusals --------------------------------------------------------------------------------------------- */

troth_rc external_refuse_waiting(const struct credential_row *c, const struct ca_request_row *row, struct troth_err *e)
{
	char since[RFC3339_LEN];
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s waits for a certificate already, asked for since %s", c->name,
			      time_format(row->created / MSEC_S * MSEC_S, since));
	err_hint(e, "troth authority csr %s prints the request; bring what is signed in: troth authority certify %s --certificate-file PEM%s%s",
		 c->name, c->name, row->rotation_id ? "; for another key: troth rotation abort " : "", row->rotation_id ? c->name : "");
	err_object(e, "%s", c->name);
	return rc;
}

troth_rc external_refuse_imported(const struct credential_row *c, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "the key of %s is not here: it signs elsewhere, and its owner makes its next version", c->name);
	err_hint(e, "bring the next certificate: troth authority import %s --certificate-file PEM", c->name);
	err_object(e, "%s", c->name);
	return rc;
}

troth_rc external_refuse_none(const struct credential_row *c, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "no certificate of %s is waited for", c->name);
	if (c->origin == ORIGIN_EXTERNAL)
		err_hint(e, "its next one is asked for by: troth rotate %s", c->name);
	else
		err_hint(e, "only a CA made with --external asks for its certificate");
	err_object(e, "%s", c->name);
	return rc;
}

/* -- the verb --------------------------------------------------------------------------------------------- */

static troth_rc csr_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct authority_csr_cmd *cmd = arg;
	struct authority_csr_ret *ret = out;
	struct ca_request_row row;
	struct credential_spec spec;
	bool waits;
	TRY(record_uuid("authority", cmd->id, e));
	TRY(credential_row_by_uuid(ctx->tx, ctx->a, cmd->id, &ret->authority, e));
	TRY(record_visible(ctx->who, "authority", ret->authority.name, e));
	TRY(ca_request_row_of(ctx->tx, ctx->a, ret->authority.id, &row, &waits, e));
	if (!waits)
		return external_refuse_none(&ret->authority, e);
	TRY(credential_spec_read(ctx->a, ret->authority.spec, &spec, e));
	if (ret->authority.issuer_id) {
		struct credential_row issuer;
		TRY(credential_row_get(ctx->tx, ctx->a, ret->authority.issuer_id, &issuer, e));
		ret->issuer = issuer.name;
	}
	ret->csr = csr_pem(ctx->a, row.csr);
	ret->version = row.uuid;
	ret->since = row.created;
	ret->path_len = spec.path_len;
	return external_ordinal(ctx->tx, ctx->a, ret->authority.id, &ret->ordinal, e);
}

const struct verb VERB_AUTHORITY_CSR = {
	.name = "authority.csr", .kind = VERB_READ, .roles = ROLES_READ,
	.cmd_size = sizeof(struct authority_csr_cmd), .ret_size = sizeof(struct authority_csr_ret), .run = csr_run,
};
