/* Holders outside the fleet: somebody who took a certificate through the API, with a key of his own.
 *
 * For the engine a holder is a presenter like a slot: it meets the stores whose bundle contains its
 * authority, and nothing that it may still show is taken out of them.  But nothing can be sent to it and
 * nothing is heard of it.  So all that it was handed counts until it expires, or until somebody vouches that
 * the older ones are replaced.
 *
 *     deployment /troth/holders          made with the first one
 *       template "/prod/ca server"       a group of the engine: one for each authority and role
 *       instance "/prod/lb"              the credential's name
 *         target                         its pending documents: all that count (one target; another for another authority, if
 *                                        the credential was deleted and its name used again)
 *
 * Of certificates that the same version signed only the one that ends last is kept: who may show the others
 * may as well show that one (to rule S they are the same). */
#ifndef TROTH_SERVICE_HOLDER_H
#define TROTH_SERVICE_HOLDER_H

#include "service/ca/issue.h"
#include "service/verb.h"
#include "store/store.h"

#define HOLDERS_DEPLOYMENT "/troth/holders"

/* Everybody who could sign the next certificate of this leaf, as its authority stands on this snapshot: the wanted
 * versions, the signing one, and the issuer of what it has.  Lives in ctx->a.  CONFLICT as signer_load if
 * there is none. */
troth_rc holder_signers(struct verb_ctx *ctx, const struct credential_row *leaf, struct signer **ret, size_t *ret_count,
			struct troth_err *e);
/* Rule 1b, asked of the engine in the writer: the version (id) that shall sign.  Makes the holder's group if it
 * is not there.  CONFLICT if no version can. */
troth_rc holder_choose(struct verb_ctx *ctx, const struct credential_row *leaf, int64_t *ret_version, struct troth_err *e);
/* This version leaves the house: from this commit on the holder may show it. */
troth_rc holder_take(struct verb_ctx *ctx, const struct credential_row *leaf, const struct version_row *version,
		     struct troth_err *e);
/* May the holder of this leaf show this version still?  Expiry is the caller's. */
troth_rc holder_holds(struct verb_ctx *ctx, const struct credential_row *leaf, int64_t version_id, bool *ret, struct troth_err *e);
/* Leaves of this authority that were deleted, while somebody may still show what he took of them: deleting says nothing about that.
 * Not those whose name is another's by now.  Lives in ctx->a. */
troth_rc holder_left_behind(struct verb_ctx *ctx, int64_t authority, struct credential_row **ret, size_t *ret_count, struct troth_err *e);
/* Somebody says that it shows only the newest of what it took: the others count no longer.  ret_count: so many did. */
troth_rc holder_vouch(struct verb_ctx *ctx, const struct credential_row *leaf, size_t *ret_count, struct troth_err *e);
/* An operator takes the holder out: nothing is kept for it any more until it takes another certificate. */
troth_rc holder_waive(struct verb_ctx *ctx, const char *name, struct troth_err *e);

/* -- vouching ------------------------------------------------------------------------------------- */
struct attest_cmd {
	const char *id;      /* of the credential */
	const char *reason;  /* "renewed": it shows only the newest certificate now; "gone": nobody shows any of them */
};
struct attest_ret {
	const char *name, *reason, *version; /* the one that counts now; NULL if gone */
	int64_t replaced;    /* so many no longer count */
};
void attest_check(struct arena *a, const struct attest_cmd *cmd, struct troth_err *e);
/* NOT_FOUND if nobody holds a certificate of it; CONFLICT for "renewed" if no newer one was ever taken. */
extern const struct verb VERB_CREDENTIAL_ATTEST;

#endif
