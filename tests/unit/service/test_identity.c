/* Renewing an identity: two fingerprints hold, an older one does not, a leaver's never. */
#include "room.h"

#include "service/agent/agent.h"

static bool known(struct room *r, const char *pem)
{
	const struct cert *cert;
	struct principal_ret ret;
	assert_true(rc_ok(cert_parse_any(r->a, bytes_of_text(pem), &cert, &r->e)));
	struct principal_resolve_cmd cmd = { .peer_cert = cert->der };
	return rc_ok(room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_PRINCIPAL_RESOLVE, &cmd, &ret));
}

static const char *renew(struct room *r, const struct principal *who)
{
	struct msg_renewed ret;
	struct msg_identity m = { room_csr(r, KEY_EC_P256) };
	assert_true(rc_ok(room_try(r, who, &VERB_IDENTITY_RENEW, &m, &ret)));
	assert_non_null(strstr(ret.server_ca, "BEGIN CERTIFICATE"));
	return ret.certificate;
}

static struct principal agent_with(struct room *r, const char *pem)
{
	struct msg_enrolled m = { .certificate = pem };
	return room_agent(r, &m);
}

static void test_two_hold(void **state)
{
	struct room *r = room_new();
	room_deployment(r, "pg");
	struct msg_enrolled m = room_enroll(r, "pg", "pg-1");
	struct principal first = room_agent(r, &m);
	const char *second = renew(r, &first);
	assert_true(known(r, second));
	assert_true(known(r, m.certificate)); /* the answer may have been lost */
	const char *again = renew(r, &first); /* and it was: the old one asks once more */
	assert_false(known(r, second));
	assert_true(known(r, again));
	assert_true(known(r, m.certificate));
	struct principal now = agent_with(r, again);
	const char *third = renew(r, &now);
	assert_true(known(r, third));
	assert_true(known(r, again));
	assert_false(known(r, m.certificate));
	assert_string_equal(room_last_audit(r), "identity.renew");
	room_free(r);
}

static void open_session(struct room *r, const struct principal *who)
{
	struct msg_opened ret;
	struct msg_session m = { .boot_id = "b", .agent_version = "1" };
	assert_true(rc_ok(room_try(r, who, &VERB_AGENT_SESSION, &m, &ret)));
}

static void test_the_former_ends_when_the_newest_is_used(void **state)
{
	struct room *r = room_new();
	room_deployment(r, "pg");
	struct msg_enrolled m = room_enroll(r, "pg", "pg-1");
	struct principal first = room_agent(r, &m);
	const char *second = renew(r, &first);
	open_session(r, &first);
	assert_true(known(r, m.certificate)); /* it has not said that it got the new one */
	struct principal now = agent_with(r, second);
	open_session(r, &now);
	assert_true(known(r, second));
	assert_false(known(r, m.certificate)); /* a copy of it is worth nothing */
	room_free(r);
}

/* TLS looks at the dates when a connection begins, not when it goes on for weeks. */
static void test_an_expired_identity_is_nobody(void **state)
{
	struct room *r = room_new();
	room_deployment(r, "pg");
	struct msg_enrolled m = room_enroll(r, "pg", "pg-1");
	struct principal who = room_agent(r, &m);
	const struct cert *first, *second;
	assert_true(rc_ok(cert_parse_any(r->a, bytes_of_text(m.certificate), &first, &r->e)));
	r->now = first->not_after - MSEC_HOUR;
	const char *next = renew(r, &who);
	assert_true(known(r, m.certificate) && known(r, next));
	r->now = first->not_after;
	assert_false(known(r, m.certificate));
	assert_true(known(r, next));
	assert_true(rc_ok(cert_parse_any(r->a, bytes_of_text(next), &second, &r->e)));
	r->now = second->not_after;
	assert_false(known(r, next));
	room_free(r);
}

static void test_refusals(void **state)
{
	struct room *r = room_new();
	struct no_ret none;
	room_deployment(r, "pg");
	struct msg_enrolled m = room_enroll(r, "pg", "pg-1");
	struct principal who = room_agent(r, &m);
	struct msg_identity cmd = { "nonsense" };
	room_refused(r, &who, &VERB_IDENTITY_RENEW, &cmd, TROTH_INVALID, "");
	cmd.csr = NULL;
	room_refused(r, &who, &VERB_IDENTITY_RENEW, &cmd, TROTH_INVALID, "missing");
	cmd.csr = room_csr(r, KEY_RSA_2048);
	room_refused(r, &who, &VERB_IDENTITY_RENEW, &cmd, TROTH_INVALID, "sealed");
	cmd.csr = room_csr(r, KEY_EC_P384);
	room_refused(r, &r->admin, &VERB_IDENTITY_RENEW, &cmd, TROTH_FORBIDDEN, "may not");
	room_do(r, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ m.instance_id, true }, &none);
	room_refused(r, &who, &VERB_IDENTITY_RENEW, &cmd, TROTH_FORBIDDEN, "has left");
	assert_false(known(r, m.certificate));
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_two_hold),
		cmocka_unit_test(test_the_former_ends_when_the_newest_is_used),
		cmocka_unit_test(test_an_expired_identity_is_nobody), cmocka_unit_test(test_refusals) };
	return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
