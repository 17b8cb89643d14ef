/* /api/v1/data and /api/v1/regenerate: look, find, generate, regenerate, delete. */
#include "facade/credhub/words.h"

#include "model/name.h"
#include "service/handout/delete.h"
#include "service/handout/generate.h"
#include "service/handout/generate_below.h"
#include "service/handout/metadata.h"

/* -- GET ----------------------------------------------------------------------------------------------------------- */

static troth_rc find_parse(struct arena *a, const struct http_request *r, struct lookup_cmd *c, struct troth_err *e)
{
	struct catalog_cmd *list = ARENA_NEW(a, struct catalog_cmd);
	int64_t days = -1;
	TRY(http_query_int(r, "expires-within-days", -1, 0, INT32_MAX, &days, e));
	list->path = credhub_name(a, http_query(r, "path"));
	list->part = http_query(r, "name-like");
	list->ends_before = days >= 0 ? r->now + days * MSEC_DAY : 0;
	c->list = list;
	return RC_OK;
}

static troth_rc get_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct lookup_cmd *c = cmd;
	const char *name = http_query(r, "name");
	bool versions = http_query(r, "versions");
	arena_secret(a); /* a private key may be in the answer */
	TRY(credhub_plain(r, e));
	if (!name && (http_query(r, "path") || http_query(r, "name-like") || http_query(r, "expires-within-days")))
		return find_parse(a, r, c, e);
	if (!name || !*name)
		return credhub_refuse(e, "The query parameter name is required for this request.");
	c->name = credhub_name(a, name);
	c->keys = true;
	TRY(http_query_bool(r, "current", false, &c->current, e));
	if (c->current && versions)
		return credhub_refuse(e, "The query parameters current and versions cannot be provided in the same request.");
	return http_query_int(r, "versions", 0, 1, INT32_MAX, &c->newest, e);
}

static void write_found(struct json_writer *w, const struct catalog_ret *list, bool dates)
{
	jw_key(w, "credentials");
	jw_array(w);
	for (size_t i = 0; i < list->count; i++) {
		const struct lookup_ret *of = &list->items[i].of;
		const struct lookup_version *v = of->items; /* the one in use: what is beside it is told by the certificates list */
		for (size_t k = 0; k < of->count; k++)
			if (of->items[k].active)
				v = &of->items[k];
		jw_object(w);
		jw_kv_time(w, "version_created_at", v->version->row.created);
		jw_kv_text(w, "name", of->credential.row.name);
		if (dates)
			jw_kv_time(w, "expiry_date", v->version->cert.not_after);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void get_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct lookup_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	if (x->list) {
		write_found(&w, x->list, http_query(r, "expires-within-days"));
	} else {
		jw_key(&w, "data");
		credhub_array(a, &w, x);
	}
	jw_object_end(&w);
}

static troth_rc version_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct lookup_cmd *c = cmd;
	arena_secret(a);
	c->version = http_param(r, "id");
	c->keys = true;
	return credhub_plain(r, e);
}

/* -- POST: what was said ------------------------------------------------------------------------------------------- */

struct post_body {
	const char *name, *type, *mode;
	bool regenerate;
	const struct json *overwrite, *parameters, *metadata, *value; /* value: of a user, which is no certificate */
};
#define POST(name, kind) { #name, kind, offsetof(struct post_body, name), 0, 0, 0 }
static const struct json_field POST_FIELDS[] = {
	POST(name, JF_TEXT), POST(type, JF_TEXT), POST(mode, JF_TEXT), POST(regenerate, JF_BOOL), POST(overwrite, JF_ANY),
	POST(parameters, JF_ANY), POST(metadata, JF_ANY), POST(value, JF_ANY),
};

struct parameters {
	const char *common_name, *organization, *organization_unit, *locality, *state, *country, *ca, *key_type;
	struct json_texts alternative_names, key_usage, extended_key_usage;
	int64_t key_length, duration;
	bool is_ca, self_sign;
};
#define WORD(name, kind, max) { #name, kind, offsetof(struct parameters, name), 0, 0, max }
static const struct json_field PARAMETERS[] = {
	WORD(common_name, JF_TEXT, 0), WORD(organization, JF_TEXT, 0), WORD(organization_unit, JF_TEXT, 0), WORD(locality, JF_TEXT, 0),
	WORD(state, JF_TEXT, 0), WORD(country, JF_TEXT, 0), WORD(ca, JF_TEXT, 0), WORD(key_type, JF_TEXT, 0),
	WORD(alternative_names, JF_TEXTS, LIMIT_SAN_COUNT), WORD(key_usage, JF_TEXTS, 16), WORD(extended_key_usage, JF_TEXTS, 16),
	WORD(key_length, JF_INT, 0), WORD(duration, JF_INT, 0), WORD(is_ca, JF_BOOL, 0), WORD(self_sign, JF_BOOL, 0),
};

/* -- POST: what it means ------------------------------------------------------------------------------------------- */

static troth_rc read_mode(const struct post_body *b, struct generate_cmd *c, struct troth_err *e)
{
	bool said = b->overwrite && b->overwrite->type != JSON_NULL;
	if (said && b->overwrite->type != JSON_BOOL)
		return credhub_refuse(e, "The parameter 'overwrite' is true or false.");
	if (said && b->mode)
		return credhub_refuse(e, "The parameters 'mode' and 'overwrite' cannot be used in combination. Please update and retry your request.");
	c->mode = said ? b->overwrite->b ? GENERATE_OVERWRITE : GENERATE_KEEP : GENERATE_CONVERGE;
	if (!b->mode || text_equal(b->mode, "converge"))
		return RC_OK;
	c->mode = text_equal(b->mode, "overwrite") ? GENERATE_OVERWRITE : GENERATE_KEEP;
	if (c->mode == GENERATE_OVERWRITE || text_equal(b->mode, "no-overwrite"))
		return RC_OK;
	return credhub_refuse(e, "The mode is one of overwrite, no-overwrite and converge.");
}

static troth_rc check_subject(const struct parameters *p, struct troth_err *e)
{
	ENSURE(p->common_name || p->organization || p->organization_unit || p->locality || p->state || p->country, e, TROTH_INVALID,
	       "At least one subject value must be specified. Please update and retry your request.");
	return RC_OK;
}

static troth_rc check_signer(const struct parameters *p, struct troth_err *e)
{
	if (p->ca && p->self_sign)
		return credhub_refuse(e, "The parameters 'ca' and 'self-sign' cannot be used in combination. Please update and retry your request.");
	if (!p->ca && !p->self_sign && !p->is_ca)
		return credhub_refuse(e, "You must specify a signing CA or indicate self-signing when generating a certificate. Please update and retry your "
					 "request.");
	if (p->self_sign && !p->is_ca)
		return credhub_refuse(e, "troth does not issue self-signed leaves: whoever trusts one trusts that version alone, so none could be replaced "
					 "without a break. Name a CA, or say is_ca.");
	return RC_OK;
}

/* What is not written is refused by name, with the reason. */
static const struct usage_refusal { const char *word, *why; } LEAF_REFUSALS[] = {
	{ "key_cert_sign", "a leaf: only a CA signs certificates" },
	{ "crl_sign", "a leaf: only a CA signs lists of them" },
	{ "encipher_only", "a leaf: it narrows a key agreement that TLS does not use" },
	{ "decipher_only", "a leaf: it narrows a key agreement that TLS does not use" },
};

static troth_rc refuse_usage(const char *word, bool is_ca, struct troth_err *e)
{
	const char *why = is_ca ? "a CA: key_cert_sign and crl_sign are there always, and its key does nothing else" :
				  "a leaf: digital_signature, non_repudiation, key_encipherment, data_encipherment and key_agreement can be asked for";
	for (size_t i = 0; i < ARRAY_LEN(LEAF_REFUSALS) && !is_ca; i++)
		if (text_equal(LEAF_REFUSALS[i].word, word))
			why = LEAF_REFUSALS[i].why;
	return err_set(e, TROTH_INVALID, "troth writes no key usage '%.40s' into %s", word, why);
}

static troth_rc read_usage(const struct parameters *p, unsigned *ret, struct troth_err *e)
{
	*ret = 0;
	for (size_t i = 0; i < p->key_usage.count; i++) {
		const char *word = p->key_usage.items[i];
		unsigned bit = p->is_ca ? 0 : credential_usage_bit(word);
		if (!bit && !(p->is_ca && (text_equal(word, "key_cert_sign") || text_equal(word, "crl_sign"))))
			return refuse_usage(word, p->is_ca, e);
		*ret |= bit;
	}
	return RC_OK;
}

static troth_rc read_role(const struct parameters *p, struct generate_cmd *c, struct troth_err *e)
{
	bool server = !p->extended_key_usage.count, client = server;
	for (size_t i = 0; i < p->extended_key_usage.count; i++) {
		bool is_server = text_equal(p->extended_key_usage.items[i], "server_auth"), is_client = text_equal(p->extended_key_usage.items[i], "client_auth");
		ENSURE(is_server || is_client, e, TROTH_INVALID, "troth writes no extended key usage '%.40s': it issues for server_auth and client_auth, the handshakes that a rotation "
		       "keeps working",
		       p->extended_key_usage.items[i]);
		server = server || is_server;
		client = client || is_client;
	}
	c->role = server && client ? "both" : server ? "server" : "client";
	return RC_OK;
}

static const char *san_of(struct arena *a, const char *name)
{
	return arena_printf(a, "%s%.300s", text_is_address(name) ? "ip:" : "dns:", name);
}

/* No verifier looks at the common name any more: who gave no other is given that one. */
static troth_rc read_names(struct arena *a, const struct parameters *p, struct generate_cmd *c, struct troth_err *e)
{
	bool by_common = !p->alternative_names.count && p->common_name && !name_san_fault(san_of(a, p->common_name));
	c->sans.items = ARENA_ARRAY(a, const char *, p->alternative_names.count + 1);
	for (size_t i = 0; i < p->alternative_names.count; i++) {
		c->sans.items[c->sans.count++] = san_of(a, p->alternative_names.items[i]);
		ENSURE(!name_san_fault(c->sans.items[i]), e, TROTH_INVALID, "The alternative name '%.80s' %s", p->alternative_names.items[i],
		       name_san_fault(c->sans.items[i]));
	}
	if (by_common)
		c->sans.items[c->sans.count++] = san_of(a, p->common_name);
	ENSURE(c->sans.count, e, TROTH_INVALID, "A leaf needs a name that verifiers look at: say alternative_names, or a common_name that is a DNS name");
	return RC_OK;
}

static troth_rc read_parameters(struct arena *a, const struct parameters *p, struct generate_cmd *c, struct troth_err *e)
{
	TRY(check_signer(p, e));
	TRY(check_subject(p, e));
	TRY(read_usage(p, &c->key_usage, e));
	TRY(credhub_key_type(p->key_length, p->key_type, &c->key_type, e));
	if (p->duration != INT64_MIN)
		TRY(credhub_days(p->duration, &c->ttl, e));
	c->authority = c->exportable = p->is_ca;
	c->issuer = credhub_name(a, p->ca);
	c->common_name = p->common_name;
	c->organization = p->organization;
	c->organizational_unit = p->organization_unit;
	c->place = (struct cert_place){ .country = p->country, .state = p->state, .locality = p->locality };
	TRY(read_role(p, c, e));
	return p->is_ca ? RC_OK : read_names(a, p, c, e);
}

static troth_rc post_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct generate_cmd *c = cmd;
	struct post_body b = { 0 };
	struct parameters p = { .duration = INT64_MIN };
	arena_secret(a);
	TRY(credhub_body(a, r, POST_FIELDS, ARRAY_LEN(POST_FIELDS), false, &b, e));
	ENSURE(b.name, e, TROTH_INVALID, "A credential name must be provided. Please validate your input and retry your request.");
	TRY(metadata_read(a, b.metadata, &c->metadata, e));
	c->name = credhub_name(a, b.name);
	c->again = b.regenerate;
	if (!c->again)
		TRY(credhub_type(b.type, false, e));
	if (b.value)
		return credhub_unrecognized(a, "value", false, e);
	if (!c->again) {
		TRY(read_mode(&b, c, e));
		TRY(credhub_object(a, b.parameters, PARAMETERS, ARRAY_LEN(PARAMETERS), false, &p, e));
		TRY(read_parameters(a, &p, c, e));
	}
	generate_check(a, c, e);
	return (troth_rc){ e->kind };
}

static troth_rc again_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct generate_cmd *c = cmd;
	struct post_body b = { 0 };
	static const struct json_field FIELDS[] = { POST(name, JF_TEXT), POST(metadata, JF_ANY) };
	arena_secret(a);
	TRY(credhub_body(a, r, FIELDS, ARRAY_LEN(FIELDS), true, &b, e));
	ENSURE(b.name, e, TROTH_INVALID, "A credential name must be provided. Please validate your input and retry your request.");
	TRY(metadata_read(a, b.metadata, &c->metadata, e));
	c->name = credhub_name(a, b.name);
	c->again = true;
	generate_check(a, c, e);
	return (troth_rc){ e->kind };
}

struct below_body { const char *signed_by; };

static troth_rc below_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	static const struct json_field FIELDS[] = { { "signed_by", JF_TEXT, offsetof(struct below_body, signed_by), 0, 0, 0 } };
	struct below_body b = { 0 };
	arena_secret(a); /* keys are made */
	TRY(credhub_body(a, r, FIELDS, ARRAY_LEN(FIELDS), true, &b, e));
	ENSURE(b.signed_by, e, TROTH_INVALID, "You must specify a signing CA. Please update and retry your request.");
	((struct generate_below_cmd *)cmd)->authority = credhub_name(a, b.signed_by);
	return RC_OK;
}

static void below_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct generate_below_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_key(&w, "regenerated_credentials");
	jw_array(&w);
	for (size_t i = 0; i < x->names.count; i++)
		jw_text(&w, x->names.items[i]);
	jw_array_end(&w);
	jw_object_end(&w);
}

static troth_rc delete_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	const char *name = http_query(r, "name");
	TRY(credhub_plain(r, e));
	if (!name || !*name)
		return credhub_refuse(e, "The query parameter name is required for this request.");
	((struct delete_cmd *)cmd)->name = credhub_name(a, name);
	return RC_OK;
}

#define SECRET (CREDHUB_FLAGS | ROUTE_SECRET)
static const struct route ROWS[] = {
	{ HTTP_GET, "/api/v1/data", &VERB_CREDENTIAL_LOOKUP, get_parse, get_render, SECRET, credhub_problem },
	{ HTTP_GET, "/api/v1/data/{id}", &VERB_CREDENTIAL_LOOKUP, version_parse, credhub_render_one, SECRET, credhub_problem },
	{ HTTP_POST, "/api/v1/data", &VERB_CREDENTIAL_GENERATE, post_parse, credhub_render_made, SECRET, credhub_problem },
	{ HTTP_DELETE, "/api/v1/data", &VERB_CREDENTIAL_DELETE, delete_parse, NULL, CREDHUB_FLAGS, credhub_problem },
	{ HTTP_POST, "/api/v1/bulk-regenerate", &VERB_CREDENTIAL_GENERATE_BELOW, below_parse, below_render, CREDHUB_FLAGS, credhub_problem },
	{ HTTP_POST, "/api/v1/regenerate", &VERB_CREDENTIAL_GENERATE, again_parse, credhub_render_made, SECRET, credhub_problem },
};
const struct route_table CREDHUB_DATA_ROUTES = { ROWS, ARRAY_LEN(ROWS), CREDHUB_API };
