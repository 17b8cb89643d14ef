/* Inside the room: what a waiver leaves behind. */
#ifndef TROTH_SERVICE_WAIVE_H
#define TROTH_SERVICE_WAIVE_H

#include "service/verb.h"
#include "store/store.h"

/* A store that was waived and may still trust a certificate: it was last seen to, or was sent it; unknown: nobody knows
 * what it trusts.  Nobody waits for it, but who distrusts a CA must be told of it (engine-rules sections 9 and 10). */
struct waived_trust {
	const char *deployment, *instance, *target;
	bool unknown;
};
/* Of all instances; the list lives in ctx->a. */
troth_rc waived_trust_list(struct verb_ctx *ctx, int64_t cert_id, struct waived_trust **ret, size_t *ret_count, struct troth_err *e);

/* The agent of a waived instance opens a session: it is a joiner again, whatever it holds (the caller writes the row). */
troth_rc waive_end(struct verb_ctx *ctx, struct instance_row *instance, const char *action, struct troth_err *e);
/* Of any state but left: a joiner of which nothing is known.  What it was sent is void, what was made for it is gone. */
troth_rc waive_rejoin(struct verb_ctx *ctx, struct target_row *target, struct troth_err *e);

#endif
