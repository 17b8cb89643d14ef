/* The fleet of the engine's tests.  See fleet.h. */
#include "fleet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/limits.h"

struct fleet *fleet_new(void)
{
	struct fleet *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->contents = calloc(FLEET_CONTENTS, sizeof(*f->contents));
	f->view = view_new();
	f->a = arena_new((size_t)1 << 30);
	f->now = FLEET_NOW;
	return f;
}

void fleet_free(struct fleet *f)
{
	view_free(f->view);
	arena_free(f->a);
	free(f->contents);
	free(f);
}

static void tell_to(struct view *v, struct fact fact)
{
	(void)view_apply(v, &fact); /* some facts are late on purpose */
}

static void tell(struct fleet *f, struct fact fact)
{
	tell_to(f->view, fact);
}

static struct id_list list_of(const struct fleet_ids *ids)
{
	return (struct id_list){ ids->items, ids->count };
}

static void ids_put(struct fleet_ids *ids, int64_t id)
{
	assert_true(ids->count < FLEET_IDS);
	ids->items[ids->count++] = id;
}

static void ids_cut(struct fleet_ids *ids, int64_t id)
{
	size_t n = 0;

	for (size_t i = 0; i < ids->count; i++) {
		if (ids->items[i] != id)
			ids->items[n++] = ids->items[i];
	}
	ids->count = n;
}

static bool ids_contain(const struct fleet_ids *ids, int64_t id)
{
	for (size_t i = 0; i < ids->count; i++) {
		if (ids->items[i] == id)
			return true;
	}
	return false;
}

/* -- rows to facts ------------------------------------------------------------------------- */

static struct fact group_fact(const struct fleet_group *g)
{
	return (struct fact){ .kind = FACT_GROUP,
			      .group = { g->id, g->kind, ROLE_IS_SERVER, g->atomic, g->limit, g->outside, g->deployment } };
}

static struct fact goal_fact(const struct fleet_group *g)
{
	return (struct fact){ .kind = FACT_GOAL,
			      .goal = { g->id, list_of(&g->authorities), list_of(&g->certs) } };
}

static struct fact ca_fact(const struct fleet_ca *c)
{
	return (struct fact){ .kind = FACT_CA,
			      .ca = { c->id, c->authority, c->cert, list_of(&c->anchors), c->order, c->wanted,
				      c->signing, c->can_sign, c->distrusted, c->retired, c->not_before,
				      c->not_after, c->renew_at, c->renew_latest, c->renewing, c->by_hand,
				      c->issuer, c->issued, c->bridge_by, list_of(&c->bridge_anchors), c->bridge_from, c->bridge_until } };
}

static struct fact content_fact(const struct fleet_content *c)
{
	if (!c->is_chain)
		return (struct fact){ .kind = FACT_SET, .set = { c->id, list_of(&c->ids) } };
	return (struct fact){ .kind = FACT_CHAIN,
			      .chain = { c->id, c->signed_by, list_of(&c->ids), c->not_before, c->not_after,
					 c->renew_at, c->distrusted, c->issued, c->bridged_by } };
}

static struct fact target_fact(const struct fleet_target *t)
{
	return (struct fact){ .kind = FACT_TARGET,
			      .target = { t->id, t->group, t->instance, t->authority, t->state, t->lease_until } };
}

static struct fact seen_fact(const struct fleet_target *t)
{
	return (struct fact){ .kind = FACT_SEEN,
			      .seen = { t->id, t->known ? t->base : t->strange ? CONTENT_STRANGE : 0, t->base_generation, t->high } };
}

static void tell_target_to(struct view *v, const struct fleet_target *t)
{
	tell_to(v, (struct fact){ .kind = FACT_ALIVE, .alive = { t->instance, t->alive_until } });
	tell_to(v, target_fact(t));
	if (t->known || t->strange)
		tell_to(v, seen_fact(t));
	for (size_t i = 0; i < t->doc_count; i++) {
		const struct fleet_doc *d = &t->docs[i];

		tell_to(v, (struct fact){ .kind = FACT_SENT, .sent = { t->id, d->generation, d->content } });
		if (d->handed)
			tell_to(v, (struct fact){ .kind = FACT_HANDED, .handed = { t->id, d->generation } });
	}
	if (t->staged)
		tell_to(v, (struct fact){ .kind = FACT_STAGED, .staged = { t->id, t->staged, true } });
	tell_to(v, (struct fact){ .kind = FACT_ASKED, .asked = { t->id, t->asked } });
	tell_to(v, (struct fact){ .kind = FACT_FAILED, .failed = { t->id, t->failed, t->failures } });
	tell_to(v, (struct fact){ .kind = FACT_PACE, .pace = { t->id, t->pace } });
}

void fleet_tell_target(struct fleet *f, const struct fleet_target *t)
{
	tell_target_to(f->view, t);
}

struct view *fleet_rebuild(struct fleet *f)
{
	struct view *v = view_new();

	for (size_t i = 0; i < f->group_count; i++)
		tell_to(v, group_fact(&f->groups[i]));
	for (size_t i = 0; i < f->meet_count; i++)
		tell_to(v, (struct fact){ .kind = FACT_MEET,
					  .meet = { f->meets[i].presenter, f->meets[i].verifier, true } });
	for (size_t i = 0; i < f->ca_count; i++) {
		tell_to(v, ca_fact(&f->cas[i]));
		tell_to(v, (struct fact){ .kind = FACT_PAUSED,
					  .paused = { f->cas[i].authority, f->cas[i].paused } });
		tell_to(v, (struct fact){ .kind = FACT_ON_DEADLINE,
					  .on_deadline = { f->cas[i].authority, f->cas[i].holds } });
		if (f->cas[i].external)
			tell_to(v, (struct fact){ .kind = FACT_EXTERNAL,
						  .external = { f->cas[i].authority, f->cas[i].awaited } });
		if (f->cas[i].grace_until)
			tell_to(v, (struct fact){ .kind = FACT_GRACE,
						  .grace = { f->cas[i].authority, f->cas[i].grace_target,
							     f->cas[i].grace_until } });
	}
	for (size_t i = 0; i < f->group_count; i++)
		tell_to(v, goal_fact(&f->groups[i]));
	for (size_t i = 0; i < f->policy_count; i++)
		tell_to(v, f->policies[i].rolling);
	for (size_t i = 0; i < f->rollout_count; i++)
		tell_to(v, f->rollouts[i].rollout);
	for (size_t i = 0; i < f->content_count; i++)
		tell_to(v, content_fact(&f->contents[i]));
	for (size_t i = f->target_count; i-- > 0;) /* another order than they came in */
		tell_target_to(v, &f->targets[i]);
	tell_to(v, (struct fact){ .kind = FACT_HOLD, .hold = { f->hold } });
	view_clock(v, f->now);
	return v;
}

void fleet_assert_same(struct fleet *f)
{
	struct view *v = fleet_rebuild(f);
	char why[1000] = "";

	view_clock(f->view, f->now);
	if (!view_equal(f->view, v, why, sizeof(why)) || !view_check(f->view, why, sizeof(why)) ||
	    !view_check(v, why, sizeof(why)))
		fail_msg("%s", why);
	view_free(v);
}

/* -- declaring ----------------------------------------------------------------------------- */

struct fleet_group *fleet_find_group(struct fleet *f, int64_t id)
{
	for (size_t i = 0; i < f->group_count; i++) {
		if (f->groups[i].id == id)
			return &f->groups[i];
	}
	fail_msg("no group %d", (int)id);
	return NULL;
}

void fleet_tell_group(struct fleet *f, struct fleet_group *g)
{
	tell(f, group_fact(g));
	tell(f, goal_fact(g));
}

void fleet_group(struct fleet *f, int64_t id, enum group_kind kind)
{
	struct fleet_group *g = &f->groups[f->group_count++];

	*g = (struct fleet_group){ .id = id, .kind = kind, .atomic = true };
	fleet_tell_group(f, g);
}

void fleet_meet(struct fleet *f, int64_t presenter, int64_t verifier)
{
	f->meets[f->meet_count++] = (struct fleet_meet){ presenter, verifier };
	tell(f, (struct fact){ .kind = FACT_MEET, .meet = { presenter, verifier, true } });
}

void fleet_part(struct fleet *f, int64_t presenter, int64_t verifier)
{
	for (size_t i = 0; i < f->meet_count; i++) {
		if (f->meets[i].presenter == presenter && f->meets[i].verifier == verifier)
			f->meets[i--] = f->meets[--f->meet_count];
	}
	tell(f, (struct fact){ .kind = FACT_MEET, .meet = { presenter, verifier, false } });
}

struct fleet_ca *fleet_find_ca(struct fleet *f, int64_t id)
{
	for (size_t i = 0; i < f->ca_count; i++) {
		if (f->cas[i].id == id)
			return &f->cas[i];
	}
	return NULL;
}

void fleet_tell_ca(struct fleet *f, const struct fleet_ca *c)
{
	tell(f, ca_fact(c));
}

struct fleet_ca *fleet_ca(struct fleet *f, int64_t id, int64_t authority)
{
	return fleet_ca_with(f, id, authority, 100 + id);
}

struct fleet_ca *fleet_ca_with(struct fleet *f, int64_t id, int64_t authority, int64_t cert)
{
	struct fleet_ca *c = &f->cas[f->ca_count++];
	bool first = true;

	for (size_t i = 0; i + 1 < f->ca_count; i++)
		first = first && f->cas[i].authority != authority;
	*c = (struct fleet_ca){ .id = id, .authority = authority, .cert = cert, .order = id,
				.anchors = { { cert }, 1 }, .wanted = true, .signing = first,
				.can_sign = true, .not_before = f->now - MSEC_HOUR,
				.not_after = f->now + 10 * FLEET_LIFE };
	for (size_t i = 0; i + 1 < f->ca_count; i++)
		c->paused = c->paused || (f->cas[i].authority == authority && f->cas[i].paused);
	fleet_tell_ca(f, c);
	return c;
}

struct fleet_ca *fleet_ca_below(struct fleet *f, int64_t id, int64_t authority, int64_t issuer)
{
	struct fleet_ca *c = fleet_ca(f, id, authority);

	c->issuer = issuer;
	c->anchors = fleet_find_ca(f, issuer)->anchors;
	fleet_tell_ca(f, c);
	return c;
}

void fleet_distrust(struct fleet *f, int64_t ca)
{
	struct fleet_ca *c = fleet_find_ca(f, ca);

	c->distrusted = true;
	c->wanted = false;
	fleet_tell_ca(f, c);
}

void fleet_want(struct fleet *f, int64_t ca, bool wanted)
{
	struct fleet_ca *c = fleet_find_ca(f, ca);

	c->wanted = wanted;
	c->retired = c->retired && !wanted;
	fleet_tell_ca(f, c);
}

void fleet_goal(struct fleet *f, int64_t group, int64_t authority)
{
	struct fleet_group *g = fleet_find_group(f, group);

	ids_put(&g->authorities, authority);
	fleet_tell_group(f, g);
}

void fleet_ungoal(struct fleet *f, int64_t group, int64_t authority)
{
	struct fleet_group *g = fleet_find_group(f, group);

	ids_cut(&g->authorities, authority);
	fleet_tell_group(f, g);
}

void fleet_goal_cert(struct fleet *f, int64_t group, int64_t cert)
{
	struct fleet_group *g = fleet_find_group(f, group);

	ids_put(&g->certs, cert);
	fleet_tell_group(f, g);
}

void fleet_pause(struct fleet *f, int64_t authority, bool on)
{
	for (size_t i = 0; i < f->ca_count; i++) {
		if (f->cas[i].authority == authority)
			f->cas[i].paused = on;
	}
	tell(f, (struct fact){ .kind = FACT_PAUSED, .paused = { authority, on } });
}

void fleet_hold_at_deadline(struct fleet *f, int64_t authority, bool on)
{
	for (size_t i = 0; i < f->ca_count; i++) {
		if (f->cas[i].authority == authority)
			f->cas[i].holds = on;
	}
	tell(f, (struct fact){ .kind = FACT_ON_DEADLINE, .on_deadline = { authority, on } });
}

void fleet_external(struct fleet *f, int64_t authority, bool awaited)
{
	for (size_t i = 0; i < f->ca_count; i++) {
		if (f->cas[i].authority != authority)
			continue;
		f->cas[i].external = true;
		f->cas[i].awaited = awaited;
	}
	tell(f, (struct fact){ .kind = FACT_EXTERNAL, .external = { authority, awaited } });
}

void fleet_grace(struct fleet *f, int64_t authority, int64_t target, msec_t until)
{
	for (size_t i = 0; i < f->ca_count; i++) {
		if (f->cas[i].authority != authority)
			continue;
		f->cas[i].grace_until = until;
		f->cas[i].grace_target = target;
	}
	tell(f, (struct fact){ .kind = FACT_GRACE, .grace = { authority, target, until } });
}

void fleet_hold(struct fleet *f, bool on)
{
	f->hold = on;
	tell(f, (struct fact){ .kind = FACT_HOLD, .hold = { on } });
}

struct fact *fleet_policy(struct fleet *f, int64_t deployment)
{
	for (size_t i = 0; i < f->policy_count; i++) {
		if (f->policies[i].id == deployment)
			return &f->policies[i].rolling;
	}
	struct fleet_policy *p = &f->policies[f->policy_count++];

	*p = (struct fleet_policy){ deployment, { .kind = FACT_ROLLING, .rolling = { .deployment = deployment } } };
	return &p->rolling;
}

struct fact *fleet_rollout(struct fleet *f, int64_t authority)
{
	for (size_t i = 0; i < f->rollout_count; i++) {
		if (f->rollouts[i].authority == authority)
			return &f->rollouts[i].rollout;
	}
	struct fleet_rollout *r = &f->rollouts[f->rollout_count++];

	*r = (struct fleet_rollout){ authority, { .kind = FACT_ROLLOUT, .rollout = { .authority = authority } } };
	return &r->rollout;
}

void fleet_tell(struct fleet *f, const struct fact *fact)
{
	tell(f, *fact);
}

void fleet_deploy(struct fleet *f, int64_t group, int64_t deployment)
{
	fleet_find_group(f, group)->deployment = deployment;
	fleet_tell_group(f, fleet_find_group(f, group));
}

void fleet_switch_all(struct fleet *f, int64_t authority, bool on)
{
	fleet_rollout(f, authority)->rollout.switch_all = on;
	fleet_tell(f, fleet_rollout(f, authority));
}

struct fleet_target *fleet_find(struct fleet *f, int64_t id)
{
	for (size_t i = 0; i < f->target_count; i++) {
		if (f->targets[i].id == id)
			return &f->targets[i];
	}
	fail_msg("no target %d", (int)id);
	return NULL;
}

struct fleet_target *fleet_target(struct fleet *f, int64_t id, int64_t group, int64_t authority)
{
	struct fleet_target *t = &f->targets[f->target_count++];

	*t = (struct fleet_target){ .id = id, .group = group, .authority = authority, .instance = 1000 + id,
				    .state = TARGET_JOINING, .next_generation = 1, .real = CONTENT_NONE,
				    .alive_until = f->now + MSEC_DAY };
	tell_target_to(f->view, t);
	return t;
}

bool fleet_gone(struct fleet *f, int64_t target)
{
	for (size_t i = 0; i < f->target_count; i++) {
		if (f->targets[i].id == target)
			return false;
	}
	return true;
}

void fleet_state(struct fleet *f, int64_t target, enum target_state state)
{
	struct fleet_target *t = fleet_find(f, target);

	t->state = state;
	tell(f, target_fact(t));
}

void fleet_lease(struct fleet *f, int64_t target, msec_t until)
{
	struct fleet_target *t = fleet_find(f, target);

	t->lease_until = until;
	tell(f, target_fact(t));
}

void fleet_leave(struct fleet *f, int64_t target)
{
	struct fleet_target *t = fleet_find(f, target);

	t->state = TARGET_LEFT;
	tell(f, target_fact(t));
	*t = f->targets[--f->target_count];
}

/* -- contents ------------------------------------------------------------------------------ */

struct fleet_content *fleet_content(struct fleet *f, int64_t id)
{
	assert_true(id > 0 && (size_t)id <= f->content_count);
	return &f->contents[id - 1];
}

void fleet_tell_content(struct fleet *f, const struct fleet_content *c)
{
	tell(f, content_fact(c));
}

static struct fleet_content *content_new(struct fleet *f, bool is_chain)
{
	struct fleet_content *c = &f->contents[f->content_count++];

	assert_true(f->content_count < FLEET_CONTENTS);
	*c = (struct fleet_content){ .id = (int64_t)f->content_count, .is_chain = is_chain };
	return c;
}

int64_t fleet_chain(struct fleet *f, int64_t signed_by, int64_t anchor)
{
	struct fleet_content *c = content_new(f, true);

	c->signed_by = signed_by;
	if (anchor)
		ids_put(&c->ids, anchor);
	c->not_before = f->now - (msec_t)LIMIT_SKEW_S * MSEC_S;
	c->not_after = f->now + FLEET_LIFE;
	c->renew_at = f->now + FLEET_LIFE * 2 / 3;
	fleet_tell_content(f, c);
	return c->id;
}

static bool same_certs(const struct fleet_content *c, const int64_t *certs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!ids_contain(&c->ids, certs[i]))
			return false;
	}
	return !c->is_chain && c->ids.count == count;
}

int64_t fleet_set(struct fleet *f, const int64_t *certs, size_t count)
{
	struct fleet_content *c = NULL;

	for (size_t i = 0; i < f->content_count && !c; i++) {
		if (same_certs(&f->contents[i], certs, count))
			c = &f->contents[i];
	}
	if (!c) {
		c = content_new(f, false);
		for (size_t i = 0; i < count; i++)
			ids_put(&c->ids, certs[i]);
	}
	fleet_tell_content(f, c);
	return c->id;
}

/* -- acts ---------------------------------------------------------------------------------- */

static void drop_document(struct fleet *f, struct fleet_target *t, int64_t generation)
{
	size_t n = 0;

	for (size_t i = 0; i < t->doc_count; i++) {
		assert_true(t->docs[i].generation != generation || !t->docs[i].handed);
		if (t->docs[i].generation != generation)
			t->docs[n++] = t->docs[i];
	}
	t->doc_count = n;
	tell(f, (struct fact){ .kind = FACT_DROPPED, .dropped = { t->id, generation } });
}

static void send(struct fleet *f, const struct act *act, int64_t content)
{
	struct fleet_target *t = fleet_find(f, act->target);
	int64_t generation = t->next_generation++;

	if (act->replaces)
		drop_document(f, t, act->replaces);
	assert_true(t->doc_count < FLEET_DOCS);
	t->docs[t->doc_count++] = (struct fleet_doc){ generation, content, false };
	tell(f, (struct fact){ .kind = FACT_SENT, .sent = { t->id, generation, content } });
	if (act->kind != ACT_SEND_CHAIN || t->staged != content)
		return;
	t->staged = 0;
	tell(f, (struct fact){ .kind = FACT_STAGED, .staged = { t->id, content, false } });
}

/* The same leaf with the cross certificate, or without. */
static int64_t other_form(struct fleet *f, const struct act *act)
{
	const struct fleet_content was = *fleet_content(f, act->chain);
	const struct fleet_ca *ca = fleet_find_ca(f, was.signed_by);
	struct fleet_content *c = fleet_content(f, fleet_chain(f, was.signed_by, 0));
	bool bridged = act->form == CHAIN_BRIDGED;
	int64_t id = c->id;

	*c = was;
	c->id = id;
	c->ids = bridged ? ca->bridge_anchors : ca->anchors;
	c->bridged_by = bridged ? ca->bridge_by : 0;
	if (bridged && ca->bridge_until < c->not_after)
		c->not_after = ca->bridge_until;
	fleet_tell_content(f, c);
	return id;
}

static void send_chain(struct fleet *f, const struct act *act)
{
	struct fleet_target *t = fleet_find(f, act->target);

	send(f, act, act->form == CHAIN_AS_IS ? act->chain : other_form(f, act));
	if (t->staged != act->chain)
		return;
	t->staged = 0;
	tell(f, (struct fact){ .kind = FACT_STAGED, .staged = { t->id, act->chain, false } });
}

static void move_label(struct fleet *f, const struct act *act)
{
	for (size_t i = 0; i < f->ca_count; i++) {
		struct fleet_ca *c = &f->cas[i];

		if (c->authority != act->authority || c->signing == (c->id == act->ca))
			continue;
		c->signing = c->id == act->ca;
		fleet_tell_ca(f, c);
	}
}

static void take_back(struct fleet *f, struct fleet_target *t, int64_t generation)
{
	int64_t content = t->docs[t->doc_count - 1].content;

	assert_int_equal(t->docs[t->doc_count - 1].generation, generation);
	drop_document(f, t, generation);
	if (fleet_content(f, content)->is_chain)
		fleet_stage(f, t->id, content);
}

static void carry_out(struct fleet *f, const struct act *act)
{
	struct fleet_target *t = act->target ? fleet_find(f, act->target) : NULL;

	switch (act->kind) {
	case ACT_SEND_SET: send(f, act, fleet_set(f, act->certs.items, act->certs.count)); break;
	case ACT_SEND_CHAIN: send_chain(f, act); break;
	case ACT_SIGNING: move_label(f, act); break;
	case ACT_ASK:
		t->asked = act->ca;
		tell(f, (struct fact){ .kind = FACT_ASKED, .asked = { t->id, t->asked } });
		break;
	case ACT_TAKE_BACK: take_back(f, t, act->replaces); break;
	case ACT_ADMIT:
		t->state = TARGET_COUNTED;
		tell(f, target_fact(t));
		break;
	case ACT_LEAVE: fleet_leave(f, act->target); break;
	case ACT_ROTATE:
		fleet_find_ca(f, act->ca)->renewing = true;
		fleet_tell_ca(f, fleet_find_ca(f, act->ca));
		break;
	case ACT_RETIRE_DONE:
		fleet_find_ca(f, act->ca)->retired = true;
		fleet_tell_ca(f, fleet_find_ca(f, act->ca));
		break;
	}
}

size_t fleet_step(struct fleet *f)
{
	struct troth_err e = { 0 };

	arena_reset(f->a);
	engine_step(f->view, &f->policy, f->now, f->a, &f->plan);
	if (rc_failed(plan_check(f->view, &f->plan, &e)))
		fail_msg("%s", e.primary);
	for (size_t i = 0; i < f->plan.act_count; i++)
		carry_out(f, &f->plan.acts[i]);
	f->acts_done += f->plan.act_count;
	return f->plan.act_count;
}

void fleet_run(struct fleet *f)
{
	for (int i = 0; fleet_step(f); i++)
		assert_true(i < 100); /* acts without observation must end */
}

/* -- what happens -------------------------------------------------------------------------- */

void fleet_stage(struct fleet *f, int64_t target, int64_t chain)
{
	struct fleet_target *t = fleet_find(f, target);

	t->staged = chain;
	tell(f, (struct fact){ .kind = FACT_STAGED, .staged = { target, chain, true } });
}

bool fleet_issue(struct fleet *f, int64_t target)
{
	struct fleet_target *t = fleet_find(f, target);
	int64_t chain;

	if (!t->asked)
		return false;
	chain = fleet_chain(f, t->asked, 0);
	fleet_content(f, chain)->ids = fleet_find_ca(f, t->asked)->anchors;
	fleet_tell_content(f, fleet_content(f, chain));
	fleet_stage(f, target, chain);
	t->asked = 0;
	tell(f, (struct fact){ .kind = FACT_ASKED, .asked = { target, 0 } });
	return true;
}

bool fleet_lose(struct fleet *f, int64_t target)
{
	struct fleet_target *t = fleet_find(f, target);
	struct fleet_doc *d = t->doc_count ? &t->docs[t->doc_count - 1] : NULL;

	if (!d)
		return false;
	d->handed = true;
	tell(f, (struct fact){ .kind = FACT_HANDED, .handed = { target, d->generation } });
	return true;
}

bool fleet_hand(struct fleet *f, int64_t target)
{
	struct fleet_target *t = fleet_find(f, target);
	struct fleet_doc *d = t->doc_count ? &t->docs[t->doc_count - 1] : NULL;

	if (!d || t->inbox_generation == d->generation)
		return false;
	(void)fleet_lose(f, target); /* there is a document: it is handed */
	t->inbox = d->content;
	t->inbox_generation = d->generation;
	return true;
}

static void keep_old(struct fleet_target *t, int64_t content)
{
	if (t->drain_count < FLEET_IDS)
		t->drains[t->drain_count++] = content;
}

/* Files replaced one by one: for a moment only what is in both is there. */
static void half_written(struct fleet *f, struct fleet_target *t)
{
	int64_t both[FLEET_IDS];
	size_t n = 0;

	for (size_t i = 0; i < fleet_content(f, t->inbox)->ids.count; i++) {
		int64_t cert = fleet_content(f, t->inbox)->ids.items[i];

		if (fleet_holds_cert(f, t->id, cert))
			both[n++] = cert;
	}
	keep_old(t, fleet_set(f, both, n));
}

bool fleet_load(struct fleet *f, int64_t target)
{
	struct fleet_target *t = fleet_find(f, target);
	const struct fleet_group *g = fleet_find_group(f, t->group);

	if (t->inbox_generation <= t->real_high)
		return false; /* A1 */
	keep_old(t, t->real);
	if (g->kind == GROUP_STORE && !g->atomic)
		half_written(f, t);
	t->real = t->inbox;
	t->real_generation = t->real_high = t->inbox_generation;
	return true;
}

static void settle_rows(struct fleet_target *t)
{
	size_t n = 0;

	t->known = true;
	t->strange = false;
	t->base = t->real;
	t->base_generation = t->real_generation;
	t->high = t->real_high;
	for (size_t i = 0; i < t->doc_count; i++) {
		if (t->docs[i].generation > t->high)
			t->docs[n++] = t->docs[i];
	}
	t->doc_count = n;
}

void fleet_report(struct fleet *f, int64_t target)
{
	struct fleet_target *t = fleet_find(f, target);

	t->drain_count = 0; /* A5: reported only when the old workers are gone */
	settle_rows(t);
	if (t->failed && t->base == t->failed)
		t->failed = t->failures = 0;
	tell(f, seen_fact(t));
	tell(f, (struct fact){ .kind = FACT_FAILED, .failed = { target, t->failed, t->failures } });
}

/* A reload that failed: put back before the report (A3). */
bool fleet_fail(struct fleet *f, int64_t target)
{
	struct fleet_target *t = fleet_find(f, target);

	if (t->inbox_generation <= t->real_high)
		return false;
	t->failures = t->failed == t->inbox ? t->failures + 1 : 1;
	t->failed = t->inbox;
	t->real_high = t->inbox_generation; /* h: it will not load it any more */
	fleet_report(f, target);
	return true;
}

void fleet_settle(struct fleet *f, int64_t target)
{
	(void)fleet_hand(f, target); /* nothing to hand: nothing to load */
	if (fleet_load(f, target))
		fleet_report(f, target);
}

static bool settle_once(struct fleet *f)
{
	bool changed = false;

	fleet_run(f);
	for (size_t i = 0; i < f->target_count; i++) {
		int64_t id = f->targets[i].id;

		if (fleet_find_group(f, f->targets[i].group)->outside)
			continue; /* it does nothing that it is told */
		changed = fleet_issue(f, id) || changed;
		changed = fleet_hand(f, id) || changed;
		if (fleet_load(f, id)) {
			fleet_report(f, id);
			changed = true;
		}
	}
	return changed;
}

void fleet_settle_all(struct fleet *f)
{
	for (int i = 0; settle_once(f); i++)
		assert_true(i < 100);
	fleet_assert_same(f);
}

void fleet_void(struct fleet *f, int64_t target)
{
	struct fleet_target *t = fleet_find(f, target);

	t->known = t->strange = false;
	t->base = t->base_generation = t->high = 0;
	t->doc_count = 0;
	t->inbox_generation = t->inbox = 0;
	tell(f, (struct fact){ .kind = FACT_VOID, .voided = { target } });
}

void fleet_foreign(struct fleet *f, int64_t target, int64_t content)
{
	struct fleet_target *t = fleet_find(f, target);

	fleet_void(f, target);
	t->strange = true;
	t->real = content;
	tell(f, seen_fact(t));
}

static void set_alive(struct fleet *f, int64_t target, msec_t until)
{
	struct fleet_target *t = fleet_find(f, target);

	t->alive_until = until;
	tell(f, (struct fact){ .kind = FACT_ALIVE, .alive = { t->instance, until } });
}

void fleet_offline(struct fleet *f, int64_t target) { set_alive(f, target, 0); }
void fleet_online(struct fleet *f, int64_t target) { set_alive(f, target, f->now + MSEC_DAY); }

void fleet_count_as(struct fleet *f, int64_t target, int64_t content)
{
	struct fleet_target *t = fleet_find(f, target);

	t->real = content;
	t->real_generation = t->real_high = t->next_generation++;
	t->state = TARGET_COUNTED;
	tell(f, target_fact(t));
	fleet_report(f, target);
}

struct fleet_target *fleet_holder(struct fleet *f, int64_t id, int64_t group, int64_t authority, int64_t chain)
{
	struct fleet_group *g = fleet_find_group(f, group);

	g->outside = true;
	fleet_tell_group(f, g);
	(void)fleet_target(f, id, group, authority);
	fleet_count_as(f, id, chain);
	return fleet_find(f, id);
}

void fleet_take(struct fleet *f, int64_t target, int64_t chain)
{
	struct fleet_target *t = fleet_find(f, target);
	int64_t generation = t->next_generation++;

	t->drains[t->drain_count++] = t->real; /* the old one may be shown still */
	t->real = chain;
	t->real_generation = t->real_high = generation;
	t->docs[t->doc_count++] = (struct fleet_doc){ generation, chain, true };
	tell(f, (struct fact){ .kind = FACT_SENT, .sent = { target, generation, chain } });
	tell(f, (struct fact){ .kind = FACT_HANDED, .handed = { target, generation } });
}

void fleet_later(struct fleet *f, msec_t by)
{
	f->now += by;
	for (size_t i = 0; i < f->target_count; i++) {
		if (f->targets[i].alive_until)
			set_alive(f, f->targets[i].id, f->targets[i].alive_until + by);
	}
	view_clock(f->view, f->now);
}

/* -- asking -------------------------------------------------------------------------------- */

bool fleet_holds_cert(struct fleet *f, int64_t target, int64_t cert)
{
	int64_t real = fleet_find(f, target)->real;

	return real > 0 && ids_contain(&fleet_content(f, real)->ids, cert);
}

int64_t fleet_newest(struct fleet *f, int64_t target)
{
	const struct fleet_target *t = fleet_find(f, target);

	return t->doc_count ? t->docs[t->doc_count - 1].content : t->base;
}

int64_t fleet_signer_of(struct fleet *f, int64_t target)
{
	int64_t real = fleet_find(f, target)->real;

	return real > 0 ? fleet_content(f, real)->signed_by : 0;
}

static bool accepts(struct fleet *f, int64_t chain, int64_t set)
{
	const struct fleet_content *c = chain > 0 ? fleet_content(f, chain) : NULL;
	const struct fleet_content *w = set > 0 ? fleet_content(f, set) : NULL;

	for (size_t i = 0; c && w && i < c->ids.count && c->not_after > f->now; i++) {
		if (ids_contain(&w->ids, c->ids.items[i]))
			return true;
	}
	return false;
}

bool fleet_meets_ok(struct fleet *f, int64_t slot, int64_t store)
{
	const struct fleet_target *p = fleet_find(f, slot), *v = fleet_find(f, store);

	for (size_t i = 0; i <= p->drain_count; i++) {
		for (size_t j = 0; j <= v->drain_count; j++) {
			if (!accepts(f, i ? p->drains[i - 1] : p->real, j ? v->drains[j - 1] : v->real))
				return false;
		}
	}
	return true;
}

const struct wait *fleet_wait(struct fleet *f, enum wait_reason reason, int64_t target, int64_t other)
{
	for (size_t i = 0; i < f->plan.wait_count; i++) {
		const struct wait *w = &f->plan.waits[i];

		if (w->reason == reason && (!target || w->target == target) &&
		    (!other || w->other_target == other))
			return w;
	}
	return NULL;
}

static struct fleet *settled(int levels)
{
	struct fleet *f = fleet_new();

	fleet_group(f, 1, GROUP_STORE);
	fleet_group(f, 2, GROUP_SLOT);
	fleet_meet(f, 2, 1);
	fleet_ca(f, 1, 5);
	if (levels > 1)
		fleet_ca_below(f, 31, 7, 1);
	fleet_goal(f, 1, 5);
	for (int64_t id = 11; id <= 12; id++)
		fleet_target(f, id, 1, 0);
	for (int64_t id = 21; id <= 22; id++)
		fleet_target(f, id, 2, levels > 1 ? 7 : 5);
	fleet_settle_all(f);
	for (size_t i = 0; i < f->target_count; i++)
		assert_int_equal(f->targets[i].state, TARGET_COUNTED);
	f->acts_done = 0;
	return f;
}

struct fleet *fleet_usual(void) { return settled(1); }
struct fleet *fleet_two_levels(void) { return settled(2); }

struct fleet *fleet_rotating(void)
{
	struct fleet *f = fleet_usual();

	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	return f;
}
