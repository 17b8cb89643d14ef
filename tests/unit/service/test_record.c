/* One change, said once; who sees what; If-Match. */
#include "room.h"

#include "service/record.h"

static void test_audit_and_event_in_one(void **state)
{
	struct room *r = room_new();
	size_t before = room_audit_count(r);
	struct event_list_ret events;
	room_authority(r, "/prod/pg/ca", NULL);
	assert_int_equal(room_audit_count(r), before + 1);
	assert_string_equal(room_last_audit(r), "authority.create");
	room_do(r, &VERB_EVENT_LIST, &(struct event_list_cmd){ { 0, 0 } }, &events);
	assert_string_equal(events.items[events.count - 1].kind, "authority.create");
	assert_string_equal(events.items[events.count - 1].object, "/prod/pg/ca");
	room_free(r);
}

static void test_scope(void **state)
{
	struct troth_err e = { 0 };
	struct principal who = { .name = "x", .scope = "/prod/*" }, all = { .name = "y" };
	assert_true(record_in_scope(&who, "/prod/a"));
	assert_false(record_in_scope(&who, "/test/a"));
	assert_true(record_in_scope(&all, "/test/a"));
	assert_true(rc_ok(record_visible(&who, "bundle", "/prod/a", &e)));
	assert_false(rc_ok(record_visible(&who, "bundle", "/test/a", &e)));
	assert_int_equal(e.kind, TROTH_NOT_FOUND);
	assert_null(strstr(e.primary, "/test/a")); /* it does not say that it exists */
}

static void test_if_match(void **state)
{
	struct troth_err e = { 0 };
	struct verb_ctx ctx = { 0 };
	assert_true(rc_ok(record_if_match(&ctx, "x", 3, &e)));
	ctx.options.if_match = "3";
	assert_true(rc_ok(record_if_match(&ctx, "x", 3, &e)));
	ctx.options.if_match = "2";
	assert_false(rc_ok(record_if_match(&ctx, "x", 3, &e)));
	assert_int_equal(e.kind, TROTH_PRECONDITION);
	ctx.options.if_match = "3x";
	assert_false(rc_ok(record_if_match(&ctx, "x", 3, &e)));
}

static void test_ids_and_pages(void **state)
{
	struct troth_err e = { 0 };
	assert_true(rc_ok(record_uuid("token", "6f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f11", &e)));
	assert_false(rc_ok(record_uuid("token", "7", &e)));
	assert_int_equal(e.kind, TROTH_NOT_FOUND);
	assert_false(rc_ok(record_uuid("token", NULL, &e)));
	assert_int_equal(record_next(PAGE_FIRST, 0, 0), 0);
	assert_int_equal(record_next(PAGE_FIRST, 7, 9), 0);
	assert_int_equal(record_next(PAGE_FIRST, LIMIT_PAGE, 9), 9);
	assert_int_equal(record_next((struct page){ 0, 2 }, 2, 5), 5);
}

static void test_json(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "x", "y");
	assert_string_equal(record_end(&r, a), "{\"x\":\"y\"}");
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_audit_and_event_in_one), cmocka_unit_test(test_scope), cmocka_unit_test(test_if_match),
		cmocka_unit_test(test_ids_and_pages),          cmocka_unit_test(test_json),
	};
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
