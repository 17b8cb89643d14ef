/* Two levels: a root in the stores, an intermediate that signs the slots' chains and is in no store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/step.h"
#include "fleet.h"

/* What the service writes when the root is rotated: root 2 and, signed by it, intermediate 32. */
static void rotate_root(struct fleet *f)
{
	fleet_ca(f, 2, 5);
	fleet_ca_below(f, 32, 7, 2);
	fleet_want(f, 1, false);
	fleet_want(f, 31, false);
}

static void hands(struct fleet *f)
{
	for (int64_t slot = 21; slot <= 22; slot++)
		for (int64_t store = 11; store <= 12; store++)
			assert_true(fleet_meets_ok(f, slot, store));
	fleet_assert_same(f);
}

static void settle_watching(struct fleet *f)
{
	for (int i = 0; i < 12; i++) {
		for (size_t k = 0; k < f->target_count; k++) {
			fleet_run(f);
			(void)fleet_issue(f, f->targets[k].id); /* nothing asked: nothing to do */
			fleet_run(f);
			fleet_settle(f, f->targets[k].id);
			hands(f);
		}
	}
	fleet_run(f);
}

/* signer_needs_stores, again with two levels: no store ever has the intermediate, and still its label moves. */
static void an_intermediate_alone(void **state)
{
	struct fleet *f = fleet_two_levels();

	fleet_ca_below(f, 32, 7, 1);
	fleet_want(f, 31, false);
	settle_watching(f);
	assert_true(fleet_find_ca(f, 32)->signing && fleet_find_ca(f, 31)->retired);
	assert_int_equal(fleet_signer_of(f, 21), 32);
	assert_int_equal(fleet_find(f, 11)->next_generation, 2); /* the stores were sent nothing */
	fleet_free(f);
}

static void root_first(void **state)
{
	struct fleet *f = fleet_two_levels();

	rotate_root(f);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->asked, 0); /* its new root is not trusted yet */
	assert_non_null(fleet_wait(f, WAIT_NOT_TRUSTED, 21, 11));
	settle_watching(f);
	assert_true(fleet_find_ca(f, 1)->retired && fleet_find_ca(f, 31)->retired);
	assert_true(fleet_find_ca(f, 2)->signing && fleet_find_ca(f, 32)->signing);
	assert_false(fleet_holds_cert(f, 11, 101));
	fleet_free(f);
}

static void both_and_again(void **state)
{
	struct fleet *f = fleet_two_levels();

	rotate_root(f);
	fleet_run(f);
	fleet_settle(f, 11);
	fleet_ca_below(f, 33, 7, 2); /* the intermediate alone, in between */
	fleet_want(f, 32, false);
	fleet_run(f);
	fleet_settle(f, 12);
	fleet_run(f);
	(void)fleet_issue(f, 21); /* nothing asked: nothing to do */
	fleet_run(f);
	fleet_settle(f, 21);
	fleet_ca(f, 3, 5); /* and the root once more */
	fleet_ca_below(f, 34, 7, 3);
	fleet_want(f, 2, false);
	fleet_want(f, 33, false);
	settle_watching(f);
	assert_int_equal(fleet_signer_of(f, 21), 34);
	assert_int_equal(fleet_signer_of(f, 22), 34);
	for (int64_t id = 31; id <= 33; id++)
		assert_true(fleet_find_ca(f, id)->retired);
	assert_true(fleet_find_ca(f, 1)->retired && fleet_find_ca(f, 2)->retired && !fleet_find_ca(f, 3)->retired);
	fleet_free(f);
}

/* Verifiers outside have the root only: no store holds anything up, but a chain that ends at it is still served. */
static void a_root_stays_while_a_chain_has_it(void **state)
{
	struct fleet *f = fleet_two_levels();

	fleet_part(f, 2, 1);
	rotate_root(f);
	fleet_run(f);
	assert_true(fleet_issue(f, 21));
	fleet_run(f);
	fleet_settle(f, 21);
	for (int i = 0; i < 3; i++) {
		fleet_run(f);
		fleet_settle(f, 11);
		fleet_settle(f, 12);
	}
	fleet_run(f);
	assert_false(fleet_holds_cert(f, 11, 101));
	assert_false(fleet_find_ca(f, 1)->retired);
	const struct wait *w = fleet_wait(f, WAIT_CHAIN_HELD, 22, 0);

	assert_non_null(w);
	fleet_void(f, 22); /* it may serve anything of the intermediate's: still */
	fleet_run(f);
	assert_false(fleet_find_ca(f, 1)->retired || fleet_find_ca(f, 31)->retired);
	fleet_free(f);
}

static void child_before_parent(void **state)
{
	struct fleet *f = fleet_two_levels();

	fleet_ca_below(f, 41, 8, 1); /* another intermediate below, of nobody; nobody makes it anew */
	rotate_root(f);
	settle_watching(f);
	assert_true(fleet_find_ca(f, 31)->retired);
	assert_false(fleet_find_ca(f, 1)->retired);
	const struct wait *w = fleet_wait(f, WAIT_SIGNED_BELOW, 0, 0);

	assert_non_null(w);
	assert_int_equal(w->ca, 1);
	assert_string_equal(w->rule, "V");
	fleet_ca_below(f, 42, 8, 2);
	fleet_want(f, 41, false);
	fleet_run(f);
	assert_true(fleet_find_ca(f, 41)->retired && fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

/* What it signs would stand below a CA that must not be. */
static void the_ones_above_decide_who_may_sign(void **state)
{
	struct fleet *f = fleet_two_levels();
	const struct ca *inter = ca_find(f->view, 31);
	struct fleet_ca *root = fleet_find_ca(f, 1);
	msec_t from;

	assert_true(accept_signer(f->view, inter, f->now, &from));
	root->distrusted = true;
	fleet_tell_ca(f, root);
	assert_false(accept_signer(f->view, inter, f->now, &from));
	root->distrusted = false;
	root->not_before = f->now + MSEC_HOUR;
	fleet_tell_ca(f, root);
	assert_false(accept_signer(f->view, inter, f->now, &from));
	assert_int_equal(from, f->now + MSEC_HOUR + SKEW);
	root->not_before = 0;
	root->not_after = f->now;
	fleet_tell_ca(f, root);
	assert_false(accept_signer(f->view, inter, f->now, &from));
	assert_int_equal(from, 0);
	fleet_free(f);
}

/* Without slots the label waits for those who verify: the stores that hold its root. */
static void a_label_without_slots(void **state)
{
	struct fleet *f = fleet_two_levels();

	fleet_leave(f, 21);
	fleet_leave(f, 22);
	rotate_root(f);
	fleet_run(f);
	fleet_settle(f, 11);
	fleet_run(f);
	assert_true(fleet_find_ca(f, 31)->signing);
	fleet_settle(f, 12);
	fleet_run(f);
	assert_true(fleet_find_ca(f, 32)->signing);
	fleet_free(f);
}

static void a_pause_above_holds(void **state)
{
	struct fleet *f = fleet_two_levels();

	rotate_root(f);
	fleet_run(f);
	fleet_pause(f, 5, true);
	fleet_settle(f, 11); /* what was on its way comes */
	fleet_settle(f, 12);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->asked, 0);
	const struct wait *w = fleet_wait(f, WAIT_PAUSED, 21, 0);

	assert_non_null(w);
	assert_int_equal(w->authority, 5);
	fleet_pause(f, 5, false);
	settle_watching(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

/* Told in another order than they were made: the rebuilt view is the same. */
static void an_issuer_may_be_told_later(void **state)
{
	struct fleet *f = fleet_new();
	struct fleet_ca *child = fleet_ca(f, 9, 7), *root;

	child->issuer = 10;
	child->anchors.items[0] = 110;
	fleet_tell_ca(f, child);
	assert_null(ca_find(f->view, 9)->issuer);
	root = fleet_ca(f, 10, 5);
	assert_ptr_equal(ca_find(f->view, 9)->issuer, ca_find(f->view, 10));
	assert_true(ca_under(ca_find(f->view, 9), ca_find(f->view, 10)));
	assert_true(authority_under(authority_find(f->view, 7), authority_find(f->view, 5)));
	assert_false(authority_under(authority_find(f->view, 5), authority_find(f->view, 7)));
	root->issuer = 9; /* a circle, which no certificate can be: every walk ends */
	fleet_tell_ca(f, root);
	assert_false(ca_under(ca_find(f->view, 9), (const struct ca *)child));
	fleet_assert_same(f);
	fleet_free(f);
}

static void progress_counts_the_slots_below(void **state)
{
	struct fleet *f = fleet_two_levels();
	struct progress p;

	rotate_root(f);
	settle_watching(f);
	engine_progress(f->view, 5, f->a, &p);
	assert_int_equal(p.stores, 2);
	assert_int_equal(p.slots, 2);
	assert_int_equal(p.ca_count, 1);
	assert_int_equal(p.cas[0].ca, 2);
	assert_int_equal(p.cas[0].slots_using, 2);
	fleet_free(f);
}

static void the_second_opinion(void **state)
{
	struct fleet *f = fleet_two_levels();
	struct act act = { .kind = ACT_RETIRE_DONE, .authority = 5, .ca = 1 };
	struct plan plan = { .acts = &act, .act_count = 1 };
	struct troth_err e = { 0 };

	rotate_root(f);
	fleet_find_ca(f, 1)->signing = false;
	fleet_tell_ca(f, fleet_find_ca(f, 1));
	assert_true(rc_failed(plan_check(f->view, &plan, &e)));
	assert_non_null(strstr(e.primary, "before version 31"));
	fleet_find_ca(f, 31)->retired = true; /* falsely: slots serve its chains */
	fleet_tell_ca(f, fleet_find_ca(f, 31));
	assert_true(rc_failed(plan_check(f->view, &plan, &e)));
	assert_non_null(strstr(e.primary, "may serve a chain"));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_intermediate_alone),
		cmocka_unit_test(root_first),
		cmocka_unit_test(both_and_again),
		cmocka_unit_test(a_root_stays_while_a_chain_has_it),
		cmocka_unit_test(child_before_parent),
		cmocka_unit_test(the_ones_above_decide_who_may_sign),
		cmocka_unit_test(a_label_without_slots),
		cmocka_unit_test(a_pause_above_holds),
		cmocka_unit_test(an_issuer_may_be_told_later),
		cmocka_unit_test(progress_counts_the_slots_below),
		cmocka_unit_test(the_second_opinion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
