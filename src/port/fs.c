/* The real file system, call by call. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "port/port.h"

static int r_openat(void *s, int dir, const char *p, int flags, mode_t m) { return openat(dir, p, flags | O_CLOEXEC, m); }
static int r_close(void *s, int fd) { return close(fd); }
static int r_mkdirat(void *s, int dir, const char *p, mode_t m) { return mkdirat(dir, p, m); }
static ssize_t r_read(void *s, int fd, void *out, size_t n) { return read(fd, out, n); }
static ssize_t r_write(void *s, int fd, const void *d, size_t n) { return write(fd, d, n); }
static int r_fsync(void *s, int fd) { return fsync(fd); }
static int r_renameat(void *s, int fd, const char *f, int td, const char *t) { return renameat(fd, f, td, t); }
static int r_symlinkat(void *s, const char *to, int dir, const char *p) { return symlinkat(to, dir, p); }
static int r_fchown(void *s, int fd, uid_t u, gid_t g) { return fchown(fd, u, g); }
static int r_fchmod(void *s, int fd, mode_t m) { return fchmod(fd, m); }
static int r_unlinkat(void *s, int dir, const char *p, int flags) { return unlinkat(dir, p, flags); }
static ssize_t r_readlinkat(void *s, int dir, const char *p, char *out, size_t n) { return readlinkat(dir, p, out, n); }
static int r_fstatat(void *s, int dir, const char *p, struct stat *st, int flags) { return fstatat(dir, p, st, flags); }
static int r_flock(void *s, int fd, int op) { return flock(fd, op); }

const struct port_fs PORT_FS_REAL = {
	NULL, r_openat, r_close, r_mkdirat, r_read, r_write, r_fsync, r_renameat,
	r_symlinkat, r_fchown, r_fchmod, r_unlinkat, r_readlinkat, r_fstatat, r_flock,
};
