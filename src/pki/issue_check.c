/* May this certificate be made?  All that is refused, with the words that say why, in one place. */
#include <string.h>

#include "base/limits.h"
#include "pki/issue.h"

static const char *const KIND_NAMES[CERT_KIND_COUNT] = { "root", "intermediate", "leaf" };

static msec_t whole_second(msec_t t)
{
	return t - t % MSEC_S;
}

bool cert_spec_clamp(struct cert_spec *spec, const struct cert *issuer)
{
	bool changed = whole_second(spec->not_after) > issuer->not_after;
	if (spec->not_after > issuer->not_after) /* also by less than a second: others compare it as it stands */
		spec->not_after = issuer->not_after;
	if (whole_second(spec->not_before) < issuer->not_before) {
		spec->not_before = issuer->not_before;
		changed = true;
	}
	return changed;
}

/* UTF-8, no control characters; returns the number of characters or -1. */
static int name_length(const char *s)
{
	int n = 0;
	for (const uint8_t *p = (const uint8_t *)s; *p; n++) {
		int more = *p < 0x80 ? 0 : *p >= 0xc2 && *p < 0xe0 ? 1 : *p >= 0xe0 && *p < 0xf0 ? 2 : *p >= 0xf0 && *p < 0xf5 ? 3 : -1;
		if (more < 0 || *p < 0x20 || *p == 0x7f)
			return -1;
		for (p++; more > 0; more--, p++)
			if ((*p & 0xc0) != 0x80)
				return -1;
	}
	return n;
}

static troth_rc check_name(const char *what, const char *s, struct troth_err *e)
{
	int n = s ? name_length(s) : 0;
	ENSURE(n >= 0, e, TROTH_INVALID, "%s is not UTF-8 text without control characters", what);
	if (n <= CERT_COMMON_NAME_MAX)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "%s \"%.100s\" has %d characters, more than %d", what, s, n,
			      CERT_COMMON_NAME_MAX);
	err_hint(e, "shorten it; host names belong into the alternative names");
	err_clause(e, "RFC 5280 appendix A.1");
	return rc;
}

const char *cert_country_fault(const char *country)
{
	if (!country)
		return NULL;
	size_t letters = 0;
	while ((country[letters] >= 'A' && country[letters] <= 'Z') || (country[letters] >= 'a' && country[letters] <= 'z'))
		letters++;
	return letters == CERT_COUNTRY_LEN && !country[letters] ? NULL : "is not a country's two letters";
}

const char *cert_place_fault(const char *text)
{
	int n = text ? name_length(text) : 1;
	return n < 0 ? "is not UTF-8 text without control characters" : n == 0 ? "is empty" : n > CERT_PLACE_MAX ? "is longer than 128 characters" : NULL;
}

/* "" is left out of the name, as of a common name. */
static troth_rc check_place(const char *what, const char *text, const char *(*fault)(const char *), struct troth_err *e)
{
	const char *why = text && text[0] ? fault(text) : NULL;
	return why ? err_set(e, TROTH_INVALID, "%s \"%.140s\" %s", what, text, why) : RC_OK;
}

static troth_rc check_subject(const struct cert_spec *spec, struct troth_err *e)
{
	bool named = spec->common_name && spec->common_name[0];
	TRY(check_name("common name", spec->common_name, e));
	TRY(check_name("organization", spec->organization, e));
	TRY(check_name("organizational unit", spec->organizational_unit, e));
	TRY(check_place("country", spec->place.country, cert_country_fault, e));
	TRY(check_place("state", spec->place.state, cert_place_fault, e));
	TRY(check_place("locality", spec->place.locality, cert_place_fault, e));
	ENSURE(named || spec->kind == CERT_LEAF, e, TROTH_INVALID, "a CA needs a common name");
	ENSURE(named || spec->san_count, e, TROTH_INVALID, "a leaf needs a common name or an alternative name");
	return RC_OK;
}

static troth_rc check_names(const struct cert_spec *spec, struct troth_err *e)
{
	ENSURE(spec->san_count <= LIMIT_SAN_COUNT, e, TROTH_TOO_LARGE, "%zu alternative names are more than %d",
	       spec->san_count, LIMIT_SAN_COUNT);
	ENSURE(spec->permitted_dns_count <= CERT_PERMITTED_MAX, e, TROTH_TOO_LARGE,
	       "%zu name constraints are more than %d", spec->permitted_dns_count, CERT_PERMITTED_MAX);
	for (size_t i = 0; i < spec->san_count; i++)
		TRY(san_check(&spec->sans[i], e));
	for (size_t i = 0; i < spec->permitted_dns_count; i++) {
		struct san base = { SAN_DNS, spec->permitted_dns[i] };
		ENSURE(base.value[0] != '*' && rc_ok(san_check(&base, NULL)), e, TROTH_INVALID,
		       "name constraint \"%.120s\" is not a domain", base.value);
	}
	return RC_OK;
}

/* What only CAs or only leaves have. */
static troth_rc check_kind(const struct cert_spec *spec, struct troth_err *e)
{
	ENSURE((unsigned)spec->kind < CERT_KIND_COUNT, e, TROTH_INVALID, "certificate kind %d is not known",
	       (int)spec->kind);
	bool leaf = spec->kind == CERT_LEAF;
	ENSURE(leaf || spec->san_count == 0, e, TROTH_INVALID, "a CA has no alternative names");
	ENSURE(leaf || spec->eku == 0, e, TROTH_INVALID, "a CA has no extended key usage");
	ENSURE(!leaf || spec->permitted_dns_count == 0, e, TROTH_INVALID, "a leaf has no name constraints");
	ENSURE((spec->eku & ~(unsigned)(EKU_SERVER | EKU_CLIENT)) == 0, e, TROTH_INVALID,
	       "extended key usage is server, client or both");
	ENSURE(leaf || spec->key_usage == 0, e, TROTH_INVALID, "the key usage of a CA is to sign certificates and lists, always");
	ENSURE((spec->key_usage & ~CERT_LEAF_USAGES) == 0, e, TROTH_INVALID, "a leaf signs no certificates: its key usage is of the first five bits");
	ENSURE(leaf || (spec->path_len >= -1 && spec->path_len <= LIMIT_CHAIN_CERTS), e, TROTH_INVALID,
	       "path length %d is not -1 (no limit) to %d", spec->path_len, LIMIT_CHAIN_CERTS);
	return RC_OK;
}

static troth_rc check_dates(const struct cert_spec *spec, struct troth_err *e)
{
	static const msec_t end = INT64_C(253402300799) * MSEC_S; /* 9999-12-31T23:59:59Z, RFC 5280 4.1.2.5 */
	char from[RFC3339_LEN], to[RFC3339_LEN];
	ENSURE(spec->not_before >= 0 && whole_second(spec->not_after) > whole_second(spec->not_before), e, TROTH_INVALID,
	       "validity from %s to %s is empty", time_format(spec->not_before, from), time_format(spec->not_after, to));
	ENSURE(spec->not_after <= end, e, TROTH_INVALID, "validity ends after the year 9999");
	return RC_OK;
}

static troth_rc check_serial(const struct cert_spec *spec, struct troth_err *e)
{
	uint8_t any = spec->serial[0] & 0x7f;
	for (size_t i = 1; i < CERT_SERIAL_LEN; i++)
		any |= spec->serial[i];
	ENSURE(any, e, TROTH_INVALID, "serial number is zero"); /* RFC 5280 4.1.2.2: positive */
	return RC_OK;
}

/* Nothing outlives what signs it: verifiers would refuse it from then on while its own date says
 * otherwise. */
static troth_rc check_outlives(const struct cert_spec *spec, const struct cert *issuer, struct troth_err *e)
{
	char own[RFC3339_LEN], its[RFC3339_LEN];
	if (whole_second(spec->not_after) <= issuer->not_after)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "the %s would outlive its issuer: it is to end at %s, %.100s ends at %s",
			      KIND_NAMES[spec->kind], time_format(whole_second(spec->not_after), own), issuer->subject,
			      time_format(issuer->not_after, its));
	err_hint(e, "ask for a shorter life, allow it to be clamped to the issuer's end, or rotate the issuer first");
	return rc;
}

static troth_rc check_issuer(const struct cert_spec *spec, const struct cert *issuer, struct troth_err *e)
{
	ENSURE(spec->kind != CERT_ROOT, e, TROTH_INVALID, "a root has no issuer but itself");
	ENSURE(issuer->is_ca && (!issuer->has_key_usage || (issuer->key_usage & USAGE_KEY_CERT_SIGN)), e, TROTH_INVALID,
	       "issuer %.100s is not a CA that may sign certificates", issuer->subject);
	ENSURE(issuer->ski.len, e, TROTH_INVALID, "issuer %.100s has no subject key identifier", issuer->subject);
	if (spec->kind == CERT_INTERMEDIATE) { /* RFC 5280 4.2.1.9: pathLenConstraint counts CAs below */
		ENSURE(issuer->path_len != 0, e, TROTH_INVALID, "issuer %.100s has path length 0: it signs no CAs",
		       issuer->subject);
		ENSURE(issuer->path_len < 0 || (spec->path_len >= 0 && spec->path_len < issuer->path_len), e,
		       TROTH_INVALID, "path length must be 0 to %d below issuer %.100s", issuer->path_len - 1,
		       issuer->subject);
	}
	return check_outlives(spec, issuer, e);
}

troth_rc cert_request_check(const struct cert_spec *spec, struct troth_err *e)
{
	enum key_type type;
	ENSURE(spec->kind == CERT_INTERMEDIATE, e, TROTH_INVALID, "only a CA below another one asks for its certificate");
	TRY(check_kind(spec, e));
	TRY(check_subject(spec, e));
	TRY(check_names(spec, e));
	return spki_check(spec->spki, &type, e);
}

troth_rc cert_spec_check(const struct cert_spec *spec, const struct cert *issuer, struct troth_err *e)
{
	enum key_type type;
	TRY(check_kind(spec, e));
	TRY(check_subject(spec, e));
	TRY(check_names(spec, e));
	TRY(check_dates(spec, e));
	TRY(check_serial(spec, e));
	TRY(spki_check(spec->spki, &type, e));
	ENSURE(issuer || spec->kind == CERT_ROOT, e, TROTH_INVALID, "a %s needs an issuer", KIND_NAMES[spec->kind]);
	return issuer ? check_issuer(spec, issuer, e) : RC_OK;
}
