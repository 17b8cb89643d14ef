/* Logins: tokens that end soon, by their hash; all of a session, and all of a principal, go together. */
#include "store/table.h"

static const struct column COLUMNS[] = {
	C(login_row, id, COL_ID),
	C(login_row, uuid, COL_TEXT),
	C(login_row, principal_id, COL_REF),
	C(login_row, refresh, COL_BOOL),
	C(login_row, session, COL_TEXT),
	C(login_row, client, COL_TEXT),
	C(login_row, hash, COL_BLOB),
	C(login_row, created, COL_INT),
	C(login_row, expires, COL_INT),
};
static const struct table LOGIN = TABLE(login, COLUMNS, login_row, uuid);
static const struct query BY_HASH = { &LOGIN, .rows = "WHERE hash = ?1" };
static const struct query END_SESSION = { &LOGIN, .sql = "DELETE FROM login WHERE session = ?1" };
static const struct query END_PRINCIPAL = { &LOGIN, .sql = "DELETE FROM login WHERE principal_id = ?1" };
static const struct query TRIM = { &LOGIN,
	.sql = "DELETE FROM login WHERE id IN (SELECT id FROM login WHERE principal_id = ?1 ORDER BY id DESC LIMIT -1 OFFSET ?2)" };
static const struct query FORGET = { &LOGIN, .sql = "DELETE FROM login WHERE id IN (SELECT id FROM login WHERE expires < ?1 LIMIT ?2)" };

troth_rc login_row_insert(struct tx *tx, struct login_row *row, struct troth_err *e) { return table_insert(tx, &LOGIN, row, e); }

troth_rc login_row_by_hash(struct tx *tx, struct arena *a, struct bytes hash, struct login_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_HASH, ARGS(arg_blob(hash)), ret, e);
}

troth_rc login_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid, struct login_row *ret, struct troth_err *e)
{
	return table_by_uuid(tx, a, &LOGIN, uuid, ret, e);
}

troth_rc login_row_end_session(struct tx *tx, const char *session, struct troth_err *e)
{
	return rows_exec(tx, &END_SESSION, ARGS(arg_text(session)), NULL, e);
}

troth_rc login_row_end_principal(struct tx *tx, int64_t principal_id, struct troth_err *e)
{
	return rows_exec(tx, &END_PRINCIPAL, ARGS(arg_int(principal_id)), NULL, e);
}

troth_rc login_row_trim(struct tx *tx, int64_t principal_id, int64_t keep, struct troth_err *e)
{
	return rows_exec(tx, &TRIM, ARGS(arg_int(principal_id), arg_int(keep)), NULL, e);
}

troth_rc login_row_forget(struct tx *tx, msec_t ended_before, int64_t most, struct troth_err *e)
{
	return rows_exec(tx, &FORGET, ARGS(arg_int(ended_before), arg_int(most)), NULL, e);
}
