/* /v1/agent/recovery and /v1/recoveries. */
#include "call.h"

#include "model/message.h"

static const char *ask(struct call *c, const struct key *old, const struct key *next, const char *certificate, const char *id)
{
	struct room *r = c->room;
	CLEANUP(buf_release) struct buf signature = buf_make(256), body = buf_make(MSG_BYTES);
	struct msg_recovery m = { .certificate = certificate };
	call_expect(c, 200, HTTP_GET, "/v1/agent/recovery", NULL);
	assert_string_equal(call_header(c, "Cache-Control"), "no-store");
	m.nonce = call_at(c, "nonce");
	assert_true(rc_ok(csr_build(r->a, next, id, &m.csr, &r->e)));
	assert_true(rc_ok(key_sign(old, msg_recovery_signed(r->a, &m), &signature, &r->e)));
	m.signature = hex_encode(signature.data, signature.len, arena_alloc(r->a, 2 * signature.len + 1));
	msg_recovery_encode(&body, &m);
	return arena_text(r->a, buf_text(&body));
}

static void test_from_asking_to_the_certificate(void **state)
{
	struct call *c = call_new();
	struct room *r = c->room;
	struct key *old, *next;
	const char *admin = c->bearer, *csr;
	assert_true(rc_ok(key_generate(KEY_EC_P256, &old, &r->e)) && rc_ok(key_generate(KEY_EC_P256, &next, &r->e)));
	room_deployment(r, "pg");
	assert_true(rc_ok(csr_build(r->a, old, "x", &csr, &r->e)));
	c->bearer = NULL;
	call_expect(c, 201, HTTP_POST, "/v1/agent/enroll", arena_printf(r->a, "{\"token\":\"%s\",\"csr\":%s,\"boot_id\":\"b\"}",
									 room_token(r, "pg", "pg-1"), call_quote(c, csr)));
	const char *id = call_at(c, "instance_id"), *certificate = call_at(c, "certificate");
	r->now += 91 * MSEC_DAY;
	call_expect(c, 202, HTTP_POST, "/v1/agent/recovery", ask(c, old, next, certificate, id));
	call_is(c, "state", "pending");
	call_is(c, "instance", "pg-1");
	call_is(c, "certificate", NULL);
	call_expect(c, 401, HTTP_GET, "/v1/recoveries", NULL);
	call_expect(c, 401, HTTP_POST, "/v1/recoveries/approve", "{\"all\":true}");
	c->bearer = admin;
	call_expect(c, 200, HTTP_GET, "/v1/recoveries", NULL);
	assert_int_equal(call_count(c, "items"), 1);
	call_is(c, "items.0.instance", "pg-1");
	call_is(c, "items.0.instance_id", id);
	call_is(c, "items.0.deployment", "pg");
	call_is(c, "items.0.state", "pending");
	assert_non_null(call_at(c, "items.0.since"));
	assert_non_null(call_at(c, "items.0.identity_ended"));
	assert_int_equal(strlen(call_at(c, "items.0.key")), 64);
	call_expect(c, 200, HTTP_POST, "/v1/recoveries/deny", arena_printf(r->a, "{\"instances\":[\"%s\"]}", id));
	call_is(c, "instances.0", "pg-1");
	r->now += 5 * MSEC_S;
	call_expect(c, 403, HTTP_POST, "/v1/agent/recovery", ask(c, old, next, certificate, id));
	c->dry_run = true;
	call_expect(c, 200, HTTP_POST, "/v1/recoveries/approve", arena_printf(r->a, "{\"instances\":[\"%s\"]}", id));
	call_is(c, "dry_run", "true");
	c->dry_run = false;
	call_expect(c, 200, HTTP_GET, "/v1/recoveries", NULL);
	call_is(c, "items.0.state", "denied");
	call_is(c, "items.0.decided_by", "admin");
	call_expect(c, 200, HTTP_POST, "/v1/recoveries/approve", arena_printf(r->a, "{\"instances\":[\"%s\"]}", id));
	c->bearer = NULL;
	call_expect(c, 200, HTTP_POST, "/v1/agent/recovery", ask(c, old, next, certificate, id));
	call_is(c, "state", "approved");
	call_has(c, "certificate", "BEGIN CERTIFICATE");
	call_has(c, "server_ca", "BEGIN CERTIFICATE");
	key_release(old);
	key_release(next);
	call_free(c);
}

static void test_bad_input(void **state)
{
	struct call *c = call_new();
	call_expect(c, 400, HTTP_POST, "/v1/recoveries/approve", "{}");
	call_finding(c, "$.instances");
	call_expect(c, 400, HTTP_POST, "/v1/recoveries/approve", "{\"instances\":[\"x\"],\"all\":true}");
	call_expect(c, 400, HTTP_POST, "/v1/recoveries/deny", "{\"all\":true,\"odd\":1}");
	call_finding(c, "$.all");
	call_finding(c, "$.odd");
	call_expect(c, 404, HTTP_POST, "/v1/recoveries/deny", "{\"instances\":[\"x\"]}");
	call_expect(c, 200, HTTP_POST, "/v1/recoveries/approve", "{\"all\":true}");
	call_is(c, "left", "0");
	c->bearer = NULL;
	call_expect(c, 400, HTTP_POST, "/v1/agent/recovery", "{\"certificate\":\"\",\"odd\":1}");
	call_finding(c, "$.csr");
	call_finding(c, "$.nonce");
	call_finding(c, "$.signature");
	call_finding(c, "$.odd");
	/* oversized: each text has its bound */
	char *large = arena_alloc(c->room->a, (size_t)LIMIT_CERT_DER_BYTES * 2 + 2);
	memset(large, 'A', (size_t)LIMIT_CERT_DER_BYTES * 2 + 1);
	call_expect(c, 400, HTTP_POST, "/v1/agent/recovery", arena_printf(c->room->a, "{\"certificate\":\"%s\",\"csr\":\"%s\",\"nonce\":\"%.200s\",\"signature\":\"%.300s\"}", large,
									 large, large, large));
	call_finding(c, "$.certificate");
	call_finding(c, "$.csr");
	call_finding(c, "$.nonce");
	call_finding(c, "$.signature");
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_from_asking_to_the_certificate), cmocka_unit_test(test_bad_input) };
	return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
