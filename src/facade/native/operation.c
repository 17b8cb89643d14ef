/* /v1/operations and /v1/events: what takes time, and what happened; both can be waited for. */
#include <stdlib.h>

#include "facade/native/nouns.h"
#include "facade/native/words.h"

void operation_write(struct json_writer *w, const struct operation_row *row)
{
	jw_object(w);
	jw_kv_text(w, "id", row->uuid);
	jw_kv_text(w, "kind", row->kind);
	jw_kv_text(w, "object", row->object);
	jw_kv_text(w, "state", OPERATION_STATE_NAMES[row->state]);
	words_json(w, "progress", row->progress);
	jw_kv_text(w, "waits_for", row->waits_for);
	words_json(w, "result", row->result);
	jw_kv_text(w, "started_by", row->started_by);
	jw_kv_time(w, "created", row->created);
	jw_kv_time(w, "updated", row->updated);
	jw_kv_time(w, "finished", row->finished);
	jw_object_end(w);
}

static troth_rc list_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct operation_list_cmd *c = cmd;
	c->kind = http_query(r, "kind");
	c->state = http_query(r, "state");
	return words_page(r, &c->page, e);
}

static void list_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct operation_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	words_list_begin(&w);
	for (size_t i = 0; i < x->count; i++)
		operation_write(&w, &x->items[i]);
	words_list_end(&w, x->next);
}

static void show_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct operation_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	operation_write(&w, &x->operation);
}

static troth_rc events_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct event_list_cmd *c = cmd;
	const char *last = http_header(r, "Last-Event-ID"); /* a reader that comes again, with the URL it began with */
	TRY(words_page(r, &c->page, e));
	if (!last || !*last)
		return RC_OK;
	char *end;
	long long seq = strtoll(last, &end, 10);
	if (!*end && seq >= 0) {
		c->page.after = seq;
		return RC_OK;
	}
	troth_rc rc = err_set(e, TROTH_INVALID, "Last-Event-ID must be the number of an event");
	err_hint(e, "send the last \"id:\" that the stream gave, or no such header to begin with what is kept");
	return rc;
}

static void write_event(struct json_writer *w, const struct event_row *row)
{
	jw_object(w);
	jw_kv_int(w, "seq", row->seq);
	jw_kv_time(w, "at", row->at);
	jw_kv_text(w, "kind", row->kind);
	jw_kv_text(w, "object", row->object);
	words_json(w, "data", row->body);
	jw_object_end(w);
}

static bool events_stream(struct arena *a, const struct http_request *r, void *cmd, const void *ret, struct buf *out)
{
	struct event_list_cmd *c = cmd;
	const struct event_list_ret *x = ret;
	for (size_t i = 0; i < x->count; i++) {
		struct json_writer w = json_writer_make(out);
		buf_printf(out, "id: %lld\nevent: %s\ndata: ", (long long)x->items[i].seq, x->items[i].kind);
		write_event(&w, &x->items[i]);
		buf_add_text(out, "\n\n");
	}
	if (x->count == 0)
		buf_add_text(out, ":\n\n");
	c->page.after = x->next;
	return x->more;
}

static void events_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct event_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_key(&w, "items");
	jw_array(&w);
	for (size_t i = 0; i < x->count; i++)
		write_event(&w, &x->items[i]);
	jw_array_end(&w);
	jw_kv_text(&w, "next", arena_printf(a, "%lld", (long long)x->next));
	jw_object_end(&w);
}

static const struct route ROWS[] = {
	{ HTTP_GET, "/v1/operations", &VERB_OPERATION_LIST, list_parse, list_render,
	  .summary = "List operations", .query = "kind state after limit", .gives = "200 [Operation]" },
	{ HTTP_GET, "/v1/operations/{id}", &VERB_OPERATION_SHOW, words_id, show_render, ROUTE_HOLD,
	  .summary = "Show an operation, or wait for its end", .gives = "200 Operation" },
	{ HTTP_GET, "/v1/events", &VERB_EVENT_LIST, events_parse, events_render, ROUTE_HOLD, NULL, events_stream,
	  .summary = "List events, or wait for them; or stream them", .query = "after limit",
	  .gives = "200 [Event]|text/event-stream" },
};
const struct route_table NATIVE_OPERATION_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
