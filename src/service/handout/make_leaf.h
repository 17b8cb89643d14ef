/* Inside the room: one more version of a leaf, with a key that the keeper makes and may give out.
 *
 *     prepare   make_leaf_need   first its key (ctx->more), then, called again, each signature that could be the one
 *     run       make_leaf_run    the one that the engine chose, with the key; or ctx->retry
 */
#ifndef TROTH_SERVICE_MAKE_LEAF_H
#define TROTH_SERVICE_MAKE_LEAF_H

#include "service/handout/sign.h"

struct make_leaf {
	struct credential_row row;      /* what it will be */
	bool fresh;                     /* its row is not stored yet */
	bool once;                      /* its key is not kept */
	char version[UUID_LEN];         /* of the version to be made; set by the caller */
	bool key_asked;
	size_t key;                     /* which of ctx->need makes the key */
	struct sign_plan sign;
};
troth_rc make_leaf_need(struct verb_ctx *ctx, struct make_leaf *m, struct troth_err *e);
/* Audit row credential.generate. */
troth_rc make_leaf_run(struct verb_ctx *ctx, struct make_leaf *m, struct troth_err *e);
/* {"id","key_type","version"}: of a credential for which something was made or given out. */
troth_rc make_leaf_record(struct verb_ctx *ctx, const char *action, const struct credential_row *row, const char *version,
			  struct troth_err *e);

#endif
