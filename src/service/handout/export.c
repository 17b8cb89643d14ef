/* Certificates to give away: one version with its chain and its root.  See export.h. */
#include "service/handout/export.h"

#include "service/record.h"

static troth_rc find_version(struct verb_ctx *ctx, const struct export_cmd *cmd, const struct credential_row *row, struct version_row *ret,
			     struct troth_err *e)
{
	if (cmd->version) {
		TRY(record_uuid("version", cmd->version, e));
		TRY(version_row_by_uuid(ctx->tx, ctx->a, cmd->version, ret, e));
		ENSURE(ret->credential_id == row->id, e, TROTH_NOT_FOUND, "%s has no version %s", row->name, cmd->version);
		return RC_OK;
	}
	if (row->signing_version)
		return version_row_get(ctx->tx, ctx->a, row->signing_version, ret, e);
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "%s has no certificate yet", row->name);
	err_hint(e, "its slots get one when their agents ask for it: troth explain %s; or sign one: troth credential renew --csr-file", row->name);
	return rc;
}

/* The chain as served: what was uploaded with it, else issuer by issuer. */
static troth_rc find_chain(struct verb_ctx *ctx, const struct version_row *v, struct id_list *ret, struct troth_err *e)
{
	struct content_row *chains;
	size_t n;
	TRY(content_row_list_version(ctx->tx, ctx->a, v->id, &chains, &n, e));
	if (v->source != VERSION_UPLOADED || !n)
		return issue_chain(ctx->tx, ctx->a, v, ret, e);
	*ret = chains[n - 1].certs;
	return RC_OK;
}

static troth_rc find_root(struct verb_ctx *ctx, const struct version_row *v, int64_t *ret_cert, struct troth_err *e)
{
	struct version_row at = *v;
	struct cert_row cert;
	for (int depth = 0; at.signed_by && depth < LIMIT_CHAIN_CERTS; depth++)
		TRY(version_row_get(ctx->tx, ctx->a, at.signed_by, &at, e));
	*ret_cert = v->anchor_cert ? v->anchor_cert : at.cert_id;
	TRY(cert_row_get(ctx->tx, ctx->a, *ret_cert, &cert, e));
	if (!cert.self_signed)
		*ret_cert = 0;
	return RC_OK;
}

static troth_rc pem_of(struct verb_ctx *ctx, int64_t cert_id, const char **ret, struct troth_err *e)
{
	struct cert_row cert;
	TRY(cert_row_get(ctx->tx, ctx->a, cert_id, &cert, e));
	*ret = cert_pem(ctx->a, cert.der);
	return RC_OK;
}

static troth_rc run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct export_cmd *cmd = arg;
	struct export_ret *ret = out;
	struct credential_row row;
	struct version_row v;
	struct id_list chain;
	int64_t root;
	TRY(record_uuid("credential", cmd->id, e));
	TRY(credential_row_by_uuid(ctx->tx, ctx->a, cmd->id, &row, e));
	TRY(record_visible(ctx->who, "credential", row.name, e));
	TRY(find_version(ctx, cmd, &row, &v, e));
	TRY(find_chain(ctx, &v, &chain, e));
	TRY(find_root(ctx, &v, &root, e));
	ret->name = row.name;
	ret->version = v.uuid;
	TRY(pem_of(ctx, v.cert_id, &ret->certificate, e));
	ret->chain.items = ARENA_ARRAY(ctx->a, const char *, chain.count);
	for (size_t i = 1; i < chain.count; i++)
		TRY(pem_of(ctx, chain.items[i], &ret->chain.items[ret->chain.count++], e));
	return root ? pem_of(ctx, root, &ret->root, e) : RC_OK;
}

const struct verb VERB_CREDENTIAL_EXPORT = { "credential.export", VERB_READ, ROLES_READ, sizeof(struct export_cmd), sizeof(struct export_ret),
					     NULL, run };
