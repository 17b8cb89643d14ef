/* Acts of the engine into rows: the only place where a decision becomes a document.
 *
 * Each act writes its rows, then the target is told to the view again from those rows, so that the view
 * cannot know anything that the archive does not.  One audit row and one event a batch: a step on a
 * large fleet is one thought, not a hundred thousand. */
#include "service/runner/acts.h"

#include "service/outside/binding.h"
#include "service/ca/issue.h"
#include "service/fleet/leave.h"
#include "service/fleet/target.h"
#include "service/ca/own.h"
#include "service/record.h"

enum { ACTS_NAMED = 20 }; /* targets named in the audit of a batch; the rest is counted */

static void tell_dropped(struct verb_ctx *ctx, int64_t target, int64_t generation)
{
	struct fact f = { .kind = FACT_DROPPED, .dropped = { target, generation } };
	(void)view_apply(ctx->svc->view, &f); /* false: the view had dropped it already */
}

static troth_rc wake(struct verb_ctx *ctx, int64_t instance_id, struct troth_err *e)
{
	struct instance_row i;
	TRY(instance_row_get(ctx->tx, ctx->a, instance_id, &i, e));
	verb_publish(ctx, "instance/%s", i.uuid);
	return RC_OK;
}

/* -- documents ------------------------------------------------------------------------------------ */

/* One that was never handed out is gone as if it had never been. */
static troth_rc replace(struct verb_ctx *ctx, int64_t target, int64_t generation, struct troth_err *e)
{
	struct document_row d;
	if (!generation)
		return RC_OK;
	TRY(document_row_by_generation(ctx->tx, ctx->a, target, generation, &d, e));
	ENSURE(!d.handed_at, e, TROTH_INTERNAL, "document %lld of target %lld was handed out and cannot be replaced",
	       (long long)generation, (long long)target);
	d.state = DOCUMENT_REPLACED;
	TRY(document_row_update(ctx->tx, &d, e));
	tell_dropped(ctx, target, generation);
	return RC_OK;
}

static troth_rc send(struct verb_ctx *ctx, const struct act *act, const struct content_row *content,
		     int64_t *ret_generation, struct troth_err *e)
{
	struct target_row t;
	TRY(replace(ctx, act->target, act->replaces, e));
	TRY(target_row_get(ctx->tx, ctx->a, act->target, &t, e));
	struct document_row d = { .target_id = t.id, .generation = t.next_generation++, .content_id = content->id,
				  .version_id = content->version_id, .state = DOCUMENT_PENDING, .created = ctx->now };
	TRY(document_row_insert(ctx->tx, &d, e));
	*ret_generation = d.generation;
	TRY(target_row_update(ctx->tx, &t, e));
	TRY(facts_content(ctx->tx, ctx->a, ctx->svc->view, content->id, e));
	TRY(facts_target(ctx->tx, ctx->a, ctx->svc->view, t.id, e));
	return wake(ctx, t.instance_id, e);
}

static troth_rc send_set(struct verb_ctx *ctx, const struct act *act, struct troth_err *e)
{
	struct content_row content = { .kind = CONTENT_SET };
	int64_t generation;
	content.certs.items = arena_copy(ctx->a, act->certs.items, act->certs.count * sizeof(int64_t));
	content.certs.count = act->certs.count;
	TRY(content_row_put(ctx->tx, &content, e));
	TRY(send(ctx, act, &content, &generation, e));
	TRY(own_offered(ctx, act->target, generation, e));
	return binding_offered(ctx, act->target, generation, e);
}

/* The same leaf with the cross certificate behind it, or without: another chain, so another content. */
static troth_rc in_form(struct verb_ctx *ctx, enum chain_form form, struct content_row *content, struct troth_err *e)
{
	struct version_row leaf;
	if (form == CHAIN_AS_IS)
		return RC_OK;
	TRY(version_row_get(ctx->tx, ctx->a, content->version_id, &leaf, e));
	struct content_row other = { .kind = CONTENT_CHAIN, .version_id = leaf.id };
	TRY(form == CHAIN_BRIDGED ? issue_chain_bridged(ctx->tx, ctx->a, &leaf, &other.certs, e)
				  : issue_chain(ctx->tx, ctx->a, &leaf, &other.certs, e));
	TRY(content_row_put(ctx->tx, &other, e));
	*content = other;
	return RC_OK;
}

static troth_rc send_chain(struct verb_ctx *ctx, const struct act *act, struct troth_err *e)
{
	struct content_row content;
	int64_t generation;
	struct fact off = { .kind = FACT_STAGED, .staged = { act->target, act->chain, false } };
	TRY(content_row_get(ctx->tx, ctx->a, act->chain, &content, e));
	TRY(staged_row_delete(ctx->tx, act->target, act->chain, e));
	TRY(in_form(ctx, act->form, &content, e));
	TRY(send(ctx, act, &content, &generation, e));
	(void)view_apply(ctx->svc->view, &off); /* false: it was not staged there (a chain sent again) */
	return RC_OK;
}

/* It was never handed out: as if it had not been decided.  A chain waits for its slot again. */
static troth_rc take_back(struct verb_ctx *ctx, const struct act *act, struct troth_err *e)
{
	struct document_row d;
	TRY(document_row_by_generation(ctx->tx, ctx->a, act->target, act->replaces, &d, e));
	TRY(replace(ctx, act->target, act->replaces, e));
	if (d.version_id) {
		struct version_row version;
		TRY(version_row_get(ctx->tx, ctx->a, d.version_id, &version, e));
		struct staged_row row = { .target_id = d.target_id, .content_id = d.content_id, .version_id = d.version_id,
					  .csr_request = version.source == VERSION_CSR ? version.uuid : NULL, .created = ctx->now };
		TRY(staged_row_put(ctx->tx, &row, e));
	}
	return facts_target(ctx->tx, ctx->a, ctx->svc->view, act->target, e);
}

/* -- keys ------------------------------------------------------------------------------------------- */

/* The keeper makes the key: an effect after the commit. */
static troth_rc promise_seal(struct verb_ctx *ctx, const struct target_row *t, struct troth_err *e)
{
	struct outbox_row row = { .kind = EFFECT_SEAL, .created = ctx->now, .due = ctx->now };
	row.body = arena_printf(ctx->a, "{\"target\":%lld,\"request\":\"%s\"}", (long long)t->id, t->csr_request);
	ctx->svc->effects = true;
	return outbox_put(ctx->tx, &row, e);
}

static troth_rc ask(struct verb_ctx *ctx, const struct act *act, struct troth_err *e)
{
	struct target_row t;
	struct template_row template;
	char *request = arena_alloc(ctx->a, UUID_LEN);
	TRY(target_row_get(ctx->tx, ctx->a, act->target, &t, e));
	TRY(template_row_get(ctx->tx, ctx->a, t.template_id, &template, e));
	verb_uuid(ctx, request);
	t.csr_request = request;
	t.csr_ca = act->ca;
	TRY(target_row_update(ctx->tx, &t, e));
	TRY(facts_target(ctx->tx, ctx->a, ctx->svc->view, t.id, e));
	if (template.key_source == KEY_SOURCE_KEEPER)
		return promise_seal(ctx, &t, e);
	return wake(ctx, t.instance_id, e);
}

/* -- labels and ends ---------------------------------------------------------------------------------- */

static troth_rc move_label(struct verb_ctx *ctx, const struct act *act, struct troth_err *e)
{
	TRY(version_row_set_signing(ctx->tx, act->authority, act->ca, e));
	TRY(own_wake(ctx, act->authority, e));
	return facts_credential(ctx->tx, ctx->a, ctx->svc->view, act->authority, e);
}

static troth_rc retire(struct verb_ctx *ctx, const struct act *act, struct troth_err *e)
{
	struct version_row v;
	TRY(version_row_get(ctx->tx, ctx->a, act->ca, &v, e));
	v.retired_at = ctx->now;
	TRY(version_row_update(ctx->tx, &v, e));
	return facts_credential(ctx->tx, ctx->a, ctx->svc->view, act->authority, e);
}

/* The keeper makes the next version: an effect after the commit, the same verb that an operator uses. */
static troth_rc order_rotation(struct verb_ctx *ctx, const struct act *act, struct troth_err *e)
{
	struct version_row v;
	struct outbox_row row = { .kind = EFFECT_ROTATE, .created = ctx->now, .due = ctx->now };
	TRY(version_row_get(ctx->tx, ctx->a, act->ca, &v, e));
	v.renewing = ctx->now;
	TRY(version_row_update(ctx->tx, &v, e));
	row.body = arena_printf(ctx->a, "{\"version\":%lld}", (long long)v.id);
	ctx->svc->effects = true;
	TRY(outbox_put(ctx->tx, &row, e));
	return facts_credential(ctx->tx, ctx->a, ctx->svc->view, act->authority, e);
}

static troth_rc admit(struct verb_ctx *ctx, const struct act *act, struct troth_err *e)
{
	struct target_row t;
	TRY(target_row_get(ctx->tx, ctx->a, act->target, &t, e));
	t.state = TARGET_COUNTED;
	TRY(target_row_update(ctx->tx, &t, e));
	return facts_target(ctx->tx, ctx->a, ctx->svc->view, t.id, e);
}

/* Its lease is over, or what it served has expired: nobody has to say so. */
static troth_rc leave(struct verb_ctx *ctx, const struct act *act, struct troth_err *e)
{
	struct target_row t;
	TRY(target_row_get(ctx->tx, ctx->a, act->target, &t, e));
	TRY(leave_target(ctx, &t, e));
	TRY(leave_if_empty(ctx, t.instance_id, e));
	return verb_apply_changes(ctx, e);
}

static troth_rc apply_one(struct verb_ctx *ctx, const struct act *act, struct troth_err *e)
{
	switch (act->kind) {
	case ACT_SEND_SET:    return send_set(ctx, act, e);
	case ACT_SEND_CHAIN:  return send_chain(ctx, act, e);
	case ACT_ASK:         return ask(ctx, act, e);
	case ACT_SIGNING:     return move_label(ctx, act, e);
	case ACT_RETIRE_DONE: return retire(ctx, act, e);
	case ACT_ADMIT:       return admit(ctx, act, e);
	case ACT_TAKE_BACK:   return take_back(ctx, act, e);
	case ACT_LEAVE:       return leave(ctx, act, e);
	case ACT_ROTATE:      return order_rotation(ctx, act, e);
	}
	return err_set(e, TROTH_INTERNAL, "the engine planned an unknown act: %d", (int)act->kind);
}

/* -- the story ------------------------------------------------------------------------------------------- */

static troth_rc record_targets(struct verb_ctx *ctx, struct record *r, const struct act *acts, size_t n, struct troth_err *e)
{
	jw_kv_int(&r->w, "count", (int64_t)n);
	jw_key(&r->w, "targets");
	jw_array(&r->w);
	for (size_t i = 0; i < n && i < ACTS_NAMED; i++) {
		const char *name;
		TRY(target_name_by_id(ctx, acts[i].target, &name, e));
		jw_text(&r->w, name);
	}
	jw_array_end(&r->w);
	return RC_OK;
}

static troth_rc authority_name(struct verb_ctx *ctx, int64_t id, const char **ret, struct troth_err *e)
{
	struct credential_row c;
	*ret = NULL;
	if (!id)
		return RC_OK;
	TRY(credential_row_get(ctx->tx, ctx->a, id, &c, e));
	*ret = c.name;
	return RC_OK;
}

static troth_rc record_version(struct verb_ctx *ctx, struct record *r, int64_t ca, struct troth_err *e)
{
	struct version_row v;
	TRY(version_row_get(ctx->tx, ctx->a, ca, &v, e));
	jw_kv_text(&r->w, "version", v.uuid);
	return RC_OK;
}

/* Acts of one kind are one audit row; labels and ends are one each. */
static troth_rc record_run(struct verb_ctx *ctx, const struct act *acts, size_t n, struct troth_err *e)
{
	struct record r;
	struct change c = { .action = arena_printf(ctx->a, "engine.%s", act_kind_name(acts[0].kind)) };
	TRY(authority_name(ctx, acts[0].authority, &c.object, e));
	record_begin(&r);
	troth_rc rc = acts[0].target ? record_targets(ctx, &r, acts, n, e) : record_version(ctx, &r, acts[0].ca, e);
	c.after = record_end(&r, ctx->a);
	TRY(rc);
	return record_change(ctx, &c, e);
}

/* Who was left out at a deadline: one row for each slot, with the names (rule D). */
static troth_rc record_shed(struct verb_ctx *ctx, const struct act *act, struct troth_err *e)
{
	struct record r;
	struct change c = { .action = "engine.shed" };
	const char *slot, *names[ACTS_NAMED];
	size_t n = act->shed.count < ACTS_NAMED ? act->shed.count : ACTS_NAMED;
	TRY(authority_name(ctx, act->authority, &c.object, e));
	TRY(target_name_by_id(ctx, act->target, &slot, e));
	for (size_t i = 0; i < n; i++)
		TRY(target_name_by_id(ctx, act->shed.items[i], &names[i], e));
	record_begin(&r);
	jw_kv_text(&r.w, "target", slot);
	jw_kv_time(&r.w, "would_have_broken", act->deadline);
	jw_kv_int(&r.w, "count", (int64_t)act->shed.count);
	jw_key(&r.w, "left_out");
	jw_array(&r.w);
	for (size_t i = 0; i < n; i++)
		jw_text(&r.w, names[i]);
	jw_array_end(&r.w);
	c.after = record_end(&r, ctx->a);
	return record_change(ctx, &c, e);
}

static troth_rc record_batch(struct verb_ctx *ctx, const struct plan *plan, struct troth_err *e)
{
	for (size_t i = 0, n; i < plan->act_count; i += n) {
		const struct act *first = &plan->acts[i];
		for (n = 1; i + n < plan->act_count && first->target; n++)
			if (plan->acts[i + n].kind != first->kind || plan->acts[i + n].authority != first->authority)
				break;
		TRY(record_run(ctx, first, n, e));
	}
	return RC_OK;
}

troth_rc acts_apply(struct verb_ctx *ctx, const struct plan *plan, struct troth_err *e)
{
	for (size_t i = 0; i < plan->act_count; i++) {
		TRY(apply_one(ctx, &plan->acts[i], e));
		if (plan->acts[i].shed.count)
			TRY(record_shed(ctx, &plan->acts[i], e));
	}
	return record_batch(ctx, plan, e);
}
