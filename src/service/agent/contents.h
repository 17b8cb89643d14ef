/* What a document contains, in the words of messages: fingerprints and PEM.
 *
 * A chain is read leaf first, as served; a set is a set: its fingerprints are sorted, because two nodes
 * may list the same files in another order. */
#ifndef TROTH_SERVICE_CONTENTS_H
#define TROTH_SERVICE_CONTENTS_H

#include "base/json.h"
#include "store/store.h"

/* 64 hex digits each; a chain's in order, a set's sorted.  Lives in a. */
troth_rc contents_fingerprints(struct tx *tx, struct arena *a, int64_t content_id, struct json_texts *ret,
			       struct troth_err *e);
/* One PEM each: a chain's in order, a set's by id. */
troth_rc contents_pem(struct tx *tx, struct arena *a, int64_t content_id, struct json_texts *ret, struct troth_err *e);
/* Does content `id` have exactly these fingerprints?  `said` may be in any order for a set. */
troth_rc contents_match(struct tx *tx, struct arena *a, int64_t content_id, struct json_texts said, bool *ret_equal,
			struct troth_err *e);

#endif
