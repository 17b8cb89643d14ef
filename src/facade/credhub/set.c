/* A CA that was made elsewhere, with its key: PUT /api/v1/data for a new one, POST .../certificates/{id}/versions for the next
 * version of one that is there.  Leaves are brought for the slots that serve them, by the native API. */
#include "facade/credhub/words.h"

#include "service/ca/adopt.h"
#include "service/ca/metadata.h"

struct set_body {
	const char *name, *type;
	const struct json *value, *metadata;
};
struct set_value { const char *ca, *ca_name, *certificate, *private_key; };

#define SET(name, kind) { #name, kind, offsetof(struct set_body, name), 0, 0, 0 }
static const struct json_field SET_FIELDS[] = { SET(name, JF_TEXT), SET(type, JF_TEXT), SET(value, JF_ANY), SET(metadata, JF_ANY) };
#define VALUE(name, max) { #name, JF_TEXT, offsetof(struct set_value, name), 0, 0, max }
static const struct json_field VALUE_FIELDS[] = { VALUE(ca, LIMIT_PEM_BYTES), VALUE(ca_name, 0), VALUE(certificate, LIMIT_PEM_BYTES),
						  VALUE(private_key, LIMIT_PEM_BYTES) };

static troth_rc read_value(struct arena *a, const struct json *value, struct set_value *ret, struct troth_err *e)
{
	TRY(credhub_object(a, value, VALUE_FIELDS, ARRAY_LEN(VALUE_FIELDS), true, ret, e));
	ENSURE(ret->ca || ret->ca_name || ret->certificate || ret->private_key, e, TROTH_INVALID,
	       "At least one certificate attribute must be set. Please validate your input and retry your request.");
	ENSURE(!ret->ca || !ret->ca_name, e, TROTH_INVALID,
	       "Only one of the values 'ca_name' and 'ca' may be provided. Please update and retry your request.");
	return RC_OK;
}

/* A root may be said to be signed by itself; whoever is signed by another is not adopted. */
static troth_rc check_whole(const struct set_value *v, bool itself, struct troth_err *e)
{
	ENSURE(itself && (!v->ca || text_equal(v->ca, v->certificate)) && v->certificate && v->private_key, e, TROTH_INVALID,
	       "troth takes a self-signed CA with its private key here. A leaf is brought for its slots: troth credential upload; a root without "
	       "its key: troth authority import");
	return RC_OK;
}

static troth_rc set_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct authority_adopt_cmd *c = cmd;
	struct set_body b = { 0 };
	struct set_value v = { 0 };
	arena_secret(a); /* a private key is read into it */
	TRY(credhub_body(a, r, SET_FIELDS, ARRAY_LEN(SET_FIELDS), true, &b, e));
	ENSURE(b.name, e, TROTH_INVALID, "A credential name must be provided. Please validate your input and retry your request.");
	TRY(credhub_type(b.type, true, e));
	TRY(metadata_read(a, b.metadata, &c->metadata, e));
	TRY(read_value(a, b.value, &v, e));
	c->name = credhub_name(a, b.name);
	TRY(check_whole(&v, !v.ca_name || text_equal(credhub_name(a, v.ca_name), c->name), e));
	c->certificate = v.certificate;
	c->private_key = v.private_key;
	c->exportable = true;
	authority_adopt_check(a, c, e);
	return (troth_rc){ e->kind };
}

struct version_body { const struct json *value; bool transitional; };
#define VERSION(name, kind) { #name, kind, offsetof(struct version_body, name), 0, 0, 0 }
static const struct json_field VERSION_FIELDS[] = { VERSION(value, JF_ANY), VERSION(transitional, JF_BOOL) };

static troth_rc version_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct authority_adopt_next_cmd *c = cmd;
	struct version_body b = { 0 };
	struct set_value v = { 0 };
	arena_secret(a);
	TRY(credhub_body(a, r, VERSION_FIELDS, ARRAY_LEN(VERSION_FIELDS), true, &b, e));
	TRY(read_value(a, b.value, &v, e));
	TRY(check_whole(&v, true, e));
	*c = (struct authority_adopt_next_cmd){ http_param(r, "id"), credhub_name(a, v.ca_name), v.certificate, v.private_key, b.transitional };
	return RC_OK;
}

static void set_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct lookup_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	credhub_credential(a, &w, x, x->items);
}

static const struct route ROWS[] = {
	{ HTTP_PUT, "/api/v1/data", &VERB_AUTHORITY_ADOPT, set_parse, set_render, CREDHUB_FLAGS | ROUTE_SECRET, credhub_problem },
	{ HTTP_POST, "/api/v1/certificates/{id}/versions", &VERB_AUTHORITY_ADOPT_NEXT, version_parse, set_render, CREDHUB_FLAGS | ROUTE_SECRET,
	  credhub_problem },
};
const struct route_table CREDHUB_SET_ROUTES = { ROWS, ARRAY_LEN(ROWS), CREDHUB_API };
