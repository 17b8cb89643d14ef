/* Everything that may not be issued, one row each, with the words it is refused with. */
#include "pki_fixture.h"

struct world {
	struct arena *a;
	struct key *key;
	const struct cert *root, *ca;
};

static int world_setup(void **state)
{
	static struct world w;
	w.a = arena_new(8 << 20);
	w.key = fixture_key(KEY_EC_P256);
	w.root = fixture_root(w.a, "root", w.key);
	struct cert_spec s = fixture_spec(w.a, CERT_INTERMEDIATE, "ca", w.key);
	s.path_len = 0;
	w.ca = fixture_build(w.a, &s, w.root, w.key);
	*state = &w;
	return 0;
}

static int world_teardown(void **state)
{
	struct world *w = *state;
	key_release(w->key);
	arena_free(w->a);
	return 0;
}

static void a_leaf_never_outlives_its_issuer(void **state)
{
	struct world *w = *state;
	char own[RFC3339_LEN], its[RFC3339_LEN];
	struct cert_spec s = fixture_spec(w->a, CERT_LEAF, "leaf", w->key);
	s.not_after = w->ca->not_after + MSEC_S;
	assert_refused(cert_spec_check(&s, w->ca, e), TROTH_INVALID, "would outlive its issuer");
	assert_refused(cert_spec_check(&s, w->ca, e), TROTH_INVALID, time_format(s.not_after, own));
	assert_refused(cert_spec_check(&s, w->ca, e), TROTH_INVALID, time_format(w->ca->not_after, its));
	s.not_after = w->ca->not_after;
	assert_rc_ok(cert_spec_check(&s, w->ca, e));
}

static void clamping_shortens_to_the_issuer(void **state)
{
	struct world *w = *state;
	struct cert_spec s = fixture_spec(w->a, CERT_LEAF, "leaf", w->key);
	assert_false(cert_spec_clamp(&s, w->ca));
	s.not_after = w->ca->not_after + 10 * MSEC_DAY;
	s.not_before = w->ca->not_before - MSEC_DAY;
	assert_true(cert_spec_clamp(&s, w->ca));
	assert_int_equal(s.not_after, w->ca->not_after);
	assert_int_equal(s.not_before, w->ca->not_before);
	assert_rc_ok(cert_spec_check(&s, w->ca, e));
}

static void an_organizational_unit_is_bounded_and_written(void **state)
{
	struct world *w = *state;
	struct cert_spec s = fixture_spec(w->a, CERT_LEAF, "leaf", w->key);
	char long_one[80] = "";
	memset(long_one, 'x', 65);
	s.organizational_unit = long_one;
	assert_refused(cert_spec_check(&s, w->ca, e), TROTH_INVALID, "organizational unit");
	s.organizational_unit = "app:1";
	assert_rc_ok(cert_spec_check(&s, w->ca, e));
	assert_non_null(strstr(fixture_build(w->a, &s, w->ca, w->key)->subject, "OU=app:1"));
}

/* RFC 5280 appendix A.1: ub-locality-name, ub-state-name, ub-country-name-alpha-length. */
static void a_place_is_bounded(void **state)
{
	struct world *w = *state;
	static const char *const COUNTRIES[] = { "D", "DEU", "D1", "D ", "\xc3\xa4" };
	char longest[CERT_PLACE_MAX * 2 + 1] = "", longer[CERT_PLACE_MAX + 2] = "";
	struct cert_spec s = fixture_spec(w->a, CERT_LEAF, "leaf", w->key);
	for (size_t i = 0; i < ARRAY_LEN(COUNTRIES); i++) {
		s.place.country = COUNTRIES[i];
		assert_refused(cert_spec_check(&s, w->ca, e), TROTH_INVALID, "two letters");
	}
	for (size_t i = 0; i < CERT_PLACE_MAX; i++)
		memcpy(longest + 2 * i, "\xc3\xa4", 2);
	memset(longer, 'x', CERT_PLACE_MAX + 1);
	s.place = (struct cert_place){ "de", longest, longest };
	assert_rc_ok(cert_spec_check(&s, w->ca, e));
	s.place.state = longer;
	assert_refused(cert_spec_check(&s, w->ca, e), TROTH_INVALID, "state");
	s.place.state = NULL;
	s.place.locality = longer;
	assert_refused(cert_spec_check(&s, w->ca, e), TROTH_INVALID, "longer than 128 characters");
	s.place.locality = "a\nb";
	assert_refused(cert_spec_check(&s, w->ca, e), TROTH_INVALID, "control characters");
	s.place.locality = ""; /* left out, as of a common name */
	assert_rc_ok(cert_spec_check(&s, w->ca, e));
	assert_string_equal(cert_place_fault(""), "is empty"); /* for who was asked to say one */
	assert_null(cert_place_fault(NULL));
	assert_null(cert_country_fault(NULL));
}

static void path_lengths_are_kept(void **state)
{
	struct world *w = *state;
	struct cert_spec s = fixture_spec(w->a, CERT_INTERMEDIATE, "sub", w->key);
	s.not_after = FIXTURE_NOW + MSEC_DAY;
	assert_refused(cert_spec_check(&s, w->ca, e), TROTH_INVALID, "signs no CAs");
	s.path_len = LIMIT_CHAIN_CERTS + 1;
	assert_refused(cert_spec_check(&s, w->root, e), TROTH_INVALID, "path length");
	struct cert_spec two = fixture_spec(w->a, CERT_INTERMEDIATE, "two", w->key);
	two.path_len = 2;
	const struct cert *ca2 = fixture_build(w->a, &two, w->root, w->key);
	s.path_len = 2;
	assert_refused(cert_spec_check(&s, ca2, e), TROTH_INVALID, "path length must be 0 to 1");
	s.path_len = -1;
	assert_refused(cert_spec_check(&s, ca2, e), TROTH_INVALID, "path length must be 0 to 1");
	s.path_len = 1;
	assert_rc_ok(cert_spec_check(&s, ca2, e));
}

typedef void (*spoil)(struct cert_spec *s);
static const struct san A_SAN = { SAN_DNS, "a.example" }, BAD_SAN = { SAN_DNS, "not a name" };
static const char *const BAD_DOMAIN[] = { "*.example.org" };
static void kind_wrong(struct cert_spec *s) { s->kind = (enum cert_kind)9; }
static void name_none(struct cert_spec *s) { s->common_name = NULL; }
static void name_long(struct cert_spec *s) { s->common_name = "12345678901234567890123456789012345678901234567890123456789012345"; }
static void name_control(struct cert_spec *s) { s->common_name = "a\nb"; }
static void name_latin1(struct cert_spec *s) { s->common_name = "caf\xe9"; }
static void san_bad(struct cert_spec *s) { s->sans = &BAD_SAN; s->san_count = 1; }
static void san_many(struct cert_spec *s) { s->sans = &A_SAN; s->san_count = LIMIT_SAN_COUNT + 1; }
static void dates_empty(struct cert_spec *s) { s->not_after = s->not_before + 1; }
static void dates_far(struct cert_spec *s) { s->not_after = INT64_C(253402300800) * MSEC_S; }
static void serial_zero(struct cert_spec *s) { memset(s->serial, 0, sizeof s->serial); s->serial[0] = 0x80; }
static void spki_none(struct cert_spec *s) { s->spki = bytes_of("\x30\x00", 2); }
static void eku_other(struct cert_spec *s) { s->eku = EKU_OTHER; }
static void usage_of_a_ca(struct cert_spec *s) { s->key_usage = USAGE_DIGITAL_SIGNATURE | USAGE_KEY_CERT_SIGN; }
static void leaf_constrained(struct cert_spec *s) { s->permitted_dns = BAD_DOMAIN; s->permitted_dns_count = 1; }

static void what_a_leaf_may_not_have(void **state)
{
	struct world *w = *state;
	static const struct { spoil change; enum troth_kind kind; const char *why; } rows[] = {
		{ kind_wrong, TROTH_INVALID, "kind 9" },
		{ name_none, TROTH_INVALID, "needs a common name or an alternative name" },
		{ name_long, TROTH_INVALID, "has 65 characters" },
		{ name_control, TROTH_INVALID, "not UTF-8 text" },
		{ name_latin1, TROTH_INVALID, "not UTF-8 text" },
		{ san_bad, TROTH_INVALID, "is not a DNS name" },
		{ san_many, TROTH_TOO_LARGE, "101 alternative names" },
		{ dates_empty, TROTH_INVALID, "is empty" },
		{ dates_far, TROTH_INVALID, "after the year 9999" },
		{ serial_zero, TROTH_INVALID, "serial number is zero" },
		{ spki_none, TROTH_INVALID, "no algorithm identifier" },
		{ eku_other, TROTH_INVALID, "server, client or both" },
		{ usage_of_a_ca, TROTH_INVALID, "signs no certificates" },
		{ leaf_constrained, TROTH_INVALID, "no name constraints" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cert_spec s = fixture_spec(w->a, CERT_LEAF, "leaf", w->key);
		rows[i].change(&s);
		assert_refused(cert_spec_check(&s, w->ca, e), rows[i].kind, rows[i].why);
	}
}

static void what_a_ca_may_not_have(void **state)
{
	struct world *w = *state;
	struct cert_spec s = fixture_spec(w->a, CERT_ROOT, "root", w->key);
	assert_refused(cert_spec_check(&s, w->root, e), TROTH_INVALID, "no issuer but itself");
	s.sans = &A_SAN;
	s.san_count = 1;
	assert_refused(cert_spec_check(&s, NULL, e), TROTH_INVALID, "no alternative names");
	s.san_count = 0;
	s.eku = EKU_SERVER;
	assert_refused(cert_spec_check(&s, NULL, e), TROTH_INVALID, "no extended key usage");
	s.eku = 0;
	s.key_usage = USAGE_DIGITAL_SIGNATURE;
	assert_refused(cert_spec_check(&s, NULL, e), TROTH_INVALID, "key usage of a CA");
	s.key_usage = 0;
	s.permitted_dns = BAD_DOMAIN;
	s.permitted_dns_count = 1;
	assert_refused(cert_spec_check(&s, NULL, e), TROTH_INVALID, "is not a domain");
	s.permitted_dns_count = 0;
	s.common_name = "";
	assert_refused(cert_spec_check(&s, NULL, e), TROTH_INVALID, "a CA needs a common name");
}

static void a_leaf_does_not_issue(void **state)
{
	struct world *w = *state;
	const struct cert *leaf = fixture_leaf(w->a, "leaf", w->key, w->ca, w->key);
	struct cert_spec s = fixture_spec(w->a, CERT_LEAF, "below", w->key);
	assert_refused(cert_spec_check(&s, leaf, e), TROTH_INVALID, "not a CA that may sign");
	assert_refused(cert_spec_check(&s, NULL, e), TROTH_INVALID, "a leaf needs an issuer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf_never_outlives_its_issuer),
		cmocka_unit_test(clamping_shortens_to_the_issuer),
		cmocka_unit_test(an_organizational_unit_is_bounded_and_written),
		cmocka_unit_test(a_place_is_bounded),
		cmocka_unit_test(path_lengths_are_kept),
		cmocka_unit_test(what_a_leaf_may_not_have),
		cmocka_unit_test(what_a_ca_may_not_have),
		cmocka_unit_test(a_leaf_does_not_issue),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
