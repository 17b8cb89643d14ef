/* When a certificate is renewed by itself: what an operator may say about it, and the moment that follows.
 *
 * Said per credential, kept in its row as one word (credential.renew; credential.leaf_renew for the leaves of an
 * authority that say nothing themselves):
 *
 *     NULL      leaf: at 2/3 of its life;  authority: at 2/3 of its life, or earlier (see below)
 *     "66%"     at so much of its life
 *     "30d"     so long before its end
 *     "never"   not by itself; its end is told before it comes (rule D)
 *
 * A leaf's moment is moved by up to a tenth of itself, by the name of the version and not by a clock: a
 * fleet that was enrolled in one hour is not renewed in one hour.  "30d" is only ever made earlier.  A leaf that
 * was shortened to its issuer's end has no moment: the same issuer could give it nothing, and the issuer's own
 * rotation replaces it.
 *
 * An authority's moment leaves room for what it signs.  With begin = when it was issued, end = its notAfter,
 * life = end - begin, below = the longest life of what it signs (leaves, or CAs below it), and
 * lead = min(LIMIT_ROTATION_LEAD_S, life / 10), the time that a rotation itself may take:
 *
 *     latest = max(begin + life / 2, end - below - lead)
 *     at     = min(what was said, or begin + life * 2 / 3, latest)
 *
 * So a leaf signed in its last moment still lives its whole life.  Where that cannot be (leaves that live as
 * long as their CA) half of the life is the bound, or it would be rotated without end.  `latest` is also the
 * moment from which a rotation starts on top of one that still runs. */
#ifndef TROTH_SERVICE_RENEWAL_H
#define TROTH_SERVICE_RENEWAL_H

#include "service/check.h"
#include "service/verb.h"
#include "store/store.h"

enum renewal_kind { RENEWAL_AUTO, RENEWAL_AT, RENEWAL_BEFORE, RENEWAL_NEVER };
struct renewal {
	enum renewal_kind kind;
	int64_t percent; /* RENEWAL_AT: 1..99 */
	msec_t before;   /* RENEWAL_BEFORE */
};
extern const char *const RENEWAL_KIND_NAMES[]; /* "auto", "at", "before", "never" */

/* As it comes in: at most one of the three. */
struct renewal_cmd {
	const char *word; /* "auto", "never"; NULL: not said */
	const char *at;   /* "66%" */
	msec_t before;    /* 0: not said */
};
bool renewal_said(const struct renewal_cmd *cmd);
/* Findings about it; prefix "" or "leaf_" names the members ("$.leaf_renew_at").  ttl: the life it is about, if known. */
void renewal_check(const struct checker *c, const char *prefix, const struct renewal_cmd *cmd, msec_t ttl);
/* The word for the row (lives in a; NULL: the default).  cmd was checked. */
const char *renewal_word(struct arena *a, const struct renewal_cmd *cmd);
/* CORRUPT if it is not what renewal_word wrote. */
troth_rc renewal_read(const char *word, struct renewal *ret, struct troth_err *e);

/* The moments: 0 is never. */
msec_t renewal_leaf_at(const struct renewal *r, const char *version_uuid, msec_t begin, msec_t end, msec_t issuer_end);
struct renewal_moments { msec_t at, latest; };
struct renewal_moments renewal_authority_at(const struct renewal *r, msec_t begin, msec_t end, msec_t below);

/* -- over rows ---------------------------------------------------------------------------------- */
/* Fills version->renew_at and renew_latest (not written): of a leaf by its own word or its authority's, of an
 * authority by what it signs now.  cert: the version's own. */
troth_rc renewal_of_version(struct tx *tx, struct arena *a, const struct credential_row *credential,
			    const struct cert_row *cert, struct version_row *version, struct troth_err *e);
/* What an authority signs, or what was said of it, has changed: the moments of its wanted versions are
 * reckoned again, and the engine is told.  A leaf: the same for its newest. */
troth_rc renewal_refresh(struct verb_ctx *ctx, int64_t credential_id, struct troth_err *e);
/* A rotation of an authority was taken back: the next one by itself does not come before a quarter of what is
 * left of the version's life has passed.  Not written. */
troth_rc renewal_postpone(struct verb_ctx *ctx, struct version_row *version, struct troth_err *e);
/* The next moment among the wanted versions; 0: none. */
msec_t renewal_next(const struct version_row *versions, size_t count);

/* -- saying it later ------------------------------------------------------------------------------ */
struct renewal_set_cmd {
	const char *id;              /* of a credential or an authority */
	struct renewal_cmd renew;
	struct renewal_cmd leaf_renew; /* authorities only */
	const char *on_deadline;     /* authorities only: "shed", "hold"; NULL: as it is */
};
void renewal_set_check(struct arena *a, const struct renewal_set_cmd *cmd, struct troth_err *e);
bool renewal_hold_of(const char *on_deadline); /* "hold" */
void renewal_check_on_deadline(const struct checker *c, const char *word); /* optional */
extern const struct verb VERB_RENEWAL_SET; /* renewal_set_cmd -> credential_ret; an authority or a leaf */

#endif
