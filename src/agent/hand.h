/* The agent's hand: the half with rights.  It does what a typed request says, if its own books allow.
 *
 * Straight-line code over struct port_fs, so that tests crash it between any two calls.  What it
 * trusts: the profiles and settings on this node, its own state files.  What it does not: the link.
 * A request names a target and a generation; the hand looks the place up itself, and refuses what is
 * out of order (a generation at or below h, a swap of what was not staged, a settling of what is not
 * in place).  Effects that outlive the process are durable before they are answered.
 *
 * hand_handle runs one request to its end.  Two kinds may take long (a reload command, making an RSA
 * key); hand_is_slow tells the process shell, which runs them in a child: they write no state file. */
#ifndef TROTH_AGENT_HAND_H
#define TROTH_AGENT_HAND_H

#include "agent/profile.h"
#include "agent/state.h"
#include "agent/wire.h"

struct hand_port { /* the world; tests give their own */
	void *self;
	const struct port_fs *fs;
	msec_t (*now)(void *self);
	/* 0, or -1 if there is no such user or group. */
	int (*user_id)(void *self, const char *name, uid_t *ret_uid, gid_t *ret_gid);
	int (*group_id)(void *self, const char *name, gid_t *ret_gid);
	/* The owner of a process; -1 if there is none. */
	int (*process_owner)(void *self, pid_t pid, uid_t *ret_uid);
	int (*signal)(void *self, pid_t pid, int number); /* as kill(2) */
	troth_rc (*run)(void *self, const char *const *argv, msec_t timeout, struct process_result *ret, struct troth_err *e);
	uid_t uid; /* who we are */
};
extern const struct hand_port HAND_PORT_REAL; /* uid is filled in by hand_open */

struct hand_lock { char id[UUID_LEN]; char directory[1024]; int fd; };

struct hand {
	struct hand_port port;
	struct store_dir store;
	const struct profile *const *profiles;
	size_t profile_count;
	const struct settings *settings;
	struct hand_lock locks[LIMIT_TARGETS_PER_INSTANCE];
	size_t lock_count;
	int instance_lock; /* of the agent's directory; the process shell's, -1: none */
};

/* `dir` is the agent's own directory; it must exist.  profiles and settings outlive the hand. */
troth_rc hand_open(struct hand *h, const struct hand_port *port, const char *dir, const struct profile *const *profiles,
		   size_t profile_count, const struct settings *settings, struct troth_err *e);
void hand_close(struct hand *h);
/* Texts of the reply live in `a` or in the request; reply.key is secret: wipe it when it is sent. */
void hand_handle(struct hand *h, const struct hand_request *r, struct arena *a, struct hand_reply *ret);
bool hand_is_slow(const struct hand *h, const struct hand_request *r);

/* -- what enrolment leaves behind, read by the hand and by `troth agent status` ------------------- */
struct agent_identity {
	const char *server, *instance_id, *instance, *deployment, *epoch, *state_id;
};
troth_rc identity_read(const struct store_dir *d, struct arena *a, struct agent_identity *ret, struct troth_err *e);
troth_rc identity_write(const struct store_dir *d, const struct agent_identity *id, struct troth_err *e);
/* identity.pem: key, certificate, chain in one file, so that one rename changes all.  server_ca NULL: it stays. */
troth_rc identity_install(const struct store_dir *d, struct arena *a, struct bytes key_pem, const char *certificate,
			  const char *chain, const char *server_ca, struct troth_err *e);

/* server-ca.pem: the CAs by which the server is believed, below a line that says since which document.  One file, so that
 * one rename changes both, and an enrolment begins anew. */
struct agent_trust {
	const char *id;       /* of the built-in store; "": it is as the enrolment left it */
	int64_t generation;
	const char *pem;
	struct json_texts fingerprints; /* sorted */
};
troth_rc trust_read(const struct store_dir *d, struct arena *a, struct agent_trust *ret, struct troth_err *e);
/* `certificates`: PEM, one each. */
troth_rc trust_write(const struct store_dir *d, struct arena *a, const char *id, int64_t generation,
		     const struct json_texts *certificates, struct troth_err *e);

#endif
