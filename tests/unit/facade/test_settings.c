/* /api/v0/settings/ssl_certificate: what is wrong is said, and nothing changed. */
#include "opsman.h"

#define SSL "/api/v0/settings/ssl_certificate"

static void nothing_was_brought(void **state)
{
	struct call *c = opsman_new();
	call_expect(c, 200, HTTP_GET, SSL, NULL);
	call_is(c, "ssl_certificate.certificate", NULL);
	call_expect(c, 200, HTTP_DELETE, SSL, NULL);
	assert_string_equal(c->text, "{}");
	call_free(c);
}

static void what_is_wrong(void **state)
{
	static const char *const BODIES[] = { "", "null", "{}", "[]", "{\"certificate\":\"x\"}", "{\"certificate\":\"x\",\"private_key\":7}",
					      "{\"certificate\":\"x\",\"private_key\":\"y\"}", "{\"certificate\":\"x\",\"private_key\":\"y\",\"chain\":\"z\"}" };
	struct call *c = opsman_new();
	size_t audit = room_audit_count(c->room);
	for (size_t i = 0; i < ARRAY_LEN(BODIES); i++) {
		call_expect(c, 400, HTTP_PUT, SSL, BODIES[i]);
		assert_true(call_count(c, "errors.errors") > 0);
	}
	assert_int_equal(room_audit_count(c->room), audit);
	c->bearer = opsman_caller(c, "op", "operator");
	call_expect(c, 403, HTTP_DELETE, SSL, NULL);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_was_brought), cmocka_unit_test(what_is_wrong) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
