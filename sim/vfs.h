/* A disk for SQLite that lives in memory and can fail in every way a disk does.
 *
 * It tells apart what was written and what was synced.  At a crash everything stops; a reboot then
 * keeps, for each write since the last sync of that file, all of it, nothing of it, or some of its
 * sectors (the others old, or garbage), as the seed decides, in any combination: the promise of a
 * real disk, and not more.  A file that was created and never synced may be gone.
 *
 *   struct sim_vfs *v = sim_vfs_new("sim", seed);
 *   store_open("/troth.db", &(struct store_options){ .vfs = "sim" }, ...)
 *   sim_vfs_crash_at(v, SIM_SYNC, 7);   the 7th sync from now never happens, nor anything after it
 *   ... calls fail ...  store_close(...)
 *   sim_vfs_reboot(v);                  and open again
 *
 * One thread.  The shared memory of WAL works between connections of the process. */
#ifndef TROTH_SIM_VFS_H
#define TROTH_SIM_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_op { SIM_OPEN, SIM_READ, SIM_WRITE, SIM_SYNC, SIM_TRUNCATE, SIM_DELETE, SIM_OP_MAX, SIM_ANY = SIM_OP_MAX };

struct sim_vfs;

/* Registers itself with SQLite under `name`; free unregisters (all connections must be closed). */
struct sim_vfs *sim_vfs_new(const char *name, uint64_t seed);
void sim_vfs_free(struct sim_vfs *v); /* accepts NULL */

/* How many of these calls were made since the start (SIM_ANY: of all). */
int64_t sim_vfs_count(const struct sim_vfs *v, enum sim_op op);

/* The n-th call of this kind from now (1 = the next one) fails with SQLite's `code`; `stays`: and all after it. */
void sim_vfs_fail_at(struct sim_vfs *v, enum sim_op op, int64_t nth, int code, bool stays);
/* At the n-th call of this kind from now the machine dies: a write may have happened, a sync has
 * not; every call from then on fails until the reboot. */
void sim_vfs_crash_at(struct sim_vfs *v, enum sim_op op, int64_t nth);
void sim_vfs_crash(struct sim_vfs *v); /* now */
void sim_vfs_heal(struct sim_vfs *v);  /* forget fail_at and crash_at (not a crash that happened) */
bool sim_vfs_crashed(const struct sim_vfs *v);
/* Everything written so far counts as synced, also what was changed through sim_vfs_file. */
void sim_vfs_keep_live(struct sim_vfs *v);
/* The machine starts again: what the disk kept is what the files are now. */
void sim_vfs_reboot(struct sim_vfs *v);

/* A backup of all files as they are now; later they become it again (nothing is open then). */
void sim_vfs_save(struct sim_vfs *v);
bool sim_vfs_has_saved(const struct sim_vfs *v);
void sim_vfs_restore(struct sim_vfs *v);

/* All files together hold at most so many bytes; more is SQLITE_FULL.  0: no limit. */
void sim_vfs_capacity(struct sim_vfs *v, int64_t bytes);
bool sim_vfs_limited(const struct sim_vfs *v);
int64_t sim_vfs_used(const struct sim_vfs *v);

/* The bytes of a file, to look at or to damage; NULL if there is none.  Valid until the next call. */
uint8_t *sim_vfs_file(struct sim_vfs *v, const char *path, size_t *ret_len);

#endif
