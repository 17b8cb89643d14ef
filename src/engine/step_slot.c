/* Slots: who shall sign the next chain (choice.c), asking for it, and sending what is ready. */
#include "engine/step.h"

static int64_t authority_id(const struct class *c)
{
	return c->key.authority ? c->key.authority->id : 0;
}

static int64_t id_of(const struct ca *ca)
{
	return ca ? ca->id : 0;
}

/* A chain that came from outside: its issuer is not a version of ours that can sign. */
static bool uploaded(const struct step *s, const struct shape *chain)
{
	const struct ca *ca = ca_find(s->v, chain->signed_by);

	return !ca || !ca->can_sign;
}

/* Is the chain that lies ready the one that is wanted? */
static bool ready_fits(const struct step *s, const struct class *c, const struct choice *choice)
{
	const struct shape *ready = c->key.ready;

	if (!ready || chain_distrusted(s->v, ready))
		return false;
	return (choice->ca && ready->signed_by == choice->ca->id) || uploaded(s, ready);
}

static bool needs_new(const struct step *s, const struct class *c, const struct choice *choice)
{
	const struct shape *newest = class_newest(c);

	return !newest || newest->expired || chain_distrusted(s->v, newest) || !choice->stay || (c->key.flags & CLASS_DUE);
}

/* -- waits --------------------------------------------------------------------------------- */

static void wait_not_trusted(struct step *s, const struct class *c, struct id_list anchors, int64_t ca)
{
	const struct class *refusers[64];
	size_t n = safety_chain_refusers(s, c, anchors, refusers, ARRAY_LEN(refusers));

	for (size_t i = 0; i < n; i++) {
		wait_pair(s, c, refusers[i], WAIT_NOT_TRUSTED, authority_id(c), ca);
		if (!class_known(refusers[i]))
			wait_class(s, refusers[i], WAIT_UNKNOWN, authority_id(c), ca, 0);
		else if (!class_alive(refusers[i]))
			wait_class(s, refusers[i], WAIT_OFFLINE, authority_id(c), ca, 0);
	}
}

/* A newcomer with a chain that somebody brought: whoever it meets has to trust its CA first.  True: it waits. */
static bool wait_not_accepted(struct step *s, const struct class *c, struct id_list anchors)
{
	const struct group *g = c->key.group;
	bool waits = false;

	for (size_t i = 0; i < g->meet_count; i++) {
		for (const struct class *store = g->meets[i]->classes; store; store = store->group_next) {
			if (!class_counted(store) || safety_accepts(store, anchors))
				continue;
			wait_pair(s, c, store, WAIT_NOT_TRUSTED, authority_id(c), 0);
			waits = true;
		}
	}
	return waits;
}

static void wait_wished(struct step *s, const struct class *c, const struct choice *choice)
{
	if (!choice->wished)
		return;
	if (choice->why == WAIT_NOT_TRUSTED)
		wait_not_trusted(s, c, choice->wished->leaf_anchors, choice->wished->id);
	else if (choice->why == WAIT_PAUSED)
		wait_class(s, c, WAIT_PAUSED, ca_paused_by(choice->wished)->id, choice->wished->id, 0);
	else
		wait_class(s, c, choice->why, authority_id(c), choice->wished->id, choice->from);
}

static void wait_pending(struct step *s, const struct class *c)
{
	const struct shape *newest = class_newest(c);

	if (!newest || c->key.length <= class_known(c))
		return;
	wait_class(s, c, c->key.unhanded ? WAIT_NOT_FETCHED : WAIT_NOT_LOADED, authority_id(c),
		   newest->signed_by, 0);
	if (class_counted(c) && !class_alive(c))
		wait_class(s, c, WAIT_OFFLINE, authority_id(c), newest->signed_by, 0);
}

/* -- acts ---------------------------------------------------------------------------------- */

static void ask(struct step *s, const struct target *t, const struct ca *ca)
{
	if (deadline_is_pointless(t, ca))
		return;
	struct act *act = act_add(s, ACT_ASK, t->id);

	act->authority = ca->authority->id;
	act->ca = ca->id;
}

static void ask_class(struct step *s, const struct class *c, const struct choice *choice)
{
	msec_t from;

	if (!choice->ca || !accept_signer(s->v, choice->ca, s->now, &from)) {
		wait_class(s, c, WAIT_NO_SIGNER, authority_id(c), id_of(choice->ca), 0);
		return;
	}
	if (c->key.asked == choice->ca->id) {
		wait_class(s, c, WAIT_CSR, authority_id(c), choice->ca->id, 0);
		return;
	}
	for (const struct target *t = c->members; t && !step_full(s); t = t->class_next)
		ask(s, t, choice->ca);
}

/* One member whose ready chain may go (true); or its time has not come, or has passed. */
static bool send_ready(struct step *s, const struct class *c, const struct target *t,
		       const struct choice *choice, enum chain_form form)
{
	const struct content *ready = target_ready(t);
	msec_t from;

	if (accept_chain_now(ready, s->now)) {
		struct act *act = act_add(s, ACT_SEND_CHAIN, t->id);

		act->chain = ready->id;
		act->form = form;
		act->replaces = replaced_generation(t);
		return true;
	}
	if (ready->not_before > s->now - ready->skew) {
		wait_class(s, c, WAIT_NOT_VALID_YET, authority_id(c), ready->signed_by,
			   ready->not_before + ready->skew);
	} else if (choice->ca && c->key.asked != choice->ca->id &&
		   accept_signer(s->v, choice->ca, s->now, &from)) {
		ask(s, t, choice->ca);
	} else {
		wait_class(s, c, c->key.asked ? WAIT_CSR : WAIT_NO_SIGNER, authority_id(c),
			   id_of(choice->ca), 0);
	}
	return false;
}

static void send_members(struct step *s, const struct class *c, const struct choice *choice, enum chain_form form)
{
	struct picker p = picker_start(s, c, c->key.ready, (struct id_list){ 0 });
	const struct target *t;

	while ((t = picker_next(&p))) {
		if (send_ready(s, c, t, choice, form))
			picker_took(&p, t);
	}
	picker_end(&p, authority_id(c), c->key.ready->signed_by);
}

/* How what lies ready may go: as it is, or with the cross certificate of its signer. */
static bool ready_form(struct step *s, const struct class *c, enum chain_form *ret_form)
{
	const struct shape *ready = c->key.ready;
	const struct ca *ca = ca_find(s->v, ready->signed_by);

	if (!ready->bridged_by && ca && accept_bridge(s->v, ca, s->now) && choice_form(s, c, ca, ret_form)) {
		if (*ret_form == CHAIN_PLAIN)
			*ret_form = CHAIN_AS_IS;
		return true;
	}
	*ret_form = CHAIN_AS_IS;
	return !class_counted(c) || !safety_chain(s, c, ready->members);
}

static void send_class(struct step *s, const struct class *c, const struct choice *choice)
{
	const struct shape *ready = c->key.ready;
	enum chain_form form;

	if (c->key.flags & CLASS_FAILING)
		wait_class(s, c, WAIT_FAILING, authority_id(c), ready->signed_by, 0);
	else if (c->key.flags & CLASS_FULL)
		wait_class(s, c, WAIT_PENDING_FULL, authority_id(c), ready->signed_by, 0);
	else if (!ready_form(s, c, &form))
		wait_not_trusted(s, c, ready->members, ready->signed_by);
	else if (!class_counted(c) && !ready->signed_by && wait_not_accepted(s, c, ready->members))
		return; /* brought along before its CA: it would serve what nobody accepts */
	else
		send_members(s, c, choice, form);
}

/* The bridge has done its work when the new root is trusted by all who meet the slot: the same leaf, plain.  Asked
 * of a class that needs nothing new: its newest chain is valid, and its signer is the choice. */
static bool bridge_may_go(struct step *s, const struct class *c, const struct choice *choice)
{
	return class_newest(c)->bridged_by && choice->ca && class_counted(c) && class_alive(c) &&
	       !(c->key.flags & CLASS_FULL) && !ca_paused_by(choice->ca) &&
	       !safety_chain(s, c, choice->ca->leaf_anchors);
}

static void drop_bridge(struct step *s, const struct class *c)
{
	struct picker p = picker_start(s, c, class_newest(c), (struct id_list){ 0 });
	const struct target *t;

	while ((t = picker_next(&p))) {
		const struct content *newest = target_newest(t);

		if (!accept_chain_now(newest, s->now))
			continue;
		struct act *act = act_add(s, ACT_SEND_CHAIN, t->id);

		act->chain = newest->id;
		act->form = CHAIN_PLAIN;
		act->replaces = replaced_generation(t);
		picker_took(&p, t);
	}
	picker_end(&p, authority_id(c), class_newest(c)->signed_by);
}

/* -- one class ----------------------------------------------------------------------------- */

static void note_label(struct step *s, const struct class *c, const struct choice *choice)
{
	const struct authority *a = c->key.authority;

	if (!a || !class_counted(c))
		return;
	s->labels[a->index].slots += c->count;
	if (choice->ca && choice->ca == newest_signer(s, a))
		s->labels[a->index].taken = true;
}

static void step_known_class(struct step *s, const struct class *c)
{
	struct choice choice = slot_choice(s, c);
	bool fits = ready_fits(s, c, &choice), needs = needs_new(s, c, &choice);

	note_label(s, c, &choice);
	wait_wished(s, c, &choice);
	wait_pending(s, c);
	deadline_shed(s, c, &choice);
	deadline_name(s, c, &choice);
	if (!fits && !needs && bridge_may_go(s, c, &choice)) {
		drop_bridge(s, c);
		return;
	}
	if (!fits && !needs) {
		if (c->key.asked) /* asked for when the goal was another; what comes of it is not sent */
			wait_class(s, c, WAIT_CSR, authority_id(c), c->key.asked, 0);
		return;
	}
	if (class_counted(c) && !class_alive(c))
		wait_class(s, c, WAIT_OFFLINE, authority_id(c), id_of(choice.ca), 0);
	else if (fits)
		send_class(s, c, &choice);
	else if (!choice.wished || choice.ca)
		ask_class(s, c, &choice);
}

/* Held outside the fleet: what it holds of a CA that is to go, its owner replaces.  Which CA signs the
 * next one is asked when he comes for it (view_signer). */
static void step_outside_class(struct step *s, const struct class *c)
{
	struct choice choice = slot_choice(s, c);

	if (!class_lives(c))
		return;
	note_label(s, c, &choice);
	wait_wished(s, c, &choice);
	deadline_name(s, c, &choice);
	for (size_t i = 0; i < c->key.length; i++) {
		const struct shape *chain = c->key.seq[i];
		const struct ca *ca = chain ? ca_find(s->v, chain->signed_by) : NULL;

		if (ca && !ca->wanted && !chain->expired)
			wait_class(s, c, WAIT_OUTSIDE, authority_id(c), ca->id, 0);
	}
}

static void step_class(struct step *s, const struct class *c)
{
	struct choice nobody = { 0 };

	if (class_leaving(c)) {
		wait_class(s, c, WAIT_LEAVING, authority_id(c), 0, 0);
		return;
	}
	if (c->key.group->outside) {
		step_outside_class(s, c);
		return;
	}

	if (class_counted(c) && class_heals(c))
		wait_class(s, c, WAIT_STRANGE, authority_id(c), 0, 0);
	if (!class_counted(c) || class_known(c) || class_heals(c)) {
		step_known_class(s, c);
		return;
	}
	note_label(s, c, &nobody);
	deadline_name(s, c, &nobody);
	wait_class(s, c, WAIT_UNKNOWN, authority_id(c), 0, 0);
}

void step_slots(struct step *s)
{
	for (size_t i = 0; i < s->v->group_count; i++) {
		struct group *g = s->v->group_list[i];

		for (struct class *c = g->classes; c && g->kind == GROUP_SLOT; c = c->group_next)
			step_class(s, c);
	}
}
