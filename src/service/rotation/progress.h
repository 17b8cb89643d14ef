/* How far the open rotations are: their operations' progress, what they wait for, and their end. */
#ifndef TROTH_SERVICE_PROGRESS_H
#define TROTH_SERVICE_PROGRESS_H

#include "service/inside.h"

/* After the last step of a run: the waits of that step are in the table already. */
troth_rc progress_update(struct verb_ctx *ctx, struct troth_err *e);

#endif
