/* Inside the room: a leaf that was made elsewhere, for somebody outside the fleet.
 *
 *     prepare   set_leaf_decide    what it will be; everything is judged
 *               set_leaf_need      its key, if it came: the keeper takes it in, and gives it back as it will give it out (ctx->more)
 *     run       set_leaf_decide    again; the same?
 *               set_leaf_run       the version, with its notices; signed by an authority here it is in a holder's hands (holder.h)
 *
 * The key passes through this process in memory that is wiped with the request; the keeper alone looks at it. */
#ifndef TROTH_SERVICE_SET_LEAF_H
#define TROTH_SERVICE_SET_LEAF_H

#include "service/intake/set_signer.h"

struct set_leaf {
	struct credential_row row;      /* what it will be; id 0: it is new */
	const struct cert *cert;
	struct set_signer by;
	char version[UUID_LEN];         /* set by the first need */
};
/* there: what stands under the name; id 0: nothing.  CONFLICT for what slots serve, or another authority signs. */
troth_rc set_leaf_decide(struct verb_ctx *ctx, const struct set_cmd *cmd, const struct credential_row *there, const struct cert *cert,
			 struct set_leaf *ret, struct troth_err *e);
troth_rc set_leaf_need(struct verb_ctx *ctx, const struct set_cmd *cmd, struct set_leaf *leaf, struct troth_err *e);
bool set_leaf_same(const struct set_leaf *x, const struct set_leaf *y);
/* CONFLICT if not everybody who may meet its holder would accept it.  Audit row credential.bring. */
troth_rc set_leaf_run(struct verb_ctx *ctx, struct set_leaf *leaf, struct lookup_ret *ret, struct troth_err *e);

#endif
