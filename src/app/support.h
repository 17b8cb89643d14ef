/* `troth support-bundle`: one archive for who helps, with no secret in it.
 *
 * It is made of what may be told anyway: answers of the API (the same routes, run on a snapshot of the store by this process,
 * so that a server that hangs is no hindrance), the settings, the keeper's log, figures of the machine.  No part reads
 * a key, a token, a hash of one, or a column that holds any; nothing is copied and then cleaned. */
#ifndef TROTH_APP_SUPPORT_H
#define TROTH_APP_SUPPORT_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"

/* The machine, and the file system that `dir` is on: lines of "what  value".  What cannot be read is left out. */
void support_system(struct arena *a, const char *dir, struct buf *out);
/* Status, limits and open files of a process; 0: of this one. */
void support_process(struct arena *a, pid_t pid, struct buf *out);
/* Names, modes, owners, sizes and times of what lies in `dir`; no contents. */
void support_files(struct arena *a, const char *dir, struct buf *out);
/* The last `lines` whole lines of a file, of at most LIMIT_SUPPORT_LOG_BYTES.  IO, NOT_FOUND; INVALID: a link, soft or
 * hard, is not followed, nor is anything read but a regular file. */
troth_rc support_tail(const char *path, int64_t lines, struct buf *out, struct troth_err *e);

#endif
