/* Cross-signing (engine-rules section 7): a chain with the new root certified by the old one is accepted by both,
 * so a slot may switch before its verifiers do; the bridge goes when the new root is trusted by all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/step.h"
#include "fleet.h"

static void cross_sign(struct fleet *f, int64_t ca, int64_t by)
{
	struct fleet_ca *c = fleet_find_ca(f, ca);
	struct fleet_ids old = fleet_find_ca(f, by)->anchors;

	c->bridge_by = by;
	c->bridge_anchors = c->anchors;
	for (size_t i = 0; i < old.count; i++)
		c->bridge_anchors.items[c->bridge_anchors.count++] = old.items[i];
	c->bridge_from = f->now - SKEW;
	c->bridge_until = f->now + FLEET_LIFE;
	fleet_tell_ca(f, c);
}

/* The usual world, root 2 cross-signed by root 1 and wanted in its place. */
static struct fleet *bridging(void)
{
	struct fleet *f = fleet_usual();

	fleet_ca(f, 2, 5);
	cross_sign(f, 2, 1);
	fleet_want(f, 1, false);
	return f;
}

static int64_t bridged_by(struct fleet *f, int64_t slot)
{
	int64_t chain = fleet_newest(f, slot);

	return chain > 0 ? fleet_content(f, chain)->bridged_by : -1;
}

static void hands(struct fleet *f)
{
	for (int64_t slot = 21; slot <= 22; slot++)
		for (int64_t store = 11; store <= 12; store++)
			assert_true(fleet_meets_ok(f, slot, store));
	fleet_assert_same(f);
}

static void all_but(struct fleet *f, int64_t silent)
{
	for (int i = 0; i < 10; i++) {
		for (size_t k = 0; k < f->target_count; k++) {
			fleet_run(f);
			if (f->targets[k].id == silent)
				continue;
			(void)fleet_issue(f, f->targets[k].id); /* nothing asked: nothing to do */
			fleet_run(f);
			fleet_settle(f, f->targets[k].id);
			hands(f);
		}
	}
	fleet_run(f);
}

static void switches_before_its_verifiers(void **state)
{
	struct fleet *f = bridging();

	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->asked, 2); /* no store has the new root yet */
	assert_true(fleet_issue(f, 21));
	fleet_run(f);
	assert_int_equal(bridged_by(f, 21), 1);
	fleet_settle(f, 21);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	hands(f);
	all_but(f, 0);
	assert_int_equal(bridged_by(f, 21), 0); /* the same leaf, plain */
	assert_int_equal(bridged_by(f, 22), 0);
	assert_true(fleet_find_ca(f, 1)->retired);
	assert_false(fleet_holds_cert(f, 11, 101));
	fleet_free(f);
}

/* One verifier cannot be updated: everybody else goes on, and it is bridged as long as that may be. */
static void a_verifier_that_cannot_be_updated(void **state)
{
	struct fleet *f = bridging();

	fleet_offline(f, 12);
	all_but(f, 12);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	assert_int_equal(bridged_by(f, 21), 1);
	assert_false(fleet_find_ca(f, 1)->retired); /* its signature is in a served chain (V) */
	assert_non_null(fleet_wait(f, WAIT_CHAIN_HELD, 0, 0));
	fleet_online(f, 12);
	all_but(f, 0);
	assert_int_equal(bridged_by(f, 21), 0);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

/* A bridged chain needs old or new: if both were needed, one would be added and the other dropped for ever. */
static void need_union(void **state)
{
	struct fleet *f = bridging();
	int64_t sets;

	fleet_run(f);
	(void)fleet_issue(f, 21); /* asked for in the line above */
	(void)fleet_issue(f, 22);
	fleet_run(f);
	fleet_settle(f, 21);
	fleet_settle(f, 22);
	sets = fleet_find(f, 11)->next_generation;
	for (int i = 0; i < 20; i++) {
		fleet_run(f);
		fleet_settle(f, 11);
	}
	assert_true(fleet_find(f, 11)->next_generation - sets <= 2); /* {1,2} and {2}: and then no more */
	assert_false(fleet_holds_cert(f, 11, 101));
	fleet_settle(f, 12);
	hands(f);
	fleet_free(f);
}

/* {1} to {2} as single files: between them may be nothing, and a bridged chain is accepted by both and not by that. */
static void half_written_dir_bridged(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_find_group(f, 1)->atomic = false;
	fleet_tell_group(f, fleet_find_group(f, 1));
	fleet_ca(f, 2, 5);
	cross_sign(f, 2, 1);
	fleet_want(f, 1, false);
	fleet_run(f);
	(void)fleet_issue(f, 21); /* asked for in the line above */
	(void)fleet_issue(f, 22);
	fleet_run(f);
	for (size_t i = 0; i < f->content_count; i++)
		assert_true(f->contents[i].is_chain || f->contents[i].ids.count == 2 || f->contents[i].ids.items[0] == 101);
	all_but(f, 0);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

/* The cross certificate ends before everything else in the chain: then it is no bridge. */
static void expired_extra_bridged(void **state)
{
	struct fleet *f = bridging();
	struct fleet_ca *c = fleet_find_ca(f, 2);

	c->bridge_until = f->now + SKEW;
	fleet_tell_ca(f, c);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->asked, 0);
	assert_non_null(fleet_wait(f, WAIT_NOT_TRUSTED, 21, 11));
	c->bridge_until = f->now + MSEC_DAY;
	c->bridge_from = f->now;
	fleet_tell_ca(f, c);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->asked, 0); /* not begun for slow clocks */
	all_but(f, 0);
	assert_true(fleet_find_ca(f, 1)->retired); /* as without a bridge */
	fleet_free(f);
}

static void no_bridge_from_a_stolen_root(void **state)
{
	struct fleet *f = bridging();

	fleet_distrust(f, 1);
	assert_false(accept_bridge(f->view, ca_find(f->view, 2), f->now));
	fleet_run(f);
	(void)fleet_issue(f, 21); /* asked or not: what matters is what is sent */
	fleet_run(f);
	assert_int_not_equal(bridged_by(f, 21), 1);
	fleet_free(f);
}

static void aborted_while_bridged(void **state)
{
	struct fleet *f = bridging();

	fleet_offline(f, 12);
	all_but(f, 12);
	fleet_want(f, 1, true);
	fleet_want(f, 2, false);
	all_but(f, 12);
	assert_int_equal(fleet_signer_of(f, 21), 2); /* a silent verifier may hold either: nothing may be lost to it */
	fleet_online(f, 12);
	all_but(f, 0);
	assert_int_equal(fleet_signer_of(f, 21), 1);
	assert_true(fleet_find_ca(f, 2)->retired);
	assert_false(fleet_holds_cert(f, 12, 102));
	fleet_free(f);
}

static void a_newcomer_is_bridged_too(void **state)
{
	struct fleet *f = bridging();

	fleet_offline(f, 12);
	all_but(f, 12);
	fleet_target(f, 23, 2, 5);
	all_but(f, 12);
	assert_int_equal(fleet_find(f, 23)->state, TARGET_COUNTED);
	assert_true(fleet_meets_ok(f, 23, 11) && fleet_meets_ok(f, 23, 12));
	fleet_free(f);
}

static void below_a_cross_signed_root(void **state)
{
	struct fleet *f = fleet_two_levels();

	fleet_ca(f, 2, 5);
	cross_sign(f, 2, 1);
	fleet_ca_below(f, 32, 7, 2);
	cross_sign(f, 32, 1);
	fleet_want(f, 1, false);
	fleet_want(f, 31, false);
	fleet_offline(f, 12);
	all_but(f, 12);
	assert_int_equal(fleet_signer_of(f, 21), 32);
	assert_int_equal(bridged_by(f, 21), 1);
	fleet_online(f, 12);
	all_but(f, 0);
	assert_int_equal(bridged_by(f, 21), 0);
	assert_true(fleet_find_ca(f, 1)->retired && fleet_find_ca(f, 31)->retired);
	fleet_free(f);
}

static void refused(struct fleet *f, const struct act *act, const char *part)
{
	struct plan plan = { .acts = (struct act *)act, .act_count = 1 };
	struct troth_err e = { 0 };

	assert_true(rc_failed(plan_check(f->view, &plan, &e)));
	if (!strstr(e.primary, part))
		fail_msg("%s", e.primary);
}

static void the_second_opinion(void **state)
{
	struct fleet *f = bridging();
	int64_t old = fleet_newest(f, 21), chain = fleet_chain(f, 2, 102);
	struct act act = { .kind = ACT_SEND_CHAIN, .target = 21, .chain = chain };

	refused(f, &act, "may break a pair");
	act.form = CHAIN_PLAIN;
	refused(f, &act, "a form that it has not");
	act.form = CHAIN_BRIDGED;
	act.chain = old;
	refused(f, &act, "a form that it has not");
	act.chain = chain;
	fleet_find_ca(f, 2)->bridge_until = f->now;
	fleet_tell_ca(f, fleet_find_ca(f, 2));
	refused(f, &act, "a form that it has not");
	cross_sign(f, 2, 1);
	struct plan plan = { .acts = &act, .act_count = 1 };
	struct troth_err e = { 0 };

	assert_true(rc_ok(plan_check(f->view, &plan, &e)));
	fleet_free(f);
}

static void a_retired_root_bridges_nothing(void **state)
{
	struct fleet *f = bridging();

	assert_true(accept_bridge(f->view, ca_find(f->view, 2), f->now));
	fleet_find_ca(f, 1)->retired = true;
	fleet_tell_ca(f, fleet_find_ca(f, 1));
	assert_false(accept_bridge(f->view, ca_find(f->view, 2), f->now));
	fleet_free(f);
}

/* Both slots are bridged, and every store trusts the new root but does not hold it alone. */
static struct fleet *bridged(void)
{
	struct fleet *f = bridging();

	fleet_offline(f, 12);
	all_but(f, 12);
	assert_int_equal(bridged_by(f, 21), 1);
	fleet_online(f, 12);
	fleet_run(f);
	fleet_settle(f, 12);
	return f;
}

/* The slot is silent, has too much on its way, or people said to wait; then the same leaf goes plain. */
static void the_bridge_stays_while(void **state)
{
	struct fleet *f = bridged();
	struct fleet_target *t = fleet_find(f, 21);

	fleet_pause(f, 5, true);
	fleet_run(f);
	assert_int_equal(bridged_by(f, 21), 1);
	fleet_offline(f, 21);
	fleet_pause(f, 5, false);
	fleet_run(f);
	assert_int_equal(bridged_by(f, 21), 1);
	assert_int_equal(bridged_by(f, 22), 0);
	for (int i = 0; i < LIMIT_PENDING_DOCUMENTS; i++)
		t->docs[t->doc_count++] = (struct fleet_doc){ t->next_generation++, t->base, true };
	fleet_tell_target(f, t);
	fleet_online(f, 21);
	fleet_run(f);
	assert_int_equal(bridged_by(f, 21), 1);
	(void)fleet_hand(f, 21);
	fleet_settle_all(f);
	assert_true(fleet_load(f, 21) || bridged_by(f, 21) == 0);
	fleet_settle_all(f);
	assert_int_equal(bridged_by(f, 21), 0);
	hands(f);
	fleet_free(f);
}

/* Somebody brought it: its signer is nobody's version, so there is no other form of it. */
static void a_bridged_chain_of_nobody(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t chain = fleet_chain(f, 999, 101);

	fleet_content(f, chain)->bridged_by = 1;
	fleet_tell_content(f, fleet_content(f, chain));
	fleet_want(f, 1, false);
	fleet_count_as(f, 21, chain);
	fleet_run(f);
	assert_int_equal(fleet_newest(f, 21), chain);
	fleet_free(f);
}

/* What lies ready again is bridged already: it goes as it is. */
static void bridged_and_failed_once(void **state)
{
	struct fleet *f = bridging();

	fleet_offline(f, 12);
	fleet_run(f);
	assert_true(fleet_issue(f, 21));
	fleet_run(f);
	assert_int_equal(bridged_by(f, 21), 1);
	int64_t chain = fleet_newest(f, 21);

	assert_true(fleet_hand(f, 21) && fleet_fail(f, 21));
	fleet_run(f);
	assert_int_equal(fleet_newest(f, 21), chain);
	fleet_settle(f, 21);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	hands(f);
	fleet_free(f);
}

/* A store was handed something that accepts neither form: nobody switches, and a newcomer is not bridged for it. */
static void nobody_accepts_even_bridged(void **state)
{
	struct fleet *f = bridging();
	struct fleet_target *t = fleet_find(f, 12);

	t->docs[t->doc_count++] = (struct fleet_doc){ t->next_generation++, fleet_set(f, (int64_t[]){ 103 }, 1), true };
	fleet_tell_target(f, t);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->asked, 0);
	assert_non_null(fleet_wait(f, WAIT_NOT_TRUSTED, 21, 12));
	fleet_target(f, 23, 2, 5);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 23)->asked, 2); /* the newest, where none is accepted everywhere */
	assert_true(fleet_issue(f, 23));
	fleet_run(f);
	assert_int_equal(bridged_by(f, 23), 0);
	fleet_free(f);
}

/* It is not valid any more for a fast clock: its leaf is not sent again in another form. */
static void no_plain_form_at_the_very_end(void **state)
{
	struct fleet *f = bridged();

	for (int64_t id = 21; id <= 22; id++) {
		struct fleet_content *c = fleet_content(f, fleet_newest(f, id));

		c->renew_at = 0;
		c->not_after = f->now + 1;
		fleet_tell_content(f, c);
	}
	fleet_pause(f, 5, false);
	fleet_run(f);
	assert_int_equal(bridged_by(f, 21), 1);
	fleet_free(f);
}

static bool has_form(struct fleet *f, int64_t chain, enum chain_form form)
{
	struct act act = { .kind = ACT_SEND_CHAIN, .target = 21, .chain = chain, .form = form };
	struct plan plan = { .acts = &act, .act_count = 1 };
	struct troth_err e = { 0 };

	return rc_ok(plan_check(f->view, &plan, &e)) || !strstr(e.primary, "a form that it has not");
}

static void the_second_opinion_on_forms(void **state)
{
	struct fleet *f = bridging();
	int64_t chain = fleet_chain(f, 2, 102), nobodys = fleet_chain(f, 999, 101);
	struct fleet_ca *c = fleet_find_ca(f, 2), *by = fleet_find_ca(f, 1);

	assert_true(has_form(f, nobodys, CHAIN_AS_IS));
	assert_false(has_form(f, nobodys, CHAIN_PLAIN));
	assert_false(has_form(f, nobodys, CHAIN_BRIDGED));
	assert_true(has_form(f, chain, CHAIN_BRIDGED));
	c->bridge_from = f->now;
	fleet_tell_ca(f, c);
	assert_false(has_form(f, chain, CHAIN_BRIDGED));
	cross_sign(f, 2, 1);
	by->retired = true;
	fleet_tell_ca(f, by);
	assert_false(has_form(f, chain, CHAIN_BRIDGED));
	by->retired = false;
	by->distrusted = true;
	fleet_tell_ca(f, by);
	assert_false(has_form(f, chain, CHAIN_BRIDGED));
	by->distrusted = false;
	fleet_tell_ca(f, by);
	fleet_content(f, chain)->bridged_by = 1;
	fleet_tell_content(f, fleet_content(f, chain));
	assert_false(has_form(f, chain, CHAIN_BRIDGED));
	assert_true(has_form(f, chain, CHAIN_PLAIN));
	fleet_count_as(f, 21, chain); /* it serves a chain with the old one's signature: that may not be retired */
	struct act act = { .kind = ACT_RETIRE_DONE, .authority = 5, .ca = 1 };

	by->signing = false;
	fleet_tell_ca(f, by);
	fleet_count_as(f, 22, chain);
	refused(f, &act, "may serve a chain it signed");
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(switches_before_its_verifiers),
		cmocka_unit_test(a_verifier_that_cannot_be_updated),
		cmocka_unit_test(need_union),
		cmocka_unit_test(half_written_dir_bridged),
		cmocka_unit_test(expired_extra_bridged),
		cmocka_unit_test(no_bridge_from_a_stolen_root),
		cmocka_unit_test(aborted_while_bridged),
		cmocka_unit_test(a_newcomer_is_bridged_too),
		cmocka_unit_test(below_a_cross_signed_root),
		cmocka_unit_test(the_second_opinion),
		cmocka_unit_test(a_retired_root_bridges_nothing),
		cmocka_unit_test(the_bridge_stays_while),
		cmocka_unit_test(a_bridged_chain_of_nobody),
		cmocka_unit_test(bridged_and_failed_once),
		cmocka_unit_test(nobody_accepts_even_bridged),
		cmocka_unit_test(no_plain_form_at_the_very_end),
		cmocka_unit_test(the_second_opinion_on_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
