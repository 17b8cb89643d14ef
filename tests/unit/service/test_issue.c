/* Specs as JSON, signers, dates, chains. */
#include "room.h"

static void test_spec_there_and_back(void **state)
{
	struct room *r = room_new_empty();
	struct credential_spec in = { .common_name = "a \"b\"", .organization = "o", .organizational_unit = "u", .place = { "DE", "s", "l" },
				      .key_usage = USAGE_DIGITAL_SIGNATURE | USAGE_KEY_AGREEMENT, .sans = room_texts(r, "dns:x", "ip:::1"),
				      .eku = EKU_SERVER | EKU_CLIENT, .path_len = 2, .permitted_dns = room_texts(r, "example", NULL),
				      .clamp = true };
	struct credential_spec out, none;
	assert_true(rc_ok(credential_spec_read(r->a, credential_spec_write(r->a, &in), &out, &r->e)));
	assert_string_equal(out.common_name, "a \"b\"");
	assert_string_equal(out.organization, "o");
	assert_string_equal(out.organizational_unit, "u");
	assert_string_equal(out.place.country, "DE");
	assert_string_equal(out.place.state, "s");
	assert_string_equal(out.place.locality, "l");
	assert_int_equal(out.key_usage, USAGE_DIGITAL_SIGNATURE | USAGE_KEY_AGREEMENT);
	assert_int_equal(out.sans.count, 2);
	assert_string_equal(out.sans.items[1], "ip:::1");
	assert_int_equal(out.eku, EKU_SERVER | EKU_CLIENT);
	assert_int_equal(out.path_len, 2);
	assert_int_equal(out.permitted_dns.count, 1);
	assert_true(out.clamp);
	assert_true(rc_ok(credential_spec_read(r->a, NULL, &none, &r->e)));
	assert_int_equal(none.path_len, -1);
	assert_int_equal(none.eku, 0);
	assert_true(!none.key_usage && !none.place.country && !none.place.state && !none.place.locality);
	assert_false(rc_ok(credential_spec_read(r->a, "{\"x\":1}", &none, &r->e)));
	assert_int_equal(r->e.kind, TROTH_CORRUPT);
	assert_false(rc_ok(credential_spec_read(r->a, "{", &none, &r->e)));
	room_free(r);
}

static struct credential_row row_of(struct room *r, const char *name)
{
	struct credential_row row;
	struct tx *tx = room_read(r);
	assert_true(rc_ok(credential_row_by_name(tx, r->a, name, &row, &r->e)));
	room_read_end(r, tx);
	return row;
}

static void test_signer_refusals(void **state)
{
	struct room *r = room_new();
	struct signer signer;
	struct tx *tx;
	room_authority(r, "/prod/pg/ca", NULL);
	struct credential_row authority = row_of(r, "/prod/pg/ca"), leaf = row_of(r, "/troth/server-tls");
	tx = room_read(r);
	assert_true(rc_ok(signer_load(tx, r->a, authority.id, &signer, &r->e)));
	assert_int_equal(signer.version.id, authority.signing_version);
	assert_false(rc_ok(signer_load(tx, r->a, leaf.id, &signer, &r->e)));
	assert_int_equal(r->e.kind, TROTH_INVALID);
	assert_false(rc_ok(signer_load_version(tx, r->a, leaf.signing_version, &signer, &r->e)));
	assert_int_equal(r->e.kind, TROTH_CONFLICT); /* no key here */
	room_read_end(r, tx);
	struct version_row version = signer.version;
	assert_true(rc_ok(store_write_begin(r->store, &tx, &r->e)));
	version.distrusted = true;
	assert_true(rc_ok(version_row_update(tx, &version, &r->e)));
	assert_false(rc_ok(signer_load(tx, r->a, authority.id, &signer, &r->e)));
	assert_non_null(strstr(r->e.primary, "distrusted"));
	authority.signing_version = 0;
	assert_true(rc_ok(credential_row_update(tx, &authority, &r->e)));
	assert_false(rc_ok(signer_load(tx, r->a, authority.id, &signer, &r->e)));
	assert_non_null(strstr(r->e.primary, "no version"));
	store_write_rollback(tx);
	room_free(r);
}

/* Three levels: what is served is the leaf and what is between it and the root. */
static void test_chain_has_no_root(void **state)
{
	struct room *r = room_new();
	struct credential_ret leaf;
	struct authority_create_cmd root = { .name = "/prod/root", .path_len = AUTHORITY_PATH_LEN_DEFAULT };
	struct authority_create_cmd middle = { .name = "/prod/middle", .issuer = "/prod/root", .path_len = 1 };
	struct authority_create_cmd low = { .name = "/prod/low", .issuer = "/prod/middle", .path_len = AUTHORITY_PATH_LEN_DEFAULT };
	room_do(r, &VERB_AUTHORITY_CREATE, &root, &leaf);
	room_do(r, &VERB_AUTHORITY_CREATE, &middle, &leaf);
	room_do(r, &VERB_AUTHORITY_CREATE, &low, &leaf);
	struct credential_create_cmd cmd = { .name = "/prod/leaf", .authority = "/prod/low", .sans = room_texts(r, "dns:a", NULL),
					     .csr = room_csr(r, KEY_EC_P256) };
	room_do(r, &VERB_CREDENTIAL_CREATE, &cmd, &leaf);
	struct id_list chain;
	struct tx *tx = room_read(r);
	assert_true(rc_ok(issue_chain(tx, r->a, &leaf.credential.versions[0].row, &chain, &r->e)));
	assert_int_equal(chain.count, 3);
	assert_int_equal(chain.items[0], leaf.credential.versions[0].cert.id);
	const char *pem;
	assert_true(rc_ok(issue_anchors_pem(tx, r->a, row_of(r, "/prod/root").id, &pem, &r->e)));
	room_read_end(r, tx);
	const struct cert *const *above;
	size_t n;
	assert_true(rc_ok(certs_parse_pem(r->a, bytes_of_text(leaf.chain), &above, &n, &r->e)));
	assert_int_equal(n, 2);
	const struct cert *anchor;
	assert_true(rc_ok(cert_parse_any(r->a, bytes_of_text(pem), &anchor, &r->e)));
	struct bytes inter[] = { above[0]->der, above[1]->der };
	assert_true(rc_ok(chain_verify(r->a, leaf.credential.versions[0].cert.der, (struct der_list){ inter, 2 },
				       (struct der_list){ &anchor->der, 1 }, r->now, EKU_SERVER, "a", &r->e)));
	room_free(r);
}

static void test_newest_leaf_is_wanted(void **state)
{
	struct room *r = room_new();
	struct credential_ret first, second;
	room_authority(r, "/prod/ca", NULL);
	struct credential_create_cmd cmd = { .name = "/prod/x", .authority = "/prod/ca", .sans = room_texts(r, "dns:a", NULL),
					     .csr = room_csr(r, KEY_EC_P256), .ttl = 30 * MSEC_DAY };
	room_do(r, &VERB_CREDENTIAL_CREATE, &cmd, &first);
	msec_t renewed_after = first.credential.versions[0].row.renew_at - r->now;
	assert_true(renewed_after >= 18 * MSEC_DAY && renewed_after <= 22 * MSEC_DAY); /* two thirds, give or take a tenth */
	assert_int_equal(first.credential.versions[0].cert.not_before, r->now - CERT_BACKDATE);
	assert_int_equal(first.credential.versions[0].cert.not_after, r->now + 30 * MSEC_DAY);
	r->now += MSEC_DAY;
	struct credential_renew_cmd again = { first.credential.row.uuid, room_csr(r, KEY_RSA_2048) };
	room_do(r, &VERB_CREDENTIAL_RENEW, &again, &second);
	assert_int_equal(second.credential.version_count, 2);
	assert_true(second.credential.versions[0].row.wanted);
	assert_false(second.credential.versions[1].row.wanted);
	assert_string_equal(second.credential.versions[1].row.uuid, first.credential.versions[0].row.uuid);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spec_there_and_back),
		cmocka_unit_test(test_signer_refusals),
		cmocka_unit_test(test_chain_has_no_root),
		cmocka_unit_test(test_newest_leaf_is_wanted),
	};
	return cmocka_run_group_tests_name("issue", tests, NULL, NULL);
}
