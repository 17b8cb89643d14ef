/* Sets of ids.  They are small (a chain has one or two anchors, a store some dozens), so a sorted
 * array and a binary search beat anything cleverer. */
#include "engine/ids.h"

#include <stdlib.h>
#include <string.h>

#include "engine/table.h"

static int compare_ids(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return (a > b) - (a < b);
}

static size_t sort_unique(int64_t *items, size_t count)
{
	size_t kept = 0;

	if (count > 1)
		qsort(items, count, sizeof(*items), compare_ids);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || items[kept - 1] != items[i])
			items[kept++] = items[i];
	}
	return kept;
}

struct id_list ids_keep(struct id_list list)
{
	int64_t *items = mem_new(list.count, sizeof(*items));

	if (list.count)
		memcpy(items, list.items, list.count * sizeof(*items));
	return (struct id_list){ items, sort_unique(items, list.count) };
}

void ids_release(struct id_list *list)
{
	free((int64_t *)list->items);
	*list = (struct id_list){ 0 };
}

bool ids_has(struct id_list list, int64_t id)
{
	size_t low = 0, high = list.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list.items[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list.count && list.items[low] == id;
}

bool ids_meet(struct id_list x, struct id_list y)
{
	struct id_list few = x.count < y.count ? x : y, many = x.count < y.count ? y : x;

	for (size_t i = 0; i < few.count; i++) {
		if (ids_has(many, few.items[i]))
			return true;
	}
	return false;
}

bool ids_within(struct id_list x, struct id_list y)
{
	if (x.count > y.count)
		return false;
	for (size_t i = 0; i < x.count; i++) {
		if (!ids_has(y, x.items[i]))
			return false;
	}
	return true;
}

bool ids_same(struct id_list x, struct id_list y)
{
	return x.count == y.count && ids_within(x, y);
}

struct id_list ids_sorted(struct arena *a, struct id_list list)
{
	int64_t *items = ARENA_ARRAY(a, int64_t, list.count + 1);

	if (list.count)
		memcpy(items, list.items, list.count * sizeof(*items));
	return (struct id_list){ items, sort_unique(items, list.count) };
}

struct id_list ids_union(struct arena *a, struct id_list x, struct id_list y)
{
	int64_t *items = ARENA_ARRAY(a, int64_t, x.count + y.count + 1);
	size_t n = 0, i = 0, j = 0;

	while (i < x.count || j < y.count) {
		if (j == y.count || (i < x.count && x.items[i] < y.items[j]))
			items[n++] = x.items[i++];
		else if (i == x.count || y.items[j] < x.items[i])
			items[n++] = y.items[j++];
		else
			items[n++] = x.items[i++], j++;
	}
	return (struct id_list){ items, n };
}

/* Those of x that are (or are not) in y. */
static struct id_list sift(struct arena *a, struct id_list x, struct id_list y, bool inside)
{
	int64_t *items = ARENA_ARRAY(a, int64_t, x.count + 1);
	size_t n = 0;

	for (size_t i = 0; i < x.count; i++) {
		if (ids_has(y, x.items[i]) == inside)
			items[n++] = x.items[i];
	}
	return (struct id_list){ items, n };
}

struct id_list ids_minus(struct arena *a, struct id_list x, struct id_list y)
{
	return sift(a, x, y, false);
}

struct id_list ids_common(struct arena *a, struct id_list x, struct id_list y)
{
	return sift(a, x, y, true);
}

struct id_list ids_without(struct arena *a, struct id_list x, int64_t id)
{
	return ids_minus(a, x, (struct id_list){ &id, 1 });
}

uint64_t ids_hash(struct id_list list)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ list.count;

	for (size_t i = 0; i < list.count; i++)
		h = (h ^ (uint64_t)list.items[i]) * UINT64_C(0x9e3779b97f4a7c15) + (h >> 29);
	return h;
}
