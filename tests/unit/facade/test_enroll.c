/* /v1/agent/enroll and /v1/agent/identity, in the agent's own words. */
#include "call.h"

static const char *enroll_body(struct call *c, const char *token)
{
	CLEANUP(buf_release) struct buf out = buf_make(1 << 20);
	struct msg_enroll m = { .token = token, .csr = room_csr(c->room, KEY_EC_P256), .boot_id = "6f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f11",
				.agent_version = "0.1", .instance = "pg-1" };
	msg_enroll_encode(&out, &m);
	return arena_text(c->room->a, buf_text(&out));
}

static void test_enroll_then_renew(void **state)
{
	struct call *c = call_new();
	struct msg_enrolled m;
	struct msg_renewed again;
	const struct cert *identity;
	room_deployment(c->room, "pg");
	const char *body = enroll_body(c, room_token(c->room, "pg", NULL));
	c->bearer = NULL; /* the token in the body is all it has */
	call_expect(c, 201, HTTP_POST, "/v1/agent/enroll", body);
	assert_true(rc_ok(msg_enrolled_decode(c->room->a, bytes_of_text(c->text), &m, &c->room->e)));
	assert_string_equal(m.instance, "pg-1");
	call_expect(c, 401, HTTP_POST, "/v1/agent/enroll", body);
	call_has(c, "detail", "used already");
	call_expect(c, 401, HTTP_POST, "/v1/agent/enroll", enroll_body(c, "wrong"));
	call_expect(c, 400, HTTP_POST, "/v1/agent/enroll", "{\"token\":\"x\",\"odd\":1}");
	call_finding(c, "$.odd");
	assert_true(rc_ok(cert_parse_any(c->room->a, bytes_of_text(m.certificate), &identity, &c->room->e)));
	c->peer_cert = identity->der;
	body = arena_printf(c->room->a, "{\"csr\":%s}", call_quote(c, room_csr(c->room, KEY_EC_P256)));
	call_expect(c, 200, HTTP_POST, "/v1/agent/identity", body);
	assert_true(rc_ok(msg_renewed_decode(c->room->a, bytes_of_text(c->text), &again, &c->room->e)));
	c->peer_cert = bytes_of_text("another's");
	call_expect(c, 401, HTTP_POST, "/v1/agent/identity", body);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_enroll_then_renew) };
	return cmocka_run_group_tests_name("enroll", tests, NULL, NULL);
}
