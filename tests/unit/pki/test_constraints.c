/* Which names may stand below a CA. */
#include "pki/cert_internal.h"
#include "pki_fixture.h"

static struct { struct arena *a; struct key *ca_key, *leaf_key; const struct cert *plain; } w;

static int setup(void **state)
{
	w.a = arena_new(16 << 20);
	w.ca_key = fixture_key(KEY_EC_P256);
	w.leaf_key = fixture_key(KEY_EC_P256);
	w.plain = fixture_root(w.a, "/demo/ca", w.ca_key);
	return 0;
}

static int teardown(void **state)
{
	key_release(w.ca_key);
	key_release(w.leaf_key);
	arena_free(w.a);
	return 0;
}

/* A CA's certificate with these constraints as openssl.cnf has them; `raw` instead: bytes of the extension. */
static struct bytes constrained(const char *text, struct bytes raw)
{
	X509 *x = NULL;
	unsigned char *der = NULL;
	assert_rc_ok(x509_load(w.plain->der, &x, e));
	X509_EXTENSION *ext = NULL;
	if (text) {
		X509V3_CTX ctx;
		X509V3_set_ctx_nodb(&ctx);
		ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_name_constraints, text);
	} else {
		ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
		assert_int_equal(ASN1_OCTET_STRING_set(octets, raw.data, (int)raw.len), 1);
		ext = X509_EXTENSION_create_by_NID(NULL, NID_name_constraints, 1, octets);
		ASN1_OCTET_STRING_free(octets);
	}
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
	EVP_PKEY *key = EVP_EC_gen("P-256"); /* whoever signs it: nobody verifies it here */
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	EVP_PKEY_free(key);
	int len = i2d_X509(x, &der);
	assert_true(len > 0);
	struct bytes copy = arena_bytes(w.a, bytes_of(der, (size_t)len));
	OPENSSL_free(der);
	X509_free(x);
	return copy;
}

static enum names_verdict judge(const char *constraints, struct bytes cert)
{
	CLEANUP(name_constraints_freep) struct name_constraints *c = NULL;
	assert_rc_ok(name_constraints_read(constrained(constraints, (struct bytes){ 0 }), &c, e));
	assert_non_null(c);
	return name_constraints_judge(c, cert);
}

static struct bytes leaf(const char *name, struct san *sans, size_t count)
{
	struct cert_spec s = fixture_spec(w.a, CERT_LEAF, name, w.leaf_key);
	s.sans = sans;
	s.san_count = count;
	return fixture_build(w.a, &s, w.plain, w.ca_key)->der;
}

static void none_permits_all(void **state)
{
	struct name_constraints *c = (void *)1;
	assert_rc_ok(name_constraints_read(w.plain->der, &c, e));
	assert_null(c);
	name_constraints_free(c);
}

static void names_that_fit_and_others(void **state)
{
	struct bytes in = fixture_leaf(w.a, "a.example.net", w.leaf_key, w.plain, w.ca_key)->der;
	struct bytes out = fixture_leaf(w.a, "a.example.org", w.leaf_key, w.plain, w.ca_key)->der;
	assert_int_equal(judge("permitted;DNS:example.net", in), NAMES_PERMITTED);
	assert_int_equal(judge("permitted;DNS:example.net", out), NAMES_REFUSED);
	assert_int_equal(judge("excluded;DNS:example.net", in), NAMES_REFUSED);
	struct san address[] = { { SAN_IP, "10.1.2.3" }, { SAN_DNS, "a.example.net" } };
	assert_int_equal(judge("permitted;IP:10.0.0.0/255.0.0.0", leaf("x", address, 2)), NAMES_PERMITTED);
	assert_int_equal(judge("permitted;IP:192.168.0.0/255.255.0.0", leaf("x", address, 2)), NAMES_REFUSED);
	assert_int_equal(judge("permitted;DNS:example.net", leaf("x", address, 1)), NAMES_PERMITTED); /* "x" looks like no DNS name */
	assert_int_equal(judge("permitted;DNS:example.net", leaf("b.example.org", address, 1)), NAMES_REFUSED);
	assert_int_equal(judge("permitted;DNS:example.net", w.plain->der), NAMES_PERMITTED); /* a CA has no such name */
}

static void what_is_not_understood(void **state)
{
	struct san uri[] = { { SAN_URI, "spiffe://x/y" } };
	CLEANUP(name_constraints_freep) struct name_constraints *c = NULL;
	assert_int_equal(judge("permitted;IP:10.0.0.0/255.0.0.0", bytes_of("\x30\x00", 2)), NAMES_UNKNOWN);
	assert_int_equal(judge("permitted;DNS:example.net", leaf("x", uri, 1)), NAMES_PERMITTED); /* of URIs nothing is said */
	/* GeneralSubtrees with maximum 1, which RFC 5280 forbids */
	static const uint8_t MAXIMUM[] = "\x30\x12\xa0\x10\x30\x0e\x82\x09x.example\x81\x01\x01";
	assert_rc_ok(name_constraints_read(constrained(NULL, bytes_of(MAXIMUM, sizeof MAXIMUM - 1)), &c, e));
	assert_int_equal(name_constraints_judge(c, fixture_leaf(w.a, "a.x.example", w.leaf_key, w.plain, w.ca_key)->der), NAMES_UNKNOWN);
}

static void what_cannot_be_read(void **state)
{
	struct name_constraints *c = NULL;
	assert_refused(name_constraints_read(constrained(NULL, bytes_of("\x04\x01x", 3)), &c, e), TROTH_INVALID, "cannot be read");
	assert_refused(name_constraints_read(bytes_of("junk", 4), &c, e), TROTH_INVALID, "");
	assert_null(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(none_permits_all), cmocka_unit_test(names_that_fit_and_others),
					    cmocka_unit_test(what_is_not_understood), cmocka_unit_test(what_cannot_be_read) };
	return cmocka_run_group_tests(tests, setup, teardown);
}
