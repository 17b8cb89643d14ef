/* Versions: one certificate of a credential each.  The label "signing" is unique per credential by an
 * index (engine-rules 7, rule 1a); version_row_set_signing moves it without a moment of two. */
#include "store/table.h"

const char *const VERSION_SOURCE_NAMES[] = { "generated", "uploaded", "csr" };

static const struct column COLUMNS[] = {
	C(version_row, id, COL_ID),
	C(version_row, uuid, COL_TEXT),
	C(version_row, credential_id, COL_REF),
	C(version_row, cert_id, COL_REF),
	C(version_row, signed_by, COL_REF),
	C(version_row, above, COL_IDS),
	C(version_row, anchor_cert, COL_REF),
	C_ENUM(version_row, source, VERSION_SOURCE_NAMES, ARRAY_LEN(VERSION_SOURCE_NAMES)),
	C(version_row, key_blob, COL_BLOB),
	C(version_row, sealed_key, COL_BLOB),
	C(version_row, cross_cert, COL_REF),
	C(version_row, cross_by, COL_REF),
	C(version_row, wanted, COL_BOOL),
	C(version_row, signing, COL_BOOL),
	C(version_row, can_sign, COL_BOOL),
	C(version_row, distrusted, COL_BOOL),
	C(version_row, created, COL_INT),
	C(version_row, retired_at, COL_INT),
	C(version_row, renew_at, COL_INT),
	C(version_row, renew_latest, COL_INT),
	C(version_row, renewing, COL_INT),
	C(version_row, forgotten, COL_INT),
};
static const struct table VERSION = TABLE(version, COLUMNS, version_row, uuid);
static const struct query SIGNING_OFF = { &VERSION, .sql = "UPDATE version SET signing = 0 WHERE credential_id = ?1 AND signing = 1" };
static const struct query SIGNING_ON = { &VERSION, .sql = "UPDATE version SET signing = 1 WHERE id = ?1 AND credential_id = ?2" };
static const struct query SIGNING_NOTE = { &VERSION, .sql = "UPDATE credential SET signing_version = ?1 WHERE id = ?2" };
static const struct query LIST_CREDENTIAL = { &VERSION, .rows = "WHERE credential_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3" };
/* Each part by an index of its own: with thousands of versions the rest is not looked at. */
static const struct query LIST_RECENT = { &VERSION,
	.rows = "WHERE id IN (SELECT id FROM version WHERE credential_id = ?1 ORDER BY id DESC LIMIT ?2)"
		" OR id IN (SELECT id FROM version WHERE credential_id = ?1 AND wanted = 1"
		" UNION ALL SELECT id FROM version WHERE credential_id = ?1 AND signing = 1"
		" UNION ALL SELECT id FROM version WHERE credential_id = ?1 AND distrusted = 1"
		" UNION ALL SELECT v.id FROM credential c JOIN version v ON v.credential_id = c.id AND v.retired_at = 0"
		"  WHERE c.id = ?1 AND c.kind = 'authority') ORDER BY id DESC" };
static const struct query LIST_SIGNERS = { &VERSION,
	.rows = "WHERE credential_id = ?1 AND can_sign = 1 AND (wanted = 1 OR signing = 1 OR id = ?2) ORDER BY id" };
static const struct query LIST_CERT = { &VERSION, .rows = "WHERE cert_id = ?1 ORDER BY id" };
static const struct query LIST_ANCHOR = { &VERSION, .rows = "WHERE anchor_cert = ?1 ORDER BY id" };
static const struct query LIST_SIGNED_BY = { &VERSION, .rows = "WHERE signed_by = ?1 AND id > ?2 ORDER BY id LIMIT ?3" };
static const struct query LIST_AUTHORITIES = { &VERSION,
	.rows = "WHERE id > ?1 AND EXISTS (SELECT 1 FROM credential c WHERE c.id = credential_id AND c.kind = 'authority')"
		" ORDER BY id LIMIT ?2" };
static const struct query LIST_DUE = { &VERSION, .rows = "WHERE wanted = 1 AND renew_at > 0 AND renew_at <= ?1 ORDER BY renew_at LIMIT ?2" };
static const struct query ENDS = { &VERSION,
	.sql = "UPDATE credential SET ends = coalesce((SELECT min(cert.not_after) FROM version JOIN cert ON cert.id = version.cert_id"
	       " WHERE version.credential_id = ?1 AND version.wanted = 1), 9223372036854775807) WHERE id = ?1" };
static const struct query NEXT_DUE = { &VERSION, .sql = "SELECT min(renew_at) FROM version WHERE wanted = 1 AND renew_at > 0" };

/* credential.ends: when the first of its wanted versions ends. */
static troth_rc keep_ends(struct tx *tx, const struct version_row *row, struct troth_err *e)
{
	return rows_exec(tx, &ENDS, ARGS(arg_int(row->credential_id)), NULL, e);
}

troth_rc version_row_insert(struct tx *tx, struct version_row *row, struct troth_err *e)
{
	TRY(table_insert(tx, &VERSION, row, e));
	return keep_ends(tx, row, e);
}

troth_rc version_row_update(struct tx *tx, const struct version_row *row, struct troth_err *e)
{
	TRY(table_update(tx, &VERSION, row, e));
	return keep_ends(tx, row, e);
}

troth_rc version_row_set_signing(struct tx *tx, int64_t credential_id, int64_t version_id,
	struct troth_err *e)
{
	int changes;
	TRY(rows_exec(tx, &SIGNING_OFF, ARGS(arg_int(credential_id)), NULL, e));
	TRY(rows_exec(tx, &SIGNING_ON, ARGS(arg_int(version_id), arg_int(credential_id)), &changes, e));
	ENSURE(changes == 1, e, TROTH_NOT_FOUND, "no version with id %lld of this credential", (long long)version_id);
	return rows_exec(tx, &SIGNING_NOTE, ARGS(arg_int(version_id), arg_int(credential_id)), NULL, e);
}

troth_rc version_row_get(struct tx *tx, struct arena *a, int64_t id, struct version_row *ret,
	struct troth_err *e)
{
	return table_get(tx, a, &VERSION, id, ret, e);
}

troth_rc version_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid,
	struct version_row *ret, struct troth_err *e)
{
	return table_by_uuid(tx, a, &VERSION, uuid, ret, e);
}

troth_rc version_row_list(struct tx *tx, struct arena *a, struct page page,
	struct version_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &VERSION, page, ret_rows, ret_count, e);
}

troth_rc version_row_list_credential(struct tx *tx, struct arena *a, int64_t credential_id,
	struct page page, struct version_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_page(tx, a, &LIST_CREDENTIAL, arg_int(credential_id), page, ret_rows, ret_count, e);
}

troth_rc version_row_list_recent(struct tx *tx, struct arena *a, int64_t credential_id, int newest,
	struct version_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_RECENT, ARGS(arg_int(credential_id), arg_int(newest)), ret_rows, ret_count, e);
}

troth_rc version_row_list_signers(struct tx *tx, struct arena *a, int64_t credential_id, int64_t also,
	struct version_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_SIGNERS, ARGS(arg_int(credential_id), arg_int(also)), ret_rows, ret_count, e);
}

troth_rc version_row_list_cert(struct tx *tx, struct arena *a, int64_t cert_id,
	struct version_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_CERT, ARGS(arg_int(cert_id)), ret_rows, ret_count, e);
}

troth_rc version_row_list_anchor(struct tx *tx, struct arena *a, int64_t cert_id,
	struct version_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_ANCHOR, ARGS(arg_int(cert_id)), ret_rows, ret_count, e);
}

troth_rc version_row_list_signed_by(struct tx *tx, struct arena *a, int64_t version_id,
	struct page page, struct version_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_page(tx, a, &LIST_SIGNED_BY, arg_int(version_id), page, ret_rows, ret_count, e);
}

troth_rc version_row_list_authorities(struct tx *tx, struct arena *a, struct page page,
	struct version_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_AUTHORITIES, ARGS(arg_int(page.after), arg_int(page_limit(page))), ret_rows, ret_count, e);
}

troth_rc version_row_list_due(struct tx *tx, struct arena *a, msec_t now, int limit,
	struct version_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_DUE, ARGS(arg_int(now), arg_int(limit)), ret_rows, ret_count, e);
}

troth_rc version_row_next_due(struct tx *tx, msec_t *ret_at, struct troth_err *e)
{
	return rows_int(tx, &NEXT_DUE, NO_ARGS, ret_at, e);
}
