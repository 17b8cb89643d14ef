/* Files below a place's roots, and nowhere else.
 *
 * A path is opened root first, then part by part without following a symlink, so neither the server's
 * words nor a link that a service's user has laid can lead elsewhere.  The roots themselves are the
 * administrator's word and may be reached over links.  Everything goes over struct port_fs. */
#ifndef TROTH_AGENT_TREE_H
#define TROTH_AGENT_TREE_H

#include "agent/profile.h"
#include "port/port.h"

struct tree_owner { uid_t uid; gid_t gid; bool set; }; /* not set: whoever we are */

/* Opens a directory that is a root or below one.  `create` makes missing ones (0755).  FORBIDDEN if a
 * part is a symlink or the path is outside.  ret_fd: the caller closes. */
troth_rc tree_open(const struct port_fs *fs, const struct place *p, const char *path, bool create, int *ret_fd,
		   struct troth_err *e);
/* Creates a new file in `dir` (an old one of that name goes first), with owner and mode, synced. */
troth_rc tree_write(const struct port_fs *fs, int dir, const char *name, struct bytes data, mode_t mode,
		    struct tree_owner owner, struct troth_err *e);
/* The same beside an existing file, which is then replaced by one rename. */
troth_rc tree_replace(const struct port_fs *fs, int dir, const char *name, struct bytes data, mode_t mode,
		      struct tree_owner owner, struct troth_err *e);
/* A regular file (no symlink), at most max bytes, into a secret buffer that the caller releases. */
troth_rc tree_read(const struct port_fs *fs, int dir, const char *name, size_t max, struct buf *ret,
		   struct stat *ret_stat, struct troth_err *e);
/* Makes `name` a symlink to `to` by one rename, whatever it was (no directory), and syncs dir. */
troth_rc tree_link(const struct port_fs *fs, int dir, const char *to, const char *name, struct troth_err *e);
/* Where the symlink leads.  NOT_FOUND: nothing there; CONFLICT: something that is no symlink. */
troth_rc tree_link_read(const struct port_fs *fs, int dir, const char *name, char *out, size_t size,
			struct troth_err *e);
/* Syncs the directories from the root down to `path`: those made on the way survive a power cut. */
troth_rc tree_keep(const struct port_fs *fs, const struct place *p, const char *path, struct troth_err *e);
troth_rc tree_sync(const struct port_fs *fs, int dir, struct troth_err *e);

#endif
