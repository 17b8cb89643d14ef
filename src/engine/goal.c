/* The goal of a store, and what it needs besides (engine-rules section 6).
 *
 * goal: every wanted version of the authorities in the bundle, and the bundle's single
 * certificates; never a distrusted one.  need: for each chain that some slot meeting the store may
 * serve and the goal does not accept, one anchor of it that is a known version of an authority in
 * the bundle.  Which one: what the store holds already, else the newest. */
#include "engine/step.h"

static bool has_expired(const struct step *s, const struct ca *ca)
{
	return ca->not_after + ca->skew <= s->now;
}

/* It has expired, and another that has not is wanted beside it: it leaves like any other, that is never before the
 * chains that need it (section 8).  A last one stays: an empty set is no better. */
static bool is_over(const struct step *s, const struct ca *ca)
{
	for (size_t i = 0; has_expired(s, ca) && i < ca->authority->ca_count; i++) {
		if (ca->authority->cas[i]->wanted && !has_expired(s, ca->authority->cas[i]))
			return true;
	}
	return false;
}

static size_t add_wanted(struct step *s, const struct group *g, int64_t *items, size_t n)
{
	for (size_t i = 0; i < g->authorities.count; i++) {
		const struct authority *a = authority_find(s->v, g->authorities.items[i]);

		for (size_t k = 0; a && k < a->ca_count; k++) {
			if (a->cas[k]->wanted && !is_over(s, a->cas[k]) && !cert_distrusted(s->v, a->cas[k]->cert))
				items[n++] = a->cas[k]->cert;
		}
	}
	return n;
}

struct id_list goal_set(struct step *s, const struct group *g)
{
	int64_t *items = ARENA_ARRAY(s->a, int64_t, s->v->ca_count + g->certs.count + 1);
	size_t n = add_wanted(s, g, items, 0);

	for (size_t i = 0; i < g->certs.count; i++) {
		if (!cert_distrusted(s->v, g->certs.items[i]))
			items[n++] = g->certs.items[i];
	}
	return ids_sorted(s->a, (struct id_list){ items, n });
}

/* The newest version with this certificate whose authority is in the bundle; NULL: not ours to trust. */
static const struct ca *trustable(struct step *s, const struct group *g, int64_t cert)
{
	const struct cert *c = cert_find(s->v, cert);
	const struct ca *best = NULL;

	for (size_t i = 0; c && i < c->ca_count && !cert_distrusted(s->v, cert); i++) {
		if (ids_has(g->authorities, c->cas[i]->authority->id) &&
		    (!best || ca_newer(c->cas[i], best)))
			best = c->cas[i];
	}
	return best;
}

/* 0: no anchor of it is ours to trust: a finding (drift), not a need. */
static int64_t best_anchor(struct step *s, const struct group *g, struct id_list held,
			   struct id_list anchors)
{
	const struct ca *best = NULL;

	for (size_t i = 0; i < anchors.count; i++) {
		const struct ca *c = trustable(s, g, anchors.items[i]);

		if (c && ids_has(held, c->cert))
			return c->cert;
		if (c && (!best || ca_newer(c, best)))
			best = c;
	}
	return best ? best->cert : 0;
}

static struct id_list add_one(struct step *s, struct id_list set, int64_t cert)
{
	return ids_union(s->a, set, (struct id_list){ &cert, 1 });
}

/* What the chains of one class of slots need beyond `want`. */
static struct id_list add_needs(struct step *s, const struct class *store, const struct class *slots,
				struct id_list want)
{
	const struct shape *held = class_newest(store);

	for (size_t i = 0; i < slots->key.length; i++) {
		const struct shape *b = slots->key.seq[i];
		int64_t cert;

		if (!b || b->expired || accept_pair(b, want))
			continue;
		cert = best_anchor(s, store->key.group, held ? held->members : (struct id_list){ 0 },
				   b->members);
		if (cert)
			want = add_one(s, want, cert);
	}
	return want;
}

/* Who distrusted a version has said that it must go, and what comes instead must come. */
static bool in_emergency(const struct authority *a)
{
	for (size_t i = 0; i < a->ca_count; i++) {
		if (a->cas[i]->distrusted && !a->cas[i]->retired)
			return true;
	}
	return false;
}

bool step_gated(const struct authority *a, const struct group *g, enum rollout_step step)
{
	if (!(a->unapproved & step) || in_emergency(a))
		return false;
	return (a->everywhere & step) || (g && g->deployment && g->deployment->manual);
}

/* Neither added (STEP_INTRODUCE) nor taken away (STEP_WITHDRAW) for this authority's sake. */
static bool left_alone(const struct authority *a, const struct group *g, enum rollout_step step)
{
	return a->paused || step_gated(a, g, step);
}

/* Is the certificate in the goal for a reason that is not left alone? */
static bool wanted_otherwise(struct step *s, const struct group *g, int64_t cert)
{
	const struct cert *c = cert_find(s->v, cert);

	if (ids_has(g->certs, cert))
		return true;
	for (size_t i = 0; i < c->ca_count; i++) {
		if (c->cas[i]->wanted && !left_alone(c->cas[i]->authority, g, STEP_INTRODUCE) &&
		    ids_has(g->authorities, c->cas[i]->authority->id))
			return true;
	}
	return false;
}

/* A paused authority stays in the store as it is, one with a step to be approved as far as that step goes. */
static struct id_list leave_alone(struct step *s, const struct class *store,
				  const struct authority *a, struct id_list want)
{
	const struct group *g = store->key.group;
	const struct shape *held = class_newest(store);

	for (size_t i = 0; i < a->ca_count; i++) {
		int64_t cert = a->cas[i]->cert;

		if (cert_distrusted(s->v, cert) || wanted_otherwise(s, g, cert))
			continue;
		if (!held || !ids_has(held->members, cert))
			want = left_alone(a, g, STEP_INTRODUCE) ? ids_without(s->a, want, cert) : want;
		else if (left_alone(a, g, STEP_WITHDRAW))
			want = add_one(s, want, cert);
	}
	return want;
}

static struct id_list add_all_needs(struct step *s, const struct class *store, struct id_list want)
{
	const struct group *g = store->key.group;

	for (size_t i = 0; i < g->meet_count; i++) {
		for (struct class *c = g->meets[i]->classes; c; c = c->group_next) {
			if (class_counted(c))
				want = add_needs(s, store, c, want);
		}
	}
	return want;
}

const struct authority *cert_graced(const struct view *v, int64_t cert)
{
	const struct cert *c = cert_find(v, cert);

	for (size_t i = 0; c && i < c->ca_count; i++) {
		if (c->cas[i]->authority->grace_until > v->now && !cert_distrusted(v, cert))
			return c->cas[i]->authority;
	}
	return NULL;
}

/* What a binding's grace keeps there. */
static struct id_list add_graced(struct step *s, const struct class *store, struct id_list want)
{
	const struct shape *held = class_newest(store);

	for (size_t i = 0; held && i < held->members.count; i++) {
		if (!ids_has(want, held->members.items[i]) && cert_graced(s->v, held->members.items[i]))
			want = add_one(s, want, held->members.items[i]);
	}
	return want;
}

struct id_list goal_want(struct step *s, const struct class *store, struct id_list goal)
{
	const struct group *g = store->key.group;
	struct id_list want = goal;

	for (size_t i = 0; class_counted(store) && i < g->authorities.count; i++) {
		const struct authority *a = authority_find(s->v, g->authorities.items[i]);

		if (a && (a->paused || a->unapproved))
			want = leave_alone(s, store, a, want);
	}
	want = add_all_needs(s, store, want);
	return class_counted(store) ? add_graced(s, store, want) : want;
}

/* What an approval would change here: each certificate that would come or go. */
void goal_wait_approval(struct step *s, const struct class *store, struct id_list goal, struct id_list want)
{
	const struct group *g = store->key.group;
	struct id_list open = add_graced(s, store, add_all_needs(s, store, goal));

	for (size_t i = 0; class_counted(store) && i < g->authorities.count; i++) {
		const struct authority *a = authority_find(s->v, g->authorities.items[i]);

		for (size_t k = 0; a && a->unapproved && !a->paused && k < a->ca_count; k++) {
			int64_t cert = a->cas[k]->cert;
			bool comes = ids_has(open, cert), is = ids_has(want, cert);

			if (comes != is) /* only by a gate: nothing else is left alone here */
				wait_class(s, store, comes ? WAIT_APPROVE_INTRODUCE : WAIT_APPROVE_WITHDRAW, a->id,
					   a->cas[k]->id, 0);
		}
	}
}
