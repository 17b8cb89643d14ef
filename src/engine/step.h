/* Inside the step: the context of one engine_step and the parts it is made of. */
#ifndef TROTH_ENGINE_STEP_H
#define TROTH_ENGINE_STEP_H

#include "engine/view.h"

/* Of an authority: who could carry the label (1c). */
struct label { size_t slots; bool taken; };

struct step {
	struct view *v;
	const struct engine_policy *policy;
	msec_t now;
	struct arena *a;
	struct act *acts;
	size_t act_count, act_room;
	struct act beyond; /* what the step has no room for any more; thrown away */
	struct wait *waits;
	size_t wait_count, wait_room;
	struct label *labels; /* by authority.index; filled by step_slots */
	struct instance **taking; /* got their first document in this step */
	size_t taking_count, taking_room;
	msec_t wake;          /* besides the agenda: when somebody is left out at a deadline; 0: none */
	const struct class *shed_class; /* of whom shed_list was made last */
	struct id_list shed_list;
};

/* -- accept.c: section 3 ------------------------------------------------------------------ */

/* acc(b, W): a chain of this shape at a store of that shape; NULL is nothing at all. */
bool accept_pair(const struct shape *chain, struct id_list certs);
/* At both ends of [now - skew, now + skew]. */
bool accept_chain_now(const struct content *chain, msec_t now);
/* May a chain of this version be sent with its cross certificate now? */
bool accept_bridge(const struct view *v, const struct ca *ca, msec_t now);
/* Can sign now.  If only its beginning is in the way, ret_from says when. */
bool accept_signer(const struct view *v, const struct ca *ca, msec_t now, msec_t *ret_from);
/* Could the engine itself bring a store of this group to trust the certificate (goal or need)? */
bool group_could_trust(const struct view *v, const struct group *store_group, int64_t cert);
bool group_could_accept(const struct view *v, const struct group *store_group, struct id_list anchors);

/* -- distrust.c: section 10 ---------------------------------------------------------------- */

bool cert_distrusted(const struct view *v, int64_t cert);
/* Itself, or everything that a leaf of it could be accepted by. */
bool ca_distrusted(const struct view *v, const struct ca *ca);
/* Signed by a distrusted CA, or accepted by nothing else. */
bool chain_distrusted(const struct view *v, const struct shape *chain);
bool set_distrusted(const struct view *v, const struct shape *set); /* holds a distrusted certificate */
/* What is left of anchors or of a set. */
struct id_list trusted_only(const struct view *v, struct arena *a, struct id_list certs);

/* -- safety.c: section 5 ------------------------------------------------------------------ */

/* One side of the matrix: what a target may hold, in order. */
struct worlds {
	struct id_list items[2 * SEQ_MAX + 2];
	bool expired[2 * SEQ_MAX + 2];
	bool tainted[2 * SEQ_MAX + 2]; /* chains: distrusted, so it may fail */
	size_t count;
	size_t fresh; /* items from here on are the new document's; count if there is none */
	bool sure;    /* known and alive */
	bool known;   /* else there is an item more, before all others: anything */
};

struct worlds worlds_of(const struct view *v, struct arena *a, const struct class *c);
/* The same when a document is appended (and what was not handed out goes). */
struct worlds worlds_with(const struct view *v, struct arena *a, const struct class *c, struct id_list next);
/* Rule S for one pair of classes of which one is given something new. */
bool safety_pair(const struct worlds *presenter, const struct worlds *verifier);

/* The first class that refuses, or NULL: allowed. */
const struct class *safety_set(struct step *s, const struct class *store, struct id_list certs);
const struct class *safety_chain(struct step *s, const struct class *slot, struct id_list anchors);
/* All that refuse; returns how many (at most max). */
size_t safety_chain_refusers(struct step *s, const struct class *slot, struct id_list anchors,
			     const struct class **ret_classes, size_t max);
/* A store of this class accepts these anchors in every world it may be in. */
bool safety_accepts(const struct class *store, struct id_list anchors);
/* Every counted verifier accepts these anchors in every world it may be in. */
bool safety_accepted_everywhere(struct step *s, const struct group *slots, struct id_list anchors);

/* -- goal.c: section 6 -------------------------------------------------------------------- */

struct id_list goal_set(struct step *s, const struct group *g);
/* What a store of this class shall hold: goal and need; paused and unapproved authorities left as they are. */
struct id_list goal_want(struct step *s, const struct class *store, struct id_list goal);
/* Says which steps of its authorities wait for an approval in this class; `want` as goal_want says. */
void goal_wait_approval(struct step *s, const struct class *store, struct id_list goal, struct id_list want);
/* Does this step of the authority's rotation wait for an approval, for targets of this group (NULL: of any)? */
bool step_gated(const struct authority *a, const struct group *g, enum rollout_step step);
/* The authority whose grace keeps this certificate where it is now; NULL: none. */
const struct authority *cert_graced(const struct view *v, int64_t cert);

/* -- step.c ------------------------------------------------------------------------------- */

struct act *act_add(struct step *s, enum act_kind kind, int64_t target);
/* What is added now is thrown away: no need to look at more members of a class. */
bool step_full(const struct step *s);
int64_t replaced_generation(const struct target *t); /* never handed out, so it goes; 0 = none */

/* -- leave.c, step_store.c, step_slot.c, choice.c, label.c, retire.c, admit.c, renew.c --------------------------------- */

void step_leaves(struct step *s);
void step_stores(struct step *s);
void step_slots(struct step *s);
void step_labels(struct step *s);
void step_retirements(struct step *s);
void step_admissions(struct step *s);
void step_renewals(struct step *s);

/* Whom a chain of this class shall come from, and why not from a newer one. */
struct choice {
	struct ca *ca;         /* NULL: nobody can sign, or it stays with an upload */
	bool stay;             /* the newest chain is as it shall be (renewal apart) */
	struct ca *wished;     /* the newest wanted version, if it was refused; else NULL */
	enum wait_reason why;  /* of the refusal */
	msec_t from;           /* WAIT_NOT_VALID_YET: since when it would do */
};
/* How a chain of this version may go to the class, plain before bridged; false: not at all. */
bool choice_form(struct step *s, const struct class *c, const struct ca *ca, enum chain_form *ret_form);
struct choice slot_choice(struct step *s, const struct class *c);
/* The newest wanted version that can sign now; NULL: none. */
struct ca *newest_signer(const struct step *s, const struct authority *a);
/* Nobody can: the newest wanted version that will be able to by itself, and when; NULL: none. */
struct ca *coming_signer(const struct step *s, const struct authority *a, msec_t *ret_from);

/* -- pick.c: section 6, Rolling -------------------------------------------------------------- */

/* Which members of a class may be sent these contents now: first those that hold a place of their
 * deployment already, then as many new ones as may take one.
 *
 *	struct picker p = picker_start(s, c, next);
 *	while ((t = picker_next(&p)))
 *		if (it can be sent) { act_add(...); picker_took(&p, t); }
 *	picker_end(&p, authority, ca);     the waits of the rest */
struct picker {
	struct step *s;
	const struct class *c;
	struct deployment *d;        /* NULL: everybody may */
	const struct shape *contents; /* of a chain; NULL: a set */
	struct id_list set;
	size_t places, canaries;     /* left for new instances; left for these contents */
	size_t free;                 /* places left for those in trouble: no window, pause or stop holds them */
	bool flees;                  /* from a distrusted CA: only the number of places counts */
	enum wait_reason why;        /* there are no more */
	msec_t earliest;
	enum { PICK_HOLDERS, PICK_TAKING, PICK_NEW } phase;
	const struct instance *holder;
	const struct target *member; /* of a holder, or of the class: comes next */
	size_t at, offered;
	uint64_t serial;             /* target.picked of those that were offered */
};

struct picker picker_start(struct step *s, const struct class *c, const struct shape *contents, struct id_list set);
const struct target *picker_next(struct picker *p);
void picker_took(struct picker *p, const struct target *t);
void picker_end(struct picker *p, int64_t authority, int64_t ca);
/* What lies on the table for instances that may not begin (silent ones, or no new ones now). */
void step_take_back(struct step *s);
void picks_release(struct step *s); /* when the step is over */
/* -- deadline.c: rule D ------------------------------------------------------------------------ */

/* At a deadline: asks and sends to the members of a class what rule S refuses because of stores that are late. */
void deadline_shed(struct step *s, const struct class *c, const struct choice *choice);
/* Says who breaks when, and because of whom. */
void deadline_name(struct step *s, const struct class *c, const struct choice *choice);
/* A chain by this CA could not live longer than what the ending target has. */
bool deadline_is_pointless(const struct target *t, const struct ca *ca);

/* -- wait.c ------------------------------------------------------------------------------- */

/* One wait for a class: the first members by name, the rest as a count. */
void wait_class(struct step *s, const struct class *c, enum wait_reason reason, int64_t authority,
		int64_t ca, msec_t earliest);
/* A class that waits for another: one member of c, the first members of `other`. */
void wait_pair(struct step *s, const struct class *c, const struct class *other,
	       enum wait_reason reason, int64_t authority, int64_t ca);
/* Some members only, of whom the first are named. */
struct wait_group { const int64_t *targets; size_t named, count; };
void wait_some(struct step *s, struct wait_group who, enum wait_reason reason, int64_t authority, int64_t ca,
	       msec_t earliest);
size_t wait_named(const struct step *s); /* so many are */
void wait_authority(struct step *s, enum wait_reason reason, int64_t authority, int64_t ca,
		    msec_t earliest);
/* It waits for a moment that somebody decided. */
void wait_grace(struct step *s, const struct authority *a, int64_t ca);
void wait_sort(struct step *s);
void wait_add(struct step *s, struct wait w);
struct wait wait_make(enum wait_reason reason, int64_t authority, int64_t ca);

#endif
