/* YAML in, as the same tree that JSON becomes.
 *
 * Profiles and node settings are written in YAML by people; from here on they are a struct json, so
 * that json_read's field tables check them and name every finding with its path.  A small, strict
 * part of YAML: one document, block or flow, no anchors, aliases, tags or merge keys, no duplicate
 * keys.  Plain true/false are booleans, plain null and ~ and nothing are null, plain decimal
 * integers without leading zero are integers; all else is text (so 0640 and 1s are text).  Each value knows its line. */
#ifndef TROTH_BASE_YAML_TREE_H
#define TROTH_BASE_YAML_TREE_H

#include "base/json.h"

/* At most LIMIT_YAML_BYTES and LIMIT_JSON_DEPTH levels.  INVALID says the line. */
troth_rc yaml_parse(struct arena *a, struct bytes in, const struct json **ret, struct troth_err *e);

#endif
