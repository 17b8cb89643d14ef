/* Principals: who may do what, found by the hash of a bearer token or by a certificate. */
#include "store/table.h"

static const struct column COLUMNS[] = {
	C(principal_row, id, COL_ID),
	C(principal_row, uuid, COL_TEXT),
	C(principal_row, name, COL_TEXT),
	C(principal_row, roles, COL_INT),
	C(principal_row, scope, COL_TEXT),
	C(principal_row, token_hash, COL_BLOB),
	C(principal_row, cert_fingerprint, COL_BLOB),
	C(principal_row, instance_id, COL_REF),
	C(principal_row, created, COL_INT),
	C(principal_row, expires, COL_INT),
	C(principal_row, revoked, COL_INT),
	C(principal_row, last_used, COL_INT),
	C(principal_row, facade, COL_TEXT),
	C(principal_row, password, COL_TEXT),
	C(principal_row, failures, COL_INT),
	C(principal_row, failed_at, COL_INT),
	C(principal_row, locked_until, COL_INT),
};
static const struct table PRINCIPAL = TABLE(principal, COLUMNS, principal_row, name);
static const struct query BY_NAME = { &PRINCIPAL, .rows = "WHERE name = ?1 AND revoked = 0" };
static const struct query BY_TOKEN_HASH = { &PRINCIPAL, .rows = "WHERE token_hash = ?1 AND revoked = 0" };
static const struct query BY_FINGERPRINT = { &PRINCIPAL, .rows = "WHERE cert_fingerprint = ?1 AND revoked = 0" };

troth_rc principal_row_insert(struct tx *tx, struct principal_row *row, struct troth_err *e)
{
	return table_insert(tx, &PRINCIPAL, row, e);
}

troth_rc principal_row_update(struct tx *tx, const struct principal_row *row, struct troth_err *e)
{
	return table_update(tx, &PRINCIPAL, row, e);
}

troth_rc principal_row_get(struct tx *tx, struct arena *a, int64_t id, struct principal_row *ret,
	struct troth_err *e)
{
	return table_get(tx, a, &PRINCIPAL, id, ret, e);
}

troth_rc principal_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid,
	struct principal_row *ret, struct troth_err *e)
{
	return table_by_uuid(tx, a, &PRINCIPAL, uuid, ret, e);
}

troth_rc principal_row_by_name(struct tx *tx, struct arena *a, const char *name,
	struct principal_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_NAME, ARGS(arg_text(name)), ret, e);
}

troth_rc principal_row_by_token_hash(struct tx *tx, struct arena *a, struct bytes hash,
	struct principal_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_TOKEN_HASH, ARGS(arg_blob(hash)), ret, e);
}

troth_rc principal_row_by_fingerprint(struct tx *tx, struct arena *a, struct bytes fingerprint,
	struct principal_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_FINGERPRINT, ARGS(arg_blob(fingerprint)), ret, e);
}

troth_rc principal_row_list(struct tx *tx, struct arena *a, struct page page,
	struct principal_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &PRINCIPAL, page, ret_rows, ret_count, e);
}
