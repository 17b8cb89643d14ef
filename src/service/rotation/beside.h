/* A rotation led by hand: who is trusted beside the one that signs.
 *
 * Two versions of an authority can be trusted: the one that signs, and one beside it.  Whoever leads a rotation by hand says
 * only that, three times, and each time says yes to what the engine then does (a rotation by steps, approvals of approve.c):
 *
 *     make a version that is trusted beside       generate.h   {old signs, new beside}    introduce
 *     let the old one be the one beside           beside       {new signs, old beside}    switch
 *     nobody is beside                            beside       {new signs}                withdraw
 *
 * A CA below it follows: its next version came with the one above, and what is said of it alone changes nothing.
 *
 * A step for which somebody is not ready is refused, with names (UNSAFE).  An administrator may insist (force): the step
 * is said yes to, and holders outside the fleet that would be waited for are waived, by name in the audit; the engine still
 * sends nothing that would break a pair, so what is not ready follows when it is. */
#ifndef TROTH_SERVICE_BESIDE_H
#define TROTH_SERVICE_BESIDE_H

#include "service/handout/lookup.h"

struct beside_cmd {
	const char *id;             /* of the authority */
	const char *version;        /* uuid; "latest": the newest; NULL: nobody */
	bool force;
};
/* INVALID with clause CLAUSE_FOREIGN_VERSION: no version of it.  lookup_ret: all versions, as they are then. */
extern const struct verb VERB_AUTHORITY_BESIDE;

#define CLAUSE_FOREIGN_VERSION "type:foreign-version"
#define CLAUSE_ONE_BESIDE "type:one-beside"   /* there is one beside already */

/* -- for generate.c and adopt.c ---------------------------------------------------------------------------------- */
enum { BESIDE_INTRODUCE = 1 << APPROVAL_INTRODUCE, BESIDE_ALL = 1 << APPROVAL_INTRODUCE | 1 << APPROVAL_SWITCH | 1 << APPROVAL_WITHDRAW };
/* Yes to these steps of its open rotation, by uuid; what was approved stays. */
troth_rc beside_approve(struct verb_ctx *ctx, const char *rotation, unsigned steps, struct troth_err *e);
/* CONFLICT with CLAUSE_ONE_BESIDE if one is beside already.  Asked of its versions, not of a rotation: a stuck abort has one too. */
troth_rc beside_is_free(struct verb_ctx *ctx, const struct credential_row *authority, struct troth_err *e);
/* The engine, now, in this verb: what it does at once is seen in the answer.  Writer only. */
troth_rc beside_engine(struct verb_ctx *ctx, struct troth_err *e);

#endif
