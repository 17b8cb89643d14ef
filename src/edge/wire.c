/* The head of a message cut into its lines, each line held to the grammar of RFC 9110 and 9112. */
#include "edge/wire.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/limits.h"

/* -- where the head ends ------------------------------------------------------------------- */
static size_t skip_empty_lines(const uint8_t *p, size_t len)
{
	size_t i = 0; /* RFC 9112 2.2: empty lines before the request line are ignored */
	while (i < len && (p[i] == '\r' || p[i] == '\n'))
		i++;
	return i;
}

size_t wire_head_end(const uint8_t *data, size_t len, size_t *scanned)
{
	size_t lead = skip_empty_lines(data, len);
	size_t i = *scanned > lead ? *scanned : lead;
	for (; i < len; i++) {
		if (data[i] != '\n' || i == lead)
			continue;
		bool empty = data[i - 1] == '\n' || (data[i - 1] == '\r' && i >= 2 + lead && data[i - 2] == '\n');
		if (empty)
			return i + 1;
	}
	*scanned = len;
	return 0;
}

troth_rc wire_head_check(const uint8_t *data, size_t len, struct troth_err *e)
{
	size_t line = len && memchr(data, '\n', len) ? 0 : len;
	if (line > LIMIT_URL_BYTES + 32) { /* method and version around the target */
		troth_rc rc = err_set(e, TROTH_TOO_LARGE, "the URL is longer than %d bytes", LIMIT_URL_BYTES);
		err_clause(e, "type:url-too-long");
		return rc;
	}
	if (len > LIMIT_HTTP_HEADER_BYTES) {
		troth_rc rc = err_set(e, TROTH_TOO_LARGE, "the header is larger than %d bytes", LIMIT_HTTP_HEADER_BYTES);
		err_clause(e, "type:header-too-large");
		return rc;
	}
	return RC_OK;
}

/* -- lines --------------------------------------------------------------------------------- */
struct line { const char *p; size_t len; };

static bool is_token(const char *p, size_t len) /* RFC 9110 5.6.2 */
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)p[i]) && (!p[i] || !strchr("!#$%&'*+-.^_`|~", p[i])))
			return false;
	return len > 0;
}

/* Cuts one line off; it must end with CRLF and hold no other control character than tab. */
static troth_rc line_next(struct line *rest, struct line *ret, struct troth_err *e)
{
	const char *lf = memchr(rest->p, '\n', rest->len);
	size_t len = lf ? (size_t)(lf - rest->p) : 0;
	ENSURE(len > 0 && rest->p[len - 1] == '\r', e, TROTH_INVALID, "a header line does not end with CRLF");
	*ret = (struct line){ rest->p, len - 1 };
	for (size_t i = 0; i < ret->len; i++)
		ENSURE(!iscntrl((unsigned char)ret->p[i]) || ret->p[i] == '\t', e, TROTH_INVALID,
		       "a header line holds a control character");
	rest->p += len + 1;
	rest->len -= len + 1;
	return RC_OK;
}

static troth_rc header_parse(struct arena *a, struct line l, struct http_pair *ret, struct troth_err *e)
{
	const char *colon = memchr(l.p, ':', l.len);
	size_t name = colon ? (size_t)(colon - l.p) : 0;
	ENSURE(colon && is_token(l.p, name), e, TROTH_INVALID, "\"%.*s\" is not a header line",
	       (int)(l.len < 60 ? l.len : 60), l.p);
	const char *v = colon + 1, *end = l.p + l.len;
	while (v < end && (*v == ' ' || *v == '\t'))
		v++;
	while (end > v && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*ret = (struct http_pair){ arena_text_n(a, l.p, name), arena_text_n(a, v, (size_t)(end - v)) };
	return RC_OK;
}

static troth_rc headers_parse(struct arena *a, struct line rest, struct wire_head *h, struct troth_err *e)
{
	struct http_pair items[WIRE_HEADERS];
	size_t count = 0;
	for (;;) {
		struct line l;
		TRY(line_next(&rest, &l, e));
		if (l.len == 0)
			break;
		if (count == WIRE_HEADERS) {
			troth_rc rc = err_set(e, TROTH_TOO_LARGE, "more than %d header lines", WIRE_HEADERS);
			err_clause(e, "type:header-too-large");
			return rc;
		}
		TRY(header_parse(a, l, &items[count++], e));
	}
	h->headers = (struct http_pairs){ arena_copy(a, items, count * sizeof items[0]), count };
	return RC_OK;
}

/* -- what the headers mean for the framing --------------------------------------------------- */
static size_t header_count(const struct wire_head *h, const char *name, const char **ret_value)
{
	size_t n = 0;
	for (size_t i = 0; i < h->headers.count; i++)
		if (strcasecmp(h->headers.items[i].name, name) == 0) {
			*ret_value = h->headers.items[i].value;
			n++;
		}
	return n;
}

/* A comma-separated list holds the word, in any case. */
static bool list_has(const char *list, const char *word)
{
	size_t len = strlen(word);
	while (*list) {
		list += strspn(list, " \t,");
		size_t n = strcspn(list, " \t,");
		if (n == len && strncasecmp(list, word, n) == 0)
			return true;
		list += n;
	}
	return false;
}

static bool length_parse(const char *v, int64_t *ret)
{
	int64_t n = 0;
	if (!*v)
		return false;
	for (; *v; v++)
		if (!isdigit((unsigned char)*v) || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *v - '0', &n))
			return false;
	*ret = n;
	return true;
}

static troth_rc refuse(struct troth_err *e, enum troth_kind kind, const char *code, const char *text)
{
	troth_rc rc = err_set(e, kind, "%s", text);
	err_clause(e, code);
	return rc;
}

/* RFC 9112 6: how long is the body. */
static troth_rc framing_read(struct wire_head *h, bool old_version, struct troth_err *e)
{
	const char *length = NULL, *coding = NULL, *connection = "";
	size_t lengths = header_count(h, "Content-Length", &length), codings = header_count(h, "Transfer-Encoding", &coding);
	h->content_length = -1;
	ENSURE(lengths <= 1, e, TROTH_INVALID, "the message has more than one Content-Length");
	ENSURE(!lengths || !codings, e, TROTH_INVALID, "the message has both Content-Length and Transfer-Encoding");
	ENSURE(!lengths || length_parse(length, &h->content_length), e, TROTH_INVALID,
	       "Content-Length \"%.40s\" is not a number", length);
	ENSURE(codings <= 1 && !(codings && old_version), e, TROTH_INVALID, "the Transfer-Encoding is not acceptable");
	if (codings && strcasecmp(coding, "chunked") != 0)
		return refuse(e, TROTH_INVALID, "type:not-implemented", "the only Transfer-Encoding known here is chunked");
	h->chunked = codings == 1;
	(void)header_count(h, "Connection", &connection); /* the last one counts; "close" wins below */
	h->keep_alive = old_version ? list_has(connection, "keep-alive") : !list_has(connection, "close");
	return RC_OK;
}

static const char *const SINGLE_HEADERS[] = { "Authorization", "Content-Type", "If-Match", "Idempotency-Key", "Expect" };

static troth_rc request_headers_check(struct wire_head *h, struct troth_err *e)
{
	const char *value = "";
	size_t hosts = header_count(h, "Host", &value);
	ENSURE(hosts == 1 && *value, e, TROTH_INVALID, hosts > 1 ? "the request has more than one Host header" /* RFC 9112 3.2 */
								   : "the request has no Host header");
	for (size_t i = 0; i < ARRAY_LEN(SINGLE_HEADERS); i++)
		ENSURE(header_count(h, SINGLE_HEADERS[i], &value) <= 1, e, TROTH_INVALID,
		       "the request has more than one %s header", SINGLE_HEADERS[i]);
	const char *expect = NULL;
	h->expect_continue = header_count(h, "Expect", &expect) == 1;
	if (h->expect_continue && strcasecmp(expect, "100-continue") != 0)
		return refuse(e, TROTH_INVALID, "type:expectation-failed", "the only expectation known here is 100-continue");
	return RC_OK;
}

/* -- first lines ----------------------------------------------------------------------------- */
static troth_rc version_parse(const char *p, size_t len, bool *ret_old, struct troth_err *e)
{
	bool http = len == 8 && strncmp(p, "HTTP/", 5) == 0 && isdigit((unsigned char)p[5]) && p[6] == '.' &&
		    isdigit((unsigned char)p[7]);
	ENSURE(http, e, TROTH_INVALID, "the first line is not one of HTTP/1.1");
	if (p[5] != '1')
		return refuse(e, TROTH_INVALID, "type:version-not-supported", "only HTTP/1.1 and HTTP/1.0 are spoken here");
	*ret_old = p[7] == '0';
	return RC_OK;
}

static troth_rc request_line_parse(struct arena *a, struct line l, struct wire_head *h, bool *ret_old, struct troth_err *e)
{
	const char *sp1 = memchr(l.p, ' ', l.len), *end = l.p + l.len;
	const char *sp2 = sp1 ? memchr(sp1 + 1, ' ', (size_t)(end - sp1 - 1)) : NULL;
	ENSURE(sp2 && is_token(l.p, (size_t)(sp1 - l.p)) && sp2 > sp1 + 1, e, TROTH_INVALID,
	       "the first line is not METHOD TARGET VERSION");
	TRY(version_parse(sp2 + 1, (size_t)(end - sp2 - 1), ret_old, e));
	if (!http_method_parse(l.p, (size_t)(sp1 - l.p), &h->method)) {
		troth_rc rc = err_set(e, TROTH_INVALID, "method \"%.*s\" is not known here",
				      (int)(sp1 - l.p > 20 ? 20 : sp1 - l.p), l.p);
		err_clause(e, "type:not-implemented");
		return rc;
	}
	size_t target = (size_t)(sp2 - sp1 - 1);
	if (target > LIMIT_URL_BYTES)
		return refuse(e, TROTH_TOO_LARGE, "type:url-too-long", "the URL is longer than the limit");
	h->target = arena_text_n(a, sp1 + 1, target);
	return RC_OK;
}

troth_rc wire_request_parse(struct arena *a, const uint8_t *head, size_t len, struct wire_head *ret, struct troth_err *e)
{
	size_t lead = skip_empty_lines(head, len);
	struct line rest = { (const char *)head + lead, len - lead }, first;
	struct wire_head h = { 0 };
	bool old;
	ENSURE(len - lead <= LIMIT_HTTP_HEADER_BYTES, e, TROTH_TOO_LARGE, "the header is too large");
	TRY(line_next(&rest, &first, e));
	TRY(request_line_parse(a, first, &h, &old, e));
	TRY(headers_parse(a, rest, &h, e));
	TRY(request_headers_check(&h, e));
	TRY(framing_read(&h, old, e));
	*ret = h;
	return RC_OK;
}

troth_rc wire_response_parse(struct arena *a, const uint8_t *head, size_t len, struct wire_head *ret, struct troth_err *e)
{
	struct line rest = { (const char *)head, len }, first;
	struct wire_head h = { 0 };
	bool old;
	TRY(line_next(&rest, &first, e));
	ENSURE(first.len >= 12 && first.p[8] == ' ', e, TROTH_INVALID, "the answer's first line is not a status line");
	TRY(version_parse(first.p, 8, &old, e));
	for (int i = 9; i < 12; i++) {
		ENSURE(isdigit((unsigned char)first.p[i]), e, TROTH_INVALID, "the answer's status is not a number");
		h.status = h.status * 10 + (first.p[i] - '0');
	}
	ENSURE(h.status >= 100 && h.status <= 599, e, TROTH_INVALID, "the answer's status is out of range");
	TRY(headers_parse(a, rest, &h, e));
	TRY(framing_read(&h, old, e));
	*ret = h;
	return RC_OK;
}

/* -- chunks ---------------------------------------------------------------------------------- */
enum chunk_state { CHUNK_SIZE, CHUNK_EXTENSION, CHUNK_SIZE_LF, CHUNK_DATA, CHUNK_DATA_CR, CHUNK_DATA_LF,
		   CHUNK_TRAILER, CHUNK_TRAILER_LF };
enum { CHUNK_LINE = 256, CHUNK_TRAILERS = 4096 };

static bool feed_size(struct wire_chunks *c, uint8_t b)
{
	if (isxdigit(b) && c->line < 8) { /* 8 digits: 4 GiB, far above every limit */
		c->left = c->left * 16 + (uint64_t)(isdigit(b) ? b - '0' : (b | 32) - 'a' + 10);
		c->line++;
		return true;
	}
	bool end = c->line > 0 && (b == '\r' || b == ';' || b == ' ' || b == '\t');
	c->state = b == '\r' ? CHUNK_SIZE_LF : CHUNK_EXTENSION;
	return end;
}

static bool feed_trailer(struct wire_chunks *c, uint8_t b)
{
	if (b == '\r') {
		c->state = CHUNK_TRAILER_LF;
		return true;
	}
	c->line++;
	return b != '\n' && ++c->trailer < CHUNK_TRAILERS;
}

/* One byte that is not data; false: not chunked coding. */
static bool feed_byte(struct wire_chunks *c, uint8_t b)
{
	switch ((enum chunk_state)c->state) {
	case CHUNK_SIZE:
		return feed_size(c, b);
	case CHUNK_EXTENSION:
		if (b == '\r')
			c->state = CHUNK_SIZE_LF;
		return b != '\n' && c->line++ < CHUNK_LINE;
	case CHUNK_SIZE_LF:
		c->state = c->left ? CHUNK_DATA : CHUNK_TRAILER;
		c->line = 0;
		return b == '\n';
	case CHUNK_DATA_CR:
		c->state = CHUNK_DATA_LF;
		return b == '\r';
	case CHUNK_DATA_LF:
		c->state = CHUNK_SIZE;
		return b == '\n';
	case CHUNK_TRAILER:
		return feed_trailer(c, b);
	case CHUNK_TRAILER_LF:
		c->done = c->line == 0;
		c->line = 0;
		c->state = CHUNK_TRAILER;
		return b == '\n';
	case CHUNK_DATA:
		break;
	}
	return false;
}

troth_rc wire_chunks_feed(struct wire_chunks *c, const uint8_t *in, size_t len, size_t *ret_used, struct buf *out,
			  struct troth_err *e)
{
	size_t i = 0;
	while (i < len && !c->done) {
		if (c->state != CHUNK_DATA) {
			ENSURE(feed_byte(c, in[i]), e, TROTH_INVALID, "the chunked body is broken");
			i++;
			continue;
		}
		size_t take = len - i < c->left ? len - i : (size_t)c->left;
		buf_add(out, in + i, take);
		ENSURE(buf_ok(out), e, TROTH_TOO_LARGE, "the body is larger than %zu bytes", out->max);
		c->left -= take;
		i += take;
		if (c->left == 0)
			c->state = CHUNK_DATA_CR;
	}
	*ret_used = i;
	return RC_OK;
}

/* -- replies --------------------------------------------------------------------------------- */
static const struct { int status; const char *reason; } REASONS[] = {
	{ 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" }, { 304, "Not Modified" },
	{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
	{ 405, "Method Not Allowed" }, { 408, "Request Timeout" }, { 409, "Conflict" }, { 410, "Gone" },
	{ 411, "Length Required" }, { 412, "Precondition Failed" }, { 413, "Content Too Large" }, { 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" }, { 417, "Expectation Failed" }, { 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" },
	{ 501, "Not Implemented" }, { 502, "Bad Gateway" }, { 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
};

const char *wire_reason(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(REASONS); i++)
		if (REASONS[i].status == status)
			return REASONS[i].reason;
	return "Status";
}

void wire_reply_head(struct buf *out, const struct http_reply *reply, const char *request_id, int64_t length, bool close,
		     msec_t now)
{
	char date[64] = "";
	time_t t = (time_t)(now / MSEC_S);
	struct tm tm;
	int status = reply->status ? reply->status : 200;
	if (gmtime_r(&t, &tm))
		strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	buf_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, wire_reason(status), date);
	if (length >= 0)
		buf_printf(out, "Content-Length: %lld\r\n", (long long)length);
	if (length > 0)
		buf_printf(out, "Content-Type: %s\r\n", reply->content_type ? reply->content_type : "application/json");
	for (size_t i = 0; i < reply->header_count; i++)
		buf_printf(out, "%s: %s\r\n", reply->headers[i].name, reply->headers[i].value);
	buf_printf(out, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
	if (request_id)
		buf_printf(out, "X-Request-Id: %s\r\n", request_id);
	if (close)
		buf_add_text(out, "Connection: close\r\n");
	buf_add_text(out, "\r\n");
}
