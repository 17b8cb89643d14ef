/* Operations: anything that takes time, with its progress.  Whoever asks with a wait is held until the
 * operation is finished. */
#include "service/check.h"
#include "service/nouns.h"
#include "service/record.h"

static bool visible(const struct principal *who, const struct operation_row *row)
{
	return !row->object || record_in_scope(who, row->object);
}

static bool matches(const struct operation_list_cmd *cmd, const struct operation_row *row)
{
	return (!cmd->kind || text_equal(cmd->kind, row->kind)) &&
	       (!cmd->state || text_equal(cmd->state, OPERATION_STATE_NAMES[row->state]));
}

static troth_rc list_check(struct arena *a, const struct operation_list_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	bool known = !cmd->state;
	for (int s = OPERATION_RUNNING; s <= OPERATION_CANCELLED; s++)
		known = known || text_equal(cmd->state, OPERATION_STATE_NAMES[s]);
	if (!known)
		check_fail(&c, "?state", "state", "is not a state of an operation", "running, succeeded, failed or cancelled");
	return check_done(e);
}

static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct operation_list_cmd *cmd = arg;
	struct operation_list_ret *ret = out;
	struct operation_row *rows;
	size_t n;
	TRY(list_check(ctx->a, cmd, e));
	TRY(operation_row_list(ctx->tx, ctx->a, cmd->page, &rows, &n, e));
	ret->items = ARENA_ARRAY(ctx->a, struct operation_row, n);
	ret->next = record_next(cmd->page, n, n ? rows[n - 1].id : 0);
	for (size_t i = 0; i < n; i++)
		if (visible(ctx->who, &rows[i]) && matches(cmd, &rows[i]))
			ret->items[ret->count++] = rows[i];
	return RC_OK;
}

static troth_rc show_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct operation_ret *ret = out;
	TRY(record_uuid("operation", cmd->id, e));
	TRY(operation_row_by_uuid(ctx->tx, ctx->a, cmd->id, &ret->operation, e));
	if (ret->operation.object)
		TRY(record_visible(ctx->who, "operation", ret->operation.object, e));
	if (ret->operation.state == OPERATION_RUNNING && ctx->options.wait && !ctx->last_chance) {
		ctx->hold.wanted = true;
		(void)snprintf(ctx->hold.topic, sizeof ctx->hold.topic, "operation/%s", ret->operation.uuid);
	}
	return RC_OK;
}

const struct verb VERB_OPERATION_LIST = { "operation.list", VERB_READ, ROLES_READ, sizeof(struct operation_list_cmd),
					  sizeof(struct operation_list_ret), NULL, list_run };
const struct verb VERB_OPERATION_SHOW = { "operation.show", VERB_READ, ROLES_READ, sizeof(struct id_cmd),
					  sizeof(struct operation_ret), NULL, show_run };
