/* Rule S: what can succeed in a world succeeds in every later one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/step.h"
#include "fleet.h"

#define LIST(...) ((struct id_list){ (const int64_t[]){ __VA_ARGS__ }, \
				     sizeof((const int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t) })

static struct worlds known(size_t count, const struct id_list *items)
{
	struct worlds w = { .count = count, .fresh = count, .sure = true, .known = true };

	for (size_t i = 0; i < count; i++)
		w.items[i] = items[i];
	return w;
}

/* `items`, of which the last is about to be sent. */
static struct worlds sending(size_t count, const struct id_list *items)
{
	struct worlds w = known(count, items);

	w.fresh = count - 1;
	return w;
}

#define KNOWN(...) known(sizeof((struct id_list[]){ __VA_ARGS__ }) / sizeof(struct id_list), (struct id_list[]){ __VA_ARGS__ })
#define SENDING(...) sending(sizeof((struct id_list[]){ __VA_ARGS__ }) / sizeof(struct id_list), (struct id_list[]){ __VA_ARGS__ })

static bool allowed(struct worlds presenter, struct worlds verifier)
{
	return safety_pair(&presenter, &verifier);
}

static void adding_is_always_allowed(void **state)
{
	assert_true(allowed(KNOWN(LIST(1)), SENDING(LIST(1), LIST(1, 2))));
	assert_true(allowed(KNOWN(LIST(1), LIST(2)), SENDING(LIST(1, 2), LIST(1, 2, 3))));
}

static void switching_waits_for_every_world(void **state)
{
	assert_true(allowed(SENDING(LIST(1), LIST(2)), KNOWN(LIST(1, 2))));
	assert_false(allowed(SENDING(LIST(1), LIST(2)), KNOWN(LIST(1), LIST(1, 2))));
}

static void dropping_waits_for_every_chain(void **state)
{
	assert_true(allowed(KNOWN(LIST(2)), SENDING(LIST(1, 2), LIST(2))));
	assert_false(allowed(KNOWN(LIST(1), LIST(2)), SENDING(LIST(1, 2), LIST(2))));
}

/* The pair is broken in one world; the other world works, and must go on working. */
static void worse_when_broken(void **state)
{
	/* v is {1} or {2}; p has b1: it works in the first.  To b2 would break that one. */
	assert_false(allowed(SENDING(LIST(1), LIST(2)), KNOWN(LIST(1), LIST(2))));
}

/* v has {2}, p has b1: nothing works, the switch to b2 is the cure. */
static void cure_is_a_switch(void **state)
{
	assert_true(allowed(SENDING(LIST(1), LIST(2)), KNOWN(LIST(2))));
}

/* v = {1}, p = b2: broken.  {} may be sent to v; but then b1 may not be sent to p. */
static void nothing_to_lose(void **state)
{
	assert_true(allowed(KNOWN(LIST(2)), SENDING(LIST(1), (struct id_list){ 0 })));
	assert_false(allowed(SENDING(LIST(2), LIST(1)), KNOWN(LIST(1), (struct id_list){ 0 })));
}

/* A slot that v never accepted has b3 and b2 in Seq: it must not hold up the others. */
static void broken_bystander(void **state)
{
	assert_true(allowed(KNOWN(LIST(3), LIST(2)), SENDING(LIST(1), LIST(1, 4))));
	assert_true(allowed(KNOWN(LIST(3), LIST(2)), SENDING(LIST(1), LIST(4))));
}

/* Old violations are not asked again: a cure is not blocked by the illness. */
static void old_violations_do_not_block(void **state)
{
	assert_true(allowed(KNOWN(LIST(1), LIST(2)), SENDING(LIST(1), LIST(1, 2))));
	assert_true(allowed(SENDING(LIST(1), LIST(2), LIST(1)), KNOWN(LIST(1))));
}

static void unknown_verifier_may_only_be_gained(void **state)
{
	struct worlds v = KNOWN(LIST(1, 2));

	v.sure = false;
	assert_false(allowed(SENDING(LIST(1), LIST(2)), v));
	assert_true(allowed(SENDING(LIST(1), LIST(1)), v)); /* renewal under the same CA */
	assert_true(allowed(SENDING(LIST(1), LIST(1, 2)), v));
}

static void unknown_presenter_wants_growth(void **state)
{
	struct worlds p = { .sure = false };

	assert_true(allowed(p, SENDING(LIST(1), LIST(1, 2))));
	assert_false(allowed(p, SENDING(LIST(1, 2), LIST(2))));
}

/* Whatever it serves now: what succeeds with all that the other side may hold makes nothing worse. */
static void what_is_foreign_is_replaced_by_what_all_accept(void **state)
{
	struct worlds p = SENDING(LIST(2)), v = SENDING(LIST(1, 2)), away = KNOWN(LIST(2));

	p.known = p.sure = v.known = v.sure = away.sure = false;
	assert_true(allowed(p, KNOWN(LIST(1, 2), LIST(2))));
	assert_false(allowed(p, KNOWN(LIST(1), LIST(1, 2)))); /* one world does not accept it */
	assert_false(allowed(p, away));                       /* nobody knows what it holds by now */
	assert_true(allowed(KNOWN(LIST(1), LIST(2)), v));
	assert_false(allowed(KNOWN(LIST(1), LIST(3)), v));
	assert_false(allowed(away, v));
	p.expired[0] = true;
	assert_false(allowed(p, KNOWN(LIST(2))));
}

/* A slot serves a certificate that was issued after the backup from which the server was restored. */
static void foreign_slot(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_foreign(f, 22, fleet_chain(f, 2, 102));
	fleet_offline(f, 12);
	fleet_run(f);
	assert_non_null(fleet_wait(f, WAIT_STRANGE, 22, 0));
	assert_int_equal(fleet_find(f, 22)->doc_count, 0); /* nobody knows what 12 holds by now */
	fleet_online(f, 12);
	fleet_settle_all(f);
	assert_true(fleet_find(f, 22)->known);
	assert_null(fleet_wait(f, WAIT_STRANGE, 22, 0));
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_assert_same(f);
	fleet_free(f);
}

/* A store holds a CA that was made after it: it gets the goal as soon as whoever it meets is accepted by that. */
static void foreign_store(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_foreign(f, 12, fleet_set(f, (const int64_t[]){ 101, 107 }, 2));
	fleet_foreign(f, 22, fleet_chain(f, 7, 107));
	fleet_run(f);
	assert_non_null(fleet_wait(f, WAIT_STRANGE, 12, 0));
	assert_int_equal(fleet_find(f, 12)->doc_count, 0); /* it may accept 22, and with the goal it may not */
	fleet_count_as(f, 22, fleet_chain(f, 1, 101));
	fleet_run(f);
	assert_int_equal(fleet_find(f, 12)->doc_count, 1);
	fleet_settle_all(f);
	assert_true(fleet_find(f, 12)->known && fleet_find_ca(f, 1)->retired);
	fleet_assert_same(f);
	fleet_free(f);
}

/* Files one by one: between the foreign ones and ours is a mixture that nobody can name. */
static void foreign_files_one_by_one_wait_for_a_person(void **state)
{
	struct fleet *f = fleet_rotating();
	struct fleet_group *g = fleet_find_group(f, 1);

	g->atomic = false;
	fleet_tell_group(f, g);
	fleet_foreign(f, 12, fleet_set(f, (const int64_t[]){ 101, 107 }, 2));
	fleet_settle_all(f);
	assert_int_equal(fleet_find(f, 12)->doc_count, 0);
	assert_non_null(fleet_wait(f, WAIT_UNKNOWN, 12, 0));
	fleet_free(f);
}

/* What it could not take three times, or more than fits, or before the first was seen: as for any other. */
static void foreign_store_is_sent_no_more_than_another(void **state)
{
	struct fleet *f = fleet_rotating();
	struct fleet_group *g = fleet_find_group(f, 1);

	fleet_foreign(f, 12, fleet_set(f, (const int64_t[]){ 101, 107 }, 2));
	g->limit = 1;
	fleet_tell_group(f, g);
	fleet_run(f);
	assert_non_null(fleet_wait(f, WAIT_STORE_FULL, 12, 0));
	assert_int_equal(fleet_find(f, 12)->doc_count, 0);
	g->limit = 0;
	fleet_tell_group(f, g);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 12)->doc_count, 1);
	assert_non_null(fleet_wait(f, WAIT_NOT_FETCHED, 12, 0));
	fleet_free(f);
}

static void an_expired_chain_is_no_premise(void **state)
{
	struct worlds p = KNOWN(LIST(1));

	p.expired[0] = true;
	assert_true(allowed(p, SENDING(LIST(1), LIST(2))));
}

/* v is restored to {1}, its boot id is seen: nobody switches, nobody forgets, until it is seen. */
static void restored_store(void **state)
{
	struct fleet *f = fleet_rotating();
	int64_t one = 101;

	fleet_run(f);
	fleet_settle(f, 11);
	fleet_settle(f, 12);
	fleet_run(f);
	assert_true(fleet_issue(f, 21));
	fleet_void(f, 12);
	fleet_find(f, 12)->real = fleet_set(f, &one, 1);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->doc_count, 0); /* p may not switch */
	assert_non_null(fleet_wait(f, WAIT_NOT_TRUSTED, 0, 12));
	assert_non_null(fleet_wait(f, WAIT_UNKNOWN, 12, 0));
	fleet_find(f, 12)->real_generation = fleet_find(f, 12)->real_high = fleet_find(f, 12)->next_generation++;
	fleet_report(f, 12);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

/* {1} to {2} as single files, p bridged: in between there is neither. */
static void half_written_dir(void **state)
{
	for (int atomic = 0; atomic < 2; atomic++) {
		struct fleet *f = fleet_usual();

		fleet_find_group(f, 1)->atomic = atomic;
		fleet_tell_group(f, fleet_find_group(f, 1));
		for (int64_t id = 21; id <= 22; id++) {
			int64_t bridged = fleet_chain(f, 1, 101);

			fleet_content(f, bridged)->ids = (struct fleet_ids){ { 101, 102 }, 2 };
			fleet_tell_content(f, fleet_content(f, bridged));
			fleet_stage(f, id, bridged);
		}
		fleet_settle_all(f);
		fleet_ca(f, 2, 5);
		fleet_want(f, 1, false);
		fleet_run(f);
		/* atomic: {2} at once; single files: {1, 2} first */
		assert_int_equal(fleet_content(f, fleet_newest(f, 11))->ids.count, atomic ? 1 : 2);
		fleet_settle_all(f);
		assert_false(fleet_holds_cert(f, 11, 101));
		fleet_free(f);
	}
}

/* An old worker may still finish with b1 until the settled report: nobody drops 1. */
static void draining_worker(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	fleet_settle(f, 11);
	fleet_settle(f, 12);
	fleet_run(f);
	for (int64_t id = 21; id <= 22; id++) {
		assert_true(fleet_issue(f, id));
		fleet_run(f);
		assert_true(fleet_hand(f, id) && fleet_load(f, id)); /* probed with b2; not settled */
	}
	fleet_run(f);
	assert_true(fleet_meets_ok(f, 21, 11));
	assert_int_equal(fleet_find(f, 11)->doc_count, 0);
	assert_non_null(fleet_wait(f, WAIT_STILL_SERVED, 11, 21));
	fleet_free(f);
}

static void silent_slot_keeps_the_old_trusted(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	for (int64_t id = 11; id <= 12; id++)
		fleet_settle(f, id);
	fleet_run(f);
	for (int64_t id = 21; id <= 22; id++) {
		assert_true(fleet_issue(f, id));
		fleet_run(f);
		fleet_settle(f, id);
	}
	fleet_offline(f, 22); /* seen with b2, but who knows what happens to it now */
	fleet_run(f);
	assert_true(fleet_holds_cert(f, 11, 101));
	assert_int_equal(fleet_find(f, 11)->doc_count, 0);
	fleet_online(f, 22);
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

/* Handed as much as may be pending: it gets no more, though what it holds is foreign; and there is room for the rest. */
static void foreign_store_with_much_on_its_way(void **state)
{
	struct fleet *f = fleet_rotating();
	struct fleet_target *t = fleet_find(f, 12);

	fleet_find_group(f, 1)->limit = 2;
	fleet_tell_group(f, fleet_find_group(f, 1));
	fleet_foreign(f, 12, fleet_set(f, (const int64_t[]){ 101, 107 }, 2));
	for (int i = 0; i < LIMIT_PENDING_DOCUMENTS; i++) {
		fleet_run(f);
		assert_int_equal(t->doc_count, i + 1); /* what fits is sent */
		assert_true(fleet_lose(f, 12));
		fleet_want(f, i % 2 ? 2 : 1, true); /* and each time it shall hold something else */
		fleet_want(f, i % 2 ? 1 : 2, false);
	}
	fleet_run(f);
	assert_int_equal(t->doc_count, LIMIT_PENDING_DOCUMENTS);
	assert_non_null(fleet_wait(f, WAIT_PENDING_FULL, 12, 0));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adding_is_always_allowed),
		cmocka_unit_test(switching_waits_for_every_world),
		cmocka_unit_test(dropping_waits_for_every_chain),
		cmocka_unit_test(worse_when_broken),
		cmocka_unit_test(cure_is_a_switch),
		cmocka_unit_test(nothing_to_lose),
		cmocka_unit_test(broken_bystander),
		cmocka_unit_test(old_violations_do_not_block),
		cmocka_unit_test(unknown_verifier_may_only_be_gained),
		cmocka_unit_test(unknown_presenter_wants_growth),
		cmocka_unit_test(what_is_foreign_is_replaced_by_what_all_accept),
		cmocka_unit_test(foreign_slot),
		cmocka_unit_test(foreign_store),
		cmocka_unit_test(foreign_files_one_by_one_wait_for_a_person),
		cmocka_unit_test(foreign_store_is_sent_no_more_than_another),
		cmocka_unit_test(foreign_store_with_much_on_its_way),
		cmocka_unit_test(an_expired_chain_is_no_premise),
		cmocka_unit_test(restored_store),
		cmocka_unit_test(half_written_dir),
		cmocka_unit_test(draining_worker),
		cmocka_unit_test(silent_slot_keeps_the_old_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
