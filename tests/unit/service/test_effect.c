/* The outbox: keys that the keeper makes. */
#include "fleet.h"

static struct fleet *sealed_fleet(void)
{
	struct fleet *f = fleet_new();
	struct deployment_ret deployment;
	const char *san = "dns:{instance}.example";
	struct slot_template slot = { .path = "$", .name = "tls", .profile = "nginx", .role = "server", .authority = "/demo/ca",
				      .credential = "/sealed/{instance}/server", .sans = { &san, 1 }, .key_source = "keeper" };
	fleet_must(f, &VERB_DEPLOYMENT_CREATE,
		   &(struct deployment_create_cmd){ .name = "sealed", .slots = &slot, .slot_count = 1 }, &deployment);
	fleet_join(f, "sealed", "svc-0");
	fleet_settle(f, 3);
	return f;
}

static void nothing_due(void **state)
{
	struct fleet *f = fleet_demo();
	struct effect_ret ret;
	struct troth_err e = { 0 };
	FLEET_CHECK(f, rc_ok(fleet_do(f, &PRINCIPAL_SYSTEM, &VERB_EFFECT, &(struct effect_cmd){ 0 }, &ret, &e)) && !ret.done_id);
	FLEET_CHECK(f, rc_ok(fleet_do(f, &PRINCIPAL_SYSTEM, &VERB_EFFECT_FAILED, &(struct effect_failed_cmd){ "x" }, &ret, &e)) &&
		       !ret.done_id);
	fleet_refused(f, &f->admin, &VERB_EFFECT, &(struct effect_cmd){ 0 }, TROTH_FORBIDDEN, "may not do");
	fleet_free(f);
}

static void sealed_and_delivered(void **state)
{
	struct fleet *f = sealed_fleet();
	struct fleet_node *n = fleet_node(f, "svc-0");
	FLEET_CHECK(f, n->places[0].l == 0);
	fleet_effects(f);
	fleet_settle(f, 5);
	FLEET_CHECK(f, n->places[0].l == 1 && n->places[0].loaded.count == 1); /* apply() opened the key */
	fleet_free(f);
}

static void failed_effect_is_postponed(void **state)
{
	struct fleet *f = sealed_fleet();
	struct effect_ret ret;
	struct troth_err e = { 0 };
	FLEET_CHECK(f, rc_ok(fleet_do(f, &PRINCIPAL_SYSTEM, &VERB_EFFECT_FAILED, &(struct effect_failed_cmd){ "keeper away" },
				      &ret, &e)) && ret.done_id);
	FLEET_CHECK(f, rc_ok(fleet_do(f, &PRINCIPAL_SYSTEM, &VERB_EFFECT, &(struct effect_cmd){ 0 }, &ret, &e)) && !ret.done_id);
	f->now += 2 * MSEC_S;
	FLEET_CHECK(f, rc_ok(fleet_do(f, &PRINCIPAL_SYSTEM, &VERB_EFFECT, &(struct effect_cmd){ 0 }, &ret, &e)) && ret.done_id);
	fleet_free(f);
}

static void obsolete_effect_is_done(void **state)
{
	struct fleet *f = sealed_fleet();
	struct no_ret gone;
	int calls = f->keeper_calls;
	fleet_must(f, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ fleet_node(f, "svc-0")->uuid, true }, &gone);
	fleet_effects(f);
	FLEET_CHECK(f, f->keeper_calls == calls);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_due),
		cmocka_unit_test(sealed_and_delivered),
		cmocka_unit_test(failed_effect_is_postponed),
		cmocka_unit_test(obsolete_effect_is_done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
