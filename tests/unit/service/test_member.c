/* The instance that speaks, and clones of it. */
#include "fleet.h"

static void only_agents(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	struct principal nobody = { .name = "x", .roles = ROLE_AGENT };
	struct msg_session cmd = { "b", NULL, "1", NULL, 0 };
	fleet_refused(f, &nobody, &VERB_AGENT_SESSION, &cmd, TROTH_FORBIDDEN, "only an instance");
	struct no_ret gone;
	fleet_must(f, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ n->uuid, true }, &gone);
	fleet_refused(f, &n->who, &VERB_AGENT_SESSION, &cmd, TROTH_FORBIDDEN, "has left");
	fleet_free(f);
}

/* Two agents with one identity take the session from each other. */
static void cloned_node(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	for (int i = 0; i < 4; i++) {
		struct fleet_node other = *n;
		fleet_open(f, &other);
		f->now += MSEC_S;
		FLEET_CHECK(f, fleet_turn(f, n)); /* its session is stale: it opens a new one */
	}
	fleet_report(f, n, &n->places[0]);
	FLEET_CHECK(f, !fleet_target(f, n).base_known);
	FLEET_CHECK(f, fleet_waits(f, NULL, "app-0", "unknown"));
	f->now += 10 * MSEC_MIN; /* the other one is gone */
	fleet_report(f, n, &n->places[0]);
	FLEET_CHECK(f, fleet_target(f, n).base_known);
	fleet_free(f);
}

/* What was reported under the alarm was not counted, and an agent says it once in a session: so when the
 * other one is gone the poll ends the session, and the next one says everything. */
static void a_clone_alarm_falls_by_itself(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	for (int i = 0; i < 4; i++) {
		struct fleet_node other = *n;
		fleet_open(f, &other);
		f->now += MSEC_S;
		FLEET_CHECK(f, fleet_turn(f, n));
	}
	fleet_settle(f, 5);
	FLEET_CHECK(f, !fleet_target(f, n).base_known);
	f->now += 10 * MSEC_MIN;
	fleet_settle(f, 5);
	FLEET_CHECK(f, fleet_target(f, n).base_known);
	fleet_free(f);
}

static void boot_id_comes_back(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	const char *first = n->boot_id;
	n->boot_id = "second";
	fleet_open(f, n);
	fleet_report(f, n, &n->places[0]);
	FLEET_CHECK(f, fleet_target(f, n).base_known);
	n->boot_id = first;
	fleet_open(f, n);
	fleet_report(f, n, &n->places[0]);
	FLEET_CHECK(f, !fleet_target(f, n).base_known);
	fleet_free(f);
}

/* An agent that is killed again and again is no clone. */
static void killed_is_not_cloned(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	for (int i = 0; i < 20; i++) {
		fleet_kill(f, n);
		fleet_turn(f, n);
	}
	FLEET_CHECK(f, fleet_target(f, n).base_known);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_agents),
		cmocka_unit_test(cloned_node),
		cmocka_unit_test(a_clone_alarm_falls_by_itself),
		cmocka_unit_test(boot_id_comes_back),
		cmocka_unit_test(killed_is_not_cloned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
