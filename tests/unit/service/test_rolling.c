/* A fleet that changes a few at a time: nobody breaks, and never more than may are changing. */
#include "fleet.h"
#include "service/policy/policy.h"

/* Instances of the deployment ("app" "svc") with a document on its way. */
static int changing(struct fleet *f, const char *prefix)
{
	int n = 0;
	struct tx *tx = fleet_read(f);
	for (size_t i = 0; i < f->node_count; i++) {
		struct target_row t;
		struct document_row *pending;
		size_t count;
		if (!text_starts(f->nodes[i].name, prefix))
			continue;
		FLEET_CHECK(f, rc_ok(target_row_by_uuid(tx, f->a, f->nodes[i].places[0].id, &t, NULL)));
		FLEET_CHECK(f, rc_ok(document_row_list_pending(tx, f->a, t.id, &pending, &count, NULL)));
		n += count > 0;
	}
	fleet_read_end(f, tx);
	return n;
}

static bool says(struct fleet *f, const char *reason)
{
	struct explain_ret x = fleet_explain(f, "/demo/ca");
	for (size_t i = 0; i < x.count; i++)
		if (text_equal(x.items[i].reason, reason))
			return true;
	return false;
}

static bool is_done(struct fleet *f)
{
	return text_equal(fleet_rotation(f, "/demo/ca").state, "done");
}

static void one_at_a_time(void **state)
{
	struct fleet *f = fleet_demo();
	struct deployment_policy_cmd app = fleet_policy_unchanged(f, "app"), svc = fleet_policy_unchanged(f, "svc");
	int most = 0;
	app.max_unavailable = svc.max_unavailable = 1;
	fleet_set_policy(f, app);
	fleet_set_policy(f, svc);
	fleet_rotate(f, "/demo/ca");
	FLEET_CHECK(f, changing(f, "app") == 1 && says(f, "budget"));
	for (int i = 0; i < 400 && !is_done(f); i++) {
		f->now += MSEC_S;
		(void)fleet_turn(f, &f->nodes[(size_t)i % f->node_count]);
		int apps = changing(f, "app"), services = changing(f, "svc");
		most = apps > most ? apps : most;
		FLEET_CHECK(f, apps <= 1 && services <= 1);
		if (i % 50 == 49)
			fleet_restart(f);
	}
	FLEET_CHECK(f, is_done(f) && most == 1);
	fleet_all_hands(f);
	fleet_free(f);
}

static void one_that_dies_does_not_hold_the_others(void **state)
{
	struct fleet *f = fleet_demo();
	struct deployment_policy_cmd app = fleet_policy_unchanged(f, "app");
	app.max_unavailable = 1;
	fleet_set_policy(f, app);
	fleet_node(f, "app-1")->off = true;
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	f->now += (LIMIT_FRESHNESS_S + 1) * MSEC_S; /* silent: whatever lay on the table for it is taken back */
	fleet_settle(f, 10);
	fleet_wake(f);
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2 && fleet_store_size(fleet_node(f, "app-2")) == 2);
	FLEET_CHECK(f, changing(f, "app") == 0);
	fleet_node(f, "app-1")->off = false;
	fleet_settle(f, 100);
	FLEET_CHECK(f, is_done(f));
	fleet_all_hands(f);
	fleet_free(f);
}

/* The first that fails stops the others, also after its agent was started anew; a person says go on. */
static void stop_on_first_failure(void **state)
{
	struct fleet *f = fleet_demo();
	struct deployment_policy_cmd app = fleet_policy_unchanged(f, "app");
	app.max_unavailable = app.stop_on_failure = 1;
	fleet_set_policy(f, app);
	for (size_t i = 0; i < f->node_count; i++)
		f->nodes[i].broken = text_starts(f->nodes[i].name, "app");
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	struct rolling_row row = fleet_policy(f, "app");
	FLEET_CHECK(f, row.stopped_at && strstr(row.stopped_by, "/trust") != NULL);
	int failed = 0;
	const char *first = NULL;
	for (int i = 0; i < 3; i++) {
		struct fleet_node *n = fleet_node(f, arena_printf(f->a, "app-%d", i));
		n->broken = false;
		failed += fleet_target(f, n).failures > 0;
		first = fleet_target(f, n).failures ? n->name : first;
	}
	FLEET_CHECK(f, failed == 1 && text_starts(row.stopped_by, first));
	fleet_kill(f, fleet_node(f, first));
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_policy(f, "app").stopped_at && says(f, "stopped"));
	struct explain_ret x = fleet_explain(f, NULL);
	for (size_t i = 0; i < x.count; i++)
		if (text_equal(x.items[i].reason, "stopped"))
			FLEET_CHECK(f, text_equal(explain_hint(f->a, &x.items[i]), "mend the cause, then: troth rotation resume /demo/ca"));
	struct rotation_ret resumed;
	fleet_must(f, &VERB_ROTATION_RESUME, &(struct rotation_cmd){ r.rotation }, &resumed);
	FLEET_CHECK(f, !fleet_policy(f, "app").stopped_at);
	fleet_settle(f, 100);
	FLEET_CHECK(f, is_done(f));
	fleet_free(f);
}

static void a_retry_goes_on_too(void **state)
{
	struct fleet *f = fleet_demo();
	struct deployment_policy_cmd svc = fleet_policy_unchanged(f, "svc");
	struct retry_ret ret;
	svc.stop_on_failure = svc.max_unavailable = 1;
	fleet_set_policy(f, svc);
	for (int i = 0; i < 3; i++)
		fleet_node(f, arena_printf(f->a, "svc-%d", i))->broken = true;
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	struct rolling_row row = fleet_policy(f, "svc");
	FLEET_CHECK(f, row.stopped_at);
	for (int i = 0; i < 3; i++)
		fleet_node(f, arena_printf(f->a, "svc-%d", i))->broken = false;
	struct fleet_node *n = fleet_node(f, arena_text_n(f->a, row.stopped_by, 5));
	fleet_must(f, &VERB_TARGET_RETRY, &(struct retry_cmd){ n->places[0].id }, &ret);
	FLEET_CHECK(f, ret.stopped && ret.failures > 0);
	fleet_settle(f, 100);
	FLEET_CHECK(f, is_done(f));
	fleet_free(f);
}

static void a_canary_and_a_pause(void **state)
{
	struct fleet *f = fleet_demo();
	struct deployment_policy_cmd app = fleet_policy_unchanged(f, "app");
	app.canary = 1;
	app.pause = 5 * MSEC_MIN;
	fleet_set_policy(f, app);
	fleet_rotate(f, "/demo/ca");
	FLEET_CHECK(f, changing(f, "app") == 1 && says(f, "canary"));
	fleet_settle(f, 20);
	FLEET_CHECK(f, changing(f, "app") == 0 && says(f, "pause-between"));
	msec_t settled = fleet_policy(f, "app").settled_at;
	FLEET_CHECK(f, settled && settled < f->now);
	struct explain_ret x = fleet_explain(f, NULL);
	for (size_t i = 0; i < x.count; i++)
		if (text_equal(x.items[i].reason, "pause-between"))
			FLEET_CHECK(f, x.items[i].earliest == settled + 5 * MSEC_MIN && text_equal(x.items[i].speaker, "time"));
	f->now = settled + 5 * MSEC_MIN;
	fleet_settle(f, 1); /* the agents are heard of again */
	FLEET_CHECK(f, changing(f, "app") + (fleet_store_size(fleet_node(f, "app-0")) == 2) +
			(fleet_store_size(fleet_node(f, "app-1")) == 2) + (fleet_store_size(fleet_node(f, "app-2")) == 2) == 3);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(one_that_dies_does_not_hold_the_others),
		cmocka_unit_test(stop_on_first_failure),
		cmocka_unit_test(a_retry_goes_on_too),
		cmocka_unit_test(a_canary_and_a_pause),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
