/* Counts for people, in the words of the theory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fleet.h"

static const struct progress_ca *of(const struct progress *p, int64_t ca)
{
	for (size_t i = 0; i < p->ca_count; i++) {
		if (p->cas[i].ca == ca)
			return &p->cas[i];
	}
	return NULL;
}

static void words_follow_the_rotation(void **state)
{
	struct fleet *f = fleet_rotating();
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	struct progress p;

	engine_progress(f->view, 5, a, &p);
	assert_true(p.stores == 2 && p.slots == 2 && p.ca_count == 2 && p.cas[0].ca == 2);
	assert_int_equal(of(&p, 2)->in_stores, WORD_HIDDEN);
	assert_int_equal(of(&p, 1)->in_stores, WORD_OMNIPRESENT);
	fleet_run(f);
	fleet_settle(f, 11);
	engine_progress(f->view, 5, a, &p);
	assert_int_equal(of(&p, 2)->in_stores, WORD_RUMOURED);
	assert_true(of(&p, 2)->stores_having == 1 && of(&p, 2)->stores_maybe == 1);
	fleet_settle(f, 12);
	fleet_run(f);
	assert_true(fleet_issue(f, 21));
	fleet_run(f);
	engine_progress(f->view, 5, a, &p);
	assert_int_equal(of(&p, 2)->in_stores, WORD_OMNIPRESENT);
	assert_int_equal(of(&p, 2)->in_slots, WORD_RUMOURED);
	assert_int_equal(of(&p, 1)->in_slots, WORD_UNRETENTIVE);
	assert_true(of(&p, 1)->slots_using == 1 && of(&p, 1)->slots_maybe == 1);
	assert_true(of(&p, 2)->signing && !of(&p, 1)->wanted);
	fleet_settle_all(f);
	engine_progress(f->view, 5, a, &p);
	assert_int_equal(p.ca_count, 1); /* the retired one is left out */
	assert_int_equal(of(&p, 2)->in_slots, WORD_OMNIPRESENT);
	fleet_free(f);
}

static void members_in_trouble_are_counted(void **state)
{
	struct fleet *f = fleet_usual();
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	struct progress p;

	fleet_target(f, 13, 1, 0);
	fleet_void(f, 12);
	fleet_offline(f, 22);
	engine_progress(f->view, 5, a, &p);
	assert_true(p.joining == 1 && p.unknown == 1 && p.offline == 1);
	assert_int_equal(of(&p, 1)->in_stores, WORD_RUMOURED); /* one store is unknown */
	engine_progress(f->view, 99, a, &p);
	assert_int_equal(p.ca_count, 0);
	fleet_free(f);
}

static void holders_outside_are_counted_apart(void **state)
{
	struct fleet *f = fleet_usual();
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	struct progress p;

	fleet_group(f, 3, GROUP_SLOT);
	(void)fleet_holder(f, 31, 3, 5, fleet_chain(f, 1, 101));
	engine_progress(f->view, 5, a, &p);
	assert_true(p.slots == 2 && p.outside == 1);
	fleet_later(f, FLEET_LIFE + MSEC_DAY);
	engine_progress(f->view, 5, a, &p);
	assert_int_equal(p.outside, 0);
	fleet_free(f);
}

static void words_have_names(void **state)
{
	assert_string_equal(word_name(WORD_HIDDEN), "HIDDEN");
	assert_string_equal(word_name(WORD_UNRETENTIVE), "UNRETENTIVE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_follow_the_rotation),
		cmocka_unit_test(members_in_trouble_are_counted),
		cmocka_unit_test(holders_outside_are_counted_apart),
		cmocka_unit_test(words_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
