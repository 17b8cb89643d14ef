/* Authorities: roots and intermediates, and every refusal. */
#include "room.h"
#include "service/rotation/rotation.h"

static struct authority_create_cmd cmd_of(const char *name)
{
	return (struct authority_create_cmd){ .name = name, .path_len = AUTHORITY_PATH_LEN_DEFAULT };
}

static void test_root(void **state)
{
	struct room *r = room_new();
	struct credential_ret ret;
	struct authority_create_cmd cmd = cmd_of("/prod/pg/ca");
	cmd.organization = "Demo";
	cmd.ttl = 365 * MSEC_DAY;
	room_do(r, &VERB_AUTHORITY_CREATE, &cmd, &ret);
	const struct version_view *v = &ret.credential.versions[0];
	const struct cert *cert;
	assert_int_equal(ret.credential.version_count, 1);
	assert_true(v->row.signing && v->row.wanted && v->row.can_sign);
	assert_int_equal(v->row.key_blob.len, 0); /* it does not leave the floor */
	assert_null(v->signed_by);
	assert_string_equal(v->cert.subject, "CN=/prod/pg/ca,O=Demo");
	assert_int_equal(v->cert.not_after, r->now + 365 * MSEC_DAY);
	assert_true(rc_ok(cert_parse(r->a, v->cert.der, &cert, &r->e)));
	assert_true(cert_self_signed(cert));
	assert_int_equal(cert->path_len, -1);
	assert_int_equal(ret.credential.row.rev, 1);
	assert_int_equal(ret.credential.row.leaf_ttl, 90 * MSEC_DAY);
	room_free(r);
}

static void test_intermediate(void **state)
{
	struct room *r = room_new();
	struct credential_view root = room_authority(r, "/prod/ca", NULL);
	struct credential_view mid = room_authority(r, "/prod/mid", "/prod/ca");
	const struct cert *parent, *child;
	assert_string_equal(mid.issuer, "/prod/ca");
	assert_string_equal(mid.versions[0].signed_by, root.versions[0].row.uuid);
	assert_true(rc_ok(cert_parse(r->a, root.versions[0].cert.der, &parent, &r->e)));
	assert_true(rc_ok(cert_parse(r->a, mid.versions[0].cert.der, &child, &r->e)));
	assert_true(cert_issued_by(child, parent));
	assert_int_equal(child->path_len, 0);
	struct authority_create_cmd below = cmd_of("/prod/below");
	below.issuer = "/prod/mid";
	room_refused(r, &r->admin, &VERB_AUTHORITY_CREATE, &below, TROTH_FORBIDDEN, ""); /* the keeper: path length 0 */
	room_free(r);
}

static void test_long_name_has_a_short_subject(void **state)
{
	struct room *r = room_new();
	char name[120] = "/";
	memset(name + 1, 'a', 110);
	name[111] = 0;
	struct credential_view v = room_authority(r, name, NULL);
	assert_int_equal(strlen(v.versions[0].cert.subject), strlen("CN=") + CERT_COMMON_NAME_MAX);
	room_free(r);
}

static void test_outlives_issuer(void **state)
{
	struct room *r = room_new();
	struct credential_ret ret;
	struct authority_create_cmd root = cmd_of("/prod/ca"), mid = cmd_of("/prod/mid");
	root.ttl = 100 * MSEC_DAY;
	room_do(r, &VERB_AUTHORITY_CREATE, &root, &ret);
	mid.issuer = "/prod/ca";
	mid.ttl = 101 * MSEC_DAY;
	room_refused(r, &r->admin, &VERB_AUTHORITY_CREATE, &mid, TROTH_INVALID, "after its issuer");
	assert_non_null(strstr(r->e.hint, "clamp"));
	mid.clamp = true;
	room_do(r, &VERB_AUTHORITY_CREATE, &mid, &ret);
	assert_int_equal(ret.credential.versions[0].cert.not_after, r->now + 100 * MSEC_DAY);
	room_free(r);
}

static void test_refusals(void **state)
{
	struct room *r = room_new();
	struct authority_create_cmd cmd = cmd_of("/prod/ca");
	room_authority(r, "/prod/ca", NULL);
	room_refused(r, &r->admin, &VERB_AUTHORITY_CREATE, &cmd, TROTH_CONFLICT, "exists already");
	cmd = cmd_of("/troth/mine");
	room_refused(r, &r->admin, &VERB_AUTHORITY_CREATE, &cmd, TROTH_INVALID, "belong to the program");
	cmd = cmd_of("/prod/x");
	cmd.issuer = "/prod/nobody";
	room_refused(r, &r->admin, &VERB_AUTHORITY_CREATE, &cmd, TROTH_NOT_FOUND, "no authority /prod/nobody");
	cmd.issuer = "/troth/server-tls"; /* a leaf */
	room_refused(r, &r->admin, &VERB_AUTHORITY_CREATE, &cmd, TROTH_NOT_FOUND, "no authority");
	cmd.issuer = NULL;
	room_refused(r, &r->auditor, &VERB_AUTHORITY_CREATE, &cmd, TROTH_FORBIDDEN, "may not do authority.create");
	room_refused(r, &r->narrow, &VERB_AUTHORITY_CREATE, &cmd, TROTH_FORBIDDEN, "may not touch");
	room_refused(r, &PRINCIPAL_ANONYMOUS, &VERB_AUTHORITY_CREATE, &cmd, TROTH_UNAUTHENTICATED, "Authorization: Bearer");
	r->keeper_dies_at = r->keeper_calls + 1;
	room_refused(r, &r->admin, &VERB_AUTHORITY_CREATE, &cmd, TROTH_UNAVAILABLE, "keeper");
	room_free(r);
}

static void test_all_findings(void **state)
{
	struct room *r = room_new();
	struct authority_create_cmd cmd = { .name = "x", .key_type = "dsa", .ttl = 5, .leaf_ttl = 5, .issuer = "y", .path_len = 99,
					    .common_name = "", .permitted_dns = room_texts(r, "*.x", "ok.example") };
	room_refused(r, &r->admin, &VERB_AUTHORITY_CREATE, &cmd, TROTH_INVALID, "");
	assert_int_equal(room_findings(r), 8);
	room_finding(r, "$.name", "start");
	room_finding(r, "$.permitted_dns[0]", "DNS");
	room_free(r);
}

static void test_dry_run(void **state)
{
	struct room *r = room_new();
	struct credential_ret ret;
	struct authority_create_cmd cmd = cmd_of("/prod/ca");
	size_t audit = room_audit_count(r), calls = r->keeper_calls;
	r->dry_run = true;
	room_do(r, &VERB_AUTHORITY_CREATE, &cmd, &ret);
	assert_string_equal(ret.credential.row.name, "/prod/ca");
	assert_int_equal(room_audit_count(r), audit);
	assert_int_equal(r->keeper_calls, calls);
	r->dry_run = false;
	struct credential_list_ret list;
	room_do(r, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .name = "/prod/ca" }, &list);
	assert_int_equal(list.count, 0);
	room_free(r);
}

static void takes_the_name(struct room *r)
{
	struct verb_ctx mine = r->ctx;
	room_authority(r, "/prod/ca", NULL);
	r->ctx = mine;
}

static void test_name_taken_meanwhile(void **state)
{
	struct room *r = room_new();
	struct credential_ret ret;
	struct authority_create_cmd cmd = cmd_of("/prod/ca");
	struct arena *a = r->a;
	struct verb_ctx ctx;
	struct troth_err e = { 0 };
	r->before_keeper = takes_the_name; /* between prepare and commit somebody else is faster */
	verb_ctx_init(&ctx, a, &r->admin, &r->port, r->now);
	assert_false(rc_ok(verb_run(r->svc, &VERB_AUTHORITY_CREATE, &ctx, &r->line, &cmd, &ret, &e)));
	assert_int_equal(e.kind, TROTH_CONFLICT);
	room_free(r);
}

static void rotates_the_root(struct room *r)
{
	struct verb_ctx mine = r->ctx;
	struct rotate_ret ret;
	room_do(r, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/prod/root" }, &ret);
	r->ctx = mine;
}

/* Its issuer has a newer version by then: it is signed by that one, and not stored under what is on its way out. */
static void test_issuer_rotated_meanwhile(void **state)
{
	struct room *r = room_new();
	struct credential_ret ret, root;
	struct credential_view old = room_authority(r, "/prod/root", NULL);
	struct authority_create_cmd cmd = cmd_of("/prod/inter");
	cmd.issuer = "/prod/root";
	r->before_keeper = rotates_the_root;
	room_do(r, &VERB_AUTHORITY_CREATE, &cmd, &ret);
	room_do(r, &VERB_AUTHORITY_SHOW, &(struct id_cmd){ old.row.uuid }, &root);
	assert_int_equal(root.credential.version_count, 2);
	assert_string_equal(ret.credential.versions[0].signed_by, root.credential.versions[0].row.uuid);
	assert_string_not_equal(ret.credential.versions[0].signed_by, old.versions[0].row.uuid);
	room_free(r);
}

static void test_list_and_show(void **state)
{
	struct room *r = room_new();
	struct credential_list_ret list;
	struct credential_ret one;
	struct credential_view mine = room_authority(r, "/prod/pg/ca", NULL);
	struct credential_view other = room_authority(r, "/prod/mysql/ca", NULL);
	room_do(r, &VERB_AUTHORITY_LIST, &(struct list_cmd){ 0 }, &list);
	assert_int_equal(list.count, 4); /* and troth's own two */
	assert_int_equal(list.next, 0);
	room_do(r, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .page = { 0, 3 } }, &list);
	assert_int_equal(list.count, 3);
	room_do(r, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .page = { list.next, 3 } }, &list);
	assert_int_equal(list.count, 1);
	assert_true(rc_ok(room_try(r, &r->narrow, &VERB_AUTHORITY_LIST, &(struct list_cmd){ 0 }, &list)));
	assert_int_equal(list.count, 1);
	room_do(r, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .name = "/troth/server-tls" }, &list);
	assert_int_equal(list.count, 0); /* a leaf is no authority */
	room_do(r, &VERB_AUTHORITY_SHOW, &(struct id_cmd){ mine.row.uuid }, &one);
	assert_string_equal(one.credential.row.name, "/prod/pg/ca");
	room_refused(r, &r->narrow, &VERB_AUTHORITY_SHOW, &(struct id_cmd){ other.row.uuid }, TROTH_NOT_FOUND, "no such authority");
	room_refused(r, &r->admin, &VERB_AUTHORITY_SHOW, &(struct id_cmd){ "x" }, TROTH_NOT_FOUND, "not an id");
	room_refused(r, &r->admin, &VERB_AUTHORITY_SHOW, &(struct id_cmd){ "6f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f11" }, TROTH_NOT_FOUND, "");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root),          cmocka_unit_test(test_intermediate),
		cmocka_unit_test(test_long_name_has_a_short_subject),
		cmocka_unit_test(test_outlives_issuer), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_all_findings),  cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_name_taken_meanwhile), cmocka_unit_test(test_issuer_rotated_meanwhile), cmocka_unit_test(test_list_and_show),
	};
	return cmocka_run_group_tests_name("authority", tests, NULL, NULL);
}
