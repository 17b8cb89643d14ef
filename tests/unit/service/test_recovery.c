/* Recovery: what a proof is, and everything that is none. */
#include "room.h"

#include "model/message.h"
#include "service/agent/agent.h"
#include "service/fleet/recovery.h"

struct node {
	struct room *r;
	const char *uuid, *certificate; /* PEM */
	struct key *key, *next;
	struct principal who;
};

static struct key *new_key(struct room *r)
{
	struct key *k;
	assert_true(rc_ok(key_generate(KEY_EC_P256, &k, &r->e)));
	return k;
}

static struct node join(struct room *r, const char *name)
{
	struct node n = { .r = r, .key = new_key(r), .next = new_key(r) };
	struct msg_enroll cmd = { .token = room_token(r, "pg", name), .boot_id = "boot", .agent_version = "1" };
	struct msg_enrolled m;
	assert_true(rc_ok(csr_build(r->a, n.key, "agent", &cmd.csr, &r->e)));
	assert_true(rc_ok(room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_ENROLL, &cmd, &m)));
	n.uuid = m.instance_id;
	n.certificate = m.certificate;
	n.who = room_agent(r, &m);
	return n;
}

static void node_free(struct node *n)
{
	key_release(n->key);
	key_release(n->next);
}

static struct room *expired_room(struct node *ret)
{
	struct room *r = room_new();
	room_deployment(r, "pg");
	*ret = join(r, "pg-1");
	r->now += 91 * MSEC_DAY;
	return r;
}

static const char *nonce(struct room *r)
{
	struct msg_nonce ret;
	assert_true(rc_ok(room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_RECOVERY_NONCE, &(struct no_cmd){ 0 }, &ret)));
	return ret.nonce;
}

static void sign(struct room *r, const struct key *key, struct msg_recovery *m)
{
	CLEANUP(buf_release) struct buf out = buf_make(256);
	assert_true(rc_ok(key_sign(key, msg_recovery_signed(r->a, m), &out, &r->e)));
	m->signature = hex_encode(out.data, out.len, arena_alloc(r->a, 2 * out.len + 1));
}

static const char *csr_for(struct room *r, const struct key *key, const char *common_name)
{
	const char *csr;
	assert_true(rc_ok(csr_build(r->a, key, common_name, &csr, &r->e)));
	return csr;
}

/* A sound request, of now. */
static struct msg_recovery request(const struct node *n)
{
	struct msg_recovery m = { .certificate = n->certificate, .csr = csr_for(n->r, n->next, n->uuid), .nonce = nonce(n->r), .peer = "192.0.2.7" };
	sign(n->r, n->key, &m);
	return m;
}

static struct msg_recovering ask(const struct node *n)
{
	struct room *r = n->r;
	struct msg_recovery m = request(n);
	struct msg_recovering ret;
	if (rc_failed(room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_RECOVERY_ASK, &m, &ret)))
		fail_msg("%s", r->e.primary);
	r->now += 3 * MSEC_S;
	return ret;
}

static struct recovery_list_ret list(struct room *r)
{
	struct recovery_list_ret ret;
	room_do(r, &VERB_RECOVERY_LIST, &(struct recovery_list_cmd){ 0 }, &ret);
	return ret;
}

static struct recovery_decide_cmd of(const struct node *n)
{
	return (struct recovery_decide_cmd){ .instances = room_texts(n->r, n->uuid, NULL) };
}

static void decide(const struct node *n, const struct verb *verb)
{
	struct recovery_decide_cmd cmd = of(n);
	struct recovery_decide_ret ret;
	room_do(n->r, verb, &cmd, &ret);
	assert_int_equal(ret.instances.count, 1);
}

/* Refused, and neither a row nor an audit row is there. */
static void refused(const struct node *n, const struct msg_recovery *m, enum troth_kind kind, const char *part)
{
	struct room *r = n->r;
	size_t audits = room_audit_count(r), rows = list(r).count;
	room_refused(r, &PRINCIPAL_ANONYMOUS, &VERB_RECOVERY_ASK, m, kind, part);
	struct troth_err e = r->e;
	assert_int_equal(room_audit_count(r), audits);
	assert_int_equal(list(r).count, rows);
	r->e = e;
}

static void test_asked_approved_returned(void **state)
{
	struct node n;
	struct room *r = expired_room(&n);
	const struct cert *identity;
	char hex[SHA256_HEX_LEN];
	struct msg_recovering m = ask(&n);
	assert_string_equal(m.state, "pending");
	assert_string_equal(m.instance, "pg-1");
	assert_null(m.certificate);
	assert_string_equal(room_last_audit(r), "recovery.ask");
	struct recovery_view v = list(r).items[0];
	assert_string_equal(v.instance, "pg-1");
	assert_string_equal(v.row.peer, "192.0.2.7");
	assert_string_equal(v.state, "pending");
	assert_true(v.identity_ended < r->now);
	size_t audits = room_audit_count(r);
	assert_string_equal(ask(&n).state, "pending"); /* again: no second row, no second story */
	assert_int_equal(list(r).count, 1);
	assert_int_equal(room_audit_count(r), audits);
	decide(&n, &VERB_RECOVERY_APPROVE);
	assert_string_equal(room_last_audit(r), "recovery.approve");
	m = ask(&n);
	assert_string_equal(m.state, "approved");
	assert_true(rc_ok(cert_parse_any(r->a, bytes_of_text(m.certificate), &identity, &r->e)));
	assert_true(key_public_matches(n.next, identity->spki) && identity->not_after > r->now);
	assert_string_equal(identity->sans[0].value, arena_printf(r->a, "troth://instance/%s", n.uuid));
	assert_non_null(strstr(m.server_ca, "BEGIN CERTIFICATE"));
	assert_string_equal(list(r).items[0].state, "issued");
	assert_string_equal(hex_encode(list(r).items[0].row.key.data, 32, hex), hex_encode(identity->key_id, 32, hex));

	assert_string_equal(ask(&n).state, "approved"); /* the answer was lost: another for the same key */
	struct principal_ret who = { 0 };
	struct msg_session session = { .boot_id = "boot", .agent_version = "1" };
	struct msg_opened opened;
	struct msg_recovering last = ask(&n);
	assert_true(rc_ok(cert_parse_any(r->a, bytes_of_text(last.certificate), &identity, &r->e)));
	room_do(r, &VERB_PRINCIPAL_RESOLVE, &(struct principal_resolve_cmd){ .peer_cert = identity->der }, &who);
	assert_true(rc_ok(room_try(r, &who.principal, &VERB_AGENT_SESSION, &session, &opened)));
	assert_int_equal(list(r).count, 0);
	struct msg_recovery late = request(&n); /* the old key has done its service */
	refused(&n, &late, TROTH_UNAUTHENTICATED, "not accepted");
	node_free(&n);
	room_free(r);
}

static void test_a_proof_and_what_is_none(void **state)
{
	struct node n;
	struct room *r = expired_room(&n);
	struct msg_recovery m = request(&n), good = m;
	sign(r, n.next, &m); /* the wrong key */
	refused(&n, &m, TROTH_UNAUTHENTICATED, "not accepted");
	m = good;
	m.signature = "zz";
	refused(&n, &m, TROTH_UNAUTHENTICATED, "not accepted");
	m.signature = "00";
	refused(&n, &m, TROTH_UNAUTHENTICATED, "not accepted");
	m.signature = "";
	refused(&n, &m, TROTH_UNAUTHENTICATED, "not accepted");
	m = good;
	m.csr = csr_for(r, n.key, n.uuid); /* signed was another CSR */
	refused(&n, &m, TROTH_UNAUTHENTICATED, "not accepted");
	m = good;
	m.nonce = nonce(r); /* and another nonce */
	refused(&n, &m, TROTH_UNAUTHENTICATED, "not accepted");
	node_free(&n);
	room_free(r);
}

/* A certificate that this server never gave an instance, though its own CA signed it, says as little. */
static void test_unknown_certificates(void **state)
{
	struct node n;
	struct room *r = expired_room(&n);
	struct node gone = join(r, "pg-2");
	struct msg_recovery m = request(&gone);
	struct no_ret nothing;
	r->now += 91 * MSEC_DAY;
	m = request(&gone);
	room_do(r, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ .id = gone.uuid, .now = true }, &nothing);
	refused(&n, &m, TROTH_UNAUTHENTICATED, "not accepted"); /* deleted */
	struct server_trust_ret trust;
	room_do(r, &VERB_SERVER_TRUST, &(struct no_cmd){ 0 }, &trust);
	m = request(&n);
	m.certificate = trust.agents_ca;
	sign(r, n.key, &m);
	refused(&n, &m, TROTH_UNAUTHENTICATED, "not accepted");
	m.certificate = "no certificate";
	refused(&n, &m, TROTH_INVALID, "");
	room_finding(r, "$.certificate", "");
	node_free(&gone);
	node_free(&n);
	room_free(r);
}

static void test_nonces(void **state)
{
	struct node n;
	struct room *r = expired_room(&n);
	struct msg_recovering ret;
	struct msg_recovery m = request(&n), before = request(&n);
	m.nonce = "12";
	refused(&n, &m, TROTH_UNAUTHENTICATED, "none of this server's");
	char *forged = arena_text(r->a, before.nonce);
	forged[0] = forged[0] == '1' ? '2' : '1'; /* another time */
	m.nonce = forged;
	refused(&n, &m, TROTH_UNAUTHENTICATED, "none of this server's");
	forged = arena_text(r->a, before.nonce);
	forged[strlen(forged) - 1] = forged[strlen(forged) - 1] == '0' ? '1' : '0'; /* another MAC */
	m.nonce = forged;
	refused(&n, &m, TROTH_UNAUTHENTICATED, "none of this server's");
	r->now += LIMIT_RECOVERY_NONCE_S * MSEC_S + 1;
	refused(&n, &before, TROTH_UNAUTHENTICATED, "too old");
	m = request(&n);
	assert_true(rc_ok(room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_RECOVERY_ASK, &m, &ret)));
	r->now += 10 * MSEC_S;
	refused(&n, &m, TROTH_UNAUTHENTICATED, "used already");
	r->now -= 60 * MSEC_S;
	before = request(&n); /* made earlier than the one that was used */
	r->now += 61 * MSEC_S;
	refused(&n, &before, TROTH_UNAUTHENTICATED, "used already");
	r->now -= 200 * MSEC_DAY; /* from a clock that was ahead */
	refused(&n, &m, TROTH_UNAUTHENTICATED, "too old");
	node_free(&n);
	room_free(r);
}

static void test_requests_of_others_and_bad_ones(void **state)
{
	struct node n;
	struct room *r = expired_room(&n);
	struct node other = join(r, "pg-2");
	struct key *rsa;
	struct msg_recovery m = request(&n);
	m.csr = csr_for(r, other.next, other.uuid); /* another instance's */
	sign(r, n.key, &m);
	refused(&n, &m, TROTH_INVALID, "");
	room_finding(r, "$.csr", "is not this instance's");
	m = request(&n);
	m.csr = csr_for(r, n.key, n.uuid); /* the old key again */
	sign(r, n.key, &m);
	refused(&n, &m, TROTH_INVALID, "");
	room_finding(r, "$.csr", "the key that has expired");
	assert_true(rc_ok(key_generate(KEY_RSA_2048, &rsa, &r->e)));
	m.csr = csr_for(r, rsa, n.uuid);
	sign(r, n.key, &m);
	refused(&n, &m, TROTH_INVALID, "");
	room_finding(r, "$.csr", "sealed");
	m.csr = "no request";
	sign(r, n.key, &m);
	refused(&n, &m, TROTH_INVALID, "");
	m = request(&other); /* its identity is a day old */
	refused(&other, &m, TROTH_CONFLICT, "is valid until");
	key_release(rsa);
	node_free(&other);
	node_free(&n);
	room_free(r);
}

static void test_asked_too_often(void **state)
{
	struct node n;
	struct room *r = expired_room(&n);
	ask(&n);
	r->now -= 2 * MSEC_S;
	struct msg_recovery m = request(&n);
	refused(&n, &m, TROTH_BUSY, "has just asked");
	r->now += LIMIT_RECOVERY_PAUSE_S * MSEC_S;
	ask(&n);
	node_free(&n);
	room_free(r);
}

static void test_denied_until_somebody_says_otherwise(void **state)
{
	struct node n;
	struct room *r = expired_room(&n);
	ask(&n);
	decide(&n, &VERB_RECOVERY_DENY);
	assert_string_equal(room_last_audit(r), "recovery.deny");
	struct msg_recovery m = request(&n);
	refused(&n, &m, TROTH_FORBIDDEN, "was denied by admin");
	decide(&n, &VERB_RECOVERY_APPROVE);
	assert_string_equal(ask(&n).state, "approved");
	node_free(&n);
	room_free(r);
}

/* An approval that nobody came for is none for ever. */
static void test_an_approval_ends(void **state)
{
	struct node n;
	struct room *r = expired_room(&n);
	ask(&n);
	decide(&n, &VERB_RECOVERY_APPROVE);
	r->now += LIMIT_RECOVERY_APPROVED_S * MSEC_S;
	assert_string_equal(ask(&n).state, "pending");
	assert_string_equal(list(r).items[0].state, "pending");
	node_free(&n);
	room_free(r);
}

/* Who got a certificate and never came may not take another one months later without a word. */
static void test_what_was_issued_is_no_licence(void **state)
{
	struct node n;
	struct room *r = expired_room(&n);
	ask(&n);
	decide(&n, &VERB_RECOVERY_APPROVE);
	assert_string_equal(ask(&n).state, "approved");
	assert_string_equal(list(r).items[0].state, "issued");
	struct recovery_decide_cmd cmd = of(&n);
	room_refused(r, &r->admin, &VERB_RECOVERY_DENY, &cmd, TROTH_CONFLICT, "has its new identity already");
	r->now += LIMIT_RECOVERY_APPROVED_S * MSEC_S;
	assert_string_equal(list(r).items[0].state, "pending");
	assert_string_equal(ask(&n).state, "pending");
	decide(&n, &VERB_RECOVERY_DENY);
	decide(&n, &VERB_RECOVERY_APPROVE);
	assert_string_equal(ask(&n).state, "approved");
	node_free(&n);
	room_free(r);
}

/* Two with the same old key: the approval of the first is void, and nobody approves by mistake. */
static void test_a_key_in_two_hands(void **state)
{
	struct node n;
	struct room *r = expired_room(&n);
	struct node thief = n;
	thief.next = new_key(r);
	ask(&n);
	decide(&n, &VERB_RECOVERY_APPROVE);
	assert_string_equal(ask(&thief).state, "contested");
	assert_string_equal(room_last_audit(r), "recovery.contested");
	assert_string_equal(ask(&n).state, "contested"); /* not issued any more */
	assert_string_equal(list(r).items[0].state, "contested");
	struct recovery_decide_cmd cmd = of(&n);
	room_refused(r, &r->admin, &VERB_RECOVERY_APPROVE, &cmd, TROTH_CONFLICT, "in two hands");
	assert_non_null(strstr(r->e.hint, "--reinstall"));
	size_t audits = room_audit_count(r);
	ask(&thief);
	assert_int_equal(room_audit_count(r), audits); /* said once */
	struct token_ret token;
	room_do(r, &VERB_TOKEN_CREATE, &(struct token_create_cmd){ .deployment = "pg", .instance = "pg-1", .reinstall = true }, &token);
	struct msg_enroll again = { .token = token.secret, .csr = room_csr(r, KEY_EC_P256), .boot_id = "boot", .agent_version = "1" };
	struct msg_enrolled m;
	assert_true(rc_ok(room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_ENROLL, &again, &m)));
	assert_int_equal(list(r).count, 0);
	struct msg_recovery late = request(&thief);
	refused(&n, &late, TROTH_UNAUTHENTICATED, "not accepted");
	key_release(thief.next);
	node_free(&n);
	room_free(r);
}

/* Who comes with another key after the certificate was issued changes nothing for the one that has it. */
static void test_a_rival_comes_too_late(void **state)
{
	struct node n;
	struct room *r = expired_room(&n);
	struct node thief = n;
	thief.next = new_key(r);
	ask(&n);
	decide(&n, &VERB_RECOVERY_APPROVE);
	assert_string_equal(ask(&n).state, "approved");
	assert_string_equal(ask(&thief).state, "contested");
	assert_string_equal(ask(&n).state, "contested");
	node_free(&n);
	key_release(thief.next);
	room_free(r);
}

static void test_a_leaver_and_a_stolen_ca(void **state)
{
	struct node n;
	struct room *r = expired_room(&n);
	struct tx *tx;
	struct instance_row row;
	assert_true(rc_ok(store_write_begin(r->store, &tx, &r->e)));
	assert_true(rc_ok(instance_row_by_uuid(tx, r->a, n.uuid, &row, &r->e)));
	row.state = INSTANCE_LEAVING;
	assert_true(rc_ok(instance_row_update(tx, &row, &r->e)));
	assert_true(rc_ok(store_write_commit(tx, &r->e)));
	struct msg_recovery m = request(&n);
	refused(&n, &m, TROTH_FORBIDDEN, "is leaving");
	assert_true(rc_ok(store_write_begin(r->store, &tx, &r->e)));
	row.state = INSTANCE_ACTIVE;
	assert_true(rc_ok(instance_row_update(tx, &row, &r->e)));
	struct credential_row agents;
	struct version_row *versions;
	size_t count;
	assert_true(rc_ok(credential_row_by_name(tx, r->a, "/troth/agents", &agents, &r->e)));
	assert_true(rc_ok(version_row_list_credential(tx, r->a, agents.id, PAGE_ALL, &versions, &count, &r->e)));
	versions[0].distrusted = true;
	assert_true(rc_ok(version_row_update(tx, &versions[0], &r->e)));
	assert_true(rc_ok(store_write_commit(tx, &r->e)));
	m = request(&n);
	refused(&n, &m, TROTH_FORBIDDEN, "is distrusted");
	node_free(&n);
	room_free(r);
}

/* The identity's renewal was answered and the answer lost: the one before is as good a proof. */
static void test_the_identity_before_counts_too(void **state)
{
	struct room *r = room_new();
	room_deployment(r, "pg");
	struct node n = join(r, "pg-1");
	struct msg_renewed lost;
	struct key *k = new_key(r);
	const struct cert *cert;
	r->now += 45 * MSEC_DAY;
	assert_true(rc_ok(cert_parse_any(r->a, bytes_of_text(n.certificate), &cert, &r->e)));
	memcpy(n.who.fingerprint, cert->fingerprint, SHA256_LEN);
	assert_true(rc_ok(room_try(r, &n.who, &VERB_IDENTITY_RENEW, &(struct msg_identity){ csr_for(r, k, "x") }, &lost)));
	r->now += 46 * MSEC_DAY;
	assert_string_equal(ask(&n).state, "pending");
	key_release(k);
	node_free(&n);
	room_free(r);
}

static void test_gone_with_the_instance(void **state)
{
	struct node n;
	struct no_ret nothing;
	struct room *r = expired_room(&n);
	ask(&n);
	room_do(r, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ .id = n.uuid, .now = true }, &nothing);
	assert_int_equal(list(r).count, 0);
	node_free(&n);
	room_free(r);
}

/* Approved between what prepare saw and what the writer finds: it goes again, and the certificate comes at once. */
static void test_the_signer_dies_in_between(void **state)
{
	struct node n;
	struct room *r = expired_room(&n);
	struct msg_recovering ret;
	ask(&n);
	decide(&n, &VERB_RECOVERY_APPROVE);
	struct msg_recovery m = request(&n);
	r->keeper_dies_at = r->keeper_calls + 1;
	assert_true(rc_failed(room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_RECOVERY_ASK, &m, &ret)));
	assert_int_equal(r->e.kind, TROTH_UNAVAILABLE);
	assert_string_equal(list(r).items[0].state, "approved");
	r->keeper_dies_at = 0;
	assert_string_equal(ask(&n).state, "approved");
	node_free(&n);
	room_free(r);
}

static const char *meanwhile;

static void deny_meanwhile(struct room *r)
{
	struct recovery_decide_ret ret = { 0 };
	struct recovery_decide_cmd cmd = { .instances = room_texts(r, meanwhile, NULL) };
	struct verb_ctx ctx;
	verb_ctx_init(&ctx, r->a, &r->admin, &r->port, r->now);
	assert_true(rc_ok(verb_run(r->svc, &VERB_RECOVERY_DENY, &ctx, NULL, &cmd, &ret, &r->e)));
}

static void test_denied_while_the_keeper_signs(void **state)
{
	struct node n;
	struct room *r = expired_room(&n);
	ask(&n);
	decide(&n, &VERB_RECOVERY_APPROVE);
	struct msg_recovery m = request(&n);
	meanwhile = n.uuid;
	r->before_keeper = deny_meanwhile;
	struct msg_recovering ret;
	assert_true(rc_failed(room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_RECOVERY_ASK, &m, &ret)));
	assert_int_equal(r->e.kind, TROTH_FORBIDDEN);
	assert_non_null(strstr(r->e.primary, "was denied"));
	assert_string_equal(room_last_audit(r), "recovery.deny");
	node_free(&n);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asked_approved_returned),
		cmocka_unit_test(test_a_proof_and_what_is_none),
		cmocka_unit_test(test_unknown_certificates),
		cmocka_unit_test(test_nonces),
		cmocka_unit_test(test_requests_of_others_and_bad_ones),
		cmocka_unit_test(test_asked_too_often),
		cmocka_unit_test(test_denied_until_somebody_says_otherwise),
		cmocka_unit_test(test_an_approval_ends),
		cmocka_unit_test(test_what_was_issued_is_no_licence),
		cmocka_unit_test(test_a_key_in_two_hands),
		cmocka_unit_test(test_a_rival_comes_too_late),
		cmocka_unit_test(test_a_leaver_and_a_stolen_ca),
		cmocka_unit_test(test_the_identity_before_counts_too),
		cmocka_unit_test(test_gone_with_the_instance),
		cmocka_unit_test(test_the_signer_dies_in_between),
		cmocka_unit_test(test_denied_while_the_keeper_signs),
	};
	return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
