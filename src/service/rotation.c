/* Rotations: list, show, pause, resume, abort.
 *
 * Abort flips the goal back: the version that was introduced is no longer wanted, the one that signed
 * before is wanted again.  Nothing else: the engine walks back by the same rules as forward. */
#include "service/rotation.h"

#include "service/policy.h"
#include "service/record.h"
#include "store/store.h"

/* -- look ---------------------------------------------------------------------------------------- */

static troth_rc version_uuid(struct verb_ctx *ctx, int64_t id, const char **ret, struct troth_err *e)
{
	struct version_row v;
	*ret = NULL;
	if (!id)
		return RC_OK;
	TRY(version_row_get(ctx->tx, ctx->a, id, &v, e));
	*ret = v.uuid;
	return RC_OK;
}

static troth_rc is_going_back(struct verb_ctx *ctx, const struct rotation_row *row, bool *ret, struct troth_err *e)
{
	struct version_row v;
	*ret = false;
	if (row->state != ROTATION_ABORTED || !row->new_version)
		return RC_OK;
	TRY(version_row_get(ctx->tx, ctx->a, row->new_version, &v, e));
	*ret = !v.wanted && !v.retired_at;
	return RC_OK;
}

static troth_rc view_load(struct verb_ctx *ctx, const struct rotation_row *row, struct rotation_view *ret,
			  struct troth_err *e)
{
	struct credential_row c;
	struct operation_row op;
	TRY(credential_row_get(ctx->tx, ctx->a, row->credential_id, &c, e));
	TRY(operation_row_get(ctx->tx, ctx->a, row->operation_id, &op, e));
	*ret = (struct rotation_view){
		.id = row->uuid, .name = c.name, .kind = CREDENTIAL_KIND_NAMES[c.kind],
		.state = ROTATION_STATE_NAMES[row->state], .operation = op.uuid,
		.operation_state = OPERATION_STATE_NAMES[op.state], .progress = op.progress, .waits_for = op.waits_for,
		.reason = row->reason, .started_by = row->started_by, .started = row->started,
		.finished = row->finished,
	};
	TRY(is_going_back(ctx, row, &ret->going_back, e));
	TRY(version_uuid(ctx, row->new_version, &ret->new_version, e));
	ret->old_versions = ARENA_ARRAY(ctx->a, const char *, row->old_versions.count + 1);
	for (; ret->old_count < row->old_versions.count; ret->old_count++)
		TRY(version_uuid(ctx, row->old_versions.items[ret->old_count], &ret->old_versions[ret->old_count], e));
	return RC_OK;
}

static troth_rc list_rows(struct verb_ctx *ctx, const struct rotation_list_cmd *cmd, struct rotation_row **ret_rows,
			  size_t *ret_count, struct troth_err *e)
{
	struct page page = { cmd->after, (int)cmd->limit };
	struct credential_row c;
	if (!cmd->name)
		return rotation_row_list(ctx->tx, ctx->a, page, ret_rows, ret_count, e);
	TRY(credential_row_by_name(ctx->tx, ctx->a, cmd->name, &c, e));
	return rotation_row_list_credential(ctx->tx, ctx->a, c.id, page, ret_rows, ret_count, e);
}

static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct rotation_list_cmd *cmd = arg;
	struct rotation_list_ret *ret = out;
	struct rotation_row *rows;
	size_t n, limit = cmd->limit ? (size_t)cmd->limit : LIMIT_PAGE;
	TRY(list_rows(ctx, cmd, &rows, &n, e));
	ret->items = ARENA_ARRAY(ctx->a, struct rotation_view, n + 1);
	for (size_t i = 0; i < n; i++) {
		TRY(view_load(ctx, &rows[i], &ret->items[ret->count], e));
		if (record_in_scope(ctx->who, ret->items[ret->count].name))
			ret->count++;
	}
	ret->next = n == limit ? rows[n - 1].id : 0;
	return RC_OK;
}

/* By uuid, or the newest of a credential by its name. */
static troth_rc find(struct verb_ctx *ctx, const char *id, struct rotation_row *ret, struct credential_row *ret_credential,
		     struct troth_err *e)
{
	if (id && uuid_valid(id)) {
		TRY(rotation_row_by_uuid(ctx->tx, ctx->a, id, ret, e));
		TRY(credential_row_get(ctx->tx, ctx->a, ret->credential_id, ret_credential, e));
		return record_visible(ctx->who, "rotation", ret_credential->name, e);
	}
	struct rotation_row *rows;
	size_t n;
	ENSURE(id && id[0], e, TROTH_INVALID, "which rotation?");
	TRY(record_visible(ctx->who, "rotation", id, e));
	TRY(credential_row_by_name(ctx->tx, ctx->a, id, ret_credential, e));
	TRY(rotation_row_list_credential(ctx->tx, ctx->a, ret_credential->id, PAGE_ALL, &rows, &n, e));
	ENSURE(n > 0, e, TROTH_NOT_FOUND, "%s was never rotated", id);
	*ret = rows[n - 1];
	return RC_OK;
}

static bool is_open(const struct rotation_row *r)
{
	return r->state == ROTATION_RUNNING || r->state == ROTATION_PAUSED;
}

static troth_rc show_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct rotation_cmd *cmd = arg;
	struct rotation_ret *ret = out;
	struct rotation_row row;
	struct credential_row c;
	TRY(find(ctx, cmd->id, &row, &c, e));
	if (ctx->options.wait && is_open(&row) && !ctx->last_chance) {
		ctx->hold.wanted = true;
		(void)snprintf(ctx->hold.topic, sizeof ctx->hold.topic, "rotation/%s", row.uuid);
	}
	return view_load(ctx, &row, &ret->rotation, e);
}

/* -- steer ------------------------------------------------------------------------------------------ */

static troth_rc record_steer(struct verb_ctx *ctx, const char *action, const struct rotation_row *row,
			     const struct credential_row *c, const char *before, struct troth_err *e)
{
	struct change change = { .action = action, .object = c->name,
				 .topic = arena_printf(ctx->a, "rotation/%s", row->uuid) };
	change.before = arena_printf(ctx->a, "{\"rotation\":\"%s\",\"state\":\"%s\"}", row->uuid, before);
	change.after = arena_printf(ctx->a, "{\"rotation\":\"%s\",\"state\":\"%s\"}", row->uuid,
				    ROTATION_STATE_NAMES[row->state]);
	verb_changed(ctx, CHANGED_ROTATION, row->id);
	verb_publish(ctx, "rotation/%s", row->uuid);
	return record_change(ctx, &change, e);
}

static troth_rc refuse_over(const struct rotation_row *row, const struct credential_row *c, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "the rotation of %s is %s", c->name, ROTATION_STATE_NAMES[row->state]);
	err_object(e, "%s", c->name);
	err_hint(e, "only a running or paused rotation can be steered; a new one starts with troth rotate %s", c->name);
	return rc;
}

/* Pause and resume are the same act with another sign. */
static troth_rc set_paused(struct verb_ctx *ctx, const struct rotation_cmd *cmd, bool paused, struct rotation_ret *ret,
			   struct troth_err *e)
{
	struct rotation_row row;
	struct credential_row c;
	TRY(find(ctx, cmd->id, &row, &c, e));
	if (!is_open(&row))
		return refuse_over(&row, &c, e);
	enum rotation_state want = paused ? ROTATION_PAUSED : ROTATION_RUNNING;
	if (row.state != want) {
		const char *before = ROTATION_STATE_NAMES[row.state];
		row.state = want;
		TRY(rotation_row_update(ctx->tx, &row, e));
		c.paused = paused;
		TRY(credential_row_update(ctx->tx, &c, e));
		TRY(record_steer(ctx, paused ? "rotation.pause" : "rotation.resume", &row, &c, before, e));
	}
	if (!paused && c.kind == CREDENTIAL_AUTHORITY)
		TRY(rolling_go_on_all(ctx, c.id, e));
	return view_load(ctx, &row, &ret->rotation, e);
}

static troth_rc pause_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	return set_paused(ctx, arg, true, out, e);
}

static troth_rc resume_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	return set_paused(ctx, arg, false, out, e);
}

/* -- abort --------------------------------------------------------------------------------------------- */

/* The version to go back to: the newest of the old ones that could still sign. */
static troth_rc version_before(struct verb_ctx *ctx, const struct rotation_row *row, struct version_row *ret,
			       bool *ret_found, struct troth_err *e)
{
	*ret_found = false;
	for (size_t i = 0; i < row->old_versions.count; i++) {
		struct version_row v;
		TRY(version_row_get(ctx->tx, ctx->a, row->old_versions.items[i], &v, e));
		if (v.retired_at || v.distrusted || (*ret_found && v.id < ret->id))
			continue;
		*ret = v;
		*ret_found = true;
	}
	return RC_OK;
}

static troth_rc flip_back(struct verb_ctx *ctx, const struct rotation_row *row, const struct credential_row *c,
			  struct troth_err *e)
{
	struct version_row before, introduced;
	bool found;
	if (c->kind == CREDENTIAL_LEAF || !row->new_version)
		return RC_OK; /* a leaf that was issued is as good as the one before */
	TRY(version_before(ctx, row, &before, &found, e));
	if (!found) {
		troth_rc rc = err_set(e, TROTH_CONFLICT, "%s has no old version left to go back to", c->name);
		err_hint(e, "the rotation is as good as done; let it end, and rotate again if the new version is wrong");
		return rc;
	}
	TRY(version_row_get(ctx->tx, ctx->a, row->new_version, &introduced, e));
	introduced.wanted = false;
	before.wanted = true;
	TRY(version_row_update(ctx->tx, &introduced, e));
	return version_row_update(ctx->tx, &before, e);
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

static troth_rc abort_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct rotation_cmd *cmd = arg;
	struct rotation_ret *ret = out;
	struct rotation_row row;
	struct credential_row c;
	TRY(find(ctx, cmd->id, &row, &c, e));
	if (row.state == ROTATION_ABORTED)
		return view_load(ctx, &row, &ret->rotation, e);
	if (!is_open(&row))
		return refuse_over(&row, &c, e);
	TRY(flip_back(ctx, &row, &c, e));
	const char *before = ROTATION_STATE_NAMES[row.state];
	row.state = ROTATION_ABORTED;
	row.finished = ctx->now;
	TRY(rotation_row_update(ctx->tx, &row, e));
	if (c.paused) {
		c.paused = false;
		TRY(credential_row_update(ctx->tx, &c, e));
	}
	TRY(cancel_operation(ctx, &row, e));
	TRY(record_steer(ctx, "rotation.abort", &row, &c, before, e));
	return view_load(ctx, &row, &ret->rotation, e);
}

#define STEER_VERB(action, function)                                                               \
	{ .name = action, .kind = VERB_WRITE, .roles = ROLES_CHANGE,                               \
	  .cmd_size = sizeof(struct rotation_cmd), .ret_size = sizeof(struct rotation_ret), .run = function }

const struct verb VERB_ROTATION_LIST = {
	.name = "rotation.list", .kind = VERB_READ, .roles = ROLES_READ,
	.cmd_size = sizeof(struct rotation_list_cmd), .ret_size = sizeof(struct rotation_list_ret), .run = list_run,
};
const struct verb VERB_ROTATION_SHOW = {
	.name = "rotation.show", .kind = VERB_READ, .roles = ROLES_READ,
	.cmd_size = sizeof(struct rotation_cmd), .ret_size = sizeof(struct rotation_ret), .run = show_run,
};
const struct verb VERB_ROTATION_PAUSE = STEER_VERB("rotation.pause", pause_run);
const struct verb VERB_ROTATION_RESUME = STEER_VERB("rotation.resume", resume_run);
const struct verb VERB_ROTATION_ABORT = STEER_VERB("rotation.abort", abort_run);
