/* A lane: one worker thread with a bounded queue in front of it.
 *
 * The keeper has two, because an RSA-4096 key takes seconds to make and a signature 30 us: the long
 * lane makes keys, the short lane does all else.  Threads exist before the sandbox is entered, so the
 * list needs no clone. */
#ifndef TROTH_KEEPER_LANE_H
#define TROTH_KEEPER_LANE_H

#include "base/err.h"

struct lane;

/* Starts the thread and waits until it runs.  `work` is called on it with each job, in order. */
troth_rc lane_start(size_t max_jobs, void (*work)(void *self, void *job), void *self, struct lane **ret,
		    struct troth_err *e);
/* Hands over a job; waits while the queue is full. */
void lane_submit(struct lane *l, void *job);
/* The same, but false (and the job stays the caller's) when the queue is full. */
bool lane_try(struct lane *l, void *job);
/* Lets the thread finish what is queued, joins it and frees the lane.  Accepts NULL.  Not inside the
 * sandbox: there the process just ends. */
void lane_stop(struct lane *l);

#endif
