/* Ops Manager's two error shapes, by kind. */
#include "../unit.h"

#include "facade/opsmanager/errors.h"

#include "base/json.h"

static const struct { enum troth_kind kind; const char *clause; int status; bool deeper; } KINDS[] = {
	{ TROTH_INVALID, "", 400, true },       { TROTH_UNAUTHENTICATED, "", 401, true },   { TROTH_FORBIDDEN, "", 403, true },
	{ TROTH_NOT_FOUND, "", 404, false },    { TROTH_CONFLICT, "", 422, false },         { TROTH_UNSAFE, "", 422, false },
	{ TROTH_PRECONDITION, "", 422, false }, { TROTH_TOO_LARGE, "", 413, false },        { TROTH_BUSY, "", 429, false },
	{ TROTH_UNAVAILABLE, "", 503, false },  { TROTH_INVALID, "type:unsupported-media-type", 415, false },
};

static const struct json *said(struct arena *a, const struct troth_err *e, int *ret_status)
{
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	const struct json *j;
	opsman_problem(a, &(struct http_request){ .path = "/api/v0/x" }, e, &reply);
	*ret_status = reply.status;
	assert_true(rc_ok(json_parse(a, bytes_of_text(arena_text(a, buf_text(&reply.body))), &j, NULL)));
	return j;
}

static void each_kind(void **state)
{
	struct arena *a = arena_new(1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
		struct troth_err e = { 0 };
		int status;
		assert_true(rc_failed(err_set(&e, KINDS[i].kind, "no \"%s\"", "way")));
		err_hint(&e, "another way");
		err_clause(&e, KINDS[i].clause);
		const struct json *list = json_get(said(a, &e, &status), "errors");
		assert_int_equal(status, KINDS[i].status);
		list = KINDS[i].deeper ? json_get(list, "errors") : list;
		assert_true(list && list->type == JSON_ARRAY && list->list.count == 1);
		assert_string_equal(list->list.items[0].str.s, "no \"way\": another way");
	}
	arena_free(a);
}

static void all_findings(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct troth_err e = { 0 };
	int status;
	err_finding(a, &e, "$.a", "type", "must be text", "write text");
	err_finding(a, &e, "$.b", "unknown-field", "is not known", NULL);
	const struct json *list = json_get(json_get(said(a, &e, &status), "errors"), "errors");
	assert_true(status == 400 && list->list.count == 2);
	assert_string_equal(list->list.items[0].str.s, "$.a must be text: write text");
	assert_string_equal(list->list.items[1].str.s, "$.b is not known");
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_kind), cmocka_unit_test(all_findings) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
