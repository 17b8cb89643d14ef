/* Logging in and out.  See login.h.
 *
 * An access token looks like a JWT, because real clients take its middle apart (jti, exp, user_name), but it is not one: the
 * last part is 256 random bits, and the store knows the SHA-256 of the whole.  So it can be ended at any time, outlives a
 * restart, and there is no key that makes tokens. */
#include "service/server/login.h"

#include "pki/password.h"
#include "service/nouns.h"
#include "service/record.h"

enum { SECRET_BYTES = 32 };

static const struct client { const char *id, *facade, *scope; } CLIENTS[] = { /* of people; their secret is empty */
	{ "troth", NULL, "troth" },
	{ "credhub_cli", "credhub", "credhub.read credhub.write" },
	{ "opsman", "opsmanager", "opsman.admin" },
};

static const struct client *client_by_id(const char *id)
{
	for (size_t i = 0; i < ARRAY_LEN(CLIENTS); i++)
		if (text_equal(CLIENTS[i].id, id))
			return &CLIENTS[i];
	return NULL;
}

static const char *scope_of(const char *facade)
{
	for (size_t i = 0; i < ARRAY_LEN(CLIENTS); i++)
		if (text_equal(CLIENTS[i].facade, facade))
			return CLIENTS[i].scope;
	return "";
}

/* -- whose password ----------------------------------------------------------------------------------------------- */
struct login_plan {
	int64_t principal_id; /* 0: nobody's; the work is done all the same */
	const char *kept;
	bool matches;
};

static bool lives(const struct principal_row *row, msec_t now) { return !row->revoked && (!row->expires || row->expires > now); }

/* A person comes through the program of the API that the password is good for. */
static bool comes_rightly(const struct login_cmd *cmd, const struct principal_row *row)
{
	const struct client *client = client_by_id(cmd->client);
	if (!row->password)
		return false;
	return cmd->grant == LOGIN_CLIENT || (client && !cmd->client_secret[0] && text_equal(client->facade, row->facade));
}

static const char *said_password(const struct login_cmd *cmd) { return cmd->grant == LOGIN_CLIENT ? cmd->client_secret : cmd->password; }

static troth_rc compare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	struct login_plan *plan = ctx->plan;
	return password_check(plan->kept, said_password(arg), &plan->matches, e);
}

/* A refresh token cannot be guessed, so nothing is hidden by taking long, and nobody unknown gets as far as the writer. */
static troth_rc find_refresh(struct verb_ctx *ctx, const struct login_cmd *cmd, struct login_row *held, struct principal_row *who,
			     struct troth_err *e)
{
	uint8_t hash[SHA256_LEN];
	token_hash(cmd->refresh_token, hash);
	if (rc_ok(login_row_by_hash(ctx->tx, ctx->a, bytes_of(hash, sizeof hash), held, NULL)) && held->refresh && held->expires > ctx->now &&
	    text_equal(held->client, cmd->client) && rc_ok(principal_row_get(ctx->tx, ctx->a, held->principal_id, who, NULL)) && lives(who, ctx->now))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_UNAUTHENTICATED, "The refresh token expired, was revoked, or is not one of this client");
	err_clause(e, REFRESH_TOKEN_INVALID);
	return rc;
}

static troth_rc login_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct login_cmd *cmd = arg;
	struct login_plan *plan = ARENA_NEW(ctx->a, struct login_plan);
	struct principal_row row;
	int cost = ctx->port->password_cost;
	struct login_row held;
	ctx->plan = plan;
	if (cmd->grant == LOGIN_REFRESH)
		return find_refresh(ctx, cmd, &held, &row, e);
	const char *name = cmd->grant == LOGIN_CLIENT ? cmd->client : cmd->name;
	bool there = rc_ok(principal_row_by_name(ctx->tx, ctx->a, name, &row, NULL)) && comes_rightly(cmd, &row);
	plan->principal_id = there ? row.id : 0;
	plan->kept = there ? row.password : password_nobodys(ctx->a, cost ? cost : LIMIT_PASSWORD_COST);
	ctx->toil = compare;
	return RC_OK;
}

/* -- refused -------------------------------------------------------------------------------------------------------- */
static troth_rc record_lockout(struct verb_ctx *ctx, const struct login_cmd *cmd, const struct principal_row *row, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "id", row->uuid);
	jw_kv_int(&r.w, "failed_logins", row->failures);
	jw_kv_time(&r.w, "until", row->locked_until);
	jw_kv_text(&r.w, "from", cmd->peer);
	return record_change(ctx, &(struct change){ .action = "principal.locked", .object = row->name, .after = record_end(&r, ctx->a) }, e);
}

static troth_rc count_failure(struct verb_ctx *ctx, const struct login_cmd *cmd, struct principal_row *row, struct troth_err *e)
{
	const msec_t length = (msec_t)LIMIT_LOCKOUT_S * MSEC_S;
	row->failures = ctx->now - row->failed_at < length ? row->failures + 1 : 1;
	row->failed_at = ctx->now;
	if (row->failures >= LIMIT_LOGIN_FAILURES) {
		row->locked_until = ctx->now + length;
		TRY(record_lockout(ctx, cmd, row, e));
	}
	return principal_row_update(ctx->tx, row, e);
}

/* Each refusal writes something: a commit that has nothing to write is quicker, which would tell who is there. */
static troth_rc refuse(struct verb_ctx *ctx, struct login_ret *ret, struct troth_err *e)
{
	int64_t count;
	*ret = (struct login_ret){ .refused = true };
	return store_sequence_next(ctx->tx, "login.refused", &count, e);
}

/* -- tokens ---------------------------------------------------------------------------------------------------------- */
static void add_base64url(struct arena *a, struct bytes in, struct buf *out)
{
	for (const char *p = base64_encode(a, in); *p && *p != '='; p++) {
		char c = *p == '+' ? '-' : *p == '/' ? '_' : *p;
		buf_add(out, &c, 1);
	}
}

static void add_secret(struct verb_ctx *ctx, struct buf *out)
{
	uint8_t secret[SECRET_BYTES];
	verb_random(ctx, secret, sizeof secret);
	add_base64url(ctx->a, bytes_of(secret, sizeof secret), out);
	secret_wipe(secret, sizeof secret);
}

static void write_scopes(struct json_writer *w, const char *scope)
{
	jw_key(w, "scope");
	jw_array(w);
	for (size_t n; *scope; scope += n + (scope[n] == ' ')) {
		n = strcspn(scope, " ");
		jw_text_n(w, scope, n);
	}
	jw_array_end(w);
}

/* What clients read in it; the server does not. */
static void add_claims(struct arena *a, const struct login_row *row, const struct principal_row *who, struct buf *out)
{
	CLEANUP(buf_release) struct buf json = buf_make(LIMIT_HTTP_HEADER_BYTES);
	struct json_writer w = json_writer_make(&json);
	bool program = text_equal(row->client, who->name);
	jw_object(&w);
	jw_kv_text(&w, "jti", row->uuid);
	jw_kv_text(&w, "sub", who->uuid);
	jw_kv_text(&w, "client_id", row->client);
	jw_kv_text(&w, "cid", row->client);
	if (!program) {
		jw_kv_text(&w, "user_id", who->uuid);
		jw_kv_text(&w, "user_name", who->name);
	}
	jw_kv_text(&w, "grant_type", program ? "client_credentials" : "password");
	write_scopes(&w, scope_of(who->facade));
	jw_kv_int(&w, "iat", row->created / MSEC_S);
	jw_kv_int(&w, "exp", row->expires / MSEC_S);
	jw_object_end(&w);
	add_base64url(a, buf_bytes(&json), out);
}

static const char *token_text(struct verb_ctx *ctx, const struct login_row *row, const struct principal_row *who)
{
	static const char head[] = "{\"alg\":\"opaque\",\"typ\":\"JWT\"}";
	CLEANUP(buf_release) struct buf out = buf_make_secret(LIMIT_HTTP_HEADER_BYTES);
	if (!row->refresh) {
		add_base64url(ctx->a, bytes_of_text(head), &out);
		buf_add_text(&out, ".");
		add_claims(ctx->a, row, who, &out);
		buf_add_text(&out, ".");
	}
	add_secret(ctx, &out);
	if (row->refresh)
		buf_add_text(&out, "-r"); /* as UAA marks them */
	return arena_text_n(ctx->a, buf_text(&out), out.len);
}

static troth_rc give(struct verb_ctx *ctx, struct login_row *row, const struct principal_row *who, const char **ret_token, struct troth_err *e)
{
	uint8_t hash[SHA256_LEN];
	row->uuid = verb_uuid_text(ctx);
	row->principal_id = who->id;
	row->created = ctx->now;
	row->expires = ctx->now + (row->refresh ? LIMIT_REFRESH_TOKEN_S : LIMIT_ACCESS_TOKEN_S) * MSEC_S;
	*ret_token = token_text(ctx, row, who);
	token_hash(*ret_token, hash);
	row->hash = bytes_of(hash, sizeof hash);
	return login_row_insert(ctx->tx, row, e);
}

static troth_rc give_access(struct verb_ctx *ctx, const struct login_cmd *cmd, const char *session, const struct principal_row *who,
			    struct login_ret *ret, struct troth_err *e)
{
	struct login_row access = { .session = session, .client = cmd->client };
	TRY(give(ctx, &access, who, &ret->access_token, e));
	ret->jti = access.uuid;
	ret->scope = scope_of(who->facade);
	ret->expires_in = LIMIT_ACCESS_TOKEN_S;
	return login_row_trim(ctx->tx, who->id, LIMIT_LOGINS_HELD, e);
}

static troth_rc welcome(struct verb_ctx *ctx, const struct login_cmd *cmd, struct principal_row *row, struct login_ret *ret, struct troth_err *e)
{
	char session[UUID_LEN];
	struct login_row refresh = { .session = session, .client = cmd->client, .refresh = true };
	verb_uuid(ctx, session);
	row->failures = row->failed_at = row->locked_until = 0;
	row->last_used = ctx->now;
	TRY(principal_row_update(ctx->tx, row, e));
	if (cmd->grant == LOGIN_PASSWORD)
		TRY(give(ctx, &refresh, row, &ret->refresh_token, e));
	return give_access(ctx, cmd, session, row, ret, e);
}

/* -- verbs -------------------------------------------------------------------------------------------------------------- */
static troth_rc by_password(struct verb_ctx *ctx, const struct login_cmd *cmd, struct login_ret *ret, struct troth_err *e)
{
	const struct login_plan *plan = ctx->plan;
	struct principal_row row;
	if (!plan->principal_id)
		return refuse(ctx, ret, e);
	TRY(principal_row_get(ctx->tx, ctx->a, plan->principal_id, &row, e));
	ctx->retry = !text_equal(row.password, plan->kept); /* it has another one by now */
	if (ctx->retry)
		return RC_OK;
	if (!lives(&row, ctx->now) || row.locked_until > ctx->now)
		return refuse(ctx, ret, e);
	if (plan->matches)
		return welcome(ctx, cmd, &row, ret, e);
	TRY(count_failure(ctx, cmd, &row, e));
	return refuse(ctx, ret, e);
}

/* It stays good: several programs of one person may hold the same. */
static troth_rc by_refresh_token(struct verb_ctx *ctx, const struct login_cmd *cmd, struct login_ret *ret, struct troth_err *e)
{
	struct login_row held;
	struct principal_row row;
	TRY(find_refresh(ctx, cmd, &held, &row, e));
	ret->refresh_token = cmd->refresh_token;
	return give_access(ctx, cmd, held.session, &row, ret, e);
}

static troth_rc login_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct login_cmd *cmd = arg;
	return cmd->grant == LOGIN_REFRESH ? by_refresh_token(ctx, cmd, out, e) : by_password(ctx, cmd, out, e);
}

static troth_rc logout_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct login_row row;
	bool own = uuid_valid(cmd->id) && rc_ok(login_row_by_uuid(ctx->tx, ctx->a, cmd->id, &row, NULL)) && row.principal_id == ctx->who->id;
	ENSURE(own, e, TROTH_NOT_FOUND, "you have no token %.60s", cmd->id);
	return login_row_end_session(ctx->tx, row.session, e);
}

const struct verb VERB_LOGIN = { "login", VERB_WRITE, ROLES_ANY, sizeof(struct login_cmd), sizeof(struct login_ret), login_prepare, login_run };
const struct verb VERB_LOGOUT = { "logout", VERB_WRITE, ROLES_READ, sizeof(struct id_cmd), sizeof(struct no_ret), NULL, logout_run };
