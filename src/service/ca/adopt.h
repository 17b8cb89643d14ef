/* Adopted: a root that was made elsewhere, with its key.  From then on it is an authority like any other: it signs, and its
 * next version is made here.
 *
 * The key passes once through this process, in memory that is wiped with the request; it is looked at by the keeper alone,
 * which says whose it is, and is kept wrapped. */
#ifndef TROTH_SERVICE_ADOPT_H
#define TROTH_SERVICE_ADOPT_H

#include "service/ca/lookup.h"

struct authority_adopt_cmd {
	const char *name;           /* of a new authority */
	const char *certificate;    /* PEM: the root, and nothing else */
	const char *private_key;    /* PEM, SECRET */
};
void authority_adopt_check(struct arena *a, const struct authority_adopt_cmd *cmd, struct troth_err *e);
#define CLAUSE_OTHER_KEY "type:other-key" /* INVALID: the key is not the certificate's */
extern const struct verb VERB_AUTHORITY_ADOPT; /* authority_adopt_cmd -> lookup_ret */

#endif
