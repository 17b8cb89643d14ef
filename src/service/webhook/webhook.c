/* Webhooks for people: who is told, of what, and how it goes.
 *
 * A URL may hold a secret of its receiver's (chat services give such URLs out), so audit and events name its host only. */
#include "service/webhook/webhook.h"

#include <string.h>

#include "keeper/keeper.h"
#include "service/check.h"
#include "service/record.h"
#include "service/webhook/webhook_kind.h"

#define SECRET_PREFIX "whsec_" /* Standard Webhooks: then base64 of the key */
#define KIND_CHARS "abcdefghijklmnopqrstuvwxyz0123456789._-*"
enum { KIND_BYTES = 64 };

/* -- input --------------------------------------------------------------------------------------------- */
static void check_url(const struct checker *c, const char *text)
{
	struct webhook_url url;
	const char *fault = check_present(c, "$.url", text) ? webhook_url_parse(text, &url) : NULL;
	if (fault)
		check_fail(c, "$.url", "url", fault, "write it like https://hooks.example.org/troth");
}

static void check_event(const struct checker *c, const char *path, const char *pattern)
{
	if (!*pattern || strlen(pattern) > KIND_BYTES || strspn(pattern, KIND_CHARS) != strlen(pattern)) {
		check_fail(c, path, "event", "is not a pattern of event types", "write it like rotation.*, credential.renew or *");
		return;
	}
	if (webhook_kind_matches(pattern))
		return;
	const char *near = webhook_kind_near(c->a, pattern);
	check_fail(c, path, "event", "matches no type of event", near ? arena_printf(c->a, "write %s", near)
								      : "write it like rotation.*, credential.renew or *; troth events shows what happens");
}

static void check_events(const struct checker *c, const struct json_texts *events)
{
	for (size_t i = 0; i < events->count; i++)
		check_event(c, arena_printf(c->a, "$.events[%zu]", i), events->items[i]);
}

static void check_ca(const struct checker *c, const char *pem)
{
	const struct cert *const *certs;
	size_t n;
	struct troth_err why = { 0 };
	if (pem && rc_failed(certs_parse_pem(c->a, bytes_of_text(pem), &certs, &n, &why)))
		check_fail(c, "$.ca", "certificate", arena_printf(c->a, "holds no certificate that can be read: %s", why.primary),
			   "the CA, PEM, that the receiver's certificate comes from");
}

void webhook_add_check(struct arena *a, const struct webhook_add_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	check_label(&c, "$.name", cmd->name);
	check_url(&c, cmd->url);
	check_events(&c, &cmd->events);
	check_ca(&c, cmd->ca_pem);
}

/* It is told everything that happens, whatever it is about. */
static troth_rc only_over_everything(const struct verb_ctx *ctx, struct troth_err *e)
{
	if (ctx->who->scope[0] == 0 || text_equal(ctx->who->scope, "*"))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_FORBIDDEN, "a webhook is told of everything; your scope is %s", ctx->who->scope);
	err_hint(e, "ask an administrator or operator whose scope is *; troth events --follow shows what is in your scope");
	return rc;
}

/* -- rows ------------------------------------------------------------------------------------------------ */
static troth_rc view_of(struct verb_ctx *ctx, const struct webhook_row *row, struct webhook_view *ret, struct troth_err *e)
{
	int64_t last;
	TRY(event_last_seq(ctx->tx, &last, e));
	ret->row = *row;
	ret->state = row->disabled_at ? "disabled" : row->attempts ? "failing" : "working";
	ret->waiting = last > row->cursor ? last - row->cursor : 0;
	return RC_OK;
}

/* By uuid or by name. */
static troth_rc find(struct verb_ctx *ctx, const char *id, struct webhook_row *ret, struct troth_err *e)
{
	TRY(only_over_everything(ctx, e));
	if (uuid_valid(id) ? rc_ok(webhook_row_by_uuid(ctx->tx, ctx->a, id, ret, NULL)) :
			     rc_ok(webhook_row_by_name(ctx->tx, ctx->a, id, ret, NULL)))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "there is no webhook %.200s", id);
	err_hint(e, "troth webhook list shows them");
	return rc;
}

troth_rc webhook_record(struct verb_ctx *ctx, const char *action, const struct webhook_row *row, struct troth_err *e)
{
	struct webhook_url url;
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "id", row->uuid);
	jw_kv_text(&r.w, "server", webhook_url_parse(row->url, &url) ? NULL : webhook_url_server(ctx->a, &url));
	jw_kv_text(&r.w, "events", row->events);
	if (row->disabled_why)
		jw_kv_text(&r.w, "why", row->disabled_why);
	return record_change(ctx, &(struct change){ .action = action, .object = row->name, .after = record_end(&r, ctx->a) }, e);
}

/* -- add --------------------------------------------------------------------------------------------------- */
struct add_plan {
	char uuid[UUID_LEN];
	const char *secret; /* as its receiver gets it */
};

static troth_rc name_is_free(struct verb_ctx *ctx, const char *name, struct troth_err *e)
{
	struct webhook_row taken;
	int64_t count;
	TRY(webhook_row_count(ctx->tx, &count, e));
	ENSURE(count < LIMIT_WEBHOOKS, e, TROTH_CONFLICT, "there are %d webhooks already; remove one first", LIMIT_WEBHOOKS);
	if (rc_failed(webhook_row_by_name(ctx->tx, ctx->a, name, &taken, NULL)))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "there is a webhook %s already", name);
	err_hint(e, "to change one, add another and remove it");
	err_object(e, "%s", name);
	return rc;
}

static troth_rc add_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct webhook_add_cmd *cmd = arg;
	struct add_plan *plan = ARENA_NEW(ctx->a, struct add_plan);
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	uint8_t *secret = arena_alloc(ctx->a, KEEPER_WEBHOOK_SECRET_BYTES);
	TRY(only_over_everything(ctx, e));
	webhook_add_check(ctx->a, cmd, e);
	TRY(check_done(e));
	TRY(name_is_free(ctx, cmd->name, e));
	verb_uuid(ctx, plan->uuid);
	verb_random(ctx, secret, KEEPER_WEBHOOK_SECRET_BYTES);
	plan->secret = arena_printf(ctx->a, SECRET_PREFIX "%s", base64_encode(ctx->a, bytes_of(secret, KEEPER_WEBHOOK_SECRET_BYTES)));
	need->kind = KEEPER_WEBHOOK_WRAP;
	need->webhook_wrap.policy = (struct keeper_policy){ .kind = KEEPER_KEY_WEBHOOK, .authority = cmd->name };
	memcpy(need->webhook_wrap.policy.key_id, plan->uuid, UUID_LEN);
	need->webhook_wrap.secret = bytes_of(secret, KEEPER_WEBHOOK_SECRET_BYTES);
	ctx->plan = plan;
	return verb_need(ctx, need, e);
}

static const char *joined(struct arena *a, const struct json_texts *events)
{
	const char *all = events->count ? events->items[0] : "*";
	for (size_t i = 1; i < events->count; i++)
		all = arena_printf(a, "%s %s", all, events->items[i]);
	return all;
}

static troth_rc add_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct webhook_add_cmd *cmd = arg;
	const struct add_plan *plan = ctx->plan;
	struct webhook_ret *ret = out;
	TRY(name_is_free(ctx, cmd->name, e));
	struct webhook_row row = { .uuid = plan->uuid, .name = cmd->name, .url = cmd->url, .events = joined(ctx->a, &cmd->events),
				   .ca_pem = cmd->ca_pem, .key_blob = ctx->replies[0]->blob, .created_by = ctx->who->name, .created = ctx->now };
	TRY(event_last_seq(ctx->tx, &row.cursor, e));
	TRY(webhook_row_insert(ctx->tx, &row, e));
	ret->secret = plan->secret;
	TRY(webhook_record(ctx, "webhook.add", &row, e));
	return view_of(ctx, &row, &ret->webhook, e);
}

/* -- list, show, remove, enable ------------------------------------------------------------------------------ */
static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct list_cmd *cmd = arg;
	struct webhook_list_ret *ret = out;
	struct webhook_row *rows;
	size_t n;
	TRY(only_over_everything(ctx, e));
	TRY(webhook_row_list(ctx->tx, ctx->a, cmd->page, &rows, &n, e));
	ret->items = ARENA_ARRAY(ctx->a, struct webhook_view, n);
	ret->next = record_next(cmd->page, n, n ? rows[n - 1].id : 0);
	for (size_t i = 0; i < n; i++)
		if (!cmd->name || text_equal(cmd->name, rows[i].name))
			TRY(view_of(ctx, &rows[i], &ret->items[ret->count++], e));
	return RC_OK;
}

static troth_rc show_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct webhook_ret *ret = out;
	struct webhook_row row;
	TRY(find(ctx, cmd->id, &row, e));
	return view_of(ctx, &row, &ret->webhook, e);
}

static troth_rc remove_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct webhook_row row;
	TRY(find(ctx, cmd->id, &row, e));
	TRY(webhook_test_end(ctx, &row, OPERATION_CANCELLED, "{\"error\":\"the webhook was removed\"}", e));
	TRY(webhook_row_delete(ctx->tx, row.id, e));
	return webhook_record(ctx, "webhook.remove", &row, e);
}

static troth_rc enable_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct webhook_ret *ret = out;
	struct webhook_row row;
	TRY(find(ctx, cmd->id, &row, e));
	if (row.disabled_at || row.attempts) {
		row.disabled_at = row.failing_since = row.due = 0;
		row.attempts = 0;
		row.disabled_why = row.last_error = NULL;
		TRY(webhook_row_update(ctx->tx, &row, e));
		TRY(webhook_record(ctx, "webhook.enable", &row, e));
	}
	return view_of(ctx, &row, &ret->webhook, e);
}

/* -- test ------------------------------------------------------------------------------------------------------ */
troth_rc webhook_test_end(struct verb_ctx *ctx, struct webhook_row *row, enum operation_state state, const char *result, struct troth_err *e)
{
	struct operation_row op;
	if (!row->test_operation)
		return RC_OK;
	TRY(operation_row_get(ctx->tx, ctx->a, row->test_operation, &op, e));
	op.state = state;
	op.result = result;
	op.waits_for = NULL;
	op.updated = op.finished = ctx->now;
	TRY(operation_row_update(ctx->tx, &op, e));
	row->test_operation = 0;
	verb_publish(ctx, "operation/%s", op.uuid);
	return webhook_row_update(ctx->tx, row, e);
}

/* One test at a time: who asks while one is on its way is told of that. */
static troth_rc test_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct operation_ret *ret = out;
	struct webhook_row row;
	TRY(find(ctx, cmd->id, &row, e));
	if (row.test_operation)
		return operation_row_get(ctx->tx, ctx->a, row.test_operation, &ret->operation, e);
	ret->operation = (struct operation_row){ .uuid = verb_uuid_text(ctx), .kind = "webhook.test", .object = row.name, .state = OPERATION_RUNNING,
						 .waits_for = "the receiver's answer", .started_by = ctx->who->name,
						 .created = ctx->now, .updated = ctx->now };
	TRY(operation_row_insert(ctx->tx, &ret->operation, e));
	row.test_operation = ret->operation.id;
	TRY(webhook_row_update(ctx->tx, &row, e));
	return webhook_record(ctx, "webhook.test", &row, e);
}

const struct verb VERB_WEBHOOK_ADD = { "webhook.add", VERB_WRITE, ROLES_CHANGE, sizeof(struct webhook_add_cmd),
				       sizeof(struct webhook_ret), add_prepare, add_run };
const struct verb VERB_WEBHOOK_LIST = { "webhook.list", VERB_READ, ROLES_CHANGE, sizeof(struct list_cmd),
					sizeof(struct webhook_list_ret), NULL, list_run };
const struct verb VERB_WEBHOOK_SHOW = { "webhook.show", VERB_READ, ROLES_CHANGE, sizeof(struct id_cmd),
					sizeof(struct webhook_ret), NULL, show_run };
const struct verb VERB_WEBHOOK_REMOVE = { "webhook.remove", VERB_WRITE, ROLES_CHANGE, sizeof(struct id_cmd),
					  sizeof(struct no_ret), NULL, remove_run };
const struct verb VERB_WEBHOOK_ENABLE = { "webhook.enable", VERB_WRITE, ROLES_CHANGE, sizeof(struct id_cmd),
					  sizeof(struct webhook_ret), NULL, enable_run };
const struct verb VERB_WEBHOOK_TEST = { "webhook.test", VERB_WRITE, ROLES_CHANGE, sizeof(struct id_cmd),
					sizeof(struct operation_ret), NULL, test_run };
