/* Request targets, forms and server addresses. */
#include "edge/uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

#include "base/limits.h"

static troth_rc parse(struct arena *a, const char *target, const char **path, struct http_pairs *query)
{
	return uri_parse(a, target, strlen(target), path, query, NULL);
}

static void good_targets(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	const char *path;
	struct http_pairs q;
	assert_true(rc_ok(parse(a, "/v1/x%20y?wait=5s&z&e=a%3Db+c&&", &path, &q)));
	assert_string_equal(path, "/v1/x y");
	assert_int_equal(q.count, 3);
	assert_string_equal(http_pairs_get(&q, "wait"), "5s");
	assert_string_equal(http_pairs_get(&q, "z"), "");
	assert_string_equal(http_pairs_get(&q, "e"), "a=b c");
	assert_true(rc_ok(parse(a, "https://troth.example:8443/v1/y", &path, &q)));
	assert_string_equal(path, "/v1/y");
	assert_true(rc_ok(parse(a, "/a+b", &path, &q)));
	assert_string_equal(path, "/a+b"); /* plus is a space in a query only */
}

static void bad_targets(void **state)
{
	static const char *const bad[] = { "", "v1", "*", "/%", "/%4", "/%zz", "/%00", "/a/../b", "/a/%2e%2e/b", "/.", "/%0a", "/x?%00",
					   "https://host-without-path" };
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	const char *path = NULL;
	struct http_pairs q;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(parse(a, bad[i], &path, &q).code, TROTH_INVALID);
	assert_null(path);
}

/* Whose path it would be: what is broken stands for itself. */
static void nearly(void **state)
{
	static const struct { const char *target, *path; } ALL[] = {
		{ "/api/v1/data/%00?x", "/api/v1/data/%00" }, { "/ap%69/%zz", "/api/%zz" }, { "/a?name=%00", "/a" }, { "/a/../%4", "/a/../%4" },
		{ "https://h/a%", "/a%" }, { "", "" }, { "https://h", "" },
	};
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(ALL); i++)
		assert_string_equal(uri_path_nearly(a, ALL[i].target, strlen(ALL[i].target)), ALL[i].path);
}

static void bounded(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	char text[LIMIT_URL_BYTES + 2];
	const char *path;
	struct http_pairs q;
	memset(text, 'a', sizeof text);
	text[0] = '/';
	text[sizeof text - 1] = 0;
	assert_int_equal(parse(a, text, &path, &q).code, TROTH_TOO_LARGE);
	text[LIMIT_URL_BYTES] = 0;
	assert_true(rc_ok(parse(a, text, &path, &q)));
	for (int i = 0; i <= URI_PAIRS; i++)
		memcpy(text + 2 * i, "a&", 2);
	assert_int_equal(uri_pairs_parse(a, text, 2 * (URI_PAIRS + 1), &q, NULL).code, TROTH_TOO_LARGE);
	assert_true(rc_ok(uri_pairs_parse(a, text, 2 * URI_PAIRS, &q, NULL)));
	assert_int_equal(q.count, URI_PAIRS);
}

static void escapes(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	assert_string_equal(uri_escape(a, "/prod/pg ca~1"), "%2Fprod%2Fpg%20ca~1");
}

static void servers(void **state)
{
	static const char *const bad[] = { "http://x", "https://", "https://x:0", "https://x:65536", "https://x:1a", "https://x/y",
					   "https://[::1", "https://[x]:1", "https://u@x", "https://x:" };
	struct uri_server s;
	assert_true(rc_ok(uri_server_parse("https://127.0.0.1:8443", &s, NULL)));
	assert_true(s.is_address && s.port == 8443);
	assert_true(rc_ok(uri_server_parse("https://[::1]:8443/", &s, NULL)));
	assert_string_equal(s.host, "::1");
	assert_true(s.is_address);
	assert_true(rc_ok(uri_server_parse("https://troth.example", &s, NULL)));
	assert_true(!s.is_address && s.port == 443);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(uri_server_parse(bad[i], &s, NULL).code, TROTH_INVALID);
	assert_true(rc_ok(uri_plain_server_parse("http://127.0.0.1:8080", &s, NULL)));
	assert_true(s.port == 8080 && s.is_address);
	assert_true(rc_ok(uri_plain_server_parse("http://[::1]", &s, NULL)));
	assert_int_equal(s.port, 80);
	assert_int_equal(uri_plain_server_parse("https://127.0.0.1", &s, NULL).code, TROTH_INVALID);
	assert_int_equal(uri_plain_server_parse("http://127.0.0.1:0", &s, NULL).code, TROTH_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(good_targets), cmocka_unit_test(bad_targets), cmocka_unit_test(nearly), cmocka_unit_test(bounded),
					    cmocka_unit_test(escapes), cmocka_unit_test(servers) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
