/* Findings about input.  See check.h. */
#include "service/check.h"

#include "base/limits.h"
#include "base/text.h"
#include "model/name.h"
#include "pki/pki.h"

enum { TTL_LEAST_S = 10, TTL_MOST_DAYS = 50 * 366 };

void check_fail(const struct checker *c, const char *path, const char *rule, const char *text, const char *hint)
{
	err_finding(c->a, c->e, path, rule, text, hint);
}

bool check_present(const struct checker *c, const char *path, const char *text)
{
	if (!text)
		check_fail(c, path, "required", "is missing", NULL);
	return text;
}

static bool judge(const struct checker *c, const char *path, const char *rule, const char *fault, const char *hint)
{
	if (fault)
		check_fail(c, path, rule, fault, hint);
	return !fault;
}

bool check_name(const struct checker *c, const char *path, const char *name)
{
	return check_present(c, path, name) && judge(c, path, "name", name_path_fault(name), NAME_PATH_HINT);
}

bool check_new_name(const struct checker *c, const char *path, const char *name, bool reserved_ok)
{
	if (!check_name(c, path, name))
		return false;
	bool bad = !reserved_ok && name_is_reserved(name);
	return judge(c, path, "reserved", bad ? "names below /troth/ belong to the program" : NULL, "choose another first segment");
}

bool check_label(const struct checker *c, const char *path, const char *label)
{
	return check_present(c, path, label) && judge(c, path, "name", name_label_fault(label), NAME_LABEL_HINT);
}

bool check_key_type(const struct checker *c, const char *path, const char *key_type)
{
	enum key_type type;
	if (!key_type || rc_ok(key_type_parse(key_type, &type, NULL)))
		return true;
	check_fail(c, path, "key-type", "is not a key type", "ec-p256, ec-p384, ed25519, rsa-2048, rsa-3072 or rsa-4096");
	return false;
}

bool check_role(const struct checker *c, const char *path, const char *role)
{
	bool good = !role || text_equal(role, "server") || text_equal(role, "client") || text_equal(role, "both");
	return judge(c, path, "role", good ? NULL : "is not a role", "server, client or both");
}

bool check_common_name(const struct checker *c, const char *path, const char *name)
{
	if (!name)
		return true;
	const char *fault = !*name ? "is empty" : strlen(name) > CERT_COMMON_NAME_MAX ? "is longer than 64 bytes" : NULL;
	return judge(c, path, "length", fault, "leave it out, or shorten it (RFC 5280 appendix A)");
}

bool check_subject_place(const struct checker *c, const struct cert_place *place)
{
	bool country = judge(c, "$.country", "country", cert_country_fault(place->country), "write it like DE (ISO 3166-1 alpha-2)");
	bool state = judge(c, "$.state", "length", cert_place_fault(place->state), "leave it out, or shorten it (RFC 5280 ub-state-name)");
	return judge(c, "$.locality", "length", cert_place_fault(place->locality), "leave it out, or shorten it (RFC 5280 ub-locality-name)") && country && state;
}

bool check_sans(const struct checker *c, const char *path, struct json_texts sans, bool patterns)
{
	bool good = judge(c, path, "required", sans.count ? NULL : "needs at least one name", NAME_SAN_HINT) &&
		    judge(c, path, "length", sans.count <= LIMIT_SAN_COUNT ? NULL : "has more than 100 names", NULL);
	for (size_t i = 0; good && i < sans.count; i++) {
		const char *fault = patterns ? name_san_pattern_fault(sans.items[i]) : name_san_fault(sans.items[i]);
		if (fault)
			check_fail(c, arena_printf(c->a, "%s[%zu]", path, i), "san", fault, NAME_SAN_HINT);
	}
	return good && check_done(c->e).code == 0;
}

bool check_ttl(const struct checker *c, const char *path, msec_t ttl)
{
	bool good = ttl == 0 || (ttl >= TTL_LEAST_S * MSEC_S && ttl <= TTL_MOST_DAYS * MSEC_DAY);
	return judge(c, path, "range", good ? NULL : "is not between 10 seconds and 50 years", "write it like 90d or 12h");
}

troth_rc check_done(const struct troth_err *e)
{
	return (troth_rc){ e->kind };
}
