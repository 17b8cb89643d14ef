/* Contents: what a document holds.  A chain or a set is known by its id from the store; what
 * matters to the rules is its shape, shared by all contents that behave alike.
 *
 * A content that no target mentions (as base, document, staged, failed) is idle.  Idle ones are
 * swept when they outnumber the others, at a clock move and never between two facts, so that the
 * view does not grow with history and an introduction is still there when its mention comes. */
#include <stdlib.h>

#include "engine/view.h"

/* -- shapes -------------------------------------------------------------------------------- */

static uint64_t shape_hash(struct id_list members, int64_t signed_by, bool is_chain, bool expired)
{
	return (ids_hash(members) ^ (uint64_t)signed_by * UINT64_C(0x9e3779b97f4a7c15)) * 4 +
	       (uint64_t)is_chain * 2 + expired;
}

static struct shape *shape_take(struct view *v, struct id_list members, int64_t signed_by,
				bool is_chain, bool expired)
{
	uint64_t hash = shape_hash(members, signed_by, is_chain, expired);
	struct shape *first = table_get(&v->shapes, (int64_t)hash), *s;

	for (s = first; s; s = s->same_hash) {
		v->operations++;
		if (s->signed_by == signed_by && s->is_chain == is_chain && s->expired == expired &&
		    ids_same(s->members, members))
			break;
	}
	if (!s) {
		s = mem_new(1, sizeof(*s));
		*s = (struct shape){ ids_keep(members), signed_by, is_chain, expired, 0, hash, first };
		table_put(&v->shapes, (int64_t)hash, s);
	}
	s->refs++;
	return s;
}

static void shape_unlink(struct view *v, struct shape *s)
{
	struct shape *first = table_get(&v->shapes, (int64_t)s->hash), *before = first;

	if (first == s && s->same_hash)
		table_put(&v->shapes, (int64_t)s->hash, s->same_hash);
	if (first == s && !s->same_hash)
		(void)table_take(&v->shapes, (int64_t)s->hash); /* the value is s */
	while (first != s && before->same_hash != s)
		before = before->same_hash;
	if (first != s)
		before->same_hash = s->same_hash;
}

static void shape_drop(struct view *v, struct shape *s)
{
	if (--s->refs > 0)
		return;
	shape_unlink(v, s);
	ids_release(&s->members);
	free(s);
}

/* -- contents ------------------------------------------------------------------------------ */

static struct table *table_of(const struct view *v, bool is_chain)
{
	return (struct table *)(is_chain ? &v->chains : &v->sets);
}

struct content *content_find(const struct view *v, enum group_kind kind, int64_t id)
{
	return table_get(table_of(v, kind == GROUP_SLOT), id);
}

static void content_free(struct view *v, struct content *c)
{
	(void)table_take(table_of(v, c->is_chain), c->id); /* the value is c */
	shape_drop(v, c->shape);
	ids_release(&c->members);
	free(c);
}

void content_hold(struct view *v, struct target *t, struct content *c)
{
	if (!c)
		return;
	if (c->refs++ > 0) {
		c->shared = c->shared || c->holder != t;
		return;
	}
	c->holder = t;
	v->idle--;
}

void content_drop(struct view *v, struct content *c)
{
	if (!c || --c->refs > 0)
		return;
	c->holder = NULL;
	c->shared = false;
	v->idle++;
}

static void sweep_table(struct view *v, const struct table *t)
{
	struct content **idle = mem_new(t->count, sizeof(struct content *)), *c;
	size_t at = 0, n = 0;

	while ((c = table_next(t, &at))) {
		if (c->refs == 0)
			idle[n++] = c;
	}
	for (size_t i = 0; i < n; i++)
		content_free(v, idle[i]);
	free(idle);
}

void content_sweep(struct view *v)
{
	size_t all = v->chains.count + v->sets.count;

	if (v->idle < IDLE_MAX || v->idle * 2 < all)
		return;
	sweep_table(v, &v->chains);
	sweep_table(v, &v->sets);
	v->idle = 0;
}

void content_place_holders(struct view *v, struct content *c)
{
	if (c->refs > 0 && !c->shared)
		class_place(v, c->holder);
	for (size_t i = 0; c->shared && i < v->target_count; i++) {
		v->operations++;
		class_place(v, v->targets[i]);
	}
}

static void reshape(struct view *v, struct content *c, bool expired)
{
	struct shape *old = c->shape;

	c->shape = shape_take(v, c->members, c->signed_by, c->is_chain, expired);
	if (old && old != c->shape)
		content_place_holders(v, c);
	if (old)
		shape_drop(v, old);
}

void content_set_expired(struct view *v, struct content *c, bool expired)
{
	if (c->shape->expired != expired)
		reshape(v, c, expired);
}

static struct content *content_new(struct view *v, bool is_chain, int64_t id)
{
	struct content *c = mem_new(1, sizeof(*c));

	c->id = id;
	c->is_chain = is_chain;
	v->idle++;
	table_put(table_of(v, is_chain), id, c);
	return c;
}

static void set_members(struct content *c, struct id_list members)
{
	ids_release(&c->members);
	c->members = ids_keep(members);
}

bool content_apply_chain(struct view *v, const struct fact *f)
{
	struct content *c = table_get(&v->chains, f->chain.chain);
	bool was_due = c && c->due, was_distrusted = c && c->distrusted;

	if (!c)
		c = content_new(v, true, f->chain.chain);
	set_members(c, f->chain.anchors);
	c->signed_by = f->chain.signed_by;
	c->not_before = f->chain.not_before;
	c->not_after = f->chain.not_after;
	c->renew_at = f->chain.renew_at;
	c->due = c->renew_at && c->renew_at <= v->now;
	reshape(v, c, c->not_after + SKEW <= v->now);
	c->distrusted = f->chain.distrusted;
	if (c->due != was_due || c->distrusted != was_distrusted)
		content_place_holders(v, c);
	clock_book_chain(v, c);
	return true;
}

bool content_apply_set(struct view *v, const struct fact *f)
{
	struct content *c = table_get(&v->sets, f->set.set);

	if (!c)
		c = content_new(v, false, f->set.set);
	set_members(c, f->set.certs);
	reshape(v, c, false);
	return true;
}

static void free_table(struct view *v, struct table *t)
{
	struct content *c;
	size_t at = 0;

	while ((c = table_next(t, &at))) {
		shape_drop(v, c->shape);
		ids_release(&c->members);
		free(c);
	}
	table_release(t);
}

void content_free_all(struct view *v)
{
	free_table(v, &v->chains);
	free_table(v, &v->sets);
	table_release(&v->shapes);
}
