/* From a signature to a staged chain: the last steps of both ways to a slot's new certificate (the
 * agent's CSR, agent/csr.c; a key made by the keeper and sealed to the agent, runner/effect.c). */
#ifndef TROTH_SERVICE_ISSUE_SLOT_H
#define TROTH_SERVICE_ISSUE_SLOT_H

#include "service/ca/issue.h"

struct slot_issue {                    /* what both ways load first */
	struct instance_row instance;
	struct target_row target;
	struct credential_row credential;
	struct signer signer;          /* target.csr_ca */
};

/* Loads credential and signer of a target that waits for a chain. */
troth_rc slot_issue_load(struct verb_ctx *ctx, struct slot_issue *io, struct troth_err *e);
/* Version, content and staged rows for the certificate `der`, the request is answered, audit and event.
 * version: source and sealed_key set by the caller. */
troth_rc slot_issue_stage(struct verb_ctx *ctx, struct slot_issue *io, const char *request, struct bytes der,
			  struct version_row *version, struct troth_err *e);

#endif
