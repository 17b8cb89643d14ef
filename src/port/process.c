/* Running a command without a shell, bounded in time and output. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "port/port.h"

static _Noreturn void child(const char *const *argv, uid_t uid, gid_t gid, int out, int why)
{
	static char *const env[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)"LANG=C", (char *)"HOME=/", NULL };
	int null = open("/dev/null", O_RDONLY);
	bool ok = null >= 0 && setpgid(0, 0) == 0 && dup2(null, 0) >= 0 && dup2(out, 1) >= 0 && dup2(out, 2) >= 0;
	if (ok && geteuid() == 0 && (uid != 0 || gid != 0))
		ok = setgroups(0, NULL) == 0 && setgid(gid) == 0 && setuid(uid) == 0;
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (ok)
		execve(argv[0], (char *const *)argv, env);
	int err_no = errno;
	ssize_t ignored = write(why, &err_no, sizeof err_no);
	(void)ignored;
	_exit(127);
}

static msec_t mono(void) { return port_mono(&PORT_CLOCK_REAL); }

/* Reads until the end of output or the deadline; what does not fit is read and dropped. */
static bool collect(int fd, msec_t deadline, struct process_result *r)
{
	size_t len = 0;
	for (;;) {
		msec_t left = deadline - mono();
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (left <= 0)
			return false;
		int n = poll(&p, 1, (int)(left > 60000 ? 60000 : left));
		if (n < 0 && errno != EINTR)
			return false;
		if (n <= 0)
			continue;
		char chunk[512];
		ssize_t got = read(fd, chunk, sizeof chunk);
		if (got <= 0)
			return true;
		size_t room = sizeof r->output - 1 - len, take = (size_t)got < room ? (size_t)got : room;
		memcpy(r->output + len, chunk, take);
		len += take;
	}
}

/* The command may have closed its output and go on: wait for it up to the deadline. */
static bool reap(pid_t pid, msec_t deadline, int *status)
{
	for (;;) {
		pid_t got = waitpid(pid, status, WNOHANG);
		if (got == pid)
			return true;
		if (mono() >= deadline)
			return false;
		poll(NULL, 0, 2);
	}
}

static void await(pid_t pid, int out, msec_t deadline, struct process_result *r)
{
	int status = 0;
	r->timed_out = !collect(out, deadline, r) || !reap(pid, deadline, &status);
	if (r->timed_out) {
		kill(-pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	r->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	r->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

troth_rc process_run(const char *const *argv, uid_t uid, gid_t gid, msec_t timeout,
		     struct process_result *ret, struct troth_err *e)
{
	int out[2], why[2];
	ENSURE(argv[0] && argv[0][0] == '/', e, TROTH_INVALID, "command \"%s\" is not an absolute path",
	       argv[0] ? argv[0] : "");
	if (pipe2(out, O_CLOEXEC) != 0)
		return err_errno(e, errno, "could not make a pipe");
	if (pipe2(why, O_CLOEXEC) != 0) {
		close(out[0]);
		close(out[1]);
		return err_errno(e, errno, "could not make a pipe");
	}
	pid_t pid = fork();
	if (pid == 0)
		child(argv, uid, gid, out[1], why[1]);
	int fork_errno = errno;
	close(out[1]);
	close(why[1]);
	int err_no = pid < 0 ? fork_errno : 0;
	memset(ret, 0, sizeof *ret);
	if (pid > 0) {
		setpgid(pid, pid); /* whoever comes first; the child does it too */
		ssize_t n = read(why[0], &err_no, sizeof err_no);
		if (n != sizeof err_no)
			err_no = 0;
		await(pid, out[0], mono() + timeout, ret);
	}
	close(out[0]);
	close(why[0]);
	if (err_no)
		return err_errno(e, err_no, "could not run \"%s\"", argv[0]);
	return RC_OK;
}
