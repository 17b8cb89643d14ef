/* The server's end: starts the process, writes messages, reads answers. */
#include "keeper/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "keeper/message.h"
#include "keeper/process.h"
#include "port/port.h"

enum { START_MS = 10000, HIGH_FD = 10 };

struct keeper_client {
	int fd;
	pid_t pid;
	int in_flight;
	uint64_t next_id;    /* of keeper_call */
	struct buf out;      /* secret: a request may carry an uploaded key */
};

/* -- starting --------------------------------------------------------------------------------- */

struct exec_plan { /* all that the child needs, made before the fork */
	const char *exe;
	char *argv[5];
	char *env[6];
	int socket_fd, log_fd; /* above HIGH_FD, so that dup2 hits neither */
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The keeper gets no environment but what it reads: nothing of the server's can reach OpenSSL there. */
static void env_fill(struct arena *a, struct exec_plan *p)
{
	static const char *const KEPT[] = { "CREDENTIALS_DIRECTORY" };
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(KEPT); i++)
		if (getenv(KEPT[i]))
			p->env[n++] = arena_printf(a, "%s=%s", KEPT[i], getenv(KEPT[i]));
#ifdef TROTH_SANITIZED
	p->env[n++] = arena_text(a, "ASAN_OPTIONS=detect_leaks=0");
#endif
	p->env[n++] = arena_text(a, "PATH=/usr/bin:/bin");
}

static void plan_fill(struct arena *a, const char *exe, const struct keeper_spawn_options *o, struct exec_plan *p)
{
	p->exe = exe;
	p->argv[0] = arena_text(a, "troth");
	p->argv[1] = arena_text(a, "keeper");
	if (o->master_key_path) {
		p->argv[2] = arena_text(a, "--master-key");
		p->argv[3] = arena_text(a, o->master_key_path);
	}
	env_fill(a, p);
}

/* Between fork and exec of a process that may have threads: system calls only. */
_Noreturn static void child(const struct exec_plan *p)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(p->socket_fd, KEEPER_SOCKET_FD) < 0 || dup2(p->log_fd, KEEPER_LOG_FD) < 0)
		_exit(127);
	execve(p->exe, p->argv, p->env);
	_exit(127);
}

static troth_rc high_fd(int fd, int *ret, struct troth_err *e)
{
	*ret = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
	return *ret >= 0 ? RC_OK : err_errno(e, errno, "could not duplicate a descriptor");
}

static troth_rc log_open(const char *path, int *ret, struct troth_err *e)
{
	CLEANUP(close_fd) int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(e, errno, "could not open the keeper's log \"%s\"", path);
	return high_fd(fd, ret, e);
}

static troth_rc plan_run(struct exec_plan *p, struct keeper_client *c, struct troth_err *e)
{
	c->pid = fork();
	if (c->pid == 0)
		child(p);
	return c->pid > 0 ? RC_OK : err_errno(e, errno, "could not start the keeper");
}

static troth_rc process_start(const char *exe, const struct keeper_spawn_options *o, struct keeper_client *c,
			      struct troth_err *e)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(64 << 10);
	CLEANUP(close_fd) int theirs = -1, theirs_high = -1, log_fd = -1;
	struct exec_plan p = { 0 };
	int pair[2];
	TRY(log_open(o->log_path, &log_fd, e));
	TRY(socket_pair(LIMIT_KEEPER_MESSAGE_BYTES, pair, e));
	c->fd = pair[0];
	theirs = pair[1];
	TRY(high_fd(theirs, &theirs_high, e));
	plan_fill(a, exe, o, &p);
	p.socket_fd = theirs_high;
	p.log_fd = log_fd;
	return plan_run(&p, c, e);
}

/* Its first answer proves that it stands in its sandbox and serves. */
static troth_rc await_ready(struct keeper_client *c, struct troth_err *e)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct keeper_request ping = { .kind = KEEPER_PING };
	struct keeper_reply reply;
	if (rc_ok(keeper_call(c, a, &ping, START_MS, &reply, e)))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_UNAVAILABLE, "the keeper did not start");
	err_hint(e, "it wrote the reason to standard error");
	return rc;
}

troth_rc keeper_spawn(const char *self_exe, const struct keeper_spawn_options *options, struct keeper_client **ret,
		      struct troth_err *e)
{
	CLEANUP(keeper_client_closep) struct keeper_client *c = calloc(1, sizeof *c);
	ENSURE(c, e, TROTH_UNAVAILABLE, "no memory for the keeper's line");
	*c = (struct keeper_client){ .fd = -1, .out = buf_make_secret(LIMIT_KEEPER_MESSAGE_BYTES) };
	TRY(process_start(self_exe, options, c, e));
	TRY(await_ready(c, e));
	*ret = c;
	c = NULL;
	return RC_OK;
}

/* -- ending ----------------------------------------------------------------------------------- */

static void await_end(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int ended = pidfd >= 0 ? poll(&p, 1, LIMIT_KEEPER_STOP_MS) : 0;
	if (ended <= 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (pidfd >= 0)
		close(pidfd);
}

void keeper_client_close(struct keeper_client *c)
{
	if (!c)
		return;
	close_fd(&c->fd);
	if (c->pid > 0)
		await_end(c->pid);
	buf_release(&c->out);
	free(c);
}

void keeper_client_closep(struct keeper_client **c)
{
	keeper_client_close(*c);
	*c = NULL;
}

int keeper_client_fd(const struct keeper_client *c) { return c->fd; }
int keeper_client_pid(const struct keeper_client *c) { return c->pid; }
int keeper_client_in_flight(const struct keeper_client *c) { return c->in_flight; }

/* -- talking ---------------------------------------------------------------------------------- */

static troth_rc gone(struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_UNAVAILABLE, "the keeper has ended");
	err_hint(e, "it is started again; what waited for a signature can be asked again");
	return rc;
}

static troth_rc datagram_send(struct keeper_client *c, struct troth_err *e)
{
	for (;;) {
		ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0)
			return RC_OK;
		if (errno == EINTR)
			continue;
		ENSURE(errno != EAGAIN && errno != ENOBUFS, e, TROTH_BUSY, "the line to the keeper is full");
		return gone(e);
	}
}

/* Puts as many as fit into c->out; an error only if not even one does. */
static troth_rc pack(struct keeper_client *c, const struct keeper_request *reqs, size_t n, size_t *ret_packed,
		     struct troth_err *e)
{
	size_t room = (size_t)(LIMIT_KEEPER_IN_FLIGHT - c->in_flight), i = 0;
	ENSURE(room > 0, e, TROTH_BUSY, "%d requests wait for the keeper already", LIMIT_KEEPER_IN_FLIGHT);
	message_begin(&c->out);
	for (; i < n && i < room && i < LIMIT_KEEPER_BATCH; i++) {
		troth_rc rc = message_add_request(&c->out, &reqs[i], e);
		if (rc_ok(rc))
			continue;
		if (i == 0)
			return rc;
		err_clear(e); /* the message is full, or the next call will say what is wrong */
		break;
	}
	*ret_packed = i;
	return RC_OK;
}

troth_rc keeper_client_send(struct keeper_client *c, const struct keeper_request *reqs, size_t n, size_t *ret_sent,
			    struct troth_err *e)
{
	size_t packed = 0;
	*ret_sent = 0;
	if (n == 0)
		return RC_OK;
	troth_rc rc = pack(c, reqs, n, &packed, e);
	if (rc_ok(rc))
		rc = datagram_send(c, e);
	buf_clear(&c->out);
	TRY(rc);
	c->in_flight += (int)packed;
	*ret_sent = packed;
	return RC_OK;
}

static troth_rc await_message(struct keeper_client *c, msec_t timeout, bool *ret_there, struct troth_err *e)
{
	msec_t end = port_mono(&PORT_CLOCK_REAL) + timeout, left = timeout;
	for (;;) {
		struct pollfd p = { .fd = c->fd, .events = POLLIN };
		int n = poll(&p, 1, (int)left);
		if (n < 0 && errno != EINTR)
			return err_errno(e, errno, "could not wait for the keeper");
		*ret_there = n > 0;
		left = end - port_mono(&PORT_CLOCK_REAL);
		if (n > 0 || timeout <= 0)
			return RC_OK;
		ENSURE(left > 0, e, TROTH_TIMEOUT, "the keeper did not answer within %lld ms", (long long)timeout);
	}
}

static troth_rc replies_read(struct keeper_client *c, struct arena *a, struct bytes message,
			     struct keeper_reply *replies, size_t *ret_n, struct troth_err *e)
{
	struct message_frame frames[LIMIT_KEEPER_BATCH];
	size_t n;
	TRY(message_split(message, frames, &n, e));
	for (size_t i = 0; i < n; i++) {
		TRY(message_read_reply(a, &frames[i], &replies[i], e));
		ENSURE(replies[i].id != 0, e, TROTH_UNAVAILABLE, "the keeper could not read a message: %s", replies[i].text);
	}
	c->in_flight -= (int)n;
	*ret_n = n;
	return RC_OK;
}

troth_rc keeper_client_receive(struct keeper_client *c, struct arena *a, msec_t timeout,
			       struct keeper_reply replies[LIMIT_KEEPER_BATCH], size_t *ret_n, struct troth_err *e)
{
	bool there;
	*ret_n = 0;
	TRY(await_message(c, timeout, &there, e));
	if (!there)
		return RC_OK;
	ssize_t len = recv(c->fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return RC_OK;
	if (len <= 0)
		return gone(e);
	ENSURE(len <= LIMIT_KEEPER_MESSAGE_BYTES, e, TROTH_UNAVAILABLE, "the keeper sent a message of %zd bytes", len);
	void *space = arena_alloc(a, (size_t)len);
	if (recv(c->fd, space, (size_t)len, MSG_DONTWAIT) != len)
		return gone(e);
	return replies_read(c, a, bytes_of(space, (size_t)len), replies, ret_n, e);
}

/* An answer that comes after an earlier call has given up waiting is dropped here. */
static bool find_reply(const struct keeper_reply *replies, size_t n, uint64_t id, struct keeper_reply *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (replies[i].id != id)
			continue;
		*ret = replies[i];
		return true;
	}
	return false;
}

troth_rc keeper_call(struct keeper_client *c, struct arena *a, const struct keeper_request *req, msec_t timeout,
		     struct keeper_reply *ret, struct troth_err *e)
{
	struct keeper_reply *replies = ARENA_ARRAY(a, struct keeper_reply, LIMIT_KEEPER_BATCH);
	struct keeper_request numbered = *req;
	struct keeper_reply mine;
	size_t n;
	msec_t end = port_mono(&PORT_CLOCK_REAL) + timeout, left = timeout;
	numbered.id = ++c->next_id;
	TRY(keeper_client_send(c, &numbered, 1, &n, e));
	do {
		TRY(keeper_client_receive(c, a, left > 0 ? left : 1, replies, &n, e));
		left = end - port_mono(&PORT_CLOCK_REAL);
	} while (!find_reply(replies, n, numbered.id, &mine));
	TRY(keeper_reply_check(&mine, e));
	*ret = mine;
	return RC_OK;
}
