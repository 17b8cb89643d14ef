/* Webhooks: whom each event is told, and how far each has come (the cursor). */
#include "store/table.h"

static const struct column COLUMNS[] = {
	C(webhook_row, id, COL_ID),
	C(webhook_row, uuid, COL_TEXT),
	C(webhook_row, name, COL_TEXT),
	C(webhook_row, url, COL_TEXT),
	C(webhook_row, events, COL_TEXT),
	C(webhook_row, ca_pem, COL_TEXT),
	C(webhook_row, key_blob, COL_BLOB),
	C(webhook_row, cursor, COL_INT),
	C(webhook_row, disabled_at, COL_INT),
	C(webhook_row, disabled_why, COL_TEXT),
	C(webhook_row, attempts, COL_INT),
	C(webhook_row, failing_since, COL_INT),
	C(webhook_row, due, COL_INT),
	C(webhook_row, last_error, COL_TEXT),
	C(webhook_row, last_delivered, COL_INT),
	C(webhook_row, test_operation, COL_REF),
	C(webhook_row, created_by, COL_TEXT),
	C(webhook_row, created, COL_INT),
};
static const struct table WEBHOOK = TABLE(webhook, COLUMNS, webhook_row, name);
static const struct query BY_NAME = { &WEBHOOK, .rows = "WHERE name = ?1" };
static const struct query COUNT = { &WEBHOOK, .sql = "SELECT count(*) FROM webhook" };

troth_rc webhook_row_insert(struct tx *tx, struct webhook_row *row, struct troth_err *e)
{
	return table_insert(tx, &WEBHOOK, row, e);
}

troth_rc webhook_row_update(struct tx *tx, const struct webhook_row *row, struct troth_err *e)
{
	return table_update(tx, &WEBHOOK, row, e);
}

troth_rc webhook_row_delete(struct tx *tx, int64_t id, struct troth_err *e)
{
	return table_delete(tx, &WEBHOOK, id, e);
}

troth_rc webhook_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct webhook_row *ret, struct troth_err *e)
{
	return table_by_uuid(tx, a, &WEBHOOK, uuid, ret, e);
}

troth_rc webhook_row_by_name(struct tx *tx, struct arena *a, const char *name, struct webhook_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_NAME, ARGS(arg_text(name)), ret, e);
}

troth_rc webhook_row_list(struct tx *tx, struct arena *a, struct page page, struct webhook_row **ret_rows, size_t *ret_count,
	struct troth_err *e)
{
	return table_list(tx, a, &WEBHOOK, page, ret_rows, ret_count, e);
}

troth_rc webhook_row_count(struct tx *tx, int64_t *ret_count, struct troth_err *e)
{
	return rows_int(tx, &COUNT, NO_ARGS, ret_count, e);
}
