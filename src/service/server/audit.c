/* The audit: list it, prove it, have its head signed.
 *
 * Rows are written by record_change in each verb's own transaction.  The keeper signs (seq, hash) of the
 * newest row with a key made at init; so whoever cuts rows off the end, or rewrites the whole chain, is
 * found by the signature that no longer fits. */
#include "service/server/audit.h"

#include "keeper/keeper.h"
#include "service/record.h"

static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct audit_list_cmd *cmd = arg;
	struct audit_list_ret *ret = out;
	TRY(cmd->object ? audit_list_object(ctx->tx, ctx->a, cmd->object, cmd->page, &ret->items, &ret->count, e) :
			  audit_list(ctx->tx, ctx->a, cmd->page, &ret->items, &ret->count, e));
	int limit = cmd->page.limit ? cmd->page.limit : LIMIT_PAGE;
	size_t n = ret->count;
	ret->next = n && n >= (size_t)limit ? ret->items[n - 1].seq : 0;
	ret->count = 0;
	for (size_t i = 0; i < n; i++)
		if (record_told(ctx->who, ret->items[i].action, ret->items[i].within))
			ret->items[ret->count++] = ret->items[i];
	return RC_OK;
}

/* -- proof ------------------------------------------------------------------------------------------ */
static bool head_holds(void *self, const struct audit_head_row *head)
{
	const struct bytes *spki = self;
	return bytes_equal(*spki, head->spki) && head->hash.len == SHA256_LEN &&
	       rc_ok(keeper_audit_verify(head->spki, (uint64_t)head->seq, head->hash.data, head->signed_at, head->signature, NULL));
}

static troth_rc verify_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct audit_verify_ret *ret = out;
	struct bytes spki;
	uint8_t hash[SHA256_LEN];
	TRY(meta_get(ctx->tx, ctx->a, META_AUDIT_SPKI, &spki, e));
	TRY(audit_last(ctx->tx, &ret->head_seq, hash, e));
	return audit_verify(ctx->tx, head_holds, &spki, &ret->check, e);
}

/* -- signing ------------------------------------------------------------------------------------------ */
struct sign_plan {
	int64_t seq;
	uint8_t hash[SHA256_LEN];
};

static troth_rc sign_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	struct sign_plan *plan = ARENA_NEW(ctx->a, struct sign_plan);
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	struct audit_head_row signed_head;
	TRY(audit_last(ctx->tx, &plan->seq, plan->hash, e));
	bool done = rc_ok(audit_head_last(ctx->tx, ctx->a, &signed_head, NULL)) && signed_head.seq >= plan->seq;
	if (!plan->seq || done)
		return RC_OK;
	need->kind = KEEPER_AUDIT_SIGN;
	need->audit_sign.seq = (uint64_t)plan->seq;
	memcpy(need->audit_sign.head, plan->hash, sizeof plan->hash);
	TRY(meta_get(ctx->tx, ctx->a, META_AUDIT_BLOB, &need->audit_sign.blob, e));
	ctx->plan = plan;
	return verb_need(ctx, need, e);
}

static troth_rc sign_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct sign_plan *plan = ctx->plan;
	if (!plan)
		return RC_OK;
	const struct keeper_reply *reply = ctx->replies[0];
	struct audit_head_row head = { .seq = plan->seq, .hash = bytes_of(plan->hash, sizeof plan->hash),
				       .signature = reply->signature, .spki = reply->spki, .signed_at = reply->signed_at };
	return audit_head_put(ctx->tx, &head, e);
}

const struct verb VERB_AUDIT_LIST = { "audit.list", VERB_READ, ROLE_ADMIN | ROLE_AUDITOR | ROLE_SYSTEM,
				      sizeof(struct audit_list_cmd), sizeof(struct audit_list_ret), NULL, list_run };
const struct verb VERB_AUDIT_VERIFY = { "audit.verify", VERB_READ, ROLE_ADMIN | ROLE_AUDITOR | ROLE_SYSTEM,
					sizeof(struct no_cmd), sizeof(struct audit_verify_ret), NULL, verify_run };
const struct verb VERB_AUDIT_SIGN = { "audit.sign", VERB_WRITE, ROLE_SYSTEM, sizeof(struct no_cmd), sizeof(struct no_ret),
				      sign_prepare, sign_run };
