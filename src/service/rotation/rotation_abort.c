/* Abort: the goal is flipped back, and nothing else; the engine walks back by the same rules as forward.
 *
 *     rotate           wanted {2}, before {1}            abort   wanted {1}; 2 leaves when nobody needs it
 *     rotate --again   wanted {3}, before {2}            abort   wanted {2}: the rotation to 2 goes on
 *     --compromised    wanted {2}, distrusted {1}        abort   refused: distrust is not taken back
 *
 * The intermediates below go back with it; one that was rotated since is signed once more (hierarchy.h).
 * Of a leaf, what was asked for and has not come is asked for no more; what was sent is as good as the
 * one before. */
#include "service/ca/hierarchy.h"
#include "service/ca/renewal.h"
#include "service/intake/external_ca.h"
#include "service/record.h"
#include "service/rotation/census.h"
#include "service/rotation/foresee.h"
#include "service/rotation/rotation_rows.h"

/* -- an authority ------------------------------------------------------------------------------------ */

/* It could be trusted again.  That it has left everywhere is no hindrance: it comes back as a new one comes.
 * But the CA that signed it must be wanted: an intermediate hangs on the goal of the one above. */
static troth_rc is_alive(struct verb_ctx *ctx, const struct version_row *v, bool *ret, struct troth_err *e)
{
	struct cert_row cert;
	struct version_row issuer = { .wanted = true };
	TRY(cert_row_get(ctx->tx, ctx->a, v->cert_id, &cert, e));
	if (v->signed_by)
		TRY(version_row_get(ctx->tx, ctx->a, v->signed_by, &issuer, e));
	*ret = !v->distrusted && issuer.wanted && cert.not_after > ctx->now;
	return RC_OK;
}

static troth_rc want(struct verb_ctx *ctx, int64_t id, bool on, struct troth_err *e)
{
	struct version_row v;
	TRY(version_row_get(ctx->tx, ctx->a, id, &v, e));
	v.wanted = on;
	v.renewing = 0;
	if (on) {
		v.retired_at = 0;
		TRY(renewal_postpone(ctx, &v, e));
	}
	return version_row_update(ctx->tx, &v, e);
}

/* What was wanted before it, as far as that lives. */
static troth_rc versions_before(struct verb_ctx *ctx, const struct rotation_row *row, struct id_list *ret,
				struct troth_err *e)
{
	*ret = (struct id_list){ ARENA_ARRAY(ctx->a, int64_t, row->wanted_before.count + 1), 0 };
	for (size_t i = 0; i < row->wanted_before.count; i++) {
		struct version_row v;
		bool alive;
		TRY(version_row_get(ctx->tx, ctx->a, row->wanted_before.items[i], &v, e));
		TRY(is_alive(ctx, &v, &alive, e));
		if (alive)
			ret->items[ret->count++] = v.id;
	}
	return RC_OK;
}

static troth_rc refuse_late(const struct credential_row *c, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s has no old version to go back to: it expired or is distrusted", c->name);
	err_hint(e, "let the rotation end; if its new version is wrong, make another: troth rotate %s --again", c->name);
	err_object(e, "%s", c->name);
	return rc;
}

/* A rotation that this one took the place of, and whose version is wanted again, goes on: as a new
 * operation, for the old one was said to be over. */
static troth_rc resume_one(struct verb_ctx *ctx, struct rotation_row *row, int64_t also_old, const char *name,
			   struct troth_err *e)
{
	struct operation_row op = { .uuid = verb_uuid_text(ctx), .kind = "rotation", .object = name, .state = OPERATION_RUNNING,
				    .started_by = ctx->who->name, .created = ctx->now, .updated = ctx->now };
	TRY(operation_row_insert(ctx->tx, &op, e));
	int64_t *olds = ARENA_ARRAY(ctx->a, int64_t, row->old_versions.count + 1);
	for (size_t i = 0; i < row->old_versions.count; i++)
		olds[i] = row->old_versions.items[i];
	olds[row->old_versions.count] = also_old;
	row->old_versions = (struct id_list){ olds, row->old_versions.count + 1 };
	row->state = ROTATION_RUNNING;
	row->superseded_by = row->finished = 0;
	row->operation_id = op.id;
	verb_changed(ctx, CHANGED_ROTATION, row->id);
	verb_publish(ctx, "rotation/%s", row->uuid);
	return rotation_row_update(ctx->tx, row, e);
}

static troth_rc resume_superseded(struct verb_ctx *ctx, const struct rotation_row *by, const struct kin *kin,
				  const struct id_list *wanted, int64_t also_old, struct troth_err *e)
{
	struct rotation_row *rows;
	size_t n;
	TRY(rotation_row_list_credential(ctx->tx, ctx->a, kin->credential.id, PAGE_ALL, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; rows[i].superseded_by == by->id && k < wanted->count; k++)
			if (wanted->items[k] == rows[i].new_version) {
				TRY(resume_one(ctx, &rows[i], also_old, kin->credential.name, e));
				break;
			}
	return RC_OK;
}

/* What an abort does to the goals: of the authority and of all below it. */
struct abort_plan {
	struct rotation_row row;
	bool waits;             /* for a certificate that somebody else signs: no goal was flipped yet */
	struct credential_row credential;
	struct id_list before;
	struct hierarchy hierarchy;
};

static troth_rc plan_authority(struct verb_ctx *ctx, struct abort_plan *plan, struct troth_err *e)
{
	TRY(versions_before(ctx, &plan->row, &plan->before, e));
	if (plan->before.count == 0)
		return refuse_late(&plan->credential, e);
	int64_t newest = plan->before.items[plan->before.count - 1];
	return hierarchy_plan(ctx, &plan->credential, newest, &plan->row, &plan->hierarchy, e);
}

/* Its own goal: all that a dry run flips, for what is below may have to be made. */
static troth_rc flip_goal(struct verb_ctx *ctx, const struct abort_plan *plan, struct troth_err *e)
{
	if (plan->row.new_version)
		TRY(want(ctx, plan->row.new_version, false, e));
	for (size_t i = 0; i < plan->before.count; i++)
		TRY(want(ctx, plan->before.items[i], true, e));
	return RC_OK;
}

static troth_rc flip_below(struct verb_ctx *ctx, struct abort_plan *plan, struct troth_err *e)
{
	struct hierarchy *h = &plan->hierarchy;
	TRY(hierarchy_write(ctx, h, &plan->row, true, e));
	TRY(resume_superseded(ctx, &plan->row, &h->items[0], &plan->before, plan->row.new_version, e));
	for (size_t i = 1; i < h->count; i++) {
		struct id_list next = { &h->items[i].next.id, 1 };
		TRY(resume_superseded(ctx, &plan->row, &h->items[i], &next, h->items[i].now.id, e));
	}
	return RC_OK;
}

/* -- a leaf -------------------------------------------------------------------------------------------- */

/* Nothing is asked for any more, and what came and was not sent is forgotten. */
static troth_rc forget_request(struct verb_ctx *ctx, struct target_row *t, struct troth_err *e)
{
	struct staged_row *staged;
	size_t n;
	TRY(staged_row_list_target(ctx->tx, ctx->a, t->id, &staged, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(staged_row_delete(ctx->tx, t->id, staged[i].content_id, e));
	t->csr_request = NULL;
	t->csr_ca = 0;
	verb_changed(ctx, CHANGED_TARGET, t->id);
	return target_row_update(ctx->tx, t, e);
}

static troth_rc flip_leaf(struct verb_ctx *ctx, const struct rotation_row *row, const struct credential_row *c,
			  struct troth_err *e)
{
	struct target_row *targets;
	size_t n;
	for (size_t i = 0; i < row->old_versions.count; i++) {
		struct version_row v;
		struct cert_row cert;
		TRY(version_row_get(ctx->tx, ctx->a, row->old_versions.items[i], &v, e));
		TRY(cert_row_get(ctx->tx, ctx->a, v.cert_id, &cert, e));
		TRY(renewal_of_version(ctx->tx, ctx->a, c, &cert, &v, e));
		TRY(version_row_update(ctx->tx, &v, e));
	}
	TRY(target_row_list_credential(ctx->tx, ctx->a, c->id, &targets, &n, e));
	for (size_t i = 0; i < n; i++)
		if (targets[i].state != TARGET_LEFT)
			TRY(forget_request(ctx, &targets[i], e));
	verb_changed(ctx, CHANGED_CREDENTIAL, c->id);
	return RC_OK;
}

/* -- the verb -------------------------------------------------------------------------------------------- */

static troth_rc refuse_emergency(const struct credential_row *c, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_UNSAFE, "%s was distrusted as compromised; that is not taken back", c->name);
	err_hint(e, "let it end; if the new version is wrong too, make another: troth rotate %s --again", c->name);
	err_object(e, "%s", c->name);
	return rc;
}

static troth_rc cancel_operation(struct verb_ctx *ctx, const struct rotation_row *row, struct troth_err *e)
{
	struct operation_row op;
	TRY(operation_row_get(ctx->tx, ctx->a, row->operation_id, &op, e));
	op.state = OPERATION_CANCELLED;
	op.updated = op.finished = ctx->now;
	op.waits_for = NULL;
	op.result = "{\"text\":\"aborted; what was introduced leaves again as soon as nobody needs it\"}";
	verb_publish(ctx, "operation/%s", op.uuid);
	return operation_row_update(ctx->tx, &op, e);
}

static troth_rc plan_abort(struct verb_ctx *ctx, const struct rotation_cmd *cmd, struct abort_plan **ret, struct troth_err *e)
{
	struct abort_plan *plan = ARENA_NEW(ctx->a, struct abort_plan);
	TRY(rotation_find(ctx, cmd->id, &plan->row, &plan->credential, e));
	*ret = plan;
	if (plan->row.state == ROTATION_ABORTED)
		return RC_OK;
	if (!rotation_is_open(&plan->row))
		return rotation_refuse_over(&plan->row, &plan->credential, e);
	TRY(external_waits(ctx->tx, ctx->a, &plan->row, &plan->waits, e));
	if (plan->row.distrusted.count)
		return refuse_emergency(&plan->credential, e);
	if (plan->waits)
		return RC_OK;
	return plan->credential.kind == CREDENTIAL_AUTHORITY ? plan_authority(ctx, plan, e) : RC_OK;
}

static troth_rc abort_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	struct abort_plan *plan = ctx->plan;
	if (!plan)
		TRY(plan_abort(ctx, arg, &plan, e));
	ctx->plan = plan;
	return ctx->options.dry_run ? RC_OK : hierarchy_ask(ctx, &plan->hierarchy, e);
}

/* The key that was made for it is forgotten. */
static troth_rc forget_certificate(struct verb_ctx *ctx, int64_t credential_id, struct troth_err *e)
{
	struct ca_request_row request;
	bool waits;
	TRY(ca_request_row_of(ctx->tx, ctx->a, credential_id, &request, &waits, e));
	return waits ? external_forget(ctx, &request, e) : RC_OK;
}

static troth_rc flip_back(struct verb_ctx *ctx, struct abort_plan *plan, struct troth_err *e)
{
	if (plan->waits)
		return forget_certificate(ctx, plan->credential.id, e);
	if (plan->credential.kind == CREDENTIAL_LEAF)
		return flip_leaf(ctx, &plan->row, &plan->credential, e);
	TRY(flip_goal(ctx, plan, e));
	return ctx->options.dry_run ? RC_OK : flip_below(ctx, plan, e);
}

/* A dry run: what would be done first, and who would be waited for. */
static troth_rc foresee_abort(struct verb_ctx *ctx, const struct plan *before, const struct credential_row *c,
			      struct rotation_ret *ret, struct troth_err *e)
{
	struct rotate_ret census = { 0 };
	TRY(census_take(ctx, c, &census, e));
	ret->waiting = census.waiting;
	ret->waiting_count = census.waiting_count;
	return foresee_after(ctx, before, &ret->next, e);
}

static troth_rc abort_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct rotation_ret *ret = out;
	struct abort_plan *plan = ctx->plan, *now;
	struct plan before;
	TRY(plan_abort(ctx, arg, &now, e));
	struct rotation_row *row = &plan->row;
	struct credential_row *c = &now->credential;
	if (now->row.state == ROTATION_ABORTED)
		return rotation_view_load(ctx, &now->row, &ret->rotation, e);
	ctx->retry = row->id != now->row.id || plan->waits != now->waits || !hierarchy_same(&plan->hierarchy, &now->hierarchy);
	if (ctx->retry)
		return RC_OK;
	*row = now->row; /* as the writer sees it */
	if (ctx->options.dry_run)
		foresee_before(ctx, &before);
	TRY(flip_back(ctx, plan, e));
	const char *was = ROTATION_STATE_NAMES[row->state];
	row->state = ROTATION_ABORTED;
	row->finished = ctx->now;
	TRY(rotation_row_update(ctx->tx, row, e));
	if (c->paused) {
		c->paused = false;
		TRY(credential_row_update(ctx->tx, c, e));
	}
	TRY(cancel_operation(ctx, row, e));
	TRY(rotation_record(ctx, "rotation.abort", row, c, was, e));
	TRY(rotation_view_load(ctx, row, &ret->rotation, e));
	return ctx->options.dry_run ? foresee_abort(ctx, &before, c, ret, e) : RC_OK;
}

const struct verb VERB_ROTATION_ABORT = {
	.name = "rotation.abort", .kind = VERB_WRITE, .roles = ROLES_CHANGE,
	.cmd_size = sizeof(struct rotation_cmd), .ret_size = sizeof(struct rotation_ret), .prepare = abort_prepare, .run = abort_run,
};
