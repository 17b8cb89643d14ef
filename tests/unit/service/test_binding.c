/* Bindings: made, vouched for, overdue, waived, deleted. */
#include "outside.h"

static void created_shown_listed(void **state)
{
	struct fleet *f = fleet_demo();
	struct binding_view b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ 0 });
	struct binding_list_ret list;
	FLEET_CHECK(f, b.row.ack == ACK_CONFIRM && b.row.grace == MSEC_DAY && text_equal(b.bundle, "/demo/trust"));
	b = outside_show(f, &b);
	FLEET_CHECK(f, b.target.wanted.row.generation == 1 && b.target.loaded.row.generation == 0 && b.deadline == 0);
	fleet_must(f, &VERB_BINDING_LIST, &(struct list_cmd){ 0 }, &list);
	FLEET_CHECK(f, list.count == 1);
	fleet_must(f, &VERB_BINDING_LIST, &(struct list_cmd){ .name = "/demo/other" }, &list);
	FLEET_CHECK(f, list.count == 0);
	struct no_ret gone;
	fleet_must(f, &VERB_BINDING_DELETE, &(struct id_cmd){ b.row.uuid }, &gone);
	fleet_must(f, &VERB_BINDING_LIST, &(struct list_cmd){ 0 }, &list);
	FLEET_CHECK(f, list.count == 0);
	fleet_refused(f, &f->admin, &VERB_BINDING_SHOW, &(struct id_cmd){ b.row.uuid }, TROTH_NOT_FOUND, "was deleted");
	b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ .no_grace = true }); /* the name is free again */
	FLEET_CHECK(f, b.row.grace == 0);
	fleet_free(f);
}

static void refusals(void **state)
{
	struct fleet *f = fleet_demo();
	struct binding_create_cmd cmd = { .name = "/demo/shop", .bundle = "/demo/nothing" };
	struct principal narrow = f->admin, auditor = { .name = "audrey", .roles = ROLE_AUDITOR };
	(void)text_copy(narrow.scope, sizeof narrow.scope, "/other/*");
	fleet_refused(f, &f->admin, &VERB_BINDING_CREATE, &cmd, TROTH_NOT_FOUND, "troth bundle create");
	cmd.bundle = "/demo/trust";
	fleet_refused(f, &narrow, &VERB_BINDING_CREATE, &cmd, TROTH_FORBIDDEN, "may not touch");
	fleet_refused(f, &auditor, &VERB_BINDING_CREATE, &cmd, TROTH_FORBIDDEN, "may not do");
	struct binding_view b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ 0 });
	fleet_refused(f, &f->admin, &VERB_BINDING_CREATE, &cmd, TROTH_CONFLICT, "already");
	fleet_refused(f, &narrow, &VERB_BINDING_SHOW, &(struct id_cmd){ b.row.uuid }, TROTH_NOT_FOUND, "no such binding");
	struct binding_attest_cmd attest = { b.row.uuid, "renewed" };
	fleet_refused(f, &f->admin, &VERB_BINDING_ATTEST, &attest, TROTH_CONFLICT, "fetched nothing");
	attest.reason = "so";
	fleet_refused(f, &f->admin, &VERB_BINDING_ATTEST, &attest, TROTH_INVALID, "");
	struct binding_fetch_cmd fetch = { b.row.uuid, NULL };
	fleet_refused(f, &auditor, &VERB_BINDING_FETCH, &fetch, TROTH_FORBIDDEN, "may not do");
	fleet_free(f);
}

static size_t findings(struct fleet *f, struct binding_create_cmd cmd)
{
	struct troth_err e = { 0 };
	size_t n = 0;
	binding_create_check(f->a, &cmd, &e);
	for (const struct finding *x = e.findings; x; x = x->next)
		n++;
	return n;
}

static void every_wrong_field_is_a_finding(void **state)
{
	struct fleet *f = fleet_demo();
	struct binding_create_cmd good = { .name = "/a", .bundle = "/b", .ack = "fetch", .delay = MSEC_MIN };
	FLEET_CHECK(f, findings(f, good) == 0);
	good.delay = 0;
	FLEET_CHECK(f, findings(f, good) == 1);
	good.ack = "attest";
	FLEET_CHECK(f, findings(f, good) == 0);
	good.delay = MSEC_MIN;
	FLEET_CHECK(f, findings(f, good) == 1);
	FLEET_CHECK(f, findings(f, (struct binding_create_cmd){ .ack = "x", .delay = -1, .renew_by = 400 * MSEC_DAY,
								 .grace = 400 * MSEC_DAY }) == 6);
	fleet_free(f);
}

/* A rotation waits for it, by name; then it may be vouched for. */
static void vouched_for_with_a_reason(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *shop = fleet_stranger(f, "shop", MSG_STORE);
	struct binding_view b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ .ack = "attest", .no_grace = true });
	fleet_loads(f, shop, outside_fetch(f, &b, NULL).pem);
	outside_attest(f, &b, "renewed");
	FLEET_CHECK(f, outside_show(f, &b).target.row.state == TARGET_COUNTED);
	fleet_all_hands(f);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "/demo/shop", "not-fetched"));
	FLEET_CHECK(f, !fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	fleet_loads(f, shop, outside_fetch(f, &b, NULL).pem);
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "/demo/shop", "not-loaded"));
	struct explain_ret x = fleet_explain(f, "/demo/shop");
	FLEET_CHECK(f, strstr(explain_plain(f->a, &x.items[0]), "the binding /demo/shop fetched its bundle"));
	FLEET_CHECK(f, strstr(explain_hint(f->a, &x.items[0]), "troth binding attest /demo/shop"));
	outside_attest(f, &b, "renewed");
	b = outside_show(f, &b);
	FLEET_CHECK(f, b.row.acked_how == ACK_ATTEST && text_equal(b.row.acked_reason, "renewed") && text_equal(b.row.acked_by, "admin"));
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_signed_by(f, fleet_node(f, "svc-0"), r.new_version));
	FLEET_CHECK(f, outside_done(f, &r) || fleet_waits(f, "/demo/ca", "/demo/shop", "not-fetched"));
	fleet_free(f);
}

/* Its runtime trusts the new CA anyway: nothing has to be fetched. */
static void a_runtime_that_trusts_already(void **state)
{
	struct fleet *f = fleet_demo();
	struct binding_view b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ .no_grace = true });
	outside_attest(f, &b, "runtime-already-trusts");
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	for (int i = 0; i < 3 && !outside_done(f, &r); i++) {
		struct binding_view now = outside_show(f, &b);
		fleet_settle(f, 30);
		now = outside_show(f, &b);
		if (now.target.document_count)
			outside_attest(f, &b, "runtime-already-trusts");
		fleet_settle(f, 30);
	}
	FLEET_CHECK(f, outside_done(f, &r));
	fleet_free(f);
}

/* renew_by passed: named and escalated; then an operator may go on without it, for good. */
static void overdue_then_waived(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *shop = fleet_stranger(f, "shop", MSG_STORE);
	struct binding_view b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ .renew_by = 2 * MSEC_DAY, .no_grace = true });
	outside_loads(f, &b, shop);
	fleet_refused(f, &f->admin, &VERB_BINDING_WAIVE, &(struct id_cmd){ b.row.uuid }, TROTH_UNSAFE, "has time until something new");
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	struct binding_view now = outside_show(f, &b);
	FLEET_CHECK(f, now.deadline > f->now && now.deadline <= f->now + 2 * MSEC_DAY);
	fleet_refused(f, &f->admin, &VERB_BINDING_WAIVE, &(struct id_cmd){ b.row.uuid }, TROTH_UNSAFE, "has time until");
	fleet_effects(f);
	FLEET_CHECK(f, outside_events(f, "binding.overdue") == 0);
	f->now += 2 * MSEC_DAY;
	fleet_effects(f);
	FLEET_CHECK(f, outside_events(f, "binding.overdue") == 1);
	f->now += MSEC_DAY;
	fleet_effects(f);
	FLEET_CHECK(f, outside_events(f, "binding.overdue") == 2); /* each day again */
	fleet_settle(f, 10);
	struct explain_ret x = fleet_explain(f, "/demo/shop");
	FLEET_CHECK(f, x.count > 0 && x.items[0].overdue && x.items[0].deadline == now.deadline);
	FLEET_CHECK(f, strstr(explain_plain(f->a, &x.items[0]), "its renew_by has passed"));
	FLEET_CHECK(f, strstr(explain_hint(f->a, &x.items[0]), "troth binding waive /demo/shop"));
	struct binding_ret waived;
	shop->place_count = 0; /* from here on it is excused */
	fleet_must(f, &VERB_BINDING_WAIVE, &(struct id_cmd){ b.row.uuid }, &waived);
	FLEET_CHECK(f, waived.binding.target.row.state == TARGET_WAIVED && waived.binding.deadline == 0);
	fleet_settle(f, 60);
	FLEET_CHECK(f, outside_done(f, &r));
	fleet_refused(f, &f->admin, &VERB_BINDING_ATTEST, &(struct binding_attest_cmd){ b.row.uuid, "renewed" }, TROTH_CONFLICT,
		      "was waived");
	f->now += MSEC_DAY;
	fleet_effects(f);
	FLEET_CHECK(f, outside_events(f, "binding.overdue") == 2);
	fleet_free(f);
}

/* Without renew_by there is no date to wait for. */
static void waived_without_a_date(void **state)
{
	struct fleet *f = fleet_demo();
	struct binding_view b = outside_bind(f, "/demo/shop", (struct binding_create_cmd){ 0 });
	struct binding_ret waived;
	fleet_must(f, &VERB_BINDING_WAIVE, &(struct id_cmd){ b.row.uuid }, &waived);
	fleet_refused(f, &f->admin, &VERB_BINDING_WAIVE, &(struct id_cmd){ b.row.uuid }, TROTH_CONFLICT, "was waived");
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(created_shown_listed),
		cmocka_unit_test(refusals),
		cmocka_unit_test(every_wrong_field_is_a_finding),
		cmocka_unit_test(vouched_for_with_a_reason),
		cmocka_unit_test(a_runtime_that_trusts_already),
		cmocka_unit_test(overdue_then_waived),
		cmocka_unit_test(waived_without_a_date),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
