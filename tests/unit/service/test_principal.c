/* Principals: added by administrators of everything, one credential each, shown once. */
#include "room.h"

#include "pki/password.h"

static struct principal as(struct room *r, const char *token)
{
	struct principal_ret ret;
	room_do(r, &VERB_PRINCIPAL_RESOLVE, &(struct principal_resolve_cmd){ .bearer = token }, &ret);
	return ret.principal;
}

static void stranger(struct room *r, const char *token, const char *part)
{
	room_refused(r, &PRINCIPAL_ANONYMOUS, &VERB_PRINCIPAL_RESOLVE, &(struct principal_resolve_cmd){ .bearer = token },
		     TROTH_UNAUTHENTICATED, part);
}

static struct principal_view_ret add(struct room *r, const char *name, const char *role, const char *scope, msec_t expires)
{
	struct principal_view_ret ret;
	room_do(r, &VERB_PRINCIPAL_ADD, &(struct principal_add_cmd){ name, role, scope, NULL, expires }, &ret);
	return ret;
}

static void test_a_token_is_shown_once_and_kept_hashed(void **state)
{
	struct room *r = room_new();
	struct principal_view_ret made = add(r, "ci", "operator", "/prod/" "*", 0), shown;
	uint8_t hash[SHA256_LEN];
	assert_true(text_starts(made.token, "troth-operator-"));
	token_hash(made.token, hash);
	assert_memory_equal(made.principal.row.token_hash.data, hash, sizeof hash);
	struct principal who = as(r, made.token);
	assert_string_equal(who.name, "ci");
	assert_int_equal(who.roles, ROLE_OPERATOR);
	assert_string_equal(who.scope, "/prod/" "*");
	room_do(r, &VERB_PRINCIPAL_SHOW, &(struct id_cmd){ "ci" }, &shown);
	assert_null(shown.token);
	assert_string_equal(shown.principal.state, "active");
	struct principal_list_ret list;
	room_do(r, &VERB_PRINCIPAL_LIST, &(struct list_cmd){ .name = "ci" }, &list);
	assert_int_equal(list.count, 1);
	room_free(r);
}

static void test_a_new_credential_ends_the_old(void **state)
{
	struct room *r = room_new();
	struct principal_view_ret made = add(r, "ci", "auditor", NULL, 0), again;
	room_do(r, &VERB_PRINCIPAL_ROTATE, &(struct principal_rotate_cmd){ "ci", NULL }, &again);
	assert_string_not_equal(made.token, again.token);
	stranger(r, made.token, "not known");
	assert_string_equal(as(r, again.token).uuid, made.principal.row.uuid);
	room_free(r);
}

static void test_a_certificate_instead(void **state)
{
	struct room *r = room_new();
	struct principal_view_ret ret;
	struct principal_ret who;
	const struct cert *const *certs, *cert;
	size_t n;
	room_do(r, &VERB_PRINCIPAL_ADD, &(struct principal_add_cmd){ "robot", "developer", NULL, room_csr(r, KEY_EC_P256), 0 }, &ret);
	assert_null(ret.token);
	assert_true(rc_ok(certs_parse_pem(r->a, bytes_of_text(ret.certificate), &certs, &n, &r->e)));
	cert = certs[0];
	room_do(r, &VERB_PRINCIPAL_RESOLVE, &(struct principal_resolve_cmd){ .peer_cert = cert->der }, &who);
	assert_string_equal(who.principal.name, "robot");
	assert_int_equal(who.principal.roles, ROLE_DEVELOPER);
	room_do(r, &VERB_PRINCIPAL_ROTATE, &(struct principal_rotate_cmd){ "robot", NULL }, &ret); /* from now on a token */
	assert_string_equal(as(r, ret.token).name, "robot");
	room_refused(r, &PRINCIPAL_ANONYMOUS, &VERB_PRINCIPAL_RESOLVE, &(struct principal_resolve_cmd){ .peer_cert = cert->der },
		     TROTH_UNAUTHENTICATED, "client certificate");
	room_free(r);
}

static void test_a_password_is_made_or_chosen_and_kept_derived(void **state)
{
	struct room *r = room_new();
	struct principal_view_ret made, chosen, shown;
	bool match;
	room_do(r, &VERB_PRINCIPAL_ADD, &(struct principal_add_cmd){ "ada", "operator", .generate_password = true, .facade = "credhub" }, &made);
	assert_int_equal(strlen(made.password), 27);
	assert_null(made.token);
	assert_string_equal(made.principal.row.facade, "credhub");
	assert_string_equal(principal_credential_name(&made.principal.row), "password");
	assert_true(text_starts(made.principal.row.password, "scrypt:04:"));
	assert_true(rc_ok(password_check(made.principal.row.password, made.password, &match, &r->e)) && match);
	struct principal_add_cmd add = { "bob", "operator", .password = "as bob wants it", .facade = "native" };
	room_do(r, &VERB_PRINCIPAL_ADD, &add, &chosen);
	assert_null(chosen.password); /* who chose it knows it */
	assert_null(chosen.principal.row.facade);
	assert_true(rc_ok(password_check(chosen.principal.row.password, "as bob wants it", &match, &r->e)) && match);
	room_do(r, &VERB_PRINCIPAL_SHOW, &(struct id_cmd){ "ada" }, &shown);
	assert_null(shown.password);
	room_free(r);
}

/* Without a word a new one of the same kind; with one, from kind to kind. */
static void test_a_password_is_rotated(void **state)
{
	struct room *r = room_new();
	struct principal_view_ret made, again;
	room_do(r, &VERB_PRINCIPAL_ADD, &(struct principal_add_cmd){ "ada", "operator", .generate_password = true }, &made);
	room_do(r, &VERB_PRINCIPAL_ROTATE, &(struct principal_rotate_cmd){ "ada" }, &again);
	assert_non_null(again.password);
	assert_string_not_equal(again.password, made.password);
	assert_string_not_equal(again.principal.row.password, made.principal.row.password);
	room_do(r, &VERB_PRINCIPAL_ROTATE, &(struct principal_rotate_cmd){ "ada", room_csr(r, KEY_EC_P256) }, &again);
	assert_null(again.principal.row.password);
	room_do(r, &VERB_PRINCIPAL_ROTATE, &(struct principal_rotate_cmd){ "ada" }, &again);
	assert_non_null(again.token);
	room_do(r, &VERB_PRINCIPAL_ROTATE, &(struct principal_rotate_cmd){ "ada", .password = "long enough it is" }, &again);
	assert_true(!again.token && !again.principal.row.token_hash.len && again.principal.row.password);
	room_free(r);
}

static void test_a_credential_is_good_for_one_api(void **state)
{
	struct room *r = room_new();
	struct principal_view_ret made;
	struct principal_ret who;
	room_do(r, &VERB_PRINCIPAL_ADD, &(struct principal_add_cmd){ "ci", "operator", .facade = "credhub" }, &made);
	stranger(r, made.token, "good for the API credhub, not for native");
	struct principal_resolve_cmd cmd = { .bearer = made.token, .facade = "opsmanager" };
	room_refused(r, &PRINCIPAL_ANONYMOUS, &VERB_PRINCIPAL_RESOLVE, &cmd, TROTH_UNAUTHENTICATED, "not for opsmanager");
	cmd.facade = "credhub";
	room_do(r, &VERB_PRINCIPAL_RESOLVE, &cmd, &who);
	assert_string_equal(who.principal.name, "ci");
	cmd.bearer = add(r, "other", "operator", NULL, 0).token;
	room_refused(r, &PRINCIPAL_ANONYMOUS, &VERB_PRINCIPAL_RESOLVE, &cmd, TROTH_UNAUTHENTICATED, "good for the API native");
	room_free(r);
}

/* As CredHub knows applications: by the OU of their certificate, which stays when it is made anew. */
static void test_an_app_has_a_certificate(void **state)
{
	static const char uuid[] = "8c5d6f1e-2b7a-4c3d-9e0f-1a2b3c4d5e6f", name[] = "mtls-app:8c5d6f1e-2b7a-4c3d-9e0f-1a2b3c4d5e6f";
	struct room *r = room_new();
	struct principal_view_ret made;
	struct principal_ret who;
	const struct cert *const *certs;
	size_t n;
	room_do(r, &VERB_PRINCIPAL_ADD, &(struct principal_add_cmd){ .app = uuid, .role = "developer", .csr = room_csr(r, KEY_EC_P256) }, &made);
	assert_string_equal(made.principal.row.name, name);
	assert_string_equal(made.principal.row.facade, "credhub");
	for (int i = 0; i < 2; i++) {
		assert_true(rc_ok(certs_parse_pem(r->a, bytes_of_text(made.certificate), &certs, &n, &r->e)));
		assert_non_null(strstr(certs[0]->subject, "OU=app:8c5d6f1e-2b7a-4c3d-9e0f-1a2b3c4d5e6f"));
		struct principal_resolve_cmd cmd = { .peer_cert = certs[0]->der, .facade = "credhub" };
		room_do(r, &VERB_PRINCIPAL_RESOLVE, &cmd, &who);
		assert_string_equal(who.principal.name, name);
		if (i == 0)
			room_do(r, &VERB_PRINCIPAL_ROTATE, &(struct principal_rotate_cmd){ name, room_csr(r, KEY_EC_P256) }, &made);
	}
	room_refused(r, &r->admin, &VERB_PRINCIPAL_ROTATE, &(struct principal_rotate_cmd){ name }, TROTH_INVALID, "");
	room_finding(r, "$.csr", "missing");
	struct principal_add_cmd bad = { .name = "x", .app = "8C5D", .role = "developer", .facade = "native" };
	room_refused(r, &r->admin, &VERB_PRINCIPAL_ADD, &bad, TROTH_INVALID, "");
	room_finding(r, "$.app", "UUID");
	room_finding(r, "$.name", "beside an app");
	room_finding(r, "$.facade", "must be credhub");
	room_finding(r, "$.csr", "missing");
	room_free(r);
}

static void test_a_bad_password_is_none(void **state)
{
	static const struct { const char *password, *part; } bad[] = { { "short", "12 to 256" }, { "", "has 0 bytes" }, { "with a\nline end", "control" } };
	struct room *r = room_new();
	struct principal_add_cmd cmd = { "x", "auditor" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cmd.password = bad[i].password;
		room_refused(r, &r->admin, &VERB_PRINCIPAL_ADD, &cmd, TROTH_INVALID, "");
		room_finding(r, "$.password", bad[i].part);
	}
	cmd.password = arena_alloc(r->a, LIMIT_PASSWORD_BYTES + 2);
	memset((char *)cmd.password, 'x', LIMIT_PASSWORD_BYTES + 1);
	room_refused(r, &r->admin, &VERB_PRINCIPAL_ADD, &cmd, TROTH_INVALID, "has 257 bytes");
	cmd = (struct principal_add_cmd){ "x", "auditor", .password = "long enough it is", .generate_password = true, .facade = "vault" };
	room_refused(r, &r->admin, &VERB_PRINCIPAL_ADD, &cmd, TROTH_INVALID, "");
	room_finding(r, "$.generate_password", "one credential");
	room_finding(r, "$.facade", "not an API");
	room_refused(r, &r->admin, &VERB_PRINCIPAL_ROTATE, &(struct principal_rotate_cmd){ "admin", .password = "short" }, TROTH_INVALID, "");
	room_finding(r, "$.password", "has 5 bytes");
	room_free(r);
}

static void test_an_end_ends_it(void **state)
{
	struct room *r = room_new();
	struct principal_view_ret made = add(r, "guest", "auditor", NULL, MSEC_HOUR), shown;
	as(r, made.token);
	r->now += MSEC_HOUR;
	stranger(r, made.token, "guest expired");
	room_do(r, &VERB_PRINCIPAL_SHOW, &(struct id_cmd){ made.principal.row.uuid }, &shown);
	assert_string_equal(shown.principal.state, "expired");
	room_free(r);
}

static void test_revoked_is_gone_and_its_name_free(void **state)
{
	struct room *r = room_new();
	struct no_ret none;
	struct principal_view_ret made = add(r, "ci", "operator", NULL, 0), shown;
	room_refused(r, &r->admin, &VERB_PRINCIPAL_ADD, &(struct principal_add_cmd){ "ci", "auditor" }, TROTH_CONFLICT, "already");
	room_do(r, &VERB_PRINCIPAL_REVOKE, &(struct id_cmd){ made.principal.row.uuid }, &none);
	room_do(r, &VERB_PRINCIPAL_REVOKE, &(struct id_cmd){ made.principal.row.uuid }, &none); /* twice is once */
	stranger(r, made.token, "not known");
	room_do(r, &VERB_PRINCIPAL_SHOW, &(struct id_cmd){ made.principal.row.uuid }, &shown);
	assert_string_equal(shown.principal.state, "revoked");
	struct principal_rotate_cmd again = { made.principal.row.uuid, NULL };
	room_refused(r, &r->admin, &VERB_PRINCIPAL_ROTATE, &again, TROTH_CONFLICT, "was revoked");
	add(r, "ci", "auditor", NULL, 0);
	room_free(r);
}

static void test_the_last_administrator_stays(void **state)
{
	struct room *r = room_new();
	struct no_ret none;
	struct principal_view_ret boss = add(r, "boss", "admin", NULL, 0);
	add(r, "guest", "admin", NULL, MSEC_DAY); /* will be gone tomorrow */
	struct id_cmd cmd = { "boss" };
	struct principal_row admin;
	struct tx *tx;
	assert_true(rc_ok(store_write_begin(r->store, &tx, &r->e)));
	if (rc_ok(principal_row_by_name(tx, r->a, "admin", &admin, NULL))) {
		admin.revoked = r->now;
		assert_true(rc_ok(principal_row_update(tx, &admin, &r->e)));
	}
	assert_true(rc_ok(store_write_commit(tx, &r->e)));
	room_refused(r, &r->admin, &VERB_PRINCIPAL_REVOKE, &cmd, TROTH_CONFLICT, "last administrator");
	as(r, boss.token);
	add(r, "second", "admin", "*", 0);
	room_do(r, &VERB_PRINCIPAL_REVOKE, &cmd, &none);
	room_free(r);
}

static void test_who_may(void **state)
{
	struct room *r = room_new();
	struct principal narrow = r->narrow;
	narrow.roles = ROLE_ADMIN;
	struct principal_add_cmd cmd = { "x", "auditor" };
	room_refused(r, &narrow, &VERB_PRINCIPAL_ADD, &cmd, TROTH_FORBIDDEN, "administrators of everything");
	room_refused(r, &narrow, &VERB_PRINCIPAL_LIST, &(struct list_cmd){ 0 }, TROTH_FORBIDDEN, "your scope");
	room_refused(r, &r->auditor, &VERB_PRINCIPAL_ADD, &cmd, TROTH_FORBIDDEN, "may not");
	struct principal op = as(r, add(r, "op", "operator", NULL, 0).token);
	room_refused(r, &op, &VERB_PRINCIPAL_ADD, &cmd, TROTH_FORBIDDEN, "may not");
	room_refused(r, &op, &VERB_PRINCIPAL_ROTATE, &(struct principal_rotate_cmd){ "op", NULL }, TROTH_FORBIDDEN, "may not");
	room_refused(r, &r->admin, &VERB_PRINCIPAL_SHOW, &(struct id_cmd){ "nobody" }, TROTH_NOT_FOUND, "no principal nobody");
	room_free(r);
}

static void test_bad_input(void **state)
{
	struct room *r = room_new();
	struct principal_add_cmd cmd = { "a b", "king", "prod", NULL, 1 };
	room_refused(r, &r->admin, &VERB_PRINCIPAL_ADD, &cmd, TROTH_INVALID, "");
	room_finding(r, "$.name", "character");
	room_finding(r, "$.role", "not a role");
	room_finding(r, "$.scope", "begin with");
	room_finding(r, "$.expires", "");
	cmd = (struct principal_add_cmd){ "boss", "admin", "/prod/" "*" };
	room_refused(r, &r->admin, &VERB_PRINCIPAL_ADD, &cmd, TROTH_INVALID, "");
	room_finding(r, "$.scope", "for an admin");
	cmd = (struct principal_add_cmd){ "x", "auditor", NULL, "no csr" };
	room_refused(r, &r->admin, &VERB_PRINCIPAL_ADD, &cmd, TROTH_INVALID, "");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_token_is_shown_once_and_kept_hashed), cmocka_unit_test(test_a_new_credential_ends_the_old),
		cmocka_unit_test(test_a_certificate_instead), cmocka_unit_test(test_a_password_is_made_or_chosen_and_kept_derived),
		cmocka_unit_test(test_a_password_is_rotated), cmocka_unit_test(test_a_credential_is_good_for_one_api),
		cmocka_unit_test(test_a_bad_password_is_none), cmocka_unit_test(test_an_app_has_a_certificate), cmocka_unit_test(test_an_end_ends_it),
		cmocka_unit_test(test_revoked_is_gone_and_its_name_free), cmocka_unit_test(test_the_last_administrator_stays),
		cmocka_unit_test(test_who_may), cmocka_unit_test(test_bad_input),
	};
	return cmocka_run_group_tests_name("principal", tests, NULL, NULL);
}
