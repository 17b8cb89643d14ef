/* Writing the view out, comparing, counting again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "engine/view.h"
#include "fleet.h"

static void two_orders_one_view(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	assert_true(fleet_hand(f, 11));
	fleet_assert_same(f);
	fleet_free(f);
}

static void the_first_difference_is_told(void **state)
{
	struct fleet *f = fleet_usual();
	struct view *v = fleet_rebuild(f);
	char why[300] = "";

	fleet_want(f, 1, false);
	assert_false(view_equal(f->view, v, why, sizeof(why)));
	assert_non_null(strstr(why, "ca 1"));
	assert_false(view_equal(f->view, v, NULL, 0));
	view_free(v);
	fleet_free(f);
}

static void all_states_are_written(void **state)
{
	struct fleet *f = fleet_rotating();
	CLEANUP(buf_release) struct buf out = buf_make(1 << 20);

	fleet_run(f);
	fleet_pause(f, 5, true);
	fleet_hold(f, true);
	fleet_void(f, 12);
	fleet_target(f, 13, 1, 0);
	view_dump(f->view, &out);
	assert_non_null(strstr(buf_text(&out), "hold\n"));
	assert_non_null(strstr(buf_text(&out), "authority 5 paused\n"));
	assert_non_null(strstr(buf_text(&out), "?")); /* not handed out */
	assert_non_null(strstr(buf_text(&out), "joining"));
	fleet_free(f);
}

/* The recount finds what is wrong: each counter is bent once. */
static void the_recount_finds_errors(void **state)
{
	struct fleet *f = fleet_usual();
	struct target *t = target_find(f->view, 21);
	char why[200];

	assert_true(view_check(f->view, why, sizeof(why)));
	t->class->count++;
	assert_false(view_check(f->view, why, sizeof(why)));
	t->class->count--;
	t->asked = 9;
	assert_false(view_check(f->view, why, sizeof(why)));
	t->asked = 0;
	f->view->idle++;
	assert_false(view_check(f->view, why, sizeof(why)));
	f->view->idle--;
	t->instance->alive = false;
	assert_false(view_check(f->view, why, sizeof(why)));
	t->instance->alive = true;
	t->base->due = true;
	assert_false(view_check(f->view, why, sizeof(why)));
	t->base->due = false;
	assert_true(view_check(f->view, why, sizeof(why)));
	fleet_free(f);
}

static bool whole(const struct fleet *f)
{
	char why[200] = "";
	bool ok = view_check(f->view, why, sizeof(why));

	assert_true(ok || why[0]);
	return ok;
}

/* A target, its class and its group: each is bent once, found, and put right. */
static void the_recount_finds_misplaced_members(void **state)
{
	struct fleet *f = fleet_usual();
	struct target *t = target_find(f->view, 21), *other = target_find(f->view, 11), kept = *t;
	struct class *c = t->class;
	struct group *g = c->key.group;

	t->class = NULL;
	assert_false(whole(f));
	t->class = c;
	t->index = other->index;
	assert_false(whole(f));
	t->index = kept.index;
	fleet_stage(f, 21, fleet_chain(f, 1, 101));
	fleet_run(f);
	fleet_find(f, 21)->docs[0].handed = true;
	t->docs[t->doc_count] = t->docs[0];
	t->doc_count++;
	class_place(f->view, t); /* the class is right, the order is not */
	assert_false(whole(f));
	t->doc_count--;
	class_place(f->view, t);
	assert_true(whole(f));
	c = t->class;
	c->count = 0;
	assert_false(whole(f));
	c->count = 1;
	fleet_group(f, 3, GROUP_SLOT);
	c->key.group = t->group = group_find(f->view, 3); /* it says so itself, and stands in another's list */
	assert_false(whole(f));
	c->key.group = t->group = g;
	assert_true(whole(f));
	f->view->target_count--;
	assert_false(whole(f));
	f->view->target_count++;
	assert_true(whole(f));
	fleet_free(f);
}

static void the_recount_finds_who_is_not_there(void **state)
{
	struct fleet *f = fleet_usual();
	struct instance *nobody;

	(void)view_apply(f->view, &(struct fact){ .kind = FACT_ALIVE, .alive = { 77, f->now + MSEC_DAY } });
	nobody = table_get(&f->view->instances, 77);
	assert_true(whole(f));
	nobody->alive = false;
	assert_false(whole(f));
	nobody->alive = true;
	assert_true(whole(f));
	fleet_free(f);
}

static void the_recount_finds_wrong_contents(void **state)
{
	struct fleet *f = fleet_usual();
	struct content *chain = target_find(f->view, 21)->base, *set = target_find(f->view, 11)->base;
	struct shape *shape = chain->shape;
	struct id_list members = set->members;

	shape->expired = true;
	assert_false(whole(f));
	shape->expired = false;
	chain->renew_at = 1; /* long ago: due is not up to date */
	assert_false(whole(f));
	chain->renew_at = 0;
	chain->due = true;
	assert_false(whole(f));
	chain->due = false;
	set->members.count = 0;
	assert_false(whole(f));
	set->members = members;
	assert_true(whole(f));
	fleet_free(f);
}

/* Differences on the first line, at the end of a text, in a line that is too long; told to nobody. */
static void differences_of_every_kind_are_told(void **state)
{
	struct view *x = view_new(), *y = view_new();
	int64_t many[120];
	char why[1000];
	struct fact group = { .kind = FACT_GROUP, .group = { 1, GROUP_STORE, ROLE_IS_SERVER, true, 0 } };
	struct fact goal = { .kind = FACT_GOAL, .goal = { 1, { 0 }, { many, 120 } } };

	assert_true(view_apply(x, &group));
	assert_false(view_equal(x, y, why, sizeof(why))); /* the other one is empty */
	assert_false(view_equal(y, x, why, sizeof(why)));
	assert_false(view_equal(x, y, why, 0));
	assert_false(view_equal(x, y, NULL, sizeof(why)));
	assert_true(view_apply(y, &group));
	for (int i = 0; i < 120; i++)
		many[i] = 1000 + i;
	assert_true(view_apply(x, &goal));
	assert_false(view_equal(x, y, why, sizeof(why)));
	assert_non_null(strstr(why, "1000"));
	assert_true(view_apply(y, &goal));
	group.group.store_limit = 7;
	assert_true(view_apply(y, &group));
	assert_false(view_equal(x, y, why, sizeof(why)));
	assert_non_null(strstr(why, "limit=7"));
	assert_true(view_apply(x, &group));
	assert_true(view_equal(x, y, why, sizeof(why)));
	view_free(x);
	view_free(y);
}

/* Nothing of a target is missing in the text, also where it has no instance and its CA is renewed by hand. */
static void what_is_rare_is_written_too(void **state)
{
	struct fleet *f = fleet_usual();
	CLEANUP(buf_release) struct buf out = buf_make(1 << 20);
	int64_t cert = 101;

	(void)view_apply(f->view, &(struct fact){ .kind = FACT_CA, .ca = { .ca = 1, .authority = 5, .cert = 101,
		.leaf_anchors = { &cert, 1 }, .order = 1, .wanted = true, .signing = true, .can_sign = true,
		.not_before = f->now - MSEC_DAY, .not_after = f->now + MSEC_DAY, .renewing = true, .by_hand = true } });
	(void)view_apply(f->view, &(struct fact){ .kind = FACT_TARGET, .target = { 11, 1, 0, 0, TARGET_COUNTED } });
	(void)view_apply(f->view, &(struct fact){ .kind = FACT_EXTERNAL, .external = { 5, true } });
	(void)view_apply(f->view, &(struct fact){ .kind = FACT_EXTERNAL, .external = { 6, false } });
	view_dump(f->view, &out);
	assert_non_null(strstr(buf_text(&out), "external 5 awaited\n"));
	assert_non_null(strstr(buf_text(&out), "external 6\n"));
	assert_non_null(strstr(buf_text(&out), " by-hand"));
	assert_non_null(strstr(buf_text(&out), "target 11 group=1 instance=0"));
	fleet_free(f);
}

static void a_policy_that_only_stops_is_written(void **state)
{
	struct fleet *f = fleet_usual();
	CLEANUP(buf_release) struct buf out = buf_make(1 << 20);

	fleet_policy(f, 7)->rolling.stopped = true;
	fleet_tell(f, fleet_policy(f, 7));
	view_dump(f->view, &out);
	assert_non_null(strstr(buf_text(&out), "deployment 7 max=0 canary=0 pause=0+0 stopped"));
	fleet_free(f);
}

/* Of leases, ends, paces and places. */
static void the_recount_finds_wrong_numbers(void **state)
{
	struct fleet *f = fleet_usual();
	struct target *t = target_find(f->view, 21);
	struct deployment *d;

	fleet_deploy(f, 1, 7);
	fleet_policy(f, 7)->rolling.max_unavailable = 1;
	fleet_tell(f, fleet_policy(f, 7));
	d = table_get(&f->view->deployments, 7);
	assert_true(whole(f));
	t->lease_until = f->now; /* over is not up to date, and its class neither: asked of its members' flags */
	assert_false(whole(f));
	t->over = true;
	assert_false(whole(f));
	t->lease_until = 0;
	t->over = false;
	t->over = true;
	class_place(f->view, t);
	assert_false(whole(f));
	t->over = false;
	class_place(f->view, t);
	t->base->ending = !t->base->ending;
	class_place(f->view, t);
	assert_false(whole(f));
	t->base->ending = !t->base->ending;
	class_place(f->view, t);
	assert_true(whole(f));
	t->group->paces[3]++;
	assert_false(whole(f));
	t->group->paces[3]--;
	d->busy++;
	assert_false(whole(f));
	d->busy--;
	target_find(f->view, 11)->instance->stuck++;
	assert_false(whole(f));
	target_find(f->view, 11)->instance->stuck--;
	assert_true(whole(f));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_orders_one_view),
		cmocka_unit_test(the_first_difference_is_told),
		cmocka_unit_test(all_states_are_written),
		cmocka_unit_test(the_recount_finds_errors),
		cmocka_unit_test(the_recount_finds_misplaced_members),
		cmocka_unit_test(the_recount_finds_wrong_contents),
		cmocka_unit_test(the_recount_finds_who_is_not_there),
		cmocka_unit_test(differences_of_every_kind_are_told),
		cmocka_unit_test(what_is_rare_is_written_too),
		cmocka_unit_test(a_policy_that_only_stops_is_written),
		cmocka_unit_test(the_recount_finds_wrong_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
