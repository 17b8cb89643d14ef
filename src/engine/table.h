/* A hash table from a 64-bit number to a pointer.
 *
 * Open addressing, linear probing, deletion by shifting back, so there are no tombstones and a
 * table that grew once stays fast.  A missing value is NULL, so NULL cannot be stored.
 * The order of table_next is the order of the slots: never let it reach an output unsorted. */
#ifndef TROTH_ENGINE_TABLE_H
#define TROTH_ENGINE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table {
	int64_t *keys;
	void **values;      /* NULL: the slot is free */
	size_t room, count; /* room: 0 or a power of two */
	uint64_t probes;    /* slots looked at so far; for the O(1) test */
};

void table_release(struct table *t); /* the values stay the caller's */
#define table_get engine_table_get /* the store has one of this name */
void *table_get(const struct table *t, int64_t key);
void table_put(struct table *t, int64_t key, void *value); /* replaces; value not NULL */
void *table_take(struct table *t, int64_t key);            /* removes; NULL if it was not there */
/* Walks: start with *at = 0; NULL at the end.  Do not put or take meanwhile. */
void *table_next(const struct table *t, size_t *at);

/* calloc that ends the process when there is no memory: the writer cannot go on without its view. */
void *mem_new(size_t count, size_t size);
void *mem_grow(void *old, size_t count, size_t size);

#endif
