/* Who signed what was brought.  See set_signer.h. */
#include "service/intake/set_signer.h"

#include "model/name.h"
#include "service/ca/credential.h"
#include "service/handout/generate.h"
#include "service/intake/known.h"
#include "service/record.h"
#include "service/rotation/distrust.h"

static troth_rc refuse(const char *clause, const char *object, const char *text, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_INVALID, "%s", text);
	err_clause(e, clause);
	err_object(e, "%s", object);
	return rc;
}

/* -- reading ---------------------------------------------------------------------------------------------------- */

troth_rc set_read(struct arena *a, const char *pem, const struct cert **ret, struct troth_err *e)
{
	const struct cert *const *certs;
	size_t n;
	troth_rc rc = certs_parse_pem(a, bytes_of_text(pem), &certs, &n, e);
	if (rc_failed(rc)) {
		err_clause(e, CLAUSE_NO_CERTIFICATE);
		return rc;
	}
	if (n > 1) {
		rc = err_set(e, TROTH_INVALID, "the PEM has %zu certificates", n);
		err_hint(e, "bring the certificate alone; who signed it is said apart");
		return rc;
	}
	*ret = certs[0];
	return RC_OK;
}

/* -- by name ------------------------------------------------------------------------------------------------------ */

static troth_rc named(struct verb_ctx *ctx, const char *name, struct credential_row *ret, struct troth_err *e)
{
	struct credential_row row;
	troth_rc rc = name_is_reserved(name) ? err_set(e, TROTH_NOT_FOUND, "%s is troth's own and signs nothing for others", name)
					     : authority_by_name(ctx, name, ret, e);
	if (rc_ok(rc))
		return rc;
	if (record_readable(ctx->who, name) && rc_ok(credential_row_by_name(ctx->tx, ctx->a, name, &row, NULL)) && row.kind == CREDENTIAL_LEAF)
		return refuse(CLAUSE_NO_CA_NAME, name, "what stands under this name is no CA", e);
	err_clause(e, CLAUSE_NO_ISSUER);
	return rc;
}

/* The label; where no key is, there is none, and what is wanted stands for it. */
static bool signs_now(const struct credential_row *authority, const struct version_row *v)
{
	return !v->distrusted && !v->retired_at && (authority->origin == ORIGIN_IMPORTED ? v->wanted : v->signing);
}

static troth_rc by_name(struct verb_ctx *ctx, const char *name, const struct cert *cert, struct set_signer *ret, struct troth_err *e)
{
	struct version_row *versions;
	struct cert_row row;
	size_t n;
	TRY(named(ctx, name, &ret->here.authority, e));
	TRY(version_row_list_credential(ctx->tx, ctx->a, ret->here.authority.id, PAGE_ALL, &versions, &n, e));
	for (size_t i = n; i > 0; i--) {
		const struct version_row *v = &versions[i - 1];
		if (!signs_now(&ret->here.authority, v))
			continue;
		TRY(cert_row_get(ctx->tx, ctx->a, v->cert_id, &row, e));
		TRY(cert_parse(ctx->a, row.der, &ret->cert, e));
		ret->here.version = *v;
		ret->here.cert = ret->cert;
		if (cert_issued_by(cert, ret->cert))
			return RC_OK;
	}
	return refuse(CLAUSE_NOT_BY_NAME, name, "the version of this authority that signs now did not sign the certificate", e);
}

/* -- by PEM --------------------------------------------------------------------------------------------------------- */

/* A version of an authority that the caller may see; authority.id 0: it is none. */
static troth_rc version_here(struct verb_ctx *ctx, const struct cert *cert, struct signer *ret, struct troth_err *e)
{
	bool found;
	TRY(known_version(ctx, cert, &ret->version, &ret->authority, &found, e));
	if (!found || !record_readable(ctx->who, ret->authority.name) || name_is_reserved(ret->authority.name))
		*ret = (struct signer){ 0 };
	ret->cert = cert;
	return RC_OK;
}

/* What is replaced goes; a new certificate by it would hold it, and go with it. */
static troth_rc check_wanted(const struct signer *s, struct troth_err *e)
{
	if (!s->authority.id || s->version.wanted || s->version.signing)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "version %s of %s, which signed the certificate, is replaced", s->version.uuid, s->authority.name);
	err_hint(e, "have it issued by the version that signs now: troth authority show %s", s->authority.name);
	err_object(e, "%s", s->authority.name);
	return rc;
}

/* `ca` as it was given out holds what is trusted in addition too: versions of one authority. */
static troth_rc check_others(struct verb_ctx *ctx, const struct cert *const *certs, size_t n, const struct signer *here, struct troth_err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct signer other = { 0 };
		TRY(version_here(ctx, certs[i], &other, e));
		if (certs[i] == here->cert || (here->authority.id && other.authority.id == here->authority.id))
			continue;
		troth_rc rc = err_set(e, TROTH_INVALID, "the PEM of the CA has %zu certificates", n);
		err_hint(e, "bring the one that signed the certificate alone");
		return rc;
	}
	return RC_OK;
}

static troth_rc refuse_not_by(const struct cert *const *certs, size_t n, struct troth_err *e)
{
	for (size_t i = 0; i < n; i++)
		if (!certs[i]->is_ca)
			return refuse(CLAUSE_NO_CA, certs[i]->subject, "who is said to have signed the certificate is no CA", e);
	return refuse(CLAUSE_NOT_BY, certs[0]->subject, "this CA did not sign the certificate", e);
}

static troth_rc by_pem(struct verb_ctx *ctx, const char *pem, const struct cert *cert, struct set_signer *ret, struct troth_err *e)
{
	const struct cert *const *certs;
	size_t n;
	bool given_up;
	troth_rc rc = certs_parse_pem(ctx->a, bytes_of_text(pem), &certs, &n, e);
	if (rc_failed(rc)) {
		err_clause(e, CLAUSE_NO_CA);
		return rc;
	}
	for (size_t i = 0; i < n && !ret->cert; i++)
		ret->cert = cert_issued_by(cert, certs[i]) ? certs[i] : NULL;
	if (!ret->cert)
		return refuse_not_by(certs, n, e);
	TRY(distrust_spki_has(ctx->tx, ctx->a, bytes_of(ret->cert->key_id, SHA256_LEN), &given_up, e));
	ENSURE(!given_up, e, TROTH_UNSAFE, "the key of %.120s was distrusted as compromised: have the certificate issued by another CA",
	       ret->cert->subject);
	TRY(version_here(ctx, ret->cert, &ret->here, e));
	TRY(check_others(ctx, certs, n, &ret->here, e));
	return check_wanted(&ret->here, e);
}

troth_rc set_signer_find(struct verb_ctx *ctx, const struct set_cmd *cmd, const struct cert *cert, struct set_signer *ret, struct troth_err *e)
{
	*ret = (struct set_signer){ 0 };
	if (cmd->issuer)
		return by_name(ctx, cmd->issuer, cert, ret, e);
	return cmd->ca ? by_pem(ctx, cmd->ca, cert, ret, e) : RC_OK;
}
