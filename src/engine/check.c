/* A second opinion on a plan.  It shares the view's rows with the step, but none of its thinking:
 * no classes, no goals, no shortcuts.  For each document it writes down everything the target and
 * each target it meets may hold, and tries every implication of rule S, four loops deep.
 * Equal histories are tried once, so it stays usable on a whole fleet. */
#include "engine/view.h"

/* Everything a target may hold, in order; the last `fresh` of it is new. */
struct history {
	struct id_list items[2 * DOCS_MAX + 4];
	bool expired[2 * DOCS_MAX + 4];
	bool tainted[2 * DOCS_MAX + 4]; /* a distrusted chain: it may fail */
	size_t count, fresh;
	bool known, alive;
};

struct histories { struct history *items; size_t count, room; bool filled; };
enum { ASKED_OF_A_CLASS = 8 };

/* A test that was made: not made again for the next target with the same history. */
struct tried { const struct group *group; struct history history; };

struct check {
	const struct view *v;
	struct arena *a;
	struct id_list distrusted;  /* certificates of distrusted versions */
	struct histories *of_group; /* by group.index; filled when asked for */
	struct tried *tried;
	size_t tried_count, tried_room;
	const struct group *shed_group; /* whose member's act left somebody out last and was found good, */
	struct id_list shed;            /* whom, */
	struct history shed_mine;       /* and for which history */
};

/* -- histories ----------------------------------------------------------------------------- */

static struct id_list common_of(struct arena *a, const struct history *h, struct id_list next)
{
	struct id_list all = next;

	for (size_t i = 0; i < h->count; i++)
		all = ids_common(a, all, h->items[i]);
	return all;
}

static void history_add(struct arena *a, struct history *h, struct id_list next, bool expired, bool mixes)
{
	if (mixes && h->count > 0) {
		h->items[h->count] = common_of(a, h, next);
		h->expired[h->count++] = false;
	}
	h->items[h->count] = next;
	h->expired[h->count++] = expired;
}

static bool mixes(const struct group *g)
{
	return g->kind == GROUP_STORE && !g->atomic;
}

/* Clocks may be so far apart: of a short life only a tenth. */
static msec_t skew(const struct content *c)
{
	msec_t tenth = (c->not_after - (c->issued ? c->issued : c->not_before)) / 10;

	return tenth < 0 ? 0 : tenth > SKEW ? SKEW : tenth;
}

static bool is_expired(const struct view *v, const struct content *c)
{
	return c->is_chain && c->not_after + skew(c) <= v->now;
}

static bool is_distrusted(const struct view *v, int64_t cert)
{
	for (size_t i = 0; i < v->ca_count; i++) {
		if (v->ca_list[i]->cert == cert && v->ca_list[i]->distrusted)
			return true;
	}
	return false;
}

static bool all_distrusted(const struct view *v, struct id_list certs)
{
	for (size_t i = 0; i < certs.count; i++) {
		if (!is_distrusted(v, certs.items[i]))
			return false;
	}
	return certs.count > 0;
}

static void collect_distrusted(struct check *k)
{
	int64_t *items = ARENA_ARRAY(k->a, int64_t, k->v->ca_count + 1);
	size_t n = 0;

	for (size_t i = 0; i < k->v->ca_count; i++) {
		if (k->v->ca_list[i]->distrusted)
			items[n++] = k->v->ca_list[i]->cert;
	}
	k->distrusted = ids_sorted(k->a, (struct id_list){ items, n });
}

/* Of a distrusted leaf, by a distrusted CA, or accepted by nothing else. */
static bool is_tainted(const struct view *v, const struct content *chain)
{
	const struct ca *ca = ca_find(v, chain->signed_by);

	return chain->distrusted || (ca && ca->distrusted) || all_distrusted(v, chain->members);
}

static bool is_chain_tainted(const struct view *v, const struct content *c)
{
	return c->is_chain && is_tainted(v, c);
}

/* What is trusted or shown by a distrusted CA is no success (section 10). */
static struct id_list without_distrusted(struct check *k, struct id_list certs)
{
	return k->distrusted.count ? ids_minus(k->a, certs, k->distrusted) : certs;
}

/* A holder outside the fleet has several certificates and shows one that is valid. */
static bool is_over(const struct view *v, const struct target *t, const struct content *c)
{
	return t->group->outside && c && is_expired(v, c);
}

/* Without the document of generation `without` (0: all of them). */
static struct history history_of(struct check *k, const struct target *t, int64_t without)
{
	struct history h = { .known = t->known,
			     .alive = t->instance && t->instance->alive_until > k->v->now };

	if (t->known && !is_over(k->v, t, t->base)) {
		history_add(k->a, &h, without_distrusted(k, t->base ? t->base->members : (struct id_list){ 0 }),
			    t->base && is_expired(k->v, t->base), false);
		h.tainted[h.count - 1] = t->base && is_chain_tainted(k->v, t->base);
	}
	for (size_t i = 0; i < t->doc_count; i++) {
		if (t->docs[i].generation == without || is_over(k->v, t, t->docs[i].content))
			continue;
		history_add(k->a, &h, without_distrusted(k, t->docs[i].content->members),
			    is_expired(k->v, t->docs[i].content), mixes(t->group));
		h.tainted[h.count - 1] = is_chain_tainted(k->v, t->docs[i].content);
	}
	h.fresh = h.count;
	return h;
}

static bool history_same(const struct history *x, const struct history *y)
{
	if (x->count != y->count || x->known != y->known || x->alive != y->alive)
		return false;
	for (size_t i = 0; i < x->count; i++) {
		if (x->expired[i] != y->expired[i] || x->tainted[i] != y->tainted[i] || !ids_same(x->items[i], y->items[i]))
			return false;
	}
	return true;
}

static void histories_add(struct arena *a, struct histories *list, const struct history *h)
{
	for (size_t i = 0; i < list->count; i++) {
		if (history_same(&list->items[i], h))
			return;
	}
	if (list->count == list->room) {
		struct history *old = list->items;

		list->room = list->room ? list->room * 2 : 8;
		list->items = ARENA_ARRAY(a, struct history, list->room);
		if (list->count)
			memcpy(list->items, old, list->count * sizeof(*old));
	}
	list->items[list->count++] = *h;
}

/* It is in Meet: what it may hold binds the others. */
static bool in_meet(const struct target *t)
{
	return t->state == TARGET_COUNTED || t->state == TARGET_LEAVING;
}

/* What the members of a group may hold, each by its own rows.  Members that the view counts as one class are
 * alike, and view_check recounts that; so in a large fleet not all of them are asked. */
static const struct histories *histories_of_group(struct check *k, const struct group *g)
{
	struct histories *list = &k->of_group[g->index];

	for (const struct class *c = list->filled ? NULL : g->classes; c; c = c->group_next) {
		const struct target *t = c->members;

		for (size_t n = 0; t && n < ASKED_OF_A_CLASS; n++, t = t->class_next) {
			struct history h = history_of(k, t, 0);

			if (in_meet(t))
				histories_add(k->a, list, &h);
		}
	}
	list->filled = true;
	return list;
}

/* -- rule S, written out -------------------------------------------------------------------- */

static bool succeeds(const struct history *p, const struct history *v, size_t i, size_t j)
{
	return !p->expired[i] && ids_meet(p->items[i], v->items[j]);
}

static bool implication_holds(const struct history *p, const struct history *v, size_t i, size_t j,
			      size_t later_i, size_t later_j)
{
	if (later_i < p->fresh && later_j < v->fresh)
		return true; /* between old entries: not asked again */
	return p->tainted[later_i] || !succeeds(p, v, i, j) || ids_meet(p->items[later_i], v->items[later_j]);
}

static bool implications_hold(const struct history *p, const struct history *v)
{
	for (size_t i = 0; i < p->count; i++)
		for (size_t j = 0; j < v->count; j++)
			for (size_t later_i = i; later_i < p->count; later_i++)
				for (size_t later_j = j; later_j < v->count; later_j++)
					if (!implication_holds(p, v, i, j, later_i, later_j))
						return false;
	return true;
}

/* Against somebody unknown one may only gain. */
static bool gains(const struct history *h)
{
	for (size_t i = 0; i < h->fresh; i++) {
		for (size_t next = h->fresh; next < h->count; next++) {
			if (!h->expired[i] && !ids_within(h->items[i], h->items[next]))
				return false;
		}
	}
	return true;
}

/* Of somebody whose own contents are unknown: what is new succeeds with all that the other may hold. */
static bool new_succeeds(const struct history *mine, const struct history *theirs, bool i_present)
{
	for (size_t i = mine->fresh; i < mine->count; i++) {
		for (size_t j = 0; j < theirs->count; j++) {
			if (i_present ? !succeeds(mine, theirs, i, j) : !succeeds(theirs, mine, j, i))
				return false;
		}
	}
	return theirs->known && theirs->alive;
}

static bool pair_holds(const struct history *mine, const struct history *theirs, bool i_present)
{
	if (!mine->known)
		return new_succeeds(mine, theirs, i_present);
	if ((!theirs->known || !theirs->alive) && !gains(mine))
		return false;
	return i_present ? implications_hold(mine, theirs) : implications_hold(theirs, mine);
}

static bool was_tried(struct check *k, const struct group *g, const struct history *h)
{
	for (size_t i = 0; i < k->tried_count; i++) {
		if (k->tried[i].group == g && history_same(&k->tried[i].history, h))
			return true;
	}
	return false;
}

static void note_tried(struct check *k, const struct group *g, const struct history *h)
{
	if (k->tried_count == k->tried_room) {
		struct tried *old = k->tried;

		k->tried_room = k->tried_room ? k->tried_room * 2 : 8;
		k->tried = ARENA_ARRAY(k->a, struct tried, k->tried_room);
		if (k->tried_count)
			memcpy(k->tried, old, k->tried_count * sizeof(*old));
	}
	k->tried[k->tried_count++] = (struct tried){ g, *h };
}

static troth_rc check_pairs(struct check *k, const struct target *t, const struct history *mine,
			    struct troth_err *e)
{
	bool slot = t->group->kind == GROUP_SLOT;

	if (was_tried(k, t->group, mine))
		return RC_OK;
	for (size_t m = 0; m < t->group->meet_count; m++) {
		const struct group *g = t->group->meets[m];
		const struct histories *list = histories_of_group(k, g);

		for (size_t i = 0; i < list->count; i++)
			ENSURE(pair_holds(mine, &list->items[i], slot), e, TROTH_UNSAFE,
			       "the plan sends target %lld a document that may break a pair with group %lld",
			       (long long)t->id, (long long)g->id);
	}
	note_tried(k, t->group, mine);
	return RC_OK;
}

/* -- rule D: who is left out at a deadline ---------------------------------------------------- */

/* Of all members that were measured; what a reload may take if none was. */
static msec_t slowest(const struct view *v, const struct group *g)
{
	msec_t most = 0;

	for (size_t i = 0; i < v->target_count; i++) {
		if (v->targets[i]->group == g && v->targets[i]->pace > most)
			most = v->targets[i]->pace;
	}
	return most ? pace_ceiling(most) : LIMIT_RELOAD_S * MSEC_S;
}

static msec_t lead_of(const struct view *v, const struct group *slots, const struct content *c)
{
	msec_t stores = 0, most = (c->not_after - (c->issued ? c->issued : c->not_before)) / LEAD_LIFE_PART, lead;

	for (size_t m = 0; m < slots->meet_count; m++) {
		msec_t pace = slowest(v, slots->meets[m]);

		stores = pace > stores ? pace : stores;
	}
	lead = 2 * slowest(v, slots) + 2 * stores + LIMIT_LEAD_MARGIN_S * MSEC_S;
	return lead < most ? lead : most;
}

/* Everything it may serve has ended or will within the lead, and the new chain lives on. */
static troth_rc check_deadline(const struct check *k, const struct target *t, const struct act *act,
			       struct troth_err *e)
{
	const struct content *chain = content_find(k->v, GROUP_SLOT, act->chain);

	for (size_t i = 0; i <= t->doc_count; i++) {
		const struct content *c = i ? t->docs[i - 1].content : t->base;

		if (!c)
			continue;
		ENSURE(k->v->now >= c->not_after - skew(c) - lead_of(k->v, t->group, c), e, TROTH_UNSAFE,
		       "the plan leaves stores out for target %lld too early", (long long)t->id);
		ENSURE(chain->not_after - skew(chain) > c->not_after - skew(c), e, TROTH_UNSAFE,
		       "the plan leaves stores out for target %lld and gains no time", (long long)t->id);
	}
	return RC_OK;
}

static bool meets_target(const struct target *t, const struct target *other)
{
	for (size_t m = 0; m < t->group->meet_count; m++) {
		if (t->group->meets[m] == other->group)
			return in_meet(other);
	}
	return false;
}

/* Found good before: the step makes one list for all members of a class. */
static bool was_shed(const struct check *k, const struct group *g, struct id_list shed, const struct history *mine)
{
	return k->shed_group == g && k->shed.items == shed.items && k->shed.count == shed.count &&
	       history_same(&k->shed_mine, mine);
}

/* Those who refuse are named, all of them and nobody else. */
static troth_rc check_shed(struct check *k, const struct target *t, const struct act *act, const struct history *mine,
			   struct troth_err *e)
{
	size_t named = 0;

	ENSURE(act->kind == ACT_SEND_CHAIN && t->authority && !t->authority->hold_at_deadline, e, TROTH_UNSAFE,
	       "the plan leaves stores out for target %lld, whose authority holds at a deadline", (long long)t->id);
	TRY(check_deadline(k, t, act, e));
	if (was_shed(k, t->group, act->shed, mine))
		return RC_OK;
	for (size_t i = 0; i < k->v->target_count; i++) {
		const struct target *other = k->v->targets[i];

		if (!meets_target(t, other))
			continue;
		struct history theirs = history_of(k, other, 0);
		bool shed = ids_has(act->shed, other->id);

		named += shed;
		ENSURE(pair_holds(mine, &theirs, true) != shed, e, TROTH_UNSAFE, "the plan %s target %lld for target %lld",
		       shed ? "needlessly leaves out" : "does not name", (long long)other->id, (long long)t->id);
	}
	ENSURE(named == act->shed.count, e, TROTH_UNSAFE, "the plan leaves out somebody whom target %lld does not meet",
	       (long long)t->id);
	k->shed_group = t->group;
	k->shed = act->shed;
	k->shed_mine = *mine;
	return RC_OK;
}

/* -- acts ---------------------------------------------------------------------------------- */

static bool cert_is_known(const struct view *v, const struct group *g, int64_t cert)
{
	if (ids_has(g->certs, cert))
		return true;
	for (size_t i = 0; i < v->ca_count; i++) {
		if (v->ca_list[i]->cert == cert)
			return true;
	}
	return false;
}

/* I6: nothing unknown comes in, and nothing distrusted is sent at all. */
static troth_rc check_certs(struct check *k, const struct target *t, const struct act *act,
			    struct troth_err *e)
{
	const struct content *newest = t->doc_count ? t->docs[t->doc_count - 1].content : t->base;

	for (size_t i = 0; i < act->certs.count; i++) {
		int64_t cert = act->certs.items[i];

		ENSURE(!is_distrusted(k->v, cert), e, TROTH_UNSAFE,
		       "the plan sends the distrusted certificate %lld to target %lld", (long long)cert,
		       (long long)t->id);
		if (newest && ids_has(newest->members, cert))
			continue;
		ENSURE(cert_is_known(k->v, t->group, cert), e, TROTH_UNSAFE,
		       "the plan adds certificate %lld, which is of no authority, to target %lld",
		       (long long)cert, (long long)t->id);
	}
	ENSURE(!t->group->store_limit || act->certs.count <= (size_t)t->group->store_limit, e,
	       TROTH_UNSAFE, "the plan overfills target %lld", (long long)t->id);
	return RC_OK;
}

/* What accepts the chain in the form in which it is sent; false: it has no such form now. */
static bool form_anchors(const struct view *v, const struct content *chain, enum chain_form form, struct id_list *ret)
{
	const struct ca *ca = ca_find(v, chain->signed_by), *by = ca ? ca_find(v, ca->bridge_by) : NULL;

	*ret = chain->members;
	if (form == CHAIN_PLAIN && ca)
		*ret = ca->leaf_anchors;
	if (form == CHAIN_BRIDGED && ca)
		*ret = ca->bridge_anchors;
	if (form == CHAIN_PLAIN)
		return ca && chain->bridged_by;
	return form == CHAIN_AS_IS || (by && !chain->bridged_by && !by->distrusted && !by->retired &&
				       ca->bridge_from <= v->now - SKEW && v->now + SKEW < ca->bridge_until);
}

/* Nothing of an authority in its grace is withdrawn, unless it is distrusted. */
static troth_rc check_grace(const struct view *v, const struct target *t, const struct act *act, struct troth_err *e)
{
	const struct content *newest = t->doc_count ? t->docs[t->doc_count - 1].content : t->base;

	for (size_t i = 0; i < v->ca_count; i++) {
		const struct ca *ca = v->ca_list[i];
		bool goes = newest && ids_has(newest->members, ca->cert) && !ids_has(act->certs, ca->cert);

		ENSURE(!goes || ca->authority->grace_until <= v->now || is_distrusted(v, ca->cert), e, TROTH_UNSAFE,
		       "the plan withdraws version %lld from target %lld before its grace is over", (long long)ca->id,
		       (long long)t->id);
	}
	return RC_OK;
}

static troth_rc check_chain(struct check *k, const struct target *t, const struct content *chain,
			    const struct act *act, struct troth_err *e)
{
	struct id_list anchors;

	ENSURE(chain, e, TROTH_UNSAFE, "the plan sends target %lld the unknown chain %lld",
	       (long long)t->id, (long long)act->chain);
	ENSURE(!is_tainted(k->v, chain), e, TROTH_UNSAFE, "the plan sends target %lld the distrusted chain %lld",
	       (long long)t->id, (long long)act->chain);
	ENSURE(form_anchors(k->v, chain, act->form, &anchors), e, TROTH_UNSAFE,
	       "the plan sends target %lld the chain %lld in a form that it has not", (long long)t->id, (long long)act->chain);
	ENSURE(chain->not_before <= k->v->now - skew(chain) && k->v->now + skew(chain) < chain->not_after, e,
	       TROTH_UNSAFE, "the plan sends target %lld the chain %lld, which is not valid now",
	       (long long)t->id, (long long)act->chain);
	return RC_OK;
}

static troth_rc check_room(const struct target *t, const struct act *act, struct troth_err *e)
{
	size_t handed = 0;

	for (size_t i = 0; i < t->doc_count; i++) {
		handed += t->docs[i].handed;
		ENSURE(t->docs[i].generation != act->replaces || !t->docs[i].handed, e, TROTH_UNSAFE,
		       "the plan takes back what target %lld was handed", (long long)t->id);
	}
	ENSURE(handed < LIMIT_PENDING_DOCUMENTS, e, TROTH_UNSAFE,
	       "the plan sends target %lld more than it may have pending", (long long)t->id);
	return RC_OK;
}

/* -- rolling -------------------------------------------------------------------------------- */

static bool is_wanted(const struct view *v, int64_t cert)
{
	for (size_t i = 0; i < v->ca_count; i++) {
		if (v->ca_list[i]->cert == cert && v->ca_list[i]->wanted)
			return true;
	}
	return false;
}

/* What failed too often keeps its place until somebody looks; but not if it leads away from what is wanted now. */
static bool keeps_place(const struct view *v, const struct target *t)
{
	if (!t->failed || t->failures < LIMIT_APPLY_FAILURES)
		return false;
	for (size_t i = 0; i < v->ca_count; i++) {
		const struct ca *ca = v->ca_list[i];
		bool sets = !t->failed->is_chain && t->base;
		bool comes = sets && ids_has(t->failed->members, ca->cert) && !ids_has(t->base->members, ca->cert);
		bool goes = sets && ids_has(t->base->members, ca->cert) && !ids_has(t->failed->members, ca->cert);

		if ((t->failed->is_chain && ca->id == t->failed->signed_by && !ca->wanted) || (goes && ca->wanted) ||
		    (comes && !is_wanted(v, ca->cert)))
			return false;
	}
	return true;
}

/* Does its instance hold a place; or (trouble) is it in trouble, so that it may always get something further? */
static bool changes(const struct view *v, const struct instance *i, bool trouble)
{
	for (const struct target *t = i->targets; t; t = t->instance_next) {
		if (t->state == TARGET_COUNTED && (t->doc_count || (trouble ? t->failed != NULL : keeps_place(v, t))))
			return true;
	}
	return false;
}

/* It lives by a distrusted CA: no window, no stop holds it there.  Nothing is on its way to it. */
static bool must_flee(const struct check *k, const struct target *t)
{
	const struct content *newest = t->base;
	const struct ca *ca = newest ? ca_find(k->v, newest->signed_by) : NULL;

	if (!newest || !newest->is_chain)
		return newest && ids_meet(newest->members, k->distrusted);
	if (newest->members.count && ids_within(newest->members, k->distrusted))
		return true;
	return ca && (ca->distrusted || (ca->leaf_anchors.count && ids_within(ca->leaf_anchors, k->distrusted)));
}

/* The instance of this deployment that the act makes change; NULL: none, or it changes already. */
static const struct instance *begins(const struct check *k, const struct act *act, const struct deployment *d,
				     bool but_flight)
{
	const struct target *t = target_find(k->v, act->target);
	bool sends = act->kind == ACT_SEND_SET || act->kind == ACT_SEND_CHAIN;

	if (!sends || !t || t->group->deployment != d || t->state != TARGET_COUNTED || !t->instance || act->shed.count)
		return NULL; /* at a deadline no policy holds: all pairs of the slot would break */
	return changes(k->v, t->instance, but_flight) || (but_flight && must_flee(k, t)) ? NULL : t->instance;
}

static size_t places_held(const struct view *v, const struct deployment *d)
{
	const struct instance *i;
	size_t at = 0, n = 0;

	while ((i = table_next(&v->instances, &at)))
		n += i->targets && i->targets->group->deployment == d && i->alive_until > v->now && changes(v, i, false);
	return n;
}

/* Instances that begin by this plan; each once. */
static size_t places_taken(struct check *k, const struct plan *plan, const struct deployment *d, bool but_flight)
{
	const struct instance **seen = ARENA_ARRAY(k->a, const struct instance *, plan->act_count + 1);
	size_t n = 0;

	for (size_t i = 0; i < plan->act_count; i++) {
		const struct instance *first = begins(k, &plan->acts[i], d, but_flight);
		size_t known = 0;

		while (known < n && seen[known] != first)
			known++;
		if (first && known == n)
			seen[n++] = first;
	}
	return n;
}

static troth_rc check_deployment(struct check *k, const struct plan *plan, const struct deployment *d,
				 struct troth_err *e)
{
	bool shut = d->stopped || (d->windowed && (!d->open || d->until <= k->v->now));
	size_t held, taken;

	ENSURE(!shut || !places_taken(k, plan, d, true), e, TROTH_UNSAFE,
	       "the plan begins with instances of deployment %lld, where none may begin now", (long long)d->id);
	taken = d->max_unavailable ? places_taken(k, plan, d, false) : 0;
	held = taken ? places_held(k->v, d) : 0;
	ENSURE(!taken || held + taken <= (size_t)d->max_unavailable, e, TROTH_UNSAFE,
	       "the plan makes %zu instances of deployment %lld unavailable, %lld may be", held + taken,
	       (long long)d->id, (long long)d->max_unavailable);
	return RC_OK;
}

static troth_rc check_rolling(struct check *k, const struct plan *plan, struct troth_err *e)
{
	const struct deployment *d;
	size_t at = 0;

	ENSURE(!k->v->hold, e, TROTH_UNSAFE, "the plan acts though everything is frozen");
	while ((d = table_next(&k->v->deployments, &at)))
		TRY(check_deployment(k, plan, d, e));
	return RC_OK;
}

/* Only what was never handed out can be taken back. */
static troth_rc check_take_back(struct check *k, const struct act *act, struct troth_err *e)
{
	const struct target *t = target_find(k->v, act->target);
	const struct document *last = t && t->doc_count ? &t->docs[t->doc_count - 1] : NULL;

	ENSURE(last && !last->handed && last->generation == act->replaces, e, TROTH_UNSAFE,
	       "the plan takes back generation %lld of target %lld, which does not lie on the table",
	       (long long)act->replaces, (long long)act->target);
	return RC_OK;
}

/* The one document that needs no leave of rule S: what it was sent last, less what is distrusted. */
static bool only_withdraws_distrusted(struct check *k, const struct target *t, const struct act *act)
{
	const struct content *newest = t->doc_count ? t->docs[t->doc_count - 1].content : t->base;

	return act->kind == ACT_SEND_SET && newest && ids_meet(newest->members, k->distrusted) &&
	       ids_same(act->certs, without_distrusted(k, newest->members));
}

static troth_rc check_send(struct check *k, const struct act *act, struct troth_err *e)
{
	const struct target *t = target_find(k->v, act->target);
	const struct content *chain = NULL;
	struct id_list next = act->certs;
	struct history mine;

	ENSURE(t && t->group->kind == (act->kind == ACT_SEND_SET ? GROUP_STORE : GROUP_SLOT), e,
	       TROTH_UNSAFE, "the plan sends to target %lld, which is not one", (long long)act->target);
	ENSURE(t->state != TARGET_LEAVING, e, TROTH_UNSAFE, "the plan sends to target %lld, which leaves",
	       (long long)act->target);
	ENSURE(!t->group->outside, e, TROTH_UNSAFE, "the plan sends to target %lld, which is outside the fleet",
	       (long long)t->id);
	TRY(check_room(t, act, e));
	if (act->kind == ACT_SEND_SET && t->state == TARGET_COUNTED)
		TRY(check_grace(k->v, t, act, e));
	if (act->kind == ACT_SEND_CHAIN) {
		chain = content_find(k->v, GROUP_SLOT, act->chain);
		TRY(check_chain(k, t, chain, act, e));
		(void)form_anchors(k->v, chain, act->form, &next); /* check_chain has seen that it has the form */
	} else {
		TRY(check_certs(k, t, act, e));
	}
	if (t->state != TARGET_COUNTED)
		return RC_OK; /* a newcomer breaks nobody: it does not serve or verify yet */
	mine = history_of(k, t, act->replaces);
	ENSURE(mine.alive && (mine.known || (t->strange && !mixes(t->group))), e, TROTH_UNSAFE,
	       "the plan sends to target %lld though it is not known what it holds", (long long)t->id);
	if (only_withdraws_distrusted(k, t, act))
		return RC_OK;
	history_add(k->a, &mine, without_distrusted(k, next), false, mixes(t->group));
	return act->shed.count ? check_shed(k, t, act, &mine, e) : check_pairs(k, t, &mine, e);
}

/* Does the version stand in what that one signed? */
static bool stands_in(const struct view *v, int64_t ca, int64_t signed_by)
{
	for (int depth = 0; signed_by && depth <= LIMIT_CHAIN_CERTS; depth++) {
		const struct ca *signer = ca_find(v, signed_by);

		if (signed_by == ca)
			return true;
		signed_by = signer ? signer->issuer_id : 0;
	}
	return false;
}

static bool target_holds(const struct view *v, const struct target *t, const struct ca *ca)
{
	const struct content *all[DOCS_MAX + 1] = { t->base };

	for (size_t i = 0; i < t->doc_count; i++)
		all[i + 1] = t->docs[i].content;
	for (size_t i = 0; i <= t->doc_count; i++) {
		if (all[i] && all[i]->is_chain && !is_expired(v, all[i]) && (stands_in(v, ca->id, all[i]->signed_by) || stands_in(v, ca->id, all[i]->bridged_by)))
			return true;
	}
	return false;
}

static troth_rc check_retire(struct check *k, const struct act *act, struct troth_err *e)
{
	const struct ca *ca = ca_find(k->v, act->ca);

	ENSURE(ca && !ca->wanted && !ca->signing, e, TROTH_UNSAFE,
	       "the plan retires version %lld, which is wanted or signs", (long long)act->ca);
	for (size_t i = 0; i < k->v->ca_count; i++)
		ENSURE(k->v->ca_list[i]->issuer_id != act->ca || k->v->ca_list[i]->retired, e, TROTH_UNSAFE,
		       "the plan retires version %lld before version %lld, which it signed", (long long)act->ca,
		       (long long)k->v->ca_list[i]->id);
	for (size_t i = 0; i < k->v->target_count; i++) {
		const struct target *t = k->v->targets[i];

		ENSURE(!in_meet(t) || !target_holds(k->v, t, ca), e, TROTH_UNSAFE,
		       "the plan retires version %lld, but target %lld may serve a chain it signed",
		       (long long)act->ca, (long long)t->id);
	}
	return RC_OK;
}

static troth_rc check_signing(struct check *k, const struct act *act, struct troth_err *e)
{
	const struct ca *ca = ca_find(k->v, act->ca);

	ENSURE(ca && ca->wanted && ca->can_sign && !ca->distrusted && !all_distrusted(k->v, ca->leaf_anchors), e,
	       TROTH_UNSAFE, "the plan lets version %lld sign, which must not", (long long)act->ca);
	return RC_OK;
}

static troth_rc check_ask(struct check *k, const struct act *act, struct troth_err *e)
{
	const struct ca *ca = ca_find(k->v, act->ca);

	ENSURE(target_find(k->v, act->target) && ca, e, TROTH_UNSAFE, "the plan asks nobody, or for nobody");
	ENSURE(!ca->distrusted && !all_distrusted(k->v, ca->leaf_anchors), e, TROTH_UNSAFE,
	       "the plan lets the distrusted version %lld sign", (long long)act->ca);
	return RC_OK;
}

/* Nobody begins with what is distrusted. */
static bool holds_tainted(struct check *k, const struct target *t)
{
	const struct content *all[DOCS_MAX + 1] = { t->base };

	for (size_t i = 0; i < t->doc_count; i++)
		all[i + 1] = t->docs[i].content;
	for (size_t i = 0; i <= t->doc_count; i++) {
		if (all[i] && (all[i]->is_chain ? is_tainted(k->v, all[i]) : ids_meet(all[i]->members, k->distrusted)))
			return true;
	}
	return false;
}

/* A newcomer's matrix must be in order by itself: what succeeds first succeeds later. */
static troth_rc check_admit(struct check *k, const struct act *act, struct troth_err *e)
{
	const struct target *t = target_find(k->v, act->target);
	struct history mine;

	ENSURE(t && t->state == TARGET_JOINING && t->known, e, TROTH_UNSAFE,
	       "the plan admits target %lld, which has not reported", (long long)act->target);
	ENSURE(!holds_tainted(k, t), e, TROTH_UNSAFE, "the plan admits target %lld, which holds what is distrusted",
	       (long long)act->target);
	mine = history_of(k, t, 0);
	mine.fresh = 0;
	for (size_t m = 0; m < t->group->meet_count; m++) {
		const struct histories *list = histories_of_group(k, t->group->meets[m]);

		for (size_t i = 0; i < list->count; i++)
			ENSURE(t->group->kind == GROUP_SLOT ? implications_hold(&mine, &list->items[i])
							    : implications_hold(&list->items[i], &mine),
			       e, TROTH_UNSAFE, "the plan admits target %lld, which may break a pair",
			       (long long)act->target);
	}
	return RC_OK;
}

/* An end must have come: of the lease, or of everything that a leaver may serve. */
static troth_rc check_leave(struct check *k, const struct act *act, struct troth_err *e)
{
	const struct target *t = target_find(k->v, act->target);
	bool served = false;
	struct history mine;

	ENSURE(t, e, TROTH_UNSAFE, "the plan lets target %lld leave, which is not there", (long long)act->target);
	if (t->lease_until && t->lease_until <= k->v->now)
		return RC_OK;
	mine = history_of(k, t, 0);
	for (size_t i = 0; i < mine.count; i++)
		served = served || (mine.items[i].count > 0 && !mine.expired[i]);
	ENSURE(t->state == TARGET_LEAVING && t->group->kind == GROUP_SLOT && mine.known && !served, e, TROTH_UNSAFE,
	       "the plan lets target %lld leave before its time", (long long)act->target);
	return RC_OK;
}

/* Its time has come, nothing newer is wanted beside it, and no rotation runs that could still end in time. */
static troth_rc check_rotate(const struct check *k, const struct act *act, struct troth_err *e)
{
	const struct ca *ca = ca_find(k->v, act->ca);

	ENSURE(ca && ca->wanted && !ca->renewing && !ca->by_hand && !ca->authority->paused && !ca->authority->awaited && ca->renew_at > 0 &&
		       ca->renew_at <= k->v->now, e, TROTH_UNSAFE,
	       "the plan rotates version %lld, which is not due", (long long)act->ca);
	for (size_t i = 0; i < k->v->ca_count; i++) {
		const struct ca *other = k->v->ca_list[i];
		bool newer = other->wanted && ca_newer(other, ca), running = !other->wanted && !other->retired;

		ENSURE(other->authority != ca->authority || (!newer && (!running || ca->renew_latest <= k->v->now)), e,
		       TROTH_UNSAFE, "the plan rotates version %lld though a rotation runs", (long long)act->ca);
	}
	return RC_OK;
}

static troth_rc check_act(struct check *k, const struct act *act, struct troth_err *e)
{
	switch (act->kind) {
	case ACT_SEND_SET:
	case ACT_SEND_CHAIN: return check_send(k, act, e);
	case ACT_SIGNING: return check_signing(k, act, e);
	case ACT_RETIRE_DONE: return check_retire(k, act, e);
	case ACT_ADMIT: return check_admit(k, act, e);
	case ACT_TAKE_BACK: return check_take_back(k, act, e);
	case ACT_LEAVE: return check_leave(k, act, e);
	case ACT_ROTATE: return check_rotate(k, act, e);
	case ACT_ASK: return check_ask(k, act, e);
	}
	return err_set(e, TROTH_UNSAFE, "the plan wants an unknown act");
}

/* Stores and slots in one batch would not have been tested against each other. */
static troth_rc check_batch(const struct plan *plan, struct troth_err *e)
{
	bool sets = false, chains = false;

	for (size_t i = 0; i < plan->act_count; i++) {
		const struct act *act = &plan->acts[i], *next = act + 1;

		sets = sets || act->kind == ACT_SEND_SET;
		chains = chains || act->kind == ACT_SEND_CHAIN;
		ENSURE(i + 1 == plan->act_count || act->kind != next->kind || !act->target ||
			       act->target != next->target,
		       e, TROTH_UNSAFE, "the plan names target %lld twice", (long long)act->target);
	}
	ENSURE(!sets || !chains, e, TROTH_UNSAFE, "the plan mixes stores and slots");
	return RC_OK;
}

troth_rc plan_check(const struct view *v, const struct plan *plan, struct troth_err *e)
{
	if (plan->act_count == 0)
		return RC_OK;
	CLEANUP(arena_freep) struct arena *a = arena_new(SIZE_MAX / 4);
	struct check k = { .v = v, .a = a };

	TRY(check_batch(plan, e));
	collect_distrusted(&k);
	k.of_group = ARENA_ARRAY(a, struct histories, v->group_count + 1);
	TRY(check_rolling(&k, plan, e));
	for (size_t i = 0; i < plan->act_count; i++)
		TRY(check_act(&k, &plan->acts[i], e));
	return RC_OK;
}
