/* The pipeline: how a verb travels through the server's threads.
 *
 *     loop thread      who, parse, READ on the loop's snapshot, or prepare on it
 *     toil thread      what takes long and only computes (a password), if prepare asks for it
 *     keeper thread    batches what prepare needs into messages; answers come in any order
 *     writer thread    up to LIMIT_WRITER_BATCH verbs, a savepoint each, the runner, one commit
 *     loop thread      renders; only now the answer leaves
 *
 * A job (job.h) is one verb under way; it belongs to whichever thread has it, and threads hand it over
 * through queues.  What the commit set free goes out after the commit only: answers, topics, effects.
 * A failed COMMIT fails every verb of its batch with UNAVAILABLE and drops the engine's view.
 * The keeper's death fails what it had with UNAVAILABLE; it is started again; KEEPER_DEATHS in a minute
 * stop the server. */
#ifndef TROTH_APP_PIPELINE_H
#define TROTH_APP_PIPELINE_H

#include "edge/server.h"
#include "keeper/keeper.h"
#include "service/service.h"
#include "store/store.h"

struct pipeline;
struct job;

/* The keeper's client as a table, so that tests can break it. */
struct keeper_line {
	void *self;
	troth_rc (*open)(void *self, struct keeper_client **ret, struct troth_err *e);
	void (*close)(struct keeper_client *c);
	int (*fd)(const struct keeper_client *c);
	troth_rc (*send)(struct keeper_client *c, const struct keeper_request *reqs, size_t n, size_t *ret_sent, struct troth_err *e);
	troth_rc (*receive)(struct keeper_client *c, struct arena *a, msec_t timeout, struct keeper_reply replies[LIMIT_KEEPER_BATCH],
			    size_t *ret_n, struct troth_err *e);
};
/* keeper_spawn and its friends; `self` is a const struct keeper_spawn_options *. */
struct keeper_line keeper_line_real(const struct keeper_spawn_options *options);

enum { KEEPER_DEATHS = 3 };

struct pipeline_hooks {
	void *self;
	/* On the writer's thread, after each commit and at least once a minute, with a snapshot of it. */
	void (*committed)(void *self, struct tx *snapshot, msec_t now);
	/* The server cannot go on (any thread, once). */
	void (*fatal)(void *self, const struct troth_err *e);
};

struct pipeline_config {
	struct service *svc;
	const struct server_port *port;
	unsigned loops;
	struct keeper_line keeper;
	struct pipeline_hooks hooks;
};

/* Opens a reader for each loop and one for the writer, starts the keeper. */
troth_rc pipeline_new(const struct pipeline_config *config, struct pipeline **ret, struct troth_err *e);
struct edge_handler pipeline_handler(struct pipeline *p);
/* `edge` gets what comes back; it may be NULL in tests that submit only. */
troth_rc pipeline_start(struct pipeline *p, struct edge_server *edge, struct troth_err *e);
/* Finishes what is in the writer's queue, fails what waits for the keeper, ends the threads and the keeper.
 * Before edge_server_free, as calls come back to their loops' queues. */
void pipeline_stop(struct pipeline *p);
void pipeline_free(struct pipeline *p); /* accepts NULL; stops it if need be */

/* A verb of the server's own, as PRINCIPAL_SYSTEM; any thread.  `done` is called on a thread of the pipeline, after the
 * commit; cmd is copied (what it points to must live until then, or in `a`, which the job takes and frees).  done may be NULL. */
typedef void pipeline_done_fn(void *self, troth_rc rc, const void *ret, const struct troth_err *e);
void pipeline_submit(struct pipeline *p, const struct verb *verb, struct arena *a, const void *cmd, pipeline_done_fn *done, void *self);
/* READ on a snapshot that is there, as PRINCIPAL_SYSTEM (the committed hook). */
troth_rc pipeline_read(const struct pipeline *p, struct tx *tx, struct arena *a, const struct verb *verb, const void *cmd, void *ret,
		       struct troth_err *e);

#endif
