/* How far a rotation is, in the words of the theory (HIDDEN, RUMOURED, OMNIPRESENT, UNRETENTIVE).
 * A view for people: nothing is decided by it. */
#include "engine/view.h"

const char *word_name(enum word w)
{
	static const char *const names[] = { "", "HIDDEN", "RUMOURED", "OMNIPRESENT", "UNRETENTIVE" };

	return names[w];
}

static bool has(const struct view *v, const struct shape *s, const struct ca *ca)
{
	if (!s)
		return false;
	return s->is_chain ? ca_under(ca_find(v, s->signed_by), ca) : ids_has(s->members, ca->cert);
}

/* In how many worlds of a member? */
static size_t worlds_having(const struct view *v, const struct class *c, const struct ca *ca)
{
	size_t n = 0;

	for (size_t i = 0; i < c->key.length; i++)
		n += has(v, c->key.seq[i], ca);
	return n;
}

static void count_ca(const struct view *v, struct progress_ca *p, const struct class *c, const struct ca *ca)
{
	size_t worlds = worlds_having(v, c, ca);
	bool store = c->key.group->kind == GROUP_STORE;
	bool all = class_known(c) && worlds == c->key.length; /* known: there is one */
	size_t *surely = store ? &p->stores_having : &p->slots_using;
	size_t *maybe = store ? &p->stores_maybe : &p->slots_maybe;

	if (all)
		*surely += c->count;
	else if (worlds > 0)
		*maybe += c->count;
}

static bool concerns(const struct class *c, const struct authority *a)
{
	const struct group *g = c->key.group;

	if (g->kind == GROUP_SLOT)
		return c->key.authority && authority_under(c->key.authority, a);
	return ids_has(g->authorities, a->id);
}

static void count_class(const struct view *v, struct progress *p, const struct class *c, const struct authority *a)
{
	size_t k = 0;

	if (!class_counted(c)) {
		p->joining += c->count;
		return;
	}
	if (class_leaving(c))
		return; /* nothing more is expected of it */
	if (c->key.group->outside) {
		p->outside += class_lives(c) ? c->count : 0;
		return;
	}
	*(c->key.group->kind == GROUP_STORE ? &p->stores : &p->slots) += c->count;
	p->unknown += class_known(c) ? 0 : c->count;
	p->offline += class_alive(c) ? 0 : c->count;
	for (size_t i = 0; i < a->ca_count; i++) {
		if (!a->cas[i]->retired || a->cas[i]->wanted)
			count_ca(v, &p->cas[k++], c, a->cas[i]);
	}
}

static enum word word_of(size_t surely, size_t maybe, size_t all, bool wanted)
{
	if (surely + maybe == 0)
		return WORD_HIDDEN;
	if (surely == all)
		return WORD_OMNIPRESENT;
	return wanted ? WORD_RUMOURED : WORD_UNRETENTIVE;
}

static void list_cas(struct progress *p, const struct authority *a)
{
	for (size_t i = 0; i < a->ca_count; i++) {
		if (!a->cas[i]->retired || a->cas[i]->wanted)
			p->cas[p->ca_count++] = (struct progress_ca){ .ca = a->cas[i]->id,
				.wanted = a->cas[i]->wanted, .signing = a->cas[i]->signing };
	}
}

void engine_progress(const struct view *v, int64_t authority, struct arena *a,
		     struct progress *ret_progress)
{
	const struct authority *auth = authority_find(v, authority);
	struct progress p = { .authority = authority };

	p.cas = ARENA_ARRAY(a, struct progress_ca, auth ? auth->ca_count + 1 : 1);
	if (auth)
		list_cas(&p, auth);
	for (size_t i = 0; auth && i < v->group_count; i++) {
		for (const struct class *c = v->group_list[i]->classes; c; c = c->group_next) {
			if (concerns(c, auth))
				count_class(v, &p, c, auth);
		}
	}
	for (size_t i = 0; i < p.ca_count; i++) {
		struct progress_ca *k = &p.cas[i];

		k->in_stores = word_of(k->stores_having, k->stores_maybe, p.stores, k->wanted);
		k->in_slots = word_of(k->slots_using, k->slots_maybe, p.slots, k->wanted);
	}
	*ret_progress = p;
}
