/* AES-256-GCM around one private key, or one shared secret.  What is clear is only ever in a secret buffer or in OpenSSL's
 * secure heap, and is wiped before either function returns. */
#include "keeper/wrap.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/limits.h"
#include "keeper/field.h"

enum { NONCE = 12, TAG = 16 };
static const uint8_t MAGIC[4] = { 'T', 'K', 'B', '1' };

static void ctx_releasep(EVP_CIPHER_CTX **ctx) { EVP_CIPHER_CTX_free(*ctx); }

troth_rc wrap_split(struct bytes blob, struct wrap_parts *ret, struct troth_err *e)
{
	struct wrap_parts p = { 0 };
	struct bytes in = blob, magic;
	uint16_t policy_len;
	uint32_t len;
	ENSURE(blob.len <= LIMIT_KEEPER_BLOB_BYTES && field_take(&in, sizeof MAGIC, &magic) &&
		       bytes_equal(magic, bytes_of(MAGIC, sizeof MAGIC)),
	       e, TROTH_CORRUPT, "these bytes are not a wrapped key");
	ENSURE(field_take_u16(&in, &policy_len) && field_take(&in, policy_len, &p.policy), e, TROTH_CORRUPT,
	       "the wrapped key is cut short");
	p.associated = bytes_of(blob.data, sizeof MAGIC + 2 + policy_len);
	ENSURE(field_take(&in, NONCE, &p.nonce) && field_take_u32(&in, &len) && field_take(&in, len, &p.sealed) &&
		       field_take(&in, TAG, &p.tag) && in.len == 0 && len > 0 && len <= LIMIT_KEY_DER_BYTES,
	       e, TROTH_CORRUPT, "the wrapped key has a wrong length");
	*ret = p;
	return RC_OK;
}

static troth_rc seal(const unsigned char *master, struct bytes associated, struct bytes plain, struct buf *out,
		     struct troth_err *e)
{
	uint8_t nonce[NONCE], tag[TAG], sealed[LIMIT_KEY_DER_BYTES];
	CLEANUP(ctx_releasep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, last = 0;
	CHECK(plain.len <= sizeof sealed);
	bool ok = ctx && RAND_bytes(nonce, sizeof nonce) == 1 &&
		  EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, master, nonce) == 1 &&
		  EVP_EncryptUpdate(ctx, NULL, &n, associated.data, (int)associated.len) == 1 &&
		  EVP_EncryptUpdate(ctx, sealed, &n, plain.data, (int)plain.len) == 1 &&
		  EVP_EncryptFinal_ex(ctx, sealed + n, &last) == 1 &&
		  EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1;
	ENSURE(ok, e, TROTH_INTERNAL, "OpenSSL could not wrap the key");
	buf_add(out, nonce, sizeof nonce);
	field_put_u32(out, (uint32_t)plain.len);
	buf_add(out, sealed, plain.len);
	buf_add(out, tag, sizeof tag);
	return RC_OK;
}

/* The policy, then `plain` sealed with it as associated data. */
static troth_rc wrap_plain(const unsigned char *master, const struct keeper_policy *policy, struct bytes plain, struct arena *a,
			   struct bytes *ret_blob, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf encoded = buf_make(KEEPER_POLICY_BYTES);
	TRY(keeper_policy_encode(policy, &encoded, e));
	CLEANUP(buf_release) struct buf out = buf_make(LIMIT_KEEPER_BLOB_BYTES);
	buf_add(&out, MAGIC, sizeof MAGIC);
	field_put_u16(&out, (uint16_t)encoded.len);
	buf_add_bytes(&out, buf_bytes(&encoded));
	CHECK(buf_ok(&out));
	uint8_t associated[sizeof MAGIC + 2 + KEEPER_POLICY_BYTES]; /* a copy: `out` moves when it grows */
	size_t associated_len = out.len;
	memcpy(associated, out.data, associated_len);
	TRY(seal(master, bytes_of(associated, associated_len), plain, &out, e));
	ENSURE(buf_ok(&out), e, TROTH_TOO_LARGE, "the wrapped key does not fit %d bytes", LIMIT_KEEPER_BLOB_BYTES);
	*ret_blob = arena_bytes(a, buf_bytes(&out));
	return RC_OK;
}

troth_rc wrap_key(const unsigned char master[32], const struct keeper_policy *policy, const struct key *k,
		  struct arena *a, struct bytes *ret_blob, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf plain = buf_make_secret(LIMIT_KEY_DER_BYTES);
	TRY(key_write(k, KEY_PKCS8_DER, &plain, e));
	return wrap_plain(master, policy, buf_bytes(&plain), a, ret_blob, e);
}

troth_rc wrap_secret(const unsigned char master[32], const struct keeper_policy *policy, struct bytes secret, struct arena *a,
		     struct bytes *ret_blob, struct troth_err *e)
{
	CHECK(policy->kind == KEEPER_KEY_WEBHOOK);
	return wrap_plain(master, policy, secret, a, ret_blob, e);
}

static bool unseal(const unsigned char *master, const struct wrap_parts *p, uint8_t *plain)
{
	CLEANUP(ctx_releasep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, last = 0;
	uint8_t tag[TAG];
	memcpy(tag, p->tag.data, TAG);
	return ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, master, p->nonce.data) == 1 &&
	       EVP_DecryptUpdate(ctx, NULL, &n, p->associated.data, (int)p->associated.len) == 1 &&
	       EVP_DecryptUpdate(ctx, plain, &n, p->sealed.data, (int)p->sealed.len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) == 1 &&
	       EVP_DecryptFinal_ex(ctx, plain + n, &last) == 1;
}

/* What was wrapped, in the secure heap. */
struct opened { uint8_t *plain; size_t len; };

static void opened_release(struct opened *o)
{
	if (o->plain)
		OPENSSL_secure_clear_free(o->plain, o->len);
}

static troth_rc open_plain(const unsigned char *master, struct bytes blob, struct arena *a, struct keeper_policy *ret_policy,
			   struct opened *ret, struct troth_err *e)
{
	struct wrap_parts parts;
	TRY(wrap_split(blob, &parts, e));
	ret->plain = OPENSSL_secure_malloc(parts.sealed.len);
	ENSURE(ret->plain, e, TROTH_UNAVAILABLE, "no secure memory is left to open a key");
	ret->len = parts.sealed.len;
	if (!unseal(master, &parts, ret->plain)) {
		troth_rc rc = err_set(e, TROTH_CORRUPT, "the wrapped key was changed, or belongs to another master key");
		err_hint(e, "restore the store and the master key from the same backup");
		return rc;
	}
	ENSURE(rc_ok(keeper_policy_decode(a, parts.policy, ret_policy, NULL)), e, TROTH_CORRUPT,
	       "the policy of the wrapped key is of another version of troth");
	return RC_OK;
}

troth_rc wrap_open(const unsigned char master[32], struct bytes blob, struct arena *a, struct keeper_policy *ret_policy,
		   struct key **ret_key, struct troth_err *e)
{
	struct keeper_policy policy;
	struct bytes spki;
	uint8_t hash[SHA256_LEN];
	CLEANUP(opened_release) struct opened o = { 0 };
	CLEANUP(key_releasep) struct key *k = NULL;
	TRY(open_plain(master, blob, a, &policy, &o, e));
	ENSURE(policy.kind != KEEPER_KEY_WEBHOOK, e, TROTH_FORBIDDEN, "key %s is of kind webhook: it signs messages to %s, nothing else",
	       policy.key_id, policy.authority);
	TRY(key_parse(bytes_of(o.plain, o.len), &k, e));
	TRY(key_spki(k, a, &spki, e));
	spki_id(spki, hash);
	ENSURE(memcmp(hash, policy.spki_hash, SHA256_LEN) == 0, e, TROTH_CORRUPT,
	       "the wrapped key is not the one that its policy names");
	*ret_policy = policy;
	*ret_key = k;
	k = NULL;
	return RC_OK;
}

troth_rc wrap_open_secret(const unsigned char master[32], struct bytes blob, struct arena *a, struct keeper_policy *ret_policy,
			  struct buf *ret_secret, struct troth_err *e)
{
	struct keeper_policy policy;
	CLEANUP(opened_release) struct opened o = { 0 };
	TRY(open_plain(master, blob, a, &policy, &o, e));
	ENSURE(policy.kind == KEEPER_KEY_WEBHOOK, e, TROTH_FORBIDDEN, "key %s is of kind %s: it signs no message to a webhook", policy.key_id,
	       keeper_key_kind_name(policy.kind));
	buf_add(ret_secret, o.plain, o.len);
	ENSURE(buf_ok(ret_secret), e, TROTH_CORRUPT, "the wrapped secret is too long");
	*ret_policy = policy;
	return RC_OK;
}
