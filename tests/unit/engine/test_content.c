/* Contents and their shapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/view.h"
#include "fleet.h"

static void equal_contents_share_a_shape(void **state)
{
	struct fleet *f = fleet_usual();

	assert_ptr_equal(target_find(f->view, 21)->base->shape, target_find(f->view, 22)->base->shape);
	assert_ptr_not_equal(target_find(f->view, 21)->base, target_find(f->view, 22)->base);
	fleet_free(f);
}

static void new_anchors_move_those_who_serve_it(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_content *c = fleet_content(f, fleet_newest(f, 21));

	c->ids.items[c->ids.count++] = 102;
	fleet_tell_content(f, c);
	assert_ptr_not_equal(target_find(f->view, 21)->class, target_find(f->view, 22)->class);
	c->renew_at = f->now - 1;
	fleet_tell_content(f, c);
	assert_true(target_find(f->view, 21)->class->key.flags & CLASS_DUE);
	fleet_assert_same(f);
	fleet_free(f);
}

/* History does not pile up; but nothing goes between an introduction and its mention. */
static void idle_contents_are_swept(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t last = 0;

	for (int i = 0; i < IDLE_MAX + 100; i++)
		last = fleet_chain(f, 1, 101);
	assert_true(f->view->chains.count > IDLE_MAX);
	fleet_stage(f, 21, last);
	view_clock(f->view, f->now);
	assert_int_equal(f->view->idle, IDLE_MAX);
	assert_int_equal(target_find(f->view, 21)->staged->id, last);
	fleet_assert_same(f);
	fleet_later(f, 200 * MSEC_DAY); /* moments of those that were swept come, and mean nothing */
	fleet_assert_same(f);
	fleet_free(f);
}

/* Never all at once: a step would have to wait. */
static void a_sweep_is_short(void **state)
{
	struct fleet *f = fleet_usual();

	for (int i = 0; i < IDLE_MAX + SWEPT_AT_ONCE * 3 / 2; i++)
		(void)fleet_chain(f, 1, 101); /* nobody mentions it */
	view_clock(f->view, f->now);
	assert_true(f->view->idle > IDLE_MAX);
	view_clock(f->view, f->now);
	assert_int_equal(f->view->idle, IDLE_MAX);
	fleet_free(f);
}

static void leaving_frees_what_was_held(void **state)
{
	struct fleet *f = fleet_usual();

	for (int64_t id = 21; id <= 22; id++)
		fleet_leave(f, id);
	assert_int_equal(f->view->idle, 2);
	fleet_free(f);
}

/* Whatever two chains differ in, they are not the same to rule S, also where their hashes collide. */
static void shapes_with_one_hash(void **state)
{
	struct view *v = view_new();
	int64_t one = 101, two = 102;
	struct fact chain = { .kind = FACT_CHAIN, .chain = { .chain = 1, .signed_by = 1, .anchors = { &one, 1 }, .not_after = MSEC_DAY } };
	struct fact set = { .kind = FACT_SET, .set = { 1, { &one, 1 } } };

	v->hash_mask = 0;
	(void)view_apply(v, &chain); /* new */
	chain.chain.chain = 2;
	(void)view_apply(v, &chain);
	assert_ptr_equal(content_find(v, GROUP_SLOT, 1)->shape, content_find(v, GROUP_SLOT, 2)->shape);
	chain.chain.bridged_by = 7;
	(void)view_apply(v, &chain);
	assert_ptr_not_equal(content_find(v, GROUP_SLOT, 1)->shape, content_find(v, GROUP_SLOT, 2)->shape);
	chain.chain.bridged_by = 0;
	chain.chain.signed_by = 0;
	chain.chain.anchors.items = &two;
	(void)view_apply(v, &chain);
	set.set.certs.items = &two;
	(void)view_apply(v, &set);
	assert_ptr_not_equal(content_find(v, GROUP_SLOT, 2)->shape, content_find(v, GROUP_STORE, 1)->shape);
	view_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_contents_share_a_shape),
		cmocka_unit_test(new_anchors_move_those_who_serve_it),
		cmocka_unit_test(idle_contents_are_swept),
		cmocka_unit_test(a_sweep_is_short),
		cmocka_unit_test(leaving_frees_what_was_held),
		cmocka_unit_test(shapes_with_one_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
