/* `troth agent run`: one process becomes two.
 *
 *     start: profiles, settings, locks          (root, or whoever started us)
 *       ├─ link   drops to its own user, has the network, no files, no new privileges
 *       └─ hand   keeps its rights, gives up the network (if it may)
 *
 * The one goes when the other does; whoever supervises us starts both again. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/hand.h"
#include "agent/link.h"
#include "agent/options.h"
#include "agent/serve.h"
#include "base/log.h"

enum { PROFILES_ARENA = 64 << 20, LOCK_TRIES = 100, LOCK_WAIT_MS = 20 };

const char AGENT_RUN_USAGE[] =
	"usage: troth agent run --dir DIR --profiles DIR [--settings FILE] [--user USER]\n"
	"\n"
	"Keeps this node's targets as the server wants them, until SIGTERM.\n"
	"\n"
	"  --dir DIR         where `troth agent enroll` put this agent's identity\n"
	"  --profiles DIR    the profiles (*.yaml) that may be used on this node\n"
	"  --settings FILE   this node's own values for profile parameters (YAML):\n"
	"                      all: {root: /srv/tls}\n"
	"                      targets: {tls: {pid_file: /run/nginx.pid, port: 443}}\n"
	"  --user USER       whom the half with the network runs as, when started as root\n"
	"\n"
	"example:\n"
	"  troth agent run --dir /var/lib/troth-agent --profiles /etc/troth/profiles \\\n"
	"    --settings /etc/troth/agent.yaml --user troth-agent\n";

struct options { const char *dir, *profiles, *settings, *user; };

/* -- starting ------------------------------------------------------------------------------------------ */

/* A second agent on the same directory is refused; one that is just ending is waited for. */
static troth_rc lock_directory(const char *dir, int *ret_fd, struct troth_err *e)
{
	char path[1100];
	ENSURE(snprintf(path, sizeof path, "%s/lock", dir) < (int)sizeof path, e, TROTH_INVALID, "--dir is too long");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		troth_rc rc = err_errno(e, errno, "could not open \"%s\"", path);
		err_hint(e, "--dir names the directory that troth agent enroll made; run this as its owner");
		return rc;
	}
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			*ret_fd = fd;
			return RC_OK;
		}
		poll(NULL, 0, LOCK_WAIT_MS);
	}
	close(fd);
	troth_rc rc = err_set(e, TROTH_CONFLICT, "another agent runs on directory \"%s\"", dir);
	err_hint(e, "stop it first; an agent's directory is for one process");
	return rc;
}

struct account { bool set; uid_t uid; gid_t gid; };

static troth_rc find_account(const char *user, struct account *ret, struct troth_err *e)
{
	*ret = (struct account){ 0 };
	if (!user || geteuid() != 0)
		return RC_OK;
	const struct passwd *p = getpwnam(user);
	if (!p) {
		troth_rc rc = err_set(e, TROTH_NOT_FOUND, "there is no user \"%s\" on this node", user);
		err_hint(e, "adduser --system --no-create-home %s", user);
		return rc;
	}
	*ret = (struct account){ true, p->pw_uid, p->pw_gid };
	return RC_OK;
}

/* -- the two halves ---------------------------------------------------------------------------------------- */

static bool become_user(const struct account *as)
{
	if (as->set && (setgroups(0, NULL) != 0 || setresgid(as->gid, as->gid, as->gid) != 0 ||
			setresuid(as->uid, as->uid, as->uid) != 0))
		return false;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static _Noreturn void link_process(int fd, int lock, pid_t parent, const struct account *as, const struct profiles *profiles)
{
	close(lock); /* else it would outlive the hand */
	log_setup(2, LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, "agent-link");
	if (!become_user(as)) {
		LOG(LOG_LEVEL_ERROR, "link.failed", LOG_S("why", "could not become the link's user"));
		_exit(1);
	}
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(1);
	prctl(PR_SET_DUMPABLE, 0); /* the identity's key is in our memory */
	exit(link_main(fd, profiles));
}

/* The hand needs no network; in containers we may not be allowed to give it up. */
static void give_up_network(const struct profiles *profiles)
{
	if (geteuid() != 0 || profiles->network)
		return;
	if (unshare(CLONE_NEWNET) != 0)
		LOG(LOG_LEVEL_WARN, "hand.keeps-network", LOG_S("why", strerror(errno)));
}

static troth_rc hand_process(const struct options *o, int fd, int lock, const struct profiles *profiles, struct troth_err *e)
{
	struct hand h;
	give_up_network(profiles);
	TRY(hand_open(&h, &HAND_PORT_REAL, o->dir, profiles->items, profiles->count, &profiles->settings, e));
	h.instance_lock = lock;
	LOG(LOG_LEVEL_INFO, "agent.started", LOG_S("dir", o->dir), LOG_I("profiles", profiles->count));
	troth_rc rc = hand_serve(&h, fd, e);
	hand_close(&h);
	return rc;
}

static troth_rc split(const struct options *o, int lock, const struct profiles *profiles, struct troth_err *e)
{
	int fds[2];
	struct account as;
	TRY(find_account(o->user, &as, e));
	if (geteuid() == 0 && !as.set)
		LOG(LOG_LEVEL_WARN, "link.runs-as-root", LOG_S("hint", "give --user: an account without rights for the half with the network"));
	TRY(socket_pair(WIRE_PACKET_BYTES + 1, fds, e));
	pid_t self = getpid(), pid = fork();
	if (pid == 0) {
		close(fds[0]);
		link_process(fds[1], lock, self, &as, profiles);
	}
	int err_no = errno;
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return err_errno(e, err_no, "could not start the link");
	}
	troth_rc rc = hand_process(o, fds[0], lock, profiles, e);
	close(fds[0]); /* the link ends by this */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return rc;
}

static troth_rc run(const struct options *o, struct arena *a, struct troth_err *e)
{
	struct profiles profiles;
	int lock;
	TRY(profiles_load(a, o->profiles, o->settings, &profiles, e));
	TRY(lock_directory(o->dir, &lock, e));
	troth_rc rc = split(o, lock, &profiles, e);
	close(lock);
	return rc;
}

int agent_run(int argc, char **argv)
{
	struct options o = { 0 };
	struct troth_err e = { 0 };
	const struct agent_option options[] = { { "dir", &o.dir, true }, { "profiles", &o.profiles, true },
						{ "settings", &o.settings, false }, { "user", &o.user, false } };
	if (rc_failed(agent_options_read(argc, argv, options, ARRAY_LEN(options), &e))) {
		(void)agent_failed(&e);
		return 2;
	}
	log_setup(2, LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, "agent-hand");
	signal(SIGPIPE, SIG_IGN);
	struct arena *a = arena_new(PROFILES_ARENA);
	troth_rc rc = run(&o, a, &e);
	int code = rc_ok(rc) ? 0 : agent_failed(&e); /* findings live in the arena */
	arena_free(a);
	return code;
}
