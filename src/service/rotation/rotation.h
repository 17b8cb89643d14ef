/* Rotations: a goal (introduce this version, retire those) and the story of reaching it.
 *
 * Starting one only flips the goal; what is sent to whom and when is the engine's, step by step, in the
 * runner.  Abort flips the goal back and is nothing else; a second rotation on top of the first is a
 * third version; pause lets the engine hold still for one authority.
 *
 *     rotate   -> rotation + operation      poll GET /v1/operations/{id}?wait=, or watch its events
 *     show     -> state and progress        stores and slots that have the new, still have the old
 *     explain  -> who is waited for, why    service/rotation/explain.h */
#ifndef TROTH_SERVICE_ROTATION_H
#define TROTH_SERVICE_ROTATION_H

#include "base/json.h"
#include "service/verb.h"

struct rotation_waiting { const char *name, *why; }; /* "pg-0" "not heard of for 4m" */

/* -- start ------------------------------------------------------------------------------------- */
struct rotate_source {            /* the next version of a root, made elsewhere, with its key */
	const char *path;         /* how the caller knows the certificate: "$.certificate" */
	const char *certificate;  /* PEM: the root, and nothing else; NULL: there is no source */
	const char *private_key;  /* PEM, SECRET */
};
struct rotate_cmd {
	const char *name;         /* of an authority or a leaf credential */
	const char *reason;       /* or NULL; goes into the audit */
	bool again;               /* one more version although a rotation is running */
	bool cross_sign;          /* a root: the old one certifies the new one too, for verifiers that are slow or cannot be updated */
	bool compromised;         /* emergency: distrust first, then rotate; runs over a rotation that is under way */
	const char *version;      /* compromised: only this one (uuid); NULL: all present ones */
	int64_t yes_break;        /* compromised: so many pairs will break; must be the number of that moment */
	const char *key_type;     /* an authority made here: of this version and those after it; NULL: as it was */
	msec_t ttl;               /* the same: how long it lives; 0: as it was */
	struct rotate_source source; /* a root that is made here: this is its next version; the one after it is made here again */
	bool by_steps;            /* an authority: each step waits for its approval, and `introduce` is ordered (steps.h) */
	bool ignore_outside;      /* do not wait for the holders named in `outside`: they may break, or were told */
};
struct rotation_pair { const char *slot, *store; }; /* "svc-0/tls", "app-1/trust" */
struct rotation_trusting {
	size_t count;             /* stores that were last known to hold what is distrusted, also waived ones */
	struct rotation_waiting *stores; /* the first: name, and the target's state in words for `why` */
	size_t named;
};
struct rotate_ret {
	bool dry_run;             /* nothing was done; the counts and steps say what would be */
	const char *name, *kind;  /* "authority", "leaf" */
	const char *rotation, *operation; /* uuids; NULL on a dry run */
	const char *new_version;  /* uuid; NULL on a dry run and for a leaf (its slots ask for it) */
	int64_t stores, slots, instances; /* that take part */
	struct rotation_waiting *waiting; /* instances that would hold it up now */
	size_t waiting_count;
	const char **outside;     /* credentials whose certificates somebody took through the API: it waits until
	                             each took a new one and that was vouched for, or the old one expired */
	size_t outside_count;
	const char **steps;       /* what will happen, in words */
	size_t step_count;
	/* compromised */
	bool compromised;
	int64_t breaks, doubts;   /* pairs that break; that may, because of what is on its way or not known */
	struct rotation_pair *pairs, *doubtful; /* the first of each */
	size_t pair_count, doubtful_count;
	const char **notes;       /* what it does not reach, and what else is to be done */
	size_t note_count;
};
/* CONFLICT if a rotation of it is running already (say `again`), or if it has no key here.  UNSAFE if it is one of
 * troth's own (/troth/...): what agents and server trust is not observed yet, so no step could be known to be safe;
 * or if it is `compromised` and yes_break is not the number of pairs that break: with that number and the pairs. */
extern const struct verb VERB_ROTATE;

/* -- look ---------------------------------------------------------------------------------------- */
struct rotation_below { const char *name, *version; }; /* an intermediate's new version, uuid */
struct rotation_view {
	const char *id, *name, *kind, *state; /* state: running, paused, done, aborted */
	bool compromised;         /* an emergency: what it replaces is distrusted */
	struct rotation_trusting trusting; /* of an emergency, VERB_ROTATION_SHOW only */
	bool going_back;          /* aborted, and the new version is not gone everywhere yet */
	const char *new_version;  /* uuid or NULL */
	const char **old_versions;
	size_t old_count;
	bool cross_sign, by_steps;
	struct rotation_below *below; /* brought with it; after an abort also what came back */
	size_t below_count;
	const char *operation, *operation_state;
	const char *progress;     /* JSON object as the runner wrote it, or NULL */
	const char *waits_for;    /* a sentence, or NULL */
	const char *reason, *started_by;
	msec_t started, finished;
};
struct rotation_list_cmd {
	int64_t after, limit;
	const char *name;         /* of the credential; NULL: all */
};
struct rotation_list_ret {
	struct rotation_view *items;
	size_t count;
	int64_t next;             /* 0: that was all */
};
struct rotation_cmd { const char *id; }; /* uuid of a rotation, or the name of its credential: the newest one */
struct rotation_ret {
	struct rotation_view rotation;
	/* VERB_ROTATION_ABORT, dry run */
	struct json_texts next;           /* what the engine would do first */
	struct rotation_waiting *waiting; /* instances that would hold it up now */
	size_t waiting_count;
};

extern const struct verb VERB_ROTATION_LIST;
extern const struct verb VERB_ROTATION_SHOW;   /* holds on "rotation/<uuid>" when asked to wait while it runs */

/* -- steer ------------------------------------------------------------------------------------------ */
extern const struct verb VERB_ROTATION_PAUSE;  /* running -> paused; once is enough */
extern const struct verb VERB_ROTATION_RESUME; /* paused -> running; deployments that stopped on a failure go on */
extern const struct verb VERB_ROTATION_ABORT;  /* running or paused -> aborted: the goals are flipped back */

/* -- a node was repaired ------------------------------------------------------------------------------ */
struct retry_cmd { const char *id; };  /* uuid of a target */
struct retry_ret {
	const char *target;       /* "pg-0/tls" */
	int64_t failures;         /* that were forgotten; 0: there were none */
	bool stopped;             /* its deployment had stopped on a failure, and goes on now */
};
extern const struct verb VERB_TARGET_RETRY;

#endif
