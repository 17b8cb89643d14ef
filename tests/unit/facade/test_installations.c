/* /api/v0/installations: what om sends, and what else people type. */
#include "opsman.h"

#define INSTALLATIONS "/api/v0/installations"

static void as_om_applies(void **state)
{
	struct call *c = opsman_new();
	call_expect(c, 200, HTTP_GET, INSTALLATIONS, NULL);
	assert_int_equal(call_count(c, "installations"), 0);
	call_expect(c, 200, HTTP_POST, INSTALLATIONS,
		    "{\"ignore_warnings\":\"false\",\"force_latest_variables\":false,\"deploy_products\":\"all\",\"errands\":{\"pg\":{\"run_post_deploy\":{}}}}");
	const char *id = call_at(c, "install.id"), *path = arena_printf(c->room->a, INSTALLATIONS "/%s", id);
	assert_non_null(id);
	call_expect(c, 200, HTTP_GET, path, NULL);
	call_is(c, "status", "succeeded");
	call_expect(c, 200, HTTP_GET, arena_printf(c->room->a, "%s/logs", path), NULL);
	call_has(c, "logs", "applying changes\n");
	call_has(c, "logs", "every member was seen to have what is wanted\n");
	call_expect(c, 200, HTTP_GET, INSTALLATIONS, NULL);
	call_is(c, "installations.0.id", id);
	call_is(c, "installations.0.user_name", "opsman");
	call_expect(c, 200, HTTP_POST, INSTALLATIONS, "null");
	call_expect(c, 200, HTTP_POST, INSTALLATIONS, NULL);
	call_free(c);
}

static void what_is_wrong(void **state)
{
	struct call *c = opsman_new();
	size_t audit = room_audit_count(c->room);
	call_expect(c, 422, HTTP_POST, INSTALLATIONS, "{\"deploy_products\":[\"pg\",\"nobody\"]}");
	call_has(c, "errors.0", "there is no deployment nobody");
	call_expect(c, 422, HTTP_POST, INSTALLATIONS, "{\"deploy_products\":[\"nobody\"]}");
	call_has(c, "errors.0", "deployment pg is left out");
	call_expect(c, 400, HTTP_POST, INSTALLATIONS, "{\"deploy_products\":\"some\"}");
	call_has(c, "errors.errors.0", "neither \"all\"");
	call_expect(c, 400, HTTP_POST, INSTALLATIONS, "{\"deploy_products\":[\"pg\",{}]}");
	call_has(c, "errors.errors.0", "$.deploy_products[1]");
	call_expect(c, 400, HTTP_POST, INSTALLATIONS, "{\"deploy\":\"all\"}");
	call_expect(c, 400, HTTP_POST, INSTALLATIONS, "{");
	call_expect(c, 404, HTTP_GET, INSTALLATIONS "/1x", NULL);
	call_expect(c, 404, HTTP_GET, INSTALLATIONS "/-1", NULL);
	call_expect(c, 404, HTTP_GET, INSTALLATIONS "/99999999999999999999999/logs", NULL);
	call_has(c, "errors.0", "there is no installation");
	assert_int_equal(room_audit_count(c->room), audit);
	c->bearer = opsman_caller(c, "aud", "auditor");
	call_expect(c, 403, HTTP_POST, INSTALLATIONS, NULL);
	call_free(c);
}

/* om apply-changes --skip-deploy-products, and --product-name with every product there is. */
static void none_and_each_by_name(void **state)
{
	struct call *c = opsman_new();
	call_expect(c, 200, HTTP_POST, INSTALLATIONS, "{\"deploy_products\":\"none\"}");
	const char *path = arena_printf(c->room->a, INSTALLATIONS "/%s", call_at(c, "install.id"));
	call_expect(c, 200, HTTP_GET, path, NULL);
	call_is(c, "status", "succeeded");
	call_expect(c, 200, HTTP_GET, arena_printf(c->room->a, "%s/logs", path), NULL);
	call_has(c, "logs", "applying changes to no deployment\n");
	call_has(c, "logs", "nothing was approved");
	call_expect(c, 200, HTTP_POST, INSTALLATIONS, "{\"deploy_products\":[]}");
	call_expect(c, 200, HTTP_POST, INSTALLATIONS, "{\"deploy_products\":[\"pg\"]}");
	call_expect(c, 200, HTTP_GET, arena_printf(c->room->a, INSTALLATIONS "/%s/logs", call_at(c, "install.id")), NULL);
	call_has(c, "logs", "every member was seen to have what is wanted\n");
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(as_om_applies), cmocka_unit_test(none_and_each_by_name), cmocka_unit_test(what_is_wrong) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
