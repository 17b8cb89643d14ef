/* Certificates parsed before, and public keys found sound.
 *
 * OpenSSL needs half a millisecond to make an X509 of its bytes, and 25 us to see that a point is on its curve; agents that
 * wait for a service read the same few files five times a second.  In the simulator (linked with --wrap=d2i_X509 and
 * --wrap=spki_check) the same bytes give the same object again, with one more reference: those who ask only read it. */
#include <openssl/x509.h>
#include <stdint.h>
#include <string.h>

#include "pki/key.h"

enum { KNOWN = 4096, SPKI_BYTES = 128 };

static uint64_t hash_of(const unsigned char *data, size_t len)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < len; i++)
		h = (h ^ data[i]) * UINT64_C(1099511628211);
	return h ^ h >> 32;
}

X509 *__real_d2i_X509(X509 **ret, const unsigned char **in, long len);
X509 *__wrap_d2i_X509(X509 **ret, const unsigned char **in, long len);

static struct { X509 *x; unsigned char *der; long len; } known[KNOWN];

X509 *__wrap_d2i_X509(X509 **ret, const unsigned char **in, long len)
{
	if (ret || len <= 0)
		return __real_d2i_X509(ret, in, len);
	size_t slot = hash_of(*in, (size_t)len) % KNOWN;
	if (known[slot].x && known[slot].len == len && memcmp(known[slot].der, *in, (size_t)len) == 0) {
		X509_up_ref(known[slot].x);
		*in += len;
		return known[slot].x;
	}
	const unsigned char *start = *in;
	X509 *x = __real_d2i_X509(NULL, in, len);
	if (!x || *in != start + len)
		return x; /* not all of it: nothing to remember */
	X509_free(known[slot].x);
	OPENSSL_free(known[slot].der);
	known[slot].der = OPENSSL_memdup(start, (size_t)len);
	known[slot].len = len;
	known[slot].x = known[slot].der && X509_up_ref(x) ? x : NULL;
	return x;
}

troth_rc __real_spki_check(struct bytes spki, enum key_type *ret_type, struct troth_err *e);
troth_rc __wrap_spki_check(struct bytes spki, enum key_type *ret_type, struct troth_err *e);

static struct { unsigned char der[SPKI_BYTES]; size_t len; enum key_type type; } sound[KNOWN];

troth_rc __wrap_spki_check(struct bytes spki, enum key_type *ret_type, struct troth_err *e)
{
	if (spki.len == 0 || spki.len > SPKI_BYTES)
		return __real_spki_check(spki, ret_type, e);
	size_t slot = hash_of(spki.data, spki.len) % KNOWN;
	if (sound[slot].len == spki.len && memcmp(sound[slot].der, spki.data, spki.len) == 0) {
		*ret_type = sound[slot].type;
		return RC_OK;
	}
	TRY(__real_spki_check(spki, ret_type, e));
	memcpy(sound[slot].der, spki.data, spki.len);
	sound[slot].len = spki.len;
	sound[slot].type = *ret_type;
	return RC_OK;
}
