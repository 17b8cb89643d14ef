/* The keeper's decisions end to end, without a process: what it makes is right, what policy forbids it
 * refuses. */
#include "fixture.h"

#include "keeper/audit.h"
#include "keeper/webhook.h"

static struct keeper_reply ask(struct fixture *f, const struct keeper_request *req)
{
	struct keeper_reply r;
	keeper_handle(f->state, req, f->a, &r);
	return r;
}

static struct keeper_issuer root(struct fixture *f) { return make_root(ask_state, f, f->a, "/demo/ca", KEY_EC_P256, T0); }

static const struct cert *parsed(struct fixture *f, struct bytes der)
{
	const struct cert *c;
	assert_true(rc_ok(cert_parse(f->a, der, &c, NULL)));
	return c;
}

static struct keeper_reply leaf(struct fixture *f, struct keeper_issuer issuer, void (*change)(struct keeper_request *))
{
	struct key *k;
	struct keeper_request req = leaf_request(f->a, issuer, KEY_EC_P256, T0, &k);
	key_release(k);
	if (change)
		change(&req);
	return ask(f, &req);
}

static void every_algorithm_makes_a_root_and_signs_with_it(void **state)
{
	struct fixture *f = *state;
	for (enum key_type t = 0; t < KEY_TYPE_COUNT; t++) {
		if (t == KEY_RSA_3072 || t == KEY_RSA_4096)
			continue; /* seconds; test_process makes one in the sandbox */
		struct keeper_issuer issuer = make_root(ask_state, f, f->a, "/demo/ca", t, T0);
		const struct cert *ca = parsed(f, issuer.cert);
		assert_true(cert_self_signed(ca) && ca->is_ca);
		assert_int_equal(ca->key_type, t);
		struct keeper_reply r = leaf(f, issuer, NULL);
		assert_reply_ok(&r);
		assert_true(cert_issued_by(parsed(f, r.der), ca));
		assert_int_equal(r.blob.len + r.sealed.len, 0);
	}
}

static void an_intermediate_signs_below_its_root(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer top = root(f);
	struct keeper_request req = { .id = 5, .kind = KEEPER_AUTHORITY_SIGN };
	req.authority_sign.issuer = top;
	req.authority_sign.policy = policy_of("/demo/sub", T0);
	req.authority_sign.policy.may_sign_ca = false;
	req.authority_sign.policy.path_len = 0;
	req.authority_sign.key_type = KEY_EC_P256;
	req.authority_sign.spec = spec_of(CERT_INTERMEDIATE, T0);
	req.authority_sign.spec.path_len = 0;
	struct keeper_reply r = ask(f, &req);
	assert_reply_ok(&r);
	const struct cert *sub = parsed(f, r.der);
	assert_true(cert_issued_by(sub, parsed(f, top.cert)));
	struct keeper_reply below = leaf(f, (struct keeper_issuer){ r.blob, r.der }, NULL);
	assert_reply_ok(&below);
	assert_true(cert_issued_by(parsed(f, below.der), sub));
	req.authority_sign.issuer = (struct keeper_issuer){ r.blob, r.der };
	r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "does not allow it to sign a CA");
}

/* newWithOld: the new root's key and name under the old root; a chain with it holds for whoever has either. */
static void a_root_certifies_its_successor(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer old = root(f), next = root(f), other = make_root(ask_state, f, f->a, "/other/ca", KEY_EC_P256, T0);
	struct keeper_request req = { .id = 5, .kind = KEEPER_AUTHORITY_CROSS };
	req.authority_cross.issuer = old;
	req.authority_cross.subject = next;
	req.authority_cross.spec = spec_of(CERT_INTERMEDIATE, T0);
	req.authority_cross.spec.common_name = parsed(f, next.cert)->common_name;
	req.authority_cross.spec.organization = spec_of(CERT_ROOT, T0).organization;
	struct keeper_reply cross = ask(f, &req);
	assert_reply_ok(&cross);
	assert_true(cert_issued_by(parsed(f, cross.der), parsed(f, old.cert)));
	assert_true(bytes_equal(parsed(f, cross.der)->spki, parsed(f, next.cert)->spki));
	struct keeper_reply below = leaf(f, next, NULL);
	struct troth_err e = { 0 };
	struct der_list rest = { &cross.der, 1 };
	for (int i = 0; i < 2; i++) {
		struct der_list anchors = { i ? &next.cert : &old.cert, 1 };
		if (rc_failed(chain_verify(f->a, below.der, rest, anchors, T0, EKU_SERVER, NULL, &e)))
			fail_msg("%s", e.primary);
	}
	req.authority_cross.spec.common_name = "Somebody else";
	cross = ask(f, &req);
	assert_refused(&cross, TROTH_INVALID, "is not the root's");
	req.authority_cross.subject = other;
	cross = ask(f, &req);
	assert_refused(&cross, TROTH_FORBIDDEN, "only roots of one authority");
	req.authority_cross.subject = old;
	cross = ask(f, &req);
	assert_refused(&cross, TROTH_INVALID, "the same key");
	req.authority_cross.subject = (struct keeper_issuer){ next.blob, old.cert };
	cross = ask(f, &req);
	assert_refused(&cross, TROTH_FORBIDDEN, "is of another key");
	req.authority_cross.subject = (struct keeper_issuer){ { 0 }, next.cert };
	cross = ask(f, &req);
	assert_refused(&cross, TROTH_INVALID, "is missing");
}

/* The key is made here, somebody else signs its certificate, and then it signs like any other. */
static void a_ca_is_certified_by_somebody_else(void **state)
{
	struct fixture *f = *state;
	CLEANUP(key_releasep) struct key *outside = NULL;
	struct cert_spec top = spec_of(CERT_ROOT, T0), spec = spec_of(CERT_INTERMEDIATE, T0);
	struct keeper_request req = { .id = 5, .kind = KEEPER_AUTHORITY_REQUEST };
	struct bytes root_der, der;
	struct csr csr;
	req.authority_request.policy = policy_of("/corp/issuing", T0);
	req.authority_request.policy.path_len = 1;
	req.authority_request.key_type = KEY_EC_P384;
	req.authority_request.spec = spec;
	req.authority_request.spec.path_len = 1;
	struct keeper_reply r = ask(f, &req);
	assert_reply_ok(&r);
	assert_non_null(strstr(f->log, "act=authority-request result=granted"));
	assert_true(rc_ok(csr_parse(f->a, r.der, &csr, NULL)));
	assert_int_equal(csr.key_type, KEY_EC_P384);
	assert_true(rc_ok(key_generate(KEY_EC_P256, &outside, NULL)));
	assert_true(rc_ok(key_spki(outside, f->a, &top.spki, NULL)));
	assert_true(rc_ok(cert_build(&top, NULL, outside, f->a, &root_der, NULL)));
	spec.spki = csr.spki;
	assert_true(rc_ok(cert_build(&spec, parsed(f, root_der), outside, f->a, &der, NULL)));
	struct keeper_reply below = leaf(f, (struct keeper_issuer){ r.blob, der }, NULL);
	assert_reply_ok(&below);
	assert_true(cert_issued_by(parsed(f, below.der), parsed(f, der)));
	below = leaf(f, (struct keeper_issuer){ r.blob, root_der }, NULL);
	assert_refused(&below, TROTH_FORBIDDEN, "is of another key");
	req.authority_request.spec.path_len = 2;
	r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "path length 2 is more");
	req.authority_request.spec.path_len = 1;
	req.authority_request.spec.spki = top.spki;
	r = ask(f, &req);
	assert_refused(&r, TROTH_INVALID, "may not bring a public key");
	req.authority_request.spec.kind = CERT_LEAF;
	r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "intermediates only");
}

/* The same name and key under other dates: whoever trusts either accepts what it signs. */
static void a_root_gets_other_dates(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer old = root(f), other = make_root(ask_state, f, f->a, "/other/ca", KEY_EC_P256, T0);
	struct keeper_request req = { .id = 5, .kind = KEEPER_AUTHORITY_RENEW };
	req.authority_renew.root = old;
	req.authority_renew.spec = spec_of(CERT_ROOT, T0);
	req.authority_renew.spec.not_after -= MSEC_DAY;
	struct keeper_reply r = ask(f, &req);
	assert_reply_ok(&r);
	const struct cert *renewed = parsed(f, r.der);
	assert_true(cert_self_signed(renewed) && !bytes_equal(r.der, old.cert) && r.blob.len == 0);
	assert_true(bytes_equal(renewed->spki, parsed(f, old.cert)->spki));
	struct keeper_reply below = leaf(f, (struct keeper_issuer){ old.blob, r.der }, NULL);
	assert_reply_ok(&below);
	struct troth_err e = { 0 };
	for (int i = 0; i < 2; i++) {
		struct der_list anchors = { i ? &r.der : &old.cert, 1 };
		if (rc_failed(chain_verify(f->a, below.der, (struct der_list){ 0 }, anchors, T0, EKU_SERVER, NULL, &e)))
			fail_msg("%s", e.primary);
	}
	req.authority_renew.spec.common_name = "Somebody else";
	r = ask(f, &req);
	assert_refused(&r, TROTH_INVALID, "is not the root's");
	req.authority_renew.root = (struct keeper_issuer){ old.blob, other.cert };
	r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "is of another key");
	req.authority_renew.root = (struct keeper_issuer){ { 0 }, old.cert };
	r = ask(f, &req);
	assert_refused(&r, TROTH_INVALID, "is missing");
}

static void a_leaf_request_never_makes_a_ca(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer issuer = root(f);
	struct key *k;
	struct keeper_request req = leaf_request(f->a, issuer, KEY_EC_P256, T0, &k);
	key_release(k);
	for (int kind = CERT_ROOT; kind <= CERT_INTERMEDIATE; kind++) {
		req.leaf_sign.spec = spec_of((enum cert_kind)kind, T0);
		struct keeper_reply r = ask(f, &req);
		assert_refused(&r, TROTH_FORBIDDEN, "asks for a CA certificate");
	}
	struct keeper_reply r = leaf(f, issuer, NULL);
	assert_reply_ok(&r);
	assert_false(parsed(f, r.der)->is_ca);
}

static void another_authoritys_certificate_is_refused(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer one = root(f), two = root(f);
	struct keeper_reply r = leaf(f, (struct keeper_issuer){ one.blob, two.cert }, NULL);
	assert_refused(&r, TROTH_FORBIDDEN, "is of another key");
}

static void later(struct keeper_request *r) { r->leaf_sign.spec.not_after = T0 + 3660 * MSEC_DAY; }
static void past(struct keeper_request *r) { r->leaf_sign.spec.not_after = T0 - 1; }
static void backdated(struct keeper_request *r) { r->leaf_sign.spec.not_before = T0 - 2 * MSEC_HOUR; }
static void ahead(struct keeper_request *r) { r->leaf_sign.spec.not_before = T0 + MSEC_HOUR; }
static void no_key(struct keeper_request *r) { r->leaf_sign.spec.spki = (struct bytes){ 0 }; }
static void no_blob(struct keeper_request *r) { r->leaf_sign.issuer.blob = (struct bytes){ 0 }; }
static void no_cert(struct keeper_request *r) { r->leaf_sign.issuer.cert = (struct bytes){ 0 }; }
static void bad_kind(struct keeper_request *r) { r->kind = 77; }
static void bad_spki(struct keeper_request *r) { r->leaf_sign.spec.spki = bytes_of("\x30\x00", 2); }

static void wrong_dates_and_fields_are_refused(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer issuer = root(f);
	static const struct { void (*change)(struct keeper_request *); enum troth_kind kind; const char *text; } CASES[] = {
		{ later, TROTH_FORBIDDEN, "is later than the policy" },
		{ past, TROTH_INVALID, "has passed already" },
		{ backdated, TROTH_INVALID, "before the keeper's clock" },
		{ ahead, TROTH_INVALID, "after the keeper's clock" },
		{ no_key, TROTH_INVALID, "" },
		{ bad_spki, TROTH_INVALID, "" },
		{ no_blob, TROTH_INVALID, "is missing" },
		{ no_cert, TROTH_INVALID, "is missing" },
		{ bad_kind, TROTH_INVALID, "is unknown" },
	};
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct keeper_reply r = leaf(f, issuer, CASES[i].change);
		assert_refused(&r, CASES[i].kind, CASES[i].text);
	}
}

static void a_leaf_with_the_authoritys_own_key_is_refused(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer issuer = root(f);
	struct keeper_request req = { .id = 2, .kind = KEEPER_LEAF_SIGN };
	req.leaf_sign.issuer = issuer;
	req.leaf_sign.spec = spec_of(CERT_LEAF, T0);
	req.leaf_sign.spec.spki = parsed(f, issuer.cert)->spki;
	struct keeper_reply r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "the authority's own");
}

static void every_changed_byte_of_a_blob_is_refused(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer issuer = root(f);
	uint8_t *copy = arena_copy(f->a, issuer.blob.data, issuer.blob.len);
	for (size_t i = 0; i < issuer.blob.len; i++) {
		copy[i] ^= 1;
		struct keeper_reply r = leaf(f, (struct keeper_issuer){ bytes_of(copy, issuer.blob.len), issuer.cert }, NULL);
		assert_refused(&r, TROTH_CORRUPT, "");
		copy[i] ^= 1;
	}
	struct keeper_reply r = leaf(f, (struct keeper_issuer){ bytes_of(copy, issuer.blob.len - 1), issuer.cert }, NULL);
	assert_refused(&r, TROTH_CORRUPT, "");
}

/* -- wrapped keys ----------------------------------------------------------------------------- */

static struct keeper_request wrap_request(struct fixture *f, enum keeper_key_kind kind, const char *authority)
{
	CLEANUP(buf_release) struct buf der = buf_make_secret(LIMIT_KEY_DER_BYTES);
	CLEANUP(key_releasep) struct key *k = NULL;
	struct keeper_request req = { .id = 9, .kind = KEEPER_KEY_WRAP };
	assert_true(rc_ok(key_generate(KEY_EC_P256, &k, NULL)));
	assert_true(rc_ok(key_write(k, KEY_PKCS8_PEM, &der, NULL)));
	req.key_wrap.policy = policy_of(authority, T0);
	req.key_wrap.policy.kind = kind;
	req.key_wrap.policy.may_sign_ca = kind == KEEPER_KEY_AUTHORITY;
	req.key_wrap.key = arena_bytes(f->a, buf_bytes(&der));
	return req;
}

static void a_leaf_key_signs_nothing(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer ca = root(f);
	struct keeper_request req = wrap_request(f, KEEPER_KEY_LEAF, "/demo/leaf");
	struct keeper_reply wrapped = ask(f, &req), r;
	assert_reply_ok(&wrapped);
	assert_true(wrapped.spki.len > 0);
	r = leaf(f, (struct keeper_issuer){ wrapped.blob, ca.cert }, NULL);
	assert_refused(&r, TROTH_FORBIDDEN, "is of kind leaf");
	struct keeper_request audit = { .id = 3, .kind = KEEPER_AUDIT_SIGN, .audit_sign = { .blob = wrapped.blob } };
	r = ask(f, &audit);
	assert_refused(&r, TROTH_FORBIDDEN, "may not sign audit heads");
}

static void an_authority_key_signs_no_audit_head_and_an_audit_key_no_certificate(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer ca = root(f);
	struct keeper_request audit = { .id = 3, .kind = KEEPER_AUDIT_SIGN, .audit_sign = { .blob = ca.blob } };
	struct keeper_reply r = ask(f, &audit);
	assert_refused(&r, TROTH_FORBIDDEN, "may not sign audit heads");
	struct keeper_request create = { .id = 4, .kind = KEEPER_AUDIT_CREATE, .audit_create = { .key_id = UUID_2 } };
	struct keeper_reply key = ask(f, &create);
	assert_reply_ok(&key);
	r = leaf(f, (struct keeper_issuer){ key.blob, ca.cert }, NULL);
	assert_refused(&r, TROTH_FORBIDDEN, "is of kind audit");
}

static void keys_that_may_not_be_brought_are_refused(void **state)
{
	struct fixture *f = *state;
	struct keeper_request req = wrap_request(f, KEEPER_KEY_AUDIT, "/troth/audit");
	struct keeper_reply r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "audit key is made by the keeper");
	req = wrap_request(f, KEEPER_KEY_AUTHORITY, KEEPER_AGENTS_AUTHORITY);
	r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "cannot be brought");
	req = wrap_request(f, KEEPER_KEY_AUTHORITY, "/own/ca");
	req.key_wrap.key = bytes_of_text("-----BEGIN NOTHING-----");
	r = ask(f, &req);
	assert_refused(&r, TROTH_INVALID, "");
	req = wrap_request(f, KEEPER_KEY_LEAF, "/own/leaf");
	req.key_wrap.policy.may_sign_ca = true;
	r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "may not sign certificates");
}

/* -- webhooks -------------------------------------------------------------------------------- */

static struct keeper_request webhook_request(void)
{
	struct keeper_request req = { .id = 9, .kind = KEEPER_WEBHOOK_WRAP };
	req.webhook_wrap.policy = (struct keeper_policy){ .key_id = UUID_1, .kind = KEEPER_KEY_WEBHOOK, .authority = "ops" };
	req.webhook_wrap.secret = bytes_of_text("0123456789abcdef0123456789abcdef");
	return req;
}

static struct keeper_request sign_message(struct bytes blob)
{
	struct keeper_request req = { .id = 10, .kind = KEEPER_WEBHOOK_SIGN };
	req.webhook_sign.blob = blob;
	req.webhook_sign.message = "msg_1";
	req.webhook_sign.timestamp = T0 / 1000;
	req.webhook_sign.body = bytes_of_text("{}");
	return req;
}

static void a_webhooks_secret_signs_its_messages_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	uint8_t mac[SHA256_LEN];
	struct keeper_issuer ca = root(f);
	struct keeper_request wrap = webhook_request(), sign;
	struct keeper_reply wrapped = ask(f, &wrap), r;
	assert_reply_ok(&wrapped);
	sign = sign_message(wrapped.blob);
	r = ask(f, &sign);
	assert_reply_ok(&r);
	assert_true(rc_ok(keeper_webhook_mac(wrap.webhook_wrap.secret, "msg_1", T0 / 1000, bytes_of_text("{}"), mac, NULL)));
	assert_true(bytes_equal(r.signature, bytes_of(mac, sizeof mac)));
	assert_non_null(strstr(f->log, "act=webhook-sign result=granted"));
	assert_non_null(strstr(f->log, "message=\"msg_1\" timestamp=1795000000"));
	assert_null(strstr(f->log, "0123456789abcdef"));
	r = leaf(f, (struct keeper_issuer){ wrapped.blob, ca.cert }, NULL);
	assert_refused(&r, TROTH_FORBIDDEN, "is of kind webhook");
	sign = sign_message(ca.blob);
	r = ask(f, &sign);
	assert_refused(&r, TROTH_FORBIDDEN, "it signs no message to a webhook");
	sign = sign_message(wrapped.blob);
	sign.webhook_sign.message = "a.b";
	r = ask(f, &sign);
	assert_refused(&r, TROTH_INVALID, "not the id of a message");
}

static void a_webhooks_secret_has_its_length_and_its_own_door(void **state)
{
	struct fixture *f = *state;
	struct keeper_request req = webhook_request();
	req.webhook_wrap.secret.len--;
	struct keeper_reply r = ask(f, &req);
	assert_refused(&r, TROTH_INVALID, "has 32 bytes");
	req = webhook_request();
	req.webhook_wrap.policy.kind = KEEPER_KEY_LEAF;
	r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "kind leaf");
	req = wrap_request(f, KEEPER_KEY_WEBHOOK, "ops");
	r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "webhook-wrap takes it");
}

static void messages_to_a_webhook_have_a_rate(void **state)
{
	struct fixture *f = *state;
	struct keeper_request wrap = webhook_request(), sign;
	struct keeper_reply wrapped = ask(f, &wrap), r = { 0 };
	sign = sign_message(wrapped.blob);
	for (int i = 0; i <= LIMIT_KEEPER_WEBHOOK_BURST && r.kind == TROTH_OK; i++) {
		f->log_len = 0;
		r = ask(f, &sign);
	}
	assert_refused(&r, TROTH_BUSY, "messages to this webhook");
	f->mono += MSEC_S;
	r = ask(f, &sign);
	assert_reply_ok(&r);
}

/* -- the audit head --------------------------------------------------------------------------- */

static void an_audit_head_is_signed_with_the_keepers_time(void **state)
{
	struct fixture *f = *state;
	uint8_t other[SHA256_LEN] = { 1 };
	struct keeper_request create = { .id = 4, .kind = KEEPER_AUDIT_CREATE, .audit_create = { .key_id = UUID_2 } };
	struct keeper_reply key = ask(f, &create);
	struct keeper_request sign = { .id = 5, .kind = KEEPER_AUDIT_SIGN, .audit_sign = { .blob = key.blob, .seq = 41, .head = { 9 } } };
	struct keeper_reply r = ask(f, &sign);
	assert_reply_ok(&r);
	assert_int_equal(r.signed_at, T0);
	assert_true(bytes_equal(r.spki, key.spki));
	assert_true(rc_ok(keeper_audit_verify(r.spki, 41, sign.audit_sign.head, T0, r.signature, NULL)));
	assert_true(rc_failed(keeper_audit_verify(r.spki, 42, sign.audit_sign.head, T0, r.signature, NULL)));
	assert_true(rc_failed(keeper_audit_verify(r.spki, 41, sign.audit_sign.head, T0 + 1, r.signature, NULL)));
	assert_true(rc_failed(keeper_audit_verify(r.spki, 41, other, T0, r.signature, NULL)));
}

/* -- sealing ---------------------------------------------------------------------------------- */

struct agent {
	struct key *key;
	struct bytes cert;
};

static void client_only(struct keeper_request *r) { r->leaf_sign.spec.eku = EKU_CLIENT; }
static void server_only(struct keeper_request *r) { r->leaf_sign.spec.eku = EKU_SERVER; }

static struct agent agent_of(struct fixture *f, struct keeper_issuer agents, enum key_type type,
			     void (*change)(struct keeper_request *))
{
	struct agent agent;
	struct keeper_request req = leaf_request(f->a, agents, type, T0, &agent.key);
	change(&req);
	struct keeper_reply r = ask(f, &req);
	assert_reply_ok(&r);
	agent.cert = r.der;
	return agent;
}

static void a_sealed_key_opens_for_its_agent_only(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer ca = root(f), agents = make_root(ask_state, f, f->a, KEEPER_AGENTS_AUTHORITY, KEY_EC_P256, T0);
	struct agent one = agent_of(f, agents, KEY_EC_P256, client_only), two = agent_of(f, agents, KEY_EC_P256, client_only);
	CLEANUP(buf_release) struct buf plain = buf_make_secret(LIMIT_KEY_DER_BYTES);
	CLEANUP(key_releasep) struct key *k = NULL;
	struct keeper_request req = seal_request(ca, agents, one.cert, KEY_EC_P256, T0);
	struct keeper_reply r = ask(f, &req);
	assert_reply_ok(&r);
	assert_int_equal(r.blob.len, 0);
	assert_true(rc_failed(cms_open(two.key, two.cert, r.sealed, &plain, NULL)));
	assert_true(rc_ok(cms_open(one.key, one.cert, r.sealed, &plain, NULL)));
	assert_true(rc_ok(key_parse(buf_bytes(&plain), &k, NULL)));
	assert_true(key_public_matches(k, parsed(f, r.der)->spki));
	assert_true(cert_issued_by(parsed(f, r.der), parsed(f, ca.cert)));
	key_release(one.key);
	key_release(two.key);
}

static struct keeper_reply seal_to(struct fixture *f, struct keeper_issuer agents, struct agent to)
{
	struct keeper_request req = seal_request(root(f), agents, to.cert, KEY_EC_P256, T0);
	struct keeper_reply r = ask(f, &req);
	key_release(to.key);
	return r;
}

static void a_key_is_sealed_to_agents_only(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer agents = make_root(ask_state, f, f->a, KEEPER_AGENTS_AUTHORITY, KEY_EC_P256, T0);
	struct keeper_issuer other = make_root(ask_state, f, f->a, "/demo/other", KEY_EC_P256, T0);
	struct keeper_reply r = seal_to(f, other, agent_of(f, other, KEY_EC_P256, client_only));
	assert_refused(&r, TROTH_FORBIDDEN, "keys are sealed to agents only");
	r = seal_to(f, agents, agent_of(f, other, KEY_EC_P256, client_only));
	assert_refused(&r, TROTH_FORBIDDEN, "is not signed by " KEEPER_AGENTS_AUTHORITY);
	r = seal_to(f, agents, agent_of(f, agents, KEY_EC_P256, server_only));
	assert_refused(&r, TROTH_FORBIDDEN, "is not an agent's identity");
	r = seal_to(f, agents, agent_of(f, agents, KEY_ED25519, client_only));
	assert_refused(&r, TROTH_INVALID, "no elliptic-curve key");
	r = seal_to(f, (struct keeper_issuer){ other.blob, agents.cert }, agent_of(f, agents, KEY_EC_P256, client_only));
	assert_refused(&r, TROTH_FORBIDDEN, "is of another key");
	struct agent itself = { .cert = agents.cert };
	r = seal_to(f, agents, itself);
	assert_refused(&r, TROTH_FORBIDDEN, "is not an agent's identity");
}

/* A key that was uploaded for a leaf goes to an agent that shall serve it, and no other key goes anywhere. */
static void a_brought_key_is_sealed_to_an_agent(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer ca = root(f), agents = make_root(ask_state, f, f->a, KEEPER_AGENTS_AUTHORITY, KEY_EC_P256, T0);
	struct agent one = agent_of(f, agents, KEY_EC_P256, client_only), other = agent_of(f, ca, KEY_EC_P256, client_only);
	CLEANUP(buf_release) struct buf plain = buf_make_secret(LIMIT_KEY_DER_BYTES);
	CLEANUP(key_releasep) struct key *k = NULL;
	struct keeper_request wrap = wrap_request(f, KEEPER_KEY_LEAF, "/demo/leaf");
	struct keeper_reply wrapped = ask(f, &wrap), r;
	assert_reply_ok(&wrapped);
	struct keeper_request req = { .id = 5, .kind = KEEPER_KEY_SEAL, .key_seal = { wrapped.blob, one.cert, agents } };
	r = ask(f, &req);
	assert_reply_ok(&r);
	assert_true(bytes_equal(r.spki, wrapped.spki) && r.blob.len == 0);
	assert_true(rc_ok(cms_open(one.key, one.cert, r.sealed, &plain, NULL)));
	assert_true(rc_ok(key_parse(buf_bytes(&plain), &k, NULL)));
	assert_true(key_public_matches(k, wrapped.spki));
	req.key_seal.blob = ca.blob;
	r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "it goes to no agent");
	req.key_seal.blob = bytes_of_text("TKB1 nothing");
	r = ask(f, &req);
	assert_refused(&r, TROTH_CORRUPT, "");
	req.key_seal = (typeof(req.key_seal)){ wrapped.blob, other.cert, ca };
	r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "keys are sealed to agents only");
	key_release(one.key);
	key_release(other.key);
}

/* A leaf's key that was made to be given out is given out, again and again; no other key is. */
static void a_key_that_may_be_asked_for_is_given_out(void **state)
{
	struct fixture *f = *state;
	CLEANUP(key_releasep) struct key *k = NULL;
	struct keeper_issuer ca = root(f);
	struct keeper_policy policy = { .kind = KEEPER_KEY_LEAF, .authority = "/demo/leaf", .path_len = -1, .exportable = true };
	(void)text_copy(policy.key_id, UUID_LEN, UUID_2);
	struct keeper_request make = { .id = 7, .kind = KEEPER_KEY_MAKE, .key_make = { policy, KEY_EC_P256 } };
	struct keeper_reply made = ask(f, &make), r;
	assert_reply_ok(&made);
	assert_true(rc_ok(key_parse(made.key, &k, NULL)) && key_public_matches(k, made.spki));
	struct keeper_request open = { .id = 8, .kind = KEEPER_KEY_OPEN, .key_open = { made.blob } };
	r = ask(f, &open);
	assert_reply_ok(&r);
	assert_true(bytes_equal(r.key, made.key) && bytes_equal(r.spki, made.spki) && r.blob.len == 0);
	open.key_open.blob = ca.blob;
	r = ask(f, &open);
	assert_refused(&r, TROTH_FORBIDDEN, "it is not given out as a key of kind leaf");
	assert_int_equal(r.key.len, 0);
	struct keeper_request wrap = wrap_request(f, KEEPER_KEY_LEAF, "/demo/leaf");
	struct keeper_reply wrapped = ask(f, &wrap);
	assert_reply_ok(&wrapped);
	open.key_open.blob = wrapped.blob;
	r = ask(f, &open);
	assert_refused(&r, TROTH_FORBIDDEN, "was not made to be given out");
	make.key_make.policy.exportable = false;
	r = ask(f, &make);
	assert_refused(&r, TROTH_FORBIDDEN, "seal one to an agent");
	make.key_make.policy = (struct keeper_policy){ .kind = KEEPER_KEY_AUTHORITY, .authority = "/demo/ca", .exportable = true };
	r = ask(f, &make);
	assert_refused(&r, TROTH_FORBIDDEN, "cannot be used for a key of kind leaf");
}

/* The listener's key goes to the server, that of nobody else does, and it goes to nobody else. */
static void the_listeners_key_is_sealed_to_the_server(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer agents = make_root(ask_state, f, f->a, KEEPER_AGENTS_AUTHORITY, KEY_EC_P256, T0);
	struct keeper_issuer servers = make_root(ask_state, f, f->a, KEEPER_SERVER_AUTHORITY, KEY_EC_P256, T0);
	struct agent one = agent_of(f, agents, KEY_EC_P256, client_only), server = agent_of(f, servers, KEY_EC_P256, server_only),
		     client = agent_of(f, servers, KEY_EC_P256, client_only);
	CLEANUP(buf_release) struct buf plain = buf_make_secret(LIMIT_KEY_DER_BYTES);
	struct keeper_request wrap = wrap_request(f, KEEPER_KEY_LEAF, KEEPER_LISTENER_KEY), other = wrap_request(f, KEEPER_KEY_LEAF, "/demo/leaf");
	struct keeper_reply wrapped = ask(f, &wrap), leaf = ask(f, &other), r;
	struct keeper_request req = { .id = 5, .kind = KEEPER_KEY_SEAL, .key_seal = { wrapped.blob, server.cert, servers } };
	r = ask(f, &req);
	assert_reply_ok(&r);
	assert_true(rc_ok(cms_open(server.key, server.cert, r.sealed, &plain, NULL)));
	req.key_seal = (typeof(req.key_seal)){ wrapped.blob, one.cert, agents };
	r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "sealed to the server only");
	req.key_seal = (typeof(req.key_seal)){ wrapped.blob, client.cert, servers };
	r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "is not the server's certificate");
	req.key_seal = (typeof(req.key_seal)){ leaf.blob, server.cert, servers };
	r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "sealed to agents only");
	key_release(one.key);
	key_release(server.key);
	key_release(client.key);
}

static void a_key_is_not_sealed_to_an_expired_agent(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer agents = make_root(ask_state, f, f->a, KEEPER_AGENTS_AUTHORITY, KEY_EC_P256, T0);
	struct agent one = agent_of(f, agents, KEY_EC_P256, client_only);
	struct keeper_issuer ca = root(f);
	f->now = T0 + 100 * MSEC_DAY;
	struct keeper_request req = seal_request(ca, agents, one.cert, KEY_EC_P256, f->now);
	struct keeper_reply r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "not valid now");
	key_release(one.key);
}

static void a_seal_request_may_not_bring_its_own_public_key(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer ca = root(f), agents = make_root(ask_state, f, f->a, KEEPER_AGENTS_AUTHORITY, KEY_EC_P256, T0);
	struct agent one = agent_of(f, agents, KEY_EC_P256, client_only);
	struct keeper_request req = seal_request(ca, agents, one.cert, KEY_EC_P256, T0);
	req.leaf_seal.spec.spki = parsed(f, one.cert)->spki;
	struct keeper_reply r = ask(f, &req);
	assert_refused(&r, TROTH_INVALID, "may not bring a public key");
	key_release(one.key);
}

static struct keeper_request intermediate_request(struct keeper_issuer issuer)
{
	struct keeper_request req = { .id = 5, .kind = KEEPER_AUTHORITY_SIGN };
	req.authority_sign.issuer = issuer;
	req.authority_sign.policy = policy_of("/demo/sub", T0);
	req.authority_sign.key_type = KEY_EC_P256;
	req.authority_sign.spec = spec_of(CERT_INTERMEDIATE, T0);
	return req;
}

/* -- the log and the rate --------------------------------------------------------------------- */

static void every_use_and_every_refusal_is_a_line(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer issuer = root(f);
	assert_non_null(strstr(f->log, "act=authority-create result=granted"));
	f->log_len = 0;
	struct keeper_reply r = leaf(f, issuer, NULL);
	assert_reply_ok(&r);
	assert_non_null(strstr(f->log, "act=leaf-sign result=granted"));
	assert_non_null(strstr(f->log, "dns=\"db.example.org\""));
	f->log_len = 0;
	r = leaf(f, issuer, later);
	assert_non_null(strstr(f->log, "act=leaf-sign result=refused kind=forbidden"));
}

static void without_its_log_the_keeper_uses_no_key(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer issuer = root(f);
	f->log_broken = true;
	struct keeper_reply r = leaf(f, issuer, NULL);
	assert_refused(&r, TROTH_UNAVAILABLE, "could not write its log");
	struct keeper_request req = create_request("/x", KEY_EC_P256, T0);
	r = ask(f, &req);
	assert_refused(&r, TROTH_UNAVAILABLE, "could not write its log");
}

/* Each kind of use, with the log broken after what it needs was made. */
static void no_kind_of_use_goes_without_its_line(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer ca = root(f), agents = make_root(ask_state, f, f->a, KEEPER_AGENTS_AUTHORITY, KEY_EC_P256, T0);
	struct agent one = agent_of(f, agents, KEY_EC_P256, client_only);
	struct keeper_request create = { .id = 4, .kind = KEEPER_AUDIT_CREATE, .audit_create = { .key_id = UUID_2 } };
	struct keeper_request hook = webhook_request();
	struct keeper_reply audit = ask(f, &create), webhook = ask(f, &hook);
	struct keeper_request reqs[] = {
		create,
		{ .id = 5, .kind = KEEPER_AUDIT_SIGN, .audit_sign = { .blob = audit.blob } },
		wrap_request(f, KEEPER_KEY_LEAF, "/demo/leaf"),
		webhook_request(),
		sign_message(webhook.blob),
		seal_request(ca, agents, one.cert, KEY_EC_P256, T0),
		intermediate_request(ca),
	};
	f->log_broken = true;
	for (size_t i = 0; i < ARRAY_LEN(reqs); i++) {
		struct keeper_reply r = ask(f, &reqs[i]);
		assert_refused(&r, TROTH_UNAVAILABLE, "could not write its log");
	}
	key_release(one.key);
}

static void too_long_a_name(struct keeper_request *r)
{
	r->leaf_sign.spec.common_name = "a name of more than sixty-four characters is refused by what builds certificates";
}

static void what_cannot_be_built_is_not_noted_as_granted(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer ca = root(f), agents = make_root(ask_state, f, f->a, KEEPER_AGENTS_AUTHORITY, KEY_EC_P256, T0);
	struct agent one = agent_of(f, agents, KEY_EC_P256, client_only);
	struct keeper_request seal = seal_request(ca, agents, one.cert, KEY_EC_P256, T0), sub = intermediate_request(ca);
	struct keeper_request top = create_request("/demo/ca", KEY_EC_P256, T0);
	seal.leaf_seal.spec.common_name = sub.authority_sign.spec.common_name = top.authority_create.spec.common_name =
		"a name of more than sixty-four characters is refused by what builds certificates";
	f->log_len = 0;
	struct keeper_reply r = leaf(f, ca, too_long_a_name);
	assert_refused(&r, TROTH_INVALID, "");
	r = ask(f, &seal);
	assert_refused(&r, TROTH_INVALID, "");
	r = ask(f, &sub);
	assert_refused(&r, TROTH_INVALID, "");
	r = ask(f, &top);
	assert_refused(&r, TROTH_INVALID, "");
	assert_null(strstr(f->log, "result=granted"));
	key_release(one.key);
}

/* Asks until it is refused; how often it was granted. */
static int granted(struct fixture *f, const struct keeper_request *req, struct keeper_reply *ret_last)
{
	static struct keeper_reply r;
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	int n = 0;
	for (keeper_handle(f->state, req, a, &r); r.kind == TROTH_OK; keeper_handle(f->state, req, a, &r), n++) {
		arena_reset(a);
		f->log_len = 0;
	}
	*ret_last = r;
	ret_last->text = arena_text(f->a, r.text);
	return n;
}

static void signed_and_sealed_leaves_share_their_authoritys_rate(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer ca = root(f), agents = make_root(ask_state, f, f->a, KEEPER_AGENTS_AUTHORITY, KEY_EC_P256, T0);
	struct agent one = agent_of(f, agents, KEY_EC_P256, client_only);
	struct keeper_request seal = seal_request(ca, agents, one.cert, KEY_EC_P256, T0), sign;
	struct keeper_reply r;
	struct key *k;
	sign = leaf_request(f->a, ca, KEY_EC_P256, T0, &k);
	assert_int_equal(granted(f, &sign, &r), LIMIT_KEEPER_LEAF_BURST);
	assert_refused(&r, TROTH_BUSY, "rate of leaf certificates");
	r = ask(f, &seal);
	assert_refused(&r, TROTH_BUSY, "rate of leaf certificates");
	f->mono += 1; /* one more a millisecond */
	r = ask(f, &seal);
	assert_reply_ok(&r);
	key_release(k);
	key_release(one.key);
}

static void new_keys_of_all_sorts_share_one_rate(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer ca = root(f);
	struct keeper_request create = { .id = 4, .kind = KEEPER_AUDIT_CREATE, .audit_create = { .key_id = UUID_2 } };
	struct keeper_request others[] = { wrap_request(f, KEEPER_KEY_LEAF, "/demo/leaf"), intermediate_request(ca),
					   create_request("/demo/ca", KEY_EC_P256, T0) };
	struct keeper_reply r;
	assert_int_equal(granted(f, &create, &r), LIMIT_KEEPER_NEW_BURST - 1);
	assert_refused(&r, TROTH_BUSY, "rate of new keys");
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		r = ask(f, &others[i]);
		assert_refused(&r, TROTH_BUSY, "rate of new keys");
	}
}

static void audit_heads_have_a_rate(void **state)
{
	struct fixture *f = *state;
	struct keeper_request create = { .id = 4, .kind = KEEPER_AUDIT_CREATE, .audit_create = { .key_id = UUID_2 } };
	struct keeper_reply key = ask(f, &create), r;
	struct keeper_request sign = { .id = 5, .kind = KEEPER_AUDIT_SIGN, .audit_sign = { .blob = key.blob } };
	assert_int_equal(granted(f, &sign, &r), LIMIT_KEEPER_AUDIT_BURST);
	assert_refused(&r, TROTH_BUSY, "rate of audit signatures");
}

static void a_key_id_that_is_no_uuid_is_refused(void **state)
{
	struct fixture *f = *state;
	struct keeper_request create = { .id = 4, .kind = KEEPER_AUDIT_CREATE, .audit_create = { .key_id = "x" } };
	struct keeper_reply r = ask(f, &create);
	assert_refused(&r, TROTH_INVALID, "is not a UUID");
}

static void the_rate_of_ca_certificates_is_limited_per_key(void **state)
{
	struct fixture *f = *state;
	struct keeper_request req = intermediate_request(root(f));
	struct keeper_reply r;
	for (int i = 0; i < LIMIT_KEEPER_CA_BURST; i++) {
		f->log_len = 0;
		r = ask(f, &req);
		assert_reply_ok(&r);
	}
	r = ask(f, &req);
	assert_refused(&r, TROTH_BUSY, "rate of CA certificates");
	req.authority_sign.issuer = root(f);
	r = ask(f, &req);
	assert_reply_ok(&r);
}

static void a_path_length_and_an_end_cannot_be_widened(void **state)
{
	struct fixture *f = *state;
	struct keeper_request top = create_request("/demo/ca", KEY_EC_P256, T0);
	top.authority_create.policy.path_len = 1;
	struct keeper_reply r = ask(f, &top);
	assert_refused(&r, TROTH_FORBIDDEN, "path length -1");
	top.authority_create.spec.path_len = 1;
	r = ask(f, &top);
	assert_reply_ok(&r);
	struct keeper_request req = { .id = 5, .kind = KEEPER_AUTHORITY_SIGN };
	req.authority_sign.issuer = (struct keeper_issuer){ r.blob, r.der };
	req.authority_sign.policy = policy_of("/demo/sub", T0);
	req.authority_sign.key_type = KEY_EC_P256;
	req.authority_sign.spec = spec_of(CERT_INTERMEDIATE, T0);
	r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "a path length below /demo/ca may be at most 0");
	req.authority_sign.policy.path_len = req.authority_sign.spec.path_len = 0;
	req.authority_sign.policy.latest_not_after += 1;
	r = ask(f, &req);
	assert_refused(&r, TROTH_FORBIDDEN, "is later than the policy");
	req.authority_sign.policy.latest_not_after -= 1;
	r = ask(f, &req);
	assert_reply_ok(&r);
}

static void a_key_of_another_type_or_none_is_not_used(void **state)
{
	struct fixture *f = *state;
	struct keeper_request req = create_request("/demo/ca", KEY_EC_P256, T0);
	CLEANUP(key_releasep) struct key *k = NULL;
	enum key_type type;
	struct keeper_reply r;
	assert_true(keeper_needs_key(&req, &type) && type == KEY_EC_P256);
	assert_true(rc_ok(key_generate(KEY_ED25519, &k, NULL)));
	keeper_handle_with(f->state, &req, k, f->a, &r);
	assert_refused(&r, TROTH_INTERNAL, "was not made");
	keeper_handle_with(f->state, &req, NULL, f->a, &r);
	assert_refused(&r, TROTH_INTERNAL, "was not made");
}

/* Whatever makes an RSA key waits in the long lane, a request for a CA certificate too. */
static void what_takes_long(void **state)
{
	struct keeper_request ca = create_request("/demo/ca", KEY_RSA_2048, T0), quick = create_request("/demo/ca", KEY_EC_P256, T0);
	struct keeper_request csr = { .kind = KEEPER_AUTHORITY_REQUEST, .authority_request.key_type = KEY_RSA_4096 };
	struct keeper_request leaf = { .kind = KEEPER_KEY_MAKE, .key_make.key_type = KEY_RSA_3072 }, sign = { .kind = KEEPER_LEAF_SIGN };
	assert_true(keeper_is_long(&ca) && keeper_is_long(&csr) && keeper_is_long(&leaf));
	assert_false(keeper_is_long(&quick) || keeper_is_long(&sign));
}

static void a_refusals_text_has_no_control_characters(void **state)
{
	struct fixture *f = *state;
	struct troth_err e = { 0 };
	struct keeper_reply r;
	assert_true(rc_failed(err_set(&e, TROTH_INVALID, "a\nb\x7f")));
	keeper_reply_refuse(f->a, 4, &e, &r);
	assert_string_equal(r.text, "a?b?");
	assert_true(rc_failed(keeper_reply_check(&r, &e)));
	assert_int_equal(e.kind, TROTH_INVALID);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_algorithm_makes_a_root_and_signs_with_it),
		T(an_intermediate_signs_below_its_root),
		T(a_root_certifies_its_successor),
		T(a_ca_is_certified_by_somebody_else),
		T(a_root_gets_other_dates),
		T(a_leaf_request_never_makes_a_ca),
		T(another_authoritys_certificate_is_refused),
		T(wrong_dates_and_fields_are_refused),
		T(a_leaf_with_the_authoritys_own_key_is_refused),
		T(every_changed_byte_of_a_blob_is_refused),
		T(a_leaf_key_signs_nothing),
		T(an_authority_key_signs_no_audit_head_and_an_audit_key_no_certificate),
		T(keys_that_may_not_be_brought_are_refused),
		T(a_webhooks_secret_signs_its_messages_and_nothing_else),
		T(a_webhooks_secret_has_its_length_and_its_own_door),
		T(messages_to_a_webhook_have_a_rate),
		T(an_audit_head_is_signed_with_the_keepers_time),
		T(a_sealed_key_opens_for_its_agent_only),
		T(a_key_is_sealed_to_agents_only),
		T(the_listeners_key_is_sealed_to_the_server),
		T(a_key_is_not_sealed_to_an_expired_agent),
		T(a_brought_key_is_sealed_to_an_agent),
		T(a_key_that_may_be_asked_for_is_given_out),
		T(a_seal_request_may_not_bring_its_own_public_key),
		T(every_use_and_every_refusal_is_a_line),
		T(without_its_log_the_keeper_uses_no_key),
		T(no_kind_of_use_goes_without_its_line),
		T(what_cannot_be_built_is_not_noted_as_granted),
		T(signed_and_sealed_leaves_share_their_authoritys_rate),
		T(new_keys_of_all_sorts_share_one_rate),
		T(audit_heads_have_a_rate),
		T(a_key_id_that_is_no_uuid_is_refused),
		T(the_rate_of_ca_certificates_is_limited_per_key),
		T(a_path_length_and_an_end_cannot_be_widened),
		T(a_key_of_another_type_or_none_is_not_used),
		T(what_takes_long),
		T(a_refusals_text_has_no_control_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
