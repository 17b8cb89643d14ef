/* Certificates as read: fields, PEM lists, who issued whom, host names. */
#include "pki_fixture.h"

struct world {
	struct arena *a;
	struct key *root_key, *ca_key, *leaf_key;
	const struct cert *root, *ca, *leaf;
};

static int world_setup(void **state)
{
	static struct world w;
	w.a = arena_new(8 << 20);
	w.root_key = fixture_key(KEY_EC_P256);
	w.ca_key = fixture_key(KEY_EC_P384);
	w.leaf_key = fixture_key(KEY_ED25519);
	w.root = fixture_root(w.a, "/demo/root", w.root_key);
	w.ca = fixture_ca(w.a, "/demo/ca", w.ca_key, w.root, w.root_key);
	w.leaf = fixture_leaf(w.a, "db.example.org", w.leaf_key, w.ca, w.ca_key);
	*state = &w;
	return 0;
}

static int world_teardown(void **state)
{
	struct world *w = *state;
	key_release(w->root_key);
	key_release(w->ca_key);
	key_release(w->leaf_key);
	arena_free(w->a);
	return 0;
}

static void fields_are_what_was_asked_for(void **state)
{
	struct world *w = *state;
	uint8_t id[SHA256_LEN];
	char hex[SHA256_HEX_LEN];
	const struct cert *c = w->leaf;
	assert_string_equal(c->subject, "CN=db.example.org,O=Troth Test");
	assert_string_equal(c->issuer, "CN=/demo/ca,O=Troth Test");
	assert_string_equal(c->common_name, "db.example.org");
	assert_int_equal(c->not_before, FIXTURE_NOW - CERT_BACKDATE);
	assert_int_equal(c->not_after, FIXTURE_NOW + 90 * MSEC_DAY);
	assert_false(c->is_ca);
	assert_int_equal(c->path_len, -1);
	assert_int_equal(c->serial.len, CERT_SERIAL_LEN);
	assert_int_equal(c->serial.data[0], 0x25); /* 0xa5 without the top bit */
	assert_true(c->key_type_known && c->key_type == KEY_ED25519);
	assert_int_equal(c->key_usage, USAGE_DIGITAL_SIGNATURE);
	assert_int_equal(c->eku, EKU_SERVER | EKU_CLIENT);
	assert_int_equal(c->san_count, 1);
	assert_string_equal(c->sans[0].value, "db.example.org");
	assert_true(bytes_equal(c->aki, w->ca->ski) && c->aki.len == 20);
	spki_id(c->spki, id);
	assert_memory_equal(id, c->key_id, sizeof id);
	assert_true(key_public_matches(w->leaf_key, c->spki));
	pki_sha256(c->der, id);
	assert_string_equal(cert_fingerprint_hex(c, hex), hex_encode(id, sizeof id, (char[65]){ 0 }));
	assert_true(w->ca->is_ca && w->root->is_ca);
	assert_int_equal(w->ca->key_usage, USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN);
	assert_false(w->ca->has_eku);
}

static void issuers_are_known_by_signature(void **state)
{
	struct world *w = *state;
	CLEANUP(key_releasep) struct key *other = fixture_key(KEY_EC_P256);
	const struct cert *twin = fixture_root(w->a, "/demo/root", other); /* the same name, another key */
	assert_true(cert_self_signed(w->root));
	assert_false(cert_self_signed(w->ca));
	assert_true(cert_issued_by(w->ca, w->root));
	assert_true(cert_issued_by(w->root, w->root));
	assert_true(cert_issued_by(w->leaf, w->ca));
	assert_false(cert_issued_by(w->leaf, w->root));
	assert_false(cert_issued_by(w->ca, twin));
	assert_false(cert_issued_by(w->ca, w->leaf));
	assert_true(bytes_equal(twin->subject_der, w->root->subject_der));
}

static void pem_lists_are_read_in_order(void **state)
{
	struct world *w = *state;
	const struct cert *const *list, *one;
	size_t n;
	const char *text = arena_printf(w->a, "# chain\n%s\ntext\n%s", cert_pem(w->a, w->leaf->der), cert_pem(w->a, w->ca->der));
	assert_rc_ok(certs_parse_pem(w->a, bytes_of_text(text), &list, &n, e));
	assert_int_equal(n, 2);
	assert_memory_equal(list[0]->fingerprint, w->leaf->fingerprint, SHA256_LEN);
	assert_memory_equal(list[1]->fingerprint, w->ca->fingerprint, SHA256_LEN);
	assert_refused(cert_parse_any(w->a, bytes_of_text(text), &one, e), TROTH_INVALID, "2 certificates");
	assert_rc_ok(cert_parse_any(w->a, bytes_of_text(cert_pem(w->a, w->ca->der)), &one, e));
	assert_rc_ok(cert_parse_any(w->a, w->ca->der, &one, e));
}

static void a_private_key_among_certificates_is_refused(void **state)
{
	struct world *w = *state;
	const struct cert *const *list;
	size_t n;
	assert_refused(certs_parse_pem(w->a, bytes_of_text(TEST_RSA_2048), &list, &n, e), TROTH_INVALID, "line 1 is a \"PRIVATE KEY\"");
	assert_refused(certs_parse_pem(w->a, bytes_of_text("nothing"), &list, &n, e), TROTH_INVALID, "no certificate");
}

static void broken_certificates_are_refused(void **state)
{
	struct world *w = *state;
	const struct cert *c;
	static uint8_t huge[LIMIT_CERT_DER_BYTES + 1];
	assert_refused(cert_parse(w->a, bytes_of(huge, sizeof huge), &c, e), TROTH_TOO_LARGE, "larger than");
	for (size_t i = 0; i < w->leaf->der.len; i++)
		assert_true(rc_failed(cert_parse(w->a, bytes_of(w->leaf->der.data, i), &c, NULL)));
	uint8_t *longer = arena_alloc(w->a, w->leaf->der.len + 1);
	memcpy(longer, w->leaf->der.data, w->leaf->der.len);
	assert_refused(cert_parse(w->a, bytes_of(longer, w->leaf->der.len + 1), &c, e), TROTH_INVALID, "not one strict");
}

/* Any single changed byte is either refused or read; nothing crashes, and no signature holds. */
static void changed_bytes_never_verify(void **state)
{
	struct world *w = *state;
	struct bytes der = w->leaf->der;
	uint8_t *copy = arena_copy(w->a, der.data, der.len);
	for (size_t i = 0; i < der.len; i++) {
		struct arena *a = arena_new(1 << 20);
		const struct cert *c;
		copy[i] ^= 0x01;
		if (rc_ok(cert_parse(a, bytes_of(copy, der.len), &c, NULL)))
			assert_false(cert_issued_by(c, w->ca));
		copy[i] ^= 0x01;
		arena_free(a);
	}
}

static void hosts_match_alternative_names_only(void **state)
{
	struct world *w = *state;
	struct cert_spec s = fixture_spec(w->a, CERT_LEAF, "cn.example.org", w->leaf_key);
	struct san sans[] = { { SAN_DNS, "*.db.example.org" }, { SAN_IP, "10.0.0.1" }, { SAN_IP, "2001:db8::1" },
			      { SAN_URI, "troth://instance/1" } };
	s.sans = sans;
	s.san_count = ARRAY_LEN(sans);
	const struct cert *c = fixture_build(w->a, &s, w->ca, w->ca_key);
	assert_int_equal(c->san_count, 4);
	assert_string_equal(c->sans[2].value, "2001:db8::1");
	assert_true(cert_host_matches(c, "a.db.example.org"));
	assert_true(cert_host_matches(c, "10.0.0.1"));
	assert_true(cert_host_matches(c, "2001:db8:0::1"));
	assert_false(cert_host_matches(c, "cn.example.org"));
	assert_false(cert_host_matches(c, "a.b.db.example.org"));
	assert_false(cert_host_matches(c, "db.example.org"));
	assert_false(cert_host_matches(c, "10.0.0.2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_what_was_asked_for),
		cmocka_unit_test(issuers_are_known_by_signature),
		cmocka_unit_test(pem_lists_are_read_in_order),
		cmocka_unit_test(a_private_key_among_certificates_is_refused),
		cmocka_unit_test(broken_certificates_are_refused),
		cmocka_unit_test(changed_bytes_never_verify),
		cmocka_unit_test(hosts_match_alternative_names_only),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
