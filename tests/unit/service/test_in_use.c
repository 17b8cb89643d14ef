/* Which versions are in use, by whom, and who decides. */
#include "bysteps.h"

static struct in_use_list load(struct fleet *f)
{
	struct in_use_list list;
	struct credential_row c;
	struct tx *tx = fleet_read(f);
	struct troth_err e = { 0 };
	struct verb_ctx ctx;
	verb_ctx_init(&ctx, f->a, &f->admin, &f->port, f->now);
	ctx.tx = tx;
	assert_true(rc_ok(credential_row_by_name(tx, f->a, "/demo/ca", &c, &e)));
	assert_true(rc_ok(in_use_load(&ctx, c.id, &list, &e)));
	fleet_read_end(f, tx);
	return list;
}

static void by_deployment_and_version(void **state)
{
	struct fleet *f = fleet_demo();
	struct in_use_list list = load(f);
	FLEET_CHECK(f, list.count == 1 && text_equal(list.items[0].deployment, "svc") && list.items[0].members == 3);
	FLEET_CHECK(f, list.items[0].decides && !list.items[0].lease_until && in_use_versions(&list) == 1);
	FLEET_CHECK(f, list.items[0].since == fleet_instance(f, fleet_node(f, "svc-0")).created);
	struct order_ret g = steps_generate(f);
	steps_activate(f, 1);
	steps_regenerate(f);
	fleet_node(f, "svc-2")->off = true;
	(void)steps_applied(f);
	list = load(f);
	FLEET_CHECK(f, list.count == 2 && in_use_versions(&list) == 2);
	struct in_use_list others = in_use_others(f->a, &list, g.root.version.row.id), of = in_use_of(f->a, &list, g.root.version.row.id, false);
	FLEET_CHECK(f, others.count == 1 && others.items[0].members == 1 && of.count == 1 && of.items[0].members == 2);
	fleet_free(f);
}

static void through_the_cas_between(void **state)
{
	struct fleet *f = fleet_levels(3);
	struct in_use_list list = load(f);
	FLEET_CHECK(f, list.count == 1 && text_equal(list.items[0].version_uuid, steps_version(f, 0)));
	fleet_free(f);
}

static void a_lease_with_an_agent_decides_nothing(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = steps_ephemeral(f, true, "check-1");
	struct in_use_list list = load(f);
	FLEET_CHECK(f, list.count == 2 && list.items[1].ephemeral && !list.items[1].decides && list.items[1].lease_until == n->until);
	FLEET_CHECK(f, in_use_of(f->a, &list, list.items[0].version, false).count == 1 && in_use_of(f->a, &list, list.items[0].version, true).count == 2);
	fleet_free(f);
}

/* Who trusts old and new is in nobody's way; who trusts one alone uses that. */
static void an_outsiders_store(void **state)
{
	struct fleet *f = fleet_demo();
	struct order_ret g = steps_generate(f);
	steps_apply_all(f);
	struct outsider p = steps_outsider(f, "cdn", 0, g.root.version.row.uuid);
	struct in_use_list list = load(f);
	FLEET_CHECK(f, list.count == 2 && text_equal(list.items[1].deployment, "cdn") && list.items[1].decides && !list.items[1].ephemeral);
	FLEET_CHECK(f, list.items[1].version == g.root.version.row.id);
	struct wanted_target w = external_want(f, &p, "trust");
	(void)external_says(f, &p, "trust", 0, w.fingerprints);
	list = load(f);
	FLEET_CHECK(f, list.count == 1);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_deployment_and_version),
		cmocka_unit_test(through_the_cas_between),
		cmocka_unit_test(a_lease_with_an_agent_decides_nothing),
		cmocka_unit_test(an_outsiders_store),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
