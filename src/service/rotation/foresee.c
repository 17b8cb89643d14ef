/* A change, and the engine asked before and after it.  See foresee.h.
 *
 * It asks with the default policy: what a window or an approval holds back is said by `troth explain`. */
#include "service/rotation/foresee.h"

static const char *act_words(struct verb_ctx *ctx, const struct act *act, size_t n)
{
	struct credential_row c;
	const char *name = "";
	if (act->authority && rc_ok(credential_row_get(ctx->tx, ctx->a, act->authority, &c, NULL)))
		name = c.name;
	switch (act->kind) {
	case ACT_SEND_SET:    return arena_printf(ctx->a, "%zu store%s can be sent other trusted CAs", n, n == 1 ? "" : "s");
	case ACT_SEND_CHAIN:  return arena_printf(ctx->a, "%zu slot%s can be sent a new certificate", n, n == 1 ? "" : "s");
	case ACT_ASK:         return arena_printf(ctx->a, "%zu slot%s can be asked for a key that %s signs with its new version",
						  n, n == 1 ? "" : "s", name);
	case ACT_SIGNING:     return arena_printf(ctx->a, "the new version of %s can sign", name);
	case ACT_RETIRE_DONE: return arena_printf(ctx->a, "an old version of %s can be retired", name);
	case ACT_ADMIT:       return arena_printf(ctx->a, "%zu newcomer%s can be admitted", n, n == 1 ? "" : "s");
	case ACT_ROTATE:      return arena_printf(ctx->a, "the rotation of %s, which is due, can begin", name);
	default:              break;
	}
	return arena_printf(ctx->a, "%zu times: %s", n, act_kind_name(act->kind));
}

static bool has_act(const struct plan *plan, const struct act *act)
{
	for (size_t i = 0; i < plan->act_count; i++)
		if (plan->acts[i].kind == act->kind && plan->acts[i].target == act->target && plan->acts[i].ca == act->ca)
			return true;
	return false;
}

/* What the engine would do now and would not have done before, in a line for each kind. */
static void say_news(struct verb_ctx *ctx, const struct plan *before, const struct plan *after, struct json_texts *ret)
{
	ret->items = ARENA_ARRAY(ctx->a, const char *, after->act_count + 1);
	for (size_t i = 0, n; i < after->act_count; i += n) {
		const struct act *first = &after->acts[i];
		size_t fresh = 0;
		for (n = 0; i + n < after->act_count; n++) {
			const struct act *act = &after->acts[i + n];
			if (act->kind != first->kind || act->authority != first->authority)
				break;
			fresh += !has_act(before, act);
		}
		if (fresh)
			ret->items[ret->count++] = act_words(ctx, first, fresh);
	}
}

void foresee_before(struct verb_ctx *ctx, struct plan *ret)
{
	engine_step(ctx->svc->view, NULL, ctx->now, ctx->a, ret);
}

troth_rc foresee_after(struct verb_ctx *ctx, const struct plan *before, struct json_texts *ret, struct troth_err *e)
{
	struct plan after;
	TRY(verb_apply_changes(ctx, e));
	engine_step(ctx->svc->view, NULL, ctx->now, ctx->a, &after);
	say_news(ctx, before, &after, ret);
	return RC_OK;
}
