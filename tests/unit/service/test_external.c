/* External instances: registered, refused, waived and back, gone with their lease. */
#include "external.h"

static void registered_and_shown(void **state)
{
	struct fleet *f = fleet_demo();
	external_deploy(f, (struct deployment_create_cmd){ 0 });
	struct instance_view v = external_add(f, "edge-1");
	struct instance_list_ret list;
	struct deployment_list_ret deployments;
	FLEET_CHECK(f, v.party == PARTY_EXTERNAL && v.target_count == 1 && text_equal(v.targets[0].template.profile, "external"));
	FLEET_CHECK(f, v.targets[0].row.state == TARGET_JOINING && v.row.lease_until == 0);
	fleet_must(f, &VERB_INSTANCE_LIST, &(struct instance_list_cmd){ .deployment = "cdn" }, &list);
	FLEET_CHECK(f, list.count == 1 && list.items[0].party == PARTY_EXTERNAL);
	fleet_must(f, &VERB_DEPLOYMENT_LIST, &(struct list_cmd){ .name = "cdn" }, &deployments);
	FLEET_CHECK(f, deployments.items[0].row.party == PARTY_EXTERNAL && deployments.items[0].row.grace == MSEC_DAY);
	fleet_free(f);
}

static void only_the_targets_that_were_named(void **state)
{
	struct fleet *f = fleet_demo();
	struct store_template more = { .name = "more", .bundle = "/demo/trust" };
	struct deployment_ret d;
	struct instance_ret r;
	external_deploy(f, (struct deployment_create_cmd){ 0 });
	fleet_must(f, &VERB_DEPLOYMENT_EXTEND,
		   &(struct deployment_extend_cmd){ .id = fleet_deployment_id(f, "cdn"), .stores = &more, .store_count = 1 }, &d);
	struct instance_add_cmd cmd = { "cdn", "edge-1", external_list(f, "more", NULL) };
	fleet_must(f, &VERB_INSTANCE_ADD, &cmd, &r);
	FLEET_CHECK(f, r.instance.target_count == 1 && text_equal(r.instance.targets[0].template.name, "more"));
	cmd = (struct instance_add_cmd){ "cdn", "edge-2", external_list(f, "more", "less") };
	fleet_refused(f, &f->admin, &VERB_INSTANCE_ADD, &cmd, TROTH_INVALID, "");
	fleet_free(f);
}

static void refusals(void **state)
{
	struct fleet *f = fleet_demo();
	struct principal auditor = { .name = "aud", .roles = ROLE_AUDITOR }, dev = { .name = "dev", .roles = ROLE_DEVELOPER, .scope = "cdn" },
			 stranger = { .name = "dev", .roles = ROLE_DEVELOPER, .scope = "/other/*" };
	external_deploy(f, (struct deployment_create_cmd){ 0 });
	struct instance_add_cmd add = { .deployment = "cdn", .name = "edge-1" };
	fleet_refused(f, &auditor, &VERB_INSTANCE_ADD, &add, TROTH_FORBIDDEN, "may not do");
	fleet_refused(f, &stranger, &VERB_INSTANCE_ADD, &add, TROTH_NOT_FOUND, "there is no deployment cdn");
	struct instance_ret r;
	struct troth_err e = { 0 };
	assert_true(rc_ok(fleet_do(f, &dev, &VERB_INSTANCE_ADD, &add, &r, &e)));
	fleet_refused(f, &f->admin, &VERB_INSTANCE_ADD, &add, TROTH_CONFLICT, "has an instance edge-1 already");
	add.name = "no good/name";
	fleet_refused(f, &f->admin, &VERB_INSTANCE_ADD, &add, TROTH_INVALID, "");
	add = (struct instance_add_cmd){ .deployment = "app", .name = "x" };
	fleet_refused(f, &f->admin, &VERB_INSTANCE_ADD, &add, TROTH_CONFLICT, "the instances of app have an agent");
	add.deployment = "nobody";
	fleet_refused(f, &f->admin, &VERB_INSTANCE_ADD, &add, TROTH_NOT_FOUND, "there is no deployment nobody");
	struct instance_wanted_cmd wanted = { fleet_node(f, "app-0")->uuid, 0 };
	fleet_refused(f, &f->admin, &VERB_INSTANCE_WANTED, &wanted, TROTH_CONFLICT, "app-0 has an agent");
	wanted.id = r.instance.row.uuid;
	fleet_refused(f, &stranger, &VERB_INSTANCE_WANTED, &wanted, TROTH_NOT_FOUND, "no such instance");
	struct token_create_cmd token = { .deployment = "cdn" };
	fleet_refused(f, &f->admin, &VERB_TOKEN_CREATE, &token, TROTH_CONFLICT, "no agent that could enrol");
	fleet_free(f);
}

/* Waived: a report of it does not count and does not bring it back; adding it does, as a joiner, and a late report stays late. */
static void waived_and_added_again(void **state)
{
	struct fleet *f = fleet_demo();
	external_deploy(f, (struct deployment_create_cmd){ .no_grace = true });
	struct outsider p = external_party(f, "edge-1");
	external_loads(f, &p);
	fleet_settle(f, 5);
	FLEET_CHECK(f, external_row(f, &p).state == TARGET_COUNTED);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "edge-1", "not-fetched"));
	struct waive_ret waived;
	p.node->place_count = 0; /* nobody promises it anything from here on */
	fleet_must(f, &VERB_WAIVE, &(struct waive_cmd){ p.v.row.uuid, "nobody answers" }, &waived);
	FLEET_CHECK(f, waived.pair_count == 1 && waived.frees.count > 0 && waived.instance.party == PARTY_EXTERNAL);
	fleet_settle(f, 60);
	FLEET_CHECK(f, outside_done(f, &r));
	struct target_report t = { .path = "$.targets[0]", .target = "trust", .has_fingerprints = true };
	struct instance_report_cmd report = { p.v.row.uuid, 99, &t, 1 };
	fleet_refused(f, &f->admin, &VERB_INSTANCE_REPORT, &report, TROTH_CONFLICT, "was waived");
	FLEET_CHECK(f, external_row(f, &p).state == TARGET_WAIVED);
	struct instance_view back = external_add(f, "edge-1");
	FLEET_CHECK(f, text_equal(back.row.uuid, p.v.row.uuid) && back.targets[0].row.state == TARGET_JOINING);
	int64_t seq = p.seq;
	p.seq = 0;
	FLEET_CHECK(f, external_says(f, &p, "trust", 0, (struct json_texts){ 0 }).outcome == REPORT_STALE);
	p.seq = seq;
	p.node->place_count = 1;
	for (int i = 0; i < 2; i++) {
		fleet_settle(f, 3);
		external_loads(f, &p);
	}
	FLEET_CHECK(f, external_row(f, &p).state == TARGET_COUNTED && fleet_store_size(p.node) == 1);
	fleet_all_hands(f);
	fleet_free(f);
}

/* A lease is renewed by reports, and never beyond what an ephemeral may have; when it is over nobody waits. */
static void an_ephemeral_reports_and_lapses(void **state)
{
	struct fleet *f = fleet_demo();
	external_deploy(f, (struct deployment_create_cmd){ .ephemeral = true, .ttl = MSEC_MIN });
	struct outsider p = external_party(f, "check-1");
	FLEET_CHECK(f, p.v.row.lease_until == f->now + MSEC_MIN || p.v.row.lease_until > f->now);
	f->now += 40 * MSEC_S;
	external_loads(f, &p);
	FLEET_CHECK(f, external_show(f, &p).row.lease_until >= f->now + MSEC_MIN);
	FLEET_CHECK(f, external_row(f, &p).state == TARGET_COUNTED);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 20);
	FLEET_CHECK(f, !outside_done(f, &r));
	p.node->place_count = 0; /* silent from here on */
	f->now += 2 * MSEC_MIN;
	fleet_wake(f);
	fleet_settle(f, 60);
	FLEET_CHECK(f, outside_done(f, &r));
	struct target_report t = { .path = "$.targets[0]", .target = "trust", .has_fingerprints = true };
	struct instance_report_cmd report = { p.v.row.uuid, 99, &t, 1 };
	fleet_refused(f, &f->admin, &VERB_INSTANCE_REPORT, &report, TROTH_NOT_FOUND, "has left");
	fleet_free(f);
}

static void a_lease_is_not_renewed_for_ever(void **state)
{
	struct fleet *f = fleet_demo();
	external_deploy(f, (struct deployment_create_cmd){ .ephemeral = true, .ttl = 30 * MSEC_MIN });
	struct outsider p = { .v = external_add(f, "check-1") };
	msec_t most = p.v.row.created + LIMIT_LEASE_S * MSEC_S;
	for (int i = 0; i < 5; i++) {
		struct wanted_target w = external_want(f, &p, "trust");
		(void)external_says(f, &p, "trust", w.m->generation, w.fingerprints);
		f->now += 10 * MSEC_MIN;
	}
	FLEET_CHECK(f, external_show(f, &p).row.lease_until == most);
	f->now = most + MSEC_S;
	fleet_wake(f);
	FLEET_CHECK(f, external_show(f, &p).row.state == INSTANCE_LEFT);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registered_and_shown),
		cmocka_unit_test(only_the_targets_that_were_named),
		cmocka_unit_test(refusals),
		cmocka_unit_test(waived_and_added_again),
		cmocka_unit_test(an_ephemeral_reports_and_lapses),
		cmocka_unit_test(a_lease_is_not_renewed_for_ever),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
