/* Facts and plans as nobody sends them: in any order, about things nobody introduced, again, and half wrong.
 *
 * The view must stay whole (counters as recounted), a step must end and pass the second opinion, asking
 * twice must give one answer, and plan_check must live through any plan.  Some worlds have hashes that
 * collide all the time, so that the tables' chains are walked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdlib.h>

#include "engine/view.h"
#include "fleet.h"

enum { WORLDS = 600, FACTS = 400, FORECASTS_EACH = 12 /* of so many worlds one is looked ahead of: that takes long */ };

struct storm {
	struct view *v;
	struct arena *a;
	uint64_t random, seed;
	msec_t now;
	int64_t lists[16][4];
	size_t list;
};

static uint64_t draw(struct storm *s, uint64_t below)
{
	uint64_t x = s->random += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (x ^ (x >> 31)) % below;
}

static int64_t id(struct storm *s, uint64_t below) { return (int64_t)draw(s, below); }
static bool maybe(struct storm *s) { return draw(s, 2); }
static bool rarely(struct storm *s) { return draw(s, 8) == 0; }

/* Not sorted, with repeats; valid until sixteen others were made. */
static struct id_list list(struct storm *s, int64_t first, uint64_t below)
{
	int64_t *items = s->lists[s->list++ % 16];
	size_t n = draw(s, 4);

	for (size_t i = 0; i < n; i++)
		items[i] = first + id(s, below);
	return (struct id_list){ items, n };
}

static msec_t moment(struct storm *s)
{
	static const msec_t steps[] = { -400 * MSEC_DAY, -MSEC_DAY, -MSEC_HOUR, -2 * MSEC_MIN, 0, MSEC_MIN, MSEC_HOUR, MSEC_DAY,
					40 * MSEC_DAY, 400 * MSEC_DAY };

	return s->now + steps[draw(s, ARRAY_LEN(steps))];
}

/* -- facts ------------------------------------------------------------------------------------ */

static struct fact declared(struct storm *s, enum fact_kind kind)
{
	struct fact f = { .kind = kind };

	if (kind == FACT_GROUP) {
		f.group.group = 1 + id(s, 5);
		f.group.kind = f.group.group % 2 ? GROUP_STORE : GROUP_SLOT;
		if (rarely(s))
			f.group.kind = GROUP_STORE;
		f.group.role = ROLE_IS_SERVER;
		f.group.atomic = maybe(s);
		f.group.store_limit = rarely(s) ? 1 + id(s, 2) : 0;
		f.group.outside = f.group.kind == GROUP_SLOT && rarely(s);
		f.group.deployment = f.group.outside ? 0 : 7;
	} else if (kind == FACT_MEET) {
		f.meet.presenter_group = id(s, 6);
		f.meet.verifier_group = id(s, 6);
		f.meet.on = !rarely(s);
	} else if (kind == FACT_CA) {
		int64_t ca = id(s, 7);

		f.ca.ca = ca;
		f.ca.authority = rarely(s) ? id(s, 3) : 5 + ca % 2;
		f.ca.cert = 101 + (rarely(s) ? id(s, 3) : ca);
		f.ca.leaf_anchors = list(s, 101, 7);
		f.ca.order = id(s, 4);
		f.ca.wanted = maybe(s);
		f.ca.signing = maybe(s);
		f.ca.can_sign = !rarely(s);
		f.ca.distrusted = rarely(s);
		f.ca.retired = rarely(s);
		f.ca.not_before = moment(s);
		f.ca.not_after = moment(s);
		f.ca.renew_at = rarely(s) ? moment(s) : 0;
		f.ca.renew_latest = rarely(s) ? moment(s) : 0;
		f.ca.renewing = rarely(s);
		f.ca.by_hand = rarely(s);
		f.ca.issuer = rarely(s) ? id(s, 7) : 0;
		f.ca.issued = rarely(s) ? moment(s) : 0;
	} else if (kind == FACT_GOAL) {
		f.goal.group = id(s, 6);
		f.goal.authorities = list(s, 4, 4);
		f.goal.certs = list(s, 101, 7);
	} else if (kind == FACT_PAUSED) {
		f.paused.authority = rarely(s) ? 0 : 5 + id(s, 2);
		f.paused.on = rarely(s);
	} else if (kind == FACT_ROLLING) {
		f.rolling.deployment = 7;
		f.rolling.max_unavailable = (int64_t)draw(s, 4);
		f.rolling.canary = rarely(s) ? 1 + (int64_t)draw(s, 2) : 0;
		f.rolling.pause = rarely(s) ? MSEC_HOUR : 0;
		f.rolling.settled_at = moment(s);
		f.rolling.stopped = rarely(s);
		f.rolling.manual = rarely(s);
		f.rolling.windowed = rarely(s);
		f.rolling.open = maybe(s);
		f.rolling.until = moment(s);
	} else if (kind == FACT_ROLLOUT) {
		f.rollout.authority = rarely(s) ? 0 : 5 + id(s, 2);
		f.rollout.switch_all = maybe(s);
		f.rollout.unapproved = (unsigned)draw(s, 8);
		f.rollout.everywhere = (unsigned)draw(s, 8);
	} else if (kind == FACT_ON_DEADLINE) {
		f.on_deadline.authority = rarely(s) ? 0 : 5 + id(s, 2);
		f.on_deadline.hold = maybe(s);
	} else if (kind == FACT_EXTERNAL) {
		f.external.authority = rarely(s) ? 0 : 5 + id(s, 2);
		f.external.awaited = rarely(s);
	} else if (kind == FACT_GRACE) {
		f.grace.authority = rarely(s) ? 0 : 5 + id(s, 2);
		f.grace.target = rarely(s) ? 0 : 11 + id(s, 8);
		f.grace.until = moment(s);
	} else {
		f.hold.on = rarely(s) && rarely(s);
	}
	return f;
}

static struct fact content(struct storm *s, enum fact_kind kind)
{
	struct fact f = { .kind = kind };

	if (kind == FACT_SET) {
		f.set.set = 20 + id(s, 8);
		f.set.certs = list(s, 101, 7);
		return f;
	}
	f.chain.chain = 20 + id(s, 8);
	f.chain.signed_by = id(s, 7);
	f.chain.anchors = list(s, 101, 7);
	f.chain.not_before = moment(s);
	f.chain.not_after = moment(s);
	f.chain.renew_at = maybe(s) ? 0 : moment(s);
	f.chain.distrusted = rarely(s);
	f.chain.issued = rarely(s) ? moment(s) : 0;
	return f;
}

static int64_t some_content(struct storm *s)
{
	return rarely(s) ? CONTENT_NONE : rarely(s) ? 0 : 20 + id(s, 8);
}

static struct fact of_target(struct storm *s, enum fact_kind kind)
{
	static const enum target_state states[] = { TARGET_JOINING, TARGET_COUNTED, TARGET_COUNTED, TARGET_COUNTED,
							TARGET_LEFT, TARGET_LEAVING, TARGET_IGNORED };
	struct fact f = { .kind = kind };
	int64_t t = 11 + id(s, 8);

	switch (kind) {
	case FACT_TARGET:
		f.target.target = t;
		f.target.group = rarely(s) ? id(s, 6) : 1 + t % 4;
		f.target.instance = rarely(s) ? id(s, 3) : t;
		f.target.authority = rarely(s) ? 0 : 5 + id(s, 2);
		f.target.state = states[draw(s, ARRAY_LEN(states))];
		f.target.lease_until = rarely(s) ? moment(s) : 0;
		break;
	case FACT_ALIVE:
		f.alive.instance = rarely(s) ? id(s, 3) : t;
		f.alive.alive_until = rarely(s) ? ALIVE_ALWAYS : maybe(s) ? s->now + MSEC_DAY : moment(s);
		break;
	case FACT_SENT: f.sent.target = t, f.sent.generation = id(s, 8), f.sent.content = some_content(s); break;
	case FACT_HANDED: f.handed.target = t, f.handed.generation = id(s, 8); break;
	case FACT_DROPPED: f.dropped.target = t, f.dropped.generation = id(s, 8); break;
	case FACT_SEEN:
		f.seen.target = t;
		f.seen.content = some_content(s);
		f.seen.generation = id(s, 8);
		f.seen.high_water = f.seen.generation + (rarely(s) ? id(s, 3) - 1 : 0);
		break;
	case FACT_VOID: f.voided.target = t; break;
	case FACT_STAGED: f.staged.target = t, f.staged.chain = some_content(s), f.staged.on = maybe(s); break;
	case FACT_PACE: f.pace.target = t, f.pace.length = rarely(s) ? 0 : id(s, 1000) * MSEC_S; break;
	case FACT_ASKED: f.asked.target = t, f.asked.ca = id(s, 7); break;
	default: f.failed.target = t, f.failed.content = some_content(s), f.failed.count = id(s, 5); break;
	}
	return f;
}

static struct fact any_fact(struct storm *s)
{
	static const enum fact_kind declares[] = { FACT_GROUP, FACT_MEET, FACT_CA, FACT_GOAL, FACT_PAUSED, FACT_HOLD,
						   FACT_ON_DEADLINE, FACT_GRACE, FACT_EXTERNAL, FACT_ROLLING, FACT_ROLLOUT };
	static const enum fact_kind happens[] = { FACT_ALIVE, FACT_TARGET, FACT_TARGET, FACT_SENT, FACT_HANDED, FACT_DROPPED,
						  FACT_SEEN, FACT_SEEN, FACT_VOID, FACT_STAGED, FACT_ASKED, FACT_FAILED, FACT_PACE };

	switch (draw(s, 5)) {
	case 0: return declared(s, declares[draw(s, ARRAY_LEN(declares))]);
	case 1: return content(s, maybe(s) ? FACT_SET : FACT_CHAIN);
	default: return of_target(s, happens[draw(s, ARRAY_LEN(happens))]);
	}
}

/* -- asking ------------------------------------------------------------------------------------- */

static void tell_disagreement(struct storm *s, const struct plan *plan, const struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(1 << 20);

	view_dump(s->v, &out);
	(void)fputs(buf_text(&out), stderr);
	for (size_t i = 0; i < plan->act_count; i++) {
		const struct act *act = &plan->acts[i];

		(void)fprintf(stderr, "act %s target %" PRId64 " chain %" PRId64 " replaces %" PRId64 " ca %" PRId64 " certs", act_kind_name(act->kind),
			      act->target, act->chain, act->replaces, act->ca);
		for (size_t k = 0; k < act->certs.count; k++)
			(void)fprintf(stderr, " %" PRId64, act->certs.items[k]);
		(void)fputs("\n", stderr);
	}
	fail_msg("seed %" PRIu64 ": the second opinion refuses the step: %s", s->seed, e->primary);
}

static void step_twice(struct storm *s)
{
	struct engine_policy policy = { .waits_each = draw(s, 3) };
	struct plan plan, again;
	struct troth_err e = { 0 };

	arena_reset(s->a);
	engine_step(s->v, maybe(s) ? &policy : NULL, s->now, s->a, &plan);
	engine_step(s->v, NULL, s->now, s->a, &again);
	engine_step(s->v, NULL, s->now, s->a, &plan);
	assert_int_equal(plan.act_count, again.act_count);
	assert_int_equal(plan.wait_count, again.wait_count);
	if (rc_failed(plan_check(s->v, &plan, &e)))
		tell_disagreement(s, &plan, &e);
	for (size_t i = 0; i < plan.wait_count; i++)
		assert_non_null(wait_reason_name(plan.waits[i].reason));
}

static struct act any_act(struct storm *s)
{
	struct act act = { .kind = 1 + draw(s, 12), .target = 10 + id(s, 10), .certs = list(s, 101, 7), .chain = some_content(s),
			   .replaces = maybe(s) ? 0 : id(s, 8), .authority = 4 + id(s, 4), .ca = id(s, 8) };

	act.certs = ids_sorted(s->a, act.certs);
	if (maybe(s))
		act.shed = ids_sorted(s->a, list(s, 11, 8));
	return act;
}

/* Refused or not: it ends, and says why. */
static void check_any_plan(struct storm *s)
{
	struct act acts[3];
	struct plan plan = { .acts = acts, .act_count = 1 + draw(s, 3) };
	struct troth_err e = { 0 };

	for (size_t i = 0; i < plan.act_count; i++)
		acts[i] = any_act(s);
	if (rc_failed(plan_check(s->v, &plan, &e)))
		assert_true(e.primary[0] != 0);
}

static void assert_whole(struct storm *s, const struct fact *f)
{
	char text[300] = "";

	if (!view_check(s->v, text, sizeof(text)))
		fail_msg("seed %" PRIu64 ", after a fact of kind %d: %s", s->seed, (int)f->kind, text);
}

static void ask_everything(struct storm *s)
{
	struct wait why;
	struct progress progress;
	struct breakage breakage;

	for (int64_t t = 10; t < 20; t++) {
		bool yes = view_admissible(s->v, t, NULL);

		why = (struct wait){ 0 };
		assert_int_equal(view_admissible(s->v, t, &why), yes);
		assert_true(yes || why.speaker != 0);
	}
	for (int64_t a = 4; a < 8; a++)
		engine_progress(s->v, a, s->a, &progress);
	engine_breakage(s->v, list(s, 0, 8), draw(s, 4), s->a, &breakage);
	assert_true(breakage.pair_count <= breakage.breaks && breakage.doubtful_count <= breakage.doubts);
}

/* The last thing that is done with a view: a forecast uses it up. */
static void look_ahead(struct storm *s)
{
	static const msec_t far[] = { MSEC_HOUR, 10 * MSEC_DAY, 100 * MSEC_DAY };
	struct engine_policy policy = { 0 };
	struct forecast forecast;

	arena_reset(s->a);
	engine_forecast(s->v, maybe(s) ? &policy : NULL, s->now, s->now + far[draw(s, ARRAY_LEN(far))], s->a, &forecast);
	for (size_t i = 0; i < forecast.count; i++) {
		assert_non_null(moment_kind_name(forecast.moments[i].kind));
		assert_true(forecast.moments[i].at <= forecast.moments[i].last);
		assert_true(i == 0 || forecast.moments[i - 1].at <= forecast.moments[i].at);
	}
}

static void blow(uint64_t seed, uint64_t hash_mask)
{
	struct storm s = { .v = view_new(), .a = arena_new((size_t)1 << 28), .random = seed * 7919, .seed = seed, .now = FLEET_NOW };

	s.v->hash_mask = hash_mask;
	view_clock(s.v, s.now);
	for (int i = 0; i < FACTS; i++) {
		struct fact f = any_fact(&s);

		(void)view_apply(s.v, &f); /* taken or not: both are right for some of them */
		assert_whole(&s, &f);
		if (i % 4 == 0)
			step_twice(&s);
		if (i % 4 == 1)
			check_any_plan(&s);
		if (i % 16 == 2)
			ask_everything(&s);
		if (rarely(&s))
			s.now = moment(&s) / MSEC_MIN * MSEC_MIN;
	}
	if (seed % FORECASTS_EACH == 0)
		look_ahead(&s);
	arena_free(s.a);
	view_free(s.v);
}

static void nothing_that_is_told_breaks_the_view(void **state)
{
	const char *many = getenv("TROTH_STORMS");

	for (uint64_t seed = 1; seed <= (many ? strtoull(many, NULL, 10) : WORLDS); seed++)
		blow(seed, UINT64_MAX);
}

static void colliding_hashes_change_nothing(void **state)
{
	for (uint64_t seed = 1; seed <= WORLDS / 4; seed++)
		blow(seed, seed % 3); /* of some hashes a bit or two is left, of others nothing */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_that_is_told_breaks_the_view),
		cmocka_unit_test(colliding_hashes_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
