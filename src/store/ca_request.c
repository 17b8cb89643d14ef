/* Requests for certificates of authorities that somebody else signs: the key is made, the certificate is awaited. */
#include "store/table.h"

static const struct column COLUMNS[] = {
	C(ca_request_row, id, COL_ID),
	C(ca_request_row, uuid, COL_TEXT),
	C(ca_request_row, credential_id, COL_REF),
	C(ca_request_row, key_blob, COL_BLOB),
	C(ca_request_row, csr, COL_BLOB),
	C(ca_request_row, rotation_id, COL_REF),
	C(ca_request_row, created, COL_INT),
};
static const struct table CA_REQUEST = TABLE(ca_request, COLUMNS, ca_request_row, uuid);
static const struct query OF = { &CA_REQUEST, .rows = "WHERE credential_id = ?1" };

troth_rc ca_request_row_insert(struct tx *tx, struct ca_request_row *row, struct troth_err *e)
{
	return table_insert(tx, &CA_REQUEST, row, e);
}

troth_rc ca_request_row_delete(struct tx *tx, int64_t id, struct troth_err *e)
{
	return table_delete(tx, &CA_REQUEST, id, e);
}

troth_rc ca_request_row_of(struct tx *tx, struct arena *a, int64_t credential_id, struct ca_request_row *ret, bool *ret_found,
			   struct troth_err *e)
{
	struct ca_request_row *rows;
	size_t n;
	TRY(rows_list(tx, a, &OF, ARGS(arg_int(credential_id)), &rows, &n, e));
	*ret_found = n > 0;
	*ret = n > 0 ? rows[0] : (struct ca_request_row){ 0 };
	return RC_OK;
}
