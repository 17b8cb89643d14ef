/* troth's own roots, when their time is over. */
#include "room.h"

#include "service/issue_ca.h"

static struct version_row signing(struct room *r, const char *name, struct cert_row *ret_cert)
{
	struct tx *tx = room_read(r);
	struct credential_row c;
	struct version_row v;
	assert_true(rc_ok(credential_row_by_name(tx, r->a, name, &c, &r->e)));
	assert_true(rc_ok(version_row_get(tx, r->a, c.signing_version, &v, &r->e)));
	assert_true(rc_ok(cert_row_get(tx, r->a, v.cert_id, ret_cert, &r->e)));
	room_read_end(r, tx);
	return v;
}

static size_t versions(struct room *r, const char *name)
{
	struct credential_list_ret ret;
	room_do(r, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .name = name }, &ret);
	return ret.items[0].version_count;
}

static int64_t recertify(struct room *r)
{
	struct recertify_ret ret = { 0 };
	if (rc_failed(room_try(r, &PRINCIPAL_SYSTEM, &VERB_SERVER_RECERTIFY, &(struct no_cmd){ 0 }, &ret)))
		fail_msg("%s", r->e.primary);
	return ret.count;
}

static void test_nothing_to_do_in_time(void **state)
{
	struct room *r = room_new();
	size_t audits = room_audit_count(r);
	assert_int_equal(recertify(r), 0);
	assert_int_equal(room_audit_count(r), audits);
	r->now += 3650 * MSEC_DAY - LIMIT_RECERTIFY_S * MSEC_S - MSEC_HOUR;
	assert_int_equal(recertify(r), 0);
	assert_int_equal(r->ctx.need_count, 0);
	r->now += 2 * MSEC_HOUR;
	assert_int_equal(recertify(r), 2);
	room_free(r);
}

/* Down for eleven years: the same key, so that who trusts the old root's key believes what is signed now. */
static void test_the_same_key_after_the_end(void **state)
{
	struct room *r = room_new();
	struct cert_row before, after;
	struct version_row old = signing(r, "/troth/server", &before);
	r->now += 4000 * MSEC_DAY;
	struct server_certificate_cmd cmd = { .csr = room_csr(r, KEY_EC_P256) };
	struct server_certificate_ret made;
	assert_true(rc_failed(room_try(r, &r->admin, &VERB_SERVER_CERTIFICATE, &cmd, &made))); /* nothing can be signed */
	assert_int_equal(recertify(r), 2);
	assert_int_equal(recertify(r), 0);
	struct version_row now = signing(r, "/troth/server", &after);
	assert_true(now.id != old.id && now.wanted && now.can_sign);
	assert_true(bytes_equal(before.spki_hash, after.spki_hash) && bytes_equal(before.subject_key, after.subject_key));
	assert_true(after.not_after > r->now + 3000 * MSEC_DAY && after.not_before <= r->now);
	room_do(r, &VERB_SERVER_CERTIFICATE, &cmd, &made);
	const struct cert *leaf, *anchor;
	assert_true(rc_ok(cert_parse_any(r->a, bytes_of_text(made.certificate), &leaf, &r->e)));
	assert_true(rc_ok(cert_parse(r->a, before.der, &anchor, &r->e)));
	assert_true(cert_issued_by(leaf, anchor)); /* the agents' old anchor vouches for it */
	assert_true(leaf->not_after > r->now);
	struct audit_list_ret audit;
	room_do(r, &VERB_AUDIT_LIST, &(struct audit_list_cmd){ .object = "/troth/agents" }, &audit);
	size_t said = 0;
	for (size_t i = 0; i < audit.count; i++)
		said += text_equal(audit.items[i].action, "authority.recertify");
	assert_int_equal(said, 1);
	assert_int_equal(versions(r, "/troth/server"), 2);
	room_free(r);
}

/* The keeper signs with a key for fifty years and no longer. */
static void test_the_key_ends_too(void **state)
{
	struct room *r = room_new();
	struct cert_row cert;
	msec_t begin = r->now;
	int64_t renewed = 1;
	for (int i = 0; i < 6 && renewed; i++) {
		(void)signing(r, "/troth/agents", &cert);
		r->now = cert.not_after - MSEC_DAY;
		renewed = recertify(r);
	}
	assert_int_equal(renewed, 0);
	(void)signing(r, "/troth/agents", &cert);
	assert_true(cert.not_after > begin + 49 * 365 * MSEC_DAY && cert.not_after <= begin + LIMIT_KEEPER_LIFE_DAYS * MSEC_DAY);
	room_free(r);
}

static void test_only_own_keys_outlive_their_certificate(void **state)
{
	struct cert_spec spec = { .not_before = 1000, .not_after = 5000 };
	assert_true(issue_ca_latest("/prod/pg/ca", &spec) == 5000);
	assert_true(issue_ca_latest("/troth/server", &spec) == 1000 + LIMIT_KEEPER_LIFE_DAYS * MSEC_DAY);
}

static void test_only_the_server_itself(void **state)
{
	struct room *r = room_new();
	room_refused(r, &r->admin, &VERB_SERVER_RECERTIFY, &(struct no_cmd){ 0 }, TROTH_FORBIDDEN, "may not do");
	room_free(r);
}

static void somebody_is_faster(struct room *r)
{
	struct recertify_ret ret = { 0 };
	struct verb_ctx ctx;
	verb_ctx_init(&ctx, r->a, &PRINCIPAL_SYSTEM, &r->port, r->now);
	assert_true(rc_ok(verb_run(r->svc, &VERB_SERVER_RECERTIFY, &ctx, &r->line, &(struct no_cmd){ 0 }, &ret, &r->e)));
	assert_int_equal(ret.count, 2);
}

/* Done between prepare and commit by another: not twice. */
static void test_not_twice(void **state)
{
	struct room *r = room_new();
	r->now += 4000 * MSEC_DAY;
	r->before_keeper = somebody_is_faster;
	assert_int_equal(recertify(r), 0);
	assert_int_equal(versions(r, "/troth/server"), 2);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_to_do_in_time),
		cmocka_unit_test(test_the_same_key_after_the_end),
		cmocka_unit_test(test_the_key_ends_too),
		cmocka_unit_test(test_only_own_keys_outlive_their_certificate),
		cmocka_unit_test(test_only_the_server_itself),
		cmocka_unit_test(test_not_twice),
	};
	return cmocka_run_group_tests_name("recertify", tests, NULL, NULL);
}
