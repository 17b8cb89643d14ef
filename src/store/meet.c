/* Which stores verify which slots, between templates.  Pairs are sticky: one that is there is never made
 * again, so what an operator switched off stays off. */
#include "store/table.h"

static const struct column COLUMNS[] = {
	C(meet_row, id, COL_ID),
	C(meet_row, presenter_id, COL_REF),
	C(meet_row, verifier_id, COL_REF),
	{ "active", COL_BOOL, offsetof(struct meet_row, on), NULL, 0 }, /* ON is a word of SQL */
	C(meet_row, source, COL_TEXT),
	C(meet_row, since, COL_INT),
};
static const struct table MEET = { "meet", COLUMNS, ARRAY_LEN(COLUMNS), sizeof(struct meet_row), 0 };
static const struct query ID_BY_PAIR = { &MEET, .sql = "SELECT id FROM meet WHERE presenter_id = ?1 AND verifier_id = ?2" };
static const struct query BY_PAIR = { &MEET, .rows = "WHERE presenter_id = ?1 AND verifier_id = ?2" };
static const struct query LIST_TEMPLATE = { &MEET, .rows = "WHERE presenter_id = ?1 OR verifier_id = ?1 ORDER BY id" };

troth_rc meet_row_put(struct tx *tx, struct meet_row *row, bool *ret_new, struct troth_err *e)
{
	int64_t id;
	TRY(rows_int(tx, &ID_BY_PAIR, ARGS(arg_int(row->presenter_id), arg_int(row->verifier_id)), &id, e));
	if (!id)
		TRY(table_insert(tx, &MEET, row, e));
	else
		row->id = id;
	if (ret_new)
		*ret_new = id == 0;
	return RC_OK;
}

troth_rc meet_row_update(struct tx *tx, const struct meet_row *row, struct troth_err *e)
{
	return table_update(tx, &MEET, row, e);
}

troth_rc meet_row_by_pair(struct tx *tx, struct arena *a, int64_t presenter_id,
	int64_t verifier_id, struct meet_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_PAIR, ARGS(arg_int(presenter_id), arg_int(verifier_id)), ret, e);
}

troth_rc meet_row_list(struct tx *tx, struct arena *a, struct page page,
	struct meet_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &MEET, page, ret_rows, ret_count, e);
}

troth_rc meet_row_list_template(struct tx *tx, struct arena *a, int64_t template_id,
	struct meet_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_TEMPLATE, ARGS(arg_int(template_id)), ret_rows, ret_count, e);
}
