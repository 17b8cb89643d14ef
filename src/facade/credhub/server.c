/* What a client asks first: /info, /version, /health; and what is not there, in CredHub's shape. */
#include "facade/credhub/words.h"

#include <string.h>

/* Major 2 and at least 2.6: then the CLI speaks permissions v2, metadata and certificates as they are here. */
static const char VERSION[] = "2.15.20";

/* Who gives the tokens: this server, by the name that the caller used. */
static const char *own_url(struct arena *a, const struct http_request *r)
{
	const char *host = http_header(r, "Host");
	for (const char *p = host; p && *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]", *p))
			host = NULL;
	return arena_printf(a, "%s://%.255s", r->plain ? "http" : "https", host && *host ? host : "localhost");
}

static void info_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_key(&w, "auth-server");
	jw_object(&w);
	jw_kv_text(&w, "url", own_url(a, r));
	jw_object_end(&w);
	jw_key(&w, "app");
	jw_object(&w);
	jw_kv_text(&w, "name", "CredHub");
	jw_object_end(&w);
	jw_object_end(&w);
}

static void version_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "version", VERSION);
	jw_object_end(&w);
}

static void health_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "status", "UP");
	jw_object_end(&w);
}

/* Certificates by the key that wraps them: there is one, the keeper's, and it opens all of them. */
static troth_rc usage_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	((struct lookup_cmd *)cmd)->list = ARENA_NEW(a, struct catalog_cmd);
	return credhub_plain(r, e);
}

static void usage_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct lookup_ret *x = ret;
	int64_t versions = 0;
	for (size_t i = 0; i < x->list->count; i++)
		versions += (int64_t)x->list->items[i].of.count;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_int(&w, "active_key", versions);
	jw_kv_int(&w, "inactive_keys", 0);
	jw_kv_int(&w, "unknown_keys", 0);
	jw_object_end(&w);
}

/* A path of CredHub's that troth has no answer to. */
static void nothing_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	struct troth_err e = { 0 };
	if (rc_failed(err_set(&e, TROTH_NOT_FOUND, "%s is not here", r->path)))
		credhub_problem(a, r, &e, reply);
}

static const struct route ROWS[] = {
	{ HTTP_GET, "/info", NULL, NULL, info_render, CREDHUB_FLAGS | ROUTE_NO_AUTH, credhub_problem },
	{ HTTP_GET, "/health", &VERB_HEALTH, NULL, health_render, CREDHUB_FLAGS | ROUTE_NO_AUTH, credhub_problem },
	{ HTTP_GET, "/version", NULL, NULL, version_render, CREDHUB_FLAGS, credhub_problem },
	{ HTTP_GET, "/api/v1/key-usage", &VERB_CREDENTIAL_LOOKUP, usage_parse, usage_render, CREDHUB_FLAGS, credhub_problem },
	{ HTTP_GET, "/api/v1/{rest*}", NULL, NULL, nothing_render, CREDHUB_FLAGS, credhub_problem },
	{ HTTP_GET, "/api/v2/{rest*}", NULL, NULL, nothing_render, CREDHUB_FLAGS, credhub_problem },
};
const struct route_table CREDHUB_SERVER_ROUTES = { ROWS, ARRAY_LEN(ROWS), CREDHUB_API };
