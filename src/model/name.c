/* Names: one walk over the text each, and a sentence when it is wrong.  See name.h. */
#include "model/name.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"

static const char INSTANCE[] = "{instance}";

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_name_char(char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; }

/* One segment of a path: [p, end). */
static const char *segment_fault(const char *p, const char *end)
{
	if (p == end)
		return "has an empty segment ('//' or a '/' at the end)";
	if (*p == '.')
		return "has a segment that starts with '.'";
	for (; p < end; p++)
		if (!is_name_char(*p))
			return "has a character that is not a letter, a digit, '.', '_', '-' or '/'";
	return NULL;
}

const char *name_path_fault(const char *name)
{
	if (!name || name[0] != '/')
		return "must start with '/'";
	if (strlen(name) > LIMIT_NAME_BYTES)
		return "is longer than 200 bytes";
	for (const char *p = name + 1;;) {
		const char *end = strchrnul(p, '/');
		const char *fault = segment_fault(p, end);
		if (fault || !*end)
			return fault;
		p = end + 1;
	}
}

const char *name_label_fault(const char *name)
{
	if (!name || !*name)
		return "is empty";
	if (strlen(name) > NAME_LABEL_BYTES)
		return "is longer than 63 bytes";
	if (!is_alnum(name[0]))
		return "must start with a letter or a digit";
	for (const char *p = name; *p; p++)
		if (!is_name_char(*p))
			return "has a character that is not a letter, a digit, '.', '_' or '-'";
	return NULL;
}

const char *name_deployment_fault(const char *name)
{
	return name && name[0] == '/' ? name_path_fault(name) : name_label_fault(name);
}

const char *name_scope_fault(const char *scope)
{
	if (!scope || !*scope)
		return "is empty";
	if (strlen(scope) > LIMIT_NAME_BYTES)
		return "is longer than 200 bytes";
	for (const char *p = scope; *p; p++)
		if (!is_name_char(*p) && *p != '/' && *p != '*')
			return "has a character that is not a letter, a digit, '.', '_', '-', '/' or '*'";
	return NULL;
}

bool name_is_reserved(const char *name) { return text_starts(name, "/troth/") || text_equal(name, "/troth"); }

/* -- patterns ---------------------------------------------------------------------------- */
bool name_pattern_has_instance(const char *pattern) { return strstr(pattern, INSTANCE) != NULL; }

const char *name_pattern_expand(struct arena *a, const char *pattern, const char *instance)
{
	const char *out = arena_text(a, "");
	for (const char *at; (at = strstr(pattern, INSTANCE)); pattern = at + sizeof INSTANCE - 1)
		out = arena_printf(a, "%s%.*s%s", out, (int)(at - pattern), pattern, instance);
	return arena_printf(a, "%s%s", out, pattern);
}

/* The pattern with `label` for each placeholder into out; false if it does not fit. */
static bool expand_into(char *out, size_t size, const char *pattern, const char *label)
{
	size_t used = 0;
	while (*pattern) {
		bool hit = text_starts(pattern, INSTANCE);
		size_t len = hit ? strlen(label) : 1;
		if (used + len + 1 > size)
			return false;
		memcpy(out + used, hit ? label : pattern, len);
		used += len;
		pattern += hit ? sizeof INSTANCE - 1 : 1;
	}
	out[used] = 0;
	return true;
}

/* Tries the check on what a label of one and one of 63 characters makes of the pattern. */
static const char *expanded_fault(const char *pattern, const char *(*check)(const char *))
{
	char longest[NAME_LABEL_BYTES + 1], text[NAME_URI_BYTES * 2];
	if (!pattern || !*pattern)
		return "is empty";
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = 0;
	if (!expand_into(text, sizeof text, pattern, longest))
		return "is too long once {instance} is filled in";
	if (strpbrk(text, "{}"))
		return "has a placeholder that is not {instance}";
	const char *fault = check(text);
	if (fault)
		return fault;
	return expand_into(text, sizeof text, pattern, "x") ? check(text) : "is too long";
}

const char *name_pattern_fault(const char *pattern) { return expanded_fault(pattern, name_path_fault); }

/* -- subject alternative names ----------------------------------------------------------- */
const char *name_san_value(const char *san, enum name_san_kind *ret_kind)
{
	static const struct { const char *prefix; enum name_san_kind kind; } PREFIXES[] = {
		{ "dns:", NAME_SAN_DNS }, { "ip:", NAME_SAN_IP }, { "uri:", NAME_SAN_URI },
	};
	for (size_t i = 0; i < ARRAY_LEN(PREFIXES); i++) {
		if (!text_starts(san, PREFIXES[i].prefix))
			continue;
		*ret_kind = PREFIXES[i].kind;
		return san + strlen(PREFIXES[i].prefix);
	}
	*ret_kind = strstr(san, "://") ? NAME_SAN_URI : text_is_address(san) ? NAME_SAN_IP : NAME_SAN_DNS;
	return san;
}

static const char *dns_label_fault(const char *p, const char *end)
{
	if (p == end)
		return "has an empty DNS label";
	if (end - p > NAME_LABEL_BYTES)
		return "has a DNS label longer than 63 bytes";
	if (*p == '-' || end[-1] == '-')
		return "has a DNS label that starts or ends with '-'";
	for (; p < end; p++)
		if (!is_alnum(*p) && *p != '-')
			return "has a character that no DNS name may have";
	return NULL;
}

static const char *dns_fault(const char *name)
{
	if (strlen(name) > NAME_DNS_BYTES)
		return "is longer than 253 bytes";
	if (text_starts(name, "*.")) {
		name += 2;
		if (!strchr(name, '.'))
			return "has a wildcard directly below a top-level name";
	}
	for (const char *p = name;;) {
		const char *end = strchrnul(p, '.');
		const char *fault = dns_label_fault(p, end);
		if (fault || !*end)
			return fault;
		p = end + 1;
	}
}

static const char *uri_fault(const char *uri)
{
	const char *colon = strstr(uri, "://");
	if (strlen(uri) > NAME_URI_BYTES)
		return "is longer than 512 bytes";
	if (!colon || colon == uri)
		return "is a URI without a scheme and '://'";
	if (uri[0] >= '0' && uri[0] <= '9') /* RFC 3986 3.1 */
		return "is a URI whose scheme starts with a digit";
	for (const char *p = uri; p < colon; p++)
		if (!is_alnum(*p) && !(p > uri && strchr("+-.", *p)))
			return "has a URI scheme with a character that none may have";
	if (!colon[3] || strchr("/?#", colon[3]))
		return "is a URI without a host";
	for (const char *p = colon; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("\"<>\\^`{|}", *p))
			return "has a character that a URI must write as %XX";
	return NULL;
}

const char *name_san_fault(const char *san)
{
	enum name_san_kind kind;
	if (!san || !*san)
		return "is empty";
	const char *value = name_san_value(san, &kind);
	if (!*value)
		return "is empty behind its prefix";
	if (kind == NAME_SAN_IP)
		return text_is_address(value) ? NULL : "is not an IPv4 or IPv6 address";
	return kind == NAME_SAN_URI ? uri_fault(value) : dns_fault(value);
}

const char *name_san_pattern_fault(const char *san) { return expanded_fault(san, name_san_fault); }
