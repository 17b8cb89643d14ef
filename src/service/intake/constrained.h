/* Name constraints of CAs that somebody brought, held against what stands below the authority that they are for.
 *
 * What is below is replaced, certificate by certificate, by one with the same names.  Where a CA above does not permit
 * them, verifiers would refuse the replacement after the switch, and rule S cannot know: it asks for anchors, not for
 * names.  So it is asked at entry.  Each newest certificate below is looked at, which takes some 0.3 ms of each; CAs
 * without name constraints, which is nearly all of them, cost nothing. */
#ifndef TROTH_SERVICE_CONSTRAINED_H
#define TROTH_SERVICE_CONSTRAINED_H

#include "service/intake/cert_pool.h"
#include "service/verb.h"
#include "store/store.h"

/* Findings at `path`, the first few by name: what stands below the authority (not itself) that one of `cas` does not permit, or for which
 * that cannot be judged. */
troth_rc constrained_judge(struct verb_ctx *ctx, const char *path, const struct credential_row *authority, const struct cert_pool *cas,
			   struct troth_err *e);

#endif
