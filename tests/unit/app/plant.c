/* A plant to try the pipeline in. */
#include "plant.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"

static msec_t mono(void) { return port_mono(&PORT_CLOCK_REAL); }

bool plant_await(atomic_int *value, int at_least)
{
	for (msec_t end = mono() + 10000; mono() < end; poll(NULL, 0, 1))
		if (atomic_load(value) >= at_least)
			return true;
	return false;
}

/* -- the keeper ------------------------------------------------------------------------------------------ */
enum { FAKE_ANSWERS = 2048 };
struct keeper_client { struct plant *plant; int eventfd; uint64_t ids[FAKE_ANSWERS]; size_t count; bool dead, was_full; };

static troth_rc fake_open(void *self, struct keeper_client **ret, struct troth_err *e)
{
	struct plant *p = self;
	struct keeper_client *c = calloc(1, sizeof *c);
	c->plant = p;
	c->eventfd = eventfd(0, EFD_NONBLOCK);
	atomic_fetch_add(&p->opened, 1);
	*ret = c;
	return RC_OK;
}

static void fake_close(struct keeper_client *c)
{
	if (!c)
		return;
	close(c->eventfd);
	free(c);
}

static int fake_fd(const struct keeper_client *c) { return c->eventfd; }

static troth_rc fake_send(struct keeper_client *c, const struct keeper_request *reqs, size_t n, size_t *ret_sent, struct troth_err *e)
{
	struct plant *p = c->plant;
	uint64_t one = 1;
	if (atomic_load(&p->mood) == KEEPER_STAYS_FULL || (atomic_load(&p->mood) == KEEPER_IS_FULL && !c->was_full)) {
		c->was_full = true;
		*ret_sent = 0;
		return err_set(e, TROTH_BUSY, "full");
	}
	size_t good = 0;
	while (good < n && reqs[good].kind != KEEPER_AUDIT_SIGN) /* stands for "cannot be written down" */
		good++;
	troth_rc rc = good < n ? err_set(e, TROTH_TOO_LARGE, "cannot be written down") : RC_OK;
	n = good;
	atomic_fetch_add(&p->messages, 1);
	atomic_fetch_add(&p->requests, (int)n);
	if ((int)n > atomic_load(&p->largest))
		atomic_store(&p->largest, (int)n);
	for (size_t i = 0; i < n; i++)
		c->ids[c->count++] = reqs[i].id;
	*ret_sent = n;
	assert_int_equal(write(c->eventfd, &one, sizeof one), sizeof one);
	return rc;
}

static struct keeper_reply fake_reply(struct plant *p, struct arena *a, uint64_t id)
{
	bool refused = atomic_load(&p->mood) == KEEPER_REFUSES;
	return (struct keeper_reply){ .id = id, .kind = refused ? TROTH_FORBIDDEN : TROTH_OK, .text = refused ? "the policy says no" : "",
				      .hint = "", .blob = bytes_of_text("blob"), .signature = bytes_of_text("signature"), .der = bytes_of_text(arena_printf(a, "der %llu", (unsigned long long)id)) };
}

static troth_rc fake_receive(struct keeper_client *c, struct arena *a, msec_t timeout, struct keeper_reply replies[LIMIT_KEEPER_BATCH],
			     size_t *ret_n, struct troth_err *e)
{
	struct plant *p = c->plant;
	enum keeper_mood mood = atomic_load(&p->mood);
	uint64_t count;
	*ret_n = 0;
	if (mood == KEEPER_HANGS)
		return RC_OK;
	ssize_t got = read(c->eventfd, &count, sizeof count);
	(void)got;
	if (mood == KEEPER_DIES || mood == KEEPER_ALWAYS_DIES) {
		if (mood == KEEPER_DIES)
			atomic_store(&p->mood, KEEPER_ANSWERS);
		return err_set(e, TROTH_UNAVAILABLE, "the keeper has ended");
	}
	while (c->count && *ret_n < LIMIT_KEEPER_BATCH) {
		if (atomic_load(&p->last_answer) && atomic_fetch_sub(&p->last_answer, 1) == 1)
			return err_set(e, TROTH_UNAVAILABLE, "the keeper has ended");
		replies[(*ret_n)++] = fake_reply(p, a, c->ids[--c->count]);
	}
	return RC_OK;
}

/* -- toy verbs ------------------------------------------------------------------------------------------------ */
atomic_int toy_prepared, toy_toiling, toy_gate;

struct toy_plan { pthread_t prepared_by; int64_t toiled; };

static troth_rc put_toil(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct toy_cmd *cmd = arg;
	struct toy_plan *plan = ctx->plan;
	atomic_fetch_add(&toy_toiling, 1);
	CHECK(!ctx->tx && !pthread_equal(plan->prepared_by, pthread_self()));
	ENSURE(cmd->toil != TOY_TOIL_FAILS, e, TROTH_INVALID, "toiled in vain");
	if (cmd->toil == TOY_TOIL_WAITS)
		CHECK(plant_await(&toy_gate, 1));
	plan->toiled++;
	return RC_OK;
}

static troth_rc put_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct toy_cmd *cmd = arg;
	atomic_fetch_add(&toy_prepared, 1);
	for (int64_t i = 0; i < cmd->needs; i++) {
		struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
		need->kind = cmd->value < 0 ? KEEPER_AUDIT_SIGN : cmd->slow && i >= cmd->quick ? KEEPER_KEY_MAKE : KEEPER_PING;
		need->key_make.key_type = KEY_RSA_2048;
		TRY(verb_need(ctx, need, e));
	}
	CHECK(!ctx->plan || ctx->reply_count == ctx->need_count - (size_t)cmd->needs); /* the rounds before are answered */
	ctx->more = ctx->need_count < (size_t)(cmd->needs * (cmd->rounds + 1));
	ctx->keys = (size_t)cmd->keys;
	if (!ctx->plan)
		ctx->plan = ARENA_NEW(ctx->a, struct toy_plan);
	((struct toy_plan *)ctx->plan)->prepared_by = pthread_self();
	ctx->toil = cmd->toil ? put_toil : NULL;
	return RC_OK;
}

static troth_rc put_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct toy_cmd *cmd = arg;
	struct toy_ret *ret = out;
	int64_t *tries = &((struct toy_cmd *)arg)->retries; /* the job's own copy: counts down */
	CHECK(ctx->plan);
	for (size_t i = 0; i < ctx->reply_count; i++)
		ret->replies += ctx->replies[i]->der.len > 4;
	ctx->retry = (*tries)-- > 0;
	if (ctx->retry)
		return RC_OK;
	TRY(meta_put_text(ctx->tx, cmd->key, arena_printf(ctx->a, "%lld", (long long)cmd->value), e));
	ENSURE(!cmd->fail, e, TROTH_CONFLICT, "told to fail");
	verb_publish(ctx, "toy");
	ret->value = cmd->value;
	ret->prepared = atomic_load(&toy_prepared);
	ret->toiled = ((const struct toy_plan *)ctx->plan)->toiled;
	return RC_OK;
}

static troth_rc get_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct toy_cmd *cmd = arg;
	struct toy_ret *ret = out;
	const char *text;
	TRY(meta_get_text(ctx->tx, ctx->a, cmd->key, &text, e));
	ret->value = strtoll(text, NULL, 10);
	ctx->hold.wanted = ret->value < cmd->value;
	text_copy(ctx->hold.topic, sizeof ctx->hold.topic, "toy");
	return RC_OK;
}

static troth_rc take_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	ctx->then = &TOY_PUT;
	return RC_OK;
}

#define TOY(name, kind, prepare, run) { name, kind, ROLES_ANY, sizeof(struct toy_cmd), sizeof(struct toy_ret), prepare, run }
const struct verb TOY_PUT = TOY("toy.put", VERB_WRITE, put_prepare, put_run);
const struct verb TOY_GET = TOY("toy.get", VERB_READ, NULL, get_run);
const struct verb TOY_TAKE = TOY("toy.take", VERB_READ, NULL, take_run);

/* -- submitting --------------------------------------------------------------------------------------------------- */
struct wait { atomic_int done; troth_rc rc; struct toy_ret *ret; struct troth_err *e; };

static void on_done(void *self, troth_rc rc, const void *ret, const struct troth_err *e)
{
	struct wait *w = self;
	w->rc = rc;
	*w->e = *e;
	if (rc_ok(rc))
		*w->ret = *(const struct toy_ret *)ret;
	atomic_store(&w->done, 1);
}

troth_rc plant_do(struct plant *p, const struct verb *verb, const struct toy_cmd *cmd, struct toy_ret *ret, struct troth_err *e)
{
	struct wait w = { .ret = ret, .e = e };
	pipeline_submit(p->pipeline, verb, NULL, cmd, on_done, &w);
	assert_true(plant_await(&w.done, 1));
	return w.rc;
}

static void on_tally(void *self, troth_rc rc, const void *ret, const struct troth_err *e)
{
	struct tally *t = self;
	atomic_fetch_add(&t->failed, rc_failed(rc));
	atomic_fetch_add(&t->unavailable, rc.code == TROTH_UNAVAILABLE);
	atomic_fetch_add(&t->done, 1);
}

void plant_submit(struct plant *p, const struct verb *verb, const struct toy_cmd *cmd, struct tally *t)
{
	pipeline_submit(p->pipeline, verb, NULL, cmd, on_tally, t);
}

int64_t plant_value(struct plant *p, const char *key)
{
	struct store_reader *reader;
	struct tx *tx;
	const char *text = NULL;
	assert_true(rc_ok(store_reader_open(p->store, &reader, NULL)) && rc_ok(store_read_begin(reader, &tx, NULL)));
	int64_t value = rc_ok(meta_get_text(tx, p->a, key, &text, NULL)) ? strtoll(text, NULL, 10) : -1;
	store_read_end(tx);
	store_reader_close(reader);
	return value;
}

/* -- life ------------------------------------------------------------------------------------------------------------- */
static void on_committed(void *self, struct tx *snapshot, msec_t now) { atomic_fetch_add(&((struct plant *)self)->committed, 1); }
static void on_fatal(void *self, const struct troth_err *e) { atomic_fetch_add(&((struct plant *)self)->fatal, 1); }

struct plant *plant_new(void)
{
	struct plant *p = calloc(1, sizeof *p);
	struct troth_err e = { 0 };
	signal(SIGPIPE, SIG_IGN);
	log_setup(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT, "test");
	p->a = arena_new(64 << 20);
	p->port = (struct server_port){ PORT_CLOCK_REAL, PORT_RANDOM_REAL };
	snprintf(p->dir, sizeof p->dir, "/tmp/troth-plant-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof p->path, "%s/troth.db", p->dir);
	if (rc_failed(store_open(p->path, NULL, &p->store, &e)) || rc_failed(service_new(p->store, &p->port, &p->svc, &e)))
		fail_msg("%s", e.primary);
	return p;
}

void plant_make_pipeline(struct plant *p)
{
	struct troth_err e = { 0 };
	const struct pipeline_config config = {
		.svc = p->svc, .port = &p->port, .loops = 2,
		.keeper = { p, fake_open, fake_close, fake_fd, fake_send, fake_receive }, .hooks = { p, on_committed, on_fatal },
	};
	if (rc_failed(pipeline_new(&config, &p->pipeline, &e)))
		fail_msg("%s", e.primary);
}

void plant_start(struct plant *p)
{
	struct troth_err e = { 0 };
	plant_make_pipeline(p);
	if (rc_failed(pipeline_start(p->pipeline, NULL, &e)))
		fail_msg("%s", e.primary);
}

void plant_free(struct plant *p)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".lock" };
	pipeline_free(p->pipeline);
	service_free(p->svc);
	store_close(p->store);
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		unlink(arena_printf(p->a, "%s%s", p->path, ends[i]));
	rmdir(p->dir);
	arena_free(p->a);
	free(p);
}
