/* Certificates as read.  Our own walk finds the parts of the TBSCertificate as they stand (so that a
 * fingerprint, a name or a key is never re-encoded), OpenSSL reads the extensions. */
#include "pki/cert.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"
#include "pki/cert_internal.h"
#include "pki/der.h"
#include "pki/pem.h"

troth_rc x509_load(struct bytes der, X509 **ret_x509, struct troth_err *e)
{
	struct bytes in = der, whole;
	ENSURE(der.len <= LIMIT_CERT_DER_BYTES, e, TROTH_TOO_LARGE, "certificate of %zu bytes is larger than %d", der.len,
	       LIMIT_CERT_DER_BYTES);
	ENSURE(der_read_whole(&in, DER_SEQUENCE, &whole) && in.len == 0, e, TROTH_INVALID,
	       "certificate is not one strict DER value");
	const uint8_t *p = der.data;
	X509 *x = d2i_X509(NULL, &p, (long)der.len);
	ERR_clear_error();
	if (!x || p != der.data + der.len) {
		X509_free(x);
		return err_set(e, TROTH_INVALID, "certificate could not be decoded");
	}
	*ret_x509 = x;
	return RC_OK;
}

const char *x509_name_text(struct arena *a, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data = NULL;
	const char *text = "";
	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
		long n = BIO_get_mem_data(bio, &data);
		text = arena_text_n(a, n > 0 ? data : "", n > 0 ? (size_t)n : 0);
	} else {
		text = arena_text(a, "(a name that cannot be read)");
	}
	BIO_free(bio);
	ERR_clear_error();
	return text;
}

/* -- the parts as they stand ------------------------------------------------------------------- */
static void trim_zeros(struct bytes *m)
{
	while (m->len > 1 && m->data[0] == 0)
		*m = bytes_of(m->data + 1, m->len - 1);
}

/* RFC 5280 4.1: version, serial, signature, issuer, validity, subject, subjectPublicKeyInfo. */
static bool read_parts(struct cert *c)
{
	struct bytes in = c->der, outer, tbs, skip;
	if (!der_read(&in, DER_SEQUENCE, &outer) || !der_read(&outer, DER_SEQUENCE, &tbs))
		return false;
	(void)der_read(&tbs, DER_CONTEXT_CONSTRUCTED | 0, &skip); /* version 1 has none */
	if (!der_read(&tbs, DER_INTEGER, &c->serial) || !der_read(&tbs, DER_SEQUENCE, &skip) ||
	    !der_read_whole(&tbs, DER_SEQUENCE, &c->issuer_der) || !der_read(&tbs, DER_SEQUENCE, &skip) ||
	    !der_read_whole(&tbs, DER_SEQUENCE, &c->subject_der) || !der_read_whole(&tbs, DER_SEQUENCE, &c->spki))
		return false;
	trim_zeros(&c->serial);
	return true;
}

static bool read_time(const ASN1_TIME *t, msec_t *ret)
{
	struct tm tm;
	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*ret = (msec_t)timegm(&tm) * MSEC_S;
	return true;
}

static struct bytes octets(struct arena *a, const ASN1_OCTET_STRING *s)
{
	if (!s)
		return bytes_of(NULL, 0);
	return arena_bytes(a, bytes_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)));
}

/* -- extensions ---------------------------------------------------------------------------------- */
static bool read_san(struct arena *a, const GENERAL_NAME *n, struct san *ret, bool *ret_known)
{
	char text[INET6_ADDRSTRLEN];
	*ret_known = true;
	if (n->type == GEN_IPADD) {
		int len = ASN1_STRING_length(n->d.iPAddress);
		if ((len != 4 && len != 16) ||
		    !inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(n->d.iPAddress), text, sizeof text))
			return false;
		*ret = (struct san){ SAN_IP, arena_text(a, text) };
		return ret->value != NULL;
	}
	if (n->type != GEN_DNS && n->type != GEN_URI) {
		*ret_known = false;
		return true;
	}
	const char *s = (const char *)ASN1_STRING_get0_data(n->d.ia5);
	size_t len = (size_t)ASN1_STRING_length(n->d.ia5);
	if (memchr(s, 0, len)) /* "good.example\0.evil.example" */
		return false;
	*ret = (struct san){ n->type == GEN_DNS ? SAN_DNS : SAN_URI, arena_text_n(a, s, len) };
	return ret->value != NULL;
}

static bool read_sans(struct arena *a, const X509 *x, struct cert *c)
{
	int critical = -1;
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, &critical, NULL);
	if (!names)
		return critical == -1; /* -1: absent; else twice, or not readable */
	int count = sk_GENERAL_NAME_num(names);
	struct san *sans = ARENA_ARRAY(a, struct san, (size_t)count + 1);
	bool ok = sans != NULL, known;
	for (int i = 0; ok && i < count; i++) {
		ok = read_san(a, sk_GENERAL_NAME_value(names, i), &sans[c->san_count], &known);
		c->san_count += ok && known;
	}
	GENERAL_NAMES_free(names);
	c->sans = sans;
	return ok;
}

static unsigned eku_bits(uint32_t xku)
{
	unsigned eku = 0;
	if (xku & (XKU_SSL_SERVER | XKU_ANYEKU))
		eku |= EKU_SERVER;
	if (xku & (XKU_SSL_CLIENT | XKU_ANYEKU))
		eku |= EKU_CLIENT;
	if (xku & ~(uint32_t)(XKU_SSL_SERVER | XKU_SSL_CLIENT))
		eku |= EKU_OTHER;
	return eku;
}

/* OpenSSL numbers the bits as they stand in the first byte; we number from the front. */
static unsigned usage_bits(uint32_t ku)
{
	unsigned bits = 0;
	for (unsigned i = 0; i < 7; i++)
		if (ku & (0x80u >> i))
			bits |= 1u << i;
	return bits;
}

static troth_rc read_extensions(struct arena *a, X509 *x, struct cert *c, struct troth_err *e)
{
	ENSURE(!(X509_get_extension_flags(x) & EXFLAG_INVALID), e, TROTH_INVALID,
	       "certificate %s has extensions that cannot be read", c->subject);
	c->is_ca = (X509_get_extension_flags(x) & EXFLAG_CA) != 0;
	c->path_len = c->is_ca ? (int)X509_get_pathlen(x) : -1;
	c->has_key_usage = (X509_get_extension_flags(x) & EXFLAG_KUSAGE) != 0;
	c->has_eku = (X509_get_extension_flags(x) & EXFLAG_XKUSAGE) != 0;
	c->key_usage = c->has_key_usage ? usage_bits(X509_get_key_usage(x)) : 0;
	c->eku = c->has_eku ? eku_bits(X509_get_extended_key_usage(x)) : 0;
	c->ski = octets(a, X509_get0_subject_key_id(x));
	c->aki = octets(a, X509_get0_authority_key_id(x));
	ENSURE(read_sans(a, x, c), e, TROTH_INVALID, "certificate %s has alternative names that cannot be read",
	       c->subject);
	return RC_OK;
}

static const char *common_name_of(struct arena *a, const X509_NAME *name)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	uint8_t *utf8 = NULL;
	if (at < 0)
		return "";
	int n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	const char *text = n < 0 || memchr(utf8, 0, (size_t)n) ? "" : arena_text_n(a, (const char *)utf8, (size_t)n);
	OPENSSL_free(utf8);
	return text;
}

static troth_rc fill(struct arena *a, X509 *x, struct cert *c, struct troth_err *e)
{
	ENSURE(c->der.data && read_parts(c), e, TROTH_INVALID, "certificate is not strict DER");
	c->subject = x509_name_text(a, X509_get_subject_name(x));
	c->issuer = x509_name_text(a, X509_get_issuer_name(x));
	c->common_name = common_name_of(a, X509_get_subject_name(x));
	ENSURE(c->subject && c->issuer && c->common_name, e, TROTH_UNAVAILABLE, "out of memory");
	pki_sha256(c->der, c->fingerprint);
	spki_id(c->spki, c->key_id);
	c->key_type_known = rc_ok(spki_check(c->spki, &c->key_type, NULL));
	ENSURE(read_time(X509_get0_notBefore(x), &c->not_before) && read_time(X509_get0_notAfter(x), &c->not_after), e,
	       TROTH_INVALID, "certificate %s has dates that cannot be read", c->subject);
	return read_extensions(a, x, c, e);
}

troth_rc cert_parse(struct arena *a, struct bytes der, const struct cert **ret_cert, struct troth_err *e)
{
	CLEANUP(x509_freep) X509 *x = NULL;
	TRY(x509_load(der, &x, e));
	struct cert *c = ARENA_NEW(a, struct cert);
	ENSURE(c, e, TROTH_UNAVAILABLE, "out of memory");
	c->der = arena_bytes(a, der);
	troth_rc rc = fill(a, x, c, e);
	ERR_clear_error();
	TRY(rc);
	*ret_cert = c;
	return RC_OK;
}

/* -- PEM ------------------------------------------------------------------------------------------ */
static bool is_certificate(const char *label)
{
	return text_equal(label, "CERTIFICATE") || text_equal(label, "X509 CERTIFICATE");
}

static troth_rc parse_block(struct arena *a, const struct pem_block *b, const struct cert **ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf der = buf_make(LIMIT_CERT_DER_BYTES);
	if (!is_certificate(b->label)) {
		troth_rc rc = err_set(e, TROTH_INVALID, "PEM block on line %d is a \"%s\", not a certificate", b->line,
				      b->label);
		err_hint(e, "give certificates only; private keys have a field of their own");
		return rc;
	}
	TRY(pem_decode(b, &der, e));
	troth_rc rc = cert_parse(a, buf_bytes(&der), ret, e);
	if (rc_failed(rc))
		err_prefix(e, "PEM block on line %d", b->line);
	return rc;
}

troth_rc certs_parse_pem(struct arena *a, struct bytes pem, const struct cert *const **ret_certs, size_t *ret_count,
			 struct troth_err *e)
{
	struct pem_reader r = pem_reader_make(pem);
	struct pem_block block;
	size_t count = 0;
	ENSURE(pem.len <= LIMIT_PEM_BYTES, e, TROTH_TOO_LARGE, "PEM text is larger than %d bytes", LIMIT_PEM_BYTES);
	const struct cert **list = ARENA_ARRAY(a, const struct cert *, LIMIT_BUNDLE_CERTS);
	ENSURE(list, e, TROTH_UNAVAILABLE, "out of memory");
	for (;;) {
		bool found;
		TRY(pem_next(&r, &block, &found, e));
		if (!found)
			break;
		ENSURE(count < LIMIT_BUNDLE_CERTS, e, TROTH_TOO_LARGE, "PEM text has more than %d certificates",
		       LIMIT_BUNDLE_CERTS);
		TRY(parse_block(a, &block, &list[count], e));
		count++;
	}
	ENSURE(count, e, TROTH_INVALID, "there is no certificate in this PEM text");
	*ret_certs = list;
	*ret_count = count;
	return RC_OK;
}

troth_rc cert_parse_any(struct arena *a, struct bytes in, const struct cert **ret_cert, struct troth_err *e)
{
	const struct cert *const *list;
	size_t count;
	if (!pem_looks_like(in))
		return cert_parse(a, in, ret_cert, e);
	TRY(certs_parse_pem(a, in, &list, &count, e));
	ENSURE(count == 1, e, TROTH_INVALID, "PEM text has %zu certificates where one is wanted", count);
	*ret_cert = list[0];
	return RC_OK;
}

const char *cert_pem(struct arena *a, struct bytes der)
{
	CLEANUP(buf_release) struct buf out = buf_make(2 * LIMIT_CERT_DER_BYTES);
	pem_encode("CERTIFICATE", der, &out);
	return buf_ok(&out) ? arena_text_n(a, buf_text(&out), out.len) : NULL;
}

char *cert_fingerprint_hex(const struct cert *c, char out[SHA256_HEX_LEN])
{
	return hex_encode(c->fingerprint, SHA256_LEN, out);
}

/* -- who issued whom ------------------------------------------------------------------------------- */
static bool signature_fits(X509 *child, X509 *parent)
{
	EVP_PKEY *key = X509_get0_pubkey(parent);
	bool ok = key && X509_verify(child, key) == 1;
	ERR_clear_error();
	return ok;
}

bool cert_self_signed(const struct cert *c)
{
	CLEANUP(x509_freep) X509 *x = NULL;
	if (rc_failed(x509_load(c->der, &x, NULL)) ||
	    X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) != 0)
		return false;
	return signature_fits(x, x);
}

bool cert_issued_by(const struct cert *child, const struct cert *parent)
{
	CLEANUP(x509_freep) X509 *c = NULL;
	CLEANUP(x509_freep) X509 *p = NULL;
	if (!parent->is_ca || rc_failed(x509_load(child->der, &c, NULL)) || rc_failed(x509_load(parent->der, &p, NULL)))
		return false;
	return X509_check_issued(p, c) == X509_V_OK && signature_fits(c, p);
}

bool x509_host_matches(X509 *x, const char *host)
{
	if (text_is_address(host))
		return X509_check_ip_asc(x, host, 0) == 1;
	return X509_check_host(x, host, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
			       NULL) == 1;
}

bool cert_host_matches(const struct cert *c, const char *host)
{
	CLEANUP(x509_freep) X509 *x = NULL;
	return rc_ok(x509_load(c->der, &x, NULL)) && x509_host_matches(x, host);
}
