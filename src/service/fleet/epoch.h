/* Epochs: a server that was restored from a backup begins a new one (engine-rules section 4, server_restored).
 *
 * Two things are found to be newer than the database: the note that the server keeps beside it (app/note.c: epoch and
 * audit row, written after commits), and the generations that a node has.  Then the epoch grows, and with it every
 * number that could otherwise be used again for other contents: generations are (epoch, n), kept as
 * (epoch - 1) * LIMIT_GENERATIONS + n.  No session is open, no target's contents are known: look first, then act. */
#ifndef TROTH_SERVICE_EPOCH_H
#define TROTH_SERVICE_EPOCH_H

#include "service/verb.h"
#include "store/store.h"

/* The epoch becomes `least`, or one more than it is. */
troth_rc epoch_raise(struct verb_ctx *ctx, int64_t least, const char *why, struct troth_err *e);
/* An agent has a generation that was never given out.  Believed once in LIMIT_EPOCH_REST_S; else only its own targets
 * are unknown, and the caller sees to that.  ret_raised: a new epoch has begun. */
troth_rc epoch_word(struct verb_ctx *ctx, const struct instance_row *instance, int64_t generation, bool *ret_raised,
		    struct troth_err *e);

#endif
