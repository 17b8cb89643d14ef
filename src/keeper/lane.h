/* A lane: worker threads with one bounded queue in front of them.
 *
 * The keeper has two, because an RSA-4096 key takes seconds to make and a signature 30 us: the long
 * lane makes keys, with two workers, and the short lane does all else, with one.  Threads exist before the sandbox is entered, so the
 * list needs no clone. */
#ifndef TROTH_KEEPER_LANE_H
#define TROTH_KEEPER_LANE_H

#include "base/err.h"

struct lane;

/* Starts the threads and waits until they run.  `work` is called on one of them with each job, which are taken in order. */
troth_rc lane_start(unsigned workers, size_t max_jobs, void (*work)(void *self, void *job), void *self, struct lane **ret, struct troth_err *e);
/* Hands over a job; waits while the queue is full. */
void lane_submit(struct lane *l, void *job);
/* The same, but false (and the job stays the caller's) when the queue is full. */
bool lane_try(struct lane *l, void *job);
/* Lets the threads finish what is queued, joins them and frees the lane.  Accepts NULL.  Not inside the
 * sandbox: there the process just ends. */
void lane_stop(struct lane *l);

#endif
