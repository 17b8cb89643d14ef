/* The whole way of a request: TLS, who, parse, the threads, the answer; and what several threads could break. */
#include "plant.h"

#include <poll.h>
#include <string.h>

#include "../edge/fixture.h"

static struct plant *p;
static struct world *w;
static const char TOKEN[] = "a-token-of-the-test";

/* -- routes ------------------------------------------------------------------------------------------------ */
static troth_rc parse(struct arena *a, const struct http_request *r, void *out, struct troth_err *e)
{
	struct toy_cmd *cmd = out;
	static const struct json_field fields[] = { { "value", JF_INT, offsetof(struct toy_cmd, value), 0 },
						    { "needs", JF_INT, offsetof(struct toy_cmd, needs), 0 },
						    { "fail", JF_BOOL, offsetof(struct toy_cmd, fail), 0 } };
	cmd->key = http_param(r, "key");
	TRY(http_query_int(r, "least", 0, 0, 1000, &cmd->value, e));
	return r->method == HTTP_GET ? RC_OK : http_body_read(a, r, fields, ARRAY_LEN(fields), cmd, e);
}

static void render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	struct json_writer j = http_reply_json(reply, 200);
	jw_object(&j);
	jw_kv_int(&j, "value", ret ? ((const struct toy_ret *)ret)->value : -1);
	jw_object_end(&j);
}

static troth_rc admin_run(struct verb_ctx *ctx, const void *cmd, void *ret, struct troth_err *e) { return RC_OK; }
static const struct verb TOY_ADMIN = { "toy.admin", VERB_READ, ROLES_ADMIN, sizeof(struct toy_cmd), sizeof(struct toy_ret), NULL, admin_run };

/* Says with what right it runs; looking goes on as touching. */
static troth_rc touch_run(struct verb_ctx *ctx, const void *cmd, void *ret, struct troth_err *e)
{
	((struct toy_ret *)ret)->value = ctx->who->right;
	return RC_OK;
}
static const struct verb TOUCH = { "toy.touch", VERB_WRITE, ROLES_ANY, sizeof(struct toy_cmd), sizeof(struct toy_ret), NULL, touch_run, RIGHT_WRITE };

static troth_rc look_run(struct verb_ctx *ctx, const void *cmd, void *ret, struct troth_err *e)
{
	((struct toy_ret *)ret)->value = ctx->who->right;
	ctx->then = ctx->who->right == RIGHT_READ ? &TOUCH : NULL;
	return RC_OK;
}
static const struct verb LOOK = { "toy.look", VERB_READ, ROLES_ANY, sizeof(struct toy_cmd), sizeof(struct toy_ret), NULL, look_run, RIGHT_READ };

static const struct route ROWS[] = {
	{ HTTP_GET, "/look", &LOOK, NULL, render, ROUTE_NO_AUTH },
	{ HTTP_GET, "/t/{key}", &TOY_GET, parse, render, ROUTE_NO_AUTH | ROUTE_HOLD },
	{ HTTP_PUT, "/t/{key}", &TOY_PUT, parse, render, ROUTE_NO_AUTH },
	{ HTTP_POST, "/t/{key}", &TOY_TAKE, parse, render, ROUTE_NO_AUTH | ROUTE_HOLD },
	{ HTTP_GET, "/admin", &TOY_ADMIN, NULL, render, 0 },
	{ HTTP_GET, "/document", NULL, NULL, render, 0 },
	{ HTTP_GET, "/open", NULL, NULL, render, ROUTE_NO_AUTH },
};
static const struct route_table TABLE = { ROWS, ARRAY_LEN(ROWS) };

static const char *ask(const char *method, const char *path, const char *headers, const char *body)
{
	struct raw r = raw_connect(w, false);
	raw_send(&r, arena_printf(w->a, "%s %s HTTP/1.1\r\nHost: a\r\n%sContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
				  method, path, headers, strlen(body), body));
	const char *reply = raw_reply(w, &r);
	raw_close(&r);
	return reply;
}

static int status(const char *method, const char *path, const char *body) { return status_of(ask(method, path, "", body)); }

static void reads_and_writes(void **state)
{
	assert_int_equal(status("GET", "/t/x", ""), 404);
	assert_int_equal(status("PUT", "/t/x", "{\"value\":7}"), 200);
	assert_non_null(strstr(ask("GET", "/t/x", "", ""), "\"value\":7"));
	assert_int_equal(status("PUT", "/t/x", "{\"value\":8,\"fail\":true}"), 409);
	assert_non_null(strstr(ask("GET", "/t/x", "", ""), "\"value\":7"));
	assert_int_equal(status("PUT", "/t/x", "{\"valeu\":8}"), 400);
	assert_int_equal(status("PUT", "/t/x", "{\"value\":9,\"needs\":5}"), 200);
}

static void a_read_that_goes_on_as_a_write(void **state)
{
	assert_non_null(strstr(ask("POST", "/t/taken", "", "{\"value\":3}"), "\"value\":3"));
	assert_int_equal(plant_value(p, "taken"), 3);
}

static void each_verb_runs_with_its_own_right(void **state)
{
	assert_non_null(strstr(ask("GET", "/look", "", ""), arena_printf(w->a, "\"value\":%d", RIGHT_WRITE)));
}

static void who_is_asking(void **state)
{
	const char *good = arena_printf(w->a, "Authorization: Bearer %s\r\n", TOKEN);
	assert_int_equal(status("GET", "/admin", ""), 401);
	assert_non_null(strstr(ask("GET", "/admin", "", ""), "WWW-Authenticate: Bearer"));
	assert_int_equal(status_of(ask("GET", "/admin", "Authorization: Bearer wrong\r\n", "")), 401);
	assert_int_equal(status_of(ask("GET", "/admin", good, "")), 200);
	assert_int_equal(status_of(ask("GET", "/document", good, "")), 200);
	assert_int_equal(status("GET", "/document", ""), 401);
	assert_int_equal(status("GET", "/open", ""), 200);
	assert_int_equal(status_of(ask("GET", "/open", "Authorization: Bearer wrong\r\n", "")), 200);
}

static void dry_run_changes_nothing(void **state)
{
	assert_int_equal(status("PUT", "/t/dry?dry_run=true", "{\"value\":1}"), 200);
	assert_int_equal(plant_value(p, "dry"), -1);
}

static void idempotent(void **state)
{
	const char *key = "Idempotency-Key: once\r\n";
	assert_int_equal(status_of(ask("PUT", "/t/idem", key, "{\"value\":1}")), 200);
	assert_int_equal(status("PUT", "/t/idem", "{\"value\":2}"), 200);
	const char *again = ask("PUT", "/t/idem", key, "{\"value\":1}");
	assert_non_null(strstr(again, "Idempotency-Replayed: true"));
	assert_non_null(strstr(again, "\"value\":1"));
	assert_int_equal(plant_value(p, "idem"), 2); /* not done again */
	assert_int_equal(status_of(ask("PUT", "/t/idem", key, "{\"value\":9}")), 409);
}

static void held_until_the_commit_that_brings_news(void **state)
{
	struct raw r = raw_connect(w, false);
	assert_int_equal(status("PUT", "/t/held", "{\"value\":1}"), 200);
	raw_send(&r, "GET /t/held?least=5&wait=20s HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(status("PUT", "/t/held", "{\"value\":2}"), 200); /* news, but not enough */
	assert_int_equal(status("PUT", "/t/held", "{\"value\":5}"), 200);
	assert_non_null(strstr(raw_reply(w, &r), "\"value\":5"));
	raw_send(&r, "GET /t/held?least=9&wait=100ms HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_non_null(strstr(raw_reply(w, &r), "\"value\":5")); /* the deadline */
	raw_send(&r, "GET /t/held?least=9 HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_non_null(strstr(raw_reply(w, &r), "\"value\":5")); /* no ?wait= */
	raw_close(&r);
}

/* If a wake-up could be lost between the read and the hold, one of these would hang until its deadline. */
static void no_wakeup_is_lost(void **state)
{
	msec_t began = mono();
	struct raw reader = raw_connect(w, false), writer = raw_connect(w, false);
	for (int i = 1; i <= 200; i++) {
		const char *body = arena_printf(w->a, "{\"value\":%d}", i);
		raw_send(&reader, arena_printf(w->a, "GET /t/race?least=%d&wait=20s HTTP/1.1\r\nHost: a\r\n\r\n", i));
		raw_send(&writer, arena_printf(w->a, "PUT /t/race HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
					       "Content-Length: %zu\r\n\r\n%s", strlen(body), body));
		assert_int_equal(status_of(raw_reply(w, &writer)), 200);
		const char *got = raw_reply(w, &reader);
		assert_true(status_of(got) == 200 || i == 1); /* the very first may find no row */
	}
	assert_true(mono() - began < 15000);
	raw_close(&reader);
	raw_close(&writer);
}

static void peers_that_leave_while_their_verb_is_under_way(void **state)
{
	atomic_store(&p->mood, KEEPER_HANGS);
	for (int i = 0; i < 20; i++) {
		struct raw r = raw_connect(w, false);
		raw_send(&r, "PUT /t/gone HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n{\"value\":1,\"needs\":1}");
		raw_close(&r);
	}
	assert_true(plant_await(&p->requests, 20));
	atomic_store(&p->mood, KEEPER_ANSWERS);
	assert_int_equal(status("PUT", "/t/here", "{\"value\":1}"), 200);
	for (msec_t end = mono() + 5000; plant_value(p, "gone") != 1 && mono() < end;)
		poll(NULL, 0, 5);
	assert_int_equal(plant_value(p, "gone"), 1); /* what was begun is done, heard or not */
}

/* -- life ----------------------------------------------------------------------------------------------------- */
static void add_admin(void)
{
	uint8_t hash[SHA256_LEN];
	struct tx *tx;
	struct troth_err e = { 0 };
	token_hash(TOKEN, hash);
	struct principal_row row = { .uuid = "6c4c951b-c27f-449e-82b5-ccd8d6e0cdaf", .name = "admin", .roles = ROLE_ADMIN, .scope = "*",
				     .token_hash = bytes_of(hash, sizeof hash), .created = 1 };
	if (rc_failed(store_write_begin(p->store, &tx, &e)) || rc_failed(principal_row_insert(tx, &row, &e)) ||
	    rc_failed(store_write_commit(tx, &e)))
		fail_msg("%s", e.primary);
}

static int setup(void **state)
{
	struct troth_err e = { 0 };
	struct bytes ca;
	p = plant_new();
	w = world_new();
	add_admin();
	plant_make_pipeline(p);
	struct edge_tls tls = world_tls(w, &ca);
	const struct edge_config config = { .listen = "127.0.0.1:0", .loops = 2, .clock = &PORT_CLOCK_REAL, .random = &PORT_RANDOM_REAL,
					    .tables = &TABLE, .table_count = 1, .handler = pipeline_handler(p->pipeline) };
	if (rc_failed(edge_server_new(&config, &tls, &w->edge, &e)) || rc_failed(pipeline_start(p->pipeline, w->edge, &e)) ||
	    rc_failed(edge_server_start(w->edge, &e)))
		fail_msg("%s", e.primary);
	w->port = edge_server_port(w->edge);
	return 0;
}

static int teardown(void **state)
{
	edge_server_stop(w->edge, 1000);
	edge_server_join(w->edge);
	pipeline_stop(p->pipeline);
	edge_server_free(w->edge);
	w->edge = NULL;
	plant_free(p);
	world_free(w);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes), cmocka_unit_test(a_read_that_goes_on_as_a_write), cmocka_unit_test(each_verb_runs_with_its_own_right), cmocka_unit_test(who_is_asking),
		cmocka_unit_test(dry_run_changes_nothing), cmocka_unit_test(idempotent),
		cmocka_unit_test(held_until_the_commit_that_brings_news), cmocka_unit_test(no_wakeup_is_lost),
		cmocka_unit_test(peers_that_leave_while_their_verb_is_under_way),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
