/* The engine run ahead on a view of its own.  See forecast.h for what is assumed.
 *
 * The loop is the runner's: step, carry out, again until there is nothing to do; then on to the next
 * moment that could change anything: the step's own wake, or something that a member was seen to
 * do by then (a report, a request, a new version).  Everything that the future makes gets an id from
 * FUTURE_IDS on, which no row has. */
#include <stdlib.h>

#include "engine/step.h"

#define FUTURE_IDS (INT64_C(1) << 60)
#define STEP_ARENA_BYTES ((size_t)1 << 30)

enum { ANSWER_S = 1, LASTING_S = 3600, MERGE_LOOK_BACK = 64, FORECAST_LEAF_LIFE_DAYS = 90 };

/* What comes true at an hour of its own: appointments by kind. */
#define COMES_REPORT AGENDA_INSTANCE
#define COMES_CHAIN AGENDA_CHAIN
#define COMES_VERSION AGENDA_CA

struct known { uint64_t key; msec_t first; size_t round; bool told; struct moment moment; struct known *next; };

struct future {
	struct view *v;
	const struct engine_policy *policy;
	msec_t begin, now, until;
	struct arena *a, *step_a;
	struct agenda agenda;
	struct table waits;       /* struct known by key */
	struct known *all;
	size_t round;
	int64_t next_id;
	msec_t *lives;            /* by position in v->group_list: the longest life of its chains */
	struct moment *moments;
	size_t count;
};

static const char *const names[] = { "", "renewal", "rotation", "rotated", "wait", "ending", "shed", "breaks" };
const char *moment_kind_name(enum moment_kind kind) { return names[kind]; }

/* -- telling ----------------------------------------------------------------------------------- */

static bool same_story(const struct moment *x, const struct moment *y)
{
	bool lot = x->kind == MOMENT_RENEWAL && y->at - x->at < MSEC_DAY;

	return x->kind == y->kind && x->authority == y->authority && (lot || x->at == y->at) &&
	       (x->kind == MOMENT_RENEWAL || (x->target == y->target && x->other_target == y->other_target && x->reason == y->reason));
}

/* Renewals of a day under one authority are one story. */
static void tell(struct future *f, struct moment m)
{
	size_t end = f->count < LIMIT_FORECAST_MOMENTS ? f->count : LIMIT_FORECAST_MOMENTS;
	size_t from = end > MERGE_LOOK_BACK ? end - MERGE_LOOK_BACK : 0;

	m.last = m.at;
	for (size_t i = end; i > from; i--) {
		struct moment *before = &f->moments[i - 1];

		if (!same_story(before, &m))
			continue;
		before->count += m.count;
		before->last = m.at;
		before->target = before->target == m.target ? m.target : 0;
		return;
	}
	if (f->count < LIMIT_FORECAST_MOMENTS)
		f->moments[f->count] = m;
	f->count++; /* one too many says that it was cut */
}

static void tell_authority(struct future *f, enum moment_kind kind, int64_t authority)
{
	tell(f, (struct moment){ .at = f->now, .kind = kind, .authority = authority, .count = 1 });
}

/* -- facts of the future ------------------------------------------------------------------------- */

static void believe(struct future *f, struct fact fact)
{
	(void)view_apply(f->v, &fact); /* all it names is there */
}

static struct fact ca_fact(const struct ca *c)
{
	return (struct fact){ .kind = FACT_CA, .ca = { .ca = c->id, .authority = c->authority->id, .cert = c->cert,
		.leaf_anchors = c->leaf_anchors, .order = c->order, .wanted = c->wanted, .signing = c->signing,
		.can_sign = c->can_sign, .distrusted = c->distrusted, .retired = c->retired, .not_before = c->not_before,
		.not_after = c->not_after, .renew_at = c->renew_at, .renew_latest = c->renew_latest,
		.renewing = c->renewing, .by_hand = c->by_hand, .issued = c->issued, .issuer = c->issuer_id,
		.bridge_by = c->bridge_by, .bridge_anchors = c->bridge_anchors, .bridge_from = c->bridge_from,
		.bridge_until = c->bridge_until } };
}

/* The fact takes its anchors from the version itself, which is about to be written: so from a copy. */
static void change_ca(struct future *f, struct fact fact)
{
	fact.ca.leaf_anchors = ids_sorted(f->step_a, fact.ca.leaf_anchors);
	fact.ca.bridge_anchors = ids_sorted(f->step_a, fact.ca.bridge_anchors);
	believe(f, fact);
}

static msec_t pace_of(const struct target *t)
{
	return t->pace > 0 ? t->pace : LIMIT_RELOAD_S * MSEC_S;
}

static int64_t next_generation(const struct target *t)
{
	return (t->doc_count ? t->docs[t->doc_count - 1].generation : t->high_water) + 1; /* a document is above h */
}

static void expect_report(struct future *f, const struct target *t)
{
	if (t->instance && t->instance->alive)
		agenda_add(&f->agenda, f->now + pace_of(t), COMES_REPORT, t->id);
}

/* -- acts ---------------------------------------------------------------------------------------- */

static void send(struct future *f, const struct act *act, int64_t content)
{
	struct target *t = target_find(f->v, act->target);
	int64_t generation;

	if (act->replaces)
		believe(f, (struct fact){ .kind = FACT_DROPPED, .dropped = { t->id, act->replaces } });
	generation = next_generation(t);
	believe(f, (struct fact){ .kind = FACT_SENT, .sent = { t->id, generation, content } });
	believe(f, (struct fact){ .kind = FACT_HANDED, .handed = { t->id, generation } });
	expect_report(f, t);
}

static void send_set(struct future *f, const struct act *act)
{
	int64_t id = f->next_id++;

	believe(f, (struct fact){ .kind = FACT_SET, .set = { id, act->certs } });
	send(f, act, id);
}

/* The same leaf with the cross certificate behind it, or without. */
static int64_t in_form(struct future *f, const struct act *act)
{
	const struct content *c = content_find(f->v, GROUP_SLOT, act->chain);
	const struct ca *ca = ca_find(f->v, c->signed_by);
	struct fact other = { .kind = FACT_CHAIN };

	if (act->form == CHAIN_AS_IS)
		return act->chain;
	other.chain.chain = f->next_id++;
	other.chain.signed_by = c->signed_by;
	other.chain.anchors = act->form == CHAIN_BRIDGED ? ca->bridge_anchors : ca->leaf_anchors;
	other.chain.not_before = c->not_before;
	other.chain.not_after = act->form == CHAIN_BRIDGED && ca->bridge_until < c->not_after ? ca->bridge_until : c->not_after;
	other.chain.renew_at = c->renew_at;
	other.chain.issued = c->issued;
	other.chain.bridged_by = act->form == CHAIN_BRIDGED ? ca->bridge_by : 0;
	believe(f, other);
	return other.chain.chain;
}

static void send_chain(struct future *f, const struct act *act)
{
	send(f, act, in_form(f, act));
	believe(f, (struct fact){ .kind = FACT_STAGED, .staged = { act->target, act->chain, false } });
	if (act->shed.count)
		tell(f, (struct moment){ .at = f->now, .kind = MOMENT_SHED, .authority = act->authority, .target = act->target,
					 .other_target = act->shed.items[0], .count = act->shed.count });
}

static void ask(struct future *f, const struct act *act)
{
	const struct target *t = target_find(f->v, act->target);
	const struct content *newest = target_newest(t);

	if (newest && newest->due)
		tell(f, (struct moment){ .at = f->now, .kind = MOMENT_RENEWAL, .authority = act->authority, .target = t->id, .count = 1 });
	believe(f, (struct fact){ .kind = FACT_ASKED, .asked = { t->id, act->ca } });
	if (t->instance && t->instance->alive)
		agenda_add(&f->agenda, f->now + ANSWER_S * MSEC_S, COMES_CHAIN, t->id);
}

static void move_label(struct future *f, const struct act *act)
{
	const struct authority *a = ca_find(f->v, act->ca)->authority;

	for (size_t i = 0; i < a->ca_count; i++) {
		struct fact fact = ca_fact(a->cas[i]);

		if (a->cas[i]->signing == (a->cas[i]->id == act->ca))
			continue;
		fact.ca.signing = a->cas[i]->id == act->ca;
		change_ca(f, fact);
	}
}

static void retire(struct future *f, const struct act *act)
{
	struct fact fact = ca_fact(ca_find(f->v, act->ca));

	fact.ca.retired = true;
	change_ca(f, fact);
	tell_authority(f, MOMENT_ROTATED, act->authority);
}

static void rotate(struct future *f, const struct act *act)
{
	struct fact fact = ca_fact(ca_find(f->v, act->ca));

	fact.ca.renewing = true;
	change_ca(f, fact);
	if (authority_find(f->v, act->authority)->external) /* nobody knows when its certificate comes */
		believe(f, (struct fact){ .kind = FACT_EXTERNAL, .external = { act->authority, true } });
	else
		agenda_add(&f->agenda, f->now + ANSWER_S * MSEC_S, COMES_VERSION, act->ca);
	tell_authority(f, MOMENT_ROTATION, act->authority);
}

static void become(struct future *f, const struct act *act, enum target_state state)
{
	const struct target *t = target_find(f->v, act->target);

	believe(f, (struct fact){ .kind = FACT_TARGET, .target = { t->id, t->group->id, t->instance ? t->instance->id : 0,
					 t->authority ? t->authority->id : 0, state, t->lease_until } });
}

/* Nobody fetches it; a chain waits for its slot again. */
static void take_back(struct future *f, const struct act *act)
{
	const struct target *t = target_find(f->v, act->target);
	const struct content *c = t->docs[t->doc_count - 1].content;

	if (c->is_chain)
		believe(f, (struct fact){ .kind = FACT_STAGED, .staged = { t->id, c->id, true } });
	believe(f, (struct fact){ .kind = FACT_DROPPED, .dropped = { t->id, act->replaces } });
}

static void admit(struct future *f, const struct act *act) { become(f, act, TARGET_COUNTED); }
static void leave(struct future *f, const struct act *act) { become(f, act, TARGET_LEFT); }

static void (*const carry_out[])(struct future *f, const struct act *act) = {
	[ACT_SEND_SET] = send_set, [ACT_SEND_CHAIN] = send_chain, [ACT_ASK] = ask,
	[ACT_SIGNING] = move_label, [ACT_RETIRE_DONE] = retire, [ACT_ROTATE] = rotate,
	[ACT_ADMIT] = admit, [ACT_LEAVE] = leave, [ACT_TAKE_BACK] = take_back,
};

/* -- what comes ------------------------------------------------------------------------------------ */

static void comes_report(struct future *f, int64_t id)
{
	const struct target *t = target_find(f->v, id);
	const struct document *d = t && t->doc_count ? &t->docs[t->doc_count - 1] : NULL;

	if (d) /* it may have left meanwhile */
		believe(f, (struct fact){ .kind = FACT_SEEN, .seen = { t->id, d->content->id, d->generation, d->generation } });
}

/* Part of the life after which the newest chain wants renewal, in thousandths; by default two thirds. */
static msec_t renewal_part(const struct content *newest)
{
	msec_t life = newest ? chain_life(newest) : 0;

	if (life <= 0 || newest->renew_at <= newest->issued)
		return 667;
	return (newest->renew_at - (newest->not_after - life)) * 1000 / life;
}

/* A chain with the life that its group's chains have, not longer than its CA; what was shortened is not renewed by itself. */
static void comes_chain(struct future *f, int64_t id)
{
	const struct target *t = target_find(f->v, id);
	const struct ca *ca = t ? ca_find(f->v, t->asked) : NULL;
	struct fact chain = { .kind = FACT_CHAIN, .chain = { .chain = f->next_id++ } };

	if (!ca)
		return; /* it has left, or is asked under nobody any more */
	msec_t life = f->lives[t->group->index], end = f->now + life;

	chain.chain.signed_by = ca->id;
	chain.chain.anchors = ca->leaf_anchors;
	chain.chain.not_before = f->now - SKEW;
	chain.chain.issued = f->now;
	chain.chain.not_after = end < ca->not_after ? end : ca->not_after;
	chain.chain.renew_at = end < ca->not_after ? f->now + life / 1000 * renewal_part(target_newest(t)) : 0;
	believe(f, chain);
	believe(f, (struct fact){ .kind = FACT_STAGED, .staged = { id, chain.chain.chain, true } });
	believe(f, (struct fact){ .kind = FACT_ASKED, .asked = { id, 0 } });
}

static int64_t newest_order(const struct authority *a) { return a->cas[0]->order; }

/* The successor of a version, under `issuer` or by itself (its own anchor): as long-lived, due as long after its begin. */
static const struct ca *succeed(struct future *f, const struct ca *old, const struct ca *issuer)
{
	msec_t later = f->now - (old->issued ? old->issued : old->not_before);
	int64_t cert = f->next_id++;
	bool root = ids_has(old->leaf_anchors, old->cert);
	struct fact gone = ca_fact(old), made = gone;

	gone.ca.wanted = gone.ca.renewing = false;
	made.ca.ca = f->next_id++;
	made.ca.cert = cert;
	made.ca.order = newest_order(old->authority) + 1;
	made.ca.signing = made.ca.retired = made.ca.renewing = false;
	made.ca.not_before = f->now - SKEW;
	made.ca.issued = f->now;
	made.ca.not_after += later;
	made.ca.renew_at += old->renew_at ? later : 0;
	made.ca.renew_latest += old->renew_latest ? later : 0;
	made.ca.issuer = issuer ? issuer->id : old->issuer_id;
	made.ca.bridge_by = 0;
	made.ca.bridge_anchors = (struct id_list){ 0 };
	made.ca.leaf_anchors = ids_sorted(f->step_a, issuer ? issuer->leaf_anchors : root ? (struct id_list){ &cert, 1 }
											  : old->leaf_anchors);
	change_ca(f, gone);
	believe(f, made);
	return ca_find(f->v, made.ca.ca);
}

/* With those below it, as the service does it (the wanted versions only). */
static void comes_version(struct future *f, int64_t id)
{
	struct ca *old = ca_find(f->v, id);
	const struct ca **from = ARENA_ARRAY(f->step_a, const struct ca *, LIMIT_INTERMEDIATES + 1);
	const struct ca **to = ARENA_ARRAY(f->step_a, const struct ca *, LIMIT_INTERMEDIATES + 1);
	size_t n = 1;

	from[0] = old;
	to[0] = succeed(f, old, NULL);
	for (size_t i = 0; i < n; i++) {
		size_t known = f->v->ca_count;

		for (size_t k = 0; k < known && n <= LIMIT_INTERMEDIATES; k++) {
			const struct ca *below = f->v->ca_list[k];

			if (below->issuer != from[i] || !below->wanted)
				continue;
			from[n] = below;
			to[n++] = succeed(f, below, to[i]);
		}
	}
}

static void let_come(struct future *f)
{
	struct appointment item;

	while (agenda_take(&f->agenda, f->now, &item)) {
		if (item.kind == COMES_REPORT)
			comes_report(f, item.id);
		else if (item.kind == COMES_CHAIN)
			comes_chain(f, item.id);
		else
			comes_version(f, item.id);
	}
}

/* -- waits ------------------------------------------------------------------------------------------- */

static uint64_t wait_key(const struct wait *w, enum moment_kind kind)
{
	const int64_t parts[] = { kind, w->reason, w->authority, w->target, kind == MOMENT_BREAKS ? 0 : w->other_target };
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		h = (h ^ (uint64_t)parts[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return h;
}

static struct known *known_need(struct future *f, const struct wait *w, enum moment_kind kind)
{
	uint64_t key = wait_key(w, kind);
	struct known *k = table_get(&f->waits, (int64_t)key);

	if (k)
		return k;
	k = ARENA_NEW(f->a, struct known);
	*k = (struct known){ .key = key, .first = f->now, .round = f->round, .next = f->all };
	f->all = k;
	table_put(&f->waits, (int64_t)key, k);
	return k;
}

static void tell_known(struct future *f, struct known *k)
{
	k->told = true;
	tell(f, k->moment);
}

/* Said when it has lasted; what was waited for at the beginning already is in explain. */
static void note_wait(struct future *f, const struct wait *w)
{
	struct known *k = known_need(f, w, MOMENT_WAIT);

	if (k->round + 1 < f->round) {
		k->first = f->now; /* it was gone in between */
		k->told = false;
	}
	k->round = f->round;
	k->told = k->told || k->first == f->begin;
	k->moment = (struct moment){ .at = k->first, .kind = MOMENT_WAIT, .authority = w->authority, .target = w->target,
				     .other_target = w->other_target, .reason = w->reason, .count = w->count };
	if (!k->told && f->now - k->first >= LASTING_S * MSEC_S)
		tell_known(f, k);
}

static void note_deadline(struct future *f, const struct wait *w, enum moment_kind kind, msec_t at)
{
	struct known *k = known_need(f, w, kind);

	k->round = 0; /* never told at the end */
	k->moment = (struct moment){ .at = at, .kind = kind, .authority = w->authority, .target = w->target,
				     .other_target = w->other_target, .reason = w->cause, .breaks = w->breaks, .count = w->count };
	if (!k->told)
		tell_known(f, k);
}

static void note_waits(struct future *f, const struct plan *plan)
{
	f->round++;
	for (size_t i = 0; i < plan->wait_count; i++) {
		const struct wait *w = &plan->waits[i];

		if (w->reason != WAIT_DEADLINE) {
			note_wait(f, w);
			continue;
		}
		note_deadline(f, w, MOMENT_ENDING, f->now);
		if (w->breaks <= f->now)
			note_deadline(f, w, MOMENT_BREAKS, w->breaks);
	}
}

/* What began shortly before the end, and was still so. */
static void tell_the_rest(struct future *f)
{
	for (struct known *k = f->all; k; k = k->next) {
		if (!k->told && k->round == f->round)
			tell_known(f, k);
	}
}

/* -- the loop ------------------------------------------------------------------------------------------ */

static size_t keep_alive(struct view *v)
{
	const struct instance *i;
	size_t at = 0, offline = 0;

	while ((i = table_next(&v->instances, &at))) {
		struct fact f = { .kind = FACT_ALIVE, .alive = { i->id, ALIVE_ALWAYS } };

		offline += i->targets && !i->alive;
		if (i->alive)
			(void)view_apply(v, &f); /* it is known */
	}
	return offline;
}

/* How long the chains of each group live, and what is on its way to who is alive. */
static void look_around(struct future *f)
{
	f->lives = ARENA_ARRAY(f->a, msec_t, f->v->group_count + 1);
	for (size_t i = 0; i < f->v->target_count; i++) {
		const struct target *t = f->v->targets[i];
		const struct content *newest = target_newest(t);
		msec_t *life = &f->lives[t->group->index];

		if (newest && newest->is_chain && chain_life(newest) > *life)
			*life = chain_life(newest);
		if (t->doc_count)
			expect_report(f, t);
		if (t->asked && t->instance && t->instance->alive)
			agenda_add(&f->agenda, f->now + ANSWER_S * MSEC_S, COMES_CHAIN, t->id);
	}
	for (size_t i = 0; i < f->v->group_count; i++)
		f->lives[i] = f->lives[i] ? f->lives[i] : FORECAST_LEAF_LIFE_DAYS * MSEC_DAY;
	for (size_t i = 0; i < f->v->ca_count; i++) {
		if (f->v->ca_list[i]->renewing && f->v->ca_list[i]->wanted && !f->v->ca_list[i]->authority->external)
			agenda_add(&f->agenda, f->now + ANSWER_S * MSEC_S, COMES_VERSION, f->v->ca_list[i]->id);
	}
}

/* Later than now, since what has come due was taken; 0: nothing will change any more. */
static msec_t next_moment(const struct future *f, const struct plan *plan)
{
	const struct appointment *next = agenda_first(&f->agenda);
	msec_t at = plan->next_wake;

	if (next && (!at || next->at < at))
		at = next->at;
	return at;
}

static bool go_on(struct future *f)
{
	struct plan plan;
	msec_t at;

	arena_reset(f->step_a);
	engine_step(f->v, f->policy, f->now, f->step_a, &plan);
	for (size_t i = 0; i < plan.act_count; i++)
		carry_out[plan.acts[i].kind](f, &plan.acts[i]);
	if (plan.act_count)
		return true;
	note_waits(f, &plan);
	at = next_moment(f, &plan);
	if (!at || at > f->until)
		return false;
	f->now = at;
	view_clock(f->v, at);
	let_come(f);
	return true;
}

static int compare_moments(const void *x, const void *y)
{
	const struct moment *a = x, *b = y;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->kind != b->kind ? (int)a->kind - (int)b->kind : (a->target > b->target) - (a->target < b->target);
}

static void finish(struct future *f, bool ended, struct forecast *ret)
{
	tell_the_rest(f);
	ret->cut = !ended || f->count > LIMIT_FORECAST_MOMENTS;
	ret->reached = ended ? f->until : f->now;
	ret->count = f->count < LIMIT_FORECAST_MOMENTS ? f->count : LIMIT_FORECAST_MOMENTS;
	ret->moments = f->moments;
	if (ret->count > 1)
		qsort(ret->moments, ret->count, sizeof(*ret->moments), compare_moments);
	agenda_release(&f->agenda);
	table_release(&f->waits);
}

void engine_forecast(struct view *v, const struct engine_policy *policy, msec_t now, msec_t until, struct arena *a,
		     struct forecast *ret_forecast)
{
	CLEANUP(arena_freep) struct arena *step_a = arena_new(STEP_ARENA_BYTES);
	struct future f = { .v = v, .policy = policy, .begin = now, .now = now, .until = until, .a = a, .step_a = step_a,
			    .next_id = FUTURE_IDS };
	size_t steps = 0;
	bool more = true;

	view_clock(v, now);
	*ret_forecast = (struct forecast){ .offline = keep_alive(v) };
	f.moments = ARENA_ARRAY(a, struct moment, LIMIT_FORECAST_MOMENTS);
	look_around(&f);
	while (more && steps++ < LIMIT_FORECAST_STEPS && f.count <= LIMIT_FORECAST_MOMENTS)
		more = go_on(&f);
	finish(&f, !more, ret_forecast);
}
