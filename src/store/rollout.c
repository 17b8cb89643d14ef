/* What a person wants to say yes to: the rollout of an authority, and the approvals of a rotation. */
#include "store/table.h"

const char *const APPROVAL_STEP_NAMES[] = { "introduce", "switch", "withdraw" };

static const struct column ROLLOUT_COLUMNS[] = {
	C(rollout_row, id, COL_ID),
	C(rollout_row, credential_id, COL_REF),
	C(rollout_row, switch_all, COL_BOOL),
	C(rollout_row, manual, COL_BOOL),
};
static const struct table ROLLOUT = { "rollout", ROLLOUT_COLUMNS, ARRAY_LEN(ROLLOUT_COLUMNS), sizeof(struct rollout_row), 0 };
static const struct query OF = { &ROLLOUT, .rows = "WHERE credential_id = ?1" };
static const struct query DELETE_OF = { &ROLLOUT, .sql = "DELETE FROM rollout WHERE credential_id = ?1" };

static const struct column APPROVAL_COLUMNS[] = {
	C(approval_row, id, COL_ID),
	C(approval_row, rotation_id, COL_REF),
	C_ENUM(approval_row, step, APPROVAL_STEP_NAMES, ARRAY_LEN(APPROVAL_STEP_NAMES)),
	C(approval_row, approved_by, COL_TEXT),
	C(approval_row, approved_at, COL_INT),
};
static const struct table APPROVAL = { "approval", APPROVAL_COLUMNS, ARRAY_LEN(APPROVAL_COLUMNS), sizeof(struct approval_row), 0 };
static const struct query LIST_ROTATION = { &APPROVAL, .rows = "WHERE rotation_id = ?1 ORDER BY id" };

troth_rc rollout_row_put(struct tx *tx, const struct rollout_row *row, struct troth_err *e)
{
	struct rollout_row fresh = *row;
	TRY(rows_exec(tx, &DELETE_OF, ARGS(arg_int(row->credential_id)), NULL, e));
	return row->switch_all || row->manual ? table_insert(tx, &ROLLOUT, &fresh, e) : RC_OK;
}

troth_rc rollout_row_of(struct tx *tx, struct arena *a, int64_t credential_id, struct rollout_row *ret,
	struct troth_err *e)
{
	struct rollout_row *rows;
	size_t n;
	TRY(rows_list(tx, a, &OF, ARGS(arg_int(credential_id)), &rows, &n, e));
	*ret = n > 0 ? rows[0] : (struct rollout_row){ .credential_id = credential_id };
	return RC_OK;
}

troth_rc approval_row_insert(struct tx *tx, struct approval_row *row, struct troth_err *e)
{
	return table_insert(tx, &APPROVAL, row, e);
}

troth_rc approval_row_list_rotation(struct tx *tx, struct arena *a, int64_t rotation_id,
	struct approval_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_ROTATION, ARGS(arg_int(rotation_id)), ret_rows, ret_count, e);
}
