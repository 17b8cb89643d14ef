/* Which versions of a root are in use.  See in_use.h.
 *
 * Reads rows slot by slot: it is asked for by a person, on a snapshot, now and then. */
#include "service/rotation/in_use.h"

#include <string.h>

#include "service/ca/hierarchy.h"
#include "service/outside/holder.h"

struct census {
	struct in_use_list list;
	size_t cap;
	int64_t root;
	struct version_row *versions;   /* of the root */
	size_t version_count;
};

/* The version of the root that stands above a leaf's; 0: none of it (it was uploaded, or moved here from another CA). */
static troth_rc root_version(struct verb_ctx *ctx, int64_t root, int64_t leaf, struct version_row *ret, struct troth_err *e)
{
	*ret = (struct version_row){ 0 };
	for (int depth = 0; leaf && depth <= LIMIT_CHAIN_CERTS; depth++) {
		struct version_row v;
		TRY(version_row_get(ctx->tx, ctx->a, leaf, &v, e));
		if (v.credential_id == root) {
			*ret = v;
			return RC_OK;
		}
		leaf = v.signed_by;
	}
	return RC_OK;
}

static struct in_use *line_of(struct arena *a, struct census *c, const struct deployment_row *d, const struct version_row *v)
{
	for (size_t i = 0; i < c->list.count; i++)
		if (c->list.items[i].version == v->id && text_equal(c->list.items[i].deployment, d->name))
			return &c->list.items[i];
	if (c->list.count == c->cap) {
		struct in_use *more = ARENA_ARRAY(a, struct in_use, 2 * c->cap + 8);
		if (c->list.count)
			memcpy(more, c->list.items, c->list.count * sizeof *more);
		c->list.items = more;
		c->cap = 2 * c->cap + 8;
	}
	struct in_use *line = &c->list.items[c->list.count++];
	*line = (struct in_use){ .deployment = d->name, .version = v->id, .version_uuid = v->uuid, .ephemeral = d->ephemeral,
				 .decides = !d->ephemeral || d->party == PARTY_EXTERNAL };
	return line;
}

/* A joiner with an agent serves nobody yet; one without says itself what it uses. */
static bool may_use(const struct deployment_row *d, const struct target_row *t)
{
	if (!t->base_known || !t->base_content)
		return false;
	return t->state == TARGET_COUNTED || t->state == TARGET_LEAVING || (t->state == TARGET_JOINING && d->party == PARTY_EXTERNAL);
}

/* The one version of the root that a set holds; 0: none, or more than one, so that it holds back nobody. */
static void only_version(const struct census *c, const struct content_row *set, struct version_row *ret)
{
	size_t found = 0;
	*ret = (struct version_row){ 0 };
	for (size_t i = 0; i < set->certs.count; i++)
		for (size_t k = 0; k < c->version_count; k++)
			if (c->versions[k].cert_id == set->certs.items[i] && found++ == 0)
				*ret = c->versions[k];
	if (found > 1)
		ret->id = 0;
}

static troth_rc add_target(struct verb_ctx *ctx, struct census *c, const struct deployment_row *d, const struct target_row *t, struct troth_err *e)
{
	struct content_row content;
	struct version_row root;
	struct instance_row instance;
	if (!may_use(d, t))
		return RC_OK;
	TRY(content_row_get(ctx->tx, ctx->a, t->base_content, &content, e));
	if (content.kind == CONTENT_SET)
		only_version(c, &content, &root);
	else
		TRY(root_version(ctx, c->root, content.version_id, &root, e));
	if (!root.id)
		return RC_OK;
	TRY(instance_row_get(ctx->tx, ctx->a, t->instance_id, &instance, e));
	struct in_use *line = line_of(ctx->a, c, d, &root);
	line->members++;
	line->instance = instance.uuid;
	if (!line->since || instance.created < line->since)
		line->since = instance.created;
	if (instance.lease_until > line->lease_until)
		line->lease_until = instance.lease_until;
	return RC_OK;
}

static troth_rc add_template(struct verb_ctx *ctx, struct census *c, const struct template_row *template, struct troth_err *e)
{
	struct deployment_row d;
	if (!party_has_instances(template->party))
		return RC_OK; /* who took a certificate is not seen to use it */
	TRY(deployment_row_get(ctx->tx, ctx->a, template->deployment_id, &d, e));
	for (int64_t after = 0;;) {
		struct target_row *targets;
		size_t n;
		TRY(target_row_list_template(ctx->tx, ctx->a, template->id, (struct page){ after, 0 }, &targets, &n, e));
		for (size_t i = 0; i < n; i++)
			TRY(add_target(ctx, c, &d, &targets[i], e));
		if (n == 0)
			return RC_OK;
		after = targets[n - 1].id;
	}
}

static troth_rc add_slots(struct verb_ctx *ctx, struct census *c, struct troth_err *e)
{
	struct id_list below;
	TRY(hierarchy_below(ctx->tx, ctx->a, c->root, &below, e));
	for (size_t i = 0; i < below.count; i++) {
		struct template_row *templates;
		size_t n;
		TRY(template_row_list_authority(ctx->tx, ctx->a, below.items[i], &templates, &n, e));
		for (size_t k = 0; k < n; k++)
			TRY(add_template(ctx, c, &templates[k], e));
	}
	return RC_OK;
}

/* Stores of those who have no agent; the others hold what the engine sent them. */
static troth_rc add_stores(struct verb_ctx *ctx, struct census *c, struct troth_err *e)
{
	struct bundle_member_row *members;
	size_t n;
	TRY(bundle_member_row_list_authority(ctx->tx, ctx->a, c->root, &members, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct template_row *templates;
		size_t count;
		TRY(template_row_list_bundle(ctx->tx, ctx->a, members[i].bundle_id, &templates, &count, e));
		for (size_t k = 0; k < count; k++)
			if (templates[k].party == PARTY_EXTERNAL)
				TRY(add_template(ctx, c, &templates[k], e));
	}
	return RC_OK;
}

troth_rc in_use_load(struct verb_ctx *ctx, int64_t authority_id, struct in_use_list *ret, struct troth_err *e)
{
	struct census c = { .root = authority_id };
	TRY(version_row_list_credential(ctx->tx, ctx->a, authority_id, PAGE_ALL, &c.versions, &c.version_count, e));
	TRY(add_slots(ctx, &c, e));
	TRY(add_stores(ctx, &c, e));
	*ret = c.list;
	return RC_OK;
}

/* -- who took one --------------------------------------------------------------------------------------------- */
static troth_rc add_holder(struct verb_ctx *ctx, int64_t root, const struct credential_row *leaf, struct in_use_list *ret, struct troth_err *e)
{
	struct version_row newest, top;
	struct cert_row cert;
	bool holds;
	if (leaf->kind != CREDENTIAL_LEAF || !leaf->signing_version)
		return RC_OK;
	TRY(holder_holds(ctx, leaf, leaf->signing_version, &holds, e));
	if (!holds)
		return RC_OK;
	TRY(version_row_get(ctx->tx, ctx->a, leaf->signing_version, &newest, e));
	TRY(cert_row_get(ctx->tx, ctx->a, newest.cert_id, &cert, e));
	TRY(root_version(ctx, root, newest.id, &top, e));
	if (top.id && cert.not_after > ctx->now)
		ret->items[ret->count++] = (struct in_use){ .deployment = leaf->name, .version = top.id, .version_uuid = top.uuid,
							     .since = newest.created, .lease_until = cert.not_after, .members = 1 };
	return RC_OK;
}

troth_rc in_use_held(struct verb_ctx *ctx, int64_t authority_id, struct in_use_list *ret, struct troth_err *e)
{
	struct in_use_list list = { 0 };
	struct id_list below;
	TRY(hierarchy_below(ctx->tx, ctx->a, authority_id, &below, e));
	for (size_t i = 0; i < below.count; i++) {
		struct credential_row *leaves, *deleted;
		size_t n, more_n;
		TRY(credential_row_list_issuer(ctx->tx, ctx->a, below.items[i], PAGE_ALL, &leaves, &n, e));
		TRY(holder_left_behind(ctx, below.items[i], &deleted, &more_n, e));
		struct in_use *more = ARENA_ARRAY(ctx->a, struct in_use, list.count + n + more_n + 1);
		if (list.count)
			memcpy(more, list.items, list.count * sizeof *more);
		list.items = more;
		for (size_t k = 0; k < n; k++)
			TRY(add_holder(ctx, authority_id, &leaves[k], &list, e));
		for (size_t k = 0; k < more_n; k++)
			TRY(add_holder(ctx, authority_id, &deleted[k], &list, e));
	}
	*ret = list;
	return RC_OK;
}

/* -- counting ------------------------------------------------------------------------------------------------- */
size_t in_use_versions(const struct in_use_list *list)
{
	size_t n = 0;
	for (size_t i = 0; i < list->count; i++) {
		bool seen = !list->items[i].decides;
		for (size_t k = 0; k < i && !seen; k++)
			seen = list->items[k].decides && list->items[k].version == list->items[i].version;
		n += !seen;
	}
	return n;
}

struct in_use_list in_use_others(struct arena *a, const struct in_use_list *list, int64_t expected)
{
	struct in_use_list out = { ARENA_ARRAY(a, struct in_use, list->count + 1), 0 };
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].decides && list->items[i].version != expected)
			out.items[out.count++] = list->items[i];
	return out;
}

struct in_use_list in_use_of(struct arena *a, const struct in_use_list *list, int64_t version, bool all)
{
	struct in_use_list out = { ARENA_ARRAY(a, struct in_use, list->count + 1), 0 };
	for (size_t i = 0; i < list->count; i++)
		if ((all || list->items[i].decides) && list->items[i].version == version)
			out.items[out.count++] = list->items[i];
	return out;
}
