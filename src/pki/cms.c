/* Sealing with CMS.  OpenSSL does it; here is what it must not choose by itself: the KDF (its default
 * is SHA-1), OAEP instead of PKCS#1 v1.5, an authenticated cipher, and a strict look before opening. */
#include "pki/cms.h"

#include <openssl/cms.h>
#include <openssl/err.h>

#include "base/limits.h"
#include "pki/cert_internal.h"
#include "pki/key_internal.h"

enum {
	SECRET_MAX = LIMIT_KEY_DER_BYTES * 2,        /* a key as PEM */
	SEALED_MAX = SECRET_MAX + LIMIT_CERT_DER_BYTES, /* and the recipient's name around it */
};

#define OID_AUTH_ENVELOPED bytes_of("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17", 11) /* RFC 5083 */
#define OID_AES256_GCM bytes_of("\x60\x86\x48\x01\x65\x03\x04\x01\x2e", 9)               /* RFC 5084 */

static void bio_freep(BIO **b) { BIO_free_all(*b); }
static void cms_freep(CMS_ContentInfo **c) { CMS_ContentInfo_free(*c); }

/* How the content key is wrapped for the recipient. */
static bool choose_wrapping(CMS_RecipientInfo *ri, enum key_type type)
{
	EVP_PKEY_CTX *ctx = CMS_RecipientInfo_get0_pkey_ctx(ri);
	if (!ctx)
		return false;
	if (key_is_ec(type))
		return EVP_PKEY_CTX_ctrl_str(ctx, "ecdh_kdf_md", "sha256") == 1;
	return EVP_PKEY_CTX_ctrl_str(ctx, "rsa_padding_mode", "oaep") == 1 &&
	       EVP_PKEY_CTX_ctrl_str(ctx, "rsa_oaep_md", "sha256") == 1;
}

static troth_rc recipient_load(struct bytes der, X509 **ret_x509, enum key_type *ret_type, struct troth_err *e)
{
	CLEANUP(x509_freep) X509 *x = NULL;
	uint8_t *spki = NULL;
	TRY(x509_load(der, &x, e));
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);
	troth_rc rc = n > 0 ? spki_check(bytes_of(spki, (size_t)n), ret_type, e)
			    : err_openssl(e, TROTH_INVALID, "recipient's key");
	OPENSSL_free(spki);
	TRY(rc);
	if (*ret_type == KEY_ED25519) {
		rc = err_set(e, TROTH_INVALID, "nothing can be sealed for an Ed25519 certificate");
		err_hint(e, "give the recipient a certificate with an EC or RSA key");
		return rc;
	}
	*ret_x509 = x;
	x = NULL;
	return RC_OK;
}

static troth_rc seal(X509 *x, enum key_type type, BIO *in, CMS_ContentInfo **ret, struct troth_err *e)
{
	const unsigned flags = CMS_BINARY | CMS_PARTIAL;
	CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, EVP_aes_256_gcm(), flags);
	CMS_RecipientInfo *ri = cms ? CMS_add1_recipient_cert(cms, x, CMS_KEY_PARAM) : NULL;
	if (!ri || !choose_wrapping(ri, type) || CMS_final(cms, in, NULL, flags) != 1) {
		CMS_ContentInfo_free(cms);
		return err_openssl(e, TROTH_UNAVAILABLE, "could not seal");
	}
	*ret = cms;
	return RC_OK;
}

troth_rc cms_seal(struct bytes recipient_cert_der, struct bytes secret, struct buf *out, struct troth_err *e)
{
	CLEANUP(x509_freep) X509 *x = NULL;
	CLEANUP(bio_freep) BIO *in = NULL;
	CLEANUP(cms_freep) CMS_ContentInfo *cms = NULL;
	enum key_type type;
	ENSURE(secret.len && secret.len <= SECRET_MAX, e, TROTH_TOO_LARGE, "secret of %zu bytes is not 1 to %d",
	       secret.len, SECRET_MAX);
	TRY(recipient_load(recipient_cert_der, &x, &type, e));
	in = BIO_new_mem_buf(secret.data, (int)secret.len);
	ENSURE(in, e, TROTH_UNAVAILABLE, "out of memory");
	TRY(seal(x, type, in, &cms, e));
	uint8_t *der = NULL;
	int n = i2d_CMS_ContentInfo(cms, &der);
	if (n <= 0)
		return err_openssl(e, TROTH_UNAVAILABLE, "could not seal");
	buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
	ENSURE(buf_ok(out), e, TROTH_TOO_LARGE, "sealed message does not fit its buffer");
	return RC_OK;
}

/* ContentInfo { authEnvelopedData, [0] { version, recipients, { data, { aes256-GCM.. */
static bool looks_right(struct bytes in)
{
	struct bytes outer, oid, tagged, body, recipients, content, algorithm;
	int version;
	return der_read(&in, DER_SEQUENCE, &outer) && in.len == 0 && der_read(&outer, DER_OID, &oid) &&
	       bytes_equal(oid, OID_AUTH_ENVELOPED) && der_read(&outer, DER_CONTEXT_CONSTRUCTED | 0, &tagged) &&
	       outer.len == 0 && der_read(&tagged, DER_SEQUENCE, &body) && der_read_small(&body, &version) &&
	       der_read(&body, DER_SET, &recipients) && der_read(&body, DER_SEQUENCE, &content) &&
	       der_read(&content, DER_OID, &oid) && der_read(&content, DER_SEQUENCE, &algorithm) &&
	       der_read(&algorithm, DER_OID, &oid) && bytes_equal(oid, OID_AES256_GCM);
}

troth_rc cms_open(const struct key *k, struct bytes cert_der, struct bytes sealed, struct buf *secret,
		  struct troth_err *e)
{
	CLEANUP(x509_freep) X509 *x = NULL;
	CLEANUP(bio_freep) BIO *out = NULL;
	CLEANUP(cms_freep) CMS_ContentInfo *cms = NULL;
	CHECK(secret->secret);
	ENSURE(sealed.len <= SEALED_MAX, e, TROTH_TOO_LARGE, "sealed message is larger than %d bytes", SEALED_MAX);
	ENSURE(looks_right(sealed), e, TROTH_INVALID, "sealed message is not AuthEnvelopedData with AES-256-GCM");
	TRY(x509_load(cert_der, &x, e));
	const uint8_t *p = sealed.data;
	cms = d2i_CMS_ContentInfo(NULL, &p, (long)sealed.len);
	out = BIO_new(BIO_s_secmem());
	bool ok = cms && out && CMS_decrypt(cms, k->pkey, x, NULL, out, CMS_BINARY) == 1;
	if (!ok)
		return err_openssl(e, TROTH_INVALID, "sealed message could not be opened with this key");
	char *data = NULL;
	long n = BIO_get_mem_data(out, &data);
	ENSURE(n > 0, e, TROTH_INVALID, "sealed message is empty");
	buf_add(secret, data, (size_t)n);
	ENSURE(buf_ok(secret), e, TROTH_TOO_LARGE, "the sealed secret does not fit its buffer");
	return RC_OK;
}
