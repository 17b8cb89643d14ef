/* Leaving without being told to (engine-rules section 9): an ephemeral at the end of its lease, and a leaver whose
 * service nobody has stopped, but whose last chain nobody accepts any more because it has expired. */
#include "engine/step.h"

/* Everything that its members may serve has expired, or is nothing. */
static bool serves_nothing(const struct class *c)
{
	for (size_t i = 0; i < c->key.length; i++) {
		if (c->key.seq[i] && c->key.seq[i]->members.count && !c->key.seq[i]->expired)
			return false;
	}
	return class_known(c) && c->key.group->kind == GROUP_SLOT;
}

static bool may_leave(const struct class *c)
{
	return (c->key.flags & CLASS_OVER) || (class_leaving(c) && serves_nothing(c));
}

void step_leaves(struct step *s)
{
	for (size_t i = 0; i < s->v->group_count; i++) {
		for (const struct class *c = s->v->group_list[i]->classes; c; c = c->group_next) {
			for (const struct target *t = may_leave(c) ? c->members : NULL; t; t = t->class_next)
				(void)act_add(s, ACT_LEAVE, t->id); /* nothing more to say about it */
		}
	}
}
