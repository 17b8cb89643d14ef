/* Apply: what was ordered happens now, and an operation waits until every member was seen to have it.
 *
 * One at a time in a scope.  It approves the ordered steps of every rotation by steps in the caller's scope, and is over when
 * each approved step of them has been reached and nothing is on its way any more to a member that lasts.  Its story is a
 * line for each percent, kept as events of its operation; they are what an installation's log is made of. */
#ifndef TROTH_SERVICE_APPLY_H
#define TROTH_SERVICE_APPLY_H

#include "service/inside.h"
#include "service/nouns.h"

/* -- verbs ------------------------------------------------------------------------------------------- */
struct apply_start_cmd {
	bool listed;            /* to these deployments alone; else to all */
	struct json_texts only; /* their names: none (what was ordered stays so, and it is over at once), or every one that lasts in the
	                         * caller's scope, which is all; those with a lease may be named or left out */
};
struct apply_cmd { int64_t id; };  /* show, log: the operation's number */
struct apply_list_ret { struct operation_row *items; size_t count; };
struct apply_log_ret { struct operation_row operation; struct event_row *lines; size_t line_count; };
extern const struct verb VERB_APPLY;      /* apply_start_cmd -> operation_ret.  CONFLICT: one runs; some are named, and
                                           * some are not */
extern const struct verb VERB_APPLY_LIST; /* no_cmd -> apply_list_ret: the newest first, a page */
extern const struct verb VERB_APPLY_SHOW; /* apply_cmd -> operation_ret; holds while it runs, if asked to wait */
extern const struct verb VERB_APPLY_LOG;  /* apply_cmd -> apply_log_ret; as long as events are kept */

/* -- for the runner ------------------------------------------------------------------------------------- */
/* After a run, when the rotations' own progress is written. */
troth_rc apply_update(struct verb_ctx *ctx, struct troth_err *e);

#endif
