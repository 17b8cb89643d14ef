/* Operations: anything that takes time, as people and foreign APIs watch it. */
#include "store/table.h"

const char *const OPERATION_STATE_NAMES[] = { "running", "succeeded", "failed", "cancelled" };

static const struct column COLUMNS[] = {
	C(operation_row, id, COL_ID),
	C(operation_row, uuid, COL_TEXT),
	C(operation_row, kind, COL_TEXT),
	C(operation_row, object, COL_TEXT),
	C_ENUM(operation_row, state, OPERATION_STATE_NAMES, ARRAY_LEN(OPERATION_STATE_NAMES)),
	C(operation_row, progress, COL_TEXT),
	C(operation_row, waits_for, COL_TEXT),
	C(operation_row, result, COL_TEXT),
	C(operation_row, started_by, COL_TEXT),
	C(operation_row, created, COL_INT),
	C(operation_row, updated, COL_INT),
	C(operation_row, finished, COL_INT),
};
static const struct table OPERATION = TABLE(operation, COLUMNS, operation_row, uuid);
static const struct query LIST_NEWEST = { &OPERATION, .rows = "WHERE kind = ?1 ORDER BY id DESC LIMIT ?2" };
static const struct query LIST_RUNNING = { &OPERATION, .rows = "WHERE state = 'running' ORDER BY id" };

troth_rc operation_row_insert(struct tx *tx, struct operation_row *row, struct troth_err *e)
{
	return table_insert(tx, &OPERATION, row, e);
}

troth_rc operation_row_update(struct tx *tx, const struct operation_row *row, struct troth_err *e)
{
	return table_update(tx, &OPERATION, row, e);
}

troth_rc operation_row_get(struct tx *tx, struct arena *a, int64_t id, struct operation_row *ret,
	struct troth_err *e)
{
	return table_get(tx, a, &OPERATION, id, ret, e);
}

troth_rc operation_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid,
	struct operation_row *ret, struct troth_err *e)
{
	return table_by_uuid(tx, a, &OPERATION, uuid, ret, e);
}

troth_rc operation_row_list(struct tx *tx, struct arena *a, struct page page,
	struct operation_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &OPERATION, page, ret_rows, ret_count, e);
}

troth_rc operation_row_list_running(struct tx *tx, struct arena *a,
	struct operation_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_RUNNING, NO_ARGS, ret_rows, ret_count, e);
}

troth_rc operation_row_list_newest(struct tx *tx, struct arena *a, const char *kind, int limit,
	struct operation_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_NEWEST, ARGS(arg_text(kind), arg_int(limit)), ret_rows, ret_count, e);
}
