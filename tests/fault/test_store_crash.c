/* The machine dies, at every sync, at every write, and in between, on disks that tear and forget
 * what was not synced.  Nothing that was answered is lost. */
#include "world.h"

/* Dies at the n-th `op`; false when the run came to its end before. */
static bool crash_once(enum sim_op op, int64_t nth, uint64_t seed)
{
	struct world world, *w = &world;
	world_make(w, seed);
	sim_vfs_crash_at(w->disk, op, nth);
	troth_rc rc = world_run(w);
	bool crashed = sim_vfs_crashed(w->disk);
	assert_true(crashed || rc_ok(rc));
	sim_vfs_reboot(w->disk);
	world_check(w);
	world_free(w);
	return crashed;
}

static void sweep(enum sim_op op, int64_t step, uint64_t seeds)
{
	int64_t nth = 1;
	step *= COARSE;
	for (uint64_t seed = 0; seed < seeds; seed++)
		for (nth = 1 + (int64_t)seed % step; crash_once(op, nth, seed * 1000003 + (uint64_t)nth); nth += step)
			;
	assert_true(nth > 20); /* the run is long enough to mean something */
}

static void at_every_sync(void **state)
{
	(void)state;
	sweep(SIM_SYNC, 1, 4);
}

static void at_every_write(void **state)
{
	(void)state;
	sweep(SIM_WRITE, 2, 2);
}

static void torn_differently(void **state)
{
	(void)state;
	sweep(SIM_WRITE, 17, 3);
}

static void anywhere(void **state)
{
	(void)state;
	sweep(SIM_ANY, 37, 3);
}

/* It dies again while it recovers. */
static void twice(void **state)
{
	(void)state;
	for (int64_t nth = 1; nth < 60; nth += COARSE) {
		struct world world, *w = &world;
		world_make(w, (uint64_t)nth);
		sim_vfs_crash_at(w->disk, SIM_SYNC, 15);
		(void)world_run(w); /* it dies: what it answers before is in w->answered */
		sim_vfs_reboot(w->disk);
		sim_vfs_crash_at(w->disk, SIM_ANY, nth);
		(void)world_open(w); /* may die too */
		world_close(w);
		sim_vfs_reboot(w->disk);
		world_check(w);
		world_free(w);
	}
}

/* The control: a store that does not sync loses answers on the same disk.  If this test fails, the
 * ones above prove nothing. */
static void a_careless_store_is_caught(void **state)
{
	(void)state;
	int caught = 0;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct world world, *w = &world;
		struct tx *tx;
		world_make(w, seed);
		MUST(world_open(w));
		world_close(w);
		w->careless = true;
		sim_vfs_crash_at(w->disk, SIM_WRITE, 150);
		(void)world_run(w);
		assert_true(sim_vfs_crashed(w->disk));
		sim_vfs_reboot(w->disk);
		w->careless = false;
		struct credential_row row;
		bool there = rc_ok(world_open(w)) && rc_ok(store_write_begin(w->store, &tx, &w->e));
		if (there) {
			for (int g = 0; g < w->next; g++)
				there = there && (!w->answered[g] || rc_ok(credential_row_by_name(tx, w->a, verb_name(w, g, 0), &row, NULL)));
			store_write_rollback(tx);
		}
		caught += !there;
		world_free(w);
	}
	assert_true(caught > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_every_sync), cmocka_unit_test(at_every_write), cmocka_unit_test(torn_differently),
		cmocka_unit_test(anywhere), cmocka_unit_test(twice), cmocka_unit_test(a_careless_store_is_caught),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
