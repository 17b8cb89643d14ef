/* Freezes: at most one is on; the former ones stay to be read. */
#include "store/table.h"

static const struct column COLUMNS[] = {
	C(freeze_row, id, COL_ID),
	C(freeze_row, reason, COL_TEXT),
	C(freeze_row, frozen_by, COL_TEXT),
	C(freeze_row, frozen_at, COL_INT),
	C(freeze_row, thawed_by, COL_TEXT),
	C(freeze_row, thawed_at, COL_INT),
};
static const struct table FREEZE = { "freeze", COLUMNS, ARRAY_LEN(COLUMNS), sizeof(struct freeze_row), 0 };
static const struct query ON = { &FREEZE, .rows = "WHERE thawed_at = 0" };

troth_rc freeze_row_insert(struct tx *tx, struct freeze_row *row, struct troth_err *e)
{
	return table_insert(tx, &FREEZE, row, e);
}

troth_rc freeze_row_update(struct tx *tx, const struct freeze_row *row, struct troth_err *e)
{
	return table_update(tx, &FREEZE, row, e);
}

troth_rc freeze_row_on(struct tx *tx, struct arena *a, struct freeze_row *ret, bool *ret_on, struct troth_err *e)
{
	struct freeze_row *rows;
	size_t n;
	TRY(rows_list(tx, a, &ON, ARGS(), &rows, &n, e));
	*ret_on = n > 0;
	*ret = n > 0 ? rows[0] : (struct freeze_row){ 0 };
	return RC_OK;
}
