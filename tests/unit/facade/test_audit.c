/* /v1/audit. */
#include "call.h"

static void test_list_and_verify(void **state)
{
	struct call *c = call_new();
	call_expect(c, 201, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/ca\"}");
	call_expect(c, 200, HTTP_GET, "/v1/audit?object=/prod/ca", NULL);
	call_is(c, "items.0.action", "authority.create");
	call_is(c, "items.0.who", "admin");
	call_is(c, "items.0.after.key_type", "ec-p256");
	call_is(c, "items.0.before", NULL);
	assert_int_equal(strlen(call_at(c, "items.0.hash")), 64);
	call_expect(c, 200, HTTP_GET, "/v1/audit/verify", NULL);
	call_is(c, "ok", "true");
	call_is(c, "broken_at", NULL);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_list_and_verify) };
	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
