/* /v1/audit: list, verify. */
#include "facade/native/nouns.h"
#include "facade/native/words.h"

static troth_rc list_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct audit_list_cmd *c = cmd;
	c->object = http_query(r, "object");
	return words_page(r, &c->page, e);
}

static void write_row(struct json_writer *w, const struct audit_row *row)
{
	jw_object(w);
	jw_kv_int(w, "seq", row->seq);
	jw_kv_time(w, "at", row->at);
	jw_kv_text(w, "who", row->who);
	jw_kv_text(w, "action", row->action);
	jw_kv_text(w, "object", row->object);
	words_json(w, "before", row->before);
	words_json(w, "after", row->after);
	words_hex(w, "hash", row->hash);
	jw_object_end(w);
}

static void list_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct audit_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	words_list_begin(&w);
	for (size_t i = 0; i < x->count; i++)
		write_row(&w, &x->items[i]);
	words_list_end(&w, x->next);
}

static void verify_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct audit_verify_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_bool(&w, "ok", x->check.holds);
	jw_kv_int(&w, "rows", x->check.rows);
	jw_kv_int(&w, "last", x->head_seq);
	jw_kv_int(&w, "signed_to", x->check.signed_up_to);
	if (!x->check.holds)
		jw_kv_int(&w, "broken_at", x->check.first_broken);
	jw_kv_text(&w, "text", x->check.text);
	jw_object_end(&w);
}

static const struct route ROWS[] = {
	{ HTTP_GET, "/v1/audit", &VERB_AUDIT_LIST, list_parse, list_render,
	  .summary = "List the audit", .query = "object after limit", .gives = "200 [AuditRow]" },
	{ HTTP_GET, "/v1/audit/verify", &VERB_AUDIT_VERIFY, words_none, verify_render,
	  .summary = "Check that the audit is whole", .gives = "200 AuditCheck" },
};
const struct route_table NATIVE_AUDIT_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
