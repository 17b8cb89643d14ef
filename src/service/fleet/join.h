/* Inside the room: what an instance gets from a template, at enrolment or when the template comes later. */
#ifndef TROTH_SERVICE_JOIN_H
#define TROTH_SERVICE_JOIN_H

#include "service/nouns.h"

/* Makes the target (state joining) and, for a slot, its own credential row: found as a definition that
 * nobody presents yet, or made from the patterns.  CONFLICT if the name belongs to something else,
 * INVALID if the patterns and this instance's name make a name that is not allowed. */
troth_rc join_target(struct verb_ctx *ctx, const struct instance_row *instance, const struct template_row *template,
		     struct troth_err *e);

#endif
