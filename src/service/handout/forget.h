/* One version of a credential, shown no more to those who look from outside (lookup.h).
 *
 * Its row stays: what was signed, by whom and when is on record for good.  So nothing can break by it; but what is still
 * in use, or trusted, is not hidden from those who should see it.  To insist (force) is to answer for who took a leaf, of whom
 * nothing is seen; what a slot is seen to serve, or a store to trust, stays to be seen. */
#ifndef TROTH_SERVICE_FORGET_H
#define TROTH_SERVICE_FORGET_H

#include "service/handout/lookup.h"

struct forget_cmd {
	const char *id;             /* of the credential or authority */
	const char *version;        /* uuid */
	bool force;                 /* an administrator: whoever took this leaf is said to show its newest version only (holder_vouch) */
};
#define CLAUSE_LAST_VERSION "type:last-version" /* CONFLICT: it is the only one */
/* INVALID with CLAUSE_FOREIGN_VERSION; CONFLICT for the one in use; UNSAFE, with who may use it, for one that is needed. */
extern const struct verb VERB_VERSION_FORGET; /* forget_cmd -> lookup_ret: that version, for the last time */

#endif
