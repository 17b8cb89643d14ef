/* Policies, and the freeze. */
#include "cli_fixture.h"

#define PG_FOUND { "GET /v1/deployments?name=pg", NULL, 200, "{\"items\":[{\"name\":\"pg\",\"id\":\"7\"}],\"next\":null}" }

static void only_what_is_given_is_sent(void **state)
{
	struct scene *s = *state;
	static const struct turn some[] = { PG_FOUND, { "PATCH /v1/deployments/7", "{\"max_unavailable\":1,\"stop_on_failure\":true}", 200,
							"{\"name\":\"pg\",\"max_unavailable\":1}" } };
	static const struct turn off[] = { PG_FOUND, { "PATCH /v1/deployments/7", "{\"stop_on_failure\":false}", 200, "{\"name\":\"pg\"}" } };
	assert_int_equal(RUN(s, some, "deployment", "policy", "pg", "--max-unavailable", "1", "--stop-on-failure"), 0);
	assert_has(s->out, "max unavailable");
	assert_int_equal(RUN(s, off, "deployment", "policy", "pg", "--no-stop-on-failure"), 0);
	assert_int_equal(RUN_ALONE(s, "deployment", "policy", "pg"), 2);
	assert_has(s->err, "deployment show pg");
}

static void windows_and_rollouts(void **state)
{
	struct scene *s = *state;
	static const struct turn two[] = { PG_FOUND, { "PATCH /v1/deployments/7", "{\"windows\":[\"0 2 * * 6 4h UTC\",\"0 2 * * 0 4h UTC\"]}", 200,
						       "{\"name\":\"pg\"}" } };
	static const struct turn none[] = { PG_FOUND, { "PATCH /v1/deployments/7", "{\"windows\":[]}", 200, "{\"name\":\"pg\"}" } };
	static const struct turn ca[] = {
		{ "GET /v1/authorities?name=%2Fca", NULL, 200, "{\"items\":[{\"name\":\"/ca\",\"id\":\"3\"}],\"next\":null}" },
		{ "PATCH /v1/authorities/3/rollout", "{\"switch\":\"all\",\"rollout\":\"manual\"}", 200, "{\"name\":\"/ca\"}" } };
	assert_int_equal(RUN(s, two, "deployment", "policy", "pg", "--window", "0 2 * * 6 4h UTC", "--window", "0 2 * * 0 4h UTC"), 0);
	assert_int_equal(RUN(s, none, "deployment", "policy", "pg", "--no-window"), 0);
	assert_int_equal(RUN(s, ca, "authority", "policy", "/ca", "--switch", "all", "--rollout", "manual"), 0);
}

static void a_freeze_has_a_reason(void **state)
{
	struct scene *s = *state;
	static const char ON[] = "{\"frozen\":true,\"reason\":\"incident 7\",\"by\":\"admin\",\"since\":\"2026-11-22T06:55:01Z\"}";
	const struct turn freeze[] = { { "POST /v1/freeze", "{\"reason\":\"incident 7\"}", 200, ON } };
	const struct turn show[] = { { "GET /v1/freeze", NULL, 200, "{\"frozen\":false}" } };
	const struct turn thaw[] = { { "DELETE /v1/freeze", NULL, 200, "{\"frozen\":false,\"reason\":\"incident 7\"}" } };
	assert_int_equal(RUN(s, freeze, "freeze", "--reason", "incident 7"), 0);
	assert_has(s->out, "frozen since 2026-11-22T06:55:01Z by admin: incident 7");
	assert_int_equal(RUN(s, show, "freeze", "--show"), 0);
	assert_has(s->out, "not frozen");
	assert_int_equal(RUN(s, thaw, "thaw"), 0);
	assert_has(s->out, "thawed");
	assert_int_equal(RUN(s, thaw, "thaw", "-o", "json"), 0);
	assert_has(s->out, "\"frozen\": false");
	assert_int_equal(RUN_ALONE(s, "freeze"), 2);
	assert_has(s->err, "--reason");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_given_is_sent),
		cmocka_unit_test(windows_and_rollouts),
		cmocka_unit_test(a_freeze_has_a_reason),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
