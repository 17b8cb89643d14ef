/* The model checker's nouns: a world small enough to try everything that can happen in it.
 *
 * A `state` is the service's rows and the nodes' reality side by side.  The engine sees the rows
 * only (faces.c), the invariants are asked of reality (reality.c).  Everything is a byte, there is
 * no padding, and nothing refers to anything by address: states are compared, sorted and stored as
 * they are, whole, so two states are never taken for one another.
 *
 * Generations are ranks (1, 2, ... within one node): only their order matters, so states that
 * differ in nothing else are the same state. */
#ifndef TROTH_MODELCHECK_MODEL_H
#define TROTH_MODELCHECK_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
	NODES = 5,    /* stores first, then slots */
	VERSIONS = 5, /* of all authorities together */
	DOCS = 4,     /* outstanding documents of a node: more is a cut (counted; a bound that is not reached says 0) */
	KEPT = 3,     /* contents that old workers still use */
	SERIALS = 3,  /* chains of one version that one slot may have to do with at once */
	MOVES_MAX = 160,
};

/* -- contents: 0 is nothing at all ---------------------------------------------------------- */

/* A set is 1 + bits of root certificates; a chain is 1 + version * SERIALS + serial. */
static inline uint8_t set_of(unsigned bits) { return (uint8_t)(1 + bits); }
static inline unsigned set_bits(uint8_t content) { return content ? content - 1u : 0; }
static inline uint8_t chain_of(unsigned version, unsigned serial) { return (uint8_t)(1 + version * SERIALS + serial); }
static inline unsigned chain_version(uint8_t content) { return (content - 1u) / SERIALS; }

/* -- one node ------------------------------------------------------------------------------- */

enum node_state { ABSENT, WAIVED, JOINING, COUNTED };

struct doc { uint8_t gen, content, handed; };

struct node {
	/* the service's rows */
	uint8_t state, alive, known, base, base_gen, high, doc_count;
	struct doc docs[DOCS];
	uint8_t staged, asked, failed, failures; /* asked: version + 1 */
	/* the node itself */
	uint8_t real, real_gen, real_high;
	uint8_t inbox, inbox_gen;               /* handed, not applied */
	uint8_t drains[KEPT];                   /* sorted; until the next settled report */
	uint8_t touched;                        /* an outside event: 2 not noticed, 1 noticed, not reported */
	uint8_t excused;                        /* stores: bits of slots whose pair an outside event broke */
};

enum { CA_EXISTS = 1, CA_WANTED = 2, CA_SIGNING = 4, CA_RETIRED = 8 };

struct state {
	uint8_t cas[VERSIONS];
	uint8_t goals, faults, waivers;  /* how many may still happen */
	uint8_t outside;                 /* something happened that nobody promised to survive */
	struct node nodes[NODES];
};

/* -- a world --------------------------------------------------------------------------------- */

struct version {
	uint8_t authority;      /* 5 roots, 6 intermediates */
	uint8_t anchors;        /* bits of the roots that accept a leaf it signed */
	uint8_t cert;           /* 1 + bit of its certificate in the stores; 0: it is in no store */
	uint8_t issuer;         /* 1 + the version that signed it; 0: nobody of ours */
};

struct world {
	const char *name, *title;
	size_t stores, slots, versions;
	struct version version[VERSIONS];
	uint8_t slot_authority;
	uint8_t goals[8];       /* each: bits of the versions wanted together; the first is where it begins */
	size_t goal_count;
	uint8_t absent;         /* bits of nodes that are not there at first: they may join */
	bool atomic;            /* stores switch at once; else a directory of single files */
	bool eager;             /* the engine runs in the transaction of each event, as the runner does; else any time later */
	uint8_t places;         /* all nodes are one deployment, and so many of them may change at once; 0: no limit */
	bool prompt;            /* a node loads a document when it is handed it (else later, or never) */
	uint8_t goal_changes, faults, waivers;
	uint32_t fault_kinds;   /* bits of enum move_kind */
};

const struct world *world_by_name(const char *name);
const struct world *world_at(size_t i); /* NULL at the end */
void world_start(const struct world *w, struct state *ret_state);
static inline size_t world_nodes(const struct world *w) { return w->stores + w->slots; }
static inline bool is_store(const struct world *w, size_t node) { return node < w->stores; }
/* Does a store that holds `set` accept `chain`? */
bool accepts(const struct world *w, uint8_t set, uint8_t chain);

/* -- what can happen ------------------------------------------------------------------------- */

enum move_kind {
	/* what honest parties do sooner or later */
	MOVE_ISSUE, MOVE_HAND, MOVE_LOAD, MOVE_REPORT, MOVE_ONLINE, MOVE_MEND, MOVE_STEP,
	/* what goes wrong */
	MOVE_LOSE, MOVE_FAIL, MOVE_OFFLINE, MOVE_REBOOT, MOVE_RESTORE, MOVE_OVERTAKE,
	/* what an operator does */
	MOVE_GOAL, MOVE_JOIN, MOVE_WAIVE, MOVE_RETURN, MOVE_KINDS
};
enum { MOVE_LAST_GOOD = MOVE_STEP };

struct move { uint8_t kind, node, arg; };

/* All that may be tried in s. */
size_t moves_list(const struct world *w, const struct state *s, struct move ret_moves[MOVES_MAX]);
/* False: it cannot happen here.  The engine has not run yet. */
bool move_apply(const struct world *w, struct state *s, struct move m);
/* The engine is asked after this one (else only the node changed). */
bool move_is_heard(struct move m);

/* -- the real engine ------------------------------------------------------------------------- */

struct engine; /* engine_step and plan_check as a function of the rows, with a memory of its answers */
struct engine *engine_open(const struct world *w);
void engine_close(struct engine *e);
/* Carries out what the engine decides (until it decides nothing more, or one batch).  Returns NULL, or what was wrong.
 * ret_cut: a node would get more documents than DOCS; ret_acts: it did something. */
const char *engine_run(struct engine *e, struct state *s, bool *ret_cut, bool *ret_acts);
uint64_t engine_questions(const struct engine *e); /* different ones asked */
/* What it would say about s: its waits, in words. */
void engine_explain(struct engine *e, const struct state *s, FILE *out);

/* -- same or not ------------------------------------------------------------------------------ */

/* Brings s into its canonical form; ret_from[i] (may be NULL): which node became number i. */
void state_canonical(const struct world *w, struct state *s, uint8_t ret_from[NODES]);
uint64_t bytes_hash(const void *data, size_t size);
uint8_t node_fresh_generation(const struct node *n);
bool node_keep(struct node *n, uint8_t content); /* an old worker goes on with it; false: too many */

/* -- invariants ------------------------------------------------------------------------------- */

/* Of one state.  NULL, or the broken invariant in words. */
const char *state_wrong(const struct world *w, const struct state *s);
/* Of a move from one state to the next, before either is brought into canonical form. */
const char *step_wrong(const struct world *w, const struct state *before, const struct state *after);
/* Pairs whose books are out of order, after an outside event: excused until they are in order again. */
void state_excuse(const struct world *w, struct state *s);
/* NULL: everything is as it shall be; else what is not. */
const char *goal_missed(const struct world *w, const struct state *s);
/* Rule S between all that both may hold; unknown ones: false. */
bool pair_in_order(const struct world *w, const struct node *slot, const struct node *store);

/* -- the search ------------------------------------------------------------------------------- */

struct search_result { uint64_t states, transitions, violations, cuts, goals, questions, depth, longest; double seconds; };
/* Breadth first from the start; then: is the goal reached from everywhere?  Prints the shortest trace of the first violation. */
bool search_run(const struct world *w, uint64_t states_max, FILE *out, struct search_result *ret_result);

/* -- words ------------------------------------------------------------------------------------ */

void tell_move(const struct world *w, const struct state *s, struct move m, const uint8_t names[NODES], FILE *out);
void tell_state(const struct world *w, const struct state *s, const uint8_t names[NODES], FILE *out);
const char *move_name(enum move_kind kind);

#endif
