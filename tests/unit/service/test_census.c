/* Who takes part in a rotation: counted once each. */
#include "fleet.h"

static void counts_what_takes_part(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r;
	f->dry_run = true;
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca" }, &r);
	FLEET_CHECK(f, r.stores == 3 && r.slots == 3 && r.instances == 6 && r.waiting_count == 0 && r.outside_count == 0);
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/svc-1/server" }, &r);
	FLEET_CHECK(f, r.stores == 0 && r.slots == 1 && r.instances == 1 && r.step_count == 2);
	FLEET_CHECK(f, strstr(r.steps[0], "/demo/svc-1/server") != NULL);
	fleet_free(f);
}

static void those_that_left_do_not(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r;
	struct no_ret gone;
	fleet_must(f, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ fleet_node(f, "app-2")->uuid, true }, &gone);
	fleet_node(f, "app-2")->off = true;
	fleet_node(f, "app-2")->place_count = 0; /* nobody shakes its hand any more */
	f->dry_run = true;
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca" }, &r);
	FLEET_CHECK(f, r.stores == 2 && r.instances == 5);
	f->dry_run = false;
	struct rotate_ret done = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, done.rotation).state, "done"));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_what_takes_part),
		cmocka_unit_test(those_that_left_do_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
