/* What the pipeline's tests share: a store in a temporary directory, the service over it, a pipeline with a keeper that does
 * what the test says, and toy verbs that keep their numbers in the store's meta table. */
#ifndef TROTH_TESTS_APP_PLANT_H
#define TROTH_TESTS_APP_PLANT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/job.h"

enum keeper_mood {
	KEEPER_ANSWERS,      /* at once, in reverse order */
	KEEPER_REFUSES,      /* FORBIDDEN for each */
	KEEPER_DIES,         /* at the next message; the one after it answers */
	KEEPER_ALWAYS_DIES,
	KEEPER_HANGS,        /* until the mood changes */
	KEEPER_IS_FULL,      /* BUSY once, then answers */
	KEEPER_STAYS_FULL,   /* BUSY until the mood changes */
};

struct plant {
	char dir[64], path[96];
	struct arena *a;
	struct server_port port;
	struct store *store;
	struct service *svc;
	struct pipeline *pipeline;
	/* the keeper */
	_Atomic enum keeper_mood mood;
	atomic_int opened, messages, requests, largest;
	atomic_int last_answer; /* this many, then it dies; 0: never */
	/* the hooks */
	atomic_int committed, fatal;
};

struct plant *plant_new(void);                 /* nothing started */
void plant_make_pipeline(struct plant *p);
void plant_start(struct plant *p);             /* makes and starts one, without an edge */
void plant_free(struct plant *p);

/* -- toy verbs -------------------------------------------------------------------------------------- */
struct toy_cmd {
	const char *key;      /* of the meta table */
	int64_t value;
	int64_t needs;        /* requests to the keeper */
	bool slow;            /* all but the first `quick` of them make RSA keys */
	int64_t quick;
	int64_t keys;         /* it says that it needs so many new ones in all */
	int64_t retries;      /* how often run asks for another prepare */
	bool fail;            /* run writes and then fails */
	int64_t rounds;       /* prepare asks for so many more rounds of as many needs */
	enum { TOY_NO_TOIL, TOY_TOILS, TOY_TOIL_FAILS, TOY_TOIL_WAITS /* for toy_gate */ } toil;
};
struct toy_ret { int64_t value, prepared, replies, toiled; };
extern const struct verb TOY_PUT;     /* WRITE: meta[key] = value, audited; publishes "toy" */
extern const struct verb TOY_GET;     /* READ: NOT_FOUND if absent; holds for "toy" while value < cmd.value */
extern const struct verb TOY_TAKE;    /* READ that goes on as TOY_PUT */
extern atomic_int toy_prepared, toy_toiling, toy_gate;

/* Submits as the server's own and waits (10 s) for the end; what went wrong is in *e. */
troth_rc plant_do(struct plant *p, const struct verb *verb, const struct toy_cmd *cmd, struct toy_ret *ret, struct troth_err *e);
/* Submits without waiting; done counts up at the end, failed too if it failed. */
struct tally { atomic_int done, failed, unavailable; };
void plant_submit(struct plant *p, const struct verb *verb, const struct toy_cmd *cmd, struct tally *t);
bool plant_await(atomic_int *value, int at_least);
/* meta[key] as the disk has it, on a snapshot of its own; -1 if absent. */
int64_t plant_value(struct plant *p, const char *key);

#endif
