/* Inside the room: what the files of bindings share. */
#ifndef TROTH_SERVICE_BINDING_PARTS_H
#define TROTH_SERVICE_BINDING_PARTS_H

#include "service/outside/binding.h"
#include "service/fleet/target.h"

/* By id, in the principal's scope, with its target; NOT_FOUND if it was deleted. */
troth_rc binding_find(struct verb_ctx *ctx, const char *id, struct binding_row *ret, struct target_row *ret_target,
		      struct troth_err *e);
/* CONFLICT if it was waived. */
troth_rc binding_counts(const struct binding_row *row, const struct target_row *t, struct troth_err *e);
/* Audit row and event. */
troth_rc binding_record(struct verb_ctx *ctx, const char *action, const struct binding_row *row, int64_t generation,
			const char *text, struct troth_err *e);

/* From now on it counts as running this generation and nothing older.  Writes both rows. */
struct binding_ack_said { enum binding_ack how; const char *reason; /* or NULL */ };
troth_rc binding_acknowledge(struct verb_ctx *ctx, struct binding_row *row, struct target_row *t, int64_t generation,
			     const struct binding_ack_said *said, struct troth_err *e);

#endif
