/* Private key files: PKCS#8 (RFC 5208), PKCS#1 (RFC 8017 A.1.2), SEC1 (RFC 5915), to numbers and back.
 *
 * Numbers here are byte ranges inside the caller's secret buffer; nothing is copied. */
#include "pki/key_internal.h"

static troth_rc not_strict(struct troth_err *e, const char *what)
{
	return err_set(e, TROTH_INVALID, "%s private key is not strict DER", what);
}

/* -- reading ---------------------------------------------------------------------------------- */
static troth_rc read_pkcs1(struct bytes in, struct key_numbers *k, struct troth_err *e)
{
	struct bytes body;
	int version = -1;
	if (!der_read(&in, DER_SEQUENCE, &body) || in.len || !der_read_small(&body, &version))
		return not_strict(e, "RSA");
	ENSURE(version == 0, e, TROTH_INVALID, "RSA private key with more than two primes is not supported");
	for (size_t i = 0; i < ARRAY_LEN(k->rsa); i++)
		if (!der_read_unsigned(&body, &k->rsa[i]) || k->rsa[i].len > KEY_RSA_NUMBER_MAX)
			return not_strict(e, "RSA");
	if (body.len)
		return not_strict(e, "RSA");
	return rsa_type_of_modulus(k->rsa[0], &k->type, e);
}

/* The named curve of a SEC1 file that stands alone. */
static troth_rc curve_of(struct bytes in, enum key_type *ret_type, struct troth_err *e)
{
	struct bytes oid;
	bool named = der_read(&in, DER_OID, &oid) && in.len == 0;
	for (int t = KEY_EC_P256; named && t <= KEY_EC_P384; t++)
		if (bytes_equal(oid, key_algorithm_of((enum key_type)t)->curve_oid)) {
			*ret_type = (enum key_type)t;
			return RC_OK;
		}
	troth_rc rc = err_set(e, TROTH_INVALID, "EC private key is on a curve that is not supported");
	err_hint(e, "use P-256 or P-384, named, not by explicit parameters");
	return rc;
}

/* `type` is known when SEC1 stands inside PKCS#8; -1 otherwise. */
static troth_rc read_sec1(struct bytes in, int type, struct key_numbers *k, struct troth_err *e)
{
	struct bytes body, curve = { 0 }, wrapped;
	int version = -1;
	if (!der_read(&in, DER_SEQUENCE, &body) || in.len || !der_read_small(&body, &version) || version != 1 ||
	    !der_read(&body, DER_OCTET_STRING, &k->scalar))
		return not_strict(e, "EC");
	if (der_read(&body, DER_CONTEXT_CONSTRUCTED | 0, &curve)) {
		TRY(curve_of(curve, &k->type, e));
		ENSURE(type < 0 || (int)k->type == type, e, TROTH_INVALID, "EC private key names two different curves");
	} else {
		ENSURE(type >= 0, e, TROTH_INVALID, "EC private key does not name its curve");
		k->type = (enum key_type)type;
	}
	if (der_read(&body, DER_CONTEXT_CONSTRUCTED | 1, &wrapped) && (!der_read_bits(&wrapped, &k->point) || wrapped.len))
		return not_strict(e, "EC");
	ENSURE(body.len == 0 && k->scalar.len == key_algorithm_of(k->type)->field_len, e, TROTH_INVALID,
	       "EC private key has a wrong length");
	return RC_OK;
}

static troth_rc read_pkcs8(struct bytes body, struct key_numbers *k, struct troth_err *e)
{
	struct bytes inner, attributes, public_key;
	enum key_type type;
	int version = -1;
	if (!der_read_small(&body, &version) || version > 1)
		return not_strict(e, "PKCS#8");
	TRY(key_read_algorithm(&body, &type, e));
	if (!der_read(&body, DER_OCTET_STRING, &inner))
		return not_strict(e, "PKCS#8");
	(void)der_read(&body, DER_CONTEXT_CONSTRUCTED | 0, &attributes); /* optional, RFC 5208: of no interest */
	(void)der_read(&body, DER_CONTEXT | 1, &public_key);             /* optional, RFC 5958: computed instead */
	if (body.len)
		return not_strict(e, "PKCS#8");
	if (key_is_rsa(type))
		return read_pkcs1(inner, k, e);
	if (key_is_ec(type))
		return read_sec1(inner, (int)type, k, e);
	k->type = type;
	ENSURE(der_read(&inner, DER_OCTET_STRING, &k->scalar) && inner.len == 0 && k->scalar.len == 32, e, TROTH_INVALID,
	       "Ed25519 private key is not 32 bytes");
	return RC_OK;
}

/* The three formats are told apart by their first two members. */
troth_rc key_numbers_read(struct bytes der, struct key_numbers *ret, struct troth_err *e)
{
	struct bytes in = der, body, second;
	struct key_numbers k = { 0 };
	ENSURE(der_read(&in, DER_SEQUENCE, &body) && in.len == 0, e, TROTH_INVALID, "private key is not strict DER");
	if (der_peek(body) == DER_SEQUENCE) {
		troth_rc rc = err_set(e, TROTH_INVALID, "private key is encrypted, or not a private key");
		err_hint(e, "write it without a password: openssl pkey -in FILE");
		return rc;
	}
	int tag = 0;
	second = body;
	ENSURE(der_next(&second, &tag, &in) && tag == DER_INTEGER, e, TROTH_INVALID, "private key has no version");
	tag = der_peek(second);
	if (tag == DER_SEQUENCE)
		TRY(read_pkcs8(body, &k, e));
	else if (tag == DER_OCTET_STRING)
		TRY(read_sec1(der, -1, &k, e));
	else
		TRY(read_pkcs1(der, &k, e));
	*ret = k;
	return RC_OK;
}

/* -- writing ---------------------------------------------------------------------------------- */
static void write_pkcs1(const struct key_numbers *k, struct buf *w)
{
	size_t mark = der_open(w, DER_SEQUENCE);
	der_add_small(w, 0);
	for (size_t i = 0; i < ARRAY_LEN(k->rsa); i++)
		der_add_unsigned(w, k->rsa[i]);
	der_close(w, mark);
}

/* RFC 5915 section 3: the curve is named here only when no PKCS#8 around it does. */
static void write_sec1(const struct key_numbers *k, bool name_curve, struct buf *w)
{
	size_t mark = der_open(w, DER_SEQUENCE);
	der_add_small(w, 1);
	der_add(w, DER_OCTET_STRING, k->scalar);
	if (name_curve) {
		size_t curve = der_open(w, DER_CONTEXT_CONSTRUCTED | 0);
		der_add(w, DER_OID, key_algorithm_of(k->type)->curve_oid);
		der_close(w, curve);
	}
	size_t point = der_open(w, DER_CONTEXT_CONSTRUCTED | 1);
	der_add_bits(w, k->point);
	der_close(w, point);
	der_close(w, mark);
}

void key_numbers_write_pkcs8(const struct key_numbers *k, struct buf *w)
{
	size_t outer = der_open(w, DER_SEQUENCE);
	der_add_small(w, 0);
	key_write_algorithm(w, k->type);
	size_t inner = der_open(w, DER_OCTET_STRING);
	if (key_is_rsa(k->type))
		write_pkcs1(k, w);
	else if (key_is_ec(k->type))
		write_sec1(k, false, w);
	else
		der_add(w, DER_OCTET_STRING, k->scalar); /* RFC 8410 section 7 */
	der_close(w, inner);
	der_close(w, outer);
}

void key_numbers_write_traditional(const struct key_numbers *k, struct buf *w)
{
	if (key_is_rsa(k->type))
		write_pkcs1(k, w);
	else if (key_is_ec(k->type))
		write_sec1(k, true, w);
	else
		key_numbers_write_pkcs8(k, w);
}
