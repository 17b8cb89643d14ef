/* Patterns are cut into segments once; a path is cut once per request and held against each. */
#include "edge/router.h"

#include <string.h>

#include "base/limits.h"

enum { SEGMENTS = 12, PARAM_NAME = 32 }; /* the longest foreign path (vCD's) has 9 segments */

enum segment_kind { SEGMENT_LITERAL, SEGMENT_PARAM, SEGMENT_REST };
struct segment { enum segment_kind kind; const char *text; };

struct pattern {
	const struct route *route;
	const char *facade;
	struct segment segments[SEGMENTS];
	size_t count;
};

struct router { struct pattern *patterns; size_t count; };

/* "{id}" -> PARAM id, "{path*}" -> REST path, "x" -> LITERAL x; false if it is none of them. */
static bool segment_parse(struct arena *a, const char *p, size_t len, struct segment *ret)
{
	if (len == 0)
		return false;
	if (p[0] != '{') {
		*ret = (struct segment){ SEGMENT_LITERAL, arena_text_n(a, p, len) };
		return !memchr(p, '}', len) && !memchr(p, '{', len);
	}
	bool rest = len > 3 && p[len - 2] == '*';
	size_t name = len - 2 - (rest ? 1 : 0);
	*ret = (struct segment){ rest ? SEGMENT_REST : SEGMENT_PARAM, arena_text_n(a, p + 1, name) };
	return len > 2 && p[len - 1] == '}' && name < PARAM_NAME;
}

static troth_rc pattern_parse(struct arena *a, const struct route *route, struct pattern *ret, struct troth_err *e)
{
	const char *p = route->pattern;
	ret->route = route;
	ENSURE(p && p[0] == '/', e, TROTH_INTERNAL, "route pattern \"%s\" does not start with /", p ? p : "");
	while (*p) {
		size_t len = strcspn(p + 1, "/");
		struct segment s;
		bool room = ret->count < SEGMENTS && (ret->count == 0 || ret->segments[ret->count - 1].kind != SEGMENT_REST);
		if (len == 0 && strcmp(route->pattern, "/") == 0)
			break;
		ENSURE(room && segment_parse(a, p + 1, len, &s), e, TROTH_INTERNAL,
		       "route pattern \"%s\" is malformed near \"%s\"", route->pattern, p);
		ret->segments[ret->count++] = s;
		p += 1 + len;
	}
	return RC_OK;
}

/* Literal before parameter before rest, segment by segment; equal shapes compare equal. */
static int pattern_compare(const void *x, const void *y)
{
	const struct pattern *a = x, *b = y;
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		const struct segment *s = &a->segments[i], *t = &b->segments[i];
		int by_kind = (int)s->kind - (int)t->kind;
		if (by_kind)
			return by_kind;
		int by_text = s->kind == SEGMENT_LITERAL ? strcmp(s->text, t->text) : 0;
		if (by_text)
			return by_text;
	}
	if (a->count != b->count)
		return a->count < b->count ? -1 : 1;
	return (int)a->route->method - (int)b->route->method;
}

troth_rc router_new(struct arena *a, const struct route_table *tables, size_t table_count, const struct router **ret,
		    struct troth_err *e)
{
	struct router *r = ARENA_NEW(a, struct router);
	size_t total = 0;
	for (size_t t = 0; t < table_count; t++)
		total += tables[t].count;
	r->patterns = ARENA_ARRAY(a, struct pattern, total);
	for (size_t t = 0; t < table_count; t++)
		for (size_t i = 0; i < tables[t].count; i++) {
			r->patterns[r->count].facade = tables[t].facade;
			TRY(pattern_parse(a, &tables[t].rows[i], &r->patterns[r->count++], e));
		}
	qsort(r->patterns, r->count, sizeof *r->patterns, pattern_compare);
	for (size_t i = 1; i < r->count; i++)
		ENSURE(pattern_compare(&r->patterns[i - 1], &r->patterns[i]) != 0, e, TROTH_INTERNAL,
		       "two routes match the same: %s %s and %s", http_method_name(r->patterns[i].route->method),
		       r->patterns[i - 1].route->pattern, r->patterns[i].route->pattern);
	*ret = r;
	return RC_OK;
}

struct cut { const char *texts[SEGMENTS + 1]; const char *starts[SEGMENTS + 1]; size_t count; bool more; };

static bool path_cut(struct arena *a, const char *path, struct cut *cut)
{
	if (path[0] != '/')
		return false;
	for (const char *p = path; *p && strcmp(path, "/") != 0; ) {
		size_t len = strcspn(p + 1, "/");
		if (cut->count > SEGMENTS) {
			cut->more = true; /* only a {rest*} can match now */
			return true;
		}
		cut->starts[cut->count] = p + 1;
		cut->texts[cut->count++] = arena_text_n(a, p + 1, len);
		p += 1 + len;
	}
	return true;
}

/* The same without a / at its end; false if there is none to take away. */
static bool cut_slash(struct cut *cut)
{
	if (cut->more || cut->count < 2 || cut->texts[cut->count - 1][0])
		return false;
	cut->count--;
	return true;
}

static bool pattern_matches(const struct pattern *p, const struct cut *cut, struct http_pair *params, size_t *param_count)
{
	*param_count = 0;
	bool rest = p->count > 0 && p->segments[p->count - 1].kind == SEGMENT_REST;
	if (rest ? cut->count < p->count : (cut->count != p->count || cut->more))
		return false;
	for (size_t i = 0; i < p->count; i++) {
		const struct segment *s = &p->segments[i];
		const char *value = s->kind == SEGMENT_REST ? cut->starts[i] : cut->texts[i];
		if (s->kind == SEGMENT_LITERAL ? strcmp(s->text, value) != 0 : !*value)
			return false;
		if (s->kind != SEGMENT_LITERAL)
			params[(*param_count)++] = (struct http_pair){ s->text, value };
	}
	return true;
}

static void allow_add(char *allow, size_t size, const char *name)
{
	size_t n = strlen(allow);
	if (!strstr(allow, name))
		snprintf(allow + n, size - n, "%s%s", n ? ", " : "", name);
}

static bool method_fits(const struct route *row, enum http_method method)
{
	return row->method == method || (method == HTTP_HEAD && row->method == HTTP_GET);
}

/* All rows of this path; `slashed`: only those for which one / more at the end is nothing. */
static void look(const struct router *router, struct arena *a, enum http_method method, const struct cut *cut, bool slashed, char *allow,
		 size_t size, struct router_match *m)
{
	for (size_t i = 0; i < router->count; i++) {
		const struct pattern *p = &router->patterns[i];
		struct http_pair params[SEGMENTS];
		size_t n;
		if ((slashed && !(p->route->flags & ROUTE_SLASH)) || !pattern_matches(p, cut, params, &n))
			continue;
		allow_add(allow, size, http_method_name(p->route->method));
		if (p->route->method == HTTP_GET)
			allow_add(allow, size, "HEAD");
		if (!m->nearest)
			m->nearest = p->route;
		if (m->route || !method_fits(p->route, method))
			continue;
		m->route = p->route;
		m->facade = p->facade;
		m->params = (struct http_pairs){ arena_copy(a, params, n * sizeof params[0]), n };
	}
}

struct router_match router_find(const struct router *router, struct arena *a, enum http_method method, const char *path)
{
	struct router_match m = { .verdict = ROUTER_NO_PATH };
	struct cut cut = { 0 };
	char allow[96] = "";
	if (!path_cut(a, path, &cut))
		return m;
	struct cut bare = cut;
	if (cut_slash(&bare))
		look(router, a, method, &bare, true, allow, sizeof allow, &m);
	if (!m.nearest)
		look(router, a, method, &cut, false, allow, sizeof allow, &m);
	if (!allow[0])
		return m;
	allow_add(allow, sizeof allow, "OPTIONS");
	m.allow = arena_text(a, allow);
	m.verdict = m.route ? ROUTER_FOUND : ROUTER_NO_METHOD;
	return m;
}
