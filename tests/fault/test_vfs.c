/* The disk itself: what it keeps, forgets, tears and refuses.  A disk that is too kind would make
 * every other test here worthless. */
#include <sqlite3.h>
#include <stdlib.h>

#include "world.h"

static sqlite3_file *file_open(const char *path)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find("sim");
	sqlite3_file *f = calloc(1, (size_t)vfs->szOsFile);
	assert_int_equal(vfs->xOpen(vfs, path, f, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB, NULL), SQLITE_OK);
	return f;
}

static void file_drop(sqlite3_file *f)
{
	f->pMethods->xClose(f);
	free(f);
}

enum { LEN = 8192 };

static void write_all(sqlite3_file *f, char c)
{
	char data[LEN];
	memset(data, c, sizeof data);
	assert_int_equal(f->pMethods->xWrite(f, data, LEN, 0), SQLITE_OK);
}

static size_t count_of(struct sim_vfs *v, char c)
{
	size_t len = 0, n = 0;
	const uint8_t *data = sim_vfs_file(v, "/f", &len);
	for (size_t i = 0; data && i < len; i++)
		n += data[i] == (uint8_t)c;
	return n;
}

/* Over many disks an unsynced overwrite is seen whole, absent and torn; a synced one always whole. */
static void what_was_not_synced_is_whole_absent_or_torn(void **state)
{
	(void)state;
	int whole = 0, absent = 0, torn = 0;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct sim_vfs *v = sim_vfs_new("sim", seed);
		sqlite3_file *f = file_open("/f");
		write_all(f, 'a');
		assert_int_equal(f->pMethods->xSync(f, SQLITE_SYNC_NORMAL), SQLITE_OK);
		write_all(f, 'b');
		assert_int_equal(count_of(v, 'b'), LEN); /* before the crash everybody sees it */
		sim_vfs_crash(v);
		file_drop(f);
		sim_vfs_reboot(v);
		size_t b = count_of(v, 'b'), a = count_of(v, 'a');
		whole += b == LEN;
		absent += a == LEN;
		torn += b != LEN && a != LEN;
		sim_vfs_free(v);
	}
	assert_true(whole > 5 && absent > 5 && torn > 5);
}

static void a_file_never_synced_may_be_gone(void **state)
{
	(void)state;
	int gone = 0;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct sim_vfs *v = sim_vfs_new("sim", seed);
		size_t len;
		file_drop(file_open("/f"));
		sim_vfs_crash(v);
		sim_vfs_reboot(v);
		gone += sim_vfs_file(v, "/f", &len) == NULL;
		sim_vfs_free(v);
	}
	assert_true(gone > 2 && gone < 18);
}

static void the_same_seed_is_the_same_disk(void **state)
{
	(void)state;
	uint8_t first[LEN];
	for (int run = 0; run < 2; run++) {
		struct sim_vfs *v = sim_vfs_new("sim", 5);
		sqlite3_file *f = file_open("/f");
		size_t len;
		write_all(f, 'a');
		f->pMethods->xSync(f, 0);
		write_all(f, 'b');
		sim_vfs_crash(v);
		file_drop(f);
		sim_vfs_reboot(v);
		const uint8_t *data = sim_vfs_file(v, "/f", &len);
		assert_int_equal(len, LEN);
		if (run == 0)
			memcpy(first, data, LEN);
		else
			assert_memory_equal(first, data, LEN);
		sim_vfs_free(v);
	}
}

static void a_dead_machine_answers_nothing(void **state)
{
	(void)state;
	struct sim_vfs *v = sim_vfs_new("sim", 1);
	sqlite3_file *f = file_open("/f");
	char c;
	sqlite3_int64 size;
	sim_vfs_crash_at(v, SIM_SYNC, 2);
	write_all(f, 'a');
	assert_int_equal(f->pMethods->xSync(f, 0), SQLITE_OK);
	assert_int_equal(f->pMethods->xSync(f, 0), SQLITE_IOERR_FSYNC);
	assert_true(sim_vfs_crashed(v));
	assert_int_equal(f->pMethods->xRead(f, &c, 1, 0), SQLITE_IOERR_READ);
	assert_int_equal(f->pMethods->xWrite(f, "x", 1, 0), SQLITE_IOERR_WRITE);
	assert_int_equal(f->pMethods->xFileSize(f, &size), SQLITE_IOERR_FSTAT);
	sim_vfs_reboot(v);
	assert_int_equal(f->pMethods->xRead(f, &c, 1, 0), SQLITE_IOERR_READ); /* a handle of before */
	file_drop(f);
	f = file_open("/f");
	assert_int_equal(f->pMethods->xRead(f, &c, 1, 0), SQLITE_OK);
	file_drop(f);
	sim_vfs_free(v);
}

static void faults_come_when_they_were_ordered(void **state)
{
	(void)state;
	struct sim_vfs *v = sim_vfs_new("sim", 1);
	sqlite3_file *f = file_open("/f");
	sim_vfs_fail_at(v, SIM_WRITE, 2, SQLITE_IOERR_WRITE, false);
	write_all(f, 'a');
	assert_int_equal(f->pMethods->xWrite(f, "x", 1, 0), SQLITE_IOERR_WRITE);
	write_all(f, 'b');
	sim_vfs_fail_at(v, SIM_WRITE, 1, SQLITE_FULL, true);
	assert_int_equal(f->pMethods->xWrite(f, "x", 1, 0), SQLITE_FULL);
	assert_int_equal(f->pMethods->xWrite(f, "x", 1, 0), SQLITE_FULL);
	assert_int_equal(count_of(v, 'b'), LEN);
	sim_vfs_heal(v);
	sim_vfs_capacity(v, LEN + 10);
	assert_int_equal(f->pMethods->xWrite(f, "x", 1, 5), SQLITE_OK); /* an overwrite needs no room */
	assert_int_equal(f->pMethods->xWrite(f, "12345678901", 11, LEN), SQLITE_FULL);
	assert_int_equal(f->pMethods->xWrite(f, "1234567890", 10, LEN), SQLITE_OK);
	assert_int_equal(sim_vfs_used(v), LEN + 10);
	file_drop(f);
	sim_vfs_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_synced_is_whole_absent_or_torn), cmocka_unit_test(a_file_never_synced_may_be_gone),
		cmocka_unit_test(the_same_seed_is_the_same_disk), cmocka_unit_test(a_dead_machine_answers_nothing),
		cmocka_unit_test(faults_come_when_they_were_ordered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
