/* Inside the room: what will the engine do at once because of this change?  For verbs that loosen something, and their
 * dry runs. */
#ifndef TROTH_SERVICE_FORESEE_H
#define TROTH_SERVICE_FORESEE_H

#include "base/json.h"
#include "service/inside.h"

/* The engine's plan before the change; lives in ctx->a.  Writer's transaction only. */
void foresee_before(struct verb_ctx *ctx, struct plan *ret);
/* Tells the view what verb_changed() noted, and says in words what is planned now and was not before: a line for each
 * kind of act.  Only the next acts, not all that follows from them. */
troth_rc foresee_after(struct verb_ctx *ctx, const struct plan *before, struct json_texts *ret, struct troth_err *e);

#endif
