/* Metadata: a JSON object that the owner of a version wants kept with it, and that nothing here ever looks into.
 *
 * It is kept as canonical text: members in their order, no blanks, numbers as short as they read back the same.  The next version of a
 * credential takes it along, however it comes about (issue_store), unless whoever makes it says another. */
#ifndef TROTH_SERVICE_METADATA_H
#define TROTH_SERVICE_METADATA_H

#include "base/json.h"
#include "service/verb.h"

/* What a body said, as text in a; NULL (nothing, or null) stays NULL.  INVALID: not an object, longer than LIMIT_METADATA_CHARS, a number
 * that is none. */
troth_rc metadata_read(struct arena *a, const struct json *said, const char **ret, struct troth_err *e);
/* The version (uuid) has this from now on; NULL: none. */
troth_rc metadata_set(struct verb_ctx *ctx, const char *version, const char *metadata, struct troth_err *e);

#endif
