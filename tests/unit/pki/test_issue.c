/* What is issued, judged by others: `openssl verify -x509_strict` and `certtool --verify`, for every
 * algorithm, as root, intermediate and leaf. */
#include <openssl/x509v3.h>

#include <stdlib.h>
#include <unistd.h>

#include "pki/issue_internal.h"
#include "pki_fixture.h"
#include "port/port.h"

static char DIR[] = "/tmp/troth-issue-XXXXXX";

static int dir_setup(void **state)
{
	fixture_now = port_now(&PORT_CLOCK_REAL); /* certtool has no --attime here */
	return mkdtemp(DIR) ? 0 : -1;
}

static int dir_teardown(void **state)
{
	static const char *const names[] = { "root.pem", "ca.pem", "leaf.pem", "chain.pem", "bad.pem" };
	char path[100];
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof path, "%s/%s", DIR, names[i]);
		unlink(path);
	}
	return rmdir(DIR);
}

static const char *put(struct arena *a, const char *name, const char *text)
{
	const char *path = arena_printf(a, "%s/%s", DIR, name);
	assert_rc_ok(file_write(path, bytes_of_text(text), 0600, e));
	return path;
}

static void run(const char *const *argv, int want, const char *want_text)
{
	struct process_result r;
	assert_rc_ok(process_run(argv, getuid(), getgid(), 30 * MSEC_S, &r, e));
	if ((want == 0) != (r.exit_code == 0) || !strstr(r.output, want_text))
		fail_msg("%s %s: exit %d: %s", argv[0], argv[1], r.exit_code, r.output);
}

struct pems { const char *root, *ca, *leaf, *chain; };

static struct pems put_all(struct arena *a, const struct cert *root, const struct cert *ca, const struct cert *leaf)
{
	const char *r = cert_pem(a, root->der), *c = cert_pem(a, ca->der), *l = cert_pem(a, leaf->der);
	return (struct pems){ put(a, "root.pem", r), put(a, "ca.pem", c), put(a, "leaf.pem", l),
			      put(a, "chain.pem", arena_printf(a, "%s%s%s", l, c, r)) };
}

static void judge(struct arena *a, struct pems p, const char *host)
{
	const char *at = arena_printf(a, "%lld", (long long)(fixture_now / MSEC_S));
	const char *const openssl[] = { "/usr/bin/openssl", "verify", "-x509_strict", "-attime", at, "-purpose", "sslserver",
					"-verify_hostname", host, "-CAfile", p.root, "-untrusted", p.ca, p.leaf, NULL };
	const char *const strict_ca[] = { "/usr/bin/openssl", "verify", "-x509_strict", "-check_ss_sig", "-attime", at,
					  "-CAfile", p.root, p.ca, NULL };
	const char *const certtool[] = { "/usr/bin/certtool", "--verify", "--load-ca-certificate", p.root,
					 "--infile", p.chain, "--verify-hostname", host, NULL };
	run(openssl, 0, "OK");
	run(strict_ca, 0, "OK");
	run(certtool, 0, "Chain verification output: Verified.");
}

/* Every type signs every kind, and is signed by another type (the neighbour in the list). */
static void every_algorithm_passes_openssl_and_certtool(void **state)
{
	for (int t = 0; t < KEY_TYPE_COUNT; t++) {
		struct arena *a = arena_new(8 << 20);
		enum key_type next = (enum key_type)((t + 1) % KEY_TYPE_COUNT);
		CLEANUP(key_releasep) struct key *root_key = fixture_key((enum key_type)t);
		CLEANUP(key_releasep) struct key *ca_key = fixture_key(next);
		CLEANUP(key_releasep) struct key *leaf_key = fixture_key((enum key_type)t);
		const struct cert *root = fixture_root(a, "/demo/root", root_key);
		const struct cert *ca = fixture_ca(a, "/demo/ca", ca_key, root, root_key);
		const struct cert *leaf = fixture_leaf(a, "db.example.org", leaf_key, ca, ca_key);
		judge(a, put_all(a, root, ca, leaf), "db.example.org");
		arena_free(a);
	}
}

/* All extensions at once: path lengths, name constraints, every kind of name, no subject. */
static void every_extension_passes_openssl_and_certtool(void **state)
{
	static const char *const permitted[] = { "example.org", "example.net" };
	static const struct san sans[] = { { SAN_DNS, "db.example.org" }, { SAN_DNS, "*.db.example.org" },
					   { SAN_IP, "10.0.0.1" }, { SAN_IP, "2001:db8::1" }, { SAN_URI, "troth://instance/1" } };
	struct arena *a = arena_new(8 << 20);
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P256);
	CLEANUP(key_releasep) struct key *k2 = fixture_key(KEY_EC_P256);
	struct cert_spec rs = fixture_spec(a, CERT_ROOT, "Wurzel \xc3\xbc", k);
	rs.path_len = 1;
	const struct cert *root = fixture_build(a, &rs, NULL, k);
	struct cert_spec cs = fixture_spec(a, CERT_INTERMEDIATE, "ca", k2);
	cs.path_len = 0;
	cs.permitted_dns = permitted;
	cs.permitted_dns_count = ARRAY_LEN(permitted);
	const struct cert *ca = fixture_build(a, &cs, root, k);
	struct cert_spec ls = fixture_spec(a, CERT_LEAF, NULL, k);
	ls.organization = NULL;
	ls.sans = sans;
	ls.san_count = ARRAY_LEN(sans);
	const struct cert *leaf = fixture_build(a, &ls, ca, k2);
	assert_int_equal(ca->path_len, 0);
	assert_string_equal(leaf->subject, "");
	struct pems p = put_all(a, root, ca, leaf);
	judge(a, p, "db.example.org");
	judge(a, p, "x.db.example.org");

	/* The check can fail: a name outside the constraints. */
	static const struct san outside[] = { { SAN_DNS, "db.example.com" } };
	ls.sans = outside;
	ls.san_count = 1;
	const char *bad = put(a, "bad.pem", cert_pem(a, fixture_build(a, &ls, ca, k2)->der));
	const char *at = arena_printf(a, "%lld", (long long)(fixture_now / MSEC_S));
	const char *const openssl[] = { "/usr/bin/openssl", "verify", "-x509_strict", "-attime", at, "-CAfile", p.root,
					"-untrusted", p.ca, bad, NULL };
	run(openssl, 2, "permitted subtree violation");
	arena_free(a);
}

static void far_dates_are_generalized_times(void **state)
{
	struct arena *a = arena_new(8 << 20);
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P256);
	struct cert_spec s = fixture_spec(a, CERT_ROOT, "root", k);
	assert_rc_ok(time_parse("2075-06-01T00:00:00Z", &s.not_after, e));
	const struct cert *root = fixture_build(a, &s, NULL, k);
	assert_int_equal(root->not_after, s.not_after);
	arena_free(a);
}

static void the_key_must_be_the_issuers(void **state)
{
	struct arena *a = arena_new(8 << 20);
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P256);
	CLEANUP(key_releasep) struct key *other = fixture_key(KEY_EC_P256);
	struct cert_spec s = fixture_spec(a, CERT_ROOT, "root", k);
	struct bytes der;
	assert_refused(cert_build(&s, NULL, other, a, &der, e), TROTH_INVALID, "does not belong to the root");
	const struct cert *root = fixture_root(a, "root", k);
	struct cert_spec l = fixture_spec(a, CERT_LEAF, "leaf", other);
	assert_refused(cert_build(&l, root, other, a, &der, e), TROTH_INVALID, "does not belong to CN=root");
	arena_free(a);
}

static void key_usage_follows_kind_and_key(void **state)
{
	const struct cert_spec leaf = { .kind = CERT_LEAF }, root = { .kind = CERT_ROOT };
	assert_int_equal(issue_key_usage(&leaf, KEY_RSA_2048), USAGE_DIGITAL_SIGNATURE | USAGE_KEY_ENCIPHERMENT);
	assert_int_equal(issue_key_usage(&leaf, KEY_EC_P256), USAGE_DIGITAL_SIGNATURE);
	assert_int_equal(issue_key_usage(&root, KEY_RSA_2048), USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN);
}

/* What is asked for, as far as the key can do it; TLS 1.3 always can. */
static void a_leaf_gets_the_usages_that_were_asked_for(void **state)
{
	const unsigned sign = USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION, encipher = USAGE_KEY_ENCIPHERMENT | USAGE_DATA_ENCIPHERMENT;
	assert_int_equal(cert_leaf_usage(KEY_RSA_2048, CERT_LEAF_USAGES), sign | encipher);
	assert_int_equal(cert_leaf_usage(KEY_EC_P384, CERT_LEAF_USAGES), sign | USAGE_KEY_AGREEMENT);
	assert_int_equal(cert_leaf_usage(KEY_ED25519, CERT_LEAF_USAGES), sign);
	assert_int_equal(cert_leaf_usage(KEY_RSA_4096, USAGE_DATA_ENCIPHERMENT), USAGE_DIGITAL_SIGNATURE | USAGE_DATA_ENCIPHERMENT);
	assert_int_equal(cert_leaf_usage(KEY_RSA_2048, USAGE_DIGITAL_SIGNATURE), USAGE_DIGITAL_SIGNATURE);
	struct arena *a = arena_new(8 << 20);
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P256);
	CLEANUP(key_releasep) struct key *k2 = fixture_key(KEY_EC_P256);
	const struct cert *root = fixture_root(a, "/demo/root", k), *ca = fixture_ca(a, "/demo/ca", k2, root, k);
	struct cert_spec s = fixture_spec(a, CERT_LEAF, "db.example.org", k);
	const struct san san = { SAN_DNS, "db.example.org" };
	s.sans = &san;
	s.san_count = 1;
	s.key_usage = CERT_LEAF_USAGES;
	const struct cert *leaf = fixture_build(a, &s, ca, k2);
	assert_int_equal(leaf->key_usage, sign | USAGE_KEY_AGREEMENT);
	judge(a, put_all(a, root, ca, leaf), "db.example.org");
	arena_free(a);
}

/* From the country to the name, each in the string type that is its own: RFC 5280 appendix A.1. */
static void a_place_is_part_of_the_subject(void **state)
{
	struct arena *a = arena_new(8 << 20);
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P256);
	CLEANUP(key_releasep) struct key *k2 = fixture_key(KEY_EC_P256);
	struct cert_spec rs = fixture_spec(a, CERT_ROOT, "root", k), cs = fixture_spec(a, CERT_INTERMEDIATE, "ca", k2);
	rs.organization = cs.organization = "O";
	rs.organizational_unit = "U";
	rs.place = cs.place = (struct cert_place){ "DE", "Nordrhein-Westfalen", "K\xc3\xb6ln" };
	const struct cert *root = fixture_build(a, &rs, NULL, k), *ca = fixture_build(a, &cs, root, k);
	assert_string_equal(root->subject, "CN=root,OU=U,O=O,L=K\xc3\xb6ln,ST=Nordrhein-Westfalen,C=DE");
	assert_non_null(memmem(root->subject_der.data, root->subject_der.len, "\x55\x04\x06\x13\x02" "DE", 7));
	assert_non_null(memmem(root->subject_der.data, root->subject_der.len, "\x55\x04\x07\x0c\x05" "K\xc3\xb6ln", 10));
	struct cert_spec ls = fixture_spec(a, CERT_LEAF, NULL, k);
	const struct san san = { SAN_DNS, "db.example.org" };
	ls.organization = NULL;
	ls.place = (struct cert_place){ .locality = "Bern" };
	ls.sans = &san;
	ls.san_count = 1;
	const struct cert *leaf = fixture_build(a, &ls, ca, k2);
	assert_string_equal(leaf->subject, "L=Bern");
	judge(a, put_all(a, root, ca, leaf), "db.example.org");
	arena_free(a);
}

static void the_largest_leaf_fits(void **state)
{
	struct arena *a = arena_new(8 << 20);
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P256);
	const struct cert *root = fixture_root(a, "root", k);
	struct san sans[LIMIT_SAN_COUNT];
	struct cert_spec s = fixture_spec(a, CERT_LEAF, "leaf", k);
	for (size_t i = 0; i < LIMIT_SAN_COUNT; i++) {
		char *name = arena_printf(a, "%0250zu", i);
		for (size_t j = 50; j < 250; j += 50)
			name[j] = '.';
		sans[i] = (struct san){ SAN_DNS, name };
	}
	s.sans = sans;
	s.san_count = LIMIT_SAN_COUNT;
	assert_int_equal(fixture_build(a, &s, root, k)->san_count, LIMIT_SAN_COUNT);
	arena_free(a);
}

/* What openssl reads in it is what the outside CA will be asked for. */
static void a_ca_asks_for_its_certificate(void **state)
{
	struct arena *a = arena_new(8 << 20);
	const char *domains[] = { "example.org" };
	for (int t = 0; t < KEY_TYPE_COUNT; t++) {
		CLEANUP(key_releasep) struct key *k = fixture_key((enum key_type)t);
		struct cert_spec s = fixture_spec(a, CERT_INTERMEDIATE, "issuing", k);
		struct bytes der;
		struct csr csr;
		s.path_len = t % 2 ? 1 : -1;
		s.permitted_dns = domains;
		s.permitted_dns_count = 1;
		assert_rc_ok(key_spki(k, a, &s.spki, e));
		assert_rc_ok(cert_request_build(&s, k, a, &der, e));
		assert_rc_ok(csr_parse(a, bytes_of_text(csr_pem(a, der)), &csr, e));
		assert_true(bytes_equal(csr.der, der) && bytes_equal(csr.spki, s.spki));
		assert_string_equal(csr.subject, "CN=issuing,O=Troth Test");
		const uint8_t *p = der.data;
		X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)der.len);
		assert_non_null(req);
		STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(req);
		assert_int_equal(sk_X509_EXTENSION_num(exts), 4);
		BASIC_CONSTRAINTS *bc = X509V3_get_d2i(exts, NID_basic_constraints, NULL, NULL);
		ASN1_BIT_STRING *ku = X509V3_get_d2i(exts, NID_key_usage, NULL, NULL);
		assert_true(bc->ca && (t % 2 ? ASN1_INTEGER_get(bc->pathlen) == 1 : !bc->pathlen));
		assert_true(ASN1_BIT_STRING_get_bit(ku, 5) && ASN1_BIT_STRING_get_bit(ku, 6) && !ASN1_BIT_STRING_get_bit(ku, 0));
		assert_true(X509v3_get_ext_by_NID(exts, NID_name_constraints, -1) >= 0);
		assert_true(X509v3_get_ext_by_NID(exts, NID_subject_key_identifier, -1) >= 0);
		BASIC_CONSTRAINTS_free(bc);
		ASN1_BIT_STRING_free(ku);
		sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
		X509_REQ_free(req);
	}
	arena_free(a);
}

static void what_is_asked_for_is_checked(void **state)
{
	struct arena *a = arena_new(8 << 20);
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P256);
	CLEANUP(key_releasep) struct key *other = fixture_key(KEY_EC_P256);
	struct cert_spec s = fixture_spec(a, CERT_INTERMEDIATE, "issuing", k);
	struct bytes der;
	assert_rc_ok(key_spki(other, a, &s.spki, e));
	assert_refused(cert_request_build(&s, k, a, &der, e), TROTH_INVALID, "not the one that the request is for");
	s.kind = CERT_ROOT;
	assert_refused(cert_request_build(&s, k, a, &der, e), TROTH_INVALID, "below another one");
	s.kind = CERT_INTERMEDIATE;
	s.common_name = "";
	assert_refused(cert_request_build(&s, k, a, &der, e), TROTH_INVALID, "needs a common name");
	s.common_name = "issuing";
	s.path_len = 11;
	assert_refused(cert_request_build(&s, k, a, &der, e), TROTH_INVALID, "path length 11");
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_algorithm_passes_openssl_and_certtool),
		cmocka_unit_test(every_extension_passes_openssl_and_certtool),
		cmocka_unit_test(far_dates_are_generalized_times),
		cmocka_unit_test(the_key_must_be_the_issuers),
		cmocka_unit_test(key_usage_follows_kind_and_key),
		cmocka_unit_test(a_leaf_gets_the_usages_that_were_asked_for),
		cmocka_unit_test(a_place_is_part_of_the_subject),
		cmocka_unit_test(the_largest_leaf_fits),
		cmocka_unit_test(a_ca_asks_for_its_certificate),
		cmocka_unit_test(what_is_asked_for_is_checked),
	};
	return cmocka_run_group_tests(tests, dir_setup, dir_teardown);
}
