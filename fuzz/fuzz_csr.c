/* Signing requests, PEM or DER, as an agent sends them. */
#include "base/limits.h"
#include "pki/pki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct troth_err e = { 0 };
	struct csr csr;
	if (rc_ok(csr_parse(a, bytes_of(data, size), &csr, &e)))
		CHECK(csr.subject && csr.spki.len);
	else
		CHECK(e.kind != TROTH_OK && e.primary[0]);
	arena_free(a);
	return 0;
}
