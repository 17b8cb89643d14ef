/* A certificate that was made elsewhere, brought under a name.  See set.h.
 *
 * Roots are the verbs that exist: their two phases are run from here, with this verb's arena and keeper answers. */
#include "service/intake/set.h"

#include "model/name.h"
#include "service/check.h"
#include "service/handout/metadata.h"
#include "service/intake/adopt.h"
#include "service/intake/imported.h"
#include "service/intake/set_leaf.h"
#include "service/record.h"

enum act { ACT_LEAF, ACT_ADOPT, ACT_NEXT, ACT_IMPORT };

struct set_plan {
	enum act act;
	struct credential_row there;    /* id 0: nothing of that name is */
	const struct cert *cert;
	struct set_leaf leaf;
	struct set_signer by;           /* of a CA below another one */
	struct authority_adopt_cmd adopt;
	struct authority_adopt_next_cmd next;
	struct authority_import_cmd import;
	void *inner;                    /* the plan of the verb that is run for it */
};

/* -- what it comes to ------------------------------------------------------------------------------------------- */

static troth_rc find(struct verb_ctx *ctx, const struct set_cmd *cmd, struct credential_row *ret, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	*ret = (struct credential_row){ 0 };
	check_present(&c, "$.certificate", cmd->certificate);
	if (!cmd->id)
		check_new_name(&c, "$.name", cmd->name, false);
	TRY(check_done(e));
	if (cmd->id) {
		TRY(lookup_find(ctx, NULL, cmd->id, ret, e));
		ENSURE(!name_is_reserved(ret->name), e, TROTH_UNSAFE, "%s is troth's own: nothing is set there", ret->name);
		return RC_OK;
	}
	TRY(principal_in_scope(ctx->who, cmd->name, e));
	if (rc_failed(credential_row_by_name(ctx->tx, ctx->a, cmd->name, ret, NULL)))
		*ret = (struct credential_row){ 0 };
	return RC_OK;
}

static troth_rc refuse(const struct credential_row *row, const char *why, const char *hint, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s %s", row->name, why);
	err_hint(e, "%s", hint);
	err_object(e, "%s", row->name);
	return rc;
}

static troth_rc check_kind(const struct set_plan *plan, struct troth_err *e)
{
	bool authority = plan->there.kind == CREDENTIAL_AUTHORITY;
	if (!plan->there.id || authority == plan->cert->is_ca)
		return RC_OK;
	return refuse(&plan->there, authority ? "is a CA, and the certificate is not a CA's" : "is no CA, and the certificate is a CA's",
		      "delete it first, or choose another name", e);
}

/* Who signed a root is itself, whatever is said. */
static troth_rc check_itself(struct verb_ctx *ctx, const struct set_cmd *cmd, const struct set_plan *plan, struct troth_err *e)
{
	struct set_cmd said = *cmd;
	struct set_signer by;
	if (cmd->issuer && text_equal(cmd->issuer, plan->there.id ? plan->there.name : cmd->name))
		said.issuer = NULL;
	return set_signer_find(ctx, &said, plan->cert, &by, e);
}

static troth_rc decide_import(const struct set_cmd *cmd, struct set_plan *plan, struct troth_err *e)
{
	const struct credential_row *there = &plan->there;
	if (there->id && there->origin != ORIGIN_IMPORTED)
		return refuse(there, "has its keys here", "bring its next root with its private key, or have it made here: troth rotate", e);
	if (cmd->beside)
		return refuse(there, "has its key elsewhere: its next root is trusted beside it for as long as something needs that",
			      "leave transitional out", e);
	plan->act = ACT_IMPORT;
	plan->import = (struct authority_import_cmd){ there->id ? there->name : cmd->name, cmd->certificate };
	return RC_OK;
}

static troth_rc decide_root(struct verb_ctx *ctx, const struct set_cmd *cmd, struct set_plan *plan, struct troth_err *e)
{
	TRY(check_itself(ctx, cmd, plan, e));
	if (!cmd->private_key)
		return decide_import(cmd, plan, e);
	plan->act = plan->there.id ? ACT_NEXT : ACT_ADOPT;
	plan->adopt = (struct authority_adopt_cmd){ cmd->name, cmd->certificate, cmd->private_key, cmd->exportable, NULL };
	plan->next = (struct authority_adopt_next_cmd){ plan->there.uuid, NULL, cmd->certificate, cmd->private_key, cmd->beside };
	return RC_OK;
}

static troth_rc refuse_alone(const struct cert *cert, const char *why, const char *hint, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_INVALID, "%.120s is signed by another CA, %s", cert->subject, why);
	err_hint(e, "%s", hint);
	return rc;
}

/* Below one that is here; whoever stands above it is brought first. */
static troth_rc decide_below(struct verb_ctx *ctx, const struct set_cmd *cmd, struct set_plan *plan, struct troth_err *e)
{
	TRY(set_signer_find(ctx, cmd, plan->cert, &plan->by, e));
	if (plan->there.id)
		return refuse(&plan->there, "has its next version below the CA above it",
			      "troth rotate makes it here, or asks for it to be signed elsewhere: then troth authority certify", e);
	if (!cmd->private_key)
		return refuse_alone(plan->cert, "and nobody signs with it here without its key", "to trust it: troth bundle add, with its certificate", e);
	if (!plan->by.here.authority.id)
		return refuse_alone(plan->cert, plan->by.cert ? "which is not here" : "and it is not said by which one",
				    "bring that one first, with its key or without, then this one with its name as ca_name", e);
	plan->act = ACT_ADOPT;
	plan->adopt = (struct authority_adopt_cmd){ cmd->name, cmd->certificate, cmd->private_key, cmd->exportable, &plan->by.here };
	return RC_OK;
}

static troth_rc decide(struct verb_ctx *ctx, const struct set_cmd *cmd, struct set_plan *plan, struct troth_err *e)
{
	TRY(find(ctx, cmd, &plan->there, e));
	TRY(set_read(ctx->a, cmd->certificate, &plan->cert, e));
	TRY(check_kind(plan, e));
	if (plan->cert->is_ca)
		return cert_self_signed(plan->cert) ? decide_root(ctx, cmd, plan, e) : decide_below(ctx, cmd, plan, e);
	ENSURE(!cmd->beside, e, TROTH_INVALID, "the certificate is no CA's: leave transitional out, nothing of a leaf is trusted");
	plan->act = ACT_LEAF;
	return set_leaf_decide(ctx, cmd, &plan->there, plan->cert, &plan->leaf, e);
}

/* -- its two phases ----------------------------------------------------------------------------------------------- */

static const struct verb *verb_of(const struct set_plan *plan, const void **ret_cmd)
{
	*ret_cmd = plan->act == ACT_ADOPT ? (const void *)&plan->adopt : plan->act == ACT_NEXT ? (const void *)&plan->next : &plan->import;
	return plan->act == ACT_ADOPT ? &VERB_AUTHORITY_ADOPT : plan->act == ACT_NEXT ? &VERB_AUTHORITY_ADOPT_NEXT : &VERB_AUTHORITY_IMPORT;
}

static troth_rc prepare_inner(struct verb_ctx *ctx, struct set_plan *plan, struct troth_err *e)
{
	const void *cmd;
	const struct verb *verb = verb_of(plan, &cmd);
	ctx->plan = plan->inner;
	troth_rc rc = verb->prepare(ctx, cmd, e);
	plan->inner = ctx->plan;
	ctx->plan = plan;
	return rc;
}

static troth_rc set_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	struct set_plan *plan = ctx->plan;
	if (!plan) {
		ENSURE(!ctx->options.dry_run, e, TROTH_INVALID, "this cannot be tried: the key would be kept");
		plan = ARENA_NEW(ctx->a, struct set_plan);
		TRY(decide(ctx, arg, plan, e));
	}
	ctx->plan = plan;
	return plan->act == ACT_LEAF ? set_leaf_need(ctx, arg, &plan->leaf, e) : prepare_inner(ctx, plan, e);
}

/* It is trusted from now on, and nothing more. */
static troth_rc run_import(struct verb_ctx *ctx, const struct set_plan *plan, struct lookup_ret *ret, struct troth_err *e)
{
	struct authority_import_ret imported = { 0 };
	TRY(VERB_AUTHORITY_IMPORT.run(ctx, &plan->import, &imported, e));
	if (ctx->retry)
		return RC_OK;
	TRY(lookup_load(ctx, &imported.credential.row, ret, e));
	lookup_only(ret, imported.credential.versions[0].row.uuid);
	return lookup_trust(ctx, ret, e);
}

static troth_rc run_inner(struct verb_ctx *ctx, struct set_plan *plan, struct lookup_ret *ret, struct troth_err *e)
{
	const void *cmd;
	const struct verb *verb = verb_of(plan, &cmd);
	ctx->plan = plan->inner;
	troth_rc rc = plan->act == ACT_IMPORT ? run_import(ctx, plan, ret, e) : verb->run(ctx, cmd, ret, e);
	ctx->plan = plan;
	return rc;
}

static bool same_plan(const struct set_plan *x, const struct set_plan *y)
{
	return x->act == y->act && x->there.id == y->there.id && x->by.here.version.id == y->by.here.version.id && set_leaf_same(&x->leaf, &y->leaf);
}

/* Who says a name says all there is to say of its next version. */
static troth_rc keep_metadata(struct verb_ctx *ctx, const struct set_cmd *cmd, struct lookup_ret *ret, struct troth_err *e)
{
	if (cmd->id)
		return RC_OK;
	ret->items[0].metadata = cmd->metadata;
	return metadata_set(ctx, ret->items[0].version->row.uuid, cmd->metadata, e);
}

static troth_rc carry_out(struct verb_ctx *ctx, struct set_plan *plan, struct set_plan *now, struct lookup_ret *ret, struct troth_err *e)
{
	if (plan->act != ACT_LEAF)
		return run_inner(ctx, plan, ret, e);
	(void)text_copy(now->leaf.version, UUID_LEN, plan->leaf.version); /* a uuid fits a uuid */
	return set_leaf_run(ctx, &now->leaf, ret, e);
}

static troth_rc set_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct set_plan *plan = ctx->plan, now = { 0 };
	TRY(decide(ctx, arg, &now, e));
	ctx->retry = !same_plan(plan, &now);
	if (ctx->retry)
		return RC_OK;
	TRY(carry_out(ctx, plan, &now, out, e));
	return ctx->retry ? RC_OK : keep_metadata(ctx, arg, out, e);
}

const struct verb VERB_CREDENTIAL_BRING = { "credential.bring", VERB_WRITE, ROLES_CHANGE, sizeof(struct set_cmd), sizeof(struct lookup_ret),
					  set_prepare, set_run, RIGHT_WRITE };
