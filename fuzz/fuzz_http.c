/* What a stranger can send: a request's head, target, query, chunks and body, down to the command that a route of
 * any API makes of it; and what a broken server could answer to our client. */
#include <string.h>

#include "base/limits.h"
#include "edge/router.h"
#include "edge/uri.h"
#include "edge/wire.h"
#include "facade/facade.h"
#include "service/verb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct router *router_make(struct arena *a)
{
	struct route_table tables[FACADE_TABLES_MAX];
	const struct router *router;
	CHECK(rc_ok(router_new(a, tables, facade_tables(tables), &router, NULL)));
	return router;
}

/* In two pieces at a place that the input chooses: the result must not depend on it. */
static bool chunks(const uint8_t *p, size_t len, struct buf *out)
{
	struct wire_chunks c = { 0 };
	size_t cut = len ? p[0] % len : 0, used = 0, more = 0;
	if (rc_failed(wire_chunks_feed(&c, p, cut, &used, out, NULL)))
		return false;
	CHECK(used <= cut);
	if (rc_failed(wire_chunks_feed(&c, p + used, len - used, &more, out, NULL)))
		return false;
	CHECK(used + more <= len);
	return c.done;
}

static void query_words(const struct http_request *r)
{
	struct http_page page;
	bool b;
	if (rc_ok(http_query_page(r, &page, NULL)))
		CHECK(page.limit >= 1 && page.limit <= LIMIT_PAGE && page.after >= 0);
	(void)http_query_bool(r, "dry_run", false, &b, NULL).code;
}

static void route(struct arena *a, const struct router *router, struct http_request *r)
{
	struct troth_err e = { 0 };
	struct router_match m = router_find(router, a, r->method, r->path);
	CHECK((m.verdict == ROUTER_FOUND) == (m.route != NULL) && (m.verdict == ROUTER_NO_PATH || m.allow));
	query_words(r);
	if (!m.route || !m.route->parse)
		return;
	r->params = m.params;
	void *cmd = arena_alloc(a, m.route->verb ? m.route->verb->cmd_size : 1);
	if (rc_ok(m.route->parse(a, r, cmd, &e)))
		return;
	CHECK(e.kind != TROTH_OK && e.primary[0]);
	struct http_reply reply = http_reply_make();
	http_reply_problem(&reply, r, &e);
	struct troth_err back = { 0 };
	CHECK(http_problem_read(a, reply.status, buf_bytes(&reply.body), &back).code == (int)e.kind);
	http_reply_release(&reply);
}

static void request(struct arena *a, const uint8_t *data, size_t size)
{
	struct wire_head h;
	struct troth_err e = { 0 };
	size_t scanned = 0, end = wire_head_end(data, size, &scanned);
	(void)wire_head_check(data, size, &e).code;
	if (!end || rc_failed(wire_request_parse(a, data, end, &h, &e)))
		return;
	CHECK(!(h.chunked && h.content_length >= 0));
	struct buf body = buf_make(LIMIT_HTTP_BODY_BYTES);
	struct http_request r = { .method = h.method, .headers = h.headers, .id = "f", .now = 1 };
	struct http_pairs form;
	bool whole = !h.chunked || chunks(data + end, size - end, &body);
	if (!h.chunked)
		buf_add(&body, data + end, size - end);
	r.body = bytes_of(buf_text(&body), body.len);
	(void)http_body_form(a, &r, &form, NULL).code;
	if (whole && rc_ok(uri_parse(a, h.target, strlen(h.target), &r.path, &r.query, NULL)))
		route(a, router_make(a), &r);
	buf_release(&body);
}

static void answer(struct arena *a, const uint8_t *data, size_t size)
{
	struct wire_head h;
	size_t scanned = 0, end = wire_head_end(data, size, &scanned);
	if (!end || rc_failed(wire_response_parse(a, data, end, &h, NULL)))
		return;
	CHECK(h.status >= 100 && h.status <= 599);
	struct troth_err e = { 0 };
	CHECK(rc_failed(http_problem_read(a, h.status, bytes_of(data + end, size - end), &e)) && e.kind != TROTH_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	if (size > 5 && memcmp(data, "HTTP/", 5) == 0)
		answer(a, data, size);
	else
		request(a, data, size);
	arena_free(a);
	return 0;
}
