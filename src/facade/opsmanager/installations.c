/* /api/v0/installations: apply changes, and how far that is. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "facade/opsmanager/errors.h"
#include "facade/opsmanager/opsmanager.h"
#include "service/rotation/apply.h"

/* -- apply changes --------------------------------------------------------------------------------------------------- */
struct install_body { const struct json *ignored, *products; };
static const struct json_field INSTALL_FIELDS[] = {
	{ "deploy_products", JF_ANY, offsetof(struct install_body, products), 0, 0, 0 },
	{ "ignore_warnings", JF_ANY, offsetof(struct install_body, ignored), 0, 0, 0 }, /* om sends a text, the API a bool */
	{ "force_latest_variables", JF_ANY, offsetof(struct install_body, ignored), 0, 0, 0 },
	{ "errands", JF_ANY, offsetof(struct install_body, ignored), 0, 0, 0 },
};

/* "all", "none", or guids as /api/v0/deployed/products has them. */
static void read_products(struct arena *a, const struct json *j, struct apply_start_cmd *c, struct troth_err *e)
{
	bool text = j->type == JSON_STRING, list = j->type == JSON_ARRAY && j->list.count <= LIMIT_DEPLOYED_CERTS;
	if (!list && !(text && (text_equal(j->str.s, "all") || text_equal(j->str.s, "none")))) {
		err_finding(a, e, "$.deploy_products", "products", "is neither \"all\" nor \"none\" nor a list of guids", "GET /api/v0/deployed/products has them");
		return;
	}
	c->listed = list || text_equal(j->str.s, "none");
	c->only.items = ARENA_ARRAY(a, const char *, list ? j->list.count + 1 : 1);
	for (size_t i = 0; list && i < j->list.count; i++)
		if (j->list.items[i].type == JSON_STRING)
			c->only.items[c->only.count++] = j->list.items[i].str.s;
		else
			err_finding(a, e, j->list.items[i].path, "type", "is no text", NULL);
}

static troth_rc install_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	const struct json *j;
	struct install_body body = { 0 };
	if (!r->body.len)
		return RC_OK;
	TRY(json_parse(a, r->body, &j, e));
	if (j->type == JSON_NULL)
		return RC_OK;
	TRY(json_read(a, j, INSTALL_FIELDS, ARRAY_LEN(INSTALL_FIELDS), &body, e));
	if (body.products)
		read_products(a, body.products, cmd, e);
	return (troth_rc){ e->kind };
}

static void install_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct operation_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_key(&w, "install");
	jw_object(&w);
	jw_kv_int(&w, "id", x->operation.id);
	jw_object_end(&w);
	jw_object_end(&w);
}

/* -- looking ------------------------------------------------------------------------------------------------------------ */
static const char *status_of(const struct operation_row *op)
{
	return op->state == OPERATION_CANCELLED ? "failed" : OPERATION_STATE_NAMES[op->state];
}

static troth_rc id_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct apply_cmd *c = cmd;
	const char *id = http_param(r, "id");
	size_t digits = strspn(id, "0123456789");
	ENSURE(digits && digits <= 18 && !id[digits], e, TROTH_NOT_FOUND, "there is no installation %.40s", id);
	c->id = strtoll(id, NULL, 10);
	return RC_OK;
}

static void show_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct operation_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "status", status_of(&x->operation));
	jw_kv_text(&w, "waits_for", x->operation.waits_for);
	jw_object_end(&w);
}

static void list_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct apply_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_key(&w, "installations");
	jw_array(&w);
	for (size_t i = 0; i < x->count; i++) {
		jw_object(&w);
		jw_kv_int(&w, "id", x->items[i].id);
		jw_kv_text(&w, "status", status_of(&x->items[i]));
		jw_kv_time(&w, "started_at", x->items[i].created);
		jw_kv_time(&w, "finished_at", x->items[i].finished);
		jw_kv_text(&w, "user_name", x->items[i].started_by);
		jw_object_end(&w);
	}
	jw_array_end(&w);
	jw_object_end(&w);
}

/* "2026-11-22T06:10:00Z applying changes" */
static const char *line_of(struct arena *a, const struct event_row *line)
{
	char at[RFC3339_LEN];
	const struct json *body = NULL;
	struct troth_err e = { 0 };
	if (rc_failed(json_parse(a, bytes_of_text(line->body), &body, &e)))
		return "";
	return arena_printf(a, "%s %s\n", time_format(line->at, at), json_get_text(body, "text", ""));
}

static void log_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct apply_log_ret *x = ret;
	CLEANUP(buf_release) struct buf text = buf_make(HTTP_REPLY_BYTES / 2);
	for (size_t i = 0; i < x->line_count; i++)
		buf_add_text(&text, line_of(a, &x->lines[i]));
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "logs", buf_text(&text));
	jw_object_end(&w);
}

#define OWN ROUTE_ANY_BODY, opsman_problem
static const struct route ROWS[] = {
	{ HTTP_GET, "/api/v0/installations", &VERB_APPLY_LIST, NULL, list_render, OWN, .summary = "List installations" },
	{ HTTP_POST, "/api/v0/installations", &VERB_APPLY, install_parse, install_render, ROUTE_ANY_BODY | ROUTE_SIGNS, opsman_problem,
	  .summary = "Apply changes" },
	{ HTTP_GET, "/api/v0/installations/{id}", &VERB_APPLY_SHOW, id_parse, show_render, ROUTE_ANY_BODY | ROUTE_HOLD, opsman_problem,
	  .summary = "Show an installation" },
	{ HTTP_GET, "/api/v0/installations/{id}/logs", &VERB_APPLY_LOG, id_parse, log_render, OWN, .summary = "Show the log of an installation" },
};
const struct route_table OPSMANAGER_INSTALLATION_ROUTES = { ROWS, ARRAY_LEN(ROWS), OPSMANAGER_API };
