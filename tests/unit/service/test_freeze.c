/* Frozen: nothing new leaves, whatever lies ready; thawed: it goes on as if nothing had been. */
#include "fleet.h"
#include "service/inside.h"
#include "service/policy/policy.h"

static struct freeze_ret freeze(struct fleet *f)
{
	struct freeze_ret ret;
	fleet_must(f, &VERB_FREEZE, &(struct freeze_cmd){ "incident 7" }, &ret);
	return ret;
}

static struct freeze_ret thaw(struct fleet *f)
{
	struct freeze_ret ret;
	fleet_must(f, &VERB_THAW, &(struct no_cmd){ 0 }, &ret);
	return ret;
}

static bool wakes(struct fleet *f, const struct fleet_node *n)
{
	char topic[TOPIC_LEN];
	(void)snprintf(topic, sizeof topic, "instance/%s", n->uuid);
	for (const struct verb_topic *t = f->last.topics; t; t = t->next)
		if (text_equal(t->name, topic))
			return true;
	return false;
}

static void says_who_and_why(void **state)
{
	struct fleet *f = fleet_demo();
	struct freeze_ret ret;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_must(f, &VERB_FREEZE_SHOW, &(struct no_cmd){ 0 }, &ret);
	FLEET_CHECK(f, !ret.on);
	ret = freeze(f);
	FLEET_CHECK(f, ret.on && text_equal(ret.row.frozen_by, "admin") && ret.row.frozen_at == f->now);
	FLEET_CHECK(f, wakes(f, fleet_node(f, "app-0")));
	f->now += MSEC_S;
	fleet_must(f, &VERB_FREEZE, &(struct freeze_cmd){ "another" }, &ret);
	FLEET_CHECK(f, text_equal(ret.row.reason, "incident 7")); /* the first stands */
	struct explain_ret x = fleet_explain(f, NULL);
	FLEET_CHECK(f, x.count == 1 && text_equal(x.items[0].reason, "held"));
	FLEET_CHECK(f, strstr(explain_plain(f->a, &x.items[0]), "by admin: incident 7") != NULL);
	FLEET_CHECK(f, strstr(explain_hint(f->a, &x.items[0]), "troth thaw") != NULL);
	FLEET_CHECK(f, strstr(fleet_rotation(f, r.rotation).waits_for, "frozen") != NULL);
	FLEET_CHECK(f, !thaw(f).on && wakes(f, fleet_node(f, "app-0")));
	FLEET_CHECK(f, !thaw(f).on && !wakes(f, fleet_node(f, "app-0"))); /* it was not frozen */
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
	fleet_free(f);
}

static void refusals(void **state)
{
	struct fleet *f = fleet_demo();
	struct principal narrow = { .name = "op", .roles = ROLE_OPERATOR, .scope = "/demo/" "*" };
	fleet_refused(f, &f->admin, &VERB_FREEZE, &(struct freeze_cmd){ 0 }, TROTH_INVALID, "");
	char *essay = arena_alloc(f->a, LIMIT_TEXT_BYTES + 2);
	memset(essay, 'x', LIMIT_TEXT_BYTES + 1);
	fleet_refused(f, &f->admin, &VERB_FREEZE, &(struct freeze_cmd){ essay }, TROTH_INVALID, "");
	fleet_refused(f, &narrow, &VERB_FREEZE, &(struct freeze_cmd){ "mine" }, TROTH_FORBIDDEN, "");
	fleet_refused(f, &narrow, &VERB_THAW, &(struct no_cmd){ 0 }, TROTH_FORBIDDEN, "");
	fleet_free(f);
}

/* Whenever it comes: nothing changes on any node for an hour, everything is done after the thaw. */
static void at_every_moment_of_a_rotation(void **state)
{
	for (int turns = 0; turns < 14; turns++) {
		struct fleet *f = fleet_demo();
		struct rotate_ret r = fleet_rotate(f, "/demo/ca");
		for (int i = 0; i < turns; i++) {
			f->now += MSEC_S;
			(void)fleet_turn(f, &f->nodes[i % f->node_count]);
		}
		freeze(f);
		fleet_restart(f); /* a restarted server knows it too */
		fleet_settle(f, 20); /* what was handed out is applied and reported */
		int64_t running[FLEET_NODES];
		for (size_t i = 0; i < f->node_count; i++)
			running[i] = f->nodes[i].places[0].h;
		int before = f->keeper_calls;
		for (int i = 0; i < 6; i++) {
			f->now += 10 * MSEC_MIN;
			fleet_settle(f, 3);
			fleet_wake(f);
			fleet_effects(f);
		}
		for (size_t i = 0; i < f->node_count; i++)
			FLEET_CHECK(f, f->nodes[i].places[0].h == running[i]);
		FLEET_CHECK(f, f->keeper_calls == before);
		thaw(f);
		fleet_settle(f, 80);
		FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
		fleet_all_hands(f);
		fleet_free(f);
	}
}

/* The server died over its answer: the node may have it or not, what it is told stays the same. */
static void what_was_handed_out_is_given_again(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0"), *other = fleet_node(f, "app-1");
	fleet_rotate(f, "/demo/ca");
	int64_t lost = fleet_desired(f, n, 0).desired.targets[0].generation;
	FLEET_CHECK(f, lost > n->places[0].h);
	fleet_restart(f);
	freeze(f);
	fleet_open(f, n);
	FLEET_CHECK(f, fleet_desired(f, n, 0).desired.targets[0].generation == lost);
	FLEET_CHECK(f, fleet_desired(f, other, 0).desired.targets[0].generation == other->places[0].h); /* still on the table */
	fleet_settle(f, 20);
	FLEET_CHECK(f, n->places[0].h == lost && other->places[0].h < lost);
	fleet_free(f);
}

static void a_request_that_was_asked_for_is_not_signed(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "svc-0");
	fleet_rotate(f, "/demo/ca");
	for (int i = 0; i < 40 && !fleet_target(f, n).csr_request; i++) {
		f->now += MSEC_S;
		for (int k = 0; k < 3; k++)
			(void)fleet_turn(f, fleet_node(f, arena_printf(f->a, "app-%d", k)));
	}
	struct target_row t = fleet_target(f, n);
	FLEET_CHECK(f, t.csr_request != NULL);
	FLEET_CHECK(f, fleet_desired(f, n, 0).desired.targets[0].csr != NULL);
	freeze(f);
	FLEET_CHECK(f, fleet_desired(f, n, 0).desired.targets[0].csr == NULL);
	struct msg_csr csr = { .session = n->session, .target = n->places[0].id, .request = t.csr_request, .csr = "x" };
	fleet_refused(f, &n->who, &VERB_AGENT_CSR, &csr, TROTH_UNAVAILABLE, "frozen");
	thaw(f);
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_rotation(f, "/demo/ca").finished != 0);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_who_and_why),
		cmocka_unit_test(refusals),
		cmocka_unit_test(at_every_moment_of_a_rotation),
		cmocka_unit_test(what_was_handed_out_is_given_again),
		cmocka_unit_test(a_request_that_was_asked_for_is_not_signed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
