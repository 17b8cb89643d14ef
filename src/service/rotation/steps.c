/* Rotations by steps, as somebody orders them.  See steps.h.
 *
 * Each verb reads the state, judges, and then sets bits of a rotation's row; what it may not do is in the answer.  Nothing here
 * approves anything: that is apply.c's. */
#include "service/rotation/steps.h"

#include <string.h>

#include "model/name.h"
#include "service/ca/hierarchy.h"
#include "service/intake/upload.h"
#include "service/outside/holder.h"
#include "service/record.h"
#include "service/rotation/rotation_rows.h"

/* -- roots ---------------------------------------------------------------------------------------------- */
struct root {
	struct credential_view view;    /* versions newest first */
	struct rotation_row rotation;   /* that is open; id 0: none */
	bool switching;                 /* that its new version signs was approved */
	bool withdrawing;
};
struct roots { struct root *items; size_t count; };

static bool is_root(const struct verb_ctx *ctx, const struct credential_row *c)
{
	return !c->issuer_id && c->origin == ORIGIN_INTERNAL && !name_is_reserved(c->name) && record_in_scope(ctx->who, c->name);
}

static troth_rc load_rotation(struct verb_ctx *ctx, struct root *root, struct troth_err *e)
{
	struct rotation_row *rows;
	struct approval_row *approvals;
	size_t n;
	TRY(rotation_row_list_credential(ctx->tx, ctx->a, root->view.row.id, PAGE_ALL, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		if (rotation_is_open(&rows[i]))
			root->rotation = rows[i];
	if (!root->rotation.id)
		return RC_OK;
	TRY(approval_row_list_rotation(ctx->tx, ctx->a, root->rotation.id, &approvals, &n, e));
	for (size_t i = 0; i < n; i++) {
		root->switching = root->switching || approvals[i].step == APPROVAL_SWITCH;
		root->withdrawing = root->withdrawing || approvals[i].step == APPROVAL_WITHDRAW;
	}
	return RC_OK;
}

static troth_rc load_roots(struct verb_ctx *ctx, struct roots *ret, struct troth_err *e)
{
	struct credential_row *rows;
	size_t n;
	TRY(credential_row_list_kind(ctx->tx, ctx->a, CREDENTIAL_AUTHORITY, PAGE_ALL, &rows, &n, e));
	*ret = (struct roots){ ARENA_ARRAY(ctx->a, struct root, n + 1), 0 };
	for (size_t i = 0; i < n; i++) {
		struct root *root = &ret->items[ret->count];
		if (!is_root(ctx, &rows[i]))
			continue;
		TRY(credential_view_load(ctx->tx, ctx->a, &rows[i], true, &root->view, e));
		TRY(load_rotation(ctx, root, e));
		ret->count++;
	}
	return RC_OK;
}

static bool by_steps(const struct root *root) { return root->rotation.id && root->rotation.by_steps; }

/* The version that leaves are regenerated under. */
static int64_t active_version(const struct root *root)
{
	if (by_steps(root) && root->rotation.ordered & ORDER_ACTIVE)
		return root->rotation.new_version;
	return root->view.row.signing_version;
}

static struct root_view view_of(const struct root *root, const struct version_view *v)
{
	return (struct root_view){ root->view.row.name, *v, v->row.id == active_version(root) };
}

static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct root_list_ret *ret = out;
	struct roots roots;
	size_t total = 0;
	TRY(load_roots(ctx, &roots, e));
	for (size_t i = 0; i < roots.count; i++)
		total += roots.items[i].view.version_count;
	ret->items = ARENA_ARRAY(ctx->a, struct root_view, total + 1);
	for (size_t i = 0; i < roots.count; i++) {
		const struct root *root = &roots.items[i];
		for (size_t k = root->view.version_count; k-- > 0;)
			if (!root->view.versions[k].row.retired_at)
				ret->items[ret->count++] = view_of(root, &root->view.versions[k]);
	}
	return RC_OK;
}

/* A version that is not put away, by its id, and its root. */
static troth_rc find_version(struct verb_ctx *ctx, const char *uuid, struct root *ret_root, struct version_view *ret, struct troth_err *e)
{
	struct roots roots;
	TRY(load_roots(ctx, &roots, e));
	for (size_t i = 0; i < roots.count; i++)
		for (size_t k = 0; k < roots.items[i].view.version_count; k++) {
			const struct version_view *v = &roots.items[i].view.versions[k];
			if (v->row.retired_at || !text_equal(v->row.uuid, uuid))
				continue;
			*ret_root = roots.items[i];
			*ret = *v;
			return RC_OK;
		}
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "there is no certificate authority %.60s", uuid);
	err_hint(e, "the list of certificate authorities has their ids; an old one that nobody holds any more is put away by itself");
	return rc;
}

/* -- judging --------------------------------------------------------------------------------------------- */
static troth_rc check_force(const struct verb_ctx *ctx, const struct order_cmd *cmd, struct troth_err *e)
{
	if (!cmd->force || ctx->who->roles & ROLES_ADMIN)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_FORBIDDEN, "only an administrator skips a safety check");
	err_hint(e, "leave skip_safety_check out: the answer says what is in the way");
	return rc;
}

static void violate(struct verb_ctx *ctx, struct order_ret *ret, struct violation v)
{
	struct violation *more = ARENA_ARRAY(ctx->a, struct violation, ret->violation_count + 1);
	if (ret->violation_count)
		memcpy(more, ret->violations, ret->violation_count * sizeof *more);
	ret->violations = more;
	ret->violations[ret->violation_count++] = v;
	for (size_t i = 0; i < v.blocking.count; i++) {
		struct in_use *u = &v.blocking.items[i];
		if (!record_in_scope(ctx->who, u->deployment))
			u->deployment = NULL;
		msec_t until = u->lease_until;
		msec_t left = until > ctx->now ? until - ctx->now : 0;
		if (left && (!ret->retry_after || left < ret->retry_after))
			ret->retry_after = left;
	}
}

/* A rotation of it runs already. */
static troth_rc judge_generate(struct verb_ctx *ctx, const struct root *root, struct order_ret *ret, struct troth_err *e)
{
	struct in_use_list used;
	struct violation v = { VIOLATION_UNFINISHED, root->view.row.name, "activate its new version, regenerate, apply, delete the old one, apply" };
	if (!root->rotation.id)
		return RC_OK;
	TRY(in_use_load(ctx, root->view.row.id, &used, e));
	if (active_version(root) == root->rotation.new_version) {
		v.blocking = in_use_others(ctx->a, &used, root->rotation.new_version);
		v.kind = v.blocking.count ? VIOLATION_OLD_CHILDREN : VIOLATION_UNFINISHED;
		v.advice = v.blocking.count ? "regenerate and apply, so that these have certificates of the new one" : "delete the old one and apply";
	}
	if (!root->rotation.by_steps)
		v.advice = "it is rotated without steps and ends by itself: troth rotation list";
	violate(ctx, ret, v);
	return RC_OK;
}

static troth_rc judge_regenerate(struct verb_ctx *ctx, const struct root *root, struct order_ret *ret, struct troth_err *e)
{
	struct in_use_list used;
	struct violation v = { VIOLATION_TWO_SIGNERS, root->view.row.name, "wait until these use the same version as the others" };
	if (!by_steps(root))
		return RC_OK;
	TRY(in_use_load(ctx, root->view.row.id, &used, e));
	if (in_use_versions(&used) < 2)
		return RC_OK;
	int64_t expected = root->switching ? root->rotation.new_version : root->view.row.signing_version;
	v.blocking = in_use_others(ctx->a, &used, expected);
	violate(ctx, ret, v);
	return RC_OK;
}

/* -- writing an order -------------------------------------------------------------------------------------- */
static troth_rc write_order(struct verb_ctx *ctx, struct root *root, int64_t ordered, const char *what, bool force, struct troth_err *e)
{
	struct record r;
	if (root->rotation.ordered == ordered)
		return RC_OK; /* twice is once */
	root->rotation.ordered = ordered;
	TRY(rotation_row_update(ctx->tx, &root->rotation, e));
	record_begin(&r);
	jw_kv_text(&r.w, "rotation", root->rotation.uuid);
	jw_kv_text(&r.w, "order", what);
	jw_kv_bool(&r.w, "safety_check_skipped", force);
	verb_publish(ctx, "rotation/%s", root->rotation.uuid);
	return record_change(ctx, &(struct change){ .action = "rotation.order", .object = root->view.row.name,
						    .topic = arena_printf(ctx->a, "rotation/%s", root->rotation.uuid),
						    .after = record_end(&r, ctx->a) }, e);
}

static troth_rc refuse_by_itself(const struct root *root, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, root->rotation.id ? "%s is rotated without steps" : "no rotation of %s is under way",
			      root->view.row.name);
	err_object(e, "%s", root->view.row.name);
	if (root->rotation.id)
		err_hint(e, "it goes by itself: troth rotation show %s", root->view.row.name);
	else
		err_hint(e, "a version that is not active any more leaves by itself");
	return rc;
}

/* -- activate ------------------------------------------------------------------------------------------------ */
static troth_rc refuse_replaced(const struct root *root, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "leaves of %s are being replaced already, so its old version does not become active again",
			      root->view.row.name);
	err_object(e, "%s", root->view.row.name);
	err_hint(e, "to go back: troth rotation abort %s", root->view.row.name);
	return rc;
}

static troth_rc activate_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct order_cmd *cmd = arg;
	struct order_ret *ret = out;
	struct root root;
	struct version_view v;
	TRY(check_force(ctx, cmd, e));
	TRY(find_version(ctx, cmd->version, &root, &v, e));
	ret->leaves = ARENA_ARRAY(ctx->a, struct ordered_leaf, 1);
	ret->leaves[ret->leaf_count++] = (struct ordered_leaf){ root.view.row.name, NULL, true };
	if (v.row.id == active_version(&root)) {
		ret->root = view_of(&root, &v);
		return RC_OK;
	}
	if (!by_steps(&root))
		return refuse_by_itself(&root, e);
	bool newest = v.row.id == root.rotation.new_version;
	if (!newest && root.switching)
		return refuse_replaced(&root, e);
	TRY(write_order(ctx, &root, newest ? root.rotation.ordered | ORDER_ACTIVE : root.rotation.ordered & ~(ORDER_ACTIVE | ORDER_SWITCH),
			newest ? "activate" : "activate the old version again", cmd->force, e));
	ret->root = view_of(&root, &v);
	return RC_OK;
}

/* -- regenerate ------------------------------------------------------------------------------------------------ */
static bool shall_switch(const struct root *root) { return by_steps(root) && root->rotation.ordered & ORDER_ACTIVE; }

/* Does a slot serve it?  Who took it through the API is none. */
static troth_rc is_served(struct verb_ctx *ctx, const struct credential_row *c, bool *ret, struct troth_err *e)
{
	struct target_row *targets;
	size_t n;
	*ret = false;
	TRY(target_row_list_credential(ctx->tx, ctx->a, c->id, &targets, &n, e));
	for (size_t i = 0; i < n && !*ret; i++) {
		struct template_row template;
		TRY(template_row_get(ctx->tx, ctx->a, targets[i].template_id, &template, e));
		*ret = party_has_instances(template.party) && targets[i].state != TARGET_LEFT;
	}
	return RC_OK;
}

static troth_rc add_leaf(struct verb_ctx *ctx, const struct credential_row *c, struct order_ret *ret, struct troth_err *e)
{
	bool owned, served;
	TRY(upload_is_owned(ctx->tx, ctx->a, c, &owned, e));
	TRY(is_served(ctx, c, &served, e));
	const char *why = owned ? "it was brought by its owner, who replaces it"
			: served ? NULL : "nothing here serves it: whoever takes its certificates takes the next one after the next apply";
	if (why)
		ret->excluded[ret->excluded_count++] = (struct ordered_leaf){ c->name, why, false };
	else
		ret->leaves[ret->leaf_count++] = (struct ordered_leaf){ c->name, NULL, false };
	return RC_OK;
}

static struct ordered_leaf *grow(struct arena *a, const struct ordered_leaf *old, size_t count, size_t more)
{
	struct ordered_leaf *items = ARENA_ARRAY(a, struct ordered_leaf, count + more + 1);
	if (count)
		memcpy(items, old, count * sizeof *items);
	return items;
}

/* The leaves of a root and of the CAs below it. */
static troth_rc list_leaves(struct verb_ctx *ctx, int64_t root, struct order_ret *ret, struct troth_err *e)
{
	struct id_list below;
	TRY(hierarchy_below(ctx->tx, ctx->a, root, &below, e));
	for (size_t i = 0; i < below.count; i++) {
		struct credential_row *rows;
		size_t n;
		TRY(credential_row_list_issuer(ctx->tx, ctx->a, below.items[i], PAGE_ALL, &rows, &n, e));
		ret->leaves = grow(ctx->a, ret->leaves, ret->leaf_count, n);
		ret->excluded = grow(ctx->a, ret->excluded, ret->excluded_count, n);
		for (size_t k = 0; k < n; k++)
			if (rows[k].kind == CREDENTIAL_LEAF && record_in_scope(ctx->who, rows[k].name))
				TRY(add_leaf(ctx, &rows[k], ret, e));
	}
	return RC_OK;
}

static troth_rc regenerate_one(struct verb_ctx *ctx, struct root *root, bool force, struct order_ret *ret, struct troth_err *e)
{
	if (!shall_switch(root)) {
		ret->excluded = grow(ctx->a, ret->excluded, ret->excluded_count, 1);
		ret->excluded[ret->excluded_count++] = (struct ordered_leaf){ root->view.row.name,
			"no new version of it is active; what it signed is renewed by itself", true };
		return RC_OK;
	}
	TRY(list_leaves(ctx, root->view.row.id, ret, e));
	return root->switching ? RC_OK : write_order(ctx, root, root->rotation.ordered | ORDER_SWITCH, "regenerate", force, e);
}

static troth_rc regenerate_write(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct order_cmd *cmd = arg;
	struct roots roots;
	TRY(load_roots(ctx, &roots, e));
	for (size_t i = 0; i < roots.count; i++)
		TRY(regenerate_one(ctx, &roots.items[i], cmd->force, out, e));
	return RC_OK;
}

static const struct verb REGENERATE_WRITE = { "rotation.regenerate", VERB_WRITE, ROLES_CHANGE, sizeof(struct order_cmd),
					      sizeof(struct order_ret), NULL, regenerate_write };

/* What is read here may have changed when it is written: a judgement is advice, and the engine keeps the promise. */
static troth_rc regenerate_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct order_cmd *cmd = arg;
	struct order_ret *ret = out;
	struct roots roots;
	TRY(check_force(ctx, cmd, e));
	TRY(load_roots(ctx, &roots, e));
	for (size_t i = 0; i < roots.count && !cmd->force; i++)
		TRY(judge_regenerate(ctx, &roots.items[i], ret, e));
	if (!ret->violation_count) {
		ctx->then = &REGENERATE_WRITE;
		return RC_OK;
	}
	if (ctx->options.wait && !ctx->last_chance) {
		ctx->hold.wanted = true; /* until one of them reports, or leaves */
		(void)snprintf(ctx->hold.topic, sizeof ctx->hold.topic, "instance/%s", ret->violations[0].blocking.items[0].instance);
	}
	return RC_OK;
}

/* -- generate ------------------------------------------------------------------------------------------------- */
static bool is_excluded(const struct order_cmd *cmd, const char *name)
{
	for (size_t i = 0; i < cmd->exclude.count; i++)
		if (text_equal(cmd->exclude.items[i], name))
			return true;
	return false;
}

static troth_rc check_excluded(struct verb_ctx *ctx, const struct order_cmd *cmd, const struct roots *roots, struct troth_err *e)
{
	for (size_t i = 0; i < cmd->exclude.count; i++) {
		bool known = false;
		for (size_t k = 0; k < roots->count; k++)
			known = known || text_equal(cmd->exclude.items[i], roots->items[k].view.row.name);
		if (!known)
			err_finding(ctx->a, e, arena_printf(ctx->a, "$.exclude_from_rotation[%zu]", i), "unknown",
				    "is not the name of a root authority in your scope", "troth authority list shows the names");
	}
	return (troth_rc){ e->kind };
}

static troth_rc refuse_many(struct verb_ctx *ctx, const struct roots *left, struct troth_err *e)
{
	const char *names = "";
	for (size_t i = 0; i < left->count && i < 5; i++)
		names = arena_printf(ctx->a, "%s%s%s", names, i ? ", " : "", left->items[i].view.row.name);
	troth_rc rc = left->count ? err_set(e, TROTH_CONFLICT, "%zu root authorities are in your scope (%s%s), and one is rotated at a time",
					    left->count, names, left->count > 5 ? ", ..." : "")
				  : err_set(e, TROTH_CONFLICT, "no root authority is left to be rotated");
	err_hint(e, left->count ? "name the others in exclude_from_rotation" : "troth authority list shows what there is");
	return rc;
}

static troth_rc choose_root(struct verb_ctx *ctx, const struct order_cmd *cmd, struct root *ret, struct troth_err *e)
{
	struct roots roots;
	TRY(check_force(ctx, cmd, e));
	TRY(load_roots(ctx, &roots, e));
	TRY(check_excluded(ctx, cmd, &roots, e));
	struct roots left = { ARENA_ARRAY(ctx->a, struct root, roots.count + 1), 0 };
	for (size_t i = 0; i < roots.count; i++)
		if (!is_excluded(cmd, roots.items[i].view.row.name))
			left.items[left.count++] = roots.items[i];
	if (left.count != 1)
		return refuse_many(ctx, &left, e);
	*ret = left.items[0];
	return RC_OK;
}

static troth_rc decide_generate(struct verb_ctx *ctx, const struct order_cmd *cmd, struct rotate_cmd *ret_rotate, struct order_ret *ret,
				struct troth_err *e)
{
	struct root root;
	TRY(choose_root(ctx, cmd, &root, e));
	if (!cmd->force)
		TRY(judge_generate(ctx, &root, ret, e));
	*ret_rotate = (struct rotate_cmd){ .name = root.view.row.name, .by_steps = true, .again = cmd->force, .source = cmd->source };
	ret_rotate->reason = arena_printf(ctx->a, "a new CA was %s%s", cmd->source.certificate ? "brought" : "generated",
					  cmd->force ? ", the safety check skipped" : "");
	return RC_OK;
}

static troth_rc generate_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	struct rotate_cmd rotate;
	struct order_ret ret = { 0 };
	TRY(decide_generate(ctx, arg, &rotate, &ret, e));
	return ret.violation_count ? RC_OK : VERB_ROTATE.prepare(ctx, &rotate, e);
}

static troth_rc show_generated(struct verb_ctx *ctx, const char *name, struct order_ret *ret, struct troth_err *e)
{
	struct roots roots;
	TRY(load_roots(ctx, &roots, e));
	for (size_t i = 0; i < roots.count; i++)
		if (text_equal(roots.items[i].view.row.name, name))
			ret->root = view_of(&roots.items[i], &roots.items[i].view.versions[0]);
	return RC_OK;
}

/* The CAs below that came with it. */
static troth_rc list_below(struct verb_ctx *ctx, const char *rotation, struct order_ret *ret, struct troth_err *e)
{
	struct rotation_row row;
	struct rotation_view view;
	TRY(rotation_row_by_uuid(ctx->tx, ctx->a, rotation, &row, e));
	TRY(rotation_view_load(ctx, &row, &view, e));
	ret->leaves = ARENA_ARRAY(ctx->a, struct ordered_leaf, view.below_count + 1);
	for (size_t i = 0; i < view.below_count; i++)
		if (record_in_scope(ctx->who, view.below[i].name))
			ret->leaves[ret->leaf_count++] = (struct ordered_leaf){ view.below[i].name, NULL, false };
	return RC_OK;
}

static troth_rc generate_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct order_cmd *cmd = arg;
	struct order_ret *ret = out;
	struct rotate_cmd rotate;
	struct rotate_ret rotated = { 0 };
	TRY(decide_generate(ctx, cmd, &rotate, ret, e));
	if (ret->violation_count)
		return RC_OK;
	ctx->retry = !ctx->plan; /* something was in the way when it was prepared */
	if (ctx->retry)
		return RC_OK;
	TRY(VERB_ROTATE.run(ctx, &rotate, &rotated, e));
	if (ctx->retry)
		return RC_OK;
	ret->excluded = ARENA_ARRAY(ctx->a, struct ordered_leaf, cmd->exclude.count + 1);
	for (size_t i = 0; i < cmd->exclude.count; i++)
		ret->excluded[ret->excluded_count++] = (struct ordered_leaf){ cmd->exclude.items[i], "it was to be excluded", true };
	TRY(list_below(ctx, rotated.rotation, ret, e));
	return show_generated(ctx, rotate.name, ret, e);
}

/* -- remove --------------------------------------------------------------------------------------------------- */
enum removal { REMOVE_NOTHING, REMOVE_ORDER, REMOVE_ABORT };

static troth_rc refuse_active(const struct root *root, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "it is the active certificate authority of %s", root->view.row.name);
	err_object(e, "%s", root->view.row.name);
	err_hint(e, "activate another one first");
	return rc;
}

/* An old version, of a rotation by steps. */
static troth_rc judge_old(struct verb_ctx *ctx, const struct root *root, int64_t version, struct order_ret *ret, struct troth_err *e)
{
	struct in_use_list used;
	struct violation v = { VIOLATION_NEEDED, root->view.row.name, "regenerate and apply first, so that nobody uses it" };
	TRY(in_use_load(ctx, root->view.row.id, &used, e));
	v.blocking = in_use_of(ctx->a, &used, version, false);
	TRY(in_use_held(ctx, root->view.row.id, &used, e));
	struct in_use_list held = in_use_of(ctx->a, &used, version, true);
	if (!v.blocking.count) {
		v.blocking = held;
		v.advice = "whoever took these takes new ones first; or they end by themselves";
	}
	if (v.blocking.count)
		violate(ctx, ret, v);
	return RC_OK;
}

static troth_rc record_holder(struct verb_ctx *ctx, const struct root *root, const char *name, bool late, struct troth_err *e)
{
	struct change change = { .action = late ? "credential.waive" : "credential.attest", .object = name };
	change.after = arena_printf(ctx->a, "{\"rotation\":\"%s\",\"replaced\":%s}", root->rotation.uuid, late ? "null" : "\"renewed\"");
	return record_change(ctx, &change, e);
}

/* Who took a newer one is taken at his word, as nobody asks for the old CA to go before; who did not is waited for no more. */
static troth_rc settle_holders(struct verb_ctx *ctx, const struct root *root, int64_t old, struct troth_err *e)
{
	struct in_use_list held;
	TRY(in_use_held(ctx, root->view.row.id, &held, e));
	for (size_t i = 0; i < held.count; i++) {
		struct credential_row leaf;
		bool late = held.items[i].version == old;
		size_t vouched = 0;
		TRY(credential_row_by_name(ctx->tx, ctx->a, held.items[i].deployment, &leaf, e));
		if (late)
			TRY(holder_waive(ctx, leaf.name, e));
		else
			TRY(holder_vouch(ctx, &leaf, &vouched, e));
		if (late || vouched)
			TRY(record_holder(ctx, root, leaf.name, late, e));
	}
	return RC_OK;
}

static troth_rc decide_removal(struct verb_ctx *ctx, const struct order_cmd *cmd, struct root *root, int64_t *ret_version, enum removal *ret_what,
			       struct order_ret *ret, struct troth_err *e)
{
	struct version_view v;
	*ret_what = REMOVE_NOTHING;
	TRY(check_force(ctx, cmd, e));
	TRY(find_version(ctx, cmd->version, root, &v, e));
	*ret_version = v.row.id;
	if (v.row.id == active_version(root))
		return refuse_active(root, e);
	if (!root->rotation.id)
		return RC_OK; /* going already */
	if (!by_steps(root))
		return refuse_by_itself(root, e);
	if (v.row.id == root->rotation.new_version) {
		*ret_what = REMOVE_ABORT;
		if (!cmd->force)
			violate(ctx, ret, (struct violation){ VIOLATION_ENDS_ROTATION, root->view.row.name,
				"it is not active yet; deleted, it leaves the stores that have it, and its rotation ends as aborted", { 0 } });
		return RC_OK;
	}
	*ret_what = root->withdrawing ? REMOVE_NOTHING : REMOVE_ORDER;
	return cmd->force ? RC_OK : judge_old(ctx, root, v.row.id, ret, e);
}

static troth_rc remove_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	struct order_ret ret = { 0 };
	struct root root;
	enum removal what;
	int64_t version;
	TRY(decide_removal(ctx, arg, &root, &version, &what, &ret, e));
	if (what != REMOVE_ABORT || ret.violation_count)
		return RC_OK;
	return VERB_ROTATION_ABORT.prepare(ctx, &(struct rotation_cmd){ root.rotation.uuid }, e);
}

static troth_rc abort_it(struct verb_ctx *ctx, const struct root *root, struct troth_err *e)
{
	struct rotation_ret aborted = { 0 };
	ctx->retry = !ctx->plan;
	if (ctx->retry)
		return RC_OK;
	return VERB_ROTATION_ABORT.run(ctx, &(struct rotation_cmd){ root->rotation.uuid }, &aborted, e);
}

static troth_rc remove_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct order_cmd *cmd = arg;
	struct order_ret *ret = out;
	struct root root;
	enum removal what;
	int64_t version;
	TRY(decide_removal(ctx, cmd, &root, &version, &what, ret, e));
	if (ret->violation_count || what == REMOVE_NOTHING)
		return RC_OK;
	ret->leaves = ARENA_ARRAY(ctx->a, struct ordered_leaf, 1);
	ret->leaves[ret->leaf_count++] = (struct ordered_leaf){ root.view.row.name, NULL, true };
	if (what == REMOVE_ABORT)
		return abort_it(ctx, &root, e);
	TRY(settle_holders(ctx, &root, version, e));
	return write_order(ctx, &root, root.rotation.ordered | ORDER_WITHDRAW, "delete", cmd->force, e);
}

#define ORDER_VERB(action, kind, prepare, run) \
	{ action, kind, ROLES_CHANGE, sizeof(struct order_cmd), sizeof(struct order_ret), prepare, run }
const struct verb VERB_ROOT_LIST = { "root.list", VERB_READ, ROLES_READ, sizeof(struct no_cmd), sizeof(struct root_list_ret), NULL, list_run };
const struct verb VERB_ROOT_GENERATE = ORDER_VERB("rotation.generate", VERB_WRITE, generate_prepare, generate_run);
const struct verb VERB_ROOT_ACTIVATE = ORDER_VERB("rotation.activate", VERB_WRITE, NULL, activate_run);
const struct verb VERB_ROOT_REGENERATE = ORDER_VERB("rotation.regenerate", VERB_READ, NULL, regenerate_run);
const struct verb VERB_ROOT_REMOVE = ORDER_VERB("rotation.remove", VERB_WRITE, remove_prepare, remove_run);
