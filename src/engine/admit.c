/* Admission: from when a newcomer counts (engine-rules section 9, Joiner).
 *
 * Its settled report is tested against the present Seqs of everybody it meets: all entries true.
 * A pair that cannot be made true from here (the other one is offline, or trusts nothing of this
 * authority, or serves a chain nobody could come to trust) does not keep it out, if what can
 * succeed in a world succeeds in every later one; docs/decisions/0002-admission.md. */
#include "engine/step.h"

static bool entry(const struct worlds *p, const struct worlds *v, size_t i, size_t j)
{
	return !p->expired[i] && ids_meet(p->items[i], v->items[j]);
}

static bool all_true(const struct worlds *p, const struct worlds *v)
{
	for (size_t i = 0; i < p->count; i++) {
		for (size_t j = 0; j < v->count; j++) {
			if (!entry(p, v, i, j))
				return false;
		}
	}
	return p->count > 0; /* an outside holder may have nothing left */
}

/* Rule S over the whole matrix. */
static bool monotone(struct worlds p, struct worlds v)
{
	p.fresh = v.fresh = 0;
	p.sure = v.sure = p.known = v.known = true;
	return safety_pair(&p, &v);
}

/* Nothing that the newcomer could be given would be accepted by what the store will hold. */
static bool store_hopeless(const struct view *v, const struct class *slot, const struct class *store)
{
	const struct authority *a = slot->key.authority;
	const struct shape *w = class_newest(store);

	for (size_t i = 0; w && a && i < a->ca_count; i++) {
		if (!ca_distrusted(v, a->cas[i]) && ids_meet(a->cas[i]->leaf_anchors, w->members))
			return false;
	}
	return true;
}

/* Nothing that the store could be told would make it accept what the slot serves. */
static bool slot_hopeless(const struct view *v, const struct class *slot, const struct class *store)
{
	const struct shape *b = class_newest(slot);

	return !b || b->expired || !group_could_accept(v, store->key.group, b->members);
}

static bool pair_fits(const struct view *v, struct arena *a, const struct class *joiner,
		      const struct class *other)
{
	bool slot = joiner->key.group->kind == GROUP_SLOT;
	const struct class *p = slot ? joiner : other, *s = slot ? other : joiner;
	struct worlds rows = worlds_of(v, a, p), columns = worlds_of(v, a, s);

	if (class_known(other) && all_true(&rows, &columns))
		return true;
	if (!class_known(other))
		return !class_alive(other) && other->key.length == 0 && joiner->key.length == 1;
	if (class_alive(other) && !(slot ? store_hopeless(v, p, s) : slot_hopeless(v, p, s)))
		return false;
	return monotone(rows, columns);
}

static const struct class *misfit(const struct view *v, struct arena *a, const struct class *joiner)
{
	const struct group *g = joiner->key.group;

	for (size_t i = 0; i < g->meet_count; i++) {
		for (struct class *c = g->meets[i]->classes; c; c = c->group_next) {
			if (class_counted(c) && !pair_fits(v, a, joiner, c))
				return c;
		}
	}
	return NULL;
}

/* A slot counts only with a valid chain (rule V); nobody begins with what is distrusted. */
static bool complete(const struct view *v, const struct class *c)
{
	bool slot = c->key.group->kind == GROUP_SLOT, whole = class_known(c) && !(c->key.flags & CLASS_TAINTED);

	for (size_t i = 0; i < c->key.length; i++) {
		const struct shape *x = c->key.seq[i];

		if (slot)
			whole = whole && x && !x->expired && !chain_distrusted(v, x);
		else
			whole = whole && !(x && set_distrusted(v, x));
	}
	return whole;
}

bool view_admissible(const struct view *v, int64_t target, struct wait *ret_why)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 24);
	const struct target *t = target_find(v, target);
	const struct class *other = t && complete(v, t->class) ? misfit(v, a, t->class) : NULL;

	if (t && complete(v, t->class) && !other)
		return true;
	if (ret_why) {
		*ret_why = wait_make(other ? WAIT_ADMISSION : WAIT_UNKNOWN, 0, 0);
		ret_why->target = target;
		ret_why->other_target = other ? other->members->id : 0;
		ret_why->other_group = other ? other->key.group->id : 0;
	}
	return false;
}

static void admit_class(struct step *s, const struct class *c)
{
	const struct class *other;

	if (class_counted(c) || (c->key.flags & CLASS_IGNORED) || !complete(s->v, c))
		return;
	if (!class_alive(c)) {
		wait_class(s, c, WAIT_OFFLINE, c->key.authority ? c->key.authority->id : 0, 0, 0);
		return;
	}
	other = misfit(s->v, s->a, c);
	if (other) {
		wait_pair(s, c, other, WAIT_ADMISSION, c->key.authority ? c->key.authority->id : 0, 0);
		return;
	}
	for (const struct target *t = c->members; t && !step_full(s); t = t->class_next)
		(void)act_add(s, ACT_ADMIT, t->id); /* nothing more to say about it */
}

static void admit_kind(struct step *s, enum group_kind kind)
{
	for (size_t i = 0; i < s->v->group_count; i++) {
		if (s->v->group_list[i]->kind != kind)
			continue;
		for (struct class *c = s->v->group_list[i]->classes; c; c = c->group_next)
			admit_class(s, c);
	}
}

/* Stores first, alone: a slot and a store that come together must be tested against each other. */
void step_admissions(struct step *s)
{
	admit_kind(s, GROUP_STORE);
	if (s->act_count == 0)
		admit_kind(s, GROUP_SLOT);
}
