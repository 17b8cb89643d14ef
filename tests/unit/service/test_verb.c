/* Phases of a verb: who may, retry, rollback, dry run. */
#include "fleet.h"

struct probe_cmd { int mode; };  /* 0 ok, 1 fail after writing, 2 always retry, 3 retry once */
struct probe_ret { int runs; };
static int prepared;

static troth_rc probe_prepare(struct verb_ctx *ctx, const void *cmd, struct troth_err *e)
{
	prepared++;
	return RC_OK;
}

static troth_rc probe_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct probe_cmd *cmd = arg;
	struct probe_ret *ret = out;
	ret->runs++;
	TRY(meta_put_text(ctx->tx, "probe", "written", e));
	verb_publish(ctx, "operation/%s", "x");
	if (cmd->mode == 2 || (cmd->mode == 3 && prepared < 2))
		ctx->retry = true;
	return cmd->mode == 1 ? err_set(e, TROTH_INVALID, "no") : RC_OK;
}

static const struct verb PROBE = { "probe", VERB_WRITE, ROLE_ADMIN, sizeof(struct probe_cmd), sizeof(struct probe_ret),
				   probe_prepare, probe_run };

static bool written(struct fleet *f)
{
	const char *text;
	struct tx *tx = fleet_read(f);
	bool is = rc_ok(meta_get_text(tx, f->a, "probe", &text, NULL));
	fleet_read_end(f, tx);
	return is;
}

static void failure_leaves_nothing(void **state)
{
	struct fleet *f = fleet_new();
	struct service_committed out;
	fleet_refused(f, &f->admin, &PROBE, &(struct probe_cmd){ 1 }, TROTH_INVALID, "no");
	FLEET_CHECK(f, !written(f));
	service_committed(f->svc, f->a, &out);
	FLEET_CHECK(f, out.topic_count == 0);
	fleet_free(f);
}

/* It wrote rows, the view heard of them, and then it failed: the rows go back, so must the view. */
static int64_t silenced;

static troth_rc silence_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct target_row t;
	TRY(target_row_get(ctx->tx, ctx->a, silenced, &t, e));
	t.state = TARGET_LEFT;
	TRY(target_row_update(ctx->tx, &t, e));
	verb_changed(ctx, CHANGED_TARGET, t.id);
	verb_changed(ctx, (enum verb_noun)99, 1); /* nobody can tell the view of this */
	return RC_OK;
}

static const struct verb SILENCE = { "silence", VERB_WRITE, ROLE_ADMIN, sizeof(struct probe_cmd), sizeof(struct probe_ret),
				     NULL, silence_run };

static void a_failure_takes_its_facts_back(void **state)
{
	struct fleet *f = fleet_demo();
	struct troth_err e = { 0 };
	silenced = fleet_target(f, fleet_node(f, "svc-0")).id;
	fleet_refused(f, &f->admin, &SILENCE, &(struct probe_cmd){ 0 }, TROTH_INTERNAL, "unknown noun");
	struct tx *tx = fleet_read(f);
	troth_rc rc = service_check_view(f->svc, tx, &e);
	fleet_read_end(f, tx);
	FLEET_CHECK(f, rc_ok(rc));
	fleet_free(f);
}

static void dry_run_leaves_nothing(void **state)
{
	struct fleet *f = fleet_new();
	struct probe_ret ret;
	f->dry_run = true;
	fleet_must(f, &PROBE, &(struct probe_cmd){ 0 }, &ret);
	FLEET_CHECK(f, ret.runs == 1 && !written(f));
	f->dry_run = false;
	fleet_must(f, &PROBE, &(struct probe_cmd){ 0 }, &ret);
	FLEET_CHECK(f, written(f));
	fleet_free(f);
}

static void retried_a_few_times(void **state)
{
	struct fleet *f = fleet_new();
	struct probe_ret ret;
	prepared = 0;
	fleet_refused(f, &f->admin, &PROBE, &(struct probe_cmd){ 2 }, TROTH_CONFLICT, "changed meanwhile");
	assert_int_equal(prepared, LIMIT_ISSUE_RETRIES);
	FLEET_CHECK(f, !written(f));
	prepared = 0;
	fleet_must(f, &PROBE, &(struct probe_cmd){ 3 }, &ret);
	assert_int_equal(prepared, 2);
	FLEET_CHECK(f, written(f));
	fleet_free(f);
}

static void roles_and_scopes(void **state)
{
	struct fleet *f = fleet_new();
	struct troth_err e = { 0 };
	struct principal op = { .name = "op", .roles = ROLE_OPERATOR, .scope = "/prod/" "*" };
	fleet_refused(f, &op, &PROBE, &(struct probe_cmd){ 0 }, TROTH_FORBIDDEN, "op may not do probe");
	fleet_refused(f, &PRINCIPAL_ANONYMOUS, &PROBE, &(struct probe_cmd){ 0 }, TROTH_UNAUTHENTICATED, "known caller");
	FLEET_CHECK(f, rc_ok(principal_in_scope(&op, "/prod/x", &e)));
	FLEET_CHECK(f, rc_failed(principal_in_scope(&op, "/demo/ca", &e)) && e.kind == TROTH_FORBIDDEN);
	op.scope[0] = 0;
	FLEET_CHECK(f, rc_ok(principal_in_scope(&op, "/demo/ca", &e)));
	fleet_free(f);
}

static unsigned ran_with;

static troth_rc touch_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	ran_with = ctx->who->right;
	return RC_OK;
}
static const struct verb TOUCH = { "touch", VERB_WRITE, ROLE_ADMIN, sizeof(struct probe_cmd), sizeof(struct probe_ret), NULL, touch_run, RIGHT_WRITE };

static troth_rc look_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	ctx->then = ctx->who->right == RIGHT_READ ? &TOUCH : NULL;
	return RC_OK;
}
static const struct verb LOOK = { "look", VERB_READ, ROLE_ADMIN, sizeof(struct probe_cmd), sizeof(struct probe_ret), NULL, look_run, RIGHT_READ };

/* What a verb goes on as takes a right of its own; the next verb of the same caller, too. */
static void each_verb_runs_with_its_own_right(void **state)
{
	struct fleet *f = fleet_new();
	struct probe_ret ret;
	fleet_must(f, &LOOK, &(struct probe_cmd){ 0 }, &ret);
	assert_int_equal(ran_with, RIGHT_WRITE);
	assert_int_equal(f->admin.right, 0);
	struct principal as = f->admin;
	as.right = RIGHT_DELETE;
	assert_int_equal(principal_for(f->a, &as, &PROBE)->right, 0);
	assert_ptr_equal(principal_for(f->a, &f->admin, &PROBE), &f->admin);
	fleet_free(f);
}

static void no_keeper_no_signature(void **state)
{
	struct fleet *f = fleet_demo();
	struct verb_ctx ctx;
	struct rotate_ret ret;
	struct troth_err e = { 0 };
	struct rotate_cmd cmd = { .name = "/demo/ca" };
	verb_ctx_init(&ctx, f->a, &f->admin, &f->port, f->now);
	assert_true(rc_failed(verb_run(f->svc, &VERB_ROTATE, &ctx, NULL, &cmd, &ret, &e)));
	assert_int_equal(e.kind, TROTH_UNAVAILABLE);
	struct keeper_request req = { 0 };
	for (int i = 0; i < LIMIT_VERB_NEEDS - (int)ctx.need_count; i++)
		(void)verb_need(&ctx, &req, &e);
	verb_ctx_again(&ctx);
	for (int i = 0; i < LIMIT_VERB_NEEDS; i++)
		assert_true(rc_ok(verb_need(&ctx, &req, &e)));
	assert_true(rc_failed(verb_need(&ctx, &req, &e)));
	fleet_free(f);
}

/* What it signed would be known to no row and no audit. */
static void a_dry_run_asks_the_keeper_for_nothing(void **state)
{
	struct fleet *f = fleet_demo();
	struct verb_ctx ctx;
	struct troth_err e = { 0 };
	struct keeper_request req = { 0 };
	verb_ctx_init(&ctx, f->a, &f->admin, &f->port, f->now);
	ctx.options.dry_run = true;
	assert_true(rc_failed(verb_need(&ctx, &req, &e)));
	assert_int_equal(e.kind, TROTH_INVALID);
	assert_int_equal(ctx.need_count, 0);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failure_leaves_nothing),
		cmocka_unit_test(a_failure_takes_its_facts_back),
		cmocka_unit_test(dry_run_leaves_nothing),
		cmocka_unit_test(retried_a_few_times),
		cmocka_unit_test(roles_and_scopes), cmocka_unit_test(each_verb_runs_with_its_own_right),
		cmocka_unit_test(no_keeper_no_signature),
		cmocka_unit_test(a_dry_run_asks_the_keeper_for_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
