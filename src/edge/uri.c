/* Percent-decoding with the checks that keep a path a path. */
#include "edge/uri.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/text.h"

/* Decodes into fresh memory.  No byte that could end a C string or a log line early gets through. */
static troth_rc decode(struct arena *a, const char *p, size_t len, bool plus_is_space, char **ret, struct troth_err *e)
{
	char *out = arena_alloc(a, len + 1), *o = out;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)p[i];
		if (c == '%') {
			ENSURE(i + 2 < len && hex_decode(p + i + 1, 2, &c, 1), e, TROTH_INVALID,
			       "the URL holds a broken %% escape");
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		ENSURE(c != 0, e, TROTH_INVALID, "the URL or form holds a NUL character");
		*o++ = (char)c;
	}
	*ret = out;
	return RC_OK;
}

static troth_rc pair_parse(struct arena *a, const char *p, size_t len, struct http_pair *ret, struct troth_err *e)
{
	const char *eq = memchr(p, '=', len);
	size_t name_len = eq ? (size_t)(eq - p) : len;
	char *name, *value;
	TRY(decode(a, p, name_len, true, &name, e));
	TRY(decode(a, eq ? eq + 1 : "", eq ? len - name_len - 1 : 0, true, &value, e));
	*ret = (struct http_pair){ name, value };
	return RC_OK;
}

troth_rc uri_pairs_parse(struct arena *a, const char *text, size_t len, struct http_pairs *ret, struct troth_err *e)
{
	struct http_pair items[URI_PAIRS];
	size_t count = 0;
	while (len) {
		const char *amp = memchr(text, '&', len);
		size_t n = amp ? (size_t)(amp - text) : len;
		ENSURE(n == 0 || count < URI_PAIRS, e, TROTH_TOO_LARGE, "more than %d parameters", URI_PAIRS);
		if (n)
			TRY(pair_parse(a, text, n, &items[count++], e));
		text += n + (amp ? 1 : 0);
		len -= n + (amp ? 1 : 0);
	}
	*ret = (struct http_pairs){ arena_copy(a, items, count * sizeof items[0]), count };
	return RC_OK;
}

static bool has_dot_segment(const char *path)
{
	for (const char *p = path; (p = strchr(p, '/')); ) {
		p++;
		size_t n = strcspn(p, "/");
		if ((n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return true;
	}
	return false;
}

static bool has_control(const char *s)
{
	for (; *s; s++)
		if (iscntrl((unsigned char)*s))
			return true;
	return false;
}

/* RFC 9112 3.2.2: drop "https://host" of the absolute form. */
static void skip_authority(const char **p, size_t *len)
{
	const char *scheme = "https://";
	size_t n = strlen(scheme);
	if (*len < n || strncasecmp(*p, scheme, n) != 0)
		return;
	const char *slash = memchr(*p + n, '/', *len - n);
	size_t skip = slash ? (size_t)(slash - *p) : *len;
	*p += skip;
	*len -= skip;
}

troth_rc uri_parse(struct arena *a, const char *target, size_t len, const char **ret_path, struct http_pairs *ret_query,
		   struct troth_err *e)
{
	char *path;
	struct http_pairs query = { 0 };
	ENSURE(len <= LIMIT_URL_BYTES, e, TROTH_TOO_LARGE, "the URL has %zu bytes; at most %d are accepted", len,
	       LIMIT_URL_BYTES);
	skip_authority(&target, &len);
	ENSURE(len > 0 && target[0] == '/', e, TROTH_INVALID, "the request target must be a path that starts with /");
	const char *mark = memchr(target, '?', len);
	size_t path_len = mark ? (size_t)(mark - target) : len;
	TRY(decode(a, target, path_len, false, &path, e));
	ENSURE(!has_control(path), e, TROTH_INVALID, "the path holds a control character");
	ENSURE(!has_dot_segment(path), e, TROTH_INVALID, "the path holds a . or .. segment");
	if (mark)
		TRY(uri_pairs_parse(a, mark + 1, len - path_len - 1, &query, e));
	*ret_path = path;
	*ret_query = query;
	return RC_OK;
}

const char *uri_path_nearly(struct arena *a, const char *target, size_t len)
{
	skip_authority(&target, &len);
	const char *mark = memchr(target, '?', len);
	size_t path_len = mark ? (size_t)(mark - target) : len;
	char *out = arena_alloc(a, path_len + 1), *o = out;
	for (size_t i = 0; i < path_len; i++) {
		uint8_t c = 0;
		bool whole = target[i] == '%' && i + 2 < path_len && hex_decode(target + i + 1, 2, &c, 1) && c;
		*o++ = whole ? (char)c : target[i];
		i += whole ? 2 : 0;
	}
	return out;
}

char *uri_escape(struct arena *a, const char *value)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = arena_alloc(a, strlen(value) * 3 + 1), *o = out;
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;
		if (isalnum(c) || strchr("-._~", c)) {
			*o++ = (char)c;
		} else {
			*o++ = '%';
			*o++ = hex[c >> 4];
			*o++ = hex[c & 15];
		}
	}
	return out;
}

static bool port_parse(const char *p, int *ret)
{
	int port = 0;
	if (!*p)
		return false;
	for (; isdigit((unsigned char)*p) && port < 65536; p++)
		port = port * 10 + (*p - '0');
	*ret = port;
	return (!*p || strcmp(p, "/") == 0) && port > 0 && port < 65536;
}

static bool is_address(const char *host)
{
	uint8_t raw[16];
	return inet_pton(AF_INET, host, raw) == 1 || inet_pton(AF_INET6, host, raw) == 1;
}

static bool server_parse(const char *url, int port, struct uri_server *s)
{
	bool v6 = url[0] == '[';
	const char *end = v6 ? strchr(url, ']') : url + strcspn(url, ":/?#@");
	const char *start = v6 ? url + 1 : url;
	if (!end || end == start || (size_t)(end - start) >= sizeof s->host)
		return false;
	snprintf(s->host, sizeof s->host, "%.*s", (int)(end - start), start);
	s->is_address = is_address(s->host);
	end += v6 ? 1 : 0;
	s->port = port;
	if (v6 && !s->is_address)
		return false;
	return *end == ':' ? port_parse(end + 1, &s->port) : !*end || strcmp(end, "/") == 0;
}

troth_rc uri_server_parse(const char *url, struct uri_server *ret, struct troth_err *e)
{
	static const char scheme[] = "https://";
	struct uri_server s = { 0 };
	if (!text_starts(url, scheme) || !server_parse(url + strlen(scheme), 443, &s)) {
		troth_rc rc = err_set(e, TROTH_INVALID, "\"%.200s\" is not a server's address", url);
		err_hint(e, "write https://HOST:PORT, such as https://127.0.0.1:8443; plain http is not spoken");
		return rc;
	}
	*ret = s;
	return RC_OK;
}

troth_rc uri_plain_server_parse(const char *url, struct uri_server *ret, struct troth_err *e)
{
	static const char scheme[] = "http://";
	struct uri_server s = { 0 };
	ENSURE(text_starts(url, scheme) && server_parse(url + strlen(scheme), 80, &s), e, TROTH_INVALID,
	       "\"%.200s\" is not the address of a server that speaks plain http", url);
	*ret = s;
	return RC_OK;
}
