/* Which states are the same: generations count by their order only, serial numbers of chains by
 * their order of mention only, and stores (slots) are interchangeable. */
#include <string.h>

#include "model.h"

/* FNV's idea, eight bytes at a time; the table compares whole states, so it need only spread. */
uint64_t bytes_hash(const void *data, size_t size)
{
	const unsigned char *p = data;
	uint64_t h = UINT64_C(0xcbf29ce484222325), word;

	for (; size >= sizeof(word); p += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	word = 0;
	memcpy(&word, p, size);
	h = (h ^ word) * UINT64_C(0xbf58476d1ce4e5b9);
	return h ^ h >> 32;
}

enum { GENERATIONS = 5 + DOCS };

static size_t generations_of(struct node *n, uint8_t *ret_places[GENERATIONS])
{
	size_t count = 0;

	ret_places[count++] = &n->base_gen;
	ret_places[count++] = &n->high;
	ret_places[count++] = &n->real_gen;
	ret_places[count++] = &n->real_high;
	ret_places[count++] = &n->inbox_gen;
	for (size_t i = 0; i < n->doc_count; i++)
		ret_places[count++] = &n->docs[i].gen;
	return count;
}

uint8_t node_fresh_generation(const struct node *n)
{
	struct node copy = *n;
	uint8_t *places[GENERATIONS], highest = 0;
	size_t count = generations_of(&copy, places);

	for (size_t i = 0; i < count; i++)
		highest = *places[i] > highest ? *places[i] : highest;
	return (uint8_t)(highest + 1);
}

static void rank_generations(struct node *n)
{
	uint8_t *places[GENERATIONS];
	size_t count = generations_of(n, places);
	uint64_t used = 0;

	for (size_t i = 0; i < count; i++)
		used |= UINT64_C(1) << *places[i];
	used &= ~UINT64_C(1); /* 0 is none */
	for (size_t i = 0; i < count; i++) {
		if (*places[i])
			*places[i] = (uint8_t)(1 + __builtin_popcountll(used & ((UINT64_C(1) << *places[i]) - 1)));
	}
}

/* Serials in the order of mention. */
static void rank_serials(struct node *n)
{
	uint8_t *places[5 + DOCS + KEPT], map[VERSIONS * SERIALS + 1] = { 0 }, next[VERSIONS] = { 0 };
	size_t count = 0;

	places[count++] = &n->base;
	for (size_t i = 0; i < n->doc_count; i++)
		places[count++] = &n->docs[i].content;
	places[count++] = &n->real;
	places[count++] = &n->staged;
	places[count++] = &n->failed;
	places[count++] = &n->inbox;
	for (size_t i = 0; i < KEPT; i++)
		places[count++] = &n->drains[i];
	for (size_t i = 0; i < count; i++) {
		uint8_t was = *places[i];

		if (was && !map[was])
			map[was] = chain_of(chain_version(was), next[chain_version(was)]++);
		*places[i] = map[was];
	}
}

bool node_keep(struct node *n, uint8_t content)
{
	size_t at = 0;

	if (!content)
		return true;
	while (at < KEPT && n->drains[at] && n->drains[at] != content)
		at++;
	if (at == KEPT)
		return false;
	n->drains[at] = content;
	return true;
}

static void sort_kept(struct node *n)
{
	for (size_t i = 1; i < KEPT; i++) {
		for (size_t k = i; k > 0 && n->drains[k] > n->drains[k - 1]; k--) {
			uint8_t kept = n->drains[k];

			n->drains[k] = n->drains[k - 1];
			n->drains[k - 1] = kept;
		}
	}
}

static void node_canonical(const struct world *w, struct node *n, bool store)
{
	if (n->inbox_gen <= n->real_high)
		n->inbox = n->inbox_gen = 0; /* A1: never applied any more */
	for (size_t i = n->doc_count; i < DOCS; i++)
		n->docs[i] = (struct doc){ 0 };
	sort_kept(n);
	rank_generations(n);
	if (!store)
		rank_serials(n);
	sort_kept(n);
}

/* Insertion sort of a few nodes, with their origin. */
static void sort_nodes(struct node *nodes, uint8_t *from, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		for (size_t k = i; k > 0 && memcmp(&nodes[k], &nodes[k - 1], sizeof(*nodes)) > 0; k--) {
			struct node kept = nodes[k];
			uint8_t kept_from = from[k];

			nodes[k] = nodes[k - 1];
			nodes[k - 1] = kept;
			from[k] = from[k - 1];
			from[k - 1] = kept_from;
		}
	}
}

static void swap_slots(const struct world *w, struct state *s, uint8_t *from)
{
	struct node kept = s->nodes[w->stores];
	uint8_t kept_from = from[w->stores];

	s->nodes[w->stores] = s->nodes[w->stores + 1];
	s->nodes[w->stores + 1] = kept;
	from[w->stores] = from[w->stores + 1];
	from[w->stores + 1] = kept_from;
	for (size_t i = 0; i < w->stores; i++) {
		uint8_t x = s->nodes[i].excused;

		s->nodes[i].excused = (uint8_t)((x & 1) << 1 | x >> 1);
	}
}

/* Excused pairs name slots by their place, so both orders of the slots are tried. */
static void sort_with_excuses(const struct world *w, struct state *s, uint8_t *from)
{
	struct state other = *s;
	uint8_t other_from[NODES];

	memcpy(other_from, from, NODES);
	sort_nodes(s->nodes, from, w->stores);
	if (w->slots < 2)
		return;
	swap_slots(w, &other, other_from);
	sort_nodes(other.nodes, other_from, w->stores);
	if (memcmp(&other, s, sizeof(other)) > 0) {
		*s = other;
		memcpy(from, other_from, NODES);
	}
}

void state_canonical(const struct world *w, struct state *s, uint8_t ret_from[NODES])
{
	uint8_t from[NODES] = { 0, 1, 2, 3, 4 };

	for (size_t i = 0; i < world_nodes(w); i++)
		node_canonical(w, &s->nodes[i], is_store(w, i));
	if (s->outside) {
		sort_with_excuses(w, s, from);
	} else {
		sort_nodes(s->nodes, from, w->stores);
		sort_nodes(s->nodes + w->stores, from + w->stores, w->slots);
	}
	if (ret_from)
		memcpy(ret_from, from, NODES);
}
