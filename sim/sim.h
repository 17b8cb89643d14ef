/* The simulated world: one thread, one seed, every event in one queue.
 *
 *   world.c     the queue, the clock, dice, the network, the story of what happened
 *   server.c    the real service over a disk that crashes: verbs, held polls, the runner, restarts
 *   node.c      a node: the real agent core and the real hand over a disk in memory
 *   process.c   the services on a node: old and new workers, reloads that fail, trust read at start
 *   nodefs.c    that disk: knows what was synced, can lose the rest
 *   holder.c    those outside the fleet who took a certificate through the API
 *   application.c those who took a bundle
 *   lease.c     ephemerals that are gone without a word
 *   link.c      who meets whom
 *   emergency.c a CA is compromised: distrust first
 *   policy.c    what people decided about how and when: places, windows, pauses, approvals, freeze
 *   oracle.c    who can shake hands with whom, by OpenSSL alone; shares nothing with the engine
 *   operator.c  rotations, changes of mind, joins, leaves, faults
 *   check.c     what must always be true
 *
 * A violation prints the last events and the command that replays them, and ends the process. */
#ifndef TROTH_SIM_H
#define TROTH_SIM_H

#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "model/message.h"
#include "oracle.h"
#include "port/port.h"

enum { SIM_NODES_MAX = 512, SIM_PLACES = 2, SIM_WORKERS = 8, SIM_STORY = 80, SIM_LINE = 240, SHORT_PACE = 10,
       SIM_DISTRUSTED = 64, SIM_DEPLOYMENTS = 5, SIM_FIRST_ACTS = 5, FIRST_ACT = 1 << 20 };
#define SIM_FOREVER INT64_MAX

struct sim;
struct node;
struct nodefs;
struct agent_half;  /* side_agent.h */
struct agent_probed;
struct agents;
struct server;      /* side_server.h */
struct secrets;
struct found;
struct application; /* application.c */

/* -- dice ------------------------------------------------------------------------------------------ */
struct dice { uint64_t state; };
uint64_t dice_roll(struct dice *d);
int64_t dice_in(struct dice *d, int64_t from, int64_t to); /* both included */
bool dice_chance(struct dice *d, int per_mille);

/* -- events ---------------------------------------------------------------------------------------- */
struct event {
	msec_t at;
	uint64_t order;       /* those of one moment come in the order they were made */
	void (*happen)(struct sim *s, struct event *x);
	struct node *node;
	uint32_t life;        /* of the node's agent or of the server, whoever is meant; 0: whatever lives */
	uint32_t ticket;
	int kind, place;
	int64_t number, number2;
	uint8_t *data;        /* an encoded message */
	size_t len;
};
/* Appends to the queue; the world frees it when it has happened. */
struct event *event_add(struct sim *s, msec_t at, void (*happen)(struct sim *, struct event *), struct node *n);
void event_data(struct event *x, struct bytes data);

/* What an agent asks: as in agent/core.h, which the server's side cannot include. */
enum { SAY_OPEN, SAY_POLL, SAY_REPORT, SAY_CSR };

/* -- services on a node -------------------------------------------------------------------------------- */
struct worker { int content; char attest[SHA256_HEX_LEN]; msec_t until; }; /* content: of the oracle */

enum profile_kind { PROFILE_WEB, PROFILE_ATTEST, PROFILE_RESTART, PROFILE_CLIENT, PROFILE_KIND_COUNT };

struct template { /* what the world's deployments consist of */
	const char *deployment, *name;
	enum msg_target_kind kind;
	enum profile_kind profile;
	int authority;        /* slot: index */
	unsigned bundle;      /* store: bits of authorities */
	bool client, keeper, lease;
};
enum { SIM_TEMPLATES = 9 };
extern const struct template TEMPLATES[SIM_TEMPLATES];
extern const size_t TEMPLATE_COUNT;
extern const char *const PROFILE_NAMES[PROFILE_KIND_COUNT];
/* The third is an intermediate: the second signs it, and stores trust only the second for it. */
enum { SIM_AUTHORITIES = 3 };
extern const char *const AUTHORITIES[SIM_AUTHORITIES];
extern const char *const DEPLOYMENTS[SIM_DEPLOYMENTS];
extern const int ROOT_OF[SIM_AUTHORITIES];

/* Why handshakes of a member may fail: engine-rules section 1, and nothing else. */
enum excuse {
	EXCUSE_NONE,
	EXCUSE_RESTORED, /* an outside event changed it: until the server has seen it and every pair is good again */
	EXCUSE_EXPIRED,  /* its own certificates ended while it could not get others (off, cut off, failing) */
	EXCUSE_EMERGENCY, /* a CA was distrusted at once, and the pairs that break were named: until every pair is good again */
	EXCUSE_NEW,       /* a holder's first certificate, which no admission precedes; a link put back; admitted while somebody it
			   * meets was silent: until every pair is good */
	EXCUSE_COUNT
};

struct place_state { /* one process of a node, and its target */
	const struct template *t;
	char id[UUID_LEN];
	bool counted;         /* the server's word: from here on it is in the promise */
	bool ran;             /* it had something to run, once */
	int pid;
	struct worker workers[SIM_WORKERS];
	size_t worker_count;
	msec_t reload_at;     /* a reload under way; 0 none */
	int64_t generation;   /* highest l and h the agent has said */
	int64_t handed;       /* the newest generation that has left the server and is not reported; 0 none */
	msec_t handed_decided, was_decided; /* when that was decided, by the server's clock; while a report is on its way */
	bool failed;          /* it said so of its last one */
	int last_content;     /* a slot: what it presented last */
	enum excuse excuse;   /* its handshakes may fail; see check.c */
	int excuse_content;   /* EMERGENCY, a slot: what it presents is newer than all that was there then */
	bool excuse_seen;     /* and the server has counted a report of it since */
};

/* Stretches without trouble: whoever had one long enough in good time has no excuse for what expired. */
struct calm {
	msec_t trouble_until; /* the present stretch began then, or will */
	msec_t from, until;   /* the last stretch before it that was long enough */
};
void calm_ends(struct calm *c, msec_t now, msec_t until);
bool calm_was(const struct calm *c, msec_t from, msec_t until);

struct node {
	char name[32];
	int index;
	bool there, leaving;  /* enrolled and not left; a leave was asked for */
	bool waiving;         /* a waiver was asked for, and the rows were not read since */
	bool stopping, stopped; /* a leaver: its services will be stopped, are stopped for good */
	char uuid[UUID_LEN];
	struct bytes identity;
	struct place_state places[SIM_PLACES];
	size_t place_count;
	struct nodefs *fs, *backup; /* backup: or NULL */
	struct agent_half *agent; /* NULL: the agent is down */
	uint32_t life;
	struct dice dice;     /* what is ordinary chance here: delays, how long a worker lingers */
	msec_t cut_off_until; /* partition */
	bool broken;          /* reloads fail while it is so */
	bool holder;          /* no agent: somebody with a certificate from the API (holder.c) */
	struct application *app; /* a holder of a bundle rather than of a certificate (application.c), or NULL */
	bool unsure;          /* holder: a certificate may have been made for it that never arrived */
	bool off;             /* the whole machine is switched off */
	msec_t skew;          /* its clock is ahead by so much */
	struct calm calm;     /* what it had of the world's cooperation */
	msec_t lease_until;   /* by the server's clock: it will be gone; 0 it stays */
	msec_t heard_at, contact_since; /* by the server, without a long silence between */
	msec_t unheard_at;    /* by the server's clock: the newest poll of it that was taken, perhaps, and never answered */
};

/* -- what people decided (policy.c) ---------------------------------------------------------------------------- */
struct policy { /* of a deployment */
	bool known;           /* it was said and heard */
	msec_t since;
	int64_t max_unavailable; /* 0: no limit */
	msec_t pause, settled_at, stopped_at;
	bool stops, windowed;
};
struct rollout { /* of an authority */
	bool manual, on;      /* on: a rotation that waits for approvals, from old to new */
	bool introduce, change, withdraw; /* approved */
	const char *old_pem, *new_pem;
	int old_set, new_set; /* of the oracle */
};

/* -- the world ------------------------------------------------------------------------------------------------ */
struct sim_options {
	uint64_t seed;
	int nodes;
	bool verbose;
	const char *mutant;
	const struct fault_list *keep; /* sorted; only these may happen; NULL: all */
	struct found *found;           /* shrink.h: where to write what happened, or NULL */
};
struct sim_counts { uint64_t rotations, faults, handshakes, verified, commits, events, views, covers, steps; };

struct sim {
	struct sim_options o;
	struct sim_counts count;
	struct dice dice, entropy, fault_dice, act_dice; /* fault, act: of the one that happens now */
	struct fault_list happened;
	uint32_t asked[SIM_NODES_MAX][FAULT_KIND_COUNT], asked_server[FAULT_KIND_COUNT];
	msec_t now, began;
	msec_t skew, skew_at;   /* the server's clock is ahead by so much, since then */
	struct event **queue;
	size_t queue_len, queue_room;
	uint64_t order, trace;  /* trace: a hash of the story; equal runs have equal ones */
	struct arena *life_a;   /* of the whole run */
	struct arena *step_a, *call_a, *ask_a, *look_a;
	struct port_clock clock;
	struct port_random random;
	struct agents *agents;
	struct server *server;
	struct node *nodes[SIM_NODES_MAX];
	int node_count, names, pids;
	struct oracle *oracle;
	struct calm calm;       /* the server's */
	bool short_lives;       /* leaves live half an hour, CAs two hours; everything goes ten times as slowly */
	msec_t heal_at;         /* when the operator looks again for expired CAs */
	bool faults, over;      /* faults may happen; the run has settled */
	int log_fd;
	off_t log_read;         /* so much of it has been looked at */
	struct secrets *secrets;
	const char *distrusted[SIM_DISTRUSTED]; /* PEM, and */
	const char *distrusted_hex[SIM_DISTRUSTED]; /* SHA-256 */
	size_t distrusted_count;
	const char *distrusting; /* an authority: the server died over the order, and may have done it; or NULL */
	struct policy policies[SIM_DEPLOYMENTS];
	struct rollout rollouts[SIM_AUTHORITIES];
	bool unlinked[SIM_TEMPLATES][SIM_TEMPLATES]; /* (slot, store) that people have taken away, or may have */
	bool links_sure;
	bool frozen, lifted;    /* lifted: nothing that people decided holds anything up any more */
	struct seen *seen;      /* documents handed out: (target, generation) -> contents */
	size_t seen_count, seen_room;
	char story[SIM_STORY][SIM_LINE];
	size_t story_len;
};

/* Wall clocks: each party's own.  s->now is the time that passes. */
static inline msec_t server_now(const struct sim *s) { return s->now + s->skew; }
static inline msec_t node_now(const struct sim *s, const struct node *n) { return s->now + n->skew; }

/* world.c */
void sim_run(struct sim *s, const struct sim_options *o);
void sim_free(struct sim *s);
void tell(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void violation(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void must(struct sim *s, troth_rc rc, const struct troth_err *e, const char *what);
/* n NULL: the server, and so everybody. */
void trouble(struct sim *s, struct node *n, msec_t time);
msec_t net_delay(struct sim *s, struct node *n);
bool net_loses(struct sim *s, const struct node *n);
void randomness_seed(struct sim *s);

/* server.c */
void server_start(struct sim *s);           /* the very first time: init, nouns */
void server_crash(struct sim *s, bool power);
void server_down(struct sim *s, bool power, msec_t time); /* the same, for so long */
void server_on(struct sim *s);
void server_free(struct sim *s);
void server_receive(struct sim *s, struct event *x); /* a request of an agent has arrived */
/* Enrols; fills in the node's uuid and places.  false: the server did not. */
bool server_enroll(struct sim *s, struct node *n, const char *deployment, const char *csr, struct msg_enrolled *ret);

/* node.c */
struct node *node_new(struct sim *s, const char *deployment); /* made and enrolled; NULL: the server did not */
struct node *node_none(struct sim *s); /* a place left empty, so that the others keep their names */
void node_start(struct sim *s, struct node *n);
void node_crash(struct sim *s, struct node *n, bool power);
void node_restore(struct sim *s, struct node *n); /* its backup, which is there, becomes its disk; it starts anew */
void node_on(struct sim *s, struct node *n);
void node_off(struct sim *s, struct node *n, msec_t time);
void node_stop(struct sim *s, struct node *n); /* for good */
void node_free(struct node *n);
void node_answer(struct sim *s, struct event *x);
void agents_make(struct sim *s);
void agents_free(struct sim *s);

/* holder.c */
void holder_new(struct sim *s);                    /* somebody takes a first certificate */
void holder_act(struct sim *s, struct node *n, struct dice *d); /* takes another one, or uses only the newest and says so */
void holder_finish(struct sim *s, struct node *n); /* both */

/* emergency.c */
void emergency(struct sim *s, const char *name, int root); /* distrusts all that the authority has, and makes new ones */
void emergency_up(struct sim *s); /* the server is up again: was it done, that it died over? */
void emergency_sent(struct sim *s, const struct node *n, const struct msg_target *t); /* a document leaves the server */
bool emergency_is_over(const struct sim *s);       /* nobody trusts what is distrusted */
void emergency_settled(struct sim *s);             /* or it is a violation */

/* process.c */
void process_add(struct sim *s, struct node *n, struct place_state *p, const struct worker *w);
int process_signal(struct sim *s, struct node *n, pid_t pid);
int process_run_restart(struct sim *s, struct node *n, const char *name); /* an exit code */
void process_restart(struct sim *s, struct node *n, struct place_state *p); /* by itself, or the machine's */
void process_stop(struct sim *s, struct node *n, struct place_state *p);
void process_look(struct sim *s, struct node *n, const char *target, struct agent_probed *ret, struct arena *a);
void process_sweep(struct sim *s, struct place_state *p); /* workers whose time is over go */

/* check.c */
void check_node(struct sim *s, struct node *n);      /* something on it changed: all its handshakes */
void check_everybody(struct sim *s);                 /* time has passed */
void check_admissions(struct sim *s);                /* after a commit */
void check_restored(struct sim *s);                  /* the server was restored from a backup */
void check_desired(struct sim *s, struct node *n, const struct msg_desired *m);
void check_report(struct sim *s, struct node *n, const struct msg_report *m);
void check_counted(struct sim *s, struct node *n, const char *target); /* the server has counted a report */
bool check_pending(const struct node *n);            /* not admitted, or leaving */

/* rows.c */
void check_view(struct sim *s);
void check_again(struct sim *s);
void check_cover(struct sim *s, struct node *n, struct place_state *p);
bool check_nothing_pending(struct sim *s, const struct place_state *p);
void check_rows(struct sim *s);                      /* audit chain, one signer, a reason for every wait */
bool check_settled(struct sim *s, char *why, size_t size);
void check_tell(struct sim *s);                      /* the rotations and waits, into the story */
void check_log(struct sim *s);
void world_log(struct sim *s, const char *line);     /* what an agent or the keeper says */

/* secrets.c */
void secret_drawn(struct sim *s, const uint8_t *bytes, size_t len); /* by OpenSSL */
void secret_text(struct sim *s, const char *text);   /* a token */
void check_secrets(struct sim *s);
void secrets_make(struct sim *s);
void secrets_free(struct sim *s);

/* operator.c */
void operator_begin(struct sim *s);
void operator_stops(struct sim *s, struct node *n);  /* it may leave: its services are stopped some time from now */
void operator_heal(struct sim *s);                   /* no more faults; what was stopped goes on */

/* nodefs.c */
struct nodefs *nodefs_new(void);
void nodefs_free(struct nodefs *fs);
const struct port_fs *nodefs_port(struct nodefs *fs);
void nodefs_crash_after(struct nodefs *fs, int64_t calls); /* < 0: never */
bool nodefs_crashed(const struct nodefs *fs);
void nodefs_restart(struct nodefs *fs);              /* the process is new; the disk is as it was */
void nodefs_power_cut(struct nodefs *fs, struct dice *d); /* what was not synced may be gone */
/* Whole files, by absolute path; false: there is none. */
bool nodefs_read(struct nodefs *fs, const char *path, struct buf *ret);
void nodefs_write(struct nodefs *fs, const char *path, struct bytes data); /* synced, directories made */
struct nodefs *nodefs_copy(const struct nodefs *fs); /* the files as they are, synced */
void nodefs_capacity(struct nodefs *fs, int64_t bytes); /* so much more can be written; < 0: no limit */
void nodefs_remove(struct nodefs *fs, const char *path);

#endif
