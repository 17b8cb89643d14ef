/* Distinct certificates: equal bytes are one row, whoever brought them and however often. */
#include "store/table.h"

static const struct column COLUMNS[] = {
	C(cert_row, id, COL_ID),
	C(cert_row, fingerprint, COL_BLOB),
	C(cert_row, der, COL_BLOB),
	C(cert_row, subject, COL_TEXT),
	C(cert_row, issuer, COL_TEXT),
	C(cert_row, serial, COL_TEXT),
	C(cert_row, subject_key, COL_BLOB),
	C(cert_row, spki_hash, COL_BLOB),
	C(cert_row, not_before, COL_INT),
	C(cert_row, not_after, COL_INT),
	C(cert_row, is_ca, COL_BOOL),
	C(cert_row, self_signed, COL_BOOL),
};
static const struct table CERT = TABLE(cert, COLUMNS, cert_row, subject);
static const struct query ID_BY_FINGERPRINT = { &CERT, .sql = "SELECT id FROM cert WHERE fingerprint = ?1" };
static const struct query BY_FINGERPRINT = { &CERT, .rows = "WHERE fingerprint = ?1" };
static const struct query LIST_SUBJECT_KEY = { &CERT, .rows = "WHERE subject_key = ?1 ORDER BY id" };

troth_rc cert_row_put(struct tx *tx, struct cert_row *row, struct troth_err *e)
{
	int64_t id;
	TRY(rows_int(tx, &ID_BY_FINGERPRINT, ARGS(arg_blob(row->fingerprint)), &id, e));
	if (!id)
		return table_insert(tx, &CERT, row, e);
	row->id = id;
	return RC_OK;
}

troth_rc cert_row_get(struct tx *tx, struct arena *a, int64_t id, struct cert_row *ret, struct troth_err *e)
{
	return table_get(tx, a, &CERT, id, ret, e);
}

troth_rc cert_row_by_fingerprint(struct tx *tx, struct arena *a, struct bytes fingerprint,
	struct cert_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_FINGERPRINT, ARGS(arg_blob(fingerprint)), ret, e);
}

troth_rc cert_row_list(struct tx *tx, struct arena *a, struct page page,
	struct cert_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &CERT, page, ret_rows, ret_count, e);
}

troth_rc cert_row_list_subject_key(struct tx *tx, struct arena *a, struct bytes subject_key,
	struct cert_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_SUBJECT_KEY, ARGS(arg_blob(subject_key)), ret_rows, ret_count, e);
}
