/* Signing requests: ours, OpenSSL's, and forged ones. */
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "pki/key_internal.h"
#include "pki_fixture.h"

static void requests_of_every_type_are_read_by_us_and_openssl(void **state)
{
	struct arena *a = arena_new(8 << 20);
	for (int t = 0; t < KEY_TYPE_COUNT; t++) {
		CLEANUP(key_releasep) struct key *k = fixture_key((enum key_type)t);
		const char *pem;
		struct csr csr;
		assert_rc_ok(csr_build(a, k, "db-1", &pem, e));
		assert_rc_ok(csr_parse(a, bytes_of_text(pem), &csr, e));
		assert_int_equal(csr.key_type, t);
		assert_string_equal(csr.subject, "CN=db-1");
		assert_true(key_public_matches(k, csr.spki));
		BIO *bio = BIO_new_mem_buf(pem, -1);
		X509_REQ *req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
		assert_non_null(req);
		assert_int_equal(X509_REQ_verify(req, k->pkey), 1);
		X509_REQ_free(req);
		BIO_free(bio);
		assert_rc_ok(csr_parse(a, csr.der, &csr, e));
	}
	arena_free(a);
}

/* With attributes (an extensionRequest), as `openssl req` writes them. */
static void openssls_request_with_extensions_is_read(void **state)
{
	struct arena *a = arena_new(1 << 20);
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P256);
	X509_REQ *req = X509_REQ_new();
	STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
	X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_UTF8, (const unsigned char *)"x,y", -1, -1, 0);
	sk_X509_EXTENSION_push(exts, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:a.example"));
	X509_REQ_add_extensions(req, exts);
	X509_REQ_set_pubkey(req, k->pkey);
	assert_true(X509_REQ_sign(req, k->pkey, EVP_sha256()) > 0);
	uint8_t *der = NULL;
	int n = i2d_X509_REQ(req, &der);
	struct csr csr;
	assert_rc_ok(csr_parse(a, bytes_of(der, (size_t)n), &csr, e));
	assert_string_equal(csr.subject, "CN=x\\,y");
	OPENSSL_free(der);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	X509_REQ_free(req);
	arena_free(a);
}

static void a_request_for_another_key_is_refused(void **state)
{
	struct arena *a = arena_new(1 << 20);
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P256);
	CLEANUP(key_releasep) struct key *other = fixture_key(KEY_EC_P256);
	struct bytes spki, theirs;
	const char *pem;
	struct csr csr;
	assert_rc_ok(csr_build(a, k, "x", &pem, e));
	assert_rc_ok(csr_parse(a, bytes_of_text(pem), &csr, e));
	assert_rc_ok(key_spki(k, a, &spki, e));
	assert_rc_ok(key_spki(other, a, &theirs, e));
	uint8_t *der = arena_copy(a, csr.der.data, csr.der.len);
	uint8_t *at = memmem(der, csr.der.len, spki.data, spki.len);
	assert_non_null(at);
	memcpy(at, theirs.data, theirs.len);
	assert_refused(csr_parse(a, bytes_of(der, csr.der.len), &csr, e), TROTH_INVALID, "not signed by the key it is for");
	arena_free(a);
}

static void every_cut_and_changed_byte_is_refused(void **state)
{
	struct arena *a = arena_new(64 << 20);
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P256);
	const char *pem;
	struct csr csr, again;
	assert_rc_ok(csr_build(a, k, "x", &pem, e));
	assert_rc_ok(csr_parse(a, bytes_of_text(pem), &csr, e));
	uint8_t *der = arena_copy(a, csr.der.data, csr.der.len);
	for (size_t i = 0; i < csr.der.len; i++) {
		assert_true(rc_failed(csr_parse(a, bytes_of(der, i), &again, NULL)));
		der[i] ^= 1;
		assert_true(rc_failed(csr_parse(a, bytes_of(der, csr.der.len), &again, NULL)));
		der[i] ^= 1;
	}
	arena_free(a);
}

static void what_is_no_request_is_refused(void **state)
{
	static uint8_t huge[2 * LIMIT_CSR_DER_BYTES + 1];
	struct arena *a = arena_new(1 << 20);
	struct csr csr;
	assert_refused(csr_parse(a, bytes_of_text(TEST_RSA_2048), &csr, e), TROTH_INVALID, "not a certificate request");
	assert_refused(csr_parse(a, bytes_of_text(""), &csr, e), TROTH_INVALID, "not strict DER");
	assert_refused(csr_parse(a, bytes_of(huge, sizeof huge), &csr, e), TROTH_TOO_LARGE, "larger than");
	assert_refused(csr_parse(a, bytes_of(huge, LIMIT_CSR_DER_BYTES + 1), &csr, e), TROTH_TOO_LARGE, "larger than");
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_of_every_type_are_read_by_us_and_openssl),
		cmocka_unit_test(openssls_request_with_extensions_is_read),
		cmocka_unit_test(a_request_for_another_key_is_refused),
		cmocka_unit_test(every_cut_and_changed_byte_is_refused),
		cmocka_unit_test(what_is_no_request_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
