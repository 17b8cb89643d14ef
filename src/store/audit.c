/* The audit: one row a change, each holding the hash of the one before and of itself, in the same
 * transaction as the change.  A row changed, removed or put in later breaks the chain at that row.
 * Cutting off the end breaks nothing in the chain itself; the signed heads find that, as far as the
 * newest of them reaches (the keeper keeps its own list of what it signed, out of our reach). */
#include "base/limits.h"
#include "store/digest.h"
#include "store/table.h"

enum {
	AUDIT_PAGE = 16,                      /* rows in memory while verifying: at most 2 MiB each */
	AUDIT_ARENA_BYTES = 80 << 20,         /* AUDIT_PAGE of the largest rows and the array */
};

static const struct column AUDIT_COLUMNS[] = {
	C(audit_row, seq, COL_INT),
	C(audit_row, at, COL_INT),
	C(audit_row, who, COL_TEXT),
	C(audit_row, action, COL_TEXT),
	C(audit_row, object, COL_TEXT),
	C(audit_row, within, COL_TEXT),
	C(audit_row, before, COL_TEXT),
	C(audit_row, after, COL_TEXT),
	C(audit_row, hash, COL_BLOB),
};
static const struct table AUDIT = TABLE(audit, AUDIT_COLUMNS, audit_row, action);
static const struct query LIST_OBJECT = { &AUDIT, .rows = "WHERE object = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3" };
static const struct query LIST_NEWEST = { &AUDIT, .rows = "WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2" };
static const struct query LAST = { &AUDIT, .sql = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1" };

static const struct column HEAD_COLUMNS[] = {
	C(audit_head_row, seq, COL_INT),
	C(audit_head_row, hash, COL_BLOB),
	C(audit_head_row, signature, COL_BLOB),
	C(audit_head_row, spki, COL_BLOB),
	C(audit_head_row, signed_at, COL_INT),
};
static const struct table HEAD = { "audit_head", HEAD_COLUMNS, ARRAY_LEN(HEAD_COLUMNS), sizeof(struct audit_head_row), 0 };
static const struct query HEAD_AT = { &HEAD, .rows = "WHERE seq = ?1" };
static const struct query HEAD_LAST = { &HEAD, .rows = "ORDER BY seq DESC LIMIT 1" };
static const struct query HEAD_DROP = { &HEAD, .sql = "DELETE FROM audit_head WHERE seq = ?1" };

/* -- the chain ----------------------------------------------------------------------------------- */

static troth_rc row_hash(const uint8_t previous[SHA256_LEN], const struct audit_row *row,
			 uint8_t ret_hash[SHA256_LEN], struct troth_err *e)
{
	struct digest d;
	TRY(digest_start(&d, e));
	digest_add_bytes(&d, bytes_of(previous, SHA256_LEN));
	digest_add_int(&d, row->seq);
	digest_add_int(&d, row->at);
	digest_add_text(&d, row->who);
	digest_add_text(&d, row->action);
	digest_add_text(&d, row->object);
	digest_add_text(&d, row->within);
	digest_add_text(&d, row->before);
	digest_add_text(&d, row->after);
	return digest_finish(&d, ret_hash, e);
}

troth_rc audit_last(struct tx *tx, int64_t *ret_seq, uint8_t ret_hash[32], struct troth_err *e)
{
	sqlite3_stmt *st;
	bool more;
	TRY(stmt_usable(tx, false, e));
	TRY(stmt_prepare(tx, &LAST, 0, LAST.sql, &st, e));
	TRY(stmt_step(tx, st, &more, e));
	*ret_seq = more ? sqlite3_column_int64(st, 0) : 0;
	memset(ret_hash, 0, SHA256_LEN);
	bool whole = !more || sqlite3_column_bytes(st, 1) == SHA256_LEN;
	if (more && whole)
		memcpy(ret_hash, sqlite3_column_blob(st, 1), SHA256_LEN);
	stmt_reset(st);
	ENSURE(whole, e, TROTH_CORRUPT, "the hash of the last audit row is damaged");
	return RC_OK;
}

troth_rc audit_append(struct tx *tx, struct audit_row *row, struct troth_err *e)
{
	uint8_t previous[SHA256_LEN], hash[SHA256_LEN];
	bool fits = strnlen(row->before ? row->before : "", LIMIT_HTTP_BODY_BYTES + 1) <= LIMIT_HTTP_BODY_BYTES &&
		    strnlen(row->after ? row->after : "", LIMIT_HTTP_BODY_BYTES + 1) <= LIMIT_HTTP_BODY_BYTES;
	ENSURE(fits, e, TROTH_TOO_LARGE, "an audit row holds at most %d bytes before and after", LIMIT_HTTP_BODY_BYTES);
	struct audit_row next = *row;
	TRY(audit_last(tx, &next.seq, previous, e));
	next.seq++;
	TRY(row_hash(previous, &next, hash, e));
	next.hash = bytes_of(hash, sizeof hash);
	TRY(table_insert(tx, &AUDIT, &next, e));
	row->seq = next.seq;
	return RC_OK;
}

/* -- lists and heads ------------------------------------------------------------------------------- */

troth_rc audit_list(struct tx *tx, struct arena *a, struct page page, struct audit_row **ret_rows,
		    size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &AUDIT, page, ret_rows, ret_count, e);
}

troth_rc audit_list_object(struct tx *tx, struct arena *a, const char *object, struct page page,
			   struct audit_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_page(tx, a, &LIST_OBJECT, arg_text(object), page, ret_rows, ret_count, e);
}

troth_rc audit_list_newest(struct tx *tx, struct arena *a, int64_t before, int limit,
			   struct audit_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	int64_t below = before > 0 ? before : INT64_MAX;
	return rows_list(tx, a, &LIST_NEWEST, ARGS(arg_int(below), arg_int(page_limit((struct page){ 0, limit }))),
			 ret_rows, ret_count, e);
}

troth_rc audit_head_put(struct tx *tx, const struct audit_head_row *row, struct troth_err *e)
{
	struct audit_head_row copy = *row;
	TRY(rows_exec(tx, &HEAD_DROP, ARGS(arg_int(row->seq)), NULL, e));
	return table_insert(tx, &HEAD, &copy, e);
}

troth_rc audit_head_last(struct tx *tx, struct arena *a, struct audit_head_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &HEAD_LAST, NO_ARGS, ret, e);
}

/* -- verifying -------------------------------------------------------------------------------------- */

struct walk {
	struct tx *tx;
	struct arena *a; /* one page */
	struct audit_check *check;
	uint8_t hash[SHA256_LEN]; /* of the last good row */
};

static void broken(struct walk *w, int64_t seq, const char *text)
{
	w->check->holds = false;
	w->check->first_broken = seq;
	snprintf(w->check->text, sizeof w->check->text, "the audit breaks at row %lld: %s", (long long)seq, text);
}

/* The signed head of this row, if there is one, names the same hash. */
static troth_rc head_compare(struct walk *w, const struct audit_row *row, struct troth_err *e)
{
	struct audit_head_row head;
	troth_rc rc = rows_find(w->tx, w->a, &HEAD_AT, ARGS(arg_int(row->seq)), &head, e);
	if (rc.code == TROTH_NOT_FOUND) {
		err_clear(e);
		return RC_OK;
	}
	TRY(rc);
	if (!bytes_equal(head.hash, row->hash))
		broken(w, row->seq, "the chain was rewritten, its signed head has another hash");
	return RC_OK;
}

static troth_rc row_check(struct walk *w, const struct audit_row *row, struct troth_err *e)
{
	uint8_t hash[SHA256_LEN];
	if (row->seq != w->check->rows + 1) {
		broken(w, w->check->rows + 1, "the row is missing");
		return RC_OK;
	}
	TRY(row_hash(w->hash, row, hash, e));
	if (!bytes_equal(row->hash, bytes_of(hash, sizeof hash))) {
		broken(w, row->seq, "it was changed after it was written");
		return RC_OK;
	}
	TRY(head_compare(w, row, e));
	if (!w->check->holds)
		return RC_OK;
	memcpy(w->hash, hash, sizeof hash);
	w->check->rows++;
	return RC_OK;
}

static troth_rc page_check(struct walk *w, bool *ret_more, struct troth_err *e)
{
	struct audit_row *rows;
	size_t count;
	arena_reset(w->a);
	TRY(audit_list(w->tx, w->a, (struct page){ w->check->rows, AUDIT_PAGE }, &rows, &count, e));
	for (size_t i = 0; i < count && w->check->holds; i++)
		TRY(row_check(w, &rows[i], e));
	*ret_more = w->check->holds && count == AUDIT_PAGE;
	return RC_OK;
}

/* After the walk: is the newest head good, and is its row still there? */
static troth_rc newest_head_check(struct walk *w, audit_signature_fn verify, void *self, struct troth_err *e)
{
	struct audit_head_row head;
	arena_reset(w->a);
	troth_rc rc = audit_head_last(w->tx, w->a, &head, e);
	if (rc.code == TROTH_NOT_FOUND) {
		err_clear(e);
		return RC_OK;
	}
	TRY(rc);
	if (head.seq > w->check->rows)
		broken(w, w->check->rows + 1, "the end was cut off, a signed head names a later row");
	else if (verify && !verify(self, &head))
		broken(w, head.seq, "the signature of its head is not by the audit key");
	else
		w->check->signed_up_to = head.seq;
	return RC_OK;
}

static troth_rc walk_all(struct walk *w, audit_signature_fn verify, void *self, struct troth_err *e)
{
	for (bool more = true; more;)
		TRY(page_check(w, &more, e));
	if (!w->check->holds)
		return RC_OK;
	TRY(newest_head_check(w, verify, self, e));
	if (w->check->holds)
		snprintf(w->check->text, sizeof w->check->text, "the audit holds: %lld rows, signed up to row %lld",
			 (long long)w->check->rows, (long long)w->check->signed_up_to);
	return RC_OK;
}

troth_rc audit_verify(struct tx *tx, audit_signature_fn verify, void *self, struct audit_check *ret, struct troth_err *e)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(AUDIT_ARENA_BYTES);
	struct audit_check check = { .holds = true };
	struct walk w = { .tx = tx, .a = a, .check = &check };
	TRY(walk_all(&w, verify, self, e));
	*ret = check;
	return RC_OK;
}
