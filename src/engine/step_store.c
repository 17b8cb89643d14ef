/* Stores: what each shall be told to hold next.  Tried in this order (engine-rules section 6):
 * all it shall hold, at once; else what it holds and what it shall hold together; else what it
 * holds without this or that.  The first that rule S lets through is sent. */
#include "engine/step.h"

static struct id_list held_of(const struct class *c)
{
	const struct shape *newest = class_newest(c);

	return newest ? newest->members : (struct id_list){ 0 };
}

/* Names each authority that a change between two sets is about. */
static void wait_change(struct step *s, const struct class *c, enum wait_reason reason,
			struct id_list from, struct id_list to)
{
	struct id_list change = ids_union(s->a, ids_minus(s->a, from, to), ids_minus(s->a, to, from));

	for (size_t i = 0; i < change.count; i++) {
		const struct cert *cert = cert_find(s->v, change.items[i]);

		for (size_t k = 0; cert && k < cert->ca_count; k++)
			wait_class(s, c, reason, cert->cas[k]->authority->id, cert->cas[k]->id, 0);
	}
	if (change.count == 0)
		wait_class(s, c, reason, 0, 0, 0);
}

/* -- choosing ------------------------------------------------------------------------------ */

static struct id_list drop_what_may_go(struct step *s, const struct class *c, struct id_list from,
				       struct id_list want)
{
	struct id_list spare = ids_minus(s->a, from, want);

	for (size_t i = 0; i < spare.count; i++) {
		struct id_list less = ids_without(s->a, from, spare.items[i]);

		if (!safety_set(s, c, less))
			from = less;
	}
	return from;
}

/* The best allowed next set; what it holds now when nothing better is allowed.  What is distrusted
 * goes in any case, whatever rule S says of the rest (section 10). */
static struct id_list best_next(struct step *s, const struct class *c, struct id_list want)
{
	struct id_list held = trusted_only(s->v, s->a, held_of(c)), both = ids_union(s->a, held, want);

	if (!safety_set(s, c, want))
		return want;
	if (ids_same(both, held) || safety_set(s, c, both))
		both = held;
	return drop_what_may_go(s, c, both, want);
}

/* -- sending ------------------------------------------------------------------------------- */

static bool failed_too_often(const struct target *t, struct id_list next)
{
	return t->failed && t->failures >= LIMIT_APPLY_FAILURES && ids_same(t->failed->members, next);
}

/* The first authority that a change of what the class holds is about; 0: single certificates only. */
static int64_t change_authority(const struct step *s, const struct class *c, struct id_list next)
{
	struct id_list held = held_of(c);
	struct id_list change = ids_union(s->a, ids_minus(s->a, held, next), ids_minus(s->a, next, held));

	for (size_t i = 0; i < change.count; i++) {
		const struct cert *cert = cert_find(s->v, change.items[i]);

		if (cert)
			return cert->cas[0]->authority->id;
	}
	return 0;
}

static void send(struct step *s, const struct class *c, struct id_list next)
{
	struct picker p = picker_start(s, c, NULL, next);
	const struct target *t;
	size_t stopped = 0;

	while ((t = picker_next(&p))) {
		if (failed_too_often(t, next)) {
			stopped++;
			continue;
		}
		struct act *act = act_add(s, ACT_SEND_SET, t->id);

		act->certs = next;
		act->replaces = replaced_generation(t);
		picker_took(&p, t);
	}
	picker_end(&p, change_authority(s, c, next), 0);
	if (stopped)
		wait_change(s, c, WAIT_FAILING, held_of(c), next);
}

/* It does not hold what it shall, and no step toward that is allowed: so somebody refuses. */
static void wait_refused(struct step *s, const struct class *c, struct id_list want)
{
	const struct class *refuser = safety_set(s, c, want);
	struct id_list spare = ids_minus(s->a, held_of(c), want);

	for (size_t i = 0; i < spare.count; i++) {
		const struct cert *cert = cert_find(s->v, spare.items[i]);
		const struct ca *ca = cert ? cert->cas[0] : NULL;

		wait_pair(s, c, refuser, WAIT_STILL_SERVED, ca ? ca->authority->id : 0, ca ? ca->id : 0);
	}
	if (spare.count == 0)
		wait_pair(s, c, refuser, WAIT_STILL_SERVED, 0, 0);
}

static void move(struct step *s, const struct class *c, struct id_list want)
{
	struct id_list next = class_counted(c) ? best_next(s, c, want) : want;
	int64_t limit = c->key.group->store_limit;

	if (limit && next.count > (size_t)limit && class_newest(c) && set_distrusted(s->v, class_newest(c)))
		next = trusted_only(s->v, s->a, held_of(c));
	if (c->key.length && ids_same(next, held_of(c)))
		wait_refused(s, c, want);
	else if (limit && next.count > (size_t)limit)
		wait_change(s, c, WAIT_STORE_FULL, held_of(c), next);
	else
		send(s, c, next);
}

/* -- one class ----------------------------------------------------------------------------- */

static void wait_pending(struct step *s, const struct class *c)
{
	struct id_list from = { 0 };

	if (c->key.length <= class_known(c))
		return;
	if (class_known(c) && c->key.seq[0])
		from = c->key.seq[0]->members;
	wait_change(s, c, c->key.unhanded ? WAIT_NOT_FETCHED : WAIT_NOT_LOADED, from, held_of(c));
	if (class_counted(c) && !class_alive(c))
		wait_change(s, c, WAIT_OFFLINE, from, held_of(c));
}

/* It holds what it shall, but not only what the goal names: for whom? */
static void wait_needed(struct step *s, const struct class *c, struct id_list goal)
{
	const struct group *g = c->key.group;
	struct id_list more = ids_minus(s->a, held_of(c), goal);

	for (size_t i = 0; i < more.count; i++) {
		const struct cert *cert = cert_find(s->v, more.items[i]);
		struct id_list one = { &more.items[i], 1 };
		const struct authority *graced = cert_graced(s->v, more.items[i]);

		if (graced)
			wait_grace(s, graced, cert->cas[0]->id);
		for (size_t m = 0; cert && m < g->meet_count; m++) {
			for (struct class *p = g->meets[m]->classes; p; p = p->group_next) {
				for (size_t k = 0; class_counted(p) && k < p->key.length; k++) {
					if (accept_pair(p->key.seq[k], one))
						wait_pair(s, c, p, WAIT_STILL_SERVED,
							  cert->cas[0]->authority->id, cert->cas[0]->id);
				}
			}
		}
	}
}

/* What it holds is foreign: it gets what it shall hold, once that breaks nothing whatever it holds now. */
static void heal(struct step *s, const struct class *c, struct id_list want)
{
	int64_t limit = c->key.group->store_limit;

	wait_class(s, c, WAIT_STRANGE, 0, 0, 0);
	if (c->key.length && ids_same(held_of(c), want))
		wait_pending(s, c);
	else if (c->key.flags & CLASS_FULL)
		wait_change(s, c, WAIT_PENDING_FULL, held_of(c), want);
	else if (limit && want.count > (size_t)limit)
		wait_change(s, c, WAIT_STORE_FULL, held_of(c), want);
	else if (safety_set(s, c, want))
		wait_refused(s, c, want);
	else
		send(s, c, want);
}

static void step_class(struct step *s, const struct class *c, struct id_list goal)
{
	struct id_list want;

	if (class_leaving(c)) {
		wait_class(s, c, WAIT_LEAVING, 0, 0, 0);
		return;
	}
	want = goal_want(s, c, goal);
	goal_wait_approval(s, c, goal, want);
	if (class_counted(c) && class_heals(c))
		heal(s, c, want);
	else if (class_counted(c) && !class_known(c))
		wait_class(s, c, WAIT_UNKNOWN, 0, 0, 0);
	else if (c->key.length && ids_same(held_of(c), want))
		wait_pending(s, c);
	else if (class_counted(c) && !class_alive(c))
		wait_change(s, c, WAIT_OFFLINE, held_of(c), want);
	else if (c->key.flags & CLASS_FULL)
		wait_change(s, c, WAIT_PENDING_FULL, held_of(c), want);
	else
		move(s, c, want);
	if (class_counted(c) && !ids_within(held_of(c), goal))
		wait_needed(s, c, goal);
}

void step_stores(struct step *s)
{
	for (size_t i = 0; i < s->v->group_count; i++) {
		struct group *g = s->v->group_list[i];

		if (g->kind != GROUP_STORE || !g->classes)
			continue;
		struct id_list goal = goal_set(s, g);

		for (struct class *c = g->classes; c; c = c->group_next)
			step_class(s, c, goal);
	}
}
