/* A certificate as read: a plain struct in an arena, filled once.
 *
 * Reading is bounded before OpenSSL sees a byte (LIMIT_CERT_DER_BYTES, one strict outer SEQUENCE,
 * nothing behind it).  Reading does not judge: an expired certificate, or one with a key type that
 * troth does not issue, is read and described; verify.h judges. */
#ifndef TROTH_PKI_CERT_H
#define TROTH_PKI_CERT_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "pki/key.h"

enum san_kind { SAN_DNS, SAN_IP, SAN_URI };
struct san {
	enum san_kind kind;
	const char *value; /* "db.example.org", "*.example.org"; "10.0.0.1", "2001:db8::1"; "troth://instance/..." */
};
const char *san_kind_name(enum san_kind kind); /* "dns" "ip" "uri" */
/* "dns:db.example.org", "ip:10.0.0.1", "uri:spiffe://x", or without a prefix: an address is an IP,
 * a text with "://" a URI, all else DNS.  Checks the syntax.  The value is a copy in a. */
troth_rc san_parse(struct arena *a, const char *text, struct san *ret_san, struct troth_err *e);
/* Only the syntax of a san that is filled in already. */
troth_rc san_check(const struct san *san, struct troth_err *e);

enum { EKU_SERVER = 1, EKU_CLIENT = 2, EKU_OTHER = 4 }; /* bits; 0 with has_eku false: any use */

enum { /* bits of keyUsage, numbered as in RFC 5280 4.2.1.3 (OpenSSL owns KU_) */
	USAGE_DIGITAL_SIGNATURE = 1 << 0,
	USAGE_NON_REPUDIATION = 1 << 1,
	USAGE_KEY_ENCIPHERMENT = 1 << 2,
	USAGE_DATA_ENCIPHERMENT = 1 << 3,
	USAGE_KEY_AGREEMENT = 1 << 4,
	USAGE_KEY_CERT_SIGN = 1 << 5,
	USAGE_CRL_SIGN = 1 << 6,
};

struct cert {
	struct bytes der;                /* all of it; a copy in the arena */
	struct bytes serial;             /* big-endian magnitude without leading zeros */
	struct bytes subject_der, issuer_der; /* Name, canonical as it stands in the certificate */
	struct bytes spki;
	struct bytes ski, aki;           /* key identifiers; len 0 if absent */
	const char *subject, *issuer;    /* RFC 2253: "CN=/demo/ca,O=Demo" */
	const char *common_name;         /* "" if it has none; never used to check a host name */
	uint8_t fingerprint[SHA256_LEN]; /* SHA-256 of der */
	uint8_t key_id[SHA256_LEN];      /* SHA-256 of spki */
	msec_t not_before, not_after;    /* not_after is the last valid second */
	bool key_type_known;             /* key_type holds */
	enum key_type key_type;
	bool is_ca;
	int path_len;                    /* -1: no limit, or not a CA */
	bool has_key_usage, has_eku;
	unsigned key_usage, eku;         /* USAGE_ and EKU_ bits */
	const struct san *sans;          /* DNS, IP and URI names; others are left out */
	size_t san_count;
};

/* The result and all it points to live in arena a. */
troth_rc cert_parse(struct arena *a, struct bytes der, const struct cert **ret_cert, struct troth_err *e);
/* PEM (one certificate; more is an error) or DER. */
troth_rc cert_parse_any(struct arena *a, struct bytes pem_or_der, const struct cert **ret_cert,
			struct troth_err *e);
/* All certificates of a PEM text, in order, 1..LIMIT_BUNDLE_CERTS.  A block of another kind (a
 * private key, say) is an error that says so; text between blocks is skipped. */
troth_rc certs_parse_pem(struct arena *a, struct bytes pem, const struct cert *const **ret_certs,
			 size_t *ret_count, struct troth_err *e);
/* "-----BEGIN CERTIFICATE-----\n..." in arena a. */
const char *cert_pem(struct arena *a, struct bytes der);
/* "ab12...": 64 lower-case hex digits. */
char *cert_fingerprint_hex(const struct cert *c, char out[SHA256_HEX_LEN]);

/* Subject equals issuer and the signature verifies with its own key. */
bool cert_self_signed(const struct cert *c);
/* Names match, AKI/SKI do not contradict each other, parent is a CA that may sign, and parent's key
 * verifies the signature.  Dates are not looked at. */
bool cert_issued_by(const struct cert *child, const struct cert *parent);
/* The same host name rules as chain_verify: SAN only, never CN; wildcard for one whole left label. */
bool cert_host_matches(const struct cert *c, const char *host);

#endif
