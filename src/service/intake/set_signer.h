/* Inside the room: who signed a certificate that somebody brought, as he says it: by PEM, or by the name of an authority here. */
#ifndef TROTH_SERVICE_SET_SIGNER_H
#define TROTH_SERVICE_SET_SIGNER_H

#include "service/ca/issue.h"
#include "service/intake/set.h"

struct set_signer {
	const struct cert *cert;    /* NULL: nothing was said */
	struct signer here;         /* the version of an authority here that it is; authority.id 0: of none that the caller may see.
	                               It need not have its key here */
};
/* The one certificate of a PEM. */
troth_rc set_read(struct arena *a, const char *pem, const struct cert **ret, struct troth_err *e);
/* By name: the version that signs now; of an authority whose key is elsewhere, one that is wanted.  By PEM: any that signs or is wanted. */
troth_rc set_signer_find(struct verb_ctx *ctx, const struct set_cmd *cmd, const struct cert *cert, struct set_signer *ret, struct troth_err *e);

#endif
