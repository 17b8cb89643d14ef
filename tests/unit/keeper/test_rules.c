/* The rules alone, each with what it lets through and what it does not. */
#include "fixture.h"

#include "keeper/rules.h"

static struct keeper_policy ISSUER, CHILD;
static struct cert CERT;
static struct cert_spec SPEC;

static int reset(void **state)
{
	ISSUER = policy_of("/demo/ca", T0);
	CHILD = policy_of("/demo/sub", T0);
	memset(ISSUER.spki_hash, 1, SHA256_LEN);
	CERT = (struct cert){ .subject = "CN=Demo CA", .is_ca = true, .path_len = -1 };
	memset(CERT.key_id, 1, SHA256_LEN);
	SPEC = spec_of(CERT_INTERMEDIATE, T0);
	return 0;
}

static void no(troth_rc rc, const struct troth_err *e, enum troth_kind kind, const char *part)
{
	if (rc_ok(rc))
		fail_msg("allowed, but it should say \"%s\"", part);
	if (e->kind != kind || !strstr(e->primary, part))
		fail_msg("%s \"%s\" is not %s \"%s\"", err_kind_name(e->kind), e->primary, err_kind_name(kind), part);
}

static struct troth_err E;
static troth_rc child(void) { return rules_intermediate(&ISSUER, &CERT, &CHILD, &SPEC, T0, &E); }
static troth_rc top(void) { return rules_root(&CHILD, &SPEC, T0, &E); }
static troth_rc fresh(enum keeper_key_kind kind) { return rules_new_policy(&CHILD, kind, T0, &E); }

static void a_new_policy_is_whole(void **state)
{
	assert_true(rc_ok(fresh(KEEPER_KEY_AUTHORITY)));
	no(fresh(KEEPER_KEY_LEAF), &E, TROTH_FORBIDDEN, "of kind authority cannot be used");
	CHILD.key_id[0] = 0;
	no(fresh(KEEPER_KEY_AUTHORITY), &E, TROTH_INVALID, "key id is not a UUID");
	reset(NULL);
	CHILD.authority = NULL;
	no(fresh(KEEPER_KEY_AUTHORITY), &E, TROTH_INVALID, "names no authority");
	reset(NULL);
	CHILD.path_len = LIMIT_CHAIN_CERTS + 1;
	no(fresh(KEEPER_KEY_AUTHORITY), &E, TROTH_INVALID, "path length is");
	reset(NULL);
	CHILD.latest_not_after = T0;
	no(fresh(KEEPER_KEY_AUTHORITY), &E, TROTH_INVALID, "latest notAfter has passed");
	CHILD.latest_not_after = T0 + (LIMIT_KEEPER_LIFE_DAYS + 1) * MSEC_DAY;
	no(fresh(KEEPER_KEY_AUTHORITY), &E, TROTH_INVALID, "days away");
	reset(NULL);
	CHILD.kind = KEEPER_KEY_LEAF;
	no(fresh(KEEPER_KEY_LEAF), &E, TROTH_FORBIDDEN, "may not sign certificates");
	CHILD.may_sign_ca = false;
	assert_true(rc_ok(fresh(KEEPER_KEY_LEAF)));
	CHILD.path_len = 1;
	no(fresh(KEEPER_KEY_LEAF), &E, TROTH_FORBIDDEN, "may not sign certificates");
}

/* Whom agents and server believe is given to nobody, by whatever request it would come in. */
static void troths_own_are_never_exportable(void **state)
{
	static const char *const OWN[] = { "/troth/server", "/troth/agents", "/troth/new" };
	for (size_t i = 0; i < ARRAY_LEN(OWN); i++) {
		reset(NULL);
		CHILD.authority = OWN[i];
		assert_true(rc_ok(fresh(KEEPER_KEY_AUTHORITY)));
		CHILD.exportable = ISSUER.exportable = true;
		no(fresh(KEEPER_KEY_AUTHORITY), &E, TROTH_FORBIDDEN, "its key is given to nobody");
		no(child(), &E, TROTH_FORBIDDEN, "its key is given to nobody");
		SPEC = spec_of(CERT_ROOT, T0);
		no(top(), &E, TROTH_FORBIDDEN, "its key is given to nobody");
		SPEC = spec_of(CERT_INTERMEDIATE, T0);
		no(rules_request(&CHILD, &SPEC, T0, &E), &E, TROTH_FORBIDDEN, "its key is given to nobody");
	}
}

static void a_key_leaves_by_the_word_for_its_kind_if_it_was_made_to(void **state)
{
	no(rules_open(&CHILD, KEEPER_KEY_AUTHORITY, &E), &E, TROTH_FORBIDDEN, "was not made to be given out");
	CHILD.exportable = true;
	assert_true(rc_ok(rules_open(&CHILD, KEEPER_KEY_AUTHORITY, &E)));
	no(rules_open(&CHILD, KEEPER_KEY_LEAF, &E), &E, TROTH_FORBIDDEN, "of kind authority: it is not given out as a key of kind leaf");
	CHILD.kind = KEEPER_KEY_AUDIT;
	no(rules_open(&CHILD, KEEPER_KEY_AUTHORITY, &E), &E, TROTH_FORBIDDEN, "of kind audit");
}

static void a_root_claims_no_more_than_its_policy(void **state)
{
	SPEC = spec_of(CERT_ROOT, T0);
	assert_true(rc_ok(top()));
	SPEC.spki = bytes_of("x", 1);
	no(top(), &E, TROTH_INVALID, "may not bring a public key");
	SPEC = spec_of(CERT_ROOT, T0);
	SPEC.not_after = CHILD.latest_not_after + 1;
	no(top(), &E, TROTH_FORBIDDEN, "is later than the policy");
	SPEC = spec_of(CERT_ROOT, T0);
	CHILD.path_len = 2;
	no(top(), &E, TROTH_FORBIDDEN, "path length -1 is more");
	SPEC.path_len = 3;
	no(top(), &E, TROTH_FORBIDDEN, "path length 3 is more");
	SPEC.path_len = 2;
	assert_true(rc_ok(top()));
	SPEC.kind = CERT_LEAF;
	no(top(), &E, TROTH_FORBIDDEN, "makes roots only");
	SPEC.kind = CERT_INTERMEDIATE;
	no(top(), &E, TROTH_FORBIDDEN, "makes roots only");
}

static void an_issuer_is_an_authority_with_its_own_certificate(void **state)
{
	assert_true(rc_ok(rules_issuer(&ISSUER, &CERT, &E)));
	ISSUER.kind = KEEPER_KEY_LEAF;
	no(rules_issuer(&ISSUER, &CERT, &E), &E, TROTH_FORBIDDEN, "may not sign certificates");
	ISSUER.kind = KEEPER_KEY_AUDIT;
	no(rules_issuer(&ISSUER, &CERT, &E), &E, TROTH_FORBIDDEN, "of kind audit");
	reset(NULL);
	CERT.key_id[0] ^= 1;
	no(rules_issuer(&ISSUER, &CERT, &E), &E, TROTH_FORBIDDEN, "is of another key");
	reset(NULL);
	CERT.is_ca = false;
	no(rules_issuer(&ISSUER, &CERT, &E), &E, TROTH_FORBIDDEN, "is not a CA's");
}

static void a_child_is_never_wider_than_its_issuer(void **state)
{
	assert_true(rc_ok(child()));
	ISSUER.may_sign_ca = false;
	no(child(), &E, TROTH_FORBIDDEN, "does not allow it to sign a CA");
	reset(NULL);
	ISSUER.path_len = 0;
	no(child(), &E, TROTH_FORBIDDEN, "path length of /demo/ca is 0");
	reset(NULL);
	CERT.path_len = 0;
	no(child(), &E, TROTH_FORBIDDEN, "path length of /demo/ca is 0");
	reset(NULL);
	ISSUER.path_len = 2;
	no(child(), &E, TROTH_FORBIDDEN, "may be at most 1");
	CHILD.path_len = SPEC.path_len = 2;
	no(child(), &E, TROTH_FORBIDDEN, "may be at most 1");
	CHILD.path_len = SPEC.path_len = 1;
	assert_true(rc_ok(child()));
	reset(NULL);
	CHILD.latest_not_after = ISSUER.latest_not_after + 1;
	no(child(), &E, TROTH_FORBIDDEN, "is later than the policy");
	reset(NULL);
	SPEC.not_after = ISSUER.latest_not_after = CHILD.latest_not_after = T0 + 10 * MSEC_DAY;
	assert_true(rc_ok(child()));
	SPEC.not_after++;
	no(child(), &E, TROTH_FORBIDDEN, "is later than the policy");
	reset(NULL);
	CHILD.exportable = true;
	no(child(), &E, TROTH_FORBIDDEN, "signs no CA whose key may be");
	ISSUER.exportable = true;
	assert_true(rc_ok(child()));
	CHILD.exportable = false;
	assert_true(rc_ok(child()));
	reset(NULL);
	CERT.key_id[0] ^= 1;
	no(child(), &E, TROTH_FORBIDDEN, "is of another key");
	reset(NULL);
	CHILD.kind = KEEPER_KEY_LEAF;
	no(child(), &E, TROTH_FORBIDDEN, "cannot be used for a key of kind authority");
	reset(NULL);
	SPEC.not_before = T0 - 2 * MSEC_HOUR;
	no(child(), &E, TROTH_INVALID, "before the keeper's clock");
	reset(NULL);
	SPEC.kind = CERT_ROOT;
	no(child(), &E, TROTH_FORBIDDEN, "makes intermediates only");
	SPEC.kind = CERT_LEAF;
	no(child(), &E, TROTH_FORBIDDEN, "makes intermediates only");
}

static struct keeper_policy NEXT;
static struct cert NEXT_CERT;
static troth_rc cross(void) { return rules_cross(&ISSUER, &CERT, &NEXT, &NEXT_CERT, &SPEC, T0, &E); }

static void cross_reset(void)
{
	reset(NULL);
	NEXT = policy_of("/demo/ca", T0);
	memset(NEXT.spki_hash, 2, SHA256_LEN);
	NEXT_CERT = CERT;
	memset(NEXT_CERT.key_id, 2, SHA256_LEN);
}

static void only_roots_of_one_authority_certify_each_other(void **state)
{
	cross_reset();
	assert_true(rc_ok(cross()));
	NEXT.authority = "/other/ca";
	no(cross(), &E, TROTH_FORBIDDEN, "only roots of one authority");
	cross_reset();
	NEXT_CERT.subject_der = bytes_of("x", 1);
	no(cross(), &E, TROTH_FORBIDDEN, "only roots of one authority");
	cross_reset();
	NEXT_CERT.key_id[0] ^= 1;
	no(cross(), &E, TROTH_FORBIDDEN, "is of another key");
	cross_reset();
	memset(NEXT.spki_hash, 1, SHA256_LEN);
	memset(NEXT_CERT.key_id, 1, SHA256_LEN);
	no(cross(), &E, TROTH_INVALID, "the same key");
	cross_reset();
	NEXT.exportable = true;
	no(cross(), &E, TROTH_FORBIDDEN, "signs no CA whose key may be");
	ISSUER.exportable = true;
	assert_true(rc_ok(cross()));
	NEXT.brought = true;
	no(cross(), &E, TROTH_FORBIDDEN, "no other root certifies it");
	cross_reset();
	ISSUER.brought = true;
	assert_true(rc_ok(cross()));
	cross_reset();
	SPEC.kind = CERT_ROOT;
	no(cross(), &E, TROTH_FORBIDDEN, "is an intermediate's");
	cross_reset();
	CERT.path_len = 0;
	no(cross(), &E, TROTH_FORBIDDEN, "path length of /demo/ca is 0");
	cross_reset();
	ISSUER.may_sign_ca = false;
	no(cross(), &E, TROTH_FORBIDDEN, "path length of /demo/ca is 0");
	cross_reset();
	SPEC.spki = bytes_of("x", 1);
	no(cross(), &E, TROTH_INVALID, "may not bring a public key");
	cross_reset();
	SPEC.not_before = T0 - 2 * MSEC_HOUR;
	no(cross(), &E, TROTH_INVALID, "before the keeper's clock");
	cross_reset();
	SPEC.not_after = ISSUER.latest_not_after = T0 + MSEC_DAY;
	SPEC.not_after++;
	no(cross(), &E, TROTH_FORBIDDEN, "is later than the policy");
	cross_reset();
	SPEC.not_after = NEXT.latest_not_after = T0 + MSEC_DAY;
	SPEC.not_after++;
	no(cross(), &E, TROTH_FORBIDDEN, "is later than the policy");
	cross_reset();
	NEXT.path_len = 1;
	no(cross(), &E, TROTH_FORBIDDEN, "path length -1 is more");
	SPEC.path_len = 1;
	assert_true(rc_ok(cross()));
}

static troth_rc renew(void) { return rules_renew(&ISSUER, &CERT, &SPEC, T0, &E); }

static void renew_reset(void)
{
	reset(NULL);
	SPEC = spec_of(CERT_ROOT, T0);
}

static void a_root_is_renewed_within_its_policy(void **state)
{
	renew_reset();
	assert_true(rc_ok(renew()));
	CERT.key_id[0] ^= 1;
	no(renew(), &E, TROTH_FORBIDDEN, "is of another key");
	renew_reset();
	SPEC.kind = CERT_INTERMEDIATE;
	no(renew(), &E, TROTH_FORBIDDEN, "for roots only");
	renew_reset();
	CERT.issuer_der = bytes_of("x", 1);
	no(renew(), &E, TROTH_FORBIDDEN, "for roots only");
	renew_reset();
	SPEC.spki = bytes_of("x", 1);
	no(renew(), &E, TROTH_INVALID, "may not bring a public key");
	renew_reset();
	SPEC.not_before = T0 - 2 * MSEC_HOUR;
	no(renew(), &E, TROTH_INVALID, "before the keeper's clock");
	renew_reset();
	SPEC.not_after = ISSUER.latest_not_after = T0 + MSEC_DAY;
	SPEC.not_after++;
	no(renew(), &E, TROTH_FORBIDDEN, "is later than the policy");
	renew_reset();
	ISSUER.path_len = 1;
	no(renew(), &E, TROTH_FORBIDDEN, "path length -1 is more");
	SPEC.path_len = 1;
	assert_true(rc_ok(renew()));
}

static void dates_fit_the_keepers_clock(void **state)
{
	SPEC = spec_of(CERT_ROOT, T0);
	SPEC.not_before = T0 - LIMIT_KEEPER_BACKDATE_S * MSEC_S;
	assert_true(rc_ok(top()));
	SPEC.not_before--;
	no(top(), &E, TROTH_INVALID, "before the keeper's clock");
	SPEC.not_before = T0 + LIMIT_SKEW_S * MSEC_S;
	assert_true(rc_ok(top()));
	SPEC.not_before++;
	no(top(), &E, TROTH_INVALID, "after the keeper's clock");
	SPEC.not_before = T0;
	SPEC.not_after = T0;
	no(top(), &E, TROTH_INVALID, "has passed already");
	SPEC.not_after = T0 + (LIMIT_KEEPER_LIFE_DAYS + 1) * MSEC_DAY;
	no(top(), &E, TROTH_INVALID, "days away");
}

static void leaves_are_leaves(void **state)
{
	SPEC = spec_of(CERT_LEAF, T0);
	assert_true(rc_ok(rules_leaf(&ISSUER, &CERT, &SPEC, true, T0, &E)));
	no(rules_leaf(&ISSUER, &CERT, &SPEC, false, T0, &E), &E, TROTH_INVALID, "");
	SPEC.spki = bytes_of("x", 1);
	no(rules_leaf(&ISSUER, &CERT, &SPEC, true, T0, &E), &E, TROTH_INVALID, "may not bring a public key");
	SPEC.kind = CERT_INTERMEDIATE;
	no(rules_leaf(&ISSUER, &CERT, &SPEC, true, T0, &E), &E, TROTH_FORBIDDEN, "asks for a CA certificate");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_new_policy_is_whole, reset),
		cmocka_unit_test_setup(troths_own_are_never_exportable, reset),
		cmocka_unit_test_setup(a_key_leaves_by_the_word_for_its_kind_if_it_was_made_to, reset),
		cmocka_unit_test_setup(a_root_claims_no_more_than_its_policy, reset),
		cmocka_unit_test_setup(an_issuer_is_an_authority_with_its_own_certificate, reset),
		cmocka_unit_test_setup(a_child_is_never_wider_than_its_issuer, reset),
		cmocka_unit_test_setup(only_roots_of_one_authority_certify_each_other, reset),
		cmocka_unit_test_setup(a_root_is_renewed_within_its_policy, reset),
		cmocka_unit_test_setup(dates_fit_the_keepers_clock, reset),
		cmocka_unit_test_setup(leaves_are_leaves, reset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
