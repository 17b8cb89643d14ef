/* Policy: what people decided about how and when things may change.
 *
 * It only ever refuses: nothing here lets the engine do what its rules refuse.  Rows of deployments and authorities go
 * to the engine as facts (facts.c) and come back as waits that say who decided what, and until when.
 *
 *     freeze       nothing changes at all, until somebody thaws
 *     rollout      each step of a rotation waits for somebody's yes
 *     windows      when a deployment may begin to change (window.h)
 *     deployment   how many at once, who first, when to stop (nouns.h: VERB_DEPLOYMENT_POLICY) */
#ifndef TROTH_SERVICE_POLICY_H
#define TROTH_SERVICE_POLICY_H

#include "service/verb.h"
#include "store/store.h"

/* -- freeze (freeze.c) ------------------------------------------------------------------------------
 * While it is on, the engine plans nothing, no document is handed out that was not before, no key is asked for, no
 * certificate of a slot is signed.  Agents report, people may set goals and look; what was handed out is applied.
 * Identities of agents and the server's own certificate go on being renewed, and newcomers may enrol: whoever ends the
 * incident needs them. */
struct freeze_cmd { const char *reason; };
struct freeze_ret {
	bool on;
	struct freeze_row row; /* if on */
};
extern const struct verb VERB_FREEZE;      /* freeze_cmd; already frozen: stays as it is, the first reason stands */
extern const struct verb VERB_THAW;        /* no_cmd; not frozen: nothing to do */
extern const struct verb VERB_FREEZE_SHOW; /* no_cmd */

/* UNAVAILABLE with reason and since when, if everything is frozen; `what` is not done: "no certificate is signed". */
troth_rc freeze_check(struct verb_ctx *ctx, const char *what, struct troth_err *e);

/* -- rolling (rolling.c) ----------------------------------------------------------------------------- */
/* A counted target ended a change: its deployment's pause begins. */
troth_rc rolling_settled(struct verb_ctx *ctx, const struct instance_row *instance, struct troth_err *e);
/* A counted target failed: stop, if its deployment shall then. */
troth_rc rolling_failed(struct verb_ctx *ctx, const struct instance_row *instance, const char *target,
			const char *reason, struct troth_err *e);
/* A person says: go on.  ret_was (may be NULL): it had stopped. */
troth_rc rolling_go_on(struct verb_ctx *ctx, int64_t deployment_id, bool *ret_was, struct troth_err *e);
/* The same for every deployment that has part in this authority. */
troth_rc rolling_go_on_all(struct verb_ctx *ctx, int64_t authority_id, struct troth_err *e);

/* What its windows say now, if that may have changed since it was told; the view learns it.  By the runner. */
troth_rc rolling_windows(struct verb_ctx *ctx, struct troth_err *e);

/* -- rollout (approve.c) ------------------------------------------------------------------------------- */
struct authority_rollout_cmd {
	const char *id;
	const char *switch_when; /* "each": a slot switches when it can (default); "all": when all can; NULL: as it was */
	const char *rollout;     /* "automatic", "manual"; NULL: as it was */
};
void authority_rollout_check(struct arena *a, const struct authority_rollout_cmd *cmd, struct troth_err *e);
extern const struct verb VERB_AUTHORITY_ROLLOUT; /* authority_rollout_cmd -> credential_ret */

struct approve_cmd {
	const char *id;          /* of a rotation, or the name of its authority */
	const char *step;        /* "introduce", "switch", "withdraw"; NULL: the one that waits */
};
struct approve_ret {
	const char *rotation, *name, *step;
	const char **what;       /* sentences: what waited for it */
	size_t what_count;
	bool dry_run;
};
/* CONFLICT unless that step waits now.  It binds to the rotation: another one begins without approvals. */
extern const struct verb VERB_ROTATION_APPROVE;

/* Shared by deployment.c and deployment_policy.c. */
struct deployment_view;
troth_rc deployment_find(struct verb_ctx *ctx, const char *id, struct deployment_row *ret, struct troth_err *e);
troth_rc deployment_view_load(struct verb_ctx *ctx, const struct deployment_row *row, struct deployment_view *ret,
			      struct troth_err *e);

#endif
