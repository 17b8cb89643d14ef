/* The URL of a webhook, taken apart.  Strict: what is not understood is refused, as it decides whom the server calls. */
#include "service/webhook/webhook.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"

/* Printable ASCII without what a request line or a log line could trip over. */
static bool plain_text(const char *s)
{
	for (const unsigned char *p = (const unsigned char *)s; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("\"<>\\^`{|}", *p))
			return false;
	return true;
}

static const char *port_parse(const char *p, size_t len, int *ret)
{
	char *end, digits[8];
	if (len == 0 || len > 5 || strspn(p, "0123456789") < len)
		return "has a port that is no number";
	snprintf(digits, sizeof digits, "%.*s", (int)len, p);
	long port = strtol(digits, &end, 10);
	if (port < 1 || port > 65535)
		return "has a port that is not between 1 and 65535";
	*ret = (int)port;
	return NULL;
}

static bool host_good(const char *host, bool v6)
{
	uint8_t raw[16];
	return v6 ? inet_pton(AF_INET6, host, raw) == 1 : strspn(host, HOST_CHARS) == strlen(host) && host[0] != '.' && host[0] != '-';
}

/* "127.0.0.1", "::1", "localhost": only these are surely this machine, whatever a name server says. */
static bool is_loopback(const struct webhook_url *u)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (u->v6)
		return inet_pton(AF_INET6, u->host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
	return strcmp(u->host, "localhost") == 0 || (inet_pton(AF_INET, u->host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127);
}

static const char *authority_parse(const char *p, size_t len, struct webhook_url *u)
{
	u->v6 = len && p[0] == '[';
	const char *close = u->v6 ? memchr(p, ']', len) : NULL;
	const char *host = u->v6 ? p + 1 : p;
	const char *end = u->v6 ? close : memchr(p, ':', len);
	if (u->v6 && !close)
		return "has a bracket that is not closed";
	if (!end)
		end = p + len;
	if (end == host || (size_t)(end - host) >= sizeof u->host)
		return "has no host, or a too long one";
	snprintf(u->host, sizeof u->host, "%.*s", (int)(end - host), host);
	if (!host_good(u->host, u->v6))
		return "has a host that is neither a name nor an address";
	const char *rest = u->v6 ? close + 1 : end;
	if (rest == p + len)
		return NULL;
	return *rest == ':' ? port_parse(rest + 1, (size_t)(p + len - rest - 1), &u->port) : "has something behind its host that is no port";
}

const char *webhook_url_parse(const char *text, struct webhook_url *ret)
{
	struct webhook_url u = { .plain = text_starts(text, "http://") };
	if (!u.plain && !text_starts(text, "https://"))
		return "must begin with https://";
	if (strlen(text) > LIMIT_URL_BYTES / 2 || !plain_text(text))
		return "is too long, or has characters that a URL has not (write them as %XX)";
	const char *authority = text + (u.plain ? 7 : 8);
	size_t len = strcspn(authority, "/?#");
	if (memchr(authority, '@', len))
		return "has a user name in it; whether a message is true is what its signature says";
	if (strchr(text, '#'))
		return "has a fragment (#), which is not sent";
	u.port = u.plain ? 80 : 443;
	const char *fault = authority_parse(authority, len, &u);
	if (fault)
		return fault;
	if (u.plain && !is_loopback(&u))
		return "must begin with https://; http is for 127.0.0.1, [::1] and localhost only";
	if (authority[len] == '?')
		return "has no path before its query: write https://host/?...";
	u.target = authority[len] ? authority + len : "/";
	*ret = u;
	return NULL;
}

const char *webhook_url_server(struct arena *a, const struct webhook_url *u)
{
	return arena_printf(a, "%s://%s%s%s:%d", u->plain ? "http" : "https", u->v6 ? "[" : "", u->host, u->v6 ? "]" : "", u->port);
}
