/* The operating system behind tables: real here, simulated under sim/.
 *
 * Floors above take a table as a parameter and never call clock_gettime, getrandom or open
 * themselves where the simulator runs them (floors 2 to 5 and the agent's core). */
#ifndef TROTH_PORT_PORT_H
#define TROTH_PORT_PORT_H

#include <sys/stat.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

/* -- clock and random -------------------------------------------------------------------- */
struct port_clock {
	void *self;
	msec_t (*now)(void *self);  /* wall clock, may step */
	msec_t (*mono)(void *self); /* never goes back */
};
extern const struct port_clock PORT_CLOCK_REAL;

struct port_random {
	void *self;
	void (*fill)(void *self, void *out, size_t len); /* cannot fail: ends the process instead */
};
extern const struct port_random PORT_RANDOM_REAL;

static inline msec_t port_now(const struct port_clock *c) { return c->now(c->self); }
static inline msec_t port_mono(const struct port_clock *c) { return c->mono(c->self); }
void port_uuid(const struct port_random *r, char out[37]);

/* -- file system --------------------------------------------------------------------------
 * The dozen calls that the agent's hand makes, as the system has them: 0 or >= 0 on success, -1 and
 * errno otherwise.  sim/ crashes between any two of them. */
struct port_fs {
	void *self;
	int (*openat)(void *self, int dir, const char *path, int flags, mode_t mode);
	int (*close)(void *self, int fd);
	int (*mkdirat)(void *self, int dir, const char *path, mode_t mode);
	ssize_t (*read)(void *self, int fd, void *out, size_t len);
	ssize_t (*write)(void *self, int fd, const void *data, size_t len);
	int (*fsync)(void *self, int fd);
	int (*renameat)(void *self, int from_dir, const char *from, int to_dir, const char *to);
	int (*symlinkat)(void *self, const char *to, int dir, const char *path);
	int (*fchown)(void *self, int fd, uid_t uid, gid_t gid);
	int (*fchmod)(void *self, int fd, mode_t mode);
	int (*unlinkat)(void *self, int dir, const char *path, int flags);
	ssize_t (*readlinkat)(void *self, int dir, const char *path, char *out, size_t len);
	int (*fstatat)(void *self, int dir, const char *path, struct stat *ret, int flags);
	int (*flock)(void *self, int fd, int operation);
};
extern const struct port_fs PORT_FS_REAL;

/* -- files, whole ------------------------------------------------------------------------- */
/* Reads a regular file of at most max bytes.  The result lives in the arena. */
troth_rc file_read(struct arena *a, const char *path, size_t max, struct bytes *ret, struct troth_err *e);
/* The same into a secret buffer that the caller releases. */
troth_rc file_read_secret(const char *path, size_t max, struct buf *ret, struct troth_err *e);
/* Writes path.tmp, fsyncs, renames, fsyncs the directory: after a crash the old or the new file. */
troth_rc file_write(const char *path, struct bytes data, mode_t mode, struct troth_err *e);
/* The same for a file that must not be there yet: CONFLICT if it is, whoever made it and whenever. */
troth_rc file_write_new(const char *path, struct bytes data, mode_t mode, struct troth_err *e);
/* Makes a rename of `path` durable: fsyncs the directory that it is in. */
troth_rc file_sync_parent(const char *path, struct troth_err *e);
/* mkdir -p of one level at a time; an existing directory is fine. */
troth_rc dir_make(const char *path, mode_t mode, struct troth_err *e);

/* -- processes ----------------------------------------------------------------------------- */
struct process_result {
	int exit_code;        /* -1 if a signal ended it */
	int signal;           /* 0, or the signal */
	bool timed_out;       /* it was killed at the deadline */
	char output[2048];    /* the first bytes of stdout and stderr together, 0-ended */
};
/* Runs argv[0] (an absolute path; no shell) with a clean environment (PATH, LANG=C, HOME=/), stdin
 * from /dev/null, its own process group, killed at the deadline.  Fails only if it could not be
 * started; an exit code is a result. */
troth_rc process_run(const char *const *argv, uid_t uid, gid_t gid, msec_t timeout,
		     struct process_result *ret, struct troth_err *e);

/* -- sockets ------------------------------------------------------------------------------- */
/* Listens on "127.0.0.1:8443", "[::1]:0"; TCP_NODELAY set (accepted sockets inherit it), non-blocking,
 * close-on-exec.  ret_port: the port it got. */
troth_rc socket_listen(const char *address, int *ret_fd, int *ret_port, struct troth_err *e);
/* Connects within timeout; blocking descriptor, close-on-exec. */
troth_rc socket_connect(const char *host, int port, msec_t timeout, int *ret_fd, struct troth_err *e);
/* SOCK_SEQPACKET pair, close-on-exec, with a send buffer that holds `message_bytes`. */
troth_rc socket_pair(size_t message_bytes, int ret_fds[2], struct troth_err *e);

#endif
