/* What a deployment's policy may say, and that it is said once. */
#include "fleet.h"
#include "service/policy.h"

static const char *deployment_id(struct fleet *f, const char *name)
{
	struct deployment_list_ret list;
	fleet_must(f, &VERB_DEPLOYMENT_LIST, &(struct list_cmd){ .name = name }, &list);
	FLEET_CHECK(f, list.count == 1);
	return list.items[0].row.uuid;
}

static struct deployment_policy_cmd unchanged(struct fleet *f, const char *deployment)
{
	return (struct deployment_policy_cmd){ deployment_id(f, deployment), -1, -1, -1, -1, NULL, false, { 0 } };
}

static void set(struct fleet *f, struct deployment_policy_cmd cmd)
{
	struct deployment_ret ret;
	fleet_must(f, &VERB_DEPLOYMENT_POLICY, &cmd, &ret);
}

static struct rolling_row policy(struct fleet *f, const char *deployment)
{
	struct deployment_ret ret;
	fleet_must(f, &VERB_DEPLOYMENT_SHOW, &(struct id_cmd){ deployment_id(f, deployment) }, &ret);
	return ret.deployment.rolling;
}

static void what_a_policy_may_say(void **state)
{
	struct fleet *f = fleet_demo();
	struct deployment_policy_cmd app = unchanged(f, "app");
	struct principal narrow = { .name = "op", .roles = ROLE_OPERATOR, .scope = "/demo/" "*" };
	app.canary = 2;
	set(f, app);
	app.canary = -1;
	app.rollout = "manual";
	app.stop_on_failure = 1;
	set(f, app);
	struct rolling_row row = policy(f, "app");
	FLEET_CHECK(f, row.canary == 2 && row.manual && row.stop_on_failure && !row.max_unavailable && !row.pause);
	app.rollout = "automatic";
	app.stop_on_failure = 0;
	set(f, app);
	FLEET_CHECK(f, !policy(f, "app").manual && !policy(f, "app").stop_on_failure);
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
