/* A few threads that look at services, so that a silent service does not hold the link up.
 *
 * A job goes in with copies of all it needs; its result comes out on the loop's thread, when `fd` says
 * that something is there. */
#ifndef TROTH_AGENT_PROBES_H
#define TROTH_AGENT_PROBES_H

#include "agent/core.h"

enum { PROBES_THREADS = 4, PROBES_LOOK_MS = 3000 }; /* one look, one address */

struct probes;

troth_rc probes_new(struct probes **ret, struct troth_err *e);
/* Waits for looks under way (PROBES_LOOK_MS at most for each address). */
void probes_free(struct probes *p);
int probes_fd(const struct probes *p); /* readable: take results */
/* Each address of the place once.  BUSY: too many wait. */
troth_rc probes_look(struct probes *p, uint32_t ticket, const struct place *place, struct troth_err *e);
/* The next result, texts in the arena; false: none (any more). */
bool probes_take(struct probes *p, struct arena *a, struct agent_probed *ret);

#endif
