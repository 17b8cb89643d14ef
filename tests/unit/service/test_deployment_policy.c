/* What a deployment's policy may say, and that it is said once. */
#include "fleet.h"
#include "service/policy/policy.h"

static void what_a_policy_may_say(void **state)
{
	struct fleet *f = fleet_demo();
	struct deployment_policy_cmd app = fleet_policy_unchanged(f, "app");
	struct principal narrow = { .name = "op", .roles = ROLE_OPERATOR, .scope = "/demo/" "*" };
	app.canary = 2;
	fleet_set_policy(f, app);
	app.canary = -1;
	app.rollout = "manual";
	app.stop_on_failure = 1;
	fleet_set_policy(f, app);
	struct rolling_row row = fleet_policy(f, "app");
	FLEET_CHECK(f, row.canary == 2 && row.manual && row.stop_on_failure && !row.max_unavailable && !row.pause);
	app.rollout = "automatic";
	app.stop_on_failure = 0;
	fleet_set_policy(f, app);
	FLEET_CHECK(f, !fleet_policy(f, "app").manual && !fleet_policy(f, "app").stop_on_failure);
	app.rollout = "perhaps";
	fleet_refused(f, &f->admin, &VERB_DEPLOYMENT_POLICY, &app, TROTH_INVALID, "");
	app.rollout = NULL;
	app.max_unavailable = LIMIT_STEP_ACTS + 1;
	fleet_refused(f, &f->admin, &VERB_DEPLOYMENT_POLICY, &app, TROTH_INVALID, "");
	app.max_unavailable = -1;
	app.pause = 25 * MSEC_HOUR;
	fleet_refused(f, &f->admin, &VERB_DEPLOYMENT_POLICY, &app, TROTH_INVALID, "");
	app.pause = 0;
	fleet_refused(f, &narrow, &VERB_DEPLOYMENT_POLICY, &app, TROTH_NOT_FOUND, "");
	app.id = "x";
	fleet_refused(f, &f->admin, &VERB_DEPLOYMENT_POLICY, &app, TROTH_NOT_FOUND, "");
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_policy_may_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
