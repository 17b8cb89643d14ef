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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
