/* /v1/authorities: create, list, show; what is signed elsewhere: request, certificate, imported roots. */
#include "service/intake/certify.h"
#include "service/intake/external_ca.h"
#include "service/intake/imported.h"
#include "service/policy/policy.h"

#include "facade/native/nouns.h"
#include "facade/native/words.h"

#define FIELD(name, kind) { #name, kind, offsetof(struct authority_create_cmd, name), 0, 0, 0 }
static const struct json_field CREATE_FIELDS[] = {
	{ "name", JF_TEXT, offsetof(struct authority_create_cmd, name), JF_NEEDED, 0, 0 },
	FIELD(key_type, JF_TEXT), FIELD(common_name, JF_TEXT), FIELD(organization, JF_TEXT), FIELD(organizational_unit, JF_TEXT),
	WORDS_PLACE_FIELDS(authority_create_cmd),
	FIELD(issuer, JF_TEXT), FIELD(ttl, JF_DURATION), FIELD(leaf_ttl, JF_DURATION),
	{ "path_len", JF_INT, offsetof(struct authority_create_cmd, path_len), 0, 0, LIMIT_CHAIN_CERTS },
	FIELD(permitted_dns, JF_TEXTS), FIELD(exportable, JF_BOOL), FIELD(clamp, JF_BOOL), FIELD(external, JF_BOOL), FIELD(on_deadline, JF_TEXT),
	WORDS_RENEWAL_FIELDS("", authority_create_cmd, renew), WORDS_RENEWAL_FIELDS("leaf_", authority_create_cmd, leaf_renew),
};

static troth_rc create_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct authority_create_cmd *c = cmd;
	c->path_len = AUTHORITY_PATH_LEN_DEFAULT;
	if (words_body(a, r, CREATE_FIELDS, ARRAY_LEN(CREATE_FIELDS), c, e))
		authority_create_check(a, c, e);
	return words_done(e);
}

/* The certificate that is signed elsewhere and has not come. */
static void write_request(struct json_writer *w, const struct ca_request_row *request)
{
	jw_key(w, "request");
	if (!request->id) {
		jw_null(w);
		return;
	}
	jw_object(w);
	jw_kv_text(w, "version", request->uuid);
	jw_kv_time(w, "since", request->created);
	jw_object_end(w);
}

static void write_members(struct arena *a, struct json_writer *w, const struct credential_view *v, bool pem)
{
	jw_kv_text(w, "id", v->row.uuid);
	jw_kv_text(w, "name", v->row.name);
	jw_kv_text(w, "origin", AUTHORITY_ORIGIN_NAMES[v->row.origin]);
	jw_kv_text(w, "issuer", v->issuer);
	write_request(w, &v->request);
	jw_kv_text(w, "key_type", v->row.key_type);
	jw_kv_text(w, "common_name", v->spec.common_name);
	words_subject(w, &v->spec);
	words_duration(w, "ttl", v->row.ca_ttl);
	words_duration(w, "leaf_ttl", v->row.leaf_ttl);
	jw_key(w, "path_len");
	if (v->spec.path_len >= 0)
		jw_int(w, v->spec.path_len);
	else
		jw_null(w);
	words_texts(w, "permitted_dns", v->spec.permitted_dns);
	words_renewal(a, w, "", v->row.renew);
	words_renewal(a, w, "leaf_", v->row.leaf_renew);
	jw_kv_time(w, "expires", v->expires);
	jw_kv_time(w, "next_renewal", v->next_renewal);
	jw_kv_text(w, "on_deadline", v->row.hold_at_deadline ? "hold" : "shed");
	jw_kv_text(w, "switch", v->rollout.switch_all ? "all" : "each");
	jw_kv_text(w, "rollout", v->rollout.manual ? "manual" : "automatic");
	jw_kv_bool(w, "exportable", v->row.exportable);
	jw_kv_bool(w, "paused", v->row.paused);
	jw_kv_int(w, "rev", v->row.rev);
	jw_kv_time(w, "created", v->row.created);
	jw_key(w, "versions");
	words_versions(a, w, v, pem);
}

static void write_authority(struct arena *a, struct json_writer *w, const struct credential_view *v, bool pem)
{
	jw_object(w);
	write_members(a, w, v, pem);
	jw_object_end(w);
}

static void reply_one(struct arena *a, int status, const struct credential_ret *x, struct http_reply *reply)
{
	struct json_writer w = http_reply_json(reply, status);
	write_authority(a, &w, &x->credential, true);
	http_reply_etag(reply, a, x->credential.row.rev);
}

static void create_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct credential_ret *x = ret;
	reply_one(a, words_created(r), x, reply);
	if (!r->dry_run)
		http_reply_header(reply, a, "Location", "/v1/authorities/%s", x->credential.row.uuid);
}

static void show_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	reply_one(a, 200, ret, reply);
}

static void list_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct credential_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	words_list_begin(&w);
	for (size_t i = 0; i < x->count; i++)
		write_authority(a, &w, &x->items[i], false);
	words_list_end(&w, x->next);
}

static const struct json_field SET_FIELDS[] = {
	{ "on_deadline", JF_TEXT, offsetof(struct renewal_set_cmd, on_deadline), 0, 0, 0 },
	WORDS_RENEWAL_FIELDS("", renewal_set_cmd, renew), WORDS_RENEWAL_FIELDS("leaf_", renewal_set_cmd, leaf_renew),
};

static troth_rc set_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct renewal_set_cmd *c = cmd;
	c->id = http_param(r, "id");
	if (words_body(a, r, SET_FIELDS, ARRAY_LEN(SET_FIELDS), c, e))
		renewal_set_check(a, c, e);
	return words_done(e);
}

static const struct json_field ROLLOUT_FIELDS[] = {
	{ "switch", JF_TEXT, offsetof(struct authority_rollout_cmd, switch_when), 0, 0, 0 },
	{ "rollout", JF_TEXT, offsetof(struct authority_rollout_cmd, rollout), 0, 0, 0 },
};

static troth_rc rollout_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct authority_rollout_cmd *c = cmd;
	c->id = http_param(r, "id");
	if (words_body(a, r, ROLLOUT_FIELDS, ARRAY_LEN(ROLLOUT_FIELDS), c, e))
		authority_rollout_check(a, c, e);
	return words_done(e);
}

/* -- signed elsewhere ----------------------------------------------------------------------------------------- */

static troth_rc csr_parse_path(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	((struct authority_csr_cmd *)cmd)->id = http_param(r, "id");
	return RC_OK;
}

static void csr_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct authority_csr_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "name", x->authority.name);
	jw_kv_text(&w, "version", x->version);
	jw_kv_int(&w, "number", x->ordinal);
	jw_kv_time(&w, "since", x->since);
	jw_kv_text(&w, "issuer", x->issuer);
	jw_kv_text(&w, "key_type", x->authority.key_type);
	jw_key(&w, "path_len");
	if (x->path_len >= 0)
		jw_int(&w, x->path_len);
	else
		jw_null(&w);
	jw_kv_text(&w, "csr", x->csr);
	jw_object_end(&w);
}

#define CERTIFY(name) { #name, JF_TEXT, offsetof(struct certify_cmd, name), 0, 0, LIMIT_PEM_BYTES }
static const struct json_field CERTIFY_FIELDS[] = { CERTIFY(certificate), CERTIFY(root) };

static troth_rc certify_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct certify_cmd *c = cmd;
	c->id = http_param(r, "id");
	if (words_body(a, r, CERTIFY_FIELDS, ARRAY_LEN(CERTIFY_FIELDS), c, e))
		certify_check(a, c, e);
	return words_done(e);
}

static void certify_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct certify_ret *x = ret;
	struct json_writer w = http_reply_json(reply, words_created(r));
	jw_object(&w);
	write_members(a, &w, &x->credential, true);
	jw_kv_text(&w, "certified", x->version);
	jw_kv_text(&w, "root", x->root);
	jw_kv_text(&w, "root_fingerprint", x->root_fingerprint);
	jw_kv_bool(&w, "root_made", x->root_made);
	jw_kv_text(&w, "rotation", x->rotation);
	jw_object_end(&w);
	http_reply_etag(reply, a, x->credential.row.rev);
}

#define IMPORT(name, max) { #name, JF_TEXT, offsetof(struct authority_import_cmd, name), 0, 0, max }
static const struct json_field IMPORT_FIELDS[] = { IMPORT(name, 0), IMPORT(certificate, LIMIT_PEM_BYTES) };

static troth_rc import_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	if (words_body(a, r, IMPORT_FIELDS, ARRAY_LEN(IMPORT_FIELDS), cmd, e))
		authority_import_check(a, cmd, e);
	return words_done(e);
}

static void import_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct authority_import_ret *x = ret;
	struct json_writer w = http_reply_json(reply, words_created(r));
	jw_object(&w);
	write_members(a, &w, &x->credential, true);
	jw_kv_bool(&w, "imported_anew", x->created);
	jw_kv_text(&w, "rotation", x->rotation);
	words_texts(&w, "asked", x->asked);
	jw_object_end(&w);
	http_reply_etag(reply, a, x->credential.row.rev);
	if (!r->dry_run)
		http_reply_header(reply, a, "Location", "/v1/authorities/%s", x->credential.row.uuid);
}

static const struct route ROWS[] = {
	{ HTTP_POST, "/v1/authorities/import", &VERB_AUTHORITY_IMPORT, import_parse, import_render,
	  .summary = "Bring the certificate of a CA whose key is elsewhere", .body = ROUTE_FIELDS(IMPORT_FIELDS),
	  .gives = "201 Imported", .fails = "404" },
	{ HTTP_GET, "/v1/authorities/{id}/csr", &VERB_AUTHORITY_CSR, csr_parse_path, csr_render,
	  .summary = "Fetch the request that somebody else is to sign", .gives = "200 AuthorityRequest", .fails = "409" },
	{ HTTP_POST, "/v1/authorities/{id}/certify", &VERB_AUTHORITY_CERTIFY, certify_parse, certify_render,
	  .summary = "Bring what somebody else signed", .body = ROUTE_FIELDS(CERTIFY_FIELDS), .gives = "201 Certified" },
	{ HTTP_PATCH, "/v1/authorities/{id}/rollout", &VERB_AUTHORITY_ROLLOUT, rollout_parse, show_render, ROUTE_IF_MATCH,
	  .summary = "Say how its rotations go", .body = ROUTE_FIELDS(ROLLOUT_FIELDS), .gives = "200 Authority" },
	{ HTTP_POST, "/v1/authorities", &VERB_AUTHORITY_CREATE, create_parse, create_render,
	  .summary = "Create an authority: a root, or an intermediate below an issuer", .body = ROUTE_FIELDS(CREATE_FIELDS),
	  .gives = "201 Authority", .fails = "404" },
	{ HTTP_GET, "/v1/authorities", &VERB_AUTHORITY_LIST, words_find, list_render,
	  .summary = "List authorities", .query = WORDS_FIND, .gives = "200 [Authority]", .fails = "404" },
	{ HTTP_GET, "/v1/authorities/{id}", &VERB_AUTHORITY_SHOW, words_id, show_render,
	  .summary = "Show an authority with the certificates of its versions", .gives = "200 Authority" },
	{ HTTP_PATCH, "/v1/authorities/{id}", &VERB_RENEWAL_SET, set_parse, show_render, ROUTE_IF_MATCH,
	  .summary = "Say anew when it and what it signs are renewed", .body = ROUTE_FIELDS(SET_FIELDS), .gives = "200 Authority" },
};
const struct route_table NATIVE_AUTHORITY_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
