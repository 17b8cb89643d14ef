/* Inside the room: how a member goes.  instance.c lets people say so, acts.c the engine (a lease that ended), observe.c the
 * agent (its service was stopped), sweep.c time. */
#ifndef TROTH_SERVICE_LEAVE_H
#define TROTH_SERVICE_LEAVE_H

#include "service/verb.h"
#include "store/store.h"

/* Out of every pair from this commit on.  A slot's credential ends, and its name is free again. */
troth_rc leave_target(struct verb_ctx *ctx, struct target_row *row, struct troth_err *e);
/* If that was its last target, the instance has left too: its identity is refused, its name is free. */
troth_rc leave_if_empty(struct verb_ctx *ctx, int64_t instance_id, struct troth_err *e);
/* The instance leaves.  Its stores go at once; a slot that may serve something counts until its service is stopped
 * (state leaving), unless `now`.  row->state says how it stands then. */
troth_rc leave_begin(struct verb_ctx *ctx, struct instance_row *row, bool now, struct troth_err *e);

#endif
