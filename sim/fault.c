/* Misfortune by name.  See fault.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shrink.h"
#include "sim.h"

static const char *const KINDS[FAULT_KIND_COUNT] = { "node", "act", "loss", "delay", "twice", "stray", "probe", "heed", "keeper", "commit" };

/* -- names ----------------------------------------------------------------------------------------- */
fault_id fault_name(enum fault_kind kind, int node, uint32_t count)
{
	return (uint64_t)kind << 56 | (uint64_t)(uint32_t)(node + 1) << 32 | count;
}

void fault_text(fault_id id, char out[FAULT_TEXT])
{
	snprintf(out, FAULT_TEXT, "%s/%u/%u", KINDS[id >> 56], (unsigned)(id >> 32 & 0xffffff), (unsigned)id);
}

bool fault_parse(const char *text, fault_id *ret)
{
	char kind[16];
	unsigned node, count;
	if (sscanf(text, "%15[a-z]/%u/%u", kind, &node, &count) != 3)
		return false;
	for (int i = 0; i < FAULT_KIND_COUNT; i++)
		if (strcmp(KINDS[i], kind) == 0)
			return (*ret = fault_name((enum fault_kind)i, (int)node - 1, count), true);
	return false;
}

/* -- lists ------------------------------------------------------------------------------------------- */
void fault_list_add(struct fault_list *list, fault_id id)
{
	if (list->count == list->room) {
		list->room = list->room ? list->room * 2 : 64;
		list->items = realloc(list->items, list->room * sizeof *list->items);
		CHECK(list->items);
	}
	list->items[list->count++] = id;
}

static int by_id(const void *a, const void *b)
{
	fault_id x = *(const fault_id *)a, y = *(const fault_id *)b;
	return x < y ? -1 : x > y;
}

void fault_list_sort(struct fault_list *list)
{
	size_t kept = 0;
	if (list->count)
		qsort(list->items, list->count, sizeof *list->items, by_id);
	for (size_t i = 0; i < list->count; i++)
		if (!kept || list->items[kept - 1] != list->items[i])
			list->items[kept++] = list->items[i];
	list->count = kept;
}

bool fault_list_has(const struct fault_list *sorted, fault_id id)
{
	return sorted->count && bsearch(&id, sorted->items, sorted->count, sizeof id, by_id);
}

void fault_list_free(struct fault_list *list)
{
	free(list->items);
	*list = (struct fault_list){ 0 };
}

/* -- questions ------------------------------------------------------------------------------------------ */
uint64_t fault_seed(const struct sim *s, fault_id id)
{
	struct dice d = { s->o.seed * UINT64_C(0x9e3779b97f4a7c15) ^ id };
	(void)dice_roll(&d);
	return dice_roll(&d);
}

static bool kept(const struct sim *s, fault_id id) { return !s->o.keep || fault_list_has(s->o.keep, id); }

static void remember(struct sim *s, fault_id id)
{
	fault_list_add(&s->happened, id);
	if (s->o.found && s->o.found->count < FOUND_MAX)
		s->o.found->happened[s->o.found->count++] = id;
}

bool fault_hits(struct sim *s, enum fault_kind kind, const struct node *n, int per_mille)
{
	if (!s->faults)
		return false;
	uint32_t *asked = n ? &s->asked[n->index][kind] : &s->asked_server[kind];
	fault_id id = fault_name(kind, n ? n->index : -1, (*asked)++);
	s->fault_dice.state = fault_seed(s, id);
	if (!dice_chance(&s->fault_dice, per_mille) || !kept(s, id))
		return false;
	remember(s, id);
	s->count.faults++;
	return true;
}

int64_t fault_in(struct sim *s, int64_t from, int64_t to) { return dice_in(&s->fault_dice, from, to); }

bool fault_named(struct sim *s, enum fault_kind kind, uint32_t k)
{
	fault_id id = fault_name(kind, -1, k);
	if (!kept(s, id))
		return false;
	remember(s, id);
	return true;
}
