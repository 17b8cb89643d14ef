/* One target as people look at it: what it is called, and what instances show with theirs. */
#ifndef TROTH_SERVICE_TARGET_H
#define TROTH_SERVICE_TARGET_H

#include "service/nouns.h"

/* `instance` and `deployment` are the target's own. */
troth_rc target_view_load(struct verb_ctx *ctx, const struct target_row *row, const struct instance_row *instance,
			  const char *deployment, struct target_view *ret, struct troth_err *e);
/* As people write it: "pg-1/server", instance and template. */
troth_rc target_name(struct verb_ctx *ctx, const struct target_row *row, const char **ret, struct troth_err *e);
troth_rc target_name_by_id(struct verb_ctx *ctx, int64_t id, const char **ret, struct troth_err *e);
/* Is it one for `who`?  NOT_FOUND also for what stands for the server, a principal, a holder or a binding: those have their
 * own verbs, with their own conditions. */
troth_rc instance_visible(const struct principal *who, const struct deployment_row *deployment, struct troth_err *e);
/* All of an instance's (instance.c); row and deployment of the view are set. */
troth_rc instance_targets_load(struct verb_ctx *ctx, struct instance_view *view, struct troth_err *e);

#endif
