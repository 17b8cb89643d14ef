/* One request in, one reply out: open the key, ask the rules, take from the rate, write the log, act.
 *
 * In that order, so that nothing is signed that is not allowed and noted, and nothing is noted as
 * granted that is not allowed.  This file has the order; the checks are in rules.c. */
#include "keeper/state.h"

#include <openssl/crypto.h>

#include "base/limits.h"
#include "keeper/audit.h"
#include "keeper/journal.h"
#include "keeper/rate.h"
#include "keeper/rules.h"
#include "keeper/signer.h"
#include "keeper/webhook.h"
#include "keeper/wrap.h"

struct keeper_state {
	unsigned char *master; /* in the secure heap */
	struct keeper_ports ports;
	struct journal journal;
	struct signer_cache signers;
	struct rate rate;
};

/* One request under way. */
struct work {
	struct keeper_state *s;
	const struct keeper_request *req;
	struct key *made;
	msec_t now;
	struct arena *a;
};

static const uint8_t WHOLE_KEEPER[SHA256_LEN]; /* the rates of new keys, and of those given out, are one for all */

troth_rc keeper_state_new(const uint8_t master_key[KEEPER_MASTER_KEY_BYTES], const struct keeper_ports *ports,
			  struct keeper_state **ret, struct troth_err *e)
{
	struct keeper_state *s = calloc(1, sizeof *s);
	ENSURE(s, e, TROTH_UNAVAILABLE, "no memory for the keeper's state");
	s->master = OPENSSL_secure_malloc(KEEPER_MASTER_KEY_BYTES);
	if (!s->master) {
		free(s);
		return err_set(e, TROTH_UNAVAILABLE, "no secure memory for the master key");
	}
	memcpy(s->master, master_key, KEEPER_MASTER_KEY_BYTES);
	s->ports = *ports;
	s->journal.ports = &s->ports;
	*ret = s;
	return RC_OK;
}

void keeper_state_free(struct keeper_state *s)
{
	if (!s)
		return;
	signer_cache_clear(&s->signers);
	OPENSSL_secure_clear_free(s->master, KEEPER_MASTER_KEY_BYTES);
	free(s);
}

void keeper_state_freep(struct keeper_state **s)
{
	keeper_state_free(*s);
	*s = NULL;
}

static troth_rc take(struct work *w, const uint8_t *key, enum rate_use use, struct troth_err *e)
{
	return rate_take(&w->s->rate, key, use, port_mono(w->s->ports.clock), e);
}

static troth_rc open_issuer(struct work *w, const struct keeper_issuer *issuer, const struct signer **ret,
			    struct troth_err *e)
{
	ENSURE(issuer->blob.len && issuer->cert.len, e, TROTH_INVALID, "the issuer's wrapped key or certificate is missing");
	return signer_open(&w->s->signers, w->s->master, issuer, ret, e);
}

/* Completes a policy and a spec with the key just made. */
static troth_rc name_key(struct work *w, struct keeper_policy *policy, struct cert_spec *spec, struct bytes *ret_spki,
			 struct troth_err *e)
{
	struct bytes spki;
	CHECK(w->made);
	TRY(key_spki(w->made, w->a, &spki, e));
	if (policy) {
		spki_id(spki, policy->spki_hash);
		policy->brought = false;
	}
	if (spec)
		spec->spki = spki;
	*ret_spki = spki;
	return RC_OK;
}

static troth_rc ping(struct work *w, struct keeper_reply *ret, struct troth_err *e)
{
	(void)w;
	(void)ret;
	(void)e;
	return RC_OK;
}

static troth_rc authority_create(struct work *w, struct keeper_reply *ret, struct troth_err *e)
{
	struct keeper_policy policy = w->req->authority_create.policy;
	struct cert_spec spec = w->req->authority_create.spec;
	struct bytes spki;
	TRY(rules_root(&policy, &spec, w->now, e));
	TRY(name_key(w, &policy, &spec, &spki, e));
	TRY(cert_spec_check(&spec, NULL, e));
	TRY(take(w, WHOLE_KEEPER, RATE_NEW, e));
	TRY(journal_grant(&w->s->journal, &(struct journal_use){ .req = w->req, .key = &policy, .spec = &spec }, e));
	TRY(cert_build(&spec, NULL, w->made, w->a, &ret->der, e));
	return wrap_key(w->s->master, &policy, w->made, w->a, &ret->blob, e);
}

static troth_rc authority_sign(struct work *w, struct keeper_reply *ret, struct troth_err *e)
{
	struct keeper_policy policy = w->req->authority_sign.policy;
	struct cert_spec spec = w->req->authority_sign.spec;
	const struct signer *issuer;
	struct bytes spki;
	TRY(open_issuer(w, &w->req->authority_sign.issuer, &issuer, e));
	TRY(rules_intermediate(&issuer->policy, issuer->cert, &policy, &spec, w->now, e));
	TRY(name_key(w, &policy, &spec, &spki, e));
	TRY(cert_spec_check(&spec, issuer->cert, e));
	TRY(take(w, issuer->policy.spki_hash, RATE_CA, e));
	TRY(take(w, WHOLE_KEEPER, RATE_NEW, e));
	struct journal_use use = { .req = w->req, .key = &issuer->policy, .made = &policy, .spec = &spec };
	TRY(journal_grant(&w->s->journal, &use, e));
	TRY(cert_build(&spec, issuer->cert, issuer->key, w->a, &ret->der, e));
	return wrap_key(w->s->master, &policy, w->made, w->a, &ret->blob, e);
}

static troth_rc authority_request(struct work *w, struct keeper_reply *ret, struct troth_err *e)
{
	struct keeper_policy policy = w->req->authority_request.policy;
	struct cert_spec spec = w->req->authority_request.spec;
	struct bytes spki;
	TRY(rules_request(&policy, &spec, w->now, e));
	TRY(name_key(w, &policy, &spec, &spki, e));
	TRY(cert_request_check(&spec, e));
	TRY(take(w, WHOLE_KEEPER, RATE_NEW, e));
	TRY(journal_grant(&w->s->journal, &(struct journal_use){ .req = w->req, .key = &policy, .spec = &spec }, e));
	TRY(cert_request_build(&spec, w->made, w->a, &ret->der, e));
	return wrap_key(w->s->master, &policy, w->made, w->a, &ret->blob, e);
}

/* What was built says the root's own name, or it is another one. */
static troth_rc check_name(struct work *w, struct bytes der, const struct signer *subject, struct troth_err *e)
{
	const struct cert *built;
	TRY(cert_parse(w->a, der, &built, e));
	ENSURE(bytes_equal(built->subject_der, subject->cert->subject_der), e, TROTH_INVALID,
	       "the certificate's name \"%.80s\" is not the root's: \"%.80s\"", built->subject, subject->cert->subject);
	return RC_OK;
}

static troth_rc authority_cross(struct work *w, struct keeper_reply *ret, struct troth_err *e)
{
	struct cert_spec spec = w->req->authority_cross.spec;
	const struct signer *subject, *issuer;
	TRY(open_issuer(w, &w->req->authority_cross.subject, &subject, e));
	TRY(open_issuer(w, &w->req->authority_cross.issuer, &issuer, e));
	TRY(rules_cross(&issuer->policy, issuer->cert, &subject->policy, subject->cert, &spec, w->now, e));
	spec.spki = subject->cert->spki;
	TRY(cert_spec_check(&spec, issuer->cert, e));
	TRY(take(w, issuer->policy.spki_hash, RATE_CA, e));
	struct journal_use use = { .req = w->req, .key = &issuer->policy, .made = &subject->policy, .spec = &spec };
	TRY(journal_grant(&w->s->journal, &use, e));
	TRY(cert_build(&spec, issuer->cert, issuer->key, w->a, &ret->der, e));
	return check_name(w, ret->der, subject, e);
}

static troth_rc authority_renew(struct work *w, struct keeper_reply *ret, struct troth_err *e)
{
	struct cert_spec spec = w->req->authority_renew.spec;
	const struct signer *root;
	TRY(open_issuer(w, &w->req->authority_renew.root, &root, e));
	TRY(rules_renew(&root->policy, root->cert, &spec, w->now, e));
	spec.spki = root->cert->spki;
	TRY(cert_spec_check(&spec, NULL, e));
	TRY(take(w, root->policy.spki_hash, RATE_CA, e));
	TRY(journal_grant(&w->s->journal, &(struct journal_use){ .req = w->req, .key = &root->policy, .spec = &spec }, e));
	TRY(cert_build(&spec, NULL, root->key, w->a, &ret->der, e));
	return check_name(w, ret->der, root, e);
}

static troth_rc leaf_sign(struct work *w, struct keeper_reply *ret, struct troth_err *e)
{
	const struct cert_spec *spec = &w->req->leaf_sign.spec;
	const struct signer *issuer;
	TRY(open_issuer(w, &w->req->leaf_sign.issuer, &issuer, e));
	TRY(rules_leaf(&issuer->policy, issuer->cert, spec, false, w->now, e));
	TRY(cert_spec_check(spec, issuer->cert, e));
	TRY(take(w, issuer->policy.spki_hash, RATE_LEAF, e));
	TRY(journal_grant(&w->s->journal, &(struct journal_use){ .req = w->req, .key = &issuer->policy, .spec = spec }, e));
	return cert_build(spec, issuer->cert, issuer->key, w->a, &ret->der, e);
}

static troth_rc seal_to(struct work *w, const struct key *key, struct bytes recipient, struct keeper_reply *ret,
			struct troth_err *e)
{
	CLEANUP(buf_release) struct buf plain = buf_make_secret(LIMIT_KEY_DER_BYTES);
	CLEANUP(buf_release) struct buf sealed = buf_make(LIMIT_KEEPER_SEALED_BYTES);
	TRY(key_write(key, KEY_PKCS8_DER, &plain, e));
	TRY(cms_seal(recipient, buf_bytes(&plain), &sealed, e));
	ret->sealed = arena_bytes(w->a, buf_bytes(&sealed));
	return RC_OK;
}

static troth_rc leaf_seal(struct work *w, struct keeper_reply *ret, struct troth_err *e)
{
	struct cert_spec spec = w->req->leaf_seal.spec;
	const struct signer *issuer, *agents;
	const struct cert *recipient;
	struct bytes spki;
	TRY(open_issuer(w, &w->req->leaf_seal.agents, &agents, e));
	TRY(cert_parse(w->a, w->req->leaf_seal.recipient, &recipient, e));
	TRY(rules_recipient(&agents->policy, agents->cert, recipient, w->now, e));
	TRY(open_issuer(w, &w->req->leaf_seal.issuer, &issuer, e));
	TRY(rules_leaf(&issuer->policy, issuer->cert, &spec, true, w->now, e));
	TRY(name_key(w, NULL, &spec, &spki, e));
	TRY(cert_spec_check(&spec, issuer->cert, e));
	TRY(take(w, issuer->policy.spki_hash, RATE_LEAF, e));
	struct journal_use use = { .req = w->req, .key = &issuer->policy, .spec = &spec, .recipient = recipient };
	TRY(journal_grant(&w->s->journal, &use, e));
	TRY(cert_build(&spec, issuer->cert, issuer->key, w->a, &ret->der, e));
	return seal_to(w, w->made, w->req->leaf_seal.recipient, ret, e);
}

/* The agents' authority decides who may receive keys, so a key that someone else has seen cannot be it;
 * nor may an audit key be brought, or heads could be signed elsewhere. */
static troth_rc wrap_allowed(const struct keeper_policy *p, struct troth_err *e)
{
	ENSURE(p->kind != KEEPER_KEY_AUDIT, e, TROTH_FORBIDDEN, "an audit key is made by the keeper, it cannot be brought");
	ENSURE(p->kind != KEEPER_KEY_WEBHOOK, e, TROTH_FORBIDDEN, "the secret of a webhook is no private key: webhook-wrap takes it");
	ENSURE(p->kind != KEEPER_KEY_AUTHORITY || !p->authority || strcmp(p->authority, KEEPER_AGENTS_AUTHORITY) != 0, e,
	       TROTH_FORBIDDEN, "the key of " KEEPER_AGENTS_AUTHORITY " is made by the keeper, it cannot be brought");
	return RC_OK;
}

static troth_rc key_wrap(struct work *w, struct keeper_reply *ret, struct troth_err *e)
{
	struct keeper_policy policy = w->req->key_wrap.policy;
	TRY(wrap_allowed(&policy, e));
	TRY(rules_new_policy(&policy, policy.kind, w->now, e));
	TRY(take(w, WHOLE_KEEPER, RATE_NEW, e));
	CLEANUP(key_releasep) struct key *brought = NULL;
	TRY(key_parse(w->req->key_wrap.key, &brought, e));
	TRY(key_spki(brought, w->a, &ret->spki, e));
	spki_id(ret->spki, policy.spki_hash);
	policy.brought = policy.kind == KEEPER_KEY_AUTHORITY;
	TRY(journal_grant(&w->s->journal, &(struct journal_use){ .req = w->req, .key = &policy }, e));
	return wrap_key(w->s->master, &policy, brought, w->a, &ret->blob, e);
}

/* A leaf's key that was uploaded goes to an agent that shall serve it, the listener's to the server; a CA's or an audit
 * key goes to nobody. */
static troth_rc key_seal(struct work *w, struct keeper_reply *ret, struct troth_err *e)
{
	struct keeper_policy policy;
	CLEANUP(key_releasep) struct key *key = NULL;
	const struct signer *agents;
	const struct cert *recipient;
	TRY(open_issuer(w, &w->req->key_seal.agents, &agents, e));
	TRY(cert_parse(w->a, w->req->key_seal.recipient, &recipient, e));
	TRY(wrap_open(w->s->master, w->req->key_seal.blob, w->a, &policy, &key, e));
	TRY(rules_key_recipient(&policy, &agents->policy, agents->cert, recipient, w->now, e));
	TRY(take(w, policy.spki_hash, RATE_LEAF, e));
	TRY(journal_grant(&w->s->journal, &(struct journal_use){ .req = w->req, .key = &policy, .recipient = recipient }, e));
	TRY(key_spki(key, w->a, &ret->spki, e));
	return seal_to(w, key, w->req->key_seal.recipient, ret, e);
}

static troth_rc give_key(struct work *w, const struct key *key, struct keeper_reply *ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf pem = buf_make_secret(LIMIT_KEY_DER_BYTES);
	TRY(key_write(key, KEY_TRADITIONAL_PEM, &pem, e));
	ret->key = arena_bytes(w->a, buf_bytes(&pem));
	return RC_OK;
}

/* Whoever asked may ask again, so the key is one that may be given out. */
static troth_rc key_make(struct work *w, struct keeper_reply *ret, struct troth_err *e)
{
	struct keeper_policy policy = w->req->key_make.policy;
	TRY(rules_new_policy(&policy, KEEPER_KEY_LEAF, w->now, e));
	ENSURE(policy.exportable, e, TROTH_FORBIDDEN, "a key that nobody may be given is not made: seal one to an agent instead");
	TRY(name_key(w, &policy, NULL, &ret->spki, e));
	TRY(take(w, WHOLE_KEEPER, RATE_NEW, e));
	TRY(journal_grant(&w->s->journal, &(struct journal_use){ .req = w->req, .key = &policy }, e));
	TRY(give_key(w, w->made, ret, e));
	return wrap_key(w->s->master, &policy, w->made, w->a, &ret->blob, e);
}

/* Said of an authority by a word of its own, so that it is a line of its own in the log, and counted for the whole keeper: it is
 * how many there are that matters then, not how often each. */
static troth_rc open_as(struct work *w, enum keeper_key_kind kind, struct keeper_reply *ret, struct troth_err *e)
{
	struct keeper_policy policy;
	CLEANUP(key_releasep) struct key *key = NULL;
	TRY(wrap_open(w->s->master, w->req->key_open.blob, w->a, &policy, &key, e));
	TRY(rules_open(&policy, kind, e));
	TRY(kind == KEEPER_KEY_AUTHORITY ? take(w, WHOLE_KEEPER, RATE_EXPORT, e) : take(w, policy.spki_hash, RATE_LEAF, e));
	TRY(journal_grant(&w->s->journal, &(struct journal_use){ .req = w->req, .key = &policy }, e));
	TRY(key_spki(key, w->a, &ret->spki, e));
	return give_key(w, key, ret, e);
}

static troth_rc key_open(struct work *w, struct keeper_reply *ret, struct troth_err *e) { return open_as(w, KEEPER_KEY_LEAF, ret, e); }

static troth_rc authority_open(struct work *w, struct keeper_reply *ret, struct troth_err *e)
{
	return open_as(w, KEEPER_KEY_AUTHORITY, ret, e);
}

static troth_rc audit_create(struct work *w, struct keeper_reply *ret, struct troth_err *e)
{
	struct keeper_policy policy = { .kind = KEEPER_KEY_AUDIT, .authority = KEEPER_AUDIT_AUTHORITY };
	memcpy(policy.key_id, w->req->audit_create.key_id, sizeof policy.key_id);
	TRY(rules_new_policy(&policy, KEEPER_KEY_AUDIT, w->now, e));
	TRY(name_key(w, &policy, NULL, &ret->spki, e));
	TRY(take(w, WHOLE_KEEPER, RATE_NEW, e));
	TRY(journal_grant(&w->s->journal, &(struct journal_use){ .req = w->req, .key = &policy }, e));
	return wrap_key(w->s->master, &policy, w->made, w->a, &ret->blob, e);
}

static troth_rc audit_sign(struct work *w, struct keeper_reply *ret, struct troth_err *e)
{
	const struct signer *signer;
	uint8_t head[KEEPER_AUDIT_HEAD_BYTES];
	TRY(signer_open(&w->s->signers, w->s->master, &(struct keeper_issuer){ .blob = w->req->audit_sign.blob }, &signer, e));
	ENSURE(signer->policy.kind == KEEPER_KEY_AUDIT, e, TROTH_FORBIDDEN,
	       "key %s is of kind %s: it may not sign audit heads", signer->policy.key_id,
	       keeper_key_kind_name(signer->policy.kind));
	TRY(take(w, signer->policy.spki_hash, RATE_AUDIT, e));
	TRY(journal_grant(&w->s->journal, &(struct journal_use){ .req = w->req, .key = &signer->policy }, e));
	keeper_audit_head(w->req->audit_sign.seq, w->req->audit_sign.head, w->now, head);
	CLEANUP(buf_release) struct buf signature = buf_make(1024);
	TRY(key_sign(signer->key, bytes_of(head, sizeof head), &signature, e));
	ret->signature = arena_bytes(w->a, buf_bytes(&signature));
	ret->signed_at = w->now;
	return key_spki(signer->key, w->a, &ret->spki, e);
}

static troth_rc webhook_wrap(struct work *w, struct keeper_reply *ret, struct troth_err *e)
{
	struct keeper_policy policy = w->req->webhook_wrap.policy;
	struct bytes secret = w->req->webhook_wrap.secret;
	TRY(rules_new_policy(&policy, KEEPER_KEY_WEBHOOK, w->now, e));
	ENSURE(secret.len == KEEPER_WEBHOOK_SECRET_BYTES, e, TROTH_INVALID, "the secret of a webhook has %d bytes", KEEPER_WEBHOOK_SECRET_BYTES);
	TRY(take(w, WHOLE_KEEPER, RATE_NEW, e));
	pki_sha256(secret, policy.spki_hash); /* 256 random bits: their hash tells nothing of them */
	TRY(journal_grant(&w->s->journal, &(struct journal_use){ .req = w->req, .key = &policy }, e));
	return wrap_secret(w->s->master, &policy, secret, w->a, &ret->blob, e);
}

static troth_rc webhook_sign(struct work *w, struct keeper_reply *ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf secret = buf_make_secret(KEEPER_WEBHOOK_SECRET_BYTES);
	struct keeper_policy policy;
	uint8_t mac[SHA256_LEN];
	TRY(wrap_open_secret(w->s->master, w->req->webhook_sign.blob, w->a, &policy, &secret, e));
	/* made first, as it checks the id; given out last */
	TRY(keeper_webhook_mac(buf_bytes(&secret), w->req->webhook_sign.message, w->req->webhook_sign.timestamp, w->req->webhook_sign.body,
			       mac, e));
	TRY(take(w, policy.spki_hash, RATE_WEBHOOK, e));
	TRY(journal_grant(&w->s->journal, &(struct journal_use){ .req = w->req, .key = &policy }, e));
	ret->signature = arena_bytes(w->a, bytes_of(mac, sizeof mac));
	return RC_OK;
}

static troth_rc (*const ACTS[KEEPER_KIND_MAX])(struct work *, struct keeper_reply *, struct troth_err *) = {
	[KEEPER_PING] = ping,
	[KEEPER_AUTHORITY_CREATE] = authority_create,
	[KEEPER_AUTHORITY_SIGN] = authority_sign,
	[KEEPER_AUTHORITY_REQUEST] = authority_request,
	[KEEPER_LEAF_SIGN] = leaf_sign,
	[KEEPER_LEAF_SEAL] = leaf_seal,
	[KEEPER_KEY_WRAP] = key_wrap,
	[KEEPER_KEY_SEAL] = key_seal,
	[KEEPER_KEY_MAKE] = key_make,
	[KEEPER_KEY_OPEN] = key_open,
	[KEEPER_AUDIT_CREATE] = audit_create,
	[KEEPER_AUDIT_SIGN] = audit_sign,
	[KEEPER_WEBHOOK_WRAP] = webhook_wrap,
	[KEEPER_WEBHOOK_SIGN] = webhook_sign,
	[KEEPER_AUTHORITY_CROSS] = authority_cross,
	[KEEPER_AUTHORITY_RENEW] = authority_renew,
	[KEEPER_AUTHORITY_OPEN] = authority_open,
};

/* A refusal's text may quote what was refused; what travels on is plain. */
static const char *plain_text(struct arena *a, const char *s)
{
	char *copy = arena_text(a, s);
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return copy;
}

void keeper_reply_refuse(struct arena *a, uint64_t id, const struct troth_err *why, struct keeper_reply *ret)
{
	*ret = (struct keeper_reply){ .id = id, .kind = why->kind ? why->kind : TROTH_INTERNAL };
	ret->text = plain_text(a, *why->primary ? why->primary : "refused");
	ret->hint = plain_text(a, why->hint);
}

troth_rc keeper_reply_check(const struct keeper_reply *r, struct troth_err *e)
{
	if (r->kind == TROTH_OK)
		return RC_OK;
	troth_rc rc = err_set(e, r->kind, "%s", r->text && *r->text ? r->text : "the keeper refused");
	if (r->hint && *r->hint)
		err_hint(e, "%s", r->hint);
	return rc;
}

troth_rc keeper_state_start(struct keeper_state *s, int64_t pid, struct troth_err *e)
{
	return journal_start(&s->journal, pid, e);
}

void keeper_state_note(struct keeper_state *s, uint64_t id, const struct troth_err *why)
{
	journal_refuse(&s->journal, &(struct keeper_request){ .id = id }, why);
}

bool keeper_needs_key(const struct keeper_request *req, enum key_type *ret_type)
{
	switch (req->kind) {
	case KEEPER_AUTHORITY_CREATE: *ret_type = req->authority_create.key_type; return true;
	case KEEPER_AUTHORITY_SIGN: *ret_type = req->authority_sign.key_type; return true;
	case KEEPER_AUTHORITY_REQUEST: *ret_type = req->authority_request.key_type; return true;
	case KEEPER_LEAF_SEAL: *ret_type = req->leaf_seal.key_type; return true;
	case KEEPER_KEY_MAKE: *ret_type = req->key_make.key_type; return true;
	case KEEPER_AUDIT_CREATE: *ret_type = KEY_ED25519; return true;
	default: return false;
	}
}

bool keeper_is_long(const struct keeper_request *req)
{
	enum key_type type;
	return keeper_needs_key(req, &type) && (type == KEY_RSA_2048 || type == KEY_RSA_3072 || type == KEY_RSA_4096);
}

void keeper_handle_with(struct keeper_state *s, const struct keeper_request *req, struct key *made, struct arena *a,
			struct keeper_reply *ret)
{
	struct work w = { .s = s, .req = req, .made = made, .now = port_now(s->ports.clock), .a = a };
	struct keeper_reply reply = { .id = req->id, .text = "", .hint = "" };
	struct troth_err e = { 0 };
	enum key_type type;
	bool known = req->kind >= KEEPER_PING && req->kind < KEEPER_KIND_MAX;
	troth_rc rc;
	if (!known)
		rc = err_set(&e, TROTH_INVALID, "request kind %d is unknown", (int)req->kind);
	else if (keeper_needs_key(req, &type) && (!made || key_type_of(made) != type))
		rc = err_set(&e, TROTH_INTERNAL, "the key for this request was not made");
	else
		rc = ACTS[req->kind](&w, &reply, &e);
	if (rc_failed(rc)) {
		journal_refuse(&s->journal, req, &e);
		keeper_reply_refuse(a, req->id, &e, &reply);
	}
	*ret = reply;
}

void keeper_handle(struct keeper_state *s, const struct keeper_request *req, struct arena *a,
		   struct keeper_reply *ret)
{
	CLEANUP(key_releasep) struct key *made = NULL;
	struct troth_err e = { 0 };
	enum key_type type;
	if (keeper_needs_key(req, &type) && rc_failed(key_generate(type, &made, &e))) {
		keeper_reply_refuse(a, req->id, &e, ret);
		return;
	}
	keeper_handle_with(s, req, made, a, ret);
}
