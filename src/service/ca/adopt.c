/* A root that was made elsewhere, with its key.  See adopt.h. */
#include "service/ca/adopt.h"

#include <string.h>

#include "service/ca/certify_chain.h"
#include "service/ca/credential.h"
#include "service/ca/imported.h"
#include "service/check.h"
#include "service/record.h"

#define LEAF_TTL (90 * MSEC_DAY)

struct adopt_plan {
	const struct cert *root;
	char version[UUID_LEN];
};

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

static troth_rc need_wrap(struct verb_ctx *ctx, const struct authority_adopt_cmd *cmd, const struct adopt_plan *plan, struct troth_err *e)
{
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	need->kind = KEEPER_KEY_WRAP;
	need->key_wrap.key = bytes_of_text(cmd->private_key);
	need->key_wrap.policy = (struct keeper_policy){ .kind = KEEPER_KEY_AUTHORITY, .authority = cmd->name, .may_sign_ca = plan->root->path_len != 0,
							.path_len = plan->root->path_len, .latest_not_after = plan->root->not_after };
	(void)text_copy(need->key_wrap.policy.key_id, UUID_LEN, plan->version); /* a uuid fits a uuid */
	return verb_need(ctx, need, e);
}

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
	return ctx->options.dry_run ? RC_OK : need_wrap(ctx, cmd, plan, e);
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
	struct credential_spec spec = { .common_name = root->common_name, .organization = attribute_of(ctx->a, root->subject, "O="),
					.organizational_unit = attribute_of(ctx->a, root->subject, "OU="),
					.path_len = root->path_len };
	return (struct credential_row){
		.uuid = verb_uuid_text(ctx), .name = cmd->name, .kind = CREDENTIAL_AUTHORITY, .origin = ORIGIN_INTERNAL,
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

static troth_rc check_key(struct verb_ctx *ctx, const struct adopt_plan *plan, struct troth_err *e)
{
	if (!ctx->reply_count || bytes_equal(ctx->replies[0]->spki, plan->root->spki))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "the private key is not that of %.120s", plan->root->subject);
	err_clause(e, CLAUSE_OTHER_KEY);
	return rc;
}

static troth_rc adopt_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct authority_adopt_cmd *cmd = arg;
	const struct adopt_plan *plan = ctx->plan;
	struct lookup_ret *ret = out;
	struct version_row version = { .uuid = plan->version, .source = VERSION_UPLOADED, .wanted = true, .can_sign = true };
	TRY(check_key(ctx, plan, e));
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
