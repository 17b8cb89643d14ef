/* What was made elsewhere: PUT /api/v1/data by name, POST .../certificates/{id}/versions by id.  What it comes to is one verb's (set.h). */
#include "facade/credhub/words.h"

#include <string.h>

#include "service/handout/metadata.h"
#include "service/intake/set.h"

enum { CERTIFICATE_CHARACTERS = 7000 }; /* CredHub's own limit: fewer than these */

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

static bool is_long(const char *pem) { return pem && strlen(pem) >= CERTIFICATE_CHARACTERS; }

static troth_rc read_value(struct arena *a, const struct json *value, struct set_cmd *c, struct troth_err *e)
{
	struct set_value v = { 0 };
	TRY(credhub_object(a, value, VALUE_FIELDS, ARRAY_LEN(VALUE_FIELDS), true, &v, e));
	if (!v.ca && !v.certificate && !v.private_key)
		return credhub_refuse(e, "At least one certificate attribute must be set. Please validate your input and retry your request.");
	if (v.ca && v.ca_name)
		return credhub_refuse(e, "Only one of the values 'ca_name' and 'ca' may be provided. Please update and retry your request.");
	if (is_long(v.certificate) || is_long(v.ca))
		return credhub_refuse(e, "The provided certificate value is too long. Certificate lengths must be less than 7000 characters.");
	if (!v.certificate)
		return credhub_refuse(e, "You must provide a certificate.");
	c->certificate = v.certificate;
	c->private_key = v.private_key;
	c->ca = v.ca;
	c->issuer = credhub_name(a, v.ca_name);
	return RC_OK;
}

static troth_rc set_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct set_cmd *c = cmd;
	struct set_body b = { 0 };
	arena_secret(a); /* a private key is read into it */
	TRY(credhub_body(a, r, SET_FIELDS, ARRAY_LEN(SET_FIELDS), true, &b, e));
	ENSURE(b.name, e, TROTH_INVALID, "A credential name must be provided. Please validate your input and retry your request.");
	TRY(credhub_type(b.type, true, e));
	TRY(metadata_read(a, b.metadata, &c->metadata, e));
	c->name = credhub_name(a, b.name);
	c->exportable = true;
	return read_value(a, b.value, c, e);
}

struct version_body { const struct json *value; bool transitional; };
#define VERSION(name, kind) { #name, kind, offsetof(struct version_body, name), 0, 0, 0 }
static const struct json_field VERSION_FIELDS[] = { VERSION(value, JF_ANY), VERSION(transitional, JF_BOOL) };

static troth_rc version_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct set_cmd *c = cmd;
	struct version_body b = { 0 };
	arena_secret(a);
	TRY(credhub_body(a, r, VERSION_FIELDS, ARRAY_LEN(VERSION_FIELDS), true, &b, e));
	c->id = http_param(r, "id");
	c->beside = b.transitional;
	return read_value(a, b.value, c, e);
}

static const struct route ROWS[] = {
	{ HTTP_PUT, "/api/v1/data", &VERB_CREDENTIAL_BRING, set_parse, credhub_render_one, CREDHUB_FLAGS | ROUTE_SECRET, credhub_problem },
	{ HTTP_POST, "/api/v1/certificates/{id}/versions", &VERB_CREDENTIAL_BRING, version_parse, credhub_render_one, CREDHUB_FLAGS | ROUTE_SECRET,
	  credhub_problem },
};
const struct route_table CREDHUB_SET_ROUTES = { ROWS, ARRAY_LEN(ROWS), CREDHUB_API };
