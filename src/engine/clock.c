/* Time as a source of change: a session falls silent, a chain expires or wants renewal, a CA's
 * validity begins.  The view has a clock of its own; moving it forward takes what has come due from
 * the agenda, moving it back (a clock was set) judges everything again.  Moments that arrive a
 * little out of order (two threads read the clock) are not a clock set back. */
#include "engine/view.h"

#define OUT_OF_ORDER MSEC_MIN

void clock_book_instance(struct view *v, struct instance *i)
{
	if (!i->alive || i->alive_until == ALIVE_ALWAYS || (i->booked_at && i->booked_at <= i->alive_until))
		return; /* too early is harmless: it is booked again then; too late is not (a clock was set back) */
	i->booked_at = i->alive_until;
	agenda_add(&v->agenda, i->alive_until, AGENDA_INSTANCE, i->id);
}

static void book_later(struct view *v, msec_t at, enum agenda_kind kind, int64_t id)
{
	if (at > v->now)
		agenda_add(&v->agenda, at, kind, id);
}

void clock_book_chain(struct view *v, struct content *c)
{
	book_later(v, c->not_before + c->skew, AGENDA_CHAIN, c->id);
	book_later(v, c->renew_at, AGENDA_CHAIN, c->id);
	book_later(v, c->ending_at, AGENDA_CHAIN, c->id);
	book_later(v, c->not_after + c->skew, AGENDA_CHAIN, c->id);
}

void clock_book_ca(struct view *v, const struct ca *c)
{
	book_later(v, c->not_before + c->skew, AGENDA_CA, c->id);
	book_later(v, c->not_after - c->skew, AGENDA_CA, c->id);
	book_later(v, c->not_after + c->skew, AGENDA_CA, c->id);
	book_later(v, c->renew_at, AGENDA_CA, c->id);
	book_later(v, c->renew_latest, AGENDA_CA, c->id);
}

/* The end of its pause, the next change of its window: nothing to judge, but the step answers anew. */
void clock_book_deployment(struct view *v, const struct deployment *d)
{
	if (d->pause)
		book_later(v, d->settled_at + d->pause, AGENDA_DEPLOYMENT, d->id);
	if (d->windowed)
		book_later(v, d->until, AGENDA_DEPLOYMENT, d->id);
}

void clock_judge_lease(struct view *v, struct target *t)
{
	t->over = t->lease_until && t->lease_until <= v->now;
	if (t->lease_until)
		book_later(v, t->lease_until, AGENDA_LEASE, t->id);
}

void clock_book_grace(struct view *v, const struct authority *a)
{
	book_later(v, a->grace_until, AGENDA_CA, a->id); /* only wakes the runner */
}

static void judge_instance(struct view *v, struct instance *i)
{
	bool alive = i->alive_until > v->now;

	if (alive == i->alive)
		return;
	i->alive = alive;
	for (struct target *t = i->targets; t; t = t->instance_next) {
		v->operations++;
		class_place(v, t);
	}
}

bool clock_judge_ending(const struct view *v, const struct content *c)
{
	return c->ending_at && c->ending_at <= v->now;
}

/* Its renewal and its end concern the classes of those who hold it. */
static void judge_due(struct view *v, struct content *c)
{
	bool due = c->renew_at && c->renew_at <= v->now, ending = clock_judge_ending(v, c);

	if (due == c->due && ending == c->ending)
		return;
	c->due = due;
	c->ending = ending;
	content_place_holders(v, c);
}

static void judge_chain(struct view *v, struct content *c)
{
	content_set_expired(v, c, c->not_after + c->skew <= v->now);
	judge_due(v, c);
}

static void instance_came_due(struct view *v, int64_t id, msec_t at)
{
	struct instance *i = table_get(&v->instances, id);

	if (i->booked_at != at)
		return;
	i->booked_at = 0;
	judge_instance(v, i);
	clock_book_instance(v, i);
}

static void chain_came_due(struct view *v, int64_t id)
{
	struct content *c = table_get(&v->chains, id);

	if (c)
		judge_chain(v, c);
}

static void lease_came_due(struct view *v, int64_t id)
{
	struct target *t = target_find(v, id);

	if (!t)
		return;
	t->over = t->lease_until && t->lease_until <= v->now; /* it may have been made longer meanwhile */
	class_place(v, t);
}

static void move_forward(struct view *v)
{
	struct appointment item;

	while (agenda_take(&v->agenda, v->now, &item)) {
		v->operations++;
		if (item.kind == AGENDA_INSTANCE)
			instance_came_due(v, item.id, item.at);
		else if (item.kind == AGENDA_CHAIN)
			chain_came_due(v, item.id);
		else if (item.kind == AGENDA_LEASE)
			lease_came_due(v, item.id);
		/* the dates of CAs and deployments are compared when asked for; their entries only wake the runner */
	}
}

static void judge_everything(struct view *v)
{
	struct instance *i;
	struct content *c;
	const struct deployment *d;
	size_t at = 0;

	agenda_clear(&v->agenda);
	while ((i = table_next(&v->instances, &at))) {
		i->booked_at = 0;
		judge_instance(v, i);
		clock_book_instance(v, i);
	}
	for (at = 0; (c = table_next(&v->chains, &at)); clock_book_chain(v, c))
		judge_chain(v, c);
	for (size_t n = 0; n < v->ca_count; n++)
		clock_book_ca(v, v->ca_list[n]);
	for (at = 0; (d = table_next(&v->deployments, &at));)
		clock_book_deployment(v, d);
	for (size_t n = 0; n < v->target_count; n++) {
		clock_judge_lease(v, v->targets[n]);
		class_place(v, v->targets[n]);
	}
	for (size_t n = 0; n < v->authority_count; n++)
		clock_book_grace(v, v->authorities[n]);
}

void view_clock(struct view *v, msec_t now)
{
	bool back = now < v->now - OUT_OF_ORDER;

	if (back || now > v->now)
		v->now = now;
	if (back)
		judge_everything(v);
	else
		move_forward(v);
	content_sweep(v);
}
