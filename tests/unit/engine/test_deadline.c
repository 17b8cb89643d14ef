/* Rule D: chains that end, who is named for it, and who is left out at the last moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/step.h"
#include "fleet.h"

/* CA 1 ends in ninety days and with it every chain of it (they were clamped); CA 2 is wanted in its
 * place; store 12 is offline.  Everything that can be done without it is done. */
static struct fleet *fleet_late(void)
{
	struct fleet *f = fleet_usual();

	fleet_find_ca(f, 1)->not_after = f->now + FLEET_LIFE;
	fleet_tell_ca(f, fleet_find_ca(f, 1));
	for (int64_t id = 21; id <= 22; id++) {
		struct fleet_content *c = fleet_content(f, fleet_find(f, id)->base);

		c->issued = f->now;
		c->not_after = f->now + FLEET_LIFE;
		c->renew_at = 0;
		fleet_tell_content(f, c);
	}
	fleet_offline(f, 12);
	fleet_ca(f, 2, 5);
	fleet_find_ca(f, 2)->not_after = f->now + 10 * FLEET_LIFE;
	fleet_tell_ca(f, fleet_find_ca(f, 2));
	fleet_want(f, 1, false);
	fleet_run(f);
	fleet_settle(f, 11);
	fleet_run(f);
	return f;
}

/* When the slots' chains end, for the fastest clock; and so long before nobody is left out. */
static msec_t end_of(const struct fleet *f) { return FLEET_NOW + FLEET_LIFE - SKEW; }

static msec_t lead_of(const struct fleet *f)
{
	const struct target *t = target_find(f->view, 21);

	return deadline_lead(t->group, t->base);
}

static void to(struct fleet *f, msec_t at) { fleet_later(f, at - f->now); }

static const struct act *shed_act(const struct fleet *f)
{
	for (size_t i = 0; i < f->plan.act_count; i++) {
		if (f->plan.acts[i].shed.count)
			return &f->plan.acts[i];
	}
	return NULL;
}

/* 1 expires while one v is offline: at T - lead it alone is left out, and the others never notice. */
static void expiry_in_wait(void **state)
{
	struct fleet *f = fleet_late();

	assert_true(fleet_meets_ok(f, 21, 11) && fleet_meets_ok(f, 21, 12));
	to(f, end_of(f) - lead_of(f));
	assert_int_equal(fleet_step(f), 2); /* both are asked for a chain of CA 2 */
	assert_int_equal(f->plan.acts[0].kind, ACT_ASK);
	assert_int_equal(f->plan.acts[0].ca, 2);
	assert_int_equal(fleet_step(f), 0);
	assert_true(fleet_issue(f, 21));
	assert_int_equal(fleet_step(f), 1);
	const struct act *act = shed_act(f);

	assert_non_null(act);
	assert_int_equal(act->kind, ACT_SEND_CHAIN);
	assert_int_equal(act->target, 21);
	assert_int_equal(act->shed.count, 1);
	assert_int_equal(act->shed.items[0], 12);
	assert_int_equal(act->deadline, end_of(f));
	fleet_settle(f, 21);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	assert_true(fleet_meets_ok(f, 21, 11));
	assert_false(fleet_meets_ok(f, 21, 12)); /* named, and only this */
	assert_true(fleet_issue(f, 22));
	fleet_run(f);
	fleet_settle(f, 22);
	fleet_assert_same(f);
	to(f, FLEET_NOW + FLEET_LIFE + SKEW);
	fleet_online(f, 12); /* it comes back, and is healed */
	fleet_settle_all(f);
	assert_true(fleet_meets_ok(f, 21, 12) && fleet_meets_ok(f, 22, 12));
	fleet_free(f);
}

/* A store that would be ready before the lead is not left out; a moment earlier nothing is done, and the step is
 * woken for it. */
static void shed_too_early(void **state)
{
	struct fleet *f = fleet_late();

	to(f, end_of(f) - lead_of(f) - 1);
	assert_int_equal(fleet_step(f), 0);
	assert_int_equal(f->plan.next_wake, f->now + 1);
	fleet_online(f, 12);
	fleet_run(f);
	fleet_settle(f, 12); /* just in time */
	fleet_later(f, 1);
	fleet_run(f);
	assert_null(shed_act(f));
	assert_true(fleet_issue(f, 21));
	fleet_run(f);
	assert_null(shed_act(f));
	fleet_settle_all(f);
	assert_true(fleet_meets_ok(f, 21, 12) && fleet_meets_ok(f, 22, 12));
	fleet_free(f);
}

static void who_holds_rather_than_sheds(void **state)
{
	struct fleet *f = fleet_late();

	fleet_hold_at_deadline(f, 5, true);
	fleet_assert_same(f);
	to(f, end_of(f) - MSEC_MIN);
	assert_int_equal(fleet_step(f), 0);
	assert_non_null(fleet_wait(f, WAIT_DEADLINE, 21, 12));
	fleet_hold_at_deadline(f, 5, false);
	assert_int_equal(fleet_step(f), 2);
	fleet_free(f);
}

/* From a quarter of its life, at most three days, before its end each slot is named with the store that holds it up. */
static void named_before_it_breaks(void **state)
{
	struct fleet *f = fleet_late();
	msec_t named = FLEET_NOW + FLEET_LIFE - LIMIT_ENDING_S * MSEC_S;

	to(f, named - 1);
	assert_int_equal(fleet_step(f), 0);
	assert_null(fleet_wait(f, WAIT_DEADLINE, 0, 0));
	assert_int_equal(f->plan.next_wake, named);
	to(f, named);
	assert_int_equal(fleet_step(f), 0);
	for (int64_t id = 21; id <= 22; id++) {
		const struct wait *w = fleet_wait(f, WAIT_DEADLINE, id, 12);

		assert_non_null(w);
		assert_int_equal(w->speaker, SPEAKER_TIME);
		assert_string_equal(w->rule, "D");
		assert_int_equal(w->breaks, end_of(f));
		assert_int_equal(w->cause, WAIT_NOT_TRUSTED);
		assert_int_equal(w->ca, 2);
	}
	assert_null(fleet_wait(f, WAIT_DEADLINE, 0, 11));
	assert_true(named < end_of(f) - 2 * lead_of(f)); /* two leads before it at the latest */
	fleet_free(f);
}

static enum wait_reason cause_of(struct fleet *f, int64_t slot)
{
	assert_int_equal(fleet_step(f), 0);
	const struct wait *w = fleet_wait(f, WAIT_DEADLINE, slot, 0);

	return w ? w->cause : 0;
}

/* What of the slot itself is in the way. */
static void a_slot_that_holds_itself_up(void **state)
{
	struct fleet *f = fleet_late();

	to(f, end_of(f) - MSEC_DAY);
	assert_int_equal(cause_of(f, 21), WAIT_NOT_TRUSTED);
	fleet_offline(f, 21);
	assert_int_equal(cause_of(f, 21), WAIT_OFFLINE);
	fleet_online(f, 21);
	fleet_void(f, 21);
	assert_int_equal(cause_of(f, 21), 0); /* nothing is known to end there; it is waited for as unknown */
	assert_non_null(fleet_wait(f, WAIT_UNKNOWN, 21, 0));
	fleet_free(f);
}

static void one_that_was_sent_and_does_not_load(void **state)
{
	struct fleet *f = fleet_late();

	fleet_online(f, 12);
	fleet_run(f);
	fleet_settle(f, 12);
	fleet_run(f);
	assert_true(fleet_find(f, 21)->asked == 2);
	to(f, end_of(f) - MSEC_DAY);
	assert_int_equal(cause_of(f, 21), WAIT_CSR);
	assert_true(fleet_issue(f, 21));
	fleet_run(f);
	assert_int_equal(cause_of(f, 21), WAIT_NOT_FETCHED);
	assert_true(fleet_hand(f, 21));
	assert_int_equal(cause_of(f, 21), WAIT_NOT_LOADED);
	for (int i = 0; i < LIMIT_APPLY_FAILURES; i++) {
		(void)fleet_hand(f, 21);
		assert_true(fleet_fail(f, 21));
		fleet_run(f);
	}
	assert_int_equal(cause_of(f, 21), WAIT_FAILING);
	fleet_free(f);
}

/* No successor at all: its CA ends, and nobody else can sign. */
static void nobody_could_sign(void **state)
{
	struct fleet *f = fleet_late();

	fleet_want(f, 2, false);
	fleet_want(f, 1, true);
	fleet_settle(f, 11);
	to(f, end_of(f) - MSEC_DAY);
	fleet_run(f);
	assert_int_equal(cause_of(f, 21), WAIT_NO_SIGNER);
	assert_int_equal(fleet_find(f, 21)->asked, 0); /* the old CA could give it nothing: it is not asked in vain */
	fleet_free(f);
}

/* Where the old CA can still give a chain that lives longer, nobody is left out: it is renewed. */
static void renewal_under_the_old_one_comes_first(void **state)
{
	struct fleet *f = fleet_late();

	fleet_find_ca(f, 1)->not_after = f->now + 5 * FLEET_LIFE;
	fleet_tell_ca(f, fleet_find_ca(f, 1));
	for (int64_t id = 21; id <= 22; id++) {
		fleet_content(f, fleet_find(f, id)->base)->renew_at = end_of(f) - MSEC_MIN;
		fleet_tell_content(f, fleet_content(f, fleet_find(f, id)->base));
	}
	to(f, end_of(f) - MSEC_MIN);
	assert_int_equal(fleet_step(f), 2);
	assert_int_equal(f->plan.acts[0].kind, ACT_ASK);
	assert_int_equal(f->plan.acts[0].ca, 1);
	assert_true(fleet_issue(f, 21));
	fleet_run(f);
	assert_null(shed_act(f));
	fleet_free(f);
}

/* A successor that ends no later is no reason to leave anybody out. */
static void nothing_is_gained(void **state)
{
	struct fleet *f = fleet_late();

	fleet_find_ca(f, 2)->not_after = f->now + FLEET_LIFE;
	fleet_tell_ca(f, fleet_find_ca(f, 2));
	to(f, end_of(f) - MSEC_MIN);
	assert_int_equal(fleet_step(f), 0);
	fleet_free(f);
}

/* The lead follows what was measured, for the slowest; it is never more than an eighth of the life. */
static void the_lead_is_measured(void **state)
{
	struct fleet *f = fleet_late();
	msec_t margin = LIMIT_LEAD_MARGIN_S * MSEC_S, unmeasured = LIMIT_RELOAD_S * MSEC_S;

	assert_int_equal(lead_of(f), margin + 4 * unmeasured);
	fleet_find(f, 21)->pace = 3 * MSEC_S;
	fleet_find(f, 22)->pace = MSEC_S;
	fleet_find(f, 11)->pace = 100 * MSEC_S;
	for (int64_t id = 21; id <= 22; id++)
		fleet_tell_target(f, fleet_find(f, id));
	fleet_tell_target(f, fleet_find(f, 11));
	fleet_assert_same(f);
	assert_int_equal(lead_of(f), margin + 2 * (4 + 128) * MSEC_S); /* in powers of two */
	fleet_leave(f, 11);
	assert_int_equal(lead_of(f), margin + 2 * (4 * MSEC_S + unmeasured));
	struct fleet_content *c = fleet_content(f, fleet_find(f, 21)->base);

	c->issued = c->not_after - 80 * MSEC_S;
	fleet_tell_content(f, c);
	assert_int_equal(lead_of(f), 10 * MSEC_S);
	assert_int_equal(pace_ceiling(MSEC_DAY * 365), MSEC_S << (PACE_BUCKETS - 1));
	fleet_assert_same(f);
	fleet_free(f);
}

/* The clock steps to the deadline and back: nothing was left out that would not be; nothing is forgotten. */
static void clock_steps_are_harmless(void **state)
{
	struct fleet *f = fleet_late();

	to(f, end_of(f) - MSEC_DAY);
	assert_int_equal(cause_of(f, 21), WAIT_NOT_TRUSTED);
	to(f, FLEET_NOW);
	assert_int_equal(fleet_step(f), 0);
	assert_null(fleet_wait(f, WAIT_DEADLINE, 0, 0));
	fleet_assert_same(f);
	to(f, end_of(f) - MSEC_DAY);
	assert_int_equal(cause_of(f, 21), WAIT_NOT_TRUSTED);
	fleet_assert_same(f);
	fleet_free(f);
}

static bool refused(struct fleet *f, struct act act)
{
	struct plan plan = { .acts = &act, .act_count = 1 };
	struct troth_err e = { 0 };

	view_clock(f->view, f->now);
	return rc_failed(plan_check(f->view, &plan, &e));
}

/* The second opinion has its own. */
static void the_second_opinion_agrees(void **state)
{
	struct fleet *f = fleet_late();
	int64_t chain = fleet_chain(f, 2, 102), late[] = { 12 }, both[] = { 11, 12 }, wrong[] = { 11 }, more[] = { 12, 22 };
	struct act act = { .kind = ACT_SEND_CHAIN, .target = 21, .chain = chain, .shed = { late, 1 } };

	fleet_content(f, chain)->not_after = f->now + 5 * FLEET_LIFE;
	fleet_tell_content(f, fleet_content(f, chain));
	fleet_stage(f, 21, chain);
	to(f, end_of(f) - lead_of(f) - 1);
	assert_true(refused(f, act)); /* too early */
	fleet_later(f, 1);
	assert_false(refused(f, act));
	act.shed = (struct id_list){ both, 2 };
	assert_true(refused(f, act)); /* 11 accepts it */
	act.shed = (struct id_list){ wrong, 1 };
	assert_true(refused(f, act));
	act.shed = (struct id_list){ more, 2 };
	assert_true(refused(f, act)); /* 22 is no store of it */
	act.shed = (struct id_list){ NULL, 0 };
	assert_true(refused(f, act)); /* silently */
	act.shed = (struct id_list){ late, 1 };
	fleet_hold_at_deadline(f, 5, true);
	assert_true(refused(f, act));
	fleet_hold_at_deadline(f, 5, false);
	fleet_content(f, chain)->not_after = FLEET_NOW + FLEET_LIFE;
	fleet_tell_content(f, fleet_content(f, chain));
	assert_true(refused(f, act)); /* no time is gained */
	fleet_free(f);
}

/* An expired CA goes from the goal when another is wanted beside it, not before the chains that need it. */
static void an_expired_ca_leaves_like_any_other(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_find_ca(f, 1)->not_after = f->now + MSEC_DAY;
	fleet_tell_ca(f, fleet_find_ca(f, 1));
	fleet_run(f);
	fleet_later(f, MSEC_DAY + SKEW);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 11)->doc_count, 0); /* the last one stays */
	fleet_ca(f, 2, 5);
	fleet_find_ca(f, 2)->not_after = f->now + 10 * FLEET_LIFE;
	fleet_tell_ca(f, fleet_find_ca(f, 2));
	fleet_run(f);
	fleet_settle(f, 11);
	assert_true(fleet_holds_cert(f, 11, 101) && fleet_holds_cert(f, 11, 102)); /* the slots need it still */
	fleet_settle_all(f);
	assert_false(fleet_holds_cert(f, 11, 101));
	fleet_free(f);
}

/* Held outside the fleet: named when the newest that its owner has ends. */
static void a_holder_outside_is_named(void **state)
{
	struct fleet *f = fleet_late();

	fleet_find_group(f, 2)->outside = true;
	fleet_tell_group(f, fleet_find_group(f, 2));
	fleet_tell_target(f, fleet_find(f, 21));
	to(f, end_of(f) - MSEC_DAY);
	assert_int_equal(cause_of(f, 21), WAIT_OUTSIDE);
	fleet_free(f);
}

static bool asked_for_2(const struct fleet *f, int64_t target)
{
	for (size_t i = 0; i < f->plan.act_count; i++) {
		if (f->plan.acts[i].kind == ACT_ASK && f->plan.acts[i].target == target && f->plan.acts[i].ca == 2)
			return true;
	}
	return false;
}

/* Who signed what it serves is not known, or cannot sign any more: nothing can give it more time, so the late are left out. */
static void a_chain_of_nobody_has_no_time(void **state)
{
	struct fleet *f = fleet_late();
	int64_t chain = fleet_chain(f, 999, 101);

	fleet_content(f, chain)->not_after = FLEET_NOW + FLEET_LIFE;
	fleet_content(f, chain)->renew_at = 0;
	fleet_tell_content(f, fleet_content(f, chain));
	fleet_count_as(f, 21, chain);
	to(f, end_of(f) - MSEC_MIN);
	(void)fleet_step(f);
	assert_true(asked_for_2(f, 21));
	fleet_free(f);
}

static void a_ca_that_cannot_sign_has_no_time(void **state)
{
	struct fleet *f = fleet_late();

	fleet_find_ca(f, 1)->not_after = FLEET_NOW + 5 * FLEET_LIFE;
	fleet_tell_ca(f, fleet_find_ca(f, 1));
	to(f, end_of(f) - MSEC_MIN);
	(void)fleet_step(f);
	assert_false(asked_for_2(f, 21)); /* a renewal would help */
	fleet_find_ca(f, 1)->can_sign = false;
	fleet_tell_ca(f, fleet_find_ca(f, 1));
	(void)fleet_step(f);
	assert_true(asked_for_2(f, 21));
	fleet_free(f);
}

/* Signed by another, not valid now, or ending no later: nobody is left out for that, another is asked for. */
static void a_ready_chain_that_will_not_do(void **state)
{
	struct { int64_t signer, anchor; msec_t from, life; bool does; } cases[] = {
		{ 1, 101, 0, 5 * FLEET_LIFE, false },
		{ 2, 102, FLEET_LIFE, 5 * FLEET_LIFE, false },
		{ 2, 102, 0, FLEET_LIFE, false },
		{ 2, 102, 0, 5 * FLEET_LIFE, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fleet *f = fleet_late();
		int64_t chain = fleet_chain(f, cases[i].signer, cases[i].anchor);
		struct fleet_content *c = fleet_content(f, chain);

		c->not_before = FLEET_NOW + cases[i].from - SKEW;
		c->not_after = FLEET_NOW + cases[i].life;
		c->renew_at = 0;
		fleet_tell_content(f, c);
		to(f, end_of(f) - MSEC_MIN);
		fleet_stage(f, 21, chain);
		(void)fleet_step(f);
		assert_int_equal(asked_for_2(f, 21), !cases[i].does);
		assert_true(cases[i].does == (shed_act(f) != NULL));
		fleet_free(f);
	}
}

/* Two slots whose ends differ: the step is woken for the first of them, in whatever order they are looked at. */
static void woken_for_the_first(void **state)
{
	for (int64_t early = 21; early <= 22; early++) {
		struct fleet *f = fleet_late();
		struct fleet_content *c = fleet_content(f, fleet_find(f, early)->base);
		msec_t first;

		c->not_after -= MSEC_HOUR;
		fleet_tell_content(f, c);
		fleet_find_ca(f, 1)->not_after = c->not_after; /* it could give neither of them more */
		fleet_tell_ca(f, fleet_find_ca(f, 1));
		first = c->not_after - SKEW - lead_of(f);
		to(f, first - MSEC_MIN);
		assert_int_equal(fleet_step(f), 0);
		assert_int_equal(f->plan.next_wake, first);
		fleet_later(f, MSEC_MIN);
		(void)fleet_step(f);
		assert_true(asked_for_2(f, early));
		assert_false(asked_for_2(f, 43 - early));
		fleet_free(f);
	}
}

/* Its CA ends with what the slot has: though a renewal is due, it could give it nothing. */
static void nobody_is_asked_in_vain(void **state)
{
	struct fleet *f = fleet_late();

	for (int64_t id = 21; id <= 22; id++) {
		fleet_content(f, fleet_find(f, id)->base)->renew_at = end_of(f) - 10 * MSEC_DAY;
		fleet_tell_content(f, fleet_content(f, fleet_find(f, id)->base));
	}
	to(f, end_of(f) - MSEC_DAY);
	assert_int_equal(fleet_step(f), 0);
	assert_int_equal(fleet_find(f, 21)->asked, 0);
	fleet_free(f);
}

/* The act of the_second_opinion_agrees, at the lead that was measured. */
static void the_second_opinion_measures(void **state)
{
	struct fleet *f = fleet_late();
	int64_t chain = fleet_chain(f, 2, 102), late[] = { 12 };
	struct act act = { .kind = ACT_SEND_CHAIN, .target = 21, .chain = chain, .shed = { late, 1 } };

	fleet_content(f, chain)->not_after = f->now + 5 * FLEET_LIFE;
	fleet_tell_content(f, fleet_content(f, chain));
	fleet_stage(f, 21, chain);
	fleet_find(f, 21)->pace = 300 * MSEC_S;
	fleet_find(f, 11)->pace = 900 * MSEC_S;
	fleet_find(f, 12)->pace = MSEC_S;
	for (size_t i = 0; i < f->target_count; i++)
		fleet_tell_target(f, &f->targets[i]);
	to(f, end_of(f) - lead_of(f) - 1);
	assert_true(refused(f, act));
	fleet_later(f, 1);
	assert_false(refused(f, act));
	fleet_free(f);
}

/* What is on its way lives longer: there is time yet.  Who has nothing has no end that could be near. */
static void the_second_opinion_on_what_is_pending(void **state)
{
	struct fleet *f = fleet_late();
	int64_t chain = fleet_chain(f, 2, 102), longer = fleet_chain(f, 1, 101), late[] = { 12 };
	struct act act = { .kind = ACT_SEND_CHAIN, .target = 21, .chain = chain, .shed = { late, 1 } };
	struct fleet_target *t = fleet_find(f, 21);

	fleet_content(f, chain)->not_after = f->now + 5 * FLEET_LIFE;
	fleet_content(f, longer)->not_after = f->now + 2 * FLEET_LIFE;
	fleet_tell_content(f, fleet_content(f, chain));
	fleet_tell_content(f, fleet_content(f, longer));
	to(f, end_of(f) - lead_of(f));
	assert_false(refused(f, act));
	t->docs[t->doc_count++] = (struct fleet_doc){ t->next_generation++, longer, true };
	fleet_tell_target(f, t);
	assert_true(refused(f, act)); /* too early */
	fleet_target(f, 23, 2, 5);
	fleet_count_as(f, 23, CONTENT_NONE);
	fleet_find(f, 23)->docs[0] = (struct fleet_doc){ fleet_find(f, 23)->next_generation++, fleet_find(f, 22)->base, true };
	fleet_find(f, 23)->doc_count = 1;
	fleet_tell_target(f, fleet_find(f, 23));
	act.target = 23;
	assert_false(refused(f, act));
	fleet_target(f, 24, 2, 0); /* nobody's slot: no authority's deadline */
	fleet_count_as(f, 24, fleet_find(f, 22)->base);
	act.target = 24;
	assert_true(refused(f, act));
	fleet_free(f);
}

/* One list for many is looked at once, as far as they are alike; another is not taken for it. */
static void the_second_opinion_on_many(void **state)
{
	struct fleet *f = fleet_late();
	int64_t chain = fleet_chain(f, 2, 102), lists[][2] = { { 12 }, { 11 }, { 12, 13 } };
	struct act acts[2] = { { .kind = ACT_SEND_CHAIN, .target = 21, .chain = chain, .shed = { lists[0], 1 } },
			       { .kind = ACT_SEND_CHAIN, .target = 22, .chain = chain, .shed = { lists[0], 1 } } };
	struct plan plan = { .acts = acts, .act_count = 2 };
	struct troth_err e = { 0 };

	fleet_content(f, chain)->not_after = f->now + 5 * FLEET_LIFE;
	fleet_tell_content(f, fleet_content(f, chain));
	to(f, end_of(f) - MSEC_MIN);
	assert_true(rc_ok(plan_check(f->view, &plan, &e)));
	acts[1].shed.items = lists[1];
	assert_true(rc_failed(plan_check(f->view, &plan, &e)));
	acts[0].shed.items = acts[1].shed.items = lists[2];
	acts[1].shed.count = 2; /* 13 is nobody */
	assert_true(rc_failed(plan_check(f->view, &plan, &e)));
	acts[0].shed.items = acts[1].shed.items = lists[0];
	acts[1].shed.count = 1;
	acts[0].shed.items = lists[0];
	fleet_group(f, 3, GROUP_SLOT); /* meets nobody: it leaves nobody out */
	fleet_target(f, 31, 3, 5);
	fleet_count_as(f, 31, fleet_find(f, 22)->base);
	acts[1].target = 31;
	assert_true(rc_failed(plan_check(f->view, &plan, &e)));
	assert_non_null(strstr(e.primary, "does not meet"));
	acts[1].target = 22;
	fleet_content(f, fleet_find(f, 22)->base)->ids.items[0] = 102; /* another history: accepted by nobody so far, */
	fleet_tell_content(f, fleet_content(f, fleet_find(f, 22)->base));
	assert_true(rc_failed(plan_check(f->view, &plan, &e))); /* so there is nobody to be left out */
	int64_t other[] = { 22 };

	acts[0].shed.items = other; /* no store of it, and the one that refuses is not in it */
	assert_true(rc_failed(plan_check(f->view, &plan, &e)));
	assert_non_null(strstr(e.primary, "does not name"));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expiry_in_wait),
		cmocka_unit_test(shed_too_early),
		cmocka_unit_test(who_holds_rather_than_sheds),
		cmocka_unit_test(named_before_it_breaks),
		cmocka_unit_test(a_slot_that_holds_itself_up),
		cmocka_unit_test(one_that_was_sent_and_does_not_load),
		cmocka_unit_test(nobody_could_sign),
		cmocka_unit_test(renewal_under_the_old_one_comes_first),
		cmocka_unit_test(nothing_is_gained),
		cmocka_unit_test(the_lead_is_measured),
		cmocka_unit_test(clock_steps_are_harmless),
		cmocka_unit_test(the_second_opinion_agrees),
		cmocka_unit_test(an_expired_ca_leaves_like_any_other),
		cmocka_unit_test(a_holder_outside_is_named),
		cmocka_unit_test(a_chain_of_nobody_has_no_time),
		cmocka_unit_test(a_ca_that_cannot_sign_has_no_time),
		cmocka_unit_test(a_ready_chain_that_will_not_do),
		cmocka_unit_test(woken_for_the_first),
		cmocka_unit_test(nobody_is_asked_in_vain),
		cmocka_unit_test(the_second_opinion_measures),
		cmocka_unit_test(the_second_opinion_on_what_is_pending),
		cmocka_unit_test(the_second_opinion_on_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
