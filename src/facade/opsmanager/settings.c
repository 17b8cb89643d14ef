/* /api/v0/settings/ssl_certificate: the certificate that people and scripts are shown, as somebody brought it.
 *
 * Agents go on being shown the server's own, so nobody is lost by a wrong one (docs/decisions/0078). */
#include "facade/opsmanager/errors.h"
#include "facade/opsmanager/opsmanager.h"
#include "pki/cert.h"
#include "service/intake/brought.h"

/* `certificate` may be the whole chain: leaf, intermediates and, unless it is known here, the root. */
static const struct json_field FIELDS[] = {
	{ "certificate", JF_TEXT, offsetof(struct brought_cmd, certificate), JF_REQUIRED, 0, LIMIT_PEM_BYTES },
	{ "private_key", JF_TEXT, offsetof(struct brought_cmd, private_key), JF_REQUIRED, 0, LIMIT_PEM_BYTES },
};

static troth_rc set_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	arena_secret(a); /* a private key is read into it */
	TRY(http_body_read(a, r, FIELDS, ARRAY_LEN(FIELDS), cmd, e));
	brought_check(a, cmd, r->now, e);
	return (troth_rc){ e->kind };
}

static void show_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct brought_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_key(&w, "ssl_certificate");
	jw_object(&w);
	jw_kv_text(&w, "certificate", x->brought.cert.der.len ? cert_pem(a, x->brought.cert.der) : NULL);
	jw_object_end(&w);
	jw_object_end(&w);
}

static void done_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_object_end(&w);
}

#define PATH "/api/v0/settings/ssl_certificate"
static const struct route ROWS[] = {
	{ HTTP_GET, PATH, &VERB_BROUGHT_SHOW, NULL, show_render, ROUTE_ANY_BODY, opsman_problem, .summary = "Show the SSL certificate" },
	{ HTTP_PUT, PATH, &VERB_BROUGHT_SET, set_parse, done_render, ROUTE_ANY_BODY | ROUTE_SIGNS, opsman_problem,
	  .summary = "Set the SSL certificate" },
	{ HTTP_DELETE, PATH, &VERB_BROUGHT_UNSET, NULL, done_render, ROUTE_ANY_BODY | ROUTE_SIGNS, opsman_problem,
	  .summary = "Take the SSL certificate away" },
};
const struct route_table OPSMANAGER_SETTINGS_ROUTES = { ROWS, ARRAY_LEN(ROWS), OPSMANAGER_API };
