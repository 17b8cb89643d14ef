/* Rule 1b: which version signs the next chain of a slot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fleet.h"

/* An intermediate is in no store: its leaves are accepted by its root. */
static void signer_needs_stores(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_ca *c = fleet_ca(f, 2, 6); /* an intermediate below CA 1, in no bundle */

	c->anchors.items[0] = 101;
	fleet_tell_ca(f, c);
	fleet_target(f, 23, 2, 6);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 23), 2);
	assert_false(fleet_holds_cert(f, 11, 102));
	fleet_ca(f, 3, 6)->anchors.items[0] = 101;
	fleet_tell_ca(f, fleet_find_ca(f, 3));
	fleet_want(f, 2, false);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 23), 3);
	assert_true(fleet_find_ca(f, 3)->signing && fleet_find_ca(f, 2)->retired);
	fleet_free(f);
}

/* A store of another region is offline: it holds up only those it meets. */
static void unrelated_offline(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_group(f, 3, GROUP_STORE);
	fleet_goal(f, 3, 5);
	fleet_target(f, 31, 3, 0);
	fleet_settle_all(f);
	fleet_offline(f, 31);
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	assert_true(fleet_find_ca(f, 2)->signing);
	assert_false(fleet_find_ca(f, 1)->retired); /* the region's store may hold it still */
	assert_non_null(fleet_wait(f, WAIT_OFFLINE, 31, 0));
	fleet_online(f, 31);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

static void switch_all_waits_for_everybody(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_group(f, 3, GROUP_STORE);
	fleet_group(f, 4, GROUP_SLOT);
	fleet_meet(f, 4, 3);
	fleet_goal(f, 3, 5);
	fleet_target(f, 31, 3, 0);
	fleet_target(f, 41, 4, 5);
	fleet_settle_all(f);
	fleet_switch_all(f, 5, true);
	fleet_offline(f, 31);
	fleet_ca(f, 2, 5);
	fleet_want(f, 1, false);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 1); /* it could, but 41 could not */
	assert_true(fleet_find_ca(f, 1)->signing);
	assert_non_null(fleet_wait(f, WAIT_SWITCH_ALL, 21, 0));
	fleet_online(f, 31);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 41), 2);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

/* A CA renewed with the same key: leaves are valid under both, so the old need not wait. */
static void same_key_renewed(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_ca *c = fleet_ca(f, 2, 5);

	c->anchors = (struct fleet_ids){ { 101, 102 }, 2 };
	fleet_tell_ca(f, c);
	fleet_find_ca(f, 1)->anchors = c->anchors;
	fleet_want(f, 1, false);
	for (int64_t id = 21; id <= 22; id++) { /* what they serve is accepted by the new one too */
		struct fleet_content *chain = fleet_content(f, fleet_newest(f, id));

		chain->ids = c->anchors;
		fleet_tell_content(f, chain);
	}
	fleet_run(f);
	assert_int_equal(fleet_content(f, fleet_newest(f, 11))->ids.count, 1); /* {2} at once */
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

static void renewal_stays_under_the_issuer_it_has(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_offline(f, 12); /* so nobody may switch */
	fleet_settle_all(f);
	for (size_t i = 0; i < f->target_count; i++)
		if (f->targets[i].id != 12)
			fleet_online(f, f->targets[i].id);
	fleet_later(f, FLEET_LIFE * 2 / 3);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 1);
	assert_true(fleet_content(f, fleet_newest(f, 21))->not_after == f->now + FLEET_LIFE);
	fleet_free(f);
}

static void renewal_goes_on_while_paused(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_pause(f, 5, true);
	fleet_later(f, FLEET_LIFE * 2 / 3);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 1);
	assert_true(fleet_content(f, fleet_newest(f, 21))->not_after == f->now + FLEET_LIFE);
	fleet_free(f);
}

static void an_expired_slot_is_healed_by_whom_all_accept(void **state)
{
	struct fleet *f = fleet_rotating();
	struct fleet_content *c = fleet_content(f, fleet_newest(f, 21));

	c->not_after = f->now - MSEC_DAY;
	fleet_tell_content(f, c);
	fleet_run(f);
	fleet_run(f); /* no store has CA 2 yet, so a chain of it would heal nothing; one of CA 1 does */
	assert_int_equal(fleet_find(f, 21)->asked, 1);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

static void a_new_ca_whose_time_has_not_come(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_ca *c = fleet_ca(f, 2, 5);

	c->not_before = f->now + MSEC_HOUR;
	fleet_tell_ca(f, c);
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 11, 102)); /* trusted early; that harms nobody */
	assert_int_equal(fleet_signer_of(f, 21), 1);
	const struct wait *w = fleet_wait(f, WAIT_NOT_VALID_YET, 21, 0);

	assert_non_null(w);
	assert_int_equal(w->earliest, f->now + MSEC_HOUR + 5 * MSEC_MIN);
	assert_true(f->plan.next_wake && f->plan.next_wake <= w->earliest);
	fleet_later(f, MSEC_HOUR + 5 * MSEC_MIN);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	fleet_free(f);
}

/* Both sides came from outside: the leaf waits until its CA is trusted; nobody is asked for a CSR. */
static void uploaded_leaf_waits_for_its_ca(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_ca *c = fleet_ca(f, 2, 5);

	c->can_sign = false;
	c->wanted = false;
	fleet_tell_ca(f, c);
	fleet_stage(f, 21, fleet_chain(f, 2, 102));
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->doc_count, 0);
	assert_non_null(fleet_wait(f, WAIT_NOT_TRUSTED, 21, 11));
	fleet_want(f, 2, true);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	fleet_later(f, FLEET_LIFE * 2 / 3);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 2); /* not renewed by us: its owner is told */
	assert_non_null(fleet_wait(f, WAIT_NO_SIGNER, 21, 0));
	fleet_free(f);
}

/* The authority can sign too, but what its owner uploaded and still wants is not replaced by us. */
static void uploaded_is_not_replaced(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_ca *c = fleet_ca(f, 2, 5);

	c->can_sign = false;
	fleet_tell_ca(f, c);
	fleet_stage(f, 21, fleet_chain(f, 2, 102));
	fleet_settle_all(f);
	fleet_ca(f, 3, 5);
	fleet_want(f, 1, false);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 2);
	assert_int_equal(fleet_signer_of(f, 22), 3);
	fleet_want(f, 2, false); /* its owner gives it up */
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 3);
	fleet_free(f);
}

static void no_signer_at_all(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_target(f, 23, 2, 77);
	fleet_run(f);
	assert_non_null(fleet_wait(f, WAIT_NO_SIGNER, 23, 0));
	fleet_free(f);
}

/* Its newest chain has expired, an older one that it may still serve has not: a new CA must suit those who fell silent
 * and may hold on to that. */
static void an_expired_slot_does_not_forget_the_silent(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t all = fleet_set(f, (int64_t[]){ 101, 102, 103 }, 3), short_lived;

	fleet_ca(f, 2, 5);
	fleet_ca(f, 3, 5);
	fleet_want(f, 1, false);
	fleet_want(f, 2, false);
	for (int64_t id = 11; id <= 12; id++)
		fleet_count_as(f, id, all);
	short_lived = fleet_chain(f, 2, 102);
	fleet_content(f, short_lived)->not_after = f->now + MSEC_HOUR;
	fleet_content(f, short_lived)->renew_at = 0;
	fleet_tell_content(f, fleet_content(f, short_lived));
	fleet_stage(f, 21, short_lived);
	struct fleet_target *t = fleet_find(f, 21);

	t->docs[t->doc_count++] = (struct fleet_doc){ t->next_generation++, short_lived, true };
	fleet_tell_target(f, t);
	fleet_later(f, MSEC_DAY);
	fleet_offline(f, 11);
	fleet_run(f);
	assert_true(fleet_find(f, 21)->asked != 3); /* 11 may trust CA 1 only */
	fleet_online(f, 11);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->asked, 3);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_expired_slot_does_not_forget_the_silent),
		cmocka_unit_test(signer_needs_stores),
		cmocka_unit_test(unrelated_offline),
		cmocka_unit_test(switch_all_waits_for_everybody),
		cmocka_unit_test(same_key_renewed),
		cmocka_unit_test(renewal_stays_under_the_issuer_it_has),
		cmocka_unit_test(renewal_goes_on_while_paused),
		cmocka_unit_test(an_expired_slot_is_healed_by_whom_all_accept),
		cmocka_unit_test(a_new_ca_whose_time_has_not_come),
		cmocka_unit_test(uploaded_leaf_waits_for_its_ca),
		cmocka_unit_test(uploaded_is_not_replaced),
		cmocka_unit_test(no_signer_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
