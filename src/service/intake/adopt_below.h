/* Inside the room: a CA below another one here, made elsewhere, with its key: may it be adopted (adopt.h)?
 *
 * From then on it is an authority like any other below that one.  Its next versions are made here if that one's key is; if not,
 * they are asked for and signed elsewhere (external_ca.h). */
#ifndef TROTH_SERVICE_ADOPT_BELOW_H
#define TROTH_SERVICE_ADOPT_BELOW_H

#include "service/ca/issue.h"

/* `above`: the version here that signed it.  It has to be the one that is wanted: what hangs on an older one would go with that.
 * Findings at "$.certificate"; INVALID, CONFLICT. */
troth_rc adopt_below_judge(struct verb_ctx *ctx, const char *name, const struct cert *cert, const struct signer *above, struct troth_err *e);

#endif
