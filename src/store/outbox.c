/* The outbox: effects that a commit promises.  Something after the commit takes them, carries them out
 * and says done; after a crash they are taken again, so an effect must bear being done twice. */
#include "store/table.h"

static const struct column COLUMNS[] = {
	C(outbox_row, id, COL_ID),
	C(outbox_row, kind, COL_TEXT),
	C(outbox_row, body, COL_TEXT),
	C(outbox_row, created, COL_INT),
	C(outbox_row, due, COL_INT),
	C(outbox_row, attempts, COL_INT),
	C(outbox_row, last_error, COL_TEXT),
};
static const struct table OUTBOX = TABLE(outbox, COLUMNS, outbox_row, kind);
static const struct query TAKE = { &OUTBOX, .rows = "WHERE due <= ?1 ORDER BY due, id LIMIT ?2" };
static const struct query RETRY = { &OUTBOX, .sql = "UPDATE outbox SET due = ?2, attempts = attempts + 1, last_error = ?3 WHERE id = ?1" };
static const struct query NEXT_DUE = { &OUTBOX, .sql = "SELECT min(due) FROM outbox" };

troth_rc outbox_put(struct tx *tx, struct outbox_row *row, struct troth_err *e)
{
	return table_insert(tx, &OUTBOX, row, e);
}

troth_rc outbox_take(struct tx *tx, struct arena *a, msec_t now, int limit,
	struct outbox_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &TAKE, ARGS(arg_int(now), arg_int(page_limit((struct page){ 0, limit }))), ret_rows, ret_count, e);
}

troth_rc outbox_done(struct tx *tx, int64_t id, struct troth_err *e)
{
	return table_delete(tx, &OUTBOX, id, e);
}

troth_rc outbox_retry(struct tx *tx, int64_t id, msec_t due, const char *error, struct troth_err *e)
{
	int changes;
	TRY(rows_exec(tx, &RETRY, ARGS(arg_int(id), arg_int(due), arg_text(error)), &changes, e));
	ENSURE(changes == 1, e, TROTH_NOT_FOUND, "no outbox entry with id %lld", (long long)id);
	return RC_OK;
}

troth_rc outbox_next_due(struct tx *tx, msec_t *ret_due, struct troth_err *e)
{
	return rows_int(tx, &NEXT_DUE, NO_ARGS, ret_due, e);
}
