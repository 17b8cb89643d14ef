/* HOST:PORT.  See address.h. */
#include "base/address.h"

#include <string.h>

enum { PORT_MOST = 65535 };

/* One to five digits and nothing else; -1: it is no port. */
static int port_parse(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	int port = 0;
	if (!digits || digits > 5 || text[digits])
		return -1;
	for (size_t i = 0; i < digits; i++)
		port = port * 10 + (text[i] - '0');
	return port <= PORT_MOST ? port : -1;
}

bool address_parse(const char *text, struct address *ret)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool v6 = len > 2 && text[0] == '[' && text[len - 1] == ']';
	struct address a = { v6 ? text + 1 : text, v6 ? len - 2 : len, len, colon ? port_parse(colon + 1) : -1 };
	if (a.port < 0 || !a.host_len || a.host_len > ADDRESS_HOST_MAX || strcspn(text, " \t\r\n\"'/@") != strlen(text))
		return false;
	if (memchr(a.host, '[', a.host_len) || memchr(a.host, ']', a.host_len) || (!v6 && memchr(a.host, ':', a.host_len)))
		return false;
	*ret = a;
	return true;
}

bool address_is_any(const struct address *a)
{
	static const char *const ANY[] = { "0.0.0.0", "::" };
	for (size_t i = 0; i < sizeof ANY / sizeof ANY[0]; i++)
		if (strlen(ANY[i]) == a->host_len && memcmp(ANY[i], a->host, a->host_len) == 0)
			return true;
	return false;
}
