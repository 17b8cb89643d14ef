/* A root that was made elsewhere, with its key.  See adopt.h. */
#include "service/ca/adopt.h"

#include <string.h>

#include "model/name.h"
#include "service/ca/certify_chain.h"
#include "service/ca/credential.h"
#include "service/ca/disclose.h"
#include "service/ca/imported.h"
#include "service/ca/root_source.h"
#include "service/check.h"
#include "service/rotation/beside.h"
#include "service/rotation/rotation.h"

#define LEAF_TTL (90 * MSEC_DAY)

/* -- what is brought ---------------------------------------------------------------------------------------- */

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
	if (!root->common_name[0])
		check_fail(c, "$.certificate", "name", "has no common name", "its next version, which is made here, could not be named after it");
}

static const struct cert *read_root(struct verb_ctx *ctx, const char *pem, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	const struct cert *root = root_source_pem(&c, "$.certificate", pem);
	if (!root)
		return NULL;
	check_usable(&c, root);
	if (root->is_ca)
		certify_root_judge(ctx->a, "$.certificate", root, ctx->now, e);
	return root;
}

/* -- a new authority ------------------------------------------------------------------------------------------ */

struct adopt_plan {
	const struct cert *root;
	char version[UUID_LEN];
};

static bool is_exportable(const struct verb_ctx *ctx, const struct authority_adopt_cmd *cmd)
{
	return cmd->exportable && disclose_may(ctx, &(struct credential_row){ 0 });
}

/* Who sent it has it; the answer says whether it can be had again. */
static void give_back(struct lookup_ret *ret, const char *private_key)
{
	if (ret->count && ret->credential.row.exportable)
		ret->items[0].private_key = private_key;
}

static troth_rc adopt_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct authority_adopt_cmd *cmd = arg;
	struct adopt_plan *plan = ARENA_NEW(ctx->a, struct adopt_plan);
	struct credential_row row = { .name = cmd->name, .exportable = is_exportable(ctx, cmd) };
	authority_adopt_check(ctx->a, cmd, e);
	if (cmd->certificate)
		plan->root = read_root(ctx, cmd->certificate, e);
	TRY(check_done(e));
	TRY(principal_in_scope(ctx->who, cmd->name, e));
	TRY(credential_name_free(ctx, cmd->name, e));
	TRY(imported_check_root(ctx, plan->root, e));
	verb_uuid(ctx, plan->version);
	ctx->plan = plan;
	return ctx->options.dry_run ? RC_OK : root_source_need(ctx, &row, cmd->private_key, plan->root, plan->version, e);
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

/* What could not be written again is left out: the next version would be refused for it. */
static struct cert_place place_of(struct arena *a, const char *subject)
{
	struct cert_place p = { attribute_of(a, subject, "C="), attribute_of(a, subject, "ST="), attribute_of(a, subject, "L=") };
	return (struct cert_place){ cert_country_fault(p.country) ? NULL : p.country, cert_place_fault(p.state) ? NULL : p.state,
				    cert_place_fault(p.locality) ? NULL : p.locality };
}

static struct credential_row row_of(struct verb_ctx *ctx, const struct authority_adopt_cmd *cmd, const struct cert *root)
{
	struct credential_spec spec = { .common_name = root->common_name, .organization = attribute_of(ctx->a, root->subject, "O="),
					.organizational_unit = attribute_of(ctx->a, root->subject, "OU="),
					.place = place_of(ctx->a, root->subject), .path_len = root->path_len };
	return (struct credential_row){
		.uuid = verb_uuid_text(ctx), .name = cmd->name, .kind = CREDENTIAL_AUTHORITY, .origin = ORIGIN_INTERNAL,
		.key_type = key_type_name(root->key_type), .spec = credential_spec_write(ctx->a, &spec),
		.ca_ttl = root->not_after - root->not_before, .leaf_ttl = LEAF_TTL, .renew = "never", .leaf_renew = "never", .rev = 1,
		.exportable = is_exportable(ctx, cmd), .created = ctx->now,
	};
}

static troth_rc adopt_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct authority_adopt_cmd *cmd = arg;
	const struct adopt_plan *plan = ctx->plan;
	struct lookup_ret *ret = out;
	struct version_row version = { .uuid = plan->version, .source = VERSION_UPLOADED, .wanted = true, .can_sign = true };
	if (ctx->reply_count)
		TRY(root_source_check_key(ctx->replies[0], plan->root, e));
	TRY(credential_name_free(ctx, cmd->name, e));
	TRY(imported_check_root(ctx, plan->root, e));
	struct credential_row row = row_of(ctx, cmd, plan->root);
	if (ctx->reply_count)
		version.key_blob = ctx->replies[0]->blob;
	TRY(credential_row_insert(ctx->tx, &row, e));
	TRY(issue_store(ctx, &row, NULL, plan->root->der, &version, e));
	TRY(metadata_row_put(ctx->tx, version.id, cmd->metadata, e));
	TRY(version_row_set_signing(ctx->tx, row.id, version.id, e));
	verb_changed(ctx, CHANGED_CREDENTIAL, row.id);
	TRY(root_source_record(ctx, &row, plan->root, plan->version, e));
	TRY(credential_row_get(ctx->tx, ctx->a, row.id, &row, e));
	TRY(lookup_load(ctx, &row, ret, e));
	give_back(ret, cmd->private_key);
	return lookup_trust(ctx, ret, e);
}

const struct verb VERB_AUTHORITY_ADOPT = { "authority.adopt", VERB_WRITE, ROLES_CHANGE, sizeof(struct authority_adopt_cmd),
					   sizeof(struct lookup_ret), adopt_prepare, adopt_run, RIGHT_WRITE };

/* -- the next version of one that is there ---------------------------------------------------------------------- */

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

/* A rotation whose new version is not made but brought (root_source.h). */
static troth_rc decide_next(struct verb_ctx *ctx, const struct authority_adopt_next_cmd *cmd, struct rotate_cmd *ret,
			    struct credential_row *ret_authority, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	check_present(&c, "$.certificate", cmd->certificate);
	check_present(&c, "$.private_key", cmd->private_key);
	TRY(check_done(e));
	TRY(find_next(ctx, cmd, ret_authority, e));
	*ret = (struct rotate_cmd){ .name = ret_authority->name, .by_steps = cmd->beside, .again = true, .reason = "its next root was brought",
				    .source = { "$.certificate", cmd->certificate, cmd->private_key } };
	return RC_OK;
}

static troth_rc next_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct authority_adopt_next_cmd *cmd = arg;
	struct credential_row authority;
	struct rotate_cmd rotate;
	ENSURE(!ctx->options.dry_run, e, TROTH_INVALID, "this cannot be tried: the key would be kept");
	TRY(decide_next(ctx, cmd, &rotate, &authority, e));
	TRY(VERB_ROTATE.prepare(ctx, &rotate, e)); /* what is wrong with it is said before what it would stand beside */
	return cmd->beside ? beside_is_free(ctx, &authority, e) : RC_OK;
}

static troth_rc next_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct authority_adopt_next_cmd *cmd = arg;
	struct rotate_cmd rotate;
	struct rotate_ret rotated = { 0 };
	struct credential_row authority;
	struct lookup_ret *ret = out;
	TRY(decide_next(ctx, cmd, &rotate, &authority, e));
	if (cmd->beside)
		TRY(beside_is_free(ctx, &authority, e));
	TRY(VERB_ROTATE.run(ctx, &rotate, &rotated, e));
	if (ctx->retry)
		return RC_OK;
	TRY(beside_approve(ctx, rotated.rotation, cmd->beside ? BESIDE_INTRODUCE : BESIDE_ALL, e));
	TRY(beside_engine(ctx, e));
	TRY(credential_row_by_name(ctx->tx, ctx->a, rotate.name, &authority, e));
	TRY(lookup_load(ctx, &authority, ret, e));
	lookup_only(ret, rotated.new_version);
	give_back(ret, cmd->private_key);
	return lookup_trust(ctx, ret, e);
}

const struct verb VERB_AUTHORITY_ADOPT_NEXT = { "authority.adopt-next", VERB_WRITE, ROLES_CHANGE, sizeof(struct authority_adopt_next_cmd),
						sizeof(struct lookup_ret), next_prepare, next_run, RIGHT_WRITE };
