/* The invariants of engine-rules section 13, asked of what the nodes really run; the books are read
 * only to see that reality is in them.  Nothing here knows how the engine decides. */
#include <string.h>

#include "model.h"

static bool in_promise(const struct node *n) { return n->state == COUNTED; }

/* -- handshakes --------------------------------------------------------------------------------- */

/* Every worker of the slot with every process of the store. */
static bool shake_hands(const struct world *w, const struct node *slot, const struct node *store)
{
	for (size_t i = 0; i <= KEPT; i++) {
		for (size_t k = 0; k <= KEPT; k++) {
			uint8_t chain = i ? slot->drains[i - 1] : slot->real, set = k ? store->drains[k - 1] : store->real;

			if ((i && !chain) || (k && !set))
				continue;
			if (!accepts(w, set, chain))
				return false;
		}
	}
	return true;
}

struct seq { uint8_t items[2 * DOCS + 2]; size_t count; };

static struct seq seq_of(const struct world *w, const struct node *n, bool store)
{
	struct seq q = { { 0 }, 0 };

	if (n->known)
		q.items[q.count++] = n->base;
	for (size_t i = 0; i < n->doc_count; i++) {
		unsigned common = set_bits(n->docs[i].content);

		for (size_t k = 0; k < q.count; k++)
			common &= set_bits(q.items[k]);
		if (store && !w->atomic && q.count)
			q.items[q.count++] = set_of(common);
		q.items[q.count++] = n->docs[i].content;
	}
	return q;
}

bool pair_in_order(const struct world *w, const struct node *slot, const struct node *store)
{
	struct seq rows = seq_of(w, slot, false), columns = seq_of(w, store, true);
	bool lit[2 * DOCS + 3] = { 0 }; /* something succeeded in this column, or before it, in this row or above */

	if (!slot->known || !store->known)
		return false;
	for (size_t i = 0; i < rows.count; i++) {
		bool before = false;

		for (size_t j = 0; j < columns.count; j++) {
			bool ok = accepts(w, columns.items[j], rows.items[i]);

			before = before || lit[j] || ok;
			if (before && !ok)
				return false;
			lit[j] = lit[j] || ok;
		}
	}
	return true;
}

static bool excused(const struct state *s, const struct world *w, size_t slot, size_t store)
{
	return s->nodes[slot].touched || s->nodes[store].touched ||
	       (s->nodes[store].excused >> (slot - w->stores) & 1);
}

void state_excuse(const struct world *w, struct state *s)
{
	for (size_t v = 0; v < w->stores && s->outside; v++) {
		struct node *store = &s->nodes[v];

		for (size_t p = w->stores; p < world_nodes(w); p++) {
			struct node *slot = &s->nodes[p];
			uint8_t bit = (uint8_t)(1u << (p - w->stores));

			if (slot->touched || store->touched)
				store->excused |= bit;
			else if (pair_in_order(w, slot, store))
				store->excused &= (uint8_t)~bit;
			if (!in_promise(slot) || !in_promise(store))
				store->excused &= (uint8_t)~bit;
		}
	}
}

/* -- one state ------------------------------------------------------------------------------------- */

static bool covered(const struct world *w, const struct node *n, bool store, uint8_t content)
{
	struct seq q = seq_of(w, n, store);
	bool found = !n->known;

	for (size_t i = 0; i < q.count; i++)
		found = found || q.items[i] == content;
	return found;
}

static const char *node_wrong(const struct world *w, const struct node *n, bool store)
{
	if (!in_promise(n) || n->touched)
		return NULL;
	if (!covered(w, n, store, n->real))
		return "I2: a node runs something that is not in its Seq";
	for (size_t i = 0; i < KEPT; i++) {
		if (n->drains[i] && !covered(w, n, store, n->drains[i]))
			return "I2: an old worker runs something that is not in its Seq";
	}
	if (!store && !n->real)
		return "I7: a slot counts without a chain";
	if (n->known && n->high > n->real_high)
		return "I4: the books know a higher h than the node";
	return NULL;
}

static const char *labels_wrong(const struct world *w, const struct state *s)
{
	for (size_t i = 0; i < w->versions; i++) {
		int labels = 0;
		bool any = false;

		for (size_t k = 0; k < w->versions; k++) {
			bool mine = w->version[k].authority == w->version[i].authority && (s->cas[k] & CA_EXISTS);

			any = any || mine;
			labels += mine && (s->cas[k] & CA_SIGNING);
		}
		if (any && labels != 1)
			return "I5: not exactly one version signs";
	}
	return NULL;
}

const char *state_wrong(const struct world *w, const struct state *s)
{
	for (size_t i = 0; i < world_nodes(w); i++) {
		const char *why = node_wrong(w, &s->nodes[i], is_store(w, i));

		if (why)
			return why;
	}
	for (size_t p = w->stores; p < world_nodes(w); p++) {
		for (size_t v = 0; v < w->stores; v++) {
			const struct node *slot = &s->nodes[p], *store = &s->nodes[v];

			if (in_promise(slot) && in_promise(store) && slot->known && store->known &&
			    !excused(s, w, p, v) && !pair_in_order(w, slot, store))
				return "I3: rule S does not hold between two members";
		}
	}
	return labels_wrong(w, s);
}

/* -- one move ----------------------------------------------------------------------------------------- */

/* It signed the leaf, or the intermediate that did. */
static bool stands_in(const struct world *w, size_t version, uint8_t chain)
{
	return chain_version(chain) == version || w->version[chain_version(chain)].issuer == version + 1;
}

static bool uses(const struct world *w, const struct node *n, bool store, size_t version)
{
	for (size_t i = 0; i <= KEPT; i++) {
		uint8_t content = i ? n->drains[i - 1] : n->real;

		if (!content)
			continue;
		if (store ? w->version[version].cert && (set_bits(content) >> (w->version[version].cert - 1) & 1)
			  : stands_in(w, version, content))
			return true;
	}
	return false;
}

static const char *retirement_wrong(const struct world *w, const struct state *after, size_t version)
{
	for (size_t i = 0; i < world_nodes(w); i++) {
		const struct node *n = &after->nodes[i];

		if (in_promise(n) && !n->touched && uses(w, n, is_store(w, i), version))
			return "V: a version is retired, and somebody still uses it";
	}
	return NULL;
}

const char *step_wrong(const struct world *w, const struct state *before, const struct state *after)
{
	for (size_t p = w->stores; p < world_nodes(w); p++) {
		for (size_t v = 0; v < w->stores; v++) {
			const struct node *slot = &after->nodes[p], *store = &after->nodes[v];

			if (!in_promise(&before->nodes[p]) || !in_promise(&before->nodes[v]) || !in_promise(slot) ||
			    !in_promise(store) || excused(before, w, p, v) || excused(after, w, p, v))
				continue;
			if (shake_hands(w, &before->nodes[p], &before->nodes[v]) && !shake_hands(w, slot, store))
				return "I1: two that could shake hands cannot any more";
		}
	}
	for (size_t i = 0; i < w->versions; i++) {
		if ((after->cas[i] & CA_RETIRED) && !(before->cas[i] & CA_RETIRED) && retirement_wrong(w, after, i))
			return retirement_wrong(w, after, i);
	}
	return NULL;
}

/* -- the goal ---------------------------------------------------------------------------------------------- */

static unsigned wanted_roots(const struct world *w, const struct state *s)
{
	unsigned bits = 0;

	for (size_t i = 0; i < w->versions; i++) {
		if ((s->cas[i] & CA_WANTED) && w->version[i].cert)
			bits |= 1u << (w->version[i].cert - 1);
	}
	return bits;
}

static const char *member_missed(const struct world *w, const struct state *s, size_t i)
{
	const struct node *n = &s->nodes[i];

	if (n->state == ABSENT || n->state == WAIVED)
		return NULL;
	if (n->state != COUNTED)
		return "a newcomer is not admitted";
	if (is_store(w, i) && set_bits(n->real) != wanted_roots(w, s))
		return "a store does not hold exactly what is wanted";
	if (!is_store(w, i) && (!n->real || !(s->cas[chain_version(n->real)] & CA_WANTED)))
		return "a slot serves a chain of a version that is not wanted";
	return NULL;
}

const char *goal_missed(const struct world *w, const struct state *s)
{
	for (size_t i = 0; i < world_nodes(w); i++) {
		const char *why = member_missed(w, s, i);

		if (why)
			return why;
	}
	for (size_t i = 0; i < w->versions; i++) {
		uint8_t ca = s->cas[i];

		if ((ca & CA_EXISTS) && !(ca & CA_WANTED) == !(ca & CA_RETIRED))
			return "a version is neither wanted nor retired";
	}
	return NULL;
}
