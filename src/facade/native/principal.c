/* /v1/principals: who may call, added, listed, given a new credential, revoked. */
#include "facade/native/nouns.h"
#include "facade/native/words.h"
#include "service/server/permission.h"

#define FIELD(name, kind, flags) { #name, kind, offsetof(struct principal_add_cmd, name), flags, 0, 0 }
static const struct json_field ADD_FIELDS[] = {
	FIELD(name, JF_TEXT, 0), FIELD(role, JF_TEXT, JF_NEEDED), FIELD(scope, JF_TEXT, 0), FIELD(expires, JF_DURATION, 0),
	{ "csr", JF_TEXT, offsetof(struct principal_add_cmd, csr), 0, 0, 2 * LIMIT_CSR_DER_BYTES },
	FIELD(password, JF_TEXT, 0), FIELD(generate_password, JF_BOOL, 0), FIELD(facade, JF_TEXT, 0), FIELD(app, JF_TEXT, 0),
};

static troth_rc add_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	arena_secret(a); /* a password is read into it, or made in it */
	if (words_body(a, r, ADD_FIELDS, ARRAY_LEN(ADD_FIELDS), cmd, e))
		principal_add_check(a, cmd, e);
	return words_done(e);
}

static const struct json_field ROTATE_FIELDS[] = {
	{ "csr", JF_TEXT, offsetof(struct principal_rotate_cmd, csr), 0, 0, 2 * LIMIT_CSR_DER_BYTES },
	{ "password", JF_TEXT, offsetof(struct principal_rotate_cmd, password), 0, 0, 0 },
	{ "generate_password", JF_BOOL, offsetof(struct principal_rotate_cmd, generate_password), 0, 0, 0 },
};

/* No body is a new token, or a new password for who has one. */
static troth_rc rotate_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct principal_rotate_cmd *c = cmd;
	c->id = http_param(r, "id");
	arena_secret(a);
	if (r->body.len && words_body(a, r, ROTATE_FIELDS, ARRAY_LEN(ROTATE_FIELDS), c, e))
		principal_rotate_check(a, c, e);
	return words_done(e);
}

static void write_principal(struct json_writer *w, const struct principal_view *v)
{
	jw_kv_text(w, "id", v->row.uuid);
	jw_kv_text(w, "name", v->row.name);
	jw_kv_text(w, "role", principal_role_name(v->row.roles));
	jw_kv_text(w, "scope", v->row.scope);
	jw_kv_text(w, "credential", principal_credential_name(&v->row));
	jw_kv_text(w, "facade", facade_name(v->row.facade));
	jw_kv_text(w, "state", v->state);
	jw_kv_int(w, "failed_logins", v->row.failures);
	jw_kv_time(w, "locked_until", v->row.locked_until);
	jw_kv_time(w, "expires", v->row.expires);
	jw_kv_time(w, "last_used", v->row.last_used);
	jw_kv_time(w, "created", v->row.created);
}

static void write_permissions(struct json_writer *w, const struct principal_view_ret *x)
{
	const char *word;
	jw_key(w, "permissions");
	jw_array(w);
	for (size_t i = 0; i < x->permission_count; i++) {
		jw_object(w);
		jw_kv_text(w, "id", x->permissions[i].uuid);
		jw_kv_text(w, "path", x->permissions[i].path);
		jw_key(w, "operations");
		jw_array(w);
		for (size_t k = 0; (word = permission_operation(x->permissions[i].operations, k)); k++)
			jw_text(w, word);
		jw_array_end(w);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void reply_one(const struct principal_view_ret *x, int status, bool secrets, struct http_reply *reply)
{
	struct json_writer w = http_reply_json(reply, status);
	jw_object(&w);
	write_principal(&w, &x->principal);
	if (x->permission_count)
		write_permissions(&w, x);
	if (secrets && x->token)
		jw_kv_text(&w, "token", x->token);
	if (secrets && x->password)
		jw_kv_text(&w, "password", x->password);
	if (secrets && x->certificate) {
		jw_kv_text(&w, "certificate", x->certificate);
		jw_kv_text(&w, "chain", x->chain);
	}
	jw_object_end(&w);
}

static void add_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct principal_view_ret *x = ret;
	reply_one(x, words_created(r), !r->dry_run, reply);
	if (!r->dry_run)
		http_reply_header(reply, a, "Location", "/v1/principals/%s", x->principal.row.uuid);
}

static void rotate_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	reply_one(ret, 200, !r->dry_run, reply);
}

static void show_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	reply_one(ret, 200, false, reply);
}

static void list_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct principal_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	words_list_begin(&w);
	for (size_t i = 0; i < x->count; i++) {
		jw_object(&w);
		write_principal(&w, &x->items[i]);
		jw_object_end(&w);
	}
	words_list_end(&w, x->next);
}

static const struct route ROWS[] = {
	{ HTTP_POST, "/v1/principals", &VERB_PRINCIPAL_ADD, add_parse, add_render, ROUTE_SECRET,
	  .summary = "Add a principal", .body = ROUTE_FIELDS(ADD_FIELDS), .gives = "201 Principal" },
	{ HTTP_GET, "/v1/principals", &VERB_PRINCIPAL_LIST, words_list, list_render,
	  .summary = "List principals", .query = "name after limit", .gives = "200 [Principal]" },
	{ HTTP_GET, "/v1/principals/{id}", &VERB_PRINCIPAL_SHOW, words_id, show_render,
	  .summary = "Show a principal", .gives = "200 Principal" },
	{ HTTP_POST, "/v1/principals/{id}/rotate", &VERB_PRINCIPAL_ROTATE, rotate_parse, rotate_render, ROUTE_SECRET,
	  .summary = "Give a principal a new credential", .body = ROUTE_FIELDS(ROTATE_FIELDS), .gives = "200 Principal" },
	{ HTTP_POST, "/v1/principals/{id}/unlock", &VERB_PRINCIPAL_UNLOCK, words_id, show_render,
	  .summary = "Let a principal log in again that was locked out", .gives = "200 Principal" },
	{ HTTP_DELETE, "/v1/principals/{id}", &VERB_PRINCIPAL_REVOKE, words_id, NULL,
	  .summary = "Revoke a principal", .gives = "204" },
};
const struct route_table NATIVE_PRINCIPAL_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
