/* The main path end to end in one process: see fleet.h. */
#include "fleet.h"

static void test_full_rotation(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	struct rotation_view v = fleet_rotation(f, r.rotation);
	FLEET_CHECK(f, text_equal(v.state, "done"));
	FLEET_CHECK(f, fleet_operation(f, r.operation).state == OPERATION_SUCCEEDED);
	for (size_t i = 0; i < f->node_count; i++) {
		struct fleet_node *n = &f->nodes[i];
		if (n->name[0] == 'a')
			FLEET_CHECK(f, fleet_store_size(n) == 1 && fleet_trusts(f, n, r.new_version));
		else
			FLEET_CHECK(f, fleet_signed_by(f, n, r.new_version));
	}
	fleet_all_hands(f);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_rotation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
