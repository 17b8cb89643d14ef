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
static const struct query LIST_DELETED = { &CREDENTIAL, .rows = "WHERE retired > 0 AND issuer_id = ?1 AND NOT EXISTS (SELECT 1 FROM credential AS again "
	"WHERE again.retired = 0 AND again.name = credential.name AND again.issuer_id = ?1) AND id > ?2 ORDER BY id LIMIT ?3" };
static const struct query LIST_ISSUER = { &CREDENTIAL, .rows = "WHERE retired = 0 AND issuer_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3" };
static const struct query LIST_BELOW = { &CREDENTIAL, .rows = "WHERE retired = 0 AND kind = 'authority' AND issuer_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3" };
static const struct query SANS_GONE = { &CREDENTIAL,
	.sql = "DELETE FROM credential_san WHERE credential_id = ?1 AND san NOT IN (SELECT value FROM json_each(?2, '$.sans'))" };
static const struct query SANS_COME = { &CREDENTIAL,
	.sql = "INSERT OR IGNORE INTO credential_san SELECT value, ?1 FROM json_each(?2, '$.sans')" };
static const struct query ENDS = { &CREDENTIAL, .sql = "SELECT ends FROM credential WHERE id = ?1" };
static const struct query LONGEST_BELOW = { &CREDENTIAL,
	.sql = "SELECT max(coalesce((SELECT max(CASE kind WHEN 'authority' THEN ca_ttl ELSE leaf_ttl END) FROM credential"
	       " WHERE retired = 0 AND issuer_id = ?1), 0), coalesce((SELECT max(leaf_ttl) FROM template WHERE authority_id = ?1), 0))" };

/* Its names, one a row, so that one can be looked for. */
static troth_rc keep_sans(struct tx *tx, const struct credential_row *row, struct troth_err *e)
{
	TRY(rows_exec(tx, &SANS_GONE, ARGS(arg_int(row->id), arg_text(row->spec)), NULL, e));
	return rows_exec(tx, &SANS_COME, ARGS(arg_int(row->id), arg_text(row->spec)), NULL, e);
}

troth_rc credential_row_insert(struct tx *tx, struct credential_row *row, struct troth_err *e)
{
	TRY(table_insert(tx, &CREDENTIAL, row, e));
	return keep_sans(tx, row, e);
}

troth_rc credential_row_update(struct tx *tx, const struct credential_row *row, struct troth_err *e)
{
	TRY(table_update(tx, &CREDENTIAL, row, e));
	return keep_sans(tx, row, e);
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

troth_rc credential_row_list_deleted(struct tx *tx, struct arena *a, int64_t issuer_id,
	struct page page, struct credential_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_page(tx, a, &LIST_DELETED, arg_int(issuer_id), page, ret_rows, ret_count, e);
}

troth_rc credential_row_list_below(struct tx *tx, struct arena *a, int64_t issuer_id, struct credential_row **ret_rows, size_t *ret_count,
				   struct troth_err *e)
{
	return rows_page(tx, a, &LIST_BELOW, arg_int(issuer_id), PAGE_ALL, ret_rows, ret_count, e);
}

troth_rc credential_row_longest_below(struct tx *tx, int64_t issuer_id, msec_t *ret_ttl, struct troth_err *e)
{
	return rows_int(tx, &LONGEST_BELOW, ARGS(arg_int(issuer_id)), ret_ttl, e);
}

troth_rc credential_row_ends(struct tx *tx, int64_t id, msec_t *ret_ends, struct troth_err *e)
{
	TRY(rows_int(tx, &ENDS, ARGS(arg_int(id)), ret_ends, e));
	*ret_ends = *ret_ends == INT64_MAX ? 0 : *ret_ends;
	return RC_OK;
}

/* -- looking for some ------------------------------------------------------------------------------ */
/* What leads to the rows; everything else is asked of each of them.  A + before a column keeps SQLite from being led by it. */
enum lead { LEAD_ORDER, LEAD_NAME, LEAD_SAN, LEAD_FINGERPRINT, LEAD_COUNT };
static const char *const LEADS[LEAD_COUNT] = {
	[LEAD_ORDER] = "WHERE retired = 0 AND kind = ?1",
	[LEAD_NAME] = "WHERE retired = 0 AND +kind = ?1 AND name >= coalesce(?2, '') AND name < coalesce(?3, '\x7f')",
	[LEAD_SAN] = "WHERE retired = 0 AND +kind = ?1 AND id IN (SELECT credential_id FROM credential_san WHERE san IN (?5, ?6))",
	[LEAD_FINGERPRINT] = ("WHERE retired = 0 AND +kind = ?1 AND id IN (SELECT credential_id FROM version WHERE cert_id ="
			      " (SELECT id FROM cert WHERE fingerprint = ?7))"),
};
static const char ASKED[] =
	" AND (?2 IS NULL OR (+name >= ?2 AND +name < ?3)) AND (?4 = 0 OR +issuer_id = ?4)"
	" AND (?5 IS NULL OR EXISTS (SELECT 1 FROM credential_san WHERE san IN (?5, ?6) AND credential_id = credential.id))"
	" AND (?7 IS NULL OR EXISTS (SELECT 1 FROM version JOIN cert ON cert.id = cert_id"
	" WHERE fingerprint = ?7 AND credential_id = credential.id))"
	" AND +ends <= ?8";
/* The row that ?9 names is where the page before ended; there is no row 0, so that begins at the beginning. */
#define LAST(column, otherwise) "coalesce((SELECT " column " FROM credential WHERE id = ?9), " otherwise ")"
#define AT_LEAST "-9223372036854775808"
#define AT_MOST "9223372036854775807"
#define ORDERS(by)                                                                                                              \
	[CREDENTIAL_BY_ID] = " AND " by "id > ?9 ORDER BY " by "id LIMIT ?10",                                                  \
	[CREDENTIAL_BY_NAME] = " AND name > " LAST("name", "''") " ORDER BY " by "name LIMIT ?10",                              \
	[CREDENTIAL_BY_NAME_DOWN] = " AND name < " LAST("name", "'\x7f'") " ORDER BY " by "name DESC LIMIT ?10",                \
	[CREDENTIAL_BY_END] = " AND ends <= ?8 AND (ends, id) > (" LAST("ends", AT_LEAST) ", ?9)"                               \
			      " ORDER BY " by "ends, id LIMIT ?10",                                                             \
	[CREDENTIAL_BY_END_DOWN] = " AND ends <= ?8 AND (ends, id) < (" LAST("ends", AT_MOST) ", CASE ?9 WHEN 0 THEN " AT_MOST     \
				   " ELSE ?9 END) ORDER BY " by "ends DESC, id DESC LIMIT ?10"
static const char *const IN_ORDER[] = { ORDERS("") }, *const SORTED[] = { ORDERS("+") }; /* walked, or few and sorted at the end */
static const struct query FIND = { &CREDENTIAL };

static enum lead lead_of(const struct credential_filter *f)
{
	bool by_name = f->sort == CREDENTIAL_BY_NAME || f->sort == CREDENTIAL_BY_NAME_DOWN;
	return f->fingerprint.len ? LEAD_FINGERPRINT : f->san ? LEAD_SAN : by_name ? LEAD_NAME : LEAD_ORDER;
}

troth_rc credential_row_find(struct tx *tx, struct arena *a, const struct credential_filter *f, struct page page,
	struct credential_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	enum lead lead = lead_of(f);
	const char *order = lead == LEAD_SAN || lead == LEAD_FINGERPRINT ? SORTED[f->sort] : IN_ORDER[f->sort];
	const char *rows = arena_printf(a, "%s%s%s", LEADS[lead], ASKED, order);
	/* no name holds a byte above 0x7e */
	const char *beyond = f->name_prefix ? arena_printf(a, "%s\x7f", f->name_prefix) : NULL;
	return rows_variant(tx, a, &FIND, (int)f->sort * LEAD_COUNT + (int)lead, rows,
			    ARGS(arg_text(CREDENTIAL_KIND_NAMES[f->kind]), arg_text(f->name_prefix), arg_text(beyond), arg_int(f->issuer_id),
				 arg_text(f->san), arg_text(f->san_too), arg_blob(f->fingerprint), arg_int(f->ends_before ? f->ends_before - 1 : INT64_MAX),
				 arg_int(page.after), arg_int(page_limit(page))),
			    ret_rows, ret_count, e);
}
