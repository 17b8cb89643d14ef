/* The view's life, and the one door for facts: each goes to the file of its noun.
 * view_apply is a function of the view and the fact only, so a view that was kept up to date and
 * one that was rebuilt from the store's rows are the same (dump.c compares them). */
#include "engine/view.h"

#include <stdlib.h>

struct view *view_new(void)
{
	struct view *v = mem_new(1, sizeof(*v));

	v->hash_mask = UINT64_MAX;
	return v;
}

void view_free(struct view *v)
{
	if (!v)
		return;
	member_free_all(v);
	content_free_all(v);
	world_free_all(v);
	rolling_free_all(v);
	agenda_release(&v->agenda);
	free(v);
}

void view_freep(struct view **v)
{
	view_free(*v);
	*v = NULL;
}

bool view_apply(struct view *v, const struct fact *f)
{
	v->operations++;
	switch (f->kind) {
	case FACT_GROUP:
	case FACT_MEET:
	case FACT_CA:
	case FACT_GOAL:
	case FACT_PAUSED:
	case FACT_GRACE:
	case FACT_HOLD:
	case FACT_ROLLOUT:
	case FACT_ON_DEADLINE:
	case FACT_EXTERNAL:
		return world_apply(v, f);
	case FACT_ROLLING:
		return rolling_apply(v, f);
	case FACT_CHAIN:
		return content_apply_chain(v, f);
	case FACT_SET:
		return content_apply_set(v, f);
	default:
		return member_apply(v, f);
	}
}

uint64_t view_operations(const struct view *v)
{
	return v->operations + v->targets_by_id.probes + v->instances.probes + v->chains.probes +
	       v->sets.probes + v->classes.probes + v->shapes.probes + v->groups.probes;
}
