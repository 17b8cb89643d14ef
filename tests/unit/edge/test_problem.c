/* An error becomes a problem document, and the document becomes the same error again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "edge/http.h"

static const struct http_request REQUEST = { .path = "/v1/x", .id = "r1" };

static void there_and_back(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	struct troth_err e = { 0 }, back = { 0 };
	assert_int_equal(err_set(&e, TROTH_UNSAFE, "a pair would break").code, TROTH_UNSAFE);
	err_detail(&e, "pg-0 has not seen it");
	err_hint(&e, "wait");
	err_object(&e, "/demo/ca");
	err_clause(&e, "RFC 5280 6.1");
	err_finding(a, &e, "$.name", "required", "is missing", "write it");
	http_reply_problem(&reply, &REQUEST, &e);
	assert_int_equal(reply.status, 409);
	assert_string_equal(reply.content_type, "application/problem+json");
	assert_non_null(strstr(buf_text(&reply.body), "\"type\":\"/problems/unsafe\""));
	assert_non_null(strstr(buf_text(&reply.body), "\"instance\":\"/v1/x\""));
	assert_int_equal(http_problem_read(a, 409, buf_bytes(&reply.body), &back).code, TROTH_UNSAFE);
	assert_string_equal(back.primary, "a pair would break: pg-0 has not seen it");
	assert_string_equal(back.hint, "wait");
	assert_string_equal(back.object, "/demo/ca");
	assert_string_equal(back.clause, "RFC 5280 6.1");
	assert_string_equal(back.findings->path, "$.name");
}

static void own_type(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	struct troth_err e = { 0 }, back = { 0 };
	assert_int_equal(err_set(&e, TROTH_CONFLICT, "open a new session").code, TROTH_CONFLICT);
	err_clause(&e, "type:stale-session");
	http_reply_problem(&reply, &REQUEST, &e);
	assert_int_equal(reply.status, 409);
	assert_non_null(strstr(buf_text(&reply.body), "\"type\":\"/problems/stale-session\""));
	assert_null(strstr(buf_text(&reply.body), "clause"));
	assert_int_equal(http_problem_read(a, 409, buf_bytes(&reply.body), &back).code, TROTH_CONFLICT);
	assert_string_equal(back.clause, "type:stale-session");
}

static void http_statuses(void **state)
{
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	struct troth_err e = { 0 };
	assert_int_equal(err_set(&e, TROTH_INVALID, "not JSON").code, TROTH_INVALID);
	err_clause(&e, "type:unsupported-media-type");
	http_reply_problem(&reply, NULL, &e);
	assert_int_equal(reply.status, 415);
	assert_int_equal(http_code_status("method-not-allowed"), 405);
	assert_int_equal(http_code_status("stale-session"), 0);
	assert_int_equal(http_err_status(&(struct troth_err){ .kind = TROTH_INVALID, .clause = "type:method-not-allowed" }), 405);
	assert_int_equal(http_err_status(&(struct troth_err){ .kind = TROTH_CONFLICT, .clause = "type:stale-session" }), 409);
	assert_int_equal(http_err_status(&(struct troth_err){ .kind = TROTH_NOT_FOUND, .clause = "RFC 5280" }), 404);
}

static void foreign_answers(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	struct troth_err e = { 0 };
	assert_int_equal(http_problem_read(a, 502, bytes_of_text("<html>"), &e).code, TROTH_INTERNAL);
	assert_string_equal(e.primary, "the server answered 502");
	assert_int_equal(http_problem_read(a, 404, (struct bytes){ 0 }, &e).code, TROTH_NOT_FOUND);
	assert_int_equal(http_problem_read(a, 200, bytes_of_text("{}"), &e).code, TROTH_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(there_and_back), cmocka_unit_test(own_type),
					    cmocka_unit_test(http_statuses), cmocka_unit_test(foreign_answers) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
