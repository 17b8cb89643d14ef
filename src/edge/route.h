/* A route: one table row that ties a method and a path to a verb, with the two pure calls around it.
 *
 *     bytes -> [edge: bounds, JSON type] -> parse -> cmd -> [app: who, verb] -> ret -> render -> bytes
 *
 * A facade exports its table and nothing else; app hands the tables to edge.
 *
 *     const struct route NATIVE_AUTHORITY_ROUTES[] = {
 *         { HTTP_POST, "/v1/authorities",      &VERB_AUTHORITY_CREATE, create_parse, create_render, 0 },
 *         { HTTP_GET,  "/v1/authorities/{id}", &VERB_AUTHORITY_SHOW,   show_parse,   show_render,   0 },
 *     };
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
	ROUTE_SECRET = 8,   /* the reply holds a secret that is shown once: never kept for an Idempotency-Key, never cached */
};

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
};

struct route_table { const struct route *rows; size_t count; };

#endif
