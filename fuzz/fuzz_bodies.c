/* Bodies of all APIs: the first byte names the route, the rest is what a client sent.  A body that is refused must
 * become an error, in its API's shape, that is JSON. */
#include "base/limits.h"
#include "facade/facade.h"
#include "service/verb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct route *route_at(size_t n)
{
	struct route_table tables[FACADE_TABLES_MAX];
	size_t total = 0, count = facade_tables(tables);
	for (size_t t = 0; t < count; t++)
		total += tables[t].count;
	n %= total;
	for (size_t t = 0; t < count; t++) {
		if (n < tables[t].count)
			return &tables[t].rows[n];
		n -= tables[t].count;
	}
	return NULL;
}

static void render_problem(struct arena *a, const struct route *route, const struct http_request *r, const struct troth_err *e)
{
	struct http_reply reply = http_reply_make();
	const struct json *j;
	if (route->problem)
		route->problem(a, r, e, &reply);
	else
		http_reply_problem(&reply, r, e);
	if (reply.body.len && buf_ok(&reply.body))
		CHECK(rc_ok(json_parse(a, buf_bytes(&reply.body), &j, NULL)));
	http_reply_release(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	const struct route *route = route_at(data[0]);
	struct http_pair params[] = { { "id", "x" }, { "member", "1" }, { "slot", "x" }, { "store", "y" } };
	const char *body = arena_text_n(a, (const char *)data + 1, size - 1);
	struct http_request r = { .method = route->method, .path = route->pattern, .params = { params, ARRAY_LEN(params) },
				  .body = bytes_of(body, size - 1) };
	struct troth_err e = { 0 };
	void *cmd = route->verb ? arena_alloc(a, route->verb->cmd_size) : NULL;
	if (route->parse && rc_failed(route->parse(a, &r, cmd, &e))) {
		CHECK(e.kind != TROTH_OK && e.primary[0]);
		render_problem(a, route, &r, &e);
	}
	arena_free(a);
	return 0;
}
