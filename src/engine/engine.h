/* The rotation engine: given what is known, what may be done now, and what is waited for.
 *
 * Pure: no I/O, no clock, no randomness, no static state.  The rules are engine-rules.md; README.md
 * in this folder draws one rotation.  It includes base/ only.
 *
 * How it is used (by service/runner/runner.c, in the writer):
 *
 *	view_new()                      once, and again after a failed commit
 *	view_apply(view, fact)          after each row written; the full list when rebuilding
 *	do {
 *		engine_step(view, policy, now, arena, &plan)
 *		plan_check(view, &plan, err)             a second opinion, brute force
 *		for each act: write rows, view_apply its facts
 *	} while (plan.act_count > 0)
 *	publish plan.waits (troth explain), wake again at plan.next_wake
 *
 * Which facts answer which act (the runner emits them after writing the rows):
 *
 *	ACT_SEND_SET     FACT_DROPPED{replaces} if replaces, FACT_SET{the certs} if new, FACT_SENT
 *	ACT_SEND_CHAIN   FACT_DROPPED{replaces} if replaces, FACT_CHAIN if another form makes it new, FACT_SENT,
 *	                 FACT_STAGED{on=false}
 *	ACT_ASK          FACT_ASKED{target, ca}; later, when issued: FACT_CHAIN, FACT_STAGED{on}, FACT_ASKED{ca=0}
 *	ACT_SIGNING      FACT_CA of both versions: the old with signing=false, the new with signing=true
 *	ACT_RETIRE_DONE  FACT_CA with retired=true
 *	ACT_ADMIT        FACT_TARGET with state=TARGET_COUNTED
 *	ACT_TAKE_BACK    FACT_DROPPED{replaces}; of a chain also FACT_STAGED{on}
 *	ACT_LEAVE        FACT_TARGET with state=TARGET_LEFT
 *	ACT_ROTATE       FACT_CA with renewing=true; later, when its successor was made: FACT_CA of both
 *
 * An act that is not answered by its facts comes again in the next step: applying is the runner's
 * duty, and "calling twice is once" holds because the facts are there.
 *
 * Ids are the store's row ids (int64, 0 = none).  Times are milliseconds since 1970.
 * How far clocks may be apart is LIMIT_SKEW_S, but never more than a tenth of the life of what is judged.
 * Facts are upserts: the same fact twice is one, and everything known of a target may be told again
 * (FACT_TARGET; FACT_SEEN, or FACT_VOID, which drops all documents told before it; then FACT_SENT,
 * FACT_HANDED, FACT_STAGED, FACT_ASKED, FACT_FAILED).  Order: a thing before what names it (group,
 * CA, chain, set, instance's alive, target, then what happened to it).  A content that no target
 * mentions is forgotten some time (never between two facts): tell it again before it is named.  A fact that names a target,
 * group or content nobody introduced changes nothing (FACT_SEEN with an unknown content makes the
 * base unknown, which is the safe reading). */
#ifndef TROTH_ENGINE_ENGINE_H
#define TROTH_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

struct id_list { const int64_t *items; size_t count; }; /* need not be sorted; copied by view_apply */

/* -- facts --------------------------------------------------------------------------------- */

enum fact_kind {
	FACT_GROUP, FACT_MEET, FACT_CA, FACT_GOAL, FACT_CHAIN, FACT_SET, FACT_ALIVE, FACT_TARGET,
	FACT_SENT, FACT_HANDED, FACT_DROPPED, FACT_SEEN, FACT_VOID, FACT_STAGED, FACT_ASKED,
	FACT_FAILED, FACT_PAUSED, FACT_GRACE, FACT_HOLD, FACT_PACE, FACT_ON_DEADLINE,
	FACT_ROLLING, FACT_ROLLOUT, FACT_EXTERNAL,
	FACT_KIND_MAX
};

enum group_kind { GROUP_SLOT = 1, GROUP_STORE };
enum group_role { ROLE_IS_SERVER = 1, ROLE_IS_CLIENT = 2 }; /* bits; a slot may be both */
/* JOINING is not counted until it is admitted; IGNORED gets documents like it and is never admitted (the
 * promise leaves it out).  LEAVING is counted and gets nothing more: what it may serve still matters.  LEFT is out
 * of Meet for good: also one that was waived.  Who comes back, comes as JOINING. */
enum target_state { TARGET_JOINING = 1, TARGET_COUNTED, TARGET_LEFT, TARGET_LEAVING, TARGET_IGNORED };

/* The steps of an authority's rotation that a person may have to approve; bits. */
enum rollout_step { STEP_INTRODUCE = 1, STEP_SWITCH = 2, STEP_WITHDRAW = 4 };

#define ALIVE_ALWAYS INT64_MAX /* FACT_ALIVE.alive_until of who has no session that could end */
/* FACT_SEEN.content: it was seen to hold nothing at all; it reported, and holds what nobody here knows. */
enum { CONTENT_NONE = -1, CONTENT_STRANGE = -2 };

struct fact {
	enum fact_kind kind;
	union {
		/* One deployment template: all its targets meet the same groups.  `outside`: its slots are holders outside
		 * the fleet, who took their certificates themselves.  Nothing is sent to them and they are asked for
		 * nothing; all they were handed and nobody vouched to be replaced is in Seq until it expires. */
		struct { int64_t group; enum group_kind kind; int role; bool atomic; int64_t store_limit; /* certs; 0 = none */
			 bool outside;
			 int64_t deployment; /* whose policy its targets are under; 0 = none */ } group;
		struct { int64_t presenter_group, verifier_group; bool on; } meet;
		/* A version of an authority.  `cert`: distinct certificate (two versions may share it).
		 * `leaf_anchors`: certs that, each alone in a store, accept a leaf signed by this version: itself and
		 * those with same subject and key (of an intermediate: its roots).  `order`: higher is newer. */
		struct {
			int64_t ca, authority, cert;
			struct id_list leaf_anchors;
			int64_t order;
			bool wanted, signing, can_sign, distrusted;
			bool retired; /* ACT_RETIRE_DONE was carried out */
			msec_t not_before, not_after;
			msec_t renew_at;     /* its successor is due: ACT_ROTATE; 0 = never */
			msec_t renew_latest; /* from here on also while a rotation of it still runs; 0 = never */
			bool renewing;       /* ACT_ROTATE was carried out, and the successor is not there yet */
			bool by_hand;        /* no ACT_ROTATE: only its owner can make the next version */
			int64_t issuer; /* of an intermediate: the version that signed it (may be told later); 0: none of ours */
			msec_t issued;       /* its life begins; 0 = at not_before (which is earlier, for slow clocks) */
			/* Cross-signed: its chains may carry a certificate of its root's key, signed by the older version
			 * `bridge_by` (0: none); they are then accepted by `bridge_anchors`, between these dates. */
			int64_t bridge_by;
			struct id_list bridge_anchors;
			msec_t bridge_from, bridge_until;
		} ca;
		/* What the bundle of this store group contains: all wanted versions of these, and these single certs. */
		struct { int64_t group; struct id_list authorities, certs; } goal;
		/* A chain as served.  Dates: the narrowest of leaf and every served intermediate.  renew_at 0 = never;
		 * it must be later than the moment of issue, or the slot is asked again and again. */
		struct { int64_t chain, signed_by; struct id_list anchors; msec_t not_before, not_after, renew_at;
			 bool distrusted; /* its leaf is: never sent again */
			 msec_t issued; /* its life begins; 0 = at not_before */
			 int64_t bridged_by; /* the CA that signed the cross certificate in it; 0: plain */ } chain;
		struct { int64_t set; struct id_list certs; } set;
		struct { int64_t instance; msec_t alive_until; } alive; /* last heard + freshness; 0 = not alive */
		/* authority: slots.  lease_until: it leaves by itself then (ephemeral); 0 = never. */
		struct { int64_t target, group, instance, authority; enum target_state state; msec_t lease_until; } target;
		struct { int64_t target, generation, content; } sent;
		struct { int64_t target, generation; } handed;  /* committed before the reply bytes leave */
		struct { int64_t target, generation; } dropped; /* replaced before it was handed out */
		/* A settled report at the counting level that the service accepted (session, seq, generation and
		 * fingerprints checked).  It runs `content` = generation l, and never again loads any <= high_water. */
		struct { int64_t target, content, generation, high_water; } seen;
		struct { int64_t target; } voided;              /* base unknown; pending documents void */
		struct { int64_t target, chain; bool on; } staged; /* issued or uploaded, not sent yet */
		struct { int64_t target, ca; } asked;           /* a CSR or issue is under way under ca; 0 = no more */
		struct { int64_t target, content; int64_t count; } failed; /* in a row; content 0 clears (say so on success or change) */
		struct { int64_t authority; bool on; } paused;
		struct { int64_t target; msec_t length; } pace; /* handed out until settled, lately; 0 = not measured */
		struct { int64_t authority; bool hold; } on_deadline; /* hold: nobody is left out at a deadline */
		/* A switch of slots of this authority rested on what a binding (`target`) was vouched to trust, not on what was
		 * seen: nothing of the authority is withdrawn before `until`, so that the switch can be undone at once. */
		struct { int64_t authority, target; msec_t until; } grace;
		/* Somebody else signs its versions (never told of other authorities): ACT_ROTATE makes no more than a request.
		 * `awaited`: one is out, and the certificate has not come back. */
		struct { int64_t authority; bool awaited; } external;
		struct { bool on; } hold;                       /* freeze: nothing changes at all */
		/* How a deployment's counted members may change (section 6, Rolling).  The first document of an instance
		 * takes a place; it keeps it until everything handed to it is settled and nothing failed on it. */
		struct {
			int64_t deployment;
			int64_t max_unavailable; /* places; 0 = no limit */
			int64_t canary;          /* so many get new contents first; 0 = none */
			msec_t pause, settled_at; /* no new instance before settled_at + pause; 0 = none */
			bool stopped;            /* an instance failed: no new ones until somebody says so */
			bool manual;             /* each step of a rotation waits for its approval here */
			bool windowed, open;     /* new instances only while a maintenance window is open */
			msec_t until;            /* when `open` changes; later it counts as closed until told again */
		} rolling;
		/* Of an authority: 1c "switch: all", and the steps of the rotations that concern it which nobody approved
		 * yet: those of `everywhere` wait wherever they are, the others only in deployments that are manual. */
		struct { int64_t authority; bool switch_all; unsigned unapproved, everywhere; } rollout;
	};
};

/* -- the view ------------------------------------------------------------------------------ */

struct view; /* an index over facts; owned by the writer; dropped and rebuilt after a failed commit */

struct view *view_new(void);
void view_free(struct view *v);   /* accepts NULL */
void view_freep(struct view **v); /* for CLEANUP */

/* False: the fact changed nothing because it named something unknown or was older than what is
 * known (a report with a lower high-water mark); true otherwise.  O(1) for everything that happens
 * often (alive, sent, handed, seen, staged, asked); one pass over the targets for what is rare
 * (a known chain's anchors changing). */
bool view_apply(struct view *v, const struct fact *f);

/* Moves the view's clock: who is alive, which chains have expired or want renewal.  engine_step
 * does it; others may.  Going back is allowed and costs one pass (less than a minute back is taken
 * for two readers of a clock, and changes nothing). */
void view_clock(struct view *v, msec_t now);

/* Same knowledge?  Compares canonical dumps; `why` gets the first line that differs. */
bool view_equal(const struct view *x, const struct view *y, char *why, size_t why_size);
void view_dump(const struct view *v, struct buf *out); /* canonical text; sorted; for tests and debugging */
/* Counters and classes equal a recount (I12). */
bool view_check(const struct view *v, char *why, size_t why_size);
uint64_t view_operations(const struct view *v); /* steps of work done so far: for the O(1) test */

/* -- the plan ------------------------------------------------------------------------------ */

/* In which form the leaf of a known chain is sent: as that chain is, with the cross certificate of its signer
 * (FACT_CA.bridge_by), or without. */
enum chain_form { CHAIN_AS_IS, CHAIN_BRIDGED, CHAIN_PLAIN };

enum act_kind { ACT_SEND_SET = 1, ACT_SEND_CHAIN, ACT_ASK, ACT_SIGNING, ACT_RETIRE_DONE, ACT_ADMIT, ACT_LEAVE, ACT_ROTATE, ACT_TAKE_BACK };

struct act {
	enum act_kind kind;
	int64_t target;       /* SEND_*, ASK, ADMIT, TAKE_BACK; LEAVE: its lease is over, or what it served last is not valid any more */
	struct id_list certs; /* SEND_SET: sorted cert ids */
	int64_t chain;        /* SEND_CHAIN */
	enum chain_form form; /* SEND_CHAIN */
	struct id_list shed;  /* SEND_CHAIN at a deadline (rule D): stores that refuse it and were left out of the
	                         test, sorted; nobody else: empty */
	msec_t deadline;      /* with shed: when all chains that the slot may serve have ended */
	int64_t replaces;     /* SEND_*, TAKE_BACK: generation that was never handed out and goes; 0 = none */
	int64_t authority;    /* ASK, SIGNING, RETIRE_DONE, ROTATE */
	int64_t ca;           /* ASK: who shall sign; SIGNING: who carries the label; RETIRE_DONE: who is gone;
	                         ROTATE: whose time has come */
};

enum wait_speaker { SPEAKER_POLICY = 1, SPEAKER_SAFETY, SPEAKER_TIME, SPEAKER_OPERATOR, SPEAKER_NODE };

enum wait_reason {
	WAIT_HELD = 1,       /* policy: everything is frozen */
	WAIT_PAUSED,         /* policy: this authority's rotation is paused */
	WAIT_SWITCH_ALL,     /* policy: switch: all, and not every slot can take the new signer */
	WAIT_NOT_TRUSTED,    /* safety S: `target` (slot) may not switch: `other_target` (store) may not trust the new CA yet */
	WAIT_STILL_SERVED,   /* safety S: `target` (store) may not drop ca: `other_target` (slot) may still serve it */
	WAIT_CHAIN_HELD,     /* safety V: ca cannot be retired: `target` may still hold it */
	WAIT_NO_SIGNER,      /* operator 1b: no version can sign for `target` */
	WAIT_STORE_FULL,     /* operator: the set is larger than the store can hold */
	WAIT_NOT_VALID_YET,  /* time: starts at `earliest` */
	WAIT_NOT_LOADED,     /* node A2: document sent, no settled report yet */
	WAIT_NOT_FETCHED,    /* node: document decided, not handed out yet */
	WAIT_CSR,            /* node: asked for a CSR (or the issue is under way) */
	WAIT_OFFLINE,        /* node: session not alive, so not relied upon */
	WAIT_UNKNOWN,        /* node: what it holds is unknown until it reports */
	WAIT_STRANGE,        /* safety 4: `target` holds what nobody here knows; it is sent what all that it meets accept */
	WAIT_PENDING_FULL,   /* node: too many documents handed out and unseen */
	WAIT_FAILING,        /* node A3: the same contents failed too often; stopped until something changes */
	WAIT_ADMISSION,      /* safety 9: joiner `target` would not match `other_target` */
	WAIT_BUDGET,         /* policy: max_unavailable instances of its deployment are changing or unhealthy */
	WAIT_CANARY,         /* policy: the canaries have not settled on these contents yet */
	WAIT_BETWEEN,        /* time: pause between two batches, until `earliest` */
	WAIT_STOPPED,        /* operator: an instance of its deployment failed, and the policy is to stop then */
	WAIT_WINDOW,         /* policy: no maintenance window is open; the next opens at `earliest` */
	WAIT_APPROVE_INTRODUCE, /* operator: rollout manual, nobody approved that the new CA is trusted */
	WAIT_APPROVE_SWITCH,    /* operator: ... that the new CA signs */
	WAIT_APPROVE_WITHDRAW,  /* operator: ... that the old CA leaves the stores */
	WAIT_LEASE,          /* time 9: `target` is ephemeral and counts until `earliest`, whatever it reports */
	WAIT_LEAVING,        /* operator 9: `target` leaves and counts until its service is stopped, or somebody says so */
	WAIT_GRACE,          /* policy 9: ca stays in the stores until `earliest`: the switch rests on the binding `target` */
	WAIT_RENEW_BY_HAND,  /* operator D: ca is due for renewal, which only its owner can do */
	WAIT_CERTIFICATE,    /* operator D: a version of `authority` is signed elsewhere; its certificate has not been brought in */
	WAIT_RENEW_ORDERED,  /* time D: ca is due; its rotation was ordered and has not begun */
	WAIT_DEADLINE,       /* time D: `target` breaks at `breaks`, because of `cause` at `other_target` or itself */
	WAIT_RENEW_LATER,    /* policy D: ca is due; it waits for the rotation that runs, until `earliest` */
	WAIT_SIGNED_BELOW,   /* safety V: ca cannot be retired: an intermediate that it signed is not */
	WAIT_OUTSIDE,        /* operator 2: `target` is held outside the fleet, and ca may be in use there still */
	WAIT_REASON_MAX
};

struct wait {
	enum wait_speaker speaker;
	const char *rule;       /* "S", "V", "A2", "1b", "9", ... */
	enum wait_reason reason;
	int64_t authority, ca;  /* what is held up; 0 = not about one */
	int64_t target;         /* who waits */
	int64_t other_target, other_group; /* for whom; 0 = nobody else */
	size_t count;           /* so many targets wait the same way (target is one of them) */
	msec_t earliest;        /* 0 = not bound to time */
	msec_t breaks;          /* WAIT_DEADLINE: when; 0 elsewhere */
	enum wait_reason cause; /* WAIT_DEADLINE: what it waits for; 0 elsewhere */
	const char *text;       /* one sentence without names; static */
};

struct plan {           /* lives in the arena given to engine_step */
	struct act *acts;     /* one batch: leaves, or taken back, or admissions, or stores, or slots and labels; sorted by kind and target */
	size_t act_count;
	struct wait *waits;   /* most-blocking first; complete only when act_count is 0 */
	size_t wait_count;
	msec_t next_wake;     /* 0 = only facts can change the answer */
};

struct engine_policy {
	size_t waits_each;    /* list so many members of a class in waits; 0 = 16 */
};

void engine_step(struct view *v, const struct engine_policy *policy, msec_t now, struct arena *a,
		 struct plan *ret_plan);

/* Independent of the step's code: tries every implication of rule S that the plan's documents take
 * part in, over targets, not classes; checks unknown, joining, expired and distrusted too.  A
 * failure is a bug: the runner must not carry the plan out. */
troth_rc plan_check(const struct view *v, const struct plan *plan, struct troth_err *e);

/* Which pairs break when these versions are distrusted too (section 10), as the view stands now.
 * `breaks`: pairs of counted targets that shake hands by what they were last seen with, and will not.
 * `doubts`: pairs that may break because of what is on its way, or because a side is unknown. */
struct broken_pair { int64_t slot, store; };
struct breakage {
	size_t breaks, doubts;      /* all of them */
	struct broken_pair *pairs;  /* the first of `breaks`, by ids; in the arena */
	size_t pair_count;
	struct broken_pair *doubtful; /* the first of `doubts` */
	size_t doubtful_count;
};
/* `cas`: versions; those unknown here (of leaves) break nothing.  Names at most `max` of each. */
void engine_breakage(const struct view *v, struct id_list cas, size_t max, struct arena *a,
		     struct breakage *ret_breakage);

/* The admission test (section 9, Joiner).  On false `ret_why` (may be NULL) says with whom.
 * ACT_ADMIT is planned when it is true, so the service need not ask itself. */
bool view_admissible(const struct view *v, int64_t target, struct wait *ret_why);

/* Rule 1b for a certificate that somebody takes: who signs the next one of `target`, now, so that everybody it
 * meets who accepts what it has accepts that too; the target unknown: the first one of a newcomer to
 * `group` of this authority.  0: nobody can.  The clock is the view's. */
int64_t view_signer(struct view *v, int64_t target, int64_t group, int64_t authority);

const char *wait_reason_name(enum wait_reason reason);    /* "not-trusted": stable */
const char *wait_speaker_name(enum wait_speaker speaker); /* "safety" */
const char *wait_reason_text(enum wait_reason reason);
const char *act_kind_name(enum act_kind kind);            /* "send-set" */

/* -- progress (a view for people) ---------------------------------------------------------- */

enum word { WORD_HIDDEN = 1, WORD_RUMOURED, WORD_OMNIPRESENT, WORD_UNRETENTIVE };
const char *word_name(enum word w); /* "HIDDEN" */

struct progress_ca {
	int64_t ca;
	bool wanted, signing;
	size_t stores_having;  /* in every world */
	size_t stores_maybe;   /* in some world, not all */
	size_t slots_using;    /* seen serving a chain that it stands in, nothing else pending */
	size_t slots_maybe;    /* in some world, not all */
	enum word in_stores, in_slots;
};

struct progress {
	int64_t authority;
	size_t stores, slots;  /* counted stores whose bundle has the authority; counted slots in the fleet of it and of those below it */
	size_t outside;        /* holders outside the fleet with a certificate of it that is valid still */
	size_t joining;        /* of both kinds */
	size_t unknown, offline; /* counted ones */
	struct progress_ca *cas; /* newest first; retired ones are left out */
	size_t ca_count;
};

void engine_progress(const struct view *v, int64_t authority, struct arena *a,
		     struct progress *ret_progress);

#include "engine/forecast.h"

#endif
