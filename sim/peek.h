/* The engine's view from outside: only compared, never asked. */
#ifndef TROTH_SIM_PEEK_H
#define TROTH_SIM_PEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view;

uint64_t peek_hash(const struct view *v);
bool peek_counters(const struct view *v, char *why, size_t size); /* counters equal a recount */

#endif
