/* Waivers: somebody decides that an instance is waited for no longer.
 *
 *     active --waive--> waived --its agent opens a session--> active, its targets joining --> admitted
 *
 * A waived one is out of every pair, in both roles, and no report of it counts (its session is closed, and the engine
 * does not know it any more).  So a late "I trust {1}" changes nothing.  Its agent, when it comes, learns nothing
 * special: it opens a session as ever and is sent what a newcomer is sent, over a connection that rests on troth's own
 * authorities and not on the CA that was retired meanwhile. */
#include "service/fleet/waive.h"

#include "service/check.h"
#include "service/rotation/foresee.h"
#include "service/fleet/meet.h"
#include "service/fleet/target.h"
#include "service/nouns.h"
#include "service/ca/own.h"
#include "service/record.h"

/* -- who loses cover ---------------------------------------------------------------------------------- */

static troth_rc add_pair(struct verb_ctx *ctx, const struct template_row *mine, int64_t other, struct waive_ret *ret,
			 struct troth_err *e)
{
	struct template_row t;
	struct deployment_row d;
	struct waived_pair *p = &ret->pairs[ret->pair_count];
	TRY(template_row_get(ctx->tx, ctx->a, other, &t, e));
	TRY(deployment_row_get(ctx->tx, ctx->a, t.deployment_id, &d, e));
	*p = (struct waived_pair){ .target = mine->name, .deployment = d.name, .template = t.name };
	TRY(meet_count(ctx, other, &p->members, e));
	ret->pair_count += p->members > 0;
	return RC_OK;
}

/* The groups that a counted target meets. */
static troth_rc add_pairs(struct verb_ctx *ctx, const struct target_row *row, struct waive_ret *ret, struct troth_err *e)
{
	struct template_row mine;
	struct meet_row *meets;
	size_t n;
	if (row->state != TARGET_COUNTED)
		return RC_OK;
	TRY(template_row_get(ctx->tx, ctx->a, row->template_id, &mine, e));
	TRY(meet_row_list_template(ctx->tx, ctx->a, mine.id, &meets, &n, e));
	struct waived_pair *more = ARENA_ARRAY(ctx->a, struct waived_pair, ret->pair_count + n + 1);
	for (size_t i = 0; i < ret->pair_count; i++)
		more[i] = ret->pairs[i];
	ret->pairs = more;
	for (size_t i = 0; i < n; i++)
		if (meets[i].on)
			TRY(add_pair(ctx, &mine, meets[i].presenter_id == mine.id ? meets[i].verifier_id : meets[i].presenter_id,
				     ret, e));
	return RC_OK;
}

/* -- the waiver -------------------------------------------------------------------------------------------- */

static troth_rc waive_check(struct verb_ctx *ctx, const struct waive_cmd *cmd, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	if (check_present(&c, "$.reason", cmd->reason) && !cmd->reason[0])
		check_fail(&c, "$.reason", "required", "is empty", "who reads the audit later asks why");
	else if (cmd->reason && strlen(cmd->reason) > LIMIT_TEXT_BYTES)
		check_fail(&c, "$.reason", "length", "is longer than 1024 bytes", NULL);
	return check_done(e);
}

static troth_rc refuse_state(const struct instance_row *row, struct troth_err *e)
{
	troth_rc rc = row->state == INSTANCE_WAIVED
			      ? err_set(e, TROTH_CONFLICT, "instance %s is waived already", row->name)
			      : err_set(e, TROTH_CONFLICT, "instance %s is %s", row->name, INSTANCE_STATE_NAMES[row->state]);
	if (row->state == INSTANCE_WAIVED)
		err_hint(e, "it comes back when its agent does; one without an agent with: troth instance add DEPLOYMENT/%s", row->name);
	else if (row->state == INSTANCE_LEAVING)
		err_hint(e, "let it go at once with: troth instance delete %s --now", row->name);
	err_object(e, "%s", row->name);
	return rc;
}

static troth_rc waive_target(struct verb_ctx *ctx, struct target_row *row, struct waive_ret *ret, struct troth_err *e)
{
	TRY(add_pairs(ctx, row, ret, e));
	row->state = TARGET_WAIVED;
	row->csr_request = NULL;
	row->csr_ca = 0;
	TRY(staged_row_clear(ctx->tx, row->id, e));
	TRY(target_row_update(ctx->tx, row, e)); /* documents stay pending: it may hold them, and so still trust them */
	verb_changed(ctx, CHANGED_TARGET, row->id);
	return RC_OK;
}

static troth_rc waive_all(struct verb_ctx *ctx, struct waive_ret *ret, struct troth_err *e)
{
	struct instance_row *row = &ret->instance.row;
	struct target_row *targets;
	size_t n;
	TRY(target_row_list_instance(ctx->tx, ctx->a, row->id, &targets, &n, e));
	for (size_t i = 0; i < n; i++)
		if (targets[i].state != TARGET_LEFT)
			TRY(waive_target(ctx, &targets[i], ret, e));
	row->state = INSTANCE_WAIVED;
	row->session = 0; /* what it says in this one counts no more */
	TRY(instance_row_update(ctx->tx, row, e));
	verb_changed(ctx, CHANGED_INSTANCE, row->id);
	verb_publish(ctx, "instance/%s", row->uuid);
	return RC_OK;
}

static troth_rc record_waiver(struct verb_ctx *ctx, const struct waive_cmd *cmd, const struct waive_ret *ret, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "id", ret->instance.row.uuid);
	jw_kv_text(&r.w, "deployment", ret->instance.deployment);
	jw_kv_text(&r.w, "reason", cmd->reason);
	jw_kv_time(&r.w, "last_seen", ret->instance.row.last_seen);
	jw_key(&r.w, "pairs");
	jw_array(&r.w);
	for (size_t i = 0; i < ret->pair_count; i++)
		jw_text(&r.w, arena_printf(ctx->a, "%s with %lld of %s/%s", ret->pairs[i].target, (long long)ret->pairs[i].members,
					   ret->pairs[i].deployment, ret->pairs[i].template));
	jw_array_end(&r.w);
	return record_change(ctx, &(struct change){ .action = "instance.waive", .object = ret->instance.row.name, .deployment = ret->instance.row.deployment_id,
						    .topic = arena_printf(ctx->a, "instance/%s", ret->instance.row.uuid),
						    .after = record_end(&r, ctx->a) }, e);
}

static troth_rc waive_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct waive_cmd *cmd = arg;
	struct waive_ret *ret = out;
	struct instance_row *row = &ret->instance.row;
	struct deployment_row deployment;
	struct plan before;
	TRY(waive_check(ctx, cmd, e));
	TRY(record_uuid("instance", cmd->id, e));
	TRY(instance_row_by_uuid(ctx->tx, ctx->a, cmd->id, row, e));
	TRY(deployment_row_get(ctx->tx, ctx->a, row->deployment_id, &deployment, e));
	ret->instance.deployment = deployment.name;
	ret->instance.party = deployment.party;
	TRY(instance_visible(ctx->who, &deployment, e));
	if (row->state != INSTANCE_ACTIVE)
		return refuse_state(row, e);
	foresee_before(ctx, &before);
	TRY(waive_all(ctx, ret, e));
	TRY(foresee_after(ctx, &before, &ret->frees, e));
	return record_waiver(ctx, cmd, ret, e);
}

const struct verb VERB_WAIVE = { "instance.waive", VERB_WRITE, ROLES_CHANGE, sizeof(struct waive_cmd), sizeof(struct waive_ret),
				 NULL, waive_run };

/* -- coming back ---------------------------------------------------------------------------------------------- */

/* Its identity counts again when it comes for a new one: until then it may show what nobody will believe for long. */
troth_rc waive_rejoin(struct verb_ctx *ctx, struct target_row *target, struct troth_err *e)
{
	struct template_row template;
	TRY(template_row_get(ctx->tx, ctx->a, target->template_id, &template, e));
	if (own_presents(&template))
		return RC_OK;
	target->state = TARGET_JOINING;
	target->base_known = false;
	target->strange = false;
	target->base_content = 0;
	target->csr_request = NULL;
	target->csr_ca = 0;
	target->failed_content = 0;
	target->failures = 0;
	TRY(staged_row_clear(ctx->tx, target->id, e));
	TRY(document_row_void(ctx->tx, target->id, e));
	TRY(target_row_update(ctx->tx, target, e));
	verb_changed(ctx, CHANGED_TARGET, target->id);
	return RC_OK;
}

troth_rc waive_end(struct verb_ctx *ctx, struct instance_row *instance, const char *action, struct troth_err *e)
{
	struct target_row *targets;
	struct record r;
	size_t n;
	record_begin(&r);
	jw_kv_text(&r.w, "id", instance->uuid);
	jw_kv_text(&r.w, "was", INSTANCE_STATE_NAMES[instance->state]);
	const char *after = record_end(&r, ctx->a);
	TRY(target_row_list_instance(ctx->tx, ctx->a, instance->id, &targets, &n, e));
	for (size_t i = 0; i < n; i++)
		if (targets[i].state != TARGET_LEFT)
			TRY(waive_rejoin(ctx, &targets[i], e));
	instance->state = INSTANCE_ACTIVE;
	return record_change(ctx, &(struct change){ .action = action, .object = instance->name, .deployment = instance->deployment_id, .after = after,
						    .topic = arena_printf(ctx->a, "instance/%s", instance->uuid) }, e);
}
