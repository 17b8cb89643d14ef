/* Adopted: a root, or a CA below one that is here, that was made elsewhere, with its key.  From then on it is an authority like any other: it signs, and its
 * next version is made here, or brought in the same way.
 *
 * The key passes once through this process, in memory that is wiped with the request; it is looked at by the keeper alone,
 * which says whose it is, and is kept wrapped. */
#ifndef TROTH_SERVICE_ADOPT_H
#define TROTH_SERVICE_ADOPT_H

#include "service/handout/lookup.h"

struct signer; /* issue.h */
struct authority_adopt_cmd {
	const char *name;           /* of a new authority */
	const char *certificate;    /* PEM: the CA, and nothing else */
	const char *private_key;    /* PEM, SECRET */
	bool exportable;            /* it may be given out again, where disclose_may allows it (disclose.h) */
	const struct signer *above; /* the version here that signed it (adopt_below.h); NULL: it is a root */
};
void authority_adopt_check(struct arena *a, const struct authority_adopt_cmd *cmd, struct troth_err *e);
#define CLAUSE_OTHER_KEY "type:other-key" /* INVALID: the key is not the certificate's */
/* Both answer with the private key, as it was sent, if the authority is exportable. */
extern const struct verb VERB_AUTHORITY_ADOPT; /* authority_adopt_cmd -> lookup_ret */

/* The same as the next version of a root that is there: a rotation toward it, with new versions of the CAs below. */
struct authority_adopt_next_cmd {
	const char *id;             /* uuid of a root whose versions are made here */
	const char *signer;         /* who is said to have signed it, by name; NULL: itself */
	const char *certificate, *private_key; /* as above */
	bool beside;                /* trusted in addition until somebody says that it signs (beside.h) */
};
/* INVALID, with findings, for what could not take the old one's place: path length, key usage, life; CONFLICT with
 * CLAUSE_ONE_BESIDE.  Not as a dry run: the key would be kept. */
extern const struct verb VERB_AUTHORITY_ADOPT_NEXT; /* authority_adopt_next_cmd -> lookup_ret: the new version */

#endif
