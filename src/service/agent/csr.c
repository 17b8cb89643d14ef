/* An agent's own key for a slot: its CSR becomes a staged chain.
 *
 * The engine asked (ACT_ASK) and chose the signer (target.csr_ca); the agent made a key and sends the
 * request.  Three phases: prepare checks the CSR and builds what the keeper signs, run checks again
 * that the same request is still open under the same signer.  An answer that was already given is
 * given again (the reply may have been lost), without another certificate. */
#include "service/agent/agent.h"
#include "service/ca/issue_slot.h"
#include "service/fleet/member.h"
#include "service/policy/policy.h"

struct csr_plan {
	int64_t ca;            /* the signer that prepare built for */
	bool answered;         /* the request has its certificate already */
};

/* Loads who speaks; says whether the request was answered before. */
static troth_rc load(struct verb_ctx *ctx, const struct msg_csr *m, struct slot_issue *io, bool *ret_answered,
		     struct troth_err *e)
{
	struct version_row version;
	TRY(member_load(ctx, &io->instance, e));
	TRY(member_target(ctx, &io->instance, m->target, &io->target, e));
	TRY(member_session(&io->instance, m->session, e));
	*ret_answered = false;
	if (text_equal(io->target.csr_request, m->request)) {
		TRY(freeze_check(ctx, "no certificate is signed", e));
		return slot_issue_load(ctx, io, e);
	}
	*ret_answered = rc_ok(version_row_by_uuid(ctx->tx, ctx->a, m->request, &version, NULL)) &&
			version.credential_id == io->target.credential_id;
	if (*ret_answered)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "no request %s is open for this target", m->request);
	err_hint(e, "poll the desired state again: the request in it is the open one");
	return rc;
}

static troth_rc check_key(const struct csr *csr, const struct credential_row *c, struct troth_err *e)
{
	if (text_equal(key_type_name(csr->key_type), c->key_type))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "the request's key is %s, %s wants %s", key_type_name(csr->key_type),
			      c->name, c->key_type);
	err_object(e, "%s", c->name);
	return rc;
}

static troth_rc csr_prepare(struct verb_ctx *ctx, const void *cmd, struct troth_err *e)
{
	const struct msg_csr *m = cmd;
	struct slot_issue io = { 0 };
	struct csr_plan *plan = ARENA_NEW(ctx->a, struct csr_plan);
	struct csr csr;
	TRY(load(ctx, m, &io, &plan->answered, e));
	ctx->plan = plan;
	if (plan->answered)
		return RC_OK;
	plan->ca = io.target.csr_ca;
	TRY(csr_parse(ctx->a, bytes_of_text(m->csr), &csr, e));
	TRY(check_key(&csr, &io.credential, e));
	return issue_leaf_need(ctx, &io.credential, &io.signer, csr.spki, e);
}

static troth_rc csr_run(struct verb_ctx *ctx, const void *cmd, void *ret, struct troth_err *e)
{
	const struct msg_csr *m = cmd;
	struct csr_ret *r = ret;
	const struct csr_plan *plan = ctx->plan;
	struct slot_issue io = { 0 };
	bool answered;
	TRY(load(ctx, m, &io, &answered, e));
	r->version = m->request;
	if (answered)
		return RC_OK;
	if (plan->answered || plan->ca != io.target.csr_ca || ctx->reply_count != 1) {
		ctx->retry = true;
		return RC_OK;
	}
	struct version_row version = { .source = VERSION_CSR };
	TRY(slot_issue_stage(ctx, &io, m->request, ctx->replies[0]->der, &version, e));
	return member_touch(ctx, &io.instance, e);
}

const struct verb VERB_AGENT_CSR = {
	.name = "agent.csr", .kind = VERB_WRITE, .roles = ROLE_AGENT,
	.cmd_size = sizeof(struct msg_csr), .ret_size = sizeof(struct csr_ret),
	.prepare = csr_prepare, .run = csr_run,
};
