/* A CA below another one here, made elsewhere.  See adopt_below.h. */
#include "service/intake/adopt_below.h"

#include "service/intake/certify_chain.h"

/* Its wanted version hangs on the wanted one above, always (hierarchy.h). */
static troth_rc check_newest(struct verb_ctx *ctx, const struct signer *above, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	int64_t newest = 0;
	TRY(version_row_list_credential(ctx->tx, ctx->a, above->authority.id, PAGE_ALL, &versions, &n, e));
	for (size_t i = 0; i < n; i++)
		if (versions[i].wanted && !versions[i].retired_at && !versions[i].distrusted)
			newest = versions[i].id;
	if (newest == above->version.id)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s is being rotated, and the version that signed the certificate is the one that goes",
			      above->authority.name);
	err_hint(e, "have it signed by the newest one: troth authority show %s", above->authority.name);
	err_object(e, "%s", above->authority.name);
	return rc;
}

/* All that stands between it and the root, and the root. */
static troth_rc read_above(struct verb_ctx *ctx, const struct signer *above, const char **ret_pem, const struct cert **ret_root, struct troth_err *e)
{
	struct version_row at = above->version;
	struct id_list chain;
	struct cert_row row;
	*ret_pem = "";
	for (int depth = 0; at.signed_by && depth < LIMIT_CHAIN_CERTS; depth++)
		TRY(version_row_get(ctx->tx, ctx->a, at.signed_by, &at, e));
	TRY(cert_row_get(ctx->tx, ctx->a, at.cert_id, &row, e));
	TRY(cert_parse(ctx->a, row.der, ret_root, e));
	TRY(issue_chain(ctx->tx, ctx->a, &above->version, &chain, e));
	for (size_t i = 0; i < chain.count && chain.items[i] != at.cert_id; i++) {
		TRY(cert_row_get(ctx->tx, ctx->a, chain.items[i], &row, e));
		*ret_pem = arena_printf(ctx->a, "%s%s", *ret_pem, cert_pem(ctx->a, row.der));
	}
	return RC_OK;
}

troth_rc adopt_below_judge(struct verb_ctx *ctx, const char *name, const struct cert *cert, const struct signer *above, struct troth_err *e)
{
	struct certify_need need = { .name = name, .spki = cert->spki, .now = ctx->now };
	struct upload_chain chain;
	const struct cert *root;
	const char *pem;
	TRY(check_newest(ctx, above, e));
	TRY(read_above(ctx, above, &pem, &root, e));
	pem = arena_printf(ctx->a, "%s%s", cert_pem(ctx->a, cert->der), pem);
	certify_chain_read(ctx->a, "$.certificate", pem, &need, &chain, e);
	TRY(check_done(e));
	return certify_chain_anchored(ctx->a, &chain, root, &need, e);
}
