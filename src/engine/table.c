/* The hash table of the engine: every id that a fact names is found through one of these.
 * Knuth's algorithm R (The Art of Computer Programming 6.4) removes without tombstones. */
#include "engine/table.h"

#include <stdlib.h>

#include "base/err.h"

void *mem_new(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size);

	CHECK(p);
	return p;
}

void *mem_grow(void *old, size_t count, size_t size)
{
	void *p = reallocarray(old, count, size);

	CHECK(p);
	return p;
}

/* splitmix64: row ids are dense and small, so they need to be spread. */
static uint64_t mix(int64_t key)
{
	uint64_t x = (uint64_t)key + UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* The slot of `key`, or the free slot where it belongs.  The table has room. */
static size_t slot_of(const struct table *t, int64_t key)
{
	size_t mask = t->room - 1, i = mix(key) & mask;

	while (t->values[i] && t->keys[i] != key) {
		((struct table *)t)->probes++;
		i = (i + 1) & mask;
	}
	((struct table *)t)->probes++;
	return i;
}

void table_release(struct table *t)
{
	free(t->keys);
	free(t->values);
	*t = (struct table){ 0 };
}

void *table_get(const struct table *t, int64_t key)
{
	return t->room ? t->values[slot_of(t, key)] : NULL;
}

static void grow(struct table *t)
{
	struct table bigger = { .room = t->room ? t->room * 2 : 16, .count = t->count,
				.probes = t->probes };

	bigger.keys = mem_new(bigger.room, sizeof(*bigger.keys));
	bigger.values = mem_new(bigger.room, sizeof(*bigger.values));
	for (size_t i = 0; i < t->room; i++) {
		if (!t->values[i])
			continue;
		size_t at = slot_of(&bigger, t->keys[i]);
		bigger.keys[at] = t->keys[i];
		bigger.values[at] = t->values[i];
	}
	free(t->keys);
	free(t->values);
	*t = bigger;
}

void table_put(struct table *t, int64_t key, void *value)
{
	if ((t->count + 1) * 4 > t->room * 3)
		grow(t);
	size_t at = slot_of(t, key);

	if (!t->values[at])
		t->count++;
	t->keys[at] = key;
	t->values[at] = value;
}

/* Is `home` outside the cyclic run (hole, at]?  Then what sits at `at` may move into the hole. */
static bool may_move(size_t hole, size_t at, size_t home)
{
	return hole <= at ? (home <= hole || home > at) : (home <= hole && home > at);
}

static void close_hole(struct table *t, size_t hole)
{
	size_t mask = t->room - 1;

	for (size_t at = (hole + 1) & mask; t->values[at]; at = (at + 1) & mask) {
		t->probes++;
		if (!may_move(hole, at, mix(t->keys[at]) & mask))
			continue;
		t->keys[hole] = t->keys[at];
		t->values[hole] = t->values[at];
		hole = at;
	}
	t->values[hole] = NULL;
}

void *table_take(struct table *t, int64_t key)
{
	if (!t->room)
		return NULL;
	size_t at = slot_of(t, key);
	void *value = t->values[at];

	if (value) {
		t->count--;
		close_hole(t, at);
	}
	return value;
}

void *table_next(const struct table *t, size_t *at)
{
	while (*at < t->room) {
		void *value = t->values[(*at)++];

		if (value)
			return value;
	}
	return NULL;
}
