/* What a new goal of a CA means for the intermediates below it.  See hierarchy.h. */
#include "service/ca/hierarchy.h"

#include <string.h>

#include "service/ca/issue_ca.h"

/* -- who is below ------------------------------------------------------------------------------------ */

static troth_rc refuse_large(struct tx *tx, struct arena *a, int64_t top, struct troth_err *e)
{
	struct credential_row c;
	TRY(credential_row_get(tx, a, top, &c, e));
	troth_rc rc = err_set(e, TROTH_TOO_LARGE, "more than %d authorities stand below %s", LIMIT_INTERMEDIATES, c.name);
	err_hint(e, "rotate those below it in parts: put some under another root first");
	err_object(e, "%s", c.name);
	return rc;
}

troth_rc hierarchy_below(struct tx *tx, struct arena *a, int64_t authority_id, struct id_list *ret, struct troth_err *e)
{
	struct id_list ids = { ARENA_ARRAY(a, int64_t, LIMIT_INTERMEDIATES + 1), 1 };
	ids.items[0] = authority_id;
	for (size_t i = 0; i < ids.count; i++) {
		struct credential_row *below;
		size_t n;
		TRY(credential_row_list_below(tx, a, ids.items[i], &below, &n, e));
		for (size_t k = 0; k < n; k++) {
			if (ids.count > LIMIT_INTERMEDIATES)
				return refuse_large(tx, a, authority_id, e);
			ids.items[ids.count++] = below[k].id;
		}
	}
	*ret = ids;
	return RC_OK;
}

troth_rc hierarchy_has(struct tx *tx, struct arena *a, int64_t top, int64_t authority_id, bool *ret, struct troth_err *e)
{
	*ret = false;
	for (int depth = 0; authority_id && !*ret && depth <= LIMIT_CHAIN_CERTS; depth++) {
		struct credential_row c;
		*ret = authority_id == top;
		TRY(credential_row_get(tx, a, authority_id, &c, e));
		authority_id = c.issuer_id;
	}
	return RC_OK;
}

/* -- what becomes of each ------------------------------------------------------------------------------ */

static troth_rc newest_wanted(struct verb_ctx *ctx, int64_t credential_id, struct version_row *ret, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	*ret = (struct version_row){ 0 };
	TRY(version_row_list_credential(ctx->tx, ctx->a, credential_id, PAGE_ALL, &versions, &n, e));
	for (size_t i = 0; i < n; i++)
		if (versions[i].wanted && !versions[i].retired_at)
			*ret = versions[i];
	return RC_OK;
}

static bool listed(const struct id_list *ids, int64_t id)
{
	for (size_t i = 0; i < ids->count; i++)
		if (ids->items[i] == id)
			return true;
	return false;
}

/* Of what the undone rotation replaced: the newest version of this authority that `parent` signed and that can serve again. */
static troth_rc version_replaced(struct verb_ctx *ctx, const struct rotation_row *undone, int64_t credential_id, int64_t parent,
				 struct version_row *ret, struct troth_err *e)
{
	for (size_t i = 0; i < undone->below_old.count; i++) {
		struct version_row v;
		struct cert_row cert;
		TRY(version_row_get(ctx->tx, ctx->a, undone->below_old.items[i], &v, e));
		if (v.credential_id != credential_id || v.signed_by != parent || v.distrusted || v.id < ret->id)
			continue;
		TRY(cert_row_get(ctx->tx, ctx->a, v.cert_id, &cert, e));
		if (cert.not_after > ctx->now)
			*ret = v;
	}
	return RC_OK;
}

/* It would have to be signed by what its issuer goes back to, and that cannot be done here. */
static troth_rc refuse_elsewhere(const struct credential_row *c, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s has no version below what its issuer would go back to, and none can be signed here",
			      c->name);
	err_hint(e, "go on; or ask for one: troth rotate %s, have it signed by the old one, troth authority certify %s", c->name, c->name);
	err_object(e, "%s", c->name);
	return rc;
}

static troth_rc decide(struct verb_ctx *ctx, const struct hierarchy *h, struct kin *k, const struct rotation_row *undone,
		       struct troth_err *e)
{
	int64_t parent = h->items[k->parent].next.id; /* 0: is being made, so nothing below it stays */
	TRY(newest_wanted(ctx, k->credential.id, &k->now, e));
	if (!k->now.id)
		return RC_OK; /* no version yet: it will be signed by the goal of its parent */
	if (parent && k->now.signed_by == parent)
		k->next = k->now;
	else if (undone && parent && listed(&undone->below_new, k->now.id))
		TRY(version_replaced(ctx, undone, k->credential.id, parent, &k->next, e));
	k->make = !k->next.id;
	if (k->make && k->credential.origin == ORIGIN_EXTERNAL)
		return refuse_elsewhere(&k->credential, e);
	if (k->make)
		verb_uuid(ctx, k->uuid);
	return RC_OK;
}

static size_t index_of(const struct hierarchy *h, int64_t credential_id)
{
	size_t i = 0;
	while (i + 1 < h->count && h->items[i].credential.id != credential_id)
		i++;
	return i;
}

static troth_rc plan_top(struct verb_ctx *ctx, int64_t to, struct hierarchy *h, struct troth_err *e)
{
	struct kin *top = &h->items[0];
	TRY(newest_wanted(ctx, top->credential.id, &top->now, e));
	if (to)
		return version_row_get(ctx->tx, ctx->a, to, &top->next, e);
	top->make = true;
	verb_uuid(ctx, top->uuid);
	return top->credential.issuer_id ? signer_load_newest(ctx->tx, ctx->a, top->credential.issuer_id, &h->issuer, e) : RC_OK;
}

static troth_rc plan_begin(struct verb_ctx *ctx, const struct credential_row *top, struct hierarchy *ret, struct id_list *ret_ids,
			   struct troth_err *e)
{
	TRY(hierarchy_below(ctx->tx, ctx->a, top->id, ret_ids, e));
	*ret = (struct hierarchy){ .items = ARENA_ARRAY(ctx->a, struct kin, ret_ids->count), .count = 1 };
	memset(ret->items, 0, ret_ids->count * sizeof *ret->items);
	ret->items[0].credential = *top;
	return RC_OK;
}

static troth_rc plan_below(struct verb_ctx *ctx, struct id_list ids, const struct rotation_row *undone, struct hierarchy *ret,
			   struct troth_err *e)
{
	for (; ret->count < ids.count; ret->count++) {
		struct kin *k = &ret->items[ret->count];
		TRY(credential_row_get(ctx->tx, ctx->a, ids.items[ret->count], &k->credential, e));
		k->parent = index_of(ret, k->credential.issuer_id);
		TRY(decide(ctx, ret, k, undone, e));
	}
	return RC_OK;
}

troth_rc hierarchy_plan(struct verb_ctx *ctx, const struct credential_row *top, int64_t to, const struct rotation_row *undone,
			struct hierarchy *ret, struct troth_err *e)
{
	struct id_list ids;
	TRY(plan_begin(ctx, top, ret, &ids, e));
	TRY(plan_top(ctx, to, ret, e));
	return plan_below(ctx, ids, undone, ret, e);
}

troth_rc hierarchy_plan_brought(struct verb_ctx *ctx, const struct credential_row *top, const struct keeper_issuer *brought,
				struct hierarchy *ret, struct troth_err *e)
{
	struct id_list ids;
	TRY(plan_begin(ctx, top, ret, &ids, e));
	TRY(newest_wanted(ctx, top->id, &ret->items[0].now, e));
	ret->items[0].brought = *brought;
	return plan_below(ctx, ids, NULL, ret, e);
}

bool hierarchy_same(const struct hierarchy *x, const struct hierarchy *y)
{
	bool same = x->count == y->count && x->issuer.version.id == y->issuer.version.id &&
		    x->cross.version.id == y->cross.version.id;
	for (size_t i = 0; same && i < x->count; i++) {
		const struct kin *a = &x->items[i], *b = &y->items[i];
		same = a->credential.id == b->credential.id && a->now.id == b->now.id && a->make == b->make &&
		       (a->make || a->next.id == b->next.id);
	}
	return same;
}

/* -- the keeper ------------------------------------------------------------------------------------------ */

/* Who signs it: key and certificate, if they are there by now. */
static troth_rc signer_of(struct verb_ctx *ctx, const struct hierarchy *h, size_t i, struct keeper_issuer *ret, bool *ret_there,
			  struct troth_err *e)
{
	const struct kin *parent = &h->items[h->items[i].parent];
	struct signer signer;
	*ret_there = true;
	*ret = (struct keeper_issuer){ h->issuer.version.key_blob, h->issuer.cert ? h->issuer.cert->der : (struct bytes){ 0 } };
	if (i == 0)
		return RC_OK;
	if (parent->brought.cert.len) {
		*ret = parent->brought;
		return RC_OK;
	}
	if (parent->make) {
		*ret_there = parent->asked && parent->need < ctx->reply_count;
		if (*ret_there)
			*ret = (struct keeper_issuer){ ctx->replies[parent->need]->blob, ctx->replies[parent->need]->der };
		return RC_OK;
	}
	TRY(signer_load_version(ctx->tx, ctx->a, parent->next.id, &signer, e));
	*ret = (struct keeper_issuer){ signer.version.key_blob, signer.cert->der };
	return RC_OK;
}

static troth_rc ask_one(struct verb_ctx *ctx, struct hierarchy *h, size_t i, struct troth_err *e)
{
	struct kin *k = &h->items[i];
	struct keeper_issuer issuer;
	bool there;
	TRY(signer_of(ctx, h, i, &issuer, &there, e));
	if (!there) {
		ctx->more = true;
		return RC_OK;
	}
	k->asked = true;
	k->need = ctx->need_count;
	return issue_ca_need(ctx, &k->credential, issuer.blob.len ? &issuer : NULL, k->uuid, e);
}

/* The bridge from the older root to the new one, as soon as that is there. */
static troth_rc ask_cross(struct verb_ctx *ctx, struct hierarchy *h, struct troth_err *e)
{
	const struct kin *top = &h->items[0];
	if (!h->cross.version.id || h->cross_asked)
		return RC_OK;
	if (top->need >= ctx->reply_count) {
		ctx->more = true;
		return RC_OK;
	}
	struct keeper_issuer old = { h->cross.version.key_blob, h->cross.cert->der };
	struct keeper_issuer made = { ctx->replies[top->need]->blob, ctx->replies[top->need]->der };
	h->cross_asked = true;
	h->cross_need = ctx->need_count;
	return issue_ca_cross_need(ctx, &top->credential, &old, &made, e);
}

troth_rc hierarchy_ask(struct verb_ctx *ctx, struct hierarchy *h, struct troth_err *e)
{
	for (size_t i = 0; i < h->count; i++)
		if (h->items[i].make && !h->items[i].asked)
			TRY(ask_one(ctx, h, i, e));
	return ask_cross(ctx, h, e);
}

/* -- rotations of those below ---------------------------------------------------------------------------------- */

static troth_rc supersede_one(struct verb_ctx *ctx, struct rotation_row *row, const struct rotation_row *by, struct troth_err *e)
{
	struct operation_row op;
	row->state = ROTATION_ABORTED;
	row->superseded_by = by->id;
	row->finished = ctx->now;
	TRY(rotation_row_update(ctx->tx, row, e));
	verb_changed(ctx, CHANGED_ROTATION, row->id);
	TRY(operation_row_get(ctx->tx, ctx->a, row->operation_id, &op, e));
	op.state = OPERATION_CANCELLED;
	op.finished = op.updated = ctx->now;
	op.waits_for = NULL;
	op.result = arena_printf(ctx->a, "{\"superseded_by\":\"%s\"}", by->uuid);
	verb_publish(ctx, "operation/%s", op.uuid);
	verb_publish(ctx, "rotation/%s", row->uuid);
	return operation_row_update(ctx->tx, &op, e);
}

troth_rc hierarchy_supersede(struct verb_ctx *ctx, int64_t credential_id, const struct rotation_row *by, struct troth_err *e)
{
	struct rotation_row *rows;
	struct credential_row c;
	size_t n;
	TRY(rotation_row_list_open(ctx->tx, ctx->a, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		if (rows[i].credential_id == credential_id && rows[i].id != by->id)
			TRY(supersede_one(ctx, &rows[i], by, e));
	TRY(credential_row_get(ctx->tx, ctx->a, credential_id, &c, e));
	if (!c.paused)
		return RC_OK;
	c.paused = false;
	return credential_row_update(ctx->tx, &c, e);
}

static void ids_push(struct arena *a, struct id_list *list, int64_t id)
{
	int64_t *items = ARENA_ARRAY(a, int64_t, list->count + 1);
	if (list->count)
		memcpy(items, list->items, list->count * sizeof *items);
	items[list->count] = id;
	*list = (struct id_list){ items, list->count + 1 };
}

void hierarchy_note(struct verb_ctx *ctx, struct id_list *list, int64_t id) { ids_push(ctx->a, list, id); }

static void ids_cut(struct id_list *list, int64_t id)
{
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i] != id)
			list->items[kept++] = list->items[i];
	list->count = kept;
}

/* What an abort of its own rotation would go back to: where that was signed by what is undone now, what that replaced. */
static troth_rc before_undone(struct verb_ctx *ctx, const struct rotation_row *undone, const struct kin *k, struct rotation_row *row,
			      struct troth_err *e)
{
	struct version_row before = { 0 };
	bool touched = false;
	for (size_t i = 0; i < row->wanted_before.count; i++)
		touched = touched || listed(&undone->below_new, row->wanted_before.items[i]);
	if (!touched)
		return RC_OK;
	TRY(version_replaced(ctx, undone, k->credential.id, k->next.signed_by, &before, e));
	row->wanted_before.count = 0;
	if (before.id)
		ids_push(ctx->a, &row->wanted_before, before.id);
	return RC_OK;
}

/* Its own rotation goes on, toward another version. */
static troth_rc retarget(struct verb_ctx *ctx, const struct kin *k, const struct rotation_row *undone, struct troth_err *e)
{
	struct rotation_row *rows;
	size_t n;
	TRY(rotation_row_list_open(ctx->tx, ctx->a, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (rows[i].credential_id != k->credential.id)
			continue;
		ids_push(ctx->a, &rows[i].old_versions, k->now.id);
		ids_cut(&rows[i].old_versions, k->next.id);
		rows[i].new_version = k->next.id;
		TRY(before_undone(ctx, undone, k, &rows[i], e));
		TRY(rotation_row_update(ctx->tx, &rows[i], e));
		verb_publish(ctx, "rotation/%s", rows[i].uuid);
	}
	return RC_OK;
}

/* -- rows ------------------------------------------------------------------------------------------------------ */

static troth_rc put_cross(struct verb_ctx *ctx, const struct hierarchy *h, struct version_row *ret, struct troth_err *e)
{
	const struct cert *cert;
	struct cert_row row;
	if (!h->cross.version.id)
		return RC_OK;
	TRY(cert_parse(ctx->a, ctx->replies[h->cross_need]->der, &cert, e));
	TRY(issue_cert_put(ctx->tx, ctx->a, cert, &row, e));
	ret->cross_cert = row.id;
	ret->cross_by = h->cross.version.id;
	return RC_OK;
}

static troth_rc insert_made(struct verb_ctx *ctx, struct hierarchy *h, size_t i, struct troth_err *e)
{
	struct kin *k = &h->items[i];
	struct signer signer = h->issuer;
	const struct keeper_reply *reply = ctx->replies[k->need];
	if (i > 0)
		signer.version = h->items[k->parent].next;
	struct version_row *next = &k->next;
	*next = (struct version_row){ .uuid = k->uuid, .source = VERSION_GENERATED, .key_blob = reply->blob, .wanted = true,
					.can_sign = true };
	if (i == 0)
		TRY(put_cross(ctx, h, next, e));
	return issue_store(ctx, &k->credential, signer.version.id ? &signer : NULL, reply->der, &k->next, e);
}

/* Its goal is `next` and nothing else; what was wanted is noted. */
static troth_rc want_next(struct verb_ctx *ctx, const struct kin *k, struct id_list *ret_old, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	TRY(version_row_list_credential(ctx->tx, ctx->a, k->credential.id, PAGE_ALL, &versions, &n, e));
	for (size_t i = 0; i < n; i++) {
		bool wanted = versions[i].id == k->next.id;
		if (versions[i].wanted == wanted)
			continue;
		if (!wanted && !versions[i].retired_at)
			ids_push(ctx->a, ret_old, versions[i].id);
		versions[i].wanted = wanted;
		versions[i].renewing = 0; /* an order for the old is an order for nothing */
		if (wanted)
			versions[i].retired_at = 0; /* it comes back as a new one comes */
		TRY(version_row_update(ctx->tx, &versions[i], e));
	}
	verb_changed(ctx, CHANGED_CREDENTIAL, k->credential.id);
	return RC_OK;
}

static troth_rc write_below(struct verb_ctx *ctx, struct hierarchy *h, size_t i, struct rotation_row *rotation, bool undone,
			    struct troth_err *e)
{
	struct kin *k = &h->items[i];
	if (k->make)
		TRY(insert_made(ctx, h, i, e));
	if (k->next.id == k->now.id)
		return RC_OK;
	if (undone)
		TRY(retarget(ctx, k, rotation, e));
	TRY(want_next(ctx, k, &rotation->below_old, e));
	ids_push(ctx->a, &rotation->below_new, k->next.id);
	return RC_OK;
}

troth_rc hierarchy_write(struct verb_ctx *ctx, struct hierarchy *h, struct rotation_row *rotation, bool undone, struct troth_err *e)
{
	if (h->items[0].make)
		TRY(insert_made(ctx, h, 0, e));
	for (size_t i = 1; i < h->count; i++)
		TRY(write_below(ctx, h, i, rotation, undone, e));
	return RC_OK;
}
