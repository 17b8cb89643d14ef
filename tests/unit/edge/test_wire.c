/* Heads and chunks: what is understood, and what is refused because two parties could read it in two ways. */
#include "edge/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

#include "base/limits.h"

static struct arena *a;
static struct troth_err e;

static troth_rc parse(const char *text, struct wire_head *h)
{
	err_clear(&e);
	return wire_request_parse(a, (const uint8_t *)text, strlen(text), h, &e);
}

static void assert_refused(const char *text, const char *clause)
{
	struct wire_head h;
	assert_int_not_equal(parse(text, &h).code, 0);
	assert_string_equal(e.clause, clause);
	assert_true(e.primary[0]);
}

static void plain_request(void **state)
{
	struct wire_head h;
	assert_true(rc_ok(parse("\r\nPOST /v1/x?y=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nX: \t spaced \r\n\r\n", &h)));
	assert_int_equal(h.method, HTTP_POST);
	assert_string_equal(h.target, "/v1/x?y=1");
	assert_int_equal(h.content_length, 12);
	assert_true(h.keep_alive && !h.chunked);
	assert_string_equal(h.headers.items[2].value, "spaced");
}

static void framing(void **state)
{
	struct wire_head h;
	assert_true(rc_ok(parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", &h)) && !h.keep_alive);
	assert_true(rc_ok(parse("GET / HTTP/1.0\r\nHost: a\r\n\r\n", &h)) && !h.keep_alive);
	assert_true(rc_ok(parse("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", &h)) && h.keep_alive);
	assert_true(rc_ok(parse("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", &h)) && h.chunked);
	assert_true(rc_ok(parse("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", &h)) && h.expect_continue);
}

static void no_host(void **state) { assert_refused("GET / HTTP/1.1\r\n\r\n", ""); }
static void two_hosts(void **state) { assert_refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", ""); }

static void two_content_lengths(void **state)
{
	assert_refused("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "");
	assert_non_null(strstr(e.primary, "more than one Content-Length"));
}

static void content_length_and_transfer_encoding(void **state)
{
	assert_refused("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "");
}

static void malformed(void **state)
{
	static const char *const bad[] = {
		"GET /\r\nHost: a\r\n\r\n", "GET / HTTP/1.1 x\r\nHost: a\r\n\r\n", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
		"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\x01\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1,1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"GET / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nAuthorization: y\r\n\r\n", "GET / HTTPS/1\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(bad[i], "");
}

static void statuses(void **state)
{
	assert_refused("BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "type:not-implemented");
	assert_refused("PRI * HTTP/2.0\r\n\r\n", "type:version-not-supported");
	assert_refused("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "type:not-implemented");
	assert_refused("GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", "type:expectation-failed");
}

static void too_many_headers(void **state)
{
	char text[8192] = "GET / HTTP/1.1\r\nHost: a\r\n";
	for (int i = 0; i < WIRE_HEADERS; i++)
		strncat(text, "a: b\r\n", sizeof text - strlen(text) - 1);
	strncat(text, "\r\n", sizeof text - strlen(text) - 1);
	assert_refused(text, "type:header-too-large");
}

static void head_end_at_any_cut(void **state)
{
	const char *text = "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
	size_t whole = strlen(text) - 4, scanned = 0;
	for (size_t n = 0; n < whole; n++)
		assert_int_equal(wire_head_end((const uint8_t *)text, n, &scanned), 0);
	assert_int_equal(wire_head_end((const uint8_t *)text, strlen(text), &scanned), whole);
	scanned = 0;
	assert_int_equal(wire_head_end((const uint8_t *)"GET / HTTP/1.1\n\nx", 17, &scanned), 16);
}

static void endless_heads(void **state)
{
	static uint8_t text[LIMIT_HTTP_HEADER_BYTES + 1];
	memset(text, 'a', sizeof text);
	assert_true(rc_ok(wire_head_check(text, 1000, &e)));
	assert_true(rc_failed(wire_head_check(text, LIMIT_URL_BYTES + 100, &e)));
	assert_string_equal(e.clause, "type:url-too-long");
	text[20] = '\n';
	assert_true(rc_ok(wire_head_check(text, LIMIT_HTTP_HEADER_BYTES, &e)));
	assert_true(rc_failed(wire_head_check(text, sizeof text, &e)));
	assert_string_equal(e.clause, "type:header-too-large");
}

static troth_rc feed(const char *text, size_t step, struct buf *out, size_t *used)
{
	struct wire_chunks c = { 0 };
	size_t len = strlen(text);
	*used = 0;
	while (*used < len && !c.done) {
		size_t n = 0, give = len - *used < step ? len - *used : step;
		TRY(wire_chunks_feed(&c, (const uint8_t *)text + *used, give, &n, out, &e));
		*used += n;
	}
	return c.done ? RC_OK : (troth_rc){ TROTH_BUSY };
}

static void chunks_at_any_cut(void **state)
{
	const char *text = "4;x=y\r\nWiki\r\nA \r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nNEXT";
	for (size_t step = 1; step < strlen(text); step++) {
		CLEANUP(buf_release) struct buf out = buf_make(100);
		size_t used;
		assert_true(rc_ok(feed(text, step, &out, &used)));
		assert_string_equal(buf_text(&out), "Wiki0123456789");
		assert_int_equal(used, strlen(text) - 4);
	}
}

static void broken_chunks(void **state)
{
	static const char *const bad[] = { "x\r\n", "\r\n", "4\nWiki", "4\r\nWikiX", "4\r\nWiki\rX", "123456789\r\n", "-1\r\n", "0\r\na\n" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_release) struct buf out = buf_make(100);
		size_t used;
		assert_int_equal(feed(bad[i], 3, &out, &used).code, TROTH_INVALID);
	}
	CLEANUP(buf_release) struct buf out = buf_make(3);
	size_t used;
	assert_int_equal(feed("4\r\nWiki\r\n", 100, &out, &used).code, TROTH_TOO_LARGE);
}

static void responses(void **state)
{
	struct wire_head h;
	const char *text = "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n";
	assert_true(rc_ok(wire_response_parse(a, (const uint8_t *)text, strlen(text), &h, &e)));
	assert_int_equal(h.status, 204);
	assert_int_equal(h.content_length, -1);
	static const char *const bad[] = { "HTTP/1.1 20\r\n\r\n", "HTTP/1.1 2x4 \r\n\r\n", "HTTP/1.1 999 x\r\n\r\n", "FTP/1.1 200 x\r\n\r\n",
					   "\r\n\r\n" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(rc_failed(wire_response_parse(a, (const uint8_t *)bad[i], strlen(bad[i]), &h, &e)));
}

static void reply_heads(void **state)
{
	CLEANUP(buf_release) struct buf out = buf_make(4096);
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	http_reply_header(&reply, a, "Allow", "GET");
	wire_reply_head(&out, &reply, "r1", 5, true, 0);
	const char *text = buf_text(&out);
	assert_true(strncmp(text, "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 5\r\n", 60) == 0);
	assert_non_null(strstr(text, "\r\nAllow: GET\r\n"));
	assert_non_null(strstr(text, "\r\nConnection: close\r\n"));
	assert_string_equal(text + strlen(text) - 4, "\r\n\r\n");
}

static int setup(void **state) { a = arena_new(16 << 20); return 0; }
static int teardown(void **state) { arena_freep(&a); return 0; }

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_request), cmocka_unit_test(framing), cmocka_unit_test(no_host), cmocka_unit_test(two_hosts),
		cmocka_unit_test(two_content_lengths), cmocka_unit_test(content_length_and_transfer_encoding),
		cmocka_unit_test(malformed), cmocka_unit_test(statuses), cmocka_unit_test(too_many_headers),
		cmocka_unit_test(head_end_at_any_cut), cmocka_unit_test(endless_heads), cmocka_unit_test(chunks_at_any_cut),
		cmocka_unit_test(broken_chunks), cmocka_unit_test(responses), cmocka_unit_test(reply_heads),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
