/* Keys of uploaded chains, each sealed to the agent of one slot. */
#include "store/table.h"

static const struct column COLUMNS[] = {
	C(sealed_row, id, COL_ID),
	C(sealed_row, target_id, COL_REF),
	C(sealed_row, content_id, COL_REF),
	C(sealed_row, sealed, COL_BLOB),
	C(sealed_row, created, COL_INT),
};
static const struct table SEALED = { "sealed", COLUMNS, ARRAY_LEN(COLUMNS), sizeof(struct sealed_row), 0 };
static const struct query DELETE_PAIR = { &SEALED, .sql = "DELETE FROM sealed WHERE target_id = ?1 AND content_id = ?2" };
static const struct query BY_PAIR = { &SEALED, .rows = "WHERE target_id = ?1 AND content_id = ?2" };

troth_rc sealed_row_put(struct tx *tx, struct sealed_row *row, struct troth_err *e)
{
	TRY(rows_exec(tx, &DELETE_PAIR, ARGS(arg_int(row->target_id), arg_int(row->content_id)), NULL, e));
	return table_insert(tx, &SEALED, row, e);
}

troth_rc sealed_row_by_pair(struct tx *tx, struct arena *a, int64_t target_id, int64_t content_id,
	struct sealed_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_PAIR, ARGS(arg_int(target_id), arg_int(content_id)), ret, e);
}
