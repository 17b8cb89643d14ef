/* Inside the room: what a waiver leaves behind. */
#ifndef TROTH_SERVICE_WAIVE_H
#define TROTH_SERVICE_WAIVE_H

#include "service/verb.h"
#include "store/store.h"

/* The agent of a waived instance opens a session: it is a joiner again, whatever it holds (the caller writes the row). */
troth_rc waive_end(struct verb_ctx *ctx, struct instance_row *instance, const char *action, struct troth_err *e);
/* Of any state but left: a joiner of which nothing is known.  What it was sent is void, what was made for it is gone. */
troth_rc waive_rejoin(struct verb_ctx *ctx, struct target_row *target, struct troth_err *e);

#endif
