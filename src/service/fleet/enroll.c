/* Enrolment: a one-time token and a CSR become an instance with an identity and its targets.
 *
 * prepare finds the token good, the name free and the CSR sound, chooses the instance's id (it stands in
 * the certificate) and has the keeper sign under /troth/agents.  run finds all that still true in the
 * writer, uses the token up, and makes the rows.  Until its first settled report is admitted the
 * instance's targets are joining: nobody waits for them. */
#include "service/check.h"
#include "service/fleet/identity.h"
#include "service/fleet/join.h"
#include "service/ca/own.h"
#include "service/record.h"
#include "service/fleet/recovery.h"
#include "service/service.h"
#include "service/fleet/waive.h"

#include "model/name.h"

struct enroll_plan {
	char instance_uuid[UUID_LEN];
	const char *name;
	struct identity_plan identity;
};

/* -- the token ------------------------------------------------------------------------------------ */
static troth_rc token_refused(struct troth_err *e, const char *why)
{
	troth_rc rc = err_set(e, TROTH_UNAUTHENTICATED, "the join token %s", why);
	err_hint(e, "ask for a new one: troth token create --deployment NAME");
	return rc;
}

static troth_rc token_find(struct verb_ctx *ctx, const char *secret, struct token_row *ret, struct troth_err *e)
{
	uint8_t hash[SHA256_LEN];
	char when[RFC3339_LEN];
	token_hash(secret, hash);
	if (rc_failed(token_row_by_hash(ctx->tx, ctx->a, bytes_of(hash, sizeof hash), ret, NULL)))
		return token_refused(e, "is not known here");
	if (ret->used_at)
		return token_refused(e, arena_printf(ctx->a, "was used already, %s", time_format(ret->used_at, when)));
	if (ret->revoked)
		return token_refused(e, arena_printf(ctx->a, "was revoked %s", time_format(ret->revoked, when)));
	if (ret->expires <= ctx->now)
		return token_refused(e, arena_printf(ctx->a, "expired %s", time_format(ret->expires, when)));
	return RC_OK;
}

/* -- the name --------------------------------------------------------------------------------------- */
/* "pg-3f9a1c": the deployment's last segment and six digits of the instance's id. */
static const char *name_make(struct arena *a, const char *deployment, const char *uuid)
{
	const char *slash = strrchr(deployment, '/');
	return arena_printf(a, "%.50s-%.6s", slash ? slash + 1 : deployment, uuid);
}

static troth_rc name_choose(struct verb_ctx *ctx, const struct msg_enroll *m, const struct token_row *token,
			    const struct deployment_row *deployment, const char *uuid, const char **ret, struct troth_err *e)
{
	if (token->instance_name && m->instance && !text_equal(token->instance_name, m->instance)) {
		troth_rc rc = err_set(e, TROTH_FORBIDDEN, "the join token is for the instance %s, not %.63s",
				      token->instance_name, m->instance);
		err_hint(e, "leave the name out, or ask for a token for this name");
		return rc;
	}
	*ret = token->instance_name ? token->instance_name :
	       m->instance ? m->instance : name_make(ctx->a, deployment->name, uuid);
	return RC_OK;
}

/* The instance whose node was made anew, as the token says. */
static troth_rc reinstalled(struct verb_ctx *ctx, const struct deployment_row *deployment, const char *name, struct instance_row *ret,
			    struct troth_err *e)
{
	if (rc_ok(instance_row_by_name(ctx->tx, ctx->a, deployment->id, name, ret, NULL)) && ret->state != INSTANCE_LEAVING)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s has no instance %s any more, so it cannot be installed again", deployment->name, name);
	err_object(e, "%s", name);
	err_hint(e, "ask for a token without --reinstall: it joins as a new one");
	return rc;
}

static troth_rc name_free(struct verb_ctx *ctx, const struct deployment_row *deployment, const char *name, struct troth_err *e)
{
	struct instance_row taken;
	if (rc_failed(instance_row_by_name(ctx->tx, ctx->a, deployment->id, name, &taken, NULL)))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s has an instance %s already", deployment->name, name);
	err_object(e, "%s", name);
	err_hint(e, "choose another name; if its node was made anew, ask for a token with --instance %s --reinstall", name);
	return rc;
}

/* -- phases ------------------------------------------------------------------------------------------- */
static troth_rc input_check(struct arena *a, const struct msg_enroll *m, struct troth_err *e)
{
	struct checker c = { a, e };
	check_present(&c, "$.token", m->token);
	check_present(&c, "$.csr", m->csr);
	if (m->instance)
		check_label(&c, "$.instance", m->instance);
	if (m->csr)
		identity_check_csr(&c, "$.csr", m->csr);
	return check_done(e);
}

/* A new one must have a free name; one that is installed again keeps its id. */
static troth_rc choose_instance(struct verb_ctx *ctx, const struct token_row *token, const struct deployment_row *deployment,
				struct enroll_plan *plan, struct troth_err *e)
{
	struct instance_row there;
	if (!token->reinstall)
		return name_free(ctx, deployment, plan->name, e);
	TRY(reinstalled(ctx, deployment, plan->name, &there, e));
	(void)text_copy(plan->instance_uuid, sizeof plan->instance_uuid, there.uuid); /* a UUID fits */
	return RC_OK;
}

static troth_rc enroll_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct msg_enroll *m = arg;
	struct enroll_plan *plan = ARENA_NEW(ctx->a, struct enroll_plan);
	struct token_row token;
	struct deployment_row deployment;
	TRY(input_check(ctx->a, m, e));
	TRY(token_find(ctx, m->token, &token, e));
	TRY(deployment_row_get(ctx->tx, ctx->a, token.deployment_id, &deployment, e));
	verb_uuid(ctx, plan->instance_uuid);
	TRY(name_choose(ctx, m, &token, &deployment, plan->instance_uuid, &plan->name, e));
	TRY(choose_instance(ctx, &token, &deployment, plan, e));
	TRY(identity_need(ctx, m->csr, IDENTITY_INSTANCE, plan->instance_uuid, &plan->identity, e));
	ctx->plan = plan;
	return RC_OK;
}

static troth_rc instance_insert(struct verb_ctx *ctx, const struct msg_enroll *m, const struct enroll_plan *plan,
				const struct deployment_row *deployment, struct instance_row *ret, struct troth_err *e)
{
	*ret = (struct instance_row){ .uuid = plan->instance_uuid, .deployment_id = deployment->id, .name = plan->name,
				      .state = INSTANCE_ACTIVE, .boot_id = m->boot_id, .agent_version = m->agent_version,
				      .lease_until = deployment->ephemeral ? ctx->now + deployment->lease : 0,
				      .created = ctx->now };
	TRY(identity_set(ctx, ret, ctx->replies[0]->der, e));
	TRY(instance_row_insert(ctx->tx, ret, e));
	verb_changed(ctx, CHANGED_INSTANCE, ret->id);
	return RC_OK;
}

static troth_rc targets_make(struct verb_ctx *ctx, const struct instance_row *instance, struct troth_err *e)
{
	struct template_row *templates;
	size_t n;
	TRY(template_row_list_deployment(ctx->tx, ctx->a, instance->deployment_id, PAGE_ALL, &templates, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(join_target(ctx, instance, &templates[i], e));
	return RC_OK;
}

/* The same instance with a new identity.  The old one is refused from now on, and what its node held counts no more:
 * its targets are joiners again. */
static troth_rc instance_again(struct verb_ctx *ctx, const struct msg_enroll *m, const struct enroll_plan *plan,
			       const struct deployment_row *deployment, struct instance_row *ret, struct troth_err *e)
{
	TRY(reinstalled(ctx, deployment, plan->name, ret, e));
	if (!text_equal(ret->uuid, plan->instance_uuid)) { /* it left, and another took its name */
		ctx->retry = true;
		return RC_OK;
	}
	TRY(identity_set(ctx, ret, ctx->replies[0]->der, e));
	ret->identity_previous = bytes_of(NULL, 0);
	ret->boot_id = m->boot_id;
	ret->agent_version = m->agent_version;
	ret->session = 0;
	ret->alarm = NULL;
	TRY(waive_end(ctx, ret, "instance.reinstall", e));
	TRY(instance_row_update(ctx->tx, ret, e));
	verb_changed(ctx, CHANGED_INSTANCE, ret->id);
	TRY(recovery_end(ctx, ret, false, e)); /* what its old key asked for */
	verb_publish(ctx, "instance/%s", ret->uuid); /* a held poll of the old agent ends */
	return RC_OK;
}

/* A new instance with its targets. */
static troth_rc instance_new(struct verb_ctx *ctx, const struct msg_enroll *m, const struct enroll_plan *plan,
			     const struct deployment_row *deployment, struct instance_row *ret, struct troth_err *e)
{
	TRY(name_free(ctx, deployment, plan->name, e));
	TRY(instance_insert(ctx, m, plan, deployment, ret, e));
	return targets_make(ctx, ret, e);
}

static troth_rc token_use(struct verb_ctx *ctx, struct token_row *token, int64_t instance_id, struct troth_err *e)
{
	token->used_at = ctx->now;
	token->used_by = instance_id;
	return token_row_update(ctx->tx, token, e);
}

static troth_rc record_enroll(struct verb_ctx *ctx, const struct instance_row *instance, const char *deployment,
			      const struct token_row *token, struct troth_err *e)
{
	struct record r;
	char hex[SHA256_HEX_LEN];
	record_begin(&r);
	jw_kv_text(&r.w, "id", instance->uuid);
	jw_kv_text(&r.w, "deployment", deployment);
	jw_kv_text(&r.w, "token", token->uuid);
	jw_kv_text(&r.w, "identity", hex_encode(instance->identity_fingerprint.data, SHA256_LEN, hex));
	return record_change(ctx, &(struct change){ .action = "instance.enroll", .object = instance->name, .deployment = instance->deployment_id,
						    .topic = arena_printf(ctx->a, "instance/%s", instance->uuid),
						    .after = record_end(&r, ctx->a) }, e);
}

static troth_rc enroll_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct msg_enroll *m = arg;
	const struct enroll_plan *plan = ctx->plan;
	struct msg_enrolled *ret = out;
	struct token_row token;
	struct deployment_row deployment;
	struct instance_row instance;
	TRY(token_find(ctx, m->token, &token, e));
	TRY(deployment_row_get(ctx->tx, ctx->a, token.deployment_id, &deployment, e));
	TRY(identity_moved(ctx, &plan->identity, &ctx->retry, e));
	if (!ctx->retry)
		TRY((token.reinstall ? instance_again : instance_new)(ctx, m, plan, &deployment, &instance, e));
	if (ctx->retry)
		return RC_OK;
	TRY(own_agent_joined(ctx, &instance, ctx->replies[0]->der, plan->identity.signer.version.id, e));
	TRY(token_use(ctx, &token, instance.id, e));
	TRY(record_enroll(ctx, &instance, deployment.name, &token, e));
	struct msg_renewed identity;
	TRY(identity_answer(ctx, &plan->identity, ctx->replies[0]->der, &identity, e));
	*ret = (struct msg_enrolled){
		.instance_id = arena_text(ctx->a, plan->instance_uuid), .instance = plan->name, .deployment = deployment.name,
		.certificate = identity.certificate, .chain = identity.chain, .server_ca = identity.server_ca,
		.epoch = arena_text(ctx->a, service_epoch(ctx->svc)),
	};
	return identity_agents_ca(ctx, &ret->agents_ca, e);
}

const struct verb VERB_ENROLL = { "enroll", VERB_WRITE, ROLES_ANY, sizeof(struct msg_enroll), sizeof(struct msg_enrolled),
				  enroll_prepare, enroll_run };
