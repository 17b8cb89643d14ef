/* Sorted lists of ids as sets: anchors of a chain, certificates of a store. */
#ifndef TROTH_ENGINE_IDS_H
#define TROTH_ENGINE_IDS_H

#include "engine/engine.h"

/* A sorted copy without repeats, from malloc. */
struct id_list ids_keep(struct id_list list);
void ids_release(struct id_list *list); /* only what ids_keep gave */

/* All below take sorted lists; results live in the arena. */
bool ids_has(struct id_list list, int64_t id);
bool ids_meet(struct id_list x, struct id_list y);   /* something in common */
bool ids_within(struct id_list x, struct id_list y); /* every one of x is in y */
bool ids_same(struct id_list x, struct id_list y);
struct id_list ids_sorted(struct arena *a, struct id_list list);
struct id_list ids_union(struct arena *a, struct id_list x, struct id_list y);
struct id_list ids_minus(struct arena *a, struct id_list x, struct id_list y);
struct id_list ids_common(struct arena *a, struct id_list x, struct id_list y);
struct id_list ids_without(struct arena *a, struct id_list x, int64_t id);
uint64_t ids_hash(struct id_list list);

#endif
