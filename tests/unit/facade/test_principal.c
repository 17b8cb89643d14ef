/* /v1/principals. */
#include "call.h"

static void test_principals(void **state)
{
	struct call *c = call_new();
	call_expect(c, 201, HTTP_POST, "/v1/principals", "{\"name\":\"ci\",\"role\":\"operator\",\"scope\":\"/prod/*\",\"expires\":\"90d\"}");
	call_has(c, "token", "troth-operator-");
	call_is(c, "credential", "token");
	call_is(c, "state", "active");
	call_has(c, "expires", "T");
	const char *id = call_at(c, "id"), *secret = call_at(c, "token");
	call_expect(c, 200, HTTP_GET, "/v1/principals?name=ci", NULL);
	call_is(c, "items.0.scope", "/prod/*");
	assert_null(strstr(c->text, secret));
	call_expect(c, 200, HTTP_GET, "/v1/principals/ci", NULL);
	call_is(c, "id", id);
	call_expect(c, 200, HTTP_POST, "/v1/principals/ci/rotate", NULL);
	call_has(c, "token", "troth-operator-");
	call_expect(c, 200, HTTP_POST, "/v1/principals/ci/rotate",
		    arena_printf(c->room->a, "{\"csr\":%s}", call_quote(c, room_csr(c->room, KEY_EC_P256))));
	call_has(c, "certificate", "BEGIN CERTIFICATE");
	call_is(c, "token", NULL);
	call_expect(c, 204, HTTP_DELETE, arena_printf(c->room->a, "/v1/principals/%s", id), NULL);
	call_expect(c, 404, HTTP_GET, "/v1/principals/ci", NULL);
	call_expect(c, 400, HTTP_POST, "/v1/principals", "{\"role\":1,\"odd\":2}");
	call_finding(c, "$.name");
	call_finding(c, "$.role");
	call_finding(c, "$.odd");
	c->dry_run = true;
	call_expect(c, 200, HTTP_POST, "/v1/principals", "{\"name\":\"x\",\"role\":\"auditor\"}");
	call_is(c, "token", NULL);
	call_free(c);
}

static void test_passwords(void **state)
{
	struct call *c = call_new();
	call_expect(c, 201, HTTP_POST, "/v1/principals", "{\"name\":\"ada\",\"role\":\"operator\",\"generate_password\":true,\"facade\":\"credhub\"}");
	call_is(c, "credential", "password");
	call_is(c, "facade", "credhub");
	call_is(c, "token", NULL);
	assert_int_equal(strlen(call_at(c, "password")), 27);
	call_expect(c, 200, HTTP_GET, "/v1/principals/ada", NULL);
	call_is(c, "password", NULL);
	call_is(c, "failed_logins", "0");
	call_is(c, "locked_until", NULL);
	call_expect(c, 200, HTTP_POST, "/v1/principals/ada/rotate", NULL);
	assert_non_null(call_at(c, "password"));
	call_expect(c, 400, HTTP_POST, "/v1/principals/ada/rotate", "{\"password\":\"short\"}");
	call_finding(c, "$.password");
	call_expect(c, 200, HTTP_POST, "/v1/principals/ada/rotate", "{\"password\":\"chosen by herself\"}");
	call_is(c, "password", NULL);
	call_expect(c, 200, HTTP_POST, "/v1/principals/ada/unlock", NULL);
	call_is(c, "state", "active");
	call_free(c);
}

/* So that their answers are not kept for an Idempotency-Key. */
static void test_its_routes_are_secret(void **state)
{
	int found = 0;
	for (size_t t = 0; t < NATIVE_TABLE_COUNT; t++)
		for (size_t i = 0; i < NATIVE_TABLES[t]->count; i++) {
			const struct route *row = &NATIVE_TABLES[t]->rows[i];
			if (row->verb != &VERB_PRINCIPAL_ADD && row->verb != &VERB_PRINCIPAL_ROTATE)
				continue;
			assert_true(row->flags & ROUTE_SECRET);
			found++;
		}
	assert_int_equal(found, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_principals), cmocka_unit_test(test_passwords), 
		cmocka_unit_test(test_its_routes_are_secret) };
	return cmocka_run_group_tests_name("principal", tests, NULL, NULL);
}
