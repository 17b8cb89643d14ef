/* Talking to the server: one exchange, a list with all its pages, an object by its name. */
#include "app/cli_internal.h"
#include "base/limits.h"
#include "edge/uri.h"

enum {
	CALL_SLACK = 10,  /* seconds beside what the server may hold an answer */
	REPLY_BYTES = 64 << 20,
	RETRY_MS = 300,
	PATIENCE_S = 120, /* a server that does not answer so long is not coming back */
};

static void add_header(struct http_pair *headers, size_t *count, const char *name, const char *value)
{
	headers[(*count)++] = (struct http_pair){ name, value };
}

/* A create carries a key of its own, so that sending it again by hand makes one object, not two. */
static struct http_pairs headers_of(struct cli *c, enum http_method method)
{
	struct http_pair *headers = ARENA_ARRAY(c->a, struct http_pair, 2);
	size_t n = 0;
	add_header(headers, &n, "Accept", "application/json");
	if (method == HTTP_POST) {
		char uuid[UUID_LEN];
		port_uuid(c->port->random, uuid);
		add_header(headers, &n, "Idempotency-Key", arena_text(c->a, uuid));
	}
	return (struct http_pairs){ headers, n };
}

/* What nodes report (versions, errors, drift) is shown to an operator: no node shall write to that terminal.  Control
 * characters become ?, line ends and tabs stay; C1 is U+0080 to U+009F (ECMA-48 8.3.16: CSI). */
static const char *plain_text(struct arena *a, const char *s)
{
	char *copy = arena_text(a, s);
	for (unsigned char *p = (unsigned char *)copy; *p; p++) {
		if ((*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f)
			*p = '?';
		else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = '?';
	}
	return copy;
}

/* The same values with plain texts. */
static struct json plain_json(struct arena *a, const struct json *j)
{
	struct json out = *j;
	if (j->type == JSON_STRING)
		out.str.s = plain_text(a, j->str.s);
	if (j->type == JSON_ARRAY)
		out.list.items = ARENA_ARRAY(a, struct json, j->list.count);
	for (size_t i = 0; j->type == JSON_ARRAY && i < j->list.count; i++)
		out.list.items[i] = plain_json(a, &j->list.items[i]);
	if (j->type == JSON_OBJECT)
		out.map.values = ARENA_ARRAY(a, struct json, j->map.count);
	for (size_t i = 0; j->type == JSON_OBJECT && i < j->map.count; i++)
		out.map.values[i] = plain_json(a, &j->map.values[i]);
	return out;
}

static troth_rc parse_reply(struct cli *c, const struct http_answer *answer, const struct json **ret, struct troth_err *e)
{
	static const struct json nothing = { .type = JSON_OBJECT, .path = "$" };
	*ret = &nothing;
	if (answer->body.len == 0)
		return RC_OK;
	troth_rc rc = json_parse(c->a, answer->body, ret, e);
	if (rc_failed(rc))
		err_prefix(e, "the server's reply");
	if (rc_failed(rc) || c->format != CLI_AS_TABLE) /* JSON and YAML write such characters as escapes */
		return rc;
	struct json plain = plain_json(c->a, *ret);
	*ret = arena_copy(c->a, &plain, sizeof plain);
	return RC_OK;
}

/* What the one who typed can do about it, where nobody said so yet. */
static troth_rc with_hint(struct cli *c, troth_rc rc, struct troth_err *e)
{
	if (rc_ok(rc) || e->hint[0])
		return rc;
	if (e->kind == TROTH_UNAVAILABLE)
		err_hint(e, "is the server running at %s? troth server --dir D starts it", c->config.server);
	else if (e->kind == TROTH_UNAUTHENTICATED)
		err_hint(e, "say who you are: --dir D on the server, elsewhere --token-file FILE, or --cert and --key");
	return rc;
}

troth_rc cli_call(struct cli *c, enum http_method method, const char *target, const char *body, msec_t wait,
		  const struct json **ret, struct troth_err *e)
{
	struct http_answer answer = { 0 };
	TRY(cli_connect(c, e));
	struct http_outgoing out = { .method = method, .target = target, .body = bytes_of_text(body),
				     .headers = headers_of(c, method), .timeout = wait + CALL_SLACK * MSEC_S };
	c->config.max_reply_bytes = REPLY_BYTES;
	TRY(with_hint(c, c->port->call(c->port->self, c->a, &c->config, &out, &answer, e), e));
	TRY(with_hint(c, http_answer_check(c->a, &answer, e), e));
	return parse_reply(c, &answer, ret, e);
}

const char *cli_target(struct arena *a, const char *path, const struct http_pair *pairs, size_t count)
{
	const char *target = path;
	bool any = strchr(path, '?') != NULL;
	for (size_t i = 0; i < count; i++) {
		if (!pairs[i].value)
			continue;
		target = arena_printf(a, "%s%c%s=%s", target, any ? '&' : '?', pairs[i].name, uri_escape(a, pairs[i].value));
		any = true;
	}
	return target;
}

/* -- lists ------------------------------------------------------------------------------------------ */
struct gathered { struct json *items; size_t count, cap; };

static void gather(struct arena *a, struct gathered *g, const struct json *items)
{
	if (g->count + items->list.count > g->cap) {
		g->cap = 2 * (g->count + items->list.count);
		struct json *more = ARENA_ARRAY(a, struct json, g->cap);
		if (g->count)
			memcpy(more, g->items, g->count * sizeof *more);
		g->items = more;
	}
	if (items->list.count)
		memcpy(g->items + g->count, items->list.items, items->list.count * sizeof *g->items);
	g->count += items->list.count;
}

struct json cli_object(struct arena *a, const struct http_pair *members, size_t count)
{
	const char **keys = ARENA_ARRAY(a, const char *, count);
	struct json *values = ARENA_ARRAY(a, struct json, count);
	for (size_t i = 0; i < count; i++) {
		const char *text = members[i].value;
		keys[i] = members[i].name;
		values[i] = (struct json){ .type = text ? JSON_STRING : JSON_NULL, .path = keys[i] };
		if (text)
			values[i].str.s = text, values[i].str.len = strlen(text);
	}
	return (struct json){ .type = JSON_OBJECT, .path = "$", .map = { keys, values, count } };
}

const struct json *cli_list_made(struct arena *a, struct json *items, size_t count)
{
	static const char *keys[] = { "items", "next" };
	struct json *values = ARENA_ARRAY(a, struct json, 2), *j = ARENA_NEW(a, struct json);
	values[0] = (struct json){ .type = JSON_ARRAY, .path = "$.items", .list = { items, count } };
	values[1] = (struct json){ .type = JSON_NULL, .path = "$.next" };
	*j = (struct json){ .type = JSON_OBJECT, .path = "$", .map = { keys, values, 2 } };
	return j;
}

troth_rc cli_list(struct cli *c, const char *target, const struct json **ret, struct troth_err *e)
{
	struct gathered g = { 0 };
	const char *after = NULL;
	for (int page = 0; page < CLI_PAGES_MAX; page++) {
		const struct json *j, *items;
		const char *next = cli_target(c->a, target, &(struct http_pair){ "after", after }, 1);
		TRY(cli_call(c, HTTP_GET, next, NULL, 0, &j, e));
		items = json_get(j, "items");
		ENSURE(items && items->type == JSON_ARRAY, e, TROTH_INTERNAL, "the server's reply to %s is not a list", target);
		gather(c->a, &g, items);
		after = json_get_text(j, "next", NULL);
		if (!after) {
			*ret = cli_list_made(c->a, g.items, g.count);
			return RC_OK;
		}
	}
	return err_set(e, TROTH_TOO_LARGE, "the list has more than %d pages", CLI_PAGES_MAX);
}

static troth_rc say_none(const char *what, const char *name, const char *known_by, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "there is no %s \"%.200s\"", what, name);
	err_object(e, "%s", name);
	err_hint(e, "troth %s list shows the %s", what, known_by);
	return rc;
}

troth_rc cli_find(struct cli *c, const char *path, const char *what, const char *name, const char **ret_id,
		  struct troth_err *e)
{
	const struct json *list;
	const char *id = NULL;
	if (uuid_valid(name)) {
		*ret_id = name;
		return RC_OK;
	}
	if (text_equal(path, "/v1/tokens")) /* has an id only */
		return say_none(what, name, "ids", e);
	TRY(cli_list(c, cli_target(c->a, path, &(struct http_pair){ "name", name }, 1), &list, e));
	const struct json *items = json_get(list, "items");
	for (size_t i = 0; i < items->list.count; i++) {
		if (!text_equal(json_get_text(&items->list.items[i], "name", NULL), name))
			continue;
		ENSURE(!id, e, TROTH_CONFLICT, "there are several %ss \"%s\": say the id", what, name);
		id = json_get_text(&items->list.items[i], "id", NULL);
	}
	if (!id)
		return say_none(what, name, "names", e);
	*ret_id = id;
	return RC_OK;
}

/* -- a server that goes away ---------------------------------------------------------------------------------- */
void cli_answered(struct cli *c, struct cli_patience *p)
{
	*p = (struct cli_patience){ .answered = c->port->now(c->port->self) };
}

troth_rc cli_endure(struct cli *c, struct cli_patience *p, const char *meanwhile, troth_rc rc, const struct troth_err *e)
{
	bool passing = e->kind == TROTH_UNAVAILABLE || e->kind == TROTH_TIMEOUT || e->kind == TROTH_IO || e->kind == TROTH_BUSY;
	if (!passing || c->port->now(c->port->self) - p->answered > PATIENCE_S * MSEC_S)
		return rc;
	if (!p->told && c->format == CLI_AS_TABLE)
		fprintf(c->err, "troth: the server does not answer (%s); %s, trying again\n", e->primary, meanwhile);
	p->told = true;
	c->port->pause(c->port->self, RETRY_MS);
	return RC_OK;
}
