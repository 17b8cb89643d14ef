/* Certificates as made: typed fields in, strict DER out.
 *
 * The keeper calls this; it signs nothing that is not built here from a cert_spec.  What comes out
 * has: v3, the given serial, subject and issuer as UTF8String (a country as PrintableString), critical basicConstraints and
 * keyUsage, SKI (RFC 7093 method 1), AKI (key identifier), EKU and SAN if asked for, critical
 * nameConstraints if asked for.  It passes `openssl verify -x509_strict` and `certtool --verify`. */
#ifndef TROTH_PKI_ISSUE_H
#define TROTH_PKI_ISSUE_H

#include "base/clock.h"
#include "pki/cert.h"
#include "pki/key.h"

enum cert_kind { CERT_ROOT, CERT_INTERMEDIATE, CERT_LEAF, CERT_KIND_COUNT };

enum {
	CERT_SERIAL_LEN = 16,
	CERT_COMMON_NAME_MAX = 64, /* characters: RFC 5280 appendix A, ub-common-name */
	CERT_PLACE_MAX = 128,      /* characters: the same, ub-locality-name and ub-state-name */
	CERT_COUNTRY_LEN = 2,      /* the same, ub-country-name-alpha-length */
	CERT_PERMITTED_MAX = 50,   /* name constraints of one CA */
};

/* How far before "now" not_before is set, for clocks that are behind (LIMIT_SKEW_S). */
#define CERT_BACKDATE (5 * MSEC_MIN)

/* Where a subject is, from the large to the small, which is the order in its name (RFC 4519 2.2, 2.33, 2.16). */
struct cert_place {
	const char *country;       /* two letters (ISO 3166-1 alpha-2); may be NULL, as the others */
	const char *state, *locality; /* at most CERT_PLACE_MAX characters */
};
/* What is wrong with it, as the end of a sentence; NULL: nothing, and for NULL. */
const char *cert_country_fault(const char *country);
const char *cert_place_fault(const char *state_or_locality);

struct cert_spec {
	enum cert_kind kind;
	const char *common_name;   /* may be NULL or "" for a leaf with SANs (RFC 5280 4.1.2.6) */
	const char *organization;  /* may be NULL */
	const char *organizational_unit; /* may be NULL */
	struct cert_place place;
	const struct san *sans;
	size_t san_count;          /* at most LIMIT_SAN_COUNT; leaves only */
	msec_t not_before, not_after; /* cut down to whole seconds */
	int path_len;              /* CAs: -1 no limit, or 0.. */
	const char *const *permitted_dns; /* CAs: "example.org" permits it and all below */
	size_t permitted_dns_count;
	unsigned eku;              /* EKU_SERVER | EKU_CLIENT; leaves only */
	unsigned key_usage;        /* leaves only: of CERT_LEAF_USAGES, 0 what the key needs; see cert_leaf_usage */
	uint8_t serial[CERT_SERIAL_LEN]; /* random; the top bit is cleared here, all zero is refused */
	struct bytes spki;         /* the subject's public key; of a root: that of the signing key */
};

/* What may be asked of a leaf; signing certificates is for CAs, and the two "only" bits mean nothing without a static key agreement. */
#define CERT_LEAF_USAGES \
	((unsigned)(USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION | USAGE_KEY_ENCIPHERMENT | USAGE_DATA_ENCIPHERMENT | USAGE_KEY_AGREEMENT))
/* The bits that a leaf with a key of this type gets: of `asked` those that such a key can do, and always digitalSignature, without
 * which there is no TLS 1.3 (RFC 8446 4.4.2.2).  RSA: RFC 3279 2.3.1 (it agrees on nothing); EC: RFC 8813 3 (it enciphers nothing);
 * Ed25519: RFC 9295 3.  asked 0: digitalSignature, of RSA also keyEncipherment. */
unsigned cert_leaf_usage(enum key_type type, unsigned asked);

/* Shortens the spec's dates to lie within the issuer's.  Returns whether anything changed. */
bool cert_spec_clamp(struct cert_spec *spec, const struct cert *issuer);
/* All that cert_build refuses, without building.  issuer NULL for a root. */
troth_rc cert_spec_check(const struct cert_spec *spec, const struct cert *issuer, struct troth_err *e);
/* issuer NULL: self-signed (kind must be CERT_ROOT and spki issuer_key's own).  Refuses (INVALID)
 * what would outlive its issuer (the text has both dates), a CA below a path length of 0, an issuer
 * that may not sign or whose key issuer_key is not, and all that cert_spec_check refuses.  Whether
 * names fit an issuer's name constraints is left to verifiers.  ret_der lives in arena a. */
troth_rc cert_build(const struct cert_spec *spec, const struct cert *issuer, const struct key *issuer_key,
		    struct arena *a, struct bytes *ret_der, struct troth_err *e);

/* -- a CA whose certificate somebody else signs ----------------------------------------------------- */
/* All that cert_request_build refuses.  Of the spec only names, path_len, permitted_dns and spki count; kind must be
 * CERT_INTERMEDIATE: dates, serial number and issuer are the other's to choose. */
troth_rc cert_request_check(const struct cert_spec *spec, struct troth_err *e);
/* PKCS#10 (RFC 2986) that asks for that CA: subject, and as extensionRequest (RFC 2985 5.4.2) basicConstraints, keyUsage,
 * SKI, and nameConstraints if asked for.  spec->spki is key's own.  ret_der lives in arena a. */
troth_rc cert_request_build(const struct cert_spec *spec, const struct key *key, struct arena *a, struct bytes *ret_der,
			    struct troth_err *e);

#endif
