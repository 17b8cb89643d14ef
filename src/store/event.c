/* Events: the table is the queue.  The sequence grows with each append and the writer is alone, so a
 * reader that remembers the last one it saw never misses one. */
#include "store/table.h"

static const struct column COLUMNS[] = {
	C(event_row, seq, COL_ID),
	C(event_row, at, COL_INT),
	C(event_row, kind, COL_TEXT),
	C(event_row, object, COL_TEXT),
	C(event_row, within, COL_TEXT),
	C(event_row, topic, COL_TEXT),
	C(event_row, body, COL_TEXT),
};
static const struct table EVENT = TABLE(event, COLUMNS, event_row, kind);
static const struct query LIST_TOPIC = { &EVENT, .rows = "WHERE topic = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3" };
static const struct query LAST_SEQ = { &EVENT, .sql = "SELECT seq FROM sqlite_sequence WHERE name = 'event'" };
/* From the oldest on, so that what is kept has no gap; of the oldest ?2 those up to the last that is old. */
static const struct query FORGET = { &EVENT, .sql = "DELETE FROM event WHERE seq <= (SELECT max(seq) FROM "
						     "(SELECT seq, at FROM event WHERE seq > 0 ORDER BY seq LIMIT ?2) WHERE at < ?1)" };
static const struct query FORGOTTEN = { &EVENT, .sql = "SELECT coalesce((SELECT min(seq) - 1 FROM event), "
						       "(SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0)" };

troth_rc event_append(struct tx *tx, struct event_row *row, struct troth_err *e)
{
	return table_insert(tx, &EVENT, row, e);
}

troth_rc event_list(struct tx *tx, struct arena *a, const char *topic, struct page page,
	struct event_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	if (!topic)
		return table_list(tx, a, &EVENT, page, ret_rows, ret_count, e);
	return rows_page(tx, a, &LIST_TOPIC, arg_text(topic), page, ret_rows, ret_count, e);
}

troth_rc event_last_seq(struct tx *tx, int64_t *ret_seq, struct troth_err *e)
{
	return rows_int(tx, &LAST_SEQ, NO_ARGS, ret_seq, e);
}

troth_rc event_row_forget(struct tx *tx, msec_t before, bool *ret_more, struct troth_err *e)
{
	int gone;
	TRY(rows_exec(tx, &FORGET, ARGS(arg_int(before), arg_int(LIMIT_EVENTS_FORGOTTEN)), &gone, e));
	*ret_more = gone == LIMIT_EVENTS_FORGOTTEN;
	return RC_OK;
}

troth_rc event_last_forgotten(struct tx *tx, int64_t *ret_seq, struct troth_err *e)
{
	return rows_int(tx, &FORGOTTEN, NO_ARGS, ret_seq, e);
}
