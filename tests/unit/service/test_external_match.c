/* What a report means: which contents it names, and where they stand. */
#include "external.h"

struct scene { struct fleet *f; struct outsider p; struct wanted_target first; };

/* Counted with the first root. */
static struct scene counted(void)
{
	struct scene s = { .f = fleet_demo() };
	external_deploy(s.f, (struct deployment_create_cmd){ .no_grace = true });
	s.p = external_party(s.f, "edge-1");
	s.first = external_loads(s.f, &s.p);
	fleet_settle(s.f, 5);
	FLEET_CHECK(s.f, external_row(s.f, &s.p).state == TARGET_COUNTED);
	return s;
}

static void the_same_again_is_unchanged(void **state)
{
	struct scene s = counted();
	struct report_result r = external_says(s.f, &s.p, "trust", 0, s.first.fingerprints);
	FLEET_CHECK(s.f, r.outcome == REPORT_UNCHANGED && r.generation == s.first.m->generation && !r.text);
	r = external_says(s.f, &s.p, "trust", s.first.m->generation, s.first.fingerprints);
	FLEET_CHECK(s.f, r.outcome == REPORT_UNCHANGED);
	fleet_free(s.f);
}

/* As openssl prints it. */
static void colons_and_capitals(void **state)
{
	struct scene s = counted();
	char text[100], *p = text;
	for (const char *hex = s.first.fingerprints.items[0]; *hex; hex += 2)
		p += sprintf(p, "%s%c%c", p == text ? "" : ":", hex[0] >= 'a' ? hex[0] - 32 : hex[0], hex[1] >= 'a' ? hex[1] - 32 : hex[1]);
	struct report_result r = external_says(s.f, &s.p, "trust", 0, external_list(s.f, text, NULL));
	FLEET_CHECK(s.f, r.outcome == REPORT_UNCHANGED);
	fleet_free(s.f);
}

/* match_by_fingerprint: there, back, and there again; a report without a generation is taken for the oldest that fits. */
static void the_oldest_that_fits_unless_it_is_named(void **state)
{
	struct scene s = counted();
	struct fleet *f = s.f;
	struct rotation_ret back;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 10);
	struct wanted_target both = external_want(f, &s.p, "trust");
	FLEET_CHECK(f, both.fingerprints.count == 2 && !both.loaded);
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ r.rotation }, &back);
	fleet_settle(f, 10);
	struct wanted_target old = external_want(f, &s.p, "trust");
	FLEET_CHECK(f, old.fingerprints.count == 1 && old.m->generation > both.m->generation);
	struct report_result said = external_says(f, &s.p, "trust", 0, old.fingerprints);
	FLEET_CHECK(f, said.outcome == REPORT_UNCHANGED && said.generation == s.first.m->generation);
	FLEET_CHECK(f, external_show(f, &s.p).targets[0].document_count == 2); /* both may still come */
	said = external_says(f, &s.p, "trust", old.m->generation, old.fingerprints);
	FLEET_CHECK(f, said.outcome == REPORT_COUNTED && said.generation == old.m->generation);
	FLEET_CHECK(f, external_show(f, &s.p).targets[0].document_count == 0);
	fleet_free(f);
}

/* It names a generation and reports other contents: the contents count. */
static void a_generation_with_other_fingerprints(void **state)
{
	struct scene s = counted();
	struct fleet *f = s.f;
	(void)fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 10);
	struct wanted_target both = external_want(f, &s.p, "trust");
	struct report_result said = external_says(f, &s.p, "trust", both.m->generation, s.first.fingerprints);
	FLEET_CHECK(f, said.outcome == REPORT_UNCHANGED && strstr(said.text, "other fingerprints"));
	said = external_says(f, &s.p, "trust", 77, s.first.fingerprints);
	FLEET_CHECK(f, said.outcome == REPORT_UNCHANGED && strstr(said.text, "not on record"));
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "edge-1", "not-loaded"));
	fleet_free(f);
}

/* Older than it had reported: believed, alarmed; what it was handed since counts again, and nothing old is withdrawn from it. */
static void going_backward_is_believed(void **state)
{
	struct scene s = counted();
	struct fleet *f = s.f;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 10);
	struct wanted_target both = external_loads(f, &s.p);
	struct report_result said = external_says(f, &s.p, "trust", s.first.m->generation, s.first.fingerprints);
	FLEET_CHECK(f, said.outcome == REPORT_BEHIND && said.generation == s.first.m->generation);
	struct instance_view v = external_show(f, &s.p);
	FLEET_CHECK(f, v.row.alarm && strstr(v.row.alarm, "older") && v.targets[0].document_count == 1);
	FLEET_CHECK(f, outside_events(f, "target.behind") == 1 && outside_events(f, "instance.alarm") == 1);
	fleet_settle(f, 20); /* (the slots' keys were asked for; nothing may switch) */
	FLEET_CHECK(f, !fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version) && !outside_done(f, &r));
	said = external_says(f, &s.p, "trust", both.m->generation, both.fingerprints);
	FLEET_CHECK(f, said.outcome == REPORT_COUNTED && !external_show(f, &s.p).row.alarm);
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	external_loads(f, &s.p);
	fleet_settle(f, 20);
	FLEET_CHECK(f, outside_done(f, &r));
	fleet_all_hands(f);
	fleet_free(f);
}

/* Its alarm is about its word, and not about two agents with one identity: it is still told what it shall hold. */
static void an_alarm_withholds_nothing(void **state)
{
	struct scene s = counted();
	struct fleet *f = s.f;
	(void)fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 10);
	external_loads(f, &s.p);
	(void)external_says(f, &s.p, "trust", s.first.m->generation, s.first.fingerprints);
	f->now += MSEC_HOUR;
	FLEET_CHECK(f, external_show(f, &s.p).row.alarm && external_wanted(f, &s.p).target_count == 1);
	FLEET_CHECK(f, external_want(f, &s.p, "trust").fingerprints.count == 2 && external_show(f, &s.p).row.last_seen == f->now);
	fleet_free(f);
}

/* Nobody knows it: nothing relies on it, and it is said what; a known word ends that. */
static void unknown_is_not_relied_upon(void **state)
{
	static const char STRANGE[] = "00000000000000000000000000000000000000000000000000000000000000aa";
	struct scene s = counted();
	struct fleet *f = s.f;
	struct report_result said = external_says(f, &s.p, "trust", 0, external_list(f, STRANGE, NULL));
	FLEET_CHECK(f, said.outcome == REPORT_UNKNOWN && said.extra.count == 1 && text_equal(said.extra.items[0], STRANGE));
	FLEET_CHECK(f, !external_row(f, &s.p).base_known && outside_events(f, "target.unknown") == 1);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 20);
	FLEET_CHECK(f, !fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "edge-1", "unknown"));
	struct explain_ret x = fleet_explain(f, "edge-1");
	FLEET_CHECK(f, strstr(explain_sentence(f->a, &x.items[0]), arena_printf(f->a, "it reported: what nobody here knows: %s", STRANGE)));
	FLEET_CHECK(f, strstr(explain_hint(f->a, &x.items[0]), "troth instance report edge-1"));
	said = external_says(f, &s.p, "trust", 0, s.first.fingerprints);
	FLEET_CHECK(f, said.outcome == REPORT_COUNTED);
	for (int i = 0; i < 3; i++) {
		fleet_settle(f, 20);
		external_loads(f, &s.p);
	}
	fleet_settle(f, 20);
	FLEET_CHECK(f, outside_done(f, &r));
	fleet_all_hands(f);
	fleet_free(f);
}

/* A system's own list beside ours: drift, named, and no reason to wait. */
static void extras_are_drift(void **state)
{
	static const char STRANGE[] = "00000000000000000000000000000000000000000000000000000000000000aa";
	struct scene s = counted();
	struct fleet *f = s.f;
	struct report_result said = external_says(f, &s.p, "trust", 0, external_list(f, STRANGE, s.first.fingerprints.items[0]));
	FLEET_CHECK(f, said.outcome == REPORT_UNCHANGED && said.extra.count == 1);
	FLEET_CHECK(f, external_row(f, &s.p).drift && strstr(external_row(f, &s.p).drift, STRANGE));
	FLEET_CHECK(f, outside_events(f, "target.drift") == 1);
	(void)external_says(f, &s.p, "trust", 0, external_list(f, STRANGE, s.first.fingerprints.items[0]));
	FLEET_CHECK(f, outside_events(f, "target.drift") == 1);
	said = external_says(f, &s.p, "trust", 0, s.first.fingerprints);
	FLEET_CHECK(f, !external_row(f, &s.p).drift);
	fleet_free(f);
}

/* A CA of its bundle that it kept, though it was told to forget it, is no extra: it still trusts it. */
static void what_was_to_be_forgotten_still_counts(void **state)
{
	struct scene s = counted();
	struct fleet *f = s.f;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 10);
	struct wanted_target both = external_loads(f, &s.p);
	fleet_settle(f, 40);
	struct wanted_target last = external_want(f, &s.p, "trust");
	FLEET_CHECK(f, last.fingerprints.count == 1 && last.m->generation > both.m->generation);
	struct report_result said = external_says(f, &s.p, "trust", last.m->generation, both.fingerprints);
	FLEET_CHECK(f, said.outcome == REPORT_UNCHANGED && said.generation == both.m->generation);
	fleet_settle(f, 10);
	FLEET_CHECK(f, !outside_done(f, &r));
	external_loads(f, &s.p);
	fleet_settle(f, 10);
	FLEET_CHECK(f, outside_done(f, &r));
	fleet_free(f);
}

/* By ids of versions; contents that were never sent under a generation, but are known, count as they are. */
static void by_version_ids(void **state)
{
	struct scene s = counted();
	struct fleet *f = s.f;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 10);
	struct target_report t = { .path = "$.targets[0]", .target = "trust", .has_versions = true,
				   .versions = external_list(f, r.new_version, NULL) };
	struct report_result said = external_said(f, &s.p, t);
	FLEET_CHECK(f, said.outcome == REPORT_BEHIND && said.generation == 0); /* it has thrown the old one away by itself */
	struct target_row row = external_row(f, &s.p);
	FLEET_CHECK(f, row.base_known && row.base_content && row.base_generation == 0);
	t.versions = external_list(f, "00000000-0000-4000-8000-000000000000", NULL);
	struct instance_report_cmd bad = { s.p.v.row.uuid, 99, &t, 1 };
	fleet_refused(f, &f->admin, &VERB_INSTANCE_REPORT, &bad, TROTH_INVALID, "");
	/* a version of what the principal may not see does not exist for it, though others' reports may name it */
	const struct principal narrow = { .name = "cdn-ops", .roles = ROLE_OPERATOR, .scope = "cdn" };
	t.versions = external_list(f, r.new_version, NULL);
	fleet_refused(f, &narrow, &VERB_INSTANCE_REPORT, &bad, TROTH_INVALID, "is no version's id");
	external_loads(f, &s.p);
	FLEET_CHECK(f, external_row(f, &s.p).base_generation > 0);
	fleet_free(f);
}

/* Decided, never handed out, taken back: no report can mean it. */
static void what_was_never_handed_out_is_no_generation_of_its_own(void **state)
{
	struct scene s = counted();
	struct fleet *f = s.f;
	struct rotation_ret back;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 5);
	FLEET_CHECK(f, external_show(f, &s.p).targets[0].document_count == 1);
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ r.rotation }, &back);
	fleet_settle(f, 20);
	struct target_report t = { .path = "$.targets[0]", .target = "trust", .has_versions = true, .fingerprints = s.first.fingerprints,
				   .versions = external_list(f, r.new_version, NULL) };
	struct report_result said = external_said(f, &s.p, t);
	FLEET_CHECK(f, said.outcome == REPORT_BEHIND && said.generation == 0 && said.extra.count == 0);
	fleet_free(f);
}

/* It goes back further than the engine keeps in mind: nothing relies on it, until it says something newer. */
static void very_far_backward(void **state)
{
	struct scene s = counted();
	struct fleet *f = s.f;
	for (int i = 0; i < 6; i++) { /* two documents each time */
		struct rotation_ret back;
		struct rotate_ret r = fleet_rotate(f, "/demo/ca");
		fleet_settle(f, 4);
		external_loads(f, &s.p);
		fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ r.rotation }, &back);
		fleet_settle(f, 4);
		external_loads(f, &s.p);
	}
	struct target_row newest = external_row(f, &s.p);
	FLEET_CHECK(f, newest.base_generation > 10);
	struct report_result said = external_says(f, &s.p, "trust", s.first.m->generation, s.first.fingerprints);
	FLEET_CHECK(f, said.outcome == REPORT_BEHIND && external_show(f, &s.p).targets[0].document_count > 8);
	fleet_settle(f, 4);
	fleet_restart(f);
	struct wanted_target w = external_loads(f, &s.p);
	FLEET_CHECK(f, external_row(f, &s.p).base_generation == w.m->generation && external_show(f, &s.p).targets[0].document_count == 0);
	fleet_all_hands(f);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_again_is_unchanged),
		cmocka_unit_test(colons_and_capitals),
		cmocka_unit_test(the_oldest_that_fits_unless_it_is_named),
		cmocka_unit_test(a_generation_with_other_fingerprints),
		cmocka_unit_test(going_backward_is_believed),
		cmocka_unit_test(what_was_never_handed_out_is_no_generation_of_its_own),
		cmocka_unit_test(very_far_backward),
		cmocka_unit_test(an_alarm_withholds_nothing),
		cmocka_unit_test(unknown_is_not_relied_upon),
		cmocka_unit_test(extras_are_drift),
		cmocka_unit_test(what_was_to_be_forgotten_still_counts),
		cmocka_unit_test(by_version_ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
