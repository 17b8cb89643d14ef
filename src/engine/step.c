/* One step: what may be done now.  A batch is of one kind, because acts on different stores do
 * not influence each other's test, nor acts on different slots, but one kind influences the other
 * (engine-rules section 11): leaves, else what is taken back, else admissions, else stores, else slots with their labels, else
 * retirements, else rotations that are due.  The runner applies a batch and asks again until there is none. */
#include "engine/step.h"

#include <stdlib.h>

struct act *act_add(struct step *s, enum act_kind kind, int64_t target)
{
	if (step_full(s)) {
		s->beyond = (struct act){ .kind = kind, .target = target };
		return &s->beyond; /* it comes with the next step */
	}
	if (s->act_count == s->act_room) {
		struct act *old = s->acts;

		s->act_room = s->act_room ? s->act_room * 2 : 32;
		s->acts = ARENA_ARRAY(s->a, struct act, s->act_room);
		if (s->act_count)
			memcpy(s->acts, old, s->act_count * sizeof(*old));
	}
	struct act *act = &s->acts[s->act_count++];

	*act = (struct act){ .kind = kind, .target = target };
	return act;
}

bool step_full(const struct step *s)
{
	return s->act_count == LIMIT_STEP_ACTS;
}

int64_t replaced_generation(const struct target *t)
{
	const struct document *last = t->doc_count ? &t->docs[t->doc_count - 1] : NULL;

	return last && !last->handed ? last->generation : 0;
}

static int compare_numbers(int64_t x, int64_t y)
{
	return (x > y) - (x < y);
}

static int compare_acts(const void *x, const void *y)
{
	const struct act *a = x, *b = y;

	if (a->kind != b->kind)
		return (int)a->kind - (int)b->kind;
	if (a->target != b->target)
		return compare_numbers(a->target, b->target);
	return compare_numbers(a->ca, b->ca);
}

static void step_until_acts(struct step *s)
{
	step_leaves(s);
	if (s->act_count == 0)
		step_take_back(s);
	if (s->act_count == 0)
		step_admissions(s);
	if (s->act_count == 0)
		step_stores(s);
	if (s->act_count == 0) {
		step_slots(s);
		step_labels(s);
	}
	if (s->act_count == 0)
		step_retirements(s);
	if (s->act_count == 0)
		step_renewals(s);
}

static void plan_finish(struct step *s, struct plan *ret_plan)
{
	const struct appointment *next = agenda_first(&s->v->agenda);

	if (s->act_count > 1)
		qsort(s->acts, s->act_count, sizeof(*s->acts), compare_acts);
	wait_sort(s);
	msec_t wake = next ? next->at : s->wake;

	if (s->wake && s->wake < wake)
		wake = s->wake;
	*ret_plan = (struct plan){ s->acts, s->act_count, s->waits, s->wait_count, wake };
}

void engine_step(struct view *v, const struct engine_policy *policy, msec_t now, struct arena *a,
		 struct plan *ret_plan)
{
	struct step s = { .v = v, .policy = policy, .now = now, .a = a };

	view_clock(v, now);
	s.labels = ARENA_ARRAY(a, struct label, v->authority_count + 1);
	if (v->hold)
		wait_authority(&s, WAIT_HELD, 0, 0, 0);
	else
		step_until_acts(&s);
	picks_release(&s);
	plan_finish(&s, ret_plan);
}
