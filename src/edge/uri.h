/* The target of a request taken apart: decoded path, query pairs.  Pure; fuzzed by fuzz_http. */
#ifndef TROTH_EDGE_URI_H
#define TROTH_EDGE_URI_H

#include "edge/http.h"

enum { URI_PAIRS = 64 }; /* members of one query or form: the longest filter has 10 */

/* "/v1/x%20y?wait=5s&z" -> path "/v1/x y", pairs {wait,5s},{z,""}.  Origin form only (RFC 9112 3.2.1); the absolute
 * form is accepted and its authority dropped, since proxies may send it (3.2.2).  Refuses NUL, broken escapes, "..",
 * control characters. */
troth_rc uri_parse(struct arena *a, const char *target, size_t len, const char **ret_path, struct http_pairs *ret_query,
		   struct troth_err *e);
/* The path of a target that uri_parse refuses, with what is broken in it left as it came: only to find whose path it is, so
 * that the refusal has the shape of that API.  "" if there is none. */
const char *uri_path_nearly(struct arena *a, const char *target, size_t len);
/* a=b&c=d, with + for space and %xx (application/x-www-form-urlencoded). */
troth_rc uri_pairs_parse(struct arena *a, const char *text, size_t len, struct http_pairs *ret, struct troth_err *e);
/* The reverse for one value: everything but unreserved characters becomes %XX. */
char *uri_escape(struct arena *a, const char *value);

/* "https://host:port" or "https://[::1]:8443", nothing behind it but an optional "/"; port defaults to 443. */
struct uri_server { char host[256]; int port; bool is_address; /* an IP, so the certificate must name it as IP */ };
troth_rc uri_server_parse(const char *url, struct uri_server *ret, struct troth_err *e);
/* The same for "http://"; port defaults to 80. */
troth_rc uri_plain_server_parse(const char *url, struct uri_server *ret, struct troth_err *e);

#endif
