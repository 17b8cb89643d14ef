/* Inside this floor: lists of credentials, by kind; the authorities' list is the same function. */
#ifndef TROTH_SERVICE_CREDENTIAL_H
#define TROTH_SERVICE_CREDENTIAL_H

#include "service/nouns.h"

troth_rc credential_list(struct verb_ctx *ctx, enum credential_kind kind, const struct list_cmd *cmd,
			 struct credential_list_ret *ret, struct troth_err *e);
/* The rows of a page, by the filter if there is one. */
troth_rc credential_find(struct verb_ctx *ctx, enum credential_kind kind, const struct list_cmd *cmd, struct credential_row **ret_rows,
			 size_t *ret_count, struct troth_err *e);
/* CONFLICT if a credential or authority that is not retired has the name. */
troth_rc credential_name_free(struct verb_ctx *ctx, const char *name, struct troth_err *e);
/* Does a slot present it that has not left? */
troth_rc credential_has_slots(struct verb_ctx *ctx, const struct credential_row *row, bool *ret, struct troth_err *e);
/* An authority by name, in the principal's scope; NOT_FOUND with what to do. */
troth_rc authority_by_name(struct verb_ctx *ctx, const char *name, struct credential_row *ret, struct troth_err *e);
/* FORBIDDEN, unless an administrator asks, for those below /troth/: agents take for the server whoever has a certificate of theirs. */
troth_rc authority_may_sign(const struct verb_ctx *ctx, const struct credential_row *authority, struct troth_err *e);
/* The two of them: one that shall sign for somebody. */
troth_rc authority_to_sign(struct verb_ctx *ctx, const char *name, struct credential_row *ret, struct troth_err *e);
/* The same of whoever signs this credential; nobody may be it. */
troth_rc authority_above_may_sign(struct verb_ctx *ctx, const struct credential_row *row, struct troth_err *e);

#endif
