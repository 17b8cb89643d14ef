/* Enrolment: what a good token gives, and what each bad one gets. */
#include "room.h"

static struct msg_enroll message(struct room *r, const char *token, const char *name)
{
	return (struct msg_enroll){ .token = token, .csr = room_csr(r, KEY_EC_P256), .boot_id = "boot", .agent_version = "1.0",
				    .instance = name };
}

static void refused(struct room *r, const struct msg_enroll *m, enum troth_kind kind, const char *part)
{
	room_refused(r, &PRINCIPAL_ANONYMOUS, &VERB_ENROLL, m, kind, part);
}

static void test_identity_and_answer(void **state)
{
	struct room *r = room_new();
	const struct cert *identity, *agents;
	room_deployment(r, "pg");
	struct msg_enrolled m = room_enroll(r, "pg", "pg-1");
	assert_string_equal(m.instance, "pg-1");
	assert_string_equal(m.deployment, "pg");
	assert_string_equal(m.chain, "");
	assert_string_equal(m.epoch, service_epoch(r->svc));
	assert_true(rc_ok(cert_parse_any(r->a, bytes_of_text(m.certificate), &identity, &r->e)));
	assert_true(rc_ok(cert_parse_any(r->a, bytes_of_text(m.agents_ca), &agents, &r->e)));
	assert_true(cert_issued_by(identity, agents));
	assert_int_equal(identity->eku, EKU_CLIENT);
	assert_int_equal(identity->san_count, 1);
	assert_int_equal(identity->sans[0].kind, SAN_URI);
	assert_string_equal(identity->sans[0].value, arena_printf(r->a, "troth://instance/%s", m.instance_id));
	assert_non_null(strstr(m.server_ca, "BEGIN CERTIFICATE"));
	struct principal who = room_agent(r, &m);
	assert_int_equal(who.roles, ROLE_AGENT);
	assert_string_equal(who.name, "agent pg-1");
	assert_string_equal(who.uuid, m.instance_id);
	struct audit_list_ret audit;
	room_do(r, &VERB_AUDIT_LIST, &(struct audit_list_cmd){ .object = "pg-1" }, &audit);
	assert_string_equal(audit.items[0].action, "instance.enroll");
	assert_string_equal(audit.items[0].who, "anonymous");
	room_free(r);
}

static void test_targets_join(void **state)
{
	struct room *r = room_new();
	struct target_list_ret ret;
	struct credential_list_ret credential;
	room_deployment(r, "pg");
	struct msg_enrolled m = room_enroll(r, "pg", "pg-1");
	room_do(r, &VERB_TARGET_LIST, &(struct target_list_cmd){ .instance = m.instance_id }, &ret);
	assert_int_equal(ret.count, 2);
	assert_int_equal(ret.items[0].row.state, TARGET_JOINING);
	assert_string_equal(ret.items[0].credential, "/prod/pg/pg-1/server");
	assert_null(ret.items[1].credential);
	room_do(r, &VERB_CREDENTIAL_LIST, &(struct list_cmd){ .name = "/prod/pg/pg-1/server" }, &credential);
	assert_string_equal(credential.items[0].spec.sans.items[0], "pg-1.pg.example");
	assert_true(credential.items[0].spec.clamp);
	room_free(r);
}

static void test_wrong_expired_reused(void **state)
{
	struct room *r = room_new();
	struct msg_enrolled ret;
	room_deployment(r, "pg");
	struct msg_enroll m = message(r, "troth-join-nonsense", "pg-1");
	refused(r, &m, TROTH_UNAUTHENTICATED, "not known");
	m.token = room_token(r, "pg", NULL);
	r->now += MSEC_DAY;
	refused(r, &m, TROTH_UNAUTHENTICATED, "expired");
	m.token = room_token(r, "pg", NULL);
	assert_true(rc_ok(room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_ENROLL, &m, &ret)));
	m.instance = "pg-2";
	refused(r, &m, TROTH_UNAUTHENTICATED, "used already");
	assert_non_null(strstr(r->e.hint, "troth token create"));
	room_free(r);
}

static void test_names(void **state)
{
	struct room *r = room_new();
	struct msg_enrolled ret;
	room_deployment(r, "pg");
	struct msg_enroll m = message(r, room_token(r, "pg", "pg-1"), "pg-2");
	refused(r, &m, TROTH_FORBIDDEN, "for the instance pg-1, not pg-2");
	m.instance = NULL; /* the token's name */
	assert_true(rc_ok(room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_ENROLL, &m, &ret)));
	assert_string_equal(ret.instance, "pg-1");
	m = message(r, room_token(r, "pg", NULL), "pg-1");
	refused(r, &m, TROTH_CONFLICT, "already");
	m.instance = NULL; /* made by the server */
	assert_true(rc_ok(room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_ENROLL, &m, &ret)));
	assert_int_equal(strncmp(ret.instance, "pg-", 3), 0);
	assert_int_equal(strlen(ret.instance), 9);
	room_free(r);
}

static void test_bad_input(void **state)
{
	struct room *r = room_new();
	room_deployment(r, "pg");
	struct msg_enroll m = { .token = "x", .csr = "no csr", .instance = "a b" };
	refused(r, &m, TROTH_INVALID, "");
	room_finding(r, "$.csr", "");
	room_finding(r, "$.instance", "character");
	m = message(r, room_token(r, "pg", NULL), "pg-1");
	m.csr = room_csr(r, KEY_ED25519); /* nothing can be sealed to it */
	refused(r, &m, TROTH_INVALID, "sealed");
	m.csr = NULL;
	m.token = NULL;
	refused(r, &m, TROTH_INVALID, "missing");
	assert_int_equal(room_findings(r), 2);
	room_free(r);
}

/* The token is still good after an enrolment that failed. */
static void test_keeper_down_uses_no_token(void **state)
{
	struct room *r = room_new();
	struct msg_enrolled ret;
	room_deployment(r, "pg");
	struct msg_enroll m = message(r, room_token(r, "pg", NULL), "pg-1");
	r->keeper_dies_at = r->keeper_calls + 1;
	refused(r, &m, TROTH_UNAVAILABLE, "keeper");
	assert_true(rc_ok(room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_ENROLL, &m, &ret)));
	room_free(r);
}

static const char *contested;
static void somebody_is_faster(struct room *r)
{
	struct verb_ctx mine = r->ctx;
	struct troth_err e = r->e;
	struct msg_enrolled ret;
	struct msg_enroll m = message(r, contested, "pg-9");
	assert_true(rc_ok(room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_ENROLL, &m, &ret)));
	r->ctx = mine;
	r->e = e;
}

/* Two agents with one token at the same moment: one joins. */
static void test_token_race(void **state)
{
	struct room *r = room_new();
	struct msg_enrolled ret;
	struct verb_ctx ctx;
	struct troth_err e = { 0 };
	room_deployment(r, "pg");
	contested = room_token(r, "pg", NULL);
	struct msg_enroll m = message(r, contested, "pg-1");
	r->before_keeper = somebody_is_faster;
	verb_ctx_init(&ctx, r->a, &PRINCIPAL_ANONYMOUS, &r->port, r->now);
	assert_false(rc_ok(verb_run(r->svc, &VERB_ENROLL, &ctx, &r->line, &m, &ret, &e)));
	assert_int_equal(e.kind, TROTH_UNAUTHENTICATED);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity_and_answer), cmocka_unit_test(test_targets_join),
		cmocka_unit_test(test_wrong_expired_reused), cmocka_unit_test(test_names), cmocka_unit_test(test_bad_input),
		cmocka_unit_test(test_keeper_down_uses_no_token), cmocka_unit_test(test_token_race),
	};
	return cmocka_run_group_tests_name("enroll", tests, NULL, NULL);
}
