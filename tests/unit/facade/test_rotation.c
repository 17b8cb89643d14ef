/* /v1/rotations and /v1/targets/{id}/retry. */
#include "call.h"

static void start_show_steer(void **state)
{
	struct call *c = call_new();
	room_deployment(c->room, "pg");
	room_enroll(c->room, "pg", "pg-1");
	c->dry_run = true;
	call_expect(c, 200, HTTP_POST, "/v1/rotations", "{\"name\":\"/prod/pg/ca\"}");
	call_is(c, "dry_run", "true");
	call_is(c, "rotation", NULL);
	call_is(c, "would_wait_for.0.instance", "pg-1");
	assert_true(call_count(c, "steps") == 5);
	c->dry_run = false;
	call_expect(c, 202, HTTP_POST, "/v1/rotations", "{\"name\":\"/prod/pg/ca\",\"reason\":\"yearly\"}");
	const char *id = call_at(c, "rotation"), *operation = call_at(c, "operation");
	assert_string_equal(call_header(c, "Location"), arena_printf(c->room->a, "/v1/operations/%s", operation));
	const char *path = arena_printf(c->room->a, "/v1/rotations/%s", id);
	call_expect(c, 200, HTTP_GET, path, NULL);
	call_is(c, "name", "/prod/pg/ca");
	call_is(c, "reason", "yearly");
	call_is(c, "operation", operation);
	call_expect(c, 200, HTTP_GET, "/v1/rotations?name=/prod/pg/ca&limit=1", NULL);
	call_is(c, "items.0.id", id);
	call_free(c);
}

/* A rotation in which a step waits, as the runner writes it. */
static const char *waiting_rotation(struct call *c)
{
	struct room *r = c->room;
	struct arena *a = r->a;
	struct tx *tx;
	struct credential_row ca;
	struct operation_row op = { .uuid = "6f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f11", .kind = "rotation", .object = "/prod/pg/ca", .created = r->now };
	struct rotation_row rotation = { .uuid = "6f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f12", .started = r->now };
	struct wait_row wait = { .key = "x", .since = r->now, .body = "{\"reason\":\"approve-switch\",\"rule\":\"rollout\"}" };
	assert_true(rc_ok(store_write_begin(r->store, &tx, &r->e)));
	assert_true(rc_ok(credential_row_by_name(tx, a, "/prod/pg/ca", &ca, &r->e)));
	assert_true(rc_ok(operation_row_insert(tx, &op, &r->e)));
	rotation.credential_id = wait.authority_id = ca.id;
	rotation.operation_id = op.id;
	rotation.old_versions = (struct id_list){ &ca.signing_version, 1 };
	assert_true(rc_ok(rotation_row_insert(tx, &rotation, &r->e)));
	assert_true(rc_ok(wait_row_put(tx, &wait, &r->e)));
	assert_true(rc_ok(store_write_commit(tx, &r->e)));
	service_drop(r->svc); /* rows came without a word */
	return arena_printf(a, "/v1/rotations/%s/approve", rotation.uuid);
}

static void approve(void **state)
{
	struct call *c = call_new();
	room_deployment(c->room, "pg");
	const char *path = waiting_rotation(c);
	call_expect(c, 409, HTTP_POST, path, "{\"step\":\"introduce\"}");
	c->dry_run = true;
	call_expect(c, 200, HTTP_POST, path, "{}");
	call_is(c, "dry_run", "true");
	c->dry_run = false;
	call_expect(c, 200, HTTP_POST, path, "{\"step\":\"switch\"}");
	call_is(c, "step", "switch");
	call_is(c, "name", "/prod/pg/ca");
	call_has(c, "waiting.0", "when somebody approves that step");
	call_expect(c, 400, HTTP_POST, path, "{\"steps\":\"switch\"}");
	call_free(c);
}

static void emergency(void **state)
{
	struct call *c = call_new();
	room_deployment(c->room, "pg");
	c->dry_run = true;
	call_expect(c, 200, HTTP_POST, "/v1/rotations", "{\"name\":\"/prod/pg/ca\"}");
	call_is(c, "emergency", NULL);
	call_expect(c, 200, HTTP_POST, "/v1/rotations", "{\"name\":\"/prod/pg/ca\",\"compromised\":true}");
	call_is(c, "emergency.breaks", "0");
	call_is(c, "emergency.in_doubt", "0");
	assert_true(call_count(c, "emergency.pairs") == 0 && call_count(c, "steps") == 4);
	c->dry_run = false;
	call_expect(c, 400, HTTP_POST, "/v1/rotations", "{\"name\":\"/prod/pg/ca\",\"yes_break\":1}");
	call_expect(c, 400, HTTP_POST, "/v1/rotations", "{\"name\":\"/prod/pg/ca\",\"compromised\":true,\"yes_break\":-1}");
	call_expect(c, 409, HTTP_POST, "/v1/rotations", "{\"name\":\"/prod/pg/ca\",\"compromised\":true,\"yes_break\":7}");
	call_is(c, "code", "unsafe");
	call_expect(c, 202, HTTP_POST, "/v1/rotations", "{\"name\":\"/prod/pg/ca\",\"compromised\":true}");
	call_expect(c, 200, HTTP_GET, arena_printf(c->room->a, "/v1/rotations/%s", call_at(c, "rotation")), NULL);
	call_is(c, "compromised", "true");
	call_is(c, "still_trusting.count", "0");
	call_free(c);
}

static void steer(void **state)
{
	struct call *c = call_new();
	room_deployment(c->room, "pg");
	struct msg_enrolled m = room_enroll(c->room, "pg", "pg-1");
	(void)m;
	call_expect(c, 202, HTTP_POST, "/v1/rotations", "{\"name\":\"/prod/pg/ca\"}");
	const char *path = arena_printf(c->room->a, "/v1/rotations/%s", call_at(c, "rotation"));
	call_expect(c, 200, HTTP_GET, path, NULL);
	bool running = text_equal(call_at(c, "state"), "running"); /* with nobody counted it is over at once */
	const char *const acts[][2] = { { "pause", "paused" }, { "resume", "running" }, { "abort", "aborted" } };
	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		call_expect(c, running ? 200 : 409, HTTP_POST, arena_printf(c->room->a, "%s/%s", path, acts[i][0]), NULL);
		if (running)
			call_is(c, "state", acts[i][1]);
	}
	call_free(c);
}

static void what_bad_input_gets(void **state)
{
	struct call *c = call_new();
	call_expect(c, 400, HTTP_POST, "/v1/rotations", "{\"nam\":\"/x\"}");
	call_finding(c, "$.nam");
	call_finding(c, "$.name");
	call_expect(c, 404, HTTP_POST, "/v1/rotations", "{\"name\":\"/none\"}");
	call_expect(c, 409, HTTP_POST, "/v1/rotations", "{\"name\":\"/troth/server-tls\"}");
	call_is(c, "code", "unsafe");
	call_expect(c, 404, HTTP_GET, "/v1/rotations/11111111-1111-4111-8111-111111111111", NULL);
	call_expect(c, 404, HTTP_GET, "/v1/rotations/none", NULL);
	call_expect(c, 400, HTTP_GET, "/v1/rotations?limit=0", NULL);
	call_expect(c, 404, HTTP_POST, "/v1/targets/none/retry", NULL);
	call_free(c);
}

static void retry(void **state)
{
	struct call *c = call_new();
	room_deployment(c->room, "pg");
	room_enroll(c->room, "pg", "pg-1");
	call_expect(c, 200, HTTP_GET, "/v1/targets", NULL);
	const char *id = call_at(c, "items.0.id");
	call_expect(c, 200, HTTP_POST, arena_printf(c->room->a, "/v1/targets/%s/retry", id), NULL);
	call_is(c, "failures_forgotten", "0");
	call_has(c, "target", "pg-1/");
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_show_steer),
		cmocka_unit_test(approve), cmocka_unit_test(steer), cmocka_unit_test(emergency),
		cmocka_unit_test(what_bad_input_gets),
		cmocka_unit_test(retry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
