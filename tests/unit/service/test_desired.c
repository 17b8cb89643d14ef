/* The poll: held, versioned, handed out before it leaves. */
#include "fleet.h"

static void held_until_something_is_newer(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	struct desired_ret d = fleet_desired(f, n, 0);
	FLEET_CHECK(f, !f->last.hold.wanted);
	d = fleet_desired(f, n, d.desired.version);
	FLEET_CHECK(f, f->last.hold.wanted);
	FLEET_CHECK(f, text_equal(f->last.hold.topic, arena_printf(f->a, "instance/%s", n->uuid)));
	fleet_rotate(f, "/demo/ca");
	d = fleet_desired(f, n, d.desired.version);
	FLEET_CHECK(f, !f->last.hold.wanted && d.desired.targets[0].generation == 2);
	FLEET_CHECK(f, d.desired.targets[0].certificates.count == 2);
	fleet_free(f);
}

static void same_state_same_version(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "svc-0");
	int64_t version = fleet_desired(f, n, 0).desired.version;
	fleet_restart(f);
	FLEET_CHECK(f, fleet_desired(f, n, 0).desired.version == version && version > 0);
	fleet_free(f);
}

static void handed_out_before_the_reply(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	struct document_row d;
	struct troth_err e = { 0 };
	fleet_rotate(f, "/demo/ca");
	int64_t target = fleet_target(f, n).id;
	struct tx *tx = fleet_read(f);
	FLEET_CHECK(f, rc_ok(document_row_newest(tx, f->a, target, &d, &e)) && !d.handed_at);
	fleet_read_end(f, tx);
	fleet_desired(f, n, 0);
	FLEET_CHECK(f, f->last.then == &VERB_AGENT_TAKE);
	tx = fleet_read(f);
	FLEET_CHECK(f, rc_ok(document_row_newest(tx, f->a, target, &d, &e)) && d.handed_at == f->now);
	fleet_read_end(f, tx);
	FLEET_CHECK(f, fleet_target(f, n).level == LEVEL_SENT);
	fleet_free(f);
}

static void a_poll_is_a_heartbeat(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	int64_t version = fleet_desired(f, n, 0).desired.version;
	f->now += 100 * MSEC_S;
	fleet_desired(f, n, version);
	FLEET_CHECK(f, f->last.then == &VERB_AGENT_TAKE && !f->last.hold.wanted);
	fleet_desired(f, n, version);
	FLEET_CHECK(f, f->last.hold.wanted);
	fleet_free(f);
}

static void stale_session(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-2");
	struct desired_cmd none = { 0, 0 };
	fleet_refused(f, &n->who, &VERB_AGENT_DESIRED, &none, TROTH_CONFLICT, "type:stale-session");
	n->session--;
	FLEET_CHECK(f, fleet_desired(f, n, 0).stale);
	fleet_free(f);
}

static void gone_targets_are_named(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	struct tx *tx;
	struct target_row t = fleet_target(f, n);
	struct troth_err e = { 0 };
	t.state = TARGET_LEFT;
	FLEET_CHECK(f, rc_ok(store_write_begin(f->store, &tx, &e)) && rc_ok(target_row_update(tx, &t, &e)) &&
		       rc_ok(store_write_commit(tx, &e)));
	service_drop(f->svc);
	struct desired_ret d = fleet_desired(f, n, 0);
	FLEET_CHECK(f, d.desired.target_count == 0 && d.desired.gone.count == 1);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(held_until_something_is_newer),
		cmocka_unit_test(same_state_same_version),
		cmocka_unit_test(handed_out_before_the_reply),
		cmocka_unit_test(a_poll_is_a_heartbeat),
		cmocka_unit_test(stale_session),
		cmocka_unit_test(gone_targets_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
