/* The cache of opened keys. */
#include "fixture.h"

#include "keeper/signer.h"

static const unsigned char MASTER[32] = { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7 };

static void a_key_is_opened_once_and_kept(void **state)
{
	struct fixture *f = *state;
	struct signer_cache c = { 0 };
	const struct signer *one, *again;
	struct keeper_issuer ca = make_root(ask_state, f, f->a, "/demo/ca", KEY_EC_P256, T0);
	assert_true(rc_ok(signer_open(&c, MASTER, &ca, &one, NULL)));
	assert_string_equal(one->policy.authority, "/demo/ca");
	assert_non_null(one->cert);
	assert_true(rc_ok(signer_open(&c, MASTER, &ca, &again, NULL)));
	assert_ptr_equal(one, again);
	ca.cert.len = 0;
	assert_true(rc_ok(signer_open(&c, MASTER, &ca, &again, NULL)));
	assert_ptr_not_equal(one, again);
	assert_null(again->cert);
	signer_cache_clear(&c);
}

static void the_least_recently_used_makes_room(void **state)
{
	struct fixture *f = *state;
	struct signer_cache c = { 0 };
	const struct signer *first, *s;
	struct keeper_issuer cas[LIMIT_KEEPER_CACHED_KEYS + 1];
	for (size_t i = 0; i < ARRAY_LEN(cas); i++)
		cas[i] = make_root(ask_state, f, f->a, "/demo/ca", KEY_EC_P256, T0);
	for (size_t i = 0; i + 1 < ARRAY_LEN(cas); i++)
		assert_true(rc_ok(signer_open(&c, MASTER, &cas[i], &s, NULL)));
	assert_true(rc_ok(signer_open(&c, MASTER, &cas[0], &first, NULL)));
	assert_true(rc_ok(signer_open(&c, MASTER, &cas[LIMIT_KEEPER_CACHED_KEYS], &s, NULL)));
	assert_ptr_equal(s, &c.entries[1]);
	assert_true(rc_ok(signer_open(&c, MASTER, &cas[0], &s, NULL)));
	assert_ptr_equal(s, first);
	signer_cache_clear(&c);
}

static void what_does_not_open_is_not_kept(void **state)
{
	struct fixture *f = *state;
	struct signer_cache c = { 0 };
	const struct signer *s;
	struct keeper_issuer ca = make_root(ask_state, f, f->a, "/demo/ca", KEY_EC_P256, T0);
	struct keeper_issuer bad = { ca.blob, bytes_of("\x30\x01\x00", 3) };
	assert_true(rc_failed(signer_open(&c, MASTER, &bad, &s, NULL)));
	unsigned char other[32] = { 1 };
	assert_true(rc_failed(signer_open(&c, other, &ca, &s, NULL)));
	for (size_t i = 0; i < ARRAY_LEN(c.entries); i++)
		assert_null(c.entries[i].key);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_key_is_opened_once_and_kept),
		T(the_least_recently_used_makes_room),
		T(what_does_not_open_is_not_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
