/* Join tokens: the store keeps a hash; who has the token can enrol one instance once. */
#include "store/table.h"

static const struct column COLUMNS[] = {
	C(token_row, id, COL_ID),
	C(token_row, uuid, COL_TEXT),
	C(token_row, hash, COL_BLOB),
	C(token_row, deployment_id, COL_REF),
	C(token_row, instance_name, COL_TEXT),
	C(token_row, expires, COL_INT),
	C(token_row, used_at, COL_INT),
	C(token_row, revoked, COL_INT),
	C(token_row, created, COL_INT),
	C(token_row, reinstall, COL_BOOL),
	C(token_row, used_by, COL_REF),
};
static const struct table TOKEN = TABLE(token, COLUMNS, token_row, uuid);
static const struct query BY_HASH = { &TOKEN, .rows = "WHERE hash = ?1" };

troth_rc token_row_insert(struct tx *tx, struct token_row *row, struct troth_err *e)
{
	return table_insert(tx, &TOKEN, row, e);
}

troth_rc token_row_update(struct tx *tx, const struct token_row *row, struct troth_err *e)
{
	return table_update(tx, &TOKEN, row, e);
}

troth_rc token_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct token_row *ret,
	struct troth_err *e)
{
	return table_by_uuid(tx, a, &TOKEN, uuid, ret, e);
}

troth_rc token_row_by_hash(struct tx *tx, struct arena *a, struct bytes hash,
	struct token_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_HASH, ARGS(arg_blob(hash)), ret, e);
}

troth_rc token_row_list(struct tx *tx, struct arena *a, struct page page,
	struct token_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &TOKEN, page, ret_rows, ret_count, e);
}
