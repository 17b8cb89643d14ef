/* Orders of a rotation by steps: what each sets going, and what is in its way. */
#include "bysteps.h"
#include "service/handout/generate_domains.h"
#include "elsewhere.h"

static void generate_apply_activate_regenerate_apply_delete_apply(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *app = fleet_node(f, "app-0"), *svc = fleet_node(f, "svc-0");
	struct order_ret g = steps_generate(f);
	fleet_settle(f, 20);
	FLEET_CHECK(f, fleet_store_size(app) == 1); /* nothing reaches a node outside an apply */
	steps_apply_all(f);
	FLEET_CHECK(f, fleet_store_size(app) == 2 && !fleet_signed_by(f, svc, g.root.version.row.uuid));
	steps_activate(f, 1);
	fleet_settle(f, 20);
	struct order_ret r = steps_regenerate(f);
	FLEET_CHECK(f, !r.violation_count && r.leaf_count == 3 && r.excluded_count == 0);
	fleet_settle(f, 20);
	FLEET_CHECK(f, !fleet_signed_by(f, svc, g.root.version.row.uuid));
	fleet_restart(f);
	steps_apply_all(f);
	FLEET_CHECK(f, fleet_signed_by(f, svc, g.root.version.row.uuid) && fleet_store_size(app) == 2);
	FLEET_CHECK(f, !steps_remove(f, 0, false).violation_count);
	fleet_settle(f, 20);
	FLEET_CHECK(f, fleet_store_size(app) == 2);
	steps_apply_all(f);
	FLEET_CHECK(f, fleet_store_size(app) == 1 && steps_roots(f).count == 1 && steps_roots(f).items[0].active);
	fleet_all_hands(f);
	fleet_free(f);
}

/* A forgotten apply is made up for by the next one; the engine walks the steps. */
static void one_apply_for_all(void **state)
{
	struct fleet *f = fleet_demo();
	struct order_ret g = steps_generate(f);
	steps_activate(f, 1);
	FLEET_CHECK(f, !steps_regenerate(f).violation_count);
	steps_apply_all(f);
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "svc-0"), g.root.version.row.uuid));
	fleet_all_hands(f);
	fleet_free(f);
}

/* The CAs between come with their root, and wait for the same steps. */
static void intermediates_wait_too(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct order_ret g = steps_generate(f);
	FLEET_CHECK(f, g.leaf_count == 1 && text_equal(g.leaves[0].name, "/demo/inter"));
	steps_apply_all(f);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2);
	FLEET_CHECK(f, !fleet_chains_to(f, fleet_node(f, "svc-0"), g.root.version.row.uuid));
	struct approve_ret looked;
	f->dry_run = true;
	fleet_must(f, &VERB_ROTATION_APPROVE, &(struct approve_cmd){ "/demo/ca", "switch" }, &looked); /* the native word knows as well */
	f->dry_run = false;
	steps_activate(f, 1);
	FLEET_CHECK(f, steps_regenerate(f).leaf_count == 3);
	steps_apply_all(f);
	FLEET_CHECK(f, fleet_chains_to(f, fleet_node(f, "svc-0"), g.root.version.row.uuid));
	FLEET_CHECK(f, !steps_remove(f, 0, false).violation_count);
	steps_apply_all(f);
	FLEET_CHECK(f, steps_roots(f).count == 1);
	fleet_all_hands(f);
	fleet_free(f);
}

/* The new version is one that somebody made: it walks the same way. */
static void a_brought_one_walks_too(void **state)
{
	struct fleet *f = fleet_demo();
	struct elsewhere root = elsewhere_root(f->a, f->now, "brought");
	struct order_cmd cmd = { .source = { "$.cert_pem", root.pem, elsewhere_key_pem(f->a, &root) } };
	struct order_ret g = steps_order(f, &VERB_ROOT_GENERATE, cmd);
	FLEET_CHECK(f, !g.violation_count && !g.root.active && bytes_equal(g.root.version.cert.der, root.cert->der));
	FLEET_CHECK(f, outside_events(f, "authority.adopt") == 1);
	FLEET_CHECK(f, steps_order(f, &VERB_ROOT_GENERATE, cmd).violations[0].kind == VIOLATION_UNFINISHED); /* before it is looked at */
	steps_apply_all(f);
	steps_activate(f, 1);
	FLEET_CHECK(f, !steps_regenerate(f).violation_count);
	steps_apply_all(f);
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "svc-0"), g.root.version.row.uuid));
	FLEET_CHECK(f, !steps_remove(f, 0, false).violation_count);
	steps_apply_all(f);
	FLEET_CHECK(f, steps_roots(f).count == 1 && fleet_store_size(fleet_node(f, "app-0")) == 1);
	fleet_all_hands(f);
	key_release(root.key);
	fleet_free(f);
}

static void generate_while_one_runs(void **state)
{
	struct fleet *f = fleet_demo();
	steps_generate(f);
	struct order_ret r = steps_order(f, &VERB_ROOT_GENERATE, (struct order_cmd){ 0 });
	FLEET_CHECK(f, r.violation_count == 1 && r.violations[0].kind == VIOLATION_UNFINISHED && steps_roots(f).count == 2);
	steps_activate(f, 1);
	r = steps_order(f, &VERB_ROOT_GENERATE, (struct order_cmd){ 0 });
	FLEET_CHECK(f, r.violations[0].kind == VIOLATION_OLD_CHILDREN && r.violations[0].blocking.count == 1);
	FLEET_CHECK(f, text_equal(r.violations[0].blocking.items[0].deployment, "svc") && r.violations[0].blocking.items[0].members == 3);
	const char *second = steps_version(f, 1);
	r = steps_order(f, &VERB_ROOT_GENERATE, (struct order_cmd){ .force = true });
	FLEET_CHECK(f, !r.violation_count && !text_equal(r.root.version.row.uuid, second)); /* on top of it */
	fleet_free(f);
}

static void a_fresh_one_is_deleted_only_by_force(void **state)
{
	struct fleet *f = fleet_demo();
	steps_generate(f);
	steps_apply_all(f);
	struct order_ret r = steps_remove(f, 1, false);
	FLEET_CHECK(f, r.violation_count == 1 && r.violations[0].kind == VIOLATION_ENDS_ROTATION && !r.violations[0].blocking.count);
	fleet_settle(f, 10);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2);
	FLEET_CHECK(f, !steps_remove(f, 1, true).violation_count);
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 1 && steps_roots(f).count == 1);
	fleet_free(f);
}

static void what_is_needed_or_active_is_not_deleted(void **state)
{
	struct fleet *f = fleet_demo();
	struct order_cmd first = { .version = steps_version(f, 0) };
	fleet_refused(f, &f->admin, &VERB_ROOT_REMOVE, &first, TROTH_CONFLICT, "is the active certificate authority");
	steps_generate(f);
	fleet_refused(f, &f->admin, &VERB_ROOT_REMOVE, &first, TROTH_CONFLICT, "is the active certificate authority");
	steps_activate(f, 1);
	struct order_ret r = steps_remove(f, 0, false);
	FLEET_CHECK(f, r.violation_count == 1 && r.violations[0].kind == VIOLATION_NEEDED && r.violations[0].blocking.items[0].members == 3);
	steps_activate(f, 0); /* it was a mistake */
	fleet_refused(f, &f->admin, &VERB_ROOT_REMOVE, &first, TROTH_CONFLICT, "is the active certificate authority");
	fleet_free(f);
}

/* A health check that came before the switch and says nothing more: nobody is refused because of it, and it is waited for no
 * longer than its lease. */
static void an_ephemeral_never_violates(void **state)
{
	struct fleet *f = fleet_demo();
	struct order_ret g = steps_generate(f);
	steps_apply_all(f);
	struct fleet_node *n = steps_ephemeral(f, true, "check-1");
	n->off = true;
	steps_activate(f, 1);
	FLEET_CHECK(f, !steps_regenerate(f).violation_count);
	struct operation_row op = steps_applied(f);
	FLEET_CHECK(f, op.state == OPERATION_RUNNING && fleet_signed_by(f, fleet_node(f, "svc-0"), g.root.version.row.uuid));
	FLEET_CHECK(f, !fleet_signed_by(f, n, g.root.version.row.uuid)); /* so two versions have children */
	FLEET_CHECK(f, !steps_regenerate(f).violation_count && !steps_remove(f, 0, false).violation_count);
	f->now = n->until;
	fleet_settle(f, 10);
	FLEET_CHECK(f, steps_installation(f, op.id).state == OPERATION_SUCCEEDED);
	fleet_free(f);
}

/* The same without an agent: named, as long as it is there. */
static void an_outsider_violates_until_it_is_gone(void **state)
{
	struct fleet *f = fleet_demo();
	struct order_ret g = steps_generate(f);
	steps_apply_all(f);
	struct outsider p = steps_outsider(f, "bosh-health", 5 * MSEC_MIN, g.root.version.row.uuid);
	steps_activate(f, 1);
	struct order_ret r = steps_regenerate(f);
	FLEET_CHECK(f, r.violation_count == 1 && r.violations[0].kind == VIOLATION_TWO_SIGNERS && r.violations[0].blocking.count == 1);
	const struct in_use *b = &r.violations[0].blocking.items[0];
	FLEET_CHECK(f, text_equal(b->deployment, "bosh-health") && text_equal(b->version_uuid, g.root.version.row.uuid) && b->ephemeral);
	FLEET_CHECK(f, b->lease_until > f->now && r.retry_after == b->lease_until - f->now && b->since <= f->now);
	FLEET_CHECK(f, text_equal(b->instance, p.v.row.uuid) && !f->last.hold.wanted && !f->last.then);
	FLEET_CHECK(f, steps_order(f, &VERB_ROOT_REGENERATE, (struct order_cmd){ .force = true }).violation_count == 0);
	fleet_must(f, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ p.v.row.uuid, true }, &(struct no_ret){ 0 });
	FLEET_CHECK(f, !steps_regenerate(f).violation_count);
	fleet_free(f);
}

/* An operator of the root alone learns that somebody is in the way, since when and until when, and no name of what is not his. */
static void who_is_outside_the_scope_has_no_name(void **state)
{
	struct fleet *f = fleet_demo();
	struct principal narrow = { .name = "n", .roles = ROLE_OPERATOR, .scope = "/demo/ca*" };
	struct order_ret r;
	struct troth_err e = { 0 };
	const char *new = steps_generate(f).root.version.row.uuid;
	steps_apply_all(f);
	steps_activate(f, 1);
	FLEET_CHECK(f, rc_ok(fleet_do(f, &narrow, &VERB_ROOT_REGENERATE, &(struct order_cmd){ 0 }, &r, &e)));
	FLEET_CHECK(f, r.violation_count == 0 && r.leaf_count == 0); /* /demo/svc-0/server and its kin */
	(void)steps_outsider(f, "cdn", 10 * MSEC_MIN, new);
	FLEET_CHECK(f, rc_ok(fleet_do(f, &narrow, &VERB_ROOT_REGENERATE, &(struct order_cmd){ 0 }, &r, &e)));
	FLEET_CHECK(f, r.violation_count == 1 && r.violations[0].blocking.count == 1 && r.retry_after > 0);
	struct in_use *u = &r.violations[0].blocking.items[0];
	FLEET_CHECK(f, !u->deployment && u->since && u->lease_until && u->ephemeral && text_equal(u->version_uuid, new));
	r = steps_regenerate(f);
	FLEET_CHECK(f, text_equal(r.violations[0].blocking.items[0].deployment, "cdn"));
	fleet_free(f);
}

/* Somebody took a certificate with his own key: named when the old CA shall go; he takes a new one, and it goes. */
static void who_took_one_is_named_until_he_took_a_new_one(void **state)
{
	struct fleet *f = fleet_demo();
	struct credential_ret made;
	const char *san = "dns:lb.example";
	struct credential_create_cmd lb = { .name = "/demo/lb", .authority = "/demo/ca", .sans = { &san, 1 }, .csr = fleet_csr(f) };
	fleet_must(f, &VERB_CREDENTIAL_CREATE, &lb, &made);
	steps_generate(f);
	steps_apply_all(f);
	steps_activate(f, 1);
	struct order_ret r = steps_regenerate(f);
	FLEET_CHECK(f, r.leaf_count == 3 && r.excluded_count == 1 && text_equal(r.excluded[0].name, "/demo/lb"));
	steps_apply_all(f);
	r = steps_remove(f, 0, false);
	FLEET_CHECK(f, r.violation_count == 1 && r.violations[0].kind == VIOLATION_NEEDED && r.violations[0].blocking.count == 1);
	FLEET_CHECK(f, text_equal(r.violations[0].blocking.items[0].deployment, "/demo/lb") && r.retry_after > MSEC_DAY);
	fleet_must(f, &VERB_CREDENTIAL_RENEW, &(struct credential_renew_cmd){ made.credential.row.uuid, fleet_csr(f) }, &made);
	FLEET_CHECK(f, !steps_remove(f, 0, false).violation_count && outside_events(f, "credential.attest") == 1);
	steps_apply_all(f);
	FLEET_CHECK(f, steps_roots(f).count == 1);
	fleet_free(f);
}

/* Or an administrator insists, and nobody waits for him any more. */
static void who_took_one_is_left_out_by_force(void **state)
{
	struct fleet *f = fleet_demo();
	struct credential_ret made;
	const char *san = "dns:lb.example";
	struct credential_create_cmd lb = { .name = "/demo/lb", .authority = "/demo/ca", .sans = { &san, 1 }, .csr = fleet_csr(f) };
	fleet_must(f, &VERB_CREDENTIAL_CREATE, &lb, &made);
	steps_generate(f);
	steps_activate(f, 1);
	steps_regenerate(f);
	steps_apply_all(f);
	FLEET_CHECK(f, !steps_remove(f, 0, true).violation_count && outside_events(f, "credential.waive") == 1);
	steps_apply_all(f);
	FLEET_CHECK(f, steps_roots(f).count == 1);
	fleet_free(f);
}

static struct generate_ret steps_takes(struct fleet *f, const char *one, const char *other)
{
	struct generate_ret ret;
	const char *domains[] = { one, other };
	fleet_must(f, &VERB_CREDENTIAL_GENERATE_DOMAINS, &(struct generate_domains_cmd){ { domains, 2 } }, &ret);
	return ret;
}

/* Who has a certificate by its domains alone is named by them, and takes the next one by them. */
static void who_took_one_by_domains_is_named_by_them(void **state)
{
	struct fleet *f = fleet_demo();
	struct generate_ret first = steps_takes(f, "www.example", "lb.example"), next;
	steps_generate(f);
	steps_apply_all(f);
	steps_activate(f, 1);
	steps_regenerate(f);
	steps_apply_all(f);
	struct order_ret r = steps_remove(f, 0, false);
	FLEET_CHECK(f, r.violation_count == 1 && r.violations[0].blocking.count == 1 && r.retry_after > MSEC_DAY);
	FLEET_CHECK(f, text_equal(r.violations[0].blocking.items[0].deployment, "/demo/ca/generated/lb.example/www.example"));
	next = steps_takes(f, "lb.example", "www.example");
	FLEET_CHECK(f, !text_equal(next.of.items[0].version->signed_by, first.of.items[0].version->signed_by));
	FLEET_CHECK(f, !steps_remove(f, 0, false).violation_count && outside_events(f, "credential.attest") == 1);
	steps_apply_all(f);
	FLEET_CHECK(f, steps_roots(f).count == 1);
	fleet_free(f);
}

static void refusals(void **state)
{
	struct fleet *f = fleet_demo();
	struct principal op = { .name = "op", .roles = ROLE_OPERATOR }, narrow = { .name = "n", .roles = ROLE_ADMIN, .scope = "/other/*" };
	struct order_cmd force = { .force = true }, version = { .version = "x" };
	fleet_refused(f, &op, &VERB_ROOT_GENERATE, &force, TROTH_FORBIDDEN, "only an administrator");
	fleet_refused(f, &op, &VERB_ROOT_REGENERATE, &force, TROTH_FORBIDDEN, "only an administrator");
	fleet_refused(f, &narrow, &VERB_ROOT_GENERATE, &(struct order_cmd){ 0 }, TROTH_CONFLICT, "no root authority is left");
	const char *other = "/nobody/ca";
	fleet_refused(f, &f->admin, &VERB_ROOT_GENERATE, &(struct order_cmd){ .exclude = { &other, 1 } }, TROTH_INVALID, "not the name of a root");
	fleet_refused(f, &f->admin, &VERB_ROOT_ACTIVATE, &version, TROTH_NOT_FOUND, "there is no certificate authority x");
	version.version = "6f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f11";
	fleet_refused(f, &f->admin, &VERB_ROOT_REMOVE, &version, TROTH_NOT_FOUND, "there is no certificate authority");
	version.version = steps_version(f, 0);
	fleet_refused(f, &narrow, &VERB_ROOT_ACTIVATE, &version, TROTH_NOT_FOUND, "there is no certificate authority");
	fleet_rotate(f, "/demo/ca");
	version.version = steps_version(f, 1);
	fleet_refused(f, &f->admin, &VERB_ROOT_ACTIVATE, &version, TROTH_CONFLICT, "is rotated without steps");
	FLEET_CHECK(f, steps_regenerate(f).excluded_count == 1);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generate_apply_activate_regenerate_apply_delete_apply),
		cmocka_unit_test(one_apply_for_all),
		cmocka_unit_test(intermediates_wait_too),
		cmocka_unit_test(a_brought_one_walks_too),
		cmocka_unit_test(generate_while_one_runs),
		cmocka_unit_test(a_fresh_one_is_deleted_only_by_force),
		cmocka_unit_test(what_is_needed_or_active_is_not_deleted),
		cmocka_unit_test(an_ephemeral_never_violates),
		cmocka_unit_test(an_outsider_violates_until_it_is_gone),
		cmocka_unit_test(who_is_outside_the_scope_has_no_name),
		cmocka_unit_test(who_took_one_is_named_until_he_took_a_new_one),
		cmocka_unit_test(who_took_one_is_left_out_by_force),
		cmocka_unit_test(who_took_one_by_domains_is_named_by_them),
		cmocka_unit_test(refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
