/* /v1/agent/recovery: an agent whose identity has expired; /v1/recoveries: what people say to that. */
#include "service/fleet/recovery.h"

#include <string.h>

#include "facade/native/nouns.h"
#include "facade/native/words.h"

/* -- the agent ----------------------------------------------------------------------------------------- */
static void nonce_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	http_reply_header(reply, a, "Cache-Control", "no-store");
	msg_nonce_encode(&reply->body, ret);
}

/* "192.0.2.7:51234": the port says nothing. */
static const char *address_of(struct arena *a, const char *peer)
{
	const char *colon = peer ? strrchr(peer, ':') : NULL;
	return colon ? arena_text_n(a, peer, (size_t)(colon - peer)) : peer;
}

static troth_rc ask_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct msg_recovery *m = cmd;
	TRY(msg_recovery_decode(a, r->body, m, e));
	m->peer = address_of(a, r->peer);
	return RC_OK;
}

static void ask_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct msg_recovering *m = ret;
	reply->status = m->certificate ? 200 : 202;
	msg_recovering_encode(&reply->body, m);
}

/* -- people ------------------------------------------------------------------------------------------------ */
static troth_rc list_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct recovery_list_cmd *c = cmd;
	return words_page(r, &c->page, e);
}

static void write_recovery(struct json_writer *w, const struct recovery_view *v)
{
	jw_object(w);
	jw_kv_text(w, "instance", v->instance);
	jw_kv_text(w, "instance_id", v->instance_id);
	jw_kv_text(w, "deployment", v->deployment);
	jw_kv_text(w, "instance_state", v->instance_state);
	jw_kv_text(w, "state", v->state);
	jw_kv_time(w, "since", v->row.asked_at);
	jw_kv_time(w, "last_asked", v->row.last_at);
	jw_kv_text(w, "address", v->row.peer);
	words_hex(w, "key", v->row.key);
	jw_kv_int(w, "rivals", v->row.rivals);
	jw_kv_time(w, "identity_ended", v->identity_ended);
	jw_kv_time(w, "last_seen", v->last_seen);
	jw_kv_text(w, "decided_by", v->row.decided_by);
	jw_kv_time(w, "decided", v->row.decided_at);
	jw_object_end(w);
}

static void list_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct recovery_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	words_list_begin(&w);
	for (size_t i = 0; i < x->count; i++)
		write_recovery(&w, &x->items[i]);
	words_list_end(&w, x->next);
}

static const struct json_field DECIDE_FIELDS[] = {
	{ "instances", JF_TEXTS, offsetof(struct recovery_decide_cmd, instances), 0, 0, LIMIT_RECOVERIES },
	{ "all", JF_BOOL, offsetof(struct recovery_decide_cmd, all), 0, 0, 0 },
};

static troth_rc approve_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	if (words_body(a, r, DECIDE_FIELDS, ARRAY_LEN(DECIDE_FIELDS), cmd, e))
		recovery_decide_check(a, cmd, true, e);
	return words_done(e);
}

static troth_rc deny_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	if (words_body(a, r, DECIDE_FIELDS, ARRAY_LEN(DECIDE_FIELDS), cmd, e))
		recovery_decide_check(a, cmd, false, e);
	return words_done(e);
}

static void decide_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct recovery_decide_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	words_texts(&w, "instances", x->instances);
	jw_kv_int(&w, "left", x->left);
	jw_kv_bool(&w, "dry_run", r->dry_run);
	jw_object_end(&w);
}

static const struct route ROWS[] = {
	{ HTTP_GET, "/v1/agent/recovery", &VERB_RECOVERY_NONCE, words_none, nonce_render, ROUTE_NO_AUTH,
	  .summary = "Fetch a number to sign, before an expired identity is renewed", .gives = "200 Nonce" },
	{ HTTP_POST, "/v1/agent/recovery", &VERB_RECOVERY_ASK, ask_parse, ask_render, ROUTE_NO_AUTH | ROUTE_SIGNS,
	  .summary = "Ask for the next identity after the last one has expired", .takes = "Recover", .gives = "200 Recovering, 202 Recovering",
	  .fails = "401 403 404 429" },
	{ HTTP_GET, "/v1/recoveries", &VERB_RECOVERY_LIST, list_parse, list_render,
	  .summary = "List agents that ask to come back", .query = "after limit", .gives = "200 [Recovery]" },
	{ HTTP_POST, "/v1/recoveries/approve", &VERB_RECOVERY_APPROVE, approve_parse, decide_render,
	  .summary = "Let agents come back", .body = ROUTE_FIELDS(DECIDE_FIELDS), .gives = "200 Decided", .fails = "404" },
	{ HTTP_POST, "/v1/recoveries/deny", &VERB_RECOVERY_DENY, deny_parse, decide_render,
	  .summary = "Refuse agents that ask to come back", .body = ROUTE_FIELDS(DECIDE_FIELDS), .gives = "200 Decided", .fails = "404" },
};
const struct route_table NATIVE_RECOVERY_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
