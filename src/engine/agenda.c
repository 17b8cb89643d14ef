/* A binary heap of moments.  Entries are never removed early: when its time comes, an entry of a
 * thing that is gone, or that moved on, is simply dropped by the clock (clock.c). */
#include "engine/agenda.h"

#include <stdlib.h>

#include "engine/table.h"

void agenda_release(struct agenda *g)
{
	free(g->items);
	*g = (struct agenda){ 0 };
}

void agenda_clear(struct agenda *g)
{
	g->count = 0;
}

static void swap_items(struct appointment *x, struct appointment *y)
{
	struct appointment kept = *x;

	*x = *y;
	*y = kept;
}

void agenda_add(struct agenda *g, msec_t at, enum agenda_kind kind, int64_t id)
{
	size_t i = g->count;

	if (g->count == g->room) {
		g->room = g->room ? g->room * 2 : 64;
		g->items = mem_grow(g->items, g->room, sizeof(*g->items));
	}
	g->items[g->count++] = (struct appointment){ at, id, kind };
	for (; i > 0 && g->items[(i - 1) / 2].at > g->items[i].at; i = (i - 1) / 2)
		swap_items(&g->items[(i - 1) / 2], &g->items[i]);
}

const struct appointment *agenda_first(const struct agenda *g)
{
	return g->count ? &g->items[0] : NULL;
}

static size_t smaller_child(const struct agenda *g, size_t i)
{
	size_t left = 2 * i + 1;

	if (left + 1 < g->count && g->items[left + 1].at < g->items[left].at)
		return left + 1;
	return left;
}

bool agenda_take(struct agenda *g, msec_t until, struct appointment *ret_item)
{
	if (g->count == 0 || g->items[0].at > until)
		return false;
	*ret_item = g->items[0];
	g->items[0] = g->items[--g->count];
	for (size_t i = 0, child; 2 * i + 1 < g->count; i = child) {
		child = smaller_child(g, i);
		if (g->items[i].at <= g->items[child].at)
			break;
		swap_items(&g->items[i], &g->items[child]);
	}
	return true;
}
