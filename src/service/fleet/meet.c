/* Meets: which stores verify which slots, as rows between templates.
 *
 * The first half makes the pairs that bundles and deployments imply; the second is what operators do by
 * hand.  A pair outlives the reason it was made for: taking a CA out of a bundle removes no pair. */
#include "service/fleet/meet.h"

#include "service/rotation/foresee.h"
#include "service/record.h"

enum { MEET_ARENA_BYTES = 64 << 20, MEET_PAGE = 500 };

struct ids { int64_t *items; size_t count, room; };

static void ids_add(struct arena *a, struct ids *ids, int64_t id)
{
	for (size_t i = 0; i < ids->count; i++)
		if (ids->items[i] == id)
			return;
	if (ids->count == ids->room) {
		size_t room = ids->room ? ids->room * 2 : 16;
		int64_t *items = ARENA_ARRAY(a, int64_t, room);
		if (ids->count)
			memcpy(items, ids->items, ids->count * sizeof *items);
		ids->items = items;
		ids->room = room;
	}
	ids->items[ids->count++] = id;
}

/* -- authorities around one ---------------------------------------------------------------------- */
/* The authorities that a member stands for. */
static troth_rc member_authorities(struct verb_ctx *ctx, const struct bundle_member_row *m, struct ids *ret, struct troth_err *e)
{
	if (m->authority_id) {
		ids_add(ctx->a, ret, m->authority_id);
		return RC_OK;
	}
	struct version_row *versions;
	size_t n;
	TRY(version_row_list_cert(ctx->tx, ctx->a, m->cert_id, &versions, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct credential_row c;
		TRY(credential_row_get(ctx->tx, ctx->a, versions[i].credential_id, &c, e));
		if (c.kind == CREDENTIAL_AUTHORITY)
			ids_add(ctx->a, ret, c.id);
	}
	return RC_OK;
}

/* Appends every authority below those in the list; the list grows while it is walked. */
static troth_rc add_descendants(struct verb_ctx *ctx, struct ids *ids, struct troth_err *e)
{
	for (size_t i = 0; i < ids->count; i++) {
		struct credential_row *below;
		size_t n;
		TRY(credential_row_list_issuer(ctx->tx, ctx->a, ids->items[i], PAGE_ALL, &below, &n, e));
		for (size_t k = 0; k < n; k++)
			if (below[k].kind == CREDENTIAL_AUTHORITY)
				ids_add(ctx->a, ids, below[k].id);
	}
	return RC_OK;
}

static troth_rc ancestors_of(struct verb_ctx *ctx, int64_t authority_id, struct ids *ret, struct troth_err *e)
{
	for (int depth = 0; authority_id && depth < LIMIT_CHAIN_CERTS; depth++) {
		struct credential_row row;
		TRY(credential_row_get(ctx->tx, ctx->a, authority_id, &row, e));
		ids_add(ctx->a, ret, row.id);
		authority_id = row.issuer_id;
	}
	return RC_OK;
}

/* -- pairs ------------------------------------------------------------------------------------------ */
static troth_rc pair(struct verb_ctx *ctx, int64_t slot, int64_t store, struct troth_err *e)
{
	bool made;
	struct meet_row row = { .presenter_id = slot, .verifier_id = store, .on = true, .source = "bundle", .since = ctx->now };
	TRY(meet_row_put(ctx->tx, &row, &made, e));
	if (made)
		verb_changed_meet(ctx, slot, store);
	return RC_OK;
}

static troth_rc pair_bundle_stores(struct verb_ctx *ctx, int64_t slot, int64_t bundle_id, struct troth_err *e)
{
	struct template_row *stores;
	size_t n;
	TRY(template_row_list_bundle(ctx->tx, ctx->a, bundle_id, &stores, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(pair(ctx, slot, stores[i].id, e));
	return RC_OK;
}

/* The slots of these authorities with this store (or, store 0, with all stores of the bundle). */
static troth_rc pair_slots(struct verb_ctx *ctx, const struct ids *authorities, int64_t store, int64_t bundle_id, struct troth_err *e)
{
	for (size_t i = 0; i < authorities->count; i++) {
		struct template_row *slots;
		size_t n;
		TRY(template_row_list_authority(ctx->tx, ctx->a, authorities->items[i], &slots, &n, e));
		for (size_t k = 0; k < n; k++)
			TRY(store ? pair(ctx, slots[k].id, store, e) : pair_bundle_stores(ctx, slots[k].id, bundle_id, e));
	}
	return RC_OK;
}

/* -- uploaded chains -------------------------------------------------------------------------------- */

/* The slots that present this uploaded version with this store (or, store 0, with all of the bundle). */
static troth_rc pair_presenters(struct verb_ctx *ctx, const struct version_row *version, int64_t store, int64_t bundle_id,
				struct troth_err *e)
{
	struct target_row *targets;
	size_t n;
	TRY(target_row_list_credential(ctx->tx, ctx->a, version->credential_id, &targets, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (targets[i].state == TARGET_LEFT)
			continue;
		TRY(store ? pair(ctx, targets[i].template_id, store, e)
			  : pair_bundle_stores(ctx, targets[i].template_id, bundle_id, e));
	}
	return RC_OK;
}

static troth_rc pair_anchored(struct verb_ctx *ctx, int64_t cert_id, int64_t store, int64_t bundle_id, struct troth_err *e)
{
	struct version_row *uploaded;
	size_t n;
	TRY(version_row_list_anchor(ctx->tx, ctx->a, cert_id, &uploaded, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(pair_presenters(ctx, &uploaded[i], store, bundle_id, e));
	return RC_OK;
}

/* Those whose chains this member anchors: a certificate, or a version of an authority. */
static troth_rc pair_uploaded(struct verb_ctx *ctx, const struct bundle_member_row *m, int64_t store, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	if (m->cert_id)
		return pair_anchored(ctx, m->cert_id, store, m->bundle_id, e);
	TRY(version_row_list_credential(ctx->tx, ctx->a, m->authority_id, PAGE_ALL, &versions, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(pair_anchored(ctx, versions[i].cert_id, store, m->bundle_id, e));
	return RC_OK;
}

troth_rc meet_anchor_added(struct verb_ctx *ctx, int64_t slot_template, int64_t cert_id, struct troth_err *e)
{
	struct bundle_member_row *members;
	struct version_row *versions;
	size_t n, m;
	TRY(bundle_member_row_list_cert(ctx->tx, ctx->a, cert_id, &members, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(pair_bundle_stores(ctx, slot_template, members[i].bundle_id, e));
	TRY(version_row_list_cert(ctx->tx, ctx->a, cert_id, &versions, &m, e));
	for (size_t k = 0; k < m; k++) {
		TRY(bundle_member_row_list_authority(ctx->tx, ctx->a, versions[k].credential_id, &members, &n, e));
		for (size_t i = 0; i < n; i++)
			TRY(pair_bundle_stores(ctx, slot_template, members[i].bundle_id, e));
	}
	return RC_OK;
}

/* -- what came ------------------------------------------------------------------------------------------ */

troth_rc meet_member_added(struct verb_ctx *ctx, const struct bundle_member_row *member, struct troth_err *e)
{
	struct ids authorities = { 0 };
	TRY(member_authorities(ctx, member, &authorities, e));
	TRY(add_descendants(ctx, &authorities, e));
	TRY(pair_uploaded(ctx, member, 0, e));
	return pair_slots(ctx, &authorities, 0, member->bundle_id, e);
}

static troth_rc store_added(struct verb_ctx *ctx, const struct template_row *row, struct troth_err *e)
{
	struct bundle_member_row *members;
	size_t n;
	struct ids authorities = { 0 };
	TRY(bundle_member_row_list_bundle(ctx->tx, ctx->a, row->bundle_id, PAGE_ALL, &members, &n, e));
	for (size_t i = 0; i < n; i++) {
		TRY(member_authorities(ctx, &members[i], &authorities, e));
		TRY(pair_uploaded(ctx, &members[i], row->id, e));
	}
	TRY(add_descendants(ctx, &authorities, e));
	return pair_slots(ctx, &authorities, row->id, 0, e);
}

/* The bundles that hold a version of this authority as a single certificate. */
static troth_rc pair_cert_bundles(struct verb_ctx *ctx, int64_t slot, int64_t authority_id, struct troth_err *e)
{
	struct version_row *versions;
	size_t n, m;
	TRY(version_row_list_credential(ctx->tx, ctx->a, authority_id, PAGE_ALL, &versions, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct bundle_member_row *members;
		TRY(bundle_member_row_list_cert(ctx->tx, ctx->a, versions[i].cert_id, &members, &m, e));
		for (size_t k = 0; k < m; k++)
			TRY(pair_bundle_stores(ctx, slot, members[k].bundle_id, e));
	}
	return RC_OK;
}

static troth_rc slot_added(struct verb_ctx *ctx, const struct template_row *row, struct troth_err *e)
{
	struct ids above = { 0 };
	TRY(ancestors_of(ctx, row->authority_id, &above, e));
	for (size_t i = 0; i < above.count; i++) {
		struct bundle_member_row *members;
		size_t n;
		TRY(bundle_member_row_list_authority(ctx->tx, ctx->a, above.items[i], &members, &n, e));
		for (size_t k = 0; k < n; k++)
			TRY(pair_bundle_stores(ctx, row->id, members[k].bundle_id, e));
		TRY(pair_cert_bundles(ctx, row->id, above.items[i], e));
	}
	return RC_OK;
}

troth_rc meet_template_added(struct verb_ctx *ctx, const struct template_row *row, struct troth_err *e)
{
	return row->kind == TARGET_SLOT ? slot_added(ctx, row, e) : store_added(ctx, row, e);
}

/* -- by hand ------------------------------------------------------------------------------------------- */
static troth_rc side_load(struct verb_ctx *ctx, int64_t template_id, struct meet_side *ret, struct troth_err *e)
{
	struct template_row t;
	struct deployment_row d;
	TRY(template_row_get(ctx->tx, ctx->a, template_id, &t, e));
	TRY(deployment_row_get(ctx->tx, ctx->a, t.deployment_id, &d, e));
	*ret = (struct meet_side){ .deployment = d.name, .template = t.name, .id = t.uuid };
	return RC_OK;
}

static troth_rc view_load(struct verb_ctx *ctx, const struct meet_row *row, struct meet_view *ret, struct troth_err *e)
{
	ret->row = *row;
	TRY(side_load(ctx, row->presenter_id, &ret->slot, e));
	return side_load(ctx, row->verifier_id, &ret->store, e);
}

static troth_rc list_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct list_cmd *cmd = arg;
	struct meet_list_ret *ret = out;
	struct meet_row *rows;
	size_t n;
	TRY(meet_row_list(ctx->tx, ctx->a, cmd->page, &rows, &n, e));
	ret->items = ARENA_ARRAY(ctx->a, struct meet_view, n);
	ret->next = record_next(cmd->page, n, n ? rows[n - 1].id : 0);
	for (size_t i = 0; i < n; i++) {
		struct meet_view *v = &ret->items[ret->count];
		if (!rows[i].on)
			continue;
		TRY(view_load(ctx, &rows[i], v, e));
		if (record_in_scope(ctx->who, v->slot.deployment) || record_in_scope(ctx->who, v->store.deployment))
			ret->count++;
	}
	return RC_OK;
}

/* "pg/server", "/prod/pg/server": a deployment and the name of a template in it. */
static troth_rc side_by_name(struct verb_ctx *ctx, const char *name, struct deployment_row *ret_deployment, struct template_row *ret,
			     struct troth_err *e)
{
	const char *slash = strrchr(name, '/'), *deployment = arena_text_n(ctx->a, name, (size_t)(slash - name));
	if (rc_ok(deployment_row_by_name(ctx->tx, ctx->a, deployment, ret_deployment, NULL)) &&
	    record_in_scope(ctx->who, deployment) &&
	    rc_ok(template_row_by_name(ctx->tx, ctx->a, ret_deployment->id, slash + 1, ret, NULL)))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "there is no slot or store %.200s", name);
	err_hint(e, "write DEPLOYMENT/NAME; troth deployment show DEPLOYMENT lists the names");
	return rc;
}

/* One end of a pair: a template of this kind in a deployment that the principal may touch. */
static troth_rc side_find(struct verb_ctx *ctx, const char *id, enum target_kind kind, struct template_row *ret, struct troth_err *e)
{
	struct deployment_row d;
	if (id && strchr(id, '/')) {
		TRY(side_by_name(ctx, id, &d, ret, e));
	} else {
		troth_rc rc = record_uuid("template", id, e);
		if (rc_failed(rc)) {
			err_hint(e, "write DEPLOYMENT/NAME, such as pg/server; troth deployment show DEPLOYMENT lists the names");
			return rc;
		}
		TRY(template_row_by_uuid(ctx->tx, ctx->a, id, ret, e));
		TRY(deployment_row_get(ctx->tx, ctx->a, ret->deployment_id, &d, e));
		TRY(record_visible(ctx->who, "template", d.name, e));
	}
	ENSURE(ret->kind == kind, e, TROTH_INVALID, "template %s of %s is not a %s", ret->name, d.name, TARGET_KIND_NAMES[kind]);
	return RC_OK;
}

static troth_rc record_pair(struct verb_ctx *ctx, const char *action, const struct meet_view *v, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "slot", arena_printf(ctx->a, "%s/%s", v->slot.deployment, v->slot.template));
	jw_kv_text(&r.w, "store", arena_printf(ctx->a, "%s/%s", v->store.deployment, v->store.template));
	return record_change(ctx, &(struct change){ .action = action, .object = v->slot.deployment,
						    .after = record_end(&r, ctx->a) }, e);
}

static troth_rc add_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct meet_cmd *cmd = arg;
	struct meet_ret *ret = out;
	struct template_row slot, store;
	bool made;
	TRY(side_find(ctx, cmd->slot, TARGET_SLOT, &slot, e));
	TRY(side_find(ctx, cmd->store, TARGET_STORE, &store, e));
	struct meet_row row = { .presenter_id = slot.id, .verifier_id = store.id, .on = true, .source = ctx->who->name, .since = ctx->now };
	TRY(meet_row_put(ctx->tx, &row, &made, e));
	if (!made) {
		TRY(meet_row_by_pair(ctx->tx, ctx->a, slot.id, store.id, &row, e));
		ENSURE(!row.on, e, TROTH_CONFLICT, "%s and %s meet already", slot.name, store.name);
		row.on = true;
		row.source = ctx->who->name;
		row.since = ctx->now;
		TRY(meet_row_update(ctx->tx, &row, e));
	}
	verb_changed_meet(ctx, slot.id, store.id);
	TRY(view_load(ctx, &row, &ret->meet, e));
	return record_pair(ctx, "meet.add", &ret->meet, e);
}

troth_rc meet_count(struct verb_ctx *ctx, int64_t template_id, int64_t *ret, struct troth_err *e)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(MEET_ARENA_BYTES);
	struct page page = { 0, MEET_PAGE };
	for (size_t n = MEET_PAGE; n == MEET_PAGE;) {
		struct target_row *rows;
		arena_reset(a);
		TRY(target_row_list_template(ctx->tx, a, template_id, page, &rows, &n, e));
		for (size_t i = 0; i < n; i++)
			*ret += rows[i].state == TARGET_COUNTED || rows[i].state == TARGET_LEAVING;
		page.after = n ? rows[n - 1].id : page.after;
	}
	return RC_OK;
}

static troth_rc remove_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct meet_cmd *cmd = arg;
	struct meet_removed_ret *ret = out;
	struct template_row slot, store;
	struct meet_row row;
	struct plan before;
	TRY(side_find(ctx, cmd->slot, TARGET_SLOT, &slot, e));
	TRY(side_find(ctx, cmd->store, TARGET_STORE, &store, e));
	TRY(meet_row_by_pair(ctx->tx, ctx->a, slot.id, store.id, &row, e));
	ENSURE(row.on, e, TROTH_NOT_FOUND, "%s and %s do not meet", slot.name, store.name);
	row.on = false;
	row.source = ctx->who->name;
	row.since = ctx->now;
	TRY(meet_row_update(ctx->tx, &row, e));
	foresee_before(ctx, &before);
	verb_changed_meet(ctx, slot.id, store.id);
	TRY(foresee_after(ctx, &before, &ret->frees, e));
	TRY(meet_count(ctx, slot.id, &ret->slots, e));
	TRY(meet_count(ctx, store.id, &ret->stores, e));
	TRY(view_load(ctx, &row, &ret->meet, e));
	return record_pair(ctx, "meet.remove", &ret->meet, e);
}

const struct verb VERB_MEET_LIST = { "meet.list", VERB_READ, ROLES_READ, sizeof(struct list_cmd), sizeof(struct meet_list_ret),
				     NULL, list_run };
const struct verb VERB_MEET_ADD = { "meet.add", VERB_WRITE, ROLES_CHANGE, sizeof(struct meet_cmd), sizeof(struct meet_ret),
				    NULL, add_run };
const struct verb VERB_MEET_REMOVE = { "meet.remove", VERB_WRITE, ROLES_CHANGE, sizeof(struct meet_cmd), sizeof(struct meet_removed_ret),
				       NULL, remove_run };
