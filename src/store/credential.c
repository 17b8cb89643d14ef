/* Credentials: named leaves and authorities.  A name is unique among those that live; a retired one
 * keeps its row (audit and old versions point at it) and frees its name. */
#include "store/table.h"

const char *const CREDENTIAL_KIND_NAMES[] = { "authority", "leaf" };
const char *const AUTHORITY_ORIGIN_NAMES[] = { "internal", "external", "imported" };

static const struct column COLUMNS[] = {
	C(credential_row, id, COL_ID),
	C(credential_row, uuid, COL_TEXT),
	C(credential_row, name, COL_TEXT),
	C_ENUM(credential_row, kind, CREDENTIAL_KIND_NAMES, ARRAY_LEN(CREDENTIAL_KIND_NAMES)),
	C_ENUM(credential_row, origin, AUTHORITY_ORIGIN_NAMES, ARRAY_LEN(AUTHORITY_ORIGIN_NAMES)),
	C(credential_row, issuer_id, COL_REF),
	C(credential_row, key_type, COL_TEXT),
	C(credential_row, spec, COL_TEXT),
	C(credential_row, ca_ttl, COL_INT),
	C(credential_row, leaf_ttl, COL_INT),
	C(credential_row, renew, COL_TEXT),
	C(credential_row, leaf_renew, COL_TEXT),
	C(credential_row, hold_at_deadline, COL_BOOL),
	C(credential_row, signing_version, COL_REF),
	C(credential_row, exportable, COL_BOOL),
	C(credential_row, paused, COL_BOOL),
	C(credential_row, grace_until, COL_INT),
	C(credential_row, grace_target, COL_REF),
	C(credential_row, rev, COL_INT),
	C(credential_row, created, COL_INT),
	C(credential_row, retired, COL_INT),
};
static const struct table CREDENTIAL = TABLE(credential, COLUMNS, credential_row, name);
static const struct query BY_NAME = { &CREDENTIAL, .rows = "WHERE name = ?1 AND retired = 0" };
static const struct query LIST_KIND = { &CREDENTIAL, .rows = "WHERE retired = 0 AND kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3" };
static const struct query LIST_ISSUER = { &CREDENTIAL, .rows = "WHERE retired = 0 AND issuer_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3" };
static const struct query LONGEST_BELOW = { &CREDENTIAL,
	.sql = "SELECT max(coalesce((SELECT max(CASE kind WHEN 'authority' THEN ca_ttl ELSE leaf_ttl END) FROM credential"
	       " WHERE retired = 0 AND issuer_id = ?1), 0), coalesce((SELECT max(leaf_ttl) FROM template WHERE authority_id = ?1), 0))" };

troth_rc credential_row_insert(struct tx *tx, struct credential_row *row, struct troth_err *e)
{
	return table_insert(tx, &CREDENTIAL, row, e);
}

troth_rc credential_row_update(struct tx *tx, const struct credential_row *row, struct troth_err *e)
{
	return table_update(tx, &CREDENTIAL, row, e);
}

troth_rc credential_row_get(struct tx *tx, struct arena *a, int64_t id, struct credential_row *ret,
	struct troth_err *e)
{
	return table_get(tx, a, &CREDENTIAL, id, ret, e);
}

troth_rc credential_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid,
	struct credential_row *ret, struct troth_err *e)
{
	return table_by_uuid(tx, a, &CREDENTIAL, uuid, ret, e);
}

troth_rc credential_row_by_name(struct tx *tx, struct arena *a, const char *name,
	struct credential_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_NAME, ARGS(arg_text(name)), ret, e);
}

troth_rc credential_row_list(struct tx *tx, struct arena *a, struct page page,
	struct credential_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &CREDENTIAL, page, ret_rows, ret_count, e);
}

troth_rc credential_row_list_kind(struct tx *tx, struct arena *a, enum credential_kind kind,
	struct page page, struct credential_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_page(tx, a, &LIST_KIND, arg_text(CREDENTIAL_KIND_NAMES[kind]), page, ret_rows, ret_count, e);
}

troth_rc credential_row_list_issuer(struct tx *tx, struct arena *a, int64_t issuer_id,
	struct page page, struct credential_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_page(tx, a, &LIST_ISSUER, arg_int(issuer_id), page, ret_rows, ret_count, e);
}

troth_rc credential_row_longest_below(struct tx *tx, int64_t issuer_id, msec_t *ret_ttl, struct troth_err *e)
{
	return rows_int(tx, &LONGEST_BELOW, ARGS(arg_int(issuer_id)), ret_ttl, e);
}
