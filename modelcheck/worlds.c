/* The worlds: who is there, which versions there are, what may be wanted, and how much may go wrong. */
#include <string.h>

#include "model.h"

#define FAULT(kind) (UINT32_C(1) << (kind))
#define ALL_FAULTS                                                                                                     \
	(FAULT(MOVE_LOSE) | FAULT(MOVE_FAIL) | FAULT(MOVE_OFFLINE) | FAULT(MOVE_REBOOT) | FAULT(MOVE_RESTORE) |        \
	 FAULT(MOVE_OVERTAKE))

/* One authority: version n is accepted by itself. */
#define ONE_AUTHORITY                                                                                                  \
	.versions = 3, .version = { { 5, 1, 1 }, { 5, 2, 2 }, { 5, 4, 3 } }, .slot_authority = 5,                      \
	.goals = { 1, 2, 4 }, .goal_count = 3

/* Roots 1 and 2, in the stores; intermediates 3 (below 1), 4 (below 2) and 5 (below 1), in the chains.  Wanted together: the
 * first of each; the same root with another intermediate; the second root with its own; both roots, and the first intermediate. */
#define TWO_LEVELS                                                                                                     \
	.versions = 5,                                                                                                 \
	.version = { { 5, 1, 1, 0 }, { 5, 2, 2, 0 }, { 6, 1, 0, 1 }, { 6, 2, 0, 2 }, { 6, 1, 0, 1 } },                 \
	.slot_authority = 6, .goals = { 1 | 4, 1 | 16, 2 | 8, 1 | 2 | 4 }, .goal_count = 4

#define THREE_BY_TWO .stores = 3, .slots = 2, ONE_AUTHORITY, .fault_kinds = ALL_FAULTS
#define TWO_BY_ONE .stores = 2, .slots = 1, ONE_AUTHORITY, .fault_kinds = ALL_FAULTS

/* Everything at once is too much for five minutes, so each world has some of it, and together they have all pairs of it. */
static const struct world worlds[] = {
	{ .name = "small", .title = "a rotation and one more change of mind, one fault, nobody comes or goes; in full detail",
	  TWO_BY_ONE, .atomic = true, .goal_changes = 2, .faults = 1 },
	{ .name = "small-members", .title = "a rotation, one fault, a newcomer, a waiver and a return; in full detail",
	  TWO_BY_ONE, .absent = 2, .atomic = true, .eager = true, .goal_changes = 1, .faults = 1, .waivers = 1 },
	{ .name = "one-members", .title = "a rotation and one more change of mind, a newcomer, a waiver and a return",
	  THREE_BY_TWO, .absent = 4, .atomic = true, .eager = true, .prompt = true, .goal_changes = 2, .waivers = 1 },
	{ .name = "one-faults", .title = "a rotation, one fault, a newcomer, a waiver and a return",
	  THREE_BY_TWO, .absent = 4, .atomic = true, .eager = true, .prompt = true, .goal_changes = 1, .faults = 1, .waivers = 1 },
	{ .name = "one-minds", .title = "a rotation and two more changes of mind, no fault, nobody comes or goes",
	  THREE_BY_TWO, .atomic = true, .eager = true, .prompt = true, .goal_changes = 3 },
	{ .name = "one-rollback", .title = "a rotation and a rollback or a third version, one fault, nobody comes or goes",
	  THREE_BY_TWO, .atomic = true, .eager = true, .prompt = true, .goal_changes = 2, .faults = 1 },
	{ .name = "one-troubles", .title = "a rotation, two faults, a newcomer",
	  THREE_BY_TWO, .absent = 4, .atomic = true, .eager = true, .prompt = true, .goal_changes = 1, .faults = 2 },
	{ .name = "one-slow", .title = "a rotation and a rollback, one fault; documents wait on the node, the engine runs late",
	  THREE_BY_TWO, .atomic = true, .goal_changes = 2, .faults = 1 },
	{ .name = "one-files", .title = "a rotation and a rollback, one fault; stores are directories of single files",
	  THREE_BY_TWO, .eager = true, .prompt = true, .goal_changes = 2, .faults = 1 },
	{ .name = "small-places", .title = "max_unavailable 1: a rotation and one more change of mind, two faults; in full detail",
	  TWO_BY_ONE, .atomic = true, .eager = true, .places = 1, .goal_changes = 2, .faults = 2 },
	{ .name = "one-places", .title = "max_unavailable 1: a rotation and a rollback or a third version, one fault, a newcomer",
	  THREE_BY_TWO, .absent = 4, .atomic = true, .eager = true, .prompt = true, .places = 1, .goal_changes = 2, .faults = 1 },
	{ .name = "two-levels", .title = "root and intermediate: three changes of mind about either or both, one fault",
	  .stores = 2, .slots = 2, TWO_LEVELS, .fault_kinds = ALL_FAULTS, .atomic = true, .eager = true, .prompt = true,
	  .goal_changes = 3, .faults = 1 },
	{ .name = "two-members", .title = "root and intermediate: two changes of mind, a newcomer, a waiver and a return",
	  .stores = 2, .slots = 2, TWO_LEVELS, .fault_kinds = ALL_FAULTS, .absent = 2, .atomic = true, .eager = true,
	  .prompt = true, .goal_changes = 2, .waivers = 1 },
	{ .name = "two-slow", .title = "root and intermediate: two changes of mind, one fault; documents wait on the node, the engine runs late",
	  .stores = 2, .slots = 1, TWO_LEVELS, .fault_kinds = ALL_FAULTS, .atomic = true, .goal_changes = 2, .faults = 1 },
};

const struct world *world_at(size_t i)
{
	return i < sizeof(worlds) / sizeof(worlds[0]) ? &worlds[i] : NULL;
}

const struct world *world_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(worlds) / sizeof(worlds[0]); i++) {
		if (strcmp(worlds[i].name, name) == 0)
			return &worlds[i];
	}
	return NULL;
}

bool accepts(const struct world *w, uint8_t set, uint8_t chain)
{
	return set && chain && (set_bits(set) & w->version[chain_version(chain)].anchors);
}

static unsigned roots_in(const struct world *w, unsigned wanted)
{
	unsigned bits = 0;

	for (size_t i = 0; i < w->versions; i++) {
		if ((wanted >> i & 1) && w->version[i].cert)
			bits |= 1u << (w->version[i].cert - 1);
	}
	return bits;
}

static uint8_t first_chain(const struct world *w)
{
	for (size_t i = 0; i < w->versions; i++) {
		if ((w->goals[0] >> i & 1) && w->version[i].authority == w->slot_authority)
			return chain_of((unsigned)i, 0);
	}
	return 0;
}

/* Everybody that is there is counted, and runs the first goal. */
void world_start(const struct world *w, struct state *ret_state)
{
	struct state s;

	memset(&s, 0, sizeof(s));
	for (size_t i = 0; i < w->versions; i++)
		s.cas[i] = w->goals[0] >> i & 1 ? CA_EXISTS | CA_WANTED | CA_SIGNING : 0;
	s.goals = w->goal_changes;
	s.faults = w->faults;
	s.waivers = w->waivers;
	for (size_t i = 0; i < world_nodes(w); i++) {
		struct node *n = &s.nodes[i];

		if (w->absent >> i & 1)
			continue;
		n->state = COUNTED;
		n->alive = n->known = 1;
		n->base = n->real = is_store(w, i) ? set_of(roots_in(w, w->goals[0])) : first_chain(w);
		n->base_gen = n->high = n->real_gen = n->real_high = 1;
	}
	state_canonical(w, &s, NULL);
	*ret_state = s;
}
