/* Set: a certificate that was made elsewhere, brought under a name, with its key or without.
 *
 * One verb for the APIs that know only that word.  What it comes to is decided by the certificate, and by what is there:
 *
 *     a leaf                              one more version, whose owner is outside the fleet (set_leaf.h)
 *     a root with its key                 a new authority, or the next version of one: it signs (adopt.h)
 *     a root without it                   an imported authority, or its next version: it is trusted (imported.h)
 *     a CA below another one, with key    a new authority below one that is here (adopt_below.h)
 */
#ifndef TROTH_SERVICE_SET_H
#define TROTH_SERVICE_SET_H

#include "service/handout/lookup.h"

struct set_cmd {
	const char *name;           /* or */
	const char *id;             /* uuid of what is there */
	const char *certificate;    /* PEM: one, and nothing else */
	const char *private_key;    /* PEM, SECRET; NULL: it stays elsewhere */
	const char *ca;             /* PEM: who signed it; or */
	const char *issuer;         /* the same, an authority here by name; neither: it is not said */
	const char *metadata;       /* by name: of this version, as metadata_read gives it; NULL: none.  By id: the one before hands its own on */
	bool exportable;            /* a CA's key may be given out again, where disclose_may allows it (disclose.h) */
	bool beside;                /* a root with its key: trusted in addition until somebody says that it signs (beside.h) */
};
/* INVALID with one of these, beside CLAUSE_OTHER_KEY (adopt.h) and CLAUSE_NO_ISSUER (generate.h). */
#define CLAUSE_NO_CERTIFICATE "type:no-certificate" /* it cannot be read */
#define CLAUSE_NO_CA "type:no-ca"                   /* the PEM of who signed it cannot be read, or is no CA's */
#define CLAUSE_NO_CA_NAME "type:no-ca-name"         /* nor is what stands here under that name */
#define CLAUSE_NOT_BY "type:not-by"                 /* that CA did not sign it */
#define CLAUSE_NOT_BY_NAME "type:not-by-name"       /* the version of that authority that signs now did not */
extern const struct verb VERB_CREDENTIAL_BRING; /* set_cmd -> lookup_ret: the version that was brought; not as a dry run */

#endif
