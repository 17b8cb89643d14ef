/* A key's policy: bytes there and back, and reading it off a blob. */
#include "fixture.h"

static void a_policy_is_read_as_it_was_written(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	CLEANUP(buf_release) struct buf out = buf_make(KEEPER_POLICY_BYTES);
	struct keeper_policy p = policy_of("/demo/ca", T0), back;
	p.exportable = p.brought = true;
	p.path_len = 3;
	memset(p.spki_hash, 5, sizeof p.spki_hash);
	assert_true(rc_ok(keeper_policy_encode(&p, &out, NULL)));
	assert_true(rc_ok(keeper_policy_decode(a, buf_bytes(&out), &back, NULL)));
	assert_string_equal(back.key_id, p.key_id);
	assert_string_equal(back.authority, p.authority);
	assert_true(back.kind == p.kind && back.may_sign_ca && back.exportable && back.brought && back.path_len == 3);
	assert_true(back.latest_not_after == p.latest_not_after);
	assert_memory_equal(back.spki_hash, p.spki_hash, SHA256_LEN);
}

static void the_longest_policy_fits(void **state)
{
	CLEANUP(buf_release) struct buf out = buf_make(KEEPER_POLICY_BYTES);
	char name[LIMIT_NAME_BYTES + 2];
	struct keeper_policy p = policy_of(name, T0);
	memset(name, 'n', sizeof name);
	name[LIMIT_NAME_BYTES + 1] = 0;
	assert_true(rc_failed(keeper_policy_encode(&p, &out, NULL)));
	name[LIMIT_NAME_BYTES] = 0;
	buf_clear(&out);
	assert_true(rc_ok(keeper_policy_encode(&p, &out, NULL)));
}

static void members_out_of_bounds_are_refused(void **state)
{
	struct keeper_policy good = policy_of("/demo/ca", T0), p = good;
	CLEANUP(buf_release) struct buf out = buf_make(KEEPER_POLICY_BYTES);
	p.kind = KEEPER_KEY_WEBHOOK + 1;
	assert_true(rc_failed(keeper_policy_encode(&p, &out, NULL)));
	p = good;
	p.path_len = -2;
	assert_true(rc_failed(keeper_policy_encode(&p, &out, NULL)));
	p = good;
	p.authority = "";
	assert_true(rc_failed(keeper_policy_encode(&p, &out, NULL)));
	p = good;
	p.key_id[0] = 0;
	assert_true(rc_failed(keeper_policy_encode(&p, &out, NULL)));
}

static void the_policy_of_a_blob_can_be_looked_at(void **state)
{
	struct fixture *f = *state;
	struct keeper_issuer ca = make_root(ask_state, f, f->a, "/demo/ca", KEY_EC_P256, T0);
	struct keeper_policy p;
	struct troth_err e = { 0 };
	uint8_t id[SHA256_LEN];
	const struct cert *c;
	assert_true(rc_ok(keeper_policy_read(f->a, ca.blob, &p, NULL)));
	assert_string_equal(p.authority, "/demo/ca");
	assert_true(rc_ok(cert_parse(f->a, ca.cert, &c, NULL)));
	spki_id(c->spki, id);
	assert_memory_equal(p.spki_hash, id, SHA256_LEN);
	assert_true(rc_failed(keeper_policy_read(f->a, bytes_of("junk", 4), &p, &e)));
	assert_int_equal(e.kind, TROTH_CORRUPT);
	uint8_t *copy = arena_copy(f->a, ca.blob.data, ca.blob.len);
	copy[6] = 99; /* the first field's tag */
	assert_true(rc_failed(keeper_policy_read(f->a, bytes_of(copy, ca.blob.len), &p, &e)));
	assert_int_equal(e.kind, TROTH_CORRUPT);
}

static void kinds_have_names(void **state)
{
	assert_string_equal(keeper_key_kind_name(KEEPER_KEY_AUTHORITY), "authority");
	assert_string_equal(keeper_key_kind_name(KEEPER_KEY_LEAF), "leaf");
	assert_string_equal(keeper_key_kind_name(KEEPER_KEY_AUDIT), "audit");
	assert_string_equal(keeper_key_kind_name(KEEPER_KEY_WEBHOOK), "webhook");
	assert_string_equal(keeper_key_kind_name(0), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_is_read_as_it_was_written),
		cmocka_unit_test(the_longest_policy_fits),
		cmocka_unit_test(members_out_of_bounds_are_refused),
		cmocka_unit_test_setup_teardown(the_policy_of_a_blob_can_be_looked_at, fixture_setup, fixture_teardown),
		cmocka_unit_test(kinds_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
