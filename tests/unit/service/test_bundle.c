/* Bundles: members in and out, rule N at the door, and all findings with their paths. */
#include "room.h"

/* A CA from elsewhere, as PEM. */
static const char *foreign_ca(struct room *r, const char *common_name, bool ca, msec_t not_after)
{
	struct key *key;
	struct bytes der, spki;
	struct cert_spec spec = { .kind = CERT_ROOT, .common_name = common_name, .path_len = -1, .serial = { 1, 2, 3 },
				  .not_before = r->now - 100 * MSEC_DAY, .not_after = not_after };
	assert_true(rc_ok(key_generate(KEY_EC_P256, &key, &r->e)));
	assert_true(rc_ok(key_spki(key, r->a, &spki, &r->e)));
	spec.spki = spki;
	assert_true(rc_ok(cert_build(&spec, NULL, key, r->a, &der, &r->e)));
	if (!ca) {
		const struct cert *issuer;
		struct cert_spec leaf = { .kind = CERT_LEAF, .common_name = "leaf", .path_len = -1, .serial = { 4 },
					  .not_before = r->now, .not_after = r->now + MSEC_DAY, .eku = EKU_SERVER, .spki = spki };
		struct san san = { SAN_DNS, "a.example" };
		leaf.sans = &san;
		leaf.san_count = 1;
		assert_true(rc_ok(cert_parse(r->a, der, &issuer, &r->e)));
		assert_true(rc_ok(cert_build(&leaf, issuer, key, r->a, &der, &r->e)));
	}
	key_release(key);
	return cert_pem(r->a, der);
}

static void test_create_with_both_kinds(void **state)
{
	struct room *r = room_new();
	struct bundle_ret ret;
	room_authority(r, "/prod/pg/ca", NULL);
	struct bundle_certificate cert = { .alias = "corporate", .pem = foreign_ca(r, "corp", true, r->now + MSEC_DAY), .source = "intranet" };
	struct bundle_create_cmd cmd = { .name = "/prod/pg/trust", .authorities = room_texts(r, "/prod/pg/ca", NULL),
					 .certificates = &cert, .certificate_count = 1 };
	room_do(r, &VERB_BUNDLE_CREATE, &cmd, &ret);
	assert_int_equal(ret.bundle.member_count, 2);
	assert_string_equal(ret.bundle.members[0].authority, "/prod/pg/ca");
	assert_string_equal(ret.bundle.members[1].row.alias, "corporate");
	assert_string_equal(ret.bundle.members[1].cert.subject, "CN=corp");
	assert_string_equal(room_last_audit(r), "bundle.create");
	room_free(r);
}

static void test_findings_of_entries(void **state)
{
	struct room *r = room_new();
	const char *good = foreign_ca(r, "corp", true, r->now + MSEC_DAY);
	room_authority(r, "/prod/pg/ca", NULL);
	struct bundle_certificate certs[] = {
		{ .alias = "a b", .pem = "nothing" },
		{ .alias = "two", .pem = arena_printf(r->a, "%s%s", good, good) },
		{ .alias = "leaf", .pem = foreign_ca(r, "corp", false, r->now + MSEC_DAY) },
		{ .alias = NULL, .pem = NULL },
	};
	struct bundle_create_cmd cmd = { .name = "prod", .authorities = room_texts(r, "x", "/prod/pg/ca"),
					 .certificates = certs, .certificate_count = 4 };
	room_refused(r, &r->admin, &VERB_BUNDLE_CREATE, &cmd, TROTH_INVALID, "");
	room_finding(r, "$.name", "start");
	room_finding(r, "$.authorities[0]", "start");
	room_finding(r, "$.certificates[0].alias", "character");
	room_finding(r, "$.certificates[0].pem", "");
	room_finding(r, "$.certificates[1].pem", "2 certificates");
	room_finding(r, "$.certificates[2].pem", "not a CA");
	room_finding(r, "$.certificates[3].alias", "missing");
	room_finding(r, "$.certificates[3].pem", "missing");
	assert_int_equal(room_findings(r), 8);
	room_free(r);
}

static void test_findings_of_the_store(void **state)
{
	struct room *r = room_new();
	const char *good = foreign_ca(r, "corp", true, r->now + MSEC_DAY);
	struct bundle_certificate certs[] = {
		{ .alias = "old", .pem = foreign_ca(r, "old", true, r->now - MSEC_DAY) },
		{ .alias = "one", .pem = good },
		{ .alias = "again", .pem = good },
		{ .alias = "one", .pem = foreign_ca(r, "other", true, r->now + MSEC_DAY) },
	};
	struct bundle_create_cmd cmd = { .name = "/prod/t", .authorities = room_texts(r, "/prod/nobody", "/troth/server"),
					 .certificates = certs, .certificate_count = 4 };
	cmd.authorities.items[1] = "/troth/server-tls"; /* a leaf */
	room_refused(r, &r->admin, &VERB_BUNDLE_CREATE, &cmd, TROTH_INVALID, "");
	room_finding(r, "$.authorities[0]", "no authority /prod/nobody");
	room_finding(r, "$.authorities[1]", "no authority");
	room_finding(r, "$.certificates[0].pem", "expired");
	room_finding(r, "$.certificates[2]", "in the bundle already, as one");
	room_finding(r, "$.certificates[3]", "alias one is taken");
	assert_int_equal(room_findings(r), 5);
	room_free(r);
}

static void test_add_and_remove(void **state)
{
	struct room *r = room_new();
	struct bundle_ret ret;
	room_authority(r, "/prod/pg/ca", NULL);
	struct bundle_view b = room_bundle(r, "/prod/pg/trust", NULL);
	assert_int_equal(b.member_count, 0);
	struct bundle_add_cmd add = { .id = b.row.uuid, .authority = "/prod/pg/ca" };
	room_do(r, &VERB_BUNDLE_ADD, &add, &ret);
	assert_int_equal(ret.bundle.member_count, 1);
	assert_int_equal(ret.bundle.row.rev, 2);
	room_refused(r, &r->admin, &VERB_BUNDLE_ADD, &add, TROTH_INVALID, "in the bundle already");
	add.certificate.alias = "x";
	room_refused(r, &r->admin, &VERB_BUNDLE_ADD, &add, TROTH_INVALID, "one member at a time");
	add = (struct bundle_add_cmd){ .id = b.row.uuid, .certificate = { .alias = "x", .pem = foreign_ca(r, "c", true, r->now + MSEC_DAY) } };
	r->if_match = "1";
	room_refused(r, &r->admin, &VERB_BUNDLE_ADD, &add, TROTH_PRECONDITION, "revision 2");
	r->if_match = "2";
	room_do(r, &VERB_BUNDLE_ADD, &add, &ret);
	r->if_match = NULL;
	assert_int_equal(ret.bundle.member_count, 2);
	struct bundle_remove_cmd rm = { b.row.uuid, arena_printf(r->a, "%lld", (long long)ret.bundle.members[0].row.id) };
	room_do(r, &VERB_BUNDLE_REMOVE, &rm, &ret);
	assert_int_equal(ret.bundle.member_count, 1);
	assert_string_equal(ret.bundle.members[0].row.alias, "x");
	room_refused(r, &r->admin, &VERB_BUNDLE_REMOVE, &rm, TROTH_NOT_FOUND, "no member");
	rm.member = "x";
	room_refused(r, &r->admin, &VERB_BUNDLE_REMOVE, &rm, TROTH_NOT_FOUND, "no member");
	add = (struct bundle_add_cmd){ .id = b.row.uuid };
	room_refused(r, &r->admin, &VERB_BUNDLE_ADD, &add, TROTH_INVALID, "missing");
	room_free(r);
}

/* Rule N: the CA of an authority without key identifiers cannot be had from our own builder, so the
 * certificate's bytes are bent: its SKI becomes that of the other. */
static void test_same_subject_with_key_ids_is_fine(void **state)
{
	struct room *r = room_new();
	struct bundle_ret ret;
	struct bundle_certificate certs[] = {
		{ .alias = "one", .pem = foreign_ca(r, "corp", true, r->now + MSEC_DAY) },
		{ .alias = "two", .pem = foreign_ca(r, "corp", true, r->now + MSEC_DAY) },
	};
	struct bundle_create_cmd cmd = { .name = "/prod/t", .certificates = certs, .certificate_count = 2 };
	room_do(r, &VERB_BUNDLE_CREATE, &cmd, &ret);
	assert_int_equal(ret.bundle.member_count, 2);
	room_free(r);
}

static void same_subject(void **state)
{
	struct room *r = room_new();
	const struct cert *one, *two;
	const char *first = foreign_ca(r, "corp", true, r->now + MSEC_DAY), *second = foreign_ca(r, "corp", true, r->now + MSEC_DAY);
	assert_true(rc_ok(cert_parse_any(r->a, bytes_of_text(first), &one, &r->e)));
	assert_true(rc_ok(cert_parse_any(r->a, bytes_of_text(second), &two, &r->e)));
	uint8_t *der = arena_copy(r->a, two->der.data, two->der.len);
	for (size_t i = 0; i + two->ski.len <= two->der.len; i++)
		if (memcmp(der + i, two->ski.data, two->ski.len) == 0)
			memcpy(der + i, one->ski.data, one->ski.len); /* the signature no longer fits; nobody asks for it here */
	struct bundle_certificate certs[] = {
		{ .alias = "one", .pem = first },
		{ .alias = "two", .pem = cert_pem(r->a, bytes_of(der, two->der.len)) },
	};
	struct bundle_create_cmd cmd = { .name = "/prod/t", .certificates = certs, .certificate_count = 2 };
	room_refused(r, &r->admin, &VERB_BUNDLE_CREATE, &cmd, TROTH_INVALID, "another key");
	room_finding(r, "$.certificates[1].pem", "subject CN=corp");
	room_free(r);
}

static void test_scope_and_names(void **state)
{
	struct room *r = room_new();
	struct bundle_list_ret list;
	struct bundle_ret ret;
	room_authority(r, "/test/ca", NULL);
	struct bundle_view other = room_bundle(r, "/test/trust", NULL);
	room_bundle(r, "/prod/pg/trust", NULL);
	struct bundle_create_cmd cmd = { .name = "/prod/pg/trust" };
	room_refused(r, &r->admin, &VERB_BUNDLE_CREATE, &cmd, TROTH_CONFLICT, "");
	cmd.name = "/test/x";
	room_refused(r, &r->narrow, &VERB_BUNDLE_CREATE, &cmd, TROTH_FORBIDDEN, "may not touch");
	cmd = (struct bundle_create_cmd){ .name = "/prod/pg/x", .authorities = room_texts(r, "/test/ca", NULL) };
	room_refused(r, &r->narrow, &VERB_BUNDLE_CREATE, &cmd, TROTH_INVALID, "no authority /test/ca");
	room_refused(r, &r->narrow, &VERB_BUNDLE_SHOW, &(struct id_cmd){ other.row.uuid }, TROTH_NOT_FOUND, "no such bundle");
	assert_true(rc_ok(room_try(r, &r->narrow, &VERB_BUNDLE_LIST, &(struct list_cmd){ 0 }, &list)));
	assert_int_equal(list.count, 1);
	assert_true(rc_ok(room_try(r, &r->narrow, &VERB_BUNDLE_LIST, &(struct list_cmd){ .name = "/test/trust" }, &list)));
	assert_int_equal(list.count, 0);
	room_do(r, &VERB_BUNDLE_LIST, &(struct list_cmd){ .name = "/test/trust" }, &list);
	assert_int_equal(list.count, 1);
	room_do(r, &VERB_BUNDLE_SHOW, &(struct id_cmd){ other.row.uuid }, &ret);
	assert_string_equal(ret.bundle.row.name, "/test/trust");
	cmd = (struct bundle_create_cmd){ .name = "/troth/x" };
	room_refused(r, &r->admin, &VERB_BUNDLE_CREATE, &cmd, TROTH_INVALID, "belong to the program");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_with_both_kinds), cmocka_unit_test(test_findings_of_entries),
		cmocka_unit_test(test_findings_of_the_store),  cmocka_unit_test(test_add_and_remove),
		cmocka_unit_test(test_same_subject_with_key_ids_is_fine), cmocka_unit_test(same_subject),
		cmocka_unit_test(test_scope_and_names),
	};
	return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
