/* /v1/instances and /v1/targets. */
#include "call.h"

static void test_both(void **state)
{
	struct call *c = call_new();
	struct arena *a = c->room->a;
	room_deployment(c->room, "pg");
	struct msg_enrolled m = room_enroll(c->room, "pg", "pg-1");
	call_expect(c, 200, HTTP_GET, "/v1/instances?deployment=pg", NULL);
	call_is(c, "items.0.name", "pg-1");
	call_is(c, "items.0.state", "active");
	assert_non_null(call_at(c, "items.0.identity_not_after"));
	call_expect(c, 200, HTTP_GET, arena_printf(a, "/v1/instances/%s", m.instance_id), NULL);
	assert_int_equal(call_count(c, "targets"), 2);
	call_expect(c, 200, HTTP_GET, arena_printf(a, "/v1/targets?instance=%s", m.instance_id), NULL);
	call_is(c, "items.0.instance.name", "pg-1");
	call_is(c, "items.0.deployment", "pg");
	call_is(c, "items.0.kind", "slot");
	call_is(c, "items.0.state", "joining");
	call_is(c, "items.0.credential", "/prod/pg/pg-1/server");
	call_is(c, "items.1.credential", NULL);
	call_is(c, "items.1.kind", "store");
	assert_non_null(call_at(c, "items.1.wanted.generation"));
	call_is(c, "items.1.last_error", NULL);
	const char *target = call_at(c, "items.1.id");
	call_expect(c, 200, HTTP_GET, arena_printf(a, "/v1/targets/%s", target), NULL);
	call_is(c, "name", "trust");
	call_expect(c, 400, HTTP_GET, "/v1/targets?state=odd&instance=7", NULL);
	call_finding(c, "?state");
	call_finding(c, "?instance");
	call_expect(c, 204, HTTP_DELETE, arena_printf(a, "/v1/instances/%s", m.instance_id), NULL);
	call_expect(c, 200, HTTP_GET, "/v1/targets", NULL);
	assert_int_equal(call_count(c, "items"), 0);
	call_expect(c, 400, HTTP_GET, "/v1/targets?limit=0", NULL);
	call_expect(c, 400, HTTP_GET, "/v1/instances?after=x", NULL);
	call_free(c);
}

/* Waived, with what that costs; leaving, now or when it is stopped. */
static void test_waive_and_leave(void **state)
{
	struct call *c = call_new();
	struct arena *a = c->room->a;
	room_deployment(c->room, "pg");
	struct msg_enrolled m = room_enroll(c->room, "pg", "pg-1");
	const char *path = arena_printf(a, "/v1/instances/%s", m.instance_id), *waive = arena_printf(a, "%s/waive", path);
	call_expect(c, 400, HTTP_POST, waive, "{}");
	call_finding(c, "$.reason");
	c->dry_run = true;
	call_expect(c, 200, HTTP_POST, waive, "{\"reason\":\"away\"}");
	call_is(c, "dry_run", "true");
	call_is(c, "instance", "pg-1");
	assert_int_equal(call_count(c, "pairs"), 0); /* nobody counts yet */
	assert_int_equal(call_count(c, "frees"), 0);
	c->dry_run = false;
	call_expect(c, 200, HTTP_POST, waive, "{\"reason\":\"away\"}");
	call_expect(c, 409, HTTP_POST, waive, "{\"reason\":\"away\"}");
	call_expect(c, 200, HTTP_GET, path, NULL);
	call_is(c, "state", "waived");
	call_is(c, "targets.0.state", "waived");
	call_expect(c, 409, HTTP_POST, "/v1/tokens", "{\"deployment\":\"pg\",\"instance\":\"pg-1\"}");
	call_expect(c, 400, HTTP_POST, "/v1/tokens", "{\"deployment\":\"pg\",\"reinstall\":true}");
	call_finding(c, "$.reinstall");
	call_expect(c, 201, HTTP_POST, "/v1/tokens", "{\"deployment\":\"pg\",\"instance\":\"pg-1\",\"reinstall\":true}");
	call_is(c, "reinstall", "true");
	call_expect(c, 400, HTTP_DELETE, arena_printf(a, "%s?now=perhaps", path), NULL);
	call_expect(c, 204, HTTP_DELETE, arena_printf(a, "%s?now=true", path), NULL);
	call_expect(c, 404, HTTP_DELETE, arena_printf(a, "%s?now=false", path), NULL);
	call_free(c);
}

/* An agent may not look around: default deny. */
static void test_agents_may_not(void **state)
{
	struct call *c = call_new();
	const struct cert *identity;
	room_deployment(c->room, "pg");
	struct msg_enrolled m = room_enroll(c->room, "pg", "pg-1");
	assert_true(rc_ok(cert_parse_any(c->room->a, bytes_of_text(m.certificate), &identity, &c->room->e)));
	c->bearer = NULL;
	c->peer_cert = identity->der;
	call_expect(c, 403, HTTP_GET, "/v1/targets", NULL);
	call_expect(c, 403, HTTP_GET, "/v1/instances", NULL);
	call_expect(c, 403, HTTP_POST, "/v1/tokens", "{\"deployment\":\"pg\"}");
	call_expect(c, 200, HTTP_GET, "/v1/principals/self", NULL);
	call_is(c, "roles.0", "agent");
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_both), cmocka_unit_test(test_waive_and_leave), cmocka_unit_test(test_agents_may_not) };
	return cmocka_run_group_tests_name("instance", tests, NULL, NULL);
}
