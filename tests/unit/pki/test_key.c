/* Private keys of every type and format, there and back. */
#include "pki_fixture.h"

static void every_type_is_written_and_read_in_every_format(void **state)
{
	struct arena *a = arena_new(1 << 20);
	for (int t = 0; t < KEY_TYPE_COUNT; t++) {
		CLEANUP(key_releasep) struct key *k = fixture_key((enum key_type)t);
		struct bytes spki;
		assert_int_equal(key_type_of(k), t);
		assert_rc_ok(key_spki(k, a, &spki, e));
		for (int f = KEY_PKCS8_DER; f <= KEY_TRADITIONAL_PEM; f++) {
			CLEANUP(buf_release) struct buf out = buf_make_secret(LIMIT_KEY_DER_BYTES);
			CLEANUP(key_releasep) struct key *back = NULL;
			assert_rc_ok(key_write(k, (enum key_format)f, &out, e));
			assert_rc_ok(key_parse(buf_bytes(&out), &back, e));
			assert_int_equal(key_type_of(back), t);
			assert_true(key_public_matches(back, spki));
		}
	}
	arena_free(a);
}

static void signatures_verify_with_the_public_half_only(void **state)
{
	struct arena *a = arena_new(1 << 20);
	for (int t = 0; t < KEY_TYPE_COUNT; t++) {
		CLEANUP(key_releasep) struct key *k = fixture_key((enum key_type)t);
		CLEANUP(buf_release) struct buf sig = buf_make(512);
		struct bytes spki;
		assert_rc_ok(key_spki(k, a, &spki, e));
		assert_rc_ok(key_sign(k, bytes_of_text("the head"), &sig, e));
		assert_rc_ok(spki_verify(spki, bytes_of_text("the head"), buf_bytes(&sig), e));
		assert_refused(spki_verify(spki, bytes_of_text("the heap"), buf_bytes(&sig), e), TROTH_INVALID,
			       "does not verify");
		sig.data[sig.len / 2] ^= 1;
		assert_refused(spki_verify(spki, bytes_of_text("the head"), buf_bytes(&sig), e), TROTH_INVALID,
			       "does not verify");
	}
	arena_free(a);
}

static void own_keys_are_read_without_the_long_check(void **state)
{
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_RSA_2048);
	CLEANUP(key_releasep) struct key *back = NULL;
	CLEANUP(buf_release) struct buf der = buf_make_secret(LIMIT_KEY_DER_BYTES);
	assert_rc_ok(key_write(k, KEY_PKCS8_DER, &der, e));
	assert_rc_ok(key_parse_own(buf_bytes(&der), &back, e));
}

static void rsa_is_generated_with_the_size_asked_for(void **state)
{
	CLEANUP(key_releasep) struct key *k = NULL;
	assert_rc_ok(key_generate(KEY_RSA_2048, &k, e));
	assert_int_equal(key_type_of(k), KEY_RSA_2048);
}

static void a_key_whose_numbers_do_not_fit_is_refused(void **state)
{
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_RSA_2048);
	CLEANUP(key_releasep) struct key *back = NULL;
	CLEANUP(buf_release) struct buf der = buf_make_secret(LIMIT_KEY_DER_BYTES);
	assert_rc_ok(key_write(k, KEY_TRADITIONAL_DER, &der, e));
	der.data[der.len - 3] ^= 1; /* the coefficient */
	assert_refused(key_parse(buf_bytes(&der), &back, e), TROTH_INVALID, "does not add up");

	CLEANUP(key_releasep) struct key *ec = fixture_key(KEY_EC_P256);
	CLEANUP(buf_release) struct buf sec1 = buf_make_secret(LIMIT_KEY_DER_BYTES);
	assert_rc_ok(key_write(ec, KEY_TRADITIONAL_DER, &sec1, e));
	sec1.data[sec1.len - 1] ^= 1; /* the public point */
	assert_refused(key_parse(buf_bytes(&sec1), &back, e), TROTH_INVALID, "does not add up");
}

static void what_is_no_private_key_is_said_so(void **state)
{
	static const struct { const char *text, *why; } rows[] = {
		{ "", "not strict DER" },
		{ "hello", "not strict DER" },
		{ "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n", "no private key" },
		{ "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAYwBAYAAQA=\n-----END ENCRYPTED PRIVATE KEY-----\n", "encrypted" },
		{ "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n-----END RSA PRIVATE KEY-----\n", "encrypted" },
	};
	struct key *k = NULL;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(key_parse(bytes_of_text(rows[i].text), &k, e), TROTH_INVALID, rows[i].why);
	assert_null(k);
}

static void every_cut_and_every_changed_byte_is_survived(void **state)
{
	for (int t = KEY_EC_P256; t <= KEY_ED25519; t++) {
		CLEANUP(key_releasep) struct key *k = fixture_key((enum key_type)t);
		CLEANUP(buf_release) struct buf der = buf_make_secret(LIMIT_KEY_DER_BYTES);
		assert_rc_ok(key_write(k, KEY_PKCS8_DER, &der, e));
		for (size_t i = 0; i < der.len; i++) {
			struct key *back = NULL;
			assert_true(rc_failed(key_parse(bytes_of(der.data, i), &back, NULL)));
			der.data[i] ^= 0x55;
			if (rc_ok(key_parse(buf_bytes(&der), &back, NULL)))
				key_release(back);
			der.data[i] ^= 0x55;
		}
	}
}

static void a_file_with_parameters_before_the_key_is_read(void **state)
{
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P384);
	CLEANUP(key_releasep) struct key *back = NULL;
	CLEANUP(buf_release) struct buf text = buf_make_secret(LIMIT_KEY_DER_BYTES);
	buf_add_text(&text, "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n");
	assert_rc_ok(key_write(k, KEY_TRADITIONAL_PEM, &text, e));
	assert_rc_ok(key_parse(buf_bytes(&text), &back, e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_written_and_read_in_every_format),
		cmocka_unit_test(signatures_verify_with_the_public_half_only),
		cmocka_unit_test(own_keys_are_read_without_the_long_check),
		cmocka_unit_test(rsa_is_generated_with_the_size_asked_for),
		cmocka_unit_test(a_key_whose_numbers_do_not_fit_is_refused),
		cmocka_unit_test(what_is_no_private_key_is_said_so),
		cmocka_unit_test(every_cut_and_every_changed_byte_is_survived),
		cmocka_unit_test(a_file_with_parameters_before_the_key_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
