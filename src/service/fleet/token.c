/* How a token is made and kept; and join tokens: one use, an end, one deployment, perhaps one name.  Only the SHA-256 is
 * stored; a token is 256 random bits, so the hash needs no salt and no slow function. */
#include "service/check.h"
#include "service/fleet/identity.h"
#include "service/record.h"
#include "service/nouns.h"

enum { TOKEN_BYTES = 32 };
#define TOKEN_TTL MSEC_DAY

const char *token_make(const struct verb_ctx *ctx, const char *prefix)
{
	uint8_t random[TOKEN_BYTES];
	char hex[TOKEN_BYTES * 2 + 1];
	verb_random(ctx, random, sizeof random);
	const char *token = arena_printf(ctx->a, "%s%s", prefix, hex_encode(random, sizeof random, hex));
	secret_wipe(random, sizeof random);
	secret_wipe(hex, sizeof hex);
	return token;
}

void token_hash(const char *secret, uint8_t out[SHA256_LEN])
{
	pki_sha256(bytes_of_text(secret), out);
}

void token_create_check(struct arena *a, const struct token_create_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	check_present(&c, "$.deployment", cmd->deployment);
	if (cmd->instance)
		check_label(&c, "$.instance", cmd->instance);
	else if (cmd->reinstall)
		check_fail(&c, "$.reinstall", "required", "needs the name of the instance", "say which one was made anew: instance");
	if (cmd->ttl < 0 || cmd->ttl > LIMIT_TOKEN_TTL_S * MSEC_S)
		check_fail(&c, "$.ttl", "range", "is longer than 7d", "a join token lives a week at most; make it when you need it");
}

static const char *state_of(const struct token_row *row, msec_t now)
{
	return row->used_at ? "used" : row->revoked ? "revoked" : row->expires <= now ? "expired" : "open";
}

static troth_rc deployment_find(struct verb_ctx *ctx, const char *name, struct deployment_row *ret, struct troth_err *e)
{
	if (rc_ok(deployment_row_by_name(ctx->tx, ctx->a, name, ret, NULL)) && record_in_scope(ctx->who, name))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "there is no deployment %.200s", name);
	err_hint(e, "troth deployment list shows those in your scope");
	return rc;
}

static troth_rc joins_by_token(const struct deployment_row *deployment, struct troth_err *e)
{
	if (deployment->party == PARTY_AGENT)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "the instances of %s have no agent that could enrol", deployment->name);
	err_hint(e, "somebody registers each, and reports for it: troth instance add %s/NAME", deployment->name);
	err_object(e, "%s", deployment->name);
	return rc;
}

static troth_rc refuse_stranger(const struct deployment_row *deployment, const char *name, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "%s has no instance %s to install again", deployment->name, name);
	err_hint(e, "without reinstall it is a new one; troth instance list shows those that are there");
	err_object(e, "%s", name);
	return rc;
}

/* A token for a name that is there already could never be used, unless its node was made anew. */
static troth_rc instance_free(struct verb_ctx *ctx, const struct deployment_row *deployment, const char *name, bool reinstall,
			      struct troth_err *e)
{
	struct instance_row taken;
	if (!name)
		return RC_OK;
	bool there = rc_ok(instance_row_by_name(ctx->tx, ctx->a, deployment->id, name, &taken, NULL));
	if (reinstall && !there)
		return refuse_stranger(deployment, name, e);
	if (reinstall || !there)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s has an instance %s already", deployment->name, name);
	err_hint(e, "if its node was made anew: --reinstall; if it is gone: troth instance delete %s", name);
	err_object(e, "%s", name);
	return rc;
}

static troth_rc record_token(struct verb_ctx *ctx, const char *action, const struct token_view *v, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "id", v->row.uuid);
	jw_kv_text(&r.w, "instance", v->row.instance_name);
	if (v->row.reinstall)
		jw_kv_bool(&r.w, "reinstall", true);
	jw_kv_time(&r.w, "expires", v->row.expires);
	return record_change(ctx, &(struct change){ .action = action, .object = v->deployment, .after = record_end(&r, ctx->a) }, e);
}

/* By which the node will know the server: of the root that signs for it. */
static troth_rc pin_of(struct verb_ctx *ctx, const char **ret, struct troth_err *e)
{
	struct credential_row server;
	struct signer signer;
	char *hex = arena_alloc(ctx->a, SHA256_HEX_LEN);
	TRY(credential_row_by_name(ctx->tx, ctx->a, SERVER_AUTHORITY, &server, e));
	TRY(signer_load(ctx->tx, ctx->a, server.id, &signer, e));
	*ret = cert_fingerprint_hex(signer.cert, hex);
	return RC_OK;
}

static troth_rc create_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct token_create_cmd *cmd = arg;
	struct token_ret *ret = out;
	struct deployment_row deployment;
	uint8_t *hash = arena_alloc(ctx->a, SHA256_LEN);
	token_create_check(ctx->a, cmd, e);
	TRY(check_done(e));
	TRY(deployment_find(ctx, cmd->deployment, &deployment, e));
	TRY(joins_by_token(&deployment, e));
	TRY(instance_free(ctx, &deployment, cmd->instance, cmd->reinstall, e));
	const char *uuid = verb_uuid_text(ctx);
	ret->secret = token_make(ctx, "troth-join-");
	token_hash(ret->secret, hash);
	ret->token.deployment = deployment.name;
	ret->token.row = (struct token_row){
		.uuid = uuid, .hash = bytes_of(hash, SHA256_LEN), .deployment_id = deployment.id,
		.instance_name = cmd->instance, .expires = ctx->now + (cmd->ttl ? cmd->ttl : TOKEN_TTL), .created = ctx->now,
		.reinstall = cmd->reinstall,
	};
	ret->token.state = state_of(&ret->token.row, ctx->now);
	TRY(pin_of(ctx, &ret->ca_fingerprint, e));
	TRY(token_row_insert(ctx->tx, &ret->token.row, e));
	return record_token(ctx, "token.create", &ret->token, e);
}

static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct token_list_cmd *cmd = arg;
	struct token_list_ret *ret = out;
	struct token_row *rows;
	size_t n;
	TRY(token_row_list(ctx->tx, ctx->a, cmd->page, &rows, &n, e));
	ret->items = ARENA_ARRAY(ctx->a, struct token_view, n);
	ret->next = record_next(cmd->page, n, n ? rows[n - 1].id : 0);
	for (size_t i = 0; i < n; i++) {
		struct deployment_row deployment;
		TRY(deployment_row_get(ctx->tx, ctx->a, rows[i].deployment_id, &deployment, e));
		if (!record_in_scope(ctx->who, deployment.name) ||
		    (cmd->deployment && !text_equal(cmd->deployment, deployment.name)))
			continue;
		ret->items[ret->count++] = (struct token_view){ rows[i], deployment.name, state_of(&rows[i], ctx->now) };
	}
	return RC_OK;
}

static troth_rc revoke_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct token_view view;
	struct deployment_row deployment;
	TRY(record_uuid("token", cmd->id, e));
	TRY(token_row_by_uuid(ctx->tx, ctx->a, cmd->id, &view.row, e));
	TRY(deployment_row_get(ctx->tx, ctx->a, view.row.deployment_id, &deployment, e));
	TRY(record_visible(ctx->who, "token", deployment.name, e));
	if (view.row.used_at) {
		troth_rc rc = err_set(e, TROTH_CONFLICT, "the token was used already");
		err_hint(e, "the instance that joined with it leaves with: troth instance delete");
		return rc;
	}
	view.deployment = deployment.name;
	view.row.revoked = ctx->now;
	TRY(token_row_update(ctx->tx, &view.row, e));
	return record_token(ctx, "token.revoke", &view, e);
}

const struct verb VERB_TOKEN_CREATE = { "token.create", VERB_WRITE, ROLES_CHANGE, sizeof(struct token_create_cmd),
					sizeof(struct token_ret), NULL, create_run };
const struct verb VERB_TOKEN_LIST = { "token.list", VERB_READ, ROLES_CHANGE, sizeof(struct token_list_cmd),
				      sizeof(struct token_list_ret), NULL, list_run };
const struct verb VERB_TOKEN_REVOKE = { "token.revoke", VERB_WRITE, ROLES_CHANGE, sizeof(struct id_cmd), sizeof(struct no_ret),
					NULL, revoke_run };
