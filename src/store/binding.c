/* Bindings: relying parties outside the fleet that were handed a bundle. */
#include "store/table.h"

const char *const BINDING_ACK_NAMES[] = { "confirm", "fetch", "attest" };

static const struct column COLUMNS[] = {
	C(binding_row, id, COL_ID),
	C(binding_row, uuid, COL_TEXT),
	C(binding_row, name, COL_TEXT),
	C(binding_row, target_id, COL_REF),
	C_ENUM(binding_row, ack, BINDING_ACK_NAMES, ARRAY_LEN(BINDING_ACK_NAMES)),
	C(binding_row, delay, COL_INT),
	C(binding_row, renew_by, COL_INT),
	C(binding_row, grace, COL_INT),
	C(binding_row, fetched_at, COL_INT),
	C(binding_row, fetched_generation, COL_INT),
	C(binding_row, acked_at, COL_INT),
	C(binding_row, acked_generation, COL_INT),
	C_ENUM(binding_row, acked_how, BINDING_ACK_NAMES, ARRAY_LEN(BINDING_ACK_NAMES)),
	C(binding_row, acked_by, COL_TEXT),
	C(binding_row, acked_reason, COL_TEXT),
	C(binding_row, overdue_since, COL_INT),
	C(binding_row, created, COL_INT),
	C(binding_row, left_at, COL_INT),
};
static const struct table BINDING = TABLE(binding, COLUMNS, binding_row, name);
static const struct query BY_NAME = { &BINDING, .rows = "WHERE name = ?1 AND left_at = 0" };
static const struct query BY_TARGET = { &BINDING, .rows = "WHERE target_id = ?1" };

troth_rc binding_row_insert(struct tx *tx, struct binding_row *row, struct troth_err *e)
{
	return table_insert(tx, &BINDING, row, e);
}

troth_rc binding_row_update(struct tx *tx, const struct binding_row *row, struct troth_err *e)
{
	return table_update(tx, &BINDING, row, e);
}

troth_rc binding_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct binding_row *ret, struct troth_err *e)
{
	return table_by_uuid(tx, a, &BINDING, uuid, ret, e);
}

troth_rc binding_row_by_name(struct tx *tx, struct arena *a, const char *name, struct binding_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_NAME, ARGS(arg_text(name)), ret, e);
}

troth_rc binding_row_by_target(struct tx *tx, struct arena *a, int64_t target_id, struct binding_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_TARGET, ARGS(arg_int(target_id)), ret, e);
}

troth_rc binding_row_list(struct tx *tx, struct arena *a, struct page page, struct binding_row **ret_rows, size_t *ret_count,
	struct troth_err *e)
{
	return table_list(tx, a, &BINDING, page, ret_rows, ret_count, e);
}
