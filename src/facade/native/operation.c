/* /v1/operations and /v1/events: what takes time, and what happened; both can be waited for. */
#include "facade/native/nouns.h"
#include "facade/native/words.h"

static void write_operation(struct json_writer *w, const struct operation_row *row)
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
		write_operation(&w, &x->items[i]);
	words_list_end(&w, x->next);
}

static void show_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct operation_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	write_operation(&w, &x->operation);
}

static troth_rc events_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	return words_page(r, &((struct event_list_cmd *)cmd)->page, e);
}

static void events_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct event_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_key(&w, "items");
	jw_array(&w);
	for (size_t i = 0; i < x->count; i++) {
		jw_object(&w);
		jw_kv_int(&w, "seq", x->items[i].seq);
		jw_kv_time(&w, "at", x->items[i].at);
		jw_kv_text(&w, "kind", x->items[i].kind);
		jw_kv_text(&w, "object", x->items[i].object);
		words_json(&w, "data", x->items[i].body);
		jw_object_end(&w);
	}
	jw_array_end(&w);
	jw_kv_text(&w, "next", arena_printf(a, "%lld", (long long)x->next));
	jw_object_end(&w);
}

static const struct route ROWS[] = {
	{ HTTP_GET, "/v1/operations", &VERB_OPERATION_LIST, list_parse, list_render, 0, NULL },
	{ HTTP_GET, "/v1/operations/{id}", &VERB_OPERATION_SHOW, words_id, show_render, ROUTE_HOLD, NULL },
	{ HTTP_GET, "/v1/events", &VERB_EVENT_LIST, events_parse, events_render, ROUTE_HOLD, NULL },
};
const struct route_table NATIVE_OPERATION_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
