/* /v1/credentials: create, list, show, versions, renew. */
#include "facade/native/nouns.h"
#include "facade/native/words.h"
#include "service/handout/export.h"
#include "service/intake/upload.h"
#include "service/outside/holder.h"

#define FIELD(name, kind, max) { #name, kind, offsetof(struct credential_create_cmd, name), 0, 0, max }
#define NEEDED(name, kind, max) { #name, kind, offsetof(struct credential_create_cmd, name), JF_NEEDED, 0, max }
static const struct json_field CREATE_FIELDS[] = {
	NEEDED(name, JF_TEXT, 0), NEEDED(authority, JF_TEXT, 0), FIELD(common_name, JF_TEXT, 0), FIELD(organization, JF_TEXT, 0),
	FIELD(organizational_unit, JF_TEXT, 0), WORDS_PLACE_FIELDS(credential_create_cmd),
	FIELD(role, JF_TEXT, 0), FIELD(key_type, JF_TEXT, 0), NEEDED(sans, JF_TEXTS, LIMIT_SAN_COUNT), FIELD(ttl, JF_DURATION, 0),
	FIELD(clamp, JF_BOOL, 0), FIELD(csr, JF_TEXT, 2 * LIMIT_CSR_DER_BYTES),
	WORDS_RENEWAL_FIELDS("", credential_create_cmd, renew),
};

static troth_rc create_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	if (words_body(a, r, CREATE_FIELDS, ARRAY_LEN(CREATE_FIELDS), cmd, e))
		credential_create_check(a, cmd, e);
	return words_done(e);
}

static const struct json_field RENEW_FIELDS[] = {
	{ "csr", JF_TEXT, offsetof(struct credential_renew_cmd, csr), 0, 0, 2 * LIMIT_CSR_DER_BYTES },
};

static troth_rc renew_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	((struct credential_renew_cmd *)cmd)->id = http_param(r, "id");
	return http_body_read(a, r, RENEW_FIELDS, ARRAY_LEN(RENEW_FIELDS), cmd, e);
}

static const struct json_field SET_FIELDS[] = {
	WORDS_RENEWAL_FIELDS("", renewal_set_cmd, renew),
};

static troth_rc set_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct renewal_set_cmd *c = cmd;
	c->id = http_param(r, "id");
	if (words_body(a, r, SET_FIELDS, ARRAY_LEN(SET_FIELDS), c, e))
		renewal_set_check(a, c, e);
	return words_done(e);
}

static const struct json_field ATTEST_FIELDS[] = {
	{ "replaced", JF_TEXT, offsetof(struct attest_cmd, reason), JF_NEEDED, 0, 0 },
};

static troth_rc attest_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	((struct attest_cmd *)cmd)->id = http_param(r, "id");
	if (words_body(a, r, ATTEST_FIELDS, ARRAY_LEN(ATTEST_FIELDS), cmd, e))
		attest_check(a, cmd, e);
	return words_done(e);
}

static void attest_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct attest_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "name", x->name);
	jw_kv_text(&w, "replaced", x->reason);
	jw_kv_text(&w, "version", x->version);
	jw_kv_int(&w, "count", x->replaced);
	jw_object_end(&w);
}

#define UPLOAD(name, flags, max) { #name, JF_TEXT, offsetof(struct upload_cmd, name), flags, 0, max }
static const struct json_field UPLOAD_FIELDS[] = {
	UPLOAD(certificate, JF_NEEDED, LIMIT_PEM_BYTES), UPLOAD(chain, 0, LIMIT_PEM_BYTES), UPLOAD(private_key, JF_NEEDED, LIMIT_PEM_BYTES),
	UPLOAD(trust_issuer, 0, LIMIT_NAME_BYTES),
};

static troth_rc upload_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	arena_secret(a); /* a private key is read into it */
	((struct upload_cmd *)cmd)->id = http_param(r, "id");
	if (words_body(a, r, UPLOAD_FIELDS, ARRAY_LEN(UPLOAD_FIELDS), cmd, e)) {
		struct upload_chain chain;
		upload_chain_read(a, cmd, r->now, &chain, e);
	}
	return words_done(e);
}

static void write_members(struct arena *a, struct json_writer *w, const struct credential_view *v, bool pem)
{
	jw_kv_text(w, "id", v->row.uuid);
	jw_kv_text(w, "name", v->row.name);
	jw_kv_text(w, "authority", v->issuer);
	jw_kv_text(w, "role", credential_role_name(v->spec.eku));
	jw_kv_text(w, "key_type", v->row.key_type);
	jw_kv_text(w, "common_name", v->spec.common_name);
	words_subject(w, &v->spec);
	words_texts(w, "sans", v->spec.sans);
	words_duration(w, "ttl", v->row.leaf_ttl);
	words_renewal(a, w, "", v->row.renew);
	jw_kv_time(w, "expires", v->expires);
	jw_kv_time(w, "next_renewal", v->next_renewal);
	jw_kv_int(w, "rev", v->row.rev);
	jw_kv_time(w, "created", v->row.created);
	jw_kv_time(w, "retired", v->row.retired);
	if (!v->versions)
		return;
	jw_key(w, "versions");
	words_versions(a, w, v, pem);
}

static void reply_one(struct arena *a, int status, const struct credential_ret *x, struct http_reply *reply)
{
	struct json_writer w = http_reply_json(reply, status);
	jw_object(&w);
	write_members(a, &w, &x->credential, true);
	if (x->chain)
		jw_kv_text(&w, "chain", x->chain);
	if (x->asked.count)
		words_texts(&w, "asked", x->asked);
	jw_object_end(&w);
	http_reply_etag(reply, a, x->credential.row.rev);
}

static void upload_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct upload_ret *x = ret;
	struct json_writer w = http_reply_json(reply, words_created(r));
	jw_object(&w);
	write_members(a, &w, &x->credential, true);
	jw_kv_text(&w, "uploaded", x->version);
	jw_kv_text(&w, "anchor", x->anchor);
	jw_kv_int(&w, "slots", x->slots);
	jw_kv_bool(&w, "issuer_trusted_now", x->trusted_now);
	jw_object_end(&w);
	http_reply_etag(reply, a, x->credential.row.rev);
}

static void create_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct credential_ret *x = ret;
	reply_one(a, words_created(r), x, reply);
	if (!r->dry_run)
		http_reply_header(reply, a, "Location", "/v1/credentials/%s", x->credential.row.uuid);
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
	for (size_t i = 0; i < x->count; i++) {
		jw_object(&w);
		write_members(a, &w, &x->items[i], false);
		jw_object_end(&w);
	}
	words_list_end(&w, x->next);
}

static void versions_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct credential_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_key(&w, "items");
	words_versions(a, &w, &x->credential, true);
	jw_kv_text(&w, "next", NULL);
	jw_object_end(&w);
}

static troth_rc export_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	const char *version = http_query(r, "version");
	*(struct export_cmd *)cmd = (struct export_cmd){ http_param(r, "id"), version && version[0] ? version : NULL };
	return RC_OK;
}

static void export_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct export_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "name", x->name);
	jw_kv_text(&w, "version", x->version);
	jw_kv_text(&w, "certificate", x->certificate);
	words_texts(&w, "chain", x->chain);
	jw_kv_text(&w, "root", x->root);
	jw_object_end(&w);
}

static const struct route ROWS[] = {
	{ HTTP_POST, "/v1/credentials", &VERB_CREDENTIAL_CREATE, create_parse, create_render,
	  .summary = "Create a credential: a definition, or signed at once from a CSR", .body = ROUTE_FIELDS(CREATE_FIELDS),
	  .gives = "201 Credential", .fails = "404" },
	{ HTTP_GET, "/v1/credentials", &VERB_CREDENTIAL_LIST, words_find, list_render,
	  .summary = "List credentials", .query = WORDS_FIND, .gives = "200 [Credential]", .fails = "404" },
	{ HTTP_GET, "/v1/credentials/{id}", &VERB_CREDENTIAL_SHOW, words_id, show_render,
	  .summary = "Show a credential with its certificates", .gives = "200 Credential" },
	{ HTTP_PATCH, "/v1/credentials/{id}", &VERB_RENEWAL_SET, set_parse, show_render, ROUTE_IF_MATCH,
	  .summary = "Say anew when it is renewed", .body = ROUTE_FIELDS(SET_FIELDS), .gives = "200 Credential" },
	{ HTTP_GET, "/v1/credentials/{id}/versions", &VERB_CREDENTIAL_VERSIONS, words_id, versions_render,
	  .summary = "List the versions of a credential, newest first", .gives = "200 [Version]" },
	{ HTTP_GET, "/v1/credentials/{id}/export", &VERB_CREDENTIAL_EXPORT, export_parse, export_render,
	  .summary = "Give away a certificate with its chain and its root", .query = "version", .gives = "200 Exported" },
	{ HTTP_POST, "/v1/credentials/{id}/renew", &VERB_CREDENTIAL_RENEW, renew_parse, show_render, ROUTE_IF_MATCH,
	  .summary = "Renew a credential: sign a CSR, or ask its slots for new keys", .body = ROUTE_FIELDS(RENEW_FIELDS),
	  .gives = "200 Credential" },
	{ HTTP_POST, "/v1/credentials/{id}/upload", &VERB_CREDENTIAL_UPLOAD, upload_parse, upload_render, ROUTE_IF_MATCH,
	  .summary = "Bring a certificate that somebody else issued, with its key", .body = ROUTE_FIELDS(UPLOAD_FIELDS),
	  .gives = "201 Uploaded" },
	{ HTTP_POST, "/v1/credentials/{id}/attest", &VERB_CREDENTIAL_ATTEST, attest_parse, attest_render,
	  .summary = "Vouch for what is in use outside the fleet", .body = ROUTE_FIELDS(ATTEST_FIELDS), .gives = "200 Attested" },
};
const struct route_table NATIVE_CREDENTIAL_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
