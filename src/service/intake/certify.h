/* The certificate of an external authority comes in, and becomes its next version.
 *
 * Everything is judged before anything changes, with all findings (certify_chain.h): it is for the key of the request
 * that waits, it is a CA's and may do what the authority needs, its chain holds up to a root that is trusted for it.
 * Which root that may be: a version of the imported authority that it was made below; of one that was made below none, the
 * root that comes with its first certificate (or is said: `root`), which then is an imported authority of its own,
 * NAME/root, from which this one is no longer parted.  A new root is never trusted by the way: it is imported. */
#ifndef TROTH_SERVICE_CERTIFY_H
#define TROTH_SERVICE_CERTIFY_H

#include "service/nouns.h"

struct certify_cmd {
	const char *id;
	const char *certificate;    /* PEM: the CA's certificate with its issuers, in any order; the root may be in it */
	const char *root;           /* PEM: the root that shall anchor it; or NULL */
};
void certify_check(struct arena *a, const struct certify_cmd *cmd, struct troth_err *e);
struct certify_ret {
	struct credential_view credential;
	const char *version;        /* uuid */
	const char *root;           /* name of the imported authority that anchors it */
	const char *root_fingerprint;
	bool root_made;             /* it is new */
	const char *rotation;       /* uuid of the rotation that goes on now; NULL: it was the first certificate */
};
extern const struct verb VERB_AUTHORITY_CERTIFY; /* certify_cmd -> certify_ret */

/* -- for adopt.c ------------------------------------------------------------------------------------------- */
struct certify_need;
/* Into *need: path_len, levels, eku and life, as the authority and all below it need them. */
troth_rc certify_need_below(struct verb_ctx *ctx, const struct credential_row *authority, struct certify_need *need, struct troth_err *e);

#endif
