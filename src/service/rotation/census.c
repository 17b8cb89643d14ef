/* Who takes part in a rotation: counted before it starts, and all there is to a dry run.
 *
 * Reads rows only.  Instances that are not heard of are named, because the rotation would wait for
 * them; so are credentials that somebody holds outside the fleet: it waits for their owners. */
#include "service/rotation/census.h"
#include "service/outside/holder.h"

#include "base/json.h"
#include "service/ca/hierarchy.h"

/* -- who takes part -------------------------------------------------------------------------------------- */

struct census {
	struct rotate_ret *ret;
	int64_t *instances;     /* seen; a bounded answer needs no more than that */
	size_t seen, cap;
};

static bool seen_before(const struct census *c, int64_t instance)
{
	for (size_t i = 0; i < c->seen; i++)
		if (c->instances[i] == instance)
			return true;
	return false;
}

static troth_rc census_instance(struct verb_ctx *ctx, struct census *c, int64_t id, struct troth_err *e)
{
	struct instance_row i;
	if (c->seen >= c->cap || seen_before(c, id))
		return RC_OK;
	c->instances[c->seen++] = id;
	c->ret->instances++;
	TRY(instance_row_get(ctx->tx, ctx->a, id, &i, e));
	if (i.alive_until >= ctx->now && i.session)
		return RC_OK;
	struct rotation_waiting *w = &c->ret->waiting[c->ret->waiting_count++];
	char ago[RFC3339_LEN];
	w->name = i.name;
	w->why = i.last_seen ? arena_printf(ctx->a, "not heard of for %s",
					    duration_format((ctx->now - i.last_seen) / MSEC_S * MSEC_S + MSEC_S, ago))
			     : "its agent has never spoken";
	return RC_OK;
}

static troth_rc census_targets(struct verb_ctx *ctx, struct census *c, struct target_row *targets, size_t n, int64_t *count,
			       struct troth_err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (targets[i].state != TARGET_JOINING && targets[i].state != TARGET_COUNTED)
			continue; /* nobody waits for it */
		(*count)++;
		TRY(census_instance(ctx, c, targets[i].instance_id, e));
	}
	return RC_OK;
}

static troth_rc census_template(struct verb_ctx *ctx, struct census *c, const struct template_row *t, struct troth_err *e)
{
	for (int64_t after = 0;;) {
		struct target_row *targets;
		size_t n;
		struct page page = { after, 0 };
		TRY(target_row_list_template(ctx->tx, ctx->a, t->id, page, &targets, &n, e));
		if (n == 0)
			return RC_OK;
		TRY(census_targets(ctx, c, targets, n, t->kind == TARGET_STORE ? &c->ret->stores : &c->ret->slots, e));
		after = targets[n - 1].id;
	}
}

/* Its slots, and those of the intermediates below it. */
static troth_rc census_slots(struct verb_ctx *ctx, struct census *c, int64_t authority, struct troth_err *e)
{
	struct id_list below;
	TRY(hierarchy_below(ctx->tx, ctx->a, authority, &below, e));
	for (size_t k = 0; k < below.count; k++) {
		struct template_row *templates;
		size_t n;
		TRY(template_row_list_authority(ctx->tx, ctx->a, below.items[k], &templates, &n, e));
		for (size_t i = 0; i < n; i++)
			if (templates[i].party != PARTY_HOLDER) /* named apart: census_outside */
				TRY(census_template(ctx, c, &templates[i], e));
	}
	return RC_OK;
}

static troth_rc census_authority(struct verb_ctx *ctx, struct census *c, int64_t authority, struct troth_err *e)
{
	struct template_row *templates;
	struct bundle_member_row *members;
	size_t n, member_count;
	TRY(census_slots(ctx, c, authority, e));
	TRY(bundle_member_row_list_authority(ctx->tx, ctx->a, authority, &members, &member_count, e));
	for (size_t m = 0; m < member_count; m++) {
		TRY(template_row_list_bundle(ctx->tx, ctx->a, members[m].bundle_id, &templates, &n, e));
		for (size_t i = 0; i < n; i++)
			TRY(census_template(ctx, c, &templates[i], e));
	}
	return RC_OK;
}

enum {
	BELOW_NAMED = 10, /* a person reads them */
	STEPS_MAX = 10,
};
enum { CENSUS_INSTANCES = 10000 }; /* named one by one in a dry run; above that only counted by target */

static const char *const STEPS_ROOT[] = {
	"send it to each store beside the old one, and wait until each has loaded it",
	"ask each slot for a new key, and sign it with the new version as soon as all who verify it trust it",
	"wait until each slot is seen to serve its new certificate and nothing else",
	"take the old version out of each store, and wait until it is gone from all",
};
static const char *const STEPS_INTERMEDIATE[] = {
	"ask each slot for a new key, and sign it with the new version as soon as all who verify it trust the CA above",
	"wait until each slot is seen to serve its new certificate and chain and nothing else",
	"retire the old version",
};
static const char *const STEPS_LEAF[] = {
	"wait until each slot is seen to serve its new certificate and nothing else",
};

static void say_rest(struct rotate_ret *ret, const char *const *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (ret->outside_count && i == n - 1)
			ret->steps[ret->step_count++] = "wait until who took a certificate through the API has a new one and says so";
		ret->steps[ret->step_count++] = steps[i];
	}
}

/* The CAs below, by name as far as a person reads. */
static troth_rc say_below(struct verb_ctx *ctx, const struct credential_row *c, struct rotate_ret *ret, struct troth_err *e)
{
	struct id_list below;
	const char *names = "";
	TRY(hierarchy_below(ctx->tx, ctx->a, c->id, &below, e));
	for (size_t i = 1; i < below.count && i <= BELOW_NAMED; i++) {
		struct credential_row b;
		TRY(credential_row_get(ctx->tx, ctx->a, below.items[i], &b, e));
		names = arena_printf(ctx->a, "%s%s%s", names, i > 1 ? ", " : "", b.name);
	}
	if (below.count > BELOW_NAMED + 1)
		names = arena_printf(ctx->a, "%s and %zu more", names, below.count - BELOW_NAMED - 1);
	if (below.count > 1)
		ret->steps[ret->step_count++] =
			arena_printf(ctx->a, "make a new version of each CA below it, signed by the new one: %s", names);
	return RC_OK;
}

static troth_rc say_steps(struct verb_ctx *ctx, const struct credential_row *c, struct rotate_ret *ret, struct troth_err *e)
{
	ret->steps = ARENA_ARRAY(ctx->a, const char *, STEPS_MAX);
	if (c->kind == CREDENTIAL_LEAF) {
		ret->steps[ret->step_count++] = arena_printf(ctx->a, "ask each slot of %s for a new key and sign it", c->name);
		say_rest(ret, STEPS_LEAF, ARRAY_LEN(STEPS_LEAF));
		return RC_OK;
	}
	if (c->origin == ORIGIN_EXTERNAL)
		ret->steps[ret->step_count++] = arena_printf(ctx->a, "make a new key and ask for its certificate: troth authority csr %s; wait until it "
							     "was signed elsewhere and is brought in: troth authority certify %s", c->name, c->name);
	else
		ret->steps[ret->step_count++] = arena_printf(ctx->a, "make a new version of %s with a new key", c->name);
	TRY(say_below(ctx, c, ret, e));
	if (c->issuer_id || c->origin == ORIGIN_EXTERNAL)
		say_rest(ret, STEPS_INTERMEDIATE, ARRAY_LEN(STEPS_INTERMEDIATE));
	else
		say_rest(ret, STEPS_ROOT, ARRAY_LEN(STEPS_ROOT));
	return RC_OK;
}

/* -- holders outside the fleet ---------------------------------------------------------------------------- */

enum { OUTSIDE_NAMED = 50 }; /* a person reads them; more are as good as many */

static bool named_before(const struct rotate_ret *ret, const char *name)
{
	for (size_t i = 0; i < ret->outside_count; i++)
		if (text_equal(ret->outside[i], name))
			return true;
	return false;
}

static troth_rc outside_signed_by(struct verb_ctx *ctx, int64_t ca, int depth, struct rotate_ret *ret, struct troth_err *e);

/* A leaf that was taken through the API: valid still, and nobody vouched that it is replaced. */
static troth_rc outside_version(struct verb_ctx *ctx, const struct version_row *leaf, int depth, struct rotate_ret *ret,
				struct troth_err *e)
{
	struct credential_row c;
	struct cert_row cert;
	bool held;
	TRY(credential_row_get(ctx->tx, ctx->a, leaf->credential_id, &c, e));
	TRY(cert_row_get(ctx->tx, ctx->a, leaf->cert_id, &cert, e));
	if (c.kind == CREDENTIAL_AUTHORITY)
		return depth < LIMIT_CHAIN_CERTS ? outside_signed_by(ctx, leaf->id, depth + 1, ret, e) : RC_OK;
	if (cert.not_after < ctx->now || named_before(ret, c.name))
		return RC_OK;
	TRY(holder_holds(ctx, &c, leaf->id, &held, e));
	if (held)
		ret->outside[ret->outside_count++] = c.name;
	return RC_OK;
}

static troth_rc outside_signed_by(struct verb_ctx *ctx, int64_t ca, int depth, struct rotate_ret *ret, struct troth_err *e)
{
	for (int64_t after = 0;;) {
		struct version_row *leaves;
		struct page page = { after, 0 };
		size_t n;
		TRY(version_row_list_signed_by(ctx->tx, ctx->a, ca, page, &leaves, &n, e));
		for (size_t i = 0; i < n && ret->outside_count < OUTSIDE_NAMED; i++)
			TRY(outside_version(ctx, &leaves[i], depth, ret, e));
		if (n == 0 || ret->outside_count >= OUTSIDE_NAMED)
			return RC_OK;
		after = leaves[n - 1].id;
	}
}

troth_rc census_outside(struct verb_ctx *ctx, const struct credential_row *c, struct rotate_ret *ret, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	ret->outside = ARENA_ARRAY(ctx->a, const char *, OUTSIDE_NAMED);
	ret->outside_count = 0;
	if (c->kind != CREDENTIAL_AUTHORITY)
		return RC_OK;
	TRY(version_row_list_credential(ctx->tx, ctx->a, c->id, PAGE_ALL, &versions, &n, e));
	for (size_t i = 0; i < n; i++)
		if (!versions[i].retired_at)
			TRY(outside_signed_by(ctx, versions[i].id, 0, ret, e));
	return RC_OK;
}

/* -- all of it --------------------------------------------------------------------------------------------- */

troth_rc census_take(struct verb_ctx *ctx, const struct credential_row *c, struct rotate_ret *ret,
			    struct troth_err *e)
{
	struct census census = { .ret = ret, .cap = CENSUS_INSTANCES };
	census.instances = ARENA_ARRAY(ctx->a, int64_t, CENSUS_INSTANCES);
	ret->waiting = ARENA_ARRAY(ctx->a, struct rotation_waiting, CENSUS_INSTANCES);
	ret->name = c->name;
	ret->kind = CREDENTIAL_KIND_NAMES[c->kind];
	TRY(census_outside(ctx, c, ret, e));
	TRY(say_steps(ctx, c, ret, e));
	if (c->kind == CREDENTIAL_AUTHORITY)
		return census_authority(ctx, &census, c->id, e);
	struct target_row *targets;
	size_t n;
	TRY(target_row_list_credential(ctx->tx, ctx->a, c->id, &targets, &n, e));
	return census_targets(ctx, &census, targets, n, &ret->slots, e);
}
