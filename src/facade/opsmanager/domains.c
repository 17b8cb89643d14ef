/* /api/v0/certificates/generate: a certificate with its key, for whoever says which domains it is for.
 *
 * What it is called here, and why, is in docs/decisions/0084. */
#include "facade/opsmanager/errors.h"
#include "facade/opsmanager/opsmanager.h"
#include "pki/cert.h"
#include "service/handout/generate_domains.h"

static const struct json_field FIELDS[] = {
	{ "domains", JF_TEXTS, offsetof(struct generate_domains_cmd, domains), JF_REQUIRED, 0, LIMIT_SAN_COUNT },
};

static troth_rc generate_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	arena_secret(a); /* a private key is in the answer */
	TRY(http_body_read(a, r, FIELDS, ARRAY_LEN(FIELDS), cmd, e));
	generate_domains_check(a, cmd, e);
	return (troth_rc){ e->kind };
}

static void generate_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct generate_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "certificate", cert_pem(a, x->of.items[0].version->cert.der));
	jw_kv_text(&w, "key", x->of.items[0].private_key);
	jw_object_end(&w);
}

static const struct route ROWS[] = {
	{ HTTP_POST, "/api/v0/certificates/generate", &VERB_CREDENTIAL_GENERATE_DOMAINS, generate_parse, generate_render,
	  ROUTE_ANY_BODY | ROUTE_SIGNS | ROUTE_SECRET, opsman_problem, .summary = "Generate a certificate" },
};
const struct route_table OPSMANAGER_DOMAIN_ROUTES = { ROWS, ARRAY_LEN(ROWS), OPSMANAGER_API };
