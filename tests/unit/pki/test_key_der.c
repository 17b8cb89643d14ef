/* Our key files against OpenSSL's own reading and writing of them. */
#include <openssl/pem.h>

#include "pki/key_internal.h"
#include "pki_fixture.h"

/* OpenSSL reads what we write. */
static void openssl_reads_every_format(void **state)
{
	for (int t = 0; t < KEY_TYPE_COUNT; t++)
		for (int f = KEY_PKCS8_DER; f <= KEY_TRADITIONAL_PEM; f++) {
			CLEANUP(key_releasep) struct key *k = fixture_key((enum key_type)t);
			CLEANUP(buf_release) struct buf out = buf_make_secret(LIMIT_KEY_DER_BYTES);
			assert_rc_ok(key_write(k, (enum key_format)f, &out, e));
			BIO *bio = BIO_new_mem_buf(out.data, (int)out.len);
			bool pem = f == KEY_PKCS8_PEM || f == KEY_TRADITIONAL_PEM;
			EVP_PKEY *read = pem ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL)
					     : d2i_PrivateKey_bio(bio, NULL);
			assert_non_null(read);
			assert_int_equal(EVP_PKEY_eq(read, k->pkey), 1);
			EVP_PKEY_free(read);
			BIO_free(bio);
		}
}

/* We read what OpenSSL writes, byte for byte the same as ours. */
static void pkcs8_is_the_same_as_openssls(void **state)
{
	for (int t = 0; t < KEY_TYPE_COUNT; t++) {
		CLEANUP(key_releasep) struct key *k = fixture_key((enum key_type)t);
		CLEANUP(buf_release) struct buf ours = buf_make_secret(LIMIT_KEY_DER_BYTES);
		assert_rc_ok(key_write(k, KEY_PKCS8_DER, &ours, e));
		BIO *bio = BIO_new(BIO_s_mem());
		char *data = NULL;
		assert_int_equal(i2d_PKCS8PrivateKey_bio(bio, k->pkey, NULL, NULL, 0, NULL, NULL), 1);
		long n = BIO_get_mem_data(bio, &data);
		assert_true(bytes_equal(buf_bytes(&ours), bytes_of(data, (size_t)n)));
		BIO_free(bio);
	}
}

static void other_curves_and_kinds_are_refused_by_name(void **state)
{
	/* SEC1 with curve secp256k1 (1.3.132.0.10) */
	static const uint8_t k1[] = "\x30\x2e\x02\x01\x01\x04\x20" "0123456789abcdef0123456789abcdef"
				    "\xa0\x07\x06\x05\x2b\x81\x04\x00\x0a";
	/* SEC1 without a curve */
	static const uint8_t none[] = "\x30\x25\x02\x01\x01\x04\x20" "0123456789abcdef0123456789abcdef";
	/* PKCS#8 of X25519 (1.3.101.110) */
	static const uint8_t x25519[] = "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6e\x04\x22\x04\x20"
					"0123456789abcdef0123456789abcdef";
	struct key_numbers n;
	assert_refused(key_numbers_read(bytes_of(k1, sizeof k1 - 1), &n, e), TROTH_INVALID, "curve");
	assert_refused(key_numbers_read(bytes_of(none, sizeof none - 1), &n, e), TROTH_INVALID, "does not name its curve");
	assert_refused(key_numbers_read(bytes_of(x25519, sizeof x25519 - 1), &n, e), TROTH_INVALID, "not supported");
}

static void bytes_behind_a_key_are_refused(void **state)
{
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_ED25519);
	CLEANUP(buf_release) struct buf der = buf_make_secret(LIMIT_KEY_DER_BYTES);
	struct key_numbers n;
	assert_rc_ok(key_write(k, KEY_PKCS8_DER, &der, e));
	buf_add_byte(&der, 0);
	assert_refused(key_numbers_read(buf_bytes(&der), &n, e), TROTH_INVALID, "not strict DER");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_reads_every_format),
		cmocka_unit_test(pkcs8_is_the_same_as_openssls),
		cmocka_unit_test(other_curves_and_kinds_are_refused_by_name),
		cmocka_unit_test(bytes_behind_a_key_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
