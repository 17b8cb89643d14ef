/* /v1/tokens: join tokens. */
#include "facade/native/nouns.h"
#include "facade/native/words.h"

static const struct json_field CREATE_FIELDS[] = {
	{ "deployment", JF_TEXT, offsetof(struct token_create_cmd, deployment), JF_NEEDED, 0, 0 },
	{ "instance", JF_TEXT, offsetof(struct token_create_cmd, instance), 0, 0, 0 },
	{ "ttl", JF_DURATION, offsetof(struct token_create_cmd, ttl), 0, 0, 0 },
	{ "reinstall", JF_BOOL, offsetof(struct token_create_cmd, reinstall), 0, 0, 0 },
};

static troth_rc create_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	if (words_body(a, r, CREATE_FIELDS, ARRAY_LEN(CREATE_FIELDS), cmd, e))
		token_create_check(a, cmd, e);
	return words_done(e);
}

static troth_rc list_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct token_list_cmd *c = cmd;
	c->deployment = http_query(r, "deployment");
	return words_page(r, &c->page, e);
}

static void write_token(struct json_writer *w, const struct token_view *v, const char *secret, const char *pin)
{
	jw_object(w);
	jw_kv_text(w, "id", v->row.uuid);
	if (secret)
		jw_kv_text(w, "token", secret);
	if (pin)
		jw_kv_text(w, "ca_fingerprint", pin);
	jw_kv_text(w, "deployment", v->deployment);
	jw_kv_text(w, "instance", v->row.instance_name);
	jw_kv_bool(w, "reinstall", v->row.reinstall);
	jw_kv_text(w, "state", v->state);
	jw_kv_time(w, "expires", v->row.expires);
	jw_kv_time(w, "used", v->row.used_at);
	jw_kv_time(w, "created", v->row.created);
	jw_object_end(w);
}

static void create_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct token_ret *x = ret;
	struct json_writer w = http_reply_json(reply, words_created(r));
	write_token(&w, &x->token, r->dry_run ? NULL : x->secret, x->ca_fingerprint);
}

static void list_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct token_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	words_list_begin(&w);
	for (size_t i = 0; i < x->count; i++)
		write_token(&w, &x->items[i], NULL, NULL);
	words_list_end(&w, x->next);
}

static const struct route ROWS[] = {
	{ HTTP_POST, "/v1/tokens", &VERB_TOKEN_CREATE, create_parse, create_render, ROUTE_SECRET,
	  .summary = "Create a join token", .body = ROUTE_FIELDS(CREATE_FIELDS), .gives = "201 Token", .fails = "404" },
	{ HTTP_GET, "/v1/tokens", &VERB_TOKEN_LIST, list_parse, list_render,
	  .summary = "List join tokens", .query = "deployment after limit", .gives = "200 [Token]", .fails = "404" },
	{ HTTP_DELETE, "/v1/tokens/{id}", &VERB_TOKEN_REVOKE, words_id, NULL,
	  .summary = "Revoke a join token", .gives = "204" },
};
const struct route_table NATIVE_TOKEN_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
