/* Public keys: OpenSSL's bytes are ours, and unsound ones are refused. */
#include <openssl/x509.h>

#include "pki/key_internal.h"
#include "pki_fixture.h"

static void spki_is_the_same_as_openssls(void **state)
{
	struct arena *a = arena_new(1 << 20);
	for (int t = 0; t < KEY_TYPE_COUNT; t++) {
		CLEANUP(key_releasep) struct key *k = fixture_key((enum key_type)t);
		struct bytes ours;
		enum key_type type;
		uint8_t *theirs = NULL;
		assert_rc_ok(key_spki(k, a, &ours, e));
		int n = i2d_PUBKEY(k->pkey, &theirs);
		assert_true(bytes_equal(ours, bytes_of(theirs, (size_t)n)));
		assert_rc_ok(spki_check(ours, &type, e));
		assert_int_equal(type, t);
		OPENSSL_free(theirs);
	}
	arena_free(a);
}

static void names_of_types_go_both_ways(void **state)
{
	for (int t = 0; t < KEY_TYPE_COUNT; t++) {
		enum key_type back;
		assert_rc_ok(key_type_parse(key_type_name((enum key_type)t), &back, e));
		assert_int_equal(back, t);
	}
	enum key_type t;
	assert_refused(key_type_parse("rsa-1024", &t, e), TROTH_INVALID, "is not known");
	assert_refused(key_type_parse(NULL, &t, e), TROTH_INVALID, "is not known");
}

static void a_point_off_the_curve_is_refused(void **state)
{
	struct arena *a = arena_new(1 << 20);
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P256);
	struct bytes spki;
	enum key_type type;
	assert_rc_ok(key_spki(k, a, &spki, e));
	uint8_t *bad = arena_copy(a, spki.data, spki.len);
	bad[spki.len - 1] ^= 1;
	assert_refused(spki_check(bytes_of(bad, spki.len), &type, e), TROTH_INVALID, "not sound");
	bad[spki.len - 1] ^= 1;
	bad[spki.len - 65] = 2; /* says compressed, is not */
	assert_refused(spki_check(bytes_of(bad, spki.len), &type, e), TROTH_INVALID, "uncompressed");
	arena_free(a);
}

static void small_rsa_and_bad_exponents_are_refused(void **state)
{
	uint8_t modulus[256];
	enum key_type type;
	memset(modulus, 0xff, sizeof modulus);
	static const struct { size_t len; const char *exponent; size_t elen; const char *why; } rows[] = {
		{ 128, "\x01\x00\x01", 3, "not supported" },
		{ 256, "\x01", 1, "exponent" },
		{ 256, "\x02", 1, "exponent" },
		{ 256, "\x01\x00\x00\x00\x01", 5, "exponent" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_release) struct buf w = buf_make(KEY_SPKI_MAX);
		spki_write_rsa(&w, KEY_RSA_2048, bytes_of(modulus, rows[i].len), bytes_of(rows[i].exponent, rows[i].elen));
		assert_refused(spki_check(buf_bytes(&w), &type, e), TROTH_INVALID, rows[i].why);
	}
}

static void every_cut_is_refused(void **state)
{
	struct arena *a = arena_new(1 << 20);
	for (int t = 0; t < KEY_TYPE_COUNT; t++) {
		CLEANUP(key_releasep) struct key *k = fixture_key((enum key_type)t);
		struct bytes spki;
		enum key_type type;
		assert_rc_ok(key_spki(k, a, &spki, e));
		for (size_t i = 0; i < spki.len; i++)
			assert_true(rc_failed(spki_check(bytes_of(spki.data, i), &type, NULL)));
		uint8_t *longer = arena_alloc(a, spki.len + 1);
		memcpy(longer, spki.data, spki.len);
		assert_refused(spki_check(bytes_of(longer, spki.len + 1), &type, e), TROTH_INVALID, "strict");
	}
	static const uint8_t huge[KEY_SPKI_MAX + 1];
	enum key_type type;
	assert_refused(spki_check(bytes_of(huge, sizeof huge), &type, e), TROTH_TOO_LARGE, "larger than");
	arena_free(a);
}

/* RFC 4231, test case 2. */
static void an_hmac_is_the_rfcs(void **state)
{
	uint8_t mac[SHA256_LEN], other[SHA256_LEN];
	char hex[SHA256_HEX_LEN];
	pki_hmac_sha256(bytes_of_text("Jefe"), bytes_of_text("what do ya want for nothing?"), mac);
	assert_string_equal(hex_encode(mac, sizeof mac, hex), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	pki_hmac_sha256(bytes_of_text("Jeff"), bytes_of_text("what do ya want for nothing?"), other);
	assert_false(pki_same(mac, other, sizeof mac));
	assert_true(pki_same(mac, mac, sizeof mac));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spki_is_the_same_as_openssls),
		cmocka_unit_test(names_of_types_go_both_ways),
		cmocka_unit_test(a_point_off_the_curve_is_refused),
		cmocka_unit_test(small_rsa_and_bad_exponents_are_refused),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(an_hmac_is_the_rfcs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
