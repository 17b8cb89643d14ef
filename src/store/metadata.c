/* Metadata: a text that the owner of a version wants kept with it. */
#include "store/table.h"

static const struct column COLUMNS[] = {
	C(metadata_row, id, COL_ID),
	C(metadata_row, version_id, COL_REF),
	C(metadata_row, body, COL_TEXT),
};
static const struct table METADATA = { "metadata", COLUMNS, ARRAY_LEN(COLUMNS), sizeof(struct metadata_row), 0 };
static const struct query OF = { &METADATA, .rows = "WHERE version_id = ?1" };
static const struct query NEWEST = { &METADATA,
	.rows = "WHERE version_id = (SELECT id FROM version WHERE credential_id = ?1 ORDER BY id DESC LIMIT 1)" };
static const struct query DELETE_OF = { &METADATA, .sql = "DELETE FROM metadata WHERE version_id = ?1" };

troth_rc metadata_row_put(struct tx *tx, int64_t version_id, const char *body, struct troth_err *e)
{
	struct metadata_row row = { .version_id = version_id, .body = body };
	TRY(rows_exec(tx, &DELETE_OF, ARGS(arg_int(version_id)), NULL, e));
	return body ? table_insert(tx, &METADATA, &row, e) : RC_OK;
}

static troth_rc body_of(struct tx *tx, struct arena *a, const struct query *q, int64_t id, const char **ret_body, struct troth_err *e)
{
	struct metadata_row *rows;
	size_t n;
	TRY(rows_list(tx, a, q, ARGS(arg_int(id)), &rows, &n, e));
	*ret_body = n ? rows[0].body : NULL;
	return RC_OK;
}

troth_rc metadata_row_of(struct tx *tx, struct arena *a, int64_t version_id, const char **ret_body, struct troth_err *e)
{
	return body_of(tx, a, &OF, version_id, ret_body, e);
}

troth_rc metadata_row_newest(struct tx *tx, struct arena *a, int64_t credential_id, const char **ret_body, struct troth_err *e)
{
	return body_of(tx, a, &NEWEST, credential_id, ret_body, e);
}
