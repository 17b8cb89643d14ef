/* Toil: what a verb needs that takes long and nothing but the processor (verb.h: ctx->toil), on one thread. */
#ifndef TROTH_APP_TOIL_H
#define TROTH_APP_TOIL_H

#include "app/job.h"

struct toil;

troth_rc toil_new(struct pipeline *p, struct toil **ret, struct troth_err *e);
/* Any thread.  Done, the job goes on to the keeper or the writer; failed, home.  BUSY above LIMIT_TOIL_QUEUE, UNAVAILABLE once
 * it stops: the job stays the caller's. */
troth_rc toil_push(struct toil *t, struct job *job);
void toil_stop(struct toil *t); /* what waits goes home with UNAVAILABLE; before the keeper's line and the writer */
void toil_free(struct toil *t); /* accepts NULL */

#endif
