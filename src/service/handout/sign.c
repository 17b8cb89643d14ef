/* A leaf for somebody outside the fleet.  See sign.h. */
#include "service/handout/sign.h"

#include "service/outside/holder.h"

/* One signer's signature, as a keeper request. */
static troth_rc need_one(struct verb_ctx *ctx, const struct credential_row *row, struct sign_plan *plan, const struct signer *signer,
			 struct troth_err *e)
{
	struct cert_spec spec;
	if (ctx->options.dry_run)
		return issue_leaf_spec(ctx, row, signer, plan->spki, &spec, e);
	TRY(issue_leaf_need(ctx, row, signer, plan->spki, e));
	plan->signers[plan->count++] = *signer;
	return RC_OK;
}

/* Who shall sign is the engine's to say (rule 1b), and only the writer can ask it.  So each version that could be it signs now. */
troth_rc sign_need(struct verb_ctx *ctx, const struct credential_row *row, struct bytes spki, struct sign_plan *plan,
		   struct troth_err *e)
{
	struct signer *all;
	struct troth_err why = { 0 };
	size_t n, fit = 0;
	TRY(holder_signers(ctx, row, &all, &n, e));
	plan->spki = spki;
	plan->first = ctx->need_count;
	plan->signers = ARENA_ARRAY(ctx->a, struct signer, n);
	for (size_t i = 0; i < n; i++)
		fit += rc_ok(need_one(ctx, row, plan, &all[i], &why)); /* one that ends too early may be the one that goes */
	if (fit)
		return RC_OK;
	if (e)
		*e = why;
	return (troth_rc){ (int)why.kind };
}

/* Takes the certificate of the version that the engine lets sign.  That one did not sign in prepare: begin again, or
 * say what is wrong with it. */
troth_rc sign_choose(struct verb_ctx *ctx, const struct credential_row *row, struct sign_plan *plan, struct troth_err *e)
{
	int64_t version;
	struct cert_spec spec;
	TRY(holder_choose(ctx, row, &version, e));
	ctx->retry = true;
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->signers[i].version.id != version)
			continue;
		plan->chosen = plan->signers[i];
		plan->der = ctx->replies[plan->first + i]->der;
		ctx->retry = false;
	}
	if (!ctx->retry)
		return RC_OK;
	TRY(signer_load_version(ctx->tx, ctx->a, version, &plan->chosen, e));
	return issue_leaf_spec(ctx, row, &plan->chosen, plan->spki, &spec, e);
}

troth_rc sign_store(struct verb_ctx *ctx, const struct credential_row *row, const struct sign_plan *plan,
		    struct version_row *version, const char **ret_chain, struct troth_err *e)
{
	const char *leaf;
	TRY(issue_store(ctx, row, &plan->chosen, plan->der, version, e));
	TRY(holder_take(ctx, row, version, e));
	return issue_chain_pem(ctx->tx, ctx->a, version, &leaf, ret_chain, e);
}
