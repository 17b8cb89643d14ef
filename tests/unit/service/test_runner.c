/* The main path end to end in one process, and what can go wrong on it: see fleet.h. */
#include "fleet.h"

static bool is_app(const struct fleet_node *n) { return n->name[0] == 'a'; }

/* Everything runs `version` and nothing else. */
static void all_on(struct fleet *f, const char *version)
{
	for (size_t i = 0; i < f->node_count; i++) {
		struct fleet_node *n = &f->nodes[i];
		if (is_app(n))
			FLEET_CHECK(f, fleet_store_size(n) == 1 && fleet_trusts(f, n, version));
		else
			FLEET_CHECK(f, fleet_signed_by(f, n, version));
	}
	fleet_all_hands(f);
}

static void is_done(struct fleet *f, const struct rotate_ret *r)
{
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r->rotation).state, "done"));
	FLEET_CHECK(f, fleet_operation(f, r->operation).state == OPERATION_SUCCEEDED);
	FLEET_CHECK(f, fleet_explain(f, "/demo/ca").count == 0);
}

static void is_running(struct fleet *f, const struct rotate_ret *r)
{
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r->rotation).state, "running"));
	FLEET_CHECK(f, fleet_operation(f, r->operation).waits_for != NULL);
}

/* The version that signed before the rotation. */
static const char *old_version(struct fleet *f, const struct rotate_ret *r)
{
	struct rotation_view v = fleet_rotation(f, r->rotation);
	FLEET_CHECK(f, v.old_count > 0);
	return v.old_versions[0];
}

static void full_rotation(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	FLEET_CHECK(f, r.stores == 3 && r.slots == 3 && r.instances == 6 && r.waiting_count == 0);
	fleet_settle(f, 60);
	is_done(f, &r);
	all_on(f, r.new_version);
	fleet_free(f);
}

static void again_and_again(void **state)
{
	struct fleet *f = fleet_demo();
	for (int i = 0; i < 3; i++) {
		struct rotate_ret r = fleet_rotate(f, "/demo/ca");
		fleet_settle(f, 60);
		is_done(f, &r);
		all_on(f, r.new_version);
	}
	fleet_free(f);
}

/* The view is dropped before each verb, and the server restarted after each round. */
static void restart_at_every_step(void **state)
{
	struct fleet *f = fleet_demo();
	f->restarts = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	for (int i = 0; i < 20; i++) {
		fleet_settle(f, 1);
		fleet_restart(f);
	}
	is_done(f, &r);
	all_on(f, r.new_version);
	fleet_free(f);
}

static void killed_agents(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	for (int i = 0; i < 12; i++) {
		fleet_settle(f, 1);
		fleet_kill(f, &f->nodes[i % f->node_count]);
	}
	fleet_settle(f, 60);
	is_done(f, &r);
	all_on(f, r.new_version);
	fleet_free(f);
}

static void store_that_never_reports(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-1");
	n->mute = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	is_running(f, &r);
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "app-1", "not-loaded"));
	FLEET_CHECK(f, strstr(fleet_operation(f, r.operation).waits_for, "app-1/trust") != NULL);
	FLEET_CHECK(f, !fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	fleet_all_hands(f);
	n->mute = false;
	n->say_all = true;
	fleet_settle(f, 60);
	is_done(f, &r);
	all_on(f, r.new_version);
	fleet_free(f);
}

static void slot_that_never_reports(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "svc-1");
	n->mute = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	is_running(f, &r);
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "svc-1", "not-loaded"));
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2);
	n->mute = false;
	n->say_all = true;
	fleet_settle(f, 60);
	is_done(f, &r);
	fleet_free(f);
}

/* SIGSTOP before the rotation, SIGCONT long after: first it is waited for, then it is offline. */
static void stopped_agent(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-2");
	n->off = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	is_running(f, &r);
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "app-2", "not-fetched"));
	f->now += 10 * MSEC_MIN;
	fleet_settle(f, 5);
	fleet_wake(f);
	is_running(f, &r);
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "app-2", "offline"));
	struct rotate_ret dry;
	struct rotate_cmd cmd = { .name = "/demo/ca" };
	struct troth_err e = { 0 };
	assert_true(rc_failed(fleet_do(f, &f->admin, &VERB_ROTATE, &cmd, &dry, &e)));
	assert_int_equal(e.kind, TROTH_CONFLICT);
	n->off = false;
	fleet_settle(f, 60);
	is_done(f, &r);
	all_on(f, r.new_version);
	fleet_free(f);
}

static void failing_reload(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "svc-0");
	n->broken = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	const char *old = old_version(f, &r);
	fleet_settle(f, 60);
	is_running(f, &r);
	FLEET_CHECK(f, fleet_signed_by(f, n, old));
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "svc-1"), r.new_version));
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "svc-0", "failing"));
	FLEET_CHECK(f, strstr(fleet_operation(f, r.operation).waits_for, "reload: exit 1") != NULL);
	fleet_all_hands(f);
	n->broken = false;
	struct retry_ret retried;
	fleet_must(f, &VERB_TARGET_RETRY, &(struct retry_cmd){ n->places[0].id }, &retried);
	FLEET_CHECK(f, retried.failures == LIMIT_APPLY_FAILURES);
	fleet_settle(f, 60);
	is_done(f, &r);
	all_on(f, r.new_version);
	fleet_free(f);
}

static void steer(struct fleet *f, const struct verb *verb, const char *id)
{
	struct rotation_ret ret;
	fleet_must(f, verb, &(struct rotation_cmd){ id }, &ret);
	fleet_tell(f, "%s -> %s", verb->name, ret.rotation.state);
}

/* Aborted while one store has not the new CA yet, and while some slots have switched. */
static void aborted_when(const char *stopped)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, stopped);
	n->off = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	const char *old = old_version(f, &r);
	fleet_settle(f, 30);
	is_running(f, &r);
	steer(f, &VERB_ROTATION_ABORT, r.rotation);
	FLEET_CHECK(f, fleet_rotation(f, r.rotation).going_back);
	FLEET_CHECK(f, fleet_operation(f, r.operation).state == OPERATION_CANCELLED);
	n->off = false;
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "aborted"));
	FLEET_CHECK(f, !fleet_rotation(f, r.rotation).going_back);
	all_on(f, old);
	fleet_free(f);
}

static void aborted_while_introducing(void **state) { aborted_when("app-2"); }
static void aborted_while_switching(void **state) { aborted_when("svc-2"); }

static void second_rotation_midway(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "svc-1");
	n->off = true;
	struct rotate_ret first = fleet_rotate(f, "/demo/ca"), second;
	fleet_settle(f, 30);
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca", .again = true }, &second);
	fleet_tell(f, "a second rotation started");
	fleet_settle(f, 30);
	n->off = false;
	fleet_settle(f, 90);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, first.rotation).state, "aborted"));
	FLEET_CHECK(f, !fleet_rotation(f, first.rotation).going_back);
	is_done(f, &second);
	all_on(f, second.new_version);
	fleet_free(f);
}

static void paused_rotation(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	steer(f, &VERB_ROTATION_PAUSE, r.rotation);
	fleet_settle(f, 30);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "paused"));
	FLEET_CHECK(f, !fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	struct explain_ret x = fleet_explain(f, "/demo/ca");
	FLEET_CHECK(f, x.count > 0 && text_equal(x.items[0].reason, "paused") && text_equal(x.items[0].speaker, "policy"));
	steer(f, &VERB_ROTATION_RESUME, "/demo/ca");
	fleet_settle(f, 60);
	is_done(f, &r);
	fleet_free(f);
}

static void joiners_midway(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *late = fleet_node(f, "svc-2");
	late->off = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	fleet_join(f, "app", "app-3");
	fleet_join(f, "svc", "svc-3");
	fleet_settle(f, 30);
	fleet_all_hands(f);
	late->off = false;
	fleet_settle(f, 60);
	is_done(f, &r);
	all_on(f, r.new_version);
	fleet_free(f);
}

static void repeated_reports(void **state)
{
	struct fleet *f = fleet_demo();
	for (size_t i = 0; i < f->node_count; i++)
		f->nodes[i].repeats = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	int keeper_calls = f->keeper_calls;
	fleet_settle(f, 60);
	is_done(f, &r);
	FLEET_CHECK(f, f->keeper_calls - keeper_calls == 3); /* a CSR said twice is one certificate */
	fleet_free(f);
}

static void leaf_rotation(void **state)
{
	struct fleet *f = fleet_demo();
	int calls = f->keeper_calls;
	struct rotate_ret r = fleet_rotate(f, "/demo/svc-0/server");
	FLEET_CHECK(f, r.slots == 1 && r.stores == 0);
	fleet_settle(f, 30);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
	FLEET_CHECK(f, f->keeper_calls - calls == 1);
	fleet_all_hands(f);
	fleet_free(f);
}

/* A node comes back from a snapshot of last week: nothing relies on it until it has spoken. */
static void restored_node(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0"), *slot = fleet_node(f, "svc-0");
	struct fleet_place before = n->places[0];
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	slot->off = true;
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_store_size(n) == 2);
	n->places[0] = before; /* its memory and what it runs; svc-1 and svc-2 are excused by the outside event */
	n->boot_id = "restored";
	memset(f->could, 0, sizeof f->could);
	fleet_open(f, n);
	FLEET_CHECK(f, fleet_waits(f, NULL, "app-0", "unknown"));
	slot->off = false;
	fleet_settle(f, 60);
	is_done(f, &r);
	all_on(f, r.new_version);
	fleet_free(f);
}

static void restored_server(void **state)
{
	struct fleet *f = fleet_demo();
	struct tx *tx;
	struct troth_err e = { 0 };
	assert_true(rc_ok(store_write_begin(f->store, &tx, &e)));
	assert_true(rc_ok(store_epoch_set(tx, 77, &e)));
	assert_true(rc_ok(store_write_commit(tx, &e)));
	fleet_restart(f);
	for (size_t i = 0; i < f->node_count; i++) {
		fleet_open(f, &f->nodes[i]);
		assert_string_equal(f->nodes[i].epoch, "77");
		FLEET_CHECK(f, fleet_waits(f, NULL, f->nodes[i].name, "unknown"));
	}
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	is_done(f, &r);
	all_on(f, r.new_version);
	fleet_free(f);
}

static void keeper_made_keys(void **state)
{
	struct fleet *f = fleet_new();
	struct deployment_ret deployment;
	const char *san = "dns:{instance}.example";
	struct slot_template slot = { .path = "$", .name = "tls", .profile = "nginx", .role = "server", .authority = "/demo/ca",
				      .credential = "/sealed/{instance}/server", .sans = { &san, 1 }, .key_source = "keeper" };
	fleet_must(f, &VERB_DEPLOYMENT_CREATE,
		   &(struct deployment_create_cmd){ .name = "sealed", .slots = &slot, .slot_count = 1 }, &deployment);
	fleet_join(f, "app", "app-0");
	fleet_join(f, "sealed", "svc-0");
	for (int i = 0; i < 10; i++, fleet_effects(f))
		fleet_settle(f, 3);
	fleet_all_hands(f);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	for (int i = 0; i < 20; i++, fleet_effects(f))
		fleet_settle(f, 3);
	is_done(f, &r);
	all_on(f, r.new_version);
	fleet_free(f);
}

/* Slots below an intermediate: the root's rotation waits until the intermediate was rotated too. */
static void root_above_an_intermediate(void **state)
{
	struct fleet *f = fleet_new();
	struct credential_ret made;
	struct deployment_ret deployment;
	const char *san = "dns:{instance}.example";
	fleet_must(f, &VERB_AUTHORITY_CREATE,
		   &(struct authority_create_cmd){ .name = "/demo/inter", .issuer = "/demo/ca", .path_len = AUTHORITY_PATH_LEN_DEFAULT },
		   &made);
	struct slot_template slot = { .path = "$", .name = "tls", .profile = "nginx", .role = "server", .authority = "/demo/inter",
				      .credential = "/inter/{instance}/server", .sans = { &san, 1 } };
	fleet_must(f, &VERB_DEPLOYMENT_CREATE,
		   &(struct deployment_create_cmd){ .name = "inter", .slots = &slot, .slot_count = 1 }, &deployment);
	fleet_join(f, "app", "app-0");
	struct fleet_node *n = fleet_join(f, "inter", "svc-0");
	fleet_settle(f, 20);
	fleet_all_hands(f);
	FLEET_CHECK(f, n->places[0].loaded.count == 2);
	struct rotate_ret root = fleet_rotate(f, "/demo/ca"); /* brings a new one below it as well */
	fleet_settle(f, 60);
	is_done(f, &root);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 1 && fleet_trusts(f, fleet_node(f, "app-0"), root.new_version));
	struct rotate_ret inter = fleet_rotate(f, "/demo/inter"); /* no store moves */
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, inter.rotation).state, "done"));
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 1 && fleet_trusts(f, fleet_node(f, "app-0"), root.new_version));
	fleet_all_hands(f);
	fleet_free(f);
}

static void again_after_a_pause(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	steer(f, &VERB_ROTATION_PAUSE, r.rotation);
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca", .again = true }, &r);
	fleet_settle(f, 60);
	is_done(f, &r);
	all_on(f, r.new_version);
	fleet_free(f);
}

/* -- chance ------------------------------------------------------------------------------------------ */
static unsigned chance(uint64_t *s, unsigned below)
{
	*s = *s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)((*s >> 33) % below);
}

static void upset(struct fleet *f, uint64_t *s)
{
	struct fleet_node *n = &f->nodes[chance(s, (unsigned)f->node_count)];
	struct rotation_ret steered;
	struct rotate_ret rotated;
	struct troth_err e = { 0 };
	switch (chance(s, 10)) {
	case 0: n->off = !n->off; break;
	case 1: n->mute = !n->mute; n->say_all = true; break;
	case 2: n->broken = !n->broken; break;
	case 3: if (!n->off) fleet_kill(f, n); break;
	case 4: fleet_restart(f); break;
	case 5: f->now += chance(s, 400) * MSEC_S; fleet_wake(f); break;
	case 6: (void)fleet_do(f, &f->admin, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca", .again = true }, &rotated, &e);
		fleet_tell(f, "rotate: %s", e.primary); break;
	case 7: (void)fleet_do(f, &f->admin, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ "/demo/ca" }, &steered, &e);
		fleet_tell(f, "abort: %s", e.primary); break;
	default: break;
	}
	fleet_tell(f, "%s is%s%s%s", n->name, n->off ? " off" : " on", n->mute ? " mute" : "", n->broken ? " broken" : "");
}

static void calm(struct fleet *f)
{
	fleet_tell(f, "calm");
	for (size_t i = 0; i < f->node_count; i++) {
		f->nodes[i].off = f->nodes[i].mute = f->nodes[i].broken = false;
		fleet_open(f, &f->nodes[i]);
	}
	fleet_settle(f, 200);
}

static void random_walk(uint64_t seed)
{
	struct fleet *f = fleet_demo();
	uint64_t s = seed;
	fleet_tell(f, "seed %llu", (unsigned long long)seed);
	for (int i = 0; i < 40; i++) {
		upset(f, &s);
		fleet_settle(f, (int)chance(&s, 3));
	}
	calm(f);
	struct rotate_ret r;
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca", .again = true }, &r);
	fleet_tell(f, "the last rotation");
	fleet_settle(f, 200);
	is_done(f, &r);
	all_on(f, r.new_version);
	fleet_free(f);
}

static void by_chance(void **state)
{
	const char *seed = getenv("FLEET_SEED");
	if (seed) {
		random_walk(strtoull(seed, NULL, 10));
		return;
	}
	for (uint64_t i = 1; i <= 6; i++)
		random_walk(i);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_rotation),
		cmocka_unit_test(again_and_again),
		cmocka_unit_test(restart_at_every_step),
		cmocka_unit_test(killed_agents),
		cmocka_unit_test(store_that_never_reports),
		cmocka_unit_test(slot_that_never_reports),
		cmocka_unit_test(stopped_agent),
		cmocka_unit_test(failing_reload),
		cmocka_unit_test(aborted_while_introducing),
		cmocka_unit_test(aborted_while_switching),
		cmocka_unit_test(second_rotation_midway),
		cmocka_unit_test(paused_rotation),
		cmocka_unit_test(joiners_midway),
		cmocka_unit_test(repeated_reports),
		cmocka_unit_test(leaf_rotation),
		cmocka_unit_test(restored_node),
		cmocka_unit_test(restored_server),
		cmocka_unit_test(keeper_made_keys),
		cmocka_unit_test(root_above_an_intermediate),
		cmocka_unit_test(again_after_a_pause),
		cmocka_unit_test(by_chance),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
