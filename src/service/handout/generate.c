/* Generated credentials.  See generate.h.
 *
 * Roots, intermediates and rotations are the verbs that exist: their two phases are run from here, with this verb's
 * arena and keeper answers.  A leaf has its own: first its key, then each signature that could be the one. */
#include "service/handout/generate.h"

#include "model/name.h"
#include "service/ca/credential.h"
#include "service/check.h"
#include "service/handout/disclose.h"
#include "service/handout/make_leaf.h"
#include "service/handout/metadata.h"
#include "service/intake/upload.h"
#include "service/record.h"
#include "service/rotation/beside.h"
#include "service/rotation/rotation.h"

#define LIFE (365 * MSEC_DAY)
#define KEY_TYPE "rsa-2048"

/* -- what it comes to ------------------------------------------------------------------------------------ */

enum act { ACT_KEEP, ACT_AUTHORITY, ACT_ROTATE, ACT_LEAF, ACT_ASK };

struct generate_plan {
	enum act act;
	bool fresh;                     /* nothing of that name is there */
	struct credential_row row;      /* what is there; of a leaf that is made: what it will be */
	int64_t newest;                 /* its newest version */
	const char *brought;            /* the version that stands beside already: a rotation above brought it */
	bool exportable;                /* a CA is made whose key may be given out, and is in the answer */
	bool opening;                   /* it is made: its key is opened */
	struct make_leaf leaf;
	struct authority_create_cmd create;
	struct rotate_cmd rotate;
	struct credential_renew_cmd renew;
	void *inner;                    /* the plan of the verb that is run for it */
};

/* What the key cannot do would not be written: told, not passed over. */
static void check_key_usage(const struct checker *c, const struct generate_cmd *cmd)
{
	const char *key_type = cmd->key_type ? cmd->key_type : KEY_TYPE, *word;
	enum key_type type;
	if (rc_failed(key_type_parse(key_type, &type, NULL)))
		return; /* a finding already */
	for (unsigned i = 0; (word = credential_usage_word(i)); i++)
		if (cmd->key_usage & ~cert_leaf_usage(type, cmd->key_usage) & credential_usage_bit(word))
			check_fail(c, "$.key_usage", "key-usage", arena_printf(c->a, "has %s, which no key of type %s does", word, key_type), "leave it out");
}

void generate_check(struct arena *a, const struct generate_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	if (!cmd->id && cmd->again)
		check_name(&c, "$.name", cmd->name);
	if (cmd->again)
		return;
	check_new_name(&c, "$.name", cmd->name, false);
	check_common_name(&c, "$.common_name", cmd->common_name);
	check_common_name(&c, "$.organization", cmd->organization);
	check_common_name(&c, "$.organizational_unit", cmd->organizational_unit);
	check_subject_place(&c, &cmd->place);
	check_role(&c, "$.role", cmd->role);
	check_key_type(&c, "$.key_type", cmd->key_type);
	check_ttl(&c, "$.ttl", cmd->ttl);
	if (cmd->issuer)
		check_name(&c, "$.issuer", cmd->issuer);
	if (!cmd->authority && !cmd->issuer)
		check_fail(&c, "$.issuer", "needed", "is missing: a leaf is signed by an authority", NULL);
	if (!cmd->authority) {
		check_key_usage(&c, cmd);
		check_sans(&c, "$.sans", cmd->sans, false);
	}
}

static troth_rc issuer_of(struct verb_ctx *ctx, const struct generate_cmd *cmd, struct credential_row *ret, struct troth_err *e)
{
	*ret = (struct credential_row){ 0 };
	if (!cmd->issuer)
		return RC_OK;
	troth_rc rc = name_is_reserved(cmd->issuer) ? err_set(e, TROTH_NOT_FOUND, "%s is troth's own and signs nothing for others", cmd->issuer)
						    : authority_by_name(ctx, cmd->issuer, ret, e);
	if (rc_failed(rc))
		err_clause(e, CLAUSE_NO_ISSUER);
	return rc;
}

static const char *spec_text(struct arena *a, const struct generate_cmd *cmd)
{
	struct credential_spec spec = { .common_name = cmd->common_name, .organization = cmd->organization,
					.organizational_unit = cmd->organizational_unit, .place = cmd->place, .sans = cmd->sans,
					.eku = cmd->authority ? 0 : credential_role_eku(cmd->role), .key_usage = cmd->key_usage, .path_len = -1, .clamp = true };
	return credential_spec_write(a, &spec);
}

static troth_rc refuse_static(const struct credential_row *row, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s came from elsewhere: only its owner can bring the next one", row->name);
	err_object(e, "%s", row->name);
	err_clause(e, CLAUSE_STATIC);
	return rc;
}

/* Is the newest version signed by what signs now? */
static troth_rc signer_moved(struct verb_ctx *ctx, const struct credential_row *row, bool *ret, struct troth_err *e)
{
	struct credential_row issuer;
	struct version_row newest;
	*ret = false;
	if (row->kind != CREDENTIAL_LEAF || !row->issuer_id || !row->signing_version)
		return RC_OK;
	TRY(credential_row_get(ctx->tx, ctx->a, row->issuer_id, &issuer, e));
	TRY(version_row_get(ctx->tx, ctx->a, row->signing_version, &newest, e));
	*ret = newest.signed_by != issuer.signing_version;
	return RC_OK;
}

static bool same_place(const struct cert_place *x, const struct cert_place *y)
{
	return text_equal(x->country, y->country) && text_equal(x->state, y->state) && text_equal(x->locality, y->locality);
}

static bool same_authority(const struct generate_cmd *cmd, const struct credential_row *row, const struct credential_row *issuer,
			   const struct credential_spec *spec)
{
	return row->issuer_id == issuer->id && text_equal(row->key_type, cmd->key_type ? cmd->key_type : KEY_TYPE) &&
	       (!cmd->common_name || text_equal(spec->common_name, cmd->common_name)) && text_equal(spec->organization, cmd->organization) &&
	       text_equal(spec->organizational_unit, cmd->organizational_unit) && same_place(&spec->place, &cmd->place);
}

/* As it was asked for, but for its life? */
static troth_rc is_same(struct verb_ctx *ctx, const struct generate_cmd *cmd, const struct credential_row *row,
			const struct credential_row *issuer, bool *ret, struct troth_err *e)
{
	struct credential_spec spec;
	TRY(credential_spec_read(ctx->a, row->spec, &spec, e));
	*ret = row->kind == CREDENTIAL_AUTHORITY ? same_authority(cmd, row, issuer, &spec)
						 : row->issuer_id == issuer->id && text_equal(row->spec, spec_text(ctx->a, cmd)) &&
							   text_equal(row->key_type, cmd->key_type ? cmd->key_type : KEY_TYPE);
	return RC_OK;
}

static troth_rc refuse_other(const struct credential_row *row, const char *what, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s exists, and %s", row->name, what);
	err_hint(e, "delete it first, or choose another name");
	err_object(e, "%s", row->name);
	return rc;
}

static troth_rc again_of(struct verb_ctx *ctx, const struct credential_row *row, enum act *ret, struct troth_err *e)
{
	bool owned, slots;
	TRY(authority_above_may_sign(ctx, row, e));
	TRY(upload_is_owned(ctx->tx, ctx->a, row, &owned, e));
	TRY(credential_has_slots(ctx, row, &slots, e));
	if (owned || row->origin != ORIGIN_INTERNAL || (row->kind == CREDENTIAL_LEAF && !row->issuer_id))
		return refuse_static(row, e);
	*ret = row->kind == CREDENTIAL_AUTHORITY ? ACT_ROTATE : slots ? ACT_ASK : ACT_LEAF;
	return RC_OK;
}

/* A leaf that nothing here serves, told anew what it is: also one that was set, whose next version is made here from then on. */
static troth_rc leaf_of(struct verb_ctx *ctx, const struct credential_row *row, enum act *ret, struct troth_err *e)
{
	TRY(authority_above_may_sign(ctx, row, e));
	*ret = ACT_LEAF;
	return RC_OK;
}

/* Something of that name is there, and it was not just asked for once more. */
static troth_rc decide_there(struct verb_ctx *ctx, const struct generate_cmd *cmd, const struct credential_row *issuer,
			     const struct credential_row *row, enum act *ret, struct troth_err *e)
{
	bool same, moved, slots;
	*ret = ACT_KEEP;
	if (cmd->mode == GENERATE_KEEP)
		return RC_OK;
	if (cmd->authority != (row->kind == CREDENTIAL_AUTHORITY))
		return refuse_other(row, cmd->authority ? "is no authority" : "is an authority", e);
	TRY(is_same(ctx, cmd, row, issuer, &same, e));
	TRY(signer_moved(ctx, row, &moved, e));
	if (cmd->mode == GENERATE_CONVERGE && same && !moved)
		return RC_OK;
	TRY(credential_has_slots(ctx, row, &slots, e));
	if (!same && (slots || row->kind == CREDENTIAL_AUTHORITY || (row->issuer_id && row->issuer_id != issuer->id)))
		return refuse_other(row, slots ? "its deployment says what it is" : "is signed by another authority, or says other names or keys", e);
	return slots || row->kind == CREDENTIAL_AUTHORITY ? again_of(ctx, row, ret, e) : leaf_of(ctx, row, ret, e);
}

static troth_rc find(struct verb_ctx *ctx, const struct generate_cmd *cmd, struct credential_row *ret, bool *ret_there, struct troth_err *e)
{
	*ret_there = true;
	if (cmd->again) {
		TRY(lookup_find(ctx, cmd->name, cmd->id, ret, e));
		ENSURE(!name_is_reserved(ret->name), e, TROTH_UNSAFE, "%s is troth's own: troth rotate %s", ret->name, ret->name);
		return RC_OK;
	}
	TRY(principal_in_scope(ctx->who, cmd->name, e));
	*ret_there = rc_ok(credential_row_by_name(ctx->tx, ctx->a, cmd->name, ret, NULL));
	return RC_OK;
}

/* What the leaf is from now on. */
static void define_leaf(struct verb_ctx *ctx, const struct generate_cmd *cmd, const struct credential_row *issuer, struct generate_plan *plan)
{
	struct credential_row *row = &plan->row;
	if (plan->fresh)
		*row = (struct credential_row){ .uuid = verb_uuid_text(ctx), .name = cmd->name, .kind = CREDENTIAL_LEAF,
						.renew = "never", .rev = 0, .created = ctx->now };
	if (!cmd->again) {
		row->issuer_id = issuer->id; /* of one that was set nobody may have said who signed it */
		row->spec = spec_text(ctx->a, cmd);
		row->key_type = KEY_TYPE;
		row->leaf_ttl = LIFE;
	}
	row->key_type = cmd->key_type ? cmd->key_type : row->key_type;
	row->leaf_ttl = cmd->ttl ? cmd->ttl : row->leaf_ttl;
	row->rev++;
}

/* A CA below one that is rotated has its next version already, and follows that one's steps. */
static troth_rc look_above(struct verb_ctx *ctx, struct generate_plan *plan, struct troth_err *e)
{
	struct rotation_row leading;
	struct version_row *versions;
	size_t n;
	TRY(lookup_leading(ctx, plan->row.id, &leading, e));
	if (!leading.id || leading.credential_id == plan->row.id)
		return RC_OK;
	TRY(version_row_list_credential(ctx->tx, ctx->a, plan->row.id, PAGE_ALL, &versions, &n, e));
	for (size_t i = 0; i < n; i++)
		if (versions[i].wanted && !versions[i].signing)
			plan->brought = versions[i].uuid;
	if (plan->brought)
		plan->act = ACT_KEEP;
	return RC_OK;
}

static troth_rc refuse_keyless(const struct credential_row *issuer, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s cannot sign: its key is not here", issuer->name);
	err_clause(e, CLAUSE_KEYLESS);
	return rc;
}

static troth_rc refuse_metadata(const struct credential_row *row, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_INVALID, "slots serve %s, and make its next version in their own time: nothing can be kept with that one now", row->name);
	err_hint(e, "leave metadata out; what the version there has goes with the next");
	err_object(e, "%s", row->name);
	return rc;
}

static troth_rc decide(struct verb_ctx *ctx, const struct generate_cmd *cmd, struct generate_plan *plan, struct troth_err *e)
{
	struct credential_row issuer = { 0 };
	bool there;
	TRY(find(ctx, cmd, &plan->row, &there, e));
	plan->fresh = !there;
	if (!cmd->again)
		TRY(issuer_of(ctx, cmd, &issuer, e));
	if (!there)
		plan->act = cmd->authority ? ACT_AUTHORITY : ACT_LEAF;
	else
		TRY(cmd->again ? again_of(ctx, &plan->row, &plan->act, e) : decide_there(ctx, cmd, &issuer, &plan->row, &plan->act, e));
	if (cmd->metadata && plan->act == ACT_ASK)
		return refuse_metadata(&plan->row, e);
	if (issuer.origin == ORIGIN_IMPORTED && (plan->act == ACT_LEAF || plan->act == ACT_AUTHORITY))
		return refuse_keyless(&issuer, e);
	ENSURE(!cmd->beside || plan->act == ACT_ROTATE, e, TROTH_INVALID, "%s is no authority: no version of it is trusted", plan->row.name);
	if (cmd->beside)
		TRY(look_above(ctx, plan, e));
	plan->newest = there ? plan->row.signing_version : 0;
	plan->exportable = plan->act == ACT_ROTATE ? plan->row.exportable : plan->act == ACT_AUTHORITY && cmd->exportable && disclose_may(ctx, &issuer);
	if (plan->act == ACT_LEAF)
		define_leaf(ctx, cmd, &issuer, plan);
	return RC_OK;
}

/* -- prepare ---------------------------------------------------------------------------------------------------- */

static troth_rc run_inner(struct verb_ctx *ctx, struct generate_plan *plan, const struct verb *verb, const void *cmd, struct troth_err *e)
{
	ctx->plan = plan->inner;
	troth_rc rc = verb->prepare(ctx, cmd, e);
	plan->inner = ctx->plan;
	ctx->plan = plan;
	return rc;
}

static struct authority_create_cmd create_of(const struct generate_cmd *cmd, bool exportable)
{
	return (struct authority_create_cmd){ .name = cmd->name, .key_type = cmd->key_type ? cmd->key_type : KEY_TYPE,
					      .common_name = cmd->common_name, .organization = cmd->organization,
					      .organizational_unit = cmd->organizational_unit, .place = cmd->place, .issuer = cmd->issuer,
					      .ttl = cmd->ttl ? cmd->ttl : LIFE, .path_len = -1, .clamp = true, .exportable = exportable,
					      .renew = { .word = "never" }, .leaf_renew = { .word = "never" } };
}

static troth_rc need_rotation(struct verb_ctx *ctx, const struct generate_cmd *cmd, struct generate_plan *plan, struct troth_err *e)
{
	if (cmd->beside)
		TRY(beside_is_free(ctx, &plan->row, e));
	plan->rotate = (struct rotate_cmd){ .name = plan->row.name, .again = !cmd->beside, .by_steps = cmd->beside, .key_type = cmd->key_type, .ttl = cmd->ttl };
	return run_inner(ctx, plan, &VERB_ROTATE, &plan->rotate, e);
}

/* What is kept is given again, with its key and metadata. */
static troth_rc need_kept(struct verb_ctx *ctx, const struct generate_plan *plan, struct troth_err *e)
{
	struct version_row version;
	if (!plan->newest)
		return RC_OK;
	TRY(plan->brought ? version_row_by_uuid(ctx->tx, ctx->a, plan->brought, &version, e)
			  : version_row_get(ctx->tx, ctx->a, plan->newest, &version, e));
	const struct keeper_request *need = disclose_request(ctx->a, version.key_blob);
	if (!need && plan->brought) /* asked for by who writes, and there already: no more than its certificate */
		return RC_OK;
	ENSURE(principal_may(ctx->who, RIGHT_READ, plan->row.name), e, TROTH_FORBIDDEN, "%s may write %s and not read it", ctx->who->name,
	       plan->row.name);
	return need ? verb_need(ctx, need, e) : RC_OK;
}

static troth_rc need_act(struct verb_ctx *ctx, const struct generate_cmd *cmd, struct generate_plan *plan, struct troth_err *e)
{
	switch (plan->act) {
	case ACT_KEEP: return need_kept(ctx, plan, e);
	case ACT_LEAF: return make_leaf_need(ctx, &plan->leaf, e);
	case ACT_ROTATE: return need_rotation(ctx, cmd, plan, e);
	case ACT_ASK: return RC_OK;
	case ACT_AUTHORITY: break;
	}
	plan->create = create_of(cmd, plan->exportable);
	return run_inner(ctx, plan, &VERB_AUTHORITY_CREATE, &plan->create, e);
}

static troth_rc generate_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct generate_cmd *cmd = arg;
	struct generate_plan *plan = ctx->plan;
	if (!plan) {
		ENSURE(!ctx->options.dry_run, e, TROTH_INVALID, "this cannot be tried: a key would be made");
		generate_check(ctx->a, cmd, e);
		TRY(check_done(e));
		plan = ARENA_NEW(ctx->a, struct generate_plan);
		TRY(decide(ctx, cmd, plan, e));
		verb_uuid(ctx, plan->leaf.version);
		plan->leaf.row = plan->row;
		plan->leaf.fresh = plan->fresh;
		plan->leaf.once = cmd->once;
	}
	ctx->plan = plan;
	if (!plan->opening)
		TRY(need_act(ctx, cmd, plan, e));
	return plan->exportable ? disclose_need(ctx, plan->row.name ? plan->row.name : plan->create.name, &plan->opening, e) : RC_OK;
}

/* -- run ------------------------------------------------------------------------------------------------------------ */

static troth_rc make_version(struct verb_ctx *ctx, const struct generate_cmd *cmd, struct generate_plan *plan, const char **ret_version,
			     struct troth_err *e)
{
	struct rotate_ret rotated = { 0 };
	TRY(VERB_ROTATE.run(ctx, &plan->rotate, &rotated, e));
	if (ctx->retry)
		return RC_OK;
	TRY(beside_approve(ctx, rotated.rotation, cmd->beside ? BESIDE_INTRODUCE : BESIDE_ALL, e));
	*ret_version = rotated.new_version;
	return beside_engine(ctx, e);
}

static troth_rc make_authority(struct verb_ctx *ctx, struct generate_plan *plan, const char **ret_version, struct troth_err *e)
{
	struct credential_ret made = { 0 };
	TRY(VERB_AUTHORITY_CREATE.run(ctx, &plan->create, &made, e));
	if (ctx->retry)
		return RC_OK;
	*ret_version = made.credential.versions[0].row.uuid;
	return RC_OK;
}

static troth_rc ask_slots(struct verb_ctx *ctx, struct generate_plan *plan, struct troth_err *e)
{
	struct credential_ret asked = { 0 };
	plan->renew = (struct credential_renew_cmd){ .id = plan->row.uuid };
	return VERB_CREDENTIAL_RENEW.run(ctx, &plan->renew, &asked, e);
}

static troth_rc carry_out(struct verb_ctx *ctx, const struct generate_cmd *cmd, struct generate_plan *plan, const char **ret_version,
			  struct troth_err *e)
{
	ctx->plan = plan->inner;
	switch (plan->act) {
	case ACT_KEEP: return RC_OK;
	case ACT_LEAF: *ret_version = plan->leaf.version; return make_leaf_run(ctx, &plan->leaf, e);
	case ACT_ROTATE: return make_version(ctx, cmd, plan, ret_version, e);
	case ACT_ASK: return ask_slots(ctx, plan, e);
	case ACT_AUTHORITY: break;
	}
	return make_authority(ctx, plan, ret_version, e);
}

/* Of the version that was made for this call, be it with the rotation of a CA above. */
static troth_rc keep_metadata(struct verb_ctx *ctx, const struct generate_cmd *cmd, const struct generate_plan *plan, const char *version,
			      struct troth_err *e)
{
	if (!version)
		version = plan->brought;
	if (!version || (cmd->again && !cmd->metadata)) /* kept as it is; or taken along already (issue_store) */
		return RC_OK;
	return metadata_set(ctx, version, cmd->metadata, e);
}

/* The version that it is about, with its key if the keeper gave it. */
static troth_rc answer(struct verb_ctx *ctx, const struct generate_plan *plan, const char *version, struct generate_ret *ret, struct troth_err *e)
{
	struct credential_row row;
	struct version_row newest;
	TRY(credential_row_by_name(ctx->tx, ctx->a, plan->row.name ? plan->row.name : plan->create.name, &row, e));
	ret->made = version != NULL;
	if (!version && plan->brought) {
		version = plan->brought;
	} else if (!version) {
		ENSURE(row.signing_version, e, TROTH_NOT_FOUND, "%s has no certificate yet", row.name);
		TRY(version_row_get(ctx->tx, ctx->a, row.signing_version, &newest, e));
		version = newest.uuid;
	}
	TRY(lookup_load(ctx, &row, &ret->of, e));
	lookup_only(&ret->of, version);
	TRY(lookup_trust(ctx, &ret->of, e));
	if (ret->of.count)
		ret->of.items[0].private_key = disclose_key(ctx);
	if (!ret->of.count || !ret->of.items[0].private_key || plan->act == ACT_LEAF)
		return RC_OK;
	return disclose_record(ctx, &row, &version, 1, e);
}

static bool same_plan(const struct generate_plan *x, const struct generate_plan *y)
{
	return x->act == y->act && x->fresh == y->fresh && x->newest == y->newest && (x->fresh || x->row.id == y->row.id) &&
	       x->row.issuer_id == y->row.issuer_id && x->exportable == y->exportable && text_equal(x->brought, y->brought);
}

static troth_rc generate_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct generate_cmd *cmd = arg;
	struct generate_plan *plan = ctx->plan, now = { 0 };
	const char *version = NULL;
	TRY(decide(ctx, cmd, &now, e));
	ctx->retry = !same_plan(plan, &now);
	if (ctx->retry)
		return RC_OK;
	plan->row = plan->leaf.row = now.row; /* as the writer sees it */
	TRY(carry_out(ctx, cmd, plan, &version, e));
	ctx->plan = plan;
	if (ctx->retry)
		return RC_OK;
	TRY(keep_metadata(ctx, cmd, plan, version, e));
	return answer(ctx, plan, version, out, e);
}

const struct verb VERB_CREDENTIAL_GENERATE = { "credential.generate", VERB_WRITE, ROLES_CHANGE, sizeof(struct generate_cmd),
					       sizeof(struct generate_ret), generate_prepare, generate_run, RIGHT_WRITE };
