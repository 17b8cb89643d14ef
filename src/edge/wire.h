/* HTTP/1.1 on the wire: heads and chunks, both directions.  Pure: bytes in, a struct or an error out; fuzzed.
 *
 * Strict where laxness lets two parties see two different requests (RFC 9112 section 11.2): CRLF only, one Host, one
 * Content-Length, never Content-Length with Transfer-Encoding, no folded lines, no space before the colon.
 * Errors carry their HTTP status as a code (http_code_status). */
#ifndef TROTH_EDGE_WIRE_H
#define TROTH_EDGE_WIRE_H

#include "edge/http.h"

enum { WIRE_HEADERS = 100 }; /* Apache's default; a browser sends 20 */

struct wire_head {
	enum http_method method;        /* requests */
	const char *target;             /* requests; 0-ended, raw */
	int status;                     /* responses */
	struct http_pairs headers;
	int64_t content_length;         /* -1: not given */
	bool chunked, keep_alive, expect_continue;
};

/* Where the head ends (the bytes up to and with the empty line), or 0 for "more is needed".  `scanned` remembers how
 * far earlier calls looked; starts at 0.  A bare LF ends a line here too, so that its refusal comes at once. */
size_t wire_head_end(const uint8_t *data, size_t len, size_t *scanned);
/* What an unfinished head of this length already is: RC_OK, or url-too-long / header-too-large. */
troth_rc wire_head_check(const uint8_t *data, size_t len, struct troth_err *e);

troth_rc wire_request_parse(struct arena *a, const uint8_t *head, size_t len, struct wire_head *ret, struct troth_err *e);
troth_rc wire_response_parse(struct arena *a, const uint8_t *head, size_t len, struct wire_head *ret, struct troth_err *e);

/* Chunked bodies (RFC 9112 7.1), fed as they come. */
struct wire_chunks { int state; uint64_t left; unsigned line, trailer; bool done; };
/* Consumes at most len bytes, appends what they carry to out.  Extensions and trailers are read and dropped, bounded. */
troth_rc wire_chunks_feed(struct wire_chunks *c, const uint8_t *in, size_t len, size_t *ret_used, struct buf *out,
			  struct troth_err *e);

/* Head of a reply with its usual headers.  `length` < 0: none (1xx, 204).  Includes the empty line. */
void wire_reply_head(struct buf *out, const struct http_reply *reply, const char *request_id, int64_t length, bool close,
		     msec_t now);
const char *wire_reason(int status); /* "Not Found" */

#endif
