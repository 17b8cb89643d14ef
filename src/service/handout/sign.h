/* Inside this floor: a leaf for somebody outside the fleet, signed by whom the engine lets sign.
 *
 *     prepare   sign_need(ctx, row, spki, plan)     each version that could be it signs: one as a rule, two in a rotation
 *     run       sign_choose(ctx, row, plan)         the writer asks the engine (rule 1b); ctx->retry if that one did not sign
 *               sign_store(ctx, row, plan, ...)     its certificate becomes the newest version, and its holder may show it
 *
 * What is not chosen never leaves the house. */
#ifndef TROTH_SERVICE_SIGN_H
#define TROTH_SERVICE_SIGN_H

#include "service/ca/issue.h"

struct sign_plan {
	struct bytes spki;
	struct signer *signers; /* as prepare saw them; each has signed: replies[first + i] is by signers[i] */
	size_t first, count;
	struct signer chosen;   /* run: its certificate is the one that is kept */
	struct bytes der;
};

/* row: what the leaf is (spec, issuer_id, leaf_ttl); it need not be stored yet. */
troth_rc sign_need(struct verb_ctx *ctx, const struct credential_row *row, struct bytes spki, struct sign_plan *plan,
		   struct troth_err *e);
troth_rc sign_choose(struct verb_ctx *ctx, const struct credential_row *row, struct sign_plan *plan, struct troth_err *e);
/* What is set in *version stays (issue_store); ret_chain: PEM of what stands behind it, "" if nothing does. */
troth_rc sign_store(struct verb_ctx *ctx, const struct credential_row *row, const struct sign_plan *plan,
		    struct version_row *version, const char **ret_chain, struct troth_err *e);

#endif
