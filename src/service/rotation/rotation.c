/* Rotations: list, show, pause, resume; what they share with rotation_abort.c. */
#include "service/rotation/rotation_rows.h"

#include "service/policy/policy.h"
#include "service/ca/hierarchy.h"
#include "service/rotation/distrust.h"
#include "service/record.h"

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

static troth_rc cross_load(struct verb_ctx *ctx, const struct rotation_row *row, bool *ret, struct troth_err *e)
{
	struct version_row v = { 0 };
	if (row->new_version)
		TRY(version_row_get(ctx->tx, ctx->a, row->new_version, &v, e));
	*ret = v.cross_cert != 0;
	return RC_OK;
}

static troth_rc below_load(struct verb_ctx *ctx, const struct rotation_row *row, struct rotation_view *ret, struct troth_err *e)
{
	ret->below = ARENA_ARRAY(ctx->a, struct rotation_below, row->below_new.count + 1);
	for (size_t i = 0; i < row->below_new.count; i++) {
		struct version_row v;
		struct credential_row c;
		TRY(version_row_get(ctx->tx, ctx->a, row->below_new.items[i], &v, e));
		TRY(credential_row_get(ctx->tx, ctx->a, v.credential_id, &c, e));
		ret->below[ret->below_count++] = (struct rotation_below){ c.name, v.uuid };
	}
	return RC_OK;
}

troth_rc rotation_view_load(struct verb_ctx *ctx, const struct rotation_row *row, struct rotation_view *ret,
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
	ret->compromised = row->distrusted.count > 0;
	ret->by_steps = row->by_steps;
	TRY(is_going_back(ctx, row, &ret->going_back, e));
	TRY(version_uuid(ctx, row->new_version, &ret->new_version, e));
	TRY(cross_load(ctx, row, &ret->cross_sign, e));
	TRY(below_load(ctx, row, ret, e));
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
	if (cmd->name)
		TRY(record_visible(ctx->who, "rotation", cmd->name, e));
	TRY(list_rows(ctx, cmd, &rows, &n, e));
	ret->items = ARENA_ARRAY(ctx->a, struct rotation_view, n + 1);
	for (size_t i = 0; i < n; i++) {
		TRY(rotation_view_load(ctx, &rows[i], &ret->items[ret->count], e));
		if (record_in_scope(ctx->who, ret->items[ret->count].name))
			ret->count++;
	}
	ret->next = n == limit ? rows[n - 1].id : 0;
	return RC_OK;
}

bool rotation_is_open(const struct rotation_row *r)
{
	return r->state == ROTATION_RUNNING || r->state == ROTATION_PAUSED;
}

/* By uuid, or by the name of a credential: the one that is open, else the newest. */
troth_rc rotation_find(struct verb_ctx *ctx, const char *id, struct rotation_row *ret, struct credential_row *ret_credential,
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
	for (size_t i = n; i-- > 0 && !rotation_is_open(ret);) /* one that goes on, though a later one was aborted */
		if (rotation_is_open(&rows[i]))
			*ret = rows[i];
	return RC_OK;
}

static troth_rc show_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct rotation_cmd *cmd = arg;
	struct rotation_ret *ret = out;
	struct rotation_row row;
	struct credential_row c;
	TRY(rotation_find(ctx, cmd->id, &row, &c, e));
	if (ctx->options.wait && rotation_is_open(&row) && !ctx->last_chance) {
		ctx->hold.wanted = true;
		(void)snprintf(ctx->hold.topic, sizeof ctx->hold.topic, "rotation/%s", row.uuid);
	}
	TRY(rotation_view_load(ctx, &row, &ret->rotation, e));
	return row.distrusted.count ? distrust_trusting(ctx->tx, ctx->a, &row, &ret->rotation.trusting, e) : RC_OK;
}

/* -- begin --------------------------------------------------------------------------------------------- */

troth_rc rotation_begin(struct verb_ctx *ctx, const struct credential_row *c, const char *reason, struct rotation_row *rotation,
			struct troth_err *e)
{
	const char *operation_uuid = verb_uuid_text(ctx);
	rotation->uuid = verb_uuid_text(ctx);
	struct operation_row op = { .uuid = operation_uuid, .kind = "rotation", .object = c->name,
				    .state = OPERATION_RUNNING, .started_by = ctx->who->name, .created = ctx->now,
				    .updated = ctx->now };
	TRY(operation_row_insert(ctx->tx, &op, e));
	rotation->credential_id = c->id;
	rotation->state = ROTATION_RUNNING;
	rotation->operation_id = op.id;
	rotation->reason = reason;
	rotation->started_by = ctx->who->name;
	rotation->started = ctx->now;
	TRY(rotation_row_insert(ctx->tx, rotation, e));
	verb_changed(ctx, CHANGED_ROTATION, rotation->id);
	verb_publish(ctx, "operation/%s", operation_uuid);
	return RC_OK;
}

troth_rc rotation_unwant(struct verb_ctx *ctx, int64_t credential_id, int64_t keep, struct rotation_row *ret, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	TRY(version_row_list_credential(ctx->tx, ctx->a, credential_id, PAGE_ALL, &versions, &n, e));
	ret->old_versions = (struct id_list){ ARENA_ARRAY(ctx->a, int64_t, n + 1), 0 };
	ret->wanted_before = (struct id_list){ ARENA_ARRAY(ctx->a, int64_t, n + 1), 0 };
	for (size_t i = 0; i < n; i++) {
		if (versions[i].id == keep || versions[i].retired_at)
			continue;
		ret->old_versions.items[ret->old_versions.count++] = versions[i].id;
		if (!versions[i].wanted)
			continue;
		ret->wanted_before.items[ret->wanted_before.count++] = versions[i].id;
		versions[i].wanted = false;
		versions[i].renewing = 0;
		TRY(version_row_update(ctx->tx, &versions[i], e));
	}
	return RC_OK;
}

/* -- steer ------------------------------------------------------------------------------------------ */

troth_rc rotation_record(struct verb_ctx *ctx, const char *action, const struct rotation_row *row,
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

troth_rc rotation_refuse_over(const struct rotation_row *row, const struct credential_row *c, struct troth_err *e)
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
	TRY(rotation_find(ctx, cmd->id, &row, &c, e));
	if (!rotation_is_open(&row))
		return rotation_refuse_over(&row, &c, e);
	enum rotation_state want = paused ? ROTATION_PAUSED : ROTATION_RUNNING;
	if (row.state != want) {
		const char *before = ROTATION_STATE_NAMES[row.state];
		row.state = want;
		TRY(rotation_row_update(ctx->tx, &row, e));
		c.paused = paused;
		TRY(credential_row_update(ctx->tx, &c, e));
		TRY(rotation_record(ctx, paused ? "rotation.pause" : "rotation.resume", &row, &c, before, e));
	}
	if (!paused && c.kind == CREDENTIAL_AUTHORITY)
		TRY(rolling_go_on_all(ctx, c.id, e));
	return rotation_view_load(ctx, &row, &ret->rotation, e);
}

static troth_rc pause_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	return set_paused(ctx, arg, true, out, e);
}

static troth_rc resume_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	return set_paused(ctx, arg, false, out, e);
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
