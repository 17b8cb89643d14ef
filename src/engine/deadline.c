/* Time acts on its own (rule D): a chain ends, and with it every pair of its slot.
 *
 *	       issued                          ending        T - lead      T
 *	         |------------------------------|--------------|-----------|
 *	                                        named in waits  shed        every pair of the slot breaks
 *
 * `ending` is a flag of the chain, set by the clock (content.ending_at): from there on a slot that may
 * serve it is named, with when it breaks and who holds it up.  At T - lead, where T is the end of the
 * last chain in its Seq, waiting for a store that is not ready would break the slot's pairs with all
 * stores; so the stores that refuse the new chain are left out of the test for this one switch, by
 * name (the act's `shed`).  Not before: until then they may still come.  Where an older CA could
 * still give a chain that lives longer, nobody is left out. */
#include "engine/step.h"

enum { DEADLINE_NAMED = 16, DEADLINE_REFUSERS = 64 }; /* members of a class, and classes, that are named */

/* -- how long it takes ------------------------------------------------------------------------- */

static int bucket_of(msec_t pace)
{
	int k = 0;

	while (k + 1 < PACE_BUCKETS && (msec_t)(MSEC_S << k) < pace)
		k++;
	return k;
}

msec_t pace_ceiling(msec_t pace)
{
	return MSEC_S << bucket_of(pace);
}

void pace_move(struct group *g, msec_t from, msec_t to)
{
	if (from)
		g->paces[bucket_of(from)]--;
	if (to)
		g->paces[bucket_of(to)]++;
}

/* Of its slowest member; nothing was measured yet: what a reload may take. */
static msec_t group_pace(const struct group *g)
{
	for (int k = PACE_BUCKETS - 1; k >= 0; k--) {
		if (g->paces[k])
			return MSEC_S << k;
	}
	return LIMIT_RELOAD_S * MSEC_S;
}

msec_t chain_life(const struct content *c)
{
	return c->not_after - (c->issued ? c->issued : c->not_before);
}

/* A store must take the new CA and a slot the new chain, each of them twice if something fails once;
 * and an hour.  A chain that does not live that long gets an eighth of its life. */
msec_t deadline_lead(const struct group *slots, const struct content *chain)
{
	msec_t stores = 0, most = chain_life(chain) / LEAD_LIFE_PART, lead;

	for (size_t i = 0; i < slots->meet_count; i++) {
		msec_t pace = group_pace(slots->meets[i]);

		stores = pace > stores ? pace : stores;
	}
	lead = 2 * (group_pace(slots) + stores) + LIMIT_LEAD_MARGIN_S * MSEC_S;
	return lead < most ? lead : most;
}

/* -- the ends of a slot ------------------------------------------------------------------------ */

msec_t chain_end(const struct content *c)
{
	return c->not_after - c->skew;
}

/* The chain in the target's Seq that ends last, or first.  It has one: asked of members of an ending class only. */
static const struct content *extreme_of(const struct target *t, bool last)
{
	const struct content *best = t->base;

	for (size_t i = 0; i < t->doc_count; i++) {
		const struct content *c = t->docs[i].content;

		if (!best || (last ? chain_end(c) > chain_end(best) : chain_end(c) < chain_end(best)))
			best = c;
	}
	return best;
}

/* From when on this slot's late stores are left out; ret_end: when all its pairs break. */
static msec_t shed_moment(const struct target *t, msec_t *ret_end)
{
	const struct content *last = extreme_of(t, true);

	*ret_end = chain_end(last);
	return *ret_end - deadline_lead(t->group, last);
}

bool deadline_is_pointless(const struct target *t, const struct ca *ca)
{
	return (t->class->key.flags & CLASS_ENDING) && ca->not_after - ca->skew <= chain_end(extreme_of(t, true));
}

/* -- shedding ---------------------------------------------------------------------------------- */

/* Everybody whose history says no to this chain, by id; made once for a class. */
static struct id_list refusing_targets(struct step *s, const struct class *c, struct id_list anchors)
{
	size_t n, count = 0;

	if (s->shed_class == c)
		return s->shed_list;
	const struct class **refusers = ARENA_ARRAY(s->a, const struct class *, s->v->target_count + 1);

	n = safety_chain_refusers(s, c, anchors, refusers, s->v->target_count + 1);
	for (size_t i = 0; i < n; i++)
		count += refusers[i]->count;
	int64_t *ids = ARENA_ARRAY(s->a, int64_t, count + 1);

	count = 0;
	for (size_t i = 0; i < n; i++) {
		for (const struct target *t = refusers[i]->members; t; t = t->class_next)
			ids[count++] = t->id;
	}
	s->shed_class = c; /* all its members have the same chain ready, as far as anchors go */
	s->shed_list = ids_sorted(s->a, (struct id_list){ ids, count });
	return s->shed_list;
}

static void wake_at(struct step *s, msec_t at) /* which is to come */
{
	if (!s->wake || at < s->wake)
		s->wake = at;
}

static void shed_switch(struct step *s, const struct target *t, const struct content *ready, struct id_list shed,
			msec_t end)
{
	struct act *act = act_add(s, ACT_SEND_CHAIN, t->id);

	act->chain = ready->id;
	act->replaces = replaced_generation(t);
	act->authority = t->authority->id; /* it wishes for a version of it */
	act->shed = shed;
	act->deadline = end;
}

static void shed_ask(struct step *s, const struct target *t, const struct ca *ca)
{
	struct act *act = act_add(s, ACT_ASK, t->id);

	act->authority = ca->authority->id;
	act->ca = ca->id;
}

/* Could who signs now still give it a chain that ends later? */
static bool has_time(const struct step *s, const struct target *t, const struct ca *now)
{
	msec_t from;

	return now && accept_signer(s->v, now, s->now, &from) && !deadline_is_pointless(t, now);
}

static void shed_member(struct step *s, const struct class *c, const struct target *t, const struct choice *choice)
{
	const struct content *ready = target_ready(t);
	const struct ca *wished = choice->wished;
	msec_t end, at = shed_moment(t, &end);

	if (has_time(s, t, choice->ca) || deadline_is_pointless(t, wished))
		return;
	if (s->now < at) {
		wake_at(s, at);
		return;
	}
	if (ready && ready->signed_by == wished->id && accept_chain_now(ready, s->now) && chain_end(ready) > end)
		shed_switch(s, t, ready, refusing_targets(s, c, ready->members), end);
	else if (t->asked != wished->id) /* it could sign: only its trust is missing (WAIT_NOT_TRUSTED) */
		shed_ask(s, t, wished);
}

void deadline_shed(struct step *s, const struct class *c, const struct choice *choice)
{
	uint32_t need = CLASS_ENDING | CLASS_COUNTED | CLASS_KNOWN | CLASS_ALIVE, flags = c->key.flags;

	if ((flags & need) != need || flags & (CLASS_FULL | CLASS_FAILING) || !choice->wished ||
	    choice->why != WAIT_NOT_TRUSTED || c->key.authority->hold_at_deadline)
		return;
	for (const struct target *t = c->members; t; t = t->class_next)
		shed_member(s, c, t, choice);
}

/* -- naming ------------------------------------------------------------------------------------ */

/* What of the slot itself is in the way; 0: nothing of its own. */
static enum wait_reason own_cause(const struct class *c)
{
	const struct shape *newest = class_newest(c);

	if (c->key.group->outside)
		return WAIT_OUTSIDE;
	if (!class_known(c))
		return WAIT_UNKNOWN;
	if (!class_alive(c))
		return WAIT_OFFLINE;
	if (c->key.flags & CLASS_FAILING)
		return WAIT_FAILING;
	if (c->key.flags & CLASS_FULL)
		return WAIT_PENDING_FULL;
	if (newest && c->key.length > 1)
		return c->key.unhanded ? WAIT_NOT_FETCHED : WAIT_NOT_LOADED;
	return c->key.asked ? WAIT_CSR : 0;
}

static struct wait deadline_wait(const struct target *t, const struct class *c, const struct choice *choice,
				 enum wait_reason cause)
{
	const struct content *first = extreme_of(t, t->group->outside); /* who has several shows one that is valid */
	struct wait w = wait_make(WAIT_DEADLINE, t->authority ? t->authority->id : 0,
				  choice->wished ? choice->wished->id : choice->ca ? choice->ca->id : 0);

	w.target = t->id;
	w.count = c->count;
	w.breaks = chain_end(first);
	w.cause = cause;
	return w;
}

/* There is one: for its sake the choice was refused. */
static void name_pairs(struct step *s, struct wait w, const struct class *c, struct id_list anchors, bool all)
{
	const struct class *refusers[DEADLINE_REFUSERS];
	size_t n = safety_chain_refusers(s, c, anchors, refusers, all ? DEADLINE_REFUSERS : 1);

	for (size_t i = 0; i < n; i++) {
		int64_t ids[DEADLINE_NAMED];
		size_t named = class_sample(refusers[i], all ? DEADLINE_NAMED : 1, ids);

		w.other_group = refusers[i]->key.group->id;
		for (size_t k = 0; k < named; k++) {
			w.other_target = ids[k];
			wait_add(s, w);
		}
	}
}

void deadline_name(struct step *s, const struct class *c, const struct choice *choice)
{
	enum wait_reason cause = own_cause(c);
	int64_t ids[DEADLINE_NAMED];

	if (!(c->key.flags & CLASS_ENDING) || !class_counted(c))
		return;
	if (!cause && choice->wished)
		cause = choice->why;
	if (!cause)
		cause = WAIT_NO_SIGNER;
	for (size_t i = 0, n = class_sample(c, DEADLINE_NAMED, ids); i < n; i++) {
		struct wait w = deadline_wait(target_find(s->v, ids[i]), c, choice, cause);

		if (cause == WAIT_NOT_TRUSTED)
			name_pairs(s, w, c, choice->wished->leaf_anchors, i == 0);
		else
			wait_add(s, w);
	}
}
