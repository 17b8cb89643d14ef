/* The service: one verb = one transaction.  This is the floor's door.
 *
 * struct service is what the writer keeps between two transactions: the store, the engine's view (an
 * index over the rows, dropped and rebuilt whenever a commit fails), the epoch, and the topics that
 * wait for the commit.  It belongs to the writer's thread; loops never touch it, they read snapshots.
 *
 *     begin   service_begin(svc, tx)       view there? else rebuild
 *     verbs   verb_write(svc, tx, ...)     one savepoint each, <= LIMIT_WRITER_BATCH of them
 *     runner  runner_run(svc, tx, now)     what the engine wants next, in the same transaction
 *     commit  store_write_commit(tx)       ok: service_committed -> topics to wake, effects to run
 *                                          failed: service_drop, 503 to all of the batch
 *
 * Errors of service_* are the store's (IO, CORRUPT) unless said otherwise. */
#ifndef TROTH_SERVICE_SERVICE_H
#define TROTH_SERVICE_SERVICE_H

#include "service/verb.h"

struct store; /* store/store.h */
struct view;  /* engine/engine.h */

/* `store` stays the caller's and must outlive the service.  The epoch is the store's (store_epoch), as a
 * decimal text: agents compare it and nothing else. */
troth_rc service_new(struct store *store, const struct server_port *port, struct service **ret,
		     struct troth_err *e);
void service_free(struct service *svc);   /* accepts NULL */
void service_freep(struct service **svc); /* for CLEANUP */
struct store *service_store(struct service *svc);
const char *service_epoch(const struct service *svc); /* on a snapshot: store_epoch */

/* First call in each writer transaction: rebuilds the view if there is none. */
troth_rc service_begin(struct service *svc, struct tx *tx, struct troth_err *e);
/* The commit failed, or nobody knows: the view and the unpublished topics are void. */
void service_drop(struct service *svc);
/* The view for a reader on the writer's thread (tests, bench); NULL after service_drop. */
const struct view *service_view(const struct service *svc);
/* Debug: does the incremental view equal the rebuilt one?  INTERNAL with the difference if not. */
troth_rc service_check_view(struct service *svc, struct tx *tx, struct troth_err *e);

/* What a durable commit sets free; lives in a. */
struct service_committed {
	const char **topics;   /* wake those who hold these, each once */
	size_t topic_count;
	bool effects;          /* the outbox has work: submit VERB_EFFECT until it says there is none */
};
void service_committed(struct service *svc, struct arena *a, struct service_committed *ret);

/* -- the runner ------------------------------------------------------------------------------ */
/* Asks the engine until it has no more acts, proves each batch with plan_check, writes documents,
 * requests for keys, labels, retirements, events, audit and outbox, brings operations and rotations up
 * to date.  Runs at the end of each writer transaction and when ret_next_wake comes (0 = only on
 * change).  At most LIMIT_STEP_ACTS acts. */
troth_rc runner_run(struct service *svc, struct tx *tx, msec_t now, msec_t *ret_next_wake,
		    struct troth_err *e);

/* -- effects ----------------------------------------------------------------------------------
 * What the runner decided and only the keeper can do (a sealed key for a slot) is a row in the outbox.
 * When service_committed says so, and at each wake, the pipeline submits VERB_EFFECT as PRINCIPAL_SYSTEM,
 * one after the other, until ret.done_id is 0; when one fails, VERB_EFFECT_FAILED postpones that row
 * (1 s, 2 s, ... 5 min) so that the next ones are not held up. */
struct effect_cmd { int64_t unused; };
struct effect_ret { int64_t done_id; };          /* the row that was done or postponed; 0 = none is due */
struct effect_failed_cmd { const char *text; };  /* why */
extern const struct verb VERB_EFFECT;
extern const struct verb VERB_EFFECT_FAILED;

#endif
