/* Inside this floor: troth's own PKI, presenters and verifiers like any other (engine-rules section 9, control plane).
 *
 *     deployment /troth/own             made when /troth/server or /troth/agents is rotated for the first time: until
 *                                       then there is one version of each, and nothing to decide
 *       slot  "certificate"  of the instance "troth server": what its listener shows       meets every "server-ca"
 *       store "clients"      of the same: whom its listener believes                        meets "identity", "principal"
 *       slot  "identity"     of each agent's own instance: its client certificate
 *       store "server-ca"    of the same: by which its agent believes the server
 *       slot  "principal"    of an instance for each principal that has a client certificate
 *
 * Stores are sent documents and report, as all are: the agent to observe.c, the server by VERB_SERVER_SEEN.  Nothing
 * is sent to the slots: they are presenters like a holder (holder.h).  All that was handed out counts, until the one
 * who shows it was seen with a newer one; who has one of a CA that does not sign any more is told to come for another
 * (own_identity_stale, server_trust_ret.renew).
 *
 * An agent counts from the commit that enrols it: its answer holds what it will present and trust. */
#ifndef TROTH_SERVICE_OWN_H
#define TROTH_SERVICE_OWN_H

#include "service/ca/issue.h"
#include "service/verb.h"
#include "store/store.h"

#define OWN_DEPLOYMENT "/troth/own"
#define OWN_PRINCIPAL "principal" /* the slot's name: its instance is a principal */
#define OWN_IDENTITY "identity"
#define OWN_SERVER_INSTANCE "troth server"

/* One of the two authorities that are rotated like any other? */
bool own_is_authority(const char *name);
static inline bool own_presents(const struct template_row *t) { return t->party == PARTY_OWN && t->kind == TARGET_SLOT; }
static inline bool own_verifies(const struct template_row *t) { return t->party == PARTY_OWN && t->kind == TARGET_STORE; }
troth_rc own_target(struct tx *tx, struct arena *a, const struct target_row *t, bool *ret, struct troth_err *e);

/* Makes all of the above, for everybody who is there.  In the writer; the view is made anew. */
troth_rc own_need(struct verb_ctx *ctx, struct troth_err *e);

/* -- agents: each does nothing as long as nothing of the above is there ------------------------------------ */
/* Enrolled, or enrolled again: it holds this identity, and the CAs of the server that its answer holds. */
troth_rc own_agent_joined(struct verb_ctx *ctx, const struct instance_row *instance, struct bytes identity, int64_t signed_by,
			  struct troth_err *e);
troth_rc own_identity_renewed(struct verb_ctx *ctx, const struct instance_row *instance, struct bytes identity, int64_t signed_by,
			      struct troth_err *e);
/* It was seen to present its newest identity. */
troth_rc own_identity_proved(struct verb_ctx *ctx, const struct instance_row *instance, struct troth_err *e);
/* Shall it come for a new identity? */
troth_rc own_identity_stale(struct tx *tx, struct arena *a, int64_t instance_id, bool *ret, struct troth_err *e);
/* The label of this authority has moved: wakes every agent that it is news to. */
troth_rc own_wake(struct verb_ctx *ctx, int64_t authority_id, struct troth_err *e);

/* -- principals ------------------------------------------------------------------------------------------------ */
/* This client certificate and no other; len 0: none any more. */
troth_rc own_principal_has(struct verb_ctx *ctx, const struct principal_row *row, struct bytes certificate, int64_t signed_by,
			   struct troth_err *e);

/* -- the server -------------------------------------------------------------------------------------------------- */
/* A certificate of the server's that its listener may show from this commit on. */
troth_rc own_certificate_made(struct verb_ctx *ctx, const struct version_row *version, struct troth_err *e);
/* A set was sent to this target: the listener takes it at once, so it counts as handed out. */
troth_rc own_offered(struct verb_ctx *ctx, int64_t target_id, int64_t generation, struct troth_err *e);
/* The certificates of the store "clients" as sent last (PEM), and their generation; ret_there false: there is none. */
troth_rc own_clients(struct tx *tx, struct arena *a, bool *ret_there, int64_t *ret_generation, const char **ret_pem,
		     struct troth_err *e);

#endif
