/* Effects: what the runner decided and only the keeper can do; one row of the outbox each, one kind of
 * work each (EFFECTS below).
 *
 *     seal     a leaf whose key the keeper makes and seals to one agent, for slots whose key_source is keeper
 *     rotate   a rotation that was due: the verb an operator uses, begun by the system
 *     upload.seal  the key of an uploaded chain, sealed to one agent that serves it
 *     binding.*, notice  what only had to wait for its time
 *
 * By the time a row is carried out the ground may have moved (the engine asked anew, somebody rotated by
 * hand): then it is simply done.  At least once: a crash between the signature and the commit repeats
 * it, and the unused certificate is in the keeper's log. */
#include "service/ca/issue_slot.h"
#include "service/ca/notice.h"
#include "service/inside.h"
#include "service/intake/upload.h"
#include "service/outside/binding.h"
#include "service/record.h"
#include "service/rotation/rotation.h"
#include "service/runner/acts.h"

struct effect {
	struct outbox_row row;
	const struct effect_kind *kind; /* NULL: there is no row */
	const struct json *body;
	bool obsolete;
	/* seal */
	struct slot_issue io;
	const char *request;
	/* upload.seal */
	struct version_row upload;
	/* rotate */
	struct rotate_cmd rotate;
	void *rotate_plan;
};

struct effect_kind {
	const char *name;
	/* Reads what the row is about; sets f->obsolete. */
	troth_rc (*load)(struct verb_ctx *ctx, struct effect *f, struct troth_err *e);
	/* What the keeper must do for it. */
	troth_rc (*prepare)(struct verb_ctx *ctx, struct effect *f, struct troth_err *e);
	/* Carries it out; `planned` is what prepare left.  May set ctx->retry. */
	troth_rc (*run)(struct verb_ctx *ctx, struct effect *f, const struct effect *planned, struct troth_err *e);
};

/* -- seal ---------------------------------------------------------------------------------------- */

static troth_rc seal_load(struct verb_ctx *ctx, struct effect *f, struct troth_err *e)
{
	f->request = json_get_text(f->body, "request", "");
	if (rc_failed(target_row_get(ctx->tx, ctx->a, json_get_int(f->body, "target", 0), &f->io.target, NULL)))
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

static troth_rc seal_prepare(struct verb_ctx *ctx, struct effect *f, struct troth_err *e)
{
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	need->kind = KEEPER_LEAF_SEAL;
	need->leaf_seal.issuer = (struct keeper_issuer){ f->io.signer.version.key_blob, f->io.signer.cert->der };
	need->leaf_seal.recipient = f->io.instance.identity_der;
	TRY(key_type_parse(f->io.credential.key_type, &need->leaf_seal.key_type, e));
	TRY(identity_signer(ctx, &f->io.instance, &need->leaf_seal.agents, e));
	TRY(issue_leaf_spec(ctx, &f->io.credential, &f->io.signer, bytes_of(NULL, 0), &need->leaf_seal.spec, e));
	return verb_need(ctx, need, e);
}

static troth_rc seal_run(struct verb_ctx *ctx, struct effect *f, const struct effect *planned, struct troth_err *e)
{
	if (planned->io.target.csr_ca != f->io.target.csr_ca) {
		ctx->retry = true;
		return RC_OK;
	}
	struct version_row version = { .source = VERSION_GENERATED, .sealed_key = ctx->replies[0]->sealed };
	return slot_issue_stage(ctx, &f->io, f->request, ctx->replies[0]->der, &version, e);
}

/* -- an uploaded key, for one agent ---------------------------------------------------------------- */

/* Obsolete: the slot left, or its owner uploaded the next one meanwhile. */
static troth_rc upload_seal_load(struct verb_ctx *ctx, struct effect *f, struct troth_err *e)
{
	struct credential_row leaf;
	if (rc_failed(target_row_get(ctx->tx, ctx->a, json_get_int(f->body, "target", 0), &f->io.target, NULL)) ||
	    f->io.target.state == TARGET_LEFT)
		return RC_OK;
	TRY(version_row_get(ctx->tx, ctx->a, json_get_int(f->body, "version", 0), &f->upload, e));
	TRY(credential_row_get(ctx->tx, ctx->a, f->upload.credential_id, &leaf, e));
	TRY(instance_row_get(ctx->tx, ctx->a, f->io.target.instance_id, &f->io.instance, e));
	f->obsolete = leaf.signing_version != f->upload.id || !f->io.instance.identity_der.len;
	return RC_OK;
}

static troth_rc upload_seal_prepare(struct verb_ctx *ctx, struct effect *f, struct troth_err *e)
{
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	need->kind = KEEPER_KEY_SEAL;
	need->key_seal.blob = f->upload.key_blob;
	need->key_seal.recipient = f->io.instance.identity_der;
	TRY(identity_signer(ctx, &f->io.instance, &need->key_seal.agents, e));
	return verb_need(ctx, need, e);
}

static troth_rc upload_seal_run(struct verb_ctx *ctx, struct effect *f, const struct effect *planned, struct troth_err *e)
{
	if (!bytes_equal(planned->io.instance.identity_der, f->io.instance.identity_der)) {
		ctx->retry = true; /* it was renewed between the two */
		return RC_OK;
	}
	return upload_stage(ctx, &f->io.target, json_get_int(f->body, "content", 0), f->upload.id, ctx->replies[0]->sealed, e);
}

/* -- rotate ---------------------------------------------------------------------------------------- */

/* Is the version still the one whose time has come?  A rotation by hand has made it unwanted. */
static troth_rc rotate_load(struct verb_ctx *ctx, struct effect *f, struct troth_err *e)
{
	struct version_row v;
	struct credential_row c;
	struct ca_request_row request;
	bool asked;
	if (rc_failed(version_row_get(ctx->tx, ctx->a, json_get_int(f->body, "version", 0), &v, NULL)))
		return RC_OK;
	TRY(credential_row_get(ctx->tx, ctx->a, v.credential_id, &c, e));
	TRY(ca_request_row_of(ctx->tx, ctx->a, c.id, &request, &asked, e));
	f->obsolete = !v.wanted || !v.renewing || c.retired || asked;
	f->rotate = (struct rotate_cmd){ .name = c.name, .reason = "its renewal is due", .again = true };
	return RC_OK;
}

static troth_rc rotate_effect_prepare(struct verb_ctx *ctx, struct effect *f, struct troth_err *e)
{
	TRY(VERB_ROTATE.prepare(ctx, &f->rotate, e));
	f->rotate_plan = ctx->plan;
	return RC_OK;
}

static troth_rc rotate_effect_run(struct verb_ctx *ctx, struct effect *f, const struct effect *planned, struct troth_err *e)
{
	struct rotate_ret ret = { 0 };
	ctx->plan = planned->rotate_plan;
	return VERB_ROTATE.run(ctx, &f->rotate, &ret, e);
}

/* -- what only had to wait for its time --------------------------------------------------------------- */

static troth_rc timed_load(struct verb_ctx *ctx, struct effect *f, struct troth_err *e)
{
	f->obsolete = false; /* looked at when it runs */
	return RC_OK;
}

static troth_rc timed_prepare(struct verb_ctx *ctx, struct effect *f, struct troth_err *e)
{
	return RC_OK; /* no key has a part in it */
}

static troth_rc fetched_run(struct verb_ctx *ctx, struct effect *f, const struct effect *planned, struct troth_err *e)
{
	return binding_fetch_is_due(ctx, f->body, e);
}

static troth_rc overdue_run(struct verb_ctx *ctx, struct effect *f, const struct effect *planned, struct troth_err *e)
{
	return binding_is_overdue(ctx, f->body, e);
}

static troth_rc notice_run(struct verb_ctx *ctx, struct effect *f, const struct effect *planned, struct troth_err *e)
{
	return notice_is_due(ctx, f->body, e);
}

static const struct effect_kind EFFECTS[] = {
	{ EFFECT_SEAL, seal_load, seal_prepare, seal_run },
	{ EFFECT_ROTATE, rotate_load, rotate_effect_prepare, rotate_effect_run },
	{ EFFECT_BINDING_FETCHED, timed_load, timed_prepare, fetched_run },
	{ EFFECT_BINDING_OVERDUE, timed_load, timed_prepare, overdue_run },
	{ EFFECT_UPLOAD_SEAL, upload_seal_load, upload_seal_prepare, upload_seal_run },
	{ EFFECT_NOTICE, timed_load, timed_prepare, notice_run },
};

/* -- the verb ---------------------------------------------------------------------------------------- */

static const struct effect_kind *kind_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(EFFECTS); i++)
		if (text_equal(EFFECTS[i].name, name))
			return &EFFECTS[i];
	return NULL;
}

/* The row that is due; row.id stays 0 if none is.  What nobody can read or needs is obsolete. */
static troth_rc effect_load(struct verb_ctx *ctx, struct effect *f, struct troth_err *e)
{
	struct outbox_row *rows;
	struct freeze_row freeze;
	bool frozen;
	size_t n;
	TRY(freeze_row_on(ctx->tx, ctx->a, &freeze, &frozen, e));
	if (frozen)
		return RC_OK; /* the rows wait for the thaw */
	TRY(outbox_take(ctx->tx, ctx->a, ctx->now, 1, &rows, &n, e));
	if (n == 0)
		return RC_OK;
	f->row = rows[0];
	f->obsolete = true;
	f->kind = kind_of(f->row.kind);
	if (!f->kind)
		return RC_OK;
	TRY(json_parse(ctx->a, bytes_of_text(f->row.body), &f->body, e));
	return f->kind->load(ctx, f, e);
}

static troth_rc effect_prepare(struct verb_ctx *ctx, const void *cmd, struct troth_err *e)
{
	struct effect *f = ctx->plan; /* what it needs depended on the keeper's answers: it goes on */
	if (!f) {
		f = ARENA_NEW(ctx->a, struct effect);
		TRY(effect_load(ctx, f, e));
	}
	ctx->plan = f->rotate_plan;
	if (f->row.id && !f->obsolete)
		TRY(f->kind->prepare(ctx, f, e));
	ctx->plan = f;
	return RC_OK;
}

static troth_rc effect_run(struct verb_ctx *ctx, const void *cmd, void *ret, struct troth_err *e)
{
	struct effect_ret *r = ret;
	const struct effect *planned = ctx->plan;
	struct effect f = { 0 };
	TRY(effect_load(ctx, &f, e));
	r->done_id = f.row.id;
	if (!f.row.id)
		return RC_OK;
	if (f.obsolete)
		return outbox_done(ctx->tx, f.row.id, e);
	if (planned->obsolete || planned->row.id != f.row.id) {
		ctx->retry = true;
		return RC_OK;
	}
	TRY(f.kind->run(ctx, &f, planned, e));
	return ctx->retry ? RC_OK : outbox_done(ctx->tx, f.row.id, e);
}

const struct verb VERB_EFFECT = {
	.name = "effect", .kind = VERB_WRITE, .roles = ROLE_SYSTEM,
	.cmd_size = sizeof(struct effect_cmd), .ret_size = sizeof(struct effect_ret),
	.prepare = effect_prepare, .run = effect_run,
};

/* -- it failed ---------------------------------------------------------------------------------- */
enum { EFFECT_RETRY_MAX_S = 300 };

/* A rotation that should have begun and could not is news, once for each reason. */
static troth_rc record_refusal(struct verb_ctx *ctx, const struct outbox_row *row, const char *why, struct troth_err *e)
{
	struct effect f = { .row = *row };
	struct record r;
	if (!text_equal(row->kind, EFFECT_ROTATE) || text_equal(row->last_error, why))
		return RC_OK;
	TRY(json_parse(ctx->a, bytes_of_text(row->body), &f.body, e));
	TRY(rotate_load(ctx, &f, e));
	record_begin(&r);
	jw_kv_text(&r.w, "why", why);
	struct change c = { .action = "rotation.refused", .object = f.rotate.name, .after = record_end(&r, ctx->a) };
	return record_change(ctx, &c, e);
}

static troth_rc effect_failed_run(struct verb_ctx *ctx, const void *cmd, void *ret, struct troth_err *e)
{
	const struct effect_failed_cmd *c = cmd;
	struct effect_ret *r = ret;
	struct outbox_row *rows;
	size_t n;
	TRY(outbox_take(ctx->tx, ctx->a, ctx->now, 1, &rows, &n, e));
	if (n == 0)
		return RC_OK;
	TRY(record_refusal(ctx, &rows[0], c->text, e));
	int64_t wait_s = rows[0].attempts >= 8 ? EFFECT_RETRY_MAX_S : INT64_C(1) << rows[0].attempts;
	r->done_id = rows[0].id;
	return outbox_retry(ctx->tx, rows[0].id, ctx->now + wait_s * MSEC_S, c->text, e);
}

const struct verb VERB_EFFECT_FAILED = {
	.name = "effect.failed", .kind = VERB_WRITE, .roles = ROLE_SYSTEM,
	.cmd_size = sizeof(struct effect_failed_cmd), .ret_size = sizeof(struct effect_ret), .run = effect_failed_run,
};
