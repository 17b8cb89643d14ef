/* Principals: people and programs that may call, each with a role, a scope and one credential.
 *
 * The credential is a bearer token (256 random bits; only its SHA-256 is kept), a client certificate
 * from /troth/agents for a key that never comes here, or a password (kept by scrypt) that login.c takes.
 * What is made here is shown once.  It is good for one of the APIs and refused at the others.  Who may add
 * principals may do everything, so only an administrator over everything may; and the last such one
 * cannot be revoked. */
#include "service/check.h"
#include "service/fleet/identity.h"
#include "service/ca/own.h"
#include "pki/password.h"
#include "service/record.h"
#include "service/server/permission.h"

enum { PASSWORD_MADE = 24 /* letters of 5 bits each */, PASSWORD_GROUP = 6 };

static const struct { const char *name; int64_t role; } ROLES[] = {
	{ "admin", ROLE_ADMIN }, { "operator", ROLE_OPERATOR }, { "developer", ROLE_DEVELOPER }, { "auditor", ROLE_AUDITOR },
};

const char *principal_role_name(int64_t roles)
{
	for (size_t i = 0; i < ARRAY_LEN(ROLES); i++)
		if (ROLES[i].role == roles)
			return ROLES[i].name;
	return NULL;
}

static int64_t role_bit(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(ROLES); i++)
		if (text_equal(ROLES[i].name, name))
			return ROLES[i].role;
	return 0;
}

const char *const FACADES[] = { "native", "credhub", "opsmanager", NULL };

const char *facade_name(const char *facade) { return facade ? facade : FACADES[0]; }

/* As a row has it: NULL for the native one. */
static const char *facade_kept(const char *facade) { return text_equal(facade, FACADES[0]) ? NULL : facade; }

const char *principal_credential_name(const struct principal_row *row)
{
	return row->password ? "password" : row->token_hash.len ? "token" : "certificate";
}

static bool everything(const char *scope) { return scope[0] == 0 || text_equal(scope, "*"); }

/* -- input --------------------------------------------------------------------------------------------- */
static void check_scope(const struct checker *c, const char *scope, const char *role, const char *facade)
{
	bool none = text_equal(scope, SCOPE_NONE);
	if (scope[0] != '/' && !text_equal(scope, "*") && !none)
		check_fail(c, "$.scope", "scope", "must begin with '/', or be '*' or none", "names that it may touch: /prod/pg/*");
	else if (none && !text_equal(facade, PERMISSIONS_FACADE))
		check_fail(c, "$.scope", "scope", "is none, and only principals of CredHub's API have permissions instead of a scope",
			   "say facade credhub, or give it a scope");
	else if (strlen(scope) > LIMIT_NAME_BYTES)
		check_fail(c, "$.scope", "length", "is too long", NULL);
	else if (text_equal(role, "admin") && !everything(scope))
		check_fail(c, "$.scope", "scope", "must be '*' for an admin", "an operator can be kept to a scope");
}

static void check_facade(const struct checker *c, const char *facade)
{
	for (const char *const *f = FACADES; *f; f++)
		if (text_equal(*f, facade))
			return;
	check_fail(c, "$.facade", "facade", arena_printf(c->a, "\"%.40s\" is not an API of this server", facade),
		   "one of native, credhub, opsmanager");
}

static void check_password(const struct checker *c, const char *password)
{
	size_t len = strlen(password);
	for (const char *p = password; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f) {
			check_fail(c, "$.password", "character", "holds a control character", "a password is one line of text");
			return;
		}
	if (len < LIMIT_PASSWORD_LEAST_BYTES || len > LIMIT_PASSWORD_BYTES)
		check_fail(c, "$.password", "length",
			   arena_printf(c->a, "has %zu bytes; %d to %d are taken", len, LIMIT_PASSWORD_LEAST_BYTES, LIMIT_PASSWORD_BYTES),
			   "generate_password makes a good one");
}

#define APP_PREFIX "mtls-app:" /* as CredHub calls an application that comes with a certificate; no label holds a colon */
#define APP_UNIT "app:"
#define APP_FACADE PERMISSIONS_FACADE

static bool is_app(const char *name) { return text_starts(name, APP_PREFIX); }

static void check_app_csr(const struct checker *c, const char *csr)
{
	if (!csr)
		check_fail(c, "$.csr", "missing", "is missing", "an app comes with a client certificate: send a request for one");
}

static void check_app(const struct checker *c, const struct principal_add_cmd *cmd)
{
	if (!uuid_valid(cmd->app))
		check_fail(c, "$.app", "uuid", "is not a UUID in small letters", "the app's: 8c5d6f1e-2b7a-4c3d-9e0f-1a2b3c4d5e6f");
	if (cmd->name)
		check_fail(c, "$.name", "several", "is said beside an app", "an app is called " APP_PREFIX " and its UUID");
	if (cmd->facade && !text_equal(cmd->facade, APP_FACADE))
		check_fail(c, "$.facade", "facade", "must be credhub for an app", "leave it out");
	check_app_csr(c, cmd->csr);
}

/* At most one of the kinds. */
static void check_credential(const struct checker *c, const char *csr, const char *password, bool generate)
{
	if ((csr != NULL) + (password != NULL) + generate > 1)
		check_fail(c, generate ? "$.generate_password" : "$.password", "several", "is one credential of several",
			   "one of csr, password and generate_password; none: a token");
	if (password)
		check_password(c, password);
}

void principal_rotate_check(struct arena *a, const struct principal_rotate_cmd *cmd, struct troth_err *e)
{
	check_credential(&(struct checker){ a, e }, cmd->csr, cmd->password, cmd->generate_password);
}

void principal_add_check(struct arena *a, const struct principal_add_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	if (cmd->app)
		check_app(&c, cmd);
	else
		check_label(&c, "$.name", cmd->name);
	if (check_present(&c, "$.role", cmd->role) && !role_bit(cmd->role))
		check_fail(&c, "$.role", "role", arena_printf(a, "\"%.40s\" is not a role", cmd->role),
			   "one of admin, operator, developer, auditor");
	if (cmd->scope)
		check_scope(&c, cmd->scope, cmd->role, cmd->app ? APP_FACADE : cmd->facade);
	if (cmd->expires)
		check_ttl(&c, "$.expires", cmd->expires);
	if (cmd->facade)
		check_facade(&c, cmd->facade);
	check_credential(&c, cmd->csr, cmd->password, cmd->generate_password);
}

static troth_rc only_admins_of_everything(const struct verb_ctx *ctx, struct troth_err *e)
{
	if (everything(ctx->who->scope))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_FORBIDDEN, "principals are kept by administrators of everything; your scope is %s", ctx->who->scope);
	err_hint(e, "ask an administrator whose scope is *");
	return rc;
}

/* -- rows ------------------------------------------------------------------------------------------------ */
static const char *state_of(const struct principal_row *row, msec_t now)
{
	if (row->revoked)
		return "revoked";
	return row->expires && row->expires <= now ? "expired" : row->locked_until > now ? "locked" : "active";
}

static bool reigns(const struct principal_row *row, msec_t now)
{
	return (row->roles & ROLE_ADMIN) && everything(row->scope) && !row->revoked && (!row->expires || row->expires > now);
}

/* By uuid or by name. */
static troth_rc find(struct verb_ctx *ctx, const char *id, struct principal_row *ret, struct troth_err *e)
{
	TRY(only_admins_of_everything(ctx, e));
	if (uuid_valid(id) ? rc_ok(principal_row_by_uuid(ctx->tx, ctx->a, id, ret, NULL)) :
			     rc_ok(principal_row_by_name(ctx->tx, ctx->a, id, ret, NULL)))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "there is no principal %.200s", id);
	err_hint(e, "troth principal list shows them");
	return rc;
}

static troth_rc record_principal(struct verb_ctx *ctx, const char *action, const struct principal_row *row, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "id", row->uuid);
	jw_kv_text(&r.w, "role", principal_role_name(row->roles));
	jw_kv_text(&r.w, "scope", row->scope);
	jw_kv_text(&r.w, "credential", principal_credential_name(row));
	jw_kv_text(&r.w, "facade", facade_name(row->facade));
	jw_kv_time(&r.w, "expires", row->expires);
	return record_change(ctx, &(struct change){ .action = action, .object = row->name, .after = record_end(&r, ctx->a) }, e);
}

/* -- the credential -------------------------------------------------------------------------------------- */
struct principal_plan {
	char uuid[UUID_LEN];
	bool certified;
	struct identity_plan identity;
	const char *password, *made; /* the one to keep; the same if it was made here */
	uint8_t salt[PASSWORD_SALT_BYTES];
	const char *kept;
};

/* abcdef-ghijkm-...: no letter looks like another. */
static const char *make_password(const struct verb_ctx *ctx)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";
	uint8_t random[PASSWORD_MADE];
	char text[PASSWORD_MADE + PASSWORD_MADE / PASSWORD_GROUP], *out = text;
	verb_random(ctx, random, sizeof random);
	for (size_t i = 0; i < PASSWORD_MADE; i++) {
		if (i && i % PASSWORD_GROUP == 0)
			*out++ = '-';
		*out++ = letters[random[i] % (sizeof letters - 1)];
	}
	const char *made = arena_text_n(ctx->a, text, (size_t)(out - text));
	secret_wipe(random, sizeof random);
	secret_wipe(text, sizeof text);
	return made;
}

static troth_rc keep_password(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	struct principal_plan *plan = ctx->plan;
	int cost = ctx->port->password_cost;
	return password_keep(ctx->a, plan->password, cost ? cost : LIMIT_PASSWORD_COST, plan->salt, &plan->kept, e);
}

static void plan_password(struct verb_ctx *ctx, const char *password, struct principal_plan *plan)
{
	arena_secret(ctx->a);
	plan->made = password ? NULL : make_password(ctx);
	plan->password = password ? password : plan->made;
	verb_random(ctx, plan->salt, sizeof plan->salt);
	ctx->toil = keep_password;
}

/* The keeper is needed for a certificate only, and much work for a password only. */
static troth_rc plan_credential(struct verb_ctx *ctx, const char *csr, const char *password, bool generate, const char *uuid,
				const char *app, struct troth_err *e)
{
	struct principal_plan *plan = ARENA_NEW(ctx->a, struct principal_plan);
	if (uuid)
		(void)text_copy(plan->uuid, sizeof plan->uuid, uuid); /* a UUID fits a UUID */
	else
		verb_uuid(ctx, plan->uuid);
	ctx->plan = plan;
	plan->certified = csr != NULL;
	plan->identity.unit = app ? arena_printf(ctx->a, APP_UNIT "%s", app) : NULL;
	if (password || generate)
		plan_password(ctx, password, plan);
	return csr ? identity_need(ctx, csr, IDENTITY_PRINCIPAL, plan->uuid, &plan->identity, e) : RC_OK;
}

static void give_token(struct verb_ctx *ctx, const char *role, struct principal_row *row, struct principal_view_ret *ret)
{
	uint8_t *hash = arena_alloc(ctx->a, SHA256_LEN);
	ret->token = token_make(ctx, arena_printf(ctx->a, "troth-%s-", role));
	token_hash(ret->token, hash);
	row->token_hash = bytes_of(hash, SHA256_LEN);
}

/* Whatever it had before ends, and with it what was wrong with it. */
static void take_away(struct principal_row *row)
{
	row->token_hash = row->cert_fingerprint = bytes_of(NULL, 0);
	row->password = NULL;
	row->failures = row->failed_at = row->locked_until = 0;
}

static troth_rc give_certificate(struct verb_ctx *ctx, const struct principal_plan *plan, struct principal_row *row,
				 struct principal_view_ret *ret, struct troth_err *e)
{
	struct bytes der = ctx->replies[0]->der;
	uint8_t *print = arena_alloc(ctx->a, SHA256_LEN);
	struct msg_renewed made;
	struct cert_row kept; /* whose CA will one day be rotated */
	const struct cert *cert;
	TRY(cert_parse(ctx->a, der, &cert, e));
	TRY(issue_cert_put(ctx->tx, ctx->a, cert, &kept, e));
	pki_sha256(der, print);
	row->cert_fingerprint = bytes_of(print, SHA256_LEN);
	TRY(identity_answer(ctx, &plan->identity, der, &made, e));
	ret->certificate = made.certificate;
	ret->chain = made.chain;
	return RC_OK;
}

/* ctx->retry: another version of /troth/agents signs by now. */
static troth_rc give(struct verb_ctx *ctx, struct principal_row *row, struct principal_view_ret *ret, struct troth_err *e)
{
	const struct principal_plan *plan = ctx->plan;
	take_away(row);
	if (plan->password) {
		row->password = plan->kept;
		ret->password = plan->made;
		return RC_OK;
	}
	if (!plan->certified) {
		give_token(ctx, principal_role_name(row->roles), row, ret);
		return RC_OK;
	}
	TRY(identity_moved(ctx, &plan->identity, &ctx->retry, e));
	return ctx->retry ? RC_OK : give_certificate(ctx, plan, row, ret, e);
}

/* What it has from now on, and nothing else of before. */
static troth_rc given(struct verb_ctx *ctx, const struct principal_row *row, struct troth_err *e)
{
	const struct principal_plan *plan = ctx->plan;
	TRY(login_row_end_principal(ctx->tx, row->id, e));
	struct bytes certificate = plan->certified ? ctx->replies[0]->der : bytes_of(NULL, 0);
	return own_principal_has(ctx, row, certificate, plan->identity.signer.version.id, e);
}

/* -- verbs ------------------------------------------------------------------------------------------------- */
static troth_rc add_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct principal_add_cmd *cmd = arg;
	TRY(only_admins_of_everything(ctx, e));
	principal_add_check(ctx->a, cmd, e);
	TRY(check_done(e));
	return plan_credential(ctx, cmd->csr, cmd->password, cmd->generate_password, NULL, cmd->app, e);
}

static troth_rc name_free(struct verb_ctx *ctx, const char *name, struct troth_err *e)
{
	struct principal_row taken;
	if (rc_failed(principal_row_by_name(ctx->tx, ctx->a, name, &taken, NULL)))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "there is a principal %s already", name);
	err_hint(e, "a new credential for it: troth principal rotate %s", name);
	err_object(e, "%s", name);
	return rc;
}

static troth_rc add_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct principal_add_cmd *cmd = arg;
	const struct principal_plan *plan = ctx->plan;
	struct principal_view_ret *ret = out;
	struct principal_row *row = &ret->principal.row;
	TRY(only_admins_of_everything(ctx, e));
	const char *name = cmd->app ? arena_printf(ctx->a, APP_PREFIX "%s", cmd->app) : cmd->name;
	const char *facade = cmd->app ? APP_FACADE : facade_kept(cmd->facade);
	TRY(name_free(ctx, name, e));
	*row = (struct principal_row){ .uuid = plan->uuid, .name = name, .roles = role_bit(cmd->role),
				       .scope = cmd->scope ? cmd->scope : "*", .created = ctx->now,
				       .expires = cmd->expires ? ctx->now + cmd->expires : 0, .facade = facade };
	TRY(give(ctx, row, ret, e));
	if (ctx->retry)
		return RC_OK;
	ret->principal.state = state_of(row, ctx->now);
	TRY(principal_row_insert(ctx->tx, row, e));
	TRY(given(ctx, row, e));
	return record_principal(ctx, "principal.add", row, e);
}

static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct list_cmd *cmd = arg;
	struct principal_list_ret *ret = out;
	struct principal_row *rows;
	size_t n;
	TRY(only_admins_of_everything(ctx, e));
	TRY(principal_row_list(ctx->tx, ctx->a, cmd->page, &rows, &n, e));
	ret->items = ARENA_ARRAY(ctx->a, struct principal_view, n);
	ret->next = record_next(cmd->page, n, n ? rows[n - 1].id : 0);
	for (size_t i = 0; i < n; i++)
		if (!rows[i].revoked && (!cmd->name || text_equal(cmd->name, rows[i].name)))
			ret->items[ret->count++] = (struct principal_view){ rows[i], state_of(&rows[i], ctx->now) };
	return RC_OK;
}

static troth_rc show_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct principal_view_ret *ret = out;
	TRY(find(ctx, cmd->id, &ret->principal.row, e));
	ret->principal.state = state_of(&ret->principal.row, ctx->now);
	return permission_row_list(ctx->tx, ctx->a, ret->principal.row.id, &ret->permissions, &ret->permission_count, e);
}

static troth_rc active(struct verb_ctx *ctx, const char *id, struct principal_row *ret, struct troth_err *e)
{
	TRY(find(ctx, id, ret, e));
	if (!ret->revoked)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "principal %s was revoked", ret->name);
	err_hint(e, "make a new one: troth principal add %s --role %s", ret->name, principal_role_name(ret->roles));
	return rc;
}

static troth_rc rotate_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct principal_rotate_cmd *cmd = arg;
	struct principal_row row;
	TRY(active(ctx, cmd->id, &row, e));
	principal_rotate_check(ctx->a, cmd, e);
	if (is_app(row.name))
		check_app_csr(&(struct checker){ ctx->a, e }, cmd->csr);
	TRY(check_done(e));
	const char *app = is_app(row.name) ? row.name + strlen(APP_PREFIX) : NULL;
	bool same_kind = !cmd->csr && !cmd->password && row.password;
	return plan_credential(ctx, cmd->csr, cmd->password, cmd->generate_password || same_kind, row.uuid, app, e);
}

static troth_rc rotate_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct principal_rotate_cmd *cmd = arg;
	struct principal_view_ret *ret = out;
	struct principal_row *row = &ret->principal.row;
	TRY(active(ctx, cmd->id, row, e));
	TRY(give(ctx, row, ret, e));
	if (ctx->retry)
		return RC_OK;
	ret->principal.state = state_of(row, ctx->now);
	TRY(principal_row_update(ctx->tx, row, e));
	TRY(given(ctx, row, e));
	return record_principal(ctx, "principal.rotate", row, e);
}

static troth_rc unlock_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct principal_view_ret *ret = out;
	struct principal_row *row = &ret->principal.row;
	TRY(active(ctx, cmd->id, row, e));
	bool was = row->failures || row->locked_until;
	row->failures = row->failed_at = row->locked_until = 0;
	ret->principal.state = state_of(row, ctx->now);
	if (!was)
		return RC_OK;
	TRY(principal_row_update(ctx->tx, row, e));
	return record_principal(ctx, "principal.unlock", row, e);
}

/* Somebody must be left who can make others. */
static troth_rc not_the_last(struct verb_ctx *ctx, const struct principal_row *row, struct troth_err *e)
{
	struct principal_row *rows;
	size_t n;
	if (!reigns(row, ctx->now))
		return RC_OK;
	TRY(principal_row_list(ctx->tx, ctx->a, PAGE_ALL, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		if (rows[i].id != row->id && reigns(&rows[i], ctx->now) && !rows[i].expires)
			return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s is the last administrator that does not expire", row->name);
	err_hint(e, "add another one first: troth principal add NAME --role admin");
	err_object(e, "%s", row->name);
	return rc;
}

static troth_rc revoke_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct principal_row row;
	TRY(find(ctx, cmd->id, &row, e));
	if (row.revoked)
		return RC_OK; /* twice is once */
	TRY(not_the_last(ctx, &row, e));
	row.revoked = ctx->now;
	TRY(principal_row_update(ctx->tx, &row, e));
	TRY(own_principal_has(ctx, &row, bytes_of(NULL, 0), 0, e));
	TRY(login_row_end_principal(ctx->tx, row.id, e));
	TRY(permission_end_all(ctx, &row, e));
	return record_principal(ctx, "principal.revoke", &row, e);
}

const struct verb VERB_PRINCIPAL_ADD = { "principal.add", VERB_WRITE, ROLES_ADMIN, sizeof(struct principal_add_cmd),
					 sizeof(struct principal_view_ret), add_prepare, add_run };
const struct verb VERB_PRINCIPAL_LIST = { "principal.list", VERB_READ, ROLES_ADMIN, sizeof(struct list_cmd),
					  sizeof(struct principal_list_ret), NULL, list_run };
const struct verb VERB_PRINCIPAL_SHOW = { "principal.show", VERB_READ, ROLES_ADMIN, sizeof(struct id_cmd),
					  sizeof(struct principal_view_ret), NULL, show_run };
const struct verb VERB_PRINCIPAL_ROTATE = { "principal.rotate", VERB_WRITE, ROLES_ADMIN, sizeof(struct principal_rotate_cmd),
					    sizeof(struct principal_view_ret), rotate_prepare, rotate_run };
const struct verb VERB_PRINCIPAL_UNLOCK = { "principal.unlock", VERB_WRITE, ROLES_ADMIN, sizeof(struct id_cmd),
					    sizeof(struct principal_view_ret), NULL, unlock_run };
const struct verb VERB_PRINCIPAL_REVOKE = { "principal.revoke", VERB_WRITE, ROLES_ADMIN, sizeof(struct id_cmd),
					    sizeof(struct no_ret), NULL, revoke_run };
