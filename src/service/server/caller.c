/* Who is calling: a bearer token (a principal's own, or one that a login gave) or a verified client certificate becomes a principal.
 *
 * A certificate is an instance's identity (then it is that instance's agent and nothing else) or a
 * principal's own.  It is looked up by fingerprint, so an old identity stops working when it is replaced,
 * and a leaver's when it leaves, without any revocation list. */
#include "service/nouns.h"
#include "service/server/permission.h"

static void fill(struct principal *p, const struct principal_row *row)
{
	*p = (struct principal){ .id = row->id, .roles = (unsigned)row->roles & ~(unsigned)(ROLE_SYSTEM | ROLE_AGENT),
				 .instance_id = row->instance_id };
	(void)text_copy(p->uuid, sizeof p->uuid, row->uuid);      /* a UUID */
	(void)text_copy(p->name, sizeof p->name, row->name);      /* bounded when it was made */
	(void)text_copy(p->scope, sizeof p->scope, row->scope);
}

static void fill_agent(struct principal *p, const struct instance_row *row)
{
	*p = (struct principal){ .roles = ROLE_AGENT, .instance_id = row->id };
	(void)text_copy(p->uuid, sizeof p->uuid, row->uuid);
	(void)snprintf(p->name, sizeof p->name, "agent %s", row->name);
}

static troth_rc by_row(struct verb_ctx *ctx, const struct principal_row *row, const char *facade, struct principal_ret *ret,
		       struct troth_err *e)
{
	char when[RFC3339_LEN];
	if (!text_equal(row->facade, facade) && !text_equal(facade, FACADE_ANY)) {
		troth_rc rc = err_set(e, TROTH_UNAUTHENTICATED, "the credential of %s is good for the API %s, not for %s", row->name,
				      facade_name(row->facade), facade_name(facade));
		err_hint(e, "one for this API: troth principal add NAME --facade %s", facade_name(facade));
		return rc;
	}
	if (row->expires && row->expires <= ctx->now) {
		troth_rc rc = err_set(e, TROTH_UNAUTHENTICATED, "principal %s expired %s", row->name, time_format(row->expires, when));
		err_hint(e, "ask an administrator for a new one");
		return rc;
	}
	fill(&ret->principal, row);
	if (text_equal(row->scope, SCOPE_NONE))
		TRY(permission_load(ctx, row->id, &ret->principal, e));
	ret->used_long_ago = ctx->now - row->last_used >= PRINCIPAL_USED_EVERY;
	return RC_OK;
}

/* "{" in base64url: it was a login's, and is known no more.  Who has a refresh token goes on; nothing is told by it, as anybody can write one. */
static bool looks_like_a_logins(const char *bearer) { return text_starts(bearer, "eyJ"); }

static troth_rc unknown_token(const char *bearer, struct troth_err *e)
{
	if (looks_like_a_logins(bearer)) {
		troth_rc rc = err_set(e, TROTH_UNAUTHENTICATED, "the access token is over");
		err_hint(e, "log in again");
		err_clause(e, ACCESS_TOKEN_EXPIRED);
		return rc;
	}
	troth_rc rc = err_set(e, TROTH_UNAUTHENTICATED, "the bearer token is not known here");
	err_hint(e, "check the token file, or ask an administrator for a token");
	return rc;
}

static troth_rc by_login(struct verb_ctx *ctx, const char *bearer, const struct login_row *login, const char *facade, struct principal_ret *ret,
			 struct troth_err *e)
{
	struct principal_row row;
	char when[RFC3339_LEN];
	TRY(principal_row_get(ctx->tx, ctx->a, login->principal_id, &row, e));
	if (row.revoked)
		return unknown_token(bearer, e);
	if (login->expires <= ctx->now) {
		troth_rc rc = err_set(e, TROTH_UNAUTHENTICATED, "the access token expired %s", time_format(login->expires, when));
		err_hint(e, "log in again");
		err_clause(e, ACCESS_TOKEN_EXPIRED);
		return rc;
	}
	return by_row(ctx, &row, facade, ret, e);
}

static troth_rc by_token(struct verb_ctx *ctx, const char *bearer, const char *facade, struct principal_ret *ret, struct troth_err *e)
{
	struct principal_row row;
	uint8_t hash[SHA256_LEN];
	token_hash(bearer, hash);
	struct bytes key = bytes_of(hash, sizeof hash);
	struct login_row login;
	if (rc_ok(principal_row_by_token_hash(ctx->tx, ctx->a, key, &row, NULL)))
		return by_row(ctx, &row, facade, ret, e);
	if (rc_ok(login_row_by_hash(ctx->tx, ctx->a, key, &login, NULL)) && !login.refresh)
		return by_login(ctx, bearer, &login, facade, ret, e);
	return unknown_token(bearer, e);
}

/* TLS looks at the dates when a connection begins; a connection may outlive them. */
static troth_rc identity_valid(struct verb_ctx *ctx, const struct instance_row *row, struct bytes der, const uint8_t print[SHA256_LEN],
			       struct troth_err *e)
{
	char when[RFC3339_LEN];
	const struct cert *former;
	msec_t end = row->identity_not_after;
	if (!bytes_equal(row->identity_fingerprint, bytes_of(print, SHA256_LEN))) {
		TRY(cert_parse(ctx->a, der, &former, e));
		end = former->not_after;
	}
	if (ctx->now < end)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_UNAUTHENTICATED, "the identity of instance %s expired %s", row->name, time_format(end, when));
	err_hint(e, "its agent asks for a new one by itself: troth recover list");
	return rc;
}

static troth_rc by_certificate(struct verb_ctx *ctx, struct bytes der, const char *facade, struct principal_ret *ret, struct troth_err *e)
{
	struct instance_row instance = { 0 };
	struct principal_row row;
	uint8_t print[SHA256_LEN];
	pki_sha256(der, print);
	struct bytes key = bytes_of(print, sizeof print);
	if (rc_ok(instance_row_by_fingerprint(ctx->tx, ctx->a, key, &instance, NULL)))
		fill_agent(&ret->principal, &instance);
	else if (rc_ok(principal_row_by_fingerprint(ctx->tx, ctx->a, key, &row, NULL)))
		TRY(by_row(ctx, &row, facade, ret, e));
	else {
		troth_rc rc = err_set(e, TROTH_UNAUTHENTICATED, "the client certificate is not, or no longer, anybody's here");
		err_hint(e, "an instance that was deleted enrols again with a new token: troth agent enroll");
		return rc;
	}
	memcpy(ret->principal.fingerprint, print, sizeof print);
	return instance.id ? identity_valid(ctx, &instance, der, print, e) : RC_OK;
}

static troth_rc resolve_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct principal_resolve_cmd *cmd = arg;
	struct principal_ret *ret = out;
	if (cmd->bearer)
		return by_token(ctx, cmd->bearer, cmd->facade, ret, e);
	if (cmd->peer_cert.len)
		return by_certificate(ctx, cmd->peer_cert, cmd->facade, ret, e);
	ret->principal = PRINCIPAL_ANONYMOUS;
	return RC_OK;
}

static troth_rc self_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct principal_ret *ret = out;
	ret->principal = *ctx->who;
	return RC_OK;
}

/* No audit row: nothing changed but when. */
static troth_rc used_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct principal_row row;
	TRY(principal_row_by_uuid(ctx->tx, ctx->a, cmd->id, &row, e));
	row.last_used = ctx->now;
	return principal_row_update(ctx->tx, &row, e);
}

const struct verb VERB_PRINCIPAL_RESOLVE = { "principal.resolve", VERB_READ, ROLES_ANY, sizeof(struct principal_resolve_cmd),
					     sizeof(struct principal_ret), NULL, resolve_run };
const struct verb VERB_PRINCIPAL_USED = { "principal.used", VERB_WRITE, ROLE_SYSTEM, sizeof(struct id_cmd), sizeof(struct no_ret), NULL,
					  used_run };
const struct verb VERB_PRINCIPAL_SELF = { "principal.self", VERB_READ, ROLES_READ | ROLE_AGENT, sizeof(struct no_cmd),
					  sizeof(struct principal_ret), NULL, self_run };
