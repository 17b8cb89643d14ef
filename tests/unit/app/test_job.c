/* An Idempotency-Key: the same request is answered as before, another one is refused. */
#include "plant.h"

#include <string.h>

static struct plant *p;
static int renders;

static void render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	renders++;
	struct json_writer w = http_reply_json(reply, 201);
	jw_object(&w);
	jw_kv_int(&w, "value", ((const struct toy_ret *)ret)->value);
	jw_object_end(&w);
}

static const struct route PLAIN = { HTTP_POST, "/x", &TOY_PUT, NULL, render, 0 };
static const struct route SECRET = { HTTP_POST, "/x", &TOY_PUT, NULL, render, ROUTE_SECRET };

static struct job *job_with(const struct route *route, const char *key, const char *body, const char *who)
{
	struct edge_call *call = ARENA_NEW(p->a, struct edge_call);
	struct principal principal = { .roles = ROLE_ADMIN };
	text_copy(principal.name, sizeof principal.name, who);
	call->a = p->a;
	call->route = route;
	call->cmd = arena_alloc(p->a, sizeof(struct toy_cmd));
	call->ret = arena_alloc(p->a, sizeof(struct toy_ret));
	call->request = (struct http_request){ .method = HTTP_POST, .path = "/x", .idempotency_key = key,
					       .body = bytes_of_text(arena_text(p->a, body)) };
	struct job *job = job_of_call(p->pipeline, call);
	job_begin(p->pipeline, job, &principal, 1000);
	return job;
}

static troth_rc replay(struct job *job)
{
	struct store_reader *reader;
	struct tx *tx;
	assert_true(rc_ok(store_reader_open(p->store, &reader, NULL)) && rc_ok(store_read_begin(reader, &tx, NULL)));
	troth_rc rc = job_replay(job, tx);
	store_read_end(tx);
	store_reader_close(reader);
	return rc;
}

static void keep(struct job *job, int64_t value)
{
	struct tx *tx;
	((struct toy_ret *)job->ret)->value = value;
	assert_true(rc_ok(replay(job)) && !job->replayed);
	assert_true(rc_ok(store_write_begin(p->store, &tx, NULL)));
	assert_true(rc_ok(job_keep(job, tx)) && rc_ok(store_write_commit(tx, NULL)));
}

static void the_same_request_is_answered_as_before(void **state)
{
	keep(job_with(&PLAIN, "k1", "{}", "admin"), 42);
	struct job *again = job_with(&PLAIN, "k1", "{}", "admin");
	assert_true(rc_ok(replay(again)) && again->replayed);
	assert_int_equal(again->kept_status, 201);
	assert_true(bytes_equal(again->kept, bytes_of_text("{\"value\":42}")));
}

static void another_request_is_refused(void **state)
{
	keep(job_with(&PLAIN, "k2", "{}", "admin"), 1);
	assert_int_equal(replay(job_with(&PLAIN, "k2", "{ }", "admin")).code, TROTH_CONFLICT);
	struct job *other = job_with(&PLAIN, "k2", "{ }", "somebody else");
	assert_true(rc_ok(replay(other)) && !other->replayed);
}

static void secrets_are_not_kept(void **state)
{
	int before = renders;
	keep(job_with(&SECRET, "k3", "{}", "admin"), 1);
	struct job *again = job_with(&SECRET, "k3", "{}", "admin");
	assert_int_equal(replay(again).code, TROTH_CONFLICT);
	assert_non_null(strstr(again->err.primary, "done already"));
	assert_int_equal(renders, before);
}

/* Such a body may hold a password; a plain one is told from another by its hash. */
static void of_a_secret_body_no_hash_is_kept(void **state)
{
	struct job *one = job_with(&SECRET, "k5", "{\"a\":1}", "admin"), *two = job_with(&SECRET, "k5", "{\"b\":2}", "admin");
	assert_true(rc_ok(replay(one)) && rc_ok(replay(two)));
	assert_memory_equal(one->body_hash, two->body_hash, SHA256_LEN);
	one = job_with(&PLAIN, "k5", "{\"a\":1}", "admin"), two = job_with(&PLAIN, "k5", "{\"b\":2}", "admin");
	assert_true(rc_ok(replay(one)) && rc_ok(replay(two)));
	assert_memory_not_equal(one->body_hash, two->body_hash, SHA256_LEN);
}

static void no_key_no_trace(void **state)
{
	struct job *job = job_with(&PLAIN, NULL, "{}", "admin");
	keep(job, 1);
	job = job_with(&PLAIN, "k4", "{}", "admin");
	job->ctx.options.dry_run = true;
	keep(job, 1);
	job = job_with(&PLAIN, "k4", "{}", "admin");
	assert_true(rc_ok(replay(job)) && !job->replayed);
}

static int setup(void **state) { p = plant_new(); plant_make_pipeline(p); return 0; }
static int teardown(void **state) { plant_free(p); return 0; }

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_same_request_is_answered_as_before), cmocka_unit_test(another_request_is_refused),
					    cmocka_unit_test(secrets_are_not_kept), cmocka_unit_test(of_a_secret_body_no_hash_is_kept), cmocka_unit_test(no_key_no_trace) };
	return cmocka_run_group_tests(tests, setup, teardown);
}
