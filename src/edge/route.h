/* A route: one table row that ties a method and a path to a verb, with the two pure calls around it.
 *
 *     bytes -> [edge: bounds, JSON type] -> parse -> cmd -> [app: who, verb] -> ret -> render -> bytes
 *
 * A facade exports its table and nothing else; app hands the tables to edge.
 *
 *     static const struct route ROWS[] = {
 *         { HTTP_GET, "/v1/authorities", &VERB_AUTHORITY_LIST, list_parse, list_render,
 *           .summary = "List authorities", .query = "name after limit", .gives = "200 [Authority]" },
 *     };
 *
 * What a row says of itself after its functions (summary, query, body, gives, fails) is the source of the API's
 * description, and edge holds callers to it (route_check): there is no second list that could differ.
 *
 * Patterns: segments are literal or {name}; a {name} matches one non-empty segment; a last {name*}
 * matches the rest, slashes included.  Literal wins over {name}, {name} over {name*}.  HEAD is
 * answered by the GET row without a body, OPTIONS by the table itself (Allow); neither needs a row. */
#ifndef TROTH_EDGE_ROUTE_H
#define TROTH_EDGE_ROUTE_H

#include "edge/http.h"

struct verb; /* service/verb.h */

enum route_flags {
	ROUTE_NO_AUTH = 1,  /* anybody may call: health, version, enrol (its token is in the body) */
	ROUTE_HOLD = 2,     /* the verb may ask to be held (verb_ctx.hold); honoured only with ?wait= */
	ROUTE_ANY_BODY = 4, /* parse looks at Content-Type itself; otherwise a body must be application/json (415) */
	ROUTE_SECRET = 8,   /* the reply holds a secret that is shown once: never kept for an Idempotency-Key, never cached, wiped when it has left */
	ROUTE_IF_MATCH = 16, /* changes an object that has a revision (its ETag): the verb asks for If-Match; other changes refuse it */
	ROUTE_SLASH = 64,    /* also with one / more at the end of the path */
	ROUTE_SIGNS = 32,    /* a change that cannot be tried without a signature that no row and no audit would know of: no dry_run */
};

struct route_fields { const struct json_field *rows; size_t count; };
#define ROUTE_FIELDS(table) { table, sizeof(table) / sizeof *(table) }

struct route {
	enum http_method method;
	const char *pattern;
	const struct verb *verb; /* NULL: render answers alone (a document such as openapi.json) */
	/* Fills cmd (zeroed, verb->cmd_size bytes, in the arena).  All findings, not the first.  NULL: nothing to parse. */
	troth_rc (*parse)(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e);
	/* Writes the reply of a success; failures are edge's (http_reply_problem).  ret is verb->ret_size bytes.
	 * NULL: 204 without a body. */
	void (*render)(struct arena *a, const struct http_request *r, const void *cmd, const void *ret,
		       struct http_reply *reply);
	unsigned flags;
	/* A facade with its own error shape; NULL: problem+json. */
	void (*problem)(struct arena *a, const struct http_request *r, const struct troth_err *e, struct http_reply *reply);
	/* Server-sent events (WHATWG HTML 9.2), for a GET with Accept: text/event-stream; NULL: not offered.  Writes what ret
	 * holds, or a comment if that is nothing, and moves cmd behind it: the verb is run again when its topic says so, or
	 * at once if this returns true. */
	bool (*stream)(struct arena *a, const struct http_request *r, void *cmd, const void *ret, struct buf *out);

	/* -- what it says of itself; a facade that describes itself elsewhere leaves it all out -- */
	const char *summary;         /* one line, as an order: "Create an authority"; NULL: nothing below is held or told */
	const char *query;           /* its own query parameters, with spaces between: "name after limit"; NULL: none */
	struct route_fields body;    /* what parse reads the body by */
	const char *takes;           /* or, when a codec reads the body: the noun of the facade that it is */
	const char *gives;           /* "201 Authority", "200 [Authority]" (a page of them), "204", "200 Rotation|RotationPreview",
	                              * "200 application/x-pem-file, 304".  A dry run of what gives 201 or 202 gives 200 */
	const char *fails;           /* statuses besides those that follow from the row (api_fails): "404 409" */
};

struct route_table {
	const struct route *rows;
	size_t count;
	const char *facade; /* which API they are: a credential is good for one (service: FACADES); NULL: the native one */
};

/* Does the request keep to what the row says of itself?  INVALID with a finding for each query parameter that is unknown
 * or said twice, also for dry_run and wait where they mean nothing, and for a body that nobody reads; PRECONDITION for an If-Match that nobody would ask for. */
troth_rc route_check(struct arena *a, const struct route *route, const struct http_request *r, struct troth_err *e);
/* Is this word one of the words in `list`? */
bool route_word_in(const char *list, const char *word, size_t len);
bool route_writes(const struct route *route); /* its verb changes something: Idempotency-Key means something */
bool route_has_body(const struct route *route);
bool route_tries(const struct route *route);  /* ... and ?dry_run does */

#endif
