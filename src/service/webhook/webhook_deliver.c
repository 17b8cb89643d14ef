/* The sender's verbs: what is to be sent next, and what came of it.
 *
 * VERB_WEBHOOK_NEXT looks for the next message on a snapshot, has the keeper sign it, and finds it again under the writer: only
 * if it is still the same does it leave.  Nothing is remembered of a message that is under way: if the server dies now, the
 * cursor still stands before it. */
#include <string.h>

#include "keeper/keeper.h"
#include "service/record.h"
#include "service/webhook/webhook.h"

/* -- who has something to send ------------------------------------------------------------------------------ */
static troth_rc due_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct webhook_due_ret *ret = out;
	struct webhook_row *rows;
	int64_t last;
	size_t n;
	TRY(webhook_row_list(ctx->tx, ctx->a, (struct page){ 0, LIMIT_WEBHOOKS }, &rows, &n, e));
	TRY(event_last_seq(ctx->tx, &last, e));
	ret->items = ARENA_ARRAY(ctx->a, struct webhook_due, n);
	for (size_t i = 0; i < n; i++) {
		bool test = rows[i].test_operation != 0;
		if (test || (!rows[i].disabled_at && rows[i].cursor < last))
			ret->items[ret->count++] = (struct webhook_due){ rows[i].uuid, test ? 0 : rows[i].due };
	}
	return RC_OK;
}

/* -- the next message ------------------------------------------------------------------------------------------ */
struct next {
	struct webhook_row row;
	struct webhook_message message; /* id NULL: none */
	int64_t seq, test;
	int64_t passed;                 /* up to this one it wants nothing */
	int64_t timestamp;
};

/* The first event behind the cursor that it wants. */
static troth_rc find_event(struct verb_ctx *ctx, struct next *n, struct troth_err *e)
{
	struct event_row *rows;
	size_t count;
	TRY(event_list(ctx->tx, ctx->a, NULL, (struct page){ n->row.cursor, LIMIT_WEBHOOK_SCAN }, &rows, &count, e));
	for (size_t i = 0; i < count; i++) {
		if (webhook_wants(ctx->a, n->row.events, rows[i].kind)) {
			n->seq = rows[i].seq;
			webhook_message_event(ctx->a, &rows[i], &n->message);
			return RC_OK;
		}
		n->passed = rows[i].seq;
	}
	return RC_OK;
}

static troth_rc find_ping(struct verb_ctx *ctx, struct next *n, struct troth_err *e)
{
	struct operation_row op;
	TRY(operation_row_get(ctx->tx, ctx->a, n->row.test_operation, &op, e));
	n->test = op.id;
	webhook_message_ping(ctx->a, &n->row, op.uuid, ctx->now, &n->message);
	return RC_OK;
}

/* A test goes before everything; then what was forgotten, once; then the events. */
static troth_rc find_next(struct verb_ctx *ctx, const char *uuid, struct next *n, struct troth_err *e)
{
	int64_t forgotten;
	if (rc_failed(webhook_row_by_uuid(ctx->tx, ctx->a, uuid, &n->row, NULL)))
		return RC_OK; /* it was removed */
	n->passed = n->row.cursor;
	if (n->row.test_operation)
		return find_ping(ctx, n, e);
	if (n->row.disabled_at || n->row.due > ctx->now)
		return RC_OK;
	TRY(event_last_forgotten(ctx->tx, &forgotten, e));
	if (forgotten <= n->row.cursor)
		return find_event(ctx, n, e);
	n->seq = forgotten;
	webhook_message_gap(ctx->a, &n->row, forgotten, ctx->now, &n->message);
	return RC_OK;
}

static troth_rc next_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct webhook_next_cmd *cmd = arg;
	struct next *n = ARENA_NEW(ctx->a, struct next);
	ctx->plan = n;
	TRY(find_next(ctx, cmd->uuid, n, e));
	if (!n->message.id)
		return RC_OK;
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	n->timestamp = ctx->now / MSEC_S;
	need->kind = KEEPER_WEBHOOK_SIGN;
	need->webhook_sign.blob = n->row.key_blob;
	need->webhook_sign.message = n->message.id;
	need->webhook_sign.timestamp = n->timestamp;
	need->webhook_sign.body = bytes_of_text(n->message.body);
	return verb_need(ctx, need, e);
}

static troth_rc next_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct webhook_next_cmd *cmd = arg;
	const struct next *planned = ctx->plan;
	struct webhook_next_ret *ret = out;
	struct next n = { 0 };
	TRY(find_next(ctx, cmd->uuid, &n, e));
	if (n.passed > n.row.cursor && !n.message.id) {
		n.row.cursor = n.passed;
		return webhook_row_update(ctx->tx, &n.row, e);
	}
	if (!n.message.id)
		return RC_OK;
	if (!text_equal(planned->message.id, n.message.id)) {
		ctx->retry = true;
		return RC_OK;
	}
	*ret = (struct webhook_next_ret){
		.message = true, .name = n.row.name, .url = n.row.url, .ca_pem = n.row.ca_pem, .id = planned->message.id,
		.body = planned->message.body, .timestamp = planned->timestamp, .seq = n.seq, .test = n.test,
		.signature = arena_printf(ctx->a, "v1,%s", base64_encode(ctx->a, ctx->replies[0]->signature)),
	};
	return RC_OK;
}

/* -- what came of it --------------------------------------------------------------------------------------------- */
static const char *why_not(struct arena *a, const struct webhook_result_cmd *cmd)
{
	if (!cmd->status)
		return cmd->error ? arena_text(a, cmd->error) : "no answer came";
	if (cmd->status >= 300 && cmd->status < 400)
		return arena_printf(a, "the receiver answered %d: redirects are not followed", cmd->status);
	if (cmd->status == 410)
		return "the receiver answered 410: it is gone for good";
	return arena_printf(a, "the receiver answered %d", cmd->status);
}

static bool taken(const struct webhook_result_cmd *cmd) { return cmd->status >= 200 && cmd->status < 300; }

static troth_rc test_result(struct verb_ctx *ctx, struct webhook_row *row, const struct webhook_result_cmd *cmd, struct troth_err *e)
{
	struct record r;
	if (row->test_operation != cmd->test)
		return RC_OK; /* it ended otherwise */
	record_begin(&r);
	if (cmd->status)
		jw_kv_int(&r.w, "status", cmd->status);
	jw_kv_int(&r.w, "ms", cmd->took);
	if (!taken(cmd))
		jw_kv_text(&r.w, "error", why_not(ctx->a, cmd));
	return webhook_test_end(ctx, row, taken(cmd) ? OPERATION_SUCCEEDED : OPERATION_FAILED, record_end(&r, ctx->a), e);
}

static troth_rc disable(struct verb_ctx *ctx, struct webhook_row *row, const char *why, struct troth_err *e)
{
	row->disabled_at = ctx->now;
	row->disabled_why = why;
	TRY(webhook_row_update(ctx->tx, row, e));
	return webhook_record(ctx, "webhook.disabled", row, e);
}

static troth_rc failed(struct verb_ctx *ctx, struct webhook_row *row, const struct webhook_result_cmd *cmd, struct troth_err *e)
{
	uint32_t random;
	verb_random(ctx, &random, sizeof random);
	row->last_error = why_not(ctx->a, cmd);
	row->attempts++;
	row->failing_since = row->failing_since ? row->failing_since : ctx->now;
	row->due = ctx->now + webhook_pause(row->attempts, random);
	if (cmd->status == 410)
		return disable(ctx, row, row->last_error, e);
	if (webhook_gives_up(row->attempts, row->failing_since, ctx->now))
		return disable(ctx, row, arena_printf(ctx->a, "nothing was taken for %d h: %s", LIMIT_WEBHOOK_GIVE_UP_S / 3600, row->last_error), e);
	return webhook_row_update(ctx->tx, row, e);
}

static troth_rc result_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct webhook_result_cmd *cmd = arg;
	struct webhook_row row;
	if (rc_failed(webhook_row_by_uuid(ctx->tx, ctx->a, cmd->uuid, &row, NULL)))
		return RC_OK; /* it was removed */
	if (cmd->test)
		return test_result(ctx, &row, cmd, e);
	if (row.disabled_at || cmd->seq <= row.cursor)
		return RC_OK;
	if (!taken(cmd))
		return failed(ctx, &row, cmd, e);
	row.cursor = cmd->seq;
	row.attempts = row.failing_since = row.due = 0;
	row.last_error = NULL;
	row.last_delivered = ctx->now;
	return webhook_row_update(ctx->tx, &row, e);
}

const struct verb VERB_WEBHOOK_DUE = { "webhook.due", VERB_READ, ROLE_SYSTEM, sizeof(struct no_cmd), sizeof(struct webhook_due_ret),
				       NULL, due_run };
const struct verb VERB_WEBHOOK_NEXT = { "webhook.next", VERB_WRITE, ROLE_SYSTEM, sizeof(struct webhook_next_cmd),
					sizeof(struct webhook_next_ret), next_prepare, next_run };
const struct verb VERB_WEBHOOK_RESULT = { "webhook.result", VERB_WRITE, ROLE_SYSTEM, sizeof(struct webhook_result_cmd),
					  sizeof(struct no_ret), NULL, result_run };
