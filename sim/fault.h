/* Misfortune by name.
 *
 * Every place where something may go wrong is a question, and the same question has the same name in
 * every run of a seed: kind, node, how often that node was asked this before.  The answer and the size of
 * the harm come from the seed and the name alone, never from what happened elsewhere.  So a run can be
 * told again with only some of its faults, and those are still the same ones: that is what makes shrinking
 * possible (shrink.c).  A name in text is "loss/3/17". */
#ifndef TROTH_SIM_FAULT_H
#define TROTH_SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim;
struct node;

enum fault_kind {
	FAULT_NODE,     /* not a fault: this node exists at all (so that shrinking can leave it out) */
	FAULT_ACT,      /* the n-th act of operator.c: a change of mind, or a misfortune with a victim */
	FAULT_LOSS,     /* a message or its answer is lost */
	FAULT_DELAY,    /* ... comes late, and others overtake it */
	FAULT_TWICE,    /* ... comes twice */
	FAULT_STRAY,    /* ... comes once more, minutes later */
	FAULT_PROBE,    /* a look at a service times out */
	FAULT_HEED,     /* a service does not heed its signal, or cannot be restarted */
	FAULT_KEEPER,   /* the keeper is away */
	FAULT_COMMIT,   /* the server dies just after a commit */
	FAULT_KIND_COUNT
};

typedef uint64_t fault_id; /* kind << 56 | (node + 1) << 32 | count */

enum { FAULT_TEXT = 40 };
void fault_text(fault_id id, char out[FAULT_TEXT]);
bool fault_parse(const char *text, fault_id *ret);

/* Those that happened, in order; or those that may. */
struct fault_list { fault_id *items; size_t count, room; };
void fault_list_add(struct fault_list *list, fault_id id);
void fault_list_sort(struct fault_list *list); /* and each once */
bool fault_list_has(const struct fault_list *sorted, fault_id id);
void fault_list_free(struct fault_list *list);

/* One more question of this kind at this node (NULL: the server, the world).  Never while faults are over.
 * True: it happens, and is counted and remembered. */
bool fault_hits(struct sim *s, enum fault_kind kind, const struct node *n, int per_mille);
/* How much, of the last one that hit at this node. */
int64_t fault_in(struct sim *s, int64_t from, int64_t to);
/* Named from outside: act k, node k.  ACT and NODE are remembered, not counted. */
bool fault_named(struct sim *s, enum fault_kind kind, uint32_t k);
/* Dice of a name, for its choices. */
uint64_t fault_seed(const struct sim *s, fault_id id);
fault_id fault_name(enum fault_kind kind, int node, uint32_t count);

#endif
