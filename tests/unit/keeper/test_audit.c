/* The structure that an audit signature covers. */
#include "fixture.h"

#include "keeper/audit.h"

static void the_head_is_the_documented_bytes(void **state)
{
	uint8_t head[SHA256_LEN], out[KEEPER_AUDIT_HEAD_BYTES];
	static const uint8_t SEQ[8] = { 0, 0, 0, 0, 0, 0, 1, 2 }, AT[8] = { 0, 0, 0, 0, 0, 0, 0, 9 };
	memset(head, 0xab, sizeof head);
	keeper_audit_head(258, head, 9, out);
	assert_int_equal(sizeof out, 20 + 8 + 32 + 8);
	assert_memory_equal(out, "troth audit head v1\0", 20);
	assert_memory_equal(out + 20, SEQ, 8);
	assert_memory_equal(out + 28, head, SHA256_LEN);
	assert_memory_equal(out + 60, AT, 8);
}

static void a_signature_over_the_bare_head_does_not_verify(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	CLEANUP(key_releasep) struct key *k = NULL;
	CLEANUP(buf_release) struct buf bare = buf_make(256), full = buf_make(256);
	uint8_t head[SHA256_LEN] = { 4 }, bytes[KEEPER_AUDIT_HEAD_BYTES];
	struct bytes spki;
	struct troth_err e = { 0 };
	assert_true(rc_ok(key_generate(KEY_ED25519, &k, NULL)));
	assert_true(rc_ok(key_spki(k, a, &spki, NULL)));
	assert_true(rc_ok(key_sign(k, bytes_of(head, sizeof head), &bare, NULL)));
	keeper_audit_head(1, head, T0, bytes);
	assert_true(rc_ok(key_sign(k, bytes_of(bytes, sizeof bytes), &full, NULL)));
	assert_true(rc_ok(keeper_audit_verify(spki, 1, head, T0, buf_bytes(&full), &e)));
	assert_true(rc_failed(keeper_audit_verify(spki, 1, head, T0, buf_bytes(&bare), &e)));
	assert_int_equal(e.kind, TROTH_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_head_is_the_documented_bytes),
		cmocka_unit_test(a_signature_over_the_bare_head_does_not_verify),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
