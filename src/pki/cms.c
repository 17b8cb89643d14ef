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

#define CMS_FLAGS (CMS_BINARY | CMS_PARTIAL)

static troth_rc add_recipient(CMS_ContentInfo *cms, struct bytes der, struct troth_err *e)
{
	CLEANUP(x509_freep) X509 *x = NULL;
	enum key_type type;
	TRY(recipient_load(der, &x, &type, e));
	CMS_RecipientInfo *ri = CMS_add1_recipient_cert(cms, x, CMS_KEY_PARAM);
	return ri && choose_wrapping(ri, type) ? RC_OK : err_openssl(e, TROTH_UNAVAILABLE, "could not seal");
}

static troth_rc append_der(CMS_ContentInfo *cms, struct buf *out, struct troth_err *e)
{
	uint8_t *der = NULL;
	int n = i2d_CMS_ContentInfo(cms, &der);
	if (n <= 0)
		return err_openssl(e, TROTH_UNAVAILABLE, "could not seal");
	buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
	ENSURE(buf_ok(out), e, TROTH_TOO_LARGE, "sealed message does not fit its buffer");
	return RC_OK;
}

/* Fills in what was begun and has its recipients. */
static troth_rc seal(CMS_ContentInfo *cms, struct bytes contents, struct buf *out, struct troth_err *e)
{
	CLEANUP(bio_freep) BIO *in = BIO_new_mem_buf(contents.data, (int)contents.len);
	ENSURE(in, e, TROTH_UNAVAILABLE, "out of memory");
	if (CMS_final(cms, in, NULL, CMS_FLAGS) != 1)
		return err_openssl(e, TROTH_UNAVAILABLE, "could not seal");
	return append_der(cms, out, e);
}

troth_rc cms_seal(struct bytes recipient_cert_der, struct bytes secret, struct buf *out, struct troth_err *e)
{
	ENSURE(secret.len && secret.len <= SECRET_MAX, e, TROTH_TOO_LARGE, "secret of %zu bytes is not 1 to %d",
	       secret.len, SECRET_MAX);
	CLEANUP(cms_freep) CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, EVP_aes_256_gcm(), CMS_FLAGS);
	ENSURE(cms, e, TROTH_UNAVAILABLE, "out of memory");
	TRY(add_recipient(cms, recipient_cert_der, e));
	return seal(cms, secret, out, e);
}

troth_rc cms_seal_for(const struct bytes *recipient_certs_der, size_t count, struct bytes contents, struct buf *out, struct troth_err *e)
{
	ENSURE(contents.len && contents.len <= LIMIT_BACKUP_BYTES, e, TROTH_TOO_LARGE, "contents of %zu bytes are not 1 to %d", contents.len,
	       LIMIT_BACKUP_BYTES);
	ENSURE(count && count <= LIMIT_BACKUP_RECIPIENTS, e, TROTH_INVALID, "%zu recipients are not 1 to %d", count, LIMIT_BACKUP_RECIPIENTS);
	CLEANUP(cms_freep) CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, EVP_aes_256_gcm(), CMS_FLAGS);
	ENSURE(cms, e, TROTH_UNAVAILABLE, "out of memory");
	for (size_t i = 0; i < count; i++) {
		troth_rc rc = add_recipient(cms, recipient_certs_der[i], e);
		if (rc_failed(rc)) {
			err_prefix(e, "recipient %zu", i + 1);
			return rc;
		}
	}
	return seal(cms, contents, out, e);
}

enum { TAG_LEN = 16 };

/* ContentInfo { authEnvelopedData, [0] { version, recipients, { data, { aes256-GCM..}, ..}, tag } }.  OpenSSL takes a tag of any
 * length from one byte on; all of it is what proves that nothing was changed. */
static bool looks_right(struct bytes in)
{
	struct bytes outer, oid, tagged, body, recipients, content, algorithm, tag;
	int version;
	return der_read(&in, DER_SEQUENCE, &outer) && in.len == 0 && der_read(&outer, DER_OID, &oid) &&
	       bytes_equal(oid, OID_AUTH_ENVELOPED) && der_read(&outer, DER_CONTEXT_CONSTRUCTED | 0, &tagged) &&
	       outer.len == 0 && der_read(&tagged, DER_SEQUENCE, &body) && der_read_small(&body, &version) &&
	       der_read(&body, DER_SET, &recipients) && der_read(&body, DER_SEQUENCE, &content) &&
	       der_read(&content, DER_OID, &oid) && der_read(&content, DER_SEQUENCE, &algorithm) &&
	       der_read(&algorithm, DER_OID, &oid) && bytes_equal(oid, OID_AES256_GCM) &&
	       der_read(&body, DER_OCTET_STRING, &tag) && tag.len == TAG_LEN && body.len == 0;
}

/* What is in it goes to `to`; x NULL: any recipient's part that the key opens. */
static troth_rc unseal(const struct key *k, X509 *x, struct bytes sealed, BIO *to, struct troth_err *e)
{
	const uint8_t *p = sealed.data;
	CLEANUP(cms_freep) CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)sealed.len);
	if (cms && to && CMS_decrypt(cms, k->pkey, x, NULL, to, CMS_BINARY) == 1)
		return RC_OK;
	return err_openssl(e, TROTH_INVALID, "sealed message could not be opened with this key");
}

static troth_rc take_contents(BIO *from, struct buf *to, struct troth_err *e)
{
	char *data = NULL;
	long n = BIO_get_mem_data(from, &data);
	ENSURE(n > 0, e, TROTH_INVALID, "sealed message is empty");
	buf_add(to, data, (size_t)n);
	ENSURE(buf_ok(to), e, TROTH_TOO_LARGE, "what is sealed does not fit its buffer");
	return RC_OK;
}

troth_rc cms_open(const struct key *k, struct bytes cert_der, struct bytes sealed, struct buf *secret,
		  struct troth_err *e)
{
	CLEANUP(x509_freep) X509 *x = NULL;
	CLEANUP(bio_freep) BIO *out = BIO_new(BIO_s_secmem());
	CHECK(secret->secret);
	ENSURE(sealed.len <= SEALED_MAX, e, TROTH_TOO_LARGE, "sealed message is larger than %d bytes", SEALED_MAX);
	ENSURE(looks_right(sealed), e, TROTH_INVALID, "sealed message is not AuthEnvelopedData with AES-256-GCM");
	TRY(x509_load(cert_der, &x, e));
	TRY(unseal(k, x, sealed, out, e));
	return take_contents(out, secret, e);
}

/* Not in the secure heap, which is small where there is one: memory that is wiped when it goes. */
troth_rc cms_open_large(const struct key *k, struct bytes sealed, struct buf *contents, struct troth_err *e)
{
	CLEANUP(bio_freep) BIO *out = BIO_new(BIO_s_mem());
	CHECK(contents->secret);
	ENSURE(sealed.len <= LIMIT_BACKUP_BYTES + SEALED_MAX, e, TROTH_TOO_LARGE, "sealed message is larger than %d bytes", LIMIT_BACKUP_BYTES);
	ENSURE(looks_right(sealed), e, TROTH_INVALID, "sealed message is not AuthEnvelopedData with AES-256-GCM");
	TRY(unseal(k, NULL, sealed, out, e));
	return take_contents(out, contents, e);
}
