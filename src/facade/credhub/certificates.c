/* /api/v1/certificates: list, versions, regenerate, and who is trusted beside the one that signs. */
#include "facade/credhub/words.h"

#include "service/handout/forget.h"
#include "service/handout/generate.h"
#include "service/handout/metadata.h"
#include "service/rotation/beside.h"

/* -- looking ---------------------------------------------------------------------------------------------------------- */

static troth_rc list_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct catalog_cmd *list = ARENA_NEW(a, struct catalog_cmd);
	list->name = credhub_name(a, http_query(r, "name"));
	((struct lookup_cmd *)cmd)->list = list;
	return credhub_plain(r, e);
}

static void write_meta_version(struct json_writer *w, const struct lookup_version *v)
{
	jw_object(w);
	jw_kv_text(w, "id", v->version->row.uuid);
	jw_kv_time(w, "expiry_date", v->version->cert.not_after);
	jw_kv_bool(w, "transitional", v->beside);
	jw_kv_bool(w, "certificate_authority", v->version->cert.is_ca);
	jw_kv_bool(w, "self_signed", v->version->cert.self_signed);
	jw_kv_bool(w, "generated", v->generated);
	jw_object_end(w);
}

/* What signs itself is signed by itself, by name. */
static const char *signer_of(const struct lookup_ret *x)
{
	if (x->credential.issuer)
		return x->credential.issuer;
	return x->count && x->items[0].version->cert.self_signed ? x->credential.row.name : "";
}

static void write_meta(struct json_writer *w, const struct catalog_item *item)
{
	const struct lookup_ret *x = &item->of;
	jw_object(w);
	jw_kv_text(w, "name", x->credential.row.name);
	jw_kv_text(w, "id", x->credential.row.uuid);
	jw_kv_text(w, "signed_by", signer_of(x));
	jw_key(w, "signs");
	jw_array(w);
	for (size_t i = 0; i < item->sign_count; i++)
		jw_text(w, item->signs[i]);
	jw_array_end(w);
	jw_key(w, "versions");
	jw_array(w);
	for (size_t i = 0; i < x->count; i++)
		write_meta_version(w, &x->items[i]);
	jw_array_end(w);
	jw_object_end(w);
}

static void list_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct lookup_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_key(&w, "certificates");
	jw_array(&w);
	for (size_t i = 0; i < x->list->count; i++)
		write_meta(&w, &x->list->items[i]);
	jw_array_end(&w);
	jw_object_end(&w);
}

static troth_rc versions_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct lookup_cmd *c = cmd;
	arena_secret(a); /* a private key may be in the answer */
	c->id = http_param(r, "id");
	c->keys = true;
	TRY(http_query_bool(r, "current", false, &c->current, e));
	return credhub_plain(r, e);
}

static void versions_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	struct json_writer w = http_reply_json(reply, 200);
	credhub_array(a, &w, ret);
}

/* -- regenerate ------------------------------------------------------------------------------------------------------- */

struct regenerate_body {
	bool set_as_transitional, allow_transitional_parent_to_sign;
	int64_t key_length, duration;
	const char *key_type;
	const struct json *metadata;
};
#define BODY(name, kind) { #name, kind, offsetof(struct regenerate_body, name), 0, 0, 0 }
static const struct json_field REGENERATE_FIELDS[] = {
	BODY(set_as_transitional, JF_BOOL), BODY(allow_transitional_parent_to_sign, JF_BOOL), BODY(key_length, JF_INT), BODY(duration, JF_INT),
	BODY(key_type, JF_TEXT), BODY(metadata, JF_ANY),
};

/* The parent's newest wanted version signs, whether the caller allows it or not: a new CA below an old one would have to go with it. */
static troth_rc regenerate_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct generate_cmd *c = cmd;
	struct regenerate_body b = { .duration = INT64_MIN };
	arena_secret(a);
	TRY(credhub_body(a, r, REGENERATE_FIELDS, ARRAY_LEN(REGENERATE_FIELDS), true, &b, e));
	TRY(metadata_read(a, b.metadata, &c->metadata, e));
	TRY(credhub_key_type(b.key_length, b.key_type, &c->key_type, e));
	if (b.duration != INT64_MIN)
		TRY(credhub_days(b.duration, &c->ttl, e));
	c->id = http_param(r, "id");
	c->again = true;
	c->beside = b.set_as_transitional;
	return RC_OK;
}

/* -- beside ----------------------------------------------------------------------------------------------------------- */

/* What was refused, an administrator may want all the same. */
static bool insists(const struct http_request *r)
{
	const char *force = http_header(r, "X-Troth-Force");
	return force && text_equal(force, "true");
}

static troth_rc beside_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct beside_cmd *c = cmd;
	static const struct json_field FIELDS[] = { { "version", JF_TEXT, offsetof(struct beside_cmd, version), 0, 0, 0 } };
	TRY(credhub_body(a, r, FIELDS, ARRAY_LEN(FIELDS), true, c, e));
	c->id = http_param(r, "id");
	c->force = insists(r);
	return RC_OK;
}

static void beside_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct lookup_ret *x = ret;
	struct lookup_ret current = *x;
	current.items = ARENA_ARRAY(a, struct lookup_version, x->count + 1);
	current.count = 0;
	for (size_t i = 0; i < x->count; i++)
		if (x->items[i].active)
			current.items[current.count++] = x->items[i];
	for (size_t i = 0; i < x->count; i++)
		if (x->items[i].beside)
			current.items[current.count++] = x->items[i];
	struct json_writer w = http_reply_json(reply, 200);
	credhub_array(a, &w, &current);
}

static troth_rc forget_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	*(struct forget_cmd *)cmd = (struct forget_cmd){ http_param(r, "id"), http_param(r, "version"), insists(r) };
	return credhub_plain(r, e);
}

static const struct route ROWS[] = {
	{ HTTP_GET, "/api/v1/certificates", &VERB_CREDENTIAL_LOOKUP, list_parse, list_render, CREDHUB_FLAGS, credhub_problem },
	{ HTTP_GET, "/api/v1/certificates/{id}/versions", &VERB_CREDENTIAL_LOOKUP, versions_parse, versions_render, CREDHUB_FLAGS | ROUTE_SECRET,
	  credhub_problem },
	{ HTTP_DELETE, "/api/v1/certificates/{id}/versions/{version}", &VERB_VERSION_FORGET, forget_parse, credhub_render_one, CREDHUB_FLAGS,
	  credhub_problem },
	{ HTTP_POST, "/api/v1/certificates/{id}/regenerate", &VERB_CREDENTIAL_GENERATE, regenerate_parse, credhub_render_made,
	  CREDHUB_FLAGS | ROUTE_SECRET, credhub_problem },
	{ HTTP_PUT, "/api/v1/certificates/{id}/update_transitional_version", &VERB_AUTHORITY_BESIDE, beside_parse, beside_render, CREDHUB_FLAGS,
	  credhub_problem },
};
const struct route_table CREDHUB_CERTIFICATE_ROUTES = { ROWS, ARRAY_LEN(ROWS), CREDHUB_API };
