/* The engine's door under names that do not meet the store's.
 *
 * Both rooms have lists of ids and the states of a target; each is right in its own words, and only
 * the service looks into both.  It says engine_ids and ENGINE_TARGET_x for the engine's. */
#ifndef TROTH_SERVICE_NAMES_H
#define TROTH_SERVICE_NAMES_H

#define id_list engine_ids
#define target_state engine_target_state
#define TARGET_JOINING ENGINE_TARGET_JOINING
#define TARGET_COUNTED ENGINE_TARGET_COUNTED
#define TARGET_LEFT ENGINE_TARGET_LEFT
#define TARGET_LEAVING ENGINE_TARGET_LEAVING
#define TARGET_IGNORED ENGINE_TARGET_IGNORED
#include "engine/engine.h"
#undef id_list
#undef target_state
#undef TARGET_JOINING
#undef TARGET_COUNTED
#undef TARGET_LEFT
#undef TARGET_LEAVING
#undef TARGET_IGNORED

#endif
