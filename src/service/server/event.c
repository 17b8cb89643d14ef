/* Events: the table is the queue.  A reader names the last sequence it saw and is held while there is
 * nothing newer that it may see. */
#include "service/nouns.h"
#include "service/record.h"

/* Whoever goes on from an event that is not kept any more would miss some and not know it; from the beginning is from
 * what is kept. */
static troth_rc check_kept(struct verb_ctx *ctx, int64_t after, struct troth_err *e)
{
	int64_t forgotten;
	TRY(event_last_forgotten(ctx->tx, &forgotten, e));
	if (after == 0 || after >= forgotten)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "the events after %lld are forgotten up to %lld: they are kept %d days", (long long)after,
			      (long long)forgotten, LIMIT_EVENTS_KEPT_S / (24 * 3600));
	err_hint(e, "look at things as they are now (rotations, instances, ...), then go on after %lld", (long long)forgotten);
	err_clause(e, "type:events-forgotten");
	return rc;
}

static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct event_list_cmd *cmd = arg;
	struct event_list_ret *ret = out;
	struct event_row *rows;
	size_t n;
	TRY(check_kept(ctx, cmd->page.after, e));
	TRY(event_list(ctx->tx, ctx->a, NULL, cmd->page, &rows, &n, e));
	ret->items = ARENA_ARRAY(ctx->a, struct event_row, n);
	ret->more = n > 0 && (int64_t)n == (cmd->page.limit ? cmd->page.limit : LIMIT_PAGE);
	ret->next = n ? rows[n - 1].seq : cmd->page.after;
	for (size_t i = 0; i < n; i++)
		if (record_told(ctx->who, rows[i].kind, rows[i].within))
			ret->items[ret->count++] = rows[i];
	if (n == 0 && ctx->options.wait && !ctx->last_chance) {
		ctx->hold.wanted = true;
		(void)text_copy(ctx->hold.topic, sizeof ctx->hold.topic, "events"); /* it fits */
	}
	return RC_OK;
}

const struct verb VERB_EVENT_LIST = { "event.list", VERB_READ, ROLES_READ, sizeof(struct event_list_cmd),
				      sizeof(struct event_list_ret), NULL, list_run };
