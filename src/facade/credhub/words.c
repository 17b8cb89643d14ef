/* What CredHub's routes share.  See words.h. */
#include "facade/credhub/words.h"

#include <string.h>
#include <strings.h>

#include "facade/uaa/uaa.h"
#include "service/handout/forget.h"
#include "service/handout/generate.h"
#include "service/intake/adopt.h"
#include "service/intake/set.h"
#include "service/rotation/beside.h"
#include "service/server/permission.h"

#define CLAUSE_UNPROCESSABLE "type:unprocessable"

/* -- errors ------------------------------------------------------------------------------------------------- */

static const char NOT_FOUND[] = "The request could not be completed because the credential does not exist or you do not have sufficient "
				"authorization.";
static const char BAD_REQUEST[] = "The request could not be fulfilled because the request path or body did not meet expectation. Please check "
				  "the documentation for required formatting and retry your request.";
static const char NO_IDENTITY[] = "The provided authentication mechanism does not provide a valid identity. Please contact your system "
				  "administrator.";
static const char BROKEN[] = "An application error occurred. Please contact your CredHub administrator.";

/* Refusals of verbs for which CredHub has words of its own. */
static const struct { const char *clause; int status; const char *text; } OWN_WORDS[] = {
	{ CLAUSE_NO_ISSUER, 404, "The request could not be completed because the CA does not exist or you do not have sufficient authorization." },
	{ CLAUSE_KEYLESS, 400, "The specified CA object does not have an associated private key." },
	{ CLAUSE_STATIC, 400, "The credential could not be regenerated because the certificate was statically set and is not self-signed or is "
			      "invalid." },
	{ CLAUSE_OTHER_KEY, 400, "The provided certificate does not match the private key." },
	{ CLAUSE_NO_CERTIFICATE, 400, "The provided certificate value is not a valid X509 certificate." },
	{ CLAUSE_NO_CA, 400, "The provided CA value is not a valid X509 certificate authority." },
	{ CLAUSE_NO_CA_NAME, 400, "The requested certificate cannot be signed by the given CA because the given CA is not a certificate authority. A "
				  "certificate must contain the extension 'Certificate Authority: YES' to be used to sign other certificates." },
	{ CLAUSE_NOT_BY, 400, "The provided certificate was not signed by the CA specified in the 'ca' property." },
	{ CLAUSE_NOT_BY_NAME, 400, "The provided certificate was not signed by the CA specified in the 'ca_name' property." },
	{ CLAUSE_LAST_VERSION, 400, "The minimum number of versions for a Certificate is 1." },
	{ CLAUSE_NO_PERMISSION, 404, "The request includes a permission that does not exist." },
	{ CLAUSE_PERMISSION_UNSEEN, 404, "The request could not be completed because the permission does not exist or you do not have sufficient "
					 "authorization." },
	{ CLAUSE_PERMISSION_THERE, 409, "A permission entry for this actor and path already exists. Please use PUT to update the permission entry." },
	{ CLAUSE_PERMISSION_OWN, 400, "Modification of access control for the authenticated user is not allowed. Please contact an administrator." },
	{ CLAUSE_PERMISSION_OTHER, 400, "The permission guid does not match the provided actor and path." },
	{ CLAUSE_PERMISSION_OPERATION, 400, "The provided operation is not supported. Valid values include read, write, delete, read_acl, and write_acl." },
	{ CLAUSE_ONE_BESIDE, 400, "The maximum number of transitional versions for a given CA is 1." },
	{ CLAUSE_FOREIGN_VERSION, 400, "The request could not be completed because the specified version does not exist or does not belong to the "
				       "specified credential." },
	{ "type:unsupported-media-type", 400, BAD_REQUEST },
};

/* Who may not delete is told what he is told of what is not there; for permissions write_acl is asked, which is a WRITE. */
static bool hides(const struct http_request *r) { return r->method == HTTP_DELETE && text_starts(r->path, "/api/v1/"); }

static int status_of(const struct http_request *r, const struct troth_err *e)
{
	if (text_equal(e->clause, CLAUSE_UNPROCESSABLE))
		return 422;
	switch (e->kind) {
	case TROTH_UNAUTHENTICATED: return 401;
	case TROTH_FORBIDDEN: return hides(r) ? 404 : 403;
	case TROTH_NOT_FOUND: return 404;
	case TROTH_BUSY: case TROTH_UNAVAILABLE: case TROTH_TIMEOUT: return 503;
	case TROTH_IO: case TROTH_CORRUPT: case TROTH_INTERNAL: return 500;
	default: return 400;
	}
}

/* Everything that was found, on one line. */
static const char *findings_text(struct arena *a, const struct troth_err *e)
{
	const char *all = "";
	for (const struct finding *f = e->findings; f; f = f->next)
		all = arena_printf(a, "%s%s%s %s%s%s", all, all[0] ? "; " : "", f->path, f->text, f->hint ? ": " : "", f->hint ? f->hint : "");
	return all;
}

static const char *own_text(struct arena *a, const struct troth_err *e)
{
	if (e->findings)
		return findings_text(a, e);
	return arena_printf(a, "%s%s%s%s%s", e->primary, e->detail[0] ? ": " : "", e->detail, e->hint[0] ? ". To do: " : "", e->hint);
}

static void write_error(struct http_reply *reply, int status, const char *code, const char *text)
{
	struct json_writer w = http_reply_json(reply, status);
	jw_object(&w);
	jw_kv_text(&w, "error", code ? code : text);
	if (code)
		jw_kv_text(&w, "error_description", text);
	jw_object_end(&w);
}

void credhub_problem(struct arena *a, const struct http_request *r, const struct troth_err *e, struct http_reply *reply)
{
	int status = status_of(r, e);
	if (text_equal(e->clause, "type:method-not-allowed")) {
		reply->status = 404;
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(OWN_WORDS); i++)
		if (text_equal(e->clause, OWN_WORDS[i].clause)) {
			write_error(reply, OWN_WORDS[i].status, NULL, OWN_WORDS[i].text);
			return;
		}
	if (status == 401 && r->peer_cert.len && !r->bearer)
		write_error(reply, 401, NULL, NO_IDENTITY);
	else if (status == 401)
		write_error(reply, 401, uaa_auth_word(r, e), e->primary);
	else
		write_error(reply, status, NULL, status == 403 || status == 404 ? NOT_FOUND : status == 500 ? BROKEN : own_text(a, e));
}

troth_rc credhub_refuse(struct troth_err *e, const char *text) { return err_set(e, TROTH_INVALID, "%s", text); }

troth_rc credhub_unprocessable(struct troth_err *e, const char *text)
{
	troth_rc rc = credhub_refuse(e, text);
	err_clause(e, CLAUSE_UNPROCESSABLE);
	return rc;
}

troth_rc credhub_plain(const struct http_request *r, struct troth_err *e)
{
	ENSURE(!r->dry_run, e, TROTH_INVALID, "dry_run is no parameter of this API: nothing was done");
	return RC_OK;
}

/* -- bodies --------------------------------------------------------------------------------------------------- */

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; } /* JSON's; a NUL is none */

static bool says_nothing(struct bytes body)
{
	while (body.len && is_blank(body.data[body.len - 1]))
		body.len--;
	while (body.len && is_blank(body.data[0])) {
		body.data++;
		body.len--;
	}
	return !body.len || bytes_equal(body, bytes_of_text("null"));
}

static bool is_json(const struct http_request *r)
{
	const char *type = http_header(r, "Content-Type");
	return !type || strncasecmp(type, "application/json", strlen("application/json")) == 0;
}

troth_rc credhub_unrecognized(struct arena *a, const char *member, bool strict, struct troth_err *e)
{
	const char *text = arena_printf(a, "The request includes an unrecognized parameter '%.60s'. Please update or remove this parameter and retry "
					   "your request.", member);
	return strict ? credhub_unprocessable(e, text) : credhub_refuse(e, text);
}

/* What is "" is as if it were not said; what is not known is refused by name. */
static troth_rc known_members(struct arena *a, const struct json *j, const struct json_field *fields, size_t n, bool strict,
			      struct json *ret, struct troth_err *e)
{
	*ret = *j;
	ret->map.values = ARENA_ARRAY(a, struct json, j->map.count + 1);
	for (size_t i = 0; i < j->map.count; i++) {
		bool known = false;
		for (size_t k = 0; k < n; k++)
			known = known || text_equal(fields[k].name, j->map.keys[i]);
		if (!known)
			return credhub_unrecognized(a, j->map.keys[i], strict, e);
		ret->map.values[i] = j->map.values[i];
		if (j->map.values[i].type == JSON_STRING && !j->map.values[i].str.len)
			ret->map.values[i].type = JSON_NULL;
	}
	return RC_OK;
}

static troth_rc read_object(struct arena *a, const struct json *j, const struct json_field *fields, size_t n, bool strict, void *out,
			    struct troth_err *e)
{
	struct json known;
	if (j->type != JSON_OBJECT)
		return credhub_refuse(e, BAD_REQUEST);
	TRY(known_members(a, j, fields, n, strict, &known, e));
	return json_read(a, &known, fields, n, out, e);
}

troth_rc credhub_body(struct arena *a, const struct http_request *r, const struct json_field *fields, size_t n, bool strict, void *out,
		      struct troth_err *e)
{
	const struct json *j;
	TRY(credhub_plain(r, e));
	if (says_nothing(r->body))
		return RC_OK;
	if (!is_json(r) || rc_failed(json_parse(a, r->body, &j, e)))
		return credhub_refuse(e, BAD_REQUEST);
	return read_object(a, j, fields, n, strict, out, e);
}

troth_rc credhub_object(struct arena *a, const struct json *j, const struct json_field *fields, size_t n, bool strict, void *out,
			struct troth_err *e)
{
	return !j || j->type == JSON_NULL ? RC_OK : read_object(a, j, fields, n, strict, out, e);
}

troth_rc credhub_type(const char *type, bool strict, struct troth_err *e)
{
	static const char *const OTHERS[] = { "value", "json", "password", "user", "ssh", "rsa" };
	static const char UNKNOWN[] = "The request does not include a valid type. Valid values include 'value', 'json', 'password', 'user', 'certificate', "
				      "'ssh' and 'rsa'.";
	for (size_t i = 0; i < ARRAY_LEN(OTHERS); i++)
		ENSURE(!text_equal(type, OTHERS[i]), e, TROTH_INVALID, "troth keeps certificates only: a credential of type '%s' cannot be kept here", type);
	if (type && text_equal(type, "certificate"))
		return RC_OK;
	return strict ? credhub_unprocessable(e, UNKNOWN) : credhub_refuse(e, UNKNOWN);
}

/* -- values --------------------------------------------------------------------------------------------------- */

const char *credhub_name(struct arena *a, const char *name)
{
	return !name || name[0] == '/' ? name : arena_printf(a, "/%s", name);
}

troth_rc credhub_days(int64_t days, msec_t *ret, struct troth_err *e)
{
	if (days < 1 || days > 3650)
		return credhub_refuse(e, "Invalid duration specified. The supported duration values are whole numbers between 1-3650.");
	*ret = days * MSEC_DAY;
	return RC_OK;
}

troth_rc credhub_key_type(int64_t key_length, const char *key_type, const char **ret, struct troth_err *e)
{
	*ret = key_type;
	if (!key_length)
		return RC_OK;
	if (key_type)
		return credhub_refuse(e, "The parameters 'key_length' and 'key_type' cannot be used in combination.");
	*ret = key_length == 2048 ? "rsa-2048" : key_length == 3072 ? "rsa-3072" : key_length == 4096 ? "rsa-4096" : NULL;
	return *ret ? RC_OK : credhub_refuse(e, "The provided key length is not supported. Valid values include '2048', '3072' and '4096'.");
}

/* -- writing --------------------------------------------------------------------------------------------------- */

/* The members of one version; the object stays open. */
static void write_version(struct arena *a, struct json_writer *w, const struct lookup_ret *of, const struct lookup_version *v)
{
	const struct version_view *x = v->version;
	jw_object(w);
	jw_kv_text(w, "type", "certificate");
	jw_kv_time(w, "version_created_at", x->row.created);
	jw_kv_text(w, "id", x->row.uuid);
	jw_kv_text(w, "name", of->credential.row.name);
	jw_key(w, "metadata");
	jw_raw(w, v->metadata ? v->metadata : "null");
	jw_kv_time(w, "expiry_date", x->cert.not_after);
	jw_kv_bool(w, "transitional", v->beside);
	jw_kv_bool(w, "certificate_authority", x->cert.is_ca);
	jw_kv_bool(w, "self_signed", x->cert.self_signed);
	jw_kv_bool(w, "generated", v->generated);
	jw_key(w, "value");
	jw_object(w);
	jw_kv_text(w, "ca", v->ca);
	jw_kv_text(w, "certificate", cert_pem(a, x->cert.der));
	jw_kv_text(w, "private_key", v->private_key);
	jw_object_end(w);
}

static void write_credential(struct arena *a, struct json_writer *w, const struct lookup_ret *of, const struct lookup_version *v)
{
	write_version(a, w, of, v);
	jw_object_end(w);
}

void credhub_array(struct arena *a, struct json_writer *w, const struct lookup_ret *of)
{
	jw_array(w);
	for (size_t i = 0; i < of->count; i++)
		write_credential(a, w, of, &of->items[i]);
	jw_array_end(w);
}

static int64_t key_bits(const char *key_type)
{
	static const struct { const char *name; int64_t bits; } BITS[] = {
		{ "rsa-2048", 2048 }, { "rsa-3072", 3072 }, { "rsa-4096", 4096 }, { "ec-p256", 256 }, { "ec-p384", 384 }, { "ed25519", 256 },
	};
	for (size_t i = 0; i < ARRAY_LEN(BITS); i++)
		if (text_equal(key_type, BITS[i].name))
			return BITS[i].bits;
	return 0;
}

void credhub_render_one(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct lookup_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	write_credential(a, &w, x, x->items);
}

void credhub_render_made(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct generate_ret *x = ret;
	const struct cert_row *made = &x->of.items->version->cert;
	msec_t asked = x->made ? ((const struct generate_cmd *)cmd)->ttl : 0; /* 0: nothing was said */
	int64_t days = (made->not_after - made->not_before) / MSEC_DAY;       /* notBefore lies a little back, so whole days are what was asked for */
	struct json_writer w = http_reply_json(reply, 200);
	write_version(a, &w, &x->of, x->of.items);
	jw_kv_bool(&w, "duration_overridden", asked && days != asked / MSEC_DAY);
	jw_kv_int(&w, "duration_used", days);
	jw_kv_int(&w, "key_length", key_bits(x->of.credential.row.key_type));
	jw_object_end(&w);
}
