/* /v1/bindings: create, list, show, fetch, attest, waive, delete. */
#include "service/outside/binding.h"

#include "facade/native/nouns.h"
#include "facade/native/words.h"

struct create_body {
	struct binding_create_cmd cmd;
	const char *grace;           /* a length, or "none"; absent: the usual one */
};
#define FIELD(name, kind) { #name, kind, offsetof(struct create_body, cmd.name), 0, 0, 0 }
static const struct json_field CREATE_FIELDS[] = {
	{ "name", JF_TEXT, offsetof(struct create_body, cmd.name), JF_NEEDED, 0, 0 },
	{ "bundle", JF_TEXT, offsetof(struct create_body, cmd.bundle), JF_NEEDED, 0, 0 },
	FIELD(ack, JF_TEXT), FIELD(delay, JF_DURATION), FIELD(renew_by, JF_DURATION),
	{ "grace", JF_TEXT, offsetof(struct create_body, grace), 0, 0, 0 },
};

static troth_rc create_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct create_body body = { 0 };
	if (!words_body(a, r, CREATE_FIELDS, ARRAY_LEN(CREATE_FIELDS), &body, e))
		return words_done(e);
	words_grace(a, body.grace, &body.cmd.grace, &body.cmd.no_grace, e);
	*(struct binding_create_cmd *)cmd = body.cmd;
	binding_create_check(a, cmd, e);
	return words_done(e);
}

static const struct json_field ATTEST_FIELDS[] = {
	{ "reason", JF_TEXT, offsetof(struct binding_attest_cmd, reason), JF_NEEDED, 0, 0 },
};

static troth_rc attest_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	((struct binding_attest_cmd *)cmd)->id = http_param(r, "id");
	if (words_body(a, r, ATTEST_FIELDS, ARRAY_LEN(ATTEST_FIELDS), cmd, e))
		binding_attest_check(a, cmd, e);
	return words_done(e);
}

/* If-None-Match: "g12-0a1b2c3d" or W/"...": the first tag of the list, without its quotes; NULL for none and for *.
 * RFC 9110 13.1.2.  Or ?tag= for who cannot set a header. */
static const char *read_tag(struct arena *a, const struct http_request *r)
{
	const char *v = http_header(r, "If-None-Match");
	const char *open = v ? strchr(v, '"') : NULL, *close = open ? strchr(open + 1, '"') : NULL;
	return close ? arena_text_n(a, open + 1, (size_t)(close - open - 1)) : http_query(r, "tag");
}

static troth_rc fetch_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	*(struct binding_fetch_cmd *)cmd = (struct binding_fetch_cmd){ http_param(r, "id"), read_tag(a, r) };
	return RC_OK;
}

static void fetch_json(const struct binding_fetch_ret *x, struct http_reply *reply)
{
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "tag", x->tag);
	jw_kv_bool(&w, "not_modified", x->not_modified);
	jw_kv_text(&w, "certificates", x->pem);
	jw_object_end(&w);
}

static void fetch_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct binding_fetch_ret *x = ret;
	if (text_equal(http_query(r, "as"), "json"))
		fetch_json(x, reply);
	else if (x->not_modified)
		reply->status = 304;
	else
		http_reply_text(reply, 200, "application/x-pem-file", x->pem);
	http_reply_header(reply, a, "ETag", "\"%s\"", x->tag);
	http_reply_header(reply, a, "Cache-Control", "no-cache"); /* kept by who uses it, asked for each time */
}

static void write_generation(struct json_writer *w, const char *key, const struct generation_view *g)
{
	jw_key(w, key);
	if (!g->row.generation) {
		jw_null(w);
		return;
	}
	jw_object(w);
	jw_kv_int(w, "generation", g->row.generation);
	words_texts(w, "fingerprints", g->fingerprints);
	jw_object_end(w);
}

static void write_acked(struct json_writer *w, const struct binding_row *row)
{
	jw_key(w, "acknowledged");
	if (!row->acked_at) {
		jw_null(w);
		return;
	}
	jw_object(w);
	jw_kv_int(w, "generation", row->acked_generation);
	jw_kv_text(w, "how", BINDING_ACK_NAMES[row->acked_how]);
	jw_kv_text(w, "by", row->acked_by);
	jw_kv_text(w, "reason", row->acked_reason);
	jw_kv_time(w, "at", row->acked_at);
	jw_object_end(w);
}

static void write_binding(struct arena *a, struct json_writer *w, const struct binding_view *v)
{
	jw_object(w);
	jw_kv_text(w, "id", v->row.uuid);
	jw_kv_text(w, "name", v->row.name);
	jw_kv_text(w, "bundle", v->bundle);
	jw_kv_text(w, "state", TARGET_STATE_NAMES[v->target.row.state]);
	jw_kv_text(w, "ack", BINDING_ACK_NAMES[v->row.ack]);
	words_duration(w, "delay", v->row.delay);
	words_duration(w, "renew_by", v->row.renew_by);
	words_duration(w, "grace", v->row.grace);
	jw_kv_text(w, "url", arena_printf(a, "/v1/bindings/%s/bundle", v->row.uuid));
	write_generation(w, "offered", &v->target.wanted);
	jw_kv_time(w, "fetched_at", v->row.fetched_at);
	write_generation(w, "runs", &v->target.loaded);
	write_acked(w, &v->row);
	jw_kv_time(w, "deadline", v->deadline);
	jw_kv_bool(w, "overdue", v->row.overdue_since != 0);
	jw_kv_time(w, "created", v->row.created);
	jw_object_end(w);
}

static void create_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct binding_ret *x = ret;
	struct json_writer w = http_reply_json(reply, words_created(r));
	write_binding(a, &w, &x->binding);
	if (!r->dry_run)
		http_reply_header(reply, a, "Location", "/v1/bindings/%s", x->binding.row.uuid);
}

static void show_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct binding_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	write_binding(a, &w, &x->binding);
}

static void list_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct binding_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	words_list_begin(&w);
	for (size_t i = 0; i < x->count; i++)
		write_binding(a, &w, &x->items[i]);
	words_list_end(&w, x->next);
}

static const struct route ROWS[] = {
	{ HTTP_POST, "/v1/bindings", &VERB_BINDING_CREATE, create_parse, create_render,
	  .summary = "Create a binding: an application outside that is handed a bundle", .body = ROUTE_FIELDS(CREATE_FIELDS),
	  .gives = "201 Binding", .fails = "404" },
	{ HTTP_GET, "/v1/bindings", &VERB_BINDING_LIST, words_list, list_render,
	  .summary = "List bindings", .query = "name after limit", .gives = "200 [Binding]" },
	{ HTTP_GET, "/v1/bindings/{id}", &VERB_BINDING_SHOW, words_id, show_render,
	  .summary = "Show a binding", .gives = "200 Binding" },
	{ HTTP_GET, "/v1/bindings/{id}/bundle", &VERB_BINDING_FETCH, fetch_parse, fetch_render,
	  .summary = "Fetch the certificates that a binding shall trust", .query = "tag as",
	  .gives = "200 application/x-pem-file|BindingBundle, 304" },
	{ HTTP_POST, "/v1/bindings/{id}/attest", &VERB_BINDING_ATTEST, attest_parse, show_render,
	  .summary = "Vouch that a binding runs what it was offered", .body = ROUTE_FIELDS(ATTEST_FIELDS), .gives = "200 Binding" },
	{ HTTP_POST, "/v1/bindings/{id}/waive", &VERB_BINDING_WAIVE, words_id, show_render,
	  .summary = "Go on without a binding", .gives = "200 Binding" },
	{ HTTP_DELETE, "/v1/bindings/{id}", &VERB_BINDING_DELETE, words_id, NULL,
	  .summary = "Delete a binding", .gives = "204" },
};
const struct route_table NATIVE_BINDING_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
