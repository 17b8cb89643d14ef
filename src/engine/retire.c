/* The end of a version (rule V): it is not wanted, it signs no more, and no counted target may
 * hold it, nor a chain that it stands in.  An intermediate goes before the CA that signed it.  Only
 * then its rotation is over and its key may go. */
#include "engine/step.h"

static bool store_holds(const struct class *c, int64_t cert)
{
	for (size_t i = 0; i < c->key.length; i++) {
		if (c->key.seq[i] && ids_has(c->key.seq[i]->members, cert))
			return true;
	}
	return false;
}

static bool slot_holds(const struct view *v, const struct class *c, const struct ca *ca)
{
	for (size_t i = 0; i < c->key.length; i++) {
		const struct shape *b = c->key.seq[i];

		if (b && !b->expired && (ca_under(ca_find(v, b->signed_by), ca) || ca_under(ca_find(v, b->bridged_by), ca)))
			return true;
	}
	return false;
}

/* A slot of unknown contents: it may serve a chain of any version of its authority. */
static bool slot_may_hold(const struct class *c, const struct ca *ca)
{
	const struct authority *a = c->key.authority;

	for (size_t i = 0; a && i < a->ca_count; i++) {
		if (ca_under(a->cas[i], ca))
			return true;
	}
	return false;
}

/* May a member of this class still hold the version?  Unknown contents may, where they could. */
static bool class_holds(const struct view *v, const struct class *c, const struct ca *ca, bool cert_stays)
{
	const struct group *g = c->key.group;

	if (!class_counted(c))
		return false;
	if (g->kind == GROUP_SLOT)
		return slot_holds(v, c, ca) || (!class_known(c) && slot_may_hold(c, ca));
	if (cert_stays)
		return false;
	return store_holds(c, ca->cert) ||
	       (!class_known(c) && ids_has(g->authorities, ca->authority->id));
}

static const struct class *holder(struct step *s, const struct ca *ca)
{
	for (size_t i = 0; i < s->v->group_count; i++) {
		const struct group *g = s->v->group_list[i];
		bool stays = g->kind == GROUP_STORE && g->classes && ids_has(goal_set(s, g), ca->cert);

		for (const struct class *c = g->classes; c; c = c->group_next) {
			if (class_holds(s->v, c, ca, stays))
				return c;
		}
	}
	return NULL;
}

static bool signed_below(const struct view *v, const struct ca *ca)
{
	for (size_t i = 0; i < v->ca_count; i++) {
		if (v->ca_list[i]->issuer == ca && !v->ca_list[i]->retired)
			return true;
	}
	return false;
}

/* It carries the label still.  While another can take over, the slots' waits say what is missing. */
static void wait_label(struct step *s, const struct ca *ca)
{
	msec_t from;
	const struct ca *coming;

	if (newest_signer(s, ca->authority)) {
		if (ca->authority->paused)
			wait_authority(s, WAIT_PAUSED, ca->authority->id, ca->id, 0);
		return;
	}
	coming = coming_signer(s, ca->authority, &from);
	if (coming)
		wait_authority(s, WAIT_NOT_VALID_YET, ca->authority->id, coming->id, from);
	else
		wait_authority(s, WAIT_NO_SIGNER, ca->authority->id, ca->id, 0);
}

void step_retirements(struct step *s)
{
	for (size_t i = 0; i < s->v->ca_count; i++) {
		const struct ca *ca = s->v->ca_list[i];

		if (ca->wanted || ca->retired)
			continue;
		if (ca->signing) {
			wait_label(s, ca);
			continue;
		}
		const struct class *c = holder(s, ca);

		if (c) {
			wait_class(s, c, WAIT_CHAIN_HELD, ca->authority->id, ca->id, 0);
			continue;
		}
		if (signed_below(s->v, ca)) {
			wait_authority(s, WAIT_SIGNED_BELOW, ca->authority->id, ca->id, 0);
			continue;
		}
		if (step_gated(ca->authority, NULL, STEP_WITHDRAW)) { /* in no store, and yet somebody wants to say when it goes */
			wait_authority(s, WAIT_APPROVE_WITHDRAW, ca->authority->id, ca->id, 0);
			continue;
		}
		struct act *act = act_add(s, ACT_RETIRE_DONE, 0);

		act->authority = ca->authority->id;
		act->ca = ca->id;
	}
}
