/* Permissions: what each principal without a scope may do, and on which names. */
#include "store/table.h"

static const struct column COLUMNS[] = {
	C(permission_row, id, COL_ID),
	C(permission_row, uuid, COL_TEXT),
	C(permission_row, principal_id, COL_REF),
	C(permission_row, path, COL_TEXT),
	C(permission_row, actor, COL_TEXT),
	C(permission_row, operations, COL_INT),
	C(permission_row, created, COL_INT),
};
static const struct table PERMISSION = TABLE(permission, COLUMNS, permission_row, path);
static const struct query BY_PATH = { &PERMISSION, .rows = "WHERE principal_id = ?1 AND path = ?2" };
static const struct query OF_PRINCIPAL = { &PERMISSION, .rows = "WHERE principal_id = ?1 ORDER BY path" };

troth_rc permission_row_insert(struct tx *tx, struct permission_row *row, struct troth_err *e)
{
	return table_insert(tx, &PERMISSION, row, e);
}

troth_rc permission_row_update(struct tx *tx, const struct permission_row *row, struct troth_err *e)
{
	return table_update(tx, &PERMISSION, row, e);
}

troth_rc permission_row_delete(struct tx *tx, int64_t id, struct troth_err *e)
{
	return table_delete(tx, &PERMISSION, id, e);
}

troth_rc permission_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct permission_row *ret, struct troth_err *e)
{
	return table_by_uuid(tx, a, &PERMISSION, uuid, ret, e);
}

troth_rc permission_row_by_path(struct tx *tx, struct arena *a, int64_t principal_id, const char *path, struct permission_row *ret,
	struct troth_err *e)
{
	return rows_find(tx, a, &BY_PATH, ARGS(arg_int(principal_id), arg_text(path)), ret, e);
}

troth_rc permission_row_list(struct tx *tx, struct arena *a, int64_t principal_id, struct permission_row **ret_rows, size_t *ret_count,
	struct troth_err *e)
{
	return rows_list(tx, a, &OF_PRINCIPAL, ARGS(arg_int(principal_id)), ret_rows, ret_count, e);
}
