/* What the engine waits for, as rows that people read.  Used by runner.c only. */
#ifndef TROTH_SERVICE_WAITS_H
#define TROTH_SERVICE_WAITS_H

#include "service/inside.h"

/* Brings the table `wait` to what `plan` waits for: a page of it, most blocking first.  Only what differs from the
 * last time is written; `since` of a wait stays while it is put again.  A deadline that is named for the first time is
 * audited and an event.  ctx: the runner's own, writer's transaction.  After a failure the caller drops the view. */
troth_rc waits_write(struct verb_ctx *ctx, const struct plan *plan, struct troth_err *e);

#endif
