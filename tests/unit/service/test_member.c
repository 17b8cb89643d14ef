/* The instance that speaks, and clones of it. */
#include "external.h"

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

/* -- whose an instance is ---------------------------------------------------------------------------------- */

static struct event_list_ret events_for(struct fleet *f, const char *scope)
{
	struct event_list_ret all = { 0 };
	struct principal who = { .name = "dev", .roles = ROLE_DEVELOPER };
	(void)text_copy(who.scope, sizeof who.scope, scope);
	FLEET_CHECK(f, rc_ok(fleet_do(f, &who, &VERB_EVENT_LIST, &(struct event_list_cmd){ .page = { 0, 0 } }, &all, NULL)));
	return all;
}

static size_t told(const struct event_list_ret *all, const char *kind, const char *object)
{
	size_t n = 0;
	for (size_t i = 0; i < all->count; i++)
		n += text_equal(all->items[i].kind, kind) && text_equal(all->items[i].object, object);
	return n;
}

/* The name of an instance is no name that a scope is about: its deployment's is. */
static void of_instances_by_their_deployment(void **state)
{
	struct fleet *f = fleet_demo();
	struct principal auditor = { .name = "auditor", .roles = ROLE_AUDITOR, .scope = "svc*" };
	struct audit_list_ret audit;
	external_deploy(f, (struct deployment_create_cmd){ .no_grace = true });
	external_add(f, "edge-1");
	external_add(f, "svc-9"); /* as if it were one of svc */
	struct event_list_ret cdn = events_for(f, "cdn"), svc = events_for(f, "svc*"), edge = events_for(f, "edge*");
	FLEET_CHECK(f, told(&cdn, "instance.add", "edge-1") == 1 && told(&cdn, "instance.add", "svc-9") == 1);
	FLEET_CHECK(f, told(&cdn, "deployment.create", "cdn") == 1 && told(&cdn, "target.settled", "svc-0") == 0);
	FLEET_CHECK(f, told(&svc, "instance.enroll", "svc-0") == 1 && told(&svc, "target.settled", "svc-0") > 0);
	FLEET_CHECK(f, told(&svc, "instance.add", "svc-9") == 0 && edge.count == 0);
	FLEET_CHECK(f, rc_ok(fleet_do(f, &auditor, &VERB_AUDIT_LIST, &(struct audit_list_cmd){ .object = "svc-9" }, &audit, NULL)) && audit.count == 0);
	FLEET_CHECK(f, rc_ok(fleet_do(f, &auditor, &VERB_AUDIT_LIST, &(struct audit_list_cmd){ .object = "svc-0" }, &audit, NULL)) && audit.count > 0);
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
		cmocka_unit_test(of_instances_by_their_deployment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
