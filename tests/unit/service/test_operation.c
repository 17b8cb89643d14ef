/* Operations: shown, filtered, waited for. */
#include "room.h"

static struct operation_row insert(struct room *r, const char *uuid, enum operation_state operation_state, const char *object)
{
	struct tx *tx;
	struct operation_row row = { .uuid = uuid, .kind = "rotation", .object = object, .state = operation_state, .created = r->now,
				     .updated = r->now, .progress = "{\"done\":1}" };
	assert_true(rc_ok(store_write_begin(r->store, &tx, &r->e)));
	assert_true(rc_ok(operation_row_insert(tx, &row, &r->e)));
	assert_true(rc_ok(store_write_commit(tx, &r->e)));
	return row;
}

static void test_list(void **state)
{
	struct room *r = room_new();
	struct operation_list_ret list;
	insert(r, "6f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f11", OPERATION_RUNNING, "/prod/pg/ca");
	insert(r, "6f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f12", OPERATION_SUCCEEDED, "/test/ca");
	room_do(r, &VERB_OPERATION_LIST, &(struct operation_list_cmd){ 0 }, &list);
	assert_int_equal(list.count, 2);
	room_do(r, &VERB_OPERATION_LIST, &(struct operation_list_cmd){ .state = "succeeded" }, &list);
	assert_int_equal(list.count, 1);
	room_do(r, &VERB_OPERATION_LIST, &(struct operation_list_cmd){ .kind = "enroll" }, &list);
	assert_int_equal(list.count, 0);
	assert_true(rc_ok(room_try(r, &r->narrow, &VERB_OPERATION_LIST, &(struct operation_list_cmd){ 0 }, &list)));
	assert_int_equal(list.count, 1);
	room_refused(r, &r->admin, &VERB_OPERATION_LIST, &(struct operation_list_cmd){ .state = "odd" }, TROTH_INVALID, "not a state");
	room_free(r);
}

static void test_wait(void **state)
{
	struct room *r = room_new();
	struct operation_ret ret;
	struct operation_row running = insert(r, "6f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f11", OPERATION_RUNNING, "/test/ca");
	struct operation_row done = insert(r, "6f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f12", OPERATION_FAILED, NULL);
	struct id_cmd cmd = { running.uuid };
	room_do(r, &VERB_OPERATION_SHOW, &cmd, &ret);
	assert_false(r->ctx.hold.wanted); /* nobody asked to wait */
	r->wait = 30 * MSEC_S;
	room_do(r, &VERB_OPERATION_SHOW, &cmd, &ret);
	assert_true(r->ctx.hold.wanted);
	assert_string_equal(r->ctx.hold.topic, arena_printf(r->a, "operation/%s", running.uuid));
	r->last_chance = true;
	room_do(r, &VERB_OPERATION_SHOW, &cmd, &ret);
	assert_false(r->ctx.hold.wanted);
	assert_int_equal(ret.operation.state, OPERATION_RUNNING);
	r->last_chance = false;
	room_do(r, &VERB_OPERATION_SHOW, &(struct id_cmd){ done.uuid }, &ret);
	assert_false(r->ctx.hold.wanted);
	room_refused(r, &r->narrow, &VERB_OPERATION_SHOW, &cmd, TROTH_NOT_FOUND, "no such operation");
	room_refused(r, &r->admin, &VERB_OPERATION_SHOW, &(struct id_cmd){ "x" }, TROTH_NOT_FOUND, "not an id");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_list), cmocka_unit_test(test_wait) };
	return cmocka_run_group_tests_name("operation", tests, NULL, NULL);
}
