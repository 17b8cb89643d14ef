/* What the hand's files share: a request being done, its target's memory, place and directories.
 * Inside agent/ only; hand.h is what others see. */
#ifndef TROTH_AGENT_HAND_TASK_H
#define TROTH_AGENT_HAND_TASK_H

#include "agent/document.h"
#include "agent/hand.h"
#include "agent/tree.h"

enum { DEPLOYED_BYTES = 2 << 20 }; /* of one file that is compared or adopted: a full bundle is 1 MiB */

struct task { /* one request with what it needs */
	struct hand *h;
	const struct hand_request *r;
	struct arena *a;
	struct hand_reply *ret;
	struct target_memory m; /* after task_load */
	struct place p;         /* after task_place */
};

static inline const struct port_fs *task_fs(const struct task *j) { return j->h->port.fs; }

/* -- hand_service.c ---------------------------------------------------------------------------------- */
/* What would be gone back to holds something that is distrusted: a failure does not put it back. */
bool task_no_way_back(const struct task *j);

/* -- hand_files.c: memory, place, lock ---------------------------------------------------------------- */
troth_rc task_load(struct task *j, struct troth_err *e);
troth_rc task_save(struct task *j, struct troth_err *e);
troth_rc task_place(struct task *j, struct troth_err *e);
/* One writer a directory: an flock as long as we live. */
troth_rc task_lock(struct task *j, struct troth_err *e);
/* All three, and the directory opened (made if missing); task_close it. */
troth_rc task_prepare(struct task *j, int *ret_dir, struct troth_err *e);
void task_close(struct task *j, int *dir);
void task_unlock(struct hand *h, const char *id);

/* -- hand_files.c: documents and versioned directories -------------------------------------------------- */
troth_rc task_read_document(struct task *j, const struct version *v, struct document *ret, struct troth_err *e);
troth_rc task_write_document(struct task *j, const char *dir, struct document *d, struct troth_err *e);
troth_rc task_owner(struct task *j, const struct place_file *f, struct tree_owner *ret, struct troth_err *e);
troth_rc task_open_version(struct task *j, int dir, const char *name, bool create, int *ret_fd, struct troth_err *e);
troth_rc task_write_files(struct task *j, int fd, struct document *d, struct troth_err *e);
/* The list of directories to remove later. */
void task_add_old(struct task *j, const char *dir);
void task_drop_old(struct task *j, const char *dir);
/* Removes a directory that we made and its document.  What is in the way stays: this is tidying. */
void task_remove_version(struct task *j, int dir, const char *name);
troth_rc task_remove_old_trust(struct task *j, int dir, struct troth_err *e);
/* Where `current` leads; "" if there is none; CONFLICT if it is not ours. */
troth_rc task_current(struct task *j, int dir, char out[STATE_DIR_BYTES], struct troth_err *e);

/* -- hand_files.c: fixed names ------------------------------------------------------------------------------ */
/* The bytes of a fixed name that is a regular file; NOT_FOUND or CONFLICT if it is none. */
troth_rc task_read_fixed(struct task *j, const struct profile_fixed *f, struct buf *ret, struct stat *st, struct troth_err *e);
/* One fixed name becomes a symlink; a symlink that is not ours is not touched. */
troth_rc task_link_fixed(struct task *j, const struct profile_fixed *f, bool *ret_changed, struct troth_err *e);
/* Before the first of ours: existing files to v0, current -> v0, names -> current/<file>. */
troth_rc task_adopt(struct task *j, int dir, struct troth_err *e);

/* -- the requests that stand in files of their own ------------------------------------------------------------ */
troth_rc hand_do_reload(struct task *j, struct troth_err *e); /* hand_service.c */
troth_rc hand_do_attest(struct task *j, struct troth_err *e);
troth_rc hand_do_check(struct task *j, struct troth_err *e);  /* hand_check.c */
troth_rc hand_do_forget(struct task *j, struct troth_err *e); /* hand_agent.c */
troth_rc hand_do_epoch(struct task *j, struct troth_err *e);
troth_rc hand_do_hello(struct task *j, struct troth_err *e);
troth_rc hand_do_csr(struct task *j, struct troth_err *e);
troth_rc hand_do_identity_csr(struct task *j, struct troth_err *e);
troth_rc hand_do_identity_save(struct task *j, struct troth_err *e);
troth_rc hand_do_trust_save(struct task *j, struct troth_err *e);

#endif
