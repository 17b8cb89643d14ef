/* A file system in memory with one user: what port/fs needs, and a difference between written and kept.
 *
 * A directory and a file each have what is live and what was synced last.  A process crash leaves the
 * live state; a power cut keeps, directory by directory and file by file, the one or the other. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum { FDS = 256, LINKS_MAX = 8, NAME_COST = 256, PATH_BYTES = 1024, NAME_BYTES = 96 };

struct entry { char name[NAME_BYTES]; struct inode *to; };
struct entries { struct entry *items; size_t count; };
struct data { uint8_t *p; size_t len; };

struct inode {
	mode_t mode; /* with its type */
	ino_t number;
	uid_t uid;
	struct data live, kept;       /* a file's bytes; a link's target in live */
	struct entries names, kept_names;
	struct inode *parent, *next;  /* next: of all */
};

struct open_file { struct inode *to; size_t at; bool used; };

struct nodefs {
	struct port_fs port;
	struct inode *root, *all;
	ino_t numbers;
	struct open_file fds[FDS];
	int64_t calls_left; /* < 0: never crashes */
	int64_t room;       /* bytes that can still be written; < 0: no limit */
	bool crashed;
};

/* -- inodes --------------------------------------------------------------------------------------- */
static void *must_alloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);
	CHECK(p);
	return p;
}

static struct inode *inode_new(struct nodefs *fs, mode_t mode, struct inode *parent)
{
	struct inode *x = must_alloc(sizeof *x);
	*x = (struct inode){ .mode = mode, .number = ++fs->numbers, .parent = parent, .next = fs->all };
	fs->all = x;
	return x;
}

static void data_set(struct data *d, const void *p, size_t len)
{
	uint8_t *copy = must_alloc(len);
	if (len)
		memcpy(copy, p, len);
	free(d->p);
	*d = (struct data){ copy, len };
}

static void entries_set(struct entries *to, const struct entries *from)
{
	struct entry *copy = must_alloc(from->count * sizeof *copy);
	if (from->count)
		memcpy(copy, from->items, from->count * sizeof *copy);
	free(to->items);
	*to = (struct entries){ copy, from->count };
}

static struct entry *entry_find(const struct inode *dir, const char *name)
{
	for (size_t i = 0; i < dir->names.count; i++)
		if (strcmp(dir->names.items[i].name, name) == 0)
			return &dir->names.items[i];
	return NULL;
}

static void entry_put(struct inode *dir, const char *name, struct inode *to)
{
	struct entry *x = entry_find(dir, name);
	if (!x) {
		dir->names.items = realloc(dir->names.items, (dir->names.count + 1) * sizeof *x);
		CHECK(dir->names.items && strlen(name) < NAME_BYTES);
		x = &dir->names.items[dir->names.count++];
		memset(x, 0, sizeof *x);
		(void)text_copy(x->name, sizeof x->name, name); /* checked */
	}
	x->to = to;
}

static void entry_remove(struct inode *dir, struct entry *x) { *x = dir->names.items[--dir->names.count]; }

static void sync_inode(struct inode *x)
{
	if (S_ISDIR(x->mode))
		entries_set(&x->kept_names, &x->names);
	else
		data_set(&x->kept, x->live.p, x->live.len);
}

/* -- paths ------------------------------------------------------------------------------------------ */
/* The directory that the last part stands in, and that part; NULL and errno. */
static struct inode *walk(struct nodefs *fs, struct inode *from, const char *path, char last[NAME_BYTES], int links);

static struct inode *child(struct nodefs *fs, struct inode *dir, const char *name, bool follow, int links)
{
	if (strcmp(name, ".") == 0 || name[0] == 0)
		return dir;
	if (strcmp(name, "..") == 0)
		return dir->parent ? dir->parent : dir;
	struct entry *x = entry_find(dir, name);
	if (!x) {
		errno = ENOENT;
		return NULL;
	}
	if (!S_ISLNK(x->to->mode) || !follow)
		return x->to;
	char to[PATH_BYTES], last[NAME_BYTES];
	if (links >= LINKS_MAX || x->to->live.len >= sizeof to) {
		errno = ELOOP;
		return NULL;
	}
	memcpy(to, x->to->live.p, x->to->live.len);
	to[x->to->live.len] = 0;
	struct inode *parent = walk(fs, dir, to, last, links + 1);
	return parent ? child(fs, parent, last, true, links + 1) : NULL;
}

static struct inode *walk(struct nodefs *fs, struct inode *from, const char *path, char last[NAME_BYTES], int links)
{
	struct inode *dir = path[0] == '/' ? fs->root : from;
	for (;;) {
		while (*path == '/')
			path++;
		size_t len = strcspn(path, "/");
		CHECK(len < NAME_BYTES);
		memcpy(last, path, len);
		last[len] = 0;
		path += len;
		if (path[strspn(path, "/")] == 0)
			return dir;
		dir = child(fs, dir, last, true, links);
		if (!dir)
			return NULL;
		if (!S_ISDIR(dir->mode)) {
			errno = ENOTDIR;
			return NULL;
		}
	}
}

static struct inode *dir_of(struct nodefs *fs, int fd)
{
	if (fd == AT_FDCWD)
		return fs->root;
	CHECK(fd >= 0 && fd < FDS && fs->fds[fd].used);
	return fs->fds[fd].to;
}

static struct inode *lookup(struct nodefs *fs, int fd, const char *path, bool follow)
{
	char last[NAME_BYTES];
	struct inode *dir = walk(fs, dir_of(fs, fd), path, last, 0);
	return dir ? child(fs, dir, last, follow, 0) : NULL;
}

/* Every call begins so: the process may be dead. */
static bool dead(struct nodefs *fs)
{
	if (!fs->crashed && fs->calls_left >= 0 && fs->calls_left-- == 0)
		fs->crashed = true;
	errno = EIO;
	return fs->crashed;
}

/* A full disk takes nothing new; a name costs as much as a small block. */
static bool full(struct nodefs *fs, int64_t bytes)
{
	if (fs->room < 0)
		return false;
	bool none = fs->room < bytes;
	fs->room = none ? 0 : fs->room - bytes;
	errno = ENOSPC;
	return none;
}

/* -- the calls ----------------------------------------------------------------------------------------- */
static int fail(int number)
{
	errno = number;
	return -1;
}

static int fd_new(struct nodefs *fs, struct inode *to)
{
	for (int i = 3; i < FDS; i++)
		if (!fs->fds[i].used) {
			fs->fds[i] = (struct open_file){ to, 0, true };
			return i;
		}
	return fail(EMFILE);
}

static int n_openat(void *self, int fd, const char *path, int flags, mode_t mode)
{
	struct nodefs *fs = self;
	char last[NAME_BYTES];
	if (dead(fs))
		return -1;
	struct inode *dir = walk(fs, dir_of(fs, fd), path, last, 0);
	if (!dir)
		return -1;
	struct inode *x = child(fs, dir, last, !(flags & O_NOFOLLOW), 0);
	if (!x && (errno != ENOENT || !(flags & O_CREAT)))
		return -1;
	if (x && (flags & O_CREAT) && (flags & O_EXCL))
		return fail(EEXIST);
	if (!x && full(fs, NAME_COST))
		return -1;
	if (!x)
		entry_put(dir, last, x = inode_new(fs, S_IFREG | (mode & 07777), dir));
	if (S_ISLNK(x->mode))
		return fail(flags & O_DIRECTORY ? ENOTDIR : ELOOP);
	if ((flags & O_DIRECTORY) && !S_ISDIR(x->mode))
		return fail(ENOTDIR);
	return fd_new(fs, x);
}

static int n_close(void *self, int fd)
{
	struct nodefs *fs = self;
	CHECK(fd >= 0 && fd < FDS && fs->fds[fd].used);
	fs->fds[fd].used = false;
	return 0;
}

static int n_mkdirat(void *self, int fd, const char *path, mode_t mode)
{
	struct nodefs *fs = self;
	char last[NAME_BYTES];
	if (dead(fs))
		return -1;
	struct inode *dir = walk(fs, dir_of(fs, fd), path, last, 0);
	if (!dir)
		return -1;
	if (child(fs, dir, last, false, 0))
		return fail(EEXIST);
	if (full(fs, NAME_COST))
		return -1;
	entry_put(dir, last, inode_new(fs, S_IFDIR | (mode & 07777), dir));
	return 0;
}

static ssize_t n_read(void *self, int fd, void *out, size_t len)
{
	struct nodefs *fs = self;
	struct open_file *f = &fs->fds[fd];
	if (dead(fs))
		return -1;
	size_t n = f->to->live.len - f->at < len ? f->to->live.len - f->at : len;
	if (n)
		memcpy(out, f->to->live.p + f->at, n);
	f->at += n;
	return (ssize_t)n;
}

/* Appends: nobody here writes in another way. */
static ssize_t n_write(void *self, int fd, const void *data, size_t len)
{
	struct nodefs *fs = self;
	struct inode *x = fs->fds[fd].to;
	if (dead(fs))
		return -1;
	if (fs->room == 0)
		return fail(ENOSPC);
	if (fs->room > 0 && (int64_t)len > fs->room)
		len = (size_t)fs->room; /* what fits is written */
	(void)full(fs, (int64_t)len);
	x->live.p = realloc(x->live.p, x->live.len + len + 1);
	CHECK(x->live.p);
	memcpy(x->live.p + x->live.len, data, len);
	x->live.len += len;
	return (ssize_t)len;
}

static int n_fsync(void *self, int fd)
{
	struct nodefs *fs = self;
	if (dead(fs))
		return -1;
	sync_inode(fs->fds[fd].to);
	return 0;
}

static int n_renameat(void *self, int from_fd, const char *from, int to_fd, const char *to)
{
	struct nodefs *fs = self;
	char old[NAME_BYTES], new[NAME_BYTES];
	if (dead(fs))
		return -1;
	struct inode *a = walk(fs, dir_of(fs, from_fd), from, old, 0), *b = a ? walk(fs, dir_of(fs, to_fd), to, new, 0) : NULL;
	struct entry *x = b ? entry_find(a, old) : NULL;
	if (!x)
		return b ? fail(ENOENT) : -1;
	struct inode *moved = x->to;
	entry_remove(a, x);
	entry_put(b, new, moved);
	return 0;
}

static int n_symlinkat(void *self, const char *to, int fd, const char *path)
{
	struct nodefs *fs = self;
	char last[NAME_BYTES];
	if (dead(fs))
		return -1;
	struct inode *dir = walk(fs, dir_of(fs, fd), path, last, 0);
	if (!dir)
		return -1;
	if (entry_find(dir, last))
		return fail(EEXIST);
	if (full(fs, NAME_COST))
		return -1;
	struct inode *x = inode_new(fs, S_IFLNK | 0777, dir);
	data_set(&x->live, to, strlen(to));
	data_set(&x->kept, to, strlen(to)); /* a link is whole or not there */
	entry_put(dir, last, x);
	return 0;
}

static int n_fchown(void *self, int fd, uid_t uid, gid_t gid)
{
	struct nodefs *fs = self;
	if (dead(fs))
		return -1;
	fs->fds[fd].to->uid = uid;
	return 0;
}

static int n_fchmod(void *self, int fd, mode_t mode)
{
	struct nodefs *fs = self;
	if (dead(fs))
		return -1;
	fs->fds[fd].to->mode = (fs->fds[fd].to->mode & S_IFMT) | (mode & 07777);
	return 0;
}

static int n_unlinkat(void *self, int fd, const char *path, int flags)
{
	struct nodefs *fs = self;
	char last[NAME_BYTES];
	if (dead(fs))
		return -1;
	struct inode *dir = walk(fs, dir_of(fs, fd), path, last, 0);
	struct entry *x = dir ? entry_find(dir, last) : NULL;
	if (!x)
		return dir ? fail(ENOENT) : -1;
	if (S_ISDIR(x->to->mode) != !!(flags & AT_REMOVEDIR))
		return fail(S_ISDIR(x->to->mode) ? EISDIR : ENOTDIR);
	if (x->to->names.count)
		return fail(ENOTEMPTY);
	entry_remove(dir, x);
	return 0;
}

static ssize_t n_readlinkat(void *self, int fd, const char *path, char *out, size_t len)
{
	struct nodefs *fs = self;
	if (dead(fs))
		return -1;
	struct inode *x = lookup(fs, fd, path, false);
	if (!x)
		return -1;
	if (!S_ISLNK(x->mode))
		return fail(EINVAL);
	size_t n = x->live.len < len ? x->live.len : len;
	memcpy(out, x->live.p, n);
	return (ssize_t)n;
}

static int n_fstatat(void *self, int fd, const char *path, struct stat *ret, int flags)
{
	struct nodefs *fs = self;
	if (dead(fs))
		return -1;
	struct inode *x = path[0] == 0 ? dir_of(fs, fd) : lookup(fs, fd, path, !(flags & AT_SYMLINK_NOFOLLOW));
	if (!x)
		return -1;
	memset(ret, 0, sizeof *ret);
	ret->st_mode = x->mode;
	ret->st_ino = x->number;
	ret->st_uid = x->uid;
	ret->st_size = (off_t)x->live.len;
	return 0;
}

static int n_flock(void *self, int fd, int operation) { return dead(self) ? -1 : 0; }

/* -- life ------------------------------------------------------------------------------------------------ */
struct nodefs *nodefs_new(void)
{
	struct nodefs *fs = must_alloc(sizeof *fs);
	fs->calls_left = -1;
	fs->room = -1;
	fs->root = inode_new(fs, S_IFDIR | 0755, NULL);
	fs->port = (struct port_fs){ fs, n_openat, n_close, n_mkdirat, n_read, n_write, n_fsync, n_renameat, n_symlinkat, n_fchown,
				     n_fchmod, n_unlinkat, n_readlinkat, n_fstatat, n_flock };
	return fs;
}

void nodefs_free(struct nodefs *fs)
{
	struct inode *next;
	if (!fs)
		return;
	for (struct inode *x = fs->all; x; x = next) {
		next = x->next;
		free(x->live.p);
		free(x->kept.p);
		free(x->names.items);
		free(x->kept_names.items);
		free(x);
	}
	free(fs);
}

const struct port_fs *nodefs_port(struct nodefs *fs) { return &fs->port; }
void nodefs_crash_after(struct nodefs *fs, int64_t calls) { fs->calls_left = calls; }
bool nodefs_crashed(const struct nodefs *fs) { return fs->crashed; }

void nodefs_restart(struct nodefs *fs)
{
	fs->crashed = false;
	fs->calls_left = -1;
	memset(fs->fds, 0, sizeof fs->fds);
}

/* Of what was never synced: all of it, nothing, or its beginning with zeros behind. */
static void lose(struct inode *x, struct dice *d)
{
	int64_t roll = dice_in(d, 0, 3);
	if (roll == 0) {
		data_set(&x->live, x->kept.p, x->kept.len);
	} else if (roll == 1 && x->live.len > x->kept.len) {
		size_t whole = (size_t)dice_in(d, (int64_t)x->kept.len, (int64_t)x->live.len - 1);
		memset(x->live.p + whole, 0, x->live.len - whole);
	}
}

void nodefs_power_cut(struct nodefs *fs, struct dice *d)
{
	for (struct inode *x = fs->all; x; x = x->next) {
		if (S_ISDIR(x->mode) && dice_chance(d, 500))
			entries_set(&x->names, &x->kept_names);
		else if (S_ISREG(x->mode))
			lose(x, d);
		sync_inode(x);
	}
	nodefs_restart(fs);
}

/* -- backups ---------------------------------------------------------------------------------------------- */
static struct inode *copy_tree(struct nodefs *to, const struct inode *x, struct inode *parent)
{
	struct inode *copy = inode_new(to, x->mode, parent);
	copy->uid = x->uid;
	if (!S_ISDIR(x->mode))
		data_set(&copy->live, x->live.p, x->live.len);
	for (size_t i = 0; i < x->names.count; i++)
		entry_put(copy, x->names.items[i].name, copy_tree(to, x->names.items[i].to, copy));
	sync_inode(copy);
	return copy;
}

struct nodefs *nodefs_copy(const struct nodefs *fs)
{
	struct nodefs *to = nodefs_new();
	to->root = copy_tree(to, fs->root, NULL); /* the empty one it was made with is freed with all others */
	return to;
}

void nodefs_capacity(struct nodefs *fs, int64_t bytes) { fs->room = bytes; }

bool nodefs_read(struct nodefs *fs, const char *path, struct buf *ret)
{
	struct inode *x = lookup(fs, AT_FDCWD, path, true);
	if (!x || !S_ISREG(x->mode))
		return false;
	*ret = buf_make_secret(x->live.len + 1);
	buf_add(ret, x->live.p, x->live.len);
	return true;
}

void nodefs_write(struct nodefs *fs, const char *path, struct bytes data)
{
	struct inode *dir = fs->root;
	for (const char *p = path + 1;; ) {
		char name[NAME_BYTES];
		size_t len = strcspn(p, "/");
		memcpy(name, p, len);
		name[len] = 0;
		p += len;
		struct entry *x = entry_find(dir, name);
		bool last = *p == 0;
		if (!x)
			entry_put(dir, name, inode_new(fs, last ? S_IFREG | 0600 : S_IFDIR | 0755, dir));
		struct inode *to = entry_find(dir, name)->to;
		sync_inode(dir);
		if (last) {
			data_set(&to->live, data.data, data.len);
			sync_inode(to);
			return;
		}
		dir = to;
		p++;
	}
}

void nodefs_remove(struct nodefs *fs, const char *path)
{
	char last[NAME_BYTES];
	struct inode *dir = walk(fs, fs->root, path, last, 0);
	struct entry *x = dir ? entry_find(dir, last) : NULL;
	if (x)
		entry_remove(dir, x);
	if (x)
		sync_inode(dir);
}
