/* Name constraints of a CA: which names may stand below it (RFC 5280 4.2.1.10, 6.1.4 g).
 *
 * The certificate that is asked about need not be signed by that CA: the question is whether one with its names could
 * be.  Asked of OpenSSL, as verifiers do; a trust anchor's own constraints count, as they do there. */
#ifndef TROTH_PKI_CONSTRAINTS_H
#define TROTH_PKI_CONSTRAINTS_H

#include "base/bytes.h"
#include "base/err.h"

struct name_constraints;

/* *ret NULL: it has none.  INVALID if they cannot be read: then no verifier that knows the extension takes anything below it. */
troth_rc name_constraints_read(struct bytes ca_der, struct name_constraints **ret, struct troth_err *e);
void name_constraints_free(struct name_constraints *c); /* accepts NULL */
void name_constraints_freep(struct name_constraints **c);

enum names_verdict {
	NAMES_PERMITTED,
	NAMES_REFUSED,
	NAMES_UNKNOWN, /* of a kind, or written in a way, that is not understood: verifiers refuse then, too */
};
enum names_verdict name_constraints_judge(const struct name_constraints *c, struct bytes cert_der);

#endif
