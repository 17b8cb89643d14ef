/* GET /v1/explain?name=: what is waited for, why, since when. */
#include "service/rotation/explain.h"

#include "facade/native/rotation.h"

static troth_rc explain_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct explain_cmd *c = cmd;
	const char *name = http_query(r, "name");
	c->name = name && name[0] ? name : NULL;
	return RC_OK;
}

static void write_item(struct json_writer *w, struct arena *a, const struct explained *x)
{
	jw_object(w);
	jw_kv_text(w, "sentence", explain_sentence(a, x));
	jw_kv_text(w, "plain", explain_plain(a, x));
	jw_kv_text(w, "hint", explain_hint(a, x));
	jw_kv_text(w, "speaker", x->speaker);
	jw_kv_text(w, "rule", x->rule);
	jw_kv_text(w, "reason", x->reason);
	jw_kv_text(w, "text", x->text);
	jw_kv_text(w, "authority", x->authority);
	jw_kv_text(w, "version", x->version);
	jw_kv_text(w, "instance", x->instance);
	jw_kv_text(w, "party", x->instance ? PARTY_NAMES[x->party] : NULL);
	jw_kv_text(w, "target", x->target);
	jw_kv_text(w, "deployment", x->deployment);
	jw_kv_text(w, "other_instance", x->other_instance);
	jw_kv_text(w, "other_target", x->other_target);
	jw_kv_text(w, "other_deployment", x->other_deployment);
	jw_kv_text(w, "last_error", x->last_error);
	jw_kv_time(w, "deadline", x->deadline);
	jw_kv_time(w, "last_seen", x->last_seen);
	jw_kv_int(w, "count", x->count);
	jw_kv_int(w, "holds_up", x->blocks);
	jw_kv_time(w, "since", x->since);
	jw_kv_time(w, "earliest", x->earliest);
	jw_kv_time(w, "breaks", x->breaks);
	jw_kv_text(w, "cause", x->cause);
	jw_object_end(w);
}

static void explain_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret,
			   struct http_reply *reply)
{
	const struct explain_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "name", x->name);
	jw_kv_int(&w, "running", x->running);
	jw_key(&w, "items");
	jw_array(&w);
	for (size_t i = 0; i < x->count; i++)
		write_item(&w, a, &x->items[i]);
	jw_array_end(&w);
	jw_object_end(&w);
}

static const struct route ROWS[] = {
	{ HTTP_GET, "/v1/explain", &VERB_EXPLAIN, explain_parse, explain_render,
	  .summary = "Explain why nothing moves", .query = "name", .gives = "200 Explanation", .fails = "404" },
};
const struct route_table NATIVE_EXPLAIN_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
