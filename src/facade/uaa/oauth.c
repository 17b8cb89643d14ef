/* /oauth/token as UAA answers it (RFC 6749 section 4.3, 4.4, 6), for the credhub CLI, om and their libraries.
 *
 * Not here: users, groups, scopes to choose from, keys to verify tokens with.  What a token may is its principal's role and
 * scope.  Passwords in the query of a URL are not looked for: URLs are logged. */
#include <string.h>

#include "edge/uri.h"
#include "facade/uaa/uaa.h"
#include "service/nouns.h"
#include "service/server/login.h"

#define WORD(word) ("type:" word)

/* -- errors ----------------------------------------------------------------------------------------------------------- */
const char *uaa_auth_word(const struct http_request *r, const struct troth_err *e)
{
	if (text_equal(e->clause, ACCESS_TOKEN_EXPIRED))
		return "access_token_expired";
	return r && (r->bearer || r->peer_cert.len) ? "invalid_token" : "access_denied";
}

static const char *word_of(const struct http_request *r, const struct troth_err *e)
{
	if (strchr(e->clause, '_') && text_starts(e->clause, "type:"))
		return e->clause + strlen("type:"); /* a word of OAuth's own */
	if (e->kind == TROTH_UNAUTHENTICATED)
		return uaa_auth_word(r, e);
	switch (e->kind) {
	case TROTH_FORBIDDEN: return "access_denied";
	case TROTH_BUSY: case TROTH_UNAVAILABLE: return "temporarily_unavailable";
	case TROTH_IO: case TROTH_CORRUPT: case TROTH_INTERNAL: return "server_error";
	default: return "invalid_request";
	}
}

static void write_error(struct http_reply *reply, int status, const char *word, const char *text)
{
	struct json_writer w = http_reply_json(reply, status);
	jw_object(&w);
	jw_kv_text(&w, "error", word);
	jw_kv_text(&w, "error_description", text);
	jw_object_end(&w);
}

void uaa_problem(struct arena *a, const struct http_request *r, const struct troth_err *e, struct http_reply *reply)
{
	const char *text = e->hint[0] ? arena_printf(a, "%s; %s", e->primary, e->hint) : e->primary;
	write_error(reply, http_err_status(e), word_of(r, e), text);
}

/* -- the form ------------------------------------------------------------------------------------------------------------- */
static troth_rc wrong(struct troth_err *e, const char *clause, const char *text)
{
	troth_rc rc = err_set(e, TROTH_INVALID, "%s", text);
	err_clause(e, clause);
	return rc;
}

static troth_rc read_form(struct arena *a, const struct http_request *r, struct http_pairs *ret, struct troth_err *e)
{
	static const char form[] = "application/x-www-form-urlencoded";
	const char *type = http_header(r, "Content-Type");
	if (type && strncasecmp(type, form, sizeof form - 1) != 0)
		return wrong(e, "type:unsupported-media-type", "send Content-Type: application/x-www-form-urlencoded");
	TRY(http_body_form(a, r, ret, e));
	for (size_t i = 0; i < ret->count; i++) {
		ENSURE(strlen(ret->items[i].value) <= LIMIT_TEXT_BYTES, e, TROTH_TOO_LARGE, "parameter %.40s has more than %d bytes",
		       ret->items[i].name, LIMIT_TEXT_BYTES);
		for (size_t k = 0; k < i; k++)
			ENSURE(!text_equal(ret->items[i].name, ret->items[k].name), e, TROTH_INVALID, "parameter %.40s is said twice",
			       ret->items[i].name);
	}
	return RC_OK;
}

/* RFC 6749 2.3.1: both halves of Basic are form-encoded, and so libraries of Go send them; what cannot be that is as it is. */
static const char *form_decoded(struct arena *a, const char *text)
{
	struct http_pairs one;
	if (!strpbrk(text, "%+") || strchr(text, '&'))
		return text;
	const char *form = arena_printf(a, "v=%s", text);
	return rc_ok(uri_pairs_parse(a, form, strlen(form), &one, NULL)) && one.count == 1 ? one.items[0].value : text;
}

static troth_rc read_client(struct arena *a, const struct http_request *r, const struct http_pairs *form, struct login_cmd *c,
			    struct troth_err *e)
{
	const char *id = http_pairs_get(form, "client_id"), *secret = http_pairs_get(form, "client_secret");
	if (r->basic_user) {
		c->client = form_decoded(a, r->basic_user);
		c->client_secret = form_decoded(a, r->basic_password);
		bool same = (!id || text_equal(id, c->client)) && (!secret || text_equal(secret, c->client_secret));
		return same ? RC_OK : wrong(e, WORD("invalid_request"), "the form names another client than Authorization: Basic");
	}
	if (!id)
		return wrong(e, WORD("invalid_request"), "Missing client_id");
	c->client = id;
	c->client_secret = secret ? secret : "";
	return RC_OK;
}

static troth_rc need(const struct http_pairs *form, const char *name, const char **ret, struct troth_err *e)
{
	char text[64];
	*ret = http_pairs_get(form, name);
	(void)snprintf(text, sizeof text, "Missing %s", name);
	return *ret ? RC_OK : wrong(e, WORD("invalid_request"), text);
}

static troth_rc read_grant(const struct http_pairs *form, struct login_cmd *c, struct troth_err *e)
{
	const char *grant = http_pairs_get(form, "grant_type");
	if (!grant)
		return wrong(e, WORD("invalid_request"), "Missing grant type");
	if (text_equal(grant, "client_credentials")) {
		c->grant = LOGIN_CLIENT;
		return RC_OK;
	}
	if (text_equal(grant, "refresh_token")) {
		c->grant = LOGIN_REFRESH;
		return need(form, "refresh_token", &c->refresh_token, e);
	}
	if (!text_equal(grant, "password")) {
		troth_rc rc = err_set(e, TROTH_INVALID, "Unsupported grant type: %.60s", grant);
		err_clause(e, WORD("unsupported_grant_type"));
		return rc;
	}
	c->grant = LOGIN_PASSWORD;
	TRY(need(form, "username", &c->name, e));
	return need(form, "password", &c->password, e);
}

/* What would be tried only would be a guess that nobody counts; keys are their owner's, and before a login nobody is one. */
static troth_rc token_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct login_cmd *c = cmd;
	struct http_pairs form;
	arena_secret(a);
	if (r->dry_run || r->idempotency_key)
		return wrong(e, WORD("invalid_request"), "a login takes neither dry_run nor Idempotency-Key");
	TRY(read_form(a, r, &form, e));
	TRY(read_grant(&form, c, e));
	c->peer = r->peer;
	return read_client(a, r, &form, c, e);
}

/* -- answers ------------------------------------------------------------------------------------------------------------------ */
static void token_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct login_cmd *c = cmd;
	const struct login_ret *x = ret;
	if (x->refused) {
		write_error(reply, 401, c->grant == LOGIN_CLIENT ? "invalid_client" : "unauthorized", "Bad credentials");
		return;
	}
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "access_token", x->access_token);
	jw_kv_text(&w, "token_type", "bearer");
	if (x->refresh_token)
		jw_kv_text(&w, "refresh_token", x->refresh_token);
	jw_kv_int(&w, "expires_in", x->expires_in);
	jw_kv_text(&w, "scope", x->scope);
	jw_kv_text(&w, "jti", x->jti);
	jw_object_end(&w);
}

static troth_rc revoke_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	((struct id_cmd *)cmd)->id = http_param(r, "id");
	return RC_OK;
}

/* UAA's own 200 without a body. */
static void revoked_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	reply->status = 200;
}

#define LOGIN_FLAGS (ROUTE_NO_AUTH | ROUTE_ANY_BODY | ROUTE_SECRET)
static const struct route ROWS[] = {
	{ HTTP_POST, "/oauth/token", &VERB_LOGIN, token_parse, token_render, LOGIN_FLAGS, uaa_problem },
	{ HTTP_POST, "/uaa/oauth/token", &VERB_LOGIN, token_parse, token_render, LOGIN_FLAGS, uaa_problem },
	{ HTTP_DELETE, "/oauth/token/revoke/{id}", &VERB_LOGOUT, revoke_parse, revoked_render, 0, uaa_problem },
	{ HTTP_DELETE, "/uaa/oauth/token/revoke/{id}", &VERB_LOGOUT, revoke_parse, revoked_render, 0, uaa_problem },
};
const struct route_table UAA_ROUTES = { ROWS, ARRAY_LEN(ROWS), FACADE_ANY };
