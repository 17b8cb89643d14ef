/* Apply: what was ordered happens, is waited for, and is told. */
#include "bysteps.h"

#include <string.h>

static struct apply_log_ret log_of(struct fleet *f, int64_t id)
{
	struct apply_log_ret r;
	fleet_must(f, &VERB_APPLY_LOG, &(struct apply_cmd){ id }, &r);
	return r;
}

static bool log_says(struct fleet *f, int64_t id, const char *words)
{
	struct apply_log_ret r = log_of(f, id);
	for (size_t i = 0; i < r.line_count; i++)
		if (strstr(r.lines[i].body, words))
			return true;
	return false;
}

static void nothing_ordered_is_over_at_once(void **state)
{
	struct fleet *f = fleet_demo();
	struct operation_row op = steps_apply(f);
	FLEET_CHECK(f, op.id && steps_installation(f, op.id).state == OPERATION_SUCCEEDED);
	FLEET_CHECK(f, log_of(f, op.id).line_count == 2 && log_says(f, op.id, "every member was seen"));
	fleet_free(f);
}

static void it_waits_for_each_member(void **state)
{
	struct fleet *f = fleet_demo();
	fleet_node(f, "app-1")->mute = true;
	steps_generate(f);
	struct operation_row op = steps_applied(f), now;
	FLEET_CHECK(f, op.state == OPERATION_RUNNING && strstr(op.progress, "66 % of 3 stores trust") && strstr(op.waits_for, "app-1"));
	FLEET_CHECK(f, log_says(f, op.id, "0 % of 3 stores") && log_says(f, op.id, "66 % of 3 stores"));
	FLEET_CHECK(f, log_says(f, op.id, "; more: troth explain /demo/ca"));
	size_t lines = log_of(f, op.id).line_count;
	fleet_wake(f);
	FLEET_CHECK(f, log_of(f, op.id).line_count == lines); /* nothing new, no line */
	fleet_refused(f, &f->admin, &VERB_APPLY, &(struct apply_start_cmd){ 0 }, TROTH_CONFLICT, "being applied already");
	fleet_restart(f);
	fleet_node(f, "app-1")->mute = false;
	fleet_open(f, fleet_node(f, "app-1"));
	fleet_settle(f, 20);
	now = steps_installation(f, op.id);
	FLEET_CHECK(f, now.state == OPERATION_SUCCEEDED && now.finished && !now.waits_for && strstr(now.result, "seconds"));
	struct apply_list_ret list;
	int64_t second = steps_apply(f).id;
	fleet_must(f, &VERB_APPLY_LIST, &(struct no_cmd){ 0 }, &list);
	FLEET_CHECK(f, list.count == 2 && list.items[0].id == second && list.items[1].id == op.id);
	fleet_free(f);
}

static void replaced_certificates_are_counted(void **state)
{
	struct fleet *f = fleet_demo();
	steps_generate(f);
	steps_apply_all(f);
	steps_activate(f, 1);
	steps_regenerate(f);
	fleet_node(f, "svc-2")->off = true;
	struct operation_row op = steps_applied(f);
	FLEET_CHECK(f, op.state == OPERATION_RUNNING && strstr(op.progress, "66 % of 3 certificates are replaced"));
	fleet_free(f);
}

/* What is wanted besides is delivered by itself; apply waits for it all the same. */
static void other_contents_are_waited_for(void **state)
{
	struct fleet *f = fleet_demo();
	struct bundle_list_ret list;
	struct bundle_ret bundle;
	struct credential_ret made;
	fleet_must(f, &VERB_AUTHORITY_CREATE, &(struct authority_create_cmd){ .name = "/demo/other", .path_len = AUTHORITY_PATH_LEN_DEFAULT }, &made);
	fleet_must(f, &VERB_BUNDLE_LIST, &(struct list_cmd){ .name = "/demo/trust" }, &list);
	fleet_must(f, &VERB_BUNDLE_ADD, &(struct bundle_add_cmd){ .id = list.items[0].row.uuid, .authority = "/demo/other" }, &bundle);
	struct operation_row op = steps_apply(f);
	op = steps_installation(f, op.id);
	FLEET_CHECK(f, op.state == OPERATION_RUNNING && strstr(op.progress, "on its way to the last members"));
	fleet_settle(f, 20);
	FLEET_CHECK(f, steps_installation(f, op.id).state == OPERATION_SUCCEEDED);
	fleet_free(f);
}

/* To none: nothing is approved, nothing is waited for, and what was ordered stays so. */
static void to_no_deployment(void **state)
{
	struct fleet *f = fleet_demo();
	struct apply_start_cmd none = { .listed = true };
	struct operation_ret r;
	steps_generate(f);
	fleet_must(f, &VERB_APPLY, &none, &r);
	fleet_settle(f, 20);
	FLEET_CHECK(f, r.operation.state == OPERATION_SUCCEEDED && fleet_store_size(fleet_node(f, "app-0")) == 1);
	FLEET_CHECK(f, log_of(f, r.operation.id).line_count == 2 && log_says(f, r.operation.id, "nothing was approved"));
	fleet_must(f, &VERB_APPLY, &none, &r);
	FLEET_CHECK(f, steps_installation(f, r.operation.id).finished);
	steps_apply_all(f);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2);
	fleet_free(f);
}

/* To those that are named: all that last, or refused. */
static void to_deployments_by_name(void **state)
{
	struct fleet *f = fleet_demo();
	const char *names[] = { "svc", "app", "check", "svc" }, *wrong[] = { "svc", "app", "/troth/holders" };
	struct principal narrow = { .name = "n", .roles = ROLE_OPERATOR, .scope = "app" };
	struct apply_start_cmd both = { true, { names, 2 } }, more = { true, { names, 4 } }, one = { true, { names, 1 } }, other = { true, { wrong, 3 } };
	struct operation_ret r;
	struct troth_err e = { 0 };
	(void)steps_ephemeral(f, true, "check-1");
	steps_generate(f);
	fleet_refused(f, &f->admin, &VERB_APPLY, &one, TROTH_CONFLICT, "deployment app is left out");
	fleet_refused(f, &f->admin, &VERB_APPLY, &other, TROTH_CONFLICT, "there is no deployment /troth/holders");
	fleet_refused(f, &narrow, &VERB_APPLY, &both, TROTH_CONFLICT, "there is no deployment svc");
	FLEET_CHECK(f, rc_ok(fleet_do(f, &narrow, &VERB_APPLY, &(struct apply_start_cmd){ true, { names + 1, 1 } }, &r, &e)));
	fleet_must(f, &VERB_APPLY, &both, &r);
	fleet_settle(f, 20);
	FLEET_CHECK(f, steps_installation(f, r.operation.id).state == OPERATION_SUCCEEDED && fleet_store_size(fleet_node(f, "app-0")) == 2);
	fleet_must(f, &VERB_APPLY, &more, &r);
	fleet_free(f);
}

/* Whoever may touch a part applies that part, and sees no other's. */
static void in_a_scope(void **state)
{
	struct fleet *f = fleet_demo();
	struct principal narrow = { .name = "n", .roles = ROLE_OPERATOR, .scope = "/other/*" }, auditor = { .name = "a", .roles = ROLE_AUDITOR };
	struct operation_ret r, seen;
	struct apply_list_ret list;
	struct troth_err e = { 0 };
	steps_generate(f);
	assert_true(rc_ok(fleet_do(f, &narrow, &VERB_APPLY, &(struct apply_start_cmd){ 0 }, &r, &e)));
	fleet_settle(f, 20);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 1);
	fleet_must(f, &VERB_APPLY_SHOW, &(struct apply_cmd){ r.operation.id }, &seen);
	FLEET_CHECK(f, seen.operation.state == OPERATION_SUCCEEDED);
	struct operation_row op = steps_apply(f);
	fleet_refused(f, &narrow, &VERB_APPLY_SHOW, &(struct apply_cmd){ op.id }, TROTH_NOT_FOUND, "there is no installation");
	fleet_refused(f, &narrow, &VERB_APPLY_LOG, &(struct apply_cmd){ op.id }, TROTH_NOT_FOUND, "there is no installation");
	assert_true(rc_ok(fleet_do(f, &narrow, &VERB_APPLY_LIST, &(struct no_cmd){ 0 }, &list, &e)));
	FLEET_CHECK(f, list.count == 1 && list.items[0].id == r.operation.id);
	fleet_refused(f, &auditor, &VERB_APPLY, &(struct apply_start_cmd){ 0 }, TROTH_FORBIDDEN, "may not do");
	fleet_refused(f, &f->admin, &VERB_APPLY_SHOW, &(struct apply_cmd){ 1 }, TROTH_NOT_FOUND, ""); /* the rotation's */
	fleet_free(f);
}

/* An abort ends what was waited for. */
static void an_abort_ends_it(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotation_ret aborted;
	fleet_node(f, "app-1")->off = true;
	steps_generate(f);
	struct operation_row op = steps_applied(f);
	FLEET_CHECK(f, op.state == OPERATION_RUNNING);
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ "/demo/ca" }, &aborted);
	fleet_node(f, "app-1")->off = false;
	fleet_settle(f, 40);
	FLEET_CHECK(f, steps_installation(f, op.id).state == OPERATION_SUCCEEDED);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_ordered_is_over_at_once),
		cmocka_unit_test(it_waits_for_each_member),
		cmocka_unit_test(replaced_certificates_are_counted),
		cmocka_unit_test(other_contents_are_waited_for),
		cmocka_unit_test(to_no_deployment),
		cmocka_unit_test(to_deployments_by_name),
		cmocka_unit_test(in_a_scope),
		cmocka_unit_test(an_abort_ends_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
