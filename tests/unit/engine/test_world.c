/* What is declared: groups, meets, authorities, goals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/view.h"
#include "fleet.h"

static bool tells(struct fleet *f, struct fact fact)
{
	return view_apply(f->view, &fact);
}

/* A slot moves from authority 5 to 6; a store that knows only 5 still meets it. */
static void moved_slot(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_ca(f, 8, 6);
	for (int64_t id = 21; id <= 22; id++) {
		fleet_find(f, id)->authority = 6;
		fleet_tell_target(f, fleet_find(f, id));
	}
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 1); /* the pair is not forgotten */
	assert_non_null(fleet_wait(f, WAIT_NOT_TRUSTED, 21, 11));
	fleet_goal(f, 1, 6);
	fleet_settle_all(f);
	assert_int_equal(fleet_signer_of(f, 21), 8);
	fleet_free(f);
}

static void meets_are_made_and_ended(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_meet(f, 2, 1); /* twice is once */
	f->meet_count--;
	fleet_assert_same(f);
	fleet_part(f, 2, 1);
	fleet_part(f, 2, 1);
	fleet_assert_same(f);
	assert_false(tells(f, (struct fact){ .kind = FACT_MEET, .meet = { 2, 99, true } }));
	assert_false(tells(f, (struct fact){ .kind = FACT_MEET, .meet = { 99, 1, true } }));
	assert_false(tells(f, (struct fact){ .kind = FACT_MEET, .meet = { 1, 2, true } })); /* the wrong way round */
	fleet_free(f);
}

static void a_group_keeps_its_kind(void **state)
{
	struct fleet *f = fleet_usual();

	assert_false(tells(f, (struct fact){ .kind = FACT_GROUP, .group = { 1, GROUP_SLOT, 0, true, 0 } }));
	assert_false(tells(f, (struct fact){ .kind = FACT_GOAL, .goal = { .group = 2 } })); /* slots have none */
	assert_false(tells(f, (struct fact){ .kind = FACT_GOAL, .goal = { .group = 99 } }));
	fleet_assert_same(f);
	fleet_free(f);
}

static void a_version_is_one_certificate_for_good(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_ca c = *fleet_find_ca(f, 1);

	c.cert = 555;
	fleet_tell_ca(f, &c);
	c = *fleet_find_ca(f, 1);
	c.authority = 6;
	fleet_tell_ca(f, &c);
	fleet_assert_same(f);
	assert_false(tells(f, (struct fact){ .kind = FACT_CA, .ca = { .ca = 0, .authority = 5 } }));
	assert_false(tells(f, (struct fact){ .kind = FACT_CA, .ca = { .ca = 7, .authority = 0 } }));
	assert_false(tells(f, (struct fact){ .kind = FACT_PAUSED, .paused = { 0, true } }));
	fleet_free(f);
}

static void versions_are_kept_newest_first(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_ca *c;

	for (int64_t id = 2; id <= 4; id++)
		fleet_ca(f, id, 5);
	c = fleet_find_ca(f, 2);
	c->order = 10;
	fleet_tell_ca(f, c);
	const struct authority *a = authority_find(f->view, 5);

	assert_int_equal(a->cas[0]->id, 2);
	assert_int_equal(a->cas[1]->id, 4);
	assert_int_equal(a->cas[3]->id, 1);
	assert_int_equal(cert_find(f->view, 102)->ca_count, 1);
	assert_null(cert_find(f->view, 999));
	fleet_free(f);
}

/* Asked past view_apply, which sends each fact where it belongs. */
static void what_is_not_of_the_world_is_left_alone(void **state)
{
	struct view *v = view_new();

	assert_false(world_apply(v, &(struct fact){ .kind = FACT_SEEN, .seen = { 1, 1, 1, 1 } }));
	view_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moved_slot),
		cmocka_unit_test(meets_are_made_and_ended),
		cmocka_unit_test(a_group_keeps_its_kind),
		cmocka_unit_test(a_version_is_one_certificate_for_good),
		cmocka_unit_test(versions_are_kept_newest_first),
		cmocka_unit_test(what_is_not_of_the_world_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
