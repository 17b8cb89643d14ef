/* /v1/webhooks: who is told each event. */
#include <string.h>

#include "facade/native/nouns.h"
#include "facade/native/words.h"
#include "service/webhook/webhook.h"

static const struct json_field ADD_FIELDS[] = {
	{ "name", JF_TEXT, offsetof(struct webhook_add_cmd, name), JF_NEEDED, 0, 0 },
	{ "url", JF_TEXT, offsetof(struct webhook_add_cmd, url), JF_NEEDED, 0, 0 },
	{ "events", JF_TEXTS, offsetof(struct webhook_add_cmd, events), 0, 0, LIMIT_WEBHOOK_EVENTS },
	{ "ca", JF_TEXT, offsetof(struct webhook_add_cmd, ca_pem), 0, 0, 0 },
};

static troth_rc add_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	if (words_body(a, r, ADD_FIELDS, ARRAY_LEN(ADD_FIELDS), cmd, e))
		webhook_add_check(a, cmd, e);
	return words_done(e);
}

static void write_events(struct arena *a, struct json_writer *w, const char *patterns)
{
	jw_key(w, "events");
	jw_array(w);
	for (const char *p = patterns; *p;) {
		size_t len = strcspn(p, " ");
		jw_text_n(w, p, len);
		p += len + (p[len] == ' ');
	}
	jw_array_end(w);
}

static void write_webhook(struct arena *a, struct json_writer *w, const struct webhook_view *v, const char *secret)
{
	const struct webhook_row *row = &v->row;
	jw_object(w);
	jw_kv_text(w, "id", row->uuid);
	jw_kv_text(w, "name", row->name);
	jw_kv_text(w, "url", row->url);
	write_events(a, w, row->events);
	jw_kv_text(w, "ca", row->ca_pem);
	jw_kv_text(w, "state", v->state);
	jw_kv_int(w, "cursor", row->cursor);
	jw_kv_int(w, "waiting", v->waiting);
	jw_kv_int(w, "attempts", row->attempts);
	jw_kv_time(w, "failing_since", row->failing_since);
	jw_kv_time(w, "next_try", row->disabled_at ? 0 : row->due);
	jw_kv_text(w, "error", row->disabled_at ? row->disabled_why : row->last_error);
	jw_kv_time(w, "last_delivered", row->last_delivered);
	jw_kv_time(w, "disabled", row->disabled_at);
	jw_kv_text(w, "created_by", row->created_by);
	jw_kv_time(w, "created", row->created);
	if (secret)
		jw_kv_text(w, "secret", secret);
	jw_object_end(w);
}

static void add_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct webhook_ret *x = ret;
	struct json_writer w = http_reply_json(reply, words_created(r));
	write_webhook(a, &w, &x->webhook, x->secret);
	http_reply_header(reply, a, "Location", "/v1/webhooks/%s", x->webhook.row.uuid);
}

static void show_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct webhook_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	write_webhook(a, &w, &x->webhook, NULL);
}

static void list_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct webhook_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	words_list_begin(&w);
	for (size_t i = 0; i < x->count; i++)
		write_webhook(a, &w, &x->items[i], NULL);
	words_list_end(&w, x->next);
}

static void test_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct operation_ret *x = ret;
	struct json_writer w = http_reply_json(reply, r->dry_run ? 200 : 202);
	operation_write(&w, &x->operation);
	if (!r->dry_run)
		http_reply_header(reply, a, "Location", "/v1/operations/%s", x->operation.uuid);
}

static const struct route ROWS[] = {
	{ HTTP_POST, "/v1/webhooks", &VERB_WEBHOOK_ADD, add_parse, add_render, ROUTE_SECRET | ROUTE_SIGNS,
	  .summary = "Tell events to a URL", .body = ROUTE_FIELDS(ADD_FIELDS), .gives = "201 Webhook" },
	{ HTTP_GET, "/v1/webhooks", &VERB_WEBHOOK_LIST, words_list, list_render,
	  .summary = "List webhooks", .query = "name after limit", .gives = "200 [Webhook]" },
	{ HTTP_GET, "/v1/webhooks/{id}", &VERB_WEBHOOK_SHOW, words_id, show_render,
	  .summary = "Show a webhook", .gives = "200 Webhook" },
	{ HTTP_DELETE, "/v1/webhooks/{id}", &VERB_WEBHOOK_REMOVE, words_id, NULL,
	  .summary = "Remove a webhook", .gives = "204" },
	{ HTTP_POST, "/v1/webhooks/{id}/enable", &VERB_WEBHOOK_ENABLE, words_id, show_render,
	  .summary = "Go on with a webhook that was disabled, or try a failing one now", .gives = "200 Webhook" },
	{ HTTP_POST, "/v1/webhooks/{id}/test", &VERB_WEBHOOK_TEST, words_id, test_render,
	  .summary = "Send a webhook one message now", .gives = "202 Operation" },
};
const struct route_table NATIVE_WEBHOOK_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
