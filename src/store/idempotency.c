/* The answer to a create, kept for the client that did not hear it and asks again. */
#include "store/table.h"

static const struct column COLUMNS[] = {
	C(idempotency_row, principal, COL_TEXT),
	C(idempotency_row, key, COL_TEXT),
	C(idempotency_row, body_hash, COL_BLOB),
	C(idempotency_row, status, COL_INT),
	C(idempotency_row, headers, COL_TEXT),
	C(idempotency_row, body, COL_BLOB),
	C(idempotency_row, created, COL_INT),
};
static const struct table IDEMPOTENCY = TABLE(idempotency, COLUMNS, idempotency_row, key);
static const struct query GET = { &IDEMPOTENCY, .rows = "WHERE key = ?1 AND principal = ?2" };
static const struct query FORGET = { &IDEMPOTENCY, .sql = "DELETE FROM idempotency WHERE created < ?1" };

troth_rc idempotency_put(struct tx *tx, const struct idempotency_row *row, struct troth_err *e)
{
	struct idempotency_row copy = *row;
	return table_insert(tx, &IDEMPOTENCY, &copy, e);
}

troth_rc idempotency_get(struct tx *tx, struct arena *a, const char *principal, const char *key,
	struct idempotency_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &GET, ARGS(arg_text(key), arg_text(principal)), ret, e);
}

troth_rc idempotency_forget(struct tx *tx, msec_t before, struct troth_err *e)
{
	return rows_exec(tx, &FORGET, ARGS(arg_int(before)), NULL, e);
}
