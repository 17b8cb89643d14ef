/* A failing run made small: fewer nodes, fewer acts, fewer faults, and so an earlier end.
 *
 *   found_new()                      a board that parent and child share
 *   o.found = board; fork, sim_run   the child writes what happened there, also when it dies of a signal
 *   shrink(&o, board, kind, &small)  tries again with parts left out (delta debugging), each in a child
 *
 * A smaller run counts only if it fails in the same way: the same violation, or the same signal. */
#ifndef TROTH_SIM_SHRINK_H
#define TROTH_SIM_SHRINK_H

#include "fault.h"

struct sim_options;

enum { FOUND_MAX = 1 << 16 };

struct found {
	uint64_t kind;        /* 0: no violation; a hash of its words without names and numbers */
	uint64_t count;
	fault_id happened[FOUND_MAX];
	char text[512];
};

struct found *found_new(void); /* for the life of the process */

void found_violation(struct found *f, const char *words, const char *text); /* words: as in the source */
static inline uint64_t found_signal(int number) { return 1000000u + (uint64_t)number; }

/* `small` gets the names that are needed; returns the runs it took. */
int shrink(const struct sim_options *o, struct found *board, uint64_t kind, struct fault_list *small);

#endif
