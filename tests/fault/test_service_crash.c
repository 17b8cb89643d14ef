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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(rotations_through_trouble) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
