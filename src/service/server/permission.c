/* Permissions.  See permission.h. */
#include "service/server/permission.h"

#include <string.h>

#include "model/name.h"
#include "service/check.h"
#include "service/record.h"

static const char *const OPERATIONS[] = { "read", "write", "delete", "read_acl", "write_acl" }; /* by bit: enum right */

const char *permission_operation(int64_t operations, size_t i)
{
	for (size_t bit = 0; bit < ARRAY_LEN(OPERATIONS); bit++)
		if (operations & 1 << bit && !i--)
			return OPERATIONS[bit];
	return NULL;
}

static unsigned right_of(const char *word)
{
	for (size_t bit = 0; bit < ARRAY_LEN(OPERATIONS); bit++)
		if (text_equal(OPERATIONS[bit], word))
			return 1u << bit;
	return 0;
}

static troth_rc said_rights(const struct json_texts *words, unsigned *ret, struct troth_err *e)
{
	*ret = 0;
	for (size_t i = 0; i < words->count; i++) {
		unsigned right = right_of(words->items[i]);
		*ret |= right;
		if (right)
			continue;
		troth_rc rc = err_set(e, TROTH_INVALID, "\"%.40s\" is no operation", words->items[i]);
		err_hint(e, "read, write, delete, read_acl and write_acl are");
		err_clause(e, CLAUSE_PERMISSION_OPERATION);
		return rc;
	}
	ENSURE(*ret, e, TROTH_INVALID, "a permission needs at least one operation");
	return RC_OK;
}

/* A name, or a folder with all that is below it. */
static const char *path_fault(struct arena *a, const char *path)
{
	if (text_equal(path, "/*"))
		return NULL;
	const char *name = text_ends(path, "/*") ? arena_text_n(a, path, strlen(path) - 2) : path;
	if (name_is_reserved(name))
		return "is troth's own";
	return strlen(path) > LIMIT_NAME_BYTES ? "is longer than 200 bytes" : name_path_fault(name);
}

static troth_rc check_path(struct verb_ctx *ctx, const char *path, struct troth_err *e)
{
	const char *fault = path ? path_fault(ctx->a, path) : "is missing";
	if (!fault)
		return RC_OK;
	check_fail(&(struct checker){ ctx->a, e }, "$.path", "path", fault, "a name, /app/web, or all names below a folder, /app/*");
	return check_done(e);
}

/* -- whose ----------------------------------------------------------------------------------------------------------- */
#define CLIENT "uaa-client:"
#define USER "uaa-user:"
#define APP "mtls-app:"
#define MADE_AS "--role operator --scope none"

static troth_rc refuse_actor(const char *actor, const char *why, const char *hint, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_INVALID, "actor %.100s %s", actor, why);
	err_hint(e, "%s", hint);
	return rc;
}

static const char *how_to_add(struct arena *a, const char *actor)
{
	if (text_starts(actor, APP))
		return arena_printf(a, "make it first: troth principal add --app %s " MADE_AS " --csr-file app.csr", actor + strlen(APP));
	if (text_starts(actor, USER))
		return "its id is in troth principal show NAME; make it first: troth principal add NAME " MADE_AS " --facade credhub --password";
	return arena_printf(a, "make it first: troth principal add %s " MADE_AS " --facade credhub", actor + strlen(CLIENT));
}

static bool is_actor(const char *actor)
{
	if (text_starts(actor, CLIENT))
		return !name_label_fault(actor + strlen(CLIENT));
	return (text_starts(actor, USER) && uuid_valid(actor + strlen(USER))) || (text_starts(actor, APP) && uuid_valid(actor + strlen(APP)));
}

/* A person and a program are told apart by how they log in, which is theirs to choose: each is found by name and by id. */
static troth_rc find_actor(struct verb_ctx *ctx, const char *actor, struct principal_row *ret, struct troth_err *e)
{
	if (!actor || !is_actor(actor))
		return refuse_actor(actor ? actor : "", "is not understood", "write it as " CLIENT "NAME, " USER "UUID or " APP "UUID", e);
	troth_rc rc = text_starts(actor, USER) ? principal_row_by_uuid(ctx->tx, ctx->a, actor + strlen(USER), ret, NULL) :
						 principal_row_by_name(ctx->tx, ctx->a, text_starts(actor, APP) ? actor : actor + strlen(CLIENT), ret, NULL);
	if (rc_failed(rc) || ret->revoked || !text_equal(ret->facade, PERMISSIONS_FACADE))
		return refuse_actor(actor, "is no principal of CredHub's API here", how_to_add(ctx->a, actor), e);
	return RC_OK;
}

static bool keeps_all(const struct principal *who) { return who->roles & ROLES_ADMIN && principal_sees_everything(who); }

/* What a permission would be without effect on, or could not take away again. */
static troth_rc check_holder(const struct verb_ctx *ctx, const struct principal_row *of, unsigned rights, struct troth_err *e)
{
	troth_rc rc;
	if (!text_equal(of->scope, SCOPE_NONE)) {
		const char *scope = keeps_all(ctx->who) ? arena_printf(ctx->a, "the scope %s", of->scope) : "a scope"; /* which one is not for all who give */
		rc = err_set(e, TROTH_INVALID, "%s has %s: with that it may act there, whatever permissions say", of->name, scope);
		err_hint(e, "permissions are for who has no scope: revoke it and add it again with " MADE_AS);
		return rc;
	}
	if (of->roles & ROLES_CHANGE || !(rights & ~(unsigned)(RIGHT_READ | RIGHT_READ_ACL)))
		return RC_OK;
	rc = err_set(e, TROTH_INVALID, "%s is %s: that role changes nothing, whatever permissions say", of->name, principal_role_name(of->roles));
	err_hint(e, "give it read and read_acl only, or revoke it and add it again with " MADE_AS);
	return rc;
}

/* -- who may keep them ---------------------------------------------------------------------------------------------- */
troth_rc permission_load(struct verb_ctx *ctx, int64_t principal_id, struct principal *who, struct troth_err *e)
{
	struct permission_row *rows;
	size_t n;
	TRY(permission_row_list(ctx->tx, ctx->a, principal_id, &rows, &n, e));
	struct permission *all = ARENA_ARRAY(ctx->a, struct permission, n + 1);
	for (size_t i = 0; i < n; i++)
		all[i] = (struct permission){ rows[i].path, (unsigned)rows[i].operations };
	who->permissions = all;
	who->permission_count = n;
	return RC_OK;
}

/* Agents, the system and nobody have none. */
static bool has_row(const struct principal *who) { return who->id && who->uuid[0]; }

troth_rc permission_again(struct verb_ctx *ctx, struct troth_err *e)
{
	struct principal_row row;
	if (!has_row(ctx->who))
		return RC_OK;
	TRY(principal_row_get(ctx->tx, ctx->a, ctx->who->id, &row, e));
	if (row.revoked) {
		troth_rc rc = err_set(e, TROTH_UNAUTHENTICATED, "principal %s was revoked meanwhile: nothing was done", row.name);
		err_hint(e, "ask an administrator for a new one");
		return rc;
	}
	if (!text_equal(ctx->who->scope, SCOPE_NONE))
		return RC_OK;
	struct principal *who = arena_copy(ctx->a, ctx->who, sizeof *who);
	TRY(permission_load(ctx, who->id, who, e));
	ctx->who = who;
	return RC_OK;
}

/* Read once more: what was taken from the caller after he was let in gives nothing any more. */
static troth_rc rights_of_caller(struct verb_ctx *ctx, const char *path, unsigned *ret, struct troth_err *e)
{
	struct principal who = *ctx->who;
	*ret = RIGHTS_ALL;
	if (keeps_all(&who))
		return RC_OK;
	TRY(permission_load(ctx, who.id, &who, e));
	*ret = principal_rights(&who, path);
	return RC_OK;
}

static troth_rc refuse_unseen(const char *what, const char *clause, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "there is no permission %.200s", what);
	if (clause)
		err_clause(e, clause);
	return rc;
}

static troth_rc refuse_own(const struct verb_ctx *ctx, const struct principal_row *of, struct troth_err *e)
{
	if (of->id != ctx->who->id)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "%s may not change its own permissions", of->name);
	err_hint(e, "ask an administrator");
	err_clause(e, CLAUSE_PERMISSION_OWN);
	return rc;
}

static troth_rc refuse_more(const struct verb_ctx *ctx, unsigned given, unsigned has, const char *path, struct troth_err *e)
{
	if (!(given & ~has))
		return RC_OK;
	return err_set(e, TROTH_FORBIDDEN, "%s gives more than it has: no %s on %s", ctx->who->name, permission_operation(given & ~has, 0), path);
}

/* By id; what the caller may not see is not there. */
static troth_rc find(struct verb_ctx *ctx, const char *id, unsigned needs, struct permission_row *ret, unsigned *ret_has, struct troth_err *e)
{
	if (!id || !uuid_valid(id) || rc_failed(permission_row_by_uuid(ctx->tx, ctx->a, id, ret, NULL)))
		return refuse_unseen(id ? id : "", CLAUSE_NO_PERMISSION, e);
	TRY(rights_of_caller(ctx, ret->path, ret_has, e));
	return *ret_has & needs ? RC_OK : refuse_unseen(id, CLAUSE_NO_PERMISSION, e);
}

/* -- rows ------------------------------------------------------------------------------------------------------------- */
static const char *permission_json(struct arena *a, const struct permission_row *row)
{
	struct record r;
	const char *word;
	record_begin(&r);
	jw_kv_text(&r.w, "id", row->uuid);
	jw_kv_text(&r.w, "actor", row->actor);
	jw_kv_text(&r.w, "path", row->path);
	jw_key(&r.w, "operations");
	jw_array(&r.w);
	for (size_t i = 0; (word = permission_operation(row->operations, i)); i++)
		jw_text(&r.w, word);
	jw_array_end(&r.w);
	return record_end(&r, a);
}

static troth_rc record_permission(struct verb_ctx *ctx, const char *action, const struct principal_row *of, const struct permission_row *before,
				  const struct permission_row *after, struct troth_err *e)
{
	return record_change(ctx, &(struct change){ .action = action, .object = of->name, .before = before ? permission_json(ctx->a, before) : NULL,
						    .after = after ? permission_json(ctx->a, after) : NULL }, e);
}

static troth_rc check_room(struct verb_ctx *ctx, const struct principal_row *of, struct troth_err *e)
{
	struct permission_row *rows;
	size_t n;
	TRY(permission_row_list(ctx->tx, ctx->a, of->id, &rows, &n, e));
	if (n < LIMIT_PERMISSIONS)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_TOO_LARGE, "%s has %zu permissions, and no more are kept", of->name, n);
	err_hint(e, "give it a folder, /app/*, instead of single names, or take some away");
	return rc;
}

static troth_rc path_free(struct verb_ctx *ctx, const struct principal_row *of, const char *path, struct troth_err *e)
{
	struct permission_row there;
	if (rc_failed(permission_row_by_path(ctx->tx, ctx->a, of->id, path, &there, NULL)))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s has a permission for %s already", of->name, path);
	err_hint(e, "change that one: its id is %s", there.uuid);
	err_clause(e, CLAUSE_PERMISSION_THERE);
	return rc;
}

troth_rc permission_end_all(struct verb_ctx *ctx, const struct principal_row *of, struct troth_err *e)
{
	struct permission_row *rows;
	size_t n;
	TRY(permission_row_list(ctx->tx, ctx->a, of->id, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		TRY(permission_row_delete(ctx->tx, rows[i].id, e));
		TRY(record_permission(ctx, "permission.remove", of, &rows[i], NULL, e));
	}
	return RC_OK;
}

/* -- verbs ------------------------------------------------------------------------------------------------------------- */
static troth_rc add_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct permission_cmd *cmd = arg;
	struct permission_ret *ret = out;
	struct principal_row of;
	unsigned rights, has;
	TRY(check_path(ctx, cmd->path, e));
	TRY(said_rights(&cmd->operations, &rights, e));
	TRY(rights_of_caller(ctx, cmd->path, &has, e));
	if (!(has & RIGHT_WRITE_ACL))
		return refuse_unseen(cmd->path, NULL, e);
	TRY(refuse_more(ctx, rights, has, cmd->path, e));
	TRY(find_actor(ctx, cmd->actor, &of, e));
	TRY(refuse_own(ctx, &of, e));
	TRY(check_holder(ctx, &of, rights, e));
	TRY(path_free(ctx, &of, cmd->path, e));
	TRY(check_room(ctx, &of, e));
	ret->permission = (struct permission_row){ .uuid = verb_uuid_text(ctx), .principal_id = of.id, .path = cmd->path, .actor = cmd->actor,
						   .operations = rights, .created = ctx->now };
	TRY(permission_row_insert(ctx->tx, &ret->permission, e));
	return record_permission(ctx, "permission.add", &of, NULL, &ret->permission, e);
}

static troth_rc show_by_path(struct verb_ctx *ctx, const struct permission_cmd *cmd, struct permission_row *ret, struct troth_err *e)
{
	struct principal_row of;
	struct troth_err ignored = { 0 }; /* whoever is not understood has no permission */
	unsigned has = 0;
	if (cmd->path)
		TRY(rights_of_caller(ctx, cmd->path, &has, e));
	if (has & RIGHT_READ_ACL && rc_ok(find_actor(ctx, cmd->actor, &of, &ignored)) &&
	    rc_ok(permission_row_by_path(ctx->tx, ctx->a, of.id, cmd->path, ret, NULL)))
		return RC_OK;
	return refuse_unseen(cmd->path ? cmd->path : "", CLAUSE_PERMISSION_UNSEEN, e);
}

static troth_rc show_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct permission_cmd *cmd = arg;
	struct permission_ret *ret = out;
	unsigned has;
	return cmd->id ? find(ctx, cmd->id, RIGHT_READ_ACL, &ret->permission, &has, e) : show_by_path(ctx, cmd, &ret->permission, e);
}

/* To change or take: the permission, whose it is, and what the caller may give there. */
static troth_rc find_to_keep(struct verb_ctx *ctx, const char *id, struct permission_row *ret, struct principal_row *ret_of, unsigned *ret_has,
			     struct troth_err *e)
{
	TRY(find(ctx, id, RIGHT_WRITE_ACL, ret, ret_has, e));
	TRY(principal_row_get(ctx->tx, ctx->a, ret->principal_id, ret_of, e));
	return refuse_own(ctx, ret_of, e);
}

static troth_rc check_same(struct verb_ctx *ctx, const struct permission_cmd *cmd, const struct permission_row *row, struct troth_err *e)
{
	struct principal_row of;
	struct troth_err ignored = { 0 };
	if ((!cmd->path || text_equal(cmd->path, row->path)) &&
	    (!cmd->actor || (rc_ok(find_actor(ctx, cmd->actor, &of, &ignored)) && of.id == row->principal_id)))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "permission %s is of %s for %s", row->uuid, row->actor, row->path);
	err_hint(e, "its path and actor stay; another path is another permission");
	err_clause(e, CLAUSE_PERMISSION_OTHER);
	return rc;
}

static troth_rc change_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct permission_cmd *cmd = arg;
	struct permission_row *row = &((struct permission_ret *)out)->permission, before;
	struct principal_row of;
	unsigned rights, has;
	TRY(said_rights(&cmd->operations, &rights, e));
	TRY(find_to_keep(ctx, cmd->id, row, &of, &has, e));
	TRY(check_same(ctx, cmd, row, e));
	TRY(refuse_more(ctx, rights & ~(unsigned)row->operations, has, row->path, e));
	TRY(check_holder(ctx, &of, rights, e));
	if (row->operations == rights)
		return RC_OK;
	before = *row;
	row->operations = rights;
	TRY(permission_row_update(ctx->tx, row, e));
	return record_permission(ctx, "permission.change", &of, &before, row, e);
}

static troth_rc remove_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct permission_cmd *cmd = arg;
	struct permission_ret *ret = out;
	struct principal_row of;
	unsigned has;
	TRY(find_to_keep(ctx, cmd->id, &ret->permission, &of, &has, e));
	TRY(permission_row_delete(ctx->tx, ret->permission.id, e));
	return record_permission(ctx, "permission.remove", &of, &ret->permission, NULL, e);
}

const struct verb VERB_PERMISSION_ADD = { "permission.add", VERB_WRITE, ROLES_CHANGE, sizeof(struct permission_cmd),
					  sizeof(struct permission_ret), NULL, add_run };
const struct verb VERB_PERMISSION_SHOW = { "permission.show", VERB_READ, ROLES_READ, sizeof(struct permission_cmd),
					   sizeof(struct permission_ret), NULL, show_run };
const struct verb VERB_PERMISSION_CHANGE = { "permission.change", VERB_WRITE, ROLES_CHANGE, sizeof(struct permission_cmd),
					     sizeof(struct permission_ret), NULL, change_run };
const struct verb VERB_PERMISSION_REMOVE = { "permission.remove", VERB_WRITE, ROLES_CHANGE, sizeof(struct permission_cmd),
					     sizeof(struct permission_ret), NULL, remove_run };
