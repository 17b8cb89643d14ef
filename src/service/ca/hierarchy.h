/* Hierarchies: a CA and the intermediates below it, and what a new goal for it means for them.
 *
 * One sentence is kept true by every verb that moves a goal: the wanted version of an intermediate is
 * signed by the wanted version of the CA above it.  So a rotation of a root also brings, in the same
 * transaction, a new version (new key) of each intermediate below, and an abort takes them back as
 * well.  The engine knows nothing of this: it sees new versions, whose chains have other anchors.
 *
 *     prepare   hierarchy_plan(ctx, credential, 0, NULL, &h)    who is below, what each shall become
 *               hierarchy_ask(ctx, &h)                          keeper; level by level (ctx->more)
 *     run       hierarchy_plan again, hierarchy_same? else ctx->retry
 *               hierarchy_write(ctx, &h, &rotation)
 */
#ifndef TROTH_SERVICE_HIERARCHY_H
#define TROTH_SERVICE_HIERARCHY_H

#include "service/ca/issue.h"

/* One authority, and what its goal becomes. */
struct kin {
	struct credential_row credential;
	size_t parent;              /* index; of [0]: itself */
	struct version_row now;     /* its newest wanted version; id 0: none */
	struct version_row next;    /* its goal; id 0 until it is made */
	bool make;                  /* next is a new version: the keeper makes a key */
	struct keeper_issuer brought; /* next is a version whose certificate came from elsewhere, and is no row yet; else zeros */
	bool asked;
	size_t need;                /* which of ctx->need makes it */
	char uuid[UUID_LEN];        /* of the version to be made */
};
struct hierarchy {                  /* [0] is the one that is rotated; parents before children */
	struct kin *items;
	size_t count;
	struct signer issuer;       /* of [0] if it is to be made and is an intermediate; else zeros */
	struct signer cross;        /* set by the caller: the older root that shall certify [0] too; else zeros */
	bool cross_asked;
	size_t cross_need;          /* which of ctx->need makes the cross certificate */
};

/* The authority with everything below it (ids, parents first), at most LIMIT_INTERMEDIATES + 1; TOO_LARGE above. */
troth_rc hierarchy_below(struct tx *tx, struct arena *a, int64_t authority_id, struct id_list *ret, struct troth_err *e);
/* Is it this authority, or one below it? */
troth_rc hierarchy_has(struct tx *tx, struct arena *a, int64_t top, int64_t authority_id, bool *ret, struct troth_err *e);

/* What becomes of each: [0] gets the version `to` (0: a new one).  Below, a version that its parent's goal
 * signed stays; `undone` (or NULL) is the rotation that is taken back: what it replaced comes again where its
 * parent's goal signed it and nobody rotated that one since; otherwise a new version is made. */
troth_rc hierarchy_plan(struct verb_ctx *ctx, const struct credential_row *top, int64_t to, const struct rotation_row *undone,
			struct hierarchy *ret, struct troth_err *e);
/* The same where [0] gets a certificate that somebody else signed: `brought` is its key and it.  The caller makes the row
 * (items[0].next) before hierarchy_write. */
troth_rc hierarchy_plan_brought(struct verb_ctx *ctx, const struct credential_row *top, const struct keeper_issuer *brought,
				struct hierarchy *ret, struct troth_err *e);
/* Asks the keeper for what can be asked by now: a CA after the one that signs it (ctx->more). */
troth_rc hierarchy_ask(struct verb_ctx *ctx, struct hierarchy *h, struct troth_err *e);
/* Was the same decided? */
bool hierarchy_same(const struct hierarchy *x, const struct hierarchy *y);
/* [0]: inserts the version if it was made; its goal is the caller's to flip.  Below: inserts what was made, wants it
 * and nothing else.  What came and what went is appended to below_new and below_old.  undone: the rotation is taken
 * back; running rotations of those below go on, toward what comes now. */
troth_rc hierarchy_write(struct verb_ctx *ctx, struct hierarchy *h, struct rotation_row *rotation, bool undone, struct troth_err *e);

/* Appends to below_new or below_old. */
void hierarchy_note(struct verb_ctx *ctx, struct id_list *list, int64_t id);

/* Rotations of it that were running, but for `by`: their new version has become an old one.  A pause was theirs. */
troth_rc hierarchy_supersede(struct verb_ctx *ctx, int64_t credential_id, const struct rotation_row *by, struct troth_err *e);

#endif
