/* A job: one verb on its way, with all it has gathered.  Only the pipeline's files include this. */
#ifndef TROTH_APP_JOB_H
#define TROTH_APP_JOB_H

#include <pthread.h>
#include <stdatomic.h>

#include "app/meters.h"
#include "app/pipeline.h"
#include "service/nouns.h"

#define STREAM_TOPIC "events"
#define STREAM_BEAT_MS (LIMIT_STREAM_BEAT_S * MSEC_S)

struct job {
	struct job *next;          /* in a queue */
	struct edge_call *call;    /* NULL: the server's own */
	struct arena *a;           /* the call's, or the job's own */
	const struct verb *verb;
	const void *cmd;
	void *ret;
	struct principal who;
	struct verb_ctx ctx;
	struct troth_err err;
	troth_rc rc;
	bool prepared;
	bool failed;               /* by the keeper: on its way home through the writer, not to be written */
	int attempts;
	msec_t hold_until;         /* monotonic; of a held READ */
	bool streams;              /* a READ whose answers follow one another: server-sent events */
	struct arena *round;       /* of its present one */
	int rounds;
	/* at the keeper */
	size_t sent, answered;
	bool counted;              /* its keys are (keeper_link.c) */
	size_t long_under_way;     /* of those that are sent and not answered: RSA keys to be made */
	/* an Idempotency-Key */
	uint8_t body_hash[SHA256_LEN];
	bool replayed;             /* the answer is `kept`, from before or rendered by the writer */
	int kept_status;
	const char *kept_headers;
	struct bytes kept;
	/* the server's own */
	pipeline_done_fn *done;
	void *done_self;
};

struct job_queue {
	pthread_mutex_t lock;
	struct job *first, **last;
	size_t count;
};

struct pipeline {
	struct pipeline_config config; /* its port is the one below */
	struct server_port port;
	struct meter_set *meters;
	struct edge_server *edge;
	struct store_reader *readers[EDGE_LOOPS];
	struct store_reader *writer_reader;
	bool started;
	atomic_bool fatal_said;
	struct toil *toil;
	/* the keeper's thread */
	struct keeper_link *keeper;
	/* the writer's thread */
	pthread_t writer;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *queue, **queue_last;
	size_t queued;
	bool stopping;
	msec_t next_wake;          /* wall clock; 0: none */
	bool effects_running, audit_running, audit_wanted;
	msec_t next_minute, next_housekeeping; /* monotonic */
};

/* Into the writer's queue.  REQUEST: UNAVAILABLE above LIMIT_WRITER_QUEUE.  OWN: the server's own, refused once it stops.
 * RETURN: a job that was in before, always taken. */
enum push { PUSH_REQUEST, PUSH_OWN, PUSH_RETURN };

/* job.c */
struct job *job_of_call(struct pipeline *p, struct edge_call *call);
void job_begin(struct pipeline *p, struct job *job, const struct principal *who, msec_t now);
/* prepare on `tx`, or its next round if it asked for one; then the job goes to the keeper (job_needs_keeper) or can be
 * written at once. */
troth_rc job_prepare(struct job *job, struct tx *tx);
/* A prepared job: to the thread for what takes long (toil.h), to the keeper or, as `how` says, to the writer. */
void job_go_on(struct pipeline *p, struct job *job, enum push how);
void job_go_home(struct pipeline *p, struct job *job, troth_rc rc); /* failed, on any thread; the server's own by way of the writer's */
static inline bool job_needs_keeper(const struct job *job) { return job->ctx.need_count > job->ctx.reply_count; }
void job_end(struct pipeline *p, struct job *job, troth_rc rc); /* after the commit, or failed: home with it */
void job_fail(struct pipeline *p, struct job *job, const struct troth_err *e);
/* Idempotency: has this been done before?  Sets replayed, or fails with CONFLICT for another body. */
troth_rc job_replay(struct job *job, struct tx *tx);
troth_rc job_keep(struct job *job, struct tx *tx); /* renders and stores, in the writer's transaction */
void job_kept_headers(const struct job *job, struct http_reply *reply); /* ETag, Location: as the first answer had them */
void pipeline_fatal(struct pipeline *p, const struct troth_err *e);

/* writer.c */
void *writer_main(void *pipeline);
troth_rc writer_push(struct pipeline *p, struct job *job, enum push how);

/* keeper_link.c */
troth_rc keeper_link_new(struct pipeline *p, struct keeper_link **ret, struct troth_err *e);
troth_rc keeper_link_start(struct keeper_link *k, struct troth_err *e);
/* Answered jobs go on to the writer; failed ones go home (the server's own by way of the writer's thread). */
void keeper_link_push(struct keeper_link *k, struct job *job);
void keeper_link_stop(struct keeper_link *k); /* ends thread and keeper; what comes later fails at once */
void keeper_link_free(struct keeper_link *k); /* accepts NULL */

#endif
