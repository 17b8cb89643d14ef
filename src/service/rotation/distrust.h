/* Emergency: versions that are compromised (engine-rules section 10).  Used by rotate.c and by whoever hands
 * certificates out or takes them in. */
#ifndef TROTH_SERVICE_DISTRUST_H
#define TROTH_SERVICE_DISTRUST_H

#include "base/json.h"
#include "service/rotation/rotation.h"
#include "store/store.h"

struct distrust {
	struct id_list versions; /* to be distrusted: those of the credential, and all that have the same key */
	bool replace;            /* an authority: no version that is wanted and can sign would be left, and the next can be made
	                            or asked for here */
};

/* All present versions of the credential, or the one of this uuid (NULL: all). */
troth_rc distrust_choose(struct verb_ctx *ctx, const struct credential_row *c, const char *version, struct distrust *ret,
			 struct troth_err *e);
/* In the writer, on the view as it is now: which pairs break, what will be done, what it does not reach. */
troth_rc distrust_foresee(struct verb_ctx *ctx, const struct credential_row *c, const struct distrust *d,
			  struct rotate_ret *ret, struct troth_err *e);
/* UNSAFE with the number and the first pairs, unless that is the number that was said. */
troth_rc distrust_confirm(struct verb_ctx *ctx, const struct rotate_cmd *cmd, const struct rotate_ret *ret,
			  struct troth_err *e);
/* From this commit on they are distrusted, and not wanted. */
troth_rc distrust_apply(struct verb_ctx *ctx, const struct distrust *d, struct troth_err *e);

/* Is a version with this certificate distrusted? */
troth_rc distrust_has(struct tx *tx, struct arena *a, int64_t cert_id, bool *ret, struct troth_err *e);
/* Or one of the same subject and key; of a CA's certificate: with this key, whatever name is given to it?  Asked of what comes in: a key that
 * is stolen is stolen for the next certificate too. */
troth_rc distrust_key_has(struct tx *tx, struct arena *a, const struct cert_row *cert, bool *ret, struct troth_err *e);
/* Has a distrusted version of any authority this key?  Looks through the versions of all authorities. */
troth_rc distrust_spki_has(struct tx *tx, struct arena *a, struct bytes spki_hash, bool *ret, struct troth_err *e);
/* Does a chain or set contain one? */
troth_rc distrust_content(struct tx *tx, struct arena *a, int64_t content_id, bool *ret, struct troth_err *e);
/* What this target must not go back to: fingerprints of distrusted certificates in what it may hold. */
troth_rc distrust_fingerprints(struct tx *tx, struct arena *a, const struct target_row *t, struct json_texts *ret,
			       struct troth_err *e);
/* Stores of any state that were last known to hold what the rotation distrusts; the first ones by name. */
troth_rc distrust_trusting(struct tx *tx, struct arena *a, const struct rotation_row *rotation,
			   struct rotation_trusting *ret, struct troth_err *e);

#endif
