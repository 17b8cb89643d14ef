/* What the hand's files share: a request being done, its target's memory, place and directories.
 * Inside agent/ only; hand.h is what others see. */
#ifndef TROTH_AGENT_HAND_JOB_H
#define TROTH_AGENT_HAND_JOB_H

#include "agent/document.h"
#include "agent/hand.h"
#include "agent/tree.h"

enum { DEPLOYED_BYTES = 2 << 20 }; /* of one file that is compared or adopted: a full bundle is 1 MiB */

struct job { /* one request with what it needs */
	struct hand *h;
	const struct hand_request *r;
	struct arena *a;
	struct hand_reply *ret;
	struct target_memory m; /* after job_load */
	struct place p;         /* after job_place */
};

static inline const struct port_fs *job_fs(const struct job *j) { return j->h->port.fs; }

/* -- hand_files.c: memory, place, lock ---------------------------------------------------------------- */
troth_rc job_load(struct job *j, struct troth_err *e);
troth_rc job_save(struct job *j, struct troth_err *e);
troth_rc job_place(struct job *j, struct troth_err *e);
/* One writer a directory: an flock as long as we live. */
troth_rc job_lock(struct job *j, struct troth_err *e);
/* All three, and the directory opened (made if missing); job_close it. */
troth_rc job_prepare(struct job *j, int *ret_dir, struct troth_err *e);
void job_close(struct job *j, int *dir);
void job_unlock(struct hand *h, const char *id);

/* -- hand_files.c: documents and versioned directories -------------------------------------------------- */
troth_rc job_read_document(struct job *j, const struct version *v, struct document *ret, struct troth_err *e);
troth_rc job_write_document(struct job *j, const char *dir, struct document *d, struct troth_err *e);
troth_rc job_owner(struct job *j, const struct place_file *f, struct tree_owner *ret, struct troth_err *e);
troth_rc job_open_version(struct job *j, int dir, const char *name, bool create, int *ret_fd, struct troth_err *e);
troth_rc job_write_files(struct job *j, int fd, struct document *d, struct troth_err *e);
/* The list of directories to remove later. */
void job_add_old(struct job *j, const char *dir);
void job_drop_old(struct job *j, const char *dir);
/* Removes a directory that we made and its document.  What is in the way stays: this is tidying. */
void job_remove_version(struct job *j, int dir, const char *name);
troth_rc job_remove_old_trust(struct job *j, int dir, struct troth_err *e);
/* Where `current` leads; "" if there is none; CONFLICT if it is not ours. */
troth_rc job_current(struct job *j, int dir, char out[STATE_DIR_BYTES], struct troth_err *e);

/* -- hand_files.c: fixed names ------------------------------------------------------------------------------ */
/* The bytes of a fixed name that is a regular file; NOT_FOUND or CONFLICT if it is none. */
troth_rc job_read_fixed(struct job *j, const struct profile_fixed *f, struct buf *ret, struct stat *st, struct troth_err *e);
/* One fixed name becomes a symlink; a symlink that is not ours is not touched. */
troth_rc job_link_fixed(struct job *j, const struct profile_fixed *f, bool *ret_changed, struct troth_err *e);
/* Before the first of ours: existing files to v0, current -> v0, names -> current/<file>. */
troth_rc job_adopt(struct job *j, int dir, struct troth_err *e);

/* -- the requests that stand in files of their own ------------------------------------------------------------ */
troth_rc hand_do_reload(struct job *j, struct troth_err *e); /* hand_service.c */
troth_rc hand_do_attest(struct job *j, struct troth_err *e);
troth_rc hand_do_check(struct job *j, struct troth_err *e);  /* hand_check.c */
troth_rc hand_do_forget(struct job *j, struct troth_err *e); /* hand_agent.c */
troth_rc hand_do_epoch(struct job *j, struct troth_err *e);
troth_rc hand_do_hello(struct job *j, struct troth_err *e);
troth_rc hand_do_csr(struct job *j, struct troth_err *e);
troth_rc hand_do_identity_csr(struct job *j, struct troth_err *e);
troth_rc hand_do_identity_save(struct job *j, struct troth_err *e);

#endif
