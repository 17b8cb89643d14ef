/* Whose yes the steps of an authority wait for: rotations of the line above it, and who is manual on that line. */
#include "fleet.h"
#include "service/policy/policy.h"
#include "service/policy/rollout.h"

static void manual(struct fleet *f, const char *authority, bool on)
{
	struct credential_list_ret list;
	struct credential_ret ret;
	fleet_must(f, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .name = authority }, &list);
	fleet_must(f, &VERB_AUTHORITY_ROLLOUT, &(struct authority_rollout_cmd){ list.items[0].row.uuid, NULL, on ? "manual" : "automatic" }, &ret);
}

static size_t holds_of(struct fleet *f, const char *authority, struct rollout_hold **ret)
{
	struct credential_row c;
	struct tx *tx;
	size_t n;
	assert_true(rc_ok(store_write_begin(f->store, &tx, NULL)));
	assert_true(rc_ok(credential_row_by_name(tx, f->a, authority, &c, NULL)));
	assert_true(rc_ok(rollout_holds(tx, f->a, c.id, ret, &n, NULL)));
	store_write_rollback(tx);
	return n;
}

static void of_the_line_above_and_no_other(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct rollout_hold *h;
	FLEET_CHECK(f, holds_of(f, "/demo/inter", &h) == 0);
	struct rotate_ret below = fleet_rotate(f, "/demo/inter");
	FLEET_CHECK(f, holds_of(f, "/demo/ca", &h) == 0);
	FLEET_CHECK(f, holds_of(f, "/demo/inter", &h) == 1 && text_equal(h[0].rotation.uuid, below.rotation) && h[0].left == 7 && !h[0].everywhere);
	struct rotate_ret root = fleet_rotate(f, "/demo/ca"); /* brings the one below a version of its own: that rotation is superseded */
	FLEET_CHECK(f, holds_of(f, "/demo/inter", &h) == 1 && text_equal(h[0].rotation.uuid, root.rotation) && h[0].left == 7);
	fleet_free(f);
}

static void manual_is_for_what_is_below(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct rollout_hold *h;
	struct approve_ret approved;
	fleet_rotate(f, "/demo/ca");
	manual(f, "/demo/inter", true);
	FLEET_CHECK(f, holds_of(f, "/demo/inter", &h) == 1 && h[0].everywhere);
	FLEET_CHECK(f, holds_of(f, "/demo/ca", &h) == 1 && !h[0].everywhere);
	manual(f, "/demo/inter", false);
	manual(f, "/demo/ca", true);
	FLEET_CHECK(f, holds_of(f, "/demo/inter", &h) == 1 && h[0].everywhere);
	FLEET_CHECK(f, holds_of(f, "/demo/ca", &h) == 1 && h[0].everywhere);
	fleet_settle(f, 20);
	fleet_must(f, &VERB_ROTATION_APPROVE, &(struct approve_cmd){ "/demo/ca", "switch" }, &approved);
	FLEET_CHECK(f, holds_of(f, "/demo/inter", &h) == 1 && h[0].left == (1u << APPROVAL_INTRODUCE | 1u << APPROVAL_WITHDRAW));
	fleet_free(f);
}

static void reasons(void **state)
{
	enum approval_step step;
	assert_true(rollout_step_of("approve-introduce", &step) && step == APPROVAL_INTRODUCE);
	assert_true(rollout_step_of("approve-withdraw", &step) && step == APPROVAL_WITHDRAW);
	assert_false(rollout_step_of("approve-", &step) || rollout_step_of("approve-all", &step) || rollout_step_of("switch", &step));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_the_line_above_and_no_other),
		cmocka_unit_test(manual_is_for_what_is_below),
		cmocka_unit_test(reasons),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
