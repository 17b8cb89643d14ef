/* How much each wait holds up: the order in which people read them. */
#ifndef TROTH_SERVICE_BLOCKING_H
#define TROTH_SERVICE_BLOCKING_H

#include "base/arena.h"
#include "service/inside.h"

/* For each of n waits: so many targets wait, by a rule of safety, for the target that this one is about; 0 for what
 * holds nobody else up, and for the safety waits themselves.  Lives in a. */
int64_t *blocking_count(struct arena *a, const struct wait *waits, size_t n);

#endif
