/* /v1/health, /v1/version, /v1/principals/self, /v1/server/certificate. */
#include "facade/native/nouns.h"
#include "facade/native/words.h"
#include "service/intake/brought.h"

static void health_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct health_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "status", "ok");
	jw_kv_text(&w, "store", "ok");
	jw_kv_text(&w, "epoch", x->epoch);
	jw_object_end(&w);
}

static void version_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct version_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "version", x->version);
	jw_kv_text(&w, "api", "v1");
	jw_kv_int(&w, "schema", x->schema);
	jw_object_end(&w);
}

static const struct { unsigned bit; const char *name; } ROLE_WORDS[] = {
	{ ROLE_ADMIN, "admin" }, { ROLE_OPERATOR, "operator" }, { ROLE_DEVELOPER, "developer" }, { ROLE_AUDITOR, "auditor" },
	{ ROLE_AGENT, "agent" }, { ROLE_SYSTEM, "system" },
};

static void self_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct principal_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "id", x->principal.uuid);
	jw_kv_text(&w, "name", x->principal.name);
	jw_key(&w, "roles");
	jw_array(&w);
	for (size_t i = 0; i < ARRAY_LEN(ROLE_WORDS); i++)
		if (x->principal.roles & ROLE_WORDS[i].bit)
			jw_text(&w, ROLE_WORDS[i].name);
	jw_array_end(&w);
	jw_kv_text(&w, "scope", x->principal.scope[0] ? x->principal.scope : "*");
	jw_object_end(&w);
}

static const struct json_field CERTIFICATE_FIELDS[] = {
	{ "csr", JF_TEXT, offsetof(struct server_certificate_cmd, csr), JF_REQUIRED, 0, 2 * LIMIT_CSR_DER_BYTES },
	{ "sans", JF_TEXTS, offsetof(struct server_certificate_cmd, sans), 0, 0, LIMIT_SAN_COUNT },
};

static troth_rc certificate_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	return http_body_read(a, r, CERTIFICATE_FIELDS, ARRAY_LEN(CERTIFICATE_FIELDS), cmd, e);
}

static void certificate_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct server_certificate_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "certificate", x->certificate);
	jw_kv_text(&w, "chain", x->chain);
	jw_kv_text(&w, "server_ca", x->server_ca);
	jw_kv_time(&w, "not_after", x->not_after);
	jw_kv_time(&w, "renew_at", x->renew_at);
	jw_object_end(&w);
}

/* -- a certificate that was brought ------------------------------------------------------------------------------- */
#define BROUGHT(name, flags) { #name, JF_TEXT, offsetof(struct brought_cmd, name), flags, 0, LIMIT_PEM_BYTES }
static const struct json_field BROUGHT_FIELDS[] = { BROUGHT(certificate, JF_NEEDED), BROUGHT(chain, 0), BROUGHT(private_key, JF_NEEDED) };

static troth_rc brought_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	arena_secret(a); /* a private key is read into it */
	if (words_body(a, r, BROUGHT_FIELDS, ARRAY_LEN(BROUGHT_FIELDS), cmd, e))
		brought_check(a, cmd, r->now, e);
	return words_done(e);
}

static void write_shown(struct arena *a, struct json_writer *w, const char *key, const struct shown_certificate *c)
{
	jw_key(w, key);
	if (!c->cert.der.len) {
		jw_null(w);
		return;
	}
	jw_object(w);
	words_texts(w, "names", c->names);
	words_cert(a, w, &c->cert, false);
	jw_kv_text(w, "key_type", c->key_type);
	jw_kv_text(w, "anchor", c->anchor);
	jw_object_end(w);
}

static void brought_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct brought_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	write_shown(a, &w, "own", &x->own);
	write_shown(a, &w, "brought", &x->brought);
	jw_object_end(&w);
}

static const struct route ROWS[] = {
	{ HTTP_GET, "/v1/health", &VERB_HEALTH, words_none, health_render, ROUTE_NO_AUTH,
	  .summary = "Say that the server answers", .gives = "200 Health" },
	{ HTTP_GET, "/v1/version", &VERB_VERSION, words_none, version_render, ROUTE_NO_AUTH,
	  .summary = "Say which program answers", .gives = "200 VersionInfo" },
	{ HTTP_GET, "/v1/principals/self", &VERB_PRINCIPAL_SELF, words_none, self_render,
	  .summary = "Say who is asking", .gives = "200 Self" },
	{ HTTP_GET, "/v1/server/certificate", &VERB_BROUGHT_SHOW, words_none, brought_render,
	  .summary = "Show which certificates the server shows", .gives = "200 ShownCertificates" },
	{ HTTP_PUT, "/v1/server/certificate", &VERB_BROUGHT_SET, brought_parse, brought_render,
	  .summary = "Bring a certificate for the server that somebody else issued, with its key", .body = ROUTE_FIELDS(BROUGHT_FIELDS),
	  .gives = "200 ShownCertificates" },
	{ HTTP_DELETE, "/v1/server/certificate", &VERB_BROUGHT_UNSET, words_none, NULL,
	  .summary = "Take a brought certificate away: the server shows its own to everybody", .gives = "204" },
	{ HTTP_POST, "/v1/server/certificate", &VERB_SERVER_CERTIFICATE, certificate_parse, certificate_render,
	  .summary = "Sign a certificate for the server's own names", .body = ROUTE_FIELDS(CERTIFICATE_FIELDS),
	  .gives = "200 ServerCertificate" },
};
const struct route_table NATIVE_SERVER_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
