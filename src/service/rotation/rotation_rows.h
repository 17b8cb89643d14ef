/* Rotations as rows: what the files that begin, steer and end them share. */
#ifndef TROTH_SERVICE_ROTATION_ROWS_H
#define TROTH_SERVICE_ROTATION_ROWS_H

#include "service/rotation/rotation.h"
#include "store/store.h"

bool rotation_is_open(const struct rotation_row *r); /* running or paused */
/* By uuid, or by the name of a credential: the one that is open, else the newest. */
troth_rc rotation_find(struct verb_ctx *ctx, const char *id, struct rotation_row *ret, struct credential_row *ret_credential,
		       struct troth_err *e);
troth_rc rotation_view_load(struct verb_ctx *ctx, const struct rotation_row *row, struct rotation_view *ret,
			    struct troth_err *e);
/* Audit, event and topics of somebody steering it; `before`: the state's name until now. */
troth_rc rotation_record(struct verb_ctx *ctx, const char *action, const struct rotation_row *row,
			 const struct credential_row *c, const char *before, struct troth_err *e);
/* A new one runs: its row (what the caller set in it stays; id, uuid, credential, state and start are filled in) and its
 * operation. */
troth_rc rotation_begin(struct verb_ctx *ctx, const struct credential_row *c, const char *reason, struct rotation_row *rotation,
			struct troth_err *e);
/* Whatever was wanted of an authority but `keep` no longer is.  Into *ret: old_versions, all that have to go;
 * wanted_before, those of them that were wanted. */
troth_rc rotation_unwant(struct verb_ctx *ctx, int64_t credential_id, int64_t keep, struct rotation_row *ret, struct troth_err *e);
troth_rc rotation_refuse_over(const struct rotation_row *row, const struct credential_row *c, struct troth_err *e);

#endif
