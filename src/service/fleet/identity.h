/* Inside the room: an identity, a client certificate from /troth/agents with the URI SAN
 * troth://instance/<uuid>, made by enrolling and renewed by the agent, or troth://principal/<uuid>. */
#ifndef TROTH_SERVICE_IDENTITY_H
#define TROTH_SERVICE_IDENTITY_H

#include "service/check.h"
#include "service/nouns.h"

#define IDENTITY_AUTHORITY KEEPER_AGENTS_AUTHORITY
#define SERVER_AUTHORITY "/troth/server"
#define SERVER_CREDENTIAL "/troth/server-tls"

struct identity_plan {
	struct signer signer;
	const char *unit; /* the OU; said before identity_need, or NULL */
};

/* A finding unless it is a CSR for a key that leaf keys can be sealed to (EC). */
bool identity_check_csr(const struct checker *c, const char *path, const char *csr);
/* Adds the keeper's request: the CSR's key as the identity of this instance or principal. */
#define IDENTITY_INSTANCE "instance"
#define IDENTITY_PRINCIPAL "principal"
troth_rc identity_need(struct verb_ctx *ctx, const char *csr, const char *kind, const char *uuid, struct identity_plan *ret,
		       struct troth_err *e);
/* Does another version of /troth/agents sign by now? */
troth_rc identity_moved(struct verb_ctx *ctx, const struct identity_plan *plan, bool *ret, struct troth_err *e);
/* The certificate into the row (not written); the former one becomes identity_previous. */
troth_rc identity_set(struct verb_ctx *ctx, struct instance_row *row, struct bytes der, struct troth_err *e);
troth_rc identity_answer(struct verb_ctx *ctx, const struct identity_plan *plan, struct bytes der, struct msg_renewed *ret, struct troth_err *e);
troth_rc identity_agents_ca(struct verb_ctx *ctx, const char **ret_pem, struct troth_err *e);
/* The trusted versions of one of troth's own authorities, as PEM. */
troth_rc identity_own_ca(struct verb_ctx *ctx, const char *authority, const char **ret_pem, struct troth_err *e);

#endif
