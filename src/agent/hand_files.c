/* What every request on files shares: the target's memory, its place, its lock; documents, versioned
 * directories and the names that are adopted. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "agent/hand_job.h"
#include "base/limits.h"

enum { OLD_MAX = 16 };

/* -- memory and place ----------------------------------------------------------------------------------- */

troth_rc job_load(struct job *j, struct troth_err *e)
{
	ENSURE(j->r->id, e, TROTH_INVALID, "%s needs a target", hand_op_name(j->r->op));
	return memory_read(&j->h->store, j->a, j->r->id, &j->m, e);
}

troth_rc job_save(struct job *j, struct troth_err *e)
{
	return memory_write(&j->h->store, j->a, &j->m, e);
}

static struct target_spec spec_of(const struct target_memory *m)
{
	return (struct target_spec){ m->id, m->name, m->profile, m->kind, m->role, m->parameters, m->parameter_count };
}

troth_rc job_place(struct job *j, struct troth_err *e)
{
	struct target_spec spec = spec_of(&j->m);
	return place_resolve(j->a, j->h->profiles, j->h->profile_count, j->h->settings, &spec, &j->p, e);
}

static struct hand_lock *lock_of(struct hand *h, const char *id)
{
	for (size_t i = 0; i < h->lock_count; i++)
		if (text_equal(h->locks[i].id, id))
			return &h->locks[i];
	return NULL;
}

static void lock_drop(struct hand *h, struct hand_lock *lock)
{
	h->port.fs->close(h->port.fs->self, lock->fd);
	*lock = h->locks[--h->lock_count];
}

/* One writer a directory: an flock as long as we live. */
troth_rc job_lock(struct job *j, struct troth_err *e)
{
	struct hand *h = j->h;
	struct hand_lock *lock = lock_of(h, j->m.id);
	if (lock && text_equal(lock->directory, j->p.directory))
		return RC_OK;
	if (lock)
		lock_drop(h, lock);
	ENSURE(h->lock_count < LIMIT_TARGETS_PER_INSTANCE, e, TROTH_TOO_LARGE, "too many targets");
	int fd;
	TRY(tree_open(job_fs(j), &j->p, j->p.directory, true, &fd, e));
	if (job_fs(j)->flock(job_fs(j)->self, fd, LOCK_EX | LOCK_NB) != 0) {
		int err_no = errno;
		job_fs(j)->close(job_fs(j)->self, fd);
		if (err_no != EWOULDBLOCK)
			return err_errno(e, err_no, "could not lock \"%.200s\"", j->p.directory);
		troth_rc rc = err_set(e, TROTH_CONFLICT, "directory \"%.200s\" is in use by another agent or target", j->p.directory);
		err_hint(e, "give each target a directory of its own, and stop the other agent");
		return rc;
	}
	lock = &h->locks[h->lock_count++];
	lock->fd = fd;
	(void)text_copy(lock->id, sizeof lock->id, j->m.id);                       /* a UUID */
	(void)text_copy(lock->directory, sizeof lock->directory, j->p.directory); /* a longer one is locked anew: fails */
	return RC_OK;
}

void job_unlock(struct hand *h, const char *id)
{
	struct hand_lock *lock = lock_of(h, id);
	if (lock)
		lock_drop(h, lock);
}

/* Memory, place and lock: what every step on files starts with. */
troth_rc job_prepare(struct job *j, int *ret_dir, struct troth_err *e)
{
	TRY(job_load(j, e));
	TRY(job_place(j, e));
	TRY(job_lock(j, e));
	return tree_open(job_fs(j), &j->p, j->p.directory, true, ret_dir, e);
}

void job_close(struct job *j, int *dir)
{
	if (*dir >= 0)
		job_fs(j)->close(job_fs(j)->self, *dir);
	*dir = -1;
}

/* -- documents in our own directory -------------------------------------------------------------------------- */

troth_rc job_read_document(struct job *j, const struct version *v, struct document *ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf crt = { 0 };
	CLEANUP(buf_release) struct buf key = { 0 };
	TRY(store_read(&j->h->store, memory_crt_name(j->a, j->m.id, v->dir), DEPLOYED_BYTES, &crt, e));
	if (j->m.kind == MSG_SLOT)
		TRY(store_read(&j->h->store, memory_key_name(j->a, j->m.id, v->dir), 4 * LIMIT_KEY_DER_BYTES, &key, e));
	const char *text = buf_text(&crt);
	struct json_texts pems = { &text, crt.len ? 1 : 0 };
	return document_make(j->a, j->m.kind, &pems, buf_bytes(&key), 0, ret, e);
}

troth_rc job_write_document(struct job *j, const char *dir, struct document *d, struct troth_err *e)
{
	if (d->kind == MSG_SLOT)
		TRY(store_write(&j->h->store, memory_key_name(j->a, j->m.id, dir), buf_bytes(&d->key), e));
	return store_write(&j->h->store, memory_crt_name(j->a, j->m.id, dir), document_pem(j->a, d), e);
}

troth_rc job_owner(struct job *j, const struct place_file *f, struct tree_owner *ret, struct troth_err *e)
{
	struct hand_port *p = &j->h->port;
	*ret = (struct tree_owner){ (uid_t)-1, (gid_t)-1, false };
	if (f->owner[0]) {
		ENSURE(p->user_id(p->self, f->owner, &ret->uid, &ret->gid) == 0, e, TROTH_NOT_FOUND, "there is no user \"%s\" on this node",
		       f->owner);
		ret->set = true;
	}
	if (f->group[0]) {
		ENSURE(p->group_id(p->self, f->group, &ret->gid) == 0, e, TROTH_NOT_FOUND, "there is no group \"%s\" on this node",
		       f->group);
		ret->set = true;
	}
	return RC_OK;
}

/* -- a versioned directory ---------------------------------------------------------------------------------------- */

troth_rc job_open_version(struct job *j, int dir, const char *name, bool create, int *ret_fd, struct troth_err *e)
{
	const struct port_fs *fs = job_fs(j);
	if (create && fs->mkdirat(fs->self, dir, name, 0755) != 0 && errno != EEXIST)
		return err_errno(e, errno, "could not make directory \"%s\" in \"%.200s\"", name, j->p.directory);
	int fd = fs->openat(fs->self, dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_errno(e, errno, "could not open \"%s\" in \"%.200s\"", name, j->p.directory);
	*ret_fd = fd;
	return RC_OK;
}

troth_rc job_write_files(struct job *j, int fd, struct document *d, struct troth_err *e)
{
	struct document_file *files;
	size_t n;
	TRY(document_files(j->a, &j->p, d, &files, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct tree_owner owner;
		TRY(job_owner(j, files[i].as, &owner, e));
		TRY(tree_write(job_fs(j), fd, files[i].name, files[i].data, files[i].as->mode, owner, e));
	}
	return tree_sync(job_fs(j), fd, e);
}

/* Removes a directory that we made and its document.  What is in the way stays: this is tidying. */
void job_remove_version(struct job *j, int dir, const char *name)
{
	const struct port_fs *fs = job_fs(j);
	struct version v = { 0 };
	CLEANUP(document_release) struct document d = { 0 };
	struct document_file *files;
	size_t n;
	int fd;
	snprintf(v.dir, sizeof v.dir, "%s", name);
	if (rc_ok(job_read_document(j, &v, &d, NULL)) && rc_ok(document_files(j->a, &j->p, &d, &files, &n, NULL)) &&
	    rc_ok(job_open_version(j, dir, name, false, &fd, NULL))) {
		for (size_t i = 0; i < n; i++)
			fs->unlinkat(fs->self, fd, files[i].name, 0);
		fs->close(fs->self, fd);
		fs->unlinkat(fs->self, dir, name, AT_REMOVEDIR);
	}
	(void)store_remove(&j->h->store, memory_key_name(j->a, j->m.id, name), NULL); /* absent or in the way: both fine here */
	(void)store_remove(&j->h->store, memory_crt_name(j->a, j->m.id, name), NULL);
}

void job_add_old(struct job *j, const char *dir)
{
	const char **items = ARENA_ARRAY(j->a, const char *, OLD_MAX + 1);
	size_t n = 0;
	for (size_t i = 0; i < j->m.old.count && n < OLD_MAX; i++)
		if (!text_equal(j->m.old.items[i], dir))
			items[n++] = j->m.old.items[i];
	if (n < OLD_MAX && dir[0])
		items[n++] = arena_text(j->a, dir);
	j->m.old = (struct json_texts){ items, n };
}

void job_drop_old(struct job *j, const char *dir)
{
	size_t n = 0;
	for (size_t i = 0; i < j->m.old.count; i++)
		if (!text_equal(j->m.old.items[i], dir))
			j->m.old.items[n++] = j->m.old.items[i];
	j->m.old.count = n;
}

/* "" if there is no `current`. */
troth_rc job_current(struct job *j, int dir, char out[STATE_DIR_BYTES], struct troth_err *e)
{
	struct troth_err why = { 0 };
	char link[1024];
	troth_rc rc = tree_link_read(job_fs(j), dir, "current", link, sizeof link, &why);
	if (rc_failed(rc) && why.kind == TROTH_NOT_FOUND)
		link[0] = 0;
	else if (rc_failed(rc))
		return err_set(e, why.kind, "%s in \"%.150s\"", why.primary, j->p.directory);
	bool plain = strlen(link) < STATE_DIR_BYTES && !strchr(link, '/') && link[0] != '.';
	ENSURE(plain, e, TROTH_CONFLICT, "\"current\" in \"%.150s\" leads to \"%.100s\", not to a directory beside it", j->p.directory, link);
	snprintf(out, STATE_DIR_BYTES, "%s", link);
	return RC_OK;
}

/* -- adopting fixed file names (once): existing files to v0, current -> v0, names -> current/<file> ---------------- */

static troth_rc split_path(const char *path, char dir[1024], const char **ret_name, struct troth_err *e)
{
	const char *slash = strrchr(path, '/');
	ENSURE(slash && slash != path && slash[1] && (size_t)(slash - path) < 1024, e, TROTH_INVALID, "\"%.200s\" is no path of a file", path);
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = 0;
	*ret_name = slash + 1;
	return RC_OK;
}

static troth_rc open_fixed(struct job *j, const struct profile_fixed *f, int *ret_dir, const char **ret_name, struct troth_err *e)
{
	char dir[1024];
	TRY(split_path(f->path, dir, ret_name, e));
	return tree_open(job_fs(j), &j->p, dir, false, ret_dir, e);
}

/* The bytes of a fixed name that is a regular file; NOT_FOUND if it is none or absent. */
troth_rc job_read_fixed(struct job *j, const struct profile_fixed *f, struct buf *ret, struct stat *st, struct troth_err *e)
{
	int dir;
	const char *name;
	TRY(open_fixed(j, f, &dir, &name, e));
	troth_rc rc = tree_read(job_fs(j), dir, name, DEPLOYED_BYTES, ret, st, e);
	job_fs(j)->close(job_fs(j)->self, dir);
	return rc;
}

static troth_rc copy_fixed(struct job *j, int v0, const struct profile_fixed *f, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = { 0 };
	struct stat st;
	struct troth_err why = { 0 };
	troth_rc rc = job_read_fixed(j, f, &b, &st, &why);
	if (rc_failed(rc) && (why.kind == TROTH_NOT_FOUND || why.kind == TROTH_CONFLICT))
		return RC_OK; /* nothing to keep; a foreign symlink is refused where it would be replaced */
	if (rc_failed(rc))
		return err_set(e, why.kind, "%s", why.primary);
	struct tree_owner owner = { st.st_uid, st.st_gid, j->h->port.uid == 0 };
	return tree_write(job_fs(j), v0, f->file, buf_bytes(&b), st.st_mode & 0777, owner, e);
}

static troth_rc make_v0(struct job *j, int dir, struct troth_err *e)
{
	bool any = false;
	for (size_t i = 0; i < j->p.fixed_count && !any; i++) {
		CLEANUP(buf_release) struct buf b = { 0 };
		any = rc_ok(job_read_fixed(j, &j->p.fixed[i], &b, NULL, NULL));
	}
	if (!any)
		return RC_OK;
	int v0;
	TRY(job_open_version(j, dir, "v0", true, &v0, e));
	troth_rc rc = RC_OK;
	for (size_t i = 0; i < j->p.fixed_count && rc_ok(rc); i++)
		rc = copy_fixed(j, v0, &j->p.fixed[i], e);
	if (rc_ok(rc))
		rc = tree_sync(job_fs(j), v0, e);
	job_fs(j)->close(job_fs(j)->self, v0);
	TRY(rc);
	return tree_link(job_fs(j), dir, "v0", "current", e);
}

/* One fixed name becomes a symlink; a symlink that is not ours is not touched. */
troth_rc job_link_fixed(struct job *j, const struct profile_fixed *f, bool *ret_changed, struct troth_err *e)
{
	int dir;
	const char *name, *to = arena_printf(j->a, "%s/current/%s", j->p.directory, f->file);
	char link[1024];
	struct troth_err why = { 0 };
	TRY(open_fixed(j, f, &dir, &name, e));
	troth_rc rc = tree_link_read(job_fs(j), dir, name, link, sizeof link, &why);
	bool ours = rc_ok(rc) && text_equal(link, to);
	if (rc_ok(rc) && !ours)
		rc = err_set(e, TROTH_CONFLICT, "\"%.200s\" is a symlink to \"%.150s\"; only a plain file is taken over", f->path, link);
	else if (!ours && rc_failed(rc) && why.kind != TROTH_NOT_FOUND && why.kind != TROTH_CONFLICT)
		rc = err_set(e, why.kind, "%s", why.primary);
	else
		rc = ours ? RC_OK : tree_link(job_fs(j), dir, to, name, e);
	job_fs(j)->close(job_fs(j)->self, dir);
	*ret_changed = rc_ok(rc) && !ours;
	return rc;
}

troth_rc job_adopt(struct job *j, int dir, struct troth_err *e)
{
	char current[STATE_DIR_BYTES];
	bool changed;
	TRY(job_current(j, dir, current, e));
	if (!current[0])
		TRY(make_v0(j, dir, e));
	TRY(job_current(j, dir, current, e));
	if (!current[0])
		return RC_OK; /* nothing was there: the names are linked after the first swap */
	for (size_t i = 0; i < j->p.fixed_count; i++)
		TRY(job_link_fixed(j, &j->p.fixed[i], &changed, e));
	return RC_OK;
}

/* A slot keeps one generation more, for whoever still has its directory open.  A store does not: what a
 * CA was withdrawn from shall not lie about in a file beside it. */
troth_rc job_remove_old_trust(struct job *j, int dir, struct troth_err *e)
{
	struct target_memory *m = &j->m;
	if (j->p.kind != MSG_STORE || m->phase != PHASE_SETTLED || m->old.count == 0)
		return RC_OK;
	for (size_t i = 0; i < m->old.count; i++)
		if (!text_equal(m->old.items[i], m->loaded.dir))
			job_remove_version(j, dir, m->old.items[i]);
	m->old.count = 0;
	return job_save(j, e);
}
