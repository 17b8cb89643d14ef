/* A fleet in one process: real store, engine and keeper; agents that are twenty lines each.
 *
 * Time is a number that the test moves.  Every verb runs through verb_run; after each one the
 * incremental view is compared with the rebuilt one, and after each change on a node every slot is
 * verified against every store with chain_verify, as a handshake would: a pair that could shake hands and
 * cannot any more fails the test.  When a check fails the story so far is printed. */
#ifndef TEST_SERVICE_FLEET_H
#define TEST_SERVICE_FLEET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keeper/keeper.h"
#include "service/agent/agent.h"
#include "service/rotation/explain.h"
#include "service/nouns.h"
#include "service/policy/policy.h"
#include "service/rotation/rotation.h"
#include "service/service.h"
#include "store/store.h"

enum { FLEET_NODES = 24, FLEET_PLACES = 4, FLEET_KEYS = 64 };

struct fleet_place {              /* a target, on its node */
	char id[UUID_LEN];
	const char *name;
	enum msg_target_kind kind;
	int64_t l, h;
	struct json_texts loaded; /* PEM, what the process runs */
	char answered[UUID_LEN];  /* the CSR answered last */
};
struct fleet_key { char request[UUID_LEN]; struct key *key; };

struct fleet_node {
	const char *name;
	char uuid[UUID_LEN];
	struct principal who;
	struct key *identity;
	struct bytes identity_der;
	const char *boot_id, *epoch;
	int64_t session, version, seq;
	struct fleet_place places[FLEET_PLACES];
	size_t place_count;
	struct fleet_key keys[FLEET_KEYS];
	size_t key_count;
	/* how it behaves */
	bool say_all;             /* a session was opened: report everything once */
	bool off;                 /* stopped: says and does nothing */
	bool mute;                /* polls and applies, but reports nothing */
	bool broken;              /* its reload fails: keeps the old, says so */
	bool repeats;             /* says each report twice */
	bool excused;             /* waived, or left out at a deadline: nobody promised anything */
	msec_t until;             /* its service is stopped then; 0: never */
};

struct fleet {
	char dir[64], path[96];
	struct store *store;
	struct store_reader *reader;
	struct service *svc;
	struct keeper_state *keeper;
	struct server_port port;
	struct verb_keeper line;
	struct principal admin;
	struct arena *a;          /* of the whole test */
	msec_t now;
	bool dry_run;             /* options of the next verbs */
	struct verb_ctx last;     /* of the verb that ran last */
	bool restarts;            /* drop and rebuild the view before each verb */
	int levels;               /* of CAs: 1: /demo/ca signs the leaves; 2: /demo/inter below it; 3: /demo/sub between them */
	const char *vfs;          /* of the store; NULL: files in dir */
	void (*accident)(struct fleet *f); /* set: agents may go unanswered; called when a verb was UNAVAILABLE */
	int accidents;
	void (*boundary)(struct fleet *f); /* set: called after each commit; verbs of its own do not call it */
	bool at_boundary;
	int keeper_calls, checks;
	struct fleet_node nodes[FLEET_NODES];
	size_t node_count;
	bool could[FLEET_NODES][FLEET_NODES]; /* [slot's node][store's node]: a handshake has worked */
	struct bytes given_up[FLEET_PLACES]; /* DER of stolen CAs: what works by one of them alone may stop */
	size_t given_up_count;
	struct buf story;
};

/* Makes everything up to /demo/ca, bundle /demo/trust, deployments "svc" (slot tls) and "app" (store
 * trust).  No nodes yet. */
struct fleet *fleet_new(void);
struct fleet *fleet_new_on(const char *vfs); /* the same on SQLite's VFS of this name */
struct fleet *fleet_new_with(const char *vfs, int levels);
void fleet_free(struct fleet *f);
/* Three services svc-0.. and three apps app-0.., enrolled, admitted, all shaking hands. */
struct fleet *fleet_demo(void);
struct fleet *fleet_levels(int levels); /* the same with so many levels of CAs */
void fleet_populate(struct fleet *f); /* the six of the demo */

/* Runs a verb; the error is returned to be looked at. */
troth_rc fleet_do(struct fleet *f, const struct principal *who, const struct verb *verb, const void *cmd, void *ret,
		  struct troth_err *e);
/* It must fail with this kind, and its words must have `part`. */
void fleet_refused(struct fleet *f, const struct principal *who, const struct verb *verb, const void *cmd,
		   enum troth_kind kind, const char *part);
/* The same as admin; fails the test if the verb does. */
void fleet_must(struct fleet *f, const struct verb *verb, const void *cmd, void *ret);

struct fleet_node *fleet_join(struct fleet *f, const char *deployment, const char *name);
/* Its disk is empty and it enrols again with this token: the same node, a new identity. */
void fleet_reinstall(struct fleet *f, struct fleet_node *n, const char *token);
struct fleet_node *fleet_node(struct fleet *f, const char *name);
/* Somebody outside the fleet, without an agent, who serves (MSG_SLOT) or trusts (MSG_STORE) what the test says. */
struct fleet_node *fleet_stranger(struct fleet *f, const char *name, enum msg_target_kind kind);
void fleet_loads(struct fleet *f, struct fleet_node *n, const char *pem); /* from now on; every pair is tried */
const char *fleet_csr(struct fleet *f); /* of a new key */
void fleet_open(struct fleet *f, struct fleet_node *n); /* opens a session */
/* One turn of a node: polls, answers requests, applies, reports.  True if anything changed. */
bool fleet_turn(struct fleet *f, struct fleet_node *n);
/* Turns of all nodes, a second each round, until nothing moves or `rounds` are over. */
void fleet_settle(struct fleet *f, int rounds);
void fleet_report(struct fleet *f, struct fleet_node *n, struct fleet_place *p); /* what it runs, settled */
/* The agent is killed and starts again: what it ran still runs, what was on its way is forgotten. */
void fleet_kill(struct fleet *f, struct fleet_node *n);
/* Runs the runner alone (a wake-up). */
void fleet_wake(struct fleet *f);
/* Carries the keeper's outbox out. */
void fleet_effects(struct fleet *f);
/* Closes the store and the service without a word, and opens them (after a crash). */
void fleet_close(struct fleet *f);
void fleet_reopen(struct fleet *f);
/* The server stops and starts again: store closed and opened, view rebuilt. */
void fleet_restart(struct fleet *f);

/* The store's rows as they are now; one at a time. */
struct tx *fleet_read(struct fleet *f);
void fleet_read_end(struct fleet *f, struct tx *tx);
struct instance_row fleet_instance(struct fleet *f, const struct fleet_node *n);
struct target_row fleet_target(struct fleet *f, const struct fleet_node *n);
/* A settled report of its first place, to be changed and sent by the test. */
struct msg_report fleet_report_of(struct fleet *f, struct fleet_node *n);
struct desired_ret fleet_desired(struct fleet *f, struct fleet_node *n, int64_t after);

/* -- asking --------------------------------------------------------------------------------------- */
struct rotate_ret fleet_rotate(struct fleet *f, const char *name);
struct rotation_view fleet_rotation(struct fleet *f, const char *id);
struct explain_ret fleet_explain(struct fleet *f, const char *name);
/* Does explain name this instance with this reason? */
bool fleet_waits(struct fleet *f, const char *name, const char *instance, const char *reason);
struct operation_row fleet_operation(struct fleet *f, const char *uuid);
/* How many CAs does the store of this node run; does its slot's leaf chain to root version `uuid`? */
size_t fleet_store_size(const struct fleet_node *n);
bool fleet_signed_by(struct fleet *f, const struct fleet_node *n, const char *version);
/* Is the last certificate that its slot serves signed by this (root) version? */
bool fleet_chains_to(struct fleet *f, const struct fleet_node *n, const char *version);
bool fleet_trusts(struct fleet *f, const struct fleet_node *n, const char *version);
/* From now on a handshake that only this version of an authority lets through is nothing to keep. */
void fleet_give_up(struct fleet *f, const char *version);
/* Every slot shakes hands with every store. */
void fleet_all_hands(struct fleet *f);

const char *fleet_deployment_id(struct fleet *f, const char *name);
/* A command that changes nothing yet; fill in what shall change, then set it.  As it is now: fleet_policy. */
struct deployment_policy_cmd fleet_policy_unchanged(struct fleet *f, const char *deployment);
void fleet_set_policy(struct fleet *f, struct deployment_policy_cmd cmd);
struct rolling_row fleet_policy(struct fleet *f, const char *deployment);

void fleet_tell(struct fleet *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define FLEET_CHECK(f, cond)                                                                        \
	do {                                                                                       \
		if (!(cond))                                                                       \
			fleet_fail((f), #cond, __FILE__, __LINE__);                                \
	} while (0)
_Noreturn void fleet_fail(struct fleet *f, const char *what, const char *file, int line);

#endif
