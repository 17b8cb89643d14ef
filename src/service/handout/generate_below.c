/* All leaves below an authority, once more.  See generate_below.h. */
#include "service/handout/generate_below.h"

#include "model/name.h"
#include "service/ca/credential.h"
#include "service/ca/hierarchy.h"
#include "service/handout/generate.h"
#include "service/handout/make_leaf.h"
#include "service/intake/upload.h"
#include "service/record.h"

#include <strings.h>

/* What depends on keys is asked for on the writer's thread: a portion takes some 20 ms, between which others get their turn. */
enum { PORTION = 32 };

struct below_leaf {
	struct make_leaf make;
	bool asked;             /* slots serve it: they make the key */
	bool signs;             /* its signatures are asked for */
};
struct below_plan {
	struct below_leaf *items;
	size_t count;
};

static int by_name(const void *x, const void *y)
{
	const struct below_leaf *a = x, *b = y;
	return strcasecmp(a->make.row.name, b->make.row.name);
}

static troth_rc too_large(troth_rc rc, struct troth_err *e)
{
	if (rc.code == TROTH_TOO_LARGE)
		err_hint(e, "regenerate them one by one, or by one of the CAs below it");
	return rc;
}

/* A certificate with a hundred long names takes half a MiB on its way: fewer of those fit. */
static troth_rc check_room(const struct verb_ctx *ctx, const char *authority, struct troth_err *e)
{
	ENSURE(!arena_scarce(ctx->a, 0), e, TROTH_TOO_LARGE, "the certificates below %s are too large to make them all at once", authority);
	return RC_OK;
}

static troth_rc add(struct verb_ctx *ctx, const char *authority, const struct credential_row *leaf, struct below_plan *plan, struct troth_err *e)
{
	struct below_leaf *x = &plan->items[plan->count];
	bool owned;
	TRY(principal_in_scope(ctx->who, leaf->name, e)); /* first: of what is outside nothing else is told */
	TRY(upload_is_owned(ctx->tx, ctx->a, leaf, &owned, e));
	if (owned) {
		troth_rc rc = err_set(e, TROTH_CONFLICT, "%s came from elsewhere: only its owner can bring the next one", leaf->name);
		err_clause(e, CLAUSE_STATIC);
		return rc;
	}
	ENSURE(plan->count < LIMIT_BELOW, e, TROTH_TOO_LARGE, "more than %d certificates are below %s: too many to make them all at once", LIMIT_BELOW,
	       authority);
	TRY(check_room(ctx, authority, e));
	x->make.row = *leaf;
	plan->count++;
	return credential_has_slots(ctx, leaf, &x->asked, e);
}

static troth_rc decide(struct verb_ctx *ctx, const struct generate_below_cmd *cmd, struct below_plan *plan, struct troth_err *e)
{
	struct credential_row top, *leaves;
	struct id_list below;
	size_t n;
	troth_rc rc = name_is_reserved(cmd->authority) ? err_set(e, TROTH_NOT_FOUND, "%s is troth's own: what it signs is renewed by itself", cmd->authority)
						       : authority_by_name(ctx, cmd->authority, &top, e);
	if (rc_failed(rc)) {
		err_clause(e, CLAUSE_NO_ISSUER);
		return rc;
	}
	plan->items = ARENA_ARRAY(ctx->a, struct below_leaf, LIMIT_BELOW + 1);
	TRY(hierarchy_below(ctx->tx, ctx->a, top.id, &below, e));
	for (size_t i = 0; i < below.count; i++) {
		TRY(credential_row_list_issuer(ctx->tx, ctx->a, below.items[i], PAGE_ALL, &leaves, &n, e));
		for (size_t k = 0; k < n; k++)
			if (leaves[k].kind == CREDENTIAL_LEAF && leaves[k].signing_version)
				TRY(add(ctx, cmd->authority, &leaves[k], plan, e));
	}
	if (plan->count)
		qsort(plan->items, plan->count, sizeof *plan->items, by_name);
	return RC_OK;
}

/* The signatures of those whose keys have come, and the next keys; make_leaf_need says if there is more to come. */
static troth_rc ask_portion(struct verb_ctx *ctx, const char *authority, struct below_plan *plan, struct troth_err *e)
{
	size_t keys = 0;
	for (size_t i = 0; i < plan->count; i++) {
		struct below_leaf *x = &plan->items[i];
		bool key = !x->make.key_asked;
		if (x->asked || x->signs || (key && keys == PORTION))
			continue;
		keys += key;
		x->signs = !key;
		TRY(check_room(ctx, authority, e));
		TRY(make_leaf_need(ctx, &x->make, e));
	}
	return RC_OK;
}

static troth_rc below_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct generate_below_cmd *cmd = arg;
	struct below_plan *plan = ctx->plan;
	if (!plan) {
		ENSURE(!ctx->options.dry_run, e, TROTH_INVALID, "this cannot be tried: keys would be made");
		plan = ARENA_NEW(ctx->a, struct below_plan);
		TRY(too_large(decide(ctx, cmd, plan, e), e));
		for (size_t i = 0; i < plan->count; i++) {
			verb_uuid(ctx, plan->items[i].make.version);
			ctx->keys += !plan->items[i].asked;
		}
	}
	ctx->plan = plan;
	return too_large(ask_portion(ctx, cmd->authority, plan, e), e);
}

/* As the writer sees it now.  NULL: what was signed is not what it is to be any more.  That its newest version is another one
 * does not matter (somebody was quicker, and it gets one more); nor do leaves that came meanwhile, which are new anyway. */
static const struct below_leaf *still(const struct below_plan *now, const struct below_leaf *x)
{
	const struct credential_row *was = &x->make.row;
	for (size_t i = 0; i < now->count; i++) {
		const struct credential_row *is = &now->items[i].make.row;
		if (is->id == was->id)
			return is->issuer_id == was->issuer_id && is->leaf_ttl == was->leaf_ttl && text_equal(is->spec, was->spec) &&
					       text_equal(is->key_type, was->key_type) && now->items[i].asked == x->asked
				       ? &now->items[i]
				       : NULL;
	}
	return NULL;
}

static troth_rc make_one(struct verb_ctx *ctx, struct below_leaf *x, const struct below_leaf *now, struct troth_err *e)
{
	struct credential_ret asked = { 0 };
	x->make.row = now->make.row; /* as the writer sees it */
	x->make.row.rev++;
	if (!x->asked)
		return make_leaf_run(ctx, &x->make, e);
	ctx->plan = NULL; /* the verb's own: it asks, and needs no signature */
	return VERB_CREDENTIAL_RENEW.run(ctx, &(struct credential_renew_cmd){ .id = now->make.row.uuid }, &asked, e);
}

static troth_rc make_all(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct generate_below_cmd *cmd = arg;
	struct below_plan *plan = ctx->plan, now = { 0 };
	struct generate_below_ret *ret = out;
	TRY(decide(ctx, cmd, &now, e));
	ret->names.items = ARENA_ARRAY(ctx->a, const char *, plan->count + 1);
	for (size_t i = 0; i < plan->count && !ctx->retry; i++) {
		const struct below_leaf *is = still(&now, &plan->items[i]);
		ctx->retry = !is;
		TRY(check_room(ctx, cmd->authority, e));
		if (is)
			TRY(make_one(ctx, &plan->items[i], is, e));
		ret->names.items[ret->names.count++] = plan->items[i].make.row.name;
	}
	ctx->plan = plan;
	return RC_OK;
}

static troth_rc below_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	return too_large(make_all(ctx, arg, out, e), e);
}

const struct verb VERB_CREDENTIAL_GENERATE_BELOW = { "credential.generate-below", VERB_WRITE, ROLES_CHANGE, sizeof(struct generate_below_cmd),
						     sizeof(struct generate_below_ret), below_prepare, below_run, RIGHT_WRITE };
