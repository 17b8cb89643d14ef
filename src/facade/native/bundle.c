/* /v1/bundles: create, list, show; members in and out. */
#include "facade/native/nouns.h"
#include "facade/native/words.h"

static const struct json_field CERTIFICATE_FIELDS[] = {
	{ "alias", JF_TEXT, offsetof(struct bundle_certificate, alias), JF_NEEDED, 0, 0 },
	{ "pem", JF_TEXT, offsetof(struct bundle_certificate, pem), JF_NEEDED, 0, LIMIT_PEM_BYTES },
	{ "source", JF_TEXT, offsetof(struct bundle_certificate, source), 0, 0, 0 },
};

struct create_body { /* certificates are read in a second step */
	struct bundle_create_cmd cmd;
	const struct json *certificates;
};
static const struct json_field CREATE_FIELDS[] = {
	{ "name", JF_TEXT, offsetof(struct create_body, cmd.name), JF_NEEDED, 0, 0 },
	{ "authorities", JF_TEXTS, offsetof(struct create_body, cmd.authorities), 0, 0, LIMIT_BUNDLE_CERTS },
	{ "certificates", JF_ANY, offsetof(struct create_body, certificates), 0, 0, 0, "BundleMember", CERTIFICATE_FIELDS,
	  ARRAY_LEN(CERTIFICATE_FIELDS) },
};

static troth_rc create_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct create_body body = { 0 };
	void *items;
	if (!words_body(a, r, CREATE_FIELDS, ARRAY_LEN(CREATE_FIELDS), &body, e))
		return words_done(e);
	words_objects(a, body.certificates, CERTIFICATE_FIELDS, ARRAY_LEN(CERTIFICATE_FIELDS), sizeof(struct bundle_certificate),
		      LIMIT_BUNDLE_CERTS, &items, &body.cmd.certificate_count, e);
	body.cmd.certificates = items;
	for (size_t i = 0; i < body.cmd.certificate_count; i++)
		body.cmd.certificates[i].path = arena_printf(a, "$.certificates[%zu]", i);
	bundle_create_check(a, &body.cmd, e);
	*(struct bundle_create_cmd *)cmd = body.cmd;
	return words_done(e);
}

static const struct json_field ADD_FIELDS[] = {
	{ "authority", JF_TEXT, offsetof(struct bundle_add_cmd, authority), 0, 0, 0 },
	{ "alias", JF_TEXT, offsetof(struct bundle_add_cmd, certificate.alias), 0, 0, 0 },
	{ "pem", JF_TEXT, offsetof(struct bundle_add_cmd, certificate.pem), 0, 0, LIMIT_PEM_BYTES },
	{ "source", JF_TEXT, offsetof(struct bundle_add_cmd, certificate.source), 0, 0, 0 },
};

static troth_rc add_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	((struct bundle_add_cmd *)cmd)->id = http_param(r, "id");
	if (words_body(a, r, ADD_FIELDS, ARRAY_LEN(ADD_FIELDS), cmd, e))
		bundle_add_check(a, cmd, e);
	return words_done(e);
}

static troth_rc remove_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	*(struct bundle_remove_cmd *)cmd = (struct bundle_remove_cmd){ http_param(r, "id"), http_param(r, "member") };
	return RC_OK;
}

static void write_member(struct arena *a, struct json_writer *w, const struct bundle_member_view *m, bool pem)
{
	jw_object(w);
	jw_kv_text(w, "id", arena_printf(a, "%lld", (long long)m->row.id));
	if (m->authority) {
		jw_kv_text(w, "authority", m->authority);
	} else {
		jw_kv_text(w, "alias", m->row.alias);
		jw_kv_text(w, "source", m->row.source);
		words_cert(a, w, &m->cert, pem);
	}
	jw_kv_time(w, "created", m->row.created);
	jw_object_end(w);
}

static void write_bundle(struct arena *a, struct json_writer *w, const struct bundle_view *v, bool pem)
{
	jw_object(w);
	jw_kv_text(w, "id", v->row.uuid);
	jw_kv_text(w, "name", v->row.name);
	jw_kv_int(w, "rev", v->row.rev);
	jw_kv_time(w, "created", v->row.created);
	jw_key(w, "members");
	jw_array(w);
	for (size_t i = 0; i < v->member_count; i++)
		write_member(a, w, &v->members[i], pem);
	jw_array_end(w);
	jw_object_end(w);
}

static void reply_one(struct arena *a, int status, const struct bundle_ret *x, struct http_reply *reply)
{
	struct json_writer w = http_reply_json(reply, status);
	write_bundle(a, &w, &x->bundle, true);
	http_reply_etag(reply, a, x->bundle.row.rev);
}

static void create_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct bundle_ret *x = ret;
	reply_one(a, words_created(r), x, reply);
	if (!r->dry_run)
		http_reply_header(reply, a, "Location", "/v1/bundles/%s", x->bundle.row.uuid);
}

static void show_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	reply_one(a, 200, ret, reply);
}

/* A dry run says what would be done first; a store that still needs the CA keeps it until then. */
static void remove_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct bundle_ret *x = ret;
	if (!r->dry_run) {
		reply_one(a, 200, x, reply);
		return;
	}
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_bool(&w, "dry_run", true);
	jw_kv_text(&w, "name", x->bundle.row.name);
	jw_key(&w, "next");
	jw_array(&w);
	for (size_t i = 0; i < x->next.count; i++)
		jw_text(&w, x->next.items[i]);
	jw_array_end(&w);
	jw_object_end(&w);
}

static void list_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct bundle_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	words_list_begin(&w);
	for (size_t i = 0; i < x->count; i++)
		write_bundle(a, &w, &x->items[i], false);
	words_list_end(&w, x->next);
}

static const struct route ROWS[] = {
	{ HTTP_POST, "/v1/bundles", &VERB_BUNDLE_CREATE, create_parse, create_render,
	  .summary = "Create a bundle of trusted CAs", .body = ROUTE_FIELDS(CREATE_FIELDS), .gives = "201 Bundle", .fails = "404" },
	{ HTTP_GET, "/v1/bundles", &VERB_BUNDLE_LIST, words_list, list_render,
	  .summary = "List bundles", .query = "name after limit", .gives = "200 [Bundle]" },
	{ HTTP_GET, "/v1/bundles/{id}", &VERB_BUNDLE_SHOW, words_id, show_render,
	  .summary = "Show a bundle with its certificates", .gives = "200 Bundle" },
	{ HTTP_POST, "/v1/bundles/{id}/members", &VERB_BUNDLE_ADD, add_parse, create_render, ROUTE_IF_MATCH,
	  .summary = "Add an authority or a certificate to a bundle", .body = ROUTE_FIELDS(ADD_FIELDS), .gives = "201 Bundle" },
	{ HTTP_DELETE, "/v1/bundles/{id}/members/{member}", &VERB_BUNDLE_REMOVE, remove_parse, remove_render, ROUTE_IF_MATCH,
	  .summary = "Take a member out of a bundle", .gives = "200 Bundle|BundlePreview" },
};
const struct route_table NATIVE_BUNDLE_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
