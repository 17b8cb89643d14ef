/* The warm-up: a keeper of its own with a random master key makes an agents' authority, an agent, a
 * sealed leaf and an audit signature, through the same door as every request. */
#include "keeper/warmup.h"

#include <openssl/rand.h>

#include "base/limits.h"
#include "keeper/state.h"

#define WARM_UUID "00000000-0000-4000-8000-000000000000"

static troth_rc act(struct keeper_state *s, const struct keeper_request *req, struct arena *a, struct keeper_reply *ret,
		    struct troth_err *e)
{
	keeper_handle(s, req, a, ret);
	troth_rc rc = keeper_reply_check(ret, e);
	if (rc_failed(rc))
		err_prefix(e, "warm-up, %s", keeper_kind_name(req->kind));
	return rc;
}

static struct cert_spec warm_spec(enum cert_kind kind, msec_t now)
{
	return (struct cert_spec){ .kind = kind, .common_name = "warm-up", .not_before = now - MSEC_MIN,
				   .not_after = now + (kind == CERT_LEAF ? MSEC_HOUR : MSEC_DAY), .path_len = -1,
				   .eku = kind == CERT_LEAF ? EKU_CLIENT : 0, .serial = { 1 } };
}

static struct keeper_policy warm_policy(const char *authority, msec_t now)
{
	return (struct keeper_policy){ .key_id = WARM_UUID, .kind = KEEPER_KEY_AUTHORITY, .authority = authority,
				       .may_sign_ca = true, .path_len = -1, .latest_not_after = now + MSEC_DAY };
}

static troth_rc warm_root(struct keeper_state *s, msec_t now, struct arena *a, struct keeper_issuer *ret,
			  struct troth_err *e)
{
	struct keeper_reply reply;
	struct keeper_request req = { .id = 1, .kind = KEEPER_AUTHORITY_CREATE };
	req.authority_create.policy = warm_policy(KEEPER_AGENTS_AUTHORITY, now);
	req.authority_create.key_type = KEY_EC_P256;
	req.authority_create.spec = warm_spec(CERT_ROOT, now);
	TRY(act(s, &req, a, &reply, e));
	*ret = (struct keeper_issuer){ reply.blob, reply.der };
	return RC_OK;
}

/* An agent with an RSA certificate could not be sealed to; one with a P-256 one can. */
static troth_rc warm_leaves(struct keeper_state *s, msec_t now, struct arena *a, const struct keeper_issuer *root,
			    struct troth_err *e)
{
	CLEANUP(key_releasep) struct key *agent = NULL;
	struct keeper_reply reply;
	struct keeper_request req = { .id = 2, .kind = KEEPER_LEAF_SIGN };
	TRY(key_generate(KEY_EC_P256, &agent, e));
	req.leaf_sign.issuer = *root;
	req.leaf_sign.spec = warm_spec(CERT_LEAF, now);
	TRY(key_spki(agent, a, &req.leaf_sign.spec.spki, e));
	TRY(act(s, &req, a, &reply, e));
	struct keeper_request seal = { .id = 3, .kind = KEEPER_LEAF_SEAL };
	seal.leaf_seal.issuer = seal.leaf_seal.agents = *root;
	seal.leaf_seal.key_type = KEY_EC_P256;
	seal.leaf_seal.spec = warm_spec(CERT_LEAF, now);
	seal.leaf_seal.recipient = reply.der;
	return act(s, &seal, a, &reply, e);
}

static troth_rc warm_audit(struct keeper_state *s, struct arena *a, struct troth_err *e)
{
	struct keeper_reply reply;
	struct keeper_request create = { .id = 4, .kind = KEEPER_AUDIT_CREATE, .audit_create = { .key_id = WARM_UUID } };
	TRY(act(s, &create, a, &reply, e));
	struct keeper_request sign = { .id = 5, .kind = KEEPER_AUDIT_SIGN, .audit_sign = { .blob = reply.blob } };
	return act(s, &sign, a, &reply, e);
}

static troth_rc warm_webhook(struct keeper_state *s, struct arena *a, struct troth_err *e)
{
	static const uint8_t secret[KEEPER_WEBHOOK_SECRET_BYTES];
	struct keeper_reply reply;
	struct keeper_request wrap = { .id = 8, .kind = KEEPER_WEBHOOK_WRAP };
	wrap.webhook_wrap.policy = (struct keeper_policy){ .key_id = WARM_UUID, .kind = KEEPER_KEY_WEBHOOK, .authority = "warm-up" };
	wrap.webhook_wrap.secret = bytes_of(secret, sizeof secret);
	TRY(act(s, &wrap, a, &reply, e));
	struct keeper_request sign = { .id = 9, .kind = KEEPER_WEBHOOK_SIGN };
	sign.webhook_sign.blob = reply.blob;
	sign.webhook_sign.message = "warm-up";
	sign.webhook_sign.body = bytes_of("{}", 2);
	return act(s, &sign, a, &reply, e);
}

static troth_rc warm_request(struct keeper_state *s, msec_t now, struct arena *a, struct troth_err *e)
{
	struct keeper_reply reply;
	struct keeper_request req = { .id = 7, .kind = KEEPER_AUTHORITY_REQUEST };
	req.authority_request.policy = warm_policy("/warm-up", now);
	req.authority_request.key_type = KEY_EC_P256;
	req.authority_request.spec = warm_spec(CERT_INTERMEDIATE, now);
	return act(s, &req, a, &reply, e);
}

static troth_rc warm_all(struct keeper_state *s, msec_t now, struct arena *a, struct troth_err *e)
{
	struct keeper_issuer root;
	struct keeper_reply reply;
	struct keeper_request bad = { .id = 6, .kind = KEEPER_KEY_WRAP, .key_wrap = { .key = bytes_of("x", 1) } };
	TRY(warm_root(s, now, a, &root, e));
	TRY(warm_leaves(s, now, a, &root, e));
	TRY(warm_audit(s, a, e));
	TRY(warm_request(s, now, a, e));
	TRY(warm_webhook(s, a, e));
	keeper_handle(s, &bad, a, &reply); /* a refusal has ways of its own */
	ENSURE(reply.kind != TROTH_OK, e, TROTH_INTERNAL, "warm-up: a broken request was not refused");
	return RC_OK;
}

troth_rc keeper_warm_up(struct troth_err *e)
{
	uint8_t master[KEEPER_MASTER_KEY_BYTES];
	struct keeper_ports ports = { .clock = &PORT_CLOCK_REAL };
	CLEANUP(keeper_state_freep) struct keeper_state *s = NULL;
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	ENSURE(RAND_priv_bytes(master, sizeof master) == 1, e, TROTH_UNAVAILABLE, "OpenSSL has no random numbers");
	TRY(keeper_state_new(master, &ports, &s, e));
	return warm_all(s, port_now(&PORT_CLOCK_REAL), a, e);
}
