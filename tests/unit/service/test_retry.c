/* A repaired node gets another try. */
#include "fleet.h"

static void forgets_failures(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-0");
	struct retry_ret ret;
	struct retry_cmd cmd = { n->places[0].id };
	fleet_must(f, &VERB_TARGET_RETRY, &cmd, &ret);
	FLEET_CHECK(f, ret.failures == 0 && text_equal(ret.target, "app-0/trust"));
	n->broken = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_target(f, n).failures == LIMIT_APPLY_FAILURES);
	n->broken = false;
	fleet_settle(f, 10);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "running"));
	fleet_must(f, &VERB_TARGET_RETRY, &cmd, &ret);
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
	fleet_refused(f, &f->admin, &VERB_TARGET_RETRY, &(struct retry_cmd){ "x" }, TROTH_NOT_FOUND, "not an id");
	fleet_free(f);
}

/* A target by its id is one of somebody, like one by its name. */
static void only_in_scope(void **state)
{
	struct fleet *f = fleet_demo();
	struct principal narrow = { .name = "op", .roles = ROLE_OPERATOR, .scope = "svc" };
	fleet_refused(f, &narrow, &VERB_TARGET_RETRY, &(struct retry_cmd){ fleet_node(f, "app-0")->places[0].id }, TROTH_NOT_FOUND, "no such target");
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forgets_failures),
		cmocka_unit_test(only_in_scope),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
