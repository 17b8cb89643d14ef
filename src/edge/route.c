/* Holding a request to what its route's row says of itself.  See route.h. */
#include "edge/route.h"

#include <string.h>

#include "service/verb.h"

bool route_word_in(const char *list, const char *word, size_t len)
{
	for (const char *p = list ? list : ""; *p;) {
		size_t n = strcspn(p, " ");
		if (n == len && memcmp(p, word, n) == 0)
			return true;
		p += n + strspn(p + n, " ");
	}
	return false;
}

bool route_writes(const struct route *route) { return route->verb && route->verb->kind == VERB_WRITE; }

bool route_tries(const struct route *route) { return route_writes(route) && !(route->flags & ROUTE_SIGNS); }

static bool is_known(const struct route *route, const char *name)
{
	if (strcmp(name, "dry_run") == 0)
		return route_tries(route);
	if (strcmp(name, "wait") == 0)
		return route->flags & ROUTE_HOLD;
	return route_word_in(route->query, name, strlen(name));
}

static const char *known_words(struct arena *a, const struct route *route)
{
	const char *common = route_tries(route) ? "dry_run" : route->flags & ROUTE_HOLD ? "wait" : NULL;
	const char *own = route->query;
	if (!common && !own)
		return "this route has none";
	return arena_printf(a, "known here: %s%s%s", own ? own : "", own && common ? " " : "", common ? common : "");
}

static bool said_before(const struct http_request *r, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(r->query.items[k].name, r->query.items[i].name) == 0)
			return true;
	return false;
}

static void check_query(struct arena *a, const struct route *route, const struct http_request *r, struct troth_err *e)
{
	for (size_t i = 0; i < r->query.count; i++) {
		const char *path = arena_printf(a, "?%.60s", r->query.items[i].name);
		if (!is_known(route, r->query.items[i].name))
			err_finding(a, e, path, "unknown-parameter", "is not a query parameter of this route", known_words(a, route));
		else if (said_before(r, i))
			err_finding(a, e, path, "duplicate", "is said twice", "say it once");
	}
}

bool route_has_body(const struct route *route) { return !route->summary || route->body.count || route->takes || route->flags & ROUTE_ANY_BODY; }

/* What nobody would read is not passed over: who sends it expects something of it.  {} says nothing. */
static void check_body(struct arena *a, const struct route *route, const struct http_request *r, struct troth_err *e)
{
	if (r->body.len && !route_has_body(route) && !bytes_equal(r->body, bytes_of_text("{}")))
		err_finding(a, e, "$", "no-body", "this route takes no body", "send none, or {}");
}

troth_rc route_check(struct arena *a, const struct route *route, const struct http_request *r, struct troth_err *e)
{
	if (!route->summary)
		return RC_OK;
	check_query(a, route, r, e);
	check_body(a, route, r, e);
	if (e->kind)
		return (troth_rc){ e->kind };
	if (!r->if_match || !route_writes(route) || route->flags & ROUTE_IF_MATCH)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_PRECONDITION, "what this changes has no revision, so If-Match cannot hold");
	err_hint(e, "leave If-Match out; it is for objects whose answers carry an ETag");
	return rc;
}
