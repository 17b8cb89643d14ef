/* How deployments may change.  A deployment without a row has no policy. */
#include "store/table.h"

static const struct column COLUMNS[] = {
	C(rolling_row, id, COL_ID),
	C(rolling_row, deployment_id, COL_REF),
	C(rolling_row, max_unavailable, COL_INT),
	C(rolling_row, canary, COL_INT),
	C(rolling_row, pause, COL_INT),
	C(rolling_row, stop_on_failure, COL_BOOL),
	C(rolling_row, manual, COL_BOOL),
	C(rolling_row, windows, COL_TEXT),
	C(rolling_row, window_open, COL_BOOL),
	C(rolling_row, window_at, COL_INT),
	C(rolling_row, window_until, COL_INT),
	C(rolling_row, settled_at, COL_INT),
	C(rolling_row, stopped_at, COL_INT),
	C(rolling_row, stopped_by, COL_TEXT),
};
static const struct table ROLLING = { "rolling", COLUMNS, ARRAY_LEN(COLUMNS), sizeof(struct rolling_row), 0 };
static const struct query OF = { &ROLLING, .rows = "WHERE deployment_id = ?1" };
static const struct query DUE = { &ROLLING, .rows = "INDEXED BY rolling_windows WHERE windows IS NOT NULL AND"
	" (window_until <= ?1 OR window_at > ?1 + 60000) ORDER BY window_until" };

troth_rc rolling_row_insert(struct tx *tx, struct rolling_row *row, struct troth_err *e)
{
	return table_insert(tx, &ROLLING, row, e);
}

troth_rc rolling_row_update(struct tx *tx, const struct rolling_row *row, struct troth_err *e)
{
	return table_update(tx, &ROLLING, row, e);
}

troth_rc rolling_row_of(struct tx *tx, struct arena *a, int64_t deployment_id, struct rolling_row *ret,
	bool *ret_found, struct troth_err *e)
{
	struct rolling_row *rows;
	size_t n;
	TRY(rows_list(tx, a, &OF, ARGS(arg_int(deployment_id)), &rows, &n, e));
	*ret_found = n > 0;
	*ret = n > 0 ? rows[0] : (struct rolling_row){ .deployment_id = deployment_id };
	return RC_OK;
}

troth_rc rolling_row_list(struct tx *tx, struct arena *a, struct page page, struct rolling_row **ret_rows,
	size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &ROLLING, page, ret_rows, ret_count, e);
}

troth_rc rolling_row_list_due(struct tx *tx, struct arena *a, msec_t now, struct rolling_row **ret_rows,
	size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &DUE, ARGS(arg_int(now)), ret_rows, ret_count, e);
}
