/* Rotations by steps, as somebody orders them: make a new CA, say that it shall sign, replace the leaves, let the old one go;
 * between them "apply", which lets what was ordered happen and waits until every member was seen to have it.
 *
 *     generate   a rotation by steps of a root begins            orders introduce
 *                (its new version is made, or was brought)
 *     activate   its new version shall sign                      orders nothing yet
 *     regenerate the leaves of what is active                    orders switch
 *     remove     an old version shall go                         orders withdraw
 *     apply      approves what was ordered (apply.h)
 *
 * An order is a bit of the rotation's row, an approval is a row of its own; only the second lets the engine act, and never
 * against rule S.  Each order is judged first, by what lasting members were seen to use (in_use.h); a violation is an
 * answer, with nothing changed, and whoever is an administrator may order all the same (`force`). */
#ifndef TROTH_SERVICE_STEPS_H
#define TROTH_SERVICE_STEPS_H

#include "service/nouns.h"
#include "service/rotation/in_use.h"
#include "service/rotation/rotation.h"

enum order { /* bits of rotation_row.ordered */
	ORDER_INTRODUCE = 1 << APPROVAL_INTRODUCE,
	ORDER_SWITCH = 1 << APPROVAL_SWITCH,
	ORDER_WITHDRAW = 1 << APPROVAL_WITHDRAW,
	ORDER_STEPS = ORDER_INTRODUCE | ORDER_SWITCH | ORDER_WITHDRAW,
	ORDER_ACTIVE = 1 << 8, /* no step: its new version is what leaves are regenerated under */
};

enum violation_kind {
	VIOLATION_TWO_SIGNERS,  /* members use two versions of one CA */
	VIOLATION_UNFINISHED,   /* a rotation of it runs, and its new version does not sign yet */
	VIOLATION_OLD_CHILDREN, /* a rotation of it runs: members still use the old one */
	VIOLATION_NEEDED,       /* the version that shall go is used */
	VIOLATION_ENDS_ROTATION, /* the version that shall go is not active yet: its rotation would end */
};
struct violation {
	enum violation_kind kind;
	const char *name;               /* of the authority */
	const char *advice;             /* what would make it go, a sentence */
	struct in_use_list blocking;    /* who uses what is in the way; none: nobody does.  deployment NULL: somebody outside the
	                                 * caller's scope, of whom he learns only that he waits for him, and how long */
};

/* -- look ------------------------------------------------------------------------------------------- */
struct root_view {
	const char *name;
	struct version_view version;
	bool active;
};
struct root_list_ret { struct root_view *items; size_t count; };
/* The versions, not put away, of the roots in scope whose keys are here: oldest first.  troth's own are not among them. */
extern const struct verb VERB_ROOT_LIST; /* no_cmd -> root_list_ret */

/* -- order -------------------------------------------------------------------------------------------- */
struct order_cmd {
	const char *version;            /* activate, remove: uuid */
	struct json_texts exclude;      /* generate: names of roots that are left out */
	struct rotate_source source;    /* generate: the new version, if it was made elsewhere; else zeros */
	bool force;                     /* in spite of violations; administrators only, and recorded */
};
struct ordered_leaf {
	const char *name;               /* of a credential, or of a CA */
	const char *why;                /* excluded: a sentence; else NULL */
	bool root;
};
struct order_ret {
	struct violation *violations;   /* any: nothing was changed */
	size_t violation_count;
	msec_t retry_after;             /* violations: until the first lease among `blocking` ends; 0: none does by itself */
	struct root_view root;          /* generate: the new version */
	struct ordered_leaf *leaves, *excluded; /* what it concerns; what is left alone: as far as it is in the caller's scope */
	size_t leaf_count, excluded_count;
};
/* CONFLICT: no root, or more than one, is left after exclusion; INVALID: an excluded name is none of a root in scope. */
extern const struct verb VERB_ROOT_GENERATE;
/* CONFLICT: its rotation is not by steps, or its leaves were replaced already and the version is an old one. */
extern const struct verb VERB_ROOT_ACTIVATE;
/* A READ that goes on as a WRITE when nothing is in the way; holds while something is, if asked to wait. */
extern const struct verb VERB_ROOT_REGENERATE;
/* CONFLICT: it is the active one. */
extern const struct verb VERB_ROOT_REMOVE;

#endif
