/* Rule S: what can succeed in a world succeeds in every later one (engine-rules section 5).
 *
 *	            W0    W1    W2(new)         rows: what the presenter may serve, in order
 *	   b0        1     1     ?              columns: what the verifier may trust, in order
 *	   b1        1     1     ?              allowed iff no 1 has a 0 to its right, below, or both,
 *	                                        where the 0 is in a new row or column
 *
 * A side that is not sure (unknown contents, or a session that is not alive) has more rows or
 * columns than we know; then the other side may only gain.  Whose own contents are unknown may be
 * given what succeeds with all that the other side may hold: then nothing is worse than it was. */
#include "engine/step.h"

/* A directory of single files passes through mixtures; the worst of them is what all have in
 * common (rule N), so that is put between two worlds. */
static void worlds_add_mixture(struct arena *a, struct worlds *w, struct id_list next)
{
	struct id_list common = next;

	for (size_t i = 0; i < w->count; i++)
		common = ids_common(a, common, w->items[i]);
	w->items[w->count++] = common;
}

/* What only a distrusted CA lets through is no success to be kept: such pairs were named (section 10). */
static void worlds_add(const struct view *v, struct arena *a, struct worlds *w, struct id_list next, bool expired,
		       bool atomic)
{
	next = trusted_only(v, a, next);
	if (!atomic && w->count)
		worlds_add_mixture(a, w, next);
	w->expired[w->count] = expired;
	w->items[w->count++] = next;
}

static struct worlds worlds_until(const struct view *v, struct arena *a, const struct class *c, size_t length)
{
	bool atomic = c->key.group->kind == GROUP_SLOT || c->key.group->atomic;
	struct worlds w = { .sure = class_sure(c), .known = class_known(c) };

	for (size_t i = 0; i < length; i++) {
		const struct shape *shape = c->key.seq[i];

		if (c->key.group->outside && shape && shape->expired)
			continue; /* it shows the other certificates that it holds */
		worlds_add(v, a, &w, shape ? shape->members : (struct id_list){ 0 },
			   shape && shape->expired, atomic);
		w.tainted[w.count - 1] = shape && shape->is_chain && chain_distrusted(v, shape);
	}
	w.fresh = w.count;
	return w;
}

struct worlds worlds_of(const struct view *v, struct arena *a, const struct class *c)
{
	return worlds_until(v, a, c, c->key.length);
}

struct worlds worlds_with(const struct view *v, struct arena *a, const struct class *c, struct id_list next)
{
	struct worlds w = worlds_until(v, a, c, c->key.length - c->key.unhanded);

	worlds_add(v, a, &w, next, false, c->key.group->kind == GROUP_SLOT || c->key.group->atomic);
	return w;
}

/* Can anything succeed at or before (row, column)? */
static bool succeeds_before(const struct worlds *p, const struct worlds *v, size_t row, size_t column)
{
	for (size_t i = 0; i <= row; i++) {
		for (size_t j = 0; j <= column && !p->expired[i]; j++) {
			if (ids_meet(p->items[i], v->items[j]))
				return true;
		}
	}
	return false;
}

static bool entry_allowed(const struct worlds *p, const struct worlds *v, size_t row, size_t column)
{
	return ids_meet(p->items[row], v->items[column]) || !succeeds_before(p, v, row, column);
}

static bool matrix_allowed(const struct worlds *p, const struct worlds *v)
{
	for (size_t i = 0; i < p->count; i++) {
		for (size_t j = i < p->fresh ? v->fresh : 0; j < v->count && !p->tainted[i]; j++) {
			if (!entry_allowed(p, v, i, j))
				return false;
		}
	}
	return true;
}

/* Everything the new items may replace is inside every one of them. */
static bool only_gains(const struct worlds *w)
{
	for (size_t next = w->fresh; next < w->count; next++) {
		for (size_t i = 0; i < w->fresh; i++) {
			if (!w->expired[i] && !ids_within(w->items[i], w->items[next]))
				return false;
		}
	}
	return true;
}

static bool all_succeed(const struct worlds *p, const struct worlds *v, size_t row, size_t column)
{
	for (size_t i = row; i < p->count; i++) {
		for (size_t j = column; j < v->count; j++) {
			if (p->expired[i] || !ids_meet(p->items[i], v->items[j]))
				return false;
		}
	}
	return true;
}

bool safety_pair(const struct worlds *presenter, const struct worlds *verifier)
{
	if (!presenter->known && presenter->fresh < presenter->count)
		return verifier->sure && all_succeed(presenter, verifier, presenter->fresh, 0);
	if (!verifier->known && verifier->fresh < verifier->count)
		return presenter->sure && all_succeed(presenter, verifier, 0, verifier->fresh);
	if (!verifier->sure && !only_gains(presenter))
		return false;
	if (!presenter->sure && !only_gains(verifier))
		return false;
	return matrix_allowed(presenter, verifier);
}

const struct class *safety_set(struct step *s, const struct class *store, struct id_list certs)
{
	struct worlds mine = worlds_with(s->v, s->a, store, certs);

	for (size_t i = 0; i < store->key.group->meet_count; i++) {
		for (struct class *c = store->key.group->meets[i]->classes; c; c = c->group_next) {
			struct worlds theirs = worlds_of(s->v, s->a, c);

			if (class_counted(c) && !safety_pair(&theirs, &mine))
				return c;
		}
	}
	return NULL;
}

size_t safety_chain_refusers(struct step *s, const struct class *slot, struct id_list anchors,
			     const struct class **ret_classes, size_t max)
{
	struct worlds mine = worlds_with(s->v, s->a, slot, anchors);
	size_t n = 0;

	for (size_t i = 0; i < slot->key.group->meet_count; i++) {
		for (struct class *c = slot->key.group->meets[i]->classes; c && n < max; c = c->group_next) {
			struct worlds theirs = worlds_of(s->v, s->a, c);

			if (class_counted(c) && !safety_pair(&mine, &theirs))
				ret_classes[n++] = c;
		}
	}
	return n;
}

const struct class *safety_chain(struct step *s, const struct class *slot, struct id_list anchors)
{
	const struct class *refuser;

	return safety_chain_refusers(s, slot, anchors, &refuser, 1) ? refuser : NULL;
}

bool safety_accepts(const struct class *store, struct id_list anchors)
{
	for (size_t i = 0; i < store->key.length; i++) {
		const struct shape *w = store->key.seq[i];

		if (!w || !ids_meet(anchors, w->members))
			return false;
	}
	return true;
}

bool safety_accepted_everywhere(struct step *s, const struct group *slots, struct id_list anchors)
{
	anchors = trusted_only(s->v, s->a, anchors);
	for (size_t i = 0; i < slots->meet_count; i++) {
		for (struct class *c = slots->meets[i]->classes; c; c = c->group_next) {
			if (class_counted(c) && !safety_accepts(c, anchors))
				return false;
		}
	}
	return true;
}
