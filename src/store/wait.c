/* Waits: why the engine does not act now.  `since` survives as long as the key is put again. */
#include "store/table.h"

static const struct column COLUMNS[] = {
	C(wait_row, id, COL_ID),
	C(wait_row, key, COL_TEXT),
	C(wait_row, authority_id, COL_REF),
	C(wait_row, target_id, COL_REF),
	C(wait_row, since, COL_INT),
	C(wait_row, earliest, COL_INT),
	C(wait_row, body, COL_TEXT),
	C(wait_row, rank, COL_INT),
};
static const struct table WAIT = TABLE(wait, COLUMNS, wait_row, key);
static const struct query ID_BY_KEY = { &WAIT, .sql = "SELECT id FROM wait WHERE key = ?1" };
static const struct query SINCE = { &WAIT, .sql = "SELECT since FROM wait WHERE id = ?1" };
static const struct query DELETE = { &WAIT, .sql = "DELETE FROM wait WHERE id = ?1" };
static const struct query LIST = { &WAIT, .rows = "ORDER BY rank, id LIMIT ?1" };
static const struct query LIST_AUTHORITY = { &WAIT, .rows = "WHERE authority_id = ?1 ORDER BY rank, id LIMIT ?2" };

troth_rc wait_row_put(struct tx *tx, struct wait_row *row, struct troth_err *e)
{
	int64_t id;
	TRY(rows_int(tx, &ID_BY_KEY, ARGS(arg_text(row->key)), &id, e));
	if (!id)
		return table_insert(tx, &WAIT, row, e);
	row->id = id;
	TRY(rows_int(tx, &SINCE, ARGS(arg_int(id)), &row->since, e));
	return table_update(tx, &WAIT, row, e);
}

troth_rc wait_row_delete(struct tx *tx, int64_t id, struct troth_err *e)
{
	return rows_exec(tx, &DELETE, ARGS(arg_int(id)), NULL, e);
}

troth_rc wait_row_list(struct tx *tx, struct arena *a, int limit, struct wait_row **ret_rows,
	size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST, ARGS(arg_int(page_limit((struct page){ 0, limit }))), ret_rows, ret_count, e);
}

troth_rc wait_row_list_authority(struct tx *tx, struct arena *a, int64_t authority_id, int limit,
	struct wait_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_AUTHORITY, ARGS(arg_int(authority_id), arg_int(page_limit((struct page){ 0, limit }))), ret_rows, ret_count, e);
}
