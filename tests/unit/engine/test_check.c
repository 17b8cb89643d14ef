/* The second opinion: each wrong plan is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/limits.h"
#include "fleet.h"

static bool refused(struct fleet *f, struct act act)
{
	struct plan plan = { .acts = &act, .act_count = 1 };
	struct troth_err e = { 0 };
	troth_rc rc = plan_check(f->view, &plan, &e);

	assert_true(rc_ok(rc) || e.kind == TROTH_UNSAFE);
	return rc_failed(rc);
}

#define CERTS(...) { (const int64_t[]){ __VA_ARGS__ }, sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t) }

static void an_empty_plan_is_fine(void **state)
{
	struct fleet *f = fleet_usual();
	struct plan plan = { 0 };

	assert_true(rc_ok(plan_check(f->view, &plan, NULL)));
	fleet_free(f);
}

static void sets_that_break_a_pair(void **state)
{
	struct fleet *f = fleet_rotating();

	assert_false(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(101, 102) }));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(102) }));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11 }));
	fleet_free(f);
}

static void sets_with_strangers(void **state)
{
	struct fleet *f = fleet_rotating();
	struct fleet_ca *c = fleet_find_ca(f, 2);

	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(101, 999) }));
	c->distrusted = true;
	fleet_tell_ca(f, c);
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(101, 102) }));
	fleet_find_group(f, 1)->limit = 1;
	fleet_goal_cert(f, 1, 901);
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(101, 901) }));
	fleet_free(f);
}

static void chains_that_break_a_pair(void **state)
{
	struct fleet *f = fleet_rotating();
	int64_t old = fleet_chain(f, 1, 101), new = fleet_chain(f, 2, 102), late = fleet_chain(f, 1, 101);

	fleet_content(f, late)->not_after = f->now;
	fleet_tell_content(f, fleet_content(f, late));
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 21, .chain = old }));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 21, .chain = new }));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 21, .chain = late }));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 21, .chain = 9999 }));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 11, .chain = old }));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 9999, .chain = old }));
	fleet_void(f, 12);
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 21, .chain = old }));
	fleet_free(f);
}

/* Section 10, said a second time. */
static void nothing_distrusted(void **state)
{
	struct fleet *f = fleet_rotating();
	int64_t old = fleet_chain(f, 1, 101), leaf = fleet_chain(f, 2, 102), above = fleet_chain(f, 9, 101);

	fleet_settle(f, 11);
	fleet_distrust(f, 1);
	fleet_content(f, leaf)->distrusted = true;
	fleet_tell_content(f, fleet_content(f, leaf));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 21, .chain = old }));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 21, .chain = leaf }));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 21, .chain = above }));
	assert_true(refused(f, (struct act){ .kind = ACT_ASK, .target = 21, .ca = 1 }));
	assert_false(refused(f, (struct act){ .kind = ACT_ASK, .target = 21, .ca = 2 }));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(101, 102) }));
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11 })); /* what it has, less that */
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(102) }));
	fleet_free(f);
}

/* Only the distrusted may leave without rule S: not another one with it. */
static void nothing_else_goes_with_it(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_group(f, 3, GROUP_SLOT);
	fleet_meet(f, 3, 1);
	fleet_ca(f, 8, 6);
	fleet_goal(f, 1, 6);
	fleet_target(f, 31, 3, 6);
	fleet_settle_all(f);
	fleet_distrust(f, 1);
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11 }));
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(108) }));
	fleet_free(f);
}

/* Nobody begins with what is distrusted. */
static void no_newcomer_with_it(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_target(f, 13, 1, 0);
	fleet_run(f);
	assert_true(fleet_hand(f, 13) && fleet_load(f, 13));
	fleet_report(f, 13);
	assert_false(refused(f, (struct act){ .kind = ACT_ADMIT, .target = 13 }));
	fleet_distrust(f, 1);
	assert_true(refused(f, (struct act){ .kind = ACT_ADMIT, .target = 13 }));
	fleet_free(f);
}

static void nothing_for_the_unknown_or_silent(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_void(f, 11);
	fleet_offline(f, 12);
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(101, 102) }));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 12, .certs = CERTS(101, 102) }));
	fleet_free(f);
}

static void nothing_that_was_handed_is_taken_back(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	assert_true(fleet_hand(f, 11));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(101, 102),
			.replaces = fleet_find(f, 11)->docs[0].generation }));
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 12, .certs = CERTS(101),
			.replaces = fleet_find(f, 12)->docs[0].generation }));
	for (int i = 0; i < LIMIT_PENDING_DOCUMENTS; i++) {
		fleet_ca(f, 10 + i, 5);
		fleet_run(f);
		(void)fleet_lose(f, 11); /* handed out, never seen */
	}
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(101, 102) }));
	fleet_free(f);
}

static void ends_and_labels(void **state)
{
	struct fleet *f = fleet_rotating();

	assert_true(refused(f, (struct act){ .kind = ACT_RETIRE_DONE, .ca = 1 }));
	assert_true(refused(f, (struct act){ .kind = ACT_RETIRE_DONE, .ca = 99 }));
	fleet_find_ca(f, 1)->signing = false;
	fleet_find_ca(f, 2)->signing = true;
	fleet_tell_ca(f, fleet_find_ca(f, 1));
	fleet_tell_ca(f, fleet_find_ca(f, 2));
	assert_true(refused(f, (struct act){ .kind = ACT_RETIRE_DONE, .ca = 1 })); /* slots serve its chains */
	assert_true(refused(f, (struct act){ .kind = ACT_SIGNING, .ca = 1 }));
	assert_false(refused(f, (struct act){ .kind = ACT_SIGNING, .ca = 2 }));
	assert_true(refused(f, (struct act){ .kind = ACT_ASK, .target = 99, .ca = 1 }));
	assert_false(refused(f, (struct act){ .kind = ACT_ASK, .target = 21, .ca = 2 }));
	fleet_free(f);
}

static void admissions(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_target(f, 13, 1, 0);
	assert_true(refused(f, (struct act){ .kind = ACT_ADMIT, .target = 13 })); /* it has not spoken */
	assert_true(refused(f, (struct act){ .kind = ACT_ADMIT, .target = 11 })); /* it counts already */
	fleet_ca(f, 2, 5);
	struct fleet_target *t = fleet_target(f, 23, 2, 5);

	t->real = fleet_chain(f, 2, 102);
	fleet_report(f, 23);
	fleet_run(f); /* {1, 2} goes out to the stores: the newcomer may work first and ... no, it may not */
	assert_false(refused(f, (struct act){ .kind = ACT_ADMIT, .target = 23 }));
	fleet_free(f);
}

static void batches_are_of_one_kind(void **state)
{
	struct fleet *f = fleet_rotating();
	int64_t chain = fleet_chain(f, 1, 101);
	struct act acts[] = {
		{ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(101, 102) },
		{ .kind = ACT_SEND_CHAIN, .target = 21, .chain = chain },
	};
	struct act twice[] = { acts[0], acts[0] };
	struct plan mixed = { .acts = acts, .act_count = 2 }, doubled = { .acts = twice, .act_count = 2 };
	struct troth_err e = { 0 };

	assert_true(rc_failed(plan_check(f->view, &mixed, &e)));
	assert_true(rc_failed(plan_check(f->view, &doubled, &e)));
	fleet_free(f);
}

/* Half-written directories and expired chains are seen by it too. */
static void mixtures_and_expiry(void **state)
{
	struct fleet *f = fleet_rotating();
	int64_t bridged = fleet_chain(f, 1, 101);

	fleet_content(f, bridged)->ids = (struct fleet_ids){ { 101, 102 }, 2 };
	fleet_tell_content(f, fleet_content(f, bridged));
	fleet_count_as(f, 21, bridged);
	fleet_count_as(f, 22, bridged);
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(102) }));
	fleet_find_group(f, 1)->atomic = false;
	fleet_tell_group(f, fleet_find_group(f, 1));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(102) }));
	fleet_later(f, FLEET_LIFE + MSEC_HOUR);
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(102) }));
	fleet_free(f);
}

static bool two_refused(struct fleet *f)
{
	struct act acts[] = { { .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(101, 102) },
			      { .kind = ACT_SEND_SET, .target = 12, .certs = CERTS(101, 102) } };
	struct plan plan = { .acts = acts, .act_count = 2 };
	struct troth_err e = { 0 };

	return rc_failed(plan_check(f->view, &plan, &e)) && e.kind == TROTH_UNSAFE;
}

static void more_instances_than_may_change(void **state)
{
	struct fleet *f = fleet_rotating();
	struct fact *p = fleet_policy(f, 7);
	struct act one = { .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(101, 102) };

	fleet_deploy(f, 1, 7);
	assert_false(two_refused(f));
	p->rolling.max_unavailable = 1;
	fleet_tell(f, p);
	assert_true(two_refused(f));
	assert_false(refused(f, one));
	fleet_find(f, 12)->failed = fleet_find(f, 12)->base;
	fleet_find(f, 12)->failures = 1;
	fleet_tell_target(f, fleet_find(f, 12));
	assert_false(refused(f, one)); /* the other went back to what it ran, and nothing is on its way */
	fleet_find(f, 12)->failures = LIMIT_APPLY_FAILURES;
	fleet_tell_target(f, fleet_find(f, 12));
	assert_true(refused(f, one)); /* that is trouble */
	fleet_offline(f, 12);
	assert_false(refused(f, one)); /* but silent: it holds no place */
	fleet_online(f, 12);
	fleet_find(f, 12)->instance = fleet_find(f, 11)->instance;
	fleet_tell_target(f, fleet_find(f, 12));
	assert_false(two_refused(f)); /* one and the same instance */
	fleet_free(f);
}

static void instances_that_may_not_begin(void **state)
{
	struct fleet *f = fleet_rotating();
	struct fact *p = fleet_policy(f, 7);
	struct act one = { .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(101, 102) };
	struct act ask = { .kind = ACT_ASK, .target = 21, .ca = 2 };

	fleet_deploy(f, 1, 7);
	p->rolling.stopped = true;
	fleet_tell(f, p);
	assert_true(refused(f, one));
	assert_false(refused(f, ask));
	p->rolling.stopped = false;
	p->rolling.windowed = p->rolling.open = true;
	p->rolling.until = f->now + 1;
	fleet_tell(f, p);
	assert_false(refused(f, one));
	p->rolling.until = f->now;
	fleet_tell(f, p);
	assert_true(refused(f, one));
	p->rolling.open = false;
	p->rolling.until = f->now + 1;
	fleet_tell(f, p);
	assert_true(refused(f, one));
	fleet_hold(f, true);
	assert_true(refused(f, ask));
	fleet_free(f);
}

/* Whose contents are foreign gets only what all that it meets accept, whoever makes the plan. */
static void a_foreign_target_gets_what_all_accept(void **state)
{
	struct fleet *f = fleet_rotating();
	int64_t now = fleet_chain(f, 2, 102), old = fleet_chain(f, 1, 101);
	struct act chain = { .kind = ACT_SEND_CHAIN, .target = 22, .chain = now };
	struct act set = { .kind = ACT_SEND_SET, .target = 12, .certs = CERTS(101, 102) };

	fleet_foreign(f, 22, now);
	assert_true(refused(f, chain)); /* both stores trust the old one */
	chain.chain = old;
	assert_false(refused(f, chain));
	fleet_offline(f, 12);
	assert_true(refused(f, chain));
	fleet_online(f, 12);
	fleet_offline(f, 22);
	assert_true(refused(f, chain));
	fleet_online(f, 22);
	fleet_foreign(f, 12, fleet_set(f, (const int64_t[]){ 107 }, 1));
	assert_true(refused(f, chain)); /* of neither side is known what it holds */
	assert_true(refused(f, set));
	fleet_count_as(f, 22, old);
	assert_false(refused(f, set));
	set.certs = (struct id_list)CERTS(102);
	assert_true(refused(f, set));
	set.certs = (struct id_list)CERTS(101, 102);
	fleet_find_group(f, 1)->atomic = false;
	fleet_tell_group(f, fleet_find_group(f, 1));
	assert_true(refused(f, set));
	fleet_void(f, 12);
	fleet_find_group(f, 1)->atomic = true;
	fleet_tell_group(f, fleet_find_group(f, 1));
	assert_true(refused(f, set)); /* not looked at yet */
	fleet_free(f);
}

/* No window and no stop holds what lives by a distrusted CA; places do. */
static void flight_needs_no_window(void **state)
{
	struct fleet *f = fleet_rotating();
	struct fact *p = fleet_policy(f, 7);
	struct act less = { .kind = ACT_SEND_SET, .target = 11 };
	int64_t now, both;

	fleet_settle_all(f);
	fleet_deploy(f, 1, 7);
	fleet_deploy(f, 2, 7);
	p->rolling.stopped = true;
	fleet_tell(f, p);
	now = fleet_chain(f, 2, 102);
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 21, .chain = now }));
	both = fleet_chain(f, 9, 0); /* of nobody we know, accepted by nobody */
	fleet_count_as(f, 22, both);
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 22, .chain = now }));
	fleet_ca(f, 3, 5)->distrusted = true;
	fleet_tell_ca(f, fleet_find_ca(f, 3));
	fleet_count_as(f, 22, fleet_chain(f, 3, 102)); /* signed by it, though accepted by another */
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 22, .chain = now }));
	fleet_count_as(f, 22, fleet_chain(f, 9, 103)); /* accepted by nothing else */
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 22, .chain = now }));
	fleet_count_as(f, 12, fleet_set(f, (const int64_t[]){ 102, 103 }, 2));
	less.target = 12;
	less.certs = (struct id_list)CERTS(102);
	assert_false(refused(f, less));
	fleet_count_as(f, 12, CONTENT_NONE);
	assert_true(refused(f, less));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 99 }));
	p->rolling.stopped = false;
	p->rolling.max_unavailable = 1;
	fleet_tell(f, p);
	fleet_find(f, 11)->failed = fleet_find(f, 11)->base;
	fleet_find(f, 11)->failures = LIMIT_APPLY_FAILURES;
	fleet_tell_target(f, fleet_find(f, 11));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 22, .chain = now }));
	fleet_free(f);
}

static void only_what_lies_on_the_table_is_taken_back(void **state)
{
	struct fleet *f = fleet_rotating();

	assert_true(refused(f, (struct act){ .kind = ACT_TAKE_BACK, .target = 99 }));
	assert_true(refused(f, (struct act){ .kind = ACT_TAKE_BACK, .target = 11 }));
	fleet_run(f);
	int64_t generation = fleet_find(f, 11)->docs[0].generation;
	assert_true(refused(f, (struct act){ .kind = ACT_TAKE_BACK, .target = 11, .replaces = generation + 1 }));
	assert_false(refused(f, (struct act){ .kind = ACT_TAKE_BACK, .target = 11, .replaces = generation }));
	(void)fleet_lose(f, 11);
	assert_true(refused(f, (struct act){ .kind = ACT_TAKE_BACK, .target = 11, .replaces = generation }));
	fleet_free(f);
}

static void nothing_is_sent_outside_the_fleet(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_group(f, 3, GROUP_SLOT);
	(void)fleet_holder(f, 31, 3, 5, fleet_chain(f, 1, 101));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 31, .chain = fleet_chain(f, 1, 101) }));
	fleet_free(f);
}

/* All that a holder may show counts, and nothing that has expired. */
static void a_holder_is_judged_by_what_it_may_show(void **state)
{
	struct fleet *f = fleet_rotating();
	int64_t brief;

	fleet_settle_all(f);
	fleet_group(f, 3, GROUP_SLOT);
	fleet_meet(f, 3, 1);
	(void)fleet_holder(f, 31, 3, 5, fleet_chain(f, 2, 102));
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(101, 102) }));
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(101) }));
	fleet_ca(f, 3, 5);
	fleet_run(f);
	fleet_settle(f, 11);
	brief = fleet_chain(f, 3, 103);
	fleet_content(f, brief)->not_after = f->now + MSEC_HOUR;
	fleet_tell_content(f, fleet_content(f, brief));
	fleet_take(f, 31, brief);
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(102) }));
	fleet_later(f, MSEC_DAY);
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(102) }));
	fleet_free(f);
}

/* Somebody it meets is unknown, the others would accept: only gains are let through. */
static void unknown_ones_want_gains(void **state)
{
	struct fleet *f = fleet_rotating();
	int64_t new = fleet_chain(f, 2, 102), both = fleet_set(f, (int64_t[]){ 101, 102 }, 2), again = fleet_chain(f, 1, 101);

	fleet_count_as(f, 12, both);
	fleet_count_as(f, 11, both);
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 21, .chain = new }));
	fleet_void(f, 11);
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 21, .chain = new }));
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 21, .chain = again }));
	fleet_count_as(f, 11, both);
	fleet_offline(f, 11);
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 21, .chain = new }));
	fleet_online(f, 11);
	fleet_count_as(f, 21, new);
	fleet_void(f, 22);
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 12, .certs = CERTS(102) }));
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 12, .certs = CERTS(101, 102) }));
	fleet_free(f);
}

/* A newcomer whose matrix is not in order, of either kind. */
static void newcomers_that_break_a_pair(void **state)
{
	struct fleet *f = fleet_rotating();
	int64_t both = fleet_set(f, (int64_t[]){ 101, 102 }, 2), new = fleet_chain(f, 2, 102);

	view_clock(f->view, f->now);
	for (int64_t id = 11; id <= 12; id++)
		fleet_count_as(f, id, both);
	fleet_stage(f, 21, new);
	(void)view_apply(f->view, &(struct fact){ .kind = FACT_SENT, .sent = { 21, 9, new } });
	fleet_target(f, 13, 1, 0)->real = fleet_set(f, (int64_t[]){ 101 }, 1);
	fleet_report(f, 13);
	assert_true(refused(f, (struct act){ .kind = ACT_ADMIT, .target = 13 })); /* 21 may come to serve what it refuses */
	fleet_find(f, 13)->real = both;
	fleet_report(f, 13);
	assert_false(refused(f, (struct act){ .kind = ACT_ADMIT, .target = 13 }));
	(void)view_apply(f->view, &(struct fact){ .kind = FACT_SENT, .sent = { 11, 9, fleet_set(f, (int64_t[]){ 102 }, 1) } });
	fleet_target(f, 23, 2, 5)->real = fleet_chain(f, 1, 101);
	fleet_report(f, 23);
	assert_true(refused(f, (struct act){ .kind = ACT_ADMIT, .target = 23 })); /* 11 may come to refuse what it serves */
	fleet_find(f, 23)->real = new;
	fleet_report(f, 23);
	assert_false(refused(f, (struct act){ .kind = ACT_ADMIT, .target = 23 }));
	fleet_free(f);
}

/* More different stores than a list has room for at first, more groups in a plan than that too; and one store among many
 * equal ones that would be broken is found. */
static void many_histories_are_all_tried(void **state)
{
	struct fleet *f = fleet_new();
	struct act acts[12];
	struct plan plan = { .acts = acts, .act_count = 12 };
	struct troth_err e = { 0 };
	int64_t chain[2];

	fleet_group(f, 1, GROUP_STORE);
	fleet_ca(f, 1, 5);
	fleet_ca(f, 2, 5);
	for (int64_t i = 0; i < 24; i++) { /* half of them alike */
		fleet_target(f, 100 + i, 1, 0);
		fleet_count_as(f, 100 + i, fleet_set(f, (int64_t[]){ 101, 102, i < 12 ? 200 + i : 300 }, 3));
	}
	view_clock(f->view, f->now);
	chain[0] = fleet_chain(f, 1, 101);
	chain[1] = fleet_chain(f, 2, 102);
	for (int64_t g = 0; g < 12; g++) {
		fleet_group(f, 2 + g, GROUP_SLOT);
		fleet_meet(f, 2 + g, 1);
		fleet_target(f, 20 + g, 2 + g, 5);
		fleet_count_as(f, 20 + g, chain[0]);
		acts[g] = (struct act){ .kind = ACT_SEND_CHAIN, .target = 20 + g, .chain = chain[1] };
	}
	if (rc_failed(plan_check(f->view, &plan, &e)))
		fail_msg("%s", e.primary);
	fleet_count_as(f, 111, fleet_set(f, (int64_t[]){ 101, 211 }, 2)); /* the last of the different ones */
	assert_true(rc_failed(plan_check(f->view, &plan, &e)));
	fleet_free(f);
}

static void nothing_is_withdrawn_in_a_grace(void **state)
{
	struct fleet *f = fleet_rotating();
	struct fleet_ca *ca = fleet_find_ca(f, 1);

	fleet_grace(f, 5, 12, f->now + MSEC_DAY);
	fleet_settle_all(f);
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(102) }));
	ca->distrusted = true;
	fleet_tell_ca(f, ca);
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(102) }));
	ca->distrusted = false;
	fleet_tell_ca(f, ca);
	fleet_later(f, MSEC_DAY);
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_SET, .target = 11, .certs = CERTS(102) }));
	fleet_free(f);
}

/* Both stores may hold {1,2}: of one that is its only document after who knows what. */
static void the_unknown_are_not_taken_for_the_known(void **state)
{
	for (int64_t unknown = 11; unknown <= 12; unknown++) {
		struct fleet *f = fleet_rotating();
		struct fleet_target *t = fleet_find(f, unknown);
		int64_t new = fleet_chain(f, 2, 102);

		fleet_run(f);
		fleet_settle(f, 23 - unknown);
		fleet_void(f, unknown);
		t->docs[t->doc_count++] = (struct fleet_doc){ t->next_generation++, fleet_set(f, (int64_t[]){ 101, 102 }, 2), true };
		fleet_tell_target(f, t);
		assert_true(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 21, .chain = new }));
		fleet_free(f);
	}
}

static void what_has_expired_is_nothing_to_lose(void **state)
{
	struct fleet *f = fleet_rotating();
	struct fleet_content *old;
	int64_t new;

	fleet_run(f);
	fleet_settle(f, 11);
	fleet_void(f, 12);
	old = fleet_content(f, fleet_find(f, 21)->base);
	new = fleet_chain(f, 2, 102);
	assert_true(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 21, .chain = new }));
	old->not_after = f->now - MSEC_DAY;
	fleet_tell_content(f, old);
	assert_false(refused(f, (struct act){ .kind = ACT_SEND_CHAIN, .target = 21, .chain = new }));
	fleet_free(f);
}

/* Its chain has another anchor besides, so what tells is that its CA's leaves have none but the distrusted. */
static void who_lives_by_a_distrusted_root_may_flee(void **state)
{
	struct fleet *f = fleet_two_levels();
	int64_t old = fleet_chain(f, 31, 101), new;

	fleet_content(f, old)->ids = (struct fleet_ids){ { 101, 109 }, 2 };
	fleet_tell_content(f, fleet_content(f, old));
	fleet_count_as(f, 21, old);
	fleet_ca(f, 2, 5);
	new = fleet_chain(f, 2, 102);
	fleet_deploy(f, 2, 7);
	fleet_policy(f, 7)->rolling.stopped = true;
	fleet_tell(f, fleet_policy(f, 7));
	struct act act = { .kind = ACT_SEND_CHAIN, .target = 21, .chain = new };

	assert_true(refused(f, act));
	fleet_distrust(f, 1);
	assert_false(refused(f, act));
	fleet_free(f);
}

/* Nobody can make such certificates; rows that say so do not hang the check. */
static void versions_that_sign_each_other(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t chain = fleet_chain(f, 2, 101);

	for (int64_t id = 2; id <= 4; id++)
		fleet_ca(f, id, 6)->issuer = id == 4 ? 0 : 5 - id;
	for (int64_t id = 2; id <= 4; id++)
		fleet_want(f, id, false);
	fleet_find_ca(f, 2)->signing = false;
	fleet_tell_ca(f, fleet_find_ca(f, 2));
	fleet_count_as(f, 21, chain);
	assert_true(refused(f, (struct act){ .kind = ACT_RETIRE_DONE, .authority = 6, .ca = 3 })); /* it signed the signer */
	assert_false(refused(f, (struct act){ .kind = ACT_RETIRE_DONE, .authority = 6, .ca = 4 }));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_ones_want_gains),
		cmocka_unit_test(many_histories_are_all_tried),
		cmocka_unit_test(newcomers_that_break_a_pair),
		cmocka_unit_test(an_empty_plan_is_fine),
		cmocka_unit_test(sets_that_break_a_pair),
		cmocka_unit_test(sets_with_strangers),
		cmocka_unit_test(chains_that_break_a_pair),
		cmocka_unit_test(nothing_distrusted),
		cmocka_unit_test(nothing_else_goes_with_it),
		cmocka_unit_test(no_newcomer_with_it),
		cmocka_unit_test(nothing_for_the_unknown_or_silent),
		cmocka_unit_test(nothing_that_was_handed_is_taken_back),
		cmocka_unit_test(ends_and_labels),
		cmocka_unit_test(admissions),
		cmocka_unit_test(batches_are_of_one_kind),
		cmocka_unit_test(mixtures_and_expiry),
		cmocka_unit_test(more_instances_than_may_change),
		cmocka_unit_test(instances_that_may_not_begin),
		cmocka_unit_test(a_foreign_target_gets_what_all_accept),
		cmocka_unit_test(flight_needs_no_window),
		cmocka_unit_test(only_what_lies_on_the_table_is_taken_back),
		cmocka_unit_test(nothing_is_sent_outside_the_fleet),
		cmocka_unit_test(a_holder_is_judged_by_what_it_may_show),
		cmocka_unit_test(nothing_is_withdrawn_in_a_grace),
		cmocka_unit_test(the_unknown_are_not_taken_for_the_known),
		cmocka_unit_test(what_has_expired_is_nothing_to_lose),
		cmocka_unit_test(who_lives_by_a_distrusted_root_may_flee),
		cmocka_unit_test(versions_that_sign_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
