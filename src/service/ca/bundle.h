/* Inside this floor: a bundle that comes to trust one more certificate. */
#ifndef TROTH_SERVICE_BUNDLE_H
#define TROTH_SERVICE_BUNDLE_H

#include "service/nouns.h"

/* The bundle of this name trusts `cert` from now on (rule N is asked first; findings at `path`); alias
 * "uploaded-<fingerprint>".  ret_added false: it did before. */
troth_rc bundle_trust(struct verb_ctx *ctx, const char *name, const char *path, const struct cert *cert, const char *source,
		      bool *ret_added, struct troth_err *e);

#endif
