/* External authorities: the key is the keeper's, and somebody else signs the certificate.
 *
 *     create --external   a key and a request (PKCS#10) are made               request waits
 *     csr                 the request, to be carried to who signs it
 *     certify             what came back is judged; it becomes the version     certify.h
 *     rotate              a new key and a new request; the rotation waits      again
 *
 * At most one request of an authority waits.  The engine is told so (FACT_EXTERNAL) and says it in explain. */
#ifndef TROTH_SERVICE_EXTERNAL_CA_H
#define TROTH_SERVICE_EXTERNAL_CA_H

#include "service/ca/issue.h"
#include "service/rotation/rotation.h"

/* One keeper request in ctx->need: a key, and what asks for a certificate of it.  key_id: the version's uuid. */
troth_rc external_need(struct verb_ctx *ctx, const struct credential_row *c, const char *key_id, struct troth_err *e);
/* Puts what the keeper made down.  `uuid` is the key_id; rotation_id 0: its first version. */
troth_rc external_ask(struct verb_ctx *ctx, const struct credential_row *c, const char *uuid, const struct keeper_reply *made,
		      int64_t rotation_id, struct troth_err *e);
/* It waits no more (its certificate came, or its rotation was aborted). */
troth_rc external_forget(struct verb_ctx *ctx, const struct ca_request_row *row, struct troth_err *e);
/* CONFLICT: one waits already; with how to go on. */
troth_rc external_refuse_waiting(const struct credential_row *c, const struct ca_request_row *row, struct troth_err *e);
/* NOT_FOUND: none waits. */
troth_rc external_refuse_none(const struct credential_row *c, struct troth_err *e);
/* CONFLICT: its key is not here, so it is not rotated, nor does it sign; with the command that brings the next one. */
troth_rc external_refuse_imported(const struct credential_row *c, struct troth_err *e);
/* Which version it will be, counted from 1. */
troth_rc external_ordinal(struct tx *tx, struct arena *a, int64_t credential_id, int64_t *ret, struct troth_err *e);

/* A rotation of an external authority: operation, rotation and request; the goal stays until the certificate comes.
 * `made`: the answer to external_need(uuid).  What is set in *rotation stays. */
troth_rc external_rotation(struct verb_ctx *ctx, const struct credential_row *c, const char *uuid, const struct keeper_reply *made,
			   const char *reason, struct rotation_row *rotation, struct troth_err *e);
/* Does this rotation wait for a certificate? */
troth_rc external_waits(struct tx *tx, struct arena *a, const struct rotation_row *rotation, bool *ret, struct troth_err *e);

struct authority_csr_cmd { const char *id; };
struct authority_csr_ret {
	struct credential_row authority;
	const char *csr;            /* PEM */
	const char *version;        /* uuid of the version that it asks for */
	int64_t ordinal;            /* which one that is, from 1 */
	msec_t since;
	const char *issuer;         /* name of the imported authority that is to sign it; NULL: any */
	int64_t path_len;           /* as asked for; -1 any */
};
extern const struct verb VERB_AUTHORITY_CSR; /* authority_csr_cmd -> authority_csr_ret */

#endif
