/* A new epoch.  See epoch.h. */
#include "service/fleet/epoch.h"

#include <stdlib.h>

#include "service/inside.h"
#include "service/nouns.h"
#include "service/ca/own.h"
#include "service/record.h"

#define META_EPOCH_WORD "epoch_word" /* when an agent's word raised it last, in milliseconds */

enum { EPOCH_ARENA_BYTES = 64 << 20, EPOCH_PAGE = 500 };

/* -- everything is unknown ------------------------------------------------------------------------------- */

/* What a new epoch does to a target. */
struct fate {
	bool asked;    /* it has a session to say in what it holds, and is unknown until then */
	bool numbered; /* what it is sent has a number that it keeps: this must not come again for other contents */
};

/* A holder and a binding are not asked again: what is known of them stays.  But a binding names what it has by a tag with its
 * number; a holder's numbers never leave the house. */
static troth_rc fate_of(struct verb_ctx *ctx, struct arena *a, const struct target_row *t, struct fate *ret, struct troth_err *e)
{
	struct template_row template;
	struct deployment_row deployment;
	TRY(template_row_get(ctx->tx, a, t->template_id, &template, e));
	TRY(deployment_row_get(ctx->tx, a, template.deployment_id, &deployment, e));
	bool agents = party_has_instances(deployment.party) || text_equal(template.profile, MSG_OWN_TRUST);
	ret->asked = t->state != TARGET_LEFT && agents;
	ret->numbered = ret->asked || deployment.party == PARTY_BINDING;
	return RC_OK;
}

static troth_rc forget_target(struct verb_ctx *ctx, struct arena *a, struct target_row *t, int64_t first, struct troth_err *e)
{
	struct fate fate;
	TRY(fate_of(ctx, a, t, &fate, e));
	if (!fate.numbered)
		return RC_OK;
	if (t->next_generation < first)
		t->next_generation = first;
	if (fate.asked) {
		t->base_known = false;
		t->strange = false;
		t->base_content = 0;
		TRY(document_row_void(ctx->tx, t->id, e));
	}
	return target_row_update(ctx->tx, t, e);
}

static troth_rc close_instance(struct verb_ctx *ctx, struct instance_row *i, struct troth_err *e)
{
	i->session = 0;
	i->alive_until = 0;
	verb_publish(ctx, "instance/%s", i->uuid);
	return instance_row_update(ctx->tx, i, e);
}

static troth_rc forget_targets(struct verb_ctx *ctx, int64_t first, struct troth_err *e)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(EPOCH_ARENA_BYTES);
	struct page page = { 0, EPOCH_PAGE };
	for (size_t n = EPOCH_PAGE; n == EPOCH_PAGE;) {
		struct target_row *rows;
		arena_reset(a);
		TRY(target_row_list(ctx->tx, a, page, &rows, &n, e));
		for (size_t i = 0; i < n; i++)
			TRY(forget_target(ctx, a, &rows[i], first, e));
		page.after = n ? rows[n - 1].id : page.after;
	}
	return RC_OK;
}

static troth_rc close_instances(struct verb_ctx *ctx, struct troth_err *e)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(EPOCH_ARENA_BYTES);
	struct page page = { 0, EPOCH_PAGE };
	for (size_t n = EPOCH_PAGE; n == EPOCH_PAGE;) {
		struct instance_row *rows;
		arena_reset(a);
		TRY(instance_row_list(ctx->tx, a, page, &rows, &n, e));
		for (size_t i = 0; i < n; i++)
			if (rows[i].state != INSTANCE_LEFT && rows[i].alive_until != ALIVE_ALWAYS) /* a holder has no session that could end */
				TRY(close_instance(ctx, &rows[i], e));
		page.after = n ? rows[n - 1].id : page.after;
	}
	return RC_OK;
}

static troth_rc record_epoch(struct verb_ctx *ctx, int64_t before, int64_t after, const char *why, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_int(&r.w, "epoch", after);
	jw_kv_text(&r.w, "why", why);
	return record_change(ctx, &(struct change){ .action = "server.epoch", .object = "server",
						    .before = arena_printf(ctx->a, "{\"epoch\":%lld}", (long long)before),
						    .after = record_end(&r, ctx->a) }, e);
}

troth_rc epoch_raise(struct verb_ctx *ctx, int64_t least, const char *why, struct troth_err *e)
{
	int64_t before, epoch;
	TRY(store_epoch(ctx->tx, &before, e));
	epoch = least > before ? least : before + 1;
	ENSURE(epoch < MSG_GENERATION_MAX / LIMIT_GENERATIONS, e, TROTH_INTERNAL, "epoch %lld is beyond what numbers can hold",
	       (long long)epoch);
	int64_t first = (epoch - 1) * LIMIT_GENERATIONS + 1;
	ctx->svc->touched = true;
	TRY(store_epoch_set(ctx->tx, epoch, e));
	TRY(store_sequence_raise(ctx->tx, "session", first, e));
	TRY(forget_targets(ctx, first, e));
	TRY(close_instances(ctx, e));
	TRY(record_epoch(ctx, before, epoch, why, e));
	service_drop_view(ctx->svc);
	return service_begin(ctx->svc, ctx->tx, e);
}

/* -- whose word it is ---------------------------------------------------------------------------------------- */

static bool rested(struct verb_ctx *ctx)
{
	const char *text;
	if (rc_failed(meta_get_text(ctx->tx, ctx->a, META_EPOCH_WORD, &text, NULL)))
		return true; /* the first time */
	return ctx->now - strtoll(text, NULL, 10) >= LIMIT_EPOCH_REST_S * MSEC_S;
}

troth_rc epoch_word(struct verb_ctx *ctx, const struct instance_row *instance, int64_t generation, bool *ret_raised,
		    struct troth_err *e)
{
	*ret_raised = rested(ctx);
	if (!*ret_raised)
		return RC_OK;
	TRY(meta_put_text(ctx->tx, META_EPOCH_WORD, arena_printf(ctx->a, "%lld", (long long)ctx->now), e));
	return epoch_raise(ctx, 0, arena_printf(ctx->a, "%s has generation %lld, which this database never gave out: it is older "
						"than its fleet", instance->name, (long long)generation), e);
}

/* The note is newer than the database: somebody put a backup in its place. */
static bool note_is_newer(const struct epoch_cmd *cmd, int64_t epoch, int64_t audit_seq)
{
	return cmd->epoch > epoch || cmd->audit_seq > audit_seq;
}

static troth_rc epoch_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct epoch_cmd *cmd = arg;
	struct epoch_ret *ret = out;
	uint8_t hash[SHA256_LEN];
	TRY(store_epoch(ctx->tx, &ret->epoch, e));
	TRY(audit_last(ctx->tx, &ret->audit_seq, hash, e));
	ret->raised = note_is_newer(cmd, ret->epoch, ret->audit_seq);
	if (!ret->raised)
		return RC_OK;
	TRY(epoch_raise(ctx, (cmd->epoch > ret->epoch ? cmd->epoch : ret->epoch) + 1,
			arena_printf(ctx->a, "the database ends at audit row %lld of epoch %lld, and the server had noted row %lld of "
				     "epoch %lld: it was restored from a backup", (long long)ret->audit_seq, (long long)ret->epoch,
				     (long long)cmd->audit_seq, (long long)cmd->epoch), e));
	TRY(store_epoch(ctx->tx, &ret->epoch, e));
	return audit_last(ctx->tx, &ret->audit_seq, hash, e);
}

const struct verb VERB_EPOCH = { "server.epoch", VERB_WRITE, ROLE_SYSTEM, sizeof(struct epoch_cmd), sizeof(struct epoch_ret), NULL, epoch_run };
