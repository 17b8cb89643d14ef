/* A request for recovery: is it proved, and what becomes of it.  See recovery.h.
 *
 * prepare looks from the cheapest to the dearest: the nonce's MAC, who has this certificate, the signature, the CSR.
 * Only then may the writer hear of it.  run repeats what may have changed: whose certificate it is and the row. */
#include "service/fleet/recovery.h"

#include <string.h>

#include "service/fleet/identity.h"
#include "service/fleet/member.h"
#include "service/ca/own.h"
#include "service/record.h"

#define META_RECOVERY_KEY "recovery_key"
enum { NONCE_RANDOM = 16, NONCE_PLAIN = 8 + NONCE_RANDOM, NONCE_BYTES = NONCE_PLAIN + SHA256_LEN, KEY_BYTES = 32 };

const char *recovery_state(const struct recovery_row *row, msec_t now)
{
	if (row->state == RECOVERY_DENIED)
		return "denied";
	if (recovery_contested(row))
		return "contested";
	if (row->state == RECOVERY_PENDING)
		return "pending";
	if (now - row->decided_at >= LIMIT_RECOVERY_APPROVED_S * MSEC_S)
		return "pending";
	return row->issued_at ? "issued" : "approved";
}

/* -- nonces ------------------------------------------------------------------------------------------- */
/* Eight bytes of time, sixteen random ones, and a MAC over both: the server keeps none, and knows its own again. */
static troth_rc nonce_mac(struct verb_ctx *ctx, const uint8_t plain[NONCE_PLAIN], uint8_t out[SHA256_LEN], struct troth_err *e)
{
	struct bytes key;
	TRY(meta_get(ctx->tx, ctx->a, META_RECOVERY_KEY, &key, e));
	pki_hmac_sha256(key, bytes_of(plain, NONCE_PLAIN), out);
	return RC_OK;
}

static troth_rc nonce_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct msg_nonce *ret = out;
	uint8_t nonce[NONCE_BYTES];
	char *hex = arena_alloc(ctx->a, 2 * NONCE_BYTES + 1);
	for (int i = 0; i < 8; i++)
		nonce[i] = (uint8_t)((uint64_t)ctx->now >> (56 - 8 * i));
	verb_random(ctx, nonce + 8, NONCE_RANDOM);
	TRY(nonce_mac(ctx, nonce, nonce + NONCE_PLAIN, e));
	ret->nonce = hex_encode(nonce, sizeof nonce, hex);
	return RC_OK;
}

const struct verb VERB_RECOVERY_NONCE = { "recovery.nonce", VERB_READ, ROLES_ANY, sizeof(struct no_cmd), sizeof(struct msg_nonce),
					  NULL, nonce_run };

static troth_rc refuse_nonce(struct troth_err *e, const char *why)
{
	troth_rc rc = err_set(e, TROTH_UNAUTHENTICATED, "the nonce %s", why);
	err_hint(e, "take a new one for each request: GET /v1/agent/recovery");
	return rc;
}

static troth_rc nonce_check(struct verb_ctx *ctx, const char *hex, msec_t *ret_made, struct troth_err *e)
{
	uint8_t nonce[NONCE_BYTES], mac[SHA256_LEN];
	uint64_t made = 0;
	if (strlen(hex) != 2 * sizeof nonce || !hex_decode(hex, strlen(hex), nonce, sizeof nonce))
		return refuse_nonce(e, "is none of this server's");
	TRY(nonce_mac(ctx, nonce, mac, e));
	if (!pki_same(mac, nonce + NONCE_PLAIN, sizeof mac))
		return refuse_nonce(e, "is none of this server's");
	for (int i = 0; i < 8; i++)
		made = made << 8 | nonce[i];
	*ret_made = (msec_t)made;
	if (*ret_made > ctx->now || ctx->now - *ret_made > LIMIT_RECOVERY_NONCE_S * MSEC_S)
		return refuse_nonce(e, "is too old");
	return RC_OK;
}

/* -- who ------------------------------------------------------------------------------------------------ */
struct asking {
	struct bytes print;          /* of the old certificate */
	const struct cert *old;
	struct csr csr;
	uint8_t key[SHA256_LEN];     /* of the new one */
	msec_t nonce_at;
	struct instance_row instance;
	struct recovery_row row;
	bool there;                  /* row is */
	bool issue;                  /* it was approved: the keeper signs */
	struct identity_plan identity;
};

/* Who has the wrong key learns nothing about who is here. */
static troth_rc refuse(struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_UNAUTHENTICATED, "this request for recovery is not accepted");
	err_hint(e, "the node enrols again with a token: troth token create --deployment NAME --instance NAME --reinstall");
	return rc;
}

static troth_rc find_instance(struct verb_ctx *ctx, struct asking *x, struct troth_err *e)
{
	struct troth_err why = { 0 };
	troth_rc rc = instance_row_by_fingerprint(ctx->tx, ctx->a, x->print, &x->instance, &why);
	if (rc_failed(rc) && why.kind == TROTH_NOT_FOUND)
		return refuse(e);
	return rc_ok(rc) ? rc : err_set(e, why.kind, "%s", why.primary);
}

static troth_rc find_row(struct verb_ctx *ctx, struct asking *x, struct troth_err *e)
{
	struct troth_err why = { 0 };
	troth_rc rc = recovery_row_by_instance(ctx->tx, ctx->a, x->instance.id, &x->row, &why);
	x->there = rc_ok(rc);
	return rc_ok(rc) || why.kind == TROTH_NOT_FOUND ? RC_OK : err_set(e, why.kind, "%s", why.primary);
}

static troth_rc check_signature(struct verb_ctx *ctx, const struct msg_recovery *m, const struct asking *x, struct troth_err *e)
{
	uint8_t signature[MSG_SIGNATURE_BYTES / 2];
	size_t len = strlen(m->signature);
	if (len % 2 || len / 2 > sizeof signature || !hex_decode(m->signature, len, signature, len / 2) ||
	    rc_failed(spki_verify(x->old->spki, msg_recovery_signed(ctx->a, m), bytes_of(signature, len / 2), NULL)))
		return refuse(e);
	return RC_OK;
}

/* -- what it asks for -------------------------------------------------------------------------------------- */
/* The request must be for this instance and a key of its own: another's CSR would give its identity away. */
static troth_rc check_csr(struct verb_ctx *ctx, const struct msg_recovery *m, struct asking *x, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	if (!identity_check_csr(&c, "$.csr", m->csr))
		return check_done(e);
	TRY(csr_parse(ctx->a, bytes_of_text(m->csr), &x->csr, e));
	if (!text_equal(x->csr.subject, arena_printf(ctx->a, "CN=%s", x->instance.uuid)))
		check_fail(&c, "$.csr", "subject", "is not this instance's", "its common name is the instance's id");
	if (bytes_equal(x->csr.spki, x->old->spki))
		check_fail(&c, "$.csr", "key", "is for the key that has expired", "make a new one");
	spki_id(x->csr.spki, x->key);
	return check_done(e);
}

/* The version of the agents' authority that signed the old certificate may be known as stolen. */
static troth_rc check_issuer(struct verb_ctx *ctx, const struct asking *x, struct troth_err *e)
{
	struct credential_row agents;
	struct version_row *versions;
	size_t n;
	TRY(credential_row_by_name(ctx->tx, ctx->a, IDENTITY_AUTHORITY, &agents, e));
	TRY(version_row_list_credential(ctx->tx, ctx->a, agents.id, PAGE_ALL, &versions, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct cert_row row;
		const struct cert *issuer;
		if (!versions[i].distrusted)
			continue;
		TRY(cert_row_get(ctx->tx, ctx->a, versions[i].cert_id, &row, e));
		TRY(cert_parse(ctx->a, row.der, &issuer, e));
		ENSURE(!cert_issued_by(x->old, issuer), e, TROTH_FORBIDDEN, "the CA that signed the identity of %s is distrusted",
		       x->instance.name);
	}
	return RC_OK;
}

static troth_rc check_member(struct verb_ctx *ctx, const struct asking *x, struct troth_err *e)
{
	char end[RFC3339_LEN];
	const struct instance_row *i = &x->instance;
	ENSURE(i->state != INSTANCE_LEAVING, e, TROTH_FORBIDDEN, "instance %s is leaving: it gets no new identity", i->name);
	TRY(check_issuer(ctx, x, e));
	if (x->old->not_after <= ctx->now)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "the identity of %s is valid until %s", i->name, time_format(x->old->not_after, end));
	err_hint(e, "it needs no recovery; is the node's clock right?");
	return rc;
}

/* The row against this request: a nonce is used once, and nobody asks without pause. */
static troth_rc check_row(const struct verb_ctx *ctx, const struct asking *x, struct troth_err *e)
{
	if (!x->there)
		return RC_OK;
	if (x->nonce_at <= x->row.nonce_at)
		return refuse_nonce(e, "was used already");
	ENSURE(ctx->now - x->row.last_at >= LIMIT_RECOVERY_PAUSE_S * MSEC_S, e, TROTH_BUSY, "%s has just asked; not oftener than every %d s",
	       x->instance.name, LIMIT_RECOVERY_PAUSE_S);
	if (x->row.state != RECOVERY_DENIED)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_FORBIDDEN, "the recovery of %s was denied by %s", x->instance.name, x->row.decided_by);
	err_hint(e, "if that was an error: troth recover approve %s; or the node enrols again with a token (--reinstall)", x->instance.name);
	return rc;
}

static bool is_rival(const struct asking *x)
{
	return x->there && !bytes_equal(x->row.key, bytes_of(x->key, SHA256_LEN));
}

static bool is_approved(const struct verb_ctx *ctx, const struct asking *x)
{
	const char *state = x->there ? recovery_state(&x->row, ctx->now) : "";
	return !is_rival(x) && (text_equal(state, "approved") || text_equal(state, "issued"));
}

/* -- prepare --------------------------------------------------------------------------------------------------- */
static troth_rc decode_old(struct verb_ctx *ctx, const char *pem, struct bytes *ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf der = buf_make(LIMIT_CERT_DER_BYTES);
	struct pem_reader r = pem_reader_make(bytes_of_text(pem));
	struct pem_block block;
	bool found;
	TRY(pem_next(&r, &block, &found, e));
	ENSURE(found && text_equal(block.label, "CERTIFICATE"), e, TROTH_INVALID, "is no certificate in PEM");
	TRY(pem_decode(&block, &der, e));
	*ret = arena_bytes(ctx->a, buf_bytes(&der));
	return RC_OK;
}

/* Its hash says whose it is.  What nobody here has is not looked into: to parse costs ten times as much. */
static troth_rc read_old(struct verb_ctx *ctx, const struct msg_recovery *m, struct asking *x, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	struct troth_err why = { 0 };
	struct bytes der;
	uint8_t *print = arena_alloc(ctx->a, SHA256_LEN);
	if (rc_failed(decode_old(ctx, m->certificate, &der, &why))) {
		check_fail(&c, "$.certificate", "certificate", why.primary, NULL);
		return check_done(e);
	}
	pki_sha256(der, print);
	x->print = bytes_of(print, SHA256_LEN);
	TRY(find_instance(ctx, x, e));
	return cert_parse(ctx->a, der, &x->old, e);
}

static troth_rc ask_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct msg_recovery *m = arg;
	struct asking *x = ARENA_NEW(ctx->a, struct asking);
	ctx->plan = x;
	TRY(nonce_check(ctx, m->nonce, &x->nonce_at, e));
	TRY(read_old(ctx, m, x, e));
	TRY(check_signature(ctx, m, x, e));
	TRY(check_csr(ctx, m, x, e));
	TRY(check_member(ctx, x, e));
	TRY(find_row(ctx, x, e));
	TRY(check_row(ctx, x, e));
	x->issue = is_approved(ctx, x);
	return x->issue ? identity_need(ctx, m->csr, IDENTITY_INSTANCE, x->instance.uuid, &x->identity, e) : RC_OK;
}

/* -- run: asking -------------------------------------------------------------------------------------------------- */
static troth_rc record_asking(struct verb_ctx *ctx, const struct asking *x, const char *action, struct troth_err *e)
{
	struct record r;
	char hex[SHA256_HEX_LEN];
	record_begin(&r);
	jw_kv_text(&r.w, "id", x->instance.uuid);
	jw_kv_text(&r.w, "address", x->row.peer);
	jw_kv_text(&r.w, "key", hex_encode(x->key, SHA256_LEN, hex));
	jw_kv_time(&r.w, "identity_ended", x->old->not_after);
	return record_change(ctx, &(struct change){ .action = action, .object = x->instance.name, .deployment = x->instance.deployment_id,
						    .topic = arena_printf(ctx->a, "instance/%s", x->instance.uuid),
						    .after = record_end(&r, ctx->a) }, e);
}

static troth_rc ask_first(struct verb_ctx *ctx, const struct msg_recovery *m, struct asking *x, struct troth_err *e)
{
	x->row = (struct recovery_row){ .instance_id = x->instance.id, .key = bytes_of(x->key, SHA256_LEN), .peer = m->peer ? m->peer : "",
					.asked_at = ctx->now, .last_at = ctx->now, .nonce_at = x->nonce_at };
	TRY(recovery_row_insert(ctx->tx, &x->row, e));
	return record_asking(ctx, x, "recovery.ask", e);
}

/* The old key is in two hands.  An approval of the first is void, unless it was used already. */
static troth_rc ask_rival(struct verb_ctx *ctx, const struct msg_recovery *m, struct asking *x, struct troth_err *e)
{
	bool news = x->row.rivals++ == 0;
	if (!x->row.issued_at)
		x->row.state = RECOVERY_PENDING;
	x->row.last_at = ctx->now;
	x->row.nonce_at = x->nonce_at;
	TRY(recovery_row_update(ctx->tx, &x->row, e));
	x->row.peer = m->peer ? m->peer : "";
	return news ? record_asking(ctx, x, "recovery.contested", e) : RC_OK;
}

static troth_rc ask_again(struct verb_ctx *ctx, const struct msg_recovery *m, struct asking *x, struct troth_err *e)
{
	if (text_equal(recovery_state(&x->row, ctx->now), "pending"))
		x->row.state = RECOVERY_PENDING; /* also one that was approved too long ago */
	x->row.peer = m->peer ? m->peer : "";
	x->row.last_at = ctx->now;
	x->row.nonce_at = x->nonce_at;
	return recovery_row_update(ctx->tx, &x->row, e);
}

/* -- run: the identity ----------------------------------------------------------------------------------------------- */
/* It was away for so long that nobody knows what it holds: unknown, until it has reported. */
static troth_rc forget_targets(struct verb_ctx *ctx, const struct instance_row *instance, struct troth_err *e)
{
	struct target_row *targets;
	size_t n;
	TRY(target_row_list_instance(ctx->tx, ctx->a, instance->id, &targets, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (targets[i].state != TARGET_COUNTED)
			continue;
		targets[i].base_known = false;
		targets[i].base_content = 0;
		TRY(document_row_void(ctx->tx, targets[i].id, e));
		TRY(target_row_update(ctx->tx, &targets[i], e));
		verb_changed(ctx, CHANGED_TARGET, targets[i].id);
	}
	return RC_OK;
}

/* The old certificate stays beside the new one until a session is opened with that: if this answer is lost, the agent
 * asks again in the same way, and the old one has expired for everything else. */
static troth_rc issue(struct verb_ctx *ctx, const struct msg_recovery *m, struct asking *x, const struct asking *planned,
		      struct msg_recovering *ret, struct troth_err *e)
{
	struct msg_renewed made;
	struct bytes der = ctx->replies[0]->der;
	TRY(identity_set(ctx, &x->instance, der, e));
	x->instance.identity_previous = x->print;
	x->instance.session = 0;
	TRY(instance_row_update(ctx->tx, &x->instance, e));
	verb_changed(ctx, CHANGED_INSTANCE, x->instance.id);
	TRY(forget_targets(ctx, &x->instance, e));
	TRY(own_identity_renewed(ctx, &x->instance, der, planned->identity.signer.version.id, e));
	x->row.issued_at = ctx->now;
	TRY(ask_again(ctx, m, x, e));
	TRY(record_asking(ctx, x, "recovery.issue", e));
	TRY(identity_answer(ctx, &planned->identity, der, &made, e));
	ret->state = "approved";
	ret->certificate = made.certificate;
	ret->chain = made.chain;
	ret->server_ca = made.server_ca;
	return RC_OK;
}

static troth_rc ask_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct msg_recovery *m = arg;
	const struct asking *planned = ctx->plan;
	struct msg_recovering *ret = out;
	struct asking x = *planned; /* what was proved stays proved; whose it is and the row are read again */
	TRY(find_instance(ctx, &x, e));
	TRY(find_row(ctx, &x, e));
	TRY(check_row(ctx, &x, e));
	if (planned->issue)
		TRY(identity_moved(ctx, &planned->identity, &ctx->retry, e));
	ctx->retry = ctx->retry || x.instance.id != planned->instance.id || x.instance.state != planned->instance.state ||
		     is_approved(ctx, &x) != planned->issue;
	if (ctx->retry)
		return RC_OK;
	*ret = (struct msg_recovering){ .state = "pending", .instance = x.instance.name, .retry_s = LIMIT_RECOVERY_PAUSE_S };
	if (planned->issue)
		return issue(ctx, m, &x, planned, ret, e);
	TRY((!x.there ? ask_first : is_rival(&x) ? ask_rival : ask_again)(ctx, m, &x, e));
	ret->state = recovery_contested(&x.row) ? "contested" : "pending";
	return RC_OK;
}

const struct verb VERB_RECOVERY_ASK = { "recovery.ask", VERB_WRITE, ROLES_ANY, sizeof(struct msg_recovery), sizeof(struct msg_recovering),
					ask_prepare, ask_run };

/* -- for others ---------------------------------------------------------------------------------------------------------- */
troth_rc recovery_end(struct verb_ctx *ctx, const struct instance_row *instance, bool returned, struct troth_err *e)
{
	bool there;
	TRY(recovery_row_clear(ctx->tx, instance->id, &there, e));
	return there && returned ? member_event(ctx, instance, "instance.recovered", NULL, NULL, e) : RC_OK;
}

bool recovery_waits(struct tx *tx, struct arena *a, int64_t instance_id, msec_t *ret_since)
{
	struct recovery_row row;
	if (rc_failed(recovery_row_by_instance(tx, a, instance_id, &row, NULL)) || row.state != RECOVERY_PENDING)
		return false;
	if (ret_since)
		*ret_since = row.asked_at;
	return true;
}

static troth_rc key_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct bytes there;
	uint8_t key[KEY_BYTES];
	if (rc_ok(meta_get(ctx->tx, ctx->a, META_RECOVERY_KEY, &there, NULL)))
		return RC_OK;
	verb_random(ctx, key, sizeof key);
	return meta_put(ctx->tx, META_RECOVERY_KEY, bytes_of(key, sizeof key), e);
}

const struct verb VERB_RECOVERY_KEY = { "recovery.key", VERB_WRITE, ROLE_SYSTEM, sizeof(struct no_cmd), sizeof(struct no_ret), NULL, key_run };
