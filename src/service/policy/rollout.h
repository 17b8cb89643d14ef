/* Whose yes the steps of an authority wait for: inside the service.
 *
 * A rotation brings new versions of the CAs below its own.  So its steps are steps of those as well, and wait there for the
 * same approvals (decision 0086).  facts.c tells the engine of them, approve.c takes the yes, explain.c says what it is said to. */
#ifndef TROTH_SERVICE_ROLLOUT_H
#define TROTH_SERVICE_ROLLOUT_H

#include "store/store.h"

/* An open rotation whose steps are the authority's. */
struct rollout_hold {
	struct rotation_row rotation;
	unsigned left;           /* bits (1 << enum approval_step): nobody approved them */
	bool everywhere;         /* they wait wherever they are; else in deployments that are manual */
};
/* Its own, and those of the CAs above it, oldest first.  None: nothing waits for a yes. */
troth_rc rollout_holds(struct tx *tx, struct arena *a, int64_t authority_id, struct rollout_hold **ret, size_t *ret_count, struct troth_err *e);
/* The step that a reason of the engine ("approve-switch") is about; false: it is about none. */
bool rollout_step_of(const char *reason, enum approval_step *ret);

#endif
