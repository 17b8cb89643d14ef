/* Looking at a store from another process than its server's: a snapshot and figures, for a person who helps.
 *
 * No lock is taken and nothing is brought up to date: a server may be running on it. */
#ifndef TROTH_STORE_LOOK_H
#define TROTH_STORE_LOOK_H

#include "store/store.h"

/* A reader as store_reader_open gives it; store_reader_close.  UNAVAILABLE when there is none, INVALID, CORRUPT; CONFLICT for any
 * other schema than this program's, as rows would be read wrongly. */
troth_rc store_look(const char *path, struct store_reader **ret, struct troth_err *e);

struct store_table { const char *name; int64_t rows; };
struct store_figures {
	int64_t schema, page_bytes, pages, free_pages;
	const char *sqlite;              /* the library's version */
	const struct store_table *tables; /* by name, in the arena */
	size_t table_count;
};
/* Counts every row of every table: a second for a large store. */
troth_rc store_figures(struct tx *tx, struct arena *a, struct store_figures *ret, struct troth_err *e);

#endif
