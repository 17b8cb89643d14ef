/* Rule 1b: which version signs the next chain of a slot.
 *
 * The newest wanted version under which rule S would let the chain through; failing that the
 * issuer of what it has now.  A slot that has no valid chain, or has not been admitted, breaks
 * nothing by a switch, so there the question is another: under which version would everybody that
 * it meets accept it at once? */
#include "engine/step.h"

struct ca *newest_signer(const struct step *s, const struct authority *a)
{
	msec_t from;

	for (size_t i = 0; a && i < a->ca_count; i++) {
		if (a->cas[i]->wanted && accept_signer(s->v, a->cas[i], s->now, &from))
			return a->cas[i];
	}
	return NULL;
}

struct ca *coming_signer(const struct step *s, const struct authority *a, msec_t *ret_from)
{
	for (size_t i = 0; a && i < a->ca_count; i++) {
		if (!a->cas[i]->wanted)
			continue;
		(void)accept_signer(s->v, a->cas[i], s->now, ret_from); /* no: this is asked only when nobody can */
		if (*ret_from)
			return a->cas[i];
	}
	return NULL;
}

static bool serves(const struct class *c, const struct ca *ca)
{
	return class_newest(c) && class_newest(c)->signed_by == ca->id;
}

bool choice_form(struct step *s, const struct class *c, const struct ca *ca, enum chain_form *ret_form)
{
	bool counted = class_counted(c), bridge = !c->key.group->outside && accept_bridge(s->v, ca, s->now);

	*ret_form = CHAIN_PLAIN;
	if (counted ? !safety_chain(s, c, ca->leaf_anchors) : safety_accepted_everywhere(s, c->key.group, ca->leaf_anchors))
		return true;
	*ret_form = CHAIN_BRIDGED;
	return bridge && (counted ? !safety_chain(s, c, ca->bridge_anchors)
				  : safety_accepted_everywhere(s, c->key.group, ca->bridge_anchors));
}

/* 1c, switch: all. */
static bool all_can_take(struct step *s, const struct ca *ca)
{
	enum chain_form form;

	for (size_t i = 0; i < s->v->group_count; i++) {
		for (struct class *c = s->v->group_list[i]->classes; c; c = c->group_next) {
			if (c->key.authority == ca->authority && class_counted(c) && !class_leaving(c) && !serves(c, ca) &&
			    !choice_form(s, c, ca, &form))
				return false;
		}
	}
	return true;
}

/* 0: it may sign for this class.  Else why not, and since when it might. */
static enum wait_reason refusal(struct step *s, const struct class *c, const struct ca *ca, msec_t *ret_from)
{
	enum chain_form form;

	*ret_from = 0;
	if (ca_paused_by(ca))
		return WAIT_PAUSED;
	if (!accept_signer(s->v, ca, s->now, ret_from))
		return *ret_from ? WAIT_NOT_VALID_YET : WAIT_NO_SIGNER;
	if (!choice_form(s, c, ca, &form))
		return WAIT_NOT_TRUSTED;
	if (ca->authority->switch_all && !all_can_take(s, ca))
		return WAIT_SWITCH_ALL;
	if (step_gated(ca->authority, c->key.group, STEP_SWITCH))
		return WAIT_APPROVE_SWITCH;
	return 0;
}

static struct choice healthy_choice(struct step *s, const struct class *c)
{
	const struct authority *a = c->key.authority;
	struct choice choice = { .ca = ca_find(s->v, class_newest(c)->signed_by), .stay = true };
	enum wait_reason why;
	msec_t from;

	if (choice.ca && choice.ca->wanted && !choice.ca->can_sign)
		return choice; /* uploaded: its owner replaces it, not we */
	for (size_t i = 0; a && i < a->ca_count; i++) {
		struct ca *ca = a->cas[i];

		if (!ca->wanted)
			continue;
		if (ca == choice.ca)
			return choice;
		why = refusal(s, c, ca, &from);
		if (!why)
			return (struct choice){ .ca = ca };
		if (!choice.wished) {
			choice.wished = ca;
			choice.why = why;
			choice.from = from;
		}
	}
	return choice;
}

static bool accepted_everywhere(struct step *s, const struct class *c, const struct ca *ca)
{
	return safety_accepted_everywhere(s, c->key.group, ca->leaf_anchors) ||
	       (accept_bridge(s->v, ca, s->now) && safety_accepted_everywhere(s, c->key.group, ca->bridge_anchors));
}

/* The newest version under which everybody it meets would accept a chain now. */
static struct ca *accepted_signer(struct step *s, const struct class *c, const struct ca *also)
{
	const struct authority *a = c->key.authority;
	msec_t from;

	for (size_t i = 0; a && i < a->ca_count; i++) {
		struct ca *ca = a->cas[i];

		if (!ca->signing && ca != also && step_gated(a, c->key.group, STEP_SWITCH))
			continue;
		if ((ca->wanted || ca->signing || ca == also) && accept_signer(s->v, ca, s->now, &from) &&
		    accepted_everywhere(s, c, ca))
			return ca;
	}
	return NULL;
}

static struct ca *labelled_signer(const struct step *s, const struct authority *a)
{
	msec_t from;

	for (size_t i = 0; a && i < a->ca_count; i++) {
		if (a->cas[i]->signing && a->cas[i]->wanted && accept_signer(s->v, a->cas[i], s->now, &from))
			return a->cas[i];
	}
	return newest_signer(s, a);
}

static struct choice not_yet(struct step *s, const struct class *c)
{
	msec_t from;
	struct ca *ca = coming_signer(s, c->key.authority, &from);

	if (!ca)
		return (struct choice){ .why = WAIT_NO_SIGNER };
	return (struct choice){ .wished = ca, .why = WAIT_NOT_VALID_YET, .from = from };
}

static struct choice first_choice(struct step *s, const struct class *c)
{
	const struct shape *newest = class_newest(c);
	struct ca *now = newest ? ca_find(s->v, newest->signed_by) : NULL, *ca;

	if (now && !newest->expired && !ca_distrusted(s->v, now) &&
	    safety_accepted_everywhere(s, c->key.group, newest->members))
		return (struct choice){ .ca = now, .stay = true };
	ca = accepted_signer(s, c, now);
	if (!ca)
		ca = labelled_signer(s, c->key.authority);
	if (!ca && !newest)
		return not_yet(s, c);
	return (struct choice){ .ca = ca ? ca : now, .stay = newest && (!ca || ca == now) };
}

struct choice slot_choice(struct step *s, const struct class *c)
{
	const struct shape *newest = class_newest(c);

	if (!newest || !class_counted(c))
		return first_choice(s, c);
	if (newest->expired) {
		enum chain_form form;
		struct ca *now = ca_find(s->v, newest->signed_by), *ca = accepted_signer(s, c, now);

		if (ca && !ca_paused_by(ca) && choice_form(s, c, ca, &form))
			return (struct choice){ .ca = ca, .stay = ca == now };
	}
	return healthy_choice(s, c);
}

int64_t view_signer(struct view *v, int64_t target, int64_t group, int64_t authority)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 24);
	struct step s = { .v = v, .now = v->now, .a = a };
	const struct target *t = target_find(v, target);
	struct class newcomer = { .key = { .group = group_find(v, group), .authority = authority_find(v, authority) } };
	struct choice choice;

	if (!t && (!newcomer.key.group || !newcomer.key.authority))
		return 0;
	choice = slot_choice(&s, t ? t->class : &newcomer);
	return choice.ca ? choice.ca->id : 0;
}
