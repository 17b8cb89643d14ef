/* A request and a reply as the facades see them: plain data in an arena, no sockets, no libevent.
 *
 * Everything here is pure, so a facade's parse and render are tested with a request written by hand:
 *
 *     struct http_request r = { .method = HTTP_POST, .path = "/v1/authorities", .body = bytes_of_text("{...}") };
 *
 * Names and values are 0-ended, already percent-decoded where HTTP encodes them, and bounded
 * (LIMIT_URL_BYTES, LIMIT_HTTP_HEADER_BYTES, LIMIT_HTTP_BODY_BYTES). */
#ifndef TROTH_EDGE_HTTP_H
#define TROTH_EDGE_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_PATCH, HTTP_OPTIONS, HTTP_METHOD_MAX };

const char *http_method_name(enum http_method m); /* "GET" */
bool http_method_parse(const char *name, size_t len, enum http_method *ret); /* exact, as RFC 9110 9.1 says */

struct http_pair { const char *name, *value; };
struct http_pairs { const struct http_pair *items; size_t count; };

struct http_request {
	enum http_method method;
	const char *path;          /* decoded, without the query */
	struct http_pairs params;  /* {id} of the route's pattern */
	struct http_pairs query;   /* in order; a name may come twice, the first counts for http_query */
	struct http_pairs headers;
	struct bytes body;         /* data is followed by a 0 byte */

	const char *id;            /* request id: in the log, and in the X-Request-Id of the reply */
	const char *peer;          /* "192.0.2.7:51234", for the audit and the log */
	bool plain;                /* it came without TLS */
	struct bytes peer_cert;    /* DER of the verified client certificate; len 0 if there was none */
	const char *bearer;        /* of Authorization: Bearer; NULL if absent */
	const char *basic_user, *basic_password; /* of Authorization: Basic; NULL if absent */

	msec_t now;
	msec_t wait;               /* ?wait=30s, capped by LIMIT_HOLD_S; 0: do not hold */
	bool dry_run;              /* ?dry_run=true */
	const char *idempotency_key; /* NULL if absent */
	const char *if_match;      /* If-Match without its quotes; NULL if absent or * */
};

/* NULL if absent.  Header names match in any case. */
const char *http_param(const struct http_request *r, const char *name);
const char *http_query(const struct http_request *r, const char *name);
const char *http_header(const struct http_request *r, const char *name);

/* "true"/"1"/"" (bare ?force) and "false"/"0"; `otherwise` if absent; INVALID for other words. */
troth_rc http_query_bool(const struct http_request *r, const char *name, bool otherwise, bool *ret, struct troth_err *e);
/* Decimal between min and max. */
troth_rc http_query_int(const struct http_request *r, const char *name, int64_t otherwise, int64_t min, int64_t max,
			int64_t *ret, struct troth_err *e);
/* The page of a list: ?limit= (1..LIMIT_PAGE, default LIMIT_PAGE) and ?after= (opaque: the last id seen; 0 at the start).
 * A list's body: {"items":[...], "next":"<after>" or null}. */
struct http_page { int64_t after, limit; };
troth_rc http_query_page(const struct http_request *r, struct http_page *ret, struct troth_err *e);

/* The body as JSON, filled into `out` by the table (json.h; unknown members, wrong types: all findings).
 * An empty body counts as {}: required members are then missed with their names. */
troth_rc http_body_read(struct arena *a, const struct http_request *r, const struct json_field *fields,
			size_t field_count, void *out, struct troth_err *e);
/* The body as a JSON value, for those who read by hand. */
troth_rc http_body_json(struct arena *a, const struct http_request *r, const struct json **ret, struct troth_err *e);
/* application/x-www-form-urlencoded. */
troth_rc http_body_form(struct arena *a, const struct http_request *r, struct http_pairs *ret, struct troth_err *e);
const char *http_pairs_get(const struct http_pairs *pairs, const char *name);

enum { HTTP_REPLY_HEADERS = 12, HTTP_REPLY_BYTES = 16 << 20 };

struct http_reply {
	int status;                /* 0 counts as 200 */
	const char *content_type;  /* NULL: application/json if there is a body */
	struct buf body;           /* made and released by whoever made the reply (edge; a test) */
	struct http_pair headers[HTTP_REPLY_HEADERS]; /* besides the usual ones; in the request's arena */
	size_t header_count;
};

struct http_reply http_reply_make(void);
void http_reply_release(struct http_reply *reply); /* for CLEANUP */
/* Sets status and content type, and gives a writer on the body:
 *     struct json_writer w = http_reply_json(reply, 201); jw_object(&w); ... */
struct json_writer http_reply_json(struct http_reply *reply, int status);
/* Replaces whatever was there by a text of that type. */
void http_reply_text(struct http_reply *reply, int status, const char *content_type, const char *text);
/* A value with CR, LF or NUL is refused (CHECK: render must not pass what came from outside unescaped). */
void http_reply_header(struct http_reply *reply, struct arena *a, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* ETag: "7" */
void http_reply_etag(struct http_reply *reply, struct arena *a, int64_t revision);

/* RFC 9457: type (/problems/<code>), title, status, detail (the primary line and the detail), instance = the request's
 * path, plus code, hint, object, clause, request_id and findings[].  The code is the kind's name unless the error
 * chooses its own with a clause that starts with "type:" ("type:stale-session"), as agents need one to act upon.
 * The status is the kind's, except for the codes that are HTTP's own (http_code_status). */
void http_reply_problem(struct http_reply *reply, const struct http_request *r, const struct troth_err *e);
/* That status, for facades that say it in another shape. */
int http_err_status(const struct troth_err *e);
/* 405 for "method-not-allowed", 415 for "unsupported-media-type" and so on; 0 for codes that have no status of their own. */
int http_code_status(const char *code);
/* The reverse: the problem in a reply's body becomes an error (findings in `a`).  Always a failure; what is not a
 * problem document becomes "the server answered 502". */
troth_rc http_problem_read(struct arena *a, int status, struct bytes body, struct troth_err *e);

#endif
