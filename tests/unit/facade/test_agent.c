/* The agent API after enrolment, in the agent's own words: session, desired, csr, report. */
#include "call.h"

#include "model/message.h"

struct node {
	struct call *c;
	struct msg_opened opened;
	struct msg_desired desired;
};

static struct call *agent_new(void)
{
	struct call *c = call_new();
	const struct cert *identity;
	room_deployment(c->room, "pg");
	struct msg_enrolled m = room_enroll(c->room, "pg", "pg-1");
	assert_true(rc_ok(cert_parse_any(c->room->a, bytes_of_text(m.certificate), &identity, &c->room->e)));
	c->bearer = NULL;
	c->peer_cert = identity->der;
	return c;
}

static struct node open_session(struct call *c)
{
	struct node n = { .c = c };
	call_expect(c, 201, HTTP_POST, "/v1/agent/session",
		    "{\"boot_id\":\"boot\",\"epoch\":\"1\",\"agent_version\":\"1\",\"targets\":[]}");
	assert_true(rc_ok(msg_opened_decode(c->room->a, bytes_of_text(c->text), &n.opened, &c->room->e)));
	assert_true(n.opened.session > 0);
	return n;
}

static void poll(struct node *n)
{
	struct call *c = n->c;
	call_expect(c, 200, HTTP_GET, arena_printf(c->room->a, "/v1/agent/desired?session=%lld&after=%lld",
						   (long long)n->opened.session, (long long)n->desired.version), NULL);
	assert_true(rc_ok(msg_desired_decode(c->room->a, bytes_of_text(c->text), &n->desired, &c->room->e)));
}

static const struct msg_target *target(const struct node *n, enum msg_target_kind kind)
{
	for (size_t i = 0; i < n->desired.target_count; i++)
		if (n->desired.targets[i].kind == kind)
			return &n->desired.targets[i];
	fail_msg("no such target");
	return NULL;
}

static const char *report_body(struct node *n, const struct msg_target *t, int64_t generation, const char *more)
{
	return arena_printf(n->c->room->a,
			    "{\"session\":%lld,\"seq\":1,\"target\":\"%s\",\"generation\":%lld,\"high_water\":%lld,"
			    "\"level\":\"loaded\",\"settled\":true,\"fingerprints\":[]%s}",
			    (long long)n->opened.session, t->id, (long long)generation, (long long)generation, more);
}

static void the_four_calls(void **state)
{
	struct call *c = agent_new();
	struct node n = open_session(c);
	poll(&n);
	assert_int_equal(n.desired.target_count, 2);
	assert_int_equal(target(&n, MSG_STORE)->generation, 1);
	const struct msg_target *slot = target(&n, MSG_SLOT);
	assert_non_null(slot->csr);
	const char *csr = call_quote(c, room_csr(c->room, KEY_EC_P256));
	call_expect(c, 200, HTTP_POST, "/v1/agent/csr",
		    arena_printf(c->room->a, "{\"session\":%lld,\"target\":\"%s\",\"request\":\"%s\",\"csr\":%s}",
				 (long long)n.opened.session, slot->id, slot->csr->request, csr));
	poll(&n);
	assert_null(target(&n, MSG_SLOT)->csr);
	call_expect(c, 200, HTTP_POST, "/v1/agent/report", report_body(&n, target(&n, MSG_STORE), 0, ""));
	call_free(c);
}

static void what_bad_input_gets(void **state)
{
	struct call *c = agent_new();
	struct node n = open_session(c);
	poll(&n);
	const struct msg_target *store = target(&n, MSG_STORE);
	call_expect(c, 400, HTTP_POST, "/v1/agent/report", report_body(&n, store, 0, ",\"odd\":1"));
	call_finding(c, "$.odd");
	call_expect(c, 400, HTTP_POST, "/v1/agent/session", "{\"boot_id\":");
	call_expect(c, 400, HTTP_GET, "/v1/agent/desired?session=x", NULL);
	call_expect(c, 409, HTTP_GET, "/v1/agent/desired?session=9999", NULL);
	call_has(c, "type", "/stale-session");
	call_expect(c, 409, HTTP_GET, "/v1/agent/desired", NULL);
	call_has(c, "type", "/stale-session");
	n.opened.session += 7;
	call_expect(c, 409, HTTP_POST, "/v1/agent/report", report_body(&n, store, 0, ""));
	call_has(c, "type", "/stale-session");
	c->peer_cert = bytes_of(NULL, 0);
	call_expect(c, 401, HTTP_POST, "/v1/agent/report", report_body(&n, store, 0, ""));
	call_free(c);
}

static void held_poll(void **state)
{
	struct call *c = agent_new();
	struct node n = open_session(c);
	poll(&n);
	assert_false(c->held);
	c->wait = 5 * MSEC_S;
	poll(&n);
	assert_true(c->held);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_four_calls),
		cmocka_unit_test(what_bad_input_gets),
		cmocka_unit_test(held_poll),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
