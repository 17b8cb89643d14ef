/* Imported authorities.  See imported.h. */
#include "service/intake/imported.h"

#include <string.h>

#include "service/ca/credential.h"
#include "service/ca/hierarchy.h"
#include "service/ca/notice.h"
#include "service/fleet/meet.h"
#include "service/intake/certify_chain.h"
#include "service/intake/constrained.h"
#include "service/intake/external_ca.h"
#include "service/intake/known.h"
#include "service/record.h"
#include "service/rotation/rotation_rows.h"

/* An external authority below that will ask for its next certificate. */
struct asking { struct credential_row row; char uuid[UUID_LEN]; };

struct import_plan {
	const struct cert *root;
	struct credential_row row;  /* id 0: to be made */
	struct asking *asking;
	size_t count;
};

/* -- input ---------------------------------------------------------------------------------------------------- */

static void import_check(struct arena *a, const struct authority_import_cmd *cmd, bool reserved_ok, struct troth_err *e)
{
	struct checker c = { a, e };
	check_new_name(&c, "$.name", cmd->name, reserved_ok);
	check_present(&c, "$.certificate", cmd->certificate);
}

void authority_import_check(struct arena *a, const struct authority_import_cmd *cmd, struct troth_err *e)
{
	import_check(a, cmd, false, e);
}

static const struct cert *read_root(struct verb_ctx *ctx, const char *pem, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	struct cert_pool pool = { 0 };
	cert_pool_read(&c, "$.certificate", pem, &pool);
	if (pool.count > 1)
		check_fail(&c, "$.certificate", "certificate", arena_printf(ctx->a, "has %zu certificates", pool.count),
			   "import the root alone, one at a time");
	if (pool.count != 1)
		return NULL;
	certify_root_judge(ctx->a, "$.certificate", pool.items[0], ctx->now, e);
	return pool.items[0];
}

/* Rule N: no verifier may take it for another CA. */
static troth_rc check_subject(struct verb_ctx *ctx, const struct cert *root, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	struct cert_pool same = { 0 };
	TRY(known_issuers(ctx, root, &same, e));
	for (size_t i = 0; i < same.count; i++) {
		if (!known_ambiguous(root, same.items[i]))
			continue;
		check_fail(&c, "$.certificate", "same-subject",
			   arena_printf(ctx->a, "has the subject %.120s of another CA, another key, and no key identifier to tell them apart",
						root->subject),
			   "verifiers would take the wrong one; have it made with a subject key identifier of its key");
		break;
	}
	return RC_OK;
}

/* The certificate is no secret; what it is called here may be. */
static troth_rc refuse_unseen(struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "this certificate is a version of an authority already, which is not in your scope");
	err_hint(e, "ask who keeps it, or an administrator");
	return rc;
}

static troth_rc refuse_used(const struct credential_row *owner, const struct version_row *v, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "this certificate is version %s of %s already", v->uuid, owner->name);
	err_hint(e, owner->origin == ORIGIN_IMPORTED ? "look at it: troth authority show %s" : "its key is here: troth authority show %s",
		 owner->name);
	err_object(e, "%s", owner->name);
	return rc;
}

static troth_rc check_unused(struct verb_ctx *ctx, const struct cert *root, struct troth_err *e)
{
	struct version_row v;
	struct credential_row owner;
	bool used;
	TRY(known_version(ctx, root, &v, &owner, &used, e));
	if (!used)
		return RC_OK;
	return record_readable(ctx->who, owner.name) ? refuse_used(&owner, &v, e) : refuse_unseen(e);
}

troth_rc imported_check_root(struct verb_ctx *ctx, const struct cert *root, struct troth_err *e)
{
	TRY(check_subject(ctx, root, e));
	TRY(check_done(e));
	return check_unused(ctx, root, e);
}

static troth_rc find_row(struct verb_ctx *ctx, const char *name, struct credential_row *ret, struct troth_err *e)
{
	TRY(principal_in_scope(ctx->who, name, e));
	if (rc_failed(credential_row_by_name(ctx->tx, ctx->a, name, ret, NULL))) {
		*ret = (struct credential_row){ 0 };
		return RC_OK;
	}
	if (ret->kind == CREDENTIAL_AUTHORITY && ret->origin == ORIGIN_IMPORTED)
		return RC_OK;
	return credential_name_free(ctx, name, e); /* it is not: says so */
}

/* -- those below ---------------------------------------------------------------------------------------------- */

/* Has it a version, and does it not ask already? */
static troth_rc may_ask(struct verb_ctx *ctx, const struct credential_row *c, bool *ret, struct troth_err *e)
{
	struct ca_request_row request;
	bool waits;
	TRY(ca_request_row_of(ctx->tx, ctx->a, c->id, &request, &waits, e));
	*ret = c->kind == CREDENTIAL_AUTHORITY && c->signing_version && !waits;
	return RC_OK;
}

static troth_rc plan_below(struct verb_ctx *ctx, struct import_plan *plan, struct troth_err *e)
{
	struct credential_row *below;
	size_t n;
	if (!plan->row.id)
		return RC_OK;
	TRY(credential_row_list_issuer(ctx->tx, ctx->a, plan->row.id, PAGE_ALL, &below, &n, e));
	ENSURE(n <= LIMIT_INTERMEDIATES, e, TROTH_TOO_LARGE, "more than %d authorities stand below %s", LIMIT_INTERMEDIATES, plan->row.name);
	plan->asking = ARENA_ARRAY(ctx->a, struct asking, n);
	for (size_t i = 0; i < n; i++) {
		bool ask;
		TRY(may_ask(ctx, &below[i], &ask, e));
		if (!ask)
			continue;
		plan->asking[plan->count].row = below[i];
		verb_uuid(ctx, plan->asking[plan->count++].uuid);
	}
	return RC_OK;
}

static troth_rc decide(struct verb_ctx *ctx, const struct authority_import_cmd *cmd, struct import_plan **ret, struct troth_err *e)
{
	struct import_plan *plan = ARENA_NEW(ctx->a, struct import_plan);
	import_check(ctx->a, cmd, ctx->who->roles & ROLE_SYSTEM, e);
	TRY(check_done(e));
	TRY(find_row(ctx, cmd->name, &plan->row, e));
	plan->root = read_root(ctx, cmd->certificate, e);
	TRY(check_done(e));
	TRY(check_unused(ctx, plan->root, e));
	TRY(check_subject(ctx, plan->root, e));
	if (plan->row.id)
		TRY(constrained_judge(ctx, "$.certificate", &plan->row, &(struct cert_pool){ &plan->root, 1 }, e));
	TRY(check_done(e));
	*ret = plan;
	return plan_below(ctx, plan, e);
}

static troth_rc import_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	struct import_plan *plan;
	TRY(decide(ctx, arg, &plan, e));
	ctx->plan = plan;
	for (size_t i = 0; i < plan->count && !ctx->options.dry_run; i++)
		TRY(external_need(ctx, &plan->asking[i].row, plan->asking[i].uuid, e));
	return RC_OK;
}

static bool same_plan(const struct import_plan *x, const struct import_plan *y)
{
	bool same = x->row.id == y->row.id && x->count == y->count;
	for (size_t i = 0; same && i < x->count; i++)
		same = x->asking[i].row.id == y->asking[i].row.id;
	return same;
}

/* -- rows ------------------------------------------------------------------------------------------------------ */

static troth_rc insert_version(struct verb_ctx *ctx, const struct credential_row *row, const struct cert *root, struct version_row *ret,
			       struct troth_err *e)
{
	*ret = (struct version_row){ .source = VERSION_UPLOADED, .wanted = true };
	TRY(issue_store(ctx, row, NULL, root->der, ret, e));
	TRY(imported_meets(ctx, row->id, ret->cert_id, e));
	TRY(notice_promise(ctx, ret->id, root->not_after, e));
	return RC_OK;
}

troth_rc imported_make(struct verb_ctx *ctx, const char *name, const struct cert *root, struct credential_row *ret,
		       struct version_row *ret_version, struct troth_err *e)
{
	bool named = root->common_name[0] && strlen(root->common_name) <= CERT_COMMON_NAME_MAX; /* a definition has no longer one */
	struct credential_spec spec = { .common_name = named ? root->common_name : NULL, .path_len = root->path_len };
	*ret = (struct credential_row){ .uuid = verb_uuid_text(ctx), .name = name, .kind = CREDENTIAL_AUTHORITY,
					.origin = ORIGIN_IMPORTED, .key_type = root->key_type_known ? key_type_name(root->key_type) : "other",
					.spec = credential_spec_write(ctx->a, &spec), .ca_ttl = root->not_after - root->not_before,
					.rev = 1, .created = ctx->now };
	TRY(credential_row_insert(ctx->tx, ret, e));
	return insert_version(ctx, ret, root, ret_version, e);
}

troth_rc imported_meets(struct verb_ctx *ctx, int64_t authority_id, int64_t cert_id, struct troth_err *e)
{
	struct bundle_member_row *members;
	size_t n;
	TRY(bundle_member_row_list_authority(ctx->tx, ctx->a, authority_id, &members, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(meet_member_added(ctx, &members[i], e));
	TRY(bundle_member_row_list_cert(ctx->tx, ctx->a, cert_id, &members, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(meet_member_added(ctx, &members[i], e));
	return RC_OK;
}

/* Does a wanted version of it hang on another one than `newest`? */
static troth_rc hangs_elsewhere(struct verb_ctx *ctx, int64_t credential_id, int64_t newest, bool *ret, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	TRY(version_row_list_credential(ctx->tx, ctx->a, credential_id, PAGE_ALL, &versions, &n, e));
	for (size_t i = 0; i < n; i++)
		*ret = *ret || (versions[i].wanted && versions[i].signed_by != newest);
	return RC_OK;
}

troth_rc imported_settle(struct verb_ctx *ctx, int64_t authority_id, struct troth_err *e)
{
	struct version_row *versions;
	struct credential_row *below;
	size_t n, m;
	int64_t newest = 0;
	bool held = false;
	TRY(version_row_list_credential(ctx->tx, ctx->a, authority_id, PAGE_ALL, &versions, &n, e));
	for (size_t i = 0; i < n; i++)
		newest = versions[i].wanted ? versions[i].id : newest;
	TRY(credential_row_list_issuer(ctx->tx, ctx->a, authority_id, PAGE_ALL, &below, &m, e));
	for (size_t i = 0; i < m; i++)
		if (below[i].kind == CREDENTIAL_AUTHORITY)
			TRY(hangs_elsewhere(ctx, below[i].id, newest, &held, e));
	for (size_t i = 0; i < n && !held; i++) {
		if (!versions[i].wanted || versions[i].id == newest)
			continue;
		versions[i].wanted = false;
		TRY(version_row_update(ctx->tx, &versions[i], e));
	}
	verb_changed(ctx, CHANGED_CREDENTIAL, authority_id);
	return RC_OK;
}

static void id_push(struct id_list *list, int64_t id) { list->items[list->count++] = id; }

/* All that was there has to go, when its time comes. */
static troth_rc old_ones(struct verb_ctx *ctx, int64_t authority_id, int64_t next, struct rotation_row *ret, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	TRY(version_row_list_credential(ctx->tx, ctx->a, authority_id, PAGE_ALL, &versions, &n, e));
	ret->old_versions = (struct id_list){ ARENA_ARRAY(ctx->a, int64_t, n + 1), 0 };
	ret->wanted_before = (struct id_list){ ARENA_ARRAY(ctx->a, int64_t, n + 1), 0 };
	for (size_t i = 0; i < n; i++) {
		if (versions[i].id == next || versions[i].retired_at)
			continue;
		id_push(&ret->old_versions, versions[i].id);
		if (versions[i].wanted)
			id_push(&ret->wanted_before, versions[i].id);
	}
	return RC_OK;
}

static troth_rc ask_below(struct verb_ctx *ctx, const struct import_plan *plan, struct authority_import_ret *ret, struct troth_err *e)
{
	const char *reason = arena_printf(ctx->a, "%s has a new version", plan->row.name);
	ret->asked.items = ARENA_ARRAY(ctx->a, const char *, plan->count);
	for (size_t i = 0; i < plan->count; i++) {
		const struct asking *x = &plan->asking[i];
		struct rotation_row rotation = { 0 };
		ret->asked.items[ret->asked.count++] = x->row.name;
		if (!ctx->options.dry_run)
			TRY(external_rotation(ctx, &x->row, x->uuid, ctx->replies[i], reason, &rotation, e));
	}
	return RC_OK;
}

/* Its next version: wanted from now on, beside what is there. */
static troth_rc rotate(struct verb_ctx *ctx, const struct import_plan *plan, const struct credential_row *row,
		       struct authority_import_ret *ret, struct troth_err *e)
{
	struct version_row version;
	struct rotation_row rotation = { 0 };
	TRY(insert_version(ctx, row, plan->root, &version, e));
	TRY(old_ones(ctx, row->id, version.id, &rotation, e));
	rotation.new_version = version.id;
	TRY(rotation_begin(ctx, row, "its next root was imported", &rotation, e));
	TRY(hierarchy_supersede(ctx, row->id, &rotation, e));
	ret->rotation = rotation.uuid;
	TRY(ask_below(ctx, plan, ret, e));
	return imported_settle(ctx, row->id, e);
}

static troth_rc record_import(struct verb_ctx *ctx, const struct import_plan *plan, const struct credential_row *row,
			      const struct authority_import_ret *ret, struct troth_err *e)
{
	struct record r;
	char hex[SHA256_HEX_LEN];
	record_begin(&r);
	jw_kv_text(&r.w, "id", row->uuid);
	jw_kv_text(&r.w, "fingerprint", cert_fingerprint_hex(plan->root, hex));
	jw_kv_text(&r.w, "subject", plan->root->subject);
	jw_kv_text(&r.w, "rotation", ret->rotation);
	jw_kv_int(&r.w, "asked", (int64_t)ret->asked.count);
	return record_change(ctx, &(struct change){ .action = "authority.import", .object = row->name, .after = record_end(&r, ctx->a) }, e);
}

static troth_rc import_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct authority_import_cmd *cmd = arg;
	struct import_plan *plan = ctx->plan, *now;
	struct authority_import_ret *ret = out;
	struct credential_row row;
	struct version_row version;
	TRY(decide(ctx, cmd, &now, e));
	ctx->retry = !same_plan(plan, now);
	if (ctx->retry)
		return RC_OK;
	row = now->row;
	ret->created = !row.id;
	if (ret->created)
		TRY(imported_make(ctx, cmd->name, now->root, &row, &version, e));
	else
		TRY(rotate(ctx, plan, &row, ret, e));
	TRY(record_import(ctx, now, &row, ret, e));
	TRY(credential_row_get(ctx->tx, ctx->a, row.id, &row, e));
	return credential_view_load(ctx->tx, ctx->a, &row, true, &ret->credential, e);
}

const struct verb VERB_AUTHORITY_IMPORT = {
	.name = "authority.import", .kind = VERB_WRITE, .roles = ROLES_CHANGE,
	.cmd_size = sizeof(struct authority_import_cmd), .ret_size = sizeof(struct authority_import_ret),
	.prepare = import_prepare, .run = import_run,
};
