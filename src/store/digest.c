/* SHA-256 over fields.  An integer is 8 bytes, big endian; a text or blob is its length like that
 * and then its bytes; an absent text is the length -1.  The audit chain depends on this for ever:
 * changing it makes every old chain look broken. */
#include "store/digest.h"

#include <openssl/evp.h>

troth_rc digest_start(struct digest *d, struct troth_err *e)
{
	*d = (struct digest){ .ctx = EVP_MD_CTX_new() };
	d->ok = d->ctx && EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) == 1;
	if (d->ok)
		return RC_OK;
	EVP_MD_CTX_free(d->ctx);
	return err_set(e, TROTH_UNAVAILABLE, "SHA-256 could not be started");
}

static void digest_add(struct digest *d, const void *data, size_t len)
{
	if (len)
		d->ok = EVP_DigestUpdate(d->ctx, data, len) == 1 && d->ok;
}

void digest_add_int(struct digest *d, int64_t i)
{
	uint8_t out[8];
	for (int k = 0; k < 8; k++)
		out[k] = (uint8_t)((uint64_t)i >> (56 - 8 * k));
	digest_add(d, out, sizeof out);
}

void digest_add_bytes(struct digest *d, struct bytes b)
{
	digest_add_int(d, (int64_t)b.len);
	digest_add(d, b.data, b.len);
}

void digest_add_text(struct digest *d, const char *s)
{
	if (s)
		digest_add_bytes(d, bytes_of_text(s));
	else
		digest_add_int(d, -1);
}

troth_rc digest_finish(struct digest *d, uint8_t ret_hash[SHA256_LEN], struct troth_err *e)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	bool ok = EVP_DigestFinal_ex(d->ctx, hash, NULL) == 1 && d->ok;
	EVP_MD_CTX_free(d->ctx);
	ENSURE(ok, e, TROTH_UNAVAILABLE, "SHA-256 failed");
	memcpy(ret_hash, hash, SHA256_LEN);
	return RC_OK;
}
