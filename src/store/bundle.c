/* Bundles and their members.  A member is an authority (all its trusted versions) or one certificate. */
#include "store/table.h"

static const struct column BUNDLE_COLUMNS[] = {
	C(bundle_row, id, COL_ID),
	C(bundle_row, uuid, COL_TEXT),
	C(bundle_row, name, COL_TEXT),
	C(bundle_row, rev, COL_INT),
	C(bundle_row, created, COL_INT),
};
static const struct table BUNDLE = TABLE(bundle, BUNDLE_COLUMNS, bundle_row, name);
static const struct query BY_NAME = { &BUNDLE, .rows = "WHERE name = ?1" };

static const struct column MEMBER_COLUMNS[] = {
	C(bundle_member_row, id, COL_ID),
	C(bundle_member_row, bundle_id, COL_REF),
	C(bundle_member_row, authority_id, COL_REF),
	C(bundle_member_row, cert_id, COL_REF),
	C(bundle_member_row, alias, COL_TEXT),
	C(bundle_member_row, source, COL_TEXT),
	C(bundle_member_row, created, COL_INT),
};
static const struct table MEMBER = TABLE(bundle_member, MEMBER_COLUMNS, bundle_member_row, alias);
static const struct query LIST_BUNDLE = { &MEMBER, .rows = "WHERE bundle_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3" };
static const struct query LIST_AUTHORITY = { &MEMBER, .rows = "WHERE authority_id = ?1 ORDER BY id" };
static const struct query LIST_CERT = { &MEMBER, .rows = "WHERE cert_id = ?1 ORDER BY id" };

troth_rc bundle_row_insert(struct tx *tx, struct bundle_row *row, struct troth_err *e)
{
	return table_insert(tx, &BUNDLE, row, e);
}

troth_rc bundle_row_update(struct tx *tx, const struct bundle_row *row, struct troth_err *e)
{
	return table_update(tx, &BUNDLE, row, e);
}

troth_rc bundle_row_delete(struct tx *tx, int64_t id, struct troth_err *e)
{
	return table_delete(tx, &BUNDLE, id, e);
}

troth_rc bundle_row_get(struct tx *tx, struct arena *a, int64_t id, struct bundle_row *ret,
	struct troth_err *e)
{
	return table_get(tx, a, &BUNDLE, id, ret, e);
}

troth_rc bundle_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid,
	struct bundle_row *ret, struct troth_err *e)
{
	return table_by_uuid(tx, a, &BUNDLE, uuid, ret, e);
}

troth_rc bundle_row_by_name(struct tx *tx, struct arena *a, const char *name,
	struct bundle_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_NAME, ARGS(arg_text(name)), ret, e);
}

troth_rc bundle_row_list(struct tx *tx, struct arena *a, struct page page,
	struct bundle_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &BUNDLE, page, ret_rows, ret_count, e);
}

troth_rc bundle_member_row_insert(struct tx *tx, struct bundle_member_row *row, struct troth_err *e)
{
	return table_insert(tx, &MEMBER, row, e);
}

troth_rc bundle_member_row_delete(struct tx *tx, int64_t id, struct troth_err *e)
{
	return table_delete(tx, &MEMBER, id, e);
}

troth_rc bundle_member_row_list_bundle(struct tx *tx, struct arena *a, int64_t bundle_id,
	struct page page, struct bundle_member_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_page(tx, a, &LIST_BUNDLE, arg_int(bundle_id), page, ret_rows, ret_count, e);
}

troth_rc bundle_member_row_list_authority(struct tx *tx, struct arena *a, int64_t authority_id,
	struct bundle_member_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_AUTHORITY, ARGS(arg_int(authority_id)), ret_rows, ret_count, e);
}

troth_rc bundle_member_row_list_cert(struct tx *tx, struct arena *a, int64_t cert_id,
	struct bundle_member_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_CERT, ARGS(arg_int(cert_id)), ret_rows, ret_count, e);
}

troth_rc bundle_member_row_list(struct tx *tx, struct arena *a, struct page page,
	struct bundle_member_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &MEMBER, page, ret_rows, ret_count, e);
}
