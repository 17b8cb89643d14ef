/* A request through the whole API.  See call.h. */
#include "call.h"

#include <stdlib.h>
#include <string.h>

#include "edge/router.h"
#include "facade/facade.h"
#include "schema.h"

struct call *call_new(void)
{
	struct call *c = calloc(1, sizeof *c);
	struct init_ret ret;
	assert_non_null(c);
	c->room = room_new_empty();
	struct room *r = c->room;
	struct init_cmd cmd = { room_csr(r, KEY_EC_P256), room_texts(r, "dns:localhost", NULL) };
	assert_true(rc_ok(init_run(r->svc, r->a, &r->port, r->now, &r->line, &cmd, &ret, &r->e)));
	c->bearer = ret.admin_token;
	return c;
}

void call_free(struct call *c)
{
	room_free(c->room);
	free(c);
}

static struct http_pairs query_of(struct arena *a, char *query)
{
	struct http_pair *items = ARENA_ARRAY(a, struct http_pair, 16);
	size_t n = 0;
	while (query && *query) {
		char *end = strchrnul(query, '&'), *next = *end ? end + 1 : end;
		*end = 0;
		char *eq = strchrnul(query, '=');
		items[n].name = arena_text_n(a, query, (size_t)(eq - query));
		items[n++].value = *eq ? arena_text(a, eq + 1) : "";
		query = next;
	}
	return (struct http_pairs){ items, n };
}

static troth_rc who_is(struct call *c, const struct http_request *q, const struct router_match *m, struct principal *ret, struct troth_err *e)
{
	struct room *r = c->room;
	struct principal_ret found;
	struct principal_resolve_cmd cmd = { q->bearer, q->peer_cert, m->facade };
	troth_rc rc = room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_PRINCIPAL_RESOLVE, &cmd, &found);
	if (rc_failed(rc) && !(m->route->flags & ROUTE_NO_AUTH))
		return rc;
	*ret = rc_ok(rc) ? found.principal : PRINCIPAL_ANONYMOUS;
	err_clear(&r->e);
	return RC_OK;
}

static troth_rc run(struct call *c, const struct http_request *q, const struct router_match *m, struct http_reply *reply)
{
	const struct route *route = m->route;
	struct room *r = c->room;
	struct principal who;
	const struct verb *verb = route->verb;
	void *cmd = arena_alloc(r->a, verb->cmd_size), *ret = arena_alloc(r->a, verb->ret_size);
	err_clear(&r->e);
	TRY(route_check(r->a, route, q, &r->e));
	TRY(who_is(c, q, m, &who, &r->e));
	TRY(verb_allowed(verb, &who, &r->e));
	if (route->parse)
		TRY(route->parse(r->a, q, cmd, &r->e));
	r->dry_run = q->dry_run;
	r->if_match = q->if_match;
	r->wait = q->wait;
	TRY(room_try(r, &who, verb, cmd, ret));
	c->held = r->ctx.hold.wanted;
	reply->status = route->render ? 200 : 204;
	if (route->render)
		route->render(r->a, q, cmd, ret, reply);
	return RC_OK;
}

static const struct router *router_of(struct room *r)
{
	const struct router *router;
	struct route_table tables[FACADE_TABLES_MAX];
	assert_true(rc_ok(router_new(r->a, tables, facade_tables(tables), &router, &r->e)));
	return router;
}

static void keep(struct call *c, struct http_reply *reply)
{
	struct room *r = c->room;
	struct http_pair *headers = ARENA_ARRAY(r->a, struct http_pair, reply->header_count + 1);
	memcpy(headers, reply->headers, reply->header_count * sizeof *headers);
	c->headers = (struct http_pairs){ headers, reply->header_count };
	c->status = reply->status ? reply->status : 200;
	c->text = arena_text(r->a, buf_text(&reply->body));
	c->json = NULL;
	struct troth_err e = { 0 };
	bool json = !reply->content_type || strstr(reply->content_type, "json");
	if (reply->body.len && json && rc_failed(json_parse(r->a, bytes_of_text(c->text), &c->json, &e)))
		fail_msg("the answer is no JSON: %s\n%s", e.primary, c->text);
}

/* Each answer of each test, and each body that was taken, is as its route describes it. */
static void hold(struct call *c, const struct route *route, const char *body, const struct http_reply *reply)
{
	const struct json *said = NULL;
	struct troth_err e = { 0 };
	if (!route->gives)
		return; /* of another API, which describes itself elsewhere */
	if (body && rc_failed(json_parse(c->room->a, bytes_of_text(body), &said, &e)))
		said = NULL;
	schema_hold(c->room->a, route, said, c->status, reply->content_type, c->json);
}

static void say_problem(struct call *c, const struct route *route, const struct http_request *q, struct http_reply *reply)
{
	if (route->problem)
		route->problem(c->room->a, q, &c->room->e, reply);
	else
		http_reply_problem(reply, q, &c->room->e);
}

int call(struct call *c, enum http_method method, const char *path, const char *body)
{
	struct room *r = c->room;
	char *split = arena_text(r->a, path), *mark = strchr(split, '?');
	if (mark)
		*mark++ = 0;
	struct router_match m = router_find(router_of(r), r->a, method, split);
	if (m.verdict != ROUTER_FOUND)
		fail_msg("no route for %s", path);
	struct http_request q = { .method = method, .path = split, .params = m.params, .query = query_of(r->a, mark),
				  .headers = c->request_headers, .basic_user = c->basic_user, .basic_password = c->basic_password,
				  .body = bytes_of_text(body ? body : ""), .bearer = c->bearer, .peer_cert = c->peer_cert,
				  .now = r->now, .dry_run = c->dry_run, .if_match = c->if_match, .wait = c->wait, .idempotency_key = c->idempotency_key };
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	c->held = false;
	if (rc_failed(run(c, &q, &m, &reply)))
		say_problem(c, m.route, &q, &reply);
	keep(c, &reply);
	hold(c, m.route, body, &reply);
	return c->status;
}

void call_expect(struct call *c, int status, enum http_method method, const char *path, const char *body)
{
	if (call(c, method, path, body) != status)
		fail_msg("%s answered %d, not %d: %s", path, c->status, status, c->text);
}

/* -- looking ---------------------------------------------------------------------------------------- */
static const struct json *find(struct call *c, const char *where)
{
	const struct json *j = c->json;
	while (j && *where) {
		size_t len = strcspn(where, ".");
		char *word = arena_text_n(c->room->a, where, len);
		if (j->type == JSON_ARRAY) {
			size_t i = (size_t)strtoul(word, NULL, 10);
			j = i < j->list.count ? &j->list.items[i] : NULL;
		} else {
			j = json_get(j, word);
		}
		where += len + (where[len] == '.');
	}
	return j;
}

const char *call_at(struct call *c, const char *where)
{
	const struct json *j = find(c, where);
	if (!j || j->type == JSON_NULL)
		return NULL;
	if (j->type == JSON_BOOL)
		return j->b ? "true" : "false";
	if (j->type == JSON_INT)
		return arena_printf(c->room->a, "%lld", (long long)j->i);
	return j->type == JSON_STRING ? j->str.s : "?";
}

void call_is(struct call *c, const char *where, const char *value)
{
	const char *got = call_at(c, where);
	if (!text_equal(got, value))
		fail_msg("%s is %s, not %s in %s", where, got ? got : "absent", value ? value : "absent", c->text);
}

void call_has(struct call *c, const char *where, const char *part)
{
	const char *got = call_at(c, where);
	if (!got || !strstr(got, part))
		fail_msg("%s is %s, without %s in %s", where, got ? got : "absent", part, c->text);
}

size_t call_count(struct call *c, const char *where)
{
	const struct json *j = find(c, where);
	if (!j || j->type != JSON_ARRAY)
		fail_msg("%s is no list in %s", where, c->text);
	return j->list.count;
}

const char *call_header(struct call *c, const char *name)
{
	for (size_t i = 0; i < c->headers.count; i++)
		if (text_equal(c->headers.items[i].name, name))
			return c->headers.items[i].value;
	return NULL;
}

void call_finding(struct call *c, const char *path)
{
	for (size_t i = 0; i < call_count(c, "findings"); i++)
		if (text_equal(call_at(c, arena_printf(c->room->a, "findings.%zu.path", i)), path))
			return;
	fail_msg("no finding at %s in %s", path, c->text);
}

const char *call_quote(struct call *c, const char *text)
{
	CLEANUP(buf_release) struct buf out = buf_make(1 << 20);
	struct json_writer w = json_writer_make(&out);
	jw_text(&w, text);
	return arena_text(c->room->a, buf_text(&out));
}
