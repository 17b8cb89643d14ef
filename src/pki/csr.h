/* Certificate signing requests (PKCS#10, RFC 2986).
 *
 * A request proves possession of a key and nothing else here: subject and extensions asked for are
 * shown to people and otherwise ignored; what a certificate says comes from the server's rows. */
#ifndef TROTH_PKI_CSR_H
#define TROTH_PKI_CSR_H

#include "pki/key.h"

struct csr {                 /* lives in the arena given */
	struct bytes der;
	struct bytes spki;
	enum key_type key_type;
	const char *subject; /* RFC 2253 */
};

/* PEM (CERTIFICATE REQUEST or NEW CERTIFICATE REQUEST) or DER, at most LIMIT_CSR_DER_BYTES of DER.
 * The self-signature is checked, the key must be one of key.h's types. */
troth_rc csr_parse(struct arena *a, struct bytes pem_or_der, struct csr *ret_csr, struct troth_err *e);
/* "-----BEGIN CERTIFICATE REQUEST-----\n..." in arena a. */
const char *csr_pem(struct arena *a, struct bytes der);
/* A request for common_name signed by k, as PEM in arena a. */
troth_rc csr_build(struct arena *a, const struct key *k, const char *common_name, const char **ret_pem,
		   struct troth_err *e);

#endif
