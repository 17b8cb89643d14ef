/* Breadth first over everything that can happen, so the first violation found has a shortest trace.
 * Then the second question: over the moves of honest parties alone, does every run end, and end at
 * the goal?  (No cycle, and every state without such a move is as wanted: so the goal is reached
 * from every state, whatever the order, once faults stop.) */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model.h"

enum { CHUNK = 1 << 14 };

struct origin { uint32_t parent; struct move move; };

struct search {
	const struct world *w;
	struct engine *engine;
	FILE *out;
	struct state **chunks;
	struct origin *origins;
	uint32_t *table; /* index + 1 */
	size_t table_size;
	uint64_t *edge_start; /* of each state, in `edges`: moves of honest parties */
	uint32_t *edges;
	uint64_t edge_count, edge_room;
	uint32_t count, room, chunk_count;
	uint64_t states_max;
	struct search_result r;
};

static struct state *state_at(const struct search *x, uint32_t i) { return &x->chunks[i / CHUNK][i % CHUNK]; }

/* -- the set of states ------------------------------------------------------------------------- */

static void table_grow(struct search *x)
{
	free(x->table);
	x->table_size = x->table_size ? x->table_size * 2 : 1 << 16;
	x->table = calloc(x->table_size, sizeof(*x->table));
	for (uint32_t i = 0; i < x->count; i++) {
		size_t at = bytes_hash(state_at(x, i), sizeof(struct state)) & (x->table_size - 1);

		while (x->table[at])
			at = (at + 1) & (x->table_size - 1);
		x->table[at] = i + 1;
	}
}

static void room_for_one(struct search *x)
{
	if (x->count == x->room) {
		x->room = x->room ? x->room * 2 : CHUNK;
		x->chunks = reallocarray(x->chunks, x->room / CHUNK, sizeof(*x->chunks));
		x->origins = reallocarray(x->origins, x->room, sizeof(*x->origins));
		x->edge_start = reallocarray(x->edge_start, (size_t)x->room + 1, sizeof(*x->edge_start));
	}
	if (x->count / CHUNK == x->chunk_count)
		x->chunks[x->chunk_count++] = calloc(CHUNK, sizeof(struct state));
	if (((size_t)x->count + 1) * 3 > x->table_size * 2)
		table_grow(x);
}

/* Its number; new ones are put at the end. */
static uint32_t state_number(struct search *x, const struct state *s, uint32_t parent, struct move m)
{
	room_for_one(x);
	size_t at = bytes_hash(s, sizeof(*s)) & (x->table_size - 1);

	for (; x->table[at]; at = (at + 1) & (x->table_size - 1)) {
		if (memcmp(state_at(x, x->table[at] - 1), s, sizeof(*s)) == 0)
			return x->table[at] - 1;
	}
	*state_at(x, x->count) = *s;
	x->origins[x->count] = (struct origin){ parent, m };
	x->table[at] = ++x->count;
	return x->count - 1;
}

static void edge_add(struct search *x, uint32_t to)
{
	if (x->edge_count == x->edge_room) {
		x->edge_room = x->edge_room ? x->edge_room * 2 : 1 << 16;
		x->edges = reallocarray(x->edges, x->edge_room, sizeof(*x->edges));
	}
	x->edges[x->edge_count++] = to;
}

/* -- telling -------------------------------------------------------------------------------------- */

/* One move as the search makes it.  False: it cannot happen here (or nothing happens). */
static bool make_move(struct search *x, struct state *s, struct move m, bool *ret_cut, const char **ret_why)
{
	struct state before = *s;
	bool acts = false;

	*ret_cut = false;
	*ret_why = NULL;
	if (!move_apply(x->w, s, m))
		return false;
	if (m.kind == MOVE_STEP || (x->w->eager && move_is_heard(m)))
		*ret_why = engine_run(x->engine, s, ret_cut, &acts);
	if (m.kind == MOVE_STEP && !acts && !*ret_why)
		return false;
	state_excuse(x->w, s);
	if (!*ret_why)
		*ret_why = step_wrong(x->w, &before, s);
	if (!*ret_why)
		*ret_why = state_wrong(x->w, s);
	return true;
}

static size_t path_to(const struct search *x, uint32_t to, uint32_t **ret_path)
{
	size_t n = 0;

	for (uint32_t i = to; i; i = x->origins[i].parent)
		n++;
	*ret_path = calloc(n + 1, sizeof(uint32_t));
	for (uint32_t i = to, at = (uint32_t)n; i; i = x->origins[i].parent)
		(*ret_path)[--at] = i;
	return n;
}

/* From the start to state `to`, then one more move if there is one. */
static void tell_trace(struct search *x, uint32_t to, const struct move *last, const char *why)
{
	uint32_t *path;
	size_t n = path_to(x, to, &path);
	uint8_t names[NODES] = { 0, 1, 2, 3, 4 }, from[NODES], old[NODES];
	struct state s = *state_at(x, 0);
	bool cut;
	const char *wrong;

	(void)fprintf(x->out, "world %s: %s\n\n  at first\n", x->w->name, why);
	tell_state(x->w, &s, names, x->out);
	for (size_t i = 0; i < n + (last != NULL); i++) {
		struct move m = i < n ? x->origins[path[i]].move : *last;

		(void)fprintf(x->out, "  %zu. ", i + 1);
		tell_move(x->w, &s, m, names, x->out);
		(void)make_move(x, &s, m, &cut, &wrong); /* it could be made before */
		tell_state(x->w, &s, names, x->out);
		if (i == n)
			break;
		state_canonical(x->w, &s, from);
		memcpy(old, names, sizeof(old));
		for (size_t k = 0; k < NODES; k++)
			names[k] = old[from[k]];
	}
	(void)fprintf(x->out, "\n  VIOLATION %s\n", why);
	engine_explain(x->engine, &s, x->out);
	free(path);
}

static bool violation(struct search *x, uint32_t at, const struct move *m, const char *why)
{
	x->r.violations++;
	tell_trace(x, at, m, why);
	return false;
}

/* -- breadth first ---------------------------------------------------------------------------------- */

static bool expand(struct search *x, uint32_t at)
{
	struct move moves[MOVES_MAX];
	size_t n = moves_list(x->w, state_at(x, at), moves);

	for (size_t i = 0; i < n; i++) {
		struct state s = *state_at(x, at);
		const char *why;
		bool cut;

		if (!make_move(x, &s, moves[i], &cut, &why))
			continue;
		x->r.transitions++;
		if (why)
			return violation(x, at, &moves[i], why);
		x->r.cuts += cut;
		if (cut)
			continue;
		state_canonical(x->w, &s, NULL);
		uint32_t to = state_number(x, &s, at, moves[i]);

		if (moves[i].kind <= MOVE_LAST_GOOD)
			edge_add(x, to);
	}
	return true;
}

static bool explore(struct search *x)
{
	struct state s;

	world_start(x->w, &s);
	(void)state_number(x, &s, 0, (struct move){ 0 }); /* number 0 */
	for (uint32_t at = 0; at < x->count; at++) {
		if (x->count > x->states_max) {
			(void)fprintf(x->out, "world %s: more than %llu states; not all were tried\n", x->w->name,
				      (unsigned long long)x->states_max);
			return false;
		}
		x->edge_start[at] = x->edge_count;
		x->r.depth = at; /* the last one expanded; turned into a depth at the end */
		if (!expand(x, at))
			return false;
	}
	x->edge_start[x->count] = x->edge_count;
	return true;
}

/* -- is the goal reached from everywhere? -------------------------------------------------------------- */

struct frame { uint32_t state; uint64_t next; };

struct walk { struct search *x; uint16_t *length; uint8_t *colour; struct frame *stack; size_t depth; };
enum { WHITE, GREY, BLACK };

static void enter(struct walk *k, uint32_t state)
{
	k->colour[state] = GREY;
	k->stack[k->depth++] = (struct frame){ state, k->x->edge_start[state] };
}

static void leave(struct walk *k)
{
	uint32_t state = k->stack[--k->depth].state;
	uint16_t longest = 0;

	for (uint64_t i = k->x->edge_start[state]; i < k->x->edge_start[state + 1]; i++) {
		uint16_t more = (uint16_t)(k->length[k->x->edges[i]] + 1);

		longest = more > longest ? more : longest;
	}
	k->length[state] = longest;
	k->colour[state] = BLACK;
	k->x->r.longest = longest > k->x->r.longest ? longest : k->x->r.longest;
}

/* Depth first from one state, with a stack of our own. */
static bool walk_from(struct walk *k, uint32_t first)
{
	enter(k, first);
	while (k->depth) {
		struct frame *f = &k->stack[k->depth - 1];

		if (f->next == k->x->edge_start[f->state + 1]) {
			leave(k);
			continue;
		}
		uint32_t to = k->x->edges[f->next++];

		if (k->colour[to] == GREY)
			return violation(k->x, to, NULL, "I9: honest parties go round in a circle");
		if (k->colour[to] == WHITE)
			enter(k, to);
	}
	return true;
}

static bool ends_at_goal(struct search *x, uint32_t at)
{
	const char *missed;
	char why[200];

	if (x->edge_start[at] != x->edge_start[at + 1])
		return true;
	missed = goal_missed(x->w, state_at(x, at));
	x->r.goals += !missed;
	if (!missed)
		return true;
	(void)snprintf(why, sizeof(why), "I9: nothing more will happen, and %s", missed); /* cut if too long */
	return violation(x, at, NULL, why);
}

static bool reach_goal(struct search *x)
{
	struct walk k = { .x = x, .length = calloc(x->count, 2), .colour = calloc(x->count, 1),
			  .stack = calloc(x->count, sizeof(struct frame)) };
	bool ok = true;

	for (uint32_t i = 0; i < x->count && ok; i++)
		ok = ends_at_goal(x, i);
	for (uint32_t i = 0; i < x->count && ok; i++)
		ok = k.colour[i] != WHITE || walk_from(&k, i);
	free(k.length);
	free(k.colour);
	free(k.stack);
	return ok;
}

/* -- all of it -------------------------------------------------------------------------------------------- */

static double seconds_used(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* cannot fail */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t depth_of(const struct search *x, uint32_t state)
{
	uint64_t n = 0;

	for (uint32_t i = state; i; i = x->origins[i].parent)
		n++;
	return n;
}

static void search_free(struct search *x)
{
	for (uint32_t i = 0; i < x->chunk_count; i++)
		free(x->chunks[i]);
	free(x->chunks);
	free(x->origins);
	free(x->table);
	free(x->edge_start);
	free(x->edges);
	engine_close(x->engine);
}

bool search_run(const struct world *w, uint64_t states_max, FILE *out, struct search_result *ret_result)
{
	struct search x = { .w = w, .engine = engine_open(w), .out = out, .states_max = states_max };
	double start = seconds_used();
	bool ok = explore(&x) && reach_goal(&x);

	x.r.states = x.count;
	x.r.depth = depth_of(&x, (uint32_t)x.r.depth);
	x.r.questions = engine_questions(x.engine);
	x.r.seconds = seconds_used() - start;
	*ret_result = x.r;
	search_free(&x);
	return ok;
}
