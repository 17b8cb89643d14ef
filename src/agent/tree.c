/* Opening below roots, writing and linking; see tree.h for what this protects from. */
#include "agent/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The longest root that the path is below: fewer parts to walk. */
static const char *root_of(const struct place *p, const char *path)
{
	const char *best = NULL;
	for (size_t i = 0; i < p->root_count; i++)
		if (path_below(path, &p->roots[i], 1) && (!best || strlen(p->roots[i]) > strlen(best)))
			best = p->roots[i];
	return best;
}

/* A new name is kept when the directory it stands in was synced. */
static troth_rc keep_names_of(const struct port_fs *fs, const char *path, struct troth_err *e)
{
	int fd = fs->openat(fs->self, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return err_errno(e, errno, "could not open directory \"%.200s\"", path);
	troth_rc rc = tree_sync(fs, fd, e);
	fs->close(fs->self, fd);
	return rc;
}

static troth_rc make_root(const struct port_fs *fs, char *path, struct troth_err *e)
{
	if (fs->mkdirat(fs->self, AT_FDCWD, path, 0755) != 0)
		return errno == EEXIST ? RC_OK : err_errno(e, errno, "could not make directory \"%s\"", path);
	char *slash = strrchr(path, '/');
	*slash = 0;
	troth_rc rc = keep_names_of(fs, slash == path ? "/" : path, e);
	*slash = '/';
	return rc;
}

static troth_rc make_roots(const struct port_fs *fs, const char *root, struct troth_err *e)
{
	char part[1100];
	ENSURE(text_copy(part, sizeof part, root), e, TROTH_INVALID, "root \"%.200s\" is too long", root);
	for (char *p = part + 1;; p++) {
		char was = *p;
		if (was != '/' && was != 0)
			continue;
		*p = 0;
		TRY(make_root(fs, part, e));
		*p = was;
		if (was == 0)
			return RC_OK;
	}
}

static troth_rc open_part(const struct port_fs *fs, int dir, const char *part, const char *path, bool create, int *ret_fd,
			  struct troth_err *e)
{
	if (create && fs->mkdirat(fs->self, dir, part, 0755) != 0 && errno != EEXIST)
		return err_errno(e, errno, "could not make \"%s\" of \"%.200s\"", part, path);
	int fd = fs->openat(fs->self, dir, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return err_set(e, TROTH_FORBIDDEN, "\"%s\" of \"%.200s\" is a symlink or no directory; it is not followed", part, path);
	if (fd < 0)
		return err_errno(e, errno, "could not open \"%s\" of \"%.200s\"", part, path);
	*ret_fd = fd;
	return RC_OK;
}

enum walk { WALK_OPEN, WALK_CREATE, WALK_KEEP /* sync each directory on the way */ };

static troth_rc walk(const struct port_fs *fs, int *fd, const char *rest, const char *path, enum walk how, struct troth_err *e)
{
	while (*rest) {
		char part[256];
		int next;
		rest += *rest == '/';
		size_t len = strcspn(rest, "/");
		ENSURE(len > 0 && len < sizeof part && !(len == 1 && rest[0] == '.') && !(len == 2 && rest[0] == '.' && rest[1] == '.'),
		       e, TROTH_FORBIDDEN, "\"%.200s\" has a part that is not accepted", path);
		memcpy(part, rest, len);
		part[len] = 0;
		if (how == WALK_KEEP)
			TRY(tree_sync(fs, *fd, e));
		TRY(open_part(fs, *fd, part, path, how == WALK_CREATE, &next, e));
		fs->close(fs->self, *fd);
		*fd = next;
		rest += len;
	}
	return RC_OK;
}

static troth_rc open_below(const struct port_fs *fs, const struct place *p, const char *path, enum walk how, int *ret_fd,
			   struct troth_err *e)
{
	const char *root = root_of(p, path);
	ENSURE(root, e, TROTH_FORBIDDEN, "\"%.200s\" is outside the roots of profile %s", path, p->profile);
	int fd = fs->openat(fs->self, AT_FDCWD, root, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0 && errno == ENOENT && how == WALK_CREATE) {
		TRY(make_roots(fs, root, e));
		fd = fs->openat(fs->self, AT_FDCWD, root, O_RDONLY | O_DIRECTORY, 0);
	}
	if (fd < 0)
		return err_errno(e, errno, "could not open root \"%.200s\"", root);
	troth_rc rc = walk(fs, &fd, path + strlen(root), path, how, e);
	if (rc_failed(rc)) {
		fs->close(fs->self, fd);
		return rc;
	}
	*ret_fd = fd;
	return RC_OK;
}

troth_rc tree_open(const struct port_fs *fs, const struct place *p, const char *path, bool create, int *ret_fd,
		   struct troth_err *e)
{
	return open_below(fs, p, path, create ? WALK_CREATE : WALK_OPEN, ret_fd, e);
}

troth_rc tree_keep(const struct port_fs *fs, const struct place *p, const char *path, struct troth_err *e)
{
	int fd;
	TRY(open_below(fs, p, path, WALK_KEEP, &fd, e));
	troth_rc rc = tree_sync(fs, fd, e);
	fs->close(fs->self, fd);
	return rc;
}

troth_rc tree_sync(const struct port_fs *fs, int dir, struct troth_err *e)
{
	if (fs->fsync(fs->self, dir) != 0)
		return err_errno(e, errno, "could not sync a directory");
	return RC_OK;
}

static troth_rc fill_file(const struct port_fs *fs, int fd, const char *name, struct bytes data, mode_t mode,
			  struct tree_owner owner, struct troth_err *e)
{
	for (size_t done = 0; done < data.len;) {
		ssize_t n = fs->write(fs->self, fd, data.data + done, data.len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(e, n < 0 ? errno : EIO, "could not write \"%s\"", name);
		done += (size_t)n;
	}
	if (owner.set && fs->fchown(fs->self, fd, owner.uid, owner.gid) != 0)
		return err_errno(e, errno, "could not give \"%s\" to its owner", name);
	if (fs->fchmod(fs->self, fd, mode) != 0)
		return err_errno(e, errno, "could not set the mode of \"%s\"", name);
	if (fs->fsync(fs->self, fd) != 0)
		return err_errno(e, errno, "could not sync \"%s\"", name);
	return RC_OK;
}

troth_rc tree_write(const struct port_fs *fs, int dir, const char *name, struct bytes data, mode_t mode,
		    struct tree_owner owner, struct troth_err *e)
{
	if (fs->unlinkat(fs->self, dir, name, 0) != 0 && errno != ENOENT)
		return err_errno(e, errno, "could not remove the old \"%s\"", name);
	int fd = fs->openat(fs->self, dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(e, errno, "could not create \"%s\"", name);
	troth_rc rc = fill_file(fs, fd, name, data, mode, owner, e);
	fs->close(fs->self, fd);
	return rc;
}

troth_rc tree_replace(const struct port_fs *fs, int dir, const char *name, struct bytes data, mode_t mode,
		      struct tree_owner owner, struct troth_err *e)
{
	char tmp[128];
	ENSURE(snprintf(tmp, sizeof tmp, "%s.troth-new", name) < (int)sizeof tmp, e, TROTH_INVALID, "\"%s\" is too long", name);
	TRY(tree_write(fs, dir, tmp, data, mode, owner, e));
	if (fs->renameat(fs->self, dir, tmp, dir, name) != 0)
		return err_errno(e, errno, "could not rename \"%s\"", tmp);
	return tree_sync(fs, dir, e);
}

static troth_rc read_open(const struct port_fs *fs, int fd, const char *name, struct buf *out, struct troth_err *e)
{
	uint8_t chunk[4096];
	ssize_t n;
	while ((n = fs->read(fs->self, fd, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			buf_add(out, chunk, (size_t)n);
	int err_no = errno;
	secret_wipe(chunk, sizeof chunk);
	if (n < 0)
		return err_errno(e, err_no, "could not read \"%s\"", name);
	ENSURE(buf_ok(out), e, TROTH_TOO_LARGE, "\"%s\" has more than %zu bytes", name, out->max);
	return RC_OK;
}

troth_rc tree_read(const struct port_fs *fs, int dir, const char *name, size_t max, struct buf *ret,
		   struct stat *ret_stat, struct troth_err *e)
{
	struct stat st, again;
	if (fs->fstatat(fs->self, dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return err_errno(e, errno, "could not inspect \"%s\"", name);
	ENSURE(S_ISREG(st.st_mode), e, TROTH_CONFLICT, "\"%s\" is not a regular file", name);
	int fd = fs->openat(fs->self, dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(e, errno, "could not open \"%s\"", name);
	*ret = buf_make_secret(max);
	troth_rc rc = read_open(fs, fd, name, ret, e);
	fs->close(fs->self, fd);
	if (rc_ok(rc) && (fs->fstatat(fs->self, dir, name, &again, AT_SYMLINK_NOFOLLOW) != 0 || again.st_ino != st.st_ino))
		rc = err_set(e, TROTH_CONFLICT, "\"%s\" changed while it was read", name);
	if (rc_failed(rc)) {
		buf_release(ret);
		return rc;
	}
	if (ret_stat)
		*ret_stat = st;
	return RC_OK;
}

troth_rc tree_link(const struct port_fs *fs, int dir, const char *to, const char *name, struct troth_err *e)
{
	char tmp[128];
	ENSURE(snprintf(tmp, sizeof tmp, "%s.troth-new", name) < (int)sizeof tmp, e, TROTH_INVALID, "\"%s\" is too long", name);
	if (fs->unlinkat(fs->self, dir, tmp, 0) != 0 && errno != ENOENT)
		return err_errno(e, errno, "could not remove \"%s\"", tmp);
	if (fs->symlinkat(fs->self, to, dir, tmp) != 0)
		return err_errno(e, errno, "could not make the symlink \"%s\"", tmp);
	if (fs->renameat(fs->self, dir, tmp, dir, name) != 0)
		return err_errno(e, errno, "could not rename \"%s\" to \"%s\"", tmp, name);
	return tree_sync(fs, dir, e);
}

troth_rc tree_link_read(const struct port_fs *fs, int dir, const char *name, char *out, size_t size,
			struct troth_err *e)
{
	ssize_t n = fs->readlinkat(fs->self, dir, name, out, size - 1);
	if (n < 0 && errno == EINVAL)
		return err_set(e, TROTH_CONFLICT, "\"%s\" is no symlink", name);
	if (n < 0)
		return err_errno(e, errno, "could not read the symlink \"%s\"", name);
	ENSURE((size_t)n < size - 1, e, TROTH_TOO_LARGE, "the symlink \"%s\" is too long", name);
	out[n] = 0;
	return RC_OK;
}
