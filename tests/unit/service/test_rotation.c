/* List, show, pause, resume, abort. */
#include "fleet.h"

static void list_and_show(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotation_list_ret list;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_must(f, &VERB_ROTATION_LIST, &(struct rotation_list_cmd){ 0 }, &list);
	FLEET_CHECK(f, list.count == 1 && text_equal(list.items[0].id, r.rotation) && list.next == 0);
	fleet_must(f, &VERB_ROTATION_LIST, &(struct rotation_list_cmd){ .name = "/demo/ca", .limit = 1 }, &list);
	FLEET_CHECK(f, list.count == 1 && list.next != 0);
	struct rotation_view v = fleet_rotation(f, "/demo/ca");
	FLEET_CHECK(f, text_equal(v.name, "/demo/ca") && text_equal(v.kind, "authority") && text_equal(v.started_by, "admin"));
	FLEET_CHECK(f, text_equal(v.new_version, r.new_version) && v.old_count == 1 && text_equal(v.operation, r.operation));
	FLEET_CHECK(f, strstr(v.progress, "\"stores_total\":3") != NULL && v.waits_for != NULL);
	struct principal narrow = { .name = "op", .roles = ROLE_OPERATOR, .scope = "/prod/" "*" };
	fleet_refused(f, &narrow, &VERB_ROTATION_SHOW, &(struct rotation_cmd){ r.rotation }, TROTH_NOT_FOUND, "no such");
	struct troth_err e = { 0 };
	FLEET_CHECK(f, rc_ok(fleet_do(f, &narrow, &VERB_ROTATION_LIST, &(struct rotation_list_cmd){ 0 }, &list, &e)));
	FLEET_CHECK(f, list.count == 0);
	fleet_refused(f, &narrow, &VERB_ROTATION_LIST, &(struct rotation_list_cmd){ .name = "/demo/ca" }, TROTH_NOT_FOUND, "no such");
	fleet_refused(f, &narrow, &VERB_ROTATION_LIST, &(struct rotation_list_cmd){ .name = "/demo/none" }, TROTH_NOT_FOUND, "no such");
	fleet_free(f);
}

static void steered_when_over(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	struct rotation_cmd cmd = { r.rotation };
	fleet_settle(f, 60);
	fleet_refused(f, &f->admin, &VERB_ROTATION_ABORT, &cmd, TROTH_CONFLICT, "is done");
	fleet_refused(f, &f->admin, &VERB_ROTATION_PAUSE, &cmd, TROTH_CONFLICT, "is done");
	fleet_refused(f, &f->admin, &VERB_ROTATION_RESUME, &(struct rotation_cmd){ "" }, TROTH_INVALID, "which");
	fleet_free(f);
}

static void twice_is_once(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotation_ret ret;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	struct rotation_cmd cmd = { r.rotation };
	for (int i = 0; i < 2; i++)
		fleet_must(f, &VERB_ROTATION_PAUSE, &cmd, &ret);
	FLEET_CHECK(f, text_equal(ret.rotation.state, "paused"));
	for (int i = 0; i < 2; i++)
		fleet_must(f, &VERB_ROTATION_ABORT, &cmd, &ret);
	FLEET_CHECK(f, text_equal(ret.rotation.state, "aborted") && text_equal(ret.rotation.operation_state, "cancelled"));
	fleet_settle(f, 60);
	FLEET_CHECK(f, !fleet_rotation(f, r.rotation).going_back);
	fleet_all_hands(f);
	fleet_free(f);
}

/* Of the rotation, not of its authority: the next one goes by itself again. */
static void by_steps_is_shown(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r;
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca", .by_steps = true }, &r);
	fleet_settle(f, 20);
	FLEET_CHECK(f, fleet_rotation(f, r.rotation).by_steps && fleet_store_size(fleet_node(f, "app-0")) == 1);
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca", .again = true }, &r);
	fleet_settle(f, 60);
	FLEET_CHECK(f, !fleet_rotation(f, r.rotation).by_steps && text_equal(fleet_rotation(f, r.rotation).state, "done"));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_steps_is_shown),
		cmocka_unit_test(list_and_show),
		cmocka_unit_test(steered_when_over),
		cmocka_unit_test(twice_is_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
