/* /v1/operations and /v1/events. */
#include "call.h"

static void test_events(void **state)
{
	struct call *c = call_new();
	call_expect(c, 200, HTTP_GET, "/v1/events", NULL);
	call_has(c, "items.0.kind", ".");
	const char *next = call_at(c, "next");
	c->wait = 10 * MSEC_S;
	call_expect(c, 200, HTTP_GET, arena_printf(c->room->a, "/v1/events?after=%s", next), NULL);
	assert_true(c->held);
	c->wait = 0;
	call_expect(c, 201, HTTP_POST, "/v1/authorities", "{\"name\":\"/prod/ca\"}");
	call_expect(c, 200, HTTP_GET, arena_printf(c->room->a, "/v1/events?after=%s", next), NULL);
	call_is(c, "items.0.object", "/prod/ca");
	call_free(c);
}

static void test_operations(void **state)
{
	struct call *c = call_new();
	struct room *r = c->room;
	struct tx *tx;
	struct operation_row row = { .uuid = "6f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f11", .kind = "rotation", .object = "/x",
				     .progress = "{\"done\":1}", .created = r->now };
	assert_true(rc_ok(store_write_begin(r->store, &tx, &r->e)));
	assert_true(rc_ok(operation_row_insert(tx, &row, &r->e)));
	assert_true(rc_ok(store_write_commit(tx, &r->e)));
	call_expect(c, 200, HTTP_GET, "/v1/operations?kind=rotation&state=running", NULL);
	call_is(c, "items.0.progress.done", "1");
	c->wait = MSEC_S;
	call_expect(c, 200, HTTP_GET, "/v1/operations/6f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f11", NULL);
	assert_true(c->held);
	call_is(c, "result", NULL);
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_events), cmocka_unit_test(test_operations) };
	return cmocka_run_group_tests_name("operation", tests, NULL, NULL);
}
