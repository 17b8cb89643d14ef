/* A CA that somebody else signs, on a machine that dies: an operator makes it, has it certified, rotates it and brings a new
 * root, and the power fails at each sync, and in between, of the disk below.
 *
 * Each verb is then done whole or not at all: an operator who looks what is there and goes on from it always gets to the
 * same end; a request that was shown is still there with its key, so what was signed for it is never signed for nothing. */
#include "../unit/service/corp.h"

#include "vfs.h"

enum { POINTS = 400 };

static struct sim_vfs *disk;
static struct elsewhere first, second;

static void reboot(struct fleet *f)
{
	sim_vfs_heal(disk);
	fleet_close(f);
	sim_vfs_reboot(disk);
	fleet_tell(f, "the machine died and started again");
	fleet_reopen(f);
	f->accidents++;
}

/* Answered or not; if the power failed, also right after the answer, the machine is up again.  Refusals fail the test. */
static void try(struct fleet *f, const struct verb *verb, const void *cmd, void *ret)
{
	struct troth_err e = { 0 };
	bool answered = rc_ok(fleet_do(f, &f->admin, verb, cmd, ret, &e));
	fleet_tell(f, "%s: %s", verb->name, answered ? "done" : e.primary);
	FLEET_CHECK(f, answered || e.kind == TROTH_UNAVAILABLE);
	if (!answered || sim_vfs_crashed(disk))
		reboot(f);
}

static size_t versions(struct fleet *f, const char *name)
{
	struct credential_list_ret list;
	fleet_must(f, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .name = name }, &list);
	return list.count ? list.items[0].version_count : 0;
}

static bool exists(struct fleet *f, const char *name)
{
	struct credential_list_ret list;
	fleet_must(f, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .name = name }, &list);
	return list.count > 0;
}

/* What was asked for once is signed once: the same paper is brought again after the machine died. */
static void certify_until(struct fleet *f, size_t n, const struct elsewhere *by)
{
	const char *pem = NULL;
	struct certify_ret ret;
	while (versions(f, "/corp/issuing") < n) {
		if (!pem)
			pem = arena_printf(f->a, "%s%s", elsewhere_sign(f->a, f->now, by, corp_csr(f, "/corp/issuing"), (struct elsewhere_wish){ 0 }), by->pem);
		struct certify_cmd cmd = corp_certify_cmd(f, "/corp/issuing", pem);
		try(f, &VERB_AUTHORITY_CERTIFY, &cmd, &ret);
	}
}

static void rotate_until_it_waits(struct fleet *f)
{
	struct rotate_ret ret;
	while (!corp_authority(f, "/corp/issuing").request.id)
		try(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/corp/issuing" }, &ret);
}

static void operate(struct fleet *f)
{
	struct credential_ret made;
	struct authority_import_ret imported;
	struct authority_create_cmd create = corp_create_cmd("/corp/issuing", NULL, AUTHORITY_PATH_LEN_DEFAULT);
	while (!exists(f, "/corp/issuing"))
		try(f, &VERB_AUTHORITY_CREATE, &create, &made);
	certify_until(f, 1, &first);
	rotate_until_it_waits(f);
	certify_until(f, 2, &first);
	while (versions(f, "/corp/issuing/root") < 2)
		try(f, &VERB_AUTHORITY_IMPORT, &(struct authority_import_cmd){ "/corp/issuing/root", second.pem }, &imported);
	certify_until(f, 3, &second);
}

/* The same end each time. */
static void same_end(struct fleet *f)
{
	const char *san = "dns:a.example";
	struct credential_ret leaf;
	struct audit_verify_ret audit;
	struct rotation_list_ret rotations;
	fleet_settle(f, 10);
	fleet_wake(f);
	fleet_must(f, &VERB_ROTATION_LIST, &(struct rotation_list_cmd){ 0 }, &rotations);
	FLEET_CHECK(f, rotations.count == 3);
	for (size_t i = 0; i < rotations.count; i++)
		FLEET_CHECK(f, text_equal(rotations.items[i].state, "done"));
	struct credential_view ca = corp_authority(f, "/corp/issuing"), root = corp_authority(f, "/corp/issuing/root");
	FLEET_CHECK(f, ca.version_count == 3 && root.version_count == 2 && !ca.request.id);
	FLEET_CHECK(f, ca.versions[0].row.signing && text_equal(ca.versions[0].signed_by, root.versions[0].row.uuid));
	FLEET_CHECK(f, !root.versions[1].row.wanted && !ca.versions[1].row.wanted);
	struct credential_create_cmd cmd = { .name = "/corp/leaf", .authority = "/corp/issuing", .csr = fleet_csr(f), .sans = { &san, 1 } };
	fleet_must(f, &VERB_CREDENTIAL_CREATE, &cmd, &leaf); /* its key is there */
	fleet_must(f, &VERB_AUDIT_VERIFY, &(struct no_cmd){ 0 }, &audit);
	FLEET_CHECK(f, audit.check.holds && fleet_explain(f, NULL).count == 0);
}

/* False: the power held; so there are no more points. */
static bool dies_at(enum sim_op op, int point)
{
	disk = sim_vfs_new("sim", (uint64_t)point);
	assert_non_null(disk);
	struct fleet *f = fleet_new_on("sim");
	first = elsewhere_root(f->a, f->now, "Corporate Root");
	second = elsewhere_root(f->a, f->now, "Next Root");
	f->accident = reboot;
	sim_vfs_crash_at(disk, op, point);
	operate(f);
	bool died = f->accidents > 0 || sim_vfs_crashed(disk);
	if (sim_vfs_crashed(disk))
		reboot(f);
	sim_vfs_heal(disk);
	f->accident = NULL;
	same_end(f);
	key_release(first.key);
	key_release(second.key);
	fleet_free(f);
	sim_vfs_free(disk);
	return died;
}

static int die_each(enum sim_op op, int stride)
{
	int point = 1, n = 0;
	for (; dies_at(op, point); point += stride, n++)
		assert_true(point < POINTS);
	return n;
}

static void the_power_fails_at_every_sync(void **state)
{
	int n = die_each(SIM_SYNC, 1);
	print_message("died at each of %d syncs\n", n);
	assert_true(n > 5);
}

static void the_power_fails_between_writes(void **state)
{
	int n = die_each(SIM_WRITE, 17);
	print_message("died at %d writes\n", n);
	assert_true(n > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_power_fails_at_every_sync),
		cmocka_unit_test(the_power_fails_between_writes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
