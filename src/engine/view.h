/* Inside the view: what the engine knows, indexed.  For files of this folder (and their tests).
 *
 * A target's Seq (engine-rules section 4) is its base and its documents, in order of generation.
 * For deciding, only the *shape* of a content matters: of a chain its anchors, who signed it and
 * whether it has expired; of a set its certificates.  Targets of one group with the same shapes in
 * the same order are one *class* (section 11): they get the same answer, so the step looks at
 * classes and touches members only to act on them or to name them.
 *
 *	target --class--> class{group, authority, state, shapes...} --group--> group --meets--> groups
 *	   |--base, docs--> content --shape--> shape
 *	   '--instance--> alive?
 */
#ifndef TROTH_ENGINE_VIEW_H
#define TROTH_ENGINE_VIEW_H

#include "base/limits.h"
#include "engine/agenda.h"
#include "engine/engine.h"
#include "engine/ids.h"
#include "engine/table.h"

enum {
	DOCS_MAX = LIMIT_PENDING_DOCUMENTS + 4, /* the cap, one not handed out, and slack for old rows */
	SEQ_MAX = DOCS_MAX + 1,
	IDLE_MAX = 4096, /* contents kept though nobody mentions them */
	SWEPT_AT_ONCE = 256, /* more than one commit of the writer can leave */
};

#define SKEW ((msec_t)LIMIT_SKEW_S * MSEC_S)

/* Clocks may be so far apart that they judge it differently; what lives shortly is for clocks that agree. */
static inline msec_t skew_of(msec_t from, msec_t to)
{
	msec_t tenth = to > from ? (to - from) / 10 : 0;
	return tenth < SKEW ? tenth : SKEW;
}

enum {
	PACE_BUCKETS = 24,   /* powers of two of a second: the last is 97 days */
	LEAD_LIFE_PART = 8,  /* a lead is at most such a part of a chain's life ... */
	ENDING_LIFE_PART = 4, /* ... and a chain is named as ending for twice as long */
};

struct target;

/* What two contents must share to be the same to rule S (and to retirement). */
struct shape {
	struct id_list members; /* anchors of a chain, certificates of a set; sorted */
	int64_t signed_by;      /* chains */
	bool is_chain;
	bool expired;           /* chains: nobody accepts it any more */
	int64_t bridged_by;     /* chains: who signed the cross certificate in it; 0: plain */
	size_t refs;            /* contents that have it */
	uint64_t hash;
	struct shape *same_hash;
};

struct content {
	int64_t id;
	bool is_chain;
	struct id_list members;
	int64_t signed_by, bridged_by;
	msec_t not_before, not_after, renew_at, issued, skew;
	msec_t ending_at;       /* from here on it is named if it is still served (deadline.c) */
	bool due;               /* renew_at has come */
	bool ending;            /* ending_at has come */
	bool distrusted;        /* chains: the leaf is */
	struct shape *shape;
	size_t refs;            /* mentions by targets; 0: idle */
	struct content *idle_prev, *idle_next; /* while idle */
	struct target *holder;  /* the one target that mentions it, unless shared */
	bool shared;
};

struct document { int64_t generation; struct content *content; bool handed; };

struct instance {
	int64_t id;
	msec_t alive_until;
	bool alive;             /* by the view's clock */
	msec_t booked_at;       /* its entry in the agenda; 0 = none.  Others of it are passed over */
	struct target *targets;
	/* rolling.c: of its counted targets, how many ... */
	size_t handed, unhanded, failing, stuck; /* ... hold documents handed out; have one waiting; failed last; too often */
	struct deployment *deployment;
	enum rolling_list { ROLLING_IDLE, ROLLING_BUSY, ROLLING_STRANDED, ROLLING_LISTS } list;
	struct instance *list_prev, *list_next;
	bool taking;            /* within a step: got its first document */
};

/* A deployment's policy, and who of it holds a place (alive and busy) or is stranded (silent, with a
 * document that was never handed out). */
struct deployment {
	int64_t id;
	int64_t max_unavailable, canary;
	msec_t pause, settled_at, until;
	bool stopped, manual, windowed, open;
	struct instance *lists[ROLLING_LISTS]; /* none for the idle */
	size_t busy;
	size_t taking;          /* within a step */
};

struct ca {
	int64_t id, cert, order;
	struct authority *authority;
	struct id_list leaf_anchors;
	bool wanted, signing, can_sign, distrusted, retired;
	msec_t not_before, not_after, renew_at, renew_latest, issued, skew;
	bool renewing, by_hand;
	int64_t issuer_id;
	struct ca *issuer;      /* NULL: a root, or signed by nobody known */
	int64_t bridge_by;      /* 0: not cross-signed */
	struct id_list bridge_anchors;
	msec_t bridge_from, bridge_until;
};

/* A distinct certificate and the versions that have it: usually one. */
struct cert { int64_t id; struct ca **cas; size_t ca_count; };

struct authority {
	int64_t id;
	size_t index;           /* in view.authorities */
	struct ca **cas;        /* newest first */
	size_t ca_count;
	bool paused;
	bool switch_all;
	unsigned unapproved, everywhere; /* enum rollout_step */
	bool hold_at_deadline;
	bool external, awaited; /* FACT_EXTERNAL */
	msec_t grace_until;     /* nothing of it is withdrawn before; 0: no grace */
	int64_t grace_target;   /* the binding that it is for */
};

struct group {
	int64_t id;
	struct deployment *deployment; /* or NULL */
	size_t index;           /* in view.group_list */
	enum group_kind kind;
	int role;
	bool atomic;
	bool outside;           /* slots: holders outside the fleet; nothing is sent there */
	int64_t store_limit;
	struct group **meets;   /* groups of the other kind */
	size_t meet_count;
	struct id_list authorities, certs; /* the goal of a store group */
	struct class *classes;
	uint32_t paces[PACE_BUCKETS]; /* so many members take so long; of those that were measured */
};

enum class_flags {
	CLASS_COUNTED = 1,  /* else joining */
	CLASS_KNOWN = 2,    /* the base is known */
	CLASS_ALIVE = 4,    /* its session is alive: may be relied upon */
	CLASS_FULL = 8,     /* too many documents handed out and unseen */
	CLASS_DUE = 16,     /* slots: the newest chain wants renewal, or its leaf is distrusted */
	CLASS_ENDING = 2048, /* slots: a chain that it may serve ends soon (outside the fleet: its newest) */
	CLASS_FAILING = 32, /* the contents it would get failed too often */
	CLASS_LEASED = 64,  /* ephemeral: it leaves by itself at its lease's end */
	CLASS_OVER = 128,   /* that end has come */
	CLASS_LEAVING = 256, /* counted, and gets nothing more */
	CLASS_IGNORED = 512, /* never admitted */
	CLASS_STRANGE = 4096, /* it reported, and nobody knows what it holds */
	CLASS_TAINTED = 1024, /* slots: a chain it may serve has a distrusted leaf */
};

/* All zero bytes where nothing is: compared and hashed as bytes. */
struct class_key {
	struct group *group;
	struct authority *authority;     /* slots */
	const struct shape *seq[SEQ_MAX]; /* base first; NULL: nothing at all */
	const struct shape *ready;       /* slots: a chain that could be sent */
	int64_t asked;                   /* slots: a chain is being made under this CA */
	uint32_t flags;
	uint16_t length;                 /* of seq; an unknown base is not in it */
	uint16_t unhanded;               /* so many at the end of seq go if something is sent */
};

struct class {
	struct class_key key;
	uint64_t hash;
	size_t count;
	struct target *members;
	struct class *group_prev, *group_next, *same_hash;
};

struct target {
	int64_t id;
	size_t index;            /* in view.targets */
	struct group *group;
	struct instance *instance;
	struct authority *authority;
	enum target_state state;
	msec_t lease_until;      /* 0: no lease */
	bool over;               /* the lease has ended, by the view's clock */
	bool known;              /* base is known */
	bool strange;            /* not known though it reported: looked at, and foreign */
	struct content *base;    /* NULL: nothing (if known) */
	int64_t base_generation, high_water;
	struct document docs[DOCS_MAX];
	size_t doc_count;
	struct content *staged, *failed;
	int64_t failures, asked;
	uint64_t picked;         /* pick.c: the last picker that offered it */
	uint8_t marks;           /* rolling.c: what it adds to its instance */
	msec_t pace;             /* handed out until settled, lately; 0: not measured */
	struct class *class;
	struct target *class_prev, *class_next, *instance_prev, *instance_next;
};

struct view {
	struct table groups, cas, certs, authorities_by_id, chains, sets, instances, targets_by_id, classes, shapes, deployments;
	struct group **group_list;
	size_t group_count;
	struct ca **ca_list;
	size_t ca_count;
	struct authority **authorities;
	size_t authority_count;
	struct target **targets;
	size_t target_count, target_room;
	struct agenda agenda;
	msec_t now;
	bool hold;
	struct id_list distrusted; /* certificates of distrusted versions; sorted */
	size_t idle;            /* contents that no target mentions */
	struct content *idle_first, *idle_last; /* oldest first */
	uint64_t operations;    /* work done; for the O(1) test */
	uint64_t picks;         /* pickers so far */
	uint64_t hash_mask;     /* all ones; with fewer, hashes collide: for tests */
};

/* content.c */
struct content *content_find(const struct view *v, enum group_kind kind, int64_t id);
bool content_apply_chain(struct view *v, const struct fact *f);
bool content_apply_set(struct view *v, const struct fact *f);
void content_hold(struct view *v, struct target *t, struct content *c); /* c may be NULL */
void content_drop(struct view *v, struct content *c);                   /* c may be NULL */
void content_sweep(struct view *v);                                     /* between facts */
void content_set_expired(struct view *v, struct content *c, bool expired);
void content_place_holders(struct view *v, struct content *c); /* every target that mentions c, into its right class */
void content_free_all(struct view *v);

/* class.c */
void class_place(struct view *v, struct target *t); /* after every change of t */
void class_remove(struct view *v, struct target *t);
struct class_key class_key_of(const struct target *t);
struct content *target_newest(const struct target *t);  /* last document, else base; NULL: none */
struct content *target_ready(const struct target *t);   /* slots: staged, or failed and to be tried again */
size_t class_sample(const struct class *c, size_t max, int64_t *ret_ids); /* sorted; returns how many */
static inline const struct shape *class_newest(const struct class *c)
{
	return c->key.length ? c->key.seq[c->key.length - 1] : NULL;
}
/* Slots: is one of its chains valid still? */
static inline bool class_lives(const struct class *c)
{
	for (size_t i = 0; i < c->key.length; i++) {
		if (c->key.seq[i] && !c->key.seq[i]->expired)
			return true;
	}
	return false;
}
static inline bool class_counted(const struct class *c) { return c->key.flags & CLASS_COUNTED; }
/* May be relied upon: its contents are known and its session is alive. */
static inline bool class_sure(const struct class *c)
{
	return (c->key.flags & (CLASS_KNOWN | CLASS_ALIVE)) == (CLASS_KNOWN | CLASS_ALIVE);
}
static inline bool class_known(const struct class *c) { return c->key.flags & CLASS_KNOWN; }
static inline bool class_alive(const struct class *c) { return c->key.flags & CLASS_ALIVE; }
/* What it holds is nobody's; so that it does not stay so for ever it may be sent what breaks no pair, whatever that is. */
static inline bool class_heals(const struct class *c)
{
	uint32_t need = CLASS_STRANGE | CLASS_ALIVE;

	return (c->key.flags & need) == need && (c->key.group->kind == GROUP_SLOT || c->key.group->atomic);
}
static inline bool class_leased(const struct class *c) { return c->key.flags & CLASS_LEASED; }
static inline bool class_leaving(const struct class *c) { return c->key.flags & CLASS_LEAVING; }

/* member.c: what happens to instances and targets */
bool member_apply(struct view *v, const struct fact *f);
struct target *target_find(const struct view *v, int64_t id);
void member_free_all(struct view *v);

/* world.c: groups, meets, authorities, goals */
bool world_apply(struct view *v, const struct fact *f);
struct group *group_find(const struct view *v, int64_t id);
struct ca *ca_find(const struct view *v, int64_t id);
struct authority *authority_find(const struct view *v, int64_t id);
struct authority *authority_need(struct view *v, int64_t id); /* made when missing; 0 gives NULL */
const struct cert *cert_find(const struct view *v, int64_t id); /* NULL: no version has it */
bool ca_newer(const struct ca *x, const struct ca *y);
bool ca_under(const struct ca *c, const struct ca *top); /* c is top, or a chain of c has top in it; c may be NULL */
bool authority_under(const struct authority *a, const struct authority *top); /* by any version */
/* The authority whose pause holds this version: its own or one above it; NULL: none. */
const struct authority *ca_paused_by(const struct ca *c);
void world_free_all(struct view *v);

/* rolling.c */
bool rolling_apply(struct view *v, const struct fact *f);
struct deployment *deployment_need(struct view *v, int64_t id); /* 0 gives NULL */
void rolling_place(struct view *v, struct target *t);  /* after every change of t or of its instance's life */
void rolling_leave(struct target *t);                  /* before it leaves its instance */
bool rolling_is_lame(const struct instance *i);        /* it failed, went back, and nothing is on its way */
size_t rolling_held(const struct deployment *d);       /* places held, by all but those */
void rolling_goal_changed(struct view *v);             /* a version is wanted now, or is not any more */
bool rolling_check(const struct view *v, char *why, size_t why_size); /* counters equal a recount */
void rolling_free_all(struct view *v);

/* clock.c */
void clock_book_deployment(struct view *v, const struct deployment *d);
/* deadline.c */
void pace_move(struct group *g, msec_t from, msec_t to); /* one member's; 0: not measured */
msec_t pace_ceiling(msec_t pace);
msec_t chain_life(const struct content *c);
msec_t chain_end(const struct content *c); /* for the fastest clock */
/* How long before its end a slot of this group must have begun to switch away from the chain. */
msec_t deadline_lead(const struct group *slots, const struct content *chain);

/* clock.c */
bool clock_judge_ending(const struct view *v, const struct content *c);
void clock_book_instance(struct view *v, struct instance *i);
void clock_book_chain(struct view *v, struct content *c);
void clock_book_ca(struct view *v, const struct ca *c);
void clock_judge_lease(struct view *v, struct target *t); /* sets over; books the end if it is still to come */
void clock_book_grace(struct view *v, const struct authority *a);

#endif
