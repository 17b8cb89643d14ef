/* Recoveries: instances whose identity has expired and that ask for a new one; one row an instance, gone when it is back. */
#include "store/table.h"

const char *const RECOVERY_STATE_NAMES[] = { "pending", "approved", "denied" };

static const struct column COLUMNS[] = {
	C(recovery_row, id, COL_ID),
	C(recovery_row, instance_id, COL_REF),
	C_ENUM(recovery_row, state, RECOVERY_STATE_NAMES, ARRAY_LEN(RECOVERY_STATE_NAMES)),
	C(recovery_row, key, COL_BLOB),
	C(recovery_row, peer, COL_TEXT),
	C(recovery_row, asked_at, COL_INT),
	C(recovery_row, last_at, COL_INT),
	C(recovery_row, nonce_at, COL_INT),
	C(recovery_row, rivals, COL_INT),
	C(recovery_row, decided_by, COL_TEXT),
	C(recovery_row, decided_at, COL_INT),
	C(recovery_row, issued_at, COL_INT),
};
static const struct table RECOVERY = { "recovery", COLUMNS, ARRAY_LEN(COLUMNS), sizeof(struct recovery_row), 0 };
static const struct query BY_INSTANCE = { &RECOVERY, .rows = "WHERE instance_id = ?1" };
static const struct query CLEAR = { &RECOVERY, .sql = "DELETE FROM recovery WHERE instance_id = ?1" };

troth_rc recovery_row_insert(struct tx *tx, struct recovery_row *row, struct troth_err *e)
{
	return table_insert(tx, &RECOVERY, row, e);
}

troth_rc recovery_row_update(struct tx *tx, const struct recovery_row *row, struct troth_err *e)
{
	return table_update(tx, &RECOVERY, row, e);
}

troth_rc recovery_row_by_instance(struct tx *tx, struct arena *a, int64_t instance_id, struct recovery_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_INSTANCE, ARGS(arg_int(instance_id)), ret, e);
}

troth_rc recovery_row_list(struct tx *tx, struct arena *a, struct page page, struct recovery_row **ret_rows, size_t *ret_count,
	struct troth_err *e)
{
	return table_list(tx, a, &RECOVERY, page, ret_rows, ret_count, e);
}

troth_rc recovery_row_clear(struct tx *tx, int64_t instance_id, bool *ret_there, struct troth_err *e)
{
	int changes;
	TRY(rows_exec(tx, &CLEAR, ARGS(arg_int(instance_id)), &changes, e));
	if (ret_there)
		*ret_there = changes > 0;
	return RC_OK;
}
