/* /api/v2/permissions: what an actor may do on a path.  What it comes to is service/server/permission.h's. */
#include "facade/credhub/words.h"

#include <string.h>

#include "service/server/permission.h"

static const char NO_PATH[] = "You must specify a path. Please validate your input and retry your request.";
static const char NO_ACTOR[] = "You must specify an actor. Please validate your input and retry your request.";
static const char NO_OPERATIONS[] = "At least one operation must be provided. Please validate your input and retry your request.";
static const char SLASHES[] = "A credential path cannot end with a '/' character or contain '//'. Credential paths should be in the form of "
			      "/[path]/[name] or [path]/[name]. Please update and retry your request.";
static const char CHARACTERS[] = "Credential paths may only include alpha, numeric, hyphen, underscore, and forward-slash characters. Please update "
				 "and retry your request.";

enum { OPERATIONS_MAX = 16 }; /* said in one request; there are five */

#define FIELD(name, kind, max) { #name, kind, offsetof(struct permission_cmd, name), 0, 0, max }
static const struct json_field FIELDS[] = { FIELD(path, JF_TEXT, 0), FIELD(actor, JF_TEXT, 0), FIELD(operations, JF_TEXTS, OPERATIONS_MAX) };
static const struct json_field PATCH_FIELDS[] = { FIELD(operations, JF_TEXTS, OPERATIONS_MAX) };

static troth_rc check_path(const char *path, struct troth_err *e)
{
	size_t len = path ? strlen(path) : 0;
	if (len < 2)
		return credhub_refuse(e, NO_PATH);
	if (strstr(path, "//") || path[len - 1] == '/')
		return credhub_refuse(e, SLASHES);
	if (text_ends(path, "/*"))
		len -= 2;
	if (strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/.:,()[]+") < len)
		return credhub_refuse(e, CHARACTERS);
	return RC_OK;
}

static troth_rc whole_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct permission_cmd *c = cmd;
	TRY(credhub_body(a, r, FIELDS, ARRAY_LEN(FIELDS), true, c, e));
	c->id = http_param(r, "id");
	c->path = credhub_name(a, c->path);
	TRY(check_path(c->path, e));
	if (!c->actor)
		return credhub_refuse(e, NO_ACTOR);
	return c->operations.count ? RC_OK : credhub_refuse(e, NO_OPERATIONS);
}

static troth_rc patch_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct permission_cmd *c = cmd;
	TRY(credhub_body(a, r, PATCH_FIELDS, ARRAY_LEN(PATCH_FIELDS), true, c, e));
	c->id = http_param(r, "id");
	return c->operations.count ? RC_OK : credhub_refuse(e, NO_OPERATIONS);
}

static troth_rc id_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	((struct permission_cmd *)cmd)->id = http_param(r, "id");
	return credhub_plain(r, e);
}

static troth_rc find_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct permission_cmd *c = cmd;
	c->path = http_query(r, "path");
	c->actor = http_query(r, "actor");
	if (!c->path || !c->actor)
		return credhub_refuse(e, arena_printf(a, "The query parameter %s is required for this request.", c->path ? "actor" : "path"));
	c->path = credhub_name(a, c->path);
	return credhub_plain(r, e);
}

static void reply_one(const struct permission_row *row, int status, struct http_reply *reply)
{
	const char *word;
	struct json_writer w = http_reply_json(reply, status);
	jw_object(&w);
	jw_kv_text(&w, "actor", row->actor);
	jw_key(&w, "operations");
	jw_array(&w);
	for (size_t i = 0; (word = permission_operation(row->operations, i)); i++)
		jw_text(&w, word);
	jw_array_end(&w);
	jw_kv_text(&w, "path", row->path);
	jw_kv_text(&w, "uuid", row->uuid);
	jw_object_end(&w);
}

static void add_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	reply_one(&((const struct permission_ret *)ret)->permission, 201, reply);
}

static void show_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	reply_one(&((const struct permission_ret *)ret)->permission, 200, reply);
}

#define PERMISSIONS "/api/v2/permissions"
static const struct route ROWS[] = {
	{ HTTP_POST, PERMISSIONS, &VERB_PERMISSION_ADD, whole_parse, add_render, CREDHUB_FLAGS, credhub_problem },
	{ HTTP_GET, PERMISSIONS, &VERB_PERMISSION_SHOW, find_parse, show_render, CREDHUB_FLAGS, credhub_problem },
	{ HTTP_GET, PERMISSIONS "/{id}", &VERB_PERMISSION_SHOW, id_parse, show_render, CREDHUB_FLAGS, credhub_problem },
	{ HTTP_PUT, PERMISSIONS "/{id}", &VERB_PERMISSION_CHANGE, whole_parse, show_render, CREDHUB_FLAGS, credhub_problem },
	{ HTTP_PATCH, PERMISSIONS "/{id}", &VERB_PERMISSION_CHANGE, patch_parse, show_render, CREDHUB_FLAGS, credhub_problem },
	{ HTTP_DELETE, PERMISSIONS "/{id}", &VERB_PERMISSION_REMOVE, id_parse, show_render, CREDHUB_FLAGS, credhub_problem },
};
const struct route_table CREDHUB_PERMISSION_ROUTES = { ROWS, ARRAY_LEN(ROWS), CREDHUB_API };
