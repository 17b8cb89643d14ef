/* What belongs to no noun: /api/v0/info, and an answer in Ops Manager's shape for each of its paths that is not here. */
#include "facade/opsmanager/opsmanager.h"

#include "facade/opsmanager/errors.h"

/* The version whose words these are: clients ask whether it is above this or that, and read X.Y.Z-build.A. */
static void info_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_key(&w, "info");
	jw_object(&w);
	jw_kv_text(&w, "version", "3.0.0-build.1");
	jw_object_end(&w);
	jw_object_end(&w);
}

static void nothing_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	opsman_error(reply, 404, arena_printf(a, "troth does not imitate %s %.300s: docs/api/opsmanager.md has what it does",
					      http_method_name(r->method), r->path));
}

#define NOTHING(method, pattern) { method, pattern, NULL, NULL, nothing_render, ROUTE_ANY_BODY, opsman_problem }
static const struct route ROWS[] = {
	{ HTTP_GET, "/api/v0/info", NULL, NULL, info_render, ROUTE_ANY_BODY | ROUTE_NO_AUTH, opsman_problem, .summary = "Show the version" },
	NOTHING(HTTP_GET, "/api/v0/{path*}"),
	NOTHING(HTTP_POST, "/api/v0/{path*}"),
	NOTHING(HTTP_PUT, "/api/v0/{path*}"),
	NOTHING(HTTP_PATCH, "/api/v0/{path*}"),
	NOTHING(HTTP_DELETE, "/api/v0/{path*}"),
};
const struct route_table OPSMANAGER_OTHER_ROUTES = { ROWS, ARRAY_LEN(ROWS), OPSMANAGER_API };
