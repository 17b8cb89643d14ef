/* From the bytes of a request to a call on its route, and from the call's end to a reply. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "edge/internal.h"
#include "edge/uri.h"
#include "service/verb.h"

/* -- before the body ----------------------------------------------------------------------------- */
/* Large bodies share a budget: 20,000 connections of 1 MiB each must not be the server's memory.  They take from it as
 * they come, so that who only announces much, and stays silent, takes nothing from the others. */
troth_rc request_body_grew(struct edge_conn *c, struct troth_err *e)
{
	size_t want = c->body.len / LOOP_FREE_BODY * LOOP_FREE_BODY; /* the first piece is free */
	if (want <= c->reserved)
		return RC_OK;
	ENSURE(c->loop->body_bytes + (want - c->reserved) <= LOOP_BODY_BYTES, e, TROTH_UNAVAILABLE,
	       "too many large requests at once; try again");
	c->loop->body_bytes += want - c->reserved;
	c->reserved = want;
	return RC_OK;
}

troth_rc request_begin(struct edge_conn *c, struct troth_err *e)
{
	c->head_read = true;
	c->close_after = c->close_after || !c->head.keep_alive;
	ENSURE(c->head.content_length <= LIMIT_HTTP_BODY_BYTES, e, TROTH_TOO_LARGE,
	       "the body has %lld bytes; at most %d are accepted", (long long)c->head.content_length, LIMIT_HTTP_BODY_BYTES);
	c->body = buf_make_secret(LIMIT_HTTP_BODY_BYTES); /* an uploaded key may be in it */
	return RC_OK;
}

/* -- header fields that every route understands ----------------------------------------------------- */
static bool plain_text(const char *s, size_t max)
{
	size_t n = strlen(s);
	for (const char *p = s; *p; p++)
		if (!isgraph((unsigned char)*p))
			return false;
	return n > 0 && n <= max;
}

static const char *request_id(struct edge_conn *c, struct arena *a, const struct http_request *r)
{
	const char *given = http_header(r, "X-Request-Id");
	if (given && plain_text(given, 64))
		return given;
	uint8_t raw[8];
	const struct port_random *random = c->loop->server->config.random;
	random->fill(random->self, raw, sizeof raw);
	return hex_encode(raw, sizeof raw, arena_alloc(a, 2 * sizeof raw + 1));
}

static troth_rc read_basic(struct arena *a, const char *text, struct http_request *r, struct troth_err *e)
{
	struct bytes raw;
	TRY(base64_decode(a, text, strlen(text), &raw, e));
	char *pair = arena_text_n(a, (const char *)raw.data, raw.len), *colon = strchr(pair, ':');
	ENSURE(colon && strlen(pair) == raw.len, e, TROTH_INVALID, "Authorization: Basic must hold base64 of user:password");
	*colon = 0;
	r->basic_user = pair;
	r->basic_password = colon + 1;
	return RC_OK;
}

static troth_rc read_authorization(struct arena *a, struct http_request *r, struct troth_err *e)
{
	const char *v = http_header(r, "Authorization");
	if (!v)
		return RC_OK;
	if (strncasecmp(v, "Bearer ", 7) == 0)
		r->bearer = v + 7 + strspn(v + 7, " ");
	else if (strncasecmp(v, "Basic ", 6) == 0)
		return read_basic(a, v + 6 + strspn(v + 6, " "), r, e);
	return RC_OK; /* other schemes are a facade's own */
}

/* Seconds ("30") or a duration ("30s"). */
static troth_rc read_wait(struct http_request *r, msec_t most, struct troth_err *e)
{
	const char *v = http_query(r, "wait");
	if (!v)
		return RC_OK;
	msec_t wait = 0;
	bool digits = *v && strspn(v, "0123456789") == strlen(v) && strlen(v) < 10;
	if (digits)
		wait = (msec_t)strtoll(v, NULL, 10) * MSEC_S;
	else
		TRY(duration_parse(v, &wait, e));
	r->wait = wait < most ? wait : most;
	return RC_OK;
}

static const char *read_if_match(struct arena *a, const struct http_request *r)
{
	const char *v = http_header(r, "If-Match");
	if (!v || strcmp(v, "*") == 0)
		return NULL;
	v += strncmp(v, "W/", 2) == 0 ? 2 : 0;
	size_t n = strlen(v);
	return n >= 2 && v[0] == '"' && v[n - 1] == '"' ? arena_text_n(a, v + 1, n - 2) : v;
}

static troth_rc read_options(struct edge_conn *c, struct arena *a, struct http_request *r, struct troth_err *e)
{
	TRY(read_authorization(a, r, e));
	TRY(read_wait(r, c->loop->server->config.hold_time, e));
	TRY(http_query_bool(r, "dry_run", false, &r->dry_run, e));
	r->if_match = read_if_match(a, r);
	r->idempotency_key = http_header(r, "Idempotency-Key");
	ENSURE(!r->idempotency_key || plain_text(r->idempotency_key, 200), e, TROTH_INVALID,
	       "Idempotency-Key must be 1 to 200 visible characters");
	return RC_OK;
}

/* -- routing ------------------------------------------------------------------------------------------ */
static bool is_json(const char *type)
{
	size_t n = type ? strcspn(type, "; \t") : 0;
	const char *json = "application/json", *suffix = "+json";
	if (n == strlen(json) && strncasecmp(type, json, n) == 0)
		return true;
	return n > strlen(suffix) && strncasecmp(type + n - strlen(suffix), suffix, strlen(suffix)) == 0;
}

static troth_rc check_type(const struct edge_call *call, struct troth_err *e)
{
	const struct http_request *r = &call->request;
	if (r->body.len == 0 || (call->route->flags & ROUTE_ANY_BODY) || !route_has_body(call->route) || is_json(http_header(r, "Content-Type")))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "the body is not marked as JSON");
	err_hint(e, "send Content-Type: application/json");
	err_clause(e, "type:unsupported-media-type");
	return rc;
}

static troth_rc no_route(const struct http_request *r, const struct router_match *m, struct troth_err *e)
{
	if (m->verdict == ROUTER_NO_PATH) {
		troth_rc rc = err_set(e, TROTH_NOT_FOUND, "no such path: %s", r->path);
		err_hint(e, "the paths of the native API are listed in docs/api/native.md");
		return rc;
	}
	troth_rc rc = err_set(e, TROTH_INVALID, "%s is not a method of %s", http_method_name(r->method), r->path);
	err_hint(e, "allowed: %s", m->allow);
	err_clause(e, "type:method-not-allowed");
	return rc;
}

static troth_rc route_call(struct edge_conn *c, struct edge_call *call, const struct router_match *m, struct troth_err *e)
{
	if (m->verdict != ROUTER_FOUND)
		return no_route(&call->request, m, e);
	call->route = m->route;
	call->facade = m->facade;
	call->request.params = m->params;
	TRY(check_type(call, e));
	TRY(read_options(c, call->a, &call->request, e));
	TRY(route_check(call->a, m->route, &call->request, e));
	const struct verb *verb = m->route->verb;
	call->cmd = verb ? arena_alloc(call->a, verb->cmd_size) : NULL;
	call->ret = verb ? arena_alloc(call->a, verb->ret_size) : NULL;
	return RC_OK;
}

static struct edge_call *call_new(struct edge_conn *c)
{
	struct edge_call *call = ARENA_NEW(c->a, struct edge_call);
	call->a = c->a;
	call->conn = c;
	call->loop = c->loop->index;
	call->started = loop_mono(c->loop);
	call->request = (struct http_request){
		.method = c->head.method, .path = "", .headers = c->head.headers, .peer = arena_text(c->a, c->peer), .plain = c->plain,
		.peer_cert = arena_bytes(c->a, c->peer_cert), .now = port_now(c->loop->server->config.clock),
		.body = bytes_of(arena_text_n(c->a, (const char *)c->body.data, c->body.len), c->body.len),
	};
	call->request.id = request_id(c, c->a, &call->request);
	c->call = call;
	c->a = NULL;
	return call;
}

static void options_reply(struct edge_call *call, const char *allow)
{
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	reply.status = 204;
	http_reply_header(&reply, call->a, "Allow", "%s", allow);
	edge_send(call, &reply);
}

static void fail(struct edge_call *call, const struct route *route, const struct troth_err *e, const char *allow);

/* Whose API a target is of, also one that cannot be read. */
static const struct route *nearest_of(struct edge_conn *c, struct arena *a)
{
	const char *target = c->head.target;
	return router_find(c->loop->server->router, a, c->head.method, uri_path_nearly(a, target, strlen(target))).nearest;
}

void request_refusal(struct edge_conn *c, const struct troth_err *e, struct http_reply *reply)
{
	const struct route *route = c->a && c->head_read ? nearest_of(c, c->a) : NULL;
	const struct http_request r = { .method = c->head.method, .path = "", .headers = c->head.headers };
	if (route && route->problem)
		route->problem(c->a, &r, e, reply);
	else
		http_reply_problem(reply, NULL, e);
	reply->status = http_err_status(e);
}

void request_dispatch(struct edge_conn *c)
{
	struct edge_server *s = c->loop->server;
	struct edge_call *call = call_new(c);
	struct http_request *r = &call->request;
	struct troth_err e = { 0 };
	struct router_match m = { .verdict = ROUTER_NO_PATH };
	troth_rc rc = uri_parse(call->a, c->head.target, strlen(c->head.target), &r->path, &r->query, &e);
	if (rc_ok(rc))
		m = router_find(s->router, call->a, r->method, r->path);
	else /* nothing is called: only its shape of a refusal is asked for */
		m.nearest = nearest_of(c, call->a);
	if (rc_ok(rc) && r->method == HTTP_OPTIONS && m.verdict == ROUTER_NO_METHOD) {
		options_reply(call, m.allow);
		return;
	}
	if (rc_ok(rc))
		rc = route_call(c, call, &m, &e);
	if (rc_failed(rc))
		fail(call, m.nearest, &e, m.verdict == ROUTER_NO_METHOD ? m.allow : NULL);
	else
		s->config.handler.handle(s->config.handler.self, call);
}

/* -- the end of a call ----------------------------------------------------------------------------------- */
troth_rc edge_call_parse(struct edge_call *call, struct troth_err *e)
{
	return call->route->parse ? call->route->parse(call->a, &call->request, call->cmd, e) : RC_OK;
}

void edge_send(struct edge_call *call, struct http_reply *reply)
{
	if (!buf_ok(&reply->body)) {
		struct troth_err e = { 0 };
		if (rc_failed(err_set(&e, TROTH_INTERNAL, "the reply is larger than %d bytes", HTTP_REPLY_BYTES)))
			http_reply_problem(reply, &call->request, &e);
	}
	edge_conn_answer(call->conn, &call->request, reply);
}

void edge_render(struct edge_call *call, struct http_reply *reply)
{
	if (call->route->render)
		call->route->render(call->a, &call->request, call->cmd, call->ret, reply);
	else
		reply->status = 204;
}

void edge_reply(struct edge_call *call)
{
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	reply.body.secret = call->route->flags & ROUTE_SECRET;
	edge_render(call, &reply);
	edge_send(call, &reply);
}

/* What a status asks for besides its body. */
static void status_headers(struct edge_call *call, struct http_reply *reply, const char *allow)
{
	if (reply->status == 401)
		http_reply_header(reply, call->a, "WWW-Authenticate", "Bearer realm=\"troth\""); /* RFC 9110 11.6.1 */
	if (reply->status == 429 || reply->status == 503)
		http_reply_header(reply, call->a, "Retry-After", "1");
	if (allow)
		http_reply_header(reply, call->a, "Allow", "%s", allow);
}

/* In the shape of the route's API; also when only its path was found. */
static void fail(struct edge_call *call, const struct route *route, const struct troth_err *e, const char *allow)
{
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	if (route && route->problem)
		route->problem(call->a, &call->request, e, &reply);
	else
		http_reply_problem(&reply, &call->request, e);
	status_headers(call, &reply, allow);
	edge_send(call, &reply);
}

void edge_fail(struct edge_call *call, const struct troth_err *e) { fail(call, call->route, e, NULL); }
