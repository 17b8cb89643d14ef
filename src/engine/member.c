/* What happens to instances and targets: they come, are sent documents, report, fall silent, go.
 * Each event ends with class_place, which moves the target to the class it now belongs to. */
#include <stdlib.h>

#include "engine/view.h"

struct target *target_find(const struct view *v, int64_t id)
{
	return table_get(&v->targets_by_id, id);
}

/* -- coming and going ---------------------------------------------------------------------- */

static struct instance *instance_need(struct view *v, int64_t id)
{
	struct instance *i = id ? table_get(&v->instances, id) : NULL;

	if (i || !id)
		return i;
	i = mem_new(1, sizeof(*i));
	i->id = id;
	table_put(&v->instances, id, i);
	return i;
}

static void instance_leave(struct target *t)
{
	if (!t->instance)
		return;
	rolling_leave(t);
	if (t->instance_prev)
		t->instance_prev->instance_next = t->instance_next;
	else
		t->instance->targets = t->instance_next;
	if (t->instance_next)
		t->instance_next->instance_prev = t->instance_prev;
	t->instance_prev = t->instance_next = NULL;
	t->instance = NULL;
}

static void instance_enter(struct target *t, struct instance *i)
{
	if (t->instance == i)
		return;
	instance_leave(t);
	t->instance = i;
	if (!i)
		return;
	t->instance_next = i->targets;
	if (i->targets)
		i->targets->instance_prev = t;
	i->targets = t;
}

static struct target *target_new(struct view *v, int64_t id, struct group *g)
{
	struct target *t = mem_new(1, sizeof(*t));

	if (v->target_count == v->target_room) {
		v->target_room = v->target_room ? v->target_room * 2 : 64;
		v->targets = mem_grow(v->targets, v->target_room, sizeof(struct target *));
	}
	t->id = id;
	t->group = g;
	t->index = v->target_count;
	v->targets[v->target_count++] = t;
	table_put(&v->targets_by_id, id, t);
	return t;
}

static void forget_contents(struct view *v, struct target *t)
{
	content_drop(v, t->base);
	content_drop(v, t->staged);
	content_drop(v, t->failed);
	for (size_t i = 0; i < t->doc_count; i++)
		content_drop(v, t->docs[i].content);
}

static void target_leave(struct view *v, struct target *t)
{
	pace_move(t->group, t->pace, 0);
	class_remove(v, t);
	instance_leave(t);
	forget_contents(v, t);
	(void)table_take(&v->targets_by_id, t->id); /* the value is t */
	v->targets[t->index] = v->targets[--v->target_count];
	v->targets[t->index]->index = t->index;
	free(t);
}

static bool apply_target(struct view *v, const struct fact *f)
{
	struct target *t = target_find(v, f->target.target);
	struct group *g = group_find(v, f->target.group);

	if (f->target.state == TARGET_LEFT) {
		if (t)
			target_leave(v, t);
		return t != NULL;
	}
	if (!g || (t && t->group->kind != g->kind))
		return false;
	if (!t)
		t = target_new(v, f->target.target, g);
	pace_move(t->group, t->pace, 0);
	pace_move(g, 0, t->pace);
	t->group = g;
	t->authority = authority_need(v, f->target.authority);
	t->state = f->target.state;
	if (t->lease_until != f->target.lease_until) {
		t->lease_until = f->target.lease_until;
		clock_judge_lease(v, t);
	}
	instance_enter(t, instance_need(v, f->target.instance));
	class_place(v, t);
	return true;
}

/* A heartbeat: the agenda is touched only when the instance was silent before. */
static bool apply_alive(struct view *v, const struct fact *f)
{
	struct instance *i = instance_need(v, f->alive.instance);

	if (!i)
		return false;
	bool alive = f->alive.alive_until > v->now, changed = alive != i->alive;

	i->alive_until = f->alive.alive_until;
	i->alive = alive;
	for (struct target *t = changed ? i->targets : NULL; t; t = t->instance_next) {
		v->operations++;
		class_place(v, t);
	}
	clock_book_instance(v, i);
	return true;
}

/* -- documents ----------------------------------------------------------------------------- */

static struct document *document_find(struct target *t, int64_t generation)
{
	for (size_t i = 0; i < t->doc_count; i++) {
		if (t->docs[i].generation == generation)
			return &t->docs[i];
	}
	return NULL;
}

static void document_remove(struct view *v, struct target *t, size_t at)
{
	content_drop(v, t->docs[at].content);
	t->doc_count--;
	for (size_t i = at; i < t->doc_count; i++)
		t->docs[i] = t->docs[i + 1];
}

static void document_insert(struct target *t, struct document d)
{
	size_t at = t->doc_count++;

	for (; at > 0 && t->docs[at - 1].generation > d.generation; at--)
		t->docs[at] = t->docs[at - 1];
	t->docs[at] = d;
}

static void base_set(struct view *v, struct target *t, bool known, struct content *c)
{
	struct content *old = t->base;

	t->strange = false;
	if (known)
		content_hold(v, t, c);
	t->base = known ? c : NULL;
	t->known = known;
	content_drop(v, old);
}

static bool apply_void(struct view *v, const struct fact *f)
{
	struct target *t = target_find(v, f->voided.target);

	if (!t)
		return false;
	while (t->doc_count)
		document_remove(v, t, t->doc_count - 1);
	base_set(v, t, false, NULL);
	t->high_water = 0; /* the next session's reports say where it stands */
	t->base_generation = 0;
	class_place(v, t);
	return true;
}

/* More documents than the cap allows cannot come from our acts; then nothing is known for sure. */
static bool document_overflow(struct view *v, struct target *t)
{
	base_set(v, t, false, NULL);
	class_place(v, t);
	return false;
}

static bool apply_sent(struct view *v, const struct fact *f)
{
	struct target *t = target_find(v, f->sent.target);
	struct content *c = t ? content_find(v, t->group->kind, f->sent.content) : NULL;

	if (!c || f->sent.generation <= t->high_water)
		return false;
	if (document_find(t, f->sent.generation))
		return document_find(t, f->sent.generation)->content == c;
	if (t->doc_count == DOCS_MAX)
		return document_overflow(v, t);
	content_hold(v, t, c);
	document_insert(t, (struct document){ f->sent.generation, c, false });
	class_place(v, t);
	return true;
}

static bool apply_handed(struct view *v, const struct fact *f)
{
	struct target *t = target_find(v, f->handed.target);
	struct document *d = t ? document_find(t, f->handed.generation) : NULL;

	if (!d)
		return false;
	d->handed = true;
	class_place(v, t);
	return true;
}

/* Only what was never handed out can be taken back (engine-rules section 4). */
static bool apply_dropped(struct view *v, const struct fact *f)
{
	struct target *t = target_find(v, f->dropped.target);
	struct document *d = t ? document_find(t, f->dropped.generation) : NULL;

	if (!d || d->handed)
		return false;
	document_remove(v, t, (size_t)(d - t->docs));
	class_place(v, t);
	return true;
}

/* -- observations -------------------------------------------------------------------------- */

static bool seen_is_late(const struct target *t, const struct fact *f)
{
	return f->seen.generation > f->seen.high_water || f->seen.high_water < t->high_water;
}

/* What the report says it runs.  Matched by generation, never by contents: a document of that
 * generation with other contents is an alarm, and the base unknown. */
static bool seen_content(const struct view *v, struct target *t, const struct fact *f,
			 struct content **ret_content)
{
	const struct document *d = document_find(t, f->seen.generation);

	*ret_content = content_find(v, t->group->kind, f->seen.content);
	if (f->seen.content == CONTENT_NONE)
		return !d;
	return *ret_content && (!d || d->content == *ret_content);
}

static bool apply_seen(struct view *v, const struct fact *f)
{
	struct target *t = target_find(v, f->seen.target);
	struct content *c;

	if (!t || seen_is_late(t, f))
		return false;
	bool known = seen_content(v, t, f, &c);

	base_set(v, t, known, c);
	t->strange = f->seen.content == CONTENT_STRANGE;
	t->base_generation = known ? f->seen.generation : 0;
	t->high_water = f->seen.high_water;
	while (t->doc_count && t->docs[0].generation <= t->high_water)
		document_remove(v, t, 0);
	class_place(v, t);
	return true;
}

/* -- what is on its way -------------------------------------------------------------------- */

static void mention(struct view *v, struct target *t, struct content **place, struct content *c)
{
	struct content *old = *place;

	content_hold(v, t, c);
	*place = c;
	content_drop(v, old);
	class_place(v, t);
}

static bool apply_staged(struct view *v, const struct fact *f)
{
	struct target *t = target_find(v, f->staged.target);
	struct content *c = t ? content_find(v, GROUP_SLOT, f->staged.chain) : NULL;

	if (!t || t->group->kind != GROUP_SLOT || (f->staged.on && !c))
		return false;
	if (f->staged.on || t->staged == c || f->staged.chain == 0)
		mention(v, t, &t->staged, f->staged.on ? c : NULL);
	return true;
}

static bool apply_asked(struct view *v, const struct fact *f)
{
	struct target *t = target_find(v, f->asked.target);

	if (!t)
		return false;
	t->asked = f->asked.ca;
	class_place(v, t);
	return true;
}

static bool apply_failed(struct view *v, const struct fact *f)
{
	struct target *t = target_find(v, f->failed.target);
	struct content *c = t ? content_find(v, t->group->kind, f->failed.content) : NULL;

	if (!t)
		return false;
	t->failures = c ? f->failed.count : 0;
	mention(v, t, &t->failed, t->failures > 0 ? c : NULL);
	return true;
}

static bool apply_pace(struct view *v, const struct fact *f)
{
	struct target *t = target_find(v, f->pace.target);

	if (!t)
		return false;
	pace_move(t->group, t->pace, f->pace.length);
	t->pace = f->pace.length;
	return true;
}

bool member_apply(struct view *v, const struct fact *f)
{
	switch (f->kind) {
	case FACT_TARGET: return apply_target(v, f);
	case FACT_ALIVE: return apply_alive(v, f);
	case FACT_SENT: return apply_sent(v, f);
	case FACT_HANDED: return apply_handed(v, f);
	case FACT_DROPPED: return apply_dropped(v, f);
	case FACT_SEEN: return apply_seen(v, f);
	case FACT_VOID: return apply_void(v, f);
	case FACT_STAGED: return apply_staged(v, f);
	case FACT_ASKED: return apply_asked(v, f);
	case FACT_FAILED: return apply_failed(v, f);
	case FACT_PACE: return apply_pace(v, f);
	default: return false;
	}
}

void member_free_all(struct view *v)
{
	struct instance *i;
	size_t at = 0;

	while (v->target_count)
		target_leave(v, v->targets[0]);
	while ((i = table_next(&v->instances, &at)))
		free(i);
	free(v->targets);
	table_release(&v->instances);
	table_release(&v->targets_by_id);
	table_release(&v->classes);
}
