/* Authorities: a CA is made by the keeper, as a root or below another one, and shown with its versions.
 *
 * One that somebody else signs is made as a request only (external_ca.h).
 *
 * Making one has three phases: prepare decides names, dates and who signs and asks the keeper for a key
 * and a certificate; run finds the name still free and the issuer's signer unchanged, or begins again. */
#include "service/ca/credential.h"
#include "service/ca/issue_ca.h"
#include "service/check.h"
#include "service/intake/external_ca.h"
#include "service/nouns.h"
#include "service/record.h"

#include <string.h>

#define ROOT_TTL (3650 * MSEC_DAY)
#define INTERMEDIATE_TTL (1825 * MSEC_DAY)
#define LEAF_TTL (90 * MSEC_DAY)

static bool is_system(const struct verb_ctx *ctx) { return ctx->who->roles & ROLE_SYSTEM; }

static void check_permitted(const struct checker *c, struct json_texts permitted)
{
	if (permitted.count > CERT_PERMITTED_MAX)
		check_fail(c, "$.permitted_dns", "length", "has more than 50 names", NULL);
	for (size_t i = 0; i < permitted.count && i < CERT_PERMITTED_MAX; i++) {
		const char *dns = arena_printf(c->a, "dns:%s", permitted.items[i]);
		struct san san;
		if (permitted.items[i][0] == '*' || rc_failed(san_parse(c->a, dns, &san, NULL)))
			check_fail(c, arena_printf(c->a, "$.permitted_dns[%zu]", i), "dns", "is not a DNS name",
				   "example.org permits it and all below");
	}
}

/* A root is signed by itself, here. */
static bool is_below(const struct authority_create_cmd *cmd) { return cmd->issuer || cmd->external; }

static msec_t ttl_of(const struct authority_create_cmd *cmd)
{
	return cmd->ttl ? cmd->ttl : is_below(cmd) ? INTERMEDIATE_TTL : ROOT_TTL;
}

static void create_check(struct arena *a, const struct authority_create_cmd *cmd, bool reserved_ok, struct troth_err *e)
{
	struct checker c = { a, e };
	check_new_name(&c, "$.name", cmd->name, reserved_ok);
	check_key_type(&c, "$.key_type", cmd->key_type);
	check_common_name(&c, "$.common_name", cmd->common_name);
	check_common_name(&c, "$.organization", cmd->organization);
	check_common_name(&c, "$.organizational_unit", cmd->organizational_unit);
	check_subject_place(&c, &cmd->place);
	check_ttl(&c, "$.ttl", cmd->ttl);
	check_ttl(&c, "$.leaf_ttl", cmd->leaf_ttl);
	renewal_check(&c, "", &cmd->renew, ttl_of(cmd));
	renewal_check(&c, "leaf_", &cmd->leaf_renew, cmd->leaf_ttl ? cmd->leaf_ttl : LEAF_TTL);
	renewal_check_on_deadline(&c, cmd->on_deadline);
	if (cmd->issuer)
		check_name(&c, "$.issuer", cmd->issuer);
	if (cmd->path_len < AUTHORITY_PATH_LEN_DEFAULT || cmd->path_len > LIMIT_CHAIN_CERTS)
		check_fail(&c, "$.path_len", "range", "is not between 0 and 10", NULL);
	if (cmd->external && cmd->clamp)
		check_fail(&c, "$.clamp", "external", "is said of a certificate that somebody else signs", "leave it out: they say how long it lives");
	check_permitted(&c, cmd->permitted_dns);
}

void authority_create_check(struct arena *a, const struct authority_create_cmd *cmd, struct troth_err *e)
{
	create_check(a, cmd, false, e);
}

/* -- deciding -------------------------------------------------------------------------------- */
struct create_plan {
	char version_uuid[UUID_LEN];
	int64_t issuer_version; /* 0: a root, or external */
	struct signer issuer;
	int64_t issuer_id;      /* 0: none */
};

static const char *key_type_or_default(const char *key_type) { return key_type ? key_type : "ec-p256"; }

static int path_len_of(const struct authority_create_cmd *cmd)
{
	if (cmd->path_len != AUTHORITY_PATH_LEN_DEFAULT)
		return (int)cmd->path_len;
	return is_below(cmd) ? 0 : -1;
}

/* A name may be longer than a CN; its end says more than its beginning. */
static const char *common_name_of(const struct authority_create_cmd *cmd)
{
	size_t len = strlen(cmd->name);
	if (cmd->common_name)
		return cmd->common_name;
	return len > CERT_COMMON_NAME_MAX ? cmd->name + len - CERT_COMMON_NAME_MAX : cmd->name;
}

static struct credential_spec spec_of(const struct authority_create_cmd *cmd)
{
	return (struct credential_spec){ .common_name = common_name_of(cmd), .organization = cmd->organization,
					 .organizational_unit = cmd->organizational_unit, .place = cmd->place,
					 .path_len = path_len_of(cmd), .permitted_dns = cmd->permitted_dns,
					 .clamp = cmd->clamp };
}

static troth_rc refuse_issuer(const struct credential_row *issuer, const char *why, const char *hint, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s %s", issuer->name, why);
	err_hint(e, "%s", hint);
	err_object(e, "%s", issuer->name);
	return rc;
}

/* Who has the key of a CA below it signs in its name: one whose key never leaves does not vouch for one whose key may. */
static troth_rc find_issuer(struct verb_ctx *ctx, const char *name, bool exportable, struct signer *ret, struct troth_err *e)
{
	struct credential_row row;
	TRY(authority_to_sign(ctx, name, &row, e));
	if (row.origin == ORIGIN_IMPORTED)
		return refuse_issuer(&row, "signs elsewhere: its key is not here", "make the CA with --external, in the API \"external\":true", e);
	if (exportable && !row.exportable)
		return refuse_issuer(&row, "is not exportable, and signs no CA that is",
				     "leave --exportable out, in the API \"exportable\"; or name an issuer that was made with it", e);
	return signer_load_newest(ctx->tx, ctx->a, row.id, ret, e); /* not the label: the goal of the one above */
}

static struct cert_spec cert_spec_of(const struct verb_ctx *ctx, const struct authority_create_cmd *cmd)
{
	struct cert_spec s = { .kind = cmd->issuer ? CERT_INTERMEDIATE : CERT_ROOT, .common_name = common_name_of(cmd),
			       .organization = cmd->organization, .organizational_unit = cmd->organizational_unit, .place = cmd->place, .not_before = ctx->now - CERT_BACKDATE,
			       .not_after = ctx->now + ttl_of(cmd), .path_len = path_len_of(cmd),
			       .permitted_dns = cmd->permitted_dns.items,
			       .permitted_dns_count = cmd->permitted_dns.count };
	verb_random(ctx, s.serial, sizeof s.serial);
	return s;
}

static struct keeper_policy policy_of(const struct authority_create_cmd *cmd, const struct cert_spec *spec,
				      const char *version_uuid)
{
	struct keeper_policy p = { .kind = KEEPER_KEY_AUTHORITY, .authority = cmd->name, .may_sign_ca = spec->path_len != 0,
				   .path_len = spec->path_len, .latest_not_after = issue_ca_latest(cmd->name, spec),
				   .exportable = cmd->exportable };
	(void)text_copy(p.key_id, sizeof p.key_id, version_uuid); /* a UUID fits a UUID */
	return p;
}

/* An intermediate must end with or before its issuer: the dates are compared here because the
 * keeper's own refusal comes after a key was made. */
static troth_rc fit_issuer(const struct authority_create_cmd *cmd, const struct signer *issuer, struct cert_spec *spec,
			   struct troth_err *e)
{
	char mine[RFC3339_LEN], theirs[RFC3339_LEN];
	if (cmd->clamp)
		cert_spec_clamp(spec, issuer->cert);
	if (spec->not_after <= issuer->cert->not_after)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "%s would end %s, after its issuer %s (%s)", cmd->name,
			      time_format(spec->not_after, mine), cmd->issuer, time_format(issuer->cert->not_after, theirs));
	err_hint(e, "ask for a shorter ttl, or for clamp");
	err_clause(e, "RFC 5280 6.1");
	return rc;
}

/* Its issuer, if one is said, has its key elsewhere: otherwise it would be signed here. */
static troth_rc find_outside_issuer(struct verb_ctx *ctx, const char *name, int64_t *ret, struct troth_err *e)
{
	struct credential_row row;
	*ret = 0;
	if (!name)
		return RC_OK;
	TRY(authority_to_sign(ctx, name, &row, e));
	if (row.origin != ORIGIN_IMPORTED)
		return refuse_issuer(&row, "signs here, at once", "leave --external out, or name an authority that was imported", e);
	*ret = row.id;
	return RC_OK;
}

static struct credential_row row_of(struct verb_ctx *ctx, const struct authority_create_cmd *cmd, const struct create_plan *plan)
{
	struct credential_spec spec = spec_of(cmd);
	return (struct credential_row){
		.uuid = verb_uuid_text(ctx), .name = cmd->name, .kind = CREDENTIAL_AUTHORITY,
		.origin = cmd->external ? ORIGIN_EXTERNAL : ORIGIN_INTERNAL,
		.issuer_id = plan->issuer_id, .key_type = key_type_or_default(cmd->key_type),
		.spec = credential_spec_write(ctx->a, &spec), .ca_ttl = ttl_of(cmd),
		.leaf_ttl = cmd->leaf_ttl ? cmd->leaf_ttl : LEAF_TTL, .exportable = cmd->exportable, .rev = 1,
		.renew = renewal_word(ctx->a, &cmd->renew), .leaf_renew = renewal_word(ctx->a, &cmd->leaf_renew),
		.hold_at_deadline = renewal_hold_of(cmd->on_deadline),
		.created = ctx->now,
	};
}

static troth_rc need_request(struct verb_ctx *ctx, const struct authority_create_cmd *cmd, struct create_plan *plan, struct troth_err *e)
{
	TRY(find_outside_issuer(ctx, cmd->issuer, &plan->issuer_id, e));
	struct credential_row row = row_of(ctx, cmd, plan);
	return ctx->options.dry_run ? RC_OK : external_need(ctx, &row, plan->version_uuid, e);
}

static troth_rc need_authority(struct verb_ctx *ctx, const struct authority_create_cmd *cmd, struct create_plan *plan,
			       struct troth_err *e)
{
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	struct cert_spec spec = cert_spec_of(ctx, cmd);
	enum key_type type;
	TRY(key_type_parse(key_type_or_default(cmd->key_type), &type, e));
	if (!cmd->issuer) {
		need->kind = KEEPER_AUTHORITY_CREATE;
		need->authority_create.policy = policy_of(cmd, &spec, plan->version_uuid);
		need->authority_create.key_type = type;
		need->authority_create.spec = spec;
		return ctx->options.dry_run ? RC_OK : verb_need(ctx, need, e);
	}
	TRY(find_issuer(ctx, cmd->issuer, cmd->exportable, &plan->issuer, e));
	TRY(fit_issuer(cmd, &plan->issuer, &spec, e));
	plan->issuer_version = plan->issuer.version.id;
	plan->issuer_id = plan->issuer.authority.id;
	need->kind = KEEPER_AUTHORITY_SIGN;
	need->authority_sign.issuer = (struct keeper_issuer){ plan->issuer.version.key_blob, plan->issuer.cert->der };
	need->authority_sign.policy = policy_of(cmd, &spec, plan->version_uuid);
	need->authority_sign.key_type = type;
	need->authority_sign.spec = spec;
	return ctx->options.dry_run ? RC_OK : verb_need(ctx, need, e);
}

static troth_rc create_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct authority_create_cmd *cmd = arg;
	struct create_plan *plan = ARENA_NEW(ctx->a, struct create_plan);
	create_check(ctx->a, cmd, is_system(ctx), e);
	TRY(check_done(e));
	TRY(principal_in_scope(ctx->who, cmd->name, e));
	TRY(credential_name_free(ctx, cmd->name, e));
	verb_uuid(ctx, plan->version_uuid);
	TRY(cmd->external ? need_request(ctx, cmd, plan, e) : need_authority(ctx, cmd, plan, e));
	ctx->plan = plan;
	return RC_OK;
}

/* -- writing ----------------------------------------------------------------------------------- */
static troth_rc insert_version(struct verb_ctx *ctx, const struct credential_row *row, const struct create_plan *plan,
			       struct troth_err *e)
{
	const struct keeper_reply *reply = ctx->replies[0];
	struct version_row version = { .uuid = plan->version_uuid, .source = VERSION_GENERATED, .key_blob = reply->blob,
				       .wanted = true, .can_sign = true };
	TRY(issue_store(ctx, row, plan->issuer_version ? &plan->issuer : NULL, reply->der, &version, e));
	return version_row_set_signing(ctx->tx, row->id, version.id, e);
}

static troth_rc record_create(struct verb_ctx *ctx, const struct credential_row *row, const char *issuer, struct troth_err *e)
{
	struct record r;
	char ttl[RFC3339_LEN];
	record_begin(&r);
	jw_kv_text(&r.w, "id", row->uuid);
	jw_kv_text(&r.w, "key_type", row->key_type);
	jw_kv_text(&r.w, "issuer", issuer);
	jw_kv_text(&r.w, "ttl", duration_format(row->ca_ttl, ttl));
	jw_kv_bool(&r.w, "exportable", row->exportable);
	jw_kv_text(&r.w, "origin", AUTHORITY_ORIGIN_NAMES[row->origin]);
	return record_change(ctx, &(struct change){ .action = "authority.create", .object = row->name,
						    .after = record_end(&r, ctx->a) }, e);
}

/* Under the writer: is it still the one that prepare saw? */
static troth_rc same_issuer(struct verb_ctx *ctx, const struct authority_create_cmd *cmd, const struct create_plan *plan, struct troth_err *e)
{
	struct signer now;
	int64_t issuer;
	if (cmd->external) {
		TRY(find_outside_issuer(ctx, cmd->issuer, &issuer, e));
		ctx->retry = issuer != plan->issuer_id;
	} else if (cmd->issuer) {
		TRY(find_issuer(ctx, cmd->issuer, cmd->exportable, &now, e));
		ctx->retry = now.version.id != plan->issuer_version;
	}
	return RC_OK;
}

static troth_rc create_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct authority_create_cmd *cmd = arg;
	struct create_plan *plan = ctx->plan;
	struct credential_ret *ret = out;
	TRY(credential_name_free(ctx, cmd->name, e));
	TRY(same_issuer(ctx, cmd, plan, e));
	if (ctx->retry)
		return RC_OK;
	struct credential_row row = row_of(ctx, cmd, plan);
	TRY(credential_row_insert(ctx->tx, &row, e));
	if (!ctx->options.dry_run)
		TRY(cmd->external ? external_ask(ctx, &row, plan->version_uuid, ctx->replies[0], 0, e) : insert_version(ctx, &row, plan, e));
	if (row.issuer_id)
		TRY(renewal_refresh(ctx, row.issuer_id, e)); /* it may live longer than what that one signed before */
	TRY(record_create(ctx, &row, cmd->issuer, e));
	TRY(credential_row_get(ctx->tx, ctx->a, row.id, &row, e));
	return credential_view_load(ctx->tx, ctx->a, &row, true, &ret->credential, e);
}

/* -- reading ----------------------------------------------------------------------------------- */
static troth_rc show_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct id_cmd *cmd = arg;
	struct credential_ret *ret = out;
	struct credential_row row;
	TRY(record_uuid("authority", cmd->id, e));
	TRY(credential_row_by_uuid(ctx->tx, ctx->a, cmd->id, &row, e));
	ENSURE(row.kind == CREDENTIAL_AUTHORITY, e, TROTH_NOT_FOUND, "%s is not an authority", cmd->id);
	TRY(record_visible(ctx->who, "authority", row.name, e));
	return credential_view_load(ctx->tx, ctx->a, &row, true, &ret->credential, e);
}

static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	return credential_list(ctx, CREDENTIAL_AUTHORITY, arg, out, e);
}

const struct verb VERB_AUTHORITY_CREATE = { "authority.create", VERB_WRITE, ROLES_CHANGE, sizeof(struct authority_create_cmd),
					    sizeof(struct credential_ret), create_prepare, create_run };
const struct verb VERB_AUTHORITY_LIST = { "authority.list", VERB_READ, ROLES_READ, sizeof(struct list_cmd),
					  sizeof(struct credential_list_ret), NULL, list_run };
const struct verb VERB_AUTHORITY_SHOW = { "authority.show", VERB_READ, ROLES_READ, sizeof(struct id_cmd),
					  sizeof(struct credential_ret), NULL, show_run };
