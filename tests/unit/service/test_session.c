/* Sessions: what is unchanged stays, what changed is unknown. */
#include "fleet.h"

static void nothing_changed(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	int64_t before = n->session;
	fleet_open(f, n);
	FLEET_CHECK(f, n->session > before && fleet_target(f, n).base_known);
	fleet_free(f);
}

static void pending_stays_valid(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	fleet_rotate(f, "/demo/ca");
	fleet_open(f, n);
	struct desired_ret d = fleet_desired(f, n, 0);
	FLEET_CHECK(f, d.desired.target_count == 1 && d.desired.targets[0].generation == 2);
	fleet_free(f);
}

static void opened_with(struct fleet *f, struct fleet_node *n, int64_t l, int64_t h, const char *fingerprint, bool known)
{
	struct msg_opened ret;
	struct troth_err e = { 0 };
	struct msg_loaded said = { n->places[0].id, l, h, fleet_report_of(f, n).fingerprints };
	if (fingerprint)
		said.fingerprints = (struct json_texts){ &fingerprint, 1 };
	struct msg_session cmd = { n->boot_id, n->epoch, "1", &said, 1 };
	FLEET_CHECK(f, rc_ok(fleet_do(f, &n->who, &VERB_AGENT_SESSION, &cmd, &ret, &e)));
	n->session = ret.session;
	FLEET_CHECK(f, fleet_target(f, n).base_known == known);
}

static void anything_else_is_unknown(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	opened_with(f, n, 1, 1, NULL, true);
	opened_with(f, n, 1, 1, "00", false);
	fleet_report(f, n, &n->places[0]);
	opened_with(f, n, 0, 0, NULL, false);
	fleet_report(f, n, &n->places[0]);
	opened_with(f, n, 1, 30, NULL, false); /* it is ahead of us */
	FLEET_CHECK(f, fleet_target(f, n).next_generation == LIMIT_GENERATIONS + 1 && text_equal(service_epoch(f->svc), "2"));
	fleet_free(f);
}

/* Too soon after the last one to be believed of the whole fleet: no new epoch, but what it is sent is above its own numbers,
 * from the opening on (a newcomer is sent something before it reports). */
static void ahead_again_it_gets_numbers_above_its_own(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	opened_with(f, n, 1, 30, NULL, false);
	opened_with(f, n, 1, LIMIT_GENERATIONS + 50, NULL, false);
	FLEET_CHECK(f, text_equal(service_epoch(f->svc), "2") && fleet_target(f, n).next_generation == LIMIT_GENERATIONS + 51);
	fleet_free(f);
}

static void pending_of_a_changed_node_is_void(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	fleet_rotate(f, "/demo/ca");
	n->boot_id = "another";
	fleet_open(f, n);
	struct desired_ret d = fleet_desired(f, n, 0);
	FLEET_CHECK(f, d.desired.targets[0].generation == 0);
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, "/demo/ca").state, "done"));
	fleet_free(f);
}

static void foreign_epoch(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	n->epoch = "4711";
	fleet_open(f, n);
	FLEET_CHECK(f, !fleet_target(f, n).base_known && !text_equal(n->epoch, "4711"));
	n->epoch = NULL; /* it forgot, but not what it holds */
	fleet_report(f, n, &n->places[0]);
	fleet_open(f, n);
	FLEET_CHECK(f, !fleet_target(f, n).base_known);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_changed),
		cmocka_unit_test(pending_stays_valid),
		cmocka_unit_test(anything_else_is_unknown),
		cmocka_unit_test(ahead_again_it_gets_numbers_above_its_own),
		cmocka_unit_test(pending_of_a_changed_node_is_void),
		cmocka_unit_test(foreign_epoch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
