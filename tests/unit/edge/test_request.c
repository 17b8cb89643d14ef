/* From bytes to a call: what each route gets, and what no route ever sees. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "fixture.h"
#include "base/limits.h"

static struct world *w;

static const char *ask(const char *request)
{
	struct raw r = raw_connect(w, false);
	raw_send(&r, request);
	const char *reply = raw_reply(w, &r);
	raw_close(&r);
	return reply;
}

static void assert_problem(const char *request, int status, const char *code)
{
	const char *reply = ask(request);
	assert_int_equal(status_of(reply), status);
	assert_non_null(strstr(reply, "Content-Type: application/problem+json"));
	assert_non_null(strstr(reply, arena_printf(w->a, "\"code\":\"%s\"", code)));
}

static void options_of_a_request(void **state)
{
	const char *reply = ask("POST /echo?wait=3s&dry_run=true HTTP/1.1\r\nHost: a\r\nContent-Type: application/json; charset=utf-8\r\n"
				"Authorization: Bearer abc\r\nIf-Match: \"7\"\r\nIdempotency-Key: k-1\r\nX-Request-Id: me\r\n"
				"Content-Length: 12\r\n\r\n{\"name\":\"x\"}");
	assert_int_equal(status_of(reply), 200);
	assert_non_null(strstr(reply, "\"name\":\"x\""));
	assert_non_null(strstr(reply, "\"bearer\":\"abc\""));
	assert_non_null(strstr(reply, "\"if_match\":\"7\""));
	assert_non_null(strstr(reply, "\"key\":\"k-1\""));
	assert_non_null(strstr(reply, "\"wait\":3000"));
	assert_non_null(strstr(reply, "\"dry_run\":true"));
	assert_non_null(strstr(reply, "X-Request-Id: me\r\n"));
	assert_non_null(strstr(ask("GET /echo?wait=7 HTTP/1.1\r\nHost: a\r\nAuthorization: Basic dTpw\r\n\r\n"), "\"user\":\"u\""));
}

static void unknown_path(void **state) { assert_problem("GET /nope HTTP/1.1\r\nHost: a\r\n\r\n", 404, "not-found"); }

static void wrong_method(void **state)
{
	assert_problem("DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method-not-allowed");
	assert_non_null(strstr(ask("DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n"), "Allow: GET, HEAD, POST, OPTIONS\r\n"));
}

static void unknown_method(void **state) { assert_problem("BREW /echo HTTP/1.1\r\nHost: a\r\n\r\n", 501, "not-implemented"); }
static void missing_host(void **state) { assert_problem("GET /echo HTTP/1.1\r\n\r\n", 400, "invalid"); }

static void two_content_lengths(void **state)
{
	assert_problem("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, "invalid");
}

static void length_and_chunks(void **state)
{
	assert_problem("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", 400, "invalid");
}

static void large_body(void **state)
{
	assert_problem("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n", 413, "too-large");
}

/* Who speaks another API understands no problem+json: its shape, and the transport's own status. */
static void large_body_of_another_api(void **state)
{
	const char *reply = ask("GET /foreign/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741824\r\n\r\n");
	assert_int_equal(status_of(reply), 413);
	assert_non_null(strstr(reply, "\r\n\r\nforeign: the body has 1073741824 bytes"));
	reply = ask("GET /foreign/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
	assert_int_equal(status_of(reply), 400);
	assert_non_null(strstr(reply, "\r\n\r\nforeign: "));
}

static void large_url(void **state)
{
	char *path = arena_alloc(w->a, LIMIT_URL_BYTES + 200);
	memset(path, 'a', LIMIT_URL_BYTES + 100);
	assert_problem(arena_printf(w->a, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", path), 414, "url-too-long");
}

static void large_header(void **state)
{
	char *value = arena_alloc(w->a, LIMIT_HTTP_HEADER_BYTES + 1);
	memset(value, 'a', LIMIT_HTTP_HEADER_BYTES);
	assert_problem(arena_printf(w->a, "GET /echo HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n", value), 431, "header-too-large");
}

/* A hundred and forty who announced a megabyte and fell silent took the loop's whole budget for large bodies. */
static void who_only_announces_much_takes_nothing_from_others(void **state)
{
	struct world *other = world_new();
	struct raw silent[140];
	world_serve(other, (struct edge_config){ .loops = 1, .request_time = 20 * MSEC_S });
	for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
		silent[i] = raw_connect(other, false);
		raw_send(&silent[i], i % 2 ? "POST /any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
					   : "POST /any HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\na");
	}
	struct raw r = raw_connect(other, false);
	char *body = arena_alloc(other->a, 100001);
	memset(body, ' ', 100000);
	raw_send(&r, "POST /any HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
	raw_send(&r, body);
	assert_int_equal(status_of(raw_reply(other, &r)), 200);
	raw_close(&r);
	for (size_t i = 0; i < ARRAY_LEN(silent); i++)
		raw_close(&silent[i]);
	world_free(other);
}

static void endless_chunks(void **state)
{
	struct raw r = raw_connect(w, false);
	char *chunk = arena_alloc(w->a, 8192 + 16);
	memset(chunk, 'a', 8192 + 8);
	memcpy(chunk, "2000\r\n", 6);
	memcpy(chunk + 6 + 8192, "\r\n", 3);
	raw_send(&r, "POST /any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < LIMIT_HTTP_BODY_BYTES / 8192; i++)
		raw_send(&r, chunk);
	raw_send(&r, "1\r\na\r\n");
	assert_int_equal(status_of(raw_reply(w, &r)), 413);
	raw_close(&r);
}

static void not_json(void **state)
{
	assert_problem("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 415, "unsupported-media-type");
	assert_problem("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415, "unsupported-media-type");
	assert_int_equal(status_of(ask("POST /any HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nxx")), 200);
	assert_problem("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{]", 400, "invalid");
}

static void bad_options(void **state)
{
	assert_problem("GET /echo?wait=soon HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid");
	assert_problem("GET /echo?dry_run=perhaps HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid");
	assert_problem("GET /echo HTTP/1.1\r\nHost: a\r\nAuthorization: Basic !!\r\n\r\n", 400, "invalid");
	assert_problem("GET /echo HTTP/1.1\r\nHost: a\r\nIdempotency-Key: a b\r\n\r\n", 400, "invalid");
	assert_problem("GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "invalid");
}

/* In the shape of the API whose path it is, as far as that can be read. */
static void what_cannot_be_read_is_refused_in_its_shape(void **state)
{
	static const char *const BROKEN[] = { "/foreign/%00", "/foreign/x?y=%zz", "/%66oreign/%0a" };
	for (size_t i = 0; i < ARRAY_LEN(BROKEN); i++) {
		const char *reply = ask(arena_printf(w->a, "PUT %s HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", BROKEN[i]));
		assert_int_equal(status_of(reply), 418);
		assert_non_null(strstr(reply, "foreign: the "));
	}
}

static void head_and_options(void **state)
{
	struct raw r = raw_connect(w, false);
	raw_send(&r, "HEAD /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	const char *head = raw_reply(w, &r); /* ends at the stream's end: there is a length, and no body */
	assert_int_equal(status_of(head), 200);
	assert_null(strstr(head, "{"));
	assert_non_null(strstr(head, "Content-Length: "));
	raw_close(&r);
	const char *options = ask("OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(status_of(options), 204);
	assert_non_null(strstr(options, "Allow: GET, HEAD, POST, OPTIONS\r\n"));
}

static void failures_say_when_to_come_again(void **state)
{
	const char *reply = ask("GET /fail HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(status_of(reply), 503);
	assert_non_null(strstr(reply, "Retry-After: 1\r\n"));
}

static void no_content(void **state)
{
	assert_int_equal(status_of(ask("PUT /only-put HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")), 204);
}

static int setup(void **state) { w = world_new(); world_serve(w, (struct edge_config){ 0 }); return 0; }
static int teardown(void **state) { world_free(w); return 0; }

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_of_a_request), cmocka_unit_test(unknown_path), cmocka_unit_test(wrong_method),
		cmocka_unit_test(unknown_method), cmocka_unit_test(missing_host), cmocka_unit_test(two_content_lengths),
		cmocka_unit_test(length_and_chunks), cmocka_unit_test(large_body), cmocka_unit_test(large_body_of_another_api), cmocka_unit_test(large_url),
		cmocka_unit_test(large_header), cmocka_unit_test(endless_chunks),
		cmocka_unit_test(who_only_announces_much_takes_nothing_from_others), cmocka_unit_test(not_json),
		cmocka_unit_test(bad_options), cmocka_unit_test(what_cannot_be_read_is_refused_in_its_shape), cmocka_unit_test(head_and_options),
		cmocka_unit_test(failures_say_when_to_come_again), cmocka_unit_test(no_content),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
