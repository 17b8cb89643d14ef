/* The native API, whole: every table of this folder, for app to hand to edge. */
#ifndef TROTH_FACADE_NATIVE_H
#define TROTH_FACADE_NATIVE_H

#include "edge/route.h"

enum { NATIVE_TABLE_COUNT = 23 };
extern const struct route_table *const NATIVE_TABLES[NATIVE_TABLE_COUNT];

#endif
