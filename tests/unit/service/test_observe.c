/* Reports: what counts, what is refused, what is remembered. */
#include "fleet.h"

static struct report_ret say(struct fleet *f, struct fleet_node *n, struct msg_report *m)
{
	struct report_ret ret;
	struct troth_err e = { 0 };
	m->seq = ++n->seq;
	FLEET_CHECK(f, rc_ok(fleet_do(f, &n->who, &VERB_AGENT_REPORT, m, &ret, &e)));
	return ret;
}

static void another_instances_target(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0"), *other = fleet_node(f, "app-1");
	struct msg_report m = fleet_report_of(f, n);
	m.target = other->places[0].id;
	fleet_refused(f, &n->who, &VERB_AGENT_REPORT, &m, TROTH_FORBIDDEN, "another instance");
	m.target = "11111111-1111-4111-8111-111111111111";
	fleet_refused(f, &n->who, &VERB_AGENT_REPORT, &m, TROTH_NOT_FOUND, "");
	m.target = "x";
	fleet_refused(f, &n->who, &VERB_AGENT_REPORT, &m, TROTH_NOT_FOUND, "not an id");
	fleet_refused(f, &f->admin, &VERB_AGENT_REPORT, &m, TROTH_FORBIDDEN, "may not do");
	fleet_free(f);
}

static void unopened_session(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	struct msg_report m = fleet_report_of(f, n);
	m.session = n->session + 100;
	fleet_refused(f, &n->who, &VERB_AGENT_REPORT, &m, TROTH_CONFLICT, "type:stale-session");
	int64_t older = n->session;
	fleet_open(f, n);
	m = fleet_report_of(f, n);
	m.session = older; /* it was open, and is not any more: whatever its report says, and were it the newest */
	FLEET_CHECK(f, older > 0 && older < n->session);
	fleet_refused(f, &n->who, &VERB_AGENT_REPORT, &m, TROTH_CONFLICT, "type:stale-session");
	m.seq = 0;
	fleet_refused(f, &n->who, &VERB_AGENT_REPORT, &m, TROTH_CONFLICT, "type:stale-session");
	m.stopped = true;
	fleet_refused(f, &n->who, &VERB_AGENT_REPORT, &m, TROTH_CONFLICT, "type:stale-session");
	fleet_free(f);
}

static void older_generation(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	struct target_row before = fleet_target(f, n);
	struct msg_report m = fleet_report_of(f, n);
	m.generation = 1;
	fleet_refused(f, &n->who, &VERB_AGENT_REPORT, &m, TROTH_CONFLICT, "older");
	m = fleet_report_of(f, n);
	m.high_water = m.generation - 1;
	fleet_refused(f, &n->who, &VERB_AGENT_REPORT, &m, TROTH_INVALID, "below generation");
	m = fleet_report_of(f, n);
	m.failed_generation = m.high_water + 1;
	fleet_refused(f, &n->who, &VERB_AGENT_REPORT, &m, TROTH_INVALID, "could still be applied");
	struct target_row after = fleet_target(f, n);
	FLEET_CHECK(f, before.base_generation == after.base_generation && before.report_seq == after.report_seq);
	fleet_free(f);
}

static void written_is_not_loaded(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0"), *slot = fleet_node(f, "svc-0");
	struct msg_report m;
	n->mute = true;
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 20);
	m = fleet_report_of(f, n);
	m.level = MSG_LEVEL_WRITTEN;
	FLEET_CHECK(f, !say(f, n, &m).counted);
	FLEET_CHECK(f, fleet_target(f, n).base_generation == 1 && fleet_target(f, n).level == LEVEL_WRITTEN);
	m.level = MSG_LEVEL_LOADED;
	m.settled = false;
	FLEET_CHECK(f, !say(f, n, &m).counted);
	m.settled = true;
	FLEET_CHECK(f, say(f, n, &m).counted);
	FLEET_CHECK(f, fleet_target(f, n).base_generation == 2);
	m = fleet_report_of(f, slot);
	m.level = MSG_LEVEL_LOADED; /* a server that was not seen on its port */
	FLEET_CHECK(f, !say(f, slot, &m).counted);
	fleet_free(f);
}

static void said_before(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	struct msg_report m = fleet_report_of(f, n);
	struct report_ret ret;
	struct troth_err e = { 0 };
	m.seq = n->seq;
	FLEET_CHECK(f, rc_ok(fleet_do(f, &n->who, &VERB_AGENT_REPORT, &m, &ret, &e)) && !ret.counted);
	fleet_free(f);
}

static void contents_that_nobody_sent(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	struct msg_report m = fleet_report_of(f, n);
	const char *strange = "0000000000000000000000000000000000000000000000000000000000000001";
	m.fingerprints = (struct json_texts){ &strange, 1 };
	FLEET_CHECK(f, say(f, n, &m).counted);
	FLEET_CHECK(f, !fleet_target(f, n).base_known);
	FLEET_CHECK(f, fleet_waits(f, NULL, "app-0", "unknown"));
	FLEET_CHECK(f, fleet_instance(f, n).session == 0); /* begin anew, and say what you hold */
	fleet_open(f, n);
	m = fleet_report_of(f, n);
	say(f, n, &m);
	FLEET_CHECK(f, fleet_target(f, n).base_known);
	FLEET_CHECK(f, fleet_explain(f, NULL).count == 0);
	fleet_free(f);
}

/* A generation above ours: we forgot.  A new epoch begins; then known contents are known again, others are not. */
static void generation_above_ours(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *store = fleet_node(f, "app-0"), *slot = fleet_node(f, "svc-0");
	struct fleet_node *both[] = { store, slot };
	struct msg_report m = fleet_report_of(f, store);
	m.generation = m.high_water = 40;
	FLEET_CHECK(f, !say(f, store, &m).counted);
	FLEET_CHECK(f, text_equal(service_epoch(f->svc), "2") && !fleet_target(f, slot).base_known);
	for (size_t i = 0; i < 2; i++) {
		both[i]->places[0].l = both[i]->places[0].h = 40;
		fleet_open(f, both[i]);
		m = fleet_report_of(f, both[i]);
		say(f, both[i], &m);
		struct target_row t = fleet_target(f, both[i]);
		FLEET_CHECK(f, t.base_known && t.base_generation == 40 && t.next_generation == LIMIT_GENERATIONS + 1);
	}
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
	const char *strange = "0000000000000000000000000000000000000000000000000000000000000001";
	int64_t next = fleet_target(f, store).next_generation;
	m = fleet_report_of(f, store);
	m.generation = m.high_water = next + 90; /* again, too soon to be believed of the whole fleet */
	m.fingerprints = (struct json_texts){ &strange, 1 };
	say(f, store, &m);
	struct target_row t = fleet_target(f, store);
	FLEET_CHECK(f, !t.base_known && t.strange && t.next_generation == next + 92); /* sent what it shall hold, above its own number */
	FLEET_CHECK(f, fleet_waits(f, NULL, "app-0", "strange"));
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_target(f, store).base_known && !fleet_target(f, store).strange && fleet_explain(f, NULL).count == 0);
	FLEET_CHECK(f, text_equal(service_epoch(f->svc), "2") && fleet_target(f, slot).base_known);
	fleet_free(f);
}

static void found_and_drift(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "svc-0");
	struct msg_report m = fleet_report_of(f, n);
	const char *line = "cert.pem was changed; put right", *print = "ab";
	m.drift = (struct json_texts){ &line, 1 };
	m.has_found = true;
	m.found_fingerprints = (struct json_texts){ &print, 1 };
	m.found_text = "a self-signed certificate";
	say(f, n, &m);
	struct target_row t = fleet_target(f, n);
	FLEET_CHECK(f, strstr(t.drift, "put right") && strstr(t.found, "self-signed"));
	m.settled = false; /* stuck: what it says is why */
	say(f, n, &m);
	FLEET_CHECK(f, strstr(fleet_target(f, n).last_error, "was changed"));
	m.settled = true;
	m.drift.count = 0;
	say(f, n, &m);
	FLEET_CHECK(f, fleet_target(f, n).drift == NULL);
	fleet_free(f);
}

/* An agent repeats what failed last in each report; that is one failure. */
static void a_failure_said_again(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "svc-0");
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 2);
	n->broken = true;
	fleet_settle(f, 1);
	int64_t failures = fleet_target(f, n).failures;
	for (int i = 0; i < 5; i++) {
		struct msg_report m = fleet_report_of(f, n);
		m.failed_generation = m.high_water;
		m.failed_reason = "reload: exit 1";
		say(f, n, &m);
	}
	FLEET_CHECK(f, fleet_target(f, n).failures == failures);
	struct msg_report m = fleet_report_of(f, n);
	m.settled = false; /* stuck: it says why, and nothing counts */
	m.failed_generation = m.high_water;
	m.failed_reason = "disk full";
	FLEET_CHECK(f, !say(f, n, &m).counted && text_equal(fleet_target(f, n).last_error, "disk full"));
	fleet_free(f);
}

static void failures_are_counted_by_contents(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "svc-0");
	n->broken = true;
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	struct target_row t = fleet_target(f, n);
	FLEET_CHECK(f, t.failures == LIMIT_APPLY_FAILURES && text_equal(t.last_error, "reload: exit 1"));
	FLEET_CHECK(f, t.base_known && t.base_generation == 1 && t.high_water > 1);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_instances_target),
		cmocka_unit_test(unopened_session),
		cmocka_unit_test(older_generation),
		cmocka_unit_test(written_is_not_loaded),
		cmocka_unit_test(said_before),
		cmocka_unit_test(contents_that_nobody_sent),
		cmocka_unit_test(generation_above_ours),
		cmocka_unit_test(found_and_drift),
		cmocka_unit_test(a_failure_said_again),
		cmocka_unit_test(failures_are_counted_by_contents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
