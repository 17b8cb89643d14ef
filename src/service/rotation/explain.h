/* Why nothing moves: what the engine waits for, in names.
 *
 * The runner keeps the waits of its last step in a table, each with the time since when it is so; this
 * verb reads them.  No rows: nothing is waited for. */
#ifndef TROTH_SERVICE_EXPLAIN_H
#define TROTH_SERVICE_EXPLAIN_H

#include "service/verb.h"
#include "store/store.h"

struct explain_cmd {
	const char *name;           /* a credential, an instance or a target "instance/template"; NULL: everything */
};
struct explained {
	const char *speaker;        /* "policy" "safety" "time" "operator" "node" */
	const char *rule, *reason;  /* "A2", "not-loaded": stable words */
	const char *text;           /* a sentence */
	const char *authority;      /* name, or NULL */
	const char *version;        /* uuid of the CA spoken of, or NULL */
	const char *instance, *target, *deployment; /* who waits: names, or NULL */
	enum party party;           /* what kind of member that is */
	const char *other_instance, *other_target; /* for whom */
	enum party other_party;
	const char *other_deployment;              /* when it is a whole template rather than one target */
	const char *approve;        /* "approve-...": the authority whose rotation somebody has to approve; or NULL */
	const char *frozen;         /* " since T by admin: reason" if that is the reason, or NULL */
	const char *certificate;    /* "the certificate of version 2, ..., asked for since T" if that is the reason, or NULL */
	const char *holding;        /* of a holder, how it comes by its next certificate: "request", "generated", "domains", "set"; "taken": it
				       took it; "deleted": nobody gives it one; NULL for others */
	const char *left_behind;    /* "deleted": the credential's uuid, by which commands find it; else NULL */
	bool imported;              /* "renew-by-hand", because the authority's key is elsewhere */
	const char *last_error;     /* of the target, if its agent said one; else what was not as it should be */
	bool failing;               /* it is an error: somebody has to mend it */
	msec_t deadline;            /* of a binding: its renew_by; 0 none */
	bool overdue;               /* that has passed, and it was told */
	bool recovering;            /* its identity has expired, and it waits for somebody's approval of a new one */
	msec_t last_seen;           /* the agent of the one who waits; 0 never, or no instance */
	int64_t count;              /* so many wait in the same way */
	int64_t blocks;             /* so many targets wait for this one, by a rule of safety */
	msec_t since, earliest;     /* earliest 0: not bound to time */
	msec_t breaks;              /* "deadline": when everything that meets the target stops; else 0 */
	const char *cause;          /* "deadline": the reason of what is in the way ("offline"); else NULL */
};
struct explain_ret {
	const char *name;           /* what was asked for, or NULL */
	struct explained *items;    /* most blocking first */
	size_t count;
	int64_t running;            /* rotations running or paused */
};
extern const struct verb VERB_EXPLAIN;

/* NOT_FOUND unless the name is that of an authority, a credential, an instance or INSTANCE/TARGET in scope (NULL is
 * everything).  ret_credential: of a leaf, else 0. */
troth_rc explain_check_name(struct verb_ctx *ctx, const char *name, int64_t *ret_credential, struct troth_err *e);
/* One row in names; lives in a. */
troth_rc explain_row(struct tx *tx, struct arena *a, const struct wait_row *row, struct explained *ret,
		     struct troth_err *e);
/* Is what it speaks of in the scope of `who`? */
bool explain_visible(const struct principal *who, const struct explained *x);
/* "pg-0" is the instance, "pg-0/trust" one of its targets, "/demo/ca" an authority; NULL: all are meant. */
bool explain_is_about(struct arena *a, const struct explained *x, const char *name);
/* "pg-0/trust was sent new contents and has not reported them in use": without the engine's words. */
const char *explain_plain(struct arena *a, const struct explained *x);
/* What to do about it, or NULL: nothing but wait. */
const char *explain_hint(struct arena *a, const struct explained *x);
/* The plain sentence with "(rule A2)" and what the agent said. */
const char *explain_sentence(struct arena *a, const struct explained *x);

#endif
