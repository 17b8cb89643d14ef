/* A rotation on a disk that fails and a machine that dies: the whole service over sim/vfs.c.
 *
 * At chosen moments a write or a sync fails, or the machine dies and what was not synced is torn or
 * lost.  Agents go unanswered and try again; the server is started again after a crash.  Whatever happens,
 * no pair that could shake hands loses it, the view equals the rows after every verb, and when the disk
 * is well again the rotation ends. */
#include "../unit/service/fleet.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "vfs.h"

#ifdef TROTH_SANITIZED
enum { SEEDS = 6 };
#else
enum { SEEDS = 20 };
#endif

static struct sim_vfs *disk;
static uint64_t chance_state;
static bool well;

static unsigned chance(unsigned below)
{
	chance_state = chance_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)((chance_state >> 33) % below);
}

/* The next trouble: soon, and of a kind that nobody chose. */
static void plan_trouble(void)
{
	if (well)
		return;
	enum sim_op op = chance(2) ? SIM_SYNC : SIM_WRITE;
	int64_t when = 1 + chance(op == SIM_SYNC ? 12 : 60);
	if (chance(2))
		sim_vfs_crash_at(disk, op, when);
	else
		sim_vfs_fail_at(disk, op, when, chance(2) ? SQLITE_FULL : SQLITE_IOERR, false);
}

static void on_accident(struct fleet *f)
{
	bool crashed = sim_vfs_crashed(disk);
	sim_vfs_heal(disk);
	if (crashed) {
		fleet_close(f);
		sim_vfs_reboot(disk);
		fleet_tell(f, "the machine died and started again");
		fleet_reopen(f);
	}
	plan_trouble();
}

static void rotate_through_trouble(uint64_t seed)
{
	chance_state = seed;
	well = true;
	disk = sim_vfs_new("sim", seed);
	assert_non_null(disk);
	struct fleet *f = fleet_new_on("sim");
	fleet_populate(f);
	fleet_tell(f, "seed %llu", (unsigned long long)seed);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	f->accident = on_accident;
	well = false;
	plan_trouble();
	fleet_settle(f, 40);
	well = true;
	if (sim_vfs_crashed(disk))
		on_accident(f);
	sim_vfs_heal(disk);
	f->accident = NULL;
	fleet_tell(f, "the disk is well");
	for (size_t i = 0; i < f->node_count; i++)
		f->nodes[i].say_all = true;
	fleet_settle(f, 60);
	FLEET_CHECK(f, f->accidents > 0);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
	FLEET_CHECK(f, fleet_operation(f, r.operation).state == OPERATION_SUCCEEDED);
	struct audit_verify_ret audit;
	fleet_must(f, &VERB_AUDIT_VERIFY, &(struct no_cmd){ 0 }, &audit);
	FLEET_CHECK(f, audit.check.holds);
	fleet_all_hands(f);
	fleet_free(f);
	sim_vfs_free(disk);
}

static void rotations_through_trouble(void **state)
{
	const char *seed = getenv("FLEET_SEED");
	if (seed)
		rotate_through_trouble(strtoull(seed, NULL, 10));
	for (uint64_t i = 1; !seed && i <= SEEDS; i++)
		rotate_through_trouble(i);
}

/* -- killed at every commit boundary ------------------------------------------------------------------ */

enum { BOUNDARIES = 200 };

static int commits, kill_at;

static void reboot(struct fleet *f)
{
	fleet_close(f);
	sim_vfs_reboot(disk);
	fleet_tell(f, "the server was killed after commit %d", commits);
	fleet_reopen(f);
}

static void kill_after_commit(struct fleet *f)
{
	if (++commits == kill_at)
		reboot(f);
}

static struct fleet *small_fleet(uint64_t seed)
{
	static const char *const names[] = { "app-0", "app-1", "svc-0", "svc-1" };
	disk = sim_vfs_new("sim", seed);
	assert_non_null(disk);
	struct fleet *f = fleet_new_on("sim");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		fleet_join(f, names[i][0] == 'a' ? "app" : "svc", names[i]);
	fleet_settle(f, 20);
	fleet_all_hands(f);
	return f;
}

/* The same end each time: the new version everywhere, nothing else, nothing waited for, each leaf made once. */
static void same_end(struct fleet *f, const struct rotate_ret *r, int keeper_calls)
{
	struct audit_verify_ret audit;
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r->rotation).state, "done"));
	FLEET_CHECK(f, fleet_operation(f, r->operation).state == OPERATION_SUCCEEDED);
	FLEET_CHECK(f, fleet_explain(f, NULL).count == 0);
	for (size_t i = 0; i < f->node_count; i++) {
		const struct fleet_node *n = &f->nodes[i];
		if (n->name[0] == 'a')
			FLEET_CHECK(f, fleet_store_size(n) == 1 && fleet_trusts(f, n, r->new_version));
		else
			FLEET_CHECK(f, fleet_signed_by(f, n, r->new_version));
	}
	fleet_all_hands(f);
	fleet_must(f, &VERB_AUDIT_VERIFY, &(struct no_cmd){ 0 }, &audit);
	FLEET_CHECK(f, audit.check.holds);
	FLEET_CHECK(f, f->keeper_calls - keeper_calls >= 2);
}

/* Answered means durable: nothing that was said before the kill is asked again. */
static bool kill_after(int boundary)
{
	struct fleet *f = small_fleet((uint64_t)boundary);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	int calls = f->keeper_calls;
	commits = 0;
	kill_at = boundary;
	f->boundary = kill_after_commit;
	fleet_settle(f, 60);
	f->boundary = NULL;
	same_end(f, &r, calls);
	FLEET_CHECK(f, f->keeper_calls - calls == 2);
	fleet_free(f);
	sim_vfs_free(disk);
	return commits >= boundary;
}

static void killed_after_every_commit(void **state)
{
	int boundary = 1;
	while (kill_after(boundary))
		assert_true(++boundary < BOUNDARIES);
	print_message("killed after each of %d commits\n", boundary - 1);
	assert_true(boundary > 12);
}

static void on_kill(struct fleet *f)
{
	sim_vfs_heal(disk);
	reboot(f);
}

/* In the middle of one: the machine dies at its n-th sync, and what was not synced is torn or lost. */
static bool kill_within(int boundary)
{
	struct fleet *f = small_fleet((uint64_t)boundary);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	int calls = f->keeper_calls;
	f->accident = on_kill;
	sim_vfs_crash_at(disk, SIM_SYNC, boundary);
	fleet_settle(f, 60);
	bool crashed = f->accidents > 0 || sim_vfs_crashed(disk);
	if (sim_vfs_crashed(disk))
		on_kill(f);
	sim_vfs_heal(disk);
	f->accident = NULL;
	for (size_t i = 0; i < f->node_count; i++)
		f->nodes[i].say_all = true;
	fleet_settle(f, 60);
	same_end(f, &r, calls);
	fleet_free(f);
	sim_vfs_free(disk);
	return crashed;
}

static void killed_within_every_commit(void **state)
{
	int boundary = 1;
	while (kill_within(boundary))
		assert_true(++boundary < BOUNDARIES);
	print_message("killed within each of %d commits\n", boundary - 1);
	assert_true(boundary > 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_after_every_commit),
		cmocka_unit_test(killed_within_every_commit),
		cmocka_unit_test(rotations_through_trouble),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
