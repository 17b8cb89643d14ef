/* PUT /api/v1/data: a CA that was made elsewhere, with its key.  Leaves are brought for the slots that serve them, by the
 * native API. */
#include "facade/credhub/words.h"

#include "service/ca/adopt.h"

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

/* A root may be said to be signed by itself; whoever is signed by another is not adopted. */
static troth_rc check_value(struct arena *a, const struct authority_adopt_cmd *c, const struct set_value *v, struct troth_err *e)
{
	ENSURE(v->ca || v->ca_name || v->certificate || v->private_key, e, TROTH_INVALID,
	       "At least one certificate attribute must be set. Please validate your input and retry your request.");
	ENSURE(!v->ca || !v->ca_name, e, TROTH_INVALID, "Only one of the values 'ca_name' and 'ca' may be provided. Please update and retry your request.");
	bool itself = (!v->ca || text_equal(v->ca, v->certificate)) && (!v->ca_name || text_equal(credhub_name(a, v->ca_name), c->name));
	ENSURE(itself && v->certificate && v->private_key, e, TROTH_INVALID,
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
	TRY(credhub_no_metadata(b.metadata, e));
	TRY(credhub_object(a, b.value, VALUE_FIELDS, ARRAY_LEN(VALUE_FIELDS), true, &v, e));
	c->name = credhub_name(a, b.name);
	TRY(check_value(a, c, &v, e));
	c->certificate = v.certificate;
	c->private_key = v.private_key;
	authority_adopt_check(a, c, e);
	return (troth_rc){ e->kind };
}

static void set_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct lookup_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	credhub_credential(a, &w, x, x->items);
}

static const struct route ROWS[] = {
	{ HTTP_PUT, "/api/v1/data", &VERB_AUTHORITY_ADOPT, set_parse, set_render, CREDHUB_FLAGS | ROUTE_SECRET, credhub_problem },
};
const struct route_table CREDHUB_SET_ROUTES = { ROWS, ARRAY_LEN(ROWS), CREDHUB_API };
