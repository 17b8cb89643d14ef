/* Join tokens: shown once, stored hashed, one use, an end. */
#include "room.h"

static void test_create_and_list(void **state)
{
	struct room *r = room_new();
	struct token_ret ret;
	struct token_list_ret list;
	room_deployment(r, "pg");
	struct token_create_cmd cmd = { .deployment = "pg", .instance = "pg-1", .ttl = MSEC_HOUR };
	room_do(r, &VERB_TOKEN_CREATE, &cmd, &ret);
	assert_int_equal(strncmp(ret.secret, "troth-join-", 11), 0);
	assert_int_equal(strlen(ret.secret), 11 + 64);
	assert_int_equal(ret.token.row.expires, r->now + MSEC_HOUR);
	assert_string_equal(ret.token.state, "open");
	uint8_t hash[SHA256_LEN];
	token_hash(ret.secret, hash);
	assert_memory_equal(ret.token.row.hash.data, hash, sizeof hash);
	assert_int_equal(strlen(ret.ca_fingerprint), SHA256_HEX_LEN - 1);
	cmd = (struct token_create_cmd){ .deployment = "pg" };
	room_do(r, &VERB_TOKEN_CREATE, &cmd, &ret);
	assert_int_equal(ret.token.row.expires, r->now + MSEC_DAY);
	r->now += 2 * MSEC_HOUR;
	room_do(r, &VERB_TOKEN_LIST, &(struct token_list_cmd){ 0 }, &list);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.items[0].state, "expired");
	assert_string_equal(list.items[1].state, "open");
	room_do(r, &VERB_TOKEN_LIST, &(struct token_list_cmd){ .deployment = "other" }, &list);
	assert_int_equal(list.count, 0);
	assert_true(rc_ok(room_try(r, &r->narrow, &VERB_TOKEN_LIST, &(struct token_list_cmd){ 0 }, &list)));
	assert_int_equal(list.count, 0);
	room_free(r);
}

static void test_refusals(void **state)
{
	struct room *r = room_new();
	room_deployment(r, "pg");
	room_enroll(r, "pg", "pg-1");
	struct token_create_cmd cmd = { 0 };
	room_refused(r, &r->admin, &VERB_TOKEN_CREATE, &cmd, TROTH_INVALID, "missing");
	cmd = (struct token_create_cmd){ .deployment = "pg", .instance = "a/b", .ttl = 8 * MSEC_DAY };
	room_refused(r, &r->admin, &VERB_TOKEN_CREATE, &cmd, TROTH_INVALID, "");
	room_finding(r, "$.instance", "character");
	room_finding(r, "$.ttl", "7d");
	cmd = (struct token_create_cmd){ .deployment = "nobody" };
	room_refused(r, &r->admin, &VERB_TOKEN_CREATE, &cmd, TROTH_NOT_FOUND, "no deployment nobody");
	cmd = (struct token_create_cmd){ .deployment = "pg", .instance = "pg-1" };
	room_refused(r, &r->admin, &VERB_TOKEN_CREATE, &cmd, TROTH_CONFLICT, "already");
	room_refused(r, &r->narrow, &VERB_TOKEN_CREATE, &cmd, TROTH_NOT_FOUND, "no deployment");
	room_refused(r, &r->auditor, &VERB_TOKEN_CREATE, &cmd, TROTH_FORBIDDEN, "may not");
	room_free(r);
}

static void test_revoke(void **state)
{
	struct room *r = room_new();
	struct token_ret ret;
	struct token_list_ret list;
	struct no_ret none;
	room_deployment(r, "pg");
	room_do(r, &VERB_TOKEN_CREATE, &(struct token_create_cmd){ .deployment = "pg" }, &ret);
	room_refused(r, &r->narrow, &VERB_TOKEN_REVOKE, &(struct id_cmd){ ret.token.row.uuid }, TROTH_NOT_FOUND, "no such token");
	room_do(r, &VERB_TOKEN_REVOKE, &(struct id_cmd){ ret.token.row.uuid }, &none);
	struct msg_enroll m = { .token = ret.secret, .csr = room_csr(r, KEY_EC_P256), .boot_id = "b", .agent_version = "1" };
	room_refused(r, &PRINCIPAL_ANONYMOUS, &VERB_ENROLL, &m, TROTH_UNAUTHENTICATED, "revoked");
	room_enroll(r, "pg", "pg-1");
	room_do(r, &VERB_TOKEN_LIST, &(struct token_list_cmd){ .deployment = "pg" }, &list);
	assert_string_equal(list.items[0].state, "revoked");
	assert_string_equal(list.items[1].state, "used");
	room_refused(r, &r->admin, &VERB_TOKEN_REVOKE, &(struct id_cmd){ list.items[1].row.uuid }, TROTH_CONFLICT, "used already");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_and_list), cmocka_unit_test(test_refusals), cmocka_unit_test(test_revoke),
	};
	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
