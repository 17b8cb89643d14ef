/* Keys of CAs that leave.  See disclose.h. */
#include "service/handout/disclose.h"

#include "keeper/keeper.h"
#include "service/handout/lookup.h"
#include "service/record.h"

bool disclose_may(const struct verb_ctx *ctx, const struct credential_row *issuer)
{
	return ctx->port->exportable_authorities && (!issuer->id || issuer->exportable);
}

const struct keeper_request *disclose_request(struct arena *a, struct bytes key_blob)
{
	static const enum keeper_kind OPENS[] = { [KEEPER_KEY_LEAF] = KEEPER_KEY_OPEN, [KEEPER_KEY_AUTHORITY] = KEEPER_AUTHORITY_OPEN };
	struct keeper_policy policy;
	if (!key_blob.len || rc_failed(keeper_policy_read(a, key_blob, &policy, NULL)) || !policy.exportable ||
	    (policy.kind != KEEPER_KEY_LEAF && policy.kind != KEEPER_KEY_AUTHORITY))
		return NULL;
	struct keeper_request *need = ARENA_NEW(a, struct keeper_request);
	need->kind = OPENS[policy.kind];
	need->key_open.blob = key_blob;
	return need;
}

/* Whose key this request makes; NULL: nobody's that is a CA. */
static const char *made_for(const struct keeper_request *need)
{
	switch (need->kind) {
	case KEEPER_AUTHORITY_CREATE: return need->authority_create.policy.authority;
	case KEEPER_AUTHORITY_SIGN: return need->authority_sign.policy.authority;
	default: return NULL;
	}
}

troth_rc disclose_need(struct verb_ctx *ctx, const char *authority, bool *turn, struct troth_err *e)
{
	if (ctx->more)
		return RC_OK;
	*turn = true;
	ctx->more = ctx->need_count > ctx->reply_count; /* it is made first */
	for (size_t i = 0; i < ctx->need_count; i++) {
		if (!text_equal(made_for(ctx->need[i]), authority))
			continue;
		const struct keeper_request *need = ctx->more ? NULL : disclose_request(ctx->a, ctx->replies[i]->blob);
		return need ? verb_need(ctx, need, e) : RC_OK;
	}
	return err_set(e, TROTH_INTERNAL, "no key of %s was made", authority);
}

troth_rc disclose_record(struct verb_ctx *ctx, const struct credential_row *row, const char *const *versions, size_t n, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_key(&r.w, "versions");
	jw_array(&r.w);
	for (size_t i = 0; i < n; i++)
		jw_text(&r.w, versions[i]);
	jw_array_end(&r.w);
	const char *action = row->kind == CREDENTIAL_AUTHORITY ? "authority.disclose" : "credential.disclose";
	return record_change(ctx, &(struct change){ .action = action, .object = row->name, .after = record_end(&r, ctx->a) }, e);
}

const char *disclose_key(const struct verb_ctx *ctx)
{
	for (size_t i = 0; i < ctx->reply_count; i++)
		if (ctx->replies[i]->key.len)
			return arena_text_n(ctx->a, (const char *)ctx->replies[i]->key.data, ctx->replies[i]->key.len);
	return NULL;
}
