/* Effects: what the runner decided and only the keeper can do.
 *
 * One kind exists so far, "seal": a leaf whose key the keeper makes and seals to one agent, for slots
 * whose key_source is keeper.  The row in the outbox names target and request; by the time it is
 * carried out the engine may have asked anew, then the row is simply done.  At least once: a crash
 * between the signature and the commit repeats it, and the unused certificate is in the keeper's log. */
#include "service/inside.h"
#include "service/issue_slot.h"

struct effect {
	struct outbox_row row;
	bool found, obsolete;
	struct slot_issue io;
	const char *request;
};

static troth_rc effect_load(struct verb_ctx *ctx, struct effect *f, struct troth_err *e)
{
	struct outbox_row *rows;
	const struct json *j;
	struct freeze_row freeze;
	bool frozen;
	size_t n;
	TRY(freeze_row_on(ctx->tx, ctx->a, &freeze, &frozen, e));
	if (frozen)
		return RC_OK; /* found nothing: the rows wait for the thaw */
	TRY(outbox_take(ctx->tx, ctx->a, ctx->now, 1, &rows, &n, e));
	f->found = n > 0;
	if (!f->found)
		return RC_OK;
	f->row = rows[0];
	TRY(json_parse(ctx->a, bytes_of_text(f->row.body), &j, e));
	f->request = json_get_text(j, "request", "");
	f->obsolete = true;
	if (!text_equal(f->row.kind, "seal") ||
	    rc_failed(target_row_get(ctx->tx, ctx->a, json_get_int(j, "target", 0), &f->io.target, NULL)))
		return RC_OK;
	f->obsolete = f->io.target.state == TARGET_LEFT || !text_equal(f->io.target.csr_request, f->request);
	if (f->obsolete)
		return RC_OK;
	TRY(instance_row_get(ctx->tx, ctx->a, f->io.target.instance_id, &f->io.instance, e));
	return slot_issue_load(ctx, &f->io, e);
}

/* The version of /troth/agents that signed the instance's identity. */
static troth_rc identity_signer(struct verb_ctx *ctx, const struct instance_row *instance, struct keeper_issuer *ret,
				struct troth_err *e)
{
	struct credential_row agents;
	struct version_row *versions;
	const struct cert *identity, *issuer;
	size_t n;
	TRY(credential_row_by_name(ctx->tx, ctx->a, KEEPER_AGENTS_AUTHORITY, &agents, e));
	TRY(version_row_list_credential(ctx->tx, ctx->a, agents.id, PAGE_ALL, &versions, &n, e));
	TRY(cert_parse(ctx->a, instance->identity_der, &identity, e));
	for (size_t i = 0; i < n; i++) {
		struct cert_row row;
		TRY(cert_row_get(ctx->tx, ctx->a, versions[i].cert_id, &row, e));
		TRY(cert_parse(ctx->a, row.der, &issuer, e));
		if (!cert_issued_by(identity, issuer))
			continue;
		*ret = (struct keeper_issuer){ versions[i].key_blob, row.der };
		return RC_OK;
	}
	return err_set(e, TROTH_CONFLICT, "the identity of instance %s is not signed by " KEEPER_AGENTS_AUTHORITY,
		       instance->name);
}

static troth_rc effect_prepare(struct verb_ctx *ctx, const void *cmd, struct troth_err *e)
{
	struct effect *f = ARENA_NEW(ctx->a, struct effect);
	TRY(effect_load(ctx, f, e));
	ctx->plan = f;
	if (!f->found || f->obsolete)
		return RC_OK;
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	need->kind = KEEPER_LEAF_SEAL;
	need->leaf_seal.issuer = (struct keeper_issuer){ f->io.signer.version.key_blob, f->io.signer.cert->der };
	need->leaf_seal.recipient = f->io.instance.identity_der;
	TRY(key_type_parse(f->io.credential.key_type, &need->leaf_seal.key_type, e));
	TRY(identity_signer(ctx, &f->io.instance, &need->leaf_seal.agents, e));
	TRY(issue_leaf_spec(ctx, &f->io.credential, &f->io.signer, bytes_of(NULL, 0), &need->leaf_seal.spec, e));
	return verb_need(ctx, need, e);
}

static troth_rc effect_run(struct verb_ctx *ctx, const void *cmd, void *ret, struct troth_err *e)
{
	struct effect_ret *r = ret;
	const struct effect *planned = ctx->plan;
	struct effect f = { 0 };
	TRY(effect_load(ctx, &f, e));
	if (!f.found)
		return RC_OK;
	r->done_id = f.row.id;
	if (f.obsolete)
		return outbox_done(ctx->tx, f.row.id, e);
	if (!planned->found || planned->obsolete || planned->row.id != f.row.id ||
	    planned->io.target.csr_ca != f.io.target.csr_ca) {
		ctx->retry = true;
		return RC_OK;
	}
	struct version_row version = { .source = VERSION_GENERATED, .sealed_key = ctx->replies[0]->sealed };
	TRY(slot_issue_stage(ctx, &f.io, f.request, ctx->replies[0]->der, &version, e));
	return outbox_done(ctx->tx, f.row.id, e);
}

const struct verb VERB_EFFECT = {
	.name = "effect", .kind = VERB_WRITE, .roles = ROLE_SYSTEM,
	.cmd_size = sizeof(struct effect_cmd), .ret_size = sizeof(struct effect_ret),
	.prepare = effect_prepare, .run = effect_run,
};

/* -- it failed ---------------------------------------------------------------------------------- */
enum { EFFECT_RETRY_MAX_S = 300 };

static troth_rc effect_failed_run(struct verb_ctx *ctx, const void *cmd, void *ret, struct troth_err *e)
{
	const struct effect_failed_cmd *c = cmd;
	struct effect_ret *r = ret;
	struct outbox_row *rows;
	size_t n;
	TRY(outbox_take(ctx->tx, ctx->a, ctx->now, 1, &rows, &n, e));
	if (n == 0)
		return RC_OK;
	int64_t wait_s = rows[0].attempts >= 8 ? EFFECT_RETRY_MAX_S : INT64_C(1) << rows[0].attempts;
	r->done_id = rows[0].id;
	return outbox_retry(ctx->tx, rows[0].id, ctx->now + wait_s * MSEC_S, c->text, e);
}

const struct verb VERB_EFFECT_FAILED = {
	.name = "effect.failed", .kind = VERB_WRITE, .roles = ROLE_SYSTEM,
	.cmd_size = sizeof(struct effect_failed_cmd), .ret_size = sizeof(struct effect_ret), .run = effect_failed_run,
};
