/* The grace of a switch that rested on somebody's word: a binding's, an external instance's.
 *
 * A slot was let to another CA because a binding was vouched to trust it, and nobody saw that.  If that was wrong the
 * application fails now.  So for a while nothing of the old CA's authority is withdrawn anywhere: an abort of the
 * rotation brings the old chain back at once. */
#include "service/outside/binding.h"

struct grace { msec_t until; int64_t target; }; /* target: on whose word it rests; until 0: none */

static void longer(struct grace *g, msec_t until, int64_t target)
{
	if (until > g->until)
		*g = (struct grace){ until, target };
}

/* How long the word of this target needs to be shown right or wrong.  An ephemeral is not there longer than its lease. */
static troth_rc grace_of(struct verb_ctx *ctx, const struct template_row *group, const struct target_row *t, struct grace *g,
			 struct troth_err *e)
{
	struct deployment_row deployment;
	struct instance_row instance;
	struct binding_row binding;
	if (group->party == PARTY_BINDING) {
		TRY(binding_row_by_target(ctx->tx, ctx->a, t->id, &binding, e));
		longer(g, binding.grace ? ctx->now + binding.grace : 0, t->id);
	} else if (group->party == PARTY_EXTERNAL) {
		TRY(deployment_row_get(ctx->tx, ctx->a, group->deployment_id, &deployment, e));
		TRY(instance_row_get(ctx->tx, ctx->a, t->instance_id, &instance, e));
		msec_t until = deployment.grace ? ctx->now + deployment.grace : 0;
		longer(g, instance.lease_until && until > instance.lease_until ? instance.lease_until : until, t->id);
	}
	return RC_OK;
}

static bool is_a_word(const struct template_row *group)
{
	return group->party == PARTY_BINDING || group->party == PARTY_EXTERNAL;
}

static troth_rc longest_in(struct verb_ctx *ctx, const struct template_row *group, struct grace *g, struct troth_err *e)
{
	struct target_row *targets;
	size_t n;
	TRY(target_row_list_template(ctx->tx, ctx->a, group->id, PAGE_ALL, &targets, &n, e));
	for (size_t i = 0; i < n; i++)
		if (targets[i].state == TARGET_COUNTED)
			TRY(grace_of(ctx, group, &targets[i], g, e));
	return RC_OK;
}

/* The switch rests on what the stores that meet the slot say of themselves, and on its own word if nobody saw it serve. */
static troth_rc longest_grace(struct verb_ctx *ctx, const struct target_row *slot, struct grace *ret, struct troth_err *e)
{
	struct template_row own, verifier;
	struct meet_row *meets;
	size_t n;
	*ret = (struct grace){ 0 };
	TRY(template_row_get(ctx->tx, ctx->a, slot->template_id, &own, e));
	TRY(grace_of(ctx, &own, slot, ret, e));
	TRY(meet_row_list_template(ctx->tx, ctx->a, own.id, &meets, &n, e));
	for (size_t i = 0; i < n; i++) {
		TRY(template_row_get(ctx->tx, ctx->a, meets[i].verifier_id, &verifier, e));
		if (meets[i].on && is_a_word(&verifier))
			TRY(longest_in(ctx, &verifier, ret, e));
	}
	return RC_OK;
}

static troth_rc signer_of(struct verb_ctx *ctx, int64_t content_id, int64_t *ret, struct troth_err *e)
{
	struct content_row content;
	struct version_row leaf;
	*ret = 0;
	if (!content_id)
		return RC_OK;
	TRY(content_row_get(ctx->tx, ctx->a, content_id, &content, e));
	TRY(version_row_get(ctx->tx, ctx->a, content.version_id, &leaf, e));
	*ret = leaf.signed_by;
	return RC_OK;
}

/* The authority and those above it: whichever of them the stores have. */
static troth_rc begin_grace(struct verb_ctx *ctx, int64_t authority, const struct grace *g, struct troth_err *e)
{
	for (int depth = 0; authority && depth < LIMIT_CHAIN_CERTS; depth++) {
		struct credential_row c;
		TRY(credential_row_get(ctx->tx, ctx->a, authority, &c, e));
		if (g->until > c.grace_until) {
			c.grace_until = g->until;
			c.grace_target = g->target;
			TRY(credential_row_update(ctx->tx, &c, e));
			verb_changed(ctx, CHANGED_CREDENTIAL, c.id);
		}
		authority = c.issuer_id;
	}
	return RC_OK;
}

troth_rc binding_rested_on(struct verb_ctx *ctx, const struct target_row *slot, int64_t before, int64_t now, struct troth_err *e)
{
	struct grace longest;
	struct version_row old;
	int64_t old_ca, new_ca;
	TRY(signer_of(ctx, before, &old_ca, e));
	TRY(signer_of(ctx, now, &new_ca, e));
	if (!old_ca || old_ca == new_ca)
		return RC_OK;
	TRY(longest_grace(ctx, slot, &longest, e));
	if (!longest.until)
		return RC_OK;
	TRY(version_row_get(ctx->tx, ctx->a, old_ca, &old, e));
	return begin_grace(ctx, old.credential_id, &longest, e);
}
