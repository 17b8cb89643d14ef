/* The disk says no, once or for good, and the machine lives on: full, failing writes and syncs, a
 * COMMIT that fails.  What was answered stays, what was refused is not there, and the same open
 * store goes on as soon as the disk does. */
#include <sqlite3.h>

#include "world.h"

static void check_open(struct world *w)
{
	struct tx *tx;
	MUST(store_read_begin(w->reader, &tx, &w->e));
	for (int g = 0; g < w->next; g++)
		assert_int_equal(verb_exists(w, tx, g, 0), w->answered[g]); /* refused is refused, while the process lives */
	assert_true(world_holds(w, tx));
	store_read_end(tx);
}

static struct world *begin(struct world *w, uint64_t seed)
{
	world_make(w, seed);
	MUST(world_open(w));
	for (int i = 0; i < 3; i++)
		MUST(world_group(w));
	return w;
}

static void a_failed_commit_is_refused_whole(void **state)
{
	(void)state;
	struct world world, *w = begin(&world, 1);
	sim_vfs_fail_at(w->disk, SIM_SYNC, 1, SQLITE_IOERR_FSYNC, false);
	assert_int_equal(world_group(w).code, TROTH_UNAVAILABLE);
	assert_true(w->e.hint[0]);
	check_open(w);
	MUST(world_group(w));
	check_open(w);
	sim_vfs_crash(w->disk);
	world_close(w);
	sim_vfs_reboot(w->disk);
	world_check(w);
	world_free(w);
}

/* The group that was refused may come back whole after a crash (store.h says so), never in part. */
static void a_failed_commit_and_then_a_crash(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 30; seed++) {
		struct world world, *w = begin(&world, seed);
		sim_vfs_fail_at(w->disk, SIM_SYNC, 1, SQLITE_IOERR_FSYNC, false);
		assert_int_equal(world_group(w).code, TROTH_UNAVAILABLE);
		sim_vfs_crash(w->disk);
		world_close(w);
		sim_vfs_reboot(w->disk);
		world_check(w);
		world_free(w);
	}
}

static void one_failing_call(enum sim_op op, int code, int64_t nth, bool *ret_reached)
{
	struct world world, *w = begin(&world, (uint64_t)nth);
	sim_vfs_fail_at(w->disk, op, nth, code, false);
	int64_t before = sim_vfs_count(w->disk, op);
	for (int i = 0; i < 6; i++) {
		troth_rc rc = world_group(w);
		assert_true(rc_ok(rc) || rc.code == TROTH_UNAVAILABLE);
		arena_reset(w->a);
	}
	*ret_reached = sim_vfs_count(w->disk, op) >= before + nth;
	sim_vfs_heal(w->disk);
	MUST(world_group(w));
	check_open(w);
	world_close(w);
	world_check(w);
	world_free(w);
}

static void any_one_call_may_fail(void **state)
{
	(void)state;
	static const struct { enum sim_op op; int code; } faults[] = {
		{ SIM_WRITE, SQLITE_IOERR_WRITE }, { SIM_WRITE, SQLITE_FULL }, { SIM_SYNC, SQLITE_IOERR_FSYNC }, { SIM_READ, SQLITE_IOERR_READ },
	};
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		bool reached = true;
		for (int64_t nth = 1; reached && nth < 200; nth += nth < 20 ? 1 : 7 * COARSE)
			one_failing_call(faults[i].op, faults[i].code, nth, &reached);
	}
}

/* Every call of an opening, from the empty file through the migrations. */
static void any_one_call_of_an_opening_may_fail(void **state)
{
	(void)state;
	for (int64_t nth = 1;; nth += COARSE) {
		struct world world, *w = &world;
		world_make(w, (uint64_t)nth);
		sim_vfs_fail_at(w->disk, SIM_ANY, nth, SQLITE_IOERR, false);
		troth_rc rc = world_open(w);
		world_close(w);
		bool reached = sim_vfs_count(w->disk, SIM_ANY) >= nth;
		sim_vfs_heal(w->disk);
		world_check(w);
		world_free(w);
		if (rc_ok(rc) && !reached)
			break;
	}
}

static void a_full_disk_refuses_and_forgets_nothing(void **state)
{
	(void)state;
	for (int64_t room = 0; room < 40000; room += 4999) {
		struct world world, *w = begin(&world, 1);
		int refused = 0;
		sim_vfs_capacity(w->disk, sim_vfs_used(w->disk) + room + 1);
		for (int i = 0; i < 30; i++) {
			troth_rc rc = world_group(w);
			refused += rc.code == TROTH_UNAVAILABLE;
			assert_true(rc_ok(rc) || rc.code == TROTH_UNAVAILABLE);
			arena_reset(w->a);
		}
		assert_true(refused > 0);
		assert_non_null(strstr(w->e.primary, "full"));
		check_open(w);
		sim_vfs_capacity(w->disk, 0); /* somebody made room */
		MUST(world_group(w));
		check_open(w);
		sim_vfs_crash(w->disk);
		world_close(w);
		sim_vfs_reboot(w->disk);
		world_check(w);
		world_free(w);
	}
}

/* A group larger than the cache spills into the WAL before its COMMIT, so the disk fills within a verb. */
static void a_disk_that_fills_within_a_verb(void **state)
{
	(void)state;
	struct world world, *w = begin(&world, 1);
	struct tx *tx;
	char *large = arena_alloc(w->a, 1 << 20);
	memset(large, 'x', (1 << 20) - 1);
	sim_vfs_capacity(w->disk, sim_vfs_used(w->disk) + (1 << 20));
	MUST(store_write_begin(w->store, &tx, &w->e));
	troth_rc rc = RC_OK;
	for (int i = 0; i < 40 && rc_ok(rc); i++) {
		MUST(tx_savepoint(tx, &w->e));
		struct event_row row = { .kind = "large", .body = large };
		rc = event_append(tx, &row, &w->e);
		if (rc_ok(rc))
			MUST(tx_release(tx, &w->e));
	}
	assert_int_equal(rc.code, TROTH_UNAVAILABLE);
	troth_rc undone = tx_rollback_to(tx, &w->e);
	assert_int_equal(rc_failed(undone), tx_lost(tx));
	assert_int_equal(store_write_commit(tx, &w->e).code, TROTH_UNAVAILABLE);
	sim_vfs_capacity(w->disk, 0);
	check_open(w);
	MUST(world_group(w));
	check_open(w);
	world_free(w);
}

/* Where the WAL's bytes differ from `before`: first and last. */
static void changed_range(const uint8_t *before, const uint8_t *after, size_t len, size_t *ret_first, size_t *ret_last)
{
	size_t first = 0, last = len - 1;
	while (first < len && before[first] == after[first])
		first++;
	while (last > first && before[last] == after[last])
		last--;
	*ret_first = first;
	*ret_last = last;
}

/* Runs groups until one lies within the WAL, which was long before, and nowhere else: what a checkpoint has copied into the store's file was
 * synced in the WAL before, and cannot be torn there.  Returns its number; first and last: where its bytes are. */
static int group_in_wal(struct world *w, size_t *ret_first, size_t *ret_last)
{
	for (;;) {
		size_t len, len_after;
		uint8_t *file = sim_vfs_file(w->disk, PATH, &len);
		struct bytes db = { arena_copy(w->a, file, len), len };
		file = sim_vfs_file(w->disk, PATH "-wal", &len);
		uint8_t *wal = arena_copy(w->a, file, len);
		MUST(world_group(w));
		file = sim_vfs_file(w->disk, PATH, &len_after);
		if (len_after != db.len || memcmp(file, db.data, db.len) != 0)
			continue;
		file = sim_vfs_file(w->disk, PATH "-wal", &len_after);
		if (len_after != len)
			continue;
		changed_range(wal, file, len, ret_first, ret_last);
		if (*ret_last > *ret_first + 4096)
			return w->next - 1;
	}
}

/* The last group in the WAL is damaged by one bit: it was never answered; all before it is there. */
static void torn_once(size_t permille)
{
	struct world world, *w = begin(&world, 1);
	size_t len, first, last_byte;
	int last = group_in_wal(w, &first, &last_byte);
	sim_vfs_file(w->disk, PATH "-wal", &len)[first + (last_byte - first) * permille / 1000] ^= 1;
	w->answered[last] = false; /* as if the machine had died within that commit */
	sim_vfs_crash(w->disk);
	world_close(w);
	sim_vfs_keep_live(w->disk);
	sim_vfs_reboot(w->disk);
	MUST(world_open(w));
	struct tx *tx;
	MUST(store_read_begin(w->reader, &tx, &w->e));
	assert_false(verb_exists(w, tx, last, 0));
	store_read_end(tx);
	world_close(w);
	world_check(w);
	world_free(w);
}

static void a_torn_wal(void **state)
{
	(void)state;
	for (size_t permille = 0; permille <= 1000; permille += 100)
		torn_once(permille);
}

static void a_store_on_a_dead_disk_says_so(void **state)
{
	(void)state;
	struct world world, *w = begin(&world, 1);
	struct store *store;
	sim_vfs_crash(w->disk);
	assert_int_equal(world_group(w).code, TROTH_UNAVAILABLE);
	assert_int_equal(store_open(PATH, &(struct store_options){ .vfs = "sim" }, &store, &w->e).code, TROTH_UNAVAILABLE);
	assert_int_equal(world_read(w).code, TROTH_UNAVAILABLE);
	world_close(w);
	sim_vfs_reboot(w->disk);
	assert_int_equal(store_open("/none.db", &(struct store_options){ .vfs = "sim", .must_exist = true }, &store, &w->e).code, TROTH_UNAVAILABLE);
	world_check(w);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_commit_is_refused_whole), cmocka_unit_test(a_failed_commit_and_then_a_crash),
		cmocka_unit_test(any_one_call_may_fail), cmocka_unit_test(any_one_call_of_an_opening_may_fail),
		cmocka_unit_test(a_full_disk_refuses_and_forgets_nothing), cmocka_unit_test(a_disk_that_fills_within_a_verb),
		cmocka_unit_test(a_torn_wal), cmocka_unit_test(a_store_on_a_dead_disk_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
