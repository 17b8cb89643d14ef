/* Contents of documents: a chain (order matters, leaf first) or a trust set (sorted, without doubles).
 * Equal contents are one row, found by a hash over kind and certificate ids. */
#include "store/digest.h"
#include "store/table.h"

const char *const CONTENT_KIND_NAMES[] = { "chain", "set" };

static const struct column COLUMNS[] = {
	C(content_row, id, COL_ID),
	C_ENUM(content_row, kind, CONTENT_KIND_NAMES, ARRAY_LEN(CONTENT_KIND_NAMES)),
	C(content_row, certs, COL_IDS),
	C(content_row, version_id, COL_REF),
	C(content_row, hash, COL_BLOB),
};
static const struct table CONTENT = { "content", COLUMNS, ARRAY_LEN(COLUMNS), sizeof(struct content_row), 0 };
static const struct query ID_BY_HASH = { &CONTENT, .sql = "SELECT id FROM content WHERE hash = ?1" };
static const struct query LIST_VERSION = { &CONTENT, .rows = "WHERE version_id = ?1 ORDER BY id" };

static int id_compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void ids_sort_unique(struct id_list *ids)
{
	size_t kept = 0;
	if (ids->count)
		qsort(ids->items, ids->count, sizeof ids->items[0], id_compare);
	for (size_t i = 0; i < ids->count; i++)
		if (kept == 0 || ids->items[kept - 1] != ids->items[i])
			ids->items[kept++] = ids->items[i];
	ids->count = kept;
}

static troth_rc content_hash(const struct content_row *row, uint8_t hash[SHA256_LEN], struct troth_err *e)
{
	struct digest d;
	TRY(digest_start(&d, e));
	digest_add_text(&d, CONTENT_KIND_NAMES[row->kind]);
	for (size_t i = 0; i < row->certs.count; i++)
		digest_add_int(&d, row->certs.items[i]);
	return digest_finish(&d, hash, e);
}

troth_rc content_row_put(struct tx *tx, struct content_row *row, struct troth_err *e)
{
	int64_t id;
	uint8_t hash[SHA256_LEN];
	if (row->kind == CONTENT_SET)
		ids_sort_unique(&row->certs);
	TRY(content_hash(row, hash, e));
	row->hash = bytes_of(hash, sizeof hash);
	troth_rc rc = rows_int(tx, &ID_BY_HASH, ARGS(arg_blob(row->hash)), &id, e);
	if (rc_ok(rc) && !id)
		rc = table_insert(tx, &CONTENT, row, e);
	else if (rc_ok(rc))
		row->id = id;
	row->hash = (struct bytes){ 0 }; /* it pointed into this function */
	return rc;
}

troth_rc content_row_get(struct tx *tx, struct arena *a, int64_t id, struct content_row *ret,
	struct troth_err *e)
{
	return table_get(tx, a, &CONTENT, id, ret, e);
}

troth_rc content_row_list(struct tx *tx, struct arena *a, struct page page,
	struct content_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &CONTENT, page, ret_rows, ret_count, e);
}

troth_rc content_row_list_version(struct tx *tx, struct arena *a, int64_t version_id,
	struct content_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_VERSION, ARGS(arg_int(version_id)), ret_rows, ret_count, e);
}
