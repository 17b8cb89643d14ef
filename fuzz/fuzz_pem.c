/* PEM texts: certificates, keys and requests as someone uploads them. */
#include "base/limits.h"
#include "pki/pki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The last as a CA above the first. */
static void try_constraints(const struct cert *const *certs, size_t count)
{
	CLEANUP(name_constraints_freep) struct name_constraints *c = NULL;
	if (rc_ok(name_constraints_read(certs[count - 1]->der, &c, NULL)) && c)
		CHECK(name_constraints_judge(c, certs[0]->der) <= NAMES_UNKNOWN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	const struct cert *const *certs;
	struct troth_err e = { 0 };
	size_t count;
	struct key *k = NULL;
	struct bytes in = bytes_of(data, size);
	if (rc_ok(certs_parse_pem(a, in, &certs, &count, &e))) {
		CHECK(count > 0 && count <= LIMIT_BUNDLE_CERTS);
		try_constraints(certs, count);
	} else {
		CHECK(e.kind != TROTH_OK && e.primary[0]);
	}
	if (rc_ok(key_parse(in, &k, &e)))
		key_release(k);
	arena_free(a);
	return 0;
}
