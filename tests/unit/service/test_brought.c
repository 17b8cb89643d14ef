/* A certificate that somebody brought for the listener. */
#include "room.h"

#include "brought.h"
#include "elsewhere.h"
#include "service/ca/own.h"
#include "service/intake/adopt.h"
#include "service/intake/brought.h"

static struct room *r;
static struct key *server_key;

static struct brought make(struct brought_wish w)
{
	w.san = w.san ? w.san : "troth.example";
	return brought_make(r->a, r->now, w);
}

static struct brought_cmd cmd_of(struct brought b)
{
	return (struct brought_cmd){ .certificate = b.leaf, .chain = arena_printf(r->a, "%s%s", b.root, b.inter), .private_key = b.key };
}

static struct brought_ret set(struct brought b)
{
	struct brought_ret ret;
	struct brought_cmd cmd = cmd_of(b);
	room_do(r, &VERB_BROUGHT_SET, &cmd, &ret);
	return ret;
}

static struct brought_load_ret load(void)
{
	struct brought_load_ret ret = { 0 };
	struct no_cmd none = { 0 };
	assert_true(rc_ok(room_try(r, &PRINCIPAL_SYSTEM, &VERB_BROUGHT_LOAD, &none, &ret)));
	return ret;
}

static struct server_trust_ret trust(void)
{
	struct server_trust_ret ret = { 0 };
	struct no_cmd none = { 0 };
	assert_true(rc_ok(room_try(r, &PRINCIPAL_SYSTEM, &VERB_SERVER_TRUST, &none, &ret)));
	return ret;
}

static bool opens_to(struct bytes sealed, const char *key_pem)
{
	CLEANUP(buf_release) struct buf plain = buf_make_secret(LIMIT_KEY_DER_BYTES);
	CLEANUP(key_releasep) struct key *key = NULL, *want = NULL;
	struct bytes spki;
	if (rc_failed(cms_open_large(server_key, sealed, &plain, NULL)))
		return false;
	assert_true(rc_ok(key_parse(buf_bytes(&plain), &key, NULL)) && rc_ok(key_parse(bytes_of_text(key_pem), &want, NULL)));
	assert_true(rc_ok(key_spki(want, r->a, &spki, NULL)));
	return key_public_matches(key, spki);
}

/* How many keys the archive has for it. */
static size_t keys_kept(void)
{
	struct tx *tx = room_read(r);
	size_t n, kept = 0;
	for (int64_t after = 0;; ) {
		struct version_row *rows;
		assert_true(rc_ok(version_row_list(tx, r->a, (struct page){ after, 0 }, &rows, &n, NULL)));
		for (size_t i = 0; i < n; i++)
			kept += rows[i].source == VERSION_UPLOADED && (rows[i].key_blob.len || rows[i].sealed_key.len);
		if (!n)
			break;
		after = rows[n - 1].id;
	}
	room_read_end(r, tx);
	return kept;
}

static void what_is_brought_is_shown_and_its_key_is_the_servers_to_open(void **state)
{
	struct brought b = make((struct brought_wish){ 0 });
	struct brought_ret ret = set(b);
	assert_int_equal(ret.brought.names.count, 1);
	assert_string_equal(ret.brought.names.items[0], "dns:troth.example");
	assert_string_equal(ret.brought.key_type, "ec-p256");
	assert_string_equal(ret.brought.anchor, "CN=Corporate");
	assert_string_equal(ret.own.anchor, "CN=troth server CA");
	assert_string_equal(room_last_audit(r), "server.certificate-set");
	struct brought_load_ret l = load();
	assert_true(l.number && l.number == trust().brought);
	assert_string_equal(l.pem, arena_printf(r->a, "%s%s", b.leaf, b.inter)); /* leaf first, no root */
	assert_string_equal(l.anchor, b.root);
	assert_true(opens_to(l.sealed, b.key));
	assert_int_equal(keys_kept(), 1);
}

/* Its root is known from then on. */
static void the_next_one_leaves_no_key_of_the_last(void **state)
{
	struct brought first = make((struct brought_wish){ 0 });
	(void)set(first);
	int64_t number = load().number;
	(void)set(make((struct brought_wish){ .name = "Corporate 2", .san = "10.0.0.1", .kind = SAN_IP }));
	assert_true(load().number > number);
	assert_int_equal(keys_kept(), 1);
	assert_false(opens_to(load().sealed, first.key));
	struct brought_cmd again = { .certificate = first.leaf, .chain = first.inter, .private_key = first.key };
	struct brought_ret ret;
	room_do(r, &VERB_BROUGHT_SET, &again, &ret);
	assert_true(opens_to(load().sealed, first.key));
}

static void taken_away_it_leaves_nothing(void **state)
{
	struct no_cmd none = { 0 };
	struct no_ret nothing;
	struct brought b = make((struct brought_wish){ 0 });
	(void)set(b);
	room_do(r, &VERB_BROUGHT_UNSET, &none, &nothing);
	assert_string_equal(room_last_audit(r), "server.certificate-unset");
	assert_int_equal(keys_kept(), 0);
	assert_true(!load().number && !trust().brought);
	size_t audit = room_audit_count(r);
	room_do(r, &VERB_BROUGHT_UNSET, &none, &nothing);
	assert_int_equal(room_audit_count(r), audit); /* as it was */
	(void)set(b);
	assert_true(load().number && keys_kept() == 1);
}

static void show(struct brought_ret *ret)
{
	struct no_cmd none = { 0 };
	assert_true(rc_ok(room_try(r, &r->auditor, &VERB_BROUGHT_SHOW, &none, ret)));
}

static void without_one_its_own_is_told(void **state)
{
	struct brought_ret ret;
	show(&ret);
	assert_int_equal(ret.brought.cert.der.len, 0);
	assert_string_equal(ret.own.names.items[0], "dns:localhost");
	assert_string_equal(ret.own.names.items[1], "ip:127.0.0.1");
}

/* Somebody has an own certificate signed for another key: the listener's is another one still. */
static void a_certificate_for_another_key_is_not_the_listeners(void **state)
{
	struct server_certificate_cmd cmd = { .csr = room_csr(r, KEY_EC_P256) };
	struct server_certificate_ret made;
	struct brought_ret before, after;
	struct brought b = make((struct brought_wish){ 0 });
	show(&before);
	room_do(r, &VERB_SERVER_CERTIFICATE, &cmd, &made);
	show(&after);
	assert_string_equal(before.own.cert.serial, after.own.cert.serial);
	(void)set(b);
	assert_true(opens_to(load().sealed, b.key));
}

static void refused(struct brought_cmd cmd, const char *path, const char *part)
{
	size_t audit = room_audit_count(r);
	struct troth_err e = { 0 };
	room_refused(r, &r->admin, &VERB_BROUGHT_SET, &cmd, TROTH_INVALID, part);
	room_finding(r, path, part);
	assert_int_equal(room_audit_count(r), audit);
	assert_int_equal(load().number, 0);
	brought_check(r->a, &cmd, r->now, &e); /* a facade says the same of what needs no store */
}

static struct brought_cmd but(struct brought b, const char *chain, const char *key)
{
	struct brought_cmd cmd = cmd_of(b);
	cmd.chain = chain ? chain : cmd.chain;
	cmd.private_key = key ? key : cmd.private_key;
	return cmd;
}

static void what_clients_could_not_use_is_refused(void **state)
{
	struct brought good = make((struct brought_wish){ 0 }), other = make((struct brought_wish){ .name = "Other" });
	refused(but(good, NULL, other.key), "$.private_key", "is not the key of");
	refused(but(good, NULL, "junk"), "$.private_key", "");
	refused(but(good, good.inter, NULL), "$.chain", "no CA that is known here anchors it");
	refused(but(good, good.root, NULL), "$.chain", "has no part in the chain");
	refused(but(good, other.root, NULL), "$.chain", "has no part in the chain");
	refused(cmd_of(make((struct brought_wish){ .from = -9 * MSEC_DAY, .until = -MSEC_DAY })), "$.certificate", "expired");
	refused(cmd_of(make((struct brought_wish){ .from = MSEC_DAY })), "$.certificate", "is not valid before");
	refused(cmd_of(make((struct brought_wish){ .inter_until = -MSEC_HOUR })), "$.chain", "expired");
	refused(cmd_of(make((struct brought_wish){ .eku = EKU_CLIENT })), "$.certificate", "may not be used by a server");
	refused(cmd_of(make((struct brought_wish){ .san = "spiffe://x", .kind = SAN_URI })), "$.certificate", "neither a DNS name nor an address");
	refused((struct brought_cmd){ .certificate = good.root, .private_key = good.key }, "$.certificate", "all are CAs");
	refused((struct brought_cmd){ 0 }, "$.certificate", "");
}

/* A leaf of somebody's root, whose key an authority here had until it was compromised. */
static struct brought_cmd of_root(const struct elsewhere *root)
{
	CLEANUP(key_releasep) struct key *leaf = brought_key();
	CLEANUP(buf_release) struct buf pem = buf_make_secret(LIMIT_PEM_BYTES);
	struct san san = { SAN_DNS, "troth.example" };
	struct bytes der = brought_sign(r->a, (struct cert_spec){ .kind = CERT_LEAF, .common_name = "svc", .sans = &san, .san_count = 1, .path_len = -1,
		.eku = EKU_SERVER, .not_before = r->now - MSEC_HOUR, .not_after = r->now + 60 * MSEC_DAY }, leaf, root->cert, root->key);
	assert_true(rc_ok(key_write(leaf, KEY_PKCS8_PEM, &pem, NULL)));
	return (struct brought_cmd){ .certificate = cert_pem(r->a, der), .chain = root->pem, .private_key = arena_text(r->a, buf_text(&pem)) };
}

static void what_was_distrusted_does_not_come_back_by_it(void **state)
{
	CLEANUP(buf_release) struct buf pem = buf_make_secret(LIMIT_PEM_BYTES);
	struct elsewhere root = elsewhere_root(r->a, r->now, "Stolen");
	struct brought_cmd cmd = of_root(&root);
	struct brought_ret ret;
	struct lookup_ret adopted;
	struct rotate_ret rotated;
	struct no_cmd none = { 0 };
	struct no_ret unset;
	assert_true(rc_ok(key_write(root.key, KEY_PKCS8_PEM, &pem, NULL)));
	room_do(r, &VERB_BROUGHT_SET, &cmd, &ret); /* while it is nobody's */
	room_do(r, &VERB_BROUGHT_UNSET, &none, &unset);
	room_do(r, &VERB_AUTHORITY_ADOPT, &(struct authority_adopt_cmd){ "/corp/ca", root.pem, buf_text(&pem) }, &adopted);
	room_do(r, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/corp/ca", .compromised = true }, &rotated);
	refused(cmd, "$.chain", "was distrusted as compromised");
	cmd.chain = ""; /* it is found here, too */
	refused(cmd, "$.chain", "was distrusted as compromised");
	key_release(root.key);
}

/* Who distrusted its CA is shown nothing of it any more, and is told. */
static void it_goes_with_a_ca_that_is_distrusted(void **state)
{
	CLEANUP(buf_release) struct buf pem = buf_make_secret(LIMIT_PEM_BYTES);
	struct elsewhere root = elsewhere_root(r->a, r->now, "Stolen"), other = elsewhere_root(r->a, r->now, "Other");
	struct brought_cmd cmd = of_root(&root);
	struct audit_list_ret audit;
	struct rotate_cmd rotate = { .name = "/corp/ca", .compromised = true }, harmless = { .name = "/corp/other", .compromised = true };
	struct brought_ret ret;
	struct lookup_ret adopted;
	struct rotate_ret rotated;
	room_do(r, &VERB_BROUGHT_SET, &cmd, &ret);
	assert_true(rc_ok(key_write(root.key, KEY_PKCS8_PEM, &pem, NULL)));
	room_do(r, &VERB_AUTHORITY_ADOPT, &(struct authority_adopt_cmd){ "/corp/ca", root.pem, buf_text(&pem) }, &adopted);
	buf_clear(&pem);
	assert_true(rc_ok(key_write(other.key, KEY_PKCS8_PEM, &pem, NULL)));
	room_do(r, &VERB_AUTHORITY_ADOPT, &(struct authority_adopt_cmd){ "/corp/other", other.pem, buf_text(&pem) }, &adopted);
	room_do(r, &VERB_ROTATE, &harmless, &rotated);
	assert_true(rotated.note_count == 0 && load().number);
	size_t kept = keys_kept();
	r->dry_run = true;
	room_do(r, &VERB_ROTATE, &rotate, &rotated);
	r->dry_run = false;
	assert_true(rotated.note_count == 1 && strstr(rotated.notes[0], "troth server-certificate set") && load().number);
	room_do(r, &VERB_ROTATE, &rotate, &rotated);
	assert_true(!load().number && !trust().brought && keys_kept() == kept - 1);
	show(&ret);
	assert_true(ret.own.cert.der.len && !ret.brought.cert.der.len);
	room_do(r, &VERB_AUDIT_LIST, &(struct audit_list_cmd){ .object = BROUGHT_CREDENTIAL }, &audit);
	assert_string_equal(audit.items[audit.count - 1].action, "server.certificate-distrusted");
	assert_non_null(strstr(audit.items[audit.count - 1].after, "CN=Stolen"));
	key_release(root.key);
	key_release(other.key);
}

static void only_administrators_bring_one(void **state)
{
	struct brought_cmd cmd = cmd_of(make((struct brought_wish){ 0 }));
	struct no_cmd none = { 0 };
	room_refused(r, &r->auditor, &VERB_BROUGHT_SET, &cmd, TROTH_FORBIDDEN, "");
	room_refused(r, &r->narrow, &VERB_BROUGHT_UNSET, &none, TROTH_FORBIDDEN, "");
	room_refused(r, &r->admin, &VERB_BROUGHT_LOAD, &none, TROTH_FORBIDDEN, "");
}

static void a_dry_run_judges_and_changes_nothing(void **state)
{
	struct brought_ret ret;
	size_t calls = r->keeper_calls;
	r->dry_run = true;
	ret = set(make((struct brought_wish){ 0 }));
	r->dry_run = false;
	assert_string_equal(ret.brought.names.items[0], "dns:troth.example");
	assert_int_equal(r->keeper_calls, calls);
	assert_true(!load().number);
}

/* The keeper takes the key in, and dies before it seals it. */
static void half_of_it_is_nothing(void **state)
{
	struct brought_cmd cmd = cmd_of(make((struct brought_wish){ 0 }));
	r->keeper_dies_at = r->keeper_calls + 2;
	room_refused(r, &r->admin, &VERB_BROUGHT_SET, &cmd, TROTH_UNAVAILABLE, "");
	r->keeper_dies_at = 0;
	assert_true(!load().number && keys_kept() == 0);
}

static size_t notices(void)
{
	struct effect_cmd cmd = { 0 };
	struct effect_ret done;
	size_t n = 0;
	for (;;) {
		assert_true(rc_ok(room_try(r, &PRINCIPAL_SYSTEM, &VERB_EFFECT, &cmd, &done)));
		if (!done.done_id)
			return n;
		n += text_equal(room_last_audit(r), "credential.expires");
	}
}

static void its_end_is_told_as_long_as_it_is_shown(void **state)
{
	struct no_cmd none = { 0 };
	struct no_ret nothing;
	struct brought b = make((struct brought_wish){ .until = 40 * MSEC_DAY });
	(void)set(b);
	assert_int_equal(notices(), 0);
	r->now += 11 * MSEC_DAY;
	assert_int_equal(notices(), 1); /* 30 days before */
	room_do(r, &VERB_BROUGHT_UNSET, &none, &nothing);
	r->now += 28 * MSEC_DAY;
	assert_int_equal(notices(), 0);
}

static void only_the_one_way_leads_to_it(void **state)
{
	struct credential_list_ret list;
	struct credential_renew_cmd renew = { 0 };
	struct brought b = make((struct brought_wish){ 0 });
	(void)set(b);
	room_do(r, &VERB_CREDENTIAL_LIST, &(struct list_cmd){ .name = BROUGHT_CREDENTIAL }, &list);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.items[0].versions[0].row.key_blob.len + list.items[0].versions[0].row.sealed_key.len, 0);
	renew.id = list.items[0].row.uuid;
	room_refused(r, &r->admin, &VERB_CREDENTIAL_RENEW, &renew, TROTH_CONFLICT, "troth server-certificate set");
	struct upload_cmd upload = { renew.id, b.leaf, b.inter, b.key };
	room_refused(r, &r->admin, &VERB_CREDENTIAL_UPLOAD, &upload, TROTH_CONFLICT, "troth server-certificate set");
}

/* The server's own CA moves: neither knows of the other. */
static void the_servers_own_ca_is_rotated_beside_it(void **state)
{
	struct rotate_ret started;
	struct brought b = make((struct brought_wish){ 0 });
	(void)set(b);
	int64_t number = load().number;
	room_do(r, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/troth/server" }, &started);
	assert_true(load().number == number && opens_to(load().sealed, b.key));
	(void)set(b); /* the newest of the listener's own was signed by the old one still */
	assert_true(opens_to(load().sealed, b.key));
}

static int setup(void **state)
{
	struct init_ret ret;
	struct init_cmd cmd = { 0 };
	struct troth_err e = { 0 };
	r = room_new_empty();
	assert_true(rc_ok(key_generate(KEY_EC_P256, &server_key, &e)));
	assert_true(rc_ok(csr_build(r->a, server_key, "server", &cmd.csr, &e)));
	cmd.sans = room_texts(r, "dns:localhost", "ip:127.0.0.1");
	troth_rc rc = init_run(r->svc, r->a, &r->port, r->now, &r->line, &cmd, &ret, &e);
	if (rc_failed(rc))
		fail_msg("%s", e.primary);
	return 0;
}

static int teardown(void **state)
{
	key_release(server_key);
	room_free(r);
	return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_brought_is_shown_and_its_key_is_the_servers_to_open),
		T(the_next_one_leaves_no_key_of_the_last),
		T(taken_away_it_leaves_nothing),
		T(without_one_its_own_is_told),
		T(a_certificate_for_another_key_is_not_the_listeners),
		T(what_clients_could_not_use_is_refused),
		T(what_was_distrusted_does_not_come_back_by_it),
		T(it_goes_with_a_ca_that_is_distrusted),
		T(only_administrators_bring_one),
		T(a_dry_run_judges_and_changes_nothing),
		T(half_of_it_is_nothing),
		T(its_end_is_told_as_long_as_it_is_shown),
		T(only_the_one_way_leads_to_it),
		T(the_servers_own_ca_is_rotated_beside_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
