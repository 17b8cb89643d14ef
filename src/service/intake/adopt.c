/* A CA that was made elsewhere, with its key.  See adopt.h. */
#include "service/intake/adopt.h"

#include <string.h>

#include "model/name.h"
#include "service/ca/credential.h"
#include "service/ca/notice.h"
#include "service/ca/renewal.h"
#include "service/check.h"
#include "service/handout/disclose.h"
#include "service/intake/adopt_below.h"
#include "service/intake/certify_chain.h"
#include "service/intake/imported.h"
#include "service/intake/root_source.h"
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
	if (strlen(root->common_name) > CERT_COMMON_NAME_MAX)
		check_fail(c, "$.certificate", "name", "has a common name of more than 64 bytes",
			   "its next version, which is made here, could not be named after it (RFC 5280, ub-common-name)");
}

static const struct cert *read_ca(struct verb_ctx *ctx, const struct authority_adopt_cmd *cmd, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	const struct cert *ca = root_source_pem(&c, "$.certificate", cmd->certificate);
	if (!ca)
		return NULL;
	check_usable(&c, ca);
	if (ca->is_ca && !cmd->above)
		certify_root_judge(ctx->a, "$.certificate", ca, ctx->now, e);
	return ca;
}

/* -- a new authority ------------------------------------------------------------------------------------------ */

struct adopt_plan {
	const struct cert *ca;
	char version[UUID_LEN];
};

static bool is_exportable(const struct verb_ctx *ctx, const struct authority_adopt_cmd *cmd)
{
	const struct credential_row root = { 0 };
	return cmd->exportable && disclose_may(ctx, cmd->above ? &cmd->above->authority : &root);
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
		plan->ca = read_ca(ctx, cmd, e);
	TRY(check_done(e));
	if (cmd->above)
		TRY(adopt_below_judge(ctx, cmd->name, plan->ca, cmd->above, e));
	TRY(principal_in_scope(ctx->who, cmd->name, e));
	TRY(credential_name_free(ctx, cmd->name, e));
	TRY(imported_check_root(ctx, plan->ca, e));
	verb_uuid(ctx, plan->version);
	ctx->plan = plan;
	return ctx->options.dry_run ? RC_OK : root_source_need(ctx, &row, cmd->private_key, plan->ca, plan->version, e);
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

/* Whose next version nobody here could sign is signed elsewhere. */
static bool is_external(const struct authority_adopt_cmd *cmd) { return cmd->above && cmd->above->authority.origin == ORIGIN_IMPORTED; }

static struct credential_row row_of(struct verb_ctx *ctx, const struct authority_adopt_cmd *cmd, const struct cert *ca)
{
	struct credential_spec spec = { .common_name = ca->common_name, .organization = attribute_of(ctx->a, ca->subject, "O="),
					.organizational_unit = attribute_of(ctx->a, ca->subject, "OU="),
					.place = place_of(ctx->a, ca->subject), .path_len = ca->path_len };
	return (struct credential_row){
		.uuid = verb_uuid_text(ctx), .name = cmd->name, .kind = CREDENTIAL_AUTHORITY,
		.origin = is_external(cmd) ? ORIGIN_EXTERNAL : ORIGIN_INTERNAL, .issuer_id = cmd->above ? cmd->above->authority.id : 0,
		.key_type = key_type_name(ca->key_type), .spec = credential_spec_write(ctx->a, &spec),
		.ca_ttl = ca->not_after - ca->not_before, .leaf_ttl = LEAF_TTL, .renew = "never", .leaf_renew = "never", .rev = 1,
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
		TRY(root_source_check_key(ctx->replies[0], plan->ca, e));
	TRY(credential_name_free(ctx, cmd->name, e));
	TRY(imported_check_root(ctx, plan->ca, e));
	if (cmd->above)
		TRY(adopt_below_judge(ctx, cmd->name, plan->ca, cmd->above, e));
	struct credential_row row = row_of(ctx, cmd, plan->ca);
	if (ctx->reply_count)
		version.key_blob = ctx->replies[0]->blob;
	TRY(credential_row_insert(ctx->tx, &row, e));
	TRY(issue_store(ctx, &row, cmd->above, plan->ca->der, &version, e));
	TRY(version_row_set_signing(ctx->tx, row.id, version.id, e));
	if (is_external(cmd))
		TRY(notice_promise(ctx, version.id, plan->ca->not_after, e));
	else if (cmd->above)
		TRY(renewal_refresh(ctx, row.issuer_id, e)); /* it may live longer than what that one signed before */
	verb_changed(ctx, CHANGED_CREDENTIAL, row.id);
	TRY(root_source_record(ctx, &row, plan->ca, plan->version, e));
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
