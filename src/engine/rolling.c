/* Deployments: how many of their instances are changing (engine-rules section 6, Rolling).
 *
 * An instance holds a *place* of its deployment while its session is alive and one of its counted
 * targets has a document on its way or failed with the last one (unless what failed is not wanted any more: nothing
 * would ever follow it).  One that failed, went back, and may be given something again is *lame*: it comes first, but
 * holds nobody up, for what it gets may have to wait for the others (pick.c).  After a few failures of the same
 * contents it holds its place until somebody has looked at it.  A silent one holds none; if a
 * document still lies on the table for it, it is *stranded* and the document is taken back, so that
 * it does not walk in later past the others' places.  Kept in step with every event: each target
 * says what it adds to its instance (three bits), each instance which list it is on. */
#include <inttypes.h>
#include <stdlib.h>

#include "engine/view.h"

enum marks { MARK_HANDED = 1, MARK_UNHANDED = 2, MARK_FAILED = 4, MARK_STUCK = 8 };

struct deployment *deployment_need(struct view *v, int64_t id)
{
	struct deployment *d = id ? table_get(&v->deployments, id) : NULL;

	if (d || !id)
		return d;
	d = mem_new(1, sizeof(*d));
	d->id = id;
	table_put(&v->deployments, id, d);
	return d;
}

/* -- which list ---------------------------------------------------------------------------- */

static void list_leave(struct instance *i)
{
	if (i->list == ROLLING_IDLE)
		return;
	if (i->list_prev)
		i->list_prev->list_next = i->list_next;
	else
		i->deployment->lists[i->list] = i->list_next;
	if (i->list_next)
		i->list_next->list_prev = i->list_prev;
	i->deployment->busy -= i->list == ROLLING_BUSY;
	i->list_prev = i->list_next = NULL;
	i->list = ROLLING_IDLE;
}

static void list_enter(struct instance *i, enum rolling_list list)
{
	if (list == ROLLING_IDLE)
		return;
	i->list = list;
	i->list_next = i->deployment->lists[list];
	if (i->list_next)
		i->list_next->list_prev = i;
	i->deployment->lists[list] = i;
	i->deployment->busy += list == ROLLING_BUSY;
}

static enum rolling_list list_of(const struct instance *i)
{
	if (!i->deployment)
		return ROLLING_IDLE;
	if (i->alive)
		return i->handed + i->unhanded + i->failing ? ROLLING_BUSY : ROLLING_IDLE;
	return i->unhanded ? ROLLING_STRANDED : ROLLING_IDLE;
}

static void instance_place(struct instance *i, struct deployment *d)
{
	if (i->deployment == d && i->list == list_of(i))
		return;
	list_leave(i);
	i->deployment = d;
	list_enter(i, list_of(i));
}

/* -- what a target adds ----------------------------------------------------------------------- */

enum wish { NO_VERSION, WANTED, UNWANTED };

static enum wish wish_for(const struct view *v, int64_t cert)
{
	enum wish wish = NO_VERSION;

	for (size_t i = 0; i < v->ca_count && wish != WANTED; i++) {
		if (v->ca_list[i]->cert == cert)
			wish = v->ca_list[i]->wanted ? WANTED : UNWANTED;
	}
	return wish;
}

/* Is there one in a that is not in b, and about which people think so? */
static bool differs_by(const struct view *v, struct id_list a, struct id_list b, enum wish wish)
{
	for (size_t i = 0; i < a.count; i++) {
		if (!ids_has(b, a.items[i]) && wish_for(v, a.items[i]) == wish)
			return true;
	}
	return false;
}

/* It went back to what it ran, and what it failed with leads away from what is wanted: it will not come again. */
static bool failed_for_nothing(const struct view *v, const struct target *t)
{
	const struct ca *ca = t->failed->is_chain ? ca_find(v, t->failed->signed_by) : NULL;

	if (t->failed->is_chain || !t->base)
		return ca && !ca->wanted;
	return differs_by(v, t->failed->members, t->base->members, UNWANTED) ||
	       differs_by(v, t->base->members, t->failed->members, WANTED);
}

static uint8_t marks_of(const struct view *v, const struct target *t)
{
	uint8_t marks = 0;

	if (t->state != TARGET_COUNTED)
		return 0; /* a newcomer serves nobody yet: nothing of it is unavailable */
	for (size_t n = 0; n < t->doc_count; n++)
		marks |= t->docs[n].handed ? MARK_HANDED : MARK_UNHANDED;
	if (!t->failed || failed_for_nothing(v, t))
		return marks;
	return marks | MARK_FAILED | (t->failures >= LIMIT_APPLY_FAILURES ? MARK_STUCK : 0);
}

static void marks_set(struct target *t, uint8_t marks)
{
	struct instance *i = t->instance;

	i->handed += (marks & MARK_HANDED) != 0;
	i->handed -= (t->marks & MARK_HANDED) != 0;
	i->unhanded += (marks & MARK_UNHANDED) != 0;
	i->unhanded -= (t->marks & MARK_UNHANDED) != 0;
	i->failing += (marks & MARK_FAILED) != 0;
	i->failing -= (t->marks & MARK_FAILED) != 0;
	i->stuck += (marks & MARK_STUCK) != 0;
	i->stuck -= (t->marks & MARK_STUCK) != 0;
	t->marks = marks;
}

void rolling_place(struct view *v, struct target *t)
{
	if (!t->instance)
		return;
	v->operations++;
	marks_set(t, marks_of(v, t));
	instance_place(t->instance, t->group->deployment);
}

bool rolling_is_lame(const struct instance *i)
{
	return i->list == ROLLING_BUSY && !i->handed && !i->unhanded && !i->stuck;
}

size_t rolling_held(const struct deployment *d)
{
	size_t n = d->busy;

	for (const struct instance *i = d->lists[ROLLING_BUSY]; i; i = i->list_next)
		n -= rolling_is_lame(i);
	return n;
}

void rolling_goal_changed(struct view *v)
{
	for (size_t i = 0; i < v->target_count; i++) {
		if (v->targets[i]->failed)
			rolling_place(v, v->targets[i]);
	}
}

void rolling_leave(struct target *t)
{
	marks_set(t, 0);
	instance_place(t->instance, t->instance->deployment);
}

/* -- the policy -------------------------------------------------------------------------------- */

bool rolling_apply(struct view *v, const struct fact *f)
{
	struct deployment *d = deployment_need(v, f->rolling.deployment);

	if (!d)
		return false;
	d->max_unavailable = f->rolling.max_unavailable;
	d->canary = f->rolling.canary;
	d->pause = f->rolling.pause;
	d->settled_at = f->rolling.settled_at;
	d->stopped = f->rolling.stopped;
	d->manual = f->rolling.manual;
	d->windowed = f->rolling.windowed;
	d->open = f->rolling.open;
	d->until = f->rolling.until;
	clock_book_deployment(v, d);
	return true;
}

/* -- counting again ------------------------------------------------------------------------------ */

static bool instance_right(const struct view *v, const struct instance *i)
{
	size_t handed = 0, unhanded = 0, failing = 0, stuck = 0;

	for (const struct target *t = i->targets; t; t = t->instance_next) {
		uint8_t marks = marks_of(v, t);

		handed += (marks & MARK_HANDED) != 0;
		unhanded += (marks & MARK_UNHANDED) != 0;
		failing += (marks & MARK_FAILED) != 0;
		stuck += (marks & MARK_STUCK) != 0;
		if (t->marks != marks)
			return false;
	}
	return handed == i->handed && unhanded == i->unhanded && failing == i->failing && stuck == i->stuck &&
	       i->list == list_of(i);
}

static bool on_list(const struct instance *i)
{
	const struct instance *at = i->deployment->lists[i->list];

	while (at && at != i)
		at = at->list_next;
	return at == i;
}

bool rolling_check(const struct view *v, char *why, size_t why_size)
{
	const struct instance *i;
	const struct deployment *d;
	size_t at = 0, busy = 0;

	while ((i = table_next(&v->instances, &at))) {
		if (!instance_right(v, i) || (i->list != ROLLING_IDLE && !on_list(i))) {
			(void)snprintf(why, why_size, "instance %" PRId64 " holds a place it should not, or none", i->id);
			return false;
		}
		busy += i->list == ROLLING_BUSY;
	}
	for (at = 0; (d = table_next(&v->deployments, &at));)
		busy -= d->busy;
	if (busy)
		(void)snprintf(why, why_size, "the deployments' places are not counted right");
	return busy == 0;
}

void rolling_free_all(struct view *v)
{
	struct deployment *d;
	size_t at = 0;

	while ((d = table_next(&v->deployments, &at)))
		free(d);
	table_release(&v->deployments);
}
