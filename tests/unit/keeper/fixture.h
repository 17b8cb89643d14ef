/* What the keeper's tests share: a clock that stands still, a state, an authority, an agent. */
#ifndef TROTH_TESTS_KEEPER_FIXTURE_H
#define TROTH_TESTS_KEEPER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these four first */
#include <cmocka.h>
#include <stdio.h>

#include "base/limits.h"
#include "keeper/keeper.h"

#define UNUSED __attribute__((unused))
#define T0 INT64_C(1795000000000) /* 2026-11-18 */
#define UUID_1 "11111111-1111-4111-8111-111111111111"
#define UUID_2 "22222222-2222-4222-8222-222222222222"

struct fixture {
	struct keeper_state *state;
	struct arena *a;
	struct port_clock clock;
	msec_t now, mono;
	char log[64 << 10]; /* the lines written */
	size_t log_len;
	bool log_broken;
};

static msec_t fixture_now(void *self) { return ((struct fixture *)self)->now; }
static msec_t fixture_mono(void *self) { return ((struct fixture *)self)->mono; }

static bool fixture_log(void *self, struct bytes line)
{
	struct fixture *f = self;
	if (f->log_broken || f->log_len + line.len >= sizeof f->log)
		return false;
	memcpy(f->log + f->log_len, line.data, line.len);
	f->log_len += line.len;
	f->log[f->log_len] = 0;
	return true;
}

UNUSED static struct fixture *fixture_new(void)
{
	struct fixture *f = calloc(1, sizeof *f);
	assert_non_null(f);
	uint8_t master[KEEPER_MASTER_KEY_BYTES];
	memset(master, 7, sizeof master);
	f->now = T0;
	f->mono = 1000;
	f->clock = (struct port_clock){ f, fixture_now, fixture_mono };
	struct keeper_ports ports = { &f->clock, fixture_log, f };
	f->a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	assert_true(rc_ok(keeper_state_new(master, &ports, &f->state, NULL)));
	return f;
}

UNUSED static void fixture_free(struct fixture *f)
{
	keeper_state_free(f->state);
	arena_free(f->a);
	free(f);
}

UNUSED static int fixture_setup(void **state)
{
	*state = fixture_new();
	return 0;
}

UNUSED static int fixture_teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

UNUSED static struct keeper_policy policy_of(const char *authority, msec_t now)
{
	return (struct keeper_policy){ .key_id = UUID_1, .kind = KEEPER_KEY_AUTHORITY, .authority = authority,
				       .may_sign_ca = true, .path_len = -1, .latest_not_after = now + 3650 * MSEC_DAY };
}

UNUSED static struct cert_spec spec_of(enum cert_kind kind, msec_t now)
{
	static const struct san SANS[] = { { SAN_DNS, "db.example.org" }, { SAN_IP, "10.0.0.1" } };
	bool leaf = kind == CERT_LEAF;
	return (struct cert_spec){ .kind = kind, .common_name = leaf ? "db" : "Demo CA", .organization = "Demo", .organizational_unit = "Unit",
				   .place = { "CH", "BE", "Z\xc3\xbcrich" }, .key_usage = leaf ? USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION : 0,
				   .sans = leaf ? SANS : NULL, .san_count = leaf ? 2 : 0, .not_before = now - 5 * MSEC_MIN,
				   .not_after = now + (leaf ? 90 : kind == CERT_ROOT ? 3650 : 1800) * MSEC_DAY, .path_len = -1,
				   .eku = leaf ? EKU_SERVER | EKU_CLIENT : 0, .serial = { 0x11, 0x22, 0x33 } };
}

UNUSED static struct keeper_request create_request(const char *authority, enum key_type type, msec_t now)
{
	struct keeper_request r = { .id = 1, .kind = KEEPER_AUTHORITY_CREATE };
	r.authority_create.policy = policy_of(authority, now);
	r.authority_create.key_type = type;
	r.authority_create.spec = spec_of(CERT_ROOT, now);
	return r;
}

/* An issuer made by any function that turns a request into a reply. */
typedef void (*ask_fn)(void *self, const struct keeper_request *req, struct arena *a, struct keeper_reply *ret);

UNUSED static void ask_state(void *self, const struct keeper_request *req, struct arena *a, struct keeper_reply *ret)
{
	keeper_handle(((struct fixture *)self)->state, req, a, ret);
}

UNUSED static void assert_reply_ok(const struct keeper_reply *r)
{
	if (r->kind != TROTH_OK)
		fail_msg("refused: %s", r->text);
}

UNUSED static struct keeper_issuer make_root(ask_fn ask, void *self, struct arena *a, const char *authority,
					     enum key_type type, msec_t now)
{
	struct keeper_request req = create_request(authority, type, now);
	struct keeper_reply reply;
	ask(self, &req, a, &reply);
	assert_reply_ok(&reply);
	return (struct keeper_issuer){ reply.blob, reply.der };
}

/* A request for a leaf under `issuer` with the public key of *ret_key (the caller's). */
UNUSED static struct keeper_request leaf_request(struct arena *a, struct keeper_issuer issuer, enum key_type type,
						 msec_t now, struct key **ret_key)
{
	struct keeper_request r = { .id = 2, .kind = KEEPER_LEAF_SIGN };
	r.leaf_sign.issuer = issuer;
	r.leaf_sign.spec = spec_of(CERT_LEAF, now);
	assert_true(rc_ok(key_generate(type, ret_key, NULL)));
	assert_true(rc_ok(key_spki(*ret_key, a, &r.leaf_sign.spec.spki, NULL)));
	return r;
}

/* A request for a leaf whose key the keeper makes, sealed to `recipient`. */
UNUSED static struct keeper_request seal_request(struct keeper_issuer issuer, struct keeper_issuer agents,
						 struct bytes recipient, enum key_type type, msec_t now)
{
	struct keeper_request r = { .id = 3, .kind = KEEPER_LEAF_SEAL };
	r.leaf_seal.issuer = issuer;
	r.leaf_seal.agents = agents;
	r.leaf_seal.recipient = recipient;
	r.leaf_seal.key_type = type;
	r.leaf_seal.spec = spec_of(CERT_LEAF, now);
	return r;
}

/* A refusal of this kind whose text holds this. */
UNUSED static void assert_refused(const struct keeper_reply *r, enum troth_kind kind, const char *part)
{
	if (r->kind == TROTH_OK)
		fail_msg("granted, but it should be refused with \"%s\"", part);
	if (r->kind != kind || !strstr(r->text, part))
		fail_msg("refused with %s \"%s\", not %s \"%s\"", err_kind_name(r->kind), r->text, err_kind_name(kind), part);
	assert_int_equal(r->der.len + r->blob.len + r->sealed.len + r->signature.len, 0);
}

#endif
