/* Instances: shown, and leaving. */
#include "room.h"

static void test_list_and_show(void **state)
{
	struct room *r = room_new();
	struct instance_list_ret list;
	struct instance_ret one;
	room_deployment(r, "pg");
	struct msg_enrolled m = room_enroll(r, "pg", "pg-1");
	room_enroll(r, "pg", "pg-2");
	room_do(r, &VERB_INSTANCE_LIST, &(struct instance_list_cmd){ .deployment = "pg" }, &list);
	assert_int_equal(list.count, 2);
	room_do(r, &VERB_INSTANCE_LIST, &(struct instance_list_cmd){ .name = "pg-2" }, &list);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.items[0].deployment, "pg");
	assert_true(rc_ok(room_try(r, &r->narrow, &VERB_INSTANCE_LIST, &(struct instance_list_cmd){ 0 }, &list)));
	assert_int_equal(list.count, 0);
	room_do(r, &VERB_INSTANCE_SHOW, &(struct id_cmd){ m.instance_id }, &one);
	assert_int_equal(one.instance.target_count, 2);
	assert_string_equal(one.instance.row.agent_version, "1");
	room_refused(r, &r->admin, &VERB_INSTANCE_LIST, &(struct instance_list_cmd){ .deployment = "x" }, TROTH_NOT_FOUND, "");
	room_refused(r, &r->narrow, &VERB_INSTANCE_SHOW, &(struct id_cmd){ m.instance_id }, TROTH_NOT_FOUND, "no such instance");
	room_free(r);
}

static void test_leaving_frees_the_names(void **state)
{
	struct room *r = room_new();
	struct no_ret none;
	struct instance_list_ret list;
	struct target_list_ret targets;
	room_deployment(r, "pg");
	struct msg_enrolled m = room_enroll(r, "pg", "pg-1");
	room_do(r, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ m.instance_id, true }, &none);
	assert_string_equal(room_last_audit(r), "instance.delete");
	room_do(r, &VERB_INSTANCE_LIST, &(struct instance_list_cmd){ 0 }, &list);
	assert_int_equal(list.count, 0);
	room_do(r, &VERB_TARGET_LIST, &(struct target_list_cmd){ 0 }, &targets);
	assert_int_equal(targets.count, 0);
	room_do(r, &VERB_TARGET_LIST, &(struct target_list_cmd){ .state = "left" }, &targets);
	assert_int_equal(targets.count, 2);
	room_refused(r, &r->admin, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ m.instance_id, true }, TROTH_NOT_FOUND, "left already");
	struct msg_enrolled again = room_enroll(r, "pg", "pg-1"); /* instance and credential names are free */
	assert_string_not_equal(again.instance_id, m.instance_id);
	room_free(r);
}

static void test_who_may(void **state)
{
	struct room *r = room_new();
	room_deployment(r, "pg");
	struct msg_enrolled m = room_enroll(r, "pg", "pg-1");
	room_refused(r, &r->auditor, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ m.instance_id, true }, TROTH_FORBIDDEN, "may not");
	room_refused(r, &r->narrow, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ m.instance_id, true }, TROTH_NOT_FOUND, "no such instance");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_and_show), cmocka_unit_test(test_leaving_frees_the_names), cmocka_unit_test(test_who_may),
	};
	return cmocka_run_group_tests_name("instance", tests, NULL, NULL);
}
