/* Health, version, who am I, the server's certificate. */
#include "call.h"

#include "../service/brought.h"

static void test_anybody(void **state)
{
	struct call *c = call_new();
	c->bearer = NULL;
	call_expect(c, 200, HTTP_GET, "/v1/health", NULL);
	call_is(c, "status", "ok");
	call_expect(c, 200, HTTP_GET, "/v1/version", NULL);
	call_is(c, "version", TROTH_VERSION);
	call_expect(c, 401, HTTP_GET, "/v1/principals/self", NULL);
	call_free(c);
}

static void test_admin(void **state)
{
	struct call *c = call_new();
	call_expect(c, 200, HTTP_GET, "/v1/principals/self", NULL);
	call_is(c, "name", "admin");
	call_is(c, "roles.0", "admin");
	call_is(c, "scope", "*");
	call_expect(c, 200, HTTP_POST, "/v1/server/certificate",
		    arena_printf(c->room->a, "{\"csr\":%s}", call_quote(c, room_csr(c->room, KEY_EC_P256))));
	call_has(c, "certificate", "BEGIN CERTIFICATE");
	call_expect(c, 400, HTTP_POST, "/v1/server/certificate", "{}");
	call_finding(c, "$.csr");
	call_free(c);
}

static void test_brought(void **state)
{
	struct call *c = call_new();
	struct arena *a = c->room->a;
	struct brought b = brought_make(a, c->room->now, (struct brought_wish){ .san = "troth.example" });
	const char *body = arena_printf(a, "{\"certificate\":%s,\"chain\":%s,\"private_key\":%s}", call_quote(c, b.leaf),
					call_quote(c, arena_printf(a, "%s%s", b.inter, b.root)), call_quote(c, b.key));
	call_expect(c, 200, HTTP_GET, "/v1/server/certificate", NULL);
	call_is(c, "own.names.0", "dns:localhost");
	call_is(c, "brought", NULL);
	call_expect(c, 204, HTTP_DELETE, "/v1/server/certificate", NULL);
	call_expect(c, 200, HTTP_PUT, "/v1/server/certificate", body);
	call_is(c, "brought.anchor", "CN=Corporate");
	call_expect(c, 200, HTTP_GET, "/v1/server/certificate", NULL);
	call_is(c, "brought.subject", "CN=svc");
	call_expect(c, 204, HTTP_DELETE, "/v1/server/certificate", NULL);
	call_expect(c, 400, HTTP_PUT, "/v1/server/certificate", "{}");
	call_finding(c, "$.certificate");
	call_finding(c, "$.private_key");
	call_expect(c, 400, HTTP_PUT, "/v1/server/certificate",
		    arena_printf(a, "{\"certificate\":%s,\"private_key\":\"x\"}", call_quote(c, b.leaf)));
	call_finding(c, "$.private_key");
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_anybody), cmocka_unit_test(test_admin), cmocka_unit_test(test_brought) };
	return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
