/* A root that was made elsewhere, with its key.  See adopt.h. */
#include "service/ca/adopt.h"

#include <string.h>

#include "model/name.h"
#include "service/ca/certify.h"
#include "service/ca/certify_chain.h"
#include "service/ca/credential.h"
#include "service/ca/hierarchy.h"
#include "service/ca/imported.h"
#include "service/check.h"
#include "service/record.h"
#include "service/rotation/beside.h"
#include "service/rotation/rotation_rows.h"
#include "service/rotation/steps.h"

#define LEAF_TTL (90 * MSEC_DAY)

/* -- what both look at ---------------------------------------------------------------------------------------- */

void authority_adopt_check(struct arena *a, const struct authority_adopt_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	check_new_name(&c, "$.name", cmd->name, false);
	check_present(&c, "$.certificate", cmd->certificate);
	check_present(&c, "$.private_key", cmd->private_key);
}

/* What the next versions need of it. */
static void check_usable(const struct checker *c, const struct cert *root)
{
	if (!root->is_ca)
		check_fail(c, "$.certificate", "ca", "is no CA", "a service's certificate is brought for its slots: troth credential upload");
	if (!root->key_type_known)
		check_fail(c, "$.certificate", "key-type", "has a key of a type or size that is not made here",
			   "RSA of 2048, 3072 or 4096 bits, EC P-256 or P-384, or Ed25519");
	if (!root->common_name[0])
		check_fail(c, "$.certificate", "name", "has no common name", "its next version, which is made here, could not be named after it");
}

static const struct cert *read_root(struct verb_ctx *ctx, const char *pem, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	struct cert_pool pool = { 0 };
	cert_pool_read(&c, "$.certificate", pem, &pool);
	if (pool.count > 1)
		check_fail(&c, "$.certificate", "certificate", arena_printf(ctx->a, "has %zu certificates", pool.count), "bring the root alone");
	if (pool.count != 1)
		return NULL;
	check_usable(&c, pool.items[0]);
	if (pool.items[0]->is_ca)
		certify_root_judge(ctx->a, "$.certificate", pool.items[0], ctx->now, e);
	return pool.items[0];
}

static troth_rc need_wrap(struct verb_ctx *ctx, const char *name, const char *key, const struct cert *root, const char *version,
			  struct troth_err *e)
{
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	need->kind = KEEPER_KEY_WRAP;
	need->key_wrap.key = bytes_of_text(key);
	need->key_wrap.policy = (struct keeper_policy){ .kind = KEEPER_KEY_AUTHORITY, .authority = name, .may_sign_ca = root->path_len != 0,
							.path_len = root->path_len, .latest_not_after = root->not_after };
	(void)text_copy(need->key_wrap.policy.key_id, UUID_LEN, version); /* a uuid fits a uuid */
	return verb_need(ctx, need, e);
}

static troth_rc check_key(struct verb_ctx *ctx, const struct cert *root, struct troth_err *e)
{
	if (!ctx->reply_count || bytes_equal(ctx->replies[0]->spki, root->spki))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "the private key is not that of %.120s", root->subject);
	err_clause(e, CLAUSE_OTHER_KEY);
	return rc;
}

/* -- a new authority ------------------------------------------------------------------------------------------ */

struct adopt_plan {
	const struct cert *root;
	char version[UUID_LEN];
};

static troth_rc adopt_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct authority_adopt_cmd *cmd = arg;
	struct adopt_plan *plan = ARENA_NEW(ctx->a, struct adopt_plan);
	authority_adopt_check(ctx->a, cmd, e);
	if (cmd->certificate)
		plan->root = read_root(ctx, cmd->certificate, e);
	TRY(check_done(e));
	TRY(principal_in_scope(ctx->who, cmd->name, e));
	TRY(credential_name_free(ctx, cmd->name, e));
	TRY(imported_check_root(ctx, plan->root, e));
	verb_uuid(ctx, plan->version);
	ctx->plan = plan;
	return ctx->options.dry_run ? RC_OK : need_wrap(ctx, cmd->name, cmd->private_key, plan->root, plan->version, e);
}

/* "O=x" of a subject as RFC 2253 has it; what is escaped there is not taken over. */
static const char *attribute_of(struct arena *a, const char *subject, const char *type)
{
	for (const char *p = subject; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
		size_t len = strcspn(p, ",+"), skip = strlen(type);
		if (text_starts(p, type) && len > skip && !memchr(p, '\\', len))
			return arena_text_n(a, p + skip, len - skip);
	}
	return NULL;
}

static struct credential_row row_of(struct verb_ctx *ctx, const struct authority_adopt_cmd *cmd, const struct cert *root)
{
	char uuid[UUID_LEN];
	struct credential_spec spec = { .common_name = root->common_name, .organization = attribute_of(ctx->a, root->subject, "O="),
					.organizational_unit = attribute_of(ctx->a, root->subject, "OU="),
					.path_len = root->path_len };
	verb_uuid(ctx, uuid);
	return (struct credential_row){
		.uuid = arena_text(ctx->a, uuid), .name = cmd->name, .kind = CREDENTIAL_AUTHORITY, .origin = ORIGIN_INTERNAL,
		.key_type = key_type_name(root->key_type), .spec = credential_spec_write(ctx->a, &spec),
		.ca_ttl = root->not_after - root->not_before, .leaf_ttl = LEAF_TTL, .renew = "never", .leaf_renew = "never", .rev = 1,
		.created = ctx->now,
	};
}

static troth_rc record_adopt(struct verb_ctx *ctx, const struct credential_row *row, const struct cert *root, struct troth_err *e)
{
	char hex[SHA256_HEX_LEN];
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "id", row->uuid);
	jw_kv_text(&r.w, "key_type", row->key_type);
	jw_kv_text(&r.w, "fingerprint", cert_fingerprint_hex(root, hex));
	return record_change(ctx, &(struct change){ .action = "authority.adopt", .object = row->name, .after = record_end(&r, ctx->a) }, e);
}

static troth_rc adopt_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct authority_adopt_cmd *cmd = arg;
	const struct adopt_plan *plan = ctx->plan;
	struct lookup_ret *ret = out;
	struct version_row version = { .uuid = plan->version, .source = VERSION_UPLOADED, .wanted = true, .can_sign = true };
	TRY(check_key(ctx, plan->root, e));
	TRY(credential_name_free(ctx, cmd->name, e));
	TRY(imported_check_root(ctx, plan->root, e));
	struct credential_row row = row_of(ctx, cmd, plan->root);
	if (ctx->reply_count)
		version.key_blob = ctx->replies[0]->blob;
	TRY(credential_row_insert(ctx->tx, &row, e));
	TRY(issue_store(ctx, &row, NULL, plan->root->der, &version, e));
	TRY(version_row_set_signing(ctx->tx, row.id, version.id, e));
	verb_changed(ctx, CHANGED_CREDENTIAL, row.id);
	TRY(record_adopt(ctx, &row, plan->root, e));
	TRY(credential_row_get(ctx->tx, ctx->a, row.id, &row, e));
	TRY(lookup_load(ctx, &row, ret, e));
	return lookup_trust(ctx, ret, e);
}

const struct verb VERB_AUTHORITY_ADOPT = { "authority.adopt", VERB_WRITE, ROLES_CHANGE, sizeof(struct authority_adopt_cmd),
					   sizeof(struct lookup_ret), adopt_prepare, adopt_run };

/* -- the next version of one that is there ---------------------------------------------------------------------- */

struct next_plan {
	struct credential_row authority;
	const struct cert *root;
	char version[UUID_LEN];
	bool kept;                      /* its key is: what is below it can be signed */
	struct hierarchy hierarchy;
};

static troth_rc refuse_next(const struct credential_row *c, const char *why, const char *hint, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_INVALID, "%s %s", c->name, why);
	err_hint(e, "%s", hint);
	err_object(e, "%s", c->name);
	return rc;
}

/* Only a root whose keys are the keeper's is followed by another one with its key. */
static troth_rc find_next(struct verb_ctx *ctx, const struct authority_adopt_next_cmd *cmd, struct credential_row *ret, struct troth_err *e)
{
	TRY(lookup_find(ctx, NULL, cmd->id, ret, e));
	ENSURE(!name_is_reserved(ret->name), e, TROTH_UNSAFE, "%s is troth's own: troth rotate %s", ret->name, ret->name);
	if (ret->kind != CREDENTIAL_AUTHORITY)
		return refuse_next(ret, "is no CA", "a leaf is brought for the slots that serve it: troth credential upload", e);
	if (ret->origin != ORIGIN_INTERNAL)
		return refuse_next(ret, "has its key elsewhere", "bring its next certificate alone: troth authority import, or certify", e);
	if (ret->issuer_id)
		return refuse_next(ret, "is signed by another CA here", "its next version is made below that one: troth rotate", e);
	if (cmd->signer && !text_equal(cmd->signer, ret->name))
		return refuse_next(ret, "is a root: it signs itself", "say its own name, or none", e);
	ENSURE(ret->signing_version, e, TROTH_CONFLICT, "%s has no version that signs", ret->name);
	return RC_OK;
}

/* It takes the place of the one that signs, so it must be able to do all that this one does. */
static troth_rc judge_next(struct verb_ctx *ctx, const struct authority_adopt_next_cmd *cmd, struct next_plan *plan, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	struct certify_need need = { .now = ctx->now };
	check_present(&c, "$.certificate", cmd->certificate);
	check_present(&c, "$.private_key", cmd->private_key);
	TRY(check_done(e));
	TRY(find_next(ctx, cmd, &plan->authority, e));
	plan->root = read_root(ctx, cmd->certificate, e);
	TRY(check_done(e));
	need.name = plan->authority.name;
	TRY(certify_need_below(ctx, &plan->authority, &need, e));
	certify_ca_judge(ctx->a, "$.certificate", plan->root, &need, e);
	TRY(check_done(e));
	TRY(imported_check_root(ctx, plan->root, e));
	return cmd->beside ? beside_is_free(ctx, &plan->authority, e) : RC_OK;
}

static troth_rc next_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct authority_adopt_next_cmd *cmd = arg;
	struct next_plan *plan = ctx->plan;
	if (!plan) {
		ENSURE(!ctx->options.dry_run, e, TROTH_INVALID, "this cannot be tried: the key would be kept");
		plan = ARENA_NEW(ctx->a, struct next_plan);
		TRY(judge_next(ctx, cmd, plan, e));
		verb_uuid(ctx, plan->version);
		ctx->plan = plan;
		ctx->more = true;
		return need_wrap(ctx, plan->authority.name, cmd->private_key, plan->root, plan->version, e);
	}
	if (!plan->kept) {
		struct keeper_issuer brought = { ctx->replies[0]->blob, plan->root->der };
		TRY(check_key(ctx, plan->root, e));
		TRY(hierarchy_plan_brought(ctx, &plan->authority, &brought, &plan->hierarchy, e));
		plan->kept = true;
	}
	return hierarchy_ask(ctx, &plan->hierarchy, e);
}

static troth_rc record_adopt_next(struct verb_ctx *ctx, const struct next_plan *plan, const struct rotation_row *rotation, struct troth_err *e)
{
	char hex[SHA256_HEX_LEN];
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "rotation", rotation->uuid);
	jw_kv_text(&r.w, "new_version", plan->version);
	jw_kv_text(&r.w, "fingerprint", cert_fingerprint_hex(plan->root, hex));
	jw_kv_bool(&r.w, "by_steps", rotation->by_steps);
	jw_kv_int(&r.w, "below", (int64_t)rotation->below_new.count);
	return record_change(ctx, &(struct change){ .action = "authority.adopt_next", .object = plan->authority.name, .after = record_end(&r, ctx->a),
						    .topic = arena_printf(ctx->a, "rotation/%s", rotation->uuid) }, e);
}

/* The goal flips, as in any rotation (rotate.c); only that the new version was not made here. */
static troth_rc turn_to_next(struct verb_ctx *ctx, struct next_plan *plan, struct rotation_row *rotation, struct troth_err *e)
{
	const struct credential_row *c = &plan->authority;
	struct hierarchy *h = &plan->hierarchy;
	struct version_row version = { .uuid = plan->version, .source = VERSION_UPLOADED, .wanted = true, .can_sign = true,
				       .key_blob = ctx->replies[0]->blob };
	TRY(issue_store(ctx, c, NULL, plan->root->der, &version, e));
	h->items[0].next = version;
	TRY(hierarchy_write(ctx, h, rotation, false, e));
	rotation->new_version = version.id;
	TRY(rotation_unwant(ctx, c->id, version.id, rotation, e));
	TRY(rotation_begin(ctx, c, "its next root was brought", rotation, e));
	for (size_t i = 0; i < h->count; i++)
		if (i == 0 || h->items[i].next.id != h->items[i].now.id)
			TRY(hierarchy_supersede(ctx, h->items[i].credential.id, rotation, e));
	return record_adopt_next(ctx, plan, rotation, e);
}

static troth_rc next_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct authority_adopt_next_cmd *cmd = arg;
	struct next_plan *plan = ctx->plan, now = { 0 };
	struct rotation_row rotation = { .by_steps = cmd->beside, .ordered = cmd->beside ? ORDER_INTRODUCE : 0 };
	struct lookup_ret *ret = out;
	TRY(judge_next(ctx, cmd, &now, e));
	TRY(hierarchy_plan_brought(ctx, &now.authority, &plan->hierarchy.items[0].brought, &now.hierarchy, e));
	ctx->retry = now.authority.id != plan->authority.id || !hierarchy_same(&now.hierarchy, &plan->hierarchy);
	if (ctx->retry)
		return RC_OK;
	plan->authority = now.authority; /* as the writer sees it */
	TRY(turn_to_next(ctx, plan, &rotation, e));
	TRY(beside_approve(ctx, rotation.uuid, cmd->beside ? BESIDE_INTRODUCE : BESIDE_ALL, e));
	TRY(beside_engine(ctx, e));
	TRY(credential_row_get(ctx->tx, ctx->a, now.authority.id, &now.authority, e));
	TRY(lookup_load(ctx, &now.authority, ret, e));
	lookup_only(ret, plan->version);
	return lookup_trust(ctx, ret, e);
}

const struct verb VERB_AUTHORITY_ADOPT_NEXT = { "authority.adopt_next", VERB_WRITE, ROLES_CHANGE, sizeof(struct authority_adopt_next_cmd),
						sizeof(struct lookup_ret), next_prepare, next_run };
