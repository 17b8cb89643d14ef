/* Private keys: made, read, written, used.  The numbers go between OpenSSL's handle and DER through
 * secure BIGNUMs and secret buffers only. */
#include "pki/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <string.h>

#include "base/limits.h"
#include "pki/key_internal.h"
#include "pki/pem.h"

static const char *const RSA_PARAMS[8] = {
	OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,         OSSL_PKEY_PARAM_RSA_D,
	OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
	OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

void key_release(struct key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

void key_releasep(struct key **k)
{
	key_release(*k);
	*k = NULL;
}

enum key_type key_type_of(const struct key *k)
{
	return k->type;
}

/* -- handle to numbers ------------------------------------------------------------------------ */
/* One number of the handle, appended to `store` padded to `len` (0: as long as it is). */
static bool take_number(const EVP_PKEY *pkey, const char *param, size_t len, struct buf *store, size_t *ret_len)
{
	uint8_t out[KEY_RSA_NUMBER_MAX];
	BIGNUM *bn = BN_secure_new();
	bool ok = bn && EVP_PKEY_get_bn_param(pkey, param, &bn) == 1;
	size_t n = ok ? len ? len : (size_t)BN_num_bytes(bn) : 0;
	ok = ok && n <= sizeof out && BN_bn2binpad(bn, out, (int)n) == (int)n;
	if (ok)
		buf_add(store, out, n);
	secret_wipe(out, sizeof out);
	BN_clear_free(bn);
	*ret_len = n;
	return ok && buf_ok(store);
}

static bool take_rsa(const struct key *k, struct buf *store, struct key_numbers *ret)
{
	size_t lens[8], at = 0;
	for (size_t i = 0; i < 8; i++)
		if (!take_number(k->pkey, RSA_PARAMS[i], 0, store, &lens[i]))
			return false;
	for (size_t i = 0; i < 8; at += lens[i++]) /* only now, the buffer may have moved */
		ret->rsa[i] = bytes_of(store->data + at, lens[i]);
	return true;
}

static bool take_ec(const struct key *k, struct buf *store, struct key_numbers *ret)
{
	uint8_t point[KEY_POINT_MAX];
	size_t field = key_algorithm_of(k->type)->field_len, got = 0, n = 0;
	if (!take_number(k->pkey, OSSL_PKEY_PARAM_PRIV_KEY, field, store, &got) ||
	    !EVP_PKEY_get_octet_string_param(k->pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &n))
		return false;
	buf_add(store, point, n);
	if (!buf_ok(store))
		return false;
	ret->scalar = bytes_of(store->data, got);
	ret->point = bytes_of(store->data + got, n);
	return true;
}

static bool take_ed25519(const struct key *k, struct buf *store, struct key_numbers *ret)
{
	uint8_t seed[32];
	size_t n = sizeof seed;
	bool ok = EVP_PKEY_get_raw_private_key(k->pkey, seed, &n) == 1;
	if (ok)
		buf_add(store, seed, n);
	secret_wipe(seed, sizeof seed);
	ret->scalar = bytes_of(store->data, store->len);
	return ok && buf_ok(store);
}

/* The numbers of k; they point into `store`, a secret buffer. */
static troth_rc take_numbers(const struct key *k, struct buf *store, struct key_numbers *ret, struct troth_err *e)
{
	bool ok;
	ret->type = k->type;
	if (key_is_rsa(k->type))
		ok = take_rsa(k, store, ret);
	else if (key_is_ec(k->type))
		ok = take_ec(k, store, ret);
	else
		ok = take_ed25519(k, store, ret);
	return ok ? RC_OK : err_openssl(e, TROTH_INTERNAL, "could not read the private key's numbers");
}

/* -- numbers to handle ------------------------------------------------------------------------ */
static bool push_number(OSSL_PARAM_BLD *bld, const char *param, struct bytes m, BIGNUM **ret_bn)
{
	*ret_bn = BN_secure_new();
	return *ret_bn && BN_bin2bn(m.data, (int)m.len, *ret_bn) && OSSL_PARAM_BLD_push_BN(bld, param, *ret_bn);
}

static EVP_PKEY *from_data(const char *algorithm, OSSL_PARAM *params)
{
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static EVP_PKEY *make_rsa(const struct key_numbers *k)
{
	BIGNUM *bn[8] = { 0 };
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	bool ok = bld != NULL;
	for (size_t i = 0; ok && i < 8; i++)
		ok = push_number(bld, RSA_PARAMS[i], k->rsa[i], &bn[i]);
	OSSL_PARAM *params = ok ? OSSL_PARAM_BLD_to_param(bld) : NULL;
	EVP_PKEY *pkey = from_data("RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	for (size_t i = 0; i < 8; i++)
		BN_clear_free(bn[i]);
	return pkey;
}

/* The public point of a scalar.  0: the scalar is not one of the group's. */
static size_t point_of(enum key_type type, const BIGNUM *scalar, uint8_t out[KEY_POINT_MAX])
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(OBJ_sn2nid(type == KEY_EC_P256 ? "prime256v1" : "secp384r1"));
	EC_POINT *point = group ? EC_POINT_new(group) : NULL;
	size_t n = 0;
	if (point && !BN_is_zero(scalar) && BN_cmp(scalar, EC_GROUP_get0_order(group)) < 0 &&
	    EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) == 1)
		n = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out, KEY_POINT_MAX, NULL);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	return n;
}

/* The public point is computed, never believed: a file with another one is refused. */
static EVP_PKEY *make_ec(const struct key_numbers *k)
{
	uint8_t point[KEY_POINT_MAX];
	BIGNUM *scalar = NULL;
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params = NULL;
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	bool ok = bld && push_number(bld, OSSL_PKEY_PARAM_PRIV_KEY, k->scalar, &scalar);
	size_t n = ok ? point_of(k->type, scalar, point) : 0;
	bool same = k->point.len == 0 || bytes_equal(k->point, bytes_of(point, n));
	if (n && same &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, key_algorithm_of(k->type)->group, 0) &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, n))
		params = OSSL_PARAM_BLD_to_param(bld);
	pkey = from_data("EC", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	BN_clear_free(scalar);
	return pkey;
}

static troth_rc write_spki(struct key *k, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf w = buf_make(KEY_SPKI_MAX);
	CLEANUP(buf_release) struct buf store = buf_make(2 * KEY_RSA_NUMBER_MAX);
	uint8_t point[KEY_POINT_MAX];
	size_t n = 0, lens[2] = { 0 };
	bool ok;
	if (key_is_rsa(k->type)) {
		ok = take_number(k->pkey, RSA_PARAMS[0], 0, &store, &lens[0]) &&
		     take_number(k->pkey, RSA_PARAMS[1], 0, &store, &lens[1]);
		if (ok)
			spki_write_rsa(&w, k->type, bytes_of(store.data, lens[0]), bytes_of(store.data + lens[0], lens[1]));
	} else {
		n = sizeof point;
		ok = key_is_ec(k->type) ? EVP_PKEY_get_octet_string_param(k->pkey, OSSL_PKEY_PARAM_PUB_KEY, point, n, &n)
					: EVP_PKEY_get_raw_public_key(k->pkey, point, &n);
		if (ok)
			spki_write_point(&w, k->type, bytes_of(point, n));
	}
	if (!ok || !buf_ok(&w))
		return err_openssl(e, TROTH_INTERNAL, "could not write the public key");
	memcpy(k->spki, w.data, w.len);
	k->spki_len = w.len;
	return RC_OK;
}

/* Takes the handle over. */
static troth_rc key_wrap(enum key_type type, EVP_PKEY *pkey, struct key **ret_key, struct troth_err *e)
{
	CLEANUP(key_releasep) struct key *k = calloc(1, sizeof *k);
	if (!k) {
		EVP_PKEY_free(pkey);
		return err_set(e, TROTH_UNAVAILABLE, "out of memory");
	}
	k->type = type;
	k->pkey = pkey;
	TRY(write_spki(k, e));
	*ret_key = k;
	k = NULL;
	return RC_OK;
}

/* -- making and reading ----------------------------------------------------------------------- */
troth_rc key_generate(enum key_type type, struct key **ret_key, struct troth_err *e)
{
	const struct key_algorithm *alg = key_algorithm_of(type);
	EVP_PKEY *pkey;
	if (key_is_rsa(type))
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)alg->rsa_bits);
	else if (key_is_ec(type))
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", alg->group);
	else
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (!pkey)
		return err_openssl(e, TROTH_UNAVAILABLE, "could not make a key");
	return key_wrap(type, pkey, ret_key, e);
}

static troth_rc check_rsa(EVP_PKEY *pkey, struct troth_err *e)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	bool ok = ctx && EVP_PKEY_check(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok ? RC_OK : err_openssl(e, TROTH_INVALID, "RSA private key does not add up");
}

static troth_rc parse_der(struct bytes der, bool own, struct key **ret_key, struct troth_err *e)
{
	struct key_numbers numbers;
	ENSURE(der.len <= LIMIT_KEY_DER_BYTES, e, TROTH_TOO_LARGE, "private key of %zu bytes is larger than %d", der.len,
	       LIMIT_KEY_DER_BYTES);
	TRY(key_numbers_read(der, &numbers, e));
	EVP_PKEY *pkey;
	if (key_is_rsa(numbers.type))
		pkey = make_rsa(&numbers);
	else if (key_is_ec(numbers.type))
		pkey = make_ec(&numbers);
	else
		pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, numbers.scalar.data, numbers.scalar.len);
	if (!pkey)
		return err_openssl(e, TROTH_INVALID, "private key does not add up");
	CLEANUP(key_releasep) struct key *k = NULL;
	TRY(key_wrap(numbers.type, pkey, &k, e));
	if (key_is_rsa(k->type) && !own)
		TRY(check_rsa(k->pkey, e));
	*ret_key = k;
	k = NULL;
	return RC_OK;
}

static bool is_private_key(const char *label)
{
	return text_ends(label, "PRIVATE KEY");
}

static troth_rc parse_pem(struct bytes text, struct key **ret_key, struct troth_err *e)
{
	struct pem_reader r = pem_reader_make(text);
	struct pem_block block;
	for (bool found = true; found;) {
		TRY(pem_next(&r, &block, &found, e));
		if (!found || !is_private_key(block.label))
			continue;
		CLEANUP(buf_release) struct buf der = buf_make_secret(LIMIT_KEY_DER_BYTES);
		TRY(pem_decode(&block, &der, e));
		return parse_der(buf_bytes(&der), false, ret_key, e);
	}
	return err_set(e, TROTH_INVALID, "there is no private key in this PEM text");
}

troth_rc key_parse(struct bytes in, struct key **ret_key, struct troth_err *e)
{
	ENSURE(in.len <= LIMIT_PEM_BYTES, e, TROTH_TOO_LARGE, "private key text is larger than %d bytes", LIMIT_PEM_BYTES);
	if (pem_looks_like(in))
		return parse_pem(in, ret_key, e);
	return parse_der(in, false, ret_key, e);
}

troth_rc key_parse_own(struct bytes pkcs8, struct key **ret_key, struct troth_err *e)
{
	return parse_der(pkcs8, true, ret_key, e);
}

/* -- writing and using ------------------------------------------------------------------------ */
static const char *label_of(enum key_type type, bool traditional)
{
	if (!traditional || type == KEY_ED25519)
		return "PRIVATE KEY";
	return key_is_rsa(type) ? "RSA PRIVATE KEY" : "EC PRIVATE KEY";
}

troth_rc key_write(const struct key *k, enum key_format format, struct buf *out, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf store = buf_make_secret(LIMIT_KEY_DER_BYTES);
	CLEANUP(buf_release) struct buf der = buf_make_secret(LIMIT_KEY_DER_BYTES);
	struct key_numbers numbers = { 0 };
	bool traditional = format == KEY_TRADITIONAL_DER || format == KEY_TRADITIONAL_PEM;
	CHECK(out->secret);
	TRY(take_numbers(k, &store, &numbers, e));
	if (traditional)
		key_numbers_write_traditional(&numbers, &der);
	else
		key_numbers_write_pkcs8(&numbers, &der);
	CHECK(buf_ok(&der));
	if (format == KEY_PKCS8_PEM || format == KEY_TRADITIONAL_PEM)
		pem_encode(label_of(k->type, traditional), buf_bytes(&der), out);
	else
		buf_add_bytes(out, buf_bytes(&der));
	ENSURE(buf_ok(out), e, TROTH_TOO_LARGE, "private key does not fit its buffer of %zu bytes", out->max);
	return RC_OK;
}

troth_rc key_spki(const struct key *k, struct arena *a, struct bytes *ret_spki, struct troth_err *e)
{
	struct bytes copy = arena_bytes(a, bytes_of(k->spki, k->spki_len));
	ENSURE(copy.data, e, TROTH_UNAVAILABLE, "out of memory");
	*ret_spki = copy;
	return RC_OK;
}

bool key_public_matches(const struct key *k, struct bytes spki)
{
	return bytes_equal(bytes_of(k->spki, k->spki_len), spki);
}

troth_rc key_sign(const struct key *k, struct bytes data, struct buf *out, struct troth_err *e)
{
	uint8_t signature[KEY_SIGNATURE_MAX];
	size_t n = sizeof signature;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx &&
		  EVP_DigestSignInit_ex(ctx, NULL, key_algorithm_of(k->type)->digest, NULL, NULL, k->pkey, NULL) == 1 &&
		  EVP_DigestSign(ctx, signature, &n, data.data, data.len) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return err_openssl(e, TROTH_UNAVAILABLE, "could not sign");
	buf_add(out, signature, n);
	ENSURE(buf_ok(out), e, TROTH_TOO_LARGE, "signature does not fit its buffer");
	return RC_OK;
}
