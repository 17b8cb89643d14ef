/* Wrapped keys: there and back, and nothing that was changed. */
#include "fixture.h"

#include "keeper/wrap.h"

static const unsigned char MASTER[32] = { 1, 2, 3 }, OTHER[32] = { 1, 2, 4 };

static struct bytes wrapped(struct arena *a, enum key_type type, struct key **ret_key)
{
	struct keeper_policy p = policy_of("/demo/ca", T0);
	struct bytes spki, blob;
	assert_true(rc_ok(key_generate(type, ret_key, NULL)));
	assert_true(rc_ok(key_spki(*ret_key, a, &spki, NULL)));
	spki_id(spki, p.spki_hash);
	assert_true(rc_ok(wrap_key(MASTER, &p, *ret_key, a, &blob, NULL)));
	return blob;
}

static void every_key_type_comes_back(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	static const enum key_type TYPES[] = { KEY_RSA_2048, KEY_EC_P256, KEY_EC_P384, KEY_ED25519 };
	for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
		CLEANUP(key_releasep) struct key *k = NULL, *back = NULL;
		struct keeper_policy p;
		struct bytes spki, blob = wrapped(a, TYPES[i], &k);
		assert_true(rc_ok(wrap_open(MASTER, blob, a, &p, &back, NULL)));
		assert_true(rc_ok(key_spki(k, a, &spki, NULL)));
		assert_true(key_public_matches(back, spki));
		assert_string_equal(p.authority, "/demo/ca");
	}
}

static void two_wraps_of_one_key_differ(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	CLEANUP(key_releasep) struct key *k = NULL;
	struct keeper_policy p;
	CLEANUP(key_releasep) struct key *same = NULL;
	struct bytes one = wrapped(a, KEY_EC_P256, &k), two;
	assert_true(rc_ok(wrap_open(MASTER, one, a, &p, &same, NULL)));
	assert_true(rc_ok(wrap_key(MASTER, &p, k, a, &two, NULL)));
	assert_int_equal(one.len, two.len);
	assert_false(bytes_equal(one, two));
}

/* The policy is associated data: changing one byte of it, or of anything, is seen. */
static void no_changed_bit_opens(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(16 << 20);
	CLEANUP(key_releasep) struct key *k = NULL;
	struct bytes blob = wrapped(a, KEY_ED25519, &k);
	uint8_t *copy = arena_copy(a, blob.data, blob.len);
	for (size_t bit = 0; bit < blob.len * 8; bit++) {
		struct key *back = NULL;
		struct keeper_policy p;
		struct troth_err e = { 0 };
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(rc_failed(wrap_open(MASTER, bytes_of(copy, blob.len), a, &p, &back, &e)));
		assert_int_equal(e.kind, TROTH_CORRUPT);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len < blob.len; len++) {
		struct wrap_parts parts;
		assert_true(rc_failed(wrap_split(bytes_of(copy, len), &parts, NULL)));
	}
}

static void a_policy_cannot_be_moved_to_another_key(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	CLEANUP(key_releasep) struct key *one = NULL, *two = NULL, *back = NULL;
	struct keeper_policy p;
	struct bytes x = wrapped(a, KEY_ED25519, &one), y = wrapped(a, KEY_ED25519, &two), spki;
	struct wrap_parts parts;
	assert_true(rc_ok(wrap_split(x, &parts, NULL)));
	uint8_t *mixed = arena_copy(a, y.data, y.len);
	memcpy(mixed, x.data, parts.associated.len);
	assert_true(rc_failed(wrap_open(MASTER, bytes_of(mixed, y.len), a, &p, &back, NULL)));
	p = policy_of("/demo/ca", T0); /* not even by who has the master key: it names the key */
	assert_true(rc_ok(key_spki(one, a, &spki, NULL)));
	spki_id(spki, p.spki_hash);
	assert_true(rc_ok(wrap_key(MASTER, &p, two, a, &y, NULL)));
	struct troth_err e = { 0 };
	assert_true(rc_failed(wrap_open(MASTER, y, a, &p, &back, &e)));
	assert_non_null(strstr(e.primary, "not the one that its policy names"));
}

static void another_master_key_does_not_open_it(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	CLEANUP(key_releasep) struct key *k = NULL, *back = NULL;
	struct keeper_policy p;
	struct troth_err e = { 0 };
	struct bytes blob = wrapped(a, KEY_EC_P256, &k);
	assert_true(rc_failed(wrap_open(OTHER, blob, a, &p, &back, &e)));
	assert_int_equal(e.kind, TROTH_CORRUPT);
	assert_non_null(strstr(e.hint, "same backup"));
}

static void a_secret_comes_back_and_is_no_key(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	CLEANUP(buf_release) struct buf secret = buf_make_secret(64), none = buf_make_secret(64);
	CLEANUP(key_releasep) struct key *k = NULL, *back = NULL;
	struct keeper_policy p = policy_of("ops", T0), read;
	struct bytes plain = bytes_of_text("0123456789abcdef0123456789abcdef"), blob;
	struct troth_err e = { 0 };
	p.kind = KEEPER_KEY_WEBHOOK;
	assert_true(rc_ok(wrap_secret(MASTER, &p, plain, a, &blob, NULL)));
	assert_null(memmem(blob.data, blob.len, plain.data, 8));
	assert_true(rc_ok(wrap_open_secret(MASTER, blob, a, &read, &secret, NULL)));
	assert_true(bytes_equal(buf_bytes(&secret), plain));
	assert_string_equal(read.authority, "ops");
	assert_int_equal(wrap_open(MASTER, blob, a, &read, &back, &e).code, TROTH_FORBIDDEN);
	assert_int_equal(wrap_open_secret(MASTER, wrapped(a, KEY_ED25519, &k), a, &read, &none, &e).code, TROTH_FORBIDDEN);
	assert_int_equal(wrap_open_secret(OTHER, blob, a, &read, &none, &e).code, TROTH_CORRUPT);
	assert_int_equal(none.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_type_comes_back),
		cmocka_unit_test(two_wraps_of_one_key_differ),
		cmocka_unit_test(no_changed_bit_opens),
		cmocka_unit_test(a_policy_cannot_be_moved_to_another_key),
		cmocka_unit_test(a_secret_comes_back_and_is_no_key),
		cmocka_unit_test(another_master_key_does_not_open_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
