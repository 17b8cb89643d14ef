/* Rotations: a goal and the story of reaching it. */
#include "store/table.h"

const char *const ROTATION_STATE_NAMES[] = { "running", "paused", "done", "aborted" };

static const struct column COLUMNS[] = {
	C(rotation_row, id, COL_ID),
	C(rotation_row, uuid, COL_TEXT),
	C(rotation_row, credential_id, COL_REF),
	C_ENUM(rotation_row, state, ROTATION_STATE_NAMES, ARRAY_LEN(ROTATION_STATE_NAMES)),
	C(rotation_row, new_version, COL_REF),
	C(rotation_row, old_versions, COL_IDS),
	C(rotation_row, below_new, COL_IDS),
	C(rotation_row, below_old, COL_IDS),
	C(rotation_row, wanted_before, COL_IDS),
	C(rotation_row, distrusted, COL_IDS),
	C(rotation_row, superseded_by, COL_REF),
	C(rotation_row, by_steps, COL_BOOL),
	C(rotation_row, ordered, COL_INT),
	C(rotation_row, operation_id, COL_REF),
	C(rotation_row, reason, COL_TEXT),
	C(rotation_row, started_by, COL_TEXT),
	C(rotation_row, started, COL_INT),
	C(rotation_row, finished, COL_INT),
};
static const struct table ROTATION = TABLE(rotation, COLUMNS, rotation_row, uuid);
static const struct query LIST_CREDENTIAL = { &ROTATION, .rows = "WHERE credential_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3" };
static const struct query LIST_OPEN = { &ROTATION, .rows = "WHERE state IN ('running', 'paused') ORDER BY id" };

troth_rc rotation_row_insert(struct tx *tx, struct rotation_row *row, struct troth_err *e)
{
	return table_insert(tx, &ROTATION, row, e);
}

troth_rc rotation_row_update(struct tx *tx, const struct rotation_row *row, struct troth_err *e)
{
	return table_update(tx, &ROTATION, row, e);
}

troth_rc rotation_row_get(struct tx *tx, struct arena *a, int64_t id, struct rotation_row *ret,
	struct troth_err *e)
{
	return table_get(tx, a, &ROTATION, id, ret, e);
}

troth_rc rotation_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid,
	struct rotation_row *ret, struct troth_err *e)
{
	return table_by_uuid(tx, a, &ROTATION, uuid, ret, e);
}

troth_rc rotation_row_list(struct tx *tx, struct arena *a, struct page page,
	struct rotation_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &ROTATION, page, ret_rows, ret_count, e);
}

troth_rc rotation_row_list_credential(struct tx *tx, struct arena *a, int64_t credential_id,
	struct page page, struct rotation_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_page(tx, a, &LIST_CREDENTIAL, arg_int(credential_id), page, ret_rows, ret_count, e);
}

troth_rc rotation_row_list_open(struct tx *tx, struct arena *a, struct rotation_row **ret_rows,
	size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_OPEN, NO_ARGS, ret_rows, ret_count, e);
}
