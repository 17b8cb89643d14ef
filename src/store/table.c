/* Row structs to SQL and back, by column tables.  Three loops do all of it: sql_* write the text of
 * a statement (once a connection), column_bind and column_read move one value.  A stored value that
 * does not fit its column's kind (an enum's unknown name, a broken id list) is CORRUPT: somebody
 * else wrote it. */
#include "store/table.h"

#include "base/buf.h"

enum { STATEMENT_INSERT, STATEMENT_UPDATE, STATEMENT_DELETE, STATEMENT_GET, STATEMENT_BY_UUID, STATEMENT_LIST, STATEMENT_QUERY, STATEMENT_VARIANT };

enum { ID_LIST_BYTES = 1 << 20 }; /* a set of LIMIT_BUNDLE_CERTS ids has 10 KiB; room for far more */

/* -- statement texts ---------------------------------------------------------------------------- */

static void sql_columns(struct buf *b, const struct table *t, size_t from)
{
	for (size_t i = from; i < t->column_count; i++)
		buf_printf(b, "%s%s", i > from ? ", " : "", t->columns[i].name);
}

static void sql_insert(struct buf *b, const struct table *t)
{
	size_t from = t->columns[0].kind == COL_ID ? 1 : 0;
	buf_printf(b, "INSERT INTO %s(", t->name);
	sql_columns(b, t, from);
	buf_add_text(b, ") VALUES(");
	for (size_t i = from; i < t->column_count; i++)
		buf_printf(b, "%s?%d", i > from ? ", " : "", (int)i + 1);
	buf_add_text(b, ")");
}

static void sql_update(struct buf *b, const struct table *t)
{
	buf_printf(b, "UPDATE %s SET ", t->name);
	for (size_t i = 1; i < t->column_count; i++)
		buf_printf(b, "%s%s = ?%d", i > 1 ? ", " : "", t->columns[i].name, (int)i + 1);
	buf_printf(b, " WHERE %s = ?1", t->columns[0].name);
}

static void sql_select(struct buf *b, const struct table *t, const char *tail)
{
	buf_add_text(b, "SELECT ");
	sql_columns(b, t, 0);
	buf_printf(b, " FROM %s ", t->name);
	buf_add_text(b, tail);
}

static void sql_of_table(struct buf *b, const struct table *t, int which)
{
	const char *key = t->columns[0].name;
	char tail[160];
	switch (which) {
	case STATEMENT_INSERT:
		sql_insert(b, t);
		return;
	case STATEMENT_UPDATE:
		sql_update(b, t);
		return;
	case STATEMENT_DELETE:
		buf_printf(b, "DELETE FROM %s WHERE %s = ?1", t->name, key);
		return;
	case STATEMENT_GET:
		snprintf(tail, sizeof tail, "WHERE %s = ?1", key);
		break;
	case STATEMENT_BY_UUID:
		snprintf(tail, sizeof tail, "WHERE uuid = ?1");
		break;
	default:
		snprintf(tail, sizeof tail, "WHERE %s > ?1 ORDER BY %s LIMIT ?2", key, key);
		break;
	}
	sql_select(b, t, tail);
}

static troth_rc table_statement(struct tx *tx, const struct table *t, int which, sqlite3_stmt **ret, struct troth_err *e)
{
	TRY(stmt_usable(tx, which <= STATEMENT_DELETE, e));
	*ret = stmt_cached(tx, t, which);
	if (*ret)
		return RC_OK;
	CLEANUP(buf_release) struct buf b = buf_make(CONN_SQL_BYTES);
	sql_of_table(&b, t, which);
	ENSURE(buf_ok(&b), e, TROTH_UNAVAILABLE, "no memory for a statement");
	return stmt_prepare(tx, t, which, buf_text(&b), ret, e);
}

static troth_rc query_statement(struct tx *tx, const struct query *q, sqlite3_stmt **ret, struct troth_err *e)
{
	TRY(stmt_usable(tx, false, e));
	*ret = stmt_cached(tx, q, STATEMENT_QUERY);
	if (*ret)
		return RC_OK;
	CLEANUP(buf_release) struct buf b = buf_make(CONN_SQL_BYTES);
	if (q->sql)
		buf_add_text(&b, q->sql);
	else
		sql_select(&b, q->table, q->rows);
	ENSURE(buf_ok(&b), e, TROTH_UNAVAILABLE, "no memory for a statement");
	return stmt_prepare(tx, q, STATEMENT_QUERY, buf_text(&b), ret, e);
}

/* -- one value ---------------------------------------------------------------------------------------- */

static int ids_bind(sqlite3_stmt *st, int at, const struct id_list *ids)
{
	CLEANUP(buf_release) struct buf b = buf_make(ID_LIST_BYTES);
	buf_add_text(&b, "[");
	for (size_t i = 0; i < ids->count; i++)
		buf_printf(&b, "%s%lld", i ? "," : "", (long long)ids->items[i]);
	buf_add_text(&b, "]");
	if (!buf_ok(&b))
		return SQLITE_TOOBIG;
	return sqlite3_bind_text(st, at, buf_text(&b), -1, SQLITE_TRANSIENT);
}

static bool ids_read(struct arena *a, const char *text, struct id_list *ret)
{
	size_t count = text && text[0] == '[' && text[1] != ']';
	for (const char *p = text; p && *p; p++)
		count += *p == ',';
	if (!text || text[0] != '[')
		return false;
	struct id_list ids = { ARENA_ARRAY(a, int64_t, count ? count : 1), count };
	const char *p = text + 1;
	for (size_t i = 0; i < count; i++) {
		char *end;
		ids.items[i] = strtoll(p, &end, 10);
		if (end == p || *end != (i + 1 < count ? ',' : ']'))
			return false;
		p = end + 1;
	}
	*ret = ids;
	return true;
}

static int column_bind(sqlite3_stmt *st, int at, const struct column *c, const void *row)
{
	const void *p = (const char *)row + c->offset;
	switch (c->kind) {
	case COL_ID:
	case COL_INT:
		return sqlite3_bind_int64(st, at, *(const int64_t *)p);
	case COL_REF:
		return *(const int64_t *)p ? sqlite3_bind_int64(st, at, *(const int64_t *)p) : SQLITE_OK;
	case COL_BOOL:
		return sqlite3_bind_int(st, at, *(const bool *)p);
	case COL_TEXT:
		return sqlite3_bind_text(st, at, *(const char *const *)p, -1, SQLITE_STATIC);
	case COL_BLOB: {
		const struct bytes *b = p;
		return b->len ? sqlite3_bind_blob64(st, at, b->data, b->len, SQLITE_STATIC) : SQLITE_OK;
	}
	case COL_ENUM: {
		unsigned value = *(const unsigned *)p;
		CHECK(value < c->name_count);
		return sqlite3_bind_text(st, at, c->names[value], -1, SQLITE_STATIC);
	}
	case COL_IDS:
		return ids_bind(st, at, p);
	}
	return SQLITE_ERROR;
}

static bool enum_read(const struct column *c, const char *text, unsigned *ret)
{
	for (unsigned i = 0; text && i < c->name_count; i++)
		if (strcmp(c->names[i], text) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

static bool column_read(struct arena *a, sqlite3_stmt *st, int at, const struct column *c, void *row)
{
	void *p = (char *)row + c->offset;
	switch (c->kind) {
	case COL_ID:
	case COL_INT:
	case COL_REF:
		*(int64_t *)p = sqlite3_column_int64(st, at);
		return true;
	case COL_BOOL:
		*(bool *)p = sqlite3_column_int(st, at) != 0;
		return true;
	case COL_TEXT: {
		const char *s = (const char *)sqlite3_column_text(st, at);
		*(const char **)p = s ? arena_text_n(a, s, (size_t)sqlite3_column_bytes(st, at)) : NULL;
		return true;
	}
	case COL_BLOB: {
		const void *data = sqlite3_column_blob(st, at);
		*(struct bytes *)p = arena_bytes(a, bytes_of(data, (size_t)sqlite3_column_bytes(st, at)));
		return true;
	}
	case COL_ENUM:
		return enum_read(c, (const char *)sqlite3_column_text(st, at), p);
	case COL_IDS:
		return ids_read(a, (const char *)sqlite3_column_text(st, at), p);
	}
	return false;
}

static troth_rc row_read(struct arena *a, sqlite3_stmt *st, const struct table *t, void *row, struct troth_err *e)
{
	memset(row, 0, t->row_size);
	for (size_t i = 0; i < t->column_count; i++)
		ENSURE(column_read(a, st, (int)i, &t->columns[i], row), e, TROTH_CORRUPT,
		       "the store holds a %s whose %s cannot be read", t->name, t->columns[i].name);
	return RC_OK;
}

/* -- errors with a name --------------------------------------------------------------------------------- */

static const char *row_label(const struct table *t, const void *row)
{
	const char *label = t->label ? *(const char *const *)((const char *)row + t->label) : NULL;
	return label ? label : "";
}

/* The store says what kind of row it was about; the object is its name. */
static troth_rc failed_with_row(troth_rc rc, const struct table *t, const void *row, struct troth_err *e)
{
	if (rc.code != TROTH_CONFLICT)
		return rc;
	const char *label = row_label(t, row);
	if (label[0])
		err_prefix(e, "%s \"%s\"", t->name, label);
	else
		err_prefix(e, "%s", t->name);
	err_object(e, "%s", label);
	return rc;
}

static troth_rc not_found(const struct table *t, const struct arg *arg, struct troth_err *e)
{
	if (!arg || arg->kind == ARG_BLOB)
		return err_set(e, TROTH_NOT_FOUND, "no such %s", t->name);
	if (arg->kind == ARG_INT)
		return err_set(e, TROTH_NOT_FOUND, "no %s with id %lld", t->name, (long long)arg->i);
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "no %s \"%s\"", t->name, arg->text ? arg->text : "");
	err_object(e, "%s", arg->text ? arg->text : "");
	return rc;
}

/* -- writing ------------------------------------------------------------------------------------------------ */

static troth_rc row_write(struct tx *tx, const struct table *t, int which, const void *row, struct troth_err *e)
{
	sqlite3_stmt *st;
	bool more;
	TRY(table_statement(tx, t, which, &st, e));
	for (size_t i = which == STATEMENT_INSERT && t->columns[0].kind == COL_ID; i < t->column_count; i++) {
		int code = column_bind(st, (int)i + 1, &t->columns[i], row);
		if (code != SQLITE_OK) {
			stmt_reset(st);
			return stmt_failed(tx->conn, tx, code, e);
		}
	}
	troth_rc rc = stmt_step(tx, st, &more, e);
	if (rc_failed(rc))
		return failed_with_row(rc, t, row, e);
	stmt_reset(st);
	return RC_OK;
}

troth_rc table_insert(struct tx *tx, const struct table *t, void *row, struct troth_err *e)
{
	TRY(row_write(tx, t, STATEMENT_INSERT, row, e));
	if (t->columns[0].kind == COL_ID)
		*(int64_t *)((char *)row + t->columns[0].offset) = sqlite3_last_insert_rowid(tx->conn->db);
	return RC_OK;
}

troth_rc table_update(struct tx *tx, const struct table *t, const void *row, struct troth_err *e)
{
	TRY(row_write(tx, t, STATEMENT_UPDATE, row, e));
	struct arg id = arg_int(*(const int64_t *)((const char *)row + t->columns[0].offset));
	return sqlite3_changes(tx->conn->db) ? RC_OK : not_found(t, &id, e);
}

troth_rc table_delete(struct tx *tx, const struct table *t, int64_t id, struct troth_err *e)
{
	sqlite3_stmt *st;
	bool more;
	struct arg arg = arg_int(id);
	TRY(table_statement(tx, t, STATEMENT_DELETE, &st, e));
	stmt_bind(st, &arg, 1);
	troth_rc rc = stmt_step(tx, st, &more, e);
	if (rc_failed(rc)) {
		if (rc.code == TROTH_CONFLICT)
			err_prefix(e, "%s", t->name);
		return rc;
	}
	stmt_reset(st);
	return sqlite3_changes(tx->conn->db) ? RC_OK : not_found(t, &arg, e);
}

troth_rc rows_exec(struct tx *tx, const struct query *q, const struct arg *args, size_t arg_count, int *ret_changes, struct troth_err *e)
{
	sqlite3_stmt *st;
	bool more;
	TRY(stmt_usable(tx, true, e));
	TRY(query_statement(tx, q, &st, e));
	stmt_bind(st, args, arg_count);
	troth_rc rc = stmt_step(tx, st, &more, e);
	if (rc_failed(rc)) {
		if (rc.code == TROTH_CONFLICT)
			err_prefix(e, "%s", q->table->name);
		return rc;
	}
	stmt_reset(st);
	if (ret_changes)
		*ret_changes = sqlite3_changes(tx->conn->db);
	return RC_OK;
}

/* -- reading ------------------------------------------------------------------------------------------------ */

static troth_rc read_one(struct tx *tx, struct arena *a, const struct table *t, sqlite3_stmt *st,
			 const struct arg *args, size_t arg_count, void *ret_row, struct troth_err *e)
{
	bool more;
	stmt_bind(st, args, arg_count);
	TRY(stmt_step(tx, st, &more, e));
	troth_rc rc = more ? row_read(a, st, t, ret_row, e) : not_found(t, arg_count ? &args[0] : NULL, e);
	stmt_reset(st);
	return rc;
}

/* Grows the array by doubling; what is left behind goes with the arena. */
static void *rows_grow(struct arena *a, void *rows, size_t count, size_t *cap, size_t row_size)
{
	if (count < *cap)
		return rows;
	size_t cap_new = *cap ? *cap * 2 : 8;
	void *grown = arena_array(a, cap_new, row_size);
	if (count)
		memcpy(grown, rows, count * row_size);
	*cap = cap_new;
	return grown;
}

/* What a fleet or a history has is bounded by nobody: who asked for all of it hears so, and the process goes on. */
static troth_rc refuse_more(const struct table *t, size_t count, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_TOO_LARGE, "there are too many rows of %s for one answer: %zu were read, and there is no room for more", t->name, count);
	err_hint(e, "ask for less at a time: a smaller page (limit), one thing by its name, or a folder");
	return rc;
}

static troth_rc read_all(struct tx *tx, struct arena *a, const struct table *t, sqlite3_stmt *st,
			 const struct arg *args, size_t arg_count, void *ret_rows, size_t *ret_count, struct troth_err *e)
{
	char *rows = NULL;
	size_t count = 0, cap = 0;
	stmt_bind(st, args, arg_count);
	for (bool more = true;;) {
		TRY(stmt_step(tx, st, &more, e));
		if (!more)
			break;
		troth_rc rc = RC_OK;
		if (arena_scarce(a, count == cap ? 2 * (cap ? cap : 4) * t->row_size : 0))
			rc = refuse_more(t, count, e);
		else
			rows = rows_grow(a, rows, count, &cap, t->row_size);
		if (rc_ok(rc))
			rc = row_read(a, st, t, rows + count * t->row_size, e);
		if (rc_failed(rc)) {
			stmt_reset(st);
			return rc;
		}
		count++;
	}
	stmt_reset(st);
	*(void **)ret_rows = rows;
	*ret_count = count;
	return RC_OK;
}

troth_rc table_get(struct tx *tx, struct arena *a, const struct table *t, int64_t id, void *ret_row, struct troth_err *e)
{
	sqlite3_stmt *st;
	TRY(table_statement(tx, t, STATEMENT_GET, &st, e));
	return read_one(tx, a, t, st, ARGS(arg_int(id)), ret_row, e);
}

troth_rc table_by_uuid(struct tx *tx, struct arena *a, const struct table *t, const char *uuid, void *ret_row, struct troth_err *e)
{
	sqlite3_stmt *st;
	TRY(table_statement(tx, t, STATEMENT_BY_UUID, &st, e));
	return read_one(tx, a, t, st, ARGS(arg_text(uuid)), ret_row, e);
}

int64_t page_limit(struct page page)
{
	return page.limit > 0 ? page.limit : LIMIT_PAGE;
}

troth_rc table_list(struct tx *tx, struct arena *a, const struct table *t, struct page page, void *ret_rows, size_t *ret_count, struct troth_err *e)
{
	sqlite3_stmt *st;
	TRY(table_statement(tx, t, STATEMENT_LIST, &st, e));
	return read_all(tx, a, t, st, ARGS(arg_int(page.after), arg_int(page_limit(page))), ret_rows, ret_count, e);
}

troth_rc rows_find(struct tx *tx, struct arena *a, const struct query *q, const struct arg *args, size_t arg_count, void *ret_row, struct troth_err *e)
{
	sqlite3_stmt *st;
	TRY(query_statement(tx, q, &st, e));
	return read_one(tx, a, q->table, st, args, arg_count, ret_row, e);
}

troth_rc rows_list(struct tx *tx, struct arena *a, const struct query *q, const struct arg *args, size_t arg_count, void *ret_rows, size_t *ret_count, struct troth_err *e)
{
	sqlite3_stmt *st;
	TRY(query_statement(tx, q, &st, e));
	return read_all(tx, a, q->table, st, args, arg_count, ret_rows, ret_count, e);
}

troth_rc rows_variant(struct tx *tx, struct arena *a, const struct query *q, int which, const char *rows, const struct arg *args, size_t arg_count, void *ret_rows, size_t *ret_count, struct troth_err *e)
{
	TRY(stmt_usable(tx, false, e));
	sqlite3_stmt *st = stmt_cached(tx, q, STATEMENT_VARIANT + which);
	if (!st) {
		CLEANUP(buf_release) struct buf b = buf_make(CONN_SQL_BYTES);
		sql_select(&b, q->table, rows);
		ENSURE(buf_ok(&b), e, TROTH_UNAVAILABLE, "no memory for a statement");
		TRY(stmt_prepare(tx, q, STATEMENT_VARIANT + which, buf_text(&b), &st, e));
	}
	return read_all(tx, a, q->table, st, args, arg_count, ret_rows, ret_count, e);
}

troth_rc rows_page(struct tx *tx, struct arena *a, const struct query *q, struct arg arg, struct page page, void *ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, q, ARGS(arg, arg_int(page.after), arg_int(page_limit(page))), ret_rows, ret_count, e);
}

troth_rc rows_int(struct tx *tx, const struct query *q, const struct arg *args, size_t arg_count, int64_t *ret_value, struct troth_err *e)
{
	sqlite3_stmt *st;
	bool more;
	TRY(query_statement(tx, q, &st, e));
	stmt_bind(st, args, arg_count);
	TRY(stmt_step(tx, st, &more, e));
	*ret_value = more ? sqlite3_column_int64(st, 0) : 0;
	stmt_reset(st);
	return RC_OK;
}
