/* How a verb is run: who may, savepoint, facts, and the one-thread pipeline.
 *
 * Two callers exist.  app's pipeline spreads the phases over its threads and calls verb_write() in
 * its batch; verb_run() below does all phases here, for tests, `troth init` and the simulator.  Both
 * see the same order, so what holds under test holds in the server. */
#include "service/inside.h"

#include "keeper/keeper.h"
#include "model/name.h"
#include "service/server/permission.h"

enum { NEEDS_FIRST = 8 }; /* most verbs need one or two */

const struct principal PRINCIPAL_SYSTEM = { .name = "system", .roles = ROLE_SYSTEM };
const struct principal PRINCIPAL_ANONYMOUS = { .name = "anonymous", .roles = ROLE_ANONYMOUS };

/* "/a/" and a star: what begins with "/a/" and goes on. */
static bool path_has(const char *path, const char *name)
{
	size_t len = strlen(path);
	if (!text_ends(path, "/*"))
		return text_equal(path, name);
	return strncmp(path, name, len - 1) == 0 && name[len - 1];
}

unsigned principal_rights(const struct principal *who, const char *path)
{
	unsigned rights = 0;
	for (size_t i = 0; i < who->permission_count && !name_is_reserved(path); i++)
		rights |= path_has(who->permissions[i].path, path) ? who->permissions[i].rights : 0;
	return rights;
}

static bool may(const struct principal *who, unsigned right, const char *name)
{
	if (text_equal(who->scope, SCOPE_NONE)) /* before the glob: something may be called so */
		return principal_rights(who, name) & right;
	return who->scope[0] == 0 || text_glob(who->scope, name);
}

bool principal_may(const struct principal *who, enum right right, const char *name) { return may(who, right, name); }

const struct principal *principal_for(struct arena *a, const struct principal *who, const struct verb *verb)
{
	if (who->right == verb->right)
		return who;
	struct principal *as = arena_copy(a, who, sizeof *who);
	as->right = verb->right;
	return as;
}

troth_rc principal_in_scope(const struct principal *who, const char *name, struct troth_err *e)
{
	if (may(who, who->right, name))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_FORBIDDEN, "%s may not touch %s", who->name, name);
	err_object(e, "%s", name);
	err_hint(e, "its scope is %s; ask an administrator for a wider one", who->scope);
	return rc;
}

bool principal_sees_everything(const struct principal *who) { return who->scope[0] == 0 || text_equal(who->scope, "*"); }

troth_rc verb_allowed(const struct verb *verb, const struct principal *who, struct troth_err *e)
{
	if (who->roles & verb->roles)
		return RC_OK;
	if (who->roles == ROLE_ANONYMOUS) {
		troth_rc rc = err_set(e, TROTH_UNAUTHENTICATED, "%s needs a known caller", verb->name);
		err_hint(e, "send a token (Authorization: Bearer ...) or a client certificate; troth principal add makes them");
		return rc;
	}
	return err_set(e, TROTH_FORBIDDEN, "%s may not do %s", who->name, verb->name);
}

/* -- what run() and prepare() call ------------------------------------------------------------ */
/* Room for twice as many; what is there keeps its place. */
static void need_grow(struct verb_ctx *ctx)
{
	size_t room = ctx->need_room ? 2 * ctx->need_room : NEEDS_FIRST;
	const struct keeper_request **need = ARENA_ARRAY(ctx->a, const struct keeper_request *, room);
	const struct keeper_reply **replies = ARENA_ARRAY(ctx->a, const struct keeper_reply *, room);
	for (size_t i = 0; i < ctx->need_count; i++) {
		need[i] = ctx->need[i];
		replies[i] = ctx->replies[i];
	}
	ctx->need = need;
	ctx->replies = replies;
	ctx->need_room = room;
}

troth_rc verb_need(struct verb_ctx *ctx, const struct keeper_request *request, struct troth_err *e)
{
	if (ctx->options.dry_run) { /* a signature that no row and no audit knows of */
		troth_rc rc = err_set(e, TROTH_INVALID, "this cannot be tried without doing it: it takes a signature");
		err_hint(e, "leave dry_run out");
		return rc;
	}
	ENSURE(ctx->need_count < LIMIT_VERB_NEEDS, e, TROTH_TOO_LARGE,
	       "more than %d keys or signatures in one request", LIMIT_VERB_NEEDS);
	if (ctx->need_count == ctx->need_room)
		need_grow(ctx);
	ctx->need[ctx->need_count++] = request;
	return RC_OK;
}

void verb_random(const struct verb_ctx *ctx, void *out, size_t len)
{
	ctx->port->random.fill(ctx->port->random.self, out, len);
}

void verb_uuid(const struct verb_ctx *ctx, char out[UUID_LEN])
{
	port_uuid(&ctx->port->random, out);
}

const char *verb_uuid_text(const struct verb_ctx *ctx)
{
	char *uuid = arena_alloc(ctx->a, UUID_LEN);
	verb_uuid(ctx, uuid);
	return uuid;
}

static void topic_add(struct verb_ctx *ctx, const char *name)
{
	struct verb_topic *t = ARENA_NEW(ctx->a, struct verb_topic);
	(void)text_copy(t->name, sizeof t->name, name); /* topics are a word and a uuid: they fit */
	t->next = ctx->topics;
	ctx->topics = t;
}

void verb_publish(struct verb_ctx *ctx, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	topic_add(ctx, arena_vprintf(ctx->a, fmt, ap));
	va_end(ap);
}

static void change_add(struct verb_ctx *ctx, enum verb_noun noun, int64_t id, int64_t id2)
{
	for (const struct verb_change *c = ctx->changes; c; c = c->next)
		if (c->noun == noun && c->id == id && c->id2 == id2)
			return;
	struct verb_change *c = ARENA_NEW(ctx->a, struct verb_change);
	*c = (struct verb_change){ .noun = noun, .id = id, .id2 = id2 };
	struct verb_change **end = &ctx->changes;
	while (*end)
		end = &(*end)->next;
	*end = c;
}

void verb_changed(struct verb_ctx *ctx, enum verb_noun noun, int64_t id)
{
	change_add(ctx, noun, id, 0);
}

void verb_changed_meet(struct verb_ctx *ctx, int64_t presenter_template, int64_t verifier_template)
{
	change_add(ctx, CHANGED_MEET, presenter_template, verifier_template);
}

/* -- phases ------------------------------------------------------------------------------------ */
void verb_ctx_init(struct verb_ctx *ctx, struct arena *a, const struct principal *who,
		   const struct server_port *port, msec_t now)
{
	*ctx = (struct verb_ctx){ .a = a, .who = who, .port = port, .now = now };
}

void verb_ctx_again(struct verb_ctx *ctx)
{
	ctx->need_count = ctx->need_room = ctx->reply_count = 0;
	need_grow(ctx); /* so that replies[0] of one that was not asked is NULL */
	ctx->plan = NULL;
	ctx->keys = 0;
	ctx->toil = NULL;
	ctx->retry = ctx->more = false;
	ctx->changes = NULL;
	ctx->topics = NULL;
}

troth_rc verb_apply_changes(struct verb_ctx *ctx, struct troth_err *e)
{
	struct verb_change *changes = ctx->changes;
	ctx->changes = NULL;
	for (const struct verb_change *c = changes; c; c = c->next) {
		ctx->svc->touched = true;
		TRY(facts_apply_change(ctx->svc, ctx->tx, ctx->a, c, e));
	}
	return RC_OK;
}

static troth_rc write_body(const struct verb *verb, struct verb_ctx *ctx, const void *cmd, void *ret,
			   struct troth_err *e)
{
	TRY(permission_again(ctx, e));
	TRY(verb->run(ctx, cmd, ret, e));
	if (ctx->retry)
		return err_set(e, TROTH_CONFLICT, "%s: what it was prepared for has changed meanwhile", verb->name);
	if (ctx->options.dry_run)
		return RC_OK;
	return verb_apply_changes(ctx, e);
}

/* It succeeded: its savepoint goes, its topics wait for the commit. */
static troth_rc write_keep(struct service *svc, struct tx *tx, const struct verb_ctx *ctx, struct troth_err *e)
{
	troth_rc rc = tx_release(tx, e);
	if (rc_failed(rc))
		service_drop_view(svc);
	for (const struct verb_topic *t = ctx->topics; t && rc_ok(rc); t = t->next)
		service_topic(svc, t->name);
	return rc;
}

troth_rc verb_write(struct service *svc, struct tx *tx, const struct verb *verb, struct verb_ctx *ctx,
		    const void *cmd, void *ret, struct troth_err *e)
{
	ctx->tx = tx;
	ctx->svc = svc;
	svc->touched = false;
	TRY(tx_savepoint(tx, e));
	troth_rc rc = write_body(verb, ctx, cmd, ret, e);
	if (rc_ok(rc) && !ctx->options.dry_run)
		return write_keep(svc, tx, ctx, e);
	struct troth_err lost;
	troth_rc undone = tx_rollback_to(tx, &lost);
	if (svc->touched)
		service_drop_view(svc); /* it has facts of rows that are no more */
	if (rc_failed(undone))
		return rc_ok(rc) ? (*e = lost, undone) : rc;
	if (svc->touched)
		TRY(service_begin(svc, tx, rc_ok(rc) ? e : &lost));
	return rc;
}

static troth_rc ask_keeper(struct verb_ctx *ctx, const struct verb_keeper *keeper, struct troth_err *e)
{
	size_t asked = ctx->reply_count;
	if (ctx->need_count == asked)
		return RC_OK;
	ENSURE(keeper, e, TROTH_UNAVAILABLE, "no keeper is there to sign");
	TRY(keeper->call(keeper->self, ctx->a, ctx->need + asked, ctx->need_count - asked, ctx->replies + asked, e));
	ctx->reply_count = ctx->need_count;
	return RC_OK;
}

troth_rc verb_toil(struct verb_ctx *ctx, const void *cmd, struct troth_err *e)
{
	verb_toil_fn *toil = ctx->toil;
	ctx->toil = NULL;
	return toil ? toil(ctx, cmd, e) : RC_OK;
}

static troth_rc prepare_once(struct service *svc, const struct verb *verb, struct verb_ctx *ctx,
			    const struct verb_keeper *keeper, const void *cmd, struct troth_err *e)
{
	ctx->more = false;
	TRY(service_read_begin(svc, &ctx->tx, e));
	troth_rc rc = verb->prepare(ctx, cmd, e);
	store_read_end(ctx->tx);
	ctx->tx = NULL;
	TRY(rc);
	TRY(verb_toil(ctx, cmd, e));
	CHECK(!ctx->more || ctx->need_count > ctx->reply_count); /* or it would be asked for ever */
	return ask_keeper(ctx, keeper, e);
}

static troth_rc run_prepare(struct service *svc, const struct verb *verb, struct verb_ctx *ctx,
			    const struct verb_keeper *keeper, const void *cmd, struct troth_err *e)
{
	if (!verb->prepare)
		return RC_OK;
	do
		TRY(prepare_once(svc, verb, ctx, keeper, cmd, e));
	while (ctx->more);
	return RC_OK;
}

static troth_rc run_commit(struct service *svc, const struct verb *verb, struct verb_ctx *ctx, const void *cmd,
			   void *ret, struct troth_err *e)
{
	struct tx *tx;
	TRY(store_write_begin(svc->store, &tx, e));
	troth_rc rc = service_begin(svc, tx, e);
	if (rc_ok(rc))
		rc = verb_write(svc, tx, verb, ctx, cmd, ret, e);
	ctx->tx = NULL;
	if (rc_failed(rc) || ctx->options.dry_run) {
		store_write_rollback(tx);
		return rc;
	}
	msec_t wake;
	rc = runner_run(svc, tx, ctx->now, &wake, e);
	if (rc_failed(rc)) {
		store_write_rollback(tx);
		service_drop(svc);
		return rc;
	}
	rc = store_write_commit(tx, e);
	if (rc_failed(rc))
		service_drop(svc);
	return rc;
}

static troth_rc run_write(struct service *svc, const struct verb *verb, struct verb_ctx *ctx,
			  const struct verb_keeper *keeper, const void *cmd, void *ret, struct troth_err *e)
{
	for (int attempt = 0;; attempt++) {
		verb_ctx_again(ctx);
		TRY(run_prepare(svc, verb, ctx, keeper, cmd, e));
		troth_rc rc = run_commit(svc, verb, ctx, cmd, ret, e);
		if (!ctx->retry || attempt + 1 >= LIMIT_ISSUE_RETRIES)
			return rc;
		err_clear(e); /* that it has to begin again is nobody's error */
		memset(ret, 0, verb->ret_size);
	}
}

troth_rc verb_run(struct service *svc, const struct verb *verb, struct verb_ctx *ctx,
		  const struct verb_keeper *keeper, const void *cmd, void *ret, struct troth_err *e)
{
	TRY(verb_allowed(verb, ctx->who, e));
	ctx->who = principal_for(ctx->a, ctx->who, verb);
	ctx->hold.wanted = false;
	ctx->then = NULL;
	memset(ret, 0, verb->ret_size); /* as a pipeline's arena gives it */
	if (verb->kind == VERB_WRITE)
		return run_write(svc, verb, ctx, keeper, cmd, ret, e);
	TRY(service_read_begin(svc, &ctx->tx, e));
	troth_rc rc = verb->run(ctx, cmd, ret, e);
	store_read_end(ctx->tx);
	ctx->tx = NULL;
	TRY(rc);
	if (!ctx->then)
		return RC_OK;
	ctx->who = principal_for(ctx->a, ctx->who, ctx->then);
	ctx->hold.wanted = false;
	memset(ret, 0, verb->ret_size);
	return run_write(svc, ctx->then, ctx, keeper, cmd, ret, e);
}
