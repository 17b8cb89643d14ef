/* Subject alternative names in text: which kind, and is the syntax right. */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "pki/cert.h"

enum { DNS_NAME_MAX = 253, DNS_LABEL_MAX = 63 }; /* RFC 1035 2.3.4 */

const char *san_kind_name(enum san_kind kind)
{
	static const char *const names[] = { [SAN_DNS] = "dns", [SAN_IP] = "ip", [SAN_URI] = "uri" };
	return names[kind];
}

static bool alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Letters, digits, inner hyphens; underscores because real host names have them. */
static bool label_ok(const char *s, size_t n)
{
	if (n == 0 || n > DNS_LABEL_MAX || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!alnum(s[i]) && s[i] != '-' && s[i] != '_')
			return false;
	return true;
}

/* A wildcard is the whole left label and never the only one (RFC 6125 6.4.3). */
static bool dns_ok(const char *s)
{
	if (text_starts(s, "*.")) {
		s += 2;
		if (!strchr(s, '.'))
			return false;
	}
	if (strlen(s) > DNS_NAME_MAX)
		return false;
	for (;;) {
		size_t n = strcspn(s, ".");
		if (!label_ok(s, n))
			return false;
		if (s[n] == 0)
			return true;
		s += n + 1;
	}
}

/* RFC 5280 4.2.1.6: absolute, with a scheme; IA5String, and here without blanks. */
static bool uri_ok(const char *s)
{
	size_t scheme = strcspn(s, ":");
	if (scheme == 0 || s[scheme] != ':' || s[scheme + 1] == 0 || strlen(s) > LIMIT_TEXT_BYTES)
		return false;
	for (size_t i = 0; i < scheme; i++)
		if (!alnum(s[i]) && !(i && strchr("+-.", s[i])))
			return false;
	for (; *s; s++)
		if (*s <= 0x20 || *s >= 0x7f)
			return false;
	return true;
}

troth_rc san_check(const struct san *san, struct troth_err *e)
{
	bool ok = false;
	switch (san->kind) {
	case SAN_DNS: ok = dns_ok(san->value); break;
	case SAN_IP: ok = text_is_address(san->value); break;
	case SAN_URI: ok = uri_ok(san->value); break;
	}
	if (ok)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "subject alternative name \"%.120s\" is not a %s", san->value,
			      san->kind == SAN_DNS ? "DNS name" : san->kind == SAN_IP ? "IP address" : "URI");
	err_hint(e, "write dns:db.example.org, dns:*.example.org, ip:10.0.0.1 or uri:scheme://name");
	return rc;
}

troth_rc san_parse(struct arena *a, const char *text, struct san *ret_san, struct troth_err *e)
{
	struct san san = { .value = text };
	if (text_starts(text, "dns:"))
		san = (struct san){ SAN_DNS, text + 4 };
	else if (text_starts(text, "ip:"))
		san = (struct san){ SAN_IP, text + 3 };
	else if (text_starts(text, "uri:"))
		san = (struct san){ SAN_URI, text + 4 };
	else
		san.kind = text_is_address(text) ? SAN_IP : strstr(text, "://") ? SAN_URI : SAN_DNS;
	TRY(san_check(&san, e));
	san.value = arena_text(a, san.value);
	ENSURE(san.value, e, TROTH_UNAVAILABLE, "out of memory");
	*ret_san = san;
	return RC_OK;
}
