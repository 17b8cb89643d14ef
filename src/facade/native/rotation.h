/* Native routes of the rotating half: the agent's four calls, rotations, explain.
 * In words: docs/api/native-rotation.md. */
#ifndef TROTH_FACADE_NATIVE_ROTATION_H
#define TROTH_FACADE_NATIVE_ROTATION_H

#include "edge/route.h"

extern const struct route_table NATIVE_AGENT_ROUTES;
extern const struct route_table NATIVE_ROTATION_ROUTES;
extern const struct route_table NATIVE_EXPLAIN_ROUTES;
extern const struct route_table NATIVE_FORECAST_ROUTES;

#endif
