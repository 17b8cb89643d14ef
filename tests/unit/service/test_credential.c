/* Credentials: signed at once, or a definition; renewed with a CSR, or by asking the slot. */
#include "room.h"

static struct credential_create_cmd cmd_of(struct room *r, const char *name)
{
	return (struct credential_create_cmd){ .name = name, .authority = "/prod/pg/ca", .sans = room_texts(r, "uri:spiffe://x/app", NULL) };
}

static void test_signed_at_once(void **state)
{
	struct room *r = room_new();
	struct credential_ret ret;
	const struct cert *cert;
	room_authority(r, "/prod/pg/ca", NULL);
	struct credential_create_cmd cmd = cmd_of(r, "/prod/pg/app");
	cmd.csr = room_csr(r, KEY_EC_P384);
	cmd.role = "client";
	room_do(r, &VERB_CREDENTIAL_CREATE, &cmd, &ret);
	assert_string_equal(ret.credential.row.key_type, "ec-p384");
	assert_string_equal(ret.credential.issuer, "/prod/pg/ca");
	assert_string_equal(ret.chain, "");
	assert_true(rc_ok(cert_parse(r->a, ret.credential.versions[0].cert.der, &cert, &r->e)));
	assert_int_equal(cert->eku, EKU_CLIENT);
	assert_string_equal(cert->sans[0].value, "spiffe://x/app");
	assert_int_equal(cert->not_after, r->now + 90 * MSEC_DAY); /* the authority's leaf_ttl */
	assert_string_equal(room_last_audit(r), "credential.create");
	room_free(r);
}

static void test_definition(void **state)
{
	struct room *r = room_new();
	struct credential_ret ret;
	room_authority(r, "/prod/pg/ca", NULL);
	struct credential_create_cmd cmd = cmd_of(r, "/prod/pg/app");
	room_do(r, &VERB_CREDENTIAL_CREATE, &cmd, &ret);
	assert_int_equal(ret.credential.version_count, 0);
	assert_null(ret.chain);
	assert_string_equal(ret.credential.row.key_type, "ec-p256");
	room_free(r);
}

static void test_refusals(void **state)
{
	struct room *r = room_new();
	struct credential_ret ret;
	room_authority(r, "/prod/pg/ca", NULL);
	struct credential_create_cmd cmd = cmd_of(r, "/prod/pg/app");
	room_do(r, &VERB_CREDENTIAL_CREATE, &cmd, &ret);
	room_refused(r, &r->admin, &VERB_CREDENTIAL_CREATE, &cmd, TROTH_CONFLICT, "exists already");
	cmd.name = "/prod/pg/ca";
	room_refused(r, &r->admin, &VERB_CREDENTIAL_CREATE, &cmd, TROTH_CONFLICT, "exists already");
	cmd.name = "/prod/pg/two";
	cmd.authority = "/prod/pg/nobody";
	room_refused(r, &r->admin, &VERB_CREDENTIAL_CREATE, &cmd, TROTH_NOT_FOUND, "/prod/pg/nobody");
	cmd.authority = "/prod/pg/app";
	room_refused(r, &r->admin, &VERB_CREDENTIAL_CREATE, &cmd, TROTH_NOT_FOUND, "no authority");
	cmd = cmd_of(r, "/test/x");
	room_refused(r, &r->narrow, &VERB_CREDENTIAL_CREATE, &cmd, TROTH_FORBIDDEN, "may not touch");
	cmd = (struct credential_create_cmd){ .name = "/troth/x", .role = "peer", .csr = "-----BEGIN", .ttl = 1 };
	room_refused(r, &r->admin, &VERB_CREDENTIAL_CREATE, &cmd, TROTH_INVALID, "");
	assert_int_equal(room_findings(r), 6); /* name, authority, role, sans, ttl, csr */
	cmd = cmd_of(r, "/prod/pg/long");
	cmd.ttl = 40 * 365 * MSEC_DAY;
	cmd.csr = room_csr(r, KEY_EC_P256);
	room_refused(r, &r->admin, &VERB_CREDENTIAL_CREATE, &cmd, TROTH_INVALID, "");
	cmd.clamp = true;
	room_do(r, &VERB_CREDENTIAL_CREATE, &cmd, &ret);
	assert_int_equal(ret.credential.versions[0].cert.not_after, r->now + 3650 * MSEC_DAY);
	room_free(r);
}

/* A CSR whose signature is not by its key proves nothing. */
static void test_changed_csr(void **state)
{
	struct room *r = room_new();
	room_authority(r, "/prod/pg/ca", NULL);
	struct credential_create_cmd cmd = cmd_of(r, "/prod/pg/app");
	char *csr = arena_text(r->a, room_csr(r, KEY_EC_P256));
	char *at = csr + strlen(csr) - 60;
	*at = *at == 'A' ? 'B' : 'A';
	cmd.csr = csr;
	room_refused(r, &r->admin, &VERB_CREDENTIAL_CREATE, &cmd, TROTH_INVALID, "");
	room_finding(r, "$.csr", "");
	room_free(r);
}

static void test_renew_asks_the_slot(void **state)
{
	struct room *r = room_new();
	struct credential_ret ret;
	struct credential_list_ret list;
	room_deployment(r, "pg");
	room_enroll(r, "pg", "pg-1");
	room_do(r, &VERB_CREDENTIAL_LIST, &(struct list_cmd){ .name = "/prod/pg/pg-1/server" }, &list);
	assert_int_equal(list.count, 1);
	struct credential_renew_cmd cmd = { list.items[0].row.uuid, NULL };
	r->if_match = "9";
	room_refused(r, &r->admin, &VERB_CREDENTIAL_RENEW, &cmd, TROTH_PRECONDITION, "revision");
	r->if_match = NULL;
	room_do(r, &VERB_CREDENTIAL_RENEW, &cmd, &ret);
	assert_int_equal(ret.asked.count, 1);
	assert_int_equal(ret.credential.row.rev, 2);
	assert_string_equal(room_last_audit(r), "credential.renew");
	room_free(r);
}

static void test_renew_needs_a_slot_or_a_csr(void **state)
{
	struct room *r = room_new();
	struct credential_ret ret;
	room_authority(r, "/prod/pg/ca", NULL);
	struct credential_create_cmd cmd = cmd_of(r, "/prod/pg/app");
	room_do(r, &VERB_CREDENTIAL_CREATE, &cmd, &ret);
	struct credential_renew_cmd renew = { ret.credential.row.uuid, NULL };
	room_refused(r, &r->admin, &VERB_CREDENTIAL_RENEW, &renew, TROTH_CONFLICT, "no slot presents");
	assert_non_null(strstr(r->e.hint, "troth credential renew /prod/pg/app --csr-file FILE"));
	renew.csr = room_csr(r, KEY_ED25519);
	r->dry_run = true;
	room_do(r, &VERB_CREDENTIAL_RENEW, &renew, &ret);
	assert_int_equal(ret.credential.version_count, 0);
	r->dry_run = false;
	room_do(r, &VERB_CREDENTIAL_RENEW, &renew, &ret);
	assert_int_equal(ret.credential.version_count, 1);
	renew.csr = "x";
	room_refused(r, &r->admin, &VERB_CREDENTIAL_RENEW, &renew, TROTH_INVALID, "");
	struct credential_view ca = room_authority(r, "/prod/pg/ca2", NULL);
	renew.id = ca.row.uuid;
	room_refused(r, &r->admin, &VERB_CREDENTIAL_RENEW, &renew, TROTH_NOT_FOUND, "is an authority");
	room_free(r);
}

static void test_show_and_versions(void **state)
{
	struct room *r = room_new();
	struct credential_ret ret, again;
	room_authority(r, "/prod/pg/ca", NULL);
	struct credential_create_cmd cmd = cmd_of(r, "/prod/pg/app");
	cmd.csr = room_csr(r, KEY_EC_P256);
	room_do(r, &VERB_CREDENTIAL_CREATE, &cmd, &ret);
	room_do(r, &VERB_CREDENTIAL_SHOW, &(struct id_cmd){ ret.credential.row.uuid }, &again);
	assert_string_equal(again.credential.row.name, "/prod/pg/app");
	room_do(r, &VERB_CREDENTIAL_VERSIONS, &(struct id_cmd){ ret.credential.row.uuid }, &again);
	assert_int_equal(again.credential.version_count, 1);
	struct credential_list_ret list;
	room_do(r, &VERB_CREDENTIAL_LIST, &(struct list_cmd){ 0 }, &list);
	assert_int_equal(list.count, 2); /* and the server's */
	assert_null(list.items[0].versions);
	room_free(r);
}

/* Agents take for the server whoever shows a certificate of /troth/server. */
static void test_what_is_troths_own_signs_for_administrators_only(void **state)
{
	struct room *r = room_new();
	struct principal op = { .id = 9, .name = "op", .roles = ROLE_OPERATOR, .scope = "*" };
	struct credential_list_ret list;
	struct credential_ret ret;
	struct credential_create_cmd cmd = cmd_of(r, "/prod/pg/app");
	cmd.csr = room_csr(r, KEY_EC_P256);
	cmd.authority = "/troth/server";
	room_refused(r, &op, &VERB_CREDENTIAL_CREATE, &cmd, TROTH_FORBIDDEN, "troth's own");
	cmd.authority = "/troth/agents";
	room_refused(r, &op, &VERB_CREDENTIAL_CREATE, &cmd, TROTH_FORBIDDEN, "troth's own");
	room_refused(r, &op, &VERB_AUTHORITY_CREATE, &(struct authority_create_cmd){ .name = "/prod/below", .issuer = "/troth/server", .path_len = 0 },
		     TROTH_FORBIDDEN, "troth's own");
	room_do(r, &VERB_CREDENTIAL_LIST, &(struct list_cmd){ .name = "/troth/server-tls" }, &list);
	assert_int_equal(list.count, 1);
	struct credential_renew_cmd renew = { .id = list.items[0].row.uuid, .csr = cmd.csr };
	room_refused(r, &op, &VERB_CREDENTIAL_RENEW, &renew, TROTH_FORBIDDEN, "troth's own");
	room_do(r, &VERB_CREDENTIAL_CREATE, &cmd, &ret); /* as an administrator */
	renew.id = ret.credential.row.uuid;
	room_refused(r, &op, &VERB_CREDENTIAL_RENEW, &renew, TROTH_FORBIDDEN, "troth's own");
	struct slot_template slot = { .name = "tls", .credential = "/prod/pg/{instance}/x", .authority = "/troth/server", .profile = "files",
				      .sans = room_texts(r, "dns:x.example", NULL) };
	struct deployment_create_cmd deployment = { .name = "/prod/pg/x", .slots = &slot, .slot_count = 1 };
	room_refused(r, &op, &VERB_DEPLOYMENT_CREATE, &deployment, TROTH_INVALID, "troth's own");
	room_free(r);
}

static void test_role_words(void **state)
{
	assert_int_equal(credential_role_eku(NULL), EKU_SERVER);
	assert_int_equal(credential_role_eku("both"), EKU_SERVER | EKU_CLIENT);
	assert_int_equal(credential_role_eku("x"), 0);
	assert_string_equal(credential_role_name(EKU_CLIENT), "client");
	assert_string_equal(credential_role_name(EKU_SERVER | EKU_CLIENT), "both");
	assert_string_equal(credential_role_name(EKU_SERVER), "server");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signed_at_once), cmocka_unit_test(test_definition), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_changed_csr),    cmocka_unit_test(test_renew_asks_the_slot),
		cmocka_unit_test(test_renew_needs_a_slot_or_a_csr), cmocka_unit_test(test_show_and_versions),
		cmocka_unit_test(test_what_is_troths_own_signs_for_administrators_only),
		cmocka_unit_test(test_role_words),
	};
	return cmocka_run_group_tests_name("credential", tests, NULL, NULL);
}
