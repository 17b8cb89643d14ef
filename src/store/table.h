/* Inside the store only: a row struct described by a table of its columns, and the functions that
 * read, write and list such structs.  A noun's file is a column table, its queries, and one line a
 * function; no file binds or reads a column by hand.
 *
 *   static const struct column COLUMNS[] = { C(bundle_row, id, COL_ID), C(bundle_row, name, COL_TEXT) ... };
 *   static const struct table BUNDLE = TABLE(bundle, COLUMNS, bundle_row, name);
 *   static const struct query BY_NAME = { &BUNDLE, .rows = "WHERE name = ?1" };
 *   rows_find(tx, a, &BY_NAME, ARGS(arg_text(name)), ret, e)   -> SELECT id, name FROM bundle WHERE name = ?1 */
#ifndef TROTH_STORE_TABLE_H
#define TROTH_STORE_TABLE_H

#include "store/stmt.h"

enum column_kind {
	COL_ID,   /* int64_t, primary key that SQLite gives at insert */
	COL_INT,  /* int64_t or msec_t */
	COL_REF,  /* int64_t; 0 is NULL */
	COL_BOOL, /* bool */
	COL_TEXT, /* const char *; NULL is NULL */
	COL_BLOB, /* struct bytes; empty is NULL */
	COL_ENUM, /* an enum, kept as names[value] */
	COL_IDS,  /* struct id_list, kept as a JSON array */
};

struct column {
	const char *name;
	enum column_kind kind;
	size_t offset;
	const char *const *names; /* COL_ENUM */
	size_t name_count;
};
#define C(type, member, kind_) { #member, kind_, offsetof(struct type, member), NULL, 0 }
#define C_ENUM(type, member, names_, count_) { #member, COL_ENUM, offsetof(struct type, member), names_, count_ }

struct table {
	const char *name;          /* of the table, and for people: "no credential ..." */
	const struct column *columns; /* [0] is the primary key */
	size_t column_count, row_size;
	size_t label;              /* offset of the text that names a row in errors; 0: none */
};
#define TABLE(name_, columns_, type, label_)                                                       \
	{ #name_, columns_, ARRAY_LEN(columns_), sizeof(struct type), offsetof(struct type, label_) }

struct query {
	const struct table *table;
	const char *rows; /* what follows SELECT columns FROM table; or */
	const char *sql;  /* a whole statement */
};

/* insert sets the id (COL_ID) in row; update writes all columns of the row with its id. */
troth_rc table_insert(struct tx *tx, const struct table *t, void *row, struct troth_err *e);
troth_rc table_update(struct tx *tx, const struct table *t, const void *row, struct troth_err *e);
troth_rc table_delete(struct tx *tx, const struct table *t, int64_t id, struct troth_err *e); /* NOT_FOUND */
troth_rc table_get(struct tx *tx, struct arena *a, const struct table *t, int64_t id, void *ret_row, struct troth_err *e);
troth_rc table_by_uuid(struct tx *tx, struct arena *a, const struct table *t, const char *uuid, void *ret_row, struct troth_err *e);
/* primary key > page.after, ascending */
troth_rc table_list(struct tx *tx, struct arena *a, const struct table *t, struct page page, void *ret_rows, size_t *ret_count, struct troth_err *e);

/* The first row of a query; NOT_FOUND names ?1. */
troth_rc rows_find(struct tx *tx, struct arena *a, const struct query *q, const struct arg *args, size_t arg_count, void *ret_row, struct troth_err *e);
/* All rows of a query into an array in the arena; ret_rows is the address of a row pointer. */
troth_rc rows_list(struct tx *tx, struct arena *a, const struct query *q, const struct arg *args, size_t arg_count, void *ret_rows, size_t *ret_count, struct troth_err *e);
/* The same for a text that is one of few, told apart by `which` (0, 1, 2 ...); it is read when it is not prepared yet. */
troth_rc rows_variant(struct tx *tx, struct arena *a, const struct query *q, int which, const char *rows, const struct arg *args, size_t arg_count, void *ret_rows, size_t *ret_count, struct troth_err *e);
/* A query whose text ends "... AND id > ?2 ORDER BY id LIMIT ?3" with ?1 = arg. */
troth_rc rows_page(struct tx *tx, struct arena *a, const struct query *q, struct arg arg, struct page page, void *ret_rows, size_t *ret_count, struct troth_err *e);
/* A statement without rows; ret_changes may be NULL. */
troth_rc rows_exec(struct tx *tx, const struct query *q, const struct arg *args, size_t arg_count, int *ret_changes, struct troth_err *e);
/* The first column of the first row; 0 when there is no row or it is NULL. */
troth_rc rows_int(struct tx *tx, const struct query *q, const struct arg *args, size_t arg_count, int64_t *ret_value, struct troth_err *e);

/* Where a list stops: the page's limit, or LIMIT_PAGE. */
int64_t page_limit(struct page page);

#endif
