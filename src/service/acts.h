/* Acts of the engine into rows.  Used by runner.c only. */
#ifndef TROTH_SERVICE_ACTS_H
#define TROTH_SERVICE_ACTS_H

#include "service/inside.h"

/* Writes the rows of one batch, tells the view, leaves one audit row and event for the batch and wakes the
 * instances that are concerned (topics in ctx).  ctx: the runner's own, writer's transaction. */
troth_rc acts_apply(struct verb_ctx *ctx, const struct plan *plan, struct troth_err *e);

#endif
