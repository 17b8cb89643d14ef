/* CAs that are known here, whoever they belong to. */
#ifndef TROTH_SERVICE_KNOWN_H
#define TROTH_SERVICE_KNOWN_H

#include "service/intake/cert_pool.h"
#include "service/verb.h"
#include "store/store.h"

/* Appends one to a list that only this function has filled; lives in a. */
void known_add(struct arena *a, struct cert_pool *list, const struct cert *cert);
/* Appends all that have the name that `child` gives as its issuer's. */
troth_rc known_issuers(struct verb_ctx *ctx, const struct cert *child, struct cert_pool *list, struct troth_err *e);
/* Rule N (engine-rules, 3): may a verifier take one for the other?  The same subject, another key, and no key
 * identifiers that tell them apart. */
bool known_ambiguous(const struct cert *x, const struct cert *y);
/* The authority, not retired, that this certificate is a version of (also one that is not trusted any more); *ret_found
 * false: none. */
troth_rc known_version(struct verb_ctx *ctx, const struct cert *cert, struct version_row *ret, struct credential_row *ret_authority,
		       bool *ret_found, struct troth_err *e);

#endif
