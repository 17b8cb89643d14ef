/* A new version of an authority: what its certificate is, and what the keeper is asked for. */
#ifndef TROTH_SERVICE_ISSUE_CA_H
#define TROTH_SERVICE_ISSUE_CA_H

#include "service/ca/issue.h"

/* One keeper request in ctx->need: a key and a certificate with the authority's names and life, from now.
 * issuer NULL: signed by itself; else below it, and not longer than it.  key_id: the version's uuid. */
troth_rc issue_ca_need(struct verb_ctx *ctx, const struct credential_row *authority, const struct keeper_issuer *issuer,
		       const char *key_id, struct troth_err *e);

/* How long the key of a new CA may sign.  As long as its certificate, but a key of troth's own authorities as long as the
 * keeper lets any: it is what agents know the server by, and it is certified anew when all has expired (recertify.c). */
msec_t issue_ca_latest(const char *authority, const struct cert_spec *spec);
/* One keeper request: the root `now` of this authority with other dates, until not_after. */
troth_rc issue_ca_renew_need(struct verb_ctx *ctx, const struct credential_row *authority, const struct keeper_issuer *now,
			     msec_t not_after, struct troth_err *e);

/* One keeper request: the key of `made`, a root of the same authority, certified by the older root `old`; not longer
 * than either. */
troth_rc issue_ca_cross_need(struct verb_ctx *ctx, const struct credential_row *authority, const struct keeper_issuer *old,
			     const struct keeper_issuer *made, struct troth_err *e);

#endif
