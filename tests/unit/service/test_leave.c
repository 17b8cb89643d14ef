/* Leaving: at once, when the service is stopped, when the lease ends. */
#include "fleet.h"

static void told_to_leave(struct fleet *f, const struct fleet_node *n, bool now)
{
	struct no_ret none;
	fleet_must(f, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ n->uuid, now }, &none);
	fleet_tell(f, "%s was told to leave%s", n->name, now ? " now" : "");
}

static void done(struct fleet *f, const struct rotate_ret *r)
{
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r->rotation).state, "done"));
	fleet_all_hands(f);
}

/* A store that leaves holds up nobody from then on. */
static void a_store_leaves_at_once(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-1");
	n->off = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "running"));
	told_to_leave(f, n, false);
	n->until = f->now;
	FLEET_CHECK(f, fleet_instance(f, n).state == INSTANCE_LEFT);
	fleet_settle(f, 60);
	done(f, &r);
	fleet_free(f);
}

/* The agent of a leaver says that nobody answers there any more. */
static void a_presenter_leaves_when_it_is_stopped(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "svc-1");
	struct report_ret ret;
	struct troth_err e = { 0 };
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	told_to_leave(f, n, false);
	FLEET_CHECK(f, fleet_instance(f, n).state == INSTANCE_LEAVING && fleet_target(f, n).state == TARGET_LEAVING);
	fleet_settle(f, 60);
	FLEET_CHECK(f, !fleet_signed_by(f, n, r.new_version)); /* nothing more comes */
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2 && fleet_waits(f, "/demo/ca", "svc-1", "leaving"));
	struct explain_ret x = fleet_explain(f, "svc-1");
	FLEET_CHECK(f, strstr(explain_hint(f->a, &x.items[0]), "troth instance delete svc-1 --now"));
	fleet_all_hands(f);
	struct desired_ret d = fleet_desired(f, n, 0);
	FLEET_CHECK(f, d.desired.target_count == 1 && d.desired.targets[0].leaving);
	told_to_leave(f, n, false); /* said twice is once */
	FLEET_CHECK(f, fleet_instance(f, n).state == INSTANCE_LEAVING);
	struct msg_report m = fleet_report_of(f, n);
	m.stopped = true;
	FLEET_CHECK(f, rc_ok(fleet_do(f, &n->who, &VERB_AGENT_REPORT, &m, &ret, &e)));
	n->until = f->now;
	FLEET_CHECK(f, fleet_instance(f, n).state == INSTANCE_LEFT);
	fleet_refused(f, &n->who, &VERB_AGENT_REPORT, &m, TROTH_FORBIDDEN, "has left");
	fleet_settle(f, 60);
	done(f, &r);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 1);
	fleet_free(f);
}

static void a_presenter_leaves_when_somebody_says_so(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "svc-1");
	n->off = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	told_to_leave(f, n, false);
	fleet_settle(f, 40);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2);
	fleet_restart(f); /* it is remembered */
	told_to_leave(f, n, true);
	n->until = f->now;
	fleet_settle(f, 60);
	done(f, &r);
	fleet_free(f);
}

/* "stopped" of one that nobody told to leave is not believed. */
static void stopped_is_for_leavers(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "svc-0");
	struct msg_report m = fleet_report_of(f, n);
	struct report_ret ret;
	struct troth_err e = { 0 };
	m.stopped = true;
	FLEET_CHECK(f, rc_ok(fleet_do(f, &n->who, &VERB_AGENT_REPORT, &m, &ret, &e)) && ret.counted);
	FLEET_CHECK(f, fleet_target(f, n).state == TARGET_COUNTED);
	fleet_free(f);
}

/* Enrolled, and never admitted: nothing of it was ever relied upon. */
static void a_joiner_leaves_at_once(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_join(f, "svc", "svc-9");
	told_to_leave(f, n, false);
	FLEET_CHECK(f, fleet_instance(f, n).state == INSTANCE_LEFT);
	n->off = true;
	fleet_free(f);
}

/* -- leases ------------------------------------------------------------------------------------------ */

static void ephemeral_deployment(struct fleet *f, bool ignore)
{
	struct deployment_ret ret;
	const char *san = "dns:{instance}.example";
	struct slot_template slot = { .path = "$", .name = "tls", .profile = "nginx", .role = "server", .authority = "/demo/ca",
				      .credential = "/check/{instance}/server", .sans = { &san, 1 } };
	struct store_template store = { .path = "$", .name = "trust", .profile = "pem-files", .bundle = "/demo/trust" };
	struct deployment_create_cmd cmd = { .name = "check", .slots = &slot, .slot_count = 1, .stores = &store, .store_count = 1,
					     .ephemeral = true, .ttl = 60 * MSEC_S, .ignore = ignore };
	fleet_must(f, &VERB_DEPLOYMENT_CREATE, &cmd, &ret);
	FLEET_CHECK(f, ret.deployment.row.ephemeral && ret.deployment.row.lease == 60 * MSEC_S);
}

static struct fleet_node *ephemeral(struct fleet *f, const char *name)
{
	struct fleet_node *n = fleet_join(f, "check", name);
	n->until = f->now + 60 * MSEC_S;
	FLEET_CHECK(f, fleet_instance(f, n).lease_until == n->until);
	return n;
}

/* A check that says nothing more holds a rotation up until its lease ends, and is never called a violation. */
static void a_silent_ephemeral_is_waited_for_until_its_lease_ends(void **state)
{
	struct fleet *f = fleet_demo();
	ephemeral_deployment(f, false);
	struct fleet_node *n = ephemeral(f, "check-1");
	fleet_settle(f, 10);
	fleet_all_hands(f);
	n->off = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 20);
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "check-1", "lease"));
	struct explain_ret x = fleet_explain(f, NULL);
	for (size_t i = 0; i < x.count; i++)
		FLEET_CHECK(f, !text_equal(x.items[i].instance, "check-1") ||
				       (text_equal(x.items[i].speaker, "time") && x.items[i].earliest == n->until));
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "running"));
	FLEET_CHECK(f, !fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	f->now = n->until;
	fleet_wake(f);
	FLEET_CHECK(f, fleet_instance(f, n).state == INSTANCE_LEFT);
	fleet_settle(f, 60);
	done(f, &r);
	fleet_free(f);
}

/* One each few seconds, alive all the time: a rotation goes through as if they were not there. */
static void a_series_of_ephemerals_holds_nothing_up(void **state)
{
	static const char *const names[] = { "check-0", "check-1", "check-2", "check-3", "check-4", "check-5", "check-6", "check-7" };
	struct fleet *f = fleet_demo();
	ephemeral_deployment(f, false);
	struct rotate_ret r = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		(void)ephemeral(f, names[i]);
		if (i == 2)
			r = fleet_rotate(f, "/demo/ca");
		fleet_settle(f, 4);
	}
	fleet_settle(f, 60);
	done(f, &r);
	f->now += 70 * MSEC_S;
	fleet_wake(f);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		FLEET_CHECK(f, fleet_instance(f, fleet_node(f, names[i])).state == INSTANCE_LEFT);
	fleet_settle(f, 10);
	FLEET_CHECK(f, fleet_explain(f, NULL).count == 0);
	fleet_free(f);
}

/* Policy: never waited for, never promised anything. */
static void an_ignored_one_is_never_admitted(void **state)
{
	struct fleet *f = fleet_demo();
	ephemeral_deployment(f, true);
	struct fleet_node *n = ephemeral(f, "check-1");
	n->excused = true;
	fleet_settle(f, 10);
	FLEET_CHECK(f, n->place_count == 2 && fleet_store_size(n) == 1 && fleet_target(f, n).state == TARGET_JOINING);
	n->off = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	done(f, &r);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_store_leaves_at_once),
		cmocka_unit_test(a_presenter_leaves_when_it_is_stopped),
		cmocka_unit_test(a_presenter_leaves_when_somebody_says_so),
		cmocka_unit_test(stopped_is_for_leavers),
		cmocka_unit_test(a_joiner_leaves_at_once),
		cmocka_unit_test(a_silent_ephemeral_is_waited_for_until_its_lease_ends),
		cmocka_unit_test(a_series_of_ephemerals_holds_nothing_up),
		cmocka_unit_test(an_ignored_one_is_never_admitted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
