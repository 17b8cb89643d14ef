/* A manual rollout: each step waits for a yes, a yes is for one step of one rotation. */
#include "fleet.h"
#include "service/policy/policy.h"

static const char *id_of(struct fleet *f, const char *authority)
{
	struct credential_list_ret list;
	fleet_must(f, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .name = authority }, &list);
	FLEET_CHECK(f, list.count == 1);
	return list.items[0].row.uuid;
}

static const char *authority_id(struct fleet *f) { return id_of(f, "/demo/ca"); }

static struct credential_view rollout_of(struct fleet *f, const char *authority, const char *when, const char *how)
{
	struct credential_ret ret;
	fleet_must(f, &VERB_AUTHORITY_ROLLOUT, &(struct authority_rollout_cmd){ id_of(f, authority), when, how }, &ret);
	return ret.credential;
}

static struct credential_view rollout(struct fleet *f, const char *when, const char *how) { return rollout_of(f, "/demo/ca", when, how); }

static struct approve_ret approve(struct fleet *f, const char *id, const char *step)
{
	struct approve_ret ret;
	fleet_must(f, &VERB_ROTATION_APPROVE, &(struct approve_cmd){ id, step }, &ret);
	return ret;
}

static void refused(struct fleet *f, const char *id, const char *step, const char *words)
{
	fleet_refused(f, &f->admin, &VERB_ROTATION_APPROVE, &(struct approve_cmd){ id, step }, TROTH_CONFLICT, words);
}

static void step_by_step(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *app = fleet_node(f, "app-0"), *svc = fleet_node(f, "svc-0");
	FLEET_CHECK(f, rollout(f, NULL, "manual").rollout.manual);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 20);
	FLEET_CHECK(f, fleet_store_size(app) == 1);
	struct explain_ret x = fleet_explain(f, "/demo/ca");
	FLEET_CHECK(f, x.count > 0 && text_equal(x.items[0].reason, "approve-introduce"));
	FLEET_CHECK(f, text_equal(explain_hint(f->a, &x.items[0]), "troth rotation approve /demo/ca"));
	refused(f, r.rotation, "switch", "does not wait");
	f->dry_run = true;
	struct approve_ret looked = approve(f, "/demo/ca", NULL);
	f->dry_run = false;
	FLEET_CHECK(f, looked.dry_run && text_equal(looked.step, "introduce") && looked.what_count > 0);
	fleet_settle(f, 20);
	FLEET_CHECK(f, fleet_store_size(app) == 1); /* looking approves nothing */
	approve(f, "/demo/ca", NULL);
	fleet_settle(f, 40);
	FLEET_CHECK(f, fleet_store_size(app) == 2 && !fleet_signed_by(f, svc, r.new_version));
	refused(f, r.rotation, "introduce", "does not wait");
	fleet_restart(f);
	FLEET_CHECK(f, text_equal(approve(f, r.rotation, "switch").step, "switch"));
	fleet_settle(f, 40);
	FLEET_CHECK(f, fleet_signed_by(f, svc, r.new_version) && fleet_store_size(app) == 2);
	approve(f, r.rotation, NULL);
	fleet_settle(f, 40);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done") && fleet_store_size(app) == 1);
	refused(f, r.rotation, NULL, "is done");
	fleet_all_hands(f);
	fleet_free(f);
}

/* What was approved for one goal says nothing about the next. */
static void another_goal_begins_without(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret first, second;
	rollout(f, NULL, "manual");
	first = fleet_rotate(f, "/demo/ca");
	approve(f, first.rotation, NULL);
	fleet_settle(f, 40);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2);
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca", .again = true }, &second);
	fleet_settle(f, 40);
	FLEET_CHECK(f, !fleet_trusts(f, fleet_node(f, "app-0"), second.new_version));
	refused(f, first.rotation, NULL, "aborted");
	FLEET_CHECK(f, text_equal(approve(f, second.rotation, NULL).step, "introduce"));
	fleet_settle(f, 40);
	FLEET_CHECK(f, fleet_trusts(f, fleet_node(f, "app-0"), second.new_version));
	fleet_free(f);
}

/* The way back is somebody's decision already. */
static void an_abort_needs_no_approval(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotation_ret ret;
	rollout(f, NULL, "manual");
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	approve(f, r.rotation, NULL);
	fleet_settle(f, 40);
	approve(f, r.rotation, NULL);
	fleet_settle(f, 40);
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ r.rotation }, &ret);
	fleet_settle(f, 80);
	FLEET_CHECK(f, !fleet_rotation(f, r.rotation).going_back && fleet_store_size(fleet_node(f, "app-0")) == 1);
	fleet_all_hands(f);
	fleet_free(f);
}

static void a_deployment_alone_may_be_manual(void **state)
{
	struct fleet *f = fleet_demo();
	struct deployment_list_ret list;
	struct deployment_ret set;
	fleet_must(f, &VERB_DEPLOYMENT_LIST, &(struct list_cmd){ .name = "app" }, &list);
	struct deployment_policy_cmd cmd = { list.items[0].row.uuid, -1, -1, -1, -1, "manual", false, { 0 } };
	fleet_must(f, &VERB_DEPLOYMENT_POLICY, &cmd, &set);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 20);
	FLEET_CHECK(f, text_equal(approve(f, r.rotation, NULL).step, "introduce"));
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version)); /* slots of svc need no yes */
	FLEET_CHECK(f, text_equal(approve(f, r.rotation, NULL).step, "withdraw"));
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
	fleet_free(f);
}

/* -- CAs below -------------------------------------------------------------------------------------------- */

static bool is_done(struct fleet *f, const char *rotation) { return text_equal(fleet_rotation(f, rotation).state, "done"); }

/* Approved, and all that it lets happen happened. */
static void approved(struct fleet *f, const char *name, const char *step)
{
	FLEET_CHECK(f, text_equal(approve(f, name, NULL).step, step));
	fleet_settle(f, 60);
}

/* Who said manual of a root has the word on what is served below it, too. */
static void below_a_manual_root_nothing_is_switched(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct fleet_node *app = fleet_node(f, "app-0"), *svc = fleet_node(f, "svc-0");
	rollout(f, NULL, "manual");
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 40);
	FLEET_CHECK(f, fleet_store_size(app) == 1);
	approved(f, "/demo/ca", "introduce");
	FLEET_CHECK(f, fleet_store_size(app) == 2 && !fleet_chains_to(f, svc, r.new_version));
	refused(f, r.rotation, "introduce", "does not wait");
	struct explain_ret x = fleet_explain(f, "/demo/inter");
	FLEET_CHECK(f, x.count > 0 && text_equal(x.items[0].reason, "approve-switch"));
	FLEET_CHECK(f, text_equal(explain_hint(f->a, &x.items[0]), "troth rotation approve /demo/ca")); /* it has no rotation of its own */
	fleet_restart(f);
	approved(f, "/demo/ca", "switch");
	FLEET_CHECK(f, fleet_chains_to(f, svc, r.new_version) && fleet_store_size(app) == 2);
	approved(f, "/demo/ca", "withdraw");
	FLEET_CHECK(f, is_done(f, r.rotation) && fleet_store_size(app) == 1);
	fleet_all_hands(f);
	fleet_free(f);
}

/* The other way round: what the root's rotation brings is switched to below when the word is given. */
static void a_manual_ca_below_waits_in_its_roots_rotation(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct fleet_node *app = fleet_node(f, "app-0"), *svc = fleet_node(f, "svc-0");
	rollout_of(f, "/demo/inter", NULL, "manual");
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_store_size(app) == 2 && !fleet_chains_to(f, svc, r.new_version));
	approved(f, "/demo/ca", "switch");
	FLEET_CHECK(f, fleet_chains_to(f, svc, r.new_version));
	approved(f, "/demo/ca", "withdraw");
	FLEET_CHECK(f, is_done(f, r.rotation) && fleet_store_size(app) == 1);
	fleet_free(f);
}

static void a_manual_deployment_waits_below_a_root_too(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct deployment_list_ret list;
	struct deployment_ret set;
	fleet_must(f, &VERB_DEPLOYMENT_LIST, &(struct list_cmd){ .name = "svc" }, &list);
	struct deployment_policy_cmd cmd = { list.items[0].row.uuid, -1, -1, -1, -1, "manual", false, { 0 } };
	fleet_must(f, &VERB_DEPLOYMENT_POLICY, &cmd, &set);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2 && !fleet_chains_to(f, fleet_node(f, "svc-0"), r.new_version));
	approved(f, "/demo/ca", "switch");
	FLEET_CHECK(f, is_done(f, r.rotation) && fleet_chains_to(f, fleet_node(f, "svc-0"), r.new_version));
	fleet_free(f);
}

/* What nobody said of the one below is not held by what is left to approve above: only those steps are. */
static void the_one_below_goes_on_by_itself(void **state)
{
	struct fleet *f = fleet_levels(2);
	rollout(f, NULL, "manual");
	struct rotate_ret root = fleet_rotate(f, "/demo/ca");
	approved(f, "/demo/ca", "introduce");
	approved(f, "/demo/ca", "switch");
	struct rotate_ret below = fleet_rotate(f, "/demo/inter");
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "svc-0"), below.new_version) && !is_done(f, below.rotation));
	refused(f, below.rotation, NULL, "nothing in the rotation of /demo/inter waits");
	struct explain_ret x = fleet_explain(f, "/demo/inter");
	FLEET_CHECK(f, x.count > 0 && text_equal(explain_hint(f->a, &x.items[0]), "troth rotation approve /demo/ca"));
	approved(f, "/demo/ca", "withdraw");
	FLEET_CHECK(f, is_done(f, below.rotation) && is_done(f, root.rotation));
	fleet_free(f);
}

/* Another word about the root is one about what is below it, at once. */
static void automatic_again_goes_on_below(void **state)
{
	struct fleet *f = fleet_levels(2);
	rollout(f, NULL, "manual");
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	approved(f, "/demo/ca", "introduce");
	FLEET_CHECK(f, !fleet_chains_to(f, fleet_node(f, "svc-0"), r.new_version));
	rollout(f, NULL, "automatic");
	fleet_settle(f, 60);
	FLEET_CHECK(f, is_done(f, r.rotation) && fleet_chains_to(f, fleet_node(f, "svc-0"), r.new_version));
	fleet_free(f);
}

static void switch_all_waits_for_everybody(void **state)
{
	struct fleet *f = fleet_demo();
	FLEET_CHECK(f, rollout(f, "all", NULL).rollout.switch_all);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 80);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
	FLEET_CHECK(f, !rollout(f, "each", NULL).rollout.switch_all);
	fleet_free(f);
}

static void refusals(void **state)
{
	struct fleet *f = fleet_demo();
	struct principal narrow = { .name = "op", .roles = ROLE_OPERATOR, .scope = "/prod/" "*" };
	struct authority_rollout_cmd cmd = { authority_id(f), "some", "perhaps" };
	fleet_refused(f, &f->admin, &VERB_AUTHORITY_ROLLOUT, &cmd, TROTH_INVALID, "");
	cmd = (struct authority_rollout_cmd){ authority_id(f), "all", NULL };
	fleet_refused(f, &narrow, &VERB_AUTHORITY_ROLLOUT, &cmd, TROTH_NOT_FOUND, "");
	cmd.id = "x";
	fleet_refused(f, &f->admin, &VERB_AUTHORITY_ROLLOUT, &cmd, TROTH_NOT_FOUND, "");
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	refused(f, r.rotation, NULL, "nothing in the rotation");
	fleet_refused(f, &narrow, &VERB_ROTATION_APPROVE, &(struct approve_cmd){ r.rotation, NULL }, TROTH_NOT_FOUND, "");
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(step_by_step),
		cmocka_unit_test(another_goal_begins_without),
		cmocka_unit_test(an_abort_needs_no_approval),
		cmocka_unit_test(a_deployment_alone_may_be_manual),
		cmocka_unit_test(below_a_manual_root_nothing_is_switched),
		cmocka_unit_test(a_manual_ca_below_waits_in_its_roots_rotation),
		cmocka_unit_test(a_manual_deployment_waits_below_a_root_too),
		cmocka_unit_test(the_one_below_goes_on_by_itself),
		cmocka_unit_test(automatic_again_goes_on_below),
		cmocka_unit_test(switch_all_waits_for_everybody),
		cmocka_unit_test(refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
