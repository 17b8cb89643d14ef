/* Which kinds of events there are, so that a pattern which would match none of them is refused when it is written, and not found
 * out when somebody was not told. */
#ifndef TROTH_SERVICE_WEBHOOK_KIND_H
#define TROTH_SERVICE_WEBHOOK_KIND_H

#include "base/arena.h"

extern const char *const WEBHOOK_KINDS[]; /* by name; tests/tidy finds each in the source, and each of the source's here */
extern const size_t WEBHOOK_KIND_COUNT;

/* Does this pattern ('*' is any run of characters) match one of them? */
bool webhook_kind_matches(const char *pattern);
/* What may have been meant: those of the noun that the pattern begins with, or of the one most like it.  NULL: nothing is near.
 * Lives in a. */
const char *webhook_kind_near(struct arena *a, const char *pattern);

#endif
