/* Identities of agents.  An agent renews its own at half life with a CSR, over a connection that its
 * present certificate made.  Two fingerprints are accepted for an instance: the newest and the one that
 * asked for it, so an answer that is lost on the way locks nobody out. */
#include "service/fleet/identity.h"

#include "service/ca/credential.h"
#include "service/ca/own.h"
#include "service/record.h"

bool identity_check_csr(const struct checker *c, const char *path, const char *csr)
{
	struct csr parsed;
	struct troth_err why = { 0 };
	if (rc_failed(csr_parse(c->a, bytes_of_text(csr), &parsed, &why))) {
		check_fail(c, path, "csr", why.primary, why.hint[0] ? why.hint : NULL);
		return false;
	}
	if (parsed.key_type == KEY_EC_P256 || parsed.key_type == KEY_EC_P384)
		return true;
	check_fail(c, path, "key-type", "is for a key that nothing can be sealed to", "an identity key is ec-p256 or ec-p384");
	return false;
}

/* As if it were a credential: what issue_leaf_need reads of one. */
static struct credential_row pseudo_credential(struct arena *a, const char *kind, const char *uuid, const char *unit)
{
	const char **sans = ARENA_ARRAY(a, const char *, 1);
	sans[0] = arena_printf(a, "uri:troth://%s/%s", kind, uuid);
	struct credential_spec spec = { .common_name = uuid, .organizational_unit = unit, .sans = { sans, 1 }, .eku = EKU_CLIENT, .path_len = -1,
					.clamp = true };
	return (struct credential_row){ .name = uuid, .kind = CREDENTIAL_LEAF, .spec = credential_spec_write(a, &spec) };
}

static troth_rc own_authority(struct verb_ctx *ctx, const char *name, struct credential_row *ret, struct troth_err *e)
{
	if (rc_ok(credential_row_by_name(ctx->tx, ctx->a, name, ret, NULL)))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_UNAVAILABLE, "there is no authority %s", name);
	err_hint(e, "this store was not made by troth init, or not to its end: run it again");
	return rc;
}

static troth_rc agents_signer(struct verb_ctx *ctx, struct signer *ret, struct troth_err *e)
{
	struct credential_row agents;
	TRY(own_authority(ctx, IDENTITY_AUTHORITY, &agents, e));
	return signer_load(ctx->tx, ctx->a, agents.id, ret, e);
}

troth_rc identity_need(struct verb_ctx *ctx, const char *csr, const char *kind, const char *uuid, struct identity_plan *ret,
		       struct troth_err *e)
{
	struct csr parsed;
	struct credential_row credential = pseudo_credential(ctx->a, kind, uuid, ret->unit);
	TRY(csr_parse(ctx->a, bytes_of_text(csr), &parsed, e));
	TRY(agents_signer(ctx, &ret->signer, e));
	return issue_leaf_need(ctx, &credential, &ret->signer, parsed.spki, e);
}

troth_rc identity_moved(struct verb_ctx *ctx, const struct identity_plan *plan, bool *ret, struct troth_err *e)
{
	struct signer now;
	TRY(agents_signer(ctx, &now, e));
	*ret = now.version.id != plan->signer.version.id;
	return RC_OK;
}

troth_rc identity_set(struct verb_ctx *ctx, struct instance_row *row, struct bytes der, struct troth_err *e)
{
	const struct cert *cert;
	TRY(cert_parse(ctx->a, der, &cert, e));
	row->identity_previous = row->identity_fingerprint;
	row->identity_fingerprint = bytes_of(cert->fingerprint, SHA256_LEN);
	row->identity_not_after = cert->not_after;
	row->identity_der = cert->der;
	return RC_OK;
}

troth_rc identity_own_ca(struct verb_ctx *ctx, const char *authority, const char **ret_pem, struct troth_err *e)
{
	struct credential_row row;
	TRY(own_authority(ctx, authority, &row, e));
	return issue_anchors_pem(ctx->tx, ctx->a, row.id, ret_pem, e);
}

troth_rc identity_agents_ca(struct verb_ctx *ctx, const char **ret_pem, struct troth_err *e)
{
	return identity_own_ca(ctx, IDENTITY_AUTHORITY, ret_pem, e);
}

troth_rc identity_answer(struct verb_ctx *ctx, const struct identity_plan *plan, struct bytes der, struct msg_renewed *ret, struct troth_err *e)
{
	const char *issuer, *above;
	bool root = text_equal(plan->signer.cert->subject, plan->signer.cert->issuer);
	TRY(issue_chain_pem(ctx->tx, ctx->a, &plan->signer.version, &issuer, &above, e));
	ret->certificate = cert_pem(ctx->a, der);
	ret->chain = root ? "" : arena_printf(ctx->a, "%s%s", issuer, above);
	return identity_own_ca(ctx, SERVER_AUTHORITY, &ret->server_ca, e);
}

/* -- renewing ----------------------------------------------------------------------------------------- */
static troth_rc self_load(struct verb_ctx *ctx, struct instance_row *ret, struct troth_err *e)
{
	TRY(instance_row_get(ctx->tx, ctx->a, ctx->who->instance_id, ret, e));
	ENSURE(ret->state != INSTANCE_LEFT, e, TROTH_FORBIDDEN, "instance %s has left", ret->name);
	return RC_OK;
}

static troth_rc renew_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct msg_identity *m = arg;
	struct checker c = { ctx->a, e };
	struct instance_row self;
	if (check_present(&c, "$.csr", m->csr))
		identity_check_csr(&c, "$.csr", m->csr);
	TRY(check_done(e));
	TRY(self_load(ctx, &self, e));
	struct identity_plan *plan = ARENA_NEW(ctx->a, struct identity_plan);
	ctx->plan = plan;
	return identity_need(ctx, m->csr, IDENTITY_INSTANCE, self.uuid, plan, e);
}

static troth_rc record_renewal(struct verb_ctx *ctx, const struct instance_row *self, struct troth_err *e)
{
	struct record r;
	char hex[SHA256_HEX_LEN];
	record_begin(&r);
	jw_kv_text(&r.w, "id", self->uuid);
	jw_kv_text(&r.w, "identity", hex_encode(self->identity_fingerprint.data, SHA256_LEN, hex));
	jw_kv_time(&r.w, "not_after", self->identity_not_after);
	return record_change(ctx, &(struct change){ .action = "identity.renew", .object = self->name, .deployment = self->deployment_id,
						    .after = record_end(&r, ctx->a) }, e);
}

static troth_rc renew_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct identity_plan *plan = ctx->plan;
	struct instance_row self;
	TRY(self_load(ctx, &self, e));
	TRY(identity_moved(ctx, plan, &ctx->retry, e));
	if (ctx->retry)
		return RC_OK;
	TRY(identity_set(ctx, &self, ctx->replies[0]->der, e));
	self.identity_previous = bytes_of(ctx->who->fingerprint, SHA256_LEN); /* the one it still has for sure */
	TRY(instance_row_update(ctx->tx, &self, e));
	verb_changed(ctx, CHANGED_INSTANCE, self.id);
	TRY(own_identity_renewed(ctx, &self, ctx->replies[0]->der, plan->signer.version.id, e));
	TRY(record_renewal(ctx, &self, e));
	return identity_answer(ctx, plan, ctx->replies[0]->der, out, e);
}

const struct verb VERB_IDENTITY_RENEW = { "identity.renew", VERB_WRITE, ROLE_AGENT, sizeof(struct msg_identity),
					  sizeof(struct msg_renewed), renew_prepare, renew_run };
