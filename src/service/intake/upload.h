/* Bring your own: a certificate that somebody else issued, with its key, for a credential that slots present.
 *
 * Everything is judged before anything changes, with all findings: the key fits, the chain is whole (in whatever
 * order it came), names, dates, use and key type are what the slots need, some CA that is known here anchors it.
 * Then the keeper wraps the key, and seals it again for each agent that serves it (an effect of its own, also for one
 * that joins later).  The chain is staged; rule S says when it is sent: a leaf whose CA a store does not trust yet
 * waits, by name.  Its CA becomes wanted only if the upload says so (trust_issuer) or somebody adds it to a bundle.
 *
 * From then on the credential is its owner's: nothing renews it, the owner is told 60, 30, 14, 7 and 1 days before its
 * end, and the next one is uploaded the same way. */
#ifndef TROTH_SERVICE_UPLOAD_H
#define TROTH_SERVICE_UPLOAD_H

#include "service/intake/cert_pool.h"
#include "service/nouns.h"

struct upload_cmd {
	const char *id;             /* of the credential */
	const char *certificate;    /* PEM: the leaf; what else is in it counts as chain */
	const char *chain;          /* PEM, any order; the root may be in it; or NULL */
	const char *private_key;    /* PEM, SECRET */
	const char *trust_issuer;   /* bundle (name) that shall trust its root from now on; or NULL */
};

/* Reads and sorts; each thing that is wrong is a finding.  `now`: dates. */
void upload_chain_read(struct arena *a, const struct upload_cmd *cmd, msec_t now, struct upload_chain *ret, struct troth_err *e);
/* Is it what the credential's slots need: names, use?  Findings. */
void upload_chain_fits(struct arena *a, const struct upload_chain *chain, const struct credential_spec *spec, struct troth_err *e);
/* A CA that came with it or is known here and under which, alone, it is valid; a finding if there is none. */
troth_rc upload_anchor(struct verb_ctx *ctx, const struct upload_chain *chain, unsigned eku, const struct cert **ret, struct troth_err *e);
void upload_check(struct arena *a, const struct upload_cmd *cmd, struct troth_err *e);

struct upload_ret {
	struct credential_view credential;
	const char *version, *anchor; /* uuid; fingerprint of the CA that anchors it */
	int64_t slots;                /* that will serve it */
	bool trusted_now;             /* its root came into trust_issuer by this */
};
extern const struct verb VERB_CREDENTIAL_UPLOAD; /* upload_cmd -> upload_ret */

/* Is the newest version of this leaf somebody's upload? */
troth_rc upload_is_owned(struct tx *tx, struct arena *a, const struct credential_row *leaf, bool *ret, struct troth_err *e);
/* CONFLICT: nothing here can renew it; with the command that can. */
troth_rc upload_refuse_renewal(const struct credential_row *leaf, struct troth_err *e);
/* A slot came that presents it: its key is sealed for that agent too. */
troth_rc upload_slot_joined(struct verb_ctx *ctx, const struct target_row *slot, struct troth_err *e);

/* Effects. */
#define EFFECT_UPLOAD_SEAL "upload.seal"     /* {"version","content","target"} */
/* The chain's key was sealed for this target: it is staged there. */
troth_rc upload_stage(struct verb_ctx *ctx, struct target_row *slot, int64_t content_id, int64_t version_id, struct bytes sealed,
		      struct troth_err *e);

#endif
