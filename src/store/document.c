/* Documents: what a target was told to hold, by generation.  Rows stay after they are settled, because
 * an agent that comes back may report any generation it once got (engine-rules section 4). */
#include "store/table.h"

const char *const DOCUMENT_STATE_NAMES[] = { "pending", "settled", "replaced", "void" };

static const struct column COLUMNS[] = {
	C(document_row, id, COL_ID),
	C(document_row, target_id, COL_REF),
	C(document_row, generation, COL_INT),
	C(document_row, content_id, COL_REF),
	C(document_row, version_id, COL_REF),
	C_ENUM(document_row, state, DOCUMENT_STATE_NAMES, ARRAY_LEN(DOCUMENT_STATE_NAMES)),
	C(document_row, session, COL_INT),
	C(document_row, created, COL_INT),
	C(document_row, handed_at, COL_INT),
};
static const struct table DOCUMENT = { "document", COLUMNS, ARRAY_LEN(COLUMNS), sizeof(struct document_row), 0 };
static const struct query BY_GENERATION = { &DOCUMENT, .rows = "WHERE target_id = ?1 AND generation = ?2" };
static const struct query NEWEST = { &DOCUMENT, .rows = "WHERE target_id = ?1 AND state = 'pending' ORDER BY generation DESC LIMIT 1" };
static const struct query LIST_PENDING = { &DOCUMENT, .rows = "WHERE target_id = ?1 AND state = 'pending' ORDER BY generation" };
static const struct query LIST_TARGET = { &DOCUMENT, .rows = "WHERE target_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3" };
static const struct query LIST_ALL_PENDING = { &DOCUMENT, .rows = "WHERE state = 'pending' AND id > ?1 ORDER BY id LIMIT ?2" };
static const struct query COUNT_LASTING = { &DOCUMENT, .sql = "SELECT count(*) FROM document d JOIN target t ON t.id = d.target_id "
	"JOIN template m ON m.id = t.template_id JOIN deployment p ON p.id = m.deployment_id WHERE d.state = 'pending' AND t.state = 'counted' "
	"AND p.ephemeral = 0 AND p.party IN ('agent', 'external') AND p.name GLOB ?1" };
static const struct query HAND = { &DOCUMENT, .sql = "UPDATE document SET handed_at = ?4, session = ?3 WHERE target_id = ?1 AND generation = ?2 AND handed_at = 0" };
static const struct query SETTLE = { &DOCUMENT, .sql = "UPDATE document SET state = 'settled' WHERE target_id = ?1 AND state = 'pending' AND generation <= ?2" };
static const struct query VOID = { &DOCUMENT, .sql = "UPDATE document SET state = 'void' WHERE target_id = ?1 AND state = 'pending'" };
static const struct query DELETE_ONE = { &DOCUMENT, .sql = "DELETE FROM document WHERE target_id = ?1 AND generation = ?2 AND state <> 'pending'" };
static const struct query FORGET = { &DOCUMENT, .sql = "DELETE FROM document WHERE target_id = ?1 AND generation < ?2 AND state <> 'pending'" };

troth_rc document_row_insert(struct tx *tx, struct document_row *row, struct troth_err *e)
{
	return table_insert(tx, &DOCUMENT, row, e);
}

troth_rc document_row_update(struct tx *tx, const struct document_row *row, struct troth_err *e)
{
	return table_update(tx, &DOCUMENT, row, e);
}

troth_rc document_row_by_generation(struct tx *tx, struct arena *a, int64_t target_id,
	int64_t generation, struct document_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_GENERATION, ARGS(arg_int(target_id), arg_int(generation)), ret, e);
}

troth_rc document_row_newest(struct tx *tx, struct arena *a, int64_t target_id,
	struct document_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &NEWEST, ARGS(arg_int(target_id)), ret, e);
}

troth_rc document_row_list_pending(struct tx *tx, struct arena *a, int64_t target_id,
	struct document_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_PENDING, ARGS(arg_int(target_id)), ret_rows, ret_count, e);
}

troth_rc document_row_list_target(struct tx *tx, struct arena *a, int64_t target_id,
	struct page page, struct document_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_page(tx, a, &LIST_TARGET, arg_int(target_id), page, ret_rows, ret_count, e);
}

troth_rc document_row_list_all_pending(struct tx *tx, struct arena *a, struct page page,
	struct document_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_ALL_PENDING, ARGS(arg_int(page.after), arg_int(page_limit(page))), ret_rows, ret_count, e);
}

troth_rc document_row_hand(struct tx *tx, int64_t target_id, int64_t generation, int64_t session,
	msec_t now, struct troth_err *e)
{
	return rows_exec(tx, &HAND, ARGS(arg_int(target_id), arg_int(generation), arg_int(session), arg_int(now)), NULL, e);
}

troth_rc document_row_settle(struct tx *tx, int64_t target_id, int64_t high_water, struct troth_err *e)
{
	return rows_exec(tx, &SETTLE, ARGS(arg_int(target_id), arg_int(high_water)), NULL, e);
}

troth_rc document_row_void(struct tx *tx, int64_t target_id, struct troth_err *e)
{
	return rows_exec(tx, &VOID, ARGS(arg_int(target_id)), NULL, e);
}

troth_rc document_row_delete(struct tx *tx, int64_t target_id, int64_t generation, struct troth_err *e)
{
	return rows_exec(tx, &DELETE_ONE, ARGS(arg_int(target_id), arg_int(generation)), NULL, e);
}

troth_rc document_row_forget(struct tx *tx, int64_t target_id, int64_t below, struct troth_err *e)
{
	return rows_exec(tx, &FORGET, ARGS(arg_int(target_id), arg_int(below)), NULL, e);
}

troth_rc document_row_count_lasting(struct tx *tx, const char *glob, int64_t *ret_count, struct troth_err *e)
{
	return rows_int(tx, &COUNT_LASTING, ARGS(arg_text(glob)), ret_count, e);
}
