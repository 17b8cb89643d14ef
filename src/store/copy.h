/* A copy of the whole store, in memory, with a few files beside it: what a backup holds.
 *
 * The copy is itself an SQLite database of the store's schema, so `sqlite3` can look at it.  The files lie in
 * one more table, `beside(name, contents)`, and the time in `meta`; taking them out again leaves a store. */
#ifndef TROTH_STORE_COPY_H
#define TROTH_STORE_COPY_H

#include "base/buf.h"
#include "store/store.h"

enum { COPY_FILES = 16 };

struct copy_file {
	const char *name;
	struct bytes contents;
};
struct copy_files {
	struct copy_file items[COPY_FILES];
	size_t count;
};

struct copy_info {
	int64_t schema, epoch, audit_seq; /* the newest audit row in it */
	msec_t made;
	struct bytes audit_blob;          /* meta "audit.blob": a key that the master key beside it must open */
};

/* Copies the store at `path` as of one moment; a server may be running on it.  `out` is a secret buffer: the files
 * hold keys.  UNAVAILABLE when there is none, CORRUPT, INVALID as store_open; TOO_LARGE when it does not fit `out`. */
troth_rc store_copy(const char *path, msec_t now, const struct copy_files *files, struct buf *out, struct troth_err *e);

/* Looks through a copy: intact, of a schema this program knows, without code of its own.  The files' contents live in the
 * arena.  INVALID or CORRUPT with what is wrong. */
troth_rc store_copy_check(struct arena *a, struct bytes copy, struct copy_info *ret, struct copy_files *ret_files, struct troth_err *e);

/* The store in a copy as the bytes of its file, without the files beside it: their bytes are overwritten, not only unlinked.
 * `out` is a secret buffer. */
troth_rc store_copy_strip(struct bytes copy, struct buf *out, struct troth_err *e);

#endif
