/* Slots: asking, sending, waiting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/limits.h"
#include "fleet.h"

static struct fleet *ready_to_switch(void)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	fleet_settle(f, 11);
	fleet_settle(f, 12);
	fleet_run(f);
	return f;
}

static void asked_once(void **state)
{
	struct fleet *f = ready_to_switch();
	size_t done = f->acts_done;

	assert_int_equal(fleet_find(f, 21)->asked, 2);
	fleet_run(f);
	assert_int_equal(f->acts_done, done);
	assert_non_null(fleet_wait(f, WAIT_CSR, 21, 0));
	fleet_free(f);
}

static void asked_anew_when_the_signer_moves(void **state)
{
	struct fleet *f = ready_to_switch();

	fleet_want(f, 2, false);
	fleet_want(f, 1, true);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->asked, 2); /* it has what it shall: no need of another */
	assert_non_null(fleet_wait(f, WAIT_CSR, 21, 0));
	assert_true(fleet_issue(f, 21));
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->doc_count, 0); /* and what comes of it is not sent */
	fleet_ca(f, 3, 5);
	fleet_want(f, 1, false);
	fleet_run(f);
	fleet_settle(f, 11);
	fleet_settle(f, 12);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->asked, 3);
	assert_int_equal(fleet_find(f, 22)->asked, 3);
	fleet_free(f);
}

static void a_silent_slot_is_not_asked(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_offline(f, 22);
	fleet_run(f);
	fleet_settle(f, 11);
	fleet_settle(f, 12);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 22)->asked, 0);
	assert_non_null(fleet_wait(f, WAIT_OFFLINE, 22, 0));
	assert_int_equal(fleet_find(f, 21)->asked, 2);
	fleet_free(f);
}

/* An operator's renewal: a chain lies ready though the present one is not due. */
static void a_staged_renewal_is_sent(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t chain = fleet_chain(f, 1, 101);

	fleet_stage(f, 21, chain);
	fleet_settle_all(f);
	assert_int_equal(fleet_newest(f, 21), chain);
	fleet_free(f);
}

static void a_staged_chain_whose_time_has_not_come(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t chain = fleet_chain(f, 1, 101);

	fleet_content(f, chain)->not_before = f->now + MSEC_HOUR;
	fleet_tell_content(f, fleet_content(f, chain));
	fleet_stage(f, 21, chain);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->doc_count, 0);
	assert_int_equal(fleet_wait(f, WAIT_NOT_VALID_YET, 21, 0)->earliest,
			 f->now + MSEC_HOUR + LIMIT_SKEW_S * MSEC_S);
	assert_true(f->plan.next_wake <= f->now + MSEC_HOUR + LIMIT_SKEW_S * MSEC_S);
	fleet_later(f, MSEC_HOUR + LIMIT_SKEW_S * MSEC_S);
	fleet_settle_all(f);
	assert_int_equal(fleet_newest(f, 21), chain);
	fleet_free(f);
}

static void a_staged_chain_that_expired_is_asked_again(void **state)
{
	struct fleet *f = ready_to_switch();

	assert_true(fleet_issue(f, 21));
	struct fleet_content *c = fleet_content(f, fleet_find(f, 21)->staged);

	c->issued = f->now - MSEC_DAY;
	c->not_after = f->now + MSEC_MIN;
	fleet_tell_content(f, c);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->asked, 2);
	assert_int_equal(fleet_find(f, 21)->doc_count, 0);
	fleet_run(f);
	assert_non_null(fleet_wait(f, WAIT_CSR, 21, 0));
	fleet_free(f);
}

static void a_staged_chain_waits_for_the_stores(void **state)
{
	struct fleet *f = ready_to_switch();

	assert_true(fleet_issue(f, 21));
	fleet_void(f, 12);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->doc_count, 0);
	const struct wait *w = fleet_wait(f, WAIT_NOT_TRUSTED, 0, 12);

	assert_non_null(w);
	assert_true(w->speaker == SPEAKER_SAFETY && w->other_group == 1);
	fleet_free(f);
}

static void a_slot_has_its_own_cap(void **state)
{
	struct fleet *f = fleet_usual();

	for (int i = 0; i < 6; i++) {
		fleet_stage(f, 21, fleet_chain(f, 1, 101));
		fleet_run(f);
		(void)fleet_lose(f, 21); /* handed out, never seen */
	}
	assert_int_equal(fleet_find(f, 21)->doc_count, LIMIT_PENDING_DOCUMENTS);
	assert_non_null(fleet_wait(f, WAIT_PENDING_FULL, 21, 0));
	fleet_free(f);
}

static void pending_is_said(void **state)
{
	struct fleet *f = ready_to_switch();

	assert_true(fleet_issue(f, 21));
	fleet_run(f);
	assert_non_null(fleet_wait(f, WAIT_NOT_FETCHED, 21, 0));
	assert_true(fleet_hand(f, 21));
	fleet_run(f);
	assert_non_null(fleet_wait(f, WAIT_NOT_LOADED, 21, 0));
	fleet_offline(f, 21);
	fleet_run(f);
	assert_non_null(fleet_wait(f, WAIT_OFFLINE, 21, 0));
	fleet_free(f);
}

/* A client slot is a slot: which level counts for it is the service's to know. */
static void client_slot_probe(void **state)
{
	struct fleet *f = fleet_rotating();

	assert_true(view_apply(f->view, &(struct fact){ .kind = FACT_GROUP,
			.group = { 2, GROUP_SLOT, ROLE_IS_CLIENT, true, 0 } }));
	for (size_t i = 0; i < f->group_count; i++)
		assert_true(f->groups[i].id != 2 || f->groups[i].kind == GROUP_SLOT);
	for (int i = 0; i < 6; i++) {
		fleet_run(f);
		for (size_t k = 0; k < f->target_count; k++) {
			(void)fleet_issue(f, f->targets[k].id); /* nothing asked: nothing to do */
			fleet_run(f);
			fleet_settle(f, f->targets[k].id);
		}
	}
	fleet_run(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

/* -- held outside the fleet ------------------------------------------------------------------ */

/* The usual world, and holder 31 in group 3 who meets the stores and took a certificate of CA 1. */
static struct fleet *with_holder(void)
{
	struct fleet *f = fleet_usual();

	fleet_group(f, 3, GROUP_SLOT);
	fleet_meet(f, 3, 1);
	(void)fleet_holder(f, 31, 3, 5, fleet_chain(f, 1, 101));
	fleet_run(f);
	return f;
}

static struct fleet *rotating_with_holder(void)
{
	struct fleet *f = with_holder();

	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	fleet_settle_all(f);
	return f;
}

/* Section 12: certificate taken by API, no slot: CA withdrawn at once. */
static void outside_holder(void **state)
{
	struct fleet *f = rotating_with_holder();

	assert_int_equal(fleet_signer_of(f, 21), 2); /* the fleet goes on ... */
	assert_true(fleet_holds_cert(f, 11, 101));   /* ... and the old CA stays for the holder */
	assert_false(fleet_find_ca(f, 1)->retired);
	assert_true(fleet_meets_ok(f, 31, 11));
	assert_int_equal(fleet_wait(f, WAIT_OUTSIDE, 31, 0)->ca, 1);
	assert_non_null(fleet_wait(f, WAIT_STILL_SERVED, 11, 31));
	assert_null(fleet_wait(f, WAIT_NOT_LOADED, 31, 0)); /* nobody waits for a report of it */
	fleet_take(f, 31, fleet_chain(f, view_signer(f->view, 31, 0, 0), 102));
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 11, 101)); /* it has the new one, and may show the old one still */
	assert_non_null(fleet_wait(f, WAIT_OUTSIDE, 31, 0));
	fleet_report(f, 31); /* its owner vouches: the old one is replaced */
	fleet_settle_all(f);
	assert_false(fleet_holds_cert(f, 11, 101));
	assert_true(fleet_find_ca(f, 1)->retired);
	assert_true(fleet_meets_ok(f, 31, 11));
	assert_null(fleet_wait(f, WAIT_OUTSIDE, 31, 0));
	fleet_free(f);
}

static void an_outside_holder_is_neither_asked_nor_sent_to(void **state)
{
	struct fleet *f = rotating_with_holder();

	fleet_stage(f, 31, fleet_chain(f, 2, 102));
	fleet_settle_all(f);
	assert_int_equal(fleet_find(f, 31)->asked, 0);
	assert_int_equal(fleet_find(f, 31)->doc_count, 0);
	fleet_free(f);
}

/* What it holds ends by itself: then nobody needs the old CA. */
static void an_expired_holder_holds_up_nothing(void **state)
{
	struct fleet *f = rotating_with_holder();

	fleet_later(f, FLEET_LIFE + MSEC_DAY);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	assert_null(fleet_wait(f, WAIT_OUTSIDE, 31, 0));
	fleet_free(f);
}

/* It has two; the newer one, of a CA that is to go, ends first: it is no reason for anything any more. */
static void an_expired_certificate_of_a_holder_is_no_world(void **state)
{
	struct fleet *f = rotating_with_holder();
	int64_t brief = fleet_chain(f, 2, 102);

	fleet_content(f, brief)->not_after = f->now + MSEC_HOUR;
	fleet_tell_content(f, fleet_content(f, brief));
	fleet_take(f, 31, brief);
	fleet_want(f, 1, true); /* a change of mind */
	fleet_want(f, 2, false);
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 11, 102));
	fleet_later(f, MSEC_DAY);
	fleet_settle_all(f);
	assert_false(fleet_holds_cert(f, 11, 102));
	assert_true(fleet_find_ca(f, 2)->retired);
	fleet_free(f);
}

/* Until all that it meets trust the new CA, the next one comes from the old: renewal goes on. */
static void a_holder_is_renewed_under_what_all_accept(void **state)
{
	struct fleet *f = with_holder();

	fleet_offline(f, 12);
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	fleet_settle_all(f);
	assert_int_equal(view_signer(f->view, 31, 0, 0), 1);
	assert_non_null(fleet_wait(f, WAIT_NOT_TRUSTED, 31, 12));
	assert_int_equal(view_signer(f->view, 99, 3, 5), 1); /* and a newcomer's first one too */
	assert_int_equal(view_signer(f->view, 99, 3, 77), 0);
	assert_int_equal(view_signer(f->view, 99, 77, 5), 0);
	fleet_online(f, 12);
	fleet_settle_all(f);
	assert_int_equal(view_signer(f->view, 31, 0, 0), 2);
	assert_int_equal(view_signer(f->view, 99, 3, 5), 2);
	fleet_free(f);
}

static void a_holder_under_a_ca_that_may_not_sign_gets_none(void **state)
{
	struct fleet *f = with_holder();
	struct fleet_ca *ca = fleet_find_ca(f, 1);

	ca->signing = ca->can_sign = false;
	fleet_tell_ca(f, ca);
	assert_int_equal(view_signer(f->view, 99, 3, 5), 0);
	fleet_free(f);
}

/* 1c: the label moves when the first credential can take it, also if only holders have one. */
static void the_label_follows_holders(void **state)
{
	struct fleet *f = fleet_new();

	fleet_group(f, 1, GROUP_STORE);
	fleet_group(f, 3, GROUP_SLOT);
	fleet_meet(f, 3, 1);
	fleet_ca(f, 1, 5);
	fleet_goal(f, 1, 5);
	fleet_target(f, 11, 1, 0);
	fleet_settle_all(f);
	(void)fleet_holder(f, 31, 3, 5, fleet_chain(f, 1, 101));
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	fleet_run(f);
	assert_true(fleet_find_ca(f, 1)->signing);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 2)->signing);
	assert_false(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

/* Bring your own: a newcomer whose chain came before its CA does not get it; it would serve what nobody accepts. */
static void a_newcomer_waits_for_the_ca_of_what_was_brought(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t brought = fleet_chain(f, 0, 777);

	(void)fleet_target(f, 23, 2, 0); /* nobody signs for it by itself */
	fleet_stage(f, 23, brought);
	fleet_settle_all(f);
	assert_int_equal(fleet_find(f, 23)->doc_count, 0);
	assert_non_null(fleet_wait(f, WAIT_NOT_TRUSTED, 23, 11));
	assert_non_null(fleet_wait(f, WAIT_NOT_TRUSTED, 23, 12));
	fleet_goal_cert(f, 1, 777);
	fleet_settle_all(f);
	assert_int_equal(fleet_newest(f, 23), brought);
	assert_int_equal(fleet_find(f, 23)->state, TARGET_COUNTED);
	assert_true(fleet_meets_ok(f, 23, 11));
	fleet_free(f);
}

/* It waits for those that count; a store that joins itself is nobody to wait for. */
static void brought_along_before_its_ca_waits_for_the_counted(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_target(f, 13, 1, 0);
	fleet_target(f, 23, 2, 5);
	fleet_stage(f, 23, fleet_chain(f, 0, 909));
	fleet_run(f);
	assert_non_null(fleet_wait(f, WAIT_NOT_TRUSTED, 23, 11));
	assert_null(fleet_wait(f, WAIT_NOT_TRUSTED, 23, 13));
	assert_int_equal(fleet_find(f, 23)->doc_count, 0);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asked_once),
		cmocka_unit_test(asked_anew_when_the_signer_moves),
		cmocka_unit_test(a_silent_slot_is_not_asked),
		cmocka_unit_test(a_staged_renewal_is_sent),
		cmocka_unit_test(a_staged_chain_whose_time_has_not_come),
		cmocka_unit_test(a_staged_chain_that_expired_is_asked_again),
		cmocka_unit_test(a_staged_chain_waits_for_the_stores),
		cmocka_unit_test(a_slot_has_its_own_cap),
		cmocka_unit_test(pending_is_said),
		cmocka_unit_test(client_slot_probe),
		cmocka_unit_test(outside_holder),
		cmocka_unit_test(an_outside_holder_is_neither_asked_nor_sent_to),
		cmocka_unit_test(an_expired_holder_holds_up_nothing),
		cmocka_unit_test(an_expired_certificate_of_a_holder_is_no_world),
		cmocka_unit_test(a_holder_is_renewed_under_what_all_accept),
		cmocka_unit_test(a_holder_under_a_ca_that_may_not_sign_gets_none),
		cmocka_unit_test(the_label_follows_holders),
		cmocka_unit_test(a_newcomer_waits_for_the_ca_of_what_was_brought),
		cmocka_unit_test(brought_along_before_its_ca_waits_for_the_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
