/* What is declared: groups and who meets whom, authorities and their versions, goals, pauses.
 * None of it is in a class, so changing it costs nothing here; the step reads it as it is. */
#include <stdlib.h>

#include "engine/view.h"

struct group *group_find(const struct view *v, int64_t id) { return table_get(&v->groups, id); }
struct ca *ca_find(const struct view *v, int64_t id) { return id ? table_get(&v->cas, id) : NULL; }

struct authority *authority_find(const struct view *v, int64_t id)
{
	return table_get(&v->authorities_by_id, id);
}

struct authority *authority_need(struct view *v, int64_t id)
{
	struct authority *a = id ? authority_find(v, id) : NULL;

	if (a || !id)
		return a;
	a = mem_new(1, sizeof(*a));
	a->id = id;
	a->index = v->authority_count;
	v->authorities = mem_grow(v->authorities, v->authority_count + 1, sizeof(struct authority *));
	v->authorities[v->authority_count++] = a;
	table_put(&v->authorities_by_id, id, a);
	return a;
}

static void group_move(struct view *v, struct group *g, struct deployment *d)
{
	g->deployment = d;
	for (struct class *c = g->classes; c; c = c->group_next) {
		for (struct target *t = c->members; t; t = t->class_next)
			rolling_place(v, t);
	}
}

static bool apply_group(struct view *v, const struct fact *f)
{
	struct group *g = group_find(v, f->group.group);
	bool moved;

	if (g && g->kind != f->group.kind)
		return false;
	if (!g) {
		g = mem_new(1, sizeof(*g));
		v->group_list = mem_grow(v->group_list, v->group_count + 1, sizeof(struct group *));
		g->index = v->group_count;
		v->group_list[v->group_count++] = g;
		table_put(&v->groups, f->group.group, g);
	}
	g->id = f->group.group;
	g->kind = f->group.kind;
	g->role = f->group.role;
	g->atomic = f->group.atomic;
	moved = g->outside != f->group.outside;
	g->outside = f->group.outside;
	g->store_limit = f->group.store_limit;
	if (g->deployment != deployment_need(v, f->group.deployment))
		group_move(v, g, deployment_need(v, f->group.deployment));
	for (size_t i = 0; moved && i < v->target_count; i++) { /* which of its chains counts as ending is another question now */
		if (v->targets[i]->group == g)
			class_place(v, v->targets[i]);
	}
	return true;
}

static size_t meet_index(const struct group *g, const struct group *other)
{
	size_t i = 0;

	while (i < g->meet_count && g->meets[i] != other)
		i++;
	return i;
}

static void meet_set(struct group *g, struct group *other, bool on)
{
	size_t at = meet_index(g, other);

	if (on && at == g->meet_count) {
		g->meets = mem_grow(g->meets, g->meet_count + 1, sizeof(struct group *));
		g->meets[g->meet_count++] = other;
	} else if (!on && at < g->meet_count) {
		g->meets[at] = g->meets[--g->meet_count];
	}
}

static bool apply_meet(struct view *v, const struct fact *f)
{
	struct group *p = group_find(v, f->meet.presenter_group);
	struct group *s = group_find(v, f->meet.verifier_group);

	if (!p || !s || p->kind != GROUP_SLOT || s->kind != GROUP_STORE)
		return false;
	meet_set(p, s, f->meet.on);
	meet_set(s, p, f->meet.on);
	return true;
}

/* Newest first; ties by id, so that the order never depends on the order of the facts. */
bool ca_newer(const struct ca *x, const struct ca *y)
{
	return x->order != y->order ? x->order > y->order : x->id > y->id;
}

static void authority_sort(struct authority *a)
{
	for (size_t i = 1; i < a->ca_count; i++) {
		struct ca *c = a->cas[i];
		size_t at = i;

		for (; at > 0 && ca_newer(c, a->cas[at - 1]); at--)
			a->cas[at] = a->cas[at - 1];
		a->cas[at] = c;
	}
}

const struct cert *cert_find(const struct view *v, int64_t id) { return table_get(&v->certs, id); }

static void cert_add(struct view *v, struct ca *c)
{
	struct cert *cert = table_get(&v->certs, c->cert);

	if (!cert) {
		cert = mem_new(1, sizeof(*cert));
		cert->id = c->cert;
		table_put(&v->certs, c->cert, cert);
	}
	cert->cas = mem_grow(cert->cas, cert->ca_count + 1, sizeof(struct ca *));
	cert->cas[cert->ca_count++] = c;
}

bool ca_under(const struct ca *c, const struct ca *top)
{
	for (int depth = 0; c && depth <= LIMIT_CHAIN_CERTS; depth++, c = c->issuer) {
		if (c == top)
			return true;
	}
	return false;
}

bool authority_under(const struct authority *a, const struct authority *top)
{
	for (size_t i = 0; i < a->ca_count; i++) {
		const struct ca *c = a->cas[i];

		for (int depth = 0; c && depth <= LIMIT_CHAIN_CERTS; depth++, c = c->issuer) {
			if (c->authority == top)
				return true;
		}
	}
	return a == top;
}

const struct authority *ca_paused_by(const struct ca *c)
{
	for (int depth = 0; c && depth <= LIMIT_CHAIN_CERTS; depth++, c = c->issuer) {
		if (c->authority->paused)
			return c->authority;
	}
	return NULL;
}

/* Those that were told before their issuer. */
static void ca_adopt(struct view *v, struct ca *issuer)
{
	for (size_t i = 0; i < v->ca_count; i++) {
		if (v->ca_list[i]->issuer_id == issuer->id)
			v->ca_list[i]->issuer = issuer;
	}
}

static struct ca *ca_new(struct view *v, const struct fact *f)
{
	struct ca *c = mem_new(1, sizeof(*c));
	struct authority *a = authority_need(v, f->ca.authority);

	c->id = f->ca.ca;
	c->authority = a;
	c->cert = f->ca.cert;
	cert_add(v, c);
	a->cas = mem_grow(a->cas, a->ca_count + 1, sizeof(struct ca *));
	a->cas[a->ca_count++] = c;
	v->ca_list = mem_grow(v->ca_list, v->ca_count + 1, sizeof(struct ca *));
	v->ca_list[v->ca_count++] = c;
	table_put(&v->cas, c->id, c);
	ca_adopt(v, c);
	return c;
}

/* Rare: the list is made anew. */
static void collect_distrusted(struct view *v)
{
	int64_t *items = mem_new(v->ca_count, sizeof(*items));
	size_t n = 0;

	for (size_t i = 0; i < v->ca_count; i++) {
		if (v->ca_list[i]->distrusted)
			items[n++] = v->ca_list[i]->cert;
	}
	ids_release(&v->distrusted);
	v->distrusted = ids_keep((struct id_list){ items, n });
	free(items);
}

static bool apply_ca(struct view *v, const struct fact *f)
{
	struct ca *c = ca_find(v, f->ca.ca);

	if (!f->ca.ca || !f->ca.authority)
		return false;
	if (c && (c->authority->id != f->ca.authority || c->cert != f->ca.cert))
		return false; /* a version is one certificate of one authority, for good */
	bool turned = !c || c->wanted != f->ca.wanted;
	if (!c)
		c = ca_new(v, f);
	c->order = f->ca.order;
	c->wanted = f->ca.wanted;
	c->signing = f->ca.signing;
	c->can_sign = f->ca.can_sign;
	c->retired = f->ca.retired;
	c->not_before = f->ca.not_before;
	c->not_after = f->ca.not_after;
	c->renew_at = f->ca.renew_at;
	c->renew_latest = f->ca.renew_latest;
	c->renewing = f->ca.renewing;
	c->issued = f->ca.issued;
	c->skew = skew_of(f->ca.issued ? f->ca.issued : c->not_before, c->not_after);
	c->by_hand = f->ca.by_hand;
	c->issuer_id = f->ca.issuer;
	c->issuer = ca_find(v, c->issuer_id);
	c->bridge_by = f->ca.bridge_by;
	c->bridge_from = f->ca.bridge_from;
	c->bridge_until = f->ca.bridge_until;
	ids_release(&c->bridge_anchors);
	c->bridge_anchors = ids_keep(f->ca.bridge_anchors);
	ids_release(&c->leaf_anchors);
	c->leaf_anchors = ids_keep(f->ca.leaf_anchors);
	authority_sort(c->authority);
	if (c->distrusted != f->ca.distrusted) {
		c->distrusted = f->ca.distrusted;
		collect_distrusted(v);
	}
	if (turned)
		rolling_goal_changed(v);
	clock_book_ca(v, c);
	return true;
}

static bool apply_goal(struct view *v, const struct fact *f)
{
	struct group *g = group_find(v, f->goal.group);

	if (!g || g->kind != GROUP_STORE)
		return false;
	ids_release(&g->authorities);
	ids_release(&g->certs);
	g->authorities = ids_keep(f->goal.authorities);
	g->certs = ids_keep(f->goal.certs);
	return true;
}

static bool apply_paused(struct view *v, const struct fact *f)
{
	struct authority *a = authority_need(v, f->paused.authority);

	if (a)
		a->paused = f->paused.on;
	return a != NULL;
}

static bool apply_rollout(struct view *v, const struct fact *f)
{
	struct authority *a = authority_need(v, f->rollout.authority);

	if (!a)
		return false;
	a->switch_all = f->rollout.switch_all;
	a->unapproved = f->rollout.unapproved | f->rollout.everywhere;
	a->everywhere = f->rollout.everywhere;
	return true;
}

static bool apply_on_deadline(struct view *v, const struct fact *f)
{
	struct authority *a = authority_need(v, f->on_deadline.authority);

	if (a)
		a->hold_at_deadline = f->on_deadline.hold;
	return a != NULL;
}

static bool apply_external(struct view *v, const struct fact *f)
{
	struct authority *a = authority_need(v, f->external.authority);

	if (!a)
		return false;
	a->external = true;
	a->awaited = f->external.awaited;
	return true;
}

static bool apply_grace(struct view *v, const struct fact *f)
{
	struct authority *a = authority_need(v, f->grace.authority);

	if (!a)
		return false;
	a->grace_until = f->grace.until;
	a->grace_target = f->grace.target;
	clock_book_grace(v, a);
	return true;
}

static bool apply_hold(struct view *v, const struct fact *f)
{
	v->hold = f->hold.on;
	return true;
}

bool world_apply(struct view *v, const struct fact *f)
{
	switch (f->kind) {
	case FACT_GROUP: return apply_group(v, f);
	case FACT_MEET: return apply_meet(v, f);
	case FACT_CA: return apply_ca(v, f);
	case FACT_GOAL: return apply_goal(v, f);
	case FACT_PAUSED: return apply_paused(v, f);
	case FACT_GRACE: return apply_grace(v, f);
	case FACT_HOLD: return apply_hold(v, f);
	case FACT_ROLLOUT: return apply_rollout(v, f);
	case FACT_EXTERNAL: return apply_external(v, f);
	case FACT_ON_DEADLINE: return apply_on_deadline(v, f);
	default: return false;
	}
}

static void free_authorities(struct view *v)
{
	for (size_t i = 0; i < v->authority_count; i++) {
		free(v->authorities[i]->cas);
		free(v->authorities[i]);
	}
	for (size_t i = 0; i < v->ca_count; i++) {
		ids_release(&v->ca_list[i]->leaf_anchors);
		ids_release(&v->ca_list[i]->bridge_anchors);
		free(v->ca_list[i]);
	}
	free(v->authorities);
	free(v->ca_list);
}

static void free_certs(struct view *v)
{
	struct cert *c;
	size_t at = 0;

	while ((c = table_next(&v->certs, &at))) {
		free(c->cas);
		free(c);
	}
	table_release(&v->certs);
}

void world_free_all(struct view *v)
{
	free_authorities(v);
	free_certs(v);
	for (size_t i = 0; i < v->group_count; i++) {
		ids_release(&v->group_list[i]->authorities);
		ids_release(&v->group_list[i]->certs);
		free(v->group_list[i]->meets);
		free(v->group_list[i]);
	}
	free(v->group_list);
	ids_release(&v->distrusted);
	table_release(&v->groups);
	table_release(&v->cas);
	table_release(&v->authorities_by_id);
}
