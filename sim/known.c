/* Certificates parsed before.
 *
 * OpenSSL needs half a millisecond to make an X509 of its bytes; agents that wait for a service read the
 * same few files five times a second.  In the simulator (linked with --wrap=d2i_X509) the same bytes give
 * the same object again, with one more reference: those who ask only read it. */
#include <openssl/x509.h>
#include <stdint.h>
#include <string.h>

enum { KNOWN = 4096 };

X509 *__real_d2i_X509(X509 **ret, const unsigned char **in, long len);
X509 *__wrap_d2i_X509(X509 **ret, const unsigned char **in, long len);

static struct { X509 *x; unsigned char *der; long len; } known[KNOWN];

X509 *__wrap_d2i_X509(X509 **ret, const unsigned char **in, long len)
{
	uint64_t h = UINT64_C(14695981039346656037);
	if (ret || len <= 0)
		return __real_d2i_X509(ret, in, len);
	for (long i = 0; i < len; i++)
		h = (h ^ (*in)[i]) * UINT64_C(1099511628211);
	size_t slot = (h ^ h >> 32) % KNOWN;
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
