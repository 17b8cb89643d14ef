/* The engine run ahead, in names.  See forecast.h; what runs is engine/forecast.c. */
#include "service/rotation/forecast.h"

#include "service/inside.h"
#include "service/record.h"

#define FORECAST_DAYS 90

static const char *const ASSUMPTIONS[] = {
	"every node that is heard of now stays so, and settles what it is sent within its usual time",
	"nodes that are silent now stay silent",
	"certificates are renewed by themselves, with the lives they have now",
	"nobody changes a goal, a policy or a deployment",
};

/* -- in names ----------------------------------------------------------------------------------- */

/* A moment as the row of a wait: explain knows how to name that. */
static troth_rc name_moment(struct verb_ctx *ctx, const struct moment *m, struct foreseen *ret, struct troth_err *e)
{
	struct record r;
	bool cause = m->kind == MOMENT_ENDING || m->kind == MOMENT_BREAKS;
	record_begin(&r);
	jw_kv_text(&r.w, "reason", m->reason ? wait_reason_name(m->reason) : "");
	jw_kv_int(&r.w, "other_target", m->other_target);
	jw_kv_int(&r.w, "count", (int64_t)m->count);
	if (cause) {
		jw_kv_text(&r.w, "cause", wait_reason_name(m->reason));
		jw_kv_int(&r.w, "breaks", m->kind == MOMENT_BREAKS ? m->at : m->breaks);
	}
	struct wait_row row = { .authority_id = m->authority, .target_id = m->target, .body = record_end(&r, ctx->a) };
	*ret = (struct foreseen){ .kind = moment_kind_name(m->kind), .at = m->at, .last = m->last };
	TRY(explain_row(ctx->tx, ctx->a, &row, &ret->x, e));
	ret->x.text = m->reason ? wait_reason_text(m->reason) : "";
	return RC_OK;
}

static const char *target_of(struct arena *a, const char *instance, const char *target)
{
	return instance ? arena_printf(a, "%s/%s", instance, target) : NULL;
}

static const char *renewal_sentence(struct arena *a, const struct foreseen *f)
{
	const char *slot = target_of(a, f->x.instance, f->x.target), *authority = f->x.authority ? f->x.authority : "an authority";
	if (f->x.count == 1 && slot)
		return arena_printf(a, "%s gets its next certificate of %s", slot, authority);
	return arena_printf(a, "%lld slots get their next certificate of %s", (long long)f->x.count, authority);
}

static const char *shed_sentence(struct arena *a, const struct foreseen *f)
{
	const char *more = f->x.count > 1 ? arena_printf(a, " and %lld more", (long long)(f->x.count - 1)) : "";
	return arena_printf(a, "%s%s would be left out, so that %s can switch before its end",
			    target_of(a, f->x.other_instance, f->x.other_target), more, target_of(a, f->x.instance, f->x.target));
}

static const char *sentence_of(struct arena *a, const struct foreseen *f, enum moment_kind kind)
{
	switch (kind) {
	case MOMENT_RENEWAL:  return renewal_sentence(a, f);
	case MOMENT_ROTATION: return arena_printf(a, "a rotation of %s begins by itself", f->x.authority);
	case MOMENT_ROTATED:  return arena_printf(a, "the old version of %s is gone everywhere", f->x.authority);
	case MOMENT_SHED:     return shed_sentence(a, f);
	case MOMENT_WAIT: case MOMENT_ENDING: case MOMENT_BREAKS: case MOMENT_KIND_MAX: break;
	}
	return explain_plain(a, &f->x);
}

/* -- about what was asked for ---------------------------------------------------------------------- */

static troth_rc presents(struct verb_ctx *ctx, int64_t target, int64_t credential, bool *ret, struct troth_err *e)
{
	struct target_row t;
	*ret = false;
	if (!target || !credential)
		return RC_OK;
	TRY(target_row_get(ctx->tx, ctx->a, target, &t, e));
	*ret = t.credential_id == credential;
	return RC_OK;
}

static troth_rc tell_all(struct verb_ctx *ctx, const struct forecast *f, const char *name, int64_t credential,
			 struct forecast_ret *ret, struct troth_err *e)
{
	ret->items = ARENA_ARRAY(ctx->a, struct foreseen, f->count + 1);
	for (size_t i = 0; i < f->count; i++) {
		struct foreseen *item = &ret->items[ret->count];
		bool shows;
		TRY(name_moment(ctx, &f->moments[i], item, e));
		TRY(presents(ctx, f->moments[i].target, credential, &shows, e));
		if (!explain_visible(ctx->who, &item->x) || (!shows && !explain_is_about(ctx->a, &item->x, name)))
			continue;
		item->sentence = sentence_of(ctx->a, item, f->moments[i].kind);
		ret->count++;
	}
	return RC_OK;
}

/* -- the verb ------------------------------------------------------------------------------------------ */

static troth_rc horizon(const struct verb_ctx *ctx, const struct forecast_cmd *cmd, msec_t *ret, struct troth_err *e)
{
	*ret = cmd->until ? cmd->until : ctx->now + (cmd->length ? cmd->length : FORECAST_DAYS * MSEC_DAY);
	if (*ret > ctx->now && *ret <= ctx->now + LIMIT_FORECAST_DAYS * MSEC_DAY)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, *ret > ctx->now ? "that is more than %d days ahead" : "until lies in the past",
			      LIMIT_FORECAST_DAYS);
	err_hint(e, "name a later day, such as 2027-06-01, or a length, such as 90d");
	return rc;
}

static troth_rc run_ahead(struct verb_ctx *ctx, struct view *view, msec_t until, struct forecast *ret, struct troth_err *e)
{
	static const struct engine_policy policy = { 0 };
	TRY(facts_rebuild(ctx->tx, view, e));
	engine_forecast(view, &policy, ctx->now, until, ctx->a, ret);
	return RC_OK;
}

static troth_rc forecast_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct forecast_cmd *cmd = arg;
	struct forecast_ret *ret = out;
	struct forecast f;
	int64_t credential;
	msec_t until;
	TRY(explain_check_name(ctx, cmd->name, &credential, e));
	TRY(horizon(ctx, cmd, &until, e));
	CLEANUP(view_freep) struct view *view = view_new();
	TRY(run_ahead(ctx, view, until, &f, e));
	*ret = (struct forecast_ret){ .name = cmd->name, .now = ctx->now, .until = until, .reached = f.reached, .cut = f.cut,
				      .assumptions = ASSUMPTIONS, .assumption_count = ARRAY_LEN(ASSUMPTIONS) };
	return tell_all(ctx, &f, cmd->name, credential, ret, e);
}

const struct verb VERB_FORECAST = {
	.name = "forecast", .kind = VERB_READ, .roles = ROLES_READ,
	.cmd_size = sizeof(struct forecast_cmd), .ret_size = sizeof(struct forecast_ret), .run = forecast_run,
};
