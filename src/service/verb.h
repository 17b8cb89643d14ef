/* A verb: one thing that a principal can ask of the service, one row of a table.
 *
 * A verb is data (name, who may, sizes) and at most two functions.  Nobody calls the functions
 * directly: a pipeline does (app/pipeline.c over threads; verb_run() below on one thread for tests,
 * `troth init` and the simulator).  The order is always
 *
 *     READ    run on a snapshot                        -> answer, or hold, or hand over to a WRITE
 *     WRITE   prepare on a snapshot (optional)         -> ctx->need: what the keeper must do
 *             ctx->toil (if prepare set it)            -> what takes long and needs nothing but the processor
 *             the keeper answers                       -> ctx->replies, one for each need, same order;
 *                                                         ctx->more: prepare again with them, and so on
 *             run in the writer's transaction          -> rows, audit, events; or ctx->retry
 *             commit                                   -> only now the answer leaves
 *
 * run() re-checks under the writer whatever prepare() assumed (is that version still the signer, is
 * the name still free) and sets ctx->retry when it no longer holds: prepare is then called again, at
 * most LIMIT_ISSUE_RETRIES times, after that the verb fails with CONFLICT.
 *
 * cmd and ret are plain structs of the verb's own (cmd_size, ret_size); what they point to lives in
 * ctx->a.  A verb never logs, never renders, never reads a clock: now and random come in ctx. */
#ifndef TROTH_SERVICE_VERB_H
#define TROTH_SERVICE_VERB_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "port/port.h"

struct tx;             /* store/store.h */
struct verb;
struct service;        /* service/service.h */
struct keeper_request; /* keeper/keeper.h */
struct keeper_reply;
struct meter_set;      /* base/meter.h */

/* -- who ----------------------------------------------------------------------------------- */
enum role {
	ROLE_ADMIN = 1,
	ROLE_OPERATOR = 2,
	ROLE_DEVELOPER = 4,
	ROLE_AUDITOR = 8,
	ROLE_AGENT = 16,     /* an instance's agent; instance_id says which */
	ROLE_SYSTEM = 32,    /* the server itself: effects, init; never given to a caller */
	ROLE_ANONYMOUS = 64, /* enroll (the token is in the body), health, version */

	ROLES_READ = ROLE_ADMIN | ROLE_OPERATOR | ROLE_DEVELOPER | ROLE_AUDITOR | ROLE_SYSTEM,
	ROLES_CHANGE = ROLE_ADMIN | ROLE_OPERATOR | ROLE_SYSTEM,
	ROLES_ADMIN = ROLE_ADMIN | ROLE_SYSTEM,
	ROLES_ANY = 0x7f,
};

/* What a permission gives, beside the role: each verb says which of them it takes (struct verb). */
enum right {
	RIGHT_READ = 1,
	RIGHT_WRITE = 2,
	RIGHT_DELETE = 4,
	RIGHT_READ_ACL = 8,   /* see who else has permissions there */
	RIGHT_WRITE_ACL = 16, /* give and take them, as far as one's own go */
	RIGHTS_ALL = 31,
};
struct permission {
	const char *path;     /* a name, or "/a/" and a star: all below it */
	unsigned rights;
};

#define SCOPE_NONE "none"     /* a scope that has nothing: what its principal may touch is said by permissions */

struct principal {
	int64_t id;             /* store rowid; 0 for agents, the system and nobody */
	char uuid[UUID_LEN];    /* of the principal row, or of the agent's instance */
	char name[LIMIT_NAME_BYTES + 1]; /* as the audit shows it: "admin", "agent pg-0" */
	unsigned roles;         /* bits of enum role */
	char scope[LIMIT_NAME_BYTES + 1]; /* text_glob over names; empty = everything; SCOPE_NONE: see permissions */
	const struct permission *permissions; /* of one whose scope is SCOPE_NONE; they live in the request's arena */
	size_t permission_count;
	unsigned right;                  /* of the verb that runs: permissions that give it count; 0: none does */
	int64_t instance_id;    /* agents only */
	uint8_t fingerprint[SHA256_LEN]; /* the client certificate it came with; zeros without one */
};

extern const struct principal PRINCIPAL_SYSTEM;
extern const struct principal PRINCIPAL_ANONYMOUS;

/* May `who` touch the object of this name?  FORBIDDEN with words otherwise. */
troth_rc principal_in_scope(const struct principal *who, const char *name, struct troth_err *e);
bool principal_sees_everything(const struct principal *who); /* its scope excludes nothing */
/* Would it be in scope of a verb that takes this right? */
bool principal_may(const struct principal *who, enum right right, const char *name);
/* The rights that its permissions give on this name, or on everything that this path means.  Never on troth's own names. */
unsigned principal_rights(const struct principal *who, const char *path);
/* `who` as a caller of this verb; in the arena if it is another than `who`. */
const struct principal *principal_for(struct arena *a, const struct principal *who, const struct verb *verb);

/* -- what a verb sees ---------------------------------------------------------------------- */
struct server_port {             /* the seam to the world; real in app/, seeded in sim/ */
	struct port_clock clock; /* use ctx->now, not this, inside verbs */
	struct port_random random;
	const struct meter_set *meters; /* what this process counts of itself (base/meter.h); NULL: nothing */
	bool exportable_authorities; /* the operator's word: CAs that are made through an API that gives keys out are exportable (0081) */
	int password_cost;       /* log2 of scrypt's N; 0: LIMIT_PASSWORD_COST.  Tests take little */
};

struct verb;
struct verb_ctx;

/* Work that takes long (a password's derivation: some 100 ms) and reads nothing but cmd and what prepare left in ctx->plan.
 * The pipeline does it on a thread of its own, one after the other. */
typedef troth_rc verb_toil_fn(struct verb_ctx *, const void *cmd, struct troth_err *);

enum { TOPIC_LEN = 80 };

struct verb_ctx {
	struct arena *a;               /* of this request; cmd, ret and everything in them live here */
	struct tx *tx;                 /* READ, prepare: a snapshot; WRITE run: the writer */
	msec_t now;
	const struct principal *who;
	const struct server_port *port;
	struct service *svc;           /* the writer only; NULL on snapshots */

	/* -- three phases -- */
	const struct keeper_request **need; /* in a, as are the next; room for need_room of both */
	size_t need_count, need_room;
	const struct keeper_reply **replies; /* replies[i] answers need[i]; all are successes: a refusal of the
	                                  keeper fails the verb before run */
	size_t reply_count;
	bool more;                     /* prepare: what else it needs depends on the answers; it is called again with
	                                  them (replies, plan and what it needs are kept), until it says no more */
	size_t keys;                   /* prepare, in its first round: so many new keys it will need in all, if these are hundreds; 0: a few.
	                                  They are asked for when the keeper makes as many (app/keeper_link.c), or BUSY */
	void *plan;                    /* prepare leaves here what it decided and run must re-check */
	verb_toil_fn *toil;            /* prepare: this first, then the keeper or run; NULL: nothing (verb_toil) */
	bool retry;                    /* run: what prepare assumed changed; begin again */

	/* -- READ only -- */
	struct { bool wanted; char topic[TOPIC_LEN]; } hold; /* no news: park until topic, or the deadline */
	const struct verb *then;       /* go on as this WRITE with the same cmd (same sizes) */
	bool last_chance;              /* the hold is over: answer with what there is */

	/* -- options of the request -- */
	struct {
		bool dry_run;          /* decide and return; the pipeline rolls back whatever was written */
		const char *if_match;  /* NULL, or the rev that the caller saw */
		const char *idempotency_key;
		msec_t wait;           /* ?wait=: 0 or how long the caller would hold */
	} options;

	/* -- kept by verb_changed / verb_publish; do not touch -- */
	struct verb_change *changes;
	struct verb_topic *topics;
};

enum verb_kind { VERB_READ, VERB_WRITE };

struct verb {
	const char *name;  /* "authority.create": audit, metrics, log */
	enum verb_kind kind;
	unsigned roles;    /* who may: any of these bits */
	size_t cmd_size, ret_size;
	troth_rc (*prepare)(struct verb_ctx *, const void *cmd, struct troth_err *);
	troth_rc (*run)(struct verb_ctx *, const void *cmd, void *ret, struct troth_err *);
	enum right right;  /* what a permission must give to count; 0: none counts, so who has no scope has nothing */
};

/* -- helpers for run() and prepare() ------------------------------------------------------- */
/* Appends a keeper request (living in ctx->a).  TOO_LARGE above LIMIT_VERB_NEEDS. */
troth_rc verb_need(struct verb_ctx *ctx, const struct keeper_request *request, struct troth_err *e);
/* A new uuid from the port's randomness. */
void verb_uuid(const struct verb_ctx *ctx, char out[UUID_LEN]);
const char *verb_uuid_text(const struct verb_ctx *ctx); /* the same, in ctx->a */
void verb_random(const struct verb_ctx *ctx, void *out, size_t len);
/* Wakes everyone who holds this topic, once the commit is durable.  Topics: "instance/<uuid>",
 * "operation/<uuid>", "rotation/<uuid>", "events".  printf-like. */
void verb_publish(struct verb_ctx *ctx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The engine's view is an index over the rows.  A verb that wrote a row says so by noun and id; after
 * run() succeeded the service reads the row again and applies its facts, by the same code that
 * rebuilds the view.  So nouns never build a fact.  The call only takes a note; it cannot fail.
 * A row that left (target -> left, meet removed, member removed) is said in the same way. */
enum verb_noun {
	CHANGED_CREDENTIAL, /* an authority or leaf credential; also its versions and their labels */
	CHANGED_BUNDLE,     /* members came or went: the goals of every store template of the bundle */
	CHANGED_TEMPLATE,   /* a deployment's slot or store template: group and goal */
	CHANGED_DEPLOYMENT, /* all its templates, instances, and targets */
	CHANGED_INSTANCE,   /* last_seen, session, state */
	CHANGED_TARGET,     /* the row, its documents and what is staged */
	CHANGED_MEET,       /* id = presenter template, id2 = verifier template */
	CHANGED_CONTENT,    /* a chain or set was put into content (before a document names it) */
	CHANGED_ROTATION,   /* started, paused, resumed, aborted; a step was approved */
	CHANGED_ROLLING,    /* a deployment's policy (id: of the deployment), or what it counts */
	CHANGED_FREEZE,     /* frozen, thawed */
};
void verb_changed(struct verb_ctx *ctx, enum verb_noun noun, int64_t id);
void verb_changed_meet(struct verb_ctx *ctx, int64_t presenter_template, int64_t verifier_template);

/* -- for pipelines -------------------------------------------------------------------------- */
/* FORBIDDEN unless who->roles has one of verb->roles. */
troth_rc verb_allowed(const struct verb *verb, const struct principal *who, struct troth_err *e);
/* The WRITE phase of one verb, in the writer's open transaction: savepoint, run, facts into the view,
 * release; or rollback to the savepoint.  ctx->tx and ctx->svc are set here.  ctx->retry may be set
 * on return (rc is then CONFLICT): go back to prepare.  dry_run always rolls back. */
troth_rc verb_write(struct service *svc, struct tx *tx, const struct verb *verb, struct verb_ctx *ctx,
		    const void *cmd, void *ret, struct troth_err *e);
/* What prepare asked for, if it did; once.  RC_OK if there is nothing to do. */
troth_rc verb_toil(struct verb_ctx *ctx, const void *cmd, struct troth_err *e);
/* Empties need, replies, plan, toil, retry before another prepare. */
void verb_ctx_again(struct verb_ctx *ctx);

/* -- one thread ------------------------------------------------------------------------------ */
/* How verb_run reaches a keeper: fills replies[i] (living in a) for need[i]; fails with the keeper's
 * own refusal.  In tests: keeper_handle() on a struct keeper_state. */
struct verb_keeper {
	void *self;
	troth_rc (*call)(void *self, struct arena *a, const struct keeper_request *const *need, size_t n,
			 const struct keeper_reply **replies, struct troth_err *e);
};

/* All phases of one verb on this thread, with its own transactions, runner included.  ctx has a, now,
 * who, port, options set (see verb_ctx_init); a hold is returned at once as ctx->hold.wanted.  A READ
 * with `then` goes on as that WRITE.  keeper may be NULL if no verb needs one. */
troth_rc verb_run(struct service *svc, const struct verb *verb, struct verb_ctx *ctx,
		  const struct verb_keeper *keeper, const void *cmd, void *ret, struct troth_err *e);
void verb_ctx_init(struct verb_ctx *ctx, struct arena *a, const struct principal *who,
		   const struct server_port *port, msec_t now);

#endif
