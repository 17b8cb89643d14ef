/* Keys of authorities that may be given out: these, and no other, whatever a server asks for that was taken over. */
#include "fixture.h"

static struct keeper_reply ask(struct fixture *f, const struct keeper_request *req)
{
	struct keeper_reply r;
	keeper_handle(f->state, req, f->a, &r);
	return r;
}

/* A root as one asks for it; `policy` is where it may be changed before. */
static struct keeper_issuer root(struct fixture *f, const char *authority, bool exportable)
{
	struct keeper_request req = create_request(authority, KEY_EC_P256, T0);
	req.authority_create.policy.exportable = exportable;
	struct keeper_reply r = ask(f, &req);
	assert_reply_ok(&r);
	return (struct keeper_issuer){ r.blob, r.der };
}

static struct keeper_request open_request(struct bytes blob)
{
	return (struct keeper_request){ .id = 8, .kind = KEEPER_AUTHORITY_OPEN, .key_open = { blob } };
}

static void refused(struct fixture *f, struct keeper_request req, enum troth_kind kind, const char *words)
{
	struct keeper_reply r = ask(f, &req);
	assert_refused(&r, kind, words);
	assert_int_equal(r.key.len + r.blob.len + r.der.len, 0);
	assert_null(strstr(f->log, "act=authority-open result=granted"));
}

static struct keeper_request below(struct keeper_issuer issuer, const char *authority, bool exportable)
{
	struct keeper_request req = { .id = 5, .kind = KEEPER_AUTHORITY_SIGN };
	req.authority_sign.issuer = issuer;
	req.authority_sign.policy = policy_of(authority, T0);
	req.authority_sign.policy.exportable = exportable;
	req.authority_sign.key_type = KEY_EC_P256;
	req.authority_sign.spec = spec_of(CERT_INTERMEDIATE, T0);
	return req;
}

static struct keeper_request wrap_request(struct fixture *f, const char *authority)
{
	CLEANUP(buf_release) struct buf pem = buf_make_secret(LIMIT_KEY_DER_BYTES);
	CLEANUP(key_releasep) struct key *k = NULL;
	struct keeper_request req = { .id = 9, .kind = KEEPER_KEY_WRAP, .key_wrap = { .policy = policy_of(authority, T0) } };
	assert_true(rc_ok(key_generate(KEY_EC_P256, &k, NULL)));
	assert_true(rc_ok(key_write(k, KEY_TRADITIONAL_PEM, &pem, NULL)));
	req.key_wrap.key = arena_bytes(f->a, buf_bytes(&pem));
	return req;
}

static void one_that_was_made_so_is_given_out_and_noted(void **state)
{
	struct fixture *f = *state;
	CLEANUP(key_releasep) struct key *k = NULL;
	const struct cert *c;
	struct keeper_issuer ca = root(f, "/demo/ca", true);
	struct keeper_request open = open_request(ca.blob);
	assert_non_null(strstr(f->log, " exportable=yes"));
	f->log_len = 0;
	struct keeper_reply r = ask(f, &open), again = ask(f, &open);
	assert_reply_ok(&r);
	assert_true(rc_ok(cert_parse(f->a, ca.cert, &c, NULL)) && rc_ok(key_parse(r.key, &k, NULL)) && key_public_matches(k, c->spki));
	assert_true(bytes_equal(r.spki, c->spki) && bytes_equal(r.key, again.key) && r.blob.len == 0);
	assert_non_null(strstr(f->log, "act=authority-open result=granted key=" UUID_1 " authority=\"/demo/ca\""));
	assert_non_null(strstr(f->log, " exportable=yes\n"));
	f->log_broken = true;
	r = ask(f, &open);
	assert_refused(&r, TROTH_UNAVAILABLE, "could not write its log");
	assert_int_equal(r.key.len, 0);
}

static void one_that_was_made_without_is_given_to_nobody(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer ca = root(f, "/demo/ca", false);
	assert_null(strstr(f->log, "exportable"));
	refused(f, open_request(ca.blob), TROTH_FORBIDDEN, "was not made to be given out");
	struct keeper_request sub = below(ca, "/demo/sub", false), wrap = wrap_request(f, "/own/ca");
	struct keeper_reply r = ask(f, &sub), brought = ask(f, &wrap);
	assert_reply_ok(&r);
	assert_reply_ok(&brought);
	refused(f, open_request(r.blob), TROTH_FORBIDDEN, "was not made to be given out");
	refused(f, open_request(brought.blob), TROTH_FORBIDDEN, "was not made to be given out");
	assert_non_null(strstr(f->log, "act=authority-open result=refused kind=forbidden"));
}

/* Each byte of the policy is under the seal, the one that says exportable among them. */
static void a_policy_that_was_changed_opens_nothing(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer ca = root(f, "/demo/ca", false);
	uint8_t *copy = arena_copy(f->a, ca.blob.data, ca.blob.len);
	struct keeper_policy p;
	size_t made_so = 0;
	for (size_t i = 0; i < ca.blob.len; i++) {
		copy[i] ^= 1;
		bool reads = rc_ok(keeper_policy_read(f->a, bytes_of(copy, ca.blob.len), &p, NULL));
		made_so += reads && p.exportable;
		refused(f, open_request(bytes_of(copy, ca.blob.len)), TROTH_CORRUPT, "");
		copy[i] ^= 1;
		f->log_len = 0;
	}
	assert_int_equal(made_so, 1); /* the flag was among what was changed */
}

static void only_an_authoritys_key_by_this_word(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer ca = root(f, "/demo/ca", true);
	struct keeper_request leaf = wrap_request(f, "/demo/leaf"), audit = { .id = 4, .kind = KEEPER_AUDIT_CREATE, .audit_create = { UUID_2 } };
	struct keeper_request hook = { .id = 9, .kind = KEEPER_WEBHOOK_WRAP };
	leaf.key_wrap.policy = (struct keeper_policy){ .key_id = UUID_1, .kind = KEEPER_KEY_LEAF, .authority = "/demo/leaf", .path_len = -1, .exportable = true };
	hook.webhook_wrap.policy = (struct keeper_policy){ .key_id = UUID_1, .kind = KEEPER_KEY_WEBHOOK, .authority = "ops", .exportable = true };
	hook.webhook_wrap.secret = bytes_of_text("0123456789abcdef0123456789abcdef");
	struct keeper_reply wrapped = ask(f, &leaf), key = ask(f, &audit), secret = ask(f, &hook);
	assert_reply_ok(&wrapped);
	assert_reply_ok(&secret);
	refused(f, open_request(wrapped.blob), TROTH_FORBIDDEN, "of kind leaf");
	refused(f, open_request(key.blob), TROTH_FORBIDDEN, "of kind audit");
	refused(f, open_request(secret.blob), TROTH_FORBIDDEN, "of kind webhook");
	struct keeper_request other = open_request(ca.blob);
	other.kind = KEEPER_KEY_OPEN; /* the leaf's word, and its rate */
	refused(f, other, TROTH_FORBIDDEN, "of kind authority");
}

/* Nor by a CA that may be given out and that it vouches for: below it, or as its successor. */
static void nothing_that_may_not_leave_vouches_for_what_may(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer ca = root(f, "/demo/ca", false), open = root(f, "/demo/ca", true), agents = root(f, KEEPER_AGENTS_AUTHORITY, false);
	refused(f, below(ca, "/demo/sub", true), TROTH_FORBIDDEN, "signs no CA whose key may be");
	refused(f, below(agents, "/demo/sub", true), TROTH_FORBIDDEN, "signs no CA whose key may be");
	struct keeper_request cross = { .id = 5, .kind = KEEPER_AUTHORITY_CROSS, .authority_cross = { ca, open, spec_of(CERT_INTERMEDIATE, T0) } };
	refused(f, cross, TROTH_FORBIDDEN, "signs no CA whose key may be");
	struct keeper_request sub = below(open, "/demo/sub", true);
	struct keeper_reply r = ask(f, &sub);
	assert_reply_ok(&r);
	struct keeper_request key = open_request(r.blob);
	r = ask(f, &key);
	assert_reply_ok(&r);
}

/* A key that somebody else may have is put away under the name of an authority that is here: that one's root does not certify it. */
static void a_key_that_was_brought_is_no_successor(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer ca = root(f, "/demo/ca", false);
	struct keeper_request wrap = wrap_request(f, "/demo/ca");
	CLEANUP(key_releasep) struct key *k = NULL;
	struct cert_spec spec = spec_of(CERT_ROOT, T0);
	struct bytes der;
	wrap.key_wrap.policy.brought = false; /* as the server says, which is not asked */
	struct keeper_reply wrapped = ask(f, &wrap);
	assert_reply_ok(&wrapped);
	spec.spki = wrapped.spki;
	assert_true(rc_ok(key_parse(wrap.key_wrap.key, &k, NULL)) && rc_ok(cert_build(&spec, NULL, k, f->a, &der, NULL)));
	struct keeper_issuer brought = { wrapped.blob, der };
	struct keeper_request cross = { .id = 5, .kind = KEEPER_AUTHORITY_CROSS, .authority_cross = { ca, brought, spec_of(CERT_INTERMEDIATE, T0) } };
	refused(f, cross, TROTH_FORBIDDEN, "no other root certifies it");
	struct keeper_policy p;
	assert_true(rc_ok(keeper_policy_read(f->a, wrapped.blob, &p, NULL)) && p.brought);
	assert_true(rc_ok(keeper_policy_read(f->a, ca.blob, &p, NULL)) && !p.brought);
	struct keeper_request made = create_request("/demo/ca", KEY_EC_P256, T0);
	made.authority_create.policy.brought = true; /* neither is this one the server's to say */
	struct keeper_reply r = ask(f, &made);
	assert_true(rc_ok(keeper_policy_read(f->a, r.blob, &p, NULL)) && !p.brought);
}

static void troths_own_are_not_made_so(void **state)
{
	struct fixture *f = *state;
	static const char *const OWN[] = { KEEPER_AGENTS_AUTHORITY, KEEPER_SERVER_AUTHORITY, "/troth/else" };
	for (size_t i = 0; i < ARRAY_LEN(OWN); i++) {
		struct keeper_request create = create_request(OWN[i], KEY_EC_P256, T0), wrap = wrap_request(f, OWN[i]);
		struct keeper_request csr = { .id = 6, .kind = KEEPER_AUTHORITY_REQUEST };
		csr.authority_request.policy = policy_of(OWN[i], T0);
		csr.authority_request.key_type = KEY_EC_P256;
		csr.authority_request.spec = spec_of(CERT_INTERMEDIATE, T0);
		create.authority_create.policy.exportable = wrap.key_wrap.policy.exportable = csr.authority_request.policy.exportable = true;
		refused(f, create, TROTH_FORBIDDEN, "given to nobody");
		refused(f, wrap, TROTH_FORBIDDEN, i ? "given to nobody" : "cannot be brought");
		refused(f, csr, TROTH_FORBIDDEN, "given to nobody");
		refused(f, below(root(f, "/demo/ca", true), OWN[i], true), TROTH_FORBIDDEN, "given to nobody");
	}
}

/* All of them together: who takes every key there is shows in the log while he does. */
static void all_that_are_given_out_share_one_rate(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer two[] = { root(f, "/demo/ca", true), root(f, "/other/ca", true) };
	struct keeper_reply r = { 0 };
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	for (int i = 0; i < LIMIT_KEEPER_EXPORT_BURST; i++) {
		struct keeper_request open = open_request(two[i % 2].blob);
		keeper_handle(f->state, &open, a, &r);
		assert_reply_ok(&r);
		arena_reset(a);
		f->log_len = 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(two); i++)
		refused(f, open_request(two[i].blob), TROTH_BUSY, "rate of keys of authorities given out");
	f->mono += 60 * 1000 / LIMIT_KEEPER_EXPORT_PER_MIN;
	struct keeper_request open = open_request(two[0].blob);
	r = ask(f, &open);
	assert_reply_ok(&r);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(one_that_was_made_so_is_given_out_and_noted),
		T(one_that_was_made_without_is_given_to_nobody),
		T(a_policy_that_was_changed_opens_nothing),
		T(only_an_authoritys_key_by_this_word),
		T(nothing_that_may_not_leave_vouches_for_what_may),
		T(a_key_that_was_brought_is_no_successor),
		T(troths_own_are_not_made_so),
		T(all_that_are_given_out_share_one_rate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
