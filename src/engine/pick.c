/* Rolling (engine-rules section 6): which members of a class may be sent something now.
 *
 * Policy only ever refuses: what comes here has passed rule S for the whole class, and a part of a
 * class may go where all of it may.  An instance that holds a place may always get a further document
 * (its way back); one that is lame comes before all others, if a place is free; new instances need a free place, an open window, no pause, no stop, and contents
 * that the canaries have settled on. */
#include "engine/step.h"

#define NO_LIMIT SIZE_MAX

static bool closed(const struct deployment *d, msec_t now)
{
	return d->windowed && (!d->open || now >= d->until);
}

/* A clock that was set back far does not make the pause longer than it is. */
static bool between(const struct deployment *d, msec_t now)
{
	return d->pause && d->settled_at <= now + SKEW && now < d->settled_at + d->pause;
}

static bool limited(const struct deployment *d)
{
	return d->max_unavailable || d->canary || d->pause || d->windowed || d->stopped;
}

static size_t over(int64_t limit, size_t used)
{
	return (size_t)limit > used ? (size_t)limit - used : 0;
}

/* -- canaries ------------------------------------------------------------------------------------- */

/* A chain's contents are who signed it, bridged or not; brought along: the chain. */
static bool is_these(const struct picker *p, const struct shape *x)
{
	if (!x || !p->contents)
		return x && ids_same(x->members, p->set);
	return p->contents->signed_by ? x->signed_by == p->contents->signed_by : x == p->contents;
}

static bool class_on_way(const struct picker *p, const struct class *c)
{
	for (size_t i = 0; i < c->key.length; i++) {
		if (is_these(p, c->key.seq[i]))
			return true;
	}
	return false;
}

static bool class_settled(const struct picker *p, const struct class *c)
{
	return class_known(c) && c->key.length == 1 && is_these(p, c->key.seq[0]);
}

/* Instances on which these contents failed last. */
static size_t failed_with(const struct picker *p)
{
	size_t n = 0;

	for (const struct instance *i = p->d->lists[ROLLING_BUSY]; i; i = i->list_next) {
		for (const struct target *t = i->targets; i->failing && t; t = t->instance_next)
			n += t->group == p->c->key.group && t->failed && is_these(p, t->failed->shape) &&
			     !class_on_way(p, t->class);
	}
	return n;
}

/* How many more may try these contents before somebody has settled on them. */
static size_t canaries_left(const struct picker *p)
{
	size_t settled = 0, trying = 0;

	if (!p->d->canary || class_on_way(p, p->c))
		return NO_LIMIT;
	for (const struct class *c = p->c->key.group->classes; c; c = c->group_next) {
		if (class_counted(c) && class_settled(p, c))
			settled += c->count;
		else if (class_counted(c) && class_alive(c) && class_on_way(p, c))
			trying += c->count;
	}
	if (settled >= (size_t)p->d->canary)
		return NO_LIMIT;
	return over(p->d->canary, settled + trying + failed_with(p) + p->d->taking);
}

/* It lives by a CA that is distrusted: how that goes is no matter of windows, pauses and canaries. */
static bool flees(const struct view *v, const struct shape *newest)
{
	return newest && (newest->is_chain ? chain_distrusted(v, newest) : set_distrusted(v, newest));
}

/* -- the picker ------------------------------------------------------------------------------------ */

static void no_places(struct picker *p, enum wait_reason why, msec_t earliest)
{
	p->places = 0;
	p->why = why;
	p->earliest = earliest;
}

/* Said last: what a person must do, or wait for longest. */
static void count_places(struct picker *p)
{
	const struct deployment *d = p->d;
	msec_t now = p->s->now;

	if (d->max_unavailable)
		p->places = over(d->max_unavailable, rolling_held(d) + d->taking);
	p->free = p->places;
	if (p->flees)
		return;
	if (p->canaries < p->places)
		p->why = WAIT_CANARY;
	if (between(d, now))
		no_places(p, WAIT_BETWEEN, d->settled_at + d->pause);
	if (closed(d, now))
		no_places(p, WAIT_WINDOW, d->until > now ? d->until : 0);
	if (d->stopped)
		no_places(p, WAIT_STOPPED, 0);
}

struct picker picker_start(struct step *s, const struct class *c, const struct shape *contents, struct id_list set)
{
	struct picker p = { .s = s, .c = c, .contents = contents, .set = set, .phase = PICK_NEW,
			    .places = NO_LIMIT, .free = NO_LIMIT, .canaries = NO_LIMIT, .why = WAIT_BUDGET, .member = c->members };

	if (!class_counted(c) || !c->key.group->deployment || !limited(c->key.group->deployment))
		return p;
	p.d = c->key.group->deployment;
	p.phase = PICK_HOLDERS;
	p.serial = ++s->v->picks;
	p.holder = p.d->lists[ROLLING_BUSY];
	p.member = p.holder ? p.holder->targets : NULL;
	p.flees = flees(s->v, class_newest(c));
	p.canaries = p.flees ? NO_LIMIT : canaries_left(&p);
	count_places(&p);
	return p;
}

/* The next target of those that hold a place, whatever its class; NULL: no more of them. */
static const struct target *next_of_holders(struct picker *p)
{
	const struct target *t = p->member;

	while (!t && p->holder && (p->holder = p->holder->list_next))
		t = p->holder->targets;
	if (t)
		p->member = t->instance_next;
	return t;
}

/* The same of those that took one in this step. */
static const struct target *next_of_taking(struct picker *p)
{
	const struct target *t = p->member;

	while (!t && p->at < p->s->taking_count)
		t = p->s->taking[p->at++]->targets;
	if (t)
		p->member = t->instance_next;
	return t;
}

static const struct target *next_of_class(struct picker *p)
{
	const struct target *t = p->places && p->canaries ? p->member : NULL;

	if (t)
		p->member = t->class_next;
	return t;
}

static const struct target *next_of_phase(struct picker *p)
{
	if (p->phase == PICK_HOLDERS)
		return next_of_holders(p);
	return p->phase == PICK_TAKING ? next_of_taking(p) : next_of_class(p);
}

/* It tried these contents and failed: it is a canary already. */
static bool tries_again(const struct picker *p, const struct target *t)
{
	return t->failed && is_these(p, t->failed->shape);
}

/* Outside a window, or after a stop, nothing begins there. */
static bool is_held(const struct deployment *d, const struct instance *i, msec_t now)
{
	return closed(d, now) || (d->stopped && !i->failing);
}

static bool is_lame(const struct target *t) { return rolling_is_lame(t->instance) && !t->instance->taking; }

/* Where nothing may begin, only what was handed out may be followed by its way back: what lies on the table of a flight
 * (from a distrusted CA) begins nothing beside it, or step_take_back would take that back for ever. */
static bool may_go(const struct picker *p, const struct target *t)
{
	if (t->picked == p->serial)
		return false; /* offered already */
	if (p->phase == PICK_NEW) /* who is busy was offered as a holder: there are never more places than free ones */
		return !t->instance->taking;
	return t->class == p->c && (!is_lame(t) || p->free) && (p->canaries || tries_again(p, t)) &&
	       (p->flees || !is_held(p->d, t->instance, p->s->now) || t->instance->handed);
}

const struct target *picker_next(struct picker *p)
{
	const struct target *t;

	for (;;) {
		while ((t = next_of_phase(p))) {
			if (!p->d)
				return step_full(p->s) ? NULL : t;
			if (!may_go(p, t))
				continue;
			p->s->v->targets[t->index]->picked = p->serial;
			p->offered++;
			return t;
		}
		if (p->phase == PICK_NEW)
			return NULL;
		p->phase++;
		p->member = p->phase == PICK_NEW ? p->c->members : NULL;
	}
}

static void take_place(struct step *s, struct instance *i)
{
	if (s->taking_count == s->taking_room) {
		struct instance **old = s->taking;

		s->taking_room = s->taking_room ? s->taking_room * 2 : 32;
		s->taking = ARENA_ARRAY(s->a, struct instance *, s->taking_room);
		if (s->taking_count)
			memcpy(s->taking, old, s->taking_count * sizeof(struct instance *));
	}
	s->taking[s->taking_count++] = i;
	i->taking = true;
	i->deployment->taking++;
}

void picker_took(struct picker *p, const struct target *t)
{
	if (!p->d)
		return;
	CHECK(p->canaries || tries_again(p, t)); /* may_go, next_of_class */
	p->canaries -= p->canaries != NO_LIMIT && !tries_again(p, t);
	if (p->phase != PICK_NEW && !is_lame(t))
		return;
	/* A lame one was offered because there is a free one; a new one because there is a place, and there are never more places than
	 * free ones: both begin equal, places may be closed, and each that is taken lowers both. */
	CHECK(p->free && p->places <= p->free);
	p->places -= p->places && p->places != NO_LIMIT;
	p->free -= p->free != NO_LIMIT;
	take_place(p->s, t->instance);
}

void picker_end(struct picker *p, int64_t authority, int64_t ca)
{
	size_t left = p->d ? p->c->count - p->offered : 0;
	int64_t *ids = left ? ARENA_ARRAY(p->s->a, int64_t, wait_named(p->s)) : NULL;
	size_t n = 0;

	for (const struct target *t = p->c->members; left && t && n < wait_named(p->s); t = t->class_next) {
		if (t->picked != p->serial)
			ids[n++] = t->id;
	}
	wait_some(p->s, (struct wait_group){ ids, n, left }, p->why, authority, ca, p->earliest);
}

void picks_release(struct step *s)
{
	for (size_t i = 0; i < s->taking_count; i++) {
		s->taking[i]->taking = false;
		s->taking[i]->deployment->taking--;
	}
	s->taking_count = 0;
}

/* -- what lies on the table --------------------------------------------------------------------------- */

/* Nothing was handed out, so the document follows what it runs. */
static bool is_flight(const struct view *v, const struct target *t)
{
	return t->base && flees(v, t->base->shape);
}

/* All of it, or all but what flees from a distrusted CA. */
static void take_back(struct step *s, const struct instance *i, bool all)
{
	for (const struct target *t = i->targets; t; t = t->instance_next) {
		if (t->state == TARGET_COUNTED && replaced_generation(t) && (all || !is_flight(s->v, t)))
			act_add(s, ACT_TAKE_BACK, t->id)->replaces = replaced_generation(t);
	}
}

static bool must_not_begin(const struct deployment *d, const struct instance *i, msec_t now)
{
	if (i->handed || !i->unhanded)
		return false; /* it has begun */
	return is_held(d, i, now);
}

void step_take_back(struct step *s)
{
	const struct deployment *d;
	size_t at = 0;

	while ((d = table_next(&s->v->deployments, &at))) {
		for (const struct instance *i = d->lists[ROLLING_STRANDED]; i && limited(d); i = i->list_next)
			take_back(s, i, true);
		for (const struct instance *i = d->lists[ROLLING_BUSY]; i && limited(d); i = i->list_next) {
			if (must_not_begin(d, i, s->now))
				take_back(s, i, false);
		}
	}
}
