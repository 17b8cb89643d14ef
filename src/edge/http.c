/* Looking things up in a request, and making a reply: the small calls that every facade uses. */
#include "edge/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "edge/uri.h"

static const char *const METHODS[HTTP_METHOD_MAX] = { "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS" };

const char *http_method_name(enum http_method m) { return METHODS[m]; }

bool http_method_parse(const char *name, size_t len, enum http_method *ret)
{
	for (int m = 0; m < HTTP_METHOD_MAX; m++)
		if (strlen(METHODS[m]) == len && memcmp(METHODS[m], name, len) == 0) {
			*ret = (enum http_method)m;
			return true;
		}
	return false;
}

const char *http_pairs_get(const struct http_pairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (strcmp(pairs->items[i].name, name) == 0)
			return pairs->items[i].value;
	return NULL;
}

const char *http_param(const struct http_request *r, const char *name) { return http_pairs_get(&r->params, name); }
const char *http_query(const struct http_request *r, const char *name) { return http_pairs_get(&r->query, name); }

const char *http_header(const struct http_request *r, const char *name)
{
	for (size_t i = 0; i < r->headers.count; i++)
		if (strcasecmp(r->headers.items[i].name, name) == 0)
			return r->headers.items[i].value;
	return NULL;
}

troth_rc http_query_bool(const struct http_request *r, const char *name, bool otherwise, bool *ret, struct troth_err *e)
{
	const char *v = http_query(r, name);
	if (!v) {
		*ret = otherwise;
		return RC_OK;
	}
	bool yes = !*v || strcmp(v, "true") == 0 || strcmp(v, "1") == 0;
	ENSURE(yes || strcmp(v, "false") == 0 || strcmp(v, "0") == 0, e, TROTH_INVALID,
	       "query parameter %s must be true or false, is \"%.40s\"", name, v);
	*ret = yes;
	return RC_OK;
}

troth_rc http_query_int(const struct http_request *r, const char *name, int64_t otherwise, int64_t min, int64_t max,
			int64_t *ret, struct troth_err *e)
{
	const char *v = http_query(r, name);
	int64_t n = otherwise;
	if (v) {
		char *end = NULL;
		n = strtoll(v, &end, 10); /* overflow saturates, so the range below refuses it */
		bool plain = *v && !*end && strspn(v, "-0123456789") == strlen(v);
		ENSURE(plain && n >= min && n <= max, e, TROTH_INVALID,
		       "query parameter %s must be a number between %lld and %lld, is \"%.40s\"", name,
		       (long long)min, (long long)max, v);
	}
	*ret = n;
	return RC_OK;
}

troth_rc http_query_page(const struct http_request *r, struct http_page *ret, struct troth_err *e)
{
	struct http_page p;
	TRY(http_query_int(r, "after", 0, 0, INT64_MAX - 1, &p.after, e));
	TRY(http_query_int(r, "limit", LIMIT_PAGE, 1, LIMIT_PAGE, &p.limit, e));
	*ret = p;
	return RC_OK;
}

troth_rc http_body_json(struct arena *a, const struct http_request *r, const struct json **ret, struct troth_err *e)
{
	static const struct json empty = { .type = JSON_OBJECT, .path = "$" };
	if (r->body.len == 0) {
		*ret = &empty;
		return RC_OK;
	}
	return json_parse(a, r->body, ret, e);
}

troth_rc http_body_read(struct arena *a, const struct http_request *r, const struct json_field *fields,
			size_t field_count, void *out, struct troth_err *e)
{
	const struct json *j;
	TRY(http_body_json(a, r, &j, e));
	return json_read(a, j, fields, field_count, out, e);
}

troth_rc http_body_form(struct arena *a, const struct http_request *r, struct http_pairs *ret, struct troth_err *e)
{
	return uri_pairs_parse(a, (const char *)r->body.data, r->body.len, ret, e);
}

struct http_reply http_reply_make(void) { return (struct http_reply){ .body = buf_make(HTTP_REPLY_BYTES) }; }

void http_reply_release(struct http_reply *reply) { buf_release(&reply->body); }

struct json_writer http_reply_json(struct http_reply *reply, int status)
{
	buf_clear(&reply->body);
	reply->status = status;
	reply->content_type = "application/json";
	return json_writer_make(&reply->body);
}

void http_reply_text(struct http_reply *reply, int status, const char *content_type, const char *text)
{
	buf_clear(&reply->body);
	reply->status = status;
	reply->content_type = content_type;
	buf_add_text(&reply->body, text);
}

void http_reply_header(struct http_reply *reply, struct arena *a, const char *name, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *value = arena_vprintf(a, fmt, ap);
	va_end(ap);
	CHECK(!strpbrk(value, "\r\n")); /* a header of the caller's inside ours: response splitting */
	CHECK(reply->header_count < HTTP_REPLY_HEADERS);
	reply->headers[reply->header_count++] = (struct http_pair){ name, value };
}

void http_reply_etag(struct http_reply *reply, struct arena *a, int64_t revision)
{
	http_reply_header(reply, a, "ETag", "\"%lld\"", (long long)revision);
}
