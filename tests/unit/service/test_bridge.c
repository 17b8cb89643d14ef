/* Cross-signed rotations: slots switch before their verifiers do, over a bridge that goes as soon as it may. */
#include "fleet.h"

static struct rotate_ret cross_sign(struct fleet *f)
{
	struct rotate_ret ret;
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca", .cross_sign = true }, &ret);
	fleet_tell(f, "/demo/ca is rotated, cross-signed");
	FLEET_CHECK(f, fleet_rotation(f, ret.rotation).cross_sign);
	return ret;
}

static size_t served(struct fleet *f, const char *node)
{
	return fleet_node(f, node)->places[0].loaded.count;
}

static void is_over(struct fleet *f, const struct rotate_ret *r)
{
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r->rotation).state, "done"));
	FLEET_CHECK(f, fleet_explain(f, NULL).count == 0);
	for (int i = 0; i < 3; i++) {
		const char *svc = arena_printf(f->a, "svc-%d", i), *app = arena_printf(f->a, "app-%d", i);
		FLEET_CHECK(f, fleet_chains_to(f, fleet_node(f, svc), r->new_version));
		FLEET_CHECK(f, served(f, svc) == (size_t)f->levels); /* the bridge is gone: one path, plain */
		FLEET_CHECK(f, fleet_store_size(fleet_node(f, app)) == 1 && fleet_trusts(f, fleet_node(f, app), r->new_version));
	}
	fleet_all_hands(f);
}

/* One verifier is away: every slot is on the new root all the same, and what it trusts still holds. */
static void slots_do_not_wait_for_verifiers(void **state)
{
	for (int levels = 1; levels <= 3; levels++) {
		struct fleet *f = fleet_levels(levels);
		fleet_node(f, "app-1")->off = true;
		struct rotate_ret r = cross_sign(f);
		fleet_settle(f, 40);
		for (int i = 0; i < 3; i++)
			FLEET_CHECK(f, served(f, arena_printf(f->a, "svc-%d", i)) == (size_t)levels + 1);
		FLEET_CHECK(f, !fleet_trusts(f, fleet_node(f, "app-1"), r.new_version));
		fleet_all_hands(f);
		FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "running"));
		fleet_node(f, "app-1")->off = false;
		fleet_settle(f, 60);
		is_over(f, &r);
		fleet_free(f);
	}
}

static void restarts_on_the_way(void **state)
{
	struct fleet *f = fleet_levels(2);
	f->restarts = true;
	struct rotate_ret r = cross_sign(f);
	for (int i = 0; i < 20; i++) {
		fleet_settle(f, 1);
		fleet_restart(f);
		fleet_kill(f, &f->nodes[i % f->node_count]);
	}
	fleet_settle(f, 60);
	is_over(f, &r);
	fleet_free(f);
}

static void aborted_on_the_bridge(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct rotation_ret steered;
	fleet_node(f, "app-1")->off = true;
	struct rotate_ret r = cross_sign(f);
	fleet_settle(f, 30);
	const char *old = fleet_rotation(f, r.rotation).old_versions[0];
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ r.rotation }, &steered);
	fleet_settle(f, 20);
	fleet_node(f, "app-1")->off = false;
	fleet_settle(f, 80);
	for (int i = 0; i < 3; i++)
		FLEET_CHECK(f, fleet_chains_to(f, fleet_node(f, arena_printf(f->a, "svc-%d", i)), old));
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-1")) == 1 && fleet_explain(f, NULL).count == 0);
	fleet_all_hands(f);
	fleet_free(f);
}

static void a_second_rotation_on_the_bridge(void **state)
{
	struct fleet *f = fleet_levels(1);
	fleet_node(f, "app-1")->off = true;
	cross_sign(f);
	fleet_settle(f, 30);
	struct rotate_ret second;
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca", .again = true, .cross_sign = true }, &second);
	fleet_settle(f, 30);
	fleet_node(f, "app-1")->off = false;
	fleet_settle(f, 80);
	is_over(f, &second);
	fleet_free(f);
}

static void refusals(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct credential_ret made;
	struct rotate_cmd cmd = { .name = "/demo/inter", .cross_sign = true };
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_INVALID, "it is not a root");
	cmd.name = "/demo/svc-0/server";
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_INVALID, "it is not a root");
	fleet_must(f, &VERB_AUTHORITY_CREATE, &(struct authority_create_cmd){ .name = "/demo/flat", .path_len = 0 }, &made);
	cmd.name = "/demo/flat";
	fleet_refused(f, &f->admin, &VERB_ROTATE, &cmd, TROTH_INVALID, "path length of the old root is 0");
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_do_not_wait_for_verifiers),
		cmocka_unit_test(restarts_on_the_way),
		cmocka_unit_test(aborted_on_the_bridge),
		cmocka_unit_test(a_second_rotation_on_the_bridge),
		cmocka_unit_test(refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
