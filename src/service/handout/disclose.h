/* Inside this floor: the private key of a CA that was made exportable, in the answer of the verb that makes a version of it.
 *
 *     prepare   what the verb itself needs; then disclose_need    the CA is made (ctx->more), and in one more turn the keeper opens its key
 *     run       disclose_key, disclose_record                     it, for the answer; and the audit row
 *
 * Whether a CA is exportable is said once, when it is made: the keeper holds it, and every version follows it (0081). */
#ifndef TROTH_SERVICE_DISCLOSE_H
#define TROTH_SERVICE_DISCLOSE_H

#include "service/nouns.h"

/* May a new CA below `issuer` (id 0: a root) be exportable, which an API asks for that gives keys out?  Only if the server is set
 * so, and never below one that is not. */
bool disclose_may(const struct verb_ctx *ctx, const struct credential_row *issuer);
/* Called at the end of each prepare.  *turn is false at first and is set when the verb has nothing else to ask: from then on this alone
 * is called.  INTERNAL if no version of `authority` was made. */
troth_rc disclose_need(struct verb_ctx *ctx, const char *authority, bool *turn, struct troth_err *e);
/* What asks the keeper for a key that was made to be given out, of a leaf or an authority; NULL: this one was not. */
const struct keeper_request *disclose_request(struct arena *a, struct bytes key_blob);
/* Audit row credential.disclose or authority.disclose: {"versions"} whose keys are in the answer, by uuid. */
troth_rc disclose_record(struct verb_ctx *ctx, const struct credential_row *row, const char *const *versions, size_t n, struct troth_err *e);
/* The private key among the keeper's answers, PEM, SECRET; NULL: there is none. */
const char *disclose_key(const struct verb_ctx *ctx);

#endif
