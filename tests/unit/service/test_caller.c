/* Who is calling: tokens, certificates, nobody, and strangers. */
#include "room.h"

static void stranger(struct room *r, struct principal_resolve_cmd cmd, const char *part)
{
	room_refused(r, &PRINCIPAL_ANONYMOUS, &VERB_PRINCIPAL_RESOLVE, &cmd, TROTH_UNAUTHENTICATED, part);
}

static void test_nobody_is_anonymous(void **state)
{
	struct room *r = room_new();
	struct principal_ret ret;
	room_do(r, &VERB_PRINCIPAL_RESOLVE, &(struct principal_resolve_cmd){ 0 }, &ret);
	assert_int_equal(ret.principal.roles, ROLE_ANONYMOUS);
	stranger(r, (struct principal_resolve_cmd){ .bearer = "x" }, "bearer token");
	stranger(r, (struct principal_resolve_cmd){ .peer_cert = bytes_of_text("der") }, "certificate");
	room_free(r);
}

static void insert(struct room *r, struct principal_row *row)
{
	struct tx *tx;
	row->created = r->now;
	row->scope = "/prod/*";
	assert_true(rc_ok(store_write_begin(r->store, &tx, &r->e)));
	assert_true(rc_ok(principal_row_insert(tx, row, &r->e)));
	assert_true(rc_ok(store_write_commit(tx, &r->e)));
}

static void test_rows(void **state)
{
	struct room *r = room_new();
	struct principal_ret ret;
	uint8_t hash[SHA256_LEN], print[SHA256_LEN];
	token_hash("secret", hash);
	pki_sha256(bytes_of_text("der"), print);
	struct principal_row op = { .uuid = "6f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f11", .name = "op", .roles = ROLE_OPERATOR | ROLE_SYSTEM,
				    .token_hash = bytes_of(hash, 32) };
	struct principal_row by_cert = { .uuid = "6f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f12", .name = "robot", .roles = ROLE_AUDITOR,
					 .cert_fingerprint = bytes_of(print, 32) };
	insert(r, &op);
	insert(r, &by_cert);
	room_do(r, &VERB_PRINCIPAL_RESOLVE, &(struct principal_resolve_cmd){ .bearer = "secret", .peer_cert = bytes_of_text("der") }, &ret);
	assert_string_equal(ret.principal.name, "op"); /* the token counts before the certificate */
	assert_int_equal(ret.principal.roles, ROLE_OPERATOR); /* nobody becomes the system by a row */
	assert_string_equal(ret.principal.scope, "/prod/*");
	room_do(r, &VERB_PRINCIPAL_RESOLVE, &(struct principal_resolve_cmd){ .peer_cert = bytes_of_text("der") }, &ret);
	assert_string_equal(ret.principal.name, "robot");
	assert_memory_equal(ret.principal.fingerprint, print, sizeof print);
	struct principal_ret self;
	assert_true(rc_ok(room_try(r, &ret.principal, &VERB_PRINCIPAL_SELF, &(struct no_cmd){ 0 }, &self)));
	assert_string_equal(self.principal.name, "robot");
	room_free(r);
}

/* When it was last used is kept to PRINCIPAL_USED_EVERY: not a write for each request. */
static void test_last_used(void **state)
{
	struct room *r = room_new();
	struct principal_ret who;
	struct no_ret none;
	struct principal_view_ret made, shown;
	room_do(r, &VERB_PRINCIPAL_ADD, &(struct principal_add_cmd){ "ci", "auditor" }, &made);
	struct principal_resolve_cmd resolve = { .bearer = made.token };
	room_do(r, &VERB_PRINCIPAL_RESOLVE, &resolve, &who);
	assert_true(who.used_long_ago);
	assert_true(rc_ok(room_try(r, &PRINCIPAL_SYSTEM, &VERB_PRINCIPAL_USED, &(struct id_cmd){ who.principal.uuid }, &none)));
	room_do(r, &VERB_PRINCIPAL_RESOLVE, &resolve, &who);
	assert_false(who.used_long_ago);
	room_do(r, &VERB_PRINCIPAL_SHOW, &(struct id_cmd){ "ci" }, &shown);
	assert_int_equal(shown.principal.row.last_used, r->now);
	r->now += PRINCIPAL_USED_EVERY;
	room_do(r, &VERB_PRINCIPAL_RESOLVE, &resolve, &who);
	assert_true(who.used_long_ago);
	room_free(r);
}

/* Another instance's certificate is that instance, and nobody else. */
static void test_agents_are_themselves(void **state)
{
	struct room *r = room_new();
	room_deployment(r, "pg");
	struct msg_enrolled one = room_enroll(r, "pg", "pg-1"), two = room_enroll(r, "pg", "pg-2");
	struct principal a = room_agent(r, &one), b = room_agent(r, &two);
	assert_int_not_equal(a.instance_id, b.instance_id);
	assert_string_equal(b.name, "agent pg-2");
	room_refused(r, &b, &VERB_INSTANCE_SHOW, &(struct id_cmd){ one.instance_id }, TROTH_FORBIDDEN, "may not");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_is_anonymous), cmocka_unit_test(test_rows), cmocka_unit_test(test_last_used), cmocka_unit_test(test_agents_are_themselves),
	};
	return cmocka_run_group_tests_name("principal", tests, NULL, NULL);
}
