/* Bindings: relying parties outside the fleet (applications) that were handed a bundle.
 *
 * For the engine a binding is a store like any other: it gets goal and need, it is admitted, a slot switches only
 * when its contents let it.  But nobody sees what it has loaded.  A fetch alone is level *sent*; what counts
 * is declared by its owner:
 *
 *     ack confirm   the next conditional fetch with a tag says: "I run what I got under this tag"
 *     ack fetch     so long (delay) after a fetch it is in use: its owner says so once and for all
 *     ack attest    somebody vouches each time
 *
 * Vouching (attest) is possible under each of them.  Because none of it is seen, nothing is withdrawn for a grace
 * after a switch that rested on a binding: so long it can be undone at once (grace_until of the authority).
 *
 *     deployment /troth/bindings         made with the first one
 *       template = the bundle's name     a group of the engine: one for each bundle
 *       instance = the binding's name    without a session: it is relied upon until it waives
 *         target                         base: what was acknowledged; pending documents: what it may run besides
 *
 * A binding stands for one set of processes that load together: two that fetch on their own are two bindings.  If it
 * comes with the tag of something older than it acknowledged, some process still runs that: it counts again,
 * with everything newer, and an event says so. */
#ifndef TROTH_SERVICE_BINDING_H
#define TROTH_SERVICE_BINDING_H

#include "service/nouns.h"

#define BINDINGS_DEPLOYMENT "/troth/bindings"
enum { BINDING_TAG_LEN = 40 }; /* "g12-0a1b2c3d" with its 0 */

struct binding_create_cmd {
	const char *name, *bundle;
	const char *ack;            /* "confirm" (NULL), "fetch", "attest" */
	msec_t delay;               /* with fetch: needed */
	msec_t renew_by;            /* 0: never overdue */
	msec_t grace;
	bool no_grace;              /* grace 0 is meant; else 0 is LIMIT_BINDING_GRACE_S */
};
void binding_create_check(struct arena *a, const struct binding_create_cmd *cmd, struct troth_err *e);

struct binding_view {
	struct binding_row row;
	const char *bundle;
	struct target_view target;       /* wanted: what it is offered; loaded: what it acknowledged */
	msec_t deadline;                 /* when what is offered is overdue; 0: it is not waited for, or never */
};
struct binding_ret { struct binding_view binding; };
struct binding_list_ret {
	struct binding_view *items;
	size_t count;
	int64_t next;
};
extern const struct verb VERB_BINDING_CREATE; /* binding_create_cmd -> binding_ret */
extern const struct verb VERB_BINDING_LIST;   /* list_cmd -> binding_list_ret; without those that left */
extern const struct verb VERB_BINDING_SHOW;   /* id_cmd -> binding_ret */
extern const struct verb VERB_BINDING_DELETE; /* id_cmd -> no_ret: it leaves; nobody waits for it */
/* UNSAFE before its renew_by has passed; without one at any time.  For good: it comes back as a new binding. */
extern const struct verb VERB_BINDING_WAIVE;  /* id_cmd -> binding_ret */

struct binding_fetch_cmd {
	const char *id;
	const char *tag;            /* of what it has, as it was given; NULL: none */
};
struct binding_fetch_ret {
	char tag[BINDING_TAG_LEN];
	bool not_modified;          /* it has that already */
	const char *pem;            /* one certificate after the other */
};
/* A READ that goes on as a WRITE when there is something to note. */
extern const struct verb VERB_BINDING_FETCH;  /* binding_fetch_cmd -> binding_fetch_ret */
extern const struct verb VERB_BINDING_TAKE;

struct binding_attest_cmd {
	const char *id;
	const char *reason;         /* "renewed": it runs what it fetched last; "runtime-already-trusts": it needs no fetch for what
	                               is offered */
};
void binding_attest_check(struct arena *a, const struct binding_attest_cmd *cmd, struct troth_err *e);
extern const struct verb VERB_BINDING_ATTEST; /* binding_attest_cmd -> binding_ret */

/* -- for the engine's side of the house ----------------------------------------------------------- */
/* A document was decided for this target: if it is a binding, its deadline begins. */
troth_rc binding_offered(struct verb_ctx *ctx, int64_t target_id, int64_t generation, struct troth_err *e);
/* A slot serves `now` in place of `before` (contents): where that rests on somebody's word (a binding's, an external
 * instance's, its own), the grace begins. */
troth_rc binding_rested_on(struct verb_ctx *ctx, const struct target_row *slot, int64_t before, int64_t now, struct troth_err *e);
/* Effects (rows of the outbox) whose time has come; body {"target","generation"}. */
#define EFFECT_BINDING_FETCHED "binding.fetched"
#define EFFECT_BINDING_OVERDUE "binding.overdue"
troth_rc binding_fetch_is_due(struct verb_ctx *ctx, const struct json *body, struct troth_err *e);
troth_rc binding_is_overdue(struct verb_ctx *ctx, const struct json *body, struct troth_err *e);

#endif
