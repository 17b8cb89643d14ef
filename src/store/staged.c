/* Staged chains: issued for a slot, waiting until the engine may send them. */
#include "store/table.h"

static const struct column COLUMNS[] = {
	C(staged_row, id, COL_ID),
	C(staged_row, target_id, COL_REF),
	C(staged_row, content_id, COL_REF),
	C(staged_row, version_id, COL_REF),
	C(staged_row, csr_request, COL_TEXT),
	C(staged_row, created, COL_INT),
};
static const struct table STAGED = { "staged", COLUMNS, ARRAY_LEN(COLUMNS), sizeof(struct staged_row), 0 };
static const struct query DELETE_PAIR = { &STAGED, .sql = "DELETE FROM staged WHERE target_id = ?1 AND content_id = ?2" };
static const struct query CLEAR = { &STAGED, .sql = "DELETE FROM staged WHERE target_id = ?1" };
static const struct query LIST_TARGET = { &STAGED, .rows = "WHERE target_id = ?1 ORDER BY id" };

troth_rc staged_row_put(struct tx *tx, struct staged_row *row, struct troth_err *e)
{
	TRY(staged_row_delete(tx, row->target_id, row->content_id, e));
	return table_insert(tx, &STAGED, row, e);
}

troth_rc staged_row_delete(struct tx *tx, int64_t target_id, int64_t content_id, struct troth_err *e)
{
	return rows_exec(tx, &DELETE_PAIR, ARGS(arg_int(target_id), arg_int(content_id)), NULL, e);
}

troth_rc staged_row_clear(struct tx *tx, int64_t target_id, struct troth_err *e)
{
	return rows_exec(tx, &CLEAR, ARGS(arg_int(target_id)), NULL, e);
}

troth_rc staged_row_list_target(struct tx *tx, struct arena *a, int64_t target_id,
	struct staged_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_TARGET, ARGS(arg_int(target_id)), ret_rows, ret_count, e);
}

troth_rc staged_row_list(struct tx *tx, struct arena *a, struct page page,
	struct staged_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &STAGED, page, ret_rows, ret_count, e);
}
