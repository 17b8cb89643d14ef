/* The live display: counts that grow, and an end. */
#include "fleet.h"

static int64_t number(struct fleet *f, const char *key)
{
	const struct json *j;
	struct troth_err e = { 0 };
	struct rotation_view v = fleet_rotation(f, "/demo/ca");
	FLEET_CHECK(f, rc_ok(json_parse(f->a, bytes_of_text(v.progress), &j, &e)));
	return json_get_int(j, key, -1);
}

static void counts_grow(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	FLEET_CHECK(f, number(f, "stores_total") == 3 && number(f, "stores_with_new") == 0 && number(f, "slots_on_new") == 0);
	fleet_turn(f, fleet_node(f, "app-0"));
	FLEET_CHECK(f, number(f, "stores_with_new") == 1);
	fleet_settle(f, 2);
	FLEET_CHECK(f, number(f, "stores_with_new") == 3 && number(f, "stores_with_old") == 3);
	fleet_settle(f, 60);
	FLEET_CHECK(f, number(f, "slots_on_new") == 3 && number(f, "stores_with_old") == 0);
	struct operation_row op = fleet_operation(f, r.operation);
	FLEET_CHECK(f, op.state == OPERATION_SUCCEEDED && op.finished && !op.waits_for && strstr(op.result, r.rotation));
	fleet_free(f);
}

static void held_until_it_moves(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	struct rotation_cmd cmd = { r.rotation };
	struct rotation_ret ret;
	struct verb_ctx ctx;
	struct troth_err e = { 0 };
	verb_ctx_init(&ctx, f->a, &f->admin, &f->port, f->now);
	ctx.options.wait = MSEC_S;
	FLEET_CHECK(f, rc_ok(verb_run(f->svc, &VERB_ROTATION_SHOW, &ctx, &f->line, &cmd, &ret, &e)) && ctx.hold.wanted);
	FLEET_CHECK(f, text_equal(ctx.hold.topic, arena_printf(f->a, "rotation/%s", r.rotation)));
	fleet_settle(f, 60);
	FLEET_CHECK(f, rc_ok(verb_run(f->svc, &VERB_ROTATION_SHOW, &ctx, &f->line, &cmd, &ret, &e)) && !ctx.hold.wanted);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_grow),
		cmocka_unit_test(held_until_it_moves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
