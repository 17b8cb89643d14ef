/* Contents: what a document holds.  A chain or a set is known by its id from the store; what
 * matters to the rules is its shape, shared by all contents that behave alike.
 *
 * A content that no target mentions (as base, document, staged, failed) is idle.  Some are kept, the
 * oldest are swept, at a clock move and never between two facts, so that the view does not grow with
 * history and an introduction is still there when its mention comes. */
#include <stdlib.h>

#include "engine/view.h"

/* -- shapes -------------------------------------------------------------------------------- */

static uint64_t shape_hash(struct id_list members, int64_t signed_by, int64_t bridged_by, bool is_chain, bool expired)
{
	return (ids_hash(members) ^ (uint64_t)signed_by * UINT64_C(0x9e3779b97f4a7c15) ^
		(uint64_t)bridged_by * UINT64_C(0xc2b2ae3d27d4eb4f)) * 4 + (uint64_t)is_chain * 2 + expired;
}

static struct shape *shape_take(struct view *v, const struct content *c, bool expired)
{
	uint64_t hash = shape_hash(c->members, c->signed_by, c->bridged_by, c->is_chain, expired) & v->hash_mask;
	struct shape *first = table_get(&v->shapes, (int64_t)hash), *s;

	for (s = first; s; s = s->same_hash) {
		v->operations++;
		if (s->signed_by == c->signed_by && s->bridged_by == c->bridged_by && s->is_chain == c->is_chain &&
		    s->expired == expired && ids_same(s->members, c->members))
			break;
	}
	if (!s) {
		s = mem_new(1, sizeof(*s));
		*s = (struct shape){ ids_keep(c->members), c->signed_by, c->is_chain, expired, c->bridged_by, 0, hash, first };
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

static void idle_enter(struct view *v, struct content *c)
{
	c->idle_prev = v->idle_last;
	c->idle_next = NULL;
	*(v->idle_last ? &v->idle_last->idle_next : &v->idle_first) = c;
	v->idle_last = c;
	v->idle++;
}

static void idle_leave(struct view *v, struct content *c)
{
	*(c->idle_prev ? &c->idle_prev->idle_next : &v->idle_first) = c->idle_next;
	*(c->idle_next ? &c->idle_next->idle_prev : &v->idle_last) = c->idle_prev;
	v->idle--;
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
	idle_leave(v, c);
}

void content_drop(struct view *v, struct content *c)
{
	if (!c || --c->refs > 0)
		return;
	c->holder = NULL;
	c->shared = false;
	idle_enter(v, c);
}

/* A few of the oldest at a time: a fleet that has just been rotated leaves a hundred thousand, and no step shall wait for that. */
void content_sweep(struct view *v)
{
	for (int i = 0; i < SWEPT_AT_ONCE && v->idle > IDLE_MAX; i++) {
		struct content *oldest = v->idle_first;

		idle_leave(v, oldest);
		content_free(v, oldest);
	}
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

	c->shape = shape_take(v, c, expired);
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
	idle_enter(v, c);
	table_put(table_of(v, is_chain), id, c);
	return c;
}

static void set_members(struct content *c, struct id_list members)
{
	ids_release(&c->members);
	c->members = ids_keep(members);
}

/* A quarter of its life before its end, days at most; where it is renewed later than that, a quarter
 * of what is left then. */
static msec_t ending_moment(const struct content *c)
{
	msec_t window = chain_life(c) / ENDING_LIFE_PART, most = LIMIT_ENDING_S * MSEC_S;
	msec_t at = c->not_after - (window < most ? window : most);

	if (c->renew_at > at && c->renew_at < c->not_after)
		at = c->renew_at + (c->not_after - c->renew_at) / ENDING_LIFE_PART;
	return chain_life(c) > 0 ? at : 0;
}

bool content_apply_chain(struct view *v, const struct fact *f)
{
	struct content *c = table_get(&v->chains, f->chain.chain);
	bool was_due = c && c->due, was_distrusted = c && c->distrusted, was_ending = c && c->ending;
	msec_t was_from = c ? c->not_before : 0;

	if (!c)
		c = content_new(v, true, f->chain.chain);
	set_members(c, f->chain.anchors);
	c->signed_by = f->chain.signed_by;
	c->bridged_by = f->chain.bridged_by;
	c->not_before = f->chain.not_before;
	c->not_after = f->chain.not_after;
	c->renew_at = f->chain.renew_at;
	c->issued = f->chain.issued;
	c->skew = skew_of(c->not_after - chain_life(c), c->not_after);
	c->ending_at = ending_moment(c);
	c->due = c->renew_at && c->renew_at <= v->now;
	c->ending = clock_judge_ending(v, c);
	reshape(v, c, c->not_after + c->skew <= v->now);
	c->distrusted = f->chain.distrusted;
	if (c->due != was_due || c->distrusted != was_distrusted || c->ending != was_ending || c->not_before != was_from)
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
