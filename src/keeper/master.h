/* The master key: 32 random bytes under which every key at rest is wrapped.
 *
 * It is a file of exactly 32 bytes, owned by the user the keeper runs as (or root) and mode 0600 (0400
 * is accepted too: it is stricter), or the file "master.key" in the directory that
 * systemd names in CREDENTIALS_DIRECTORY.  Whoever has it and the store has every key: back them up
 * apart.  Losing it loses every authority. */
#ifndef TROTH_KEEPER_MASTER_H
#define TROTH_KEEPER_MASTER_H

#include "base/err.h"

#define KEEPER_MASTER_KEY_FILE "master.key"

/* Reads it into `out` (32 bytes, the caller's secure memory).  path NULL: from CREDENTIALS_DIRECTORY.
 * INVALID with what to do for another size, mode, owner or kind of file. */
troth_rc keeper_master_read(const char *path, unsigned char *out, struct troth_err *e);
/* Makes the file with 32 random bytes, mode 0600, synced.  CONFLICT if there is one: never overwrites. */
troth_rc keeper_master_create(const char *path, struct troth_err *e);

#endif
