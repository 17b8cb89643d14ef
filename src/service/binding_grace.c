/* The grace of a switch that rested on a binding.
 *
 * A slot was let to another CA because a binding was vouched to trust it, and nobody saw that.  If that was wrong the
 * application fails now.  So for a while nothing of the old CA's authority is withdrawn anywhere: an abort of the
 * rotation brings the old chain back at once. */
#include "service/binding.h"

/* The binding with the longest grace among the targets of one group. */
static troth_rc longest_in(struct verb_ctx *ctx, int64_t template_id, struct binding_row *longest, struct troth_err *e)
{
	struct target_row *targets;
	size_t n;
	TRY(target_row_list_template(ctx->tx, ctx->a, template_id, PAGE_ALL, &targets, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct binding_row row;
		if (targets[i].state != TARGET_COUNTED)
			continue;
		TRY(binding_row_by_target(ctx->tx, ctx->a, targets[i].id, &row, e));
		if (row.grace > longest->grace)
			*longest = row;
	}
	return RC_OK;
}

/* Among all bindings that meet these slots; grace 0: none. */
static troth_rc longest_grace(struct verb_ctx *ctx, int64_t slot_template, struct binding_row *ret, struct troth_err *e)
{
	struct meet_row *meets;
	size_t n;
	*ret = (struct binding_row){ 0 };
	TRY(meet_row_list_template(ctx->tx, ctx->a, slot_template, &meets, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct template_row verifier;
		TRY(template_row_get(ctx->tx, ctx->a, meets[i].verifier_id, &verifier, e));
		if (meets[i].on && verifier.party == PARTY_BINDING)
			TRY(longest_in(ctx, verifier.id, ret, e));
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
static troth_rc begin_grace(struct verb_ctx *ctx, int64_t authority, const struct binding_row *binding, struct troth_err *e)
{
	for (int depth = 0; authority && depth < LIMIT_CHAIN_CERTS; depth++) {
		struct credential_row c;
		TRY(credential_row_get(ctx->tx, ctx->a, authority, &c, e));
		if (ctx->now + binding->grace > c.grace_until) {
			c.grace_until = ctx->now + binding->grace;
			c.grace_target = binding->target_id;
			TRY(credential_row_update(ctx->tx, &c, e));
			verb_changed(ctx, CHANGED_CREDENTIAL, c.id);
		}
		authority = c.issuer_id;
	}
	return RC_OK;
}

troth_rc binding_rested_on(struct verb_ctx *ctx, int64_t slot_template, int64_t before, int64_t now, struct troth_err *e)
{
	struct binding_row longest;
	struct version_row old;
	int64_t old_ca, new_ca;
	TRY(signer_of(ctx, before, &old_ca, e));
	TRY(signer_of(ctx, now, &new_ca, e));
	if (!old_ca || old_ca == new_ca)
		return RC_OK;
	TRY(longest_grace(ctx, slot_template, &longest, e));
	if (!longest.grace)
		return RC_OK;
	TRY(version_row_get(ctx->tx, ctx->a, old_ca, &old, e));
	return begin_grace(ctx, old.credential_id, &longest, e);
}
