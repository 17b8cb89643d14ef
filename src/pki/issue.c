/* Certificates as made (RFC 5280).  The order below is the order of the standard's ASN.1; the writer
 * closes lengths behind it, so the code reads like the structure it writes. */
#include "pki/issue.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/limits.h"
#include "pki/issue_internal.h"
#include "pki/key_internal.h"

#define EXT_OID(last) bytes_of("\x55\x1d" last, 3) /* id-ce: 2.5.29.n */
#define EXT_SKI EXT_OID("\x0e")
#define EXT_KEY_USAGE EXT_OID("\x0f")
#define EXT_SAN EXT_OID("\x11")
#define EXT_BASIC EXT_OID("\x13")
#define EXT_NAME_CONSTRAINTS EXT_OID("\x1e")
#define EXT_AKI EXT_OID("\x23")
#define EXT_EKU EXT_OID("\x25")

enum { KEY_IDENTIFIER_LEN = 20 };

/* -- names -------------------------------------------------------------------------------------- */
static void write_attribute(struct buf *w, const char oid[3], int tag, const char *text)
{
	if (!text || !text[0])
		return;
	size_t set = der_open(w, DER_SET), sequence = der_open(w, DER_SEQUENCE);
	der_add(w, DER_OID, bytes_of(oid, 3));
	der_add_text(w, tag, text);
	der_close(w, sequence);
	der_close(w, set);
}

static void write_subject(struct buf *w, const struct cert_spec *spec)
{
	size_t mark = der_open(w, DER_SEQUENCE);
	write_attribute(w, "\x55\x04\x06", DER_PRINTABLE_STRING, spec->place.country); /* 2.5.4.6: RFC 5280 appendix A.1 X520countryName */
	write_attribute(w, "\x55\x04\x08", DER_UTF8_STRING, spec->place.state); /* 2.5.4.8 */
	write_attribute(w, "\x55\x04\x07", DER_UTF8_STRING, spec->place.locality); /* 2.5.4.7 */
	write_attribute(w, "\x55\x04\x0a", DER_UTF8_STRING, spec->organization); /* 2.5.4.10 */
	write_attribute(w, "\x55\x04\x0b", DER_UTF8_STRING, spec->organizational_unit); /* 2.5.4.11 */
	write_attribute(w, "\x55\x04\x03", DER_UTF8_STRING, spec->common_name); /* 2.5.4.3 */
	der_close(w, mark);
}

static bool subject_empty(const struct cert_spec *spec)
{
	const char *const names[] = { spec->common_name, spec->organization, spec->organizational_unit, spec->place.country,
				      spec->place.state, spec->place.locality };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i] && names[i][0])
			return false;
	return true;
}

/* -- extensions --------------------------------------------------------------------------------- */
struct extension { size_t outer, octets; };

static struct extension extension_open(struct buf *w, struct bytes oid, bool critical)
{
	struct extension x = { .outer = der_open(w, DER_SEQUENCE) };
	der_add(w, DER_OID, oid);
	if (critical)
		der_add_true(w);
	x.octets = der_open(w, DER_OCTET_STRING);
	return x;
}

static void extension_close(struct buf *w, struct extension x)
{
	der_close(w, x.octets);
	der_close(w, x.outer);
}

/* RFC 5280 4.2.1.9 */
static void write_basic_constraints(struct buf *w, const struct cert_spec *spec)
{
	struct extension x = extension_open(w, EXT_BASIC, true);
	size_t mark = der_open(w, DER_SEQUENCE);
	if (spec->kind != CERT_LEAF) {
		der_add_true(w);
		if (spec->path_len >= 0)
			der_add_small(w, spec->path_len);
	}
	der_close(w, mark);
	extension_close(w, x);
}

unsigned cert_leaf_usage(enum key_type type, unsigned asked)
{
	unsigned can = USAGE_DIGITAL_SIGNATURE | USAGE_NON_REPUDIATION;
	if (key_is_rsa(type))
		can |= USAGE_KEY_ENCIPHERMENT | USAGE_DATA_ENCIPHERMENT;
	else if (type != KEY_ED25519)
		can |= USAGE_KEY_AGREEMENT;
	return USAGE_DIGITAL_SIGNATURE | (can & (asked ? asked : (unsigned)USAGE_KEY_ENCIPHERMENT));
}

unsigned issue_key_usage(const struct cert_spec *spec, enum key_type type)
{
	return spec->kind == CERT_LEAF ? cert_leaf_usage(type, spec->key_usage) : (unsigned)(USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN);
}

static void write_key_usage(struct buf *w, unsigned bits)
{
	struct extension x = extension_open(w, EXT_KEY_USAGE, true);
	der_add_named_bits(w, bits);
	extension_close(w, x);
}

void issue_key_identifier(struct bytes spki, uint8_t out[20])
{
	struct bytes in = spki, body, skip, bits;
	uint8_t digest[SHA256_LEN];
	bool ok = der_read(&in, DER_SEQUENCE, &body) && der_read(&body, DER_SEQUENCE, &skip) && der_read_bits(&body, &bits);
	CHECK(ok); /* cert_spec_check has read it */
	pki_sha256(bits, digest);
	memcpy(out, digest, KEY_IDENTIFIER_LEN);
}

static void write_ski(struct buf *w, struct bytes id)
{
	struct extension x = extension_open(w, EXT_SKI, false);
	der_add(w, DER_OCTET_STRING, id);
	extension_close(w, x);
}

static void write_aki(struct buf *w, struct bytes id)
{
	struct extension x = extension_open(w, EXT_AKI, false);
	size_t mark = der_open(w, DER_SEQUENCE);
	der_add(w, DER_CONTEXT | 0, id);
	der_close(w, mark);
	extension_close(w, x);
}

static void write_eku(struct buf *w, unsigned eku)
{
	if (!eku)
		return;
	struct extension x = extension_open(w, EXT_EKU, false);
	size_t mark = der_open(w, DER_SEQUENCE);
	if (eku & EKU_SERVER)
		der_add(w, DER_OID, bytes_of("\x2b\x06\x01\x05\x05\x07\x03\x01", 8)); /* id-kp-serverAuth */
	if (eku & EKU_CLIENT)
		der_add(w, DER_OID, bytes_of("\x2b\x06\x01\x05\x05\x07\x03\x02", 8)); /* id-kp-clientAuth */
	der_close(w, mark);
	extension_close(w, x);
}

static void write_address(struct buf *w, const char *text)
{
	uint8_t raw[16];
	if (inet_pton(AF_INET, text, raw) == 1)
		der_add(w, DER_CONTEXT | 7, bytes_of(raw, 4));
	else if (inet_pton(AF_INET6, text, raw) == 1)
		der_add(w, DER_CONTEXT | 7, bytes_of(raw, 16));
	else
		w->failed = true;
}

/* RFC 5280 4.2.1.6: critical when it is all the name there is. */
static void write_sans(struct buf *w, const struct cert_spec *spec)
{
	if (!spec->san_count)
		return;
	struct extension x = extension_open(w, EXT_SAN, subject_empty(spec));
	size_t mark = der_open(w, DER_SEQUENCE);
	for (size_t i = 0; i < spec->san_count; i++) {
		const struct san *san = &spec->sans[i];
		if (san->kind == SAN_IP)
			write_address(w, san->value);
		else
			der_add_text(w, DER_CONTEXT | (san->kind == SAN_DNS ? 2 : 6), san->value);
	}
	der_close(w, mark);
	extension_close(w, x);
}

/* RFC 5280 4.2.1.10: permittedSubtrees, minimum 0 by default. */
static void write_name_constraints(struct buf *w, const struct cert_spec *spec)
{
	if (!spec->permitted_dns_count)
		return;
	struct extension x = extension_open(w, EXT_NAME_CONSTRAINTS, true);
	size_t mark = der_open(w, DER_SEQUENCE), permitted = der_open(w, DER_CONTEXT_CONSTRUCTED | 0);
	for (size_t i = 0; i < spec->permitted_dns_count; i++) {
		size_t subtree = der_open(w, DER_SEQUENCE);
		der_add_text(w, DER_CONTEXT | 2, spec->permitted_dns[i]);
		der_close(w, subtree);
	}
	der_close(w, permitted);
	der_close(w, mark);
	extension_close(w, x);
}

/* What a CA asks for: its own half of the extensions. */
static void write_requested(struct buf *w, const struct cert_spec *spec, enum key_type type)
{
	uint8_t id[KEY_IDENTIFIER_LEN];
	issue_key_identifier(spec->spki, id);
	size_t mark = der_open(w, DER_SEQUENCE);
	write_basic_constraints(w, spec);
	write_key_usage(w, issue_key_usage(spec, type));
	write_ski(w, bytes_of(id, sizeof id));
	write_name_constraints(w, spec);
	der_close(w, mark);
}

static void write_extensions(struct buf *w, const struct cert_spec *spec, enum key_type type, const struct cert *issuer)
{
	uint8_t id[KEY_IDENTIFIER_LEN];
	issue_key_identifier(spec->spki, id);
	struct bytes own = bytes_of(id, sizeof id);
	size_t tagged = der_open(w, DER_CONTEXT_CONSTRUCTED | 3), mark = der_open(w, DER_SEQUENCE);
	write_basic_constraints(w, spec);
	write_key_usage(w, issue_key_usage(spec, type));
	write_eku(w, spec->eku);
	write_ski(w, own);
	write_aki(w, issuer ? issuer->ski : own);
	write_sans(w, spec);
	write_name_constraints(w, spec);
	der_close(w, mark);
	der_close(w, tagged);
}

/* -- the whole ------------------------------------------------------------------------------------ */
static void write_serial(struct buf *w, const uint8_t serial[CERT_SERIAL_LEN])
{
	uint8_t positive[CERT_SERIAL_LEN];
	memcpy(positive, serial, sizeof positive);
	positive[0] &= 0x7f;
	der_add_unsigned(w, bytes_of(positive, sizeof positive));
}

static void write_tbs(struct buf *w, const struct cert_spec *spec, enum key_type type, const struct cert *issuer,
		      enum key_type issuer_type)
{
	size_t tbs = der_open(w, DER_SEQUENCE), version = der_open(w, DER_CONTEXT_CONSTRUCTED | 0);
	der_add_small(w, 2); /* v3 */
	der_close(w, version);
	write_serial(w, spec->serial);
	key_write_signature_algorithm(w, issuer_type);
	if (issuer)
		buf_add_bytes(w, issuer->subject_der);
	else
		write_subject(w, spec);
	size_t validity = der_open(w, DER_SEQUENCE);
	der_add_time(w, spec->not_before);
	der_add_time(w, spec->not_after);
	der_close(w, validity);
	write_subject(w, spec);
	buf_add_bytes(w, spec->spki);
	write_extensions(w, spec, type, issuer);
	der_close(w, tbs);
}

static troth_rc sign_whole(const struct buf *tbs, const struct key *key, size_t max, struct arena *a, struct bytes *ret_der,
			   struct troth_err *e)
{
	CLEANUP(buf_release) struct buf signature = buf_make(KEY_SIGNATURE_MAX);
	CLEANUP(buf_release) struct buf out = buf_make(max);
	TRY(key_sign(key, buf_bytes(tbs), &signature, e));
	size_t mark = der_open(&out, DER_SEQUENCE);
	buf_add_bytes(&out, buf_bytes(tbs));
	key_write_signature_algorithm(&out, key->type);
	der_add_bits(&out, buf_bytes(&signature));
	der_close(&out, mark);
	ENSURE(buf_ok(&out), e, TROTH_TOO_LARGE, "what is signed would be larger than %zu bytes", max);
	struct bytes der = arena_bytes(a, buf_bytes(&out));
	ENSURE(der.data, e, TROTH_UNAVAILABLE, "out of memory");
	*ret_der = der;
	return RC_OK;
}

troth_rc cert_build(const struct cert_spec *spec, const struct cert *issuer, const struct key *issuer_key,
		    struct arena *a, struct bytes *ret_der, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf tbs = buf_make(LIMIT_CERT_DER_BYTES);
	enum key_type type;
	TRY(cert_spec_check(spec, issuer, e));
	TRY(spki_check(spec->spki, &type, e));
	ENSURE(key_public_matches(issuer_key, issuer ? issuer->spki : spec->spki), e, TROTH_INVALID,
	       "the signing key does not belong to %s", issuer ? issuer->subject : "the root's public key");
	write_tbs(&tbs, spec, type, issuer, key_type_of(issuer_key));
	ENSURE(buf_ok(&tbs), e, TROTH_TOO_LARGE, "certificate would be larger than %d bytes", LIMIT_CERT_DER_BYTES);
	return sign_whole(&tbs, issuer_key, LIMIT_CERT_DER_BYTES, a, ret_der, e);
}

/* -- a request for one ----------------------------------------------------------------------------- */

/* RFC 2986 4.1: CertificationRequestInfo { version, subject, subjectPKInfo, [0] attributes } */
static void write_request(struct buf *w, const struct cert_spec *spec, enum key_type type)
{
	size_t info = der_open(w, DER_SEQUENCE);
	der_add_small(w, 0);
	write_subject(w, spec);
	buf_add_bytes(w, spec->spki);
	size_t attributes = der_open(w, DER_CONTEXT_CONSTRUCTED | 0), attribute = der_open(w, DER_SEQUENCE);
	der_add(w, DER_OID, bytes_of("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e", 9)); /* extensionRequest: 1.2.840.113549.1.9.14 */
	size_t values = der_open(w, DER_SET);
	write_requested(w, spec, type);
	der_close(w, values);
	der_close(w, attribute);
	der_close(w, attributes);
	der_close(w, info);
}

troth_rc cert_request_build(const struct cert_spec *spec, const struct key *key, struct arena *a, struct bytes *ret_der,
			    struct troth_err *e)
{
	CLEANUP(buf_release) struct buf info = buf_make(LIMIT_CSR_DER_BYTES);
	TRY(cert_request_check(spec, e));
	ENSURE(key_public_matches(key, spec->spki), e, TROTH_INVALID, "the signing key is not the one that the request is for");
	write_request(&info, spec, key_type_of(key));
	ENSURE(buf_ok(&info), e, TROTH_TOO_LARGE, "certificate request would be larger than %d bytes", LIMIT_CSR_DER_BYTES);
	return sign_whole(&info, key, LIMIT_CSR_DER_BYTES, a, ret_der, e);
}
