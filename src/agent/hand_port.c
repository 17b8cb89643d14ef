/* The hand's world as it really is. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/hand.h"

static msec_t real_now(void *self) { return port_now(&PORT_CLOCK_REAL); }

static int real_user_id(void *self, const char *name, uid_t *ret_uid, gid_t *ret_gid)
{
	const struct passwd *p = getpwnam(name);
	if (!p)
		return -1;
	*ret_uid = p->pw_uid;
	*ret_gid = p->pw_gid;
	return 0;
}

static int real_group_id(void *self, const char *name, gid_t *ret_gid)
{
	const struct group *g = getgrnam(name);
	if (!g)
		return -1;
	*ret_gid = g->gr_gid;
	return 0;
}

static int real_process_owner(void *self, pid_t pid, uid_t *ret_uid)
{
	char path[32];
	struct stat st;
	snprintf(path, sizeof path, "/proc/%d", (int)pid);
	if (stat(path, &st) != 0)
		return -1;
	*ret_uid = st.st_uid;
	return 0;
}

static int real_signal(void *self, pid_t pid, int number) { return kill(pid, number); }

static troth_rc real_run(void *self, const char *const *argv, msec_t timeout, struct process_result *ret, struct troth_err *e)
{
	return process_run(argv, geteuid(), getegid(), timeout, ret, e);
}

const struct hand_port HAND_PORT_REAL = {
	.fs = &PORT_FS_REAL, .now = real_now, .user_id = real_user_id, .group_id = real_group_id,
	.process_owner = real_process_owner, .signal = real_signal, .run = real_run,
};
