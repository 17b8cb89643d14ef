/* PEM texts: certificates, keys and requests as someone uploads them. */
#include "base/limits.h"
#include "pki/pki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	const struct cert *const *certs;
	struct troth_err e = { 0 };
	size_t count;
	struct key *k = NULL;
	struct bytes in = bytes_of(data, size);
	if (rc_ok(certs_parse_pem(a, in, &certs, &count, &e)))
		CHECK(count > 0 && count <= LIMIT_BUNDLE_CERTS);
	else
		CHECK(e.kind != TROTH_OK && e.primary[0]);
	if (rc_ok(key_parse(in, &k, &e)))
		key_release(k);
	arena_free(a);
	return 0;
}
