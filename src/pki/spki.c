/* Public keys: SubjectPublicKeyInfo (RFC 5280 4.1.2.7) read and written by hand.
 *
 * OpenSSL's decoder takes 170 to 340 us for what EVP_PKEY_fromdata does in 25 once the bytes are
 * known to be right, and it accepts more spellings than one.  The table of key types lives here. */
#include <openssl/core_names.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>

#include "pki/key_internal.h"

#define OID(bytes) { (const uint8_t *)(bytes), sizeof(bytes) - 1 }
#define OID_RSA OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
#define OID_RSA_SHA256 OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b")
#define OID_EC OID("\x2a\x86\x48\xce\x3d\x02\x01")
#define OID_P256 OID("\x2a\x86\x48\xce\x3d\x03\x01\x07")
#define OID_P384 OID("\x2b\x81\x04\x00\x22")
#define OID_ECDSA_SHA256 OID("\x2a\x86\x48\xce\x3d\x04\x03\x02")
#define OID_ECDSA_SHA384 OID("\x2a\x86\x48\xce\x3d\x04\x03\x03")
#define OID_ED25519 OID("\x2b\x65\x70")

static const struct key_algorithm ALGORITHMS[KEY_TYPE_COUNT] = {
	[KEY_RSA_2048] = { "rsa-2048", OID_RSA, { 0 }, OID_RSA_SHA256, NULL, "SHA256", 2048, 0 },
	[KEY_RSA_3072] = { "rsa-3072", OID_RSA, { 0 }, OID_RSA_SHA256, NULL, "SHA256", 3072, 0 },
	[KEY_RSA_4096] = { "rsa-4096", OID_RSA, { 0 }, OID_RSA_SHA256, NULL, "SHA256", 4096, 0 },
	[KEY_EC_P256] = { "ec-p256", OID_EC, OID_P256, OID_ECDSA_SHA256, "P-256", "SHA256", 0, 32 },
	[KEY_EC_P384] = { "ec-p384", OID_EC, OID_P384, OID_ECDSA_SHA384, "P-384", "SHA384", 0, 48 },
	[KEY_ED25519] = { "ed25519", OID_ED25519, { 0 }, OID_ED25519, NULL, NULL, 0, 0 },
};

const struct key_algorithm *key_algorithm_of(enum key_type type)
{
	CHECK((unsigned)type < KEY_TYPE_COUNT);
	return &ALGORITHMS[type];
}

const char *key_type_name(enum key_type type)
{
	return key_algorithm_of(type)->name;
}

troth_rc key_type_parse(const char *name, enum key_type *ret_type, struct troth_err *e)
{
	for (int t = 0; t < KEY_TYPE_COUNT; t++)
		if (text_equal(name, ALGORITHMS[t].name)) {
			*ret_type = (enum key_type)t;
			return RC_OK;
		}
	troth_rc rc = err_set(e, TROTH_INVALID, "key type \"%s\" is not known", name ? name : "");
	err_hint(e, "use rsa-2048, rsa-3072, rsa-4096, ec-p256, ec-p384 or ed25519");
	return rc;
}

troth_rc err_openssl(struct troth_err *e, enum troth_kind kind, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;
	troth_rc rc = err_set(e, kind, "%s: %s", what, reason ? reason : "the cryptographic library refused");
	ERR_clear_error();
	return rc;
}

void pki_sha256(struct bytes data, uint8_t out[SHA256_LEN])
{
	SHA256(data.data, data.len, out);
}

void pki_hmac_sha256(struct bytes key, struct bytes data, uint8_t out[SHA256_LEN])
{
	unsigned len = SHA256_LEN;
	CHECK(key.len <= INT_MAX && HMAC(EVP_sha256(), key.data, (int)key.len, data.data, data.len, out, &len) && len == SHA256_LEN);
}

bool pki_same(const uint8_t *x, const uint8_t *y, size_t len)
{
	return CRYPTO_memcmp(x, y, len) == 0;
}

void spki_id(struct bytes spki, uint8_t out[SHA256_LEN])
{
	pki_sha256(spki, out);
}

/* -- algorithm identifiers ------------------------------------------------------------------ */
void key_write_algorithm(struct buf *w, enum key_type type)
{
	const struct key_algorithm *alg = key_algorithm_of(type);
	size_t mark = der_open(w, DER_SEQUENCE);
	der_add(w, DER_OID, alg->key_oid);
	if (alg->curve_oid.len)
		der_add(w, DER_OID, alg->curve_oid);
	if (key_is_rsa(type))
		der_add_null(w); /* RFC 3279 2.3.1 */
	der_close(w, mark);
}

void key_write_signature_algorithm(struct buf *w, enum key_type type)
{
	size_t mark = der_open(w, DER_SEQUENCE);
	der_add(w, DER_OID, key_algorithm_of(type)->signature_oid);
	if (key_is_rsa(type))
		der_add_null(w); /* RFC 4055 5; for ECDSA and Ed25519 parameters are absent */
	der_close(w, mark);
}

static bool parameters_fit(const struct key_algorithm *alg, struct bytes rest)
{
	struct bytes value;
	if (alg->rsa_bits)
		return der_read(&rest, DER_NULL, &value) && value.len == 0 && rest.len == 0;
	if (alg->curve_oid.len)
		return der_read(&rest, DER_OID, &value) && bytes_equal(value, alg->curve_oid) && rest.len == 0;
	return rest.len == 0;
}

troth_rc key_read_algorithm(struct bytes *in, enum key_type *ret_type, struct troth_err *e)
{
	struct bytes sequence, oid;
	ENSURE(der_read(in, DER_SEQUENCE, &sequence) && der_read(&sequence, DER_OID, &oid), e, TROTH_INVALID,
	       "key has no algorithm identifier");
	for (int t = 0; t < KEY_TYPE_COUNT; t++)
		if (bytes_equal(oid, ALGORITHMS[t].key_oid) && parameters_fit(&ALGORITHMS[t], sequence)) {
			*ret_type = (enum key_type)t;
			return RC_OK;
		}
	troth_rc rc = err_set(e, TROTH_INVALID, "key is of a kind or on a curve that is not supported");
	err_hint(e, "use RSA of 2048, 3072 or 4096 bits, ECDSA on P-256 or P-384, or Ed25519");
	return rc;
}

troth_rc rsa_type_of_modulus(struct bytes modulus, enum key_type *ret_type, struct troth_err *e)
{
	for (int t = KEY_RSA_2048; t <= KEY_RSA_4096; t++)
		if (modulus.len * 8 == (size_t)ALGORITHMS[t].rsa_bits && (modulus.data[0] & 0x80) &&
		    (modulus.data[modulus.len - 1] & 1)) {
			*ret_type = (enum key_type)t;
			return RC_OK;
		}
	troth_rc rc = err_set(e, TROTH_INVALID, "RSA key of about %zu bits is not supported", modulus.len * 8);
	err_hint(e, "use 2048, 3072 or 4096 bits");
	return rc;
}

/* -- writing ---------------------------------------------------------------------------------- */
void spki_write_rsa(struct buf *w, enum key_type type, struct bytes modulus, struct bytes exponent)
{
	size_t outer = der_open(w, DER_SEQUENCE);
	key_write_algorithm(w, type);
	size_t bits = der_open(w, DER_BIT_STRING);
	buf_add_byte(w, 0);
	size_t numbers = der_open(w, DER_SEQUENCE);
	der_add_unsigned(w, modulus);
	der_add_unsigned(w, exponent);
	der_close(w, numbers);
	der_close(w, bits);
	der_close(w, outer);
}

void spki_write_point(struct buf *w, enum key_type type, struct bytes point)
{
	size_t outer = der_open(w, DER_SEQUENCE);
	key_write_algorithm(w, type);
	der_add_bits(w, point);
	der_close(w, outer);
}

/* -- reading ---------------------------------------------------------------------------------- */
static troth_rc from_params(const char *algorithm, OSSL_PARAM *params, EVP_PKEY **ret, struct troth_err *e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
	bool ok = ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
		  EVP_PKEY_fromdata(ctx, ret, EVP_PKEY_PUBLIC_KEY, params) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok ? RC_OK : err_openssl(e, TROTH_INVALID, "public key is not sound");
}

static troth_rc load_rsa(struct bytes bits, enum key_type *ret_type, EVP_PKEY **ret, struct troth_err *e)
{
	struct bytes numbers, n, x;
	ENSURE(der_read(&bits, DER_SEQUENCE, &numbers) && bits.len == 0 && der_read_unsigned(&numbers, &n) &&
		       der_read_unsigned(&numbers, &x) && numbers.len == 0,
	       e, TROTH_INVALID, "RSA public key is not strict DER");
	TRY(rsa_type_of_modulus(n, ret_type, e));
	ENSURE(x.len <= 4 && (x.data[x.len - 1] & 1) && (x.len > 1 || x.data[0] >= 3), e, TROTH_INVALID,
	       "RSA public exponent is even, below 3 or above 32 bits");
	BIGNUM *bn_n = BN_bin2bn(n.data, (int)n.len, NULL), *bn_x = BN_bin2bn(x.data, (int)x.len, NULL);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	if (bn_n && bn_x && bld && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, bn_n) &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, bn_x))
		params = OSSL_PARAM_BLD_to_param(bld);
	troth_rc rc = params ? from_params("RSA", params, ret, e) : err_openssl(e, TROTH_UNAVAILABLE, "RSA key");
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	BN_free(bn_n);
	BN_free(bn_x);
	return rc;
}

/* Uncompressed points only; OpenSSL checks that the point is on the curve. */
static troth_rc load_ec(struct bytes bits, enum key_type type, EVP_PKEY **ret, struct troth_err *e)
{
	const struct key_algorithm *alg = key_algorithm_of(type);
	ENSURE(bits.len == 1 + 2 * alg->field_len && bits.data[0] == 4, e, TROTH_INVALID,
	       "EC public key is not an uncompressed point of %s", alg->group);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)alg->group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)bits.data, bits.len),
		OSSL_PARAM_construct_end(),
	};
	return from_params("EC", params, ret, e);
}

static troth_rc load_ed25519(struct bytes bits, EVP_PKEY **ret, struct troth_err *e)
{
	ENSURE(bits.len == 32, e, TROTH_INVALID, "Ed25519 public key is not 32 bytes");
	*ret = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bits.data, bits.len);
	return *ret ? RC_OK : err_openssl(e, TROTH_INVALID, "public key is not sound");
}

troth_rc spki_load(struct bytes spki, enum key_type *ret_type, EVP_PKEY **ret_pkey, struct troth_err *e)
{
	struct bytes in = spki, body, bits;
	enum key_type type = KEY_RSA_2048;
	ENSURE(spki.len <= KEY_SPKI_MAX, e, TROTH_TOO_LARGE, "public key of %zu bytes is larger than %d", spki.len,
	       KEY_SPKI_MAX);
	ENSURE(der_read(&in, DER_SEQUENCE, &body) && in.len == 0, e, TROTH_INVALID, "public key is not strict DER");
	TRY(key_read_algorithm(&body, &type, e));
	ENSURE(der_read_bits(&body, &bits) && body.len == 0, e, TROTH_INVALID, "public key is not strict DER");
	EVP_PKEY *pkey = NULL;
	if (key_is_rsa(type))
		TRY(load_rsa(bits, &type, &pkey, e));
	else if (key_is_ec(type))
		TRY(load_ec(bits, type, &pkey, e));
	else
		TRY(load_ed25519(bits, &pkey, e));
	*ret_type = type;
	*ret_pkey = pkey;
	return RC_OK;
}

troth_rc spki_check(struct bytes spki, enum key_type *ret_type, struct troth_err *e)
{
	CLEANUP(evp_pkey_freep) EVP_PKEY *pkey = NULL;
	return spki_load(spki, ret_type, &pkey, e);
}

troth_rc spki_verify(struct bytes spki, struct bytes data, struct bytes signature, struct troth_err *e)
{
	CLEANUP(evp_pkey_freep) EVP_PKEY *pkey = NULL;
	enum key_type type;
	TRY(spki_load(spki, &type, &pkey, e));
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestVerifyInit_ex(ctx, NULL, key_algorithm_of(type)->digest, NULL, NULL, pkey, NULL) == 1 &&
		  EVP_DigestVerify(ctx, signature.data, signature.len, data.data, data.len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	ENSURE(ok, e, TROTH_INVALID, "signature does not verify with this key");
	return RC_OK;
}
