/* What can happen to a node, and what an operator can do: each move is one function from a state
 * to a state, or "not here".  The nodes keep the agent's contract (engine-rules section 4: A1 to
 * A5) and nothing more: they are slow, fail, restart, are restored, and say things twice. */
#include <string.h>

#include "base/limits.h"
#include "model.h"

/* -- a node and its mail ------------------------------------------------------------------------ */

static bool present(const struct node *n) { return n->state == JOINING || n->state == COUNTED; }

static bool serial_used(const struct node *n, uint8_t content)
{
	bool used = n->base == content || n->real == content || n->staged == content || n->failed == content ||
		    n->inbox == content;

	for (size_t i = 0; i < n->doc_count; i++)
		used = used || n->docs[i].content == content;
	for (size_t i = 0; i < KEPT; i++)
		used = used || n->drains[i] == content;
	return used;
}

/* The certificate that was asked for is there; it is never one that is in use. */
static bool do_issue(struct node *n)
{
	uint8_t chain = 0;

	if (!present(n) || !n->asked)
		return false;
	for (unsigned serial = 0; serial < SERIALS && !chain; serial++) {
		if (!serial_used(n, chain_of(n->asked - 1u, serial)))
			chain = chain_of(n->asked - 1u, serial);
	}
	n->staged = chain ? chain : chain_of(n->asked - 1u, SERIALS - 1);
	n->asked = 0;
	return true;
}

/* The newest document leaves; what was handed out and lost is asked for again. */
static bool do_hand(struct node *n, bool arrives)
{
	struct doc *d = n->doc_count ? &n->docs[n->doc_count - 1] : NULL;

	if (!present(n) || !n->alive || !d || d->gen <= n->real_high || (arrives && n->inbox_gen == d->gen))
		return false;
	if (!arrives && d->handed)
		return false; /* lost once more: nothing new */
	d->handed = 1;
	if (arrives) {
		n->inbox = d->content;
		n->inbox_gen = d->gen;
	}
	return true;
}

/* An older one, handed out before, comes after all; the agent loads it if it loaded no newer one. */
static bool do_overtake(struct node *n, uint8_t which)
{
	if (!present(n) || which + 1 >= n->doc_count)
		return false;
	const struct doc *d = &n->docs[which];

	if (!d->handed || d->gen <= n->real_high || n->inbox_gen == d->gen)
		return false;
	n->inbox = d->content;
	n->inbox_gen = d->gen;
	return true;
}

static bool half_written(struct node *n)
{
	return node_keep(n, set_of(set_bits(n->real) & set_bits(n->inbox)));
}

static bool do_load(const struct world *w, struct node *n, bool store)
{
	if (!present(n) || n->inbox_gen <= n->real_high)
		return false;
	if (!node_keep(n, n->real) || (store && !w->atomic && !half_written(n)))
		return false;
	n->real = n->inbox;
	n->real_gen = n->real_high = n->inbox_gen;
	n->inbox = n->inbox_gen = 0;
	return true;
}

static bool news(const struct node *n)
{
	return !n->known || n->base_gen != n->real_gen || n->high != n->real_high || n->drains[0];
}

static void drop_settled(struct node *n)
{
	uint8_t kept = 0;

	for (uint8_t i = 0; i < n->doc_count; i++) {
		if (n->docs[i].gen > n->high)
			n->docs[kept++] = n->docs[i];
	}
	n->doc_count = kept;
}

/* Settled: the old workers are gone (A5), and nothing up to h is ever loaded again. */
static bool do_report(struct node *n)
{
	if (!present(n) || !n->alive || n->touched == 2 || !n->real_gen || !news(n))
		return false;
	if (n->base_gen != n->real_gen)
		n->failed = n->failures = 0; /* it runs something else since: observe.c, clear_failure */
	memset(n->drains, 0, sizeof(n->drains));
	n->known = 1;
	n->base = n->real;
	n->base_gen = n->real_gen;
	n->high = n->real_high;
	n->touched = 0;
	drop_settled(n);
	return true;
}

/* A reload failed: the old is put back first (A3), then reported. */
static bool do_fail(const struct world *w, struct node *n)
{
	if (w->prompt)
		(void)do_hand(n, true); /* what it cannot be handed, it has */
	if (!present(n) || !n->alive || n->inbox_gen <= n->real_high || n->touched == 2 || !n->real_gen)
		return false;
	uint8_t failures = n->failed == n->inbox ? (uint8_t)(n->failures + 1) : 1, failed = n->inbox;

	n->real_high = n->inbox_gen;
	n->inbox = n->inbox_gen = 0;
	if (!do_report(n))
		return false;
	n->failures = failures;
	n->failed = failed;
	return true;
}

static bool do_mend(struct node *n)
{
	if (!n->failed || n->failures < LIMIT_APPLY_FAILURES)
		return false;
	n->failed = n->failures = 0;
	return true;
}

/* -- sessions ------------------------------------------------------------------------------------- */

/* A session opened with something unexpected: what it holds is unknown, its documents are void. */
static void void_rows(struct node *n)
{
	n->known = n->base = n->base_gen = n->high = 0;
	n->doc_count = 0;
	n->inbox = n->inbox_gen = 0;
}

static bool do_online(struct node *n)
{
	if (!present(n) || n->alive)
		return false;
	n->alive = 1;
	if (n->touched == 2) {
		void_rows(n);
		n->touched = 1;
	}
	return true;
}

static bool do_offline(struct node *n)
{
	if (!present(n) || !n->alive)
		return false;
	n->alive = 0;
	return true;
}

/* The machine restarts: the same files, another boot id, no old workers. */
static bool do_reboot(struct node *n)
{
	if (!present(n) || !n->real_gen || !n->known)
		return false;
	memset(n->drains, 0, sizeof(n->drains));
	n->alive = 1;
	n->touched = n->touched ? 1 : 0;
	void_rows(n);
	return true;
}

/* Restored from a backup of the first day; noticed when it is back. */
static bool do_restore(const struct world *w, struct state *s, size_t i)
{
	struct node *n = &s->nodes[i];
	struct state first;

	world_start(w, &first);
	if (n->state != COUNTED || n->touched || n->real == first.nodes[is_store(w, i) ? 0 : w->stores].real)
		return false;
	n->real = first.nodes[is_store(w, i) ? 0 : w->stores].real;
	n->real_gen = n->real_high = node_fresh_generation(n);
	n->inbox = n->inbox_gen = 0;
	memset(n->drains, 0, sizeof(n->drains));
	n->alive = 0;
	n->touched = 2;
	s->outside = 1;
	return true;
}

/* -- operators -------------------------------------------------------------------------------------- */

/* Another set of versions is wanted: a rotation, a rollback, a second rotation during the first. */
static bool do_goal(const struct world *w, struct state *s, uint8_t which)
{
	bool changes = false;

	for (size_t i = 0; i < w->versions; i++) {
		bool want = w->goals[which] >> i & 1;

		changes = changes || want != !!(s->cas[i] & CA_WANTED);
	}
	if (!s->goals || !changes)
		return false;
	for (size_t i = 0; i < w->versions; i++) {
		s->cas[i] &= (uint8_t)~CA_WANTED;
		if (w->goals[which] >> i & 1)
			s->cas[i] = (uint8_t)((s->cas[i] | CA_EXISTS | CA_WANTED) & ~CA_RETIRED);
	}
	s->goals--;
	return true;
}

static bool do_join(struct node *n)
{
	if (n->state != ABSENT)
		return false;
	*n = (struct node){ .state = JOINING, .alive = 1 };
	return true;
}

/* Out of the promise, for good; it keeps what it runs. */
static bool do_waive(struct state *s, struct node *n)
{
	if (n->state != COUNTED || !s->waivers || !n->real_gen)
		return false;
	*n = (struct node){ .state = WAIVED, .real = n->real, .real_gen = 1, .real_high = 1 };
	s->waivers--;
	return true;
}

static bool do_return(struct node *n)
{
	if (n->state != WAIVED)
		return false;
	n->state = JOINING;
	n->alive = 1;
	return true;
}

/* -- the table ---------------------------------------------------------------------------------------- */

static bool move_node(const struct world *w, struct state *s, struct move m)
{
	struct node *n = &s->nodes[m.node];

	switch ((enum move_kind)m.kind) {
	case MOVE_ISSUE: return do_issue(n);
	case MOVE_HAND: return do_hand(n, true) && (!w->prompt || do_load(w, n, is_store(w, m.node)));
	case MOVE_LOAD: return !w->prompt && do_load(w, n, is_store(w, m.node));
	case MOVE_REPORT: return do_report(n);
	case MOVE_ONLINE: return do_online(n);
	case MOVE_MEND: return do_mend(n);
	case MOVE_LOSE: return do_hand(n, false);
	case MOVE_FAIL: return do_fail(w, n);
	case MOVE_OFFLINE: return do_offline(n);
	case MOVE_REBOOT: return do_reboot(n);
	case MOVE_RESTORE: return do_restore(w, s, m.node);
	case MOVE_OVERTAKE: return do_overtake(n, m.arg) && (!w->prompt || do_load(w, n, is_store(w, m.node)));
	case MOVE_JOIN: return do_join(n);
	case MOVE_WAIVE: return do_waive(s, n);
	case MOVE_RETURN: return do_return(n);
	case MOVE_STEP: return !w->eager;
	default: return false;
	}
}

static bool is_fault(uint8_t kind) { return kind >= MOVE_LOSE && kind <= MOVE_OVERTAKE; }

bool move_apply(const struct world *w, struct state *s, struct move m)
{
	if (m.kind == MOVE_GOAL)
		return do_goal(w, s, m.arg);
	if (is_fault(m.kind) && (!s->faults || !(w->fault_kinds >> m.kind & 1)))
		return false;
	if (!move_node(w, s, m))
		return false;
	s->faults = (uint8_t)(s->faults - is_fault(m.kind));
	return true;
}

bool move_is_heard(struct move m)
{
	return m.kind != MOVE_LOAD && m.kind != MOVE_OVERTAKE;
}

/* Equal neighbours in canonical order: what happens to the second would be the same state. */
static bool same_as_before(const struct world *w, const struct state *s, size_t i)
{
	return i > 0 && is_store(w, i - 1) == is_store(w, i) && !s->outside &&
	       memcmp(&s->nodes[i], &s->nodes[i - 1], sizeof(s->nodes[i])) == 0;
}

size_t moves_list(const struct world *w, const struct state *s, struct move ret_moves[MOVES_MAX])
{
	size_t n = 0;

	for (uint8_t i = 0; i < world_nodes(w); i++) {
		if (same_as_before(w, s, i))
			continue;
		for (uint8_t kind = 0; kind < MOVE_KINDS; kind++) {
			if (kind == MOVE_STEP || kind == MOVE_GOAL || (is_fault(kind) && !s->faults))
				continue;
			ret_moves[n++] = (struct move){ kind, i, 0 };
			for (uint8_t arg = 1; kind == MOVE_OVERTAKE && arg + 1 < s->nodes[i].doc_count; arg++)
				ret_moves[n++] = (struct move){ kind, i, arg };
		}
	}
	for (uint8_t arg = 0; s->goals && arg < w->goal_count; arg++)
		ret_moves[n++] = (struct move){ MOVE_GOAL, 0, arg };
	if (!w->eager)
		ret_moves[n++] = (struct move){ MOVE_STEP, 0, 0 };
	return n;
}
