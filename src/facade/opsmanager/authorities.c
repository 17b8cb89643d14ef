/* /api/v0/certificate_authorities: the CAs, and a rotation step by step. */
#include "facade/opsmanager/errors.h"
#include "facade/opsmanager/opsmanager.h"
#include "pki/cert.h"
#include "service/rotation/steps.h"

/* -- reading: body and query say the same two things, as its documents are not of one mind ------------------- */
static const struct json_field ORDER_FIELDS[] = {
	{ "skip_safety_check", JF_BOOL, offsetof(struct order_cmd, force), 0, 0, 0 },
};
static const struct json_field GENERATE_FIELDS[] = {
	{ "skip_safety_check", JF_BOOL, offsetof(struct order_cmd, force), 0, 0, 0 },
	{ "exclude_from_rotation", JF_TEXTS, offsetof(struct order_cmd, exclude), 0, 0, LIMIT_PAGE },
};

static const struct json_field CREATE_FIELDS[] = {
	{ "cert_pem", JF_TEXT, offsetof(struct order_cmd, source.certificate), JF_REQUIRED, 0, LIMIT_PEM_BYTES },
	{ "private_key_pem", JF_TEXT, offsetof(struct order_cmd, source.private_key), JF_REQUIRED, 0, LIMIT_PEM_BYTES },
	{ "skip_safety_check", JF_BOOL, offsetof(struct order_cmd, force), 0, 0, 0 },
	{ "exclude_from_rotation", JF_TEXTS, offsetof(struct order_cmd, exclude), 0, 0, LIMIT_PAGE },
};

/* om sends no body, {}, and `om curl` whatever its caller typed: null counts as none. */
static troth_rc read_body(struct arena *a, const struct http_request *r, const struct json_field *fields, size_t n, void *cmd, struct troth_err *e)
{
	const struct json *j;
	if (!r->body.len)
		return RC_OK;
	TRY(json_parse(a, r->body, &j, e));
	return j->type == JSON_NULL ? RC_OK : json_read(a, j, fields, n, cmd, e);
}

static troth_rc read_order(struct arena *a, const struct http_request *r, const struct json_field *fields, size_t n, struct order_cmd *cmd,
			   struct troth_err *e)
{
	cmd->version = http_param(r, "guid");
	TRY(read_body(a, r, fields, n, cmd, e));
	return http_query_bool(r, "skip_safety_check", cmd->force, &cmd->force, e);
}

static troth_rc order_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	return read_order(a, r, ORDER_FIELDS, ARRAY_LEN(ORDER_FIELDS), cmd, e);
}

static troth_rc generate_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	return read_order(a, r, GENERATE_FIELDS, ARRAY_LEN(GENERATE_FIELDS), cmd, e);
}

static troth_rc create_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct order_cmd *c = cmd;
	arena_secret(a); /* a private key is read into it */
	TRY(http_body_read(a, r, CREATE_FIELDS, ARRAY_LEN(CREATE_FIELDS), c, e));
	c->source.path = "$.cert_pem";
	return http_query_bool(r, "skip_safety_check", c->force, &c->force, e);
}

/* -- safety violations --------------------------------------------------------------------------------------------- */
static const char *const TEXTS[] = {
	[VIOLATION_TWO_SIGNERS] = "there is more than one signing version of a certificate authority",
	[VIOLATION_UNFINISHED] = "certificate authorities can not have a transitional version",
	[VIOLATION_OLD_CHILDREN] = "latest certificate authority versions with active children are not signing",
	[VIOLATION_NEEDED] = "certificate authority versions with active children can not be deleted", /* these two are ours */
	[VIOLATION_ENDS_ROTATION] = "latest certificate authority version is not active yet",
};

struct words { const char *done, *failed, *error; }; /* of one operation */
static const struct words GENERATE = { "regenerated", "regenerate_failed", "failed to create new inactive certificate authorities" };
static const struct words REGENERATE = { "regenerated", "regenerate_failed", "failed to regenerate leaf certificates" };
static const struct words DELETE = { "updated", "update_failed", "failed to delete the certificate authority" };

static void write_blocking(struct json_writer *w, const struct order_ret *x)
{
	jw_key(w, "blocking");
	jw_array(w);
	for (size_t i = 0; i < x->violation_count; i++)
		for (size_t k = 0; k < x->violations[i].blocking.count; k++) {
			const struct in_use *u = &x->violations[i].blocking.items[k];
			jw_object(w);
			jw_kv_text(w, "deployment", u->deployment);
			jw_kv_text(w, "version_id", u->version_uuid);
			jw_kv_time(w, "since", u->since);
			jw_kv_bool(w, "ephemeral", u->ephemeral);
			jw_kv_time(w, "lease_until", u->lease_until);
			jw_object_end(w);
		}
	jw_array_end(w);
	jw_key(w, "retry_after");
	if (x->retry_after)
		jw_int(w, (x->retry_after + MSEC_S - 1) / MSEC_S);
	else
		jw_null(w);
}

static void write_violations(struct json_writer *w, const struct order_ret *x)
{
	jw_key(w, "safety_violations");
	jw_array(w);
	for (size_t i = 0; i < x->violation_count; i++) {
		jw_object(w);
		jw_kv_text(w, "violation", TEXTS[x->violations[i].kind]);
		jw_key(w, "certificate_names");
		jw_array(w);
		jw_text(w, x->violations[i].name);
		jw_array_end(w);
		jw_kv_text(w, "migitation", x->violations[i].advice); /* so its schema spells it */
		jw_object_end(w);
	}
	jw_array_end(w);
}

/* -- answers ------------------------------------------------------------------------------------------------------------- */
static void write_refs(struct json_writer *w, const char *key, const struct ordered_leaf *items, size_t n)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < n; i++) {
		jw_object(w);
		jw_kv_text(w, "location", items[i].root ? "ops_manager" : "credhub");
		jw_kv_text(w, "product_guid", NULL);
		jw_kv_text(w, "property_reference", NULL);
		jw_kv_text(w, "variable_path", items[i].name);
		jw_kv_text(w, "reason", items[i].why);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void write_certificates(struct json_writer *w, const struct words *words, const struct order_ret *x)
{
	jw_key(w, "certificates");
	jw_object(w);
	write_refs(w, words->done, x->leaves, x->leaf_count);
	write_refs(w, "excluded", x->excluded, x->excluded_count);
	write_refs(w, words->failed, NULL, 0);
	jw_object_end(w);
}

static void write_ca(struct arena *a, struct json_writer *w, const struct root_view *v)
{
	jw_kv_text(w, "guid", v->version.row.uuid);
	jw_kv_text(w, "issuer", v->version.cert.issuer);
	jw_kv_time(w, "created_on", v->version.row.created);
	jw_kv_time(w, "expires_on", v->version.cert.not_after);
	jw_kv_bool(w, "active", v->active);
	jw_kv_text(w, "cert_pem", cert_pem(a, v->version.cert.der));
}

static void write_refusal(struct http_reply *reply, const struct words *words, const struct order_ret *x)
{
	struct json_writer w = http_reply_json(reply, 422);
	jw_object(&w);
	write_certificates(&w, words, &(struct order_ret){ 0 });
	write_violations(&w, x);
	jw_key(&w, "errors");
	jw_array(&w);
	jw_text(&w, words->error);
	jw_array_end(&w);
	write_blocking(&w, x);
	jw_object_end(&w);
}

/* One that was made just now is introduced, and then waited for: no clock may be behind its begin (engine-rules 3). */
static void write_warnings(struct arena *a, struct json_writer *w, const struct http_request *r, const struct order_cmd *cmd,
			   const struct version_view *v)
{
	char from[RFC3339_LEN];
	msec_t usable = v->cert.not_before + LIMIT_SKEW_S * MSEC_S;
	jw_key(w, "warnings");
	jw_array(w);
	if (cmd->source.certificate && usable > r->now)
		jw_text(w, arena_printf(a, "its certificate has just begun, and clocks may be behind: what it signs is served from %s on", time_format(usable, from)));
	jw_array_end(w);
}

static void generate_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct order_ret *x = ret;
	if (x->violation_count) {
		write_refusal(reply, &GENERATE, x);
		return;
	}
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	write_ca(a, &w, &x->root);
	write_warnings(a, &w, r, cmd, &x->root.version);
	write_certificates(&w, &GENERATE, x);
	jw_object_end(&w);
}

static void regenerate_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct order_ret *x = ret;
	if (x->violation_count) {
		write_refusal(reply, &REGENERATE, x);
		return;
	}
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	write_certificates(&w, &REGENERATE, x);
	jw_object_end(&w);
}

/* What is updated is the root itself. */
static void write_updated(struct http_reply *reply, const struct order_ret *x)
{
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_key(&w, "certificates");
	jw_object(&w);
	write_refs(&w, "updated", x->leaves, x->leaf_count);
	write_refs(&w, "excluded", NULL, 0);
	write_refs(&w, "update_failed", NULL, 0);
	jw_object_end(&w);
	jw_object_end(&w);
}

static void activate_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	write_updated(reply, ret);
}

static void delete_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct order_ret *x = ret;
	if (x->violation_count)
		write_refusal(reply, &DELETE, x);
	else
		write_updated(reply, x);
}

static void list_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct root_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_key(&w, "certificate_authorities");
	jw_array(&w);
	for (size_t i = 0; i < x->count; i++) {
		jw_object(&w);
		write_ca(a, &w, &x->items[i]);
		jw_object_end(&w);
	}
	jw_array_end(&w);
	jw_object_end(&w);
}

/* The active ones, in one text. */
static void root_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct root_list_ret *x = ret;
	const char **pems = ARENA_ARRAY(a, const char *, x->count + 1);
	size_t n = 0;
	for (size_t i = 0; i < x->count; i++)
		if (x->items[i].active)
			pems[n++] = cert_pem(a, x->items[i].version.cert.der);
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "root_ca_certificate_pem", arena_join(a, pems, n));
	jw_object_end(&w);
}

#define CHANGE (ROUTE_ANY_BODY | ROUTE_SIGNS) /* any Content-Type, and no dry run: its words know none */
#define OF_ORDER .problem = opsman_problem, .query = "skip_safety_check"
static const struct route ROWS[] = {
	{ HTTP_GET, "/api/v0/certificate_authorities", &VERB_ROOT_LIST, NULL, list_render, ROUTE_ANY_BODY, opsman_problem,
	  .summary = "List certificate authorities" },
	{ HTTP_POST, "/api/v0/certificate_authorities", &VERB_ROOT_GENERATE, create_parse, generate_render, CHANGE, OF_ORDER,
	  .summary = "Bring a certificate authority" },
	{ HTTP_POST, "/api/v0/certificate_authorities/generate", &VERB_ROOT_GENERATE, generate_parse, generate_render, CHANGE, OF_ORDER,
	  .summary = "Generate a certificate authority" },
	{ HTTP_POST, "/api/v0/certificate_authorities/active/regenerate", &VERB_ROOT_REGENERATE, order_parse, regenerate_render,
	  CHANGE | ROUTE_HOLD, OF_ORDER, .summary = "Regenerate leaf certificates" },
	{ HTTP_POST, "/api/v0/certificate_authorities/{guid}/activate", &VERB_ROOT_ACTIVATE, order_parse, activate_render, CHANGE, OF_ORDER,
	  .summary = "Activate a certificate authority" },
	{ HTTP_DELETE, "/api/v0/certificate_authorities/{guid}", &VERB_ROOT_REMOVE, order_parse, delete_render, CHANGE, OF_ORDER,
	  .summary = "Delete a certificate authority" },
	{ HTTP_GET, "/api/v0/security/root_ca_certificate", &VERB_ROOT_LIST, NULL, root_render, ROUTE_ANY_BODY, opsman_problem,
	  .summary = "Show the root CA certificate" },
};
const struct route_table OPSMANAGER_AUTHORITY_ROUTES = { ROWS, ARRAY_LEN(ROWS), OPSMANAGER_API };
