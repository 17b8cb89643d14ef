/* Acts of the engine into rows.  Used by runner.c only. */
#ifndef TROTH_SERVICE_ACTS_H
#define TROTH_SERVICE_ACTS_H

#include "service/inside.h"

/* Writes the rows of one batch, tells the view, leaves one audit row and event for the batch and wakes the
 * instances that are concerned (topics in ctx).  ctx: the runner's own, writer's transaction. */
troth_rc acts_apply(struct verb_ctx *ctx, const struct plan *plan, struct troth_err *e);

/* Kinds of rows that acts put into the outbox (effect.c). */
#define EFFECT_SEAL "seal"     /* {"target","request"}: a leaf whose key the keeper makes */
#define EFFECT_ROTATE "rotate" /* {"version"}: a rotation that is due, of this version's authority */

#endif
