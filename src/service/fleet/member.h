/* The instance that speaks: every verb of an agent begins with these.  Also the watch for two agents
 * that use one identity. */
#ifndef TROTH_SERVICE_MEMBER_H
#define TROTH_SERVICE_MEMBER_H

#include "service/verb.h"
#include "store/store.h"

/* The caller's own instance.  FORBIDDEN if the caller is no agent, or its instance has left. */
troth_rc member_load(struct verb_ctx *ctx, struct instance_row *ret, struct troth_err *e);
/* One of its targets by uuid.  NOT_FOUND; FORBIDDEN if it is another instance's. */
troth_rc member_target(struct verb_ctx *ctx, const struct instance_row *instance, const char *uuid,
		       struct target_row *ret, struct troth_err *e);
/* CONFLICT "type:stale-session" unless `session` is the open one. */
troth_rc member_session(const struct instance_row *instance, int64_t session, struct troth_err *e);
/* Was this said under the newest identity?  Then the former one ends (true: the row is to be written). */
bool member_drop_former(const struct verb_ctx *ctx, struct instance_row *instance);
/* Heard of just now: last_seen, alive_until, and the engine is told; the former identity ends (see above). */
troth_rc member_touch(struct verb_ctx *ctx, struct instance_row *instance, struct troth_err *e);
/* An event about an instance's target: "target.failed" {"instance","target","text"}. */
troth_rc member_event(struct verb_ctx *ctx, const struct instance_row *instance, const char *kind,
		      const char *target, const char *text, struct troth_err *e);

/* -- two agents, one identity (engine-rules: cloned_node) -----------------------------------------
 * Signs: an older session is used after a newer one was opened and then a third is opened, three
 * times within MEMBER_CLONE_WINDOW; or a boot id comes back after another one.  While the alarm
 * stands, reports are not counted.  It falls when the open session was left alone for
 * MEMBER_CLONE_QUIET. */
#define MEMBER_CLONE_WINDOW (10 * MSEC_MIN)
#define MEMBER_CLONE_QUIET (5 * MSEC_MIN)

/* An older session was used. */
troth_rc member_clone_stale(struct verb_ctx *ctx, const struct instance_row *instance, int64_t session,
			    struct troth_err *e);
/* A session is being opened (instance is as before it).  ret_alarm: the alarm is up. */
troth_rc member_clone_open(struct verb_ctx *ctx, const struct instance_row *instance, const char *boot_id,
			   bool *ret_alarm, struct troth_err *e);
/* May a report of this instance be counted?  Takes the alarm down when it was quiet long enough. */
troth_rc member_clone_free(struct verb_ctx *ctx, struct instance_row *instance, bool *ret_free, struct troth_err *e);
/* At a poll.  ret_again: the alarm stood and this session was left alone: let the agent open another.  What it
 * reported under the alarm was not counted, and it says it once in a session. */
troth_rc member_clone_quiet(struct verb_ctx *ctx, struct instance_row *instance, bool *ret_again, struct troth_err *e);

#endif
