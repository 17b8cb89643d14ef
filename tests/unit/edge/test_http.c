/* Looking things up in a request; making replies. */
#include "edge/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/limits.h"

static const struct http_pair QUERY[] = { { "a", "1" }, { "a", "2" }, { "flag", "" }, { "limit", "7" }, { "bad", "x1" } };
static const struct http_pair HEADERS[] = { { "Content-Type", "text/plain" } };
static const struct http_request REQUEST = { .query = { QUERY, ARRAY_LEN(QUERY) }, .headers = { HEADERS, 1 } };

static void lookups(void **state)
{
	assert_string_equal(http_query(&REQUEST, "a"), "1");
	assert_null(http_query(&REQUEST, "b"));
	assert_string_equal(http_header(&REQUEST, "content-type"), "text/plain");
	assert_null(http_param(&REQUEST, "id"));
}

static void query_values(void **state)
{
	struct troth_err e = { 0 };
	int64_t n = 0;
	bool b = false;
	assert_true(rc_ok(http_query_bool(&REQUEST, "flag", false, &b, &e)) && b);
	assert_true(rc_ok(http_query_bool(&REQUEST, "none", true, &b, &e)) && b);
	assert_int_equal(http_query_bool(&REQUEST, "bad", true, &b, &e).code, TROTH_INVALID);
	assert_true(rc_ok(http_query_int(&REQUEST, "a", 0, 0, 9, &n, &e)) && n == 1);
	assert_int_equal(http_query_int(&REQUEST, "a", 0, 2, 9, &n, &e).code, TROTH_INVALID);
	assert_int_equal(http_query_int(&REQUEST, "bad", 0, 0, 9, &n, &e).code, TROTH_INVALID);
	assert_int_equal(http_query_int(&REQUEST, "flag", 0, 0, 9, &n, &e).code, TROTH_INVALID);
}

static void pages(void **state)
{
	static const struct http_pair huge[] = { { "limit", "100000" } };
	struct http_request r = { .query = { huge, 1 } };
	struct troth_err e = { 0 };
	struct http_page p;
	assert_true(rc_ok(http_query_page(&REQUEST, &p, &e)));
	assert_int_equal(p.limit, 7);
	assert_int_equal(p.after, 0);
	assert_int_equal(http_query_page(&r, &p, &e).code, TROTH_INVALID);
	assert_non_null(strstr(e.primary, "limit"));
}

struct thing { const char *name; };

static void bodies(void **state)
{
	static const struct json_field fields[] = { { "name", JF_TEXT, offsetof(struct thing, name), JF_REQUIRED } };
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	struct thing t = { 0 };
	struct troth_err e = { 0 };
	struct http_request r = { .body = bytes_of_text("{\"name\":\"x\"}") };
	assert_true(rc_ok(http_body_read(a, &r, fields, 1, &t, &e)));
	assert_string_equal(t.name, "x");
	r.body = (struct bytes){ 0 };
	assert_int_equal(http_body_read(a, &r, fields, 1, &t, &e).code, TROTH_INVALID);
	assert_string_equal(e.findings->path, "$.name");
	err_clear(&e);
	r.body = bytes_of_text("{\"name\":\"x\",\"nme\":1}");
	assert_int_equal(http_body_read(a, &r, fields, 1, &t, &e).code, TROTH_INVALID);
	assert_string_equal(e.findings->rule, "unknown-field");
}

static void forms(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	struct http_request r = { .body = bytes_of_text("grant_type=password&user=a%20b+c") };
	struct http_pairs pairs;
	assert_true(rc_ok(http_body_form(a, &r, &pairs, NULL)));
	assert_string_equal(http_pairs_get(&pairs, "user"), "a b c");
	assert_null(http_pairs_get(&pairs, "x"));
}

static void replies(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	http_reply_text(&reply, 200, "text/plain", "dropped by the next");
	struct json_writer w = http_reply_json(&reply, 201);
	jw_object(&w);
	jw_kv_int(&w, "n", 1);
	jw_object_end(&w);
	http_reply_etag(&reply, a, 7);
	assert_int_equal(reply.status, 201);
	assert_string_equal(buf_text(&reply.body), "{\"n\":1}");
	assert_string_equal(reply.headers[0].value, "\"7\"");
}

static void methods(void **state)
{
	enum http_method m;
	assert_true(http_method_parse("PATCH", 5, &m) && m == HTTP_PATCH);
	assert_false(http_method_parse("get", 3, &m));
	assert_false(http_method_parse("GETX", 4, &m));
	assert_string_equal(http_method_name(HTTP_DELETE), "DELETE");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lookups), cmocka_unit_test(query_values), cmocka_unit_test(pages),
					    cmocka_unit_test(bodies), cmocka_unit_test(forms), cmocka_unit_test(replies),
					    cmocka_unit_test(methods) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
