/* What an external instance shall hold, and the certificate requests of its slots.
 *
 * An agent's verbs say both already (desired.c, csr.c): here somebody else speaks for the instance, under his own name.  So a
 * principal that may speak for it does so with its number, and the same code answers. */
#include "service/outside/external_parts.h"

#include "service/agent/agent.h"
#include "service/check.h"
#include "service/agent/contents.h"
#include "service/record.h"

/* The principal as one who speaks for this instance; lives in the arena. */
static const struct principal *speaker(const struct verb_ctx *ctx, const struct instance_row *instance)
{
	struct principal *who = ARENA_NEW(ctx->a, struct principal);
	*who = *ctx->who;
	who->instance_id = instance->id;
	return who;
}

/* One of an agent's functions, said by him. */
static troth_rc as_member(struct verb_ctx *ctx, const struct instance_row *instance,
			  troth_rc (*run)(struct verb_ctx *, const void *, void *, struct troth_err *), const void *cmd, void *ret,
			  struct troth_err *e)
{
	const struct principal *who = ctx->who;
	ctx->who = speaker(ctx, instance);
	troth_rc rc = run(ctx, cmd, ret, e);
	ctx->who = who;
	return rc;
}

/* -- wanted -------------------------------------------------------------------------------------------- */

static troth_rc target_fill(struct verb_ctx *ctx, const struct msg_target *m, struct instance_wanted_ret *ret, struct troth_err *e)
{
	struct wanted_target *w = &ret->targets[ret->target_count++];
	struct target_row t;
	struct document_row d;
	*w = (struct wanted_target){ .m = m };
	TRY(target_row_by_uuid(ctx->tx, ctx->a, m->id, &t, e));
	ret->seq = ret->seq < t.report_seq ? t.report_seq : ret->seq;
	w->loaded = t.base_known && t.base_generation == m->generation && t.seen_at;
	if (!m->generation)
		return RC_OK;
	TRY(document_row_by_generation(ctx->tx, ctx->a, t.id, m->generation, &d, e));
	return contents_fingerprints(ctx->tx, ctx->a, d.content_id, &w->fingerprints, e);
}

static troth_rc fill(struct verb_ctx *ctx, const struct instance_row *instance, const struct msg_desired *d, struct instance_wanted_ret *ret,
		     struct troth_err *e)
{
	*ret = (struct instance_wanted_ret){ .instance = *instance, .version = d->version };
	ret->targets = ARENA_ARRAY(ctx->a, struct wanted_target, d->target_count + 1);
	for (size_t i = 0; i < d->target_count; i++)
		TRY(target_fill(ctx, &d->targets[i], ret, e));
	return RC_OK;
}

static troth_rc ask(struct verb_ctx *ctx, const struct verb *agent, const struct instance_wanted_cmd *cmd, struct instance_wanted_ret *ret,
		    struct troth_err *e)
{
	struct instance_row instance;
	struct deployment_row deployment;
	struct desired_ret desired = { 0 };
	TRY(external_find(ctx, cmd->id, &instance, &deployment, e));
	struct desired_cmd desire = { instance.session, cmd->after };
	TRY(as_member(ctx, &instance, agent->run, &desire, &desired, e));
	return fill(ctx, &instance, &desired.desired, ret, e);
}

static troth_rc wanted_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	TRY(ask(ctx, &VERB_AGENT_DESIRED, arg, out, e));
	if (ctx->then)
		ctx->then = &VERB_INSTANCE_TAKE;
	return RC_OK;
}

static troth_rc take_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	return ask(ctx, &VERB_AGENT_TAKE, arg, out, e);
}

#define ROLES_WANTED (ROLE_ADMIN | ROLE_OPERATOR | ROLE_DEVELOPER)
const struct verb VERB_INSTANCE_WANTED = { "instance.wanted", VERB_READ, ROLES_WANTED, sizeof(struct instance_wanted_cmd),
					   sizeof(struct instance_wanted_ret), NULL, wanted_run };
const struct verb VERB_INSTANCE_TAKE = { "instance.take", VERB_WRITE, ROLES_WANTED, sizeof(struct instance_wanted_cmd),
					 sizeof(struct instance_wanted_ret), NULL, take_run };

/* -- requests -------------------------------------------------------------------------------------------- */

static troth_rc nothing_asked(const struct instance_row *instance, const char *target, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "no certificate request is wanted of %s/%s now", instance->name, target);
	err_hint(e, "troth instance wanted %s says when one is; troth explain %s/%s why not yet", instance->name, instance->name, target);
	err_object(e, "%s", instance->name);
	return rc;
}

static troth_rc no_slot(const struct instance_row *instance, const char *target, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "instance %s has no slot \"%.100s\"", instance->name, target);
	err_hint(e, "troth instance show %s lists its targets", instance->name);
	return rc;
}

static troth_rc csr_load(struct verb_ctx *ctx, const struct instance_csr_cmd *cmd, struct instance_row *ret_instance, struct msg_csr *ret,
			 struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	struct deployment_row deployment;
	struct target_row t;
	struct template_row template;
	check_label(&c, "$.target", cmd->target);
	check_present(&c, "$.csr", cmd->csr);
	TRY(check_done(e));
	TRY(external_find(ctx, cmd->id, ret_instance, &deployment, e));
	TRY(external_target(ctx, ret_instance, cmd->target, &t, &template, e));
	if (!t.id || template.kind != TARGET_SLOT)
		return no_slot(ret_instance, cmd->target, e);
	const char *request = cmd->request ? cmd->request : t.csr_request;
	*ret = (struct msg_csr){ ret_instance->session, t.uuid, request, cmd->csr };
	return request ? RC_OK : nothing_asked(ret_instance, cmd->target, e);
}

static troth_rc csr_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	struct instance_row instance;
	struct msg_csr m;
	TRY(csr_load(ctx, arg, &instance, &m, e));
	const struct principal *who = ctx->who;
	ctx->who = speaker(ctx, &instance);
	troth_rc rc = VERB_AGENT_CSR.prepare(ctx, &m, e);
	ctx->who = who;
	return rc;
}

static troth_rc csr_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct instance_csr_ret *ret = out;
	struct csr_ret signed_as = { 0 };
	struct instance_row instance;
	struct msg_csr m;
	TRY(csr_load(ctx, arg, &instance, &m, e));
	TRY(as_member(ctx, &instance, VERB_AGENT_CSR.run, &m, &signed_as, e));
	ret->request = signed_as.version;
	return RC_OK;
}

const struct verb VERB_INSTANCE_CSR = { "instance.csr", VERB_WRITE, ROLES_WANTED, sizeof(struct instance_csr_cmd),
					sizeof(struct instance_csr_ret), csr_prepare, csr_run };
