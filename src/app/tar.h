/* Writing a tar archive (POSIX.1-1988 ustar, which every tar reads): regular files only, into a buffer. */
#ifndef TROTH_APP_TAR_H
#define TROTH_APP_TAR_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

enum { TAR_BLOCK = 512, TAR_NAME_BYTES = 100 };

struct tar {
	struct buf *out;
	msec_t when; /* of every file in it */
};

/* A file, mode 0600, of nobody in particular (user and group 0).  INVALID for a name that is absolute, empty or longer than
 * TAR_NAME_BYTES; TOO_LARGE when the buffer is full. */
troth_rc tar_add(const struct tar *t, const char *name, struct bytes contents, struct troth_err *e);
/* The two empty blocks at its end. */
troth_rc tar_end(const struct tar *t, struct troth_err *e);

#endif
