/* What is waited for, in names. */
#include "fleet.h"

#include "service/names.h"

static void names_not_ids(void **state)
{
	struct fleet *f = fleet_demo();
	fleet_node(f, "app-1")->mute = true;
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 20);
	struct explain_ret x = fleet_explain(f, "/demo/ca");
	FLEET_CHECK(f, x.count > 0 && x.running == 1);
	FLEET_CHECK(f, text_equal(x.items[0].speaker, "node") && text_equal(x.items[0].instance, "app-1") &&
		       text_equal(x.items[0].target, "trust") && x.items[0].since <= f->now && x.items[0].since > 0);
	FLEET_CHECK(f, x.items[0].blocks == 3); /* the three slots that wait for it */
	const char *s = explain_sentence(f->a, &x.items[0]);
	FLEET_CHECK(f, strstr(s, "app-1/trust") && strstr(s, "rule A2"));
	FLEET_CHECK(f, text_equal(explain_plain(f->a, &x.items[0]), "app-1/trust was sent new contents and has not reported them in use"));
	FLEET_CHECK(f, strstr(explain_hint(f->a, &x.items[0]), "does the agent on app-1 run"));
	FLEET_CHECK(f, fleet_explain(f, "app-1").count > 0);
	FLEET_CHECK(f, fleet_explain(f, "app-1/trust").count > 0);
	fleet_refused(f, &f->admin, &VERB_EXPLAIN, &(struct explain_cmd){ "app-9/trust" }, TROTH_NOT_FOUND, "");
	FLEET_CHECK(f, fleet_explain(f, NULL).count >= x.count);
	fleet_refused(f, &f->admin, &VERB_EXPLAIN, &(struct explain_cmd){ "/demo/caa" }, TROTH_NOT_FOUND, "");
	fleet_free(f);
}

/* "nothing ran that could be reloaded", an agent said that is away now: there is nothing to mend. */
static void a_remark_is_told_and_is_nothing_to_mend(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-1");
	struct msg_report m = fleet_report_of(f, n);
	struct report_ret ret;
	struct troth_err e = { 0 };
	const char *line = "nothing ran that could be reloaded";
	m.drift = (struct json_texts){ &line, 1 };
	m.seq = ++n->seq;
	FLEET_CHECK(f, rc_ok(fleet_do(f, &n->who, &VERB_AGENT_REPORT, &m, &ret, &e)));
	n->mute = true;
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 20);
	struct explain_ret x = fleet_explain(f, "/demo/ca");
	FLEET_CHECK(f, text_equal(x.items[0].instance, "app-1") && text_equal(x.items[0].last_error, line));
	FLEET_CHECK(f, strstr(explain_hint(f->a, &x.items[0]), "does the agent on app-1 run"));
	fleet_free(f);
}

static void only_what_is_in_scope(void **state)
{
	struct fleet *f = fleet_demo();
	struct principal narrow = { .name = "op", .roles = ROLE_OPERATOR, .scope = "/prod/" "*" };
	struct explain_ret x;
	struct troth_err e = { 0 };
	fleet_node(f, "app-1")->mute = true;
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 20);
	FLEET_CHECK(f, rc_ok(fleet_do(f, &narrow, &VERB_EXPLAIN, &(struct explain_cmd){ 0 }, &x, &e)) && x.count == 0);
	fleet_refused(f, &narrow, &VERB_EXPLAIN, &(struct explain_cmd){ "/demo/ca" }, TROTH_NOT_FOUND, "no such");
	fleet_refused(f, &narrow, &VERB_EXPLAIN, &(struct explain_cmd){ "app-0/trust" }, TROTH_NOT_FOUND, "there is no instance");
	fleet_free(f);
}

static void since_is_kept(void **state)
{
	struct fleet *f = fleet_demo();
	fleet_node(f, "app-1")->mute = true;
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 10);
	msec_t since = fleet_explain(f, "/demo/ca").items[0].since;
	for (int i = 0; i < 5; i++)
		fleet_kill(f, fleet_node(f, "svc-0")); /* other things go on */
	fleet_settle(f, 10);
	FLEET_CHECK(f, fleet_explain(f, "/demo/ca").items[0].since == since);
	fleet_free(f);
}

static void a_leaf_is_explained_by_its_slot(void **state)
{
	struct fleet *f = fleet_demo();
	fleet_node(f, "svc-1")->off = true;
	fleet_rotate(f, "/demo/svc-1/server");
	fleet_settle(f, 5);
	FLEET_CHECK(f, fleet_waits(f, "/demo/svc-1/server", "svc-1", "csr"));
	FLEET_CHECK(f, fleet_explain(f, "/demo/svc-2/server").count == 0);
	fleet_free(f);
}

static void nothing_is_said_twice(void **state)
{
	struct fleet *f = fleet_demo();
	fleet_node(f, "app-1")->mute = true;
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 20);
	struct explain_ret x = fleet_explain(f, "/demo/ca");
	size_t twice = 0;
	for (size_t i = 0; i < x.count; i++)
		for (size_t k = 0; k < i; k++)
			twice += text_equal(explain_sentence(f->a, &x.items[i]), explain_sentence(f->a, &x.items[k]));
	FLEET_CHECK(f, twice == 0);
	fleet_free(f);
}

/* What breaks says when, and for what; its hint is that of the cause. */
static void a_deadline_says_when_and_why(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct explained x = { .speaker = "time", .rule = "D", .reason = "deadline", .authority = "/ca", .instance = "pg-1", .target = "server",
			       .count = 1, .breaks = INT64_C(1795000000999), .cause = "not-trusted", .other_instance = "app-1",
			       .other_target = "trust" };
	assert_string_equal(explain_plain(a, &x), "pg-1/server breaks on 2026-11-18T11:06:40Z: it keeps its old certificate until "
						  "app-1/trust is seen to trust the new CA");
	x.cause = "no-signer";
	assert_non_null(strstr(explain_plain(a, &x), "nobody who can sign"));
	assert_non_null(explain_hint(a, &x));
	arena_free(a);
}

/* Nobody need do anything, so it says until when. */
static void what_is_not_valid_yet_says_from_when(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct explained x = { .speaker = "time", .rule = "acc", .reason = "not-valid-yet", .authority = "/ca", .count = 1,
			       .earliest = INT64_C(1794999999001) };
	assert_string_equal(explain_plain(a, &x), "/ca signs by its old version until the new one is valid, where clocks are slow too, "
						  "that is from 2026-11-18T11:06:40Z");
	assert_null(explain_hint(a, &x));
	x.instance = "pg-1";
	x.target = "server";
	assert_string_equal(explain_plain(a, &x), "pg-1/server waits until its certificate is valid, where clocks are slow too, "
						  "that is from 2026-11-18T11:06:40Z");
	arena_free(a);
}

static void every_reason_has_plain_words(void **state)
{
	struct arena *a = arena_new(1 << 20);
	for (int r = 1; r < WAIT_REASON_MAX; r++) {
		struct explained x = { .speaker = "node", .rule = "A2", .reason = wait_reason_name((enum wait_reason)r), .text = "ENGINE",
				       .authority = "/ca", .instance = "pg-1", .target = "server", .count = 2 };
		const char *s = explain_plain(a, &x);
		assert_null(strstr(s, "ENGINE"));
		assert_null(strchr(s, '@'));
		assert_non_null(strstr(s, "pg-1/server "));
		assert_non_null(strstr(s, ", and 1 more"));
	}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_not_ids), cmocka_unit_test(a_remark_is_told_and_is_nothing_to_mend),
		cmocka_unit_test(only_what_is_in_scope),
		cmocka_unit_test(since_is_kept),
		cmocka_unit_test(nothing_is_said_twice),
		cmocka_unit_test(every_reason_has_plain_words), cmocka_unit_test(what_is_not_valid_yet_says_from_when), cmocka_unit_test(a_deadline_says_when_and_why),
		cmocka_unit_test(a_leaf_is_explained_by_its_slot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
