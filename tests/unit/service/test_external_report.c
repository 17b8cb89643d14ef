/* Reports of external instances: numbers, what they hold up, what they free. */
#include "external.h"

static size_t findings(struct fleet *f, struct instance_report_cmd cmd)
{
	struct troth_err e = { 0 };
	size_t n = 0;
	instance_report_check(f->a, &cmd, f->now, &e);
	for (const struct finding *x = e.findings; x; x = x->next)
		n++;
	return n;
}

static void every_wrong_field_is_a_finding(void **state)
{
	struct fleet *f = fleet_demo();
	struct target_report t[2] = { { .path = "$.targets[0]", .target = "trust", .has_fingerprints = true },
				      { .path = "$.targets[1]", .target = "trust", .has_versions = true } };
	FLEET_CHECK(f, findings(f, (struct instance_report_cmd){ "x", 1, t, 1 }) == 0);
	FLEET_CHECK(f, findings(f, (struct instance_report_cmd){ "x", 0, t, 1 }) == 1);
	FLEET_CHECK(f, findings(f, (struct instance_report_cmd){ "x", INT64_MAX, t, 1 }) == 1); /* or none could ever come after it */
	FLEET_CHECK(f, findings(f, (struct instance_report_cmd){ "x", f->now * 1000000, t, 1 }) == 0);
	FLEET_CHECK(f, findings(f, (struct instance_report_cmd){ "x", 1, t, 0 }) == 1);
	FLEET_CHECK(f, findings(f, (struct instance_report_cmd){ "x", 1, t, 2 }) == 1); /* twice the same */
	t[0].has_fingerprints = false;
	FLEET_CHECK(f, findings(f, (struct instance_report_cmd){ "x", 1, t, 1 }) == 1);
	t[0] = (struct target_report){ .path = "$.targets[0]", .target = NULL, .generation = -1, .has_fingerprints = true,
				       .fingerprints = external_list(f, "abc", "zz") };
	FLEET_CHECK(f, findings(f, (struct instance_report_cmd){ "x", 1, t, 1 }) == 4);
	fleet_free(f);
}

/* Nothing of a report counts if some of it is wrong. */
static void all_of_it_or_nothing(void **state)
{
	struct fleet *f = fleet_demo();
	external_deploy(f, (struct deployment_create_cmd){ 0 });
	struct outsider p = external_party(f, "edge-1");
	struct wanted_target w = external_want(f, &p, "trust");
	struct target_report t[2] = { { .path = "$.targets[0]", .target = "trust", .has_fingerprints = true, .fingerprints = w.fingerprints },
				      { .path = "$.targets[1]", .target = "gone", .has_fingerprints = true } };
	struct instance_report_cmd cmd = { p.v.row.uuid, 1, t, 2 };
	fleet_refused(f, &f->admin, &VERB_INSTANCE_REPORT, &cmd, TROTH_INVALID, "");
	FLEET_CHECK(f, external_row(f, &p).report_seq == 0 && external_row(f, &p).seen_at == 0);
	struct principal auditor = { .name = "aud", .roles = ROLE_AUDITOR }, stranger = { .name = "dev", .roles = ROLE_DEVELOPER, .scope = "/x/*" };
	cmd.target_count = 1;
	fleet_refused(f, &auditor, &VERB_INSTANCE_REPORT, &cmd, TROTH_FORBIDDEN, "may not do");
	fleet_refused(f, &stranger, &VERB_INSTANCE_REPORT, &cmd, TROTH_NOT_FOUND, "no such instance");
	cmd.id = fleet_node(f, "app-0")->uuid;
	fleet_refused(f, &f->admin, &VERB_INSTANCE_REPORT, &cmd, TROTH_CONFLICT, "has an agent");
	fleet_free(f);
}

/* Said before, overtaken, repeated: answered so, and nothing changes. */
static void late_and_repeated_reports_change_nothing(void **state)
{
	struct fleet *f = fleet_demo();
	external_deploy(f, (struct deployment_create_cmd){ .no_grace = true });
	struct outsider p = external_party(f, "edge-1");
	struct wanted_target first = external_loads(f, &p);
	fleet_settle(f, 5);
	(void)fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 10);
	p.seq = 1000;
	struct wanted_target both = external_loads(f, &p);
	size_t audits = outside_events(f, "instance.report");
	struct target_row before = external_row(f, &p);
	for (int64_t seq = 998; seq <= 1000; seq++) { /* 999: overtaken; 1000, 1001: said before */
		p.seq = seq;
		struct report_result said = external_says(f, &p, "trust", first.m->generation, first.fingerprints);
		FLEET_CHECK(f, said.outcome == REPORT_STALE && strstr(said.text, "is not above 1001"));
	}
	struct target_row after = external_row(f, &p);
	FLEET_CHECK(f, after.base_generation == both.m->generation && after.seen_at == before.seen_at);
	FLEET_CHECK(f, outside_events(f, "instance.report") == audits && outside_events(f, "target.behind") == 0);
	fleet_free(f);
}

/* Who repeats himself each minute does not fill the audit, and is seen to be there. */
static void only_news_is_written_down(void **state)
{
	struct fleet *f = fleet_demo();
	external_deploy(f, (struct deployment_create_cmd){ 0 });
	struct outsider p = external_party(f, "edge-1");
	struct wanted_target w = external_loads(f, &p);
	FLEET_CHECK(f, outside_events(f, "instance.report") == 1 && outside_events(f, "target.settled") > 0);
	f->now += MSEC_HOUR;
	(void)external_says(f, &p, "trust", 0, w.fingerprints);
	FLEET_CHECK(f, outside_events(f, "instance.report") == 1 && external_show(f, &p).row.last_seen == f->now);
	fleet_free(f);
}

/* The whole story: waited for by name, with what to type; done when it said so; every handshake holds. */
static void a_rotation_waits_for_it(void **state)
{
	struct fleet *f = fleet_demo();
	external_deploy(f, (struct deployment_create_cmd){ .no_grace = true });
	struct outsider p = external_party(f, "edge-1");
	external_loads(f, &p);
	fleet_settle(f, 5);
	fleet_all_hands(f);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "edge-1", "not-fetched"));
	struct explain_ret x = fleet_explain(f, "edge-1");
	FLEET_CHECK(f, x.items[0].party == PARTY_EXTERNAL && x.items[0].since > 0);
	FLEET_CHECK(f, strstr(explain_plain(f->a, &x.items[0]), "edge-1/trust reports through the API, and what it is offered was not fetched"));
	FLEET_CHECK(f, strstr(explain_hint(f->a, &x.items[0]), "troth instance wanted edge-1"));
	struct wanted_target w = external_want(f, &p, "trust");
	fleet_settle(f, 30);
	x = fleet_explain(f, "edge-1");
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "edge-1", "not-loaded"));
	FLEET_CHECK(f, strstr(explain_hint(f->a, &x.items[0]), "troth instance report edge-1 --file FILE"));
	FLEET_CHECK(f, strstr(explain_hint(f->a, &x.items[0]), "troth waive edge-1 --reason"));
	FLEET_CHECK(f, !fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	fleet_loads(f, p.node, external_pem(f, &w));
	(void)external_says(f, &p, "trust", w.m->generation, w.fingerprints);
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version) && !outside_done(f, &r));
	external_loads(f, &p);
	fleet_settle(f, 10);
	FLEET_CHECK(f, outside_done(f, &r) && fleet_store_size(p.node) == 1);
	fleet_all_hands(f);
	fleet_free(f);
}

/* Nobody saw it: nothing is withdrawn for a grace, in which an abort undoes it. */
static void a_word_has_a_grace(void **state)
{
	struct fleet *f = fleet_demo();
	external_deploy(f, (struct deployment_create_cmd){ .grace = MSEC_HOUR });
	struct outsider p = external_party(f, "edge-1");
	external_loads(f, &p);
	fleet_settle(f, 5);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 10);
	external_loads(f, &p);
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2 && fleet_waits(f, "/demo/ca", "edge-1", "grace"));
	struct explain_ret x = fleet_explain(f, "edge-1");
	FLEET_CHECK(f, x.items[0].earliest > f->now && strstr(explain_plain(f->a, &x.items[0]), "was not seen to"));
	f->now += MSEC_HOUR;
	fleet_settle(f, 30);
	external_loads(f, &p);
	fleet_settle(f, 30);
	FLEET_CHECK(f, outside_done(f, &r));
	fleet_free(f);
}

/* Who is there for a minute does not hold up a withdrawal for an hour. */
static void the_grace_of_an_ephemeral_ends_with_its_lease(void **state)
{
	struct fleet *f = fleet_demo();
	struct credential_list_ret list;
	external_deploy(f, (struct deployment_create_cmd){ .ephemeral = true, .ttl = 10 * MSEC_MIN, .grace = MSEC_HOUR });
	struct outsider p = external_party(f, "check-1");
	external_loads(f, &p);
	fleet_settle(f, 5);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 10);
	external_loads(f, &p);
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	fleet_must(f, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .name = "/demo/ca" }, &list);
	FLEET_CHECK(f, list.items[0].row.grace_until == external_show(f, &p).row.lease_until);
	p.node->place_count = 0;
	f->now += 11 * MSEC_MIN;
	fleet_settle(f, 30);
	FLEET_CHECK(f, outside_done(f, &r));
	fleet_free(f);
}

/* Everything frozen: nothing new is offered, and what is reported still counts. */
static void a_freeze_holds_what_is_offered(void **state)
{
	struct fleet *f = fleet_demo();
	struct freeze_ret frozen;
	external_deploy(f, (struct deployment_create_cmd){ .no_grace = true });
	struct outsider p = external_party(f, "edge-1");
	external_loads(f, &p);
	fleet_settle(f, 5);
	(void)fleet_rotate(f, "/demo/ca");
	fleet_must(f, &VERB_FREEZE, &(struct freeze_cmd){ "audit week" }, &frozen);
	struct wanted_target w = external_want(f, &p, "trust");
	FLEET_CHECK(f, w.fingerprints.count == 1 && w.loaded);
	FLEET_CHECK(f, external_says(f, &p, "trust", 0, w.fingerprints).outcome == REPORT_UNCHANGED);
	fleet_must(f, &VERB_THAW, &(struct no_cmd){ 0 }, &frozen);
	w = external_want(f, &p, "trust");
	FLEET_CHECK(f, w.fingerprints.count == 2 && !w.loaded);
	fleet_free(f);
}

/* A policy of the deployment holds for it too: one at a time. */
static void max_unavailable_counts_it(void **state)
{
	struct fleet *f = fleet_demo();
	external_deploy(f, (struct deployment_create_cmd){ .no_grace = true });
	struct outsider one = external_party(f, "edge-1"), two = external_party(f, "edge-2");
	external_loads(f, &one);
	external_loads(f, &two);
	fleet_settle(f, 5);
	struct deployment_policy_cmd policy = fleet_policy_unchanged(f, "cdn");
	policy.max_unavailable = 1;
	fleet_set_policy(f, policy);
	(void)fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 10);
	size_t offered = external_show(f, &one).targets[0].document_count + external_show(f, &two).targets[0].document_count;
	FLEET_CHECK(f, offered == 1);
	external_loads(f, external_show(f, &one).targets[0].document_count ? &one : &two);
	fleet_settle(f, 10);
	FLEET_CHECK(f, external_want(f, &one, "trust").fingerprints.count == 2 && external_want(f, &two, "trust").fingerprints.count == 2);
	fleet_free(f);
}

/* The server was restored: what it had said is not known any more, until it says it again. */
static void a_new_epoch_asks_again(void **state)
{
	struct fleet *f = fleet_demo();
	struct epoch_ret raised;
	external_deploy(f, (struct deployment_create_cmd){ .no_grace = true });
	struct outsider p = external_party(f, "edge-1");
	struct wanted_target w = external_loads(f, &p);
	fleet_settle(f, 5);
	struct troth_err e = { 0 };
	assert_true(rc_ok(fleet_do(f, &PRINCIPAL_SYSTEM, &VERB_EPOCH, &(struct epoch_cmd){ 5, 0 }, &raised, &e)) && raised.raised);
	FLEET_CHECK(f, !external_row(f, &p).base_known && external_show(f, &p).row.session == 1);
	struct report_result said = external_says(f, &p, "trust", w.m->generation, w.fingerprints);
	FLEET_CHECK(f, said.outcome == REPORT_COUNTED && external_row(f, &p).base_known);
	fleet_free(f);
}

static unsigned roll(uint64_t *seed, unsigned n)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(*seed >> 33) % n;
}

/* One who fetches, loads and reports when he likes, in that order; who repeats old words, and does not always name generations. */
struct walker { struct outsider p; struct wanted_target fetched, loaded; struct instance_report_cmd last; struct target_report said; };

static void walk_one(struct fleet *f, struct walker *w, uint64_t *seed)
{
	struct instance_report_ret r;
	switch (roll(seed, 5)) {
	case 0:
		w->fetched = external_want(f, &w->p, "trust");
		break;
	case 1:
		if (w->fetched.m && w->fetched.m->generation) {
			w->loaded = w->fetched;
			fleet_loads(f, w->p.node, external_pem(f, &w->loaded)); /* every pair is tried */
		}
		break;
	case 2:
		if (w->last.seq)
			fleet_must(f, &VERB_INSTANCE_REPORT, &w->last, &r); /* it comes late, or twice */
		break;
	default:
		if (!w->loaded.m)
			break;
		w->said = (struct target_report){ .path = "$.targets[0]", .target = "trust", .has_fingerprints = true,
						  .generation = roll(seed, 2) ? w->loaded.m->generation : 0, .fingerprints = w->loaded.fingerprints };
		w->last = (struct instance_report_cmd){ w->p.v.row.uuid, ++w->p.seq, &w->said, 1 };
		if (roll(seed, 4))
			fleet_must(f, &VERB_INSTANCE_REPORT, &w->last, &r);
	}
}

static void goal_changes(struct fleet *f, uint64_t *seed)
{
	struct rotation_list_ret list;
	struct rotation_ret back;
	fleet_must(f, &VERB_ROTATION_LIST, &(struct list_cmd){ .name = "/demo/ca" }, &list);
	const struct rotation_view *last = list.count ? &list.items[list.count - 1] : NULL;
	if (!last || text_equal(last->state, "done") || text_equal(last->state, "aborted"))
		(void)fleet_rotate(f, "/demo/ca");
	else if (!roll(seed, 3))
		fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ last->id }, &back);
}

static void honest_words_in_any_order_break_no_handshake(void **state)
{
	for (uint64_t s = 1; s <= 2; s++) {
		uint64_t seed = s;
		struct fleet *f = fleet_demo();
		external_deploy(f, (struct deployment_create_cmd){ .no_grace = true });
		struct walker one = { .p = external_party(f, "edge-1") }, two = { .p = external_party(f, "edge-2") };
		one.loaded = external_loads(f, &one.p); /* nothing is promised before they count */
		two.loaded = external_loads(f, &two.p);
		fleet_settle(f, 5);
		for (int i = 0; i < 70; i++) {
			walk_one(f, &one, &seed);
			walk_one(f, &two, &seed);
			if (!roll(&seed, 12))
				goal_changes(f, &seed);
			if (!roll(&seed, 3))
				fleet_settle(f, 2);
		}
		for (int i = 0; i < 4; i++) {
			external_loads(f, &one.p);
			external_loads(f, &two.p);
			fleet_settle(f, 20);
		}
		FLEET_CHECK(f, external_row(f, &one.p).state == TARGET_COUNTED && external_row(f, &two.p).state == TARGET_COUNTED);
		fleet_all_hands(f);
		fleet_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrong_field_is_a_finding),
		cmocka_unit_test(all_of_it_or_nothing),
		cmocka_unit_test(late_and_repeated_reports_change_nothing),
		cmocka_unit_test(only_news_is_written_down),
		cmocka_unit_test(a_rotation_waits_for_it),
		cmocka_unit_test(a_word_has_a_grace),
		cmocka_unit_test(the_grace_of_an_ephemeral_ends_with_its_lease),
		cmocka_unit_test(a_freeze_holds_what_is_offered),
		cmocka_unit_test(max_unavailable_counts_it),
		cmocka_unit_test(a_new_epoch_asks_again),
		cmocka_unit_test(honest_words_in_any_order_break_no_handshake),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
