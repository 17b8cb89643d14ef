/* /v1/freeze. */
#include "call.h"

static void test_freeze_and_thaw(void **state)
{
	struct call *c = call_new();
	call_expect(c, 200, HTTP_GET, "/v1/freeze", NULL);
	call_is(c, "frozen", "false");
	call_expect(c, 400, HTTP_POST, "/v1/freeze", "{}");
	call_finding(c, "$.reason");
	call_expect(c, 200, HTTP_POST, "/v1/freeze", "{\"reason\":\"incident 7\"}");
	call_is(c, "frozen", "true");
	call_expect(c, 200, HTTP_GET, "/v1/freeze", NULL);
	call_is(c, "reason", "incident 7");
	call_is(c, "by", "admin");
	call_has(c, "since", "T");
	call_expect(c, 200, HTTP_DELETE, "/v1/freeze", NULL);
	call_is(c, "frozen", "false");
	call_is(c, "reason", "incident 7"); /* of the one that ended */
	call_expect(c, 200, HTTP_DELETE, "/v1/freeze", NULL);
	call_is(c, "reason", NULL);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_freeze_and_thaw) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
