/* What a person says yes to: the rollout of an authority, and one step of one of its rotations.
 *
 * With rollout manual (of the authority, of one above it, or of a deployment that has part in it) the engine leaves each
 * step alone until it is approved, and says so in its waits.  An approval is a row of its rotation: a new goal is another rotation, and
 * begins without any.  Only a step that waits can be approved, so nobody approves what nobody has seen. */
#include "service/ca/hierarchy.h"
#include "service/check.h"
#include "service/rotation/explain.h"
#include "service/nouns.h"
#include "service/policy/policy.h"
#include "service/policy/rollout.h"
#include "service/record.h"
#include "service/rotation/rotation_rows.h"

/* -- the steps that wait ------------------------------------------------------------------------------- */

/* What waits for an approval in this rotation, by step. */
struct asked {
	bool waits[APPROVAL_WITHDRAW + 1];
	const char **what[APPROVAL_WITHDRAW + 1]; /* sentences, LIMIT_PAGE at most */
	size_t count[APPROVAL_WITHDRAW + 1];
};

/* The steps that this rotation holds up for the authority.  What another one holds up everywhere is that one's first. */
static troth_rc left_of(struct verb_ctx *ctx, const struct rotation_row *rotation, int64_t authority_id, unsigned *ret, struct troth_err *e)
{
	struct rollout_hold *holds;
	size_t n;
	struct rollout_hold own = { 0 };
	unsigned others = 0;
	TRY(rollout_holds(ctx->tx, ctx->a, authority_id, &holds, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (holds[i].rotation.id == rotation->id)
			own = holds[i];
		else
			others |= holds[i].everywhere ? holds[i].left : 0;
	}
	*ret = own.everywhere ? own.left : own.left & ~others;
	return RC_OK;
}

static troth_rc asked_add(struct verb_ctx *ctx, const struct rotation_row *rotation, int64_t authority_id, struct asked *ret,
			  struct troth_err *e)
{
	struct wait_row *rows;
	size_t n;
	unsigned left;
	TRY(left_of(ctx, rotation, authority_id, &left, e));
	TRY(wait_row_list_authority(ctx->tx, ctx->a, authority_id, LIMIT_PAGE, &rows, &n, e));
	for (size_t i = 0; i < n && left; i++) {
		struct explained x;
		enum approval_step step;
		TRY(explain_row(ctx->tx, ctx->a, &rows[i], &x, e));
		if (!rollout_step_of(x.reason, &step) || !(left & 1u << step))
			continue;
		ret->waits[step] = true;
		if (ret->count[step] < LIMIT_PAGE)
			ret->what[step][ret->count[step]++] = explain_plain(ctx->a, &x);
	}
	return RC_OK;
}

/* The CAs below wait for its steps too. */
static troth_rc asked_load(struct verb_ctx *ctx, const struct rotation_row *rotation, struct asked *ret, struct troth_err *e)
{
	struct id_list ids;
	*ret = (struct asked){ 0 };
	TRY(hierarchy_below(ctx->tx, ctx->a, rotation->credential_id, &ids, e));
	for (int i = 0; i <= APPROVAL_WITHDRAW; i++)
		ret->what[i] = ARENA_ARRAY(ctx->a, const char *, LIMIT_PAGE);
	for (size_t i = 0; i < ids.count; i++)
		TRY(asked_add(ctx, rotation, ids.items[i], ret, e));
	return RC_OK;
}

static troth_rc refuse_nothing(const struct credential_row *c, const struct asked *asked, const char *step, struct troth_err *e)
{
	const char *other = NULL;
	for (int i = APPROVAL_WITHDRAW; i >= 0; i--)
		other = asked->waits[i] ? APPROVAL_STEP_NAMES[i] : other;
	troth_rc rc = step ? err_set(e, TROTH_CONFLICT, "step \"%.20s\" of the rotation of %s does not wait for an approval", step, c->name)
			   : err_set(e, TROTH_CONFLICT, "nothing in the rotation of %s waits for an approval", c->name);
	if (other)
		err_hint(e, "this step does: %s", other);
	else
		err_hint(e, "troth explain %s says what it waits for", c->name);
	err_object(e, "%s", c->name);
	return rc;
}

static troth_rc choose(const struct asked *asked, const struct credential_row *c, const char *step, enum approval_step *ret,
		       struct troth_err *e)
{
	for (int i = 0; i <= APPROVAL_WITHDRAW; i++) {
		if (!asked->waits[i] || (step && !text_equal(step, APPROVAL_STEP_NAMES[i])))
			continue;
		*ret = (enum approval_step)i;
		return RC_OK;
	}
	return refuse_nothing(c, asked, step, e);
}

/* -- approving ------------------------------------------------------------------------------------------- */

static troth_rc record_approval(struct verb_ctx *ctx, const struct rotation_row *rotation, const struct credential_row *c,
				const struct approve_ret *ret, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "rotation", rotation->uuid);
	jw_kv_text(&r.w, "step", ret->step);
	jw_kv_int(&r.w, "waiting", (int64_t)ret->what_count);
	struct change change = { .action = "rotation.approve", .object = c->name,
				 .topic = arena_printf(ctx->a, "rotation/%s", rotation->uuid) };
	change.after = record_end(&r, ctx->a);
	verb_changed(ctx, CHANGED_ROTATION, rotation->id);
	verb_publish(ctx, "rotation/%s", rotation->uuid);
	return record_change(ctx, &change, e);
}

static troth_rc approve_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct approve_cmd *cmd = arg;
	struct approve_ret *ret = out;
	struct rotation_row rotation;
	struct credential_row c;
	struct asked asked;
	enum approval_step step;
	TRY(rotation_find(ctx, cmd->id, &rotation, &c, e));
	if (!rotation_is_open(&rotation))
		return rotation_refuse_over(&rotation, &c, e);
	TRY(asked_load(ctx, &rotation, &asked, e));
	TRY(choose(&asked, &c, cmd->step, &step, e));
	*ret = (struct approve_ret){ .rotation = rotation.uuid, .name = c.name, .step = APPROVAL_STEP_NAMES[step],
				     .what = asked.what[step], .what_count = asked.count[step], .dry_run = ctx->options.dry_run };
	struct approval_row row = { .rotation_id = rotation.id, .step = step, .approved_by = ctx->who->name, .approved_at = ctx->now };
	TRY(approval_row_insert(ctx->tx, &row, e));
	return record_approval(ctx, &rotation, &c, ret, e);
}

/* -- of an authority ---------------------------------------------------------------------------------------- */

void authority_rollout_check(struct arena *a, const struct authority_rollout_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	if (cmd->switch_when && !text_equal(cmd->switch_when, "each") && !text_equal(cmd->switch_when, "all"))
		check_fail(&c, "$.switch", "switch", "is not when slots switch", "each (as soon as one can) or all (when all can)");
	if (cmd->rollout && !text_equal(cmd->rollout, "automatic") && !text_equal(cmd->rollout, "manual"))
		check_fail(&c, "$.rollout", "rollout", "is not a rollout", "automatic or manual");
}

static const char *rollout_json(struct verb_ctx *ctx, const struct rollout_row *row)
{
	return arena_printf(ctx->a, "{\"switch\":\"%s\",\"rollout\":\"%s\"}", row->switch_all ? "all" : "each",
			    row->manual ? "manual" : "automatic");
}

/* What waits for its rotations' steps: itself, and the CAs below. */
static troth_rc tell_all(struct verb_ctx *ctx, int64_t authority_id, struct troth_err *e)
{
	struct id_list ids;
	TRY(hierarchy_below(ctx->tx, ctx->a, authority_id, &ids, e));
	for (size_t i = 0; i < ids.count; i++)
		verb_changed(ctx, CHANGED_CREDENTIAL, ids.items[i]);
	return RC_OK;
}

static troth_rc rollout_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct authority_rollout_cmd *cmd = arg;
	struct credential_ret *ret = out;
	struct credential_row c;
	struct rollout_row row;
	authority_rollout_check(ctx->a, cmd, e);
	TRY(check_done(e));
	TRY(record_uuid("authority", cmd->id, e));
	TRY(credential_row_by_uuid(ctx->tx, ctx->a, cmd->id, &c, e));
	TRY(record_visible(ctx->who, "authority", c.name, e));
	ENSURE(c.kind == CREDENTIAL_AUTHORITY, e, TROTH_NOT_FOUND, "%s is no authority", c.name);
	TRY(record_if_match(ctx, c.name, c.rev, e));
	TRY(rollout_row_of(ctx->tx, ctx->a, c.id, &row, e));
	struct change change = { .action = "authority.rollout", .object = c.name, .before = rollout_json(ctx, &row) };
	if (cmd->switch_when)
		row.switch_all = text_equal(cmd->switch_when, "all");
	if (cmd->rollout)
		row.manual = text_equal(cmd->rollout, "manual");
	TRY(rollout_row_put(ctx->tx, &row, e));
	c.rev++;
	TRY(credential_row_update(ctx->tx, &c, e));
	TRY(tell_all(ctx, c.id, e));
	change.after = rollout_json(ctx, &row);
	TRY(record_change(ctx, &change, e));
	return credential_view_load(ctx->tx, ctx->a, &c, true, &ret->credential, e);
}

const struct verb VERB_ROTATION_APPROVE = { "rotation.approve", VERB_WRITE, ROLES_CHANGE, sizeof(struct approve_cmd),
					    sizeof(struct approve_ret), NULL, approve_run };
const struct verb VERB_AUTHORITY_ROLLOUT = { "authority.rollout", VERB_WRITE, ROLES_CHANGE, sizeof(struct authority_rollout_cmd),
					     sizeof(struct credential_ret), NULL, rollout_run };
