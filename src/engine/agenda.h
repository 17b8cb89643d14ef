/* The moments at which time itself changes what is known: a heap of (when, what). */
#ifndef TROTH_ENGINE_AGENDA_H
#define TROTH_ENGINE_AGENDA_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum agenda_kind { AGENDA_INSTANCE, AGENDA_CHAIN, AGENDA_CA, AGENDA_LEASE, AGENDA_DEPLOYMENT };

struct appointment { msec_t at; int64_t id; enum agenda_kind kind; };

struct agenda { struct appointment *items; size_t count, room; };

void agenda_release(struct agenda *g);
void agenda_add(struct agenda *g, msec_t at, enum agenda_kind kind, int64_t id);
/* The earliest, or NULL. */
const struct appointment *agenda_first(const struct agenda *g);
bool agenda_take(struct agenda *g, msec_t until, struct appointment *ret_item); /* the earliest with at <= until */
void agenda_clear(struct agenda *g);

#endif
