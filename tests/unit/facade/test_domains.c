/* /api/v0/certificates/generate: what comes back, and what is no domain. */
#include "opsman.h"

#include <string.h>

#define GENERATE "/api/v0/certificates/generate"

static void as_om_generates(void **state)
{
	struct call *c = opsman_new();
	c->bearer = opsman_caller(c, "op", "operator");
	call_expect(c, 200, HTTP_POST, GENERATE, "{\"domains\":[\"*.apps.example.org\",\"*.apps.example.org\",\"10.0.0.1\"]}");
	call_has(c, "certificate", "-----BEGIN CERTIFICATE-----");
	call_has(c, "key", "-----BEGIN RSA PRIVATE KEY-----");
	assert_null(strstr(call_at(c, "certificate") + 1, "-----BEGIN")); /* one */
	assert_string_equal(room_last_audit(c->room), "credential.generate");
	call_free(c);
}

static void what_is_wrong(void **state)
{
	static const struct { const char *body, *words; } CASES[] = {
		{ "", "$.domains is missing" },
		{ "null", "" },
		{ "{}", "$.domains" },
		{ "[]", "" },
		{ "{\"domains\":\"a.example\"}", "$.domains" },
		{ "{\"domains\":[]}", "at least one" },
		{ "{\"domains\":[7]}", "$.domains[0]" },
		{ "{\"domains\":[\"\"]}", "$.domains[0]" },
		{ "{\"domains\":[\"*.com\"]}", "wildcard" },
		{ "{\"domains\":[\"a.example\",\"b c\"]}", "$.domains[1]" },
		{ "{\"domains\":[\"uri:spiffe://x/y\"]}", "no DNS name may have" },
		{ "{\"domains\":[\"\xc3\xbc.example\"]}", "xn--" },
		{ "{\"domains\":[\"a.example\\u0000.evil\"]}", "" },
		{ "{\"domains\":[\"a.example\"],\"key\":1}", "$.key" },
	};
	struct call *c = opsman_new();
	struct arena *a = c->room->a;
	size_t audit = room_audit_count(c->room), calls = c->room->keeper_calls;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		call_expect(c, 400, HTTP_POST, GENERATE, CASES[i].body);
		call_has(c, "errors.errors.0", CASES[i].words);
	}
	const char *many = "\"a.example\"";
	for (int i = 0; i < LIMIT_SAN_COUNT; i++)
		many = arena_printf(a, "%s,\"a.example\"", many);
	call_expect(c, 400, HTTP_POST, GENERATE, arena_printf(a, "{\"domains\":[%s]}", many));
	call_expect(c, 400, HTTP_POST, GENERATE "?skip_safety_check=true", "{\"domains\":[\"a.example\"]}");
	room_authority(c->room, "/other/ca", NULL);
	audit++;
	call_expect(c, 422, HTTP_POST, GENERATE, "{\"domains\":[\"a.example\"]}");
	call_has(c, "errors.0", "/prod/pg/ca, /other/ca");
	assert_int_equal(room_audit_count(c->room), audit);
	c->bearer = opsman_caller(c, "aud", "auditor");
	call_expect(c, 403, HTTP_POST, GENERATE, "{\"domains\":[\"a.example\"]}");
	assert_true(c->room->keeper_calls <= calls + 1); /* /other/ca's */
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(as_om_generates), cmocka_unit_test(what_is_wrong) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
